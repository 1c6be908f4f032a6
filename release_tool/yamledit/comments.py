"""Which comments a text holds, and which of them belong to an entry.

An entry has the comment behind it on its line, the lines below it that touch it and stand deeper than it, and the block
that touches it from above at its indentation, if the block is about it. It is not where it names an entry that follows
without a gap, or where such entries are of one sort: then it is their header, which stays while one of them does.

A caller that knows by which words people name the entries (`Names`) says so: then a block is about an entry only if it
names it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from release_tool.yamledit.parser import BREAK, content_start, stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.yamledit.source import SourceText
    from release_tool.yamledit.tree import Node

Names: TypeAlias = Mapping[str, Collection[str]]
"""The words by which comments name each entry of a mapping, by its key; without an entry here, the key itself."""

_COMMENT = re.compile(r"#[^\r\n]*")
_COMMA = re.compile(r"[ \t]*,")
_END = r"(?:\r\n|\r|\n|\Z)"


def _gaps(text: str) -> Sequence[tuple[int, int]]:
    """The pieces of a text between its scalars that hold a `#`: in them every `#` begins a comment."""
    found, position = [], 0
    for document in stream(text):
        for node in document.hashes:
            start = content_start(text, node)
            if node.style in ("|", ">"):  # a comment may stand behind the header
                header = BREAK.search(text, start)
                start = header.start() if header else start
            found.append((position, start))
            position = node.raw_end.index
    return [*found, (position, len(text))]


@lru_cache(maxsize=4)  # as `stream`: what an edit leaves is what the next one begins with
def comments(text: str) -> Sequence[str]:
    """All comments of a text, in its order."""
    return [comment for gap in _gaps(text) for comment in _COMMENT.findall(text, *gap)] if "#" in text else ()


def own_below(source: SourceText, node: Node, index: int) -> int:
    """The start of the line below an entry and the comments that touch it from below and stand deeper than it.

    Behind a collection in block style deeper comments are its own over blank lines, too, if they don't touch the next.
    """
    start = source.line(source.tail(node, index)).below
    value = node.items[index] if node.items else node.pairs[index][1]
    column = source.column(source.head(node, index))
    lines = rf"(?: {{{column + 1},}}#[^\r\n]*{_END})"
    pattern = f"{lines}*"
    if value.kind in ("mapping", "sequence") and not value.style:
        pattern += rf"(?:(?:[ \t]*{_END})+{lines}+(?=[ \t]*{_END}| {{0,{column}}}#|---|\.\.\.))*"
    found = re.compile(pattern).match(source.text, start)
    assert found is not None  # it matches the empty text, too
    if node.kind == "sequence" and value.kind == "scalar" and index + 1 < len(node.items):
        # Between two texts of a list it may be about the second one, too: it stays.
        is_next = source.line(source.head(node, index + 1)).start == found.end()
        return start if is_next else found.end()
    return found.end()


class Extent:
    """An entry with the comments that belong to it, as places in a text; `above`: that many lines above are its own.

    Attributes:
        start: the start of its first line, own comments included.
        head: where the entry itself starts.
        tail: behind its last leaf.
        behind: behind the comma on its line, too.
        stop: behind all that is its own: the start of a line, if nothing else follows on the entry's line.
        is_whole: whether it has its lines for itself.
    """

    def __init__(self, source: SourceText, node: Node, index: int, above: int) -> None:
        self.source = source
        self.head, self.tail = source.head(node, index), source.tail(node, index)
        self.start = source.line(self.head).start
        lead = source.text[self.start : self.head].strip(" \t")
        comma = _COMMA.match(source.text, self.tail) if node.style else None
        self.behind = self.stop = comma.end() if comma else self.tail
        ends = source.ends_line(self.behind)
        self.is_whole = ends and (not lead or (lead == "," and bool(node.style)))
        if ends and (self.is_whole or not index):
            is_inside = bool(node.style and lead)  # its column says nothing there
            self.stop = source.line(self.behind).below if is_inside else own_below(source, node, index)
        for _ in range(above):
            self.start = source.line(source.break_before(self.start)).start
        self.has_above = above > 0

    @property
    def last_end(self) -> int:
        """Where its last line ends, before the line break."""
        ends = self.source.text[self.stop - 1 : self.stop] in ("\r", "\n")
        return self.source.break_before(self.stop) if ends else self.stop

    def is_between_comments(self) -> bool:
        """Whether comments at its indentation touch it from both sides."""
        source = self.source
        above = source.line(source.break_before(self.start)).start if self.start else 0
        own = re.compile(rf" {{{source.column(self.head)}}}#")
        return own.match(source.text, above) is not None and own.match(source.text, self.stop) is not None

    def comments(self) -> list[str]:
        start = self.start if self.has_above else self.head
        found = (one for gap in _gaps(self.source.text) for one in _COMMENT.finditer(self.source.text, *gap))
        return [one.group() for one in found if start <= one.start() < self.stop]


# --- the block above --------------------------------------------------------------------------------------------------


def lines_above(source: SourceText, node: Node, index: int, names: Names | None, *, for_good: bool = False) -> int:
    """How many lines of the comment block that touches an entry from above are about that entry.

    `for_good`: they will be gone, so that only those count that are surely its own.
    """
    block = _block(source, node, index)
    if not block:
        return 0
    lines = [_words(line, names) for line in block]
    naming = [number for number, words in enumerate(lines) if words & _names(node, index, names)]
    # What stands above that line may be about the whole collection, or be another comment.
    if naming and (not index or (for_good and names is not None)):
        del lines[: naming[0]]
    group = list(_group(source, node, index))
    if any(words & _names(node, other, names) for other in group for words in lines):
        return 0
    if naming:
        return len(lines)
    if names is not None:
        return 0
    if index:
        return 0 if group and _is_alike(node, index, group[0]) else len(lines)
    is_like_next = node.kind == "mapping" and len(node.pairs) > 1 and bool(_block(source, node, 1))
    return len(lines) if is_like_next and node is not source.root else 0


def _block(source: SourceText, node: Node, index: int) -> list[str]:
    """The comment lines that touch an entry from above at its indentation."""
    head = source.head(node, index)
    start = source.line(head).start
    if source.text[start:head].strip(" \t"):
        return []
    own = re.compile(rf" {{{head - start}}}#")
    floor = source.line(source.tail(node, index - 1)).below if index else source.document.start
    lines: list[str] = []
    while start > floor:
        above, end, _ = source.line(source.break_before(start))
        if above < floor or own.match(source.text, above) is None:
            break
        lines.insert(0, source.text[above:end])
        start = above
    return lines


def _group(source: SourceText, node: Node, index: int) -> Iterator[int]:
    """The entries that follow one with neither a blank line nor a comment block between."""
    for other in range(index + 1, len(node.items or node.pairs)):
        if source.line(source.head(node, other)).start > own_below(source, node, other - 1):
            return
        yield other


def _words(line: str, names: Names | None) -> set[str]:
    """The words of a comment; without names, the last part of a path (`image.tag`) too."""
    words = {word.strip(".-") for word in re.findall(r"[\w.-]+", line)}
    return words if names is not None else words | {word.rpartition(".")[2] for word in words}


def _names(node: Node, index: int, names: Names | None) -> set[str]:
    """The words that name an entry: its key; in a list its text, or the first one inside it."""
    if node.kind == "mapping":
        key = node.pairs[index][0].value
        return {key} if names is None else {key, *names.get(key, ())}
    item = node.items[index]
    return {item.pairs[0][1].value if item.pairs else item.value} - {""}


def _is_alike(node: Node, index: int, other: int) -> bool:
    """Whether two entries are of one sort: texts of a list, or keys that end with the same word (numbers are equal)."""
    if node.kind == "sequence":
        return node.items[index].kind == node.items[other].kind == "scalar"
    keys = [re.sub(r"[0-9]+", "0", node.pairs[number][0].value) for number in (index, other)]
    last = [(re.findall(r"[A-Z]?[a-z]+0?|[A-Z]+0?", key) or [key])[-1].lower() for key in keys]
    return bool(last[0] == last[1])
