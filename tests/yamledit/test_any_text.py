"""Any text gives an edit or a refusal of our own; some texts that used to give something else."""

from __future__ import annotations

import gc
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yaml_cases import NASTY, paths

from release_tool.errors import EditRefused, ReleaseError
from release_tool.tagfile import read
from release_tool.yamledit import parser as yaml_parser
from release_tool.yamledit.edits import add_entry, list_to_mapping, move_entry, remove_entry, set_value

FRAGMENTS = [
    "a", "k:", "key: v", "- x", "- - n", "? ", "? q", ": z", "[", "]", "{", "}", ",", "&a ", "*a", "*a : x", "!!map", "!!str ",
    "!t ", "# c", "#", "'q'", '"d"', "|", "|-", "|+", ">", "|2\n", "\n", "\n", "\n", "\n ", "\n  ", "\n  ", "\n    ", "\t", " ",
    "---\n", "...\n", "%YAML 1.1\n", "<<: *a", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\ufeff", "é", "😀", "~", "1.0", "[]", "{}",
    "[a, b]", "{a: b, c}", "image:", "tag:", "\x0c", "\u00a0", "'a\n  b'", "\x00", "\ud800", "--- |\n", "- &a\n", " !!map\n", "@",
]  # fmt: skip
QUICK = settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=24).map("".join)


def law_of_any_text(text: str, data: st.DataObject) -> None:
    with suppress(ReleaseError):
        read(text, "image_tag.yaml")
    try:
        places = [path for path, _ in paths(text)] if yaml_parser.parse(text) else []
    except ReleaseError:
        places = []
    path = data.draw(st.sampled_from(places or [(), ("a",)]))
    value = data.draw(st.sampled_from(NASTY))
    calls: list[tuple[Any, ...]] = [
        (set_value, path, value),
        (add_entry, path, value),
        (add_entry, path, {"q": {"w": value}}, "new"),
        (remove_entry, path),
        (partial(remove_entry, keep_comments=True), path),
        (move_entry, path, ("new", "y")),
        (list_to_mapping, path, ["v1", "v2"]),
    ]
    refusals = []
    for function, *arguments in calls:
        try:
            function(text, *arguments)
        except EditRefused as refused:
            refusals.append(refused)
    assert all(refused.reason and refused.hint for refused in refusals)


@given(text=texts, data=st.data())
@QUICK
def test_any_text_gives_an_edit_or_a_refusal_with_a_next_step(text: str, data: st.DataObject):
    law_of_any_text(text, data)


@pytest.mark.nightly
@given(text=texts, data=st.data())
@settings(QUICK, max_examples=6000)
def test_any_text_gives_an_edit_or_a_refusal_at_length(text: str, data: st.DataObject):
    law_of_any_text(text, data)


@pytest.mark.parametrize("line_end", ["\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize(
    "text",
    [
        "a: b # c{}d: e\n",
        '"b{}c": d\n',
        "a: b{}",
        "a: |\n  b{}\n",
        "[a #c{}, b]\n",
        "a: b # c{}d\ne: f\n",
        "'x': \"y\"{}\n",
    ],
)
def test_a_line_end_of_yaml_1_1_alone_is_refused_by_its_name(text: str, line_end: str, parser: str):
    with pytest.raises(EditRefused) as caught:
        add_entry(text.format(line_end), (), "x", "k")
    assert f"U+{ord(line_end):04X}" in caught.value.reason + caught.value.hint
    assert "in double quotes" in caught.value.hint


@pytest.mark.parametrize("line_end", ["\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("text", ['a: "b{}c"\n', "a: 'b{}c'\n", 'a: &x "b{}c"\n'])
def test_in_quotes_it_is_a_character_like_others(text: str, line_end: str):
    text = text.format(line_end)
    assert add_entry(text, (), "v", "k").startswith(text)


@pytest.mark.parametrize("line_end", ["\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_places_behind_it_are_counted_as_people_count(line_end: str, mark: str, parser: str):
    text = f'{mark}a: ["b{line_end}c", d]\ne: f\n'
    places = {node.value: (node.start.line, node.start.column) for path, node in paths(text) if node.kind == "scalar"}
    assert (places["d"], places["f"]) == ((1, 12), (2, 4))
    assert yaml_parser.parse(text).get("e").start.index == len(text) - 2
    assert add_entry(text, ("a",), "x") == text.replace("d]", "d, x]")
    with pytest.raises(EditRefused) as caught:
        add_entry(text + "g: [\n", (), "x", "k")
    assert caught.value.line in {3, 4}


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a:\n  ? x\n  : y\n  b: c\n", "a:\n  ? x\n  : y\n  b: c\n  k: v\n"),
        ("a:\n  b: c\n  ? x\n  : y\n", "a:\n  b: c\n  ? x\n  : y\n  k: v\n"),
        ("a:\n  ? # why?\n    x\n  : y\n  b: c\n", "a:\n  ? # why?\n    x\n  : y\n  b: c\n  k: v\n"),
        ("a: &m !!map\n  ? [x]\n  : y\n", "a: &m !!map\n  ? [x]\n  : y\n  k: v\n"),
    ],
)
def test_a_key_with_a_question_mark_stops_no_addition_beside_it(text: str, after: str, parser: str):
    assert add_entry(text, ("a",), "v", "k") == after


@pytest.mark.parametrize(
    "text", ["a: &x old\nb: {*x : 1}\n", "a: &x old\nb: &y [*x]\n? *y\n: 1\n", "a: &x old\n? [*x]\n: 1\n"]
)
def test_an_edit_renames_no_key_that_is_an_alias(text: str, parser: str):
    with pytest.raises(EditRefused, match="would rename it") as caught:
        set_value(text, ("a",), "new")
    assert caught.value.hint == "Write the key out here first."
    assert set_value("a: &x old\nb: {c: *x}\n", ("a",), "new") == "a: &x new\nb: {c: *x}\n"


@pytest.mark.parametrize(
    ("text", "reason", "hint"),
    [
        (
            "a:\n-\tx\n",
            "not YAML: a tab where only spaces may stand",
            "Write spaces instead of the tab; YAML allows no tab there.",
        ),
        ("a: @x\n", "not YAML: a text can't begin with '@'", "Put the text in quotes."),
        ("\ufeff\ufeffa: b\n", "not YAML: two byte order marks (U+FEFF) at its start", "Keep one of them, or none."),
    ],
)
def test_what_no_yaml_begins_with_is_named(text: str, reason: str, hint: str, parser: str):
    with pytest.raises(EditRefused) as caught:
        set_value(text, ("a",), "b")
    assert (caught.value.reason, caught.value.hint) == (reason, hint)


def test_a_blank_first_line_behind_a_byte_order_mark_ends_no_search():
    assert remove_entry("\ufeff\na: 1\nb: 2\n", ("a",)) == "\ufeff\nb: 2\n"


def test_comments_of_the_only_entry_are_kept_beside_the_brackets():
    assert remove_entry("a: b # c\n", ("a",), keep_comments=True) == "{} # c\n"
    assert remove_entry("- a: b # c\n- x\n", (0, "a"), keep_comments=True) == "- {} # c\n- x\n"


@pytest.mark.parametrize("text", ["a: b\n", "a: [\n"])
@pytest.mark.parametrize("is_on", [True, False])
def test_the_collector_is_as_before_also_after_an_error(text: str, is_on: bool, monkeypatch: pytest.MonkeyPatch):
    seen = []
    events = yaml_parser.events_of()
    monkeypatch.setattr(yaml_parser, "events_of", lambda: lambda text: seen.append(gc.isenabled()) or events(text))
    yaml_parser.stream.cache_clear()
    (gc.enable if is_on else gc.disable)()
    try:
        add_entry(text, (), "v", "k")
    except EditRefused:
        assert text == "a: [\n"
    finally:
        was = gc.isenabled()
        gc.enable()
    assert was is is_on
    assert set(seen) == {False}
