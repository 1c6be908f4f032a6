"""Putting an entry behind the last one of a collection, of whatever style."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from release_tool.yamledit.comments import Extent, own_below
from release_tool.yamledit.parser import COMMA, content_start
from release_tool.yamledit.rewrite import Rewrite, Splice, into_empty, new_collection, new_scalar
from release_tool.yamledit.siblings import Flow, Siblings, Value
from release_tool.yamledit.source import show
from release_tool.yamledit.tree import fits_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.yamledit.source import Location, SourceText
    from release_tool.yamledit.tree import Node

_SEPARATOR = re.compile(r"[ \t\r\n]*,[ \t\r\n]*\Z")


class Addition(ABC):
    """An entry on its way into a collection.

    Attributes:
        name: the key that it gets; None for an item of a list.
        key: the key that it had where it comes from; the spelling stays where the name stays.
        above: the lines of the comment block above it in block style, without indentation.
        comments: the same where it is written on one line: with those of what is inside it.
        comment: the comment on its line, with the blanks before it.
        is_long: whether it is written over several lines where it comes from.
        gained: all comments that it brings.
    """

    name: str | None = None
    key: Node | None = None
    above: Sequence[str] = ()
    comments: Sequence[str] = ()
    comment = ""
    is_long = False
    gained: Sequence[str] = ()

    @abstractmethod
    def tail(self, siblings: Siblings, column: int, key: str | None) -> list[str]:
        """The lines in block style, the first without the key or the dash, which stands at a column."""

    @abstractmethod
    def inline(self, siblings: Siblings) -> str | None:
        """The value on one line, for flow style; None where that can't be."""

    @abstractmethod
    def planned(self, *, inline: bool) -> Node:
        """The node that the value has to become."""

    def written_key(self, siblings: Siblings) -> str | None:
        """The key as it was where its name stays, else like its siblings; None for an item."""
        key, name = self.key, self.name
        if name is None:
            return None
        fits = key is not None and (key.style is not None or not siblings.flow or fits_plain(name, flow=True))
        if key is None or key.value != name or not fits:
            return siblings.key(name)
        return siblings.source.text[key.start.index : key.end.index]

    def lines(self, siblings: Siblings, column: int) -> list[str]:
        """The lines of the whole entry in block style, its comment block first."""
        indent, key = " " * column, self.written_key(siblings)
        first, *rest = self.tail(siblings, column, key)
        head = "-" if key is None else key
        return [*(indent + comment for comment in self.above), indent + head + first, *rest]

    def put_into(self, node: Node, *, inline: bool) -> None:
        """Add the planned entry to a planned collection."""
        value = self.planned(inline=inline)
        if self.name is None:
            node.items = [*node.items, value]
        else:
            same = self.key is not None and self.key.value == self.name
            key = self.key if self.key is not None and same else new_scalar(self.name)
            node.pairs = [*node.pairs, (key, value)]


class NewValue(Addition):
    """A value that a caller gives."""

    def __init__(self, name: str | None, value: Value) -> None:
        self.name = name
        self.value = value

    def tail(self, siblings: Siblings, column: int, key: str | None) -> list[str]:
        return siblings.lines(self.value, column, key, self.name)

    def inline(self, siblings: Siblings) -> str:
        return siblings.inline(self.value)

    def planned(self, *, inline: bool) -> Node:
        value = self.value.value if isinstance(self.value, Flow) else self.value
        if isinstance(value, str):
            return new_scalar(value)
        node = new_collection("mapping" if isinstance(value, Mapping) else "sequence")
        for name, inner in value.items() if isinstance(value, Mapping) else ((None, item) for item in value):
            NewValue(name, inner).put_into(node, inline=inline)
        return node


def insert(source: SourceText, place: Location, entry: Addition) -> str:
    """Put an entry behind the last one of the collection at a place."""
    node = place.node
    if node is None:
        return _into_document(source, place, entry)
    for key, _ in node.pairs:
        if key.kind == "scalar" and key.value == entry.name:
            hint = "Set its value, or remove it first."
            raise source.refusal(f"{show(place.path)} has the key {entry.name} already", key, hint)
    if node.is_nothing:
        return _into_nothing(source, place, node, entry)
    source.check_collection(node, place.path)
    if node.kind != ("sequence" if entry.name is None else "mapping"):
        has, wants = ("a list", "no key") if node.kind == "sequence" else ("a mapping", "a key")
        raise source.refusal(f"{show(place.path)} is {has}", node, f"Give {wants}.")
    if not node.style:
        return _append_block(source, place, node, entry)
    if node.items or node.pairs:
        return _append_flow(source, place, node, entry)
    return _into_empty_flow(source, place, node, entry)


def _finish(
    source: SourceText, place: Location, entry: Addition, splices: Sequence[Splice], *, inline: bool = False
) -> str:
    """The new text, compared with the tree that holds the entry."""
    node, rewrite = place.node, Rewrite(source)
    new = new_collection("sequence" if entry.name is None else "mapping")
    twin = new if node is None else rewrite.copy(node)
    if node is not None and not node.items and not node.pairs:  # no value, `null`, `[]` or `{}`
        twin.kind, twin.value, twin.style = new.kind, new.value, new.style
    entry.put_into(twin, inline=inline)
    at = source.document.end if node is None else node
    return rewrite.finish(splices, rewrite.root(place.above, twin), at, gained=entry.gained)


# --- block style ------------------------------------------------------------------------------------------------------


def _append_block(source: SourceText, place: Location, node: Node, entry: Addition) -> str:
    """Behind the last leaf of a block collection and its own comments, before all others that follow."""
    last = len(node.items or node.pairs) - 1
    if node.pairs and node.pairs[last][1].end.index <= node.pairs[last][0].end.index:
        source.check_key(node, last)  # its `:` may stand on a line below
    end = source.tail(node, last)
    if not source.ends_line(end):
        raise source.refusal("something else follows the last entry on its line", end, "Give each entry a line.")
    source.check_final_text(node)
    column = source.column(source.key_start(node, 0) if node.pairs else source.head(node, 0))
    lines = entry.lines(Siblings(source, node, flow=False), column)
    return _finish(source, place, entry, [_below(source, end, own_below(source, node, last), lines, entry)])


def _below(source: SourceText, end: int, at: int, lines: list[str], entry: Addition) -> Splice:
    """Whole lines at the start of a line, with the line break of the line of another index.

    A text without a final newline stays so, unless a value needs one.
    """
    line_break = source.line_break(end)
    text, indicators = source.last_text(entry.planned(inline=False))
    while "+" in indicators and at < len(source.text) and source.is_blank(at):
        at = source.line(at).below  # or the value would take them in
    if source.text[at - 1 : at] not in ("\r", "\n"):  # the end of the text
        last = line_break if text is not None and "-" not in indicators else ""
        return Splice(at, at, "".join(line_break + line for line in lines) + last)
    return Splice(at, at, "".join(line + line_break for line in lines))


def _into_document(source: SourceText, place: Location, entry: Addition) -> str:
    """Into a document without content, behind its comments."""
    at = source.document.end
    lines, line_break = entry.lines(Siblings(source, None, flow=False), 0), source.line_break(at)
    if source.begins_line(at):
        at = source.line(at).start
        new = "".join(line + line_break for line in lines)
    else:
        new = "".join(line_break + line for line in lines)
    return _finish(source, place, entry, [Splice(at, at, new)])


def _as_block(source: SourceText, place: Location, node: Node, entry: Addition) -> str:
    """Make a value that holds nothing (no value, `null`, `[]` or `{}`) a block collection with the entry."""
    start, end = content_start(source.text, node), node.end.index
    siblings = Siblings(source, None, flow=False)
    if not source.ends_line(end):
        raise source.refusal("something else follows this value on its line", node, "Give each entry a line.")
    if not place.above:
        if not source.begins_line(start):
            raise source.refusal("the document starts behind its `---`", node, "Give it a line of its own.")
        new = source.line_break(start).join(entry.lines(siblings, source.column(start))).lstrip(" ")
        return _finish(source, place, entry, [Splice(start, end, new)])
    before = source.text[source.line(start).start : start] if start < end else ""
    removed = Splice(start - (len(before) - len(before.rstrip(" \t"))), end, "")
    parent, position = place.above[-1]
    column = source.column(source.head(parent, position))
    if parent.kind == "mapping":
        column += source.style.sequence_step if entry.name is None else source.style.mapping_step
    else:
        column += 2
    lines, line_end = entry.lines(siblings, column), source.line(end).end
    is_alone = not source.text[end:line_end].strip(" \t") and node.anchor is None and not entry.above
    if parent.kind == "sequence" and is_alone:  # on the line of the dash
        new = source.line_break(start).join([" " + lines[0].lstrip(" "), *lines[1:]])
        return _finish(source, place, entry, [Splice(removed.start, line_end, new)])
    at = own_below(source, parent, position)  # behind what stands there instead of entries
    return _finish(source, place, entry, [removed, _below(source, end, at, lines, entry)])


# --- flow style: on the line of the others, or on a line like theirs --------------------------------------------------


def _into_nothing(source: SourceText, place: Location, node: Node, entry: Addition) -> str:
    """Into an empty value or a `null`, which becomes a collection."""
    if not place.in_flow:
        return _as_block(source, place, node, entry)
    start, end = content_start(source.text, node), node.end.index
    text = _inline(place, entry, Siblings(source, None, flow=True), node)
    text = f"[{text}]" if entry.name is None else f"{{{text}}}"
    value = Splice(start, end, text) if start < end else into_empty(source, place, node, start, text)
    return _finish(source, place, entry, [value, *_comments_outside(source, place, node, entry)], inline=True)


def _inline(place: Location, entry: Addition, siblings: Siblings, node: Node) -> str:
    """The whole entry on one line."""
    text = entry.inline(siblings)
    if text is None:
        hint = f"Write {show(place.path)} over several lines, without brackets."
        raise siblings.source.refusal("the entry can't be written inside brackets", node, hint)
    key = entry.written_key(siblings)
    return text if key is None else key + siblings.colon(key, 0) + text


def _into_empty_flow(source: SourceText, place: Location, node: Node, entry: Addition) -> str:
    """Into `[]` or `{}`; below its key in block style, if the entry needs lines of its own."""
    start, close = content_start(source.text, node), node.end.index - 1
    siblings = Siblings(source, None, flow=True)
    has_inside = bool(source.text[start + 1 : close].strip(" \t\r\n"))
    has_comments = bool(entry.comments or entry.comment)
    needs_lines = has_comments or entry.is_long or entry.inline(siblings) is None
    if needs_lines and not has_inside and not place.in_flow:
        return _as_block(source, place, node, entry)
    text = _inline(place, entry, siblings, node)
    if not has_inside:
        splices = [Splice(start + 1, close, text), *_comments_outside(source, place, node, entry)]
        return _finish(source, place, entry, splices, inline=True)
    if not source.begins_line(close):  # a comment without a line break can't stand there
        raise source.refusal("something else stands between these brackets", node, "Write the first entry by hand.")
    at = source.line(close).start  # behind the comments, on a line before the closing bracket
    indent = source.text[at:close] + "  "
    line_break = source.line_break(start)
    lines = [*(indent + comment for comment in entry.comments), indent + text + entry.comment]
    return _finish(source, place, entry, [Splice(at, at, "".join(line + line_break for line in lines))], inline=True)


def _append_flow(source: SourceText, place: Location, node: Node, entry: Addition) -> str:
    """Behind the last entry of a flow collection, with a comma, on a line of its own where the others have one."""
    if source.text[content_start(source.text, node)] not in "[{":
        raise source.refusal("a single pair without brackets", node, "Write it as {key: value}.")
    last = len(node.items or node.pairs) - 1
    start, end = source.head(node, last), source.tail(node, last)
    text = _inline(place, entry, Siblings(source, node, flow=True), node)
    # An entry that ends with its colon would take a comma in.
    comma = " ," if source.text[end - 1 : end] == ":" else ","
    if source.begins_line(start):
        splices = _own_line(source, node, entry, comma, text)
    else:
        between = source.text[source.tail(node, last - 1) : start] if last else ""
        separator = between if _SEPARATOR.match(between) else ", "
        if separator[0] == ",":
            separator = comma + separator[1:]
        splices = [Splice(end, end, separator + text), *_comments_outside(source, place, node, entry)]
    return _finish(source, place, entry, splices, inline=True)


def _own_line(source: SourceText, node: Node, entry: Addition, comma: str, text: str) -> list[Splice]:
    """A new line with a text, like that of the last entry, which is first on its line."""
    last = len(node.items or node.pairs) - 1
    start, end = source.head(node, last), source.tail(node, last)
    found = COMMA.match(source.text, end)
    behind = found.end() if found else end
    indent = source.text[source.line(start).start : start]
    line_break = source.line_break(start)
    above = "".join(indent + comment + line_break for comment in entry.comments)
    line = above + indent + text + ("," if found else "") + entry.comment
    splices = [] if found else [Splice(end, end, comma)]
    if source.ends_line(behind):
        extent = Extent(source, node, last, 0)
        at = extent.stop if behind == extent.behind else source.line(behind).below
        return [*splices, Splice(at, at, line + line_break)]
    if entry.comment:  # the closing bracket follows
        line += line_break
    return [*splices, Splice(behind, behind, line_break + line)]


def _comments_outside(source: SourceText, place: Location, node: Node, entry: Addition) -> list[Splice]:
    """Places for the comments of an entry that goes into brackets on one line: at their line, else above it."""
    if not entry.comments and not entry.comment:
        return []
    depth = next((depth for depth, (parent, _) in enumerate(place.above) if parent.style), len(place.above))
    outermost = place.above[depth].parent if depth < len(place.above) else node
    end = outermost.end.index
    comments, splices = list(entry.comments), []
    if entry.comment and source.is_blank(end):
        splices.append(Splice(end, end, entry.comment))
    elif entry.comment:
        comments.append(entry.comment.strip(" \t"))
    if comments:
        head = source.head(*place.above[depth - 1]) if depth else source.line(node.start.index).start
        at, line_end, _ = source.line(head)
        line = source.text[at:line_end]
        indent = line[: len(line) - len(line.lstrip(" "))]
        line_break = source.line_break(head)
        splices.append(Splice(at, at, "".join(indent + comment + line_break for comment in comments)))
    return splices
