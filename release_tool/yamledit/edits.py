"""Byte-exact edits of YAML texts, `str -> str`: everything but the entry in question keeps its bytes.

The parser finds the place, the text is spliced there, and the result is parsed again and compared with the tree that
was planned: if anything but the planned values differs, the edit is refused with `EditRefused` and the text stays as
it was. The text is handed in decoded, without translation of line ends, a byte order mark included.

`path` is a tuple of keys and of positions in lists, counted from 0; `()` is the root. `document` counts the documents
of the text from 0. Keys match by their text, so `80` and `"80"` are both found by `"80"`.

Refused are, in all functions: text that isn't YAML, a path that leads through an alias, a merge key (`<<`), a key that
stands twice, a key written with `?`, and tags other than YAML's own for strings, lists and mappings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from release_tool.yamledit.entry import Nested, New
from release_tool.yamledit.insert import Request, insert
from release_tool.yamledit.list_to_mapping import name_items
from release_tool.yamledit.move import Moved
from release_tool.yamledit.remove import check_anchors, remove
from release_tool.yamledit.replace import replace_scalar
from release_tool.yamledit.scalars import Plain
from release_tool.yamledit.siblings import Flow, Value
from release_tool.yamledit.source import Path, Place, Source, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.yamledit.entry import Entry
    from release_tool.yamledit.nodes import Node

__all__ = [
    "WHOLE_BLOCK",
    "Flow",
    "Plain",
    "Value",
    "add_entry",
    "comment_block",
    "list_to_mapping",
    "move_entry",
    "remove_entry",
    "set_value",
]

WHOLE_BLOCK = 1_000_000
"""For `first_block`: all lines of the comment block."""


def set_value(text: str, path: Path, value: str, document: int = 0) -> str:
    """Set a scalar.

    The quotes of the old value stay; a plain one stays plain if the new value is a string to every reader, else it
    gets quotes. An anchor stays as well, so its aliases follow. An alias is replaced. An empty `[]` or `{}` may be
    replaced, too. A value that is this string already leaves the text as it is.

    Args:
        text: the YAML.
        path: the value; it has to exist.
        value: the new value, a string that stays one, or a `Plain`.
        document: which document.

    Returns:
        The text with the value set.

    Raises:
        EditRefused: nothing there, a collection, or a place that can't be edited safely.
    """
    source = Source(text, document)
    _check_value(source, value)
    return replace_scalar(source, tuple(path), value)


def add_entry(text: str, path: Path, value: Value, key: str | None = None, document: int = 0) -> str:
    """Append to a list, or add a key to a mapping, after the last entry and before the comments that follow it.

    Indentation, quotes, gaps and flow or block style are those of the siblings; without siblings, those of the file.
    An empty value, `null`, `[]` and `{}` get their first entry; the root of an empty document is a collection, too.

    Args:
        text: the YAML.
        path: the collection.
        value: a string, which stays a string and is quoted where a reader could take it for something else; a
            `Plain`; or a mapping or list of them, `Flow` to have it on one line.
        key: the key of the new entry; None to append to a list.
        document: which document.

    Returns:
        The text with the entry added.

    Raises:
        EditRefused: no such collection, the key is there already, or a place that can't be edited safely.
    """
    source = Source(text, document)
    _check_value(source, value)
    path = tuple(path)
    place = source.get(path)
    _check_free(source, place.node, key, path)
    return insert(Request(source, place, path, key, New(value)))


def remove_entry(text: str, path: Path, document: int = 0, *, first_block: int = 0) -> str:
    """Remove an entry with its line's comment and the comment block that touches it from above at its indentation.

    The block above the first entry stays, because it may be about the whole collection. When the last entry goes,
    `[]` or `{}` remains.

    Args:
        text: the YAML.
        path: the entry.
        document: which document.
        first_block: how many lines of the comment block above a first entry are that entry's, at most.

    Returns:
        The text without the entry.

    Raises:
        EditRefused: nothing there, an anchor in it is used elsewhere, or a place that can't be edited safely.
    """
    return remove(Source(text, document, first_block=first_block), tuple(path))


def move_entry(text: str, path: Path, to: Path, document: int = 0, *, first_block: int = 0) -> str:
    """Move an entry to another collection, after the last entry there, with its comments, in its own spelling.

    The comment on its line and the comment block above it (see `remove_entry`) travel and are indented anew. Missing
    parents are made as mappings, after the last sibling. When its old collection is empty then, `[]` or `{}` remains.

    Args:
        text: the YAML.
        path: the entry.
        to: its new path: a new key of a mapping, or the first free position of a list.
        document: which document.
        first_block: how many lines of the comment block above a first entry are that entry's, at most.

    Returns:
        The text with the entry moved; the same text where `to` is `path`.

    Raises:
        EditRefused: nothing at `path`, something at `to`, or a place that can't be edited safely.
    """
    path, to = tuple(path), tuple(to)
    if path == to:
        return text
    source = Source(text, document, first_block=first_block)
    place = source.get(path)
    if not place.steps or not to or to[: len(path)] == path:
        hint = "Name an entry, and a place outside it."
        raise source.refusal(f"{show(path)} can't be moved to {show(to)}", place.node or 0, hint)
    parent, position = place.steps[-1]
    check_anchors(source, path, parent, position)
    target = source.find(to[:-1])
    key = None if target.node is not None and target.node.kind == "sequence" and not target.missing else str(to[-1])
    _check_free(source, target.node, None if target.missing else key, to[:-1])
    if key is None and target.node is not None and to[-1] != len(target.node.items):
        hint = f"Name position {len(target.node.items)}."
        raise source.refusal(f"{show(to)} is not the first free position of the list", target.node, hint)
    entry: Entry = Moved(source, parent, position)
    last = source.needs_final_break(parent.items[position] if parent.items else parent.pairs[position][1])
    if last is not None and last.end.index == len(text):
        hint = f"End the file with a newline, or write {last.style}- where this text starts."
        raise source.refusal(f"the last text ({last.style}) ends without a newline and would get one", last, hint)
    names = [str(part) for part in (*target.missing, to[-1])]
    for name in reversed(names[1:]):
        entry = Nested(name, entry)
    key = key if len(names) == 1 else names[0]
    known = to[: len(to) - 1 - len(target.missing)]
    added = insert(Request(source, Place(target.steps, target.node, ()), known, key, entry))
    return remove(Source(added, document, first_block=first_block), path)


def comment_block(text: str, path: Path, document: int = 0) -> str:
    """The comment block that touches an entry from above at its indentation, also that above a first entry.

    Args:
        text: the YAML.
        path: the entry.
        document: which document.

    Returns:
        Its lines as they stand; empty where there is none, or where the entry doesn't begin a line.

    Raises:
        EditRefused: there is no such entry.
    """
    source = Source(text, document, first_block=WHOLE_BLOCK)
    place = source.get(tuple(path))
    if not place.steps:
        return ""
    parent, position = place.steps[-1]
    head = source.head(parent, position)
    return text[source.comments_above(parent, position) : source.line_start(head)] if source.begins_line(head) else ""


def list_to_mapping(text: str, path: Path, keys: Sequence[str], document: int = 0) -> str:
    """Turn a list into a mapping in place: `- v1.0.2  # note` becomes `v2: v1.0.2  # note`.

    Everything stays where it is, comments included. A list that is flush with its parent's key is indented, with the
    comments inside it, because a mapping has to be.

    Args:
        text: the YAML.
        path: the list.
        keys: one key for each item, in order.
        document: which document.

    Returns:
        The text with the mapping.

    Raises:
        EditRefused: no list there, or not as many keys as items, or a place that can't be edited safely.
    """
    return name_items(Source(text, document), tuple(path), keys)


def _check_value(source: Source, value: Value) -> None:
    """Refuse what no YAML text can hold."""
    if isinstance(value, Flow):
        value = value.value
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _check_value(source, name)
            _check_value(source, inner)
    elif not isinstance(value, str):
        for inner in value:
            _check_value(source, inner)
    else:
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise source.refusal("the new value holds half of a surrogate pair", 0, "Give valid text.") from None


def _check_free(source: Source, node: Node | None, key: str | None, path: Path) -> None:
    """Refuse a key that is there already."""
    if node is None or key is None:
        return
    for name, _ in node.pairs:
        if name.kind == "scalar" and name.value == key:
            raise source.refusal(f"{show(path)} has the key {key} already", name, "Set its value, or remove it first.")
