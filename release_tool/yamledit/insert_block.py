"""Putting an entry into a block collection, or making one of a value that holds nothing yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.yamledit.entry import block_lines, planned_key
from release_tool.yamledit.rewrite import Plan, Splice, new_collection
from release_tool.yamledit.siblings import Look

if TYPE_CHECKING:
    from release_tool.yamledit.entry import Entry
    from release_tool.yamledit.source import Path, Place, Source
    from release_tool.yamledit.tree import Node


class Request(NamedTuple):
    """What is asked for.

    Attributes:
        source: the text.
        place: the collection.
        path: its path, for messages.
        key: the new key; None to append to a list.
        entry: the new entry.
    """

    source: Source
    place: Place
    path: Path
    key: str | None
    entry: Entry

    @property
    def kind(self) -> str:
        """The kind of collection that the entry needs."""
        return "sequence" if self.key is None else "mapping"


def planned(request: Request, node: Node | None, *, inline: bool) -> tuple[Plan, Node | None]:
    """The plan, and the root with the entry in it."""
    plan = Plan(request.source)
    if node is None:
        twin = new_collection(request.kind)
    elif node.kind == "scalar":
        twin = plan.copy(node)
        twin.kind, twin.value, twin.style = request.kind, "", new_collection(request.kind).style
    else:
        twin = plan.copy(node)
    if node is not None and node.kind != "scalar" and not node.items and not node.pairs:
        twin.style = new_collection(request.kind).style
    value = request.entry.planned(inline=inline)
    if request.key is None:
        twin.items = [*twin.items, value]
    else:
        twin.pairs = [*twin.pairs, (planned_key(request.key, request.entry), value)]
    return plan, plan.root(request.place.steps, twin)


def _lines(request: Request, look: Look, column: int) -> list[str]:
    """The lines of the entry in block style."""
    return block_lines(request.key, request.entry, look, column)


def _below(request: Request, index: int, lines: list[str]) -> Splice:
    """Whole lines behind the line of an index; a text without a final newline stays so, unless a value needs one."""
    source = request.source
    line_break = source.line_break(index)
    at = source.next_line(index)
    value = request.entry.planned(inline=False)
    while source.keeps_blank_lines(value) and at < len(source.text) and source.is_blank(at):
        at = source.next_line(at)  # or the value would take them in
    if source.line_end(index) == at:
        last = line_break if source.needs_final_break(value) else ""
        return Splice(at, at, "".join(line_break + line for line in lines) + last)
    return Splice(at, at, "".join(line + line_break for line in lines))


def append_block(request: Request, node: Node) -> str:
    """Behind the last leaf of a block collection, before all comments that follow."""
    source = request.source
    last = len(node.items or node.pairs) - 1
    for key, _ in node.pairs:
        source.check_key(key)
    end = source.tail(node, last)
    if not source.ends_line(end):
        raise source.refusal("something else follows the last entry on its line", end, "Give each entry a line.")
    _check_final_text(source, node)
    column = source.column(source.head(node, 0))
    lines = _lines(request, Look(source, node, flow=False), column)
    plan, root = planned(request, node, inline=False)
    return plan.finish([_below(request, end, lines)], root, node)


def _check_final_text(source: Source, node: Node) -> None:
    """Refuse to put a line behind `|` text at the end of a text without a final newline: its value would get one."""
    last = source.needs_final_break(node)
    if last is not None and last.end.index == len(source.text):
        hint = f"End the file with a newline, or write {last.style}- where this text starts."
        raise source.refusal(f"the last text ({last.style}) ends without a newline and would get one", last, hint)


def into_document(request: Request) -> str:
    """Into a document without content, behind its comments."""
    source = request.source
    at = source.document.end
    lines = _lines(request, Look(source, None, flow=False), 0)
    line_break = source.line_break(at)
    if source.begins_line(at):
        new = "".join(line + line_break for line in lines)
    else:
        new = "".join(line_break + line for line in lines)
    plan, root = planned(request, None, inline=False)
    return plan.finish([Splice(at, at, new)], root, at)


def as_block(request: Request, node: Node, start: int) -> str:
    """Make a value that holds nothing (no value, `null`, `[]` or `{}`) a block collection with the entry.

    Args:
        request: what is asked for.
        node: the value.
        start: where it starts behind its anchor.
    """
    source = request.source
    look = Look(source, None, flow=False)
    plan, root = planned(request, node, inline=False)
    if not source.ends_line(node.end.index):
        raise source.refusal("something else follows this value on its line", node, "Give each entry a line.")
    removed = _with_blank_before(source, start, node)
    if not request.place.steps:
        if not source.begins_line(start):
            raise source.refusal("the document starts behind its `---`", node, "Give it a line of its own.")
        lines = _lines(request, look, 0)
        return plan.finish([Splice(start, node.end.index, source.line_break(start).join(lines))], root, node)
    parent, position = request.place.steps[-1]
    head = source.column(source.head(parent, position))
    if parent.kind == "mapping":
        step = source.style.sequence_step if request.key is None else source.style.mapping_step
        below = _below(request, node.end.index, _lines(request, look, head + step))
        return plan.finish([removed, below], root, node)
    lines = _lines(request, look, head + 2)
    line_end = source.line_end(node.end.index)
    if source.text[node.end.index : line_end].strip(" \t") or node.anchor is not None or request.entry.above:
        return plan.finish([removed, _below(request, node.end.index, lines)], root, node)
    compact = source.line_break(start).join([" " + lines[0].lstrip(" "), *lines[1:]])
    return plan.finish([Splice(removed.start, line_end, compact)], root, node)


def _with_blank_before(source: Source, start: int, node: Node) -> Splice:
    """Take a value away, with the blanks before it where something stands before them."""
    if start == node.end.index:
        return Splice(start, start, "")
    before = source.text[source.line_start(start) : start]
    return Splice(start - (len(before) - len(before.rstrip(" \t"))), node.end.index, "")
