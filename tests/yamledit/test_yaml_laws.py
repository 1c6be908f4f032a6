"""Laws of the editor on random texts: nothing outside an edit changes, and readers of both YAMLs see what was meant.

The trees are read by PyYAML and ruamel.yaml here, not by the tool.
"""

from __future__ import annotations

import collections
import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from yaml_cases import NASTY, paths, values, yaml_texts

from release_tool.errors import EditRefused
from release_tool.yamledit import parser
from release_tool.yamledit.edits import Flow, Plain, add_entry, list_to_mapping, move_entry, remove_entry, set_value
from release_tool.yamledit.parser import documents

QUICK = settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
# Block text would take in what stood behind the entry that goes: blank lines (`|+`), or a comment that stands deeper.
BLOCK_TEXT = r"[|>][-+]?(?:  #.*)?\r?\n"
LONG = settings(QUICK, max_examples=6000)


def tree(text: str) -> Any:
    """What PyYAML reads: scalars as text with their style and their tag in YAML 1.1, mappings as lists of pairs."""
    node = yaml.compose(text.removeprefix("\ufeff"), Loader=yaml.CSafeLoader)
    return plain(node) if node is not None else None


def plain(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {"map": [[plain(key), plain(value)] for key, value in node.value]}
    if isinstance(node, yaml.SequenceNode):
        return {"seq": [plain(item) for item in node.value]}
    return (node.value, node.tag)


def string(text: str) -> tuple[str, str]:
    return (text, "tag:yaml.org,2002:str")


def inner(data: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        data = data["seq"][part] if isinstance(part, int) else next(v for k, v in data["map"] if k[0] == part)
    return data


def replaced(data: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        return {"seq": [replaced(v, rest, new) if i == part else v for i, v in enumerate(data["seq"])]}
    return {"map": [[k, replaced(v, rest, new) if k[0] == part else v] for k, v in data["map"]]}


def without(data: Any, path: tuple[str | int, ...]) -> Any:
    *above, last = path
    old = inner(data, tuple(above))
    if isinstance(last, int):
        new = {"seq": [item for position, item in enumerate(old["seq"]) if position != last]}
    else:
        new = {"map": [pair for pair in old["map"] if pair[0][0] != last]}
    return replaced(data, tuple(above), new)


def extended(data: Any, path: tuple[str | int, ...], key: str | None, new: Any) -> Any:
    old = inner(data, path)
    if key is None:
        return replaced(data, path, {"seq": [*(old["seq"] if isinstance(old, dict) else []), new]})
    return replaced(data, path, {"map": [*(old["map"] if isinstance(old, dict) else []), [string(key), new]]})


def comments(text: str) -> collections.Counter[str]:
    """All comments; the only value that holds something like one is `# no`."""
    found = re.findall(r"(?:^|[ \t])(#(?! no)[^\r\n]*)", text, re.MULTILINE)
    return collections.Counter(comment.rstrip() for comment in found)


def is_subsequence(short: str, long: str) -> bool:
    characters = iter(long)
    return all(character in characters for character in short)


def read_12(text: str, path: tuple[str | int, ...]) -> Any:
    """A value as a reader of YAML 1.2 sees it."""
    return at(YAML(typ="safe", pure=True).load(text), numbers(text, path))


def read_11(text: str, path: tuple[str | int, ...]) -> Any:
    """A value as a reader of YAML 1.1 sees it."""
    return at(yaml.load(text, Loader=yaml.CSafeLoader), numbers(text, path))


def numbers(text: str, path: tuple[str | int, ...]) -> list[int]:
    """A path as positions, since readers differ about the type of some keys."""
    data, found = tree(text), []
    for part in path:
        found.append(part if isinstance(part, int) else [key[0] for key, _ in data["map"]].index(part))
        data = data["seq"][part] if isinstance(part, int) else data["map"][found[-1]][1]
    return found


def at(data: Any, positions: list[int]) -> Any:
    for position in positions:
        data = list(data.values() if isinstance(data, dict) else data)[position]
    return data


def edit(function: Any, *arguments: Any) -> str:
    """The edited text; the random texts hold two things that are refused, and nothing else may be."""
    try:
        return function(*arguments)
    except EditRefused as refused:
        if "without a newline and would get one" not in refused.reason and "can't be written" not in refused.reason:
            raise
    assume(False)
    raise AssertionError


def some(data: st.DataObject, text: str, *kinds: str) -> tuple[tuple[str | int, ...], Any]:
    found = [(path, node) for path, node in paths(text) if node.kind in kinds]
    assume(found)
    return data.draw(st.sampled_from(found))


# --- the laws ---------------------------------------------------------------------------------------------------------


def law_of_set(text: str, data: st.DataObject) -> None:
    path, node = some(data, text, "scalar")
    value = data.draw(values)
    after = edit(set_value, text, path, value)
    assert tree(after) == replaced(tree(text), path, string(value))
    assert set_value(after, path, value) == after
    if node.style not in ("|", ">"):
        start, end = node.start.index, node.end.index
        assert after.startswith(text[:start])
        assert after.endswith(text[end:])
        if "#" not in value:
            assert comments(after) == comments(text)


def law_of_add(text: str, data: st.DataObject) -> None:
    path, node = some(data, text, "sequence", "mapping")
    key = None if node.kind == "sequence" else "new key"
    value = data.draw(values)
    after = edit(add_entry, text, path, value, key)
    assert tree(after) == extended(tree(text), path, key, string(value))
    assert is_subsequence(text.replace(" ", ""), after.replace(" ", ""))
    position = len(node.items) if key is None else key
    if node.items or node.pairs:
        assert edit(remove_entry, after, (*path, position)).replace(" ", "") == text.replace(" ", "")
    if not node.style:
        assert edit(remove_entry, after, (*path, position)) == text
        assert len(after.splitlines()) == len(text.splitlines()) + 1


def law_of_values(text: str, data: st.DataObject) -> None:
    path, node = some(data, text, "sequence", "mapping")
    key = None if node.kind == "sequence" else "new key"
    value = data.draw(values)
    after = edit(add_entry, text, path, value, key)
    position = (*path, len(node.items) if key is None else key)
    assert read_11(after, position) == value
    assert isinstance(read_11(after, position), str)
    if "\t#" not in text:  # the pure parser can't read it
        assert read_12(after, position) == value
        assert isinstance(read_12(after, position), str)


def law_of_nested(text: str, data: st.DataObject) -> None:
    path, node = some(data, text, "sequence", "mapping")
    key = None if node.kind == "sequence" else "new key"
    leaf = values
    value = data.draw(
        st.recursive(
            leaf, lambda v: st.one_of(st.lists(v, max_size=3), st.dictionaries(st.sampled_from(NASTY), v, max_size=3))
        )
    )
    marked = Flow(value) if isinstance(value, list | dict) and data.draw(st.booleans()) else value
    after = edit(add_entry, text, path, marked, key)
    assert read_11(after, (*path, len(node.items) if key is None else key)) == value
    assert is_subsequence(text.replace(" ", ""), after.replace(" ", ""))


def law_of_remove(text: str, data: st.DataObject) -> None:
    path, _ = some(data, text, "scalar", "sequence", "mapping")
    assume(path)
    try:
        after = edit(remove_entry, text, path)
    except EditRefused:
        assert re.search(BLOCK_TEXT, text)
        return
    assert tree(after) == without(tree(text), path)
    assert comments(text) >= comments(after)
    kept = after.replace("[]", "").replace("{}", "")
    assert is_subsequence(re.sub(r"\s", "", kept), re.sub(r"\s", "", text))


def law_of_move(text: str, data: st.DataObject) -> None:
    path, _ = some(data, text, "scalar", "sequence", "mapping")
    assume(path)
    to, _ = some(data, text, "mapping")
    assume(to[: len(path)] != path)
    between = data.draw(st.sampled_from([(), (), ("p",), ("p", "q")]))
    try:
        after = edit(move_entry, text, path, (*to, *between, "new key"))
    except EditRefused:
        assert re.search(BLOCK_TEXT, text)
        return
    before = tree(text)
    value = inner(before, path)
    for name in reversed((*between, "new key")[1:]):
        value = {"map": [[string(name), value]]}
    added = extended(before, to, (*between, "new key")[0], value)
    assert tree(after) == without(added, path)
    if "#" not in str(value):  # text that looks like a comment, and may be written on one line now
        assert comments(after) == comments(text)


def law_of_names(text: str, data: st.DataObject) -> None:
    path, node = some(data, text, "sequence")
    keys = [f"v{number}" for number in range(len(node.items))]
    after = edit(list_to_mapping, text, path, keys)
    items = inner(tree(text), path)["seq"]
    expected = {"map": [[string(key), item] for key, item in zip(keys, items, strict=True)]}
    assert tree(after) == replaced(tree(text), path, expected)
    assert comments(after) == comments(text)


def law_of_parsers(text: str, data: st.DataObject) -> None:
    """Both parsers give the same nodes at the same places."""
    assume("\t#" not in text)
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for events in (parser.libyaml_events, parser.pure_events):
            patch.setattr(parser, "events_of", lambda events=events: events)
            parser.stream.cache_clear()
            found.append([listed(root) for root in documents(text)])
    parser.stream.cache_clear()
    assert found[0] == found[1]


def listed(node: Any) -> Any:
    inside = [listed(item) for item in node.items] + [(listed(key), listed(value)) for key, value in node.pairs]
    places = [(mark.index, mark.line) for mark in (node.start, node.end)]
    return (node.kind, node.value, node.style, node.tag, node.anchor, places, inside)


LAWS = [law_of_set, law_of_add, law_of_values, law_of_nested, law_of_remove, law_of_move, law_of_names, law_of_parsers]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@given(text=yaml_texts(), data=st.data())
@QUICK
def test_laws(law: Any, text: str, data: st.DataObject):
    law(text, data)


@pytest.mark.nightly
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@given(text=yaml_texts(), data=st.data())
@LONG
def test_laws_at_length(law: Any, text: str, data: st.DataObject):
    law(text, data)


@given(value=values)
@QUICK
def test_a_plain_marker_is_written_as_it_is_or_refused(value: str):
    try:
        after = set_value("a: 1\n", ("a",), Plain(value))
    except EditRefused:
        return
    assert after == f"a: {value}\n"
