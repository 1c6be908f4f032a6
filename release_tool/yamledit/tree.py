"""What YAML texts are made of here: nodes, their places, and the error for texts that can't be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class YamlError(ReleaseError):
    """A text is not YAML, or not YAML that is read here.

    Args:
        reason: what is wrong.
        line: line of the place, counted from 1.
        column: column of the place, counted from 1, in characters.
        hint: what a person can do.
        where: the file, once it is known; parsers of texts don't know it.
    """

    def __init__(self, reason: str, line: int, column: int, hint: str = "", where: str = "") -> None:
        place = f"{where}:{line}:{column}" if where else f"line {line}, column {column}"
        super().__init__(reason, where=place, hint=hint)
        self.reason = reason
        self.line = line
        self.column = column

    def in_file(self, path: str) -> YamlError:
        """The same error, with the file named."""
        return YamlError(self.reason, self.line, self.column, self.hint, path)


class Mark:
    """A place in a text.

    Attributes:
        index: characters before it in the text as handed in, a byte order mark included.
        line: counted from 1.
        column: counted from 1, in characters; a byte order mark takes no column.
    """

    __slots__ = ("column", "index", "line")

    def __init__(self, index: int, line: int, column: int) -> None:
        self.index = index
        self.line = line
        self.column = column

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mark) and (self.index, self.line) == (other.index, other.line)

    def __hash__(self) -> int:
        return hash((self.index, self.line))

    def __repr__(self) -> str:
        return f"Mark({self.index}, {self.line}, {self.column})"


class ParserMark(Protocol):
    """A place as the parsers tell it: index, line and column counted from 0.

    Nodes keep the marks of their parser; making a `Mark` of each would take a good part of the time of parsing.
    """

    index: int
    line: int
    column: int


class RawMark:
    """A place in the parsers' way of counting that no parser told."""

    __slots__ = ("column", "index", "line")

    def __init__(self, index: int, line: int, column: int) -> None:
        self.index = index
        self.line = line
        self.column = column


class Node:
    """One node of a YAML document, with its place in the text.

    A node starts at its anchor or tag, if it has one, and ends behind its last character: a block collection behind
    its last leaf, a block scalar behind its last line of content (without the line break), an empty value right
    behind the `:` or `-`.

    Attributes:
        kind: `scalar`, `sequence`, `mapping` or `alias`.
        raw_start: where it starts, as its parser tells it.
        raw_end: where it ends, likewise.
        value: the text of a scalar, unquoted and unfolded; the name of an alias; empty for collections.
        style: of a scalar None (plain), `'`, `"`, `|` or `>`; of a collection True for flow style, False for block.
        tag: the explicit tag, resolved (`tag:yaml.org,2002:str`), or None.
        anchor: the name of its anchor, or None.
        items: the items of a sequence, else empty.
        pairs: keys and values of a mapping in the order of the text, duplicates included; else empty.
        target: the node that an alias stands for; None for all other kinds.
    """

    __slots__ = ("anchor", "items", "kind", "pairs", "raw_end", "raw_start", "style", "tag", "target", "value")

    def __init__(
        self, kind: str, start: ParserMark, end: ParserMark, value: str = "", style: str | bool | None = None
    ) -> None:
        self.kind = kind
        self.raw_start = start
        self.raw_end = end
        self.value = value
        self.style = style
        self.tag: str | None = None
        self.anchor: str | None = None
        self.items: Sequence[Node] = ()
        self.pairs: Sequence[tuple[Node, Node]] = ()
        self.target: Node | None = None

    @property
    def start(self) -> Mark:
        """Where it starts."""
        raw = self.raw_start
        return Mark(raw.index, raw.line + 1, raw.column + 1)

    @property
    def end(self) -> Mark:
        """Where it ends."""
        raw = self.raw_end
        return Mark(raw.index, raw.line + 1, raw.column + 1)

    def __repr__(self) -> str:
        inner = self.value or self.items or self.pairs
        return f"<{self.kind} {self.start.line}:{self.start.column} {inner!r}>"

    def get(self, key: str) -> Node | None:
        """The value of the first pair whose key is the scalar `key`; None where there is none."""
        for name, value in self.pairs:
            if name.kind == "scalar" and name.value == key:
                return value
        return None


class Document(NamedTuple):
    """One document of a stream.

    Attributes:
        root: its node; None when the document is empty.
        start: index behind its `---`, or of its first character where it has none.
        end: index of what ends it: `...`, the next `---`, or the end of the text.
        explicit: whether it has a `---`.
    """

    root: Node | None
    start: int
    end: int
    explicit: bool


def walk(nodes: Iterable[Node]) -> Iterator[Node]:
    """Nodes with all that is inside them, in no particular order; aliases are not followed."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        pending.extend(node.items)
        for pair in node.pairs:
            pending.extend(pair)
