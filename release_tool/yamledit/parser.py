"""Events of a YAML parser to nodes.

The marks of libyaml and of ruamel.yaml differ at empty values, at tags before anchors, and at the ends of block
collections and block scalars; here they are made equal.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from release_tool.yamledit.events import MAX_DEPTH, events_of, too_deep
from release_tool.yamledit.patterns import BREAK, COLON, GAP
from release_tool.yamledit.tree import Document, Node, ParserMark, RawMark, YamlError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_SIZE = 10_000_000
"""Characters of the longest text that is parsed."""

MAX_EVENTS = 1_000_000
"""Events of the longest text that is parsed: about as many values, keys and ends of collections."""

_BOM = "\ufeff"
_TOO_LONG = "Keep the values that are read here in a file of their own."


def stream(text: str) -> list[Document]:
    """All documents of a text with their bounds; arguments and errors as for `documents`."""
    if len(text) > MAX_SIZE:
        raise YamlError(f"the text has {len(text):,} characters; the limit is {MAX_SIZE:,}", 1, 1, _TOO_LONG)
    return _Builder(text).build()


class _Builder:
    """Makes nodes of the events of one text; used once."""

    def __init__(self, text: str) -> None:
        self.shift = 1 if text.startswith(_BOM) else 0
        self.text = text
        self.documents: list[Document] = []
        self.anchors: dict[str, Node] = {}
        self.root: Node | None = None
        self.start = 0
        self.explicit = False
        self.open: list[Node] = []
        # What the open collection holds so far: items, or keys and values in turn.
        self.inside: list[Node] = []
        self.outside: list[list[Node]] = []

    def build(self) -> list[Document]:
        """All documents of the text."""
        handlers: dict[str, Callable[[Any], None]] = {
            "ScalarEvent": self.scalar,
            "MappingStartEvent": self.mapping,
            "SequenceStartEvent": self.sequence,
            "MappingEndEvent": self.finish,
            "SequenceEndEvent": self.finish,
            "AliasEvent": self.alias,
            "DocumentStartEvent": self.document_start,
            "DocumentEndEvent": self.document_end,
            "StreamStartEvent": _ignore,
            "StreamEndEvent": _ignore,
        }
        events = events_of()(self.text[self.shift :])
        for event in islice(events, MAX_EVENTS):
            handlers[event.__class__.__name__](event)
        for event in events:  # there are more
            mark = event.start_mark
            raise YamlError(f"more than {MAX_EVENTS:,} values", mark.line + 1, mark.column + 1, _TOO_LONG)
        return self.documents

    def mark(self, raw: ParserMark) -> ParserMark:
        """A parser's mark in the text as handed in."""
        return RawMark(raw.index + 1, raw.line, raw.column) if self.shift else raw

    def document_start(self, event: Any) -> None:
        """`---`, or the first content of a document without it."""
        self.explicit = bool(event.explicit)
        self.start = (event.end_mark if self.explicit else event.start_mark).index + self.shift
        self.root = None
        self.inside = []
        self.anchors = {}

    def document_end(self, event: Any) -> None:
        """`...`, the next `---`, or the end of the text."""
        end = event.start_mark.index + self.shift
        root = self.inside[0] if self.inside else None
        self.documents.append(Document(root, self.start, end, self.explicit))

    def scalar(self, event: Any) -> None:
        """A scalar, an empty one included."""
        value, style = event.value, event.style or None
        node = Node("scalar", event.start_mark, event.end_mark, value, style)
        if self.shift:
            node.raw_start, node.raw_end = self.mark(node.raw_start), self.mark(node.raw_end)
        if event.anchor is not None or event.tag is not None:
            self.properties(node, event)
        elif not value and style is None:
            if not self.open:
                return  # an empty document
            self.place_empty(node)
        if style == "|" or style == ">":  # noqa: PLR1714 - two comparisons are faster than a membership test
            node.raw_end = _block_end(self.text, node)
        self.inside.append(node)

    def place_empty(self, node: Node) -> None:
        """Put an empty value right behind its `:`; the two parsers see it at different places."""
        if self.open[-1].kind == "sequence" or not len(self.inside) % 2:  # an item, or an empty key
            return
        end = self.inside[-1].raw_end
        found = COLON.match(self.text, end.index)
        width = found.end() - end.index if found else 0
        node.raw_start = node.raw_end = RawMark(end.index + width, end.line, end.column + width)

    def properties(self, node: Node, event: Any) -> None:
        """Anchor and tag."""
        if event.anchor is not None:
            node.anchor = event.anchor
            self.anchors[event.anchor] = node
            if _ANCHOR.match(event.anchor) is None:  # libyaml refuses it
                mark = node.start
                hint = "Use letters, digits, `_` and `-`."
                raise YamlError(f"not YAML: the anchor &{event.anchor}", mark.line, mark.column, hint)
        if event.tag is not None:
            node.tag = event.tag
            if node.anchor is not None:
                self.include_tag(node)

    def include_tag(self, node: Node) -> None:
        """Start at the tag in `!tag &anchor value`, where one of the parsers starts at the anchor."""
        start = node.raw_start
        found = _TAG_BEFORE.search(self.text, start.index - start.column, start.index)
        if found:
            node.raw_start = RawMark(found.start(), start.line, start.column - start.index + found.start())

    def alias(self, event: Any) -> None:
        """An alias; its anchor stands above it, or the text is wrong."""
        node = Node("alias", self.mark(event.start_mark), self.mark(event.end_mark), event.anchor)
        node.target = self.anchors.get(event.anchor)
        if node.target is None:
            mark = node.start
            reason = f"the alias *{event.anchor} names no anchor above it"
            raise YamlError(reason, mark.line, mark.column, f"Write &{event.anchor} before it is used.")
        self.inside.append(node)

    def mapping(self, event: Any) -> None:
        """The start of a mapping."""
        self.begin("mapping", event)

    def sequence(self, event: Any) -> None:
        """The start of a list."""
        self.begin("sequence", event)

    def begin(self, kind: str, event: Any) -> None:
        """The start of a collection."""
        start = self.mark(event.start_mark)
        node = Node(kind, start, start, "", bool(event.flow_style))
        if event.anchor is not None or event.tag is not None:
            self.properties(node, event)
        self.open.append(node)
        self.outside.append(self.inside)
        self.inside = []
        if len(self.open) > MAX_DEPTH:
            mark = node.start
            raise too_deep(mark.line, mark.column)

    def finish(self, event: Any) -> None:
        """The end of a collection."""
        node = self.open.pop()
        inside = self.inside
        self.inside = self.outside.pop()
        self.inside.append(node)
        if node.kind == "sequence":
            node.items = inside
        else:
            node.pairs = list(zip(inside[::2], inside[1::2], strict=True))
        if node.style and event.end_mark.index > event.start_mark.index:
            node.raw_end = self.mark(event.end_mark)
        else:  # behind the last leaf; the parsers end it at the next token, behind all comments
            node.raw_end = inside[-1].raw_end


def _ignore(event: Any) -> None:
    """The start and the end of the stream say nothing."""


_ANCHOR = re.compile(r"[0-9A-Za-z_-]+\Z")
_TAG_BEFORE = re.compile(r"!\S*[ \t]+\Z")
_HEADER = re.compile(r"[|>]([-+1-9]*)[^\r\n]*(?=(\r\n|\r|\n|\Z))")
_LINE = re.compile(r"( *)([^\r\n]*)(\r\n|\r|\n|\Z)")


def _block_end(text: str, node: Node) -> ParserMark:
    """Where the content of a block scalar ends, without its last line break.

    With `+` the blank lines behind it are content; else they belong to nobody.

    Args:
        text: the text that the node is from.
        node: a scalar of style `|` or `>` with the marks of its parser.
    """
    content = content_start(text, node)
    header = _HEADER.match(text, content)
    if header is None:  # can't be: the parser saw the header there
        return node.raw_end
    keep = "+" in header.group(1)
    line = node.raw_start.line + len(BREAK.findall(text, node.raw_start.index, content))
    end: ParserMark = RawMark(header.end(), line, node.raw_start.column + header.end() - node.raw_start.index)
    indent = 0
    position, stop = header.end(2), node.raw_end.index
    while position < stop:
        line += 1
        found = _LINE.match(text, position)
        assert found is not None  # `_LINE` matches everywhere
        spaces, rest = len(found.group(1)), found.group(2)
        if rest and not indent:
            indent = spaces
        if rest or keep or (indent and spaces > indent):
            end = RawMark(found.end(2), line, found.end(2) - position)
        if found.end() == position:
            break
        position = found.end()
    return end


_PROPERTIES = re.compile(r"(?:[&!][^\s]*(?:[ \t]+|(?=[\r\n]|\Z)))+")


def content_start(text: str, node: Node) -> int:
    """Where a node starts behind its anchor and tag (on the same line, or on a later one).

    Args:
        text: the text that the node is from.
        node: any node; one without anchor and tag starts at its start.
    """
    position, end = node.raw_start.index, node.raw_end.index
    if node.anchor is None and node.tag is None:
        return position
    if node.pairs and not node.style:  # the first key may have an anchor of its own
        return node.pairs[0][0].raw_start.index
    while position < end and text[position] in "&!":
        found = _PROPERTIES.match(text, position)
        if found is None:
            break
        position = found.end()
        gap = GAP.match(text, position)
        if gap is not None and gap.end() < end:
            position = gap.end()
    return min(position, end)
