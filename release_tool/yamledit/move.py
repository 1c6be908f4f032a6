"""Moving an entry: in its own spelling, with its comments, indented anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.yamledit.comments import Extent, lines_above
from release_tool.yamledit.insert import Addition, insert
from release_tool.yamledit.parser import BREAK, content_start
from release_tool.yamledit.remove import check_anchors, remove_extent
from release_tool.yamledit.rewrite import new_collection, new_scalar
from release_tool.yamledit.siblings import Siblings
from release_tool.yamledit.source import SourceText, show
from release_tool.yamledit.tree import fits_plain, is_string

if TYPE_CHECKING:
    from release_tool.yamledit.comments import Names
    from release_tool.yamledit.source import Path
    from release_tool.yamledit.tree import Node


def move(source: SourceText, path: Path, to: Path, names: Names | None) -> str:
    """Move an entry to another path, with the parents that are missing there."""
    place = source.get(path)
    if not place.above or not to or to[: len(path)] == path:
        hint = "Name an entry, and a place outside it."
        raise source.refusal(f"{show(path)} can't be moved to {show(to)}", place.node or 0, hint)
    parent, position = place.above[-1]
    check_anchors(source, path, parent, position)
    target = source.find(to[:-1])
    steps: list[str | None] = [str(part) for part in (*target.missing, to[-1])]
    if target.node is not None and target.node.kind == "sequence" and not target.missing:
        steps = [None]
        if to[-1] != len(target.node.items):
            hint = f"Name position {len(target.node.items)}."
            raise source.refusal(f"{show(to)} is not the first free position of the list", target.node, hint)
    above = lines_above(source, parent, position, names)
    moved = MovedEntry(steps[-1], source, parent, position, above)
    source.check_final_text(moved.value)
    entry: Addition = moved
    for name in reversed(steps[:-1]):
        entry = MissingParent(name, entry)
    added = insert(source, target, entry)
    return remove_extent(SourceText(added, source.number), path, above, names)


class MissingParent(Addition):
    """A new mapping with one entry: a parent that is missing on the way to the entry."""

    def __init__(self, name: str | None, entry: Addition) -> None:
        self.name = name
        self.entry = entry
        self.comments = entry.comments
        self.comment = entry.comment
        self.is_long = entry.is_long
        self.gained = entry.gained

    def tail(self, siblings: Siblings, column: int, key: str | None) -> list[str]:
        fresh = Siblings(siblings.source, None, flow=False)
        inner = column + (2 if key is None else siblings.source.style.mapping_step)
        return [":" if key is not None else "", *self.entry.lines(fresh, inner)]

    def inline(self, siblings: Siblings) -> str | None:
        fresh = Siblings(siblings.source, None, flow=True)
        inner = self.entry.inline(fresh)
        return None if inner is None else f"{{{self.entry.written_key(fresh)}: {inner}}}"

    def planned(self, *, inline: bool) -> Node:
        node = new_collection("mapping")
        self.entry.put_into(node, inline=inline)
        return node


class MovedEntry(Addition):
    """An entry that stands in the text already, with its comments."""

    def __init__(self, name: str | None, source: SourceText, node: Node, index: int, above: int) -> None:
        self.name = name
        self.source = source
        self.was_item = node.kind == "sequence"
        self.flow = bool(node.style)
        self.key = None if self.was_item else node.pairs[index][0]
        self.value = node.items[index] if self.was_item else node.pairs[index][1]
        extent = Extent(source, node, index, above)
        text, self.head, self.end = source.text, extent.head, extent.tail
        self.gained = extent.comments()
        self.is_long = not self.flow and BREAK.search(text, self.head, self.end) is not None
        rest, *below = BREAK.split(text[extent.behind : extent.last_end])
        self.below = below
        self.trailing = rest if "#" in rest else ""
        self.comment = self.trailing or self._header_comment()
        self.above = [line.strip(" \t") for line in BREAK.split(text[extent.start : self.head])[:above]]
        self.comments = [*self.above, *(line.strip(" \t") for line in below if line.strip(" \t"))]

    def tail(self, siblings: Siblings, column: int, key: str | None) -> list[str]:  # noqa: ARG002 - it keeps its style
        source, value = self.source, self.value
        head = ":" if key is not None else ""
        lines = BREAK.split(self._after_head() + self.trailing)
        is_block = value.kind in ("mapping", "sequence") and not value.style and not self.flow
        if self.was_item and key is not None and is_block and source.head(value, 0) < source.line(self.head).below:
            # A collection that starts on the line of its dash goes below the key.
            inner = source.column(content_start(source.text, value))
            lines = ["", " " * inner + lines[0].lstrip(" \t"), *lines[1:]]
        if head and self.key is not None:
            head = source.text[self.key.end.index : source.colon(self.key, value)] + head
        shift = column - source.column(self.head) if not self.flow else 0
        deeper = column - source.column(self.head)
        below = (_shifted(line, deeper) for line in self.below)
        return [head + lines[0], *(_shifted(line, shift) for line in lines[1:]), *below]

    def inline(self, siblings: Siblings) -> str | None:
        before = self.source.text[self.head if self.key is None else self.key.end.index : self.value.start.index]
        token = self._in_brackets(self.source.text[self.value.start.index : self.value.end.index])
        if "#" in before or (self.flow and "#" in token):  # a comment, most likely
            return None
        return token if self.flow else _inline(self.source, self.value, siblings)

    def planned(self, *, inline: bool) -> Node:
        return _respelt(self.value) if inline and not self.flow else self.value

    def _header_comment(self) -> str:
        """The comment behind `|` or `>`, which has to find another place where the text goes on one line."""
        if self.value.style not in ("|", ">"):
            return ""
        start = content_start(self.source.text, self.value)
        header, mark, comment = self.source.text[start : self.source.line(start).end].partition("#")
        return header[len(header.rstrip(" \t")) :] + mark + comment if mark else ""

    def _after_head(self) -> str:
        """What follows the colon or the dash, up to its end; with one blank before it where it has none."""
        text = self.source.text
        if self.key is not None:
            colon = self.source.colon(self.key, self.value)
            start = colon + 1 if text[colon : colon + 1] == ":" and colon < self.end else self.end
        else:
            start = self.head if self.flow else self.head + 1
        body = self._in_brackets(text[start : self.end])
        return body if not body or body[0] in " \t\r\n" else " " + body

    def _in_brackets(self, token: str) -> str:
        """The text of the value; `[name: x]` leaves the brackets of the list that made `name: x` a mapping."""
        if self.flow and self.was_item and self.value.kind == "mapping" and token[:1] not in ("{", "&", "!"):
            return "{" + token + "}"
        return token


def _shifted(line: str, shift: int) -> str:
    """A line moved to the right, or to the left as far as it has blanks; empty lines stay empty."""
    if shift >= 0:
        return " " * shift + line if line else line
    blanks = len(line) - len(line.lstrip(" "))
    return line[min(-shift, blanks) :]


def _inline(source: SourceText, node: Node, siblings: Siblings) -> str | None:
    """A node of block style on one line; None where it can't be, or where a comment would be lost."""
    token = source.text[node.start.index : node.end.index]
    if node.anchor is not None or node.tag is not None:
        return None
    if node.kind == "scalar":
        one_line = BREAK.search(token) is None and node.style not in ("|", ">")
        keeps = one_line and (node.style is not None or not is_string(node) or fits_plain(node.value, flow=True))
        return token if keeps else siblings.write(node.value, node.style)
    if node.kind != "alias" and "#" in token:
        return None
    if node.kind == "alias" or node.style:
        return token
    texts = []
    for key, value in node.pairs if node.kind == "mapping" else [(None, item) for item in node.items]:
        name, text = "" if key is None else _inline(source, key, siblings), _inline(source, value, siblings)
        if name is None or text is None or (key is None and not text):  # `[]` has no item, not an empty one
            return None
        texts.append(text if key is None else f"{name}: {text}")
    return ("[{}]" if node.kind == "sequence" else "{{{}}}").format(", ".join(texts))


def _respelt(node: Node) -> Node:
    """The planned node for a node that is written anew: the same values in any spelling."""
    if node.kind == "scalar":
        return new_scalar(node.value) if is_string(node) else node
    if node.kind == "alias":
        return node
    twin = new_collection(node.kind)
    twin.items = [_respelt(item) for item in node.items]
    twin.pairs = [(_respelt(key), _respelt(value)) for key, value in node.pairs]
    return twin
