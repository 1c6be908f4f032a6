"""An entry that moves: in its own spelling, with its comments, indented anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.yamledit.parser import content_start
from release_tool.yamledit.patterns import BREAK
from release_tool.yamledit.rewrite import new_collection, new_scalar
from release_tool.yamledit.scalars import fits_plain, is_string

if TYPE_CHECKING:
    from release_tool.yamledit.siblings import Look
    from release_tool.yamledit.source import Source
    from release_tool.yamledit.tree import Node


class Moved:
    """An entry that stands in the text already, with its comments.

    Args:
        source: the text.
        node: its collection.
        index: its position there.
    """

    def __init__(self, source: Source, node: Node, index: int) -> None:
        self.source = source
        self.is_item = node.kind == "sequence"
        self.flow = bool(node.style)
        self.key: Node | None = None if self.is_item else node.pairs[index][0]
        self.value = node.items[index] if self.is_item else node.pairs[index][1]
        self.head = source.head(node, index)
        self.end = source.tail(node, index)
        text = source.text
        self.is_long = not self.flow and BREAK.search(text, self.head, self.end) is not None
        alone = source.begins_line(self.head)
        if self.flow:
            after = self.end + 1 if text[self.end : self.end + 1] == "," else self.end
            alone = alone and source.ends_line(after)
            rest = text[after : source.line_end(after)] if alone else ""
        else:
            rest = text[self.end : source.line_end(self.end)]
        self.trailing = rest if "#" in rest else ""
        self.comment = self.trailing or self.header_comment()
        above = text[source.comments_above(node, index) : source.line_start(self.head)] if alone else ""
        self.above = self.comments = [line.strip(" \t") for line in BREAK.split(above)[:-1]]

    def tail(self, look: Look, column: int, key: str | None) -> list[str]:  # noqa: ARG002 - it keeps its own style
        """See `Entry`; with the comment on its line."""
        head = ":" if key is not None else ""
        lines = BREAK.split(self.after_head() + self.trailing)
        if self.is_item and key is not None and self.is_compact():
            inner = self.source.column(content_start(self.source.text, self.value))
            lines = ["", " " * inner + lines[0].lstrip(" \t"), *lines[1:]]
        if head and self.key is not None:
            head = self.source.text[self.key.end.index : self.source.colon(self.key, self.value)] + head
        shift = column - self.source.column(self.head) if not self.flow else 0
        return [head + lines[0], *(_shifted(line, shift) for line in lines[1:])]

    def header_comment(self) -> str:
        """The comment behind `|` or `>`, which has to find another place where the text goes on one line."""
        if self.value.style not in ("|", ">"):
            return ""
        start = content_start(self.source.text, self.value)
        header, mark, comment = self.source.text[start : self.source.line_end(start)].partition("#")
        return header[len(header.rstrip(" \t")) :] + mark + comment if mark else ""

    def after_head(self) -> str:
        """What follows the colon or the dash, up to its end; with one blank before it where it has none."""
        text = self.source.text
        if self.key is not None:
            colon = self.source.colon(self.key, self.value)
            start = colon + 1 if text[colon : colon + 1] == ":" and colon < self.end else self.end
        else:
            start = self.head if self.flow else self.head + 1
        body = self.in_brackets(text[start : self.end])
        return body if not body or body[0] in " \t\r\n" else " " + body

    def in_brackets(self, token: str) -> str:
        """The text of the value; `[name: x]` leaves the brackets of the list that made `name: x` a mapping."""
        if self.flow and self.is_item and self.value.kind == "mapping" and token[:1] not in ("{", "&", "!"):
            return "{" + token + "}"
        return token

    def is_compact(self) -> bool:
        """Whether a block collection starts on the line of its dash."""
        if self.flow or self.value.kind not in ("mapping", "sequence") or self.value.style:
            return False
        return "\n" not in self.after_head_gap() and "\r" not in self.after_head_gap()

    def after_head_gap(self) -> str:
        """What stands between the dash and the first entry of its collection."""
        inner = self.value.pairs[0][0].start.index if self.value.pairs else self.source.dash(self.value, 0)
        return self.source.text[self.head : inner]

    def inline(self, look: Look) -> str | None:
        """See `Entry`."""
        before = self.source.text[self.head if self.key is None else self.key.end.index : self.value.start.index]
        token = self.in_brackets(self.source.text[self.value.start.index : self.value.end.index])
        if "#" in before or (self.flow and "#" in token):  # a comment, most likely
            return None
        return token if self.flow else _inline(self.source, self.value, look)

    def planned(self, *, inline: bool) -> Node:
        """See `Entry`."""
        return _respelt(self.value) if inline and not self.flow else self.value


def _shifted(line: str, shift: int) -> str:
    """A line moved to the right, or to the left as far as it has blanks; empty lines stay empty."""
    if shift >= 0:
        return " " * shift + line if line else line
    blanks = len(line) - len(line.lstrip(" "))
    return line[min(-shift, blanks) :]


def _inline(source: Source, node: Node, look: Look) -> str | None:
    """A node of block style on one line; None where it can't be, or where a comment would be lost."""
    token = source.text[node.start.index : node.end.index]
    if node.anchor is not None or node.tag is not None:
        return None
    if node.kind == "scalar":
        one_line = "\n" not in token and "\r" not in token and node.style not in ("|", ">")
        if one_line and (node.style is not None or not is_string(node) or fits_plain(node.value, flow=True)):
            return token
        return look.write(node.value, node.style)
    if node.kind == "alias" or "#" in token:
        return token if node.kind == "alias" else None
    return token if node.style else _inline_collection(source, node, look)


def _inline_collection(source: Source, node: Node, look: Look) -> str | None:
    """A block collection on one line, as `_inline`."""
    texts = []
    for key, value in _entries(node):
        name, text = "" if key is None else _inline(source, key, look), _inline(source, value, look)
        if name is None or text is None or (key is None and not text):  # `[]` has no item, not an empty one
            return None
        texts.append(text if key is None else f"{name}: {text}")
    return ("[{}]" if node.kind == "sequence" else "{{{}}}").format(", ".join(texts))


def _entries(node: Node) -> list[tuple[Node | None, Node]]:
    """Keys and values of a collection; items have no key."""
    return [*node.pairs] if node.kind == "mapping" else [(None, item) for item in node.items]


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
