"""Taking an entry out of a collection, with the comments that belong to it (`comments`). All others stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import EditRefused
from release_tool.yamledit.comments import Extent, lines_above
from release_tool.yamledit.parser import BLANKS, COMMA, content_start
from release_tool.yamledit.rewrite import Rewrite, Splice, new_collection
from release_tool.yamledit.source import show
from release_tool.yamledit.tree import walk

if TYPE_CHECKING:
    from release_tool.yamledit.comments import Names
    from release_tool.yamledit.source import Ancestor, Path, SourceText
    from release_tool.yamledit.tree import Node


def remove(source: SourceText, path: Path, names: Names | None, *, keep_comments: bool = False) -> str:
    """Take out the entry at a path; the last one leaves `[]` or `{}`."""
    place = source.get(path)
    if not place.above:
        assert source.root is not None or not path
        raise source.refusal("the root of a document is no entry", 0, "Remove the file, or the entries inside it.")
    parent, position = place.above[-1]
    above = lines_above(source, parent, position, names, for_good=True)
    return remove_extent(source, path, above, names, keep_comments=keep_comments)


def remove_extent(
    source: SourceText, path: Path, above: int, names: Names | None, *, keep_comments: bool = False
) -> str:
    """The same with so many lines of the comment block above the entry; its comments go too, or stay as lines."""
    *ancestors, (parent, position) = source.get(path).above
    source.check_collection(parent, path[:-1])
    check_anchors(source, path, parent, position)
    extent = Extent(source, parent, position, above)
    own = extent.comments()
    rewrite = Rewrite(source)
    twin = rewrite.copy(parent)
    twin.items = [*twin.items[:position], *twin.items[position + 1 :]]
    twin.pairs = [*twin.pairs[:position], *twin.pairs[position + 1 :]]
    if not twin.items and not twin.pairs and not parent.style:
        twin.style = new_collection(parent.kind).style
    planned = rewrite.root(ancestors, twin)
    splices = _splices(source, ancestors, parent, position, extent)
    if stays := keep_comments and not parent.style and len(parent.items or parent.pairs) == len(splices) == 1:
        splices = [splices[0]._replace(start=extent.head, end=extent.tail)]  # where the brackets stand, comments stay
    kept = ""
    if keep_comments and not stays:
        kept = "".join(" " * source.column(extent.head) + comment + source.line_break(extent.head) for comment in own)
    elif names is not None and position and extent.is_between_comments():
        kept = source.line_break(extent.head)  # what stands above it is not about what stands below
    if kept and extent.is_whole:
        lines = Splice(extent.start, extent.stop, kept)
        splices = [lines if piece.start <= extent.head < piece.end else piece for piece in splices]
    try:
        return rewrite.finish(splices, planned, parent, lost=() if keep_comments else own)
    except EditRefused as refused:
        before = (*parent.items, *(value for _, value in parent.pairs))[:position]
        text = source.last_text(before[-1])[0] if before else None
        if text is None or "comment" in refused.reason:
            raise
        hint = "Take away the blank lines, or the deeper comment, that follow the entry."
        reason = f"the text ({text.style}) above {show(path)} would take in what follows it"
        raise source.refusal(reason, text, hint) from None


def _splices(
    source: SourceText, ancestors: list[Ancestor], parent: Node, position: int, extent: Extent
) -> list[Splice]:
    if parent.style:
        return _from_flow(source, parent, position, extent)
    if len(parent.items or parent.pairs) == 1:
        return _only_one(source, ancestors, parent, extent)
    return [_lines(source, parent, position, extent) if extent.is_whole else _beside_dash(source, extent)]


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


def _lines(source: SourceText, parent: Node, position: int, extent: Extent) -> Splice:
    """An entry on lines of its own, with blank lines that would be two in a row, or the last lines of the text."""
    text, start, stop = source.text, extent.start, extent.stop
    floor = source.line(source.tail(parent, position - 1)).below if position else source.line(0).start
    above = _blank_lines(source, floor, start)
    below = stop
    while below < len(text) and source.is_blank(below):
        below = source.line(below).below
    if below == len(text) or (start - above and text.count("\n", above, start) <= text.count("\n", stop, below)):
        start = above
    elif start - above:
        stop = below
    if extent.stop == extent.last_end and position:  # the text has no final newline, and gets none
        last = parent.items[position - 1] if parent.items else parent.pairs[position - 1][1]
        final, indicators = source.last_text(last)
        if final is None or "-" in indicators:
            start = source.break_before(start)
    return Splice(start, stop, "")


def _blank_lines(source: SourceText, floor: int, start: int) -> int:
    """The start of the blank lines above the start of a line, not above a floor."""
    while start > floor:
        above = source.line(source.break_before(start)).start
        if above < floor or not source.is_blank(above):
            break
        start = above
    return start


def _beside_dash(source: SourceText, extent: Extent) -> Splice:
    """The first entry, on the line of its parent's dash: what follows moves up to the dash."""
    stop = extent.stop
    while source.line(stop).end < len(source.text) and source.is_blank(stop):
        stop = source.line(stop).below
    line = source.text[stop : source.line(stop).end]
    return Splice(extent.head, stop + len(line) - len(line.lstrip(" ")), "")


def _only_one(source: SourceText, above: list[Ancestor], parent: Node, extent: Extent) -> list[Splice]:
    """The only entry: brackets take the place of the collection."""
    brackets = "[]" if parent.kind == "sequence" else "{}"
    indicator = _indicator_end(source, above, parent)
    if indicator is None or indicator >= source.line(extent.head).start:
        return [Splice(extent.start if extent.has_above else extent.head, extent.last_end, brackets)]
    lines = _lines(source, parent, 0, extent)
    if extent.stop == extent.last_end:
        lines = Splice(source.break_before(lines.start), lines.end, "")
    return [Splice(indicator, indicator, " " + brackets), lines]


def _indicator_end(source: SourceText, above: list[Ancestor], parent: Node) -> int | None:
    """Behind the colon or the dash that a collection belongs to, and behind its anchor; None for the root."""
    if parent.anchor is not None or parent.tag is not None:
        return source.properties_end(parent)
    if not above:
        return None
    outer, position = above[-1]
    if outer.kind == "sequence":
        return source.head(outer, position) + 1
    return source.colon(*outer.pairs[position]) + 1


# --- flow style -------------------------------------------------------------------------------------------------------


def _from_flow(source: SourceText, parent: Node, position: int, extent: Extent) -> list[Splice]:
    """An entry between brackets, with one comma."""
    opening = content_start(source.text, parent)
    if source.text[opening] not in "[{":
        raise source.refusal("a single pair without brackets", parent, "Write it as {key: value}.")
    cut = _flow_lines if extent.is_whole else _between
    splices = cut(source, parent, position, extent)
    return splices if len(parent.items or parent.pairs) > 1 else _emptied(source, parent, opening, splices)


def _emptied(source: SourceText, parent: Node, opening: int, splices: list[Splice]) -> list[Splice]:
    """Brackets with nothing but blanks between them close."""
    close = parent.end.index - 1
    kept = source.text[opening + 1 : splices[0].start] + source.text[splices[-1].end : close]
    return splices if kept.strip(" \t\r\n") else [Splice(opening + 1, close, "")]


def _flow_lines(source: SourceText, parent: Node, position: int, extent: Extent) -> list[Splice]:
    """An entry on lines of its own, with the comma behind it; the last one with the comma before it."""
    lines = _lines(source, parent, position, extent)
    found = COMMA.match(source.text, extent.tail)
    if extent.behind > extent.tail or not source.begins_line(extent.head):  # its comma stands on its line
        return [lines]
    if found is not None:  # its comma begins a line below
        return [lines, Splice(found.end() - 1, _behind_blanks(source, found.end()), "")]
    return [_comma_before(source, parent, position), lines] if position else [lines]


def _comma_before(source: SourceText, parent: Node, position: int) -> Splice:
    """The comma between an entry and the one before it."""
    found = COMMA.match(source.text, source.tail(parent, position - 1))
    assert found is not None  # entries in flow style have commas between them
    return Splice(found.end() - 1, found.end(), "")


def _behind_blanks(source: SourceText, index: int) -> int:
    found = BLANKS.match(source.text, index)
    assert found is not None  # it matches the empty text, too
    return found.end()


def _between(source: SourceText, parent: Node, position: int, extent: Extent) -> list[Splice]:
    """An entry that shares a line with others, or with the brackets; what stands before the next one stays there."""
    text, start, end = source.text, extent.head, extent.tail
    above = [Splice(extent.start, source.line(start).start, "")] if extent.has_above else []
    found = COMMA.match(text, end)
    behind = found.end() if found else end
    if len(parent.items or parent.pairs) == 1:
        return [*above, Splice(start, max(behind, extent.last_end), "")]
    if position == 0:
        return [*above, _up_to_next(source, start, behind)]
    previous = source.tail(parent, position - 1)
    if "#" not in text[previous:start]:
        return [Splice(previous, end, "")]
    if found and "#" not in found.group(1):  # a comment stands before it: its own comma instead
        return [*above, Splice(start, _behind_blanks(source, behind), "")]
    return [_comma_before(source, parent, position), *above, Splice(start, end, "")]


def _up_to_next(source: SourceText, start: int, behind: int) -> Splice:
    """The first of several entries, up to the next one, or up to comments that stand on lines between them."""
    stop = source.gap_end(behind)
    below = source.line(behind).below
    if "#" in source.text[below:stop]:
        stop = source.line(behind).end
    return Splice(start, stop, "")
