"""The quick reader of plain YAML: what it reads is what the parser reads, and all else it leaves to that one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from release_tool import manifests
from release_tool.manifests import plain_yaml

GOLDEN = Path(__file__).resolve().parents[1] / "chart" / "golden"

PLAIN = {
    "a: b": {"a": "b"},
    "a: b\n": {"a": "b"},
    "# a\n\n  # b\na:   b   # c\n": {"a": "b"},
    "a:\n  b: 1\n  c:\n  d: -5\n": {"a": {"b": 1, "c": None, "d": -5}},
    "a:\n- b: 1\n  c: x\n- d\nb: 2": {"a": [{"b": 1, "c": "x"}, "d"], "b": 2},
    "a:\n    -   b:\n            c: 1\n        d: 2\n    - 3": {"a": [{"b": {"c": 1}, "d": 2}, 3]},
    "a:\n- b:\n  - c\n  - d\n- e:\n": {"a": [{"b": ["c", "d"]}, {"e": None}]},
    "a: {}\nb: []\nc: ''\nd: \"x # y: z\"\n'e/f': 'g'": {"a": {}, "b": [], "c": "", "d": "x # y: z", "e/f": "g"},
    "a: true\nb: false\nc: null\nd: 50m\ne: 30%\nf: v1.0.1": {"a": True, "b": False, "c": None, "d": "50m", "e": "30%", "f": "v1.0.1"},
    "a: http://b/c:80\nd: e/f=\ng: a,b": {"a": "http://b/c:80", "d": "e/f=", "g": "a,b"},
    "a: (?i)b([ ;+-].*)?": {"a": "(?i)b([ ;+-].*)?"},
    "a: 1\na: 2": {"a": 2},
}  # fmt: skip

LEFT = [
    "", "# nothing", "- a", "a", "a: b\n  c: d", "a: b\n c", "a:\n  b: 1\n c: 2", "a: b: c", "a:b", "a: 'b", "a: |\n  b",
    "a: >-\n  b", "a: &b c", "a: *b", "a: !!str 1", "a: {b: c}", "a: [b]", "a: yes", "a: No", "a: ~", "a: NULL", "a: y",
    "yes: a", "on:\n  a: b", "1: a", "a: 0644", "a: 1_000", "a: 1.5", "a: 1e3", "a: 0x1F", "a: 12:30", "a: 2026-11-23",
    "a: +1", "a: .5", "a: =", "<<: b", "a: b c", "a: \"b\\n\"", "a: 'b''c'", "\"a'b\": c", "a:\tb", "a: b\r\n", "a: é",
    "a: b\x00", "---\na: b", "a: b\n---\nc: d", "a: b\n...", "%YAML 1.1", "? a\n: b", "a:\n  - b\n  c: d", "a:\n  b: c\n  - d",
    "a:\n- - b", "a:\n-\n  b: c", "a:\n- b\n c: d", "a: b #c\n d", "a: (b: c", "a: (b #c", "a: (b:", "a: (b\n  c", "a: (b ", "  a: b", "a: @b", "a: `b", "a: %b", "a: -", "a: - b",
]  # fmt: skip


def parsed(text: str) -> Any:
    return yaml.load(text, Loader=manifests._loader())


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_is_read(text: str) -> None:
    assert plain_yaml.read(text) == PLAIN[text] == parsed(text)


@pytest.mark.parametrize("text", LEFT)
def test_all_else_is_left_to_the_parser(text: str) -> None:
    found = plain_yaml.read(text)
    assert found is None or repr(found) == repr(parsed(text))


def test_every_reading_is_new() -> None:
    text = "a: {}\nb:\n- c: []\n"
    first = plain_yaml.read(text)
    assert first is not None
    first["a"]["x"] = 1
    first["b"][0]["c"].append(1)
    assert plain_yaml.read(text) == {"a": {}, "b": [{"c": []}]}


@pytest.mark.parametrize("case", sorted(GOLDEN.iterdir()), ids=lambda case: case.name)
def test_renderings_are_read_as_the_parser_reads_them(case: Path) -> None:
    read = 0
    for document in (case / "manifests.yaml").read_text(encoding="utf-8").split("---\n"):
        found = plain_yaml.read(document)
        if found is not None:
            read += 1
            assert repr(found) == repr(parsed(document))
    assert read > 3, "it would be no help"


# -- laws --
WORDS = ["(a b)", "(a: b", "a", "b1", "yes", "true", "null", "1", "01", "-3", "1.5", "1e3", "10s", "x:y", "x: y", "a#b", "é", "~", "=", "<<",
         "'q'", '"q"', '"', "''", "{}", "[]", "{a: b}", "|", "&x y", "*x", "!t", "", "app.kubernetes.io/tag", "2026-11-23"]  # fmt: skip
LINES = st.builds(
    lambda indent, dash, key, value, end: " " * indent + dash + key + value + end,
    st.integers(0, 5),
    st.sampled_from(["", "", "- ", "-  ", "-"]),
    st.sampled_from(["", *(f"{word}:" for word in WORDS), *(f"{word}: " for word in WORDS)]),
    st.sampled_from(["", *WORDS]),
    st.sampled_from(["", "", "", " ", " # c", "#", "\t", "\r"]),
)


@settings(max_examples=400)
@given(st.lists(LINES, min_size=1, max_size=6).map("\n".join))
@example("a:\n- b: c\n  d: e\n-  f\ng:")
def test_lines_put_together_by_chance_are_read_right_or_not_at_all(text: str) -> None:
    found = plain_yaml.read(text)
    if found is not None:
        assert repr(found) == repr(parsed(text))


KEYS = st.sampled_from(["a", "name", "app.kubernetes.io/tag", "@type", "on", "1"])
VALUES = st.recursive(
    st.one_of(
        st.sampled_from(["a", "v1", "x y", "true", "", "1", "a: b", "10s"]), st.integers(), st.booleans(), st.none()
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=12,
)


@settings(max_examples=200)
@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), st.integers(1, 6))
def test_what_was_written_is_read_again(data: dict[str, Any], indent: int) -> None:
    found = plain_yaml.read(yaml.safe_dump(data, default_flow_style=False, indent=indent, sort_keys=False))
    assert found is None or repr(found) == repr(data)
