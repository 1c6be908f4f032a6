"""What a plain scalar is for the readers of YAML 1.1 and 1.2."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from release_tool.yamledit.parser import parse
from release_tool.yamledit.siblings import Siblings
from release_tool.yamledit.source import SourceText
from release_tool.yamledit.tree import is_string, reads_as_string, resolves_to_string, scalar_value

STRINGS = [
    "v1.0.5",
    "1.2.3",
    "1.0.0-rc.1",
    "latest",
    "a.b",
    "a-b",
    "a_b",
    "1.2.3.4",
    "v1",
    "1.0-2",
    "20261123T1200Z",
    "2026.11.23",
    "2026-11-23-abc",
    "sha-0x1f",
    "1e",
    "0x",
    "0b2",
    "0o8",
    "1:60:x",
    "12:61",
    "nullable",
    "yess",
    "tRue",
    "..",
    "...",
    "_1",
    "1.2_3.4",
    "2026-1",
    "é",
]
OTHERS = [
    "1.20",
    "1.10",
    "1",
    "0",
    "-1",
    "+1",
    "1_000",
    "0b11",
    "0o17",
    "017",
    "08",
    "0x1F",
    "0X1f",
    "1e3",
    "1E-3",
    "12e3456",
    "1.5e3",
    ".5",
    "-.5",
    "1.",
    ".",
    "12:30",
    "1:20:30.5",
    "190:20:30",
    ".inf",
    "-.INF",
    ".nan",
    ".NaN",
    "2026-11-23",
    "2026-1-2",
    "2026-11-23T05:40:00Z",
    "yes",
    "Yes",
    "NO",
    "on",
    "Off",
    "true",
    "FALSE",
    "y",
    "N",
    "null",
    "Null",
    "~",
    "=",
    "<<",
    "2026-11-23t05:40:00.1-05:00",
]


@pytest.mark.parametrize("text", STRINGS)
def test_strings_of_both_versions(text: str):
    assert resolves_to_string(text)


@pytest.mark.parametrize("text", OTHERS)
def test_what_one_reader_takes_for_something_else_is_no_string(text: str):
    assert not resolves_to_string(text)
    assert not reads_as_string(text, flow=False)
    assert is_string(parse(f"- '{text}'").items[0])
    assert not is_string(parse(f"- {text}").items[0])


@pytest.mark.parametrize(("text", "block", "flow"), [
    ("a b", True, True), ("a,b", True, False), ("a:b", True, False), ("http://x/y?z#w", True, False),
    ("-a", True, True), ("{{ .x }}", False, False), ("a #b", False, False), ("a#b", True, True),
    ("a: b", False, False), ("a:", False, False), ("- a", False, False), ("? a", False, False),
    ("?a", True, False), ("a?", True, False), (" a", False, False), ("a ", False, False), ("a\tb", False, False),
    ("a\nb", False, False), ("a\u2028b", False, False), ("---", False, False), ("--- a", False, False),
    ("error rate 0.12 > 0.05", True, True), ("", False, False), ("'a", False, False), ("a'b", True, True),
    ("@a", False, False), ("a@b", True, True), ("!a", False, False), ("%a", False, False),
    ("v1.0.5@sha256:ab", True, False),
])  # fmt: skip
def test_what_may_be_written_plain(text: str, block: bool, flow: bool):
    assert reads_as_string(text, flow=False) is block
    assert reads_as_string(text, flow=True) is flow


@pytest.mark.parametrize(("text", "value"), [
    ("1", 1), ("-12", -12), ("0x1F", 31), ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1.5e+3", 1500.0),
    ("true", True), ("FALSE", False), ("null", None), ("~", None), ("", None), (".inf", math.inf),
    ("-.Inf", -math.inf), ("yes", "yes"), ("010", "010"), ("1_000", "1_000"), ("1e3", "1e3"), ("12:30", "12:30"),
    ("0o17", "0o17"), ("2026-11-23", "2026-11-23"), ("y", "y"), ("9" * 5000, "9" * 5000), ("'1'", "1"),
    ("!!str 1", "1"), ("!custom 1", "1"),
])  # fmt: skip
def test_scalar_value_is_what_both_versions_agree_on(text: str, value: object):
    found = scalar_value(parse(f"- {text}\n").items[0])
    assert found == value
    assert type(found) is type(value)


def test_not_a_number():
    assert math.isnan(scalar_value(parse("- .nan").items[0]))


def test_tags_decide_what_a_string_is():
    items = parse("- !!str 1\n- !!int '1'\n- !x a\n- ! 1\n- |\n  1\n- [a]\n").items
    assert [is_string(item) for item in items] == [True, False, False, False, True, False]


@given(text=st.text(st.sampled_from("00123456789abefxXoO_.:+-eEtTZynNsSrRuUlL~=<, "), max_size=10))
@settings(max_examples=3000, deadline=None, database=None)
def test_what_is_written_plain_is_a_string_for_every_reader(text: str):
    if not reads_as_string(text, flow=False):
        return
    assert yaml.safe_load(f"- {text}\n") == [text]
    assert YAML(typ="safe", pure=True).load(f"- {text}\n") == [text]


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20), style=st.sampled_from([None, "'", '"']))
@settings(max_examples=500, deadline=None, database=None)
def test_what_is_written_is_read_back(text: str, style: str | None):
    for flow, form in ((False, "- {}\n"), (True, "[{}]\n")):
        written = form.format(Siblings(SourceText("", 0), None, flow=flow).write(text, style))
        assert yaml.load(written, Loader=yaml.SafeLoader) == [text]
        assert YAML(typ="safe", pure=True).load(written) == [text]
