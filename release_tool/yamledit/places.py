"""Where in a YAML text a value stands, found by its path. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.yamledit.nodes import Node, YamlError, documents

if TYPE_CHECKING:
    from collections.abc import Sequence


def place_of(text: str, path: Sequence[str], *, key: bool = False) -> tuple[int, int] | None:
    """Line and column of a value, both counted from 1.

    Args:
        text: YAML; its first document is meant.
        path: keys from the root down, and positions in lists, as texts.
        key: the place of the last key instead of its value's.

    Returns:
        None where there is no such value, or the text can't be read.
    """
    try:
        found = documents(text)
    except YamlError:
        return None
    node = found[0] if found else None
    mark = None if node is None else node.start
    for step in path:
        pair = None if node is None else _step(node, step)
        if pair is None:
            return None
        node = pair[1]
        mark = pair[0].start if key else node.start
    return None if mark is None else (mark.line, mark.column)


def _step(node: Node, step: str) -> tuple[Node, Node] | None:
    """The key and the value of one step; an item of a list stands for both."""
    if node.kind == "sequence":
        item = node.items[int(step)] if step.isdecimal() and int(step) < len(node.items) else None
        return None if item is None else (item, item)
    return next(((key, value) for key, value in node.pairs if key.kind == "scalar" and key.value == step), None)
