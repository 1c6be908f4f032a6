"""Whatever is typed ends in a result or in one of our own errors, and what `--dry-run` or wrong usage says changes nothing."""

from __future__ import annotations

import argparse
import functools
import re
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import WITH_DEFAULT, World

from release_tool.cli.parser import MODULES, parser

LONG = {"guard", "demo"}  # one waits for a health source, the other one makes a world of its own
OWN_COLOURS = re.compile(r"\x1b\[(?:[012]|3[36]|1;35)m")  # with `--color always`
WORDS = st.sampled_from([
    "devel", "staging", "production", "v1", "v4", "v99", "v1.0.5", f"v1.0.2@sha256:{'a1' * 32}", "main", "1", "0", "-1",
    "14d", "never", "json", "text", "release.yaml", "why", "", " ", "-", "--", "*", "../x", "a b", "é", "\x1b[31m",
    "9" * 30, "2026-11-24", "99999999w", "https://x:y@example.com/r.git", "ssh://[::1", "\ud800", "${{ x }}",
    "::error::x", "v1\nv2",
])  # fmt: skip


@functools.cache
def options(command: str) -> tuple[argparse.Action, ...]:
    """What a command takes, as its own parser tells."""
    (places,) = (one for one in parser([command])._actions if isinstance(one, argparse._SubParsersAction))
    return tuple(one for one in places.choices[command]._actions if one.dest != "help")


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """A command line: mostly of the right shape, with values of any kind."""
    command = draw(st.sampled_from(sorted({*MODULES} - LONG)))
    words: list[str] = []
    for one in options(command):
        if one.option_strings:
            if draw(st.integers(0, 5)) == 0 and not {"--repo", "-C", "--watch"} & set(one.option_strings):
                value = (
                    [] if one.nargs == 0 else [draw(st.sampled_from([*(one.choices or ())]) if one.choices else WORDS)]
                )
                words += [draw(st.sampled_from(one.option_strings)), *value]
        elif draw(st.integers(0, 9)):
            words.append(draw(st.sampled_from([*one.choices]) if one.choices and draw(st.booleans()) else WORDS))
    return [*words[:1], command, *words[1:]] if draw(st.integers(0, 9)) == 0 else [command, *words]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World.make(tmp_path_factory.mktemp("world"), tags=WITH_DEFAULT)


def hold(world: World, argv: Sequence[str]) -> None:
    """The codes are those of the contract, an error has a text, and what must not write doesn't."""
    before = world.refs()
    said = world.release(*argv, code=None)
    assert said.code in {0, 1, 2, 75}, f"{argv}: {said.code}\n{said.err}"
    assert said.code == 0 or said.err.strip() or {"check", "doctor"} & set(argv), argv  # their findings are results
    assert "\x1b" not in OWN_COLOURS.sub("", said.out + said.err), argv
    if said.code == 2 or "--dry-run" in argv:
        assert world.refs() == before, argv


FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(argv=lines())
def test_any_command_line_gives_a_result_or_an_error_of_ours(kept: World, argv: list[str]) -> None:
    hold(kept, argv)


@pytest.mark.nightly
@settings(FEW, max_examples=2000)
@given(argv=lines())
def test_a_night_of_command_lines(kept: World, argv: list[str]) -> None:
    hold(kept, argv)


def test_the_law_knows_every_command() -> None:
    assert set(MODULES) >= {"bump", "promote", "status", "check", "render"}
    assert any(one.option_strings for one in options("bump"))
