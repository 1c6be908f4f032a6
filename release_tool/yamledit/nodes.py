"""YAML text to nodes with marks: the one parser layer of the tool.

The editor, the configuration and `image_tag.yaml` all read YAML here. libyaml (the C parser that comes with PyYAML)
does the work where it is present; ruamel.yaml's parser in pure Python stands in where it is not, with the same
answers. Both are only asked for events; what their marks disagree about is made equal here.

Aliases are kept as nodes of their own and never expanded, so a "billion laughs" costs nothing; size and depth are
bounded; a file that can't be read is a `YamlError` with its line and column.
"""

from __future__ import annotations

from typing import Any

from release_tool.yamledit.events import MAX_DEPTH
from release_tool.yamledit.parser import MAX_SIZE, content_start, stream
from release_tool.yamledit.scalars import is_string, reads_as_string, scalar_value
from release_tool.yamledit.tree import Document, Mark, Node, YamlError

__all__ = [
    "MAX_DATA",
    "MAX_DEPTH",
    "MAX_SIZE",
    "Document",
    "Mark",
    "Node",
    "YamlError",
    "content_start",
    "documents",
    "is_string",
    "parse",
    "reads_as_string",
    "scalar_value",
    "stream",
    "to_data",
]

MAX_DATA = 100_000
"""Values that `to_data` makes at most; only aliases can ask for more than the text holds."""


def documents(text: str) -> list[Node | None]:
    """The root nodes of all documents of a text.

    Args:
        text: decoded YAML, line ends as they are in the file, with or without a byte order mark.

    Returns:
        One entry a document, None for an empty one; an empty list for a text without any document.

    Raises:
        YamlError: not YAML, longer than `MAX_SIZE`, deeper than `MAX_DEPTH`, or an alias without an anchor.
    """
    return [document.root for document in stream(text)]


def parse(text: str, document: int = 0) -> Node | None:
    """The root node of one document of a text.

    Args:
        text: decoded YAML, as for `documents`.
        document: its number, counted from 0.

    Returns:
        The root; None when the document is empty, or when the whole text is.

    Raises:
        YamlError: as for `documents`; or there is no such document.
    """
    found = documents(text)
    if document < len(found):
        return found[document]
    if document == 0:
        return None
    reason = f"there is no document {document}, counted from 0; the text has {len(found)}"
    raise YamlError(reason, text.count("\n") + 1, 1)


def to_data(node: Node | None) -> Any:
    """A node as dictionaries, lists and scalars.

    Keys and scalars are what `scalar_value` says. Aliases and merge keys (`<<`) are followed, up to `MAX_DATA` values.

    Args:
        node: a node of `parse`; None gives None.

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
        """A mapping; its own keys win over merged ones."""
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
        return {**merged, **data} if merged else data

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
