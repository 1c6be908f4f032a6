"""Taking an entry out of a collection: with the comment on its line and the comment block that touches it from above.

The block above the first entry may be about the whole collection, and stays. Comments below an entry stay as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.errors import EditRefused
from release_tool.yamledit.parser import BLANKS, COMMA, GAP, content_start
from release_tool.yamledit.rewrite import Rewrite, Splice, new_collection
from release_tool.yamledit.source import show
from release_tool.yamledit.tree import walk

if TYPE_CHECKING:
    from release_tool.yamledit.source import Ancestor, Path, SourceText
    from release_tool.yamledit.tree import Node

_PROPERTY = re.compile(r"[&!]\S*")
_TWO_PROPERTIES = re.compile(r"[&!]\S*\s+[&!]\S*")


def remove(source: SourceText, path: Path) -> str:
    """Take out the entry at a path; the last one leaves `[]` or `{}`."""
    place = source.get(path)
    if not place.above:
        assert source.root is not None or not path
        raise source.refusal("the root of a document is no entry", 0, "Remove the file, or the entries inside it.")
    *above, (parent, position) = place.above
    source.check_collection(parent, path[:-1])
    check_anchors(source, path, parent, position)
    rewrite = Rewrite(source)
    twin = rewrite.copy(parent)
    twin.items = [*twin.items[:position], *twin.items[position + 1 :]]
    twin.pairs = [*twin.pairs[:position], *twin.pairs[position + 1 :]]
    if not twin.items and not twin.pairs and not parent.style:
        twin.style = new_collection(parent.kind).style
    if parent.style:
        splices = _from_flow(source, parent, position)
    elif len(parent.items or parent.pairs) == 1:
        splices = _only_one(source, above, parent)
    elif source.begins_line(source.head(parent, position)):
        splices = [_lines(source, parent, position)]
    else:
        splices = [_beside_dash(source, parent)]
    try:
        return rewrite.finish(splices, rewrite.root(above, twin), parent)
    except EditRefused:
        before = (*parent.items, *(value for _, value in parent.pairs))[:position]
        text = source.last_text(before[-1])[0] if before else None
        if text is None:
            raise
        hint = "Take away the blank lines, or the deeper comment, that follow the entry."
        reason = f"the text ({text.style}) above {show(path)} would take in what follows it"
        raise source.refusal(reason, text, hint) from None


def check_anchors(source: SourceText, path: Path, parent: Node, position: int) -> None:
    """Refuse to take away an anchor that something else uses."""
    gone = [parent.items[position]] if parent.kind == "sequence" else [*parent.pairs[position]]
    inside = {id(node) for node in walk(gone)}
    anchored = {id(node): node for node in walk(gone) if node.anchor is not None}
    if not anchored or source.root is None:
        return
    for node in walk([source.root]):
        if node.kind == "alias" and id(node.target) in anchored and id(node) not in inside:
            reason = f"{show(path)} holds the anchor &{node.value}, which line {node.start.line} uses"
            hint = "Write the value out there first."
            raise source.refusal(reason, anchored[id(node.target)], hint)


# --- block style ------------------------------------------------------------------------------------------------------


def _lines(source: SourceText, parent: Node, position: int) -> Splice:
    """An entry on lines of its own."""
    end = source.tail(parent, position)
    start = source.comments_above(parent, position)
    stop = source.line(end).below
    if stop == source.line(end).end and position:  # the text has no final newline, and gets none
        last = parent.items[position - 1] if parent.items else parent.pairs[position - 1][1]
        text, indicators = source.last_text(last)
        if text is None or "-" in indicators:
            start = source.break_before(start)
    return Splice(start, stop, "")


def _beside_dash(source: SourceText, parent: Node) -> Splice:
    """The first entry, on the line of its parent's dash: what follows moves up to the dash."""
    start = source.head(parent, 0)
    stop = source.line(source.tail(parent, 0)).below
    while source.line(stop).end < len(source.text) and source.is_blank(stop):
        stop = source.line(stop).below
    line = source.text[stop : source.line(stop).end]
    return Splice(start, stop + len(line) - len(line.lstrip(" ")), "")


def _only_one(source: SourceText, above: list[Ancestor], parent: Node) -> list[Splice]:
    """The only entry: brackets take the place of the collection."""
    brackets = "[]" if parent.kind == "sequence" else "{}"
    head, end = source.head(parent, 0), source.tail(parent, 0)
    line_end = source.line(end).end
    indicator = _indicator_end(source, above, parent)
    if indicator is None or indicator >= source.line(head).start:
        return [Splice(head, line_end, brackets)]
    start, stop = source.comments_above(parent, 0), source.line(end).below
    if stop == line_end:
        start = source.break_before(start)
    return [Splice(indicator, indicator, " " + brackets), Splice(start, stop, "")]


def _indicator_end(source: SourceText, above: list[Ancestor], parent: Node) -> int | None:
    """Behind the colon or the dash that a collection belongs to, and behind its anchor; None for the root."""
    if parent.anchor is not None or parent.tag is not None:
        both = parent.anchor is not None and parent.tag is not None
        found = (_TWO_PROPERTIES if both else _PROPERTY).match(source.text, parent.start.index)
        assert found is not None  # a node with an anchor or a tag starts with it
        return found.end()
    if not above:
        return None
    outer, position = above[-1]
    if outer.kind == "sequence":
        return source.head(outer, position) + 1
    return source.colon(*outer.pairs[position]) + 1


# --- flow style -------------------------------------------------------------------------------------------------------


def _from_flow(source: SourceText, parent: Node, position: int) -> list[Splice]:
    """An entry between brackets, with one comma."""
    text = source.text
    opening = content_start(text, parent)
    if text[opening] not in "[{":
        raise source.refusal("a single pair without brackets", parent, "Write it as {key: value}.")
    count = len(parent.items or parent.pairs)
    start, end = source.head(parent, position), source.tail(parent, position)
    found = COMMA.match(text, end)
    behind = found.end() if found else end
    if source.begins_line(start) and source.ends_line(behind):
        splices = _flow_line(source, parent, position, behind)
    elif count == 1:
        splices = [Splice(start, behind, "")]
    elif position == 0:
        splices = [_up_to_next(source, parent, behind)]
    else:
        splices = _back_to_last(source, parent, position)
    if count == 1:
        return _emptied(source, parent, opening, splices)
    return splices


def _emptied(source: SourceText, parent: Node, opening: int, splices: list[Splice]) -> list[Splice]:
    """Brackets with nothing but blanks between them close."""
    close = parent.end.index - 1
    kept = source.text[opening + 1 : splices[0].start] + source.text[splices[-1].end : close]
    return splices if kept.strip(" \t\r\n") else [Splice(opening + 1, close, "")]


def _flow_line(source: SourceText, parent: Node, position: int, behind: int) -> list[Splice]:
    """An entry on a line of its own; the comma before the last one goes with it where it had none itself."""
    start = source.comments_above(parent, position)
    line = Splice(start, source.line(behind).below, "")
    last = position == len(parent.items or parent.pairs) - 1
    if position == 0 or not last or behind != source.tail(parent, position):
        return [line]
    return [_comma_before(source, parent, position), line]


def _comma_before(source: SourceText, parent: Node, position: int) -> Splice:
    """The comma between an entry and the one before it."""
    found = COMMA.match(source.text, source.tail(parent, position - 1))
    assert found is not None  # entries in flow style have commas between them
    return Splice(found.end() - 1, found.end(), "")


def _up_to_next(source: SourceText, parent: Node, behind: int) -> Splice:
    """The first of several entries, up to the next one, or up to comments that stand on lines between them."""
    start = source.head(parent, 0)
    found = GAP.match(source.text, behind)
    assert found is not None  # it matches the empty text, too
    stop = found.end()
    below = source.line(behind).below
    if "#" in source.text[below:stop]:
        stop = source.line(behind).end
    return Splice(start, stop, "")


def _back_to_last(source: SourceText, parent: Node, position: int) -> list[Splice]:
    """An entry with the comma before it; a comment that stands there stays."""
    start, end = source.head(parent, position), source.tail(parent, position)
    previous = source.tail(parent, position - 1)
    if "#" not in source.text[previous:start]:
        return [Splice(previous, end, "")]
    found = COMMA.match(source.text, end)
    if found and "#" not in found.group(1):  # its own comma instead
        blanks = BLANKS.match(source.text, found.end())
        assert blanks is not None
        return [Splice(start, blanks.end(), "")]
    return [_comma_before(source, parent, position), Splice(start, end, "")]
