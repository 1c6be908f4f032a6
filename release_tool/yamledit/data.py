"""YAML as Python data, and where in a text a value stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.yamledit.parser import MAX_DEPTH, parse
from release_tool.yamledit.tree import Node, YamlError, scalar_value

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_DATA = 100_000
"""Values that `to_data` makes at most; only aliases can ask for more than the text holds."""


def to_data(node: Node | None) -> Any:
    """A node as dictionaries, lists and what `scalar_value` says; aliases and merge keys (`<<`) are followed.

    Raises:
        YamlError: a key that stands twice, a key that is a collection, or aliases that expand too far.
    """
    return None if node is None else _Data().convert(node, 0)


class _Data:
    """One run of `to_data`, with its budget."""

    def __init__(self) -> None:
        self.left = MAX_DATA

    def convert(self, node: Node, depth: int) -> Any:
        """One node; `depth` counts collections and aliases above it."""
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise YamlError("aliases that expand too far", node.start.line, node.start.column, "Write the values out.")
        if node.kind == "scalar":
            return scalar_value(node)
        if node.kind == "sequence":
            return [self.convert(item, depth + 1) for item in node.items]
        if node.target is not None:
            return self.convert(node.target, depth + 1)
        return self.mapping(node, depth)

    def mapping(self, node: Node, depth: int) -> dict[Any, Any]:
        data: dict[Any, Any] = {}
        merged: dict[Any, Any] = {}
        for key, value in node.pairs:
            if key.kind != "scalar":
                raise YamlError("a key that is a list or a mapping", key.start.line, key.start.column)
            if key.value == "<<" and key.style is None and key.tag is None:
                merged = {**self.merge(value, depth), **merged}
                continue
            name = scalar_value(key)
            if name in data:
                hint = "Keep one of the two."
                raise YamlError(f"the key {key.value} stands twice", key.start.line, key.start.column, hint)
            data[name] = self.convert(value, depth + 1)
        return {**merged, **data} if merged else data  # its own keys win

    def merge(self, node: Node, depth: int) -> dict[Any, Any]:
        """What a merge key brings: one mapping, or several of which the first wins."""
        data = self.convert(node, depth + 1)
        sources = data if isinstance(data, list) else [data]
        merged: dict[Any, Any] = {}
        for source in sources:
            if not isinstance(source, dict):
                raise YamlError("<< merges mappings only", node.start.line, node.start.column)
            merged = {**source, **merged}
        return merged


def place_of(text: str, path: Sequence[str], *, key: bool = False) -> tuple[int, int] | None:
    """Line and column, counted from 1, of a value (or of its `key`) in the first document of a text.

    None where there is no such value, or the text can't be read.
    """
    try:
        node = parse(text)
    except YamlError:
        return None
    mark = None if node is None else node.start
    for step in path:
        pair = None if node is None else _pair(node, step)
        if pair is None:
            return None
        node = pair[1]
        mark = pair[0].start if key else node.start
    return None if mark is None else (mark.line, mark.column)


def _pair(node: Node, step: str) -> tuple[Node, Node] | None:
    """The key and the value of one step; an item of a list stands for both."""
    if node.kind == "sequence":
        item = node.items[int(step)] if step.isdecimal() and int(step) < len(node.items) else None
        return None if item is None else (item, item)
    return next(((key, value) for key, value in node.pairs if key.kind == "scalar" and key.value == step), None)
