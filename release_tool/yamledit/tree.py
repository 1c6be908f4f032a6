"""What YAML texts are made of: nodes with their places, and what a scalar is to each reader.

Helm reads values with a parser of YAML 1.1, other tools of the pipeline follow YAML 1.2. A text is written without
quotes only where it is a string for all of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class YamlError(ReleaseError):
    """A text is not YAML, or not YAML that is read here; line and column (in characters) count from 1."""

    def __init__(self, reason: str, line: int, column: int, hint: str = "", where: str = "") -> None:
        place = f"{where}:{line}:{column}" if where else f"line {line}, column {column}"
        super().__init__(reason, where=place, hint=hint)
        self.reason = reason
        self.line = line
        self.column = column

    def in_file(self, path: str) -> YamlError:
        return YamlError(self.reason, self.line, self.column, self.hint, path)


class Mark:
    """A place in a text; a byte order mark counts in `index` (from 0), and takes no `column` (from 1, as `line`)."""

    __slots__ = ("column", "index", "line")

    def __init__(self, index: int, line: int, column: int) -> None:
        self.index = index
        self.line = line
        self.column = column


class RawMark(Mark):
    """A place as the parsers tell it: line and column counted from 0."""

    # Nodes keep the marks of their parser, which have these three attributes too: making a `Mark` of each would take a
    # good part of the time of parsing.
    __slots__ = ()


class Node:
    """One node of a YAML document, with its place in the text.

    A node starts at its anchor or tag, if it has one, and ends behind its last character: a block collection behind
    its last leaf, a block scalar behind its last line of content (without the line break), an empty value right
    behind the `:` or `-`.

    Attributes:
        kind: `scalar`, `sequence`, `mapping` or `alias`.
        value: the text of a scalar, unquoted and unfolded; the name of an alias; empty for collections.
        style: of a scalar None (plain), `'`, `"`, `|` or `>`; of a collection True for flow style, False for block.
        tag: the explicit tag, resolved (`tag:yaml.org,2002:str`).
        pairs: keys and values of a mapping in the order of the text, duplicates included.
        target: the node that an alias stands for.
    """

    __slots__ = ("anchor", "items", "kind", "pairs", "raw_end", "raw_start", "style", "tag", "target", "value")

    def __init__(
        self, kind: str, start: RawMark, end: RawMark, value: str = "", style: str | bool | None = None
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
        raw = self.raw_start
        return Mark(raw.index, raw.line + 1, raw.column + 1)

    @property
    def end(self) -> Mark:
        raw = self.raw_end
        return Mark(raw.index, raw.line + 1, raw.column + 1)

    @property
    def is_nothing(self) -> bool:
        """An empty value or a plain `null`."""
        is_plain = self.kind == "scalar" and self.style is None and self.tag is None
        return is_plain and self.value in _NULL

    def __repr__(self) -> str:
        inner = self.value or self.items or self.pairs
        return f"<{self.kind} {self.start.line}:{self.start.column} {inner!r}>"

    def get(self, key: str) -> Node | None:
        """The value of the first pair whose key is the scalar `key`."""
        for name, value in self.pairs:
            if name.kind == "scalar" and name.value == key:
                return value
        return None


class YamlDocument(NamedTuple):
    """One document of a text.

    Attributes:
        start: index behind its `---`, or of its first character where it has none.
        end: index of what ends it: `...`, the next `---`, or the end of the text.
        explicit: whether it has a `---`.
        hashes: the scalars that hold a `#`, in the order of the text: every other `#` begins a comment.
    """

    root: Node | None
    start: int
    end: int
    explicit: bool
    hashes: Sequence[Node]


def walk(nodes: Iterable[Node]) -> Iterator[Node]:
    """Nodes with all that is inside them, in no particular order; aliases are not followed."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        pending.extend(node.items)
        for pair in node.pairs:
            pending.extend(pair)


# --- scalars ---------------------------------------------------------------------------------------------------------


class Plain(str):
    """A scalar that is written as it is, without quotes, whatever it then is: a date, a number, `true`."""

    __slots__ = ()


# Patterns are texts here, compiled when they are first used: most runs need only few of them.
STR_TAG = "tag:yaml.org,2002:str"
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_NUMBERS: tuple[tuple[str, Callable[[str], int | float]], ...] = (  # those that 1.1 and 1.2 read alike
    (r"[-+]?(?:0|[1-9][0-9]*)\Z", int),
    (r"0x[0-9a-fA-F]+\Z", lambda text: int(text, 16)),
    (r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?\Z", float),
    (r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z", lambda text: float(text.replace(".", ""))),
)

_WORDS = frozenset(
    word
    for lower in ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
    for word in (lower, lower.capitalize(), lower.upper())
) | {"", "~", "=", "<<"}
"""Words that YAML 1.1 or YAML 1.2 gives a meaning (`=` and `<<` are types of 1.1; `y` and `n` its booleans)."""

_NUMBER_OR_TIME = r"""(?x)[-+]?(?:
        0[bB][01_]+ | 0[oO][0-7_]+ | 0[xX][0-9a-fA-F_]+       # other bases: 1.1 has 0b, 1.2 has 0o, Go reads capitals
      | [0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?           # base 60 of 1.1: 12:30, 190:20:30.15
      | [0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?           # integers and decimal fractions, `_` as in 1.1
      | \.(?:inf|Inf|INF|nan|NaN|NAN)
      | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9:.]+(?:[ \t]*(?:[Zz]|[-+][0-9:]+))?)?  # dates of 1.1
    )\Z"""
_INDICATORS = frozenset(",[]{}#&*!|>'\"%@`")
UNPRINTABLE = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]"
"""Characters that only double quotes can hold."""

_UNSAFE_PLAIN = r" #|:(?: |\Z)|\A[-?:](?: |\Z)"
_UNSAFE_FLOW = r"[,\[\]{}:?]"  # `:` and `?` mean something there to some readers, wherever they stand


def resolves_to_string(text: str) -> bool:
    """Whether a plain scalar with this text is a string in YAML 1.1 and in YAML 1.2."""
    # Sources: the types of YAML 1.1 (yaml.org/type), the core schema of YAML 1.2 (chapter 10.3), and what the readers
    # of Go make of them, because Helm reads the file with those.
    if text in _WORDS:
        return False
    return text[0] not in "+-.0123456789" or re.match(_NUMBER_OR_TIME, text) is None


def reads_as_string(text: str, flow: bool) -> bool:
    """Whether a text may be written plain, without quotes, and is then a string for every reader."""
    return resolves_to_string(text) and fits_plain(text, flow=flow)


def fits_plain(text: str, *, flow: bool) -> bool:
    """Whether a text may be written plain at all; inside `[…]` and `{…}` (`flow`) more characters have a meaning."""
    if not text or text[0] in _INDICATORS or text != text.strip():
        return False
    if re.search(_UNSAFE_PLAIN, text) or text.startswith(("---", "...")):
        return False
    if not text.isprintable() and re.search(UNPRINTABLE, text):  # `isprintable` is the stricter and cheaper test
        return False
    return not (flow and re.search(_UNSAFE_FLOW, text))


def is_string(node: Node) -> bool:
    """Whether every reader takes a node for a string: quoted, block, tagged `!!str`, or plain and a string in both."""
    if node.kind != "scalar":
        return False
    if node.tag is not None:
        return node.tag == STR_TAG  # for `!`, which should mean the same, readers differ
    return node.style is not None or resolves_to_string(node.value)


def scalar_value(node: Node) -> str | int | float | bool | None:
    """What YAML 1.1 and the core schema of YAML 1.2 agree that a scalar is.

    Where they disagree (`yes`, `010`, `1_000`, `2026-11-23`), and for a tag that isn't known here, it is the text;
    `is_string` tells whether every reader sees a string.
    """
    text = node.value
    if is_string(node) or node.tag is not None or len(text) > 100:  # no number that anybody means is so long
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    for pattern, read in _NUMBERS:
        if re.match(pattern, text):
            return read(text)
    return text
