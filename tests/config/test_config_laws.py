"""Whatever a configuration holds, it is read or refused with our own error, and what is read can be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from model_builders import law

from release_tool.checks import health
from release_tool.config import CONFIG, ConfigError
from release_tool.config.kinds import sections
from release_tool.config.reader import load
from release_tool.yamledit.data import to_data
from release_tool.yamledit.parser import parse

HERE = Path(__file__).parent
GOOD = [to_data(parse((HERE / "good" / f"{name}.yaml").read_text("utf-8"))) for name in ("everything", "services")]
KEYS = sorted({key for _, part in sections("", CONFIG) for key in part.keys})
WORDS = [
    "",
    "v",
    "x" * 51,
    "{version}",
    "a:1",
    "http://a/{tag}",
    "1d",
    "0s",
    "devel",
    "off",
    "(a+)+",
    "(?P<version>.+)",
    "up{a='{version}'}",
    "\u2028",
    "\ud800",
]
# What stands for a value as it is, also with more pairs or entries behind it.
WRITTEN = [
    *("!!int z", "!!float x", "!!binary '%'", "!!timestamp 2026-13-45", "!!set {a}", "!!map x", "!x y", "!!str", "! 1"),
    *("2026-01-01", "2026-02-31", "12:30:45", "yes", "0o17", "0b11", "1_000", "~", "=", "<<", ".nan", "-.inf", "1e999"),
    *("9" * 5001, "-" + "9" * 90, "0x" + "f" * 300, "1." + "9" * 300, '"\\0"', '"\\ud800"', '"\\x85"', "'a\n\n b'"),
    *("&a [*a]", "&a {b: *a}", "*a", "&b x", "*b", "{<<: 1}", "{<<: [x]}", "{? [a] : b}", "{? {a: b} : c}", "{a}"),
    *("[" * 9 + "]" * 9, "[" * 300, "{a: " * 99 + "b" + "}" * 99, "x, keep: 1, keep: 2", "1, chart: a, chart: b"),
    *("{", "]", "'", "- a", "# b", "x\t", "\u2029", "é", "|", "? x", ",", "1, <<: *b", "{grpc: {}}", "{command: {}}"),
]


class Written(str):
    """A piece of YAML."""

    __slots__ = ()


VALUES = st.one_of(
    st.sampled_from(WORDS), st.sampled_from(WRITTEN).map(Written), st.none(), st.booleans(), st.integers(-2, 10**20)
)
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 10**6),
        st.sampled_from(["set", "drop", "misspell", "add", "swap"]),
        VALUES,
        st.sampled_from(KEYS),
    ),
    min_size=1,
    max_size=3,
)


def text_of(value: Any) -> str:
    if isinstance(value, Written):
        return value
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {text_of(inner)}" for key, inner in value.items())
            + "}"
        )
    return f"[{', '.join(map(text_of, value))}]" if isinstance(value, list) else json.dumps(value, ensure_ascii=False)


def mappings(value: Any) -> list[dict[str, Any]]:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [*([value] if isinstance(value, dict) and value else []), *(one for part in inner for one in mappings(part))]


def copy_of(data: Any) -> Any:
    return json.loads(json.dumps(data))


def changed(data: Any, changes: list[tuple[int, str, Any, str]]) -> Any:
    data = copy_of(data)
    for number, action, value, key in changes:
        found = mappings(data)
        one = found[number % len(found)]
        name = list(one)[number // len(found) % len(one)]
        if action == "set":
            one[name] = value
        elif action == "add":
            one[key] = value
        elif action == "swap":
            one[name] = copy_of(found[number // 7 % len(found)])
        else:
            old = one.pop(name)
            if action == "misspell":
                one[name[1:] + name[:1]] = old
        data = data or {"": None}
    return data


def read(text: str) -> None:
    """Read it, and use what is read; or be refused."""
    try:
        config = load(text)
    except ConfigError as error:
        refused = error
    else:
        for view in config.views():
            assert view.entry.promote_from is None
            assert [place.environment for place in view.places()] == list(view.environments)
            view.versions.allows("v1.0.1")
        list(health.wrong(config, text, "release.yaml"))
        list(health.doubtful(config, text, "release.yaml"))
        return
    assert all(problem.what and problem.line >= 1 and problem.column >= 1 for problem in refused.problems)
    assert max(map(len, str(refused).splitlines())) < 600


@law(st.sampled_from(GOOD), CHANGES, examples=100)
def test_a_configuration_is_read_or_refused_with_our_own_error(data: Any, changes: list[Any]) -> None:
    read(text_of(changed(data, changes)))


@pytest.mark.parametrize("action", ["drop", "misspell"])
def test_a_key_that_is_forgotten_or_misspelt_is_read_or_refused_with_our_own_error(action: str) -> None:
    for data in GOOD:
        load(text_of(data))
        for which, one in enumerate(found := mappings(data)):
            for number in range(len(one)):
                read(text_of(changed(data, [(number * len(found) + which, action, None, "")])))
