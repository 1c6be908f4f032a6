"""Putting an entry behind the last one of a collection, of whatever style."""

from __future__ import annotations

from release_tool.yamledit.insert_block import Request, append_block, into_document
from release_tool.yamledit.insert_flow import append_flow, into_empty_flow, into_nothing
from release_tool.yamledit.source import show

__all__ = ["Request", "insert"]


def insert(request: Request) -> str:
    """Put an entry behind the last one of a collection.

    Returns:
        The new text.

    Raises:
        EditRefused: the place is no such collection, or can't be edited safely.
    """
    source, node = request.source, request.place.node
    if node is None:
        return into_document(request)
    if source.is_nothing(node):
        return into_nothing(request, node)
    source.check_collection(node, request.path)
    if node.kind != request.kind:
        has, wants = ("a list", "no key") if node.kind == "sequence" else ("a mapping", "a key")
        raise source.refusal(f"{show(request.path)} is {has}", node, f"Give {wants}.")
    if not node.style:
        return append_block(request, node)
    if node.items or node.pairs:
        return append_flow(request, node)
    return into_empty_flow(request, node)
