"""Putting an entry between brackets: on the line of the others, or on a line like theirs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.yamledit.entry import written_key
from release_tool.yamledit.insert_block import as_block, planned
from release_tool.yamledit.parser import content_start
from release_tool.yamledit.patterns import COMMA
from release_tool.yamledit.rewrite import Splice, into_empty
from release_tool.yamledit.siblings import Look
from release_tool.yamledit.source import show

if TYPE_CHECKING:
    from release_tool.yamledit.insert_block import Request
    from release_tool.yamledit.source import Source
    from release_tool.yamledit.tree import Node

_SEPARATOR = re.compile(r"[ \t\r\n]*,[ \t\r\n]*\Z")


def into_nothing(request: Request, node: Node) -> str:
    """Into an empty value or a `null`, which becomes a collection."""
    source = request.source
    start = content_start(source.text, node)
    if not request.place.in_flow:
        return as_block(request, node, start)
    text = _inline(request, Look(source, None, flow=True), node)
    text = f"[{text}]" if request.key is None else f"{{{text}}}"
    end = node.end.index
    value = Splice(start, end, text) if start < end else into_empty(source, request.place, node, start, text)
    plan, root = planned(request, node, inline=True)
    return plan.finish([value, *_comments_outside(request, node)], root, node)


def _inline(request: Request, look: Look, node: Node) -> str:
    """The whole entry on one line."""
    text = request.entry.inline(look)
    if text is None:
        hint = f"Write {show(request.path)} over several lines, without brackets."
        raise request.source.refusal("the entry can't be written inside brackets", node, hint)
    if request.key is None:
        return text
    key = written_key(request.key, request.entry, look)
    return key + look.colon(key, 0) + text


def into_empty_flow(request: Request, node: Node) -> str:
    """Into `[]` or `{}`; below its key in block style, if the entry needs lines of its own."""
    source, entry = request.source, request.entry
    start = content_start(source.text, node)
    look = Look(source, None, flow=True)
    close = node.end.index - 1
    has_inside = bool(source.text[start + 1 : close].strip(" \t\r\n"))
    has_comments = bool(entry.comments or entry.comment)
    needs_lines = has_comments or entry.is_long or entry.inline(look) is None
    if needs_lines and not has_inside and not request.place.in_flow:
        return as_block(request, node, start)
    text = _inline(request, look, node)
    plan, root = planned(request, node, inline=True)
    if not has_inside:
        return plan.finish([Splice(start + 1, close, text), *_comments_outside(request, node)], root, node)
    if not source.begins_line(close):  # a comment without a line break can't stand there
        raise source.refusal("something else stands between these brackets", node, "Write the first entry by hand.")
    at = source.line_start(close)  # behind the comments, on a line before the closing bracket
    indent = source.text[at:close] + "  "
    line_break = source.line_break(start)
    lines = [*(indent + comment for comment in entry.comments), indent + text + entry.comment]
    return plan.finish([Splice(at, at, "".join(line + line_break for line in lines))], root, node)


def append_flow(request: Request, node: Node) -> str:
    """Behind the last entry of a flow collection, with a comma, on a line of its own where the others have one."""
    source = request.source
    if source.text[content_start(source.text, node)] not in "[{":
        raise source.refusal("a single pair without brackets", node, "Write it as {key: value}.")
    last = len(node.items or node.pairs) - 1
    start, end = source.head(node, last), source.tail(node, last)
    text = _inline(request, Look(source, node, flow=True), node)
    found = COMMA.match(source.text, end)
    plan, root = planned(request, node, inline=True)
    if source.begins_line(start):
        splices = _own_line(request, start, end, found.end() if found else None, text)
    else:
        splices = _same_line(request, node, text)
    return plan.finish(splices, root, node)


def _own_line(request: Request, start: int, end: int, after_comma: int | None, text: str) -> list[Splice]:
    """A new line like that of the last entry.

    Args:
        request: what is asked for.
        start: where the last entry starts, first on its line.
        end: where it ends.
        after_comma: behind its comma; None where it has none.
        text: the new entry.
    """
    source, entry = request.source, request.entry
    indent = source.text[source.line_start(start) : start]
    line_break = source.line_break(start)
    above = "".join(indent + comment + line_break for comment in entry.comments)
    comma = "" if after_comma is None else ","
    line = above + indent + text + comma + entry.comment
    splices = [] if after_comma is not None else [Splice(end, end, _comma(source, end))]
    behind = end if after_comma is None else after_comma
    if source.ends_line(behind):
        at = source.next_line(behind)
        return [*splices, Splice(at, at, line + line_break)]
    if entry.comment:  # the closing bracket follows
        line += line_break
    return [*splices, Splice(behind, behind, line_break + line)]


def _same_line(request: Request, node: Node, text: str) -> list[Splice]:
    """Right behind the last entry, with the separator that the entries have."""
    source = request.source
    last = len(node.items or node.pairs) - 1
    end = source.tail(node, last)
    separator = ", "
    if last:
        between = source.text[source.tail(node, last - 1) : source.head(node, last)]
        separator = between if _SEPARATOR.match(between) else separator
    if separator[0] == ",":
        separator = _comma(source, end) + separator[1:]
    return [Splice(end, end, separator + text), *_comments_outside(request, node)]


def _comma(source: Source, end: int) -> str:
    """A comma behind an entry; with a blank where the entry ends with its colon, which would take it in."""
    return " ," if source.text[end - 1 : end] == ":" else ","


def _comments_outside(request: Request, node: Node) -> list[Splice]:
    """Places for the comments of an entry that goes into brackets on one line: at their line, else above it."""
    source, entry = request.source, request.entry
    if not entry.comments and not entry.comment:
        return []
    outer = next((step for step in request.place.steps if step.parent.style), None)
    position = request.place.steps.index(outer) if outer else len(request.place.steps)
    if position == 0:
        head = source.line_start(node.start.index)
    else:
        parent, index = request.place.steps[position - 1]
        head = source.head(parent, index)
    outermost = outer.parent if outer else node
    end = outermost.end.index
    comments = list(entry.comments)
    splices = []
    if entry.comment and source.is_blank(end):
        splices.append(Splice(end, end, entry.comment))
    elif entry.comment:
        comments.append(entry.comment.strip(" \t"))
    if comments:
        at = source.line_start(head)
        line = source.text[at : source.line_end(at)]
        indent = line[: len(line) - len(line.lstrip(" "))]
        line_break = source.line_break(head)
        splices.append(Splice(at, at, "".join(indent + comment + line_break for comment in comments)))
    return splices
