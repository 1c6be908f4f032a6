"""Entries on their way into a collection: new values, and the parents that are missing above a moved one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from release_tool.yamledit.rewrite import new_collection, new_scalar
from release_tool.yamledit.scalars import fits_plain
from release_tool.yamledit.siblings import Flow, Look, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.yamledit.tree import Node


class Entry(Protocol):
    """What is put into a collection."""

    above: list[str]
    """The lines of the comment block above it in block style, without indentation."""

    comments: list[str]
    """The same where it is written on one line: with those of what is inside it."""

    comment: str
    """The comment on its line, with the blanks before it; empty where it has none."""

    key: Node | None
    """The key that it had where it comes from; it keeps its spelling where it keeps its name."""

    is_long: bool
    """Whether it is written over several lines where it comes from."""

    def tail(self, look: Look, column: int, key: str | None) -> list[str]:
        """The lines of the entry in block style, the first without its key or dash.

        Args:
            look: the style of its siblings.
            column: where its key or dash stands.
            key: the key as written; None for an item.
        """

    def inline(self, look: Look) -> str | None:
        """Its value on one line, for flow style; None where that can't be."""

    def planned(self, *, inline: bool) -> Node:
        """The node that its value has to become."""


class New:
    """A new value.

    Args:
        value: a string, a `Plain`, a mapping or a list of them, or a `Flow`.
    """

    def __init__(self, value: Value) -> None:
        self.value = value
        self.above: list[str] = []
        self.comments: list[str] = []
        self.comment = ""
        self.key: Node | None = None
        self.is_long = False

    def tail(self, look: Look, column: int, key: str | None) -> list[str]:
        """See `Entry`."""
        gap = look.dash_gap() if key is None else look.colon(key, column)
        return _tail(self.value, look, column, gap, key)

    def inline(self, look: Look) -> str:
        """See `Entry`."""
        if isinstance(self.value, str):
            return look.scalar(self.value)
        return _flow(_bare(self.value), look)

    def planned(self, *, inline: bool) -> Node:  # noqa: ARG002 - the spelling of a new value is free
        """See `Entry`."""
        return _planned(self.value)


def _tail(value: Value, look: Look, column: int, gap: str, key: str | None) -> list[str]:
    """A value in block style behind its key or dash.

    Args:
        value: the value.
        look: the style of its siblings.
        column: where the key or dash stands.
        gap: what stands between key and value (`: `), or dash and value.
        key: its key; None for an item of a list.
    """
    if isinstance(value, str):
        return [gap + look.scalar(value, key)]
    inner = _bare(value)
    if not inner or look.wants_flow(inner, marked=isinstance(value, Flow)):
        return [gap + _flow(inner, look)]
    inside = look.inside(inner, flow=False)
    if key is None:
        alone = look.step_below_dash(inner, column)
        if alone is not None:
            return ["", *_block(inner, inside, column + alone)]
        lines = _block(inner, inside, column + 1 + len(gap))
        return [gap + lines[0].lstrip(" "), *lines[1:]]
    return [gap.rstrip(" \t"), *_block(inner, inside, column + look.step(inner))]


def _bare(value: Flow | Mapping[str, Value] | Sequence[Value]) -> Mapping[str, Value] | Sequence[Value]:
    """A collection without its mark."""
    return value.value if isinstance(value, Flow) else value


def _block(value: Mapping[str, Value] | Sequence[Value], look: Look, column: int) -> list[str]:
    """The lines of a collection in block style, its entries at a column."""
    lines: list[str] = []
    indent = " " * column
    if isinstance(value, Mapping):
        for name, inner in value.items():
            key = look.key(name)
            head, *rest = _tail(inner, look, column, look.colon(key, column), name)
            lines += [indent + key + head, *rest]
    else:
        for inner in value:
            head, *rest = _tail(inner, look, column, look.dash_gap(), None)
            lines += [indent + "-" + head, *rest]
    return lines


def _flow(value: Mapping[str, Value] | Sequence[Value], look: Look) -> str:
    """A collection on one line.

    Args:
        value: the collection.
        look: the style of its siblings.
    """
    inside = look.inside(value, flow=True)
    if isinstance(value, Mapping):
        body, brackets = ", ".join(_flow_pair(name, inner, inside) for name, inner in value.items()), "{}"
    else:
        body, brackets = ", ".join(_flow_value(inner, inside, None) for inner in value), "[]"
    padding = look.padding(value) if body else ""
    return brackets[0] + padding + body + padding + brackets[1]


def _flow_pair(name: str, value: Value, look: Look) -> str:
    """A pair of a mapping on one line."""
    key = look.key(name)
    return key + look.colon(key, 0) + _flow_value(value, look, name)


def _flow_value(value: Value, look: Look, key: str | None) -> str:
    """A value inside a collection on one line."""
    if isinstance(value, str):
        return look.scalar(value, key)
    return _flow(_bare(value), look)


def _planned(value: Value) -> Node:
    """The node that a new value has to become."""
    if isinstance(value, Flow):
        value = value.value
    if isinstance(value, str):
        return new_scalar(value)
    if isinstance(value, Mapping):
        node = new_collection("mapping")
        node.pairs = [(new_scalar(name), _planned(inner)) for name, inner in value.items()]
    else:
        node = new_collection("sequence")
        node.items = [_planned(inner) for inner in value]
    return node


class Nested:
    """A new mapping with one entry: a parent that is missing on the way to the entry.

    Args:
        key: the key of the entry.
        entry: the entry.
    """

    def __init__(self, key: str, entry: Entry) -> None:
        self.name = key
        self.entry = entry
        self.above: list[str] = []
        self.comments = entry.comments
        self.comment = entry.comment
        self.key: Node | None = None
        self.is_long = entry.is_long

    def tail(self, look: Look, column: int, key: str | None) -> list[str]:
        """See `Entry`."""
        fresh = Look(look.source, None, flow=False)
        inner = column + (2 if key is None else look.source.style.mapping_step)
        head = ":" if key is not None else ""
        return [head, *block_lines(self.name, self.entry, fresh, inner)]

    def inline(self, look: Look) -> str | None:
        """See `Entry`."""
        fresh = Look(look.source, None, flow=True)
        inner = self.entry.inline(fresh)
        if inner is None:
            return None
        return "{" + written_key(self.name, self.entry, fresh) + ": " + inner + "}"

    def planned(self, *, inline: bool) -> Node:
        """See `Entry`."""
        node = new_collection("mapping")
        node.pairs = [(planned_key(self.name, self.entry), self.entry.planned(inline=inline))]
        return node


def planned_key(name: str, entry: Entry) -> Node:
    """The node that the key of an entry has to become."""
    return entry.key if entry.key is not None and entry.key.value == name else new_scalar(name)


def written_key(name: str, entry: Entry, look: Look) -> str:
    """The key of an entry as text: as it was where its name stays, else like its siblings."""
    key = entry.key
    if key is None or key.value != name:
        return look.key(name)
    if look.flow and key.style is None and not fits_plain(name, flow=True):
        return look.key(name)
    return look.source.text[key.start.index : key.end.index]


def block_lines(key: str | None, entry: Entry, look: Look, column: int) -> list[str]:
    """The lines of a whole entry in block style, its comment block first.

    Args:
        key: its key; None for an item.
        entry: the entry.
        look: the style of its siblings.
        column: where its key or dash stands.
    """
    indent = " " * column
    head = "-" if key is None else written_key(key, entry, look)
    tail = entry.tail(look, column, None if key is None else head)
    return [*(indent + comment for comment in entry.above), indent + head + tail[0], *tail[1:]]
