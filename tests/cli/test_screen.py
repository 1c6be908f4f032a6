"""Colours, pager, progress and folding, as a person sees them on a real terminal."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from terminal import COLOUR, on_terminal
from world import WITH_DEFAULT, World

from release_tool.cli import screen

ROOT = Path(__file__).resolve().parents[2]
PLAIN = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ} | {
    "TERM": "xterm", "LC_ALL": "C.UTF-8", "GIT_CONFIG_GLOBAL": "/dev/null"
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World.make(tmp_path_factory.mktemp("world"), tags=WITH_DEFAULT, keep=3)
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("quarantine", "devel", "v3", "--reason", "誤り率が高すぎるので経路から外しました ok " * 3, "--direct")
    world.git("pull", "-q")
    return world


def seen(world: World, *arguments: str, size: tuple[int, int] = (100, 60), **variables: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "release_tool", *arguments]
    return on_terminal(command, world.clone, {**PLAIN, **variables}, size=size)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


COLOURED = [
    ({}, "auto", True),
    ({"NO_COLOR": "1"}, "auto", False),
    ({"NO_COLOR": ""}, "auto", True),
    ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "auto", False),
    ({"CLICOLOR": "0"}, "auto", False),
    ({"TERM": "dumb"}, "auto", False),
    ({"TERM": "dumb", "FORCE_COLOR": "1"}, "auto", True),
    ({"NO_COLOR": "1"}, "always", True),
    ({"FORCE_COLOR": "1"}, "never", False),
]
PIPED = [
    ({}, "auto", False),
    ({"FORCE_COLOR": "1"}, "auto", True),
    ({"FORCE_COLOR": "0"}, "auto", False),
    ({"CLICOLOR_FORCE": "1"}, "auto", True),
    ({}, "always", True),
]


@pytest.mark.parametrize(
    ("stream", "case"), [(Terminal(), case) for case in COLOURED] + [(io.StringIO(), case) for case in PIPED]
)
def test_colours_follow_the_flag_then_the_variables_then_the_terminal(
    stream: Any, case: tuple[dict[str, str], str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    variables, flag, coloured = case
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    screen.choose(flag)
    try:
        assert screen.is_coloured(stream) == coloured
    finally:
        screen.choose("auto")


def test_colours_add_nothing_to_what_is_said(world: World) -> None:
    for arguments in (("status", "devel"), ("bump", "devel", "v1.0.6", "--dry-run"), ("explain", "devel", "v3")):
        plain = world.release(*arguments).out
        coloured = world.release(*arguments, "--color", "always", later=timedelta(0)).out
        assert COLOUR.search(coloured), arguments
        an_id = re.compile(r"\b01\w{24}")
        assert an_id.sub("", COLOUR.sub("", coloured)) == an_id.sub("", plain)
        assert not re.search(r"\x1b\[[0-9;]*3[12]m", coloured), "no red, no green"
        json.loads(world.release(*arguments, "--color", "always", "--output", "json").out)


def test_errors_have_colours_where_asked(world: World) -> None:
    assert world.release("status", "nowhere", "--color", "always", code=1).err.startswith(
        "release: \x1b[1;35merror\x1b[0m: "
    )
    assert world.release("status", "nowhere", code=1).err.startswith("release: error: ")


@pytest.mark.parametrize("columns", [60])
def test_on_a_narrow_terminal_lines_are_folded_and_nothing_is_lost(columns: int, world: World) -> None:
    from release_tool.report.terminal import columns as width

    for arguments in (("status", "devel"), ("cleanup", "devel", "--dry-run"), ("check",)):
        status, shown = seen(world, *arguments, "--color", "never", "--no-pager", size=(columns, 60))
        shown = re.sub(r"\r\x1b\[K(release \w+ \d+ s)?", "", shown)
        plan = shown.partition("\n--- ")[0]
        assert status == 0, shown
        for line in plan.splitlines():
            assert width(line) <= columns or max(width(word) for word in line.split()) > columns - 35, line
        if arguments[0] != "check":
            assert shown.replace("\n", " ").count("経路から外しました") >= 3, "a wide text is whole"


def test_a_pager_shows_what_is_higher_than_the_terminal(world: World) -> None:
    paged = {"PAGER": "sed s/^/PAGED:/", "NO_COLOR": "1"}
    status, shown = seen(world, "history", "devel", size=(80, 5), **paged)
    assert status == 0
    assert "PAGED:" in shown
    for arguments, variables, size in (
        (("history", "devel"), paged, (80, 200)),
        (("history", "devel", "--no-pager"), paged, (80, 5)),
        (("history", "devel"), {**paged, "GIT_PAGER": "cat"}, (80, 5)),
        (("history", "devel"), {**paged, "TERM": "dumb"}, (80, 5)),
    ):
        status, shown = seen(world, *arguments, size=size, **variables)
        assert (status, "PAGED:" in shown, "quarantine" in shown) == (0, False, True), arguments


@pytest.mark.parametrize(("pager", "said"), [("true", ""), ("head -1", "devel"), ("no-such-pager", "quarantine")])
def test_a_pager_that_is_left_early_or_missing_changes_no_status(pager: str, said: str, world: World) -> None:
    status, shown = seen(world, "history", "devel", size=(80, 5), PAGER=pager)
    assert (status, said in shown, "Traceback" in shown) == (0, True, False), shown


def test_less_is_left_by_its_key(world: World) -> None:
    command = [sys.executable, "-m", "release_tool", "history", "devel"]
    status, shown = on_terminal(command, world.clone, PLAIN, size=(80, 5), keys="q", until="devel")
    assert (status, "Traceback" in shown) == (0, False), shown


SLOW = """
import sys, time
from release_tool.cli import main
import release_tool.cli.progress as progress
progress._PATIENCE = progress._PATIENCE_IN_CI = 0.1
from release_tool.commands import status
run = status.run
def slowly(*given, **more):
    time.sleep(0.8)
    return run(*given, **more)
status.run = slowly
sys.exit(main(sys.argv[1:]))
"""


def test_work_that_takes_long_shows_itself_and_goes_again(world: World) -> None:
    status, shown = on_terminal(
        [sys.executable, "-c", SLOW, "status", "devel"], world.clone, {**PLAIN, "NO_COLOR": "1"}
    )
    assert status == 0
    assert "\r\x1b[Krelease status 1 s" in shown
    assert "\r\x1b[Kversion" in shown, "the result begins where the line was"
    dumb = {**PLAIN, "TERM": "dumb"}
    assert "release status" not in on_terminal([sys.executable, "-c", SLOW, "status"], world.clone, dumb)[1]


def test_in_ci_one_line_says_that_it_is_at_work(world: World) -> None:
    import subprocess

    for variables, said in (({"CI": "true"}, "release status: at work\n"), ({}, "")):
        done = subprocess.run(
            [sys.executable, "-c", SLOW, "status", "devel"], cwd=world.clone, env={**PLAIN, **variables},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == said


def test_the_colours_of_a_call_end_with_it(world: World) -> None:
    assert "\x1b[" in world.release("status", "--color", "always").out
    assert world.release("status", "--wrong", code=2).err.startswith("release: error: ")
