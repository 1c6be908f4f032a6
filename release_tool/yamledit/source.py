"""A YAML text with its nodes: where things stand, in lines and columns.

Everything here only looks; the editor's other parts decide and splice. Indexes are those of the text as handed in.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import EditRefused
from release_tool.yamledit.parser import BOM, BREAK, COLON, GAP, content_start, line_start, odd_break, stream
from release_tool.yamledit.tree import Node, YamlDocument, YamlError

if TYPE_CHECKING:
    from release_tool.yamledit.style import Style

Path = tuple[str | int, ...]
"""Keys of mappings and positions in lists (counted from 0), from the root; `()` is the root."""

_REST = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?=[\r\n]|\Z)")
_PROPERTY = re.compile(r"[&!]\S*")
_TWO_PROPERTIES = re.compile(rf"[&!]\S*{GAP.pattern}[&!]\S*")
STANDARD_TAGS = frozenset((None, "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"))


class Ancestor(NamedTuple):
    """A collection on the way to a node, and the position of the entry that the way goes through."""

    parent: Node
    position: int


class Location(NamedTuple):
    """Where a path leads.

    Attributes:
        path: the part of the path that exists.
        node: the node at its end; None for an empty document.
        missing: the rest of the path, for which there is nothing.
    """

    path: Path
    above: tuple[Ancestor, ...]
    node: Node | None
    missing: Path

    @property
    def in_flow(self) -> bool:
        """Whether the node stands inside `[…]` or `{…}`."""
        return any(parent.style for parent, _ in self.above)


class SourceLine(NamedTuple):
    """One line: its start, its end before the line break, and the start of the line below (or the end of the text)."""

    start: int
    end: int
    below: int


class SourceText:
    """One document (counted from 0) of a text, for looking.

    Raises:
        EditRefused: the text is not YAML, or has no such document.
    """

    def __init__(self, text: str, number: int) -> None:
        self.text = text
        self.number = number
        try:
            self.documents = stream(text)
            if error := odd_break(text):
                raise error
        except YamlError as error:
            raise EditRefused(error.reason, error.line, error.column, error.hint) from None
        if 0 <= number < len(self.documents):
            self.document = self.documents[number]
        elif number == 0:  # nothing but comments and blank lines
            start = 1 if text.startswith(BOM) else 0
            self.document = YamlDocument(None, start, len(text), explicit=False, hashes=())
        else:
            reason = f"there is no document {number}, counted from 0; the text has {len(self.documents)}"
            raise self.refusal(reason, len(text), "Name one of the documents that are there.")
        self.root = self.document.root

    def refusal(self, reason: str, at: Node | int, hint: str) -> EditRefused:
        """A refusal that names the place: a node, or an index of the text."""
        if isinstance(at, Node):
            return EditRefused(reason, at.start.line, at.start.column, hint)
        line = sum(1 for _ in BREAK.finditer(self.text, 0, at)) + 1
        return EditRefused(reason, line, self.column(at) + 1, hint)

    @cached_property
    def style(self) -> Style:
        from release_tool.yamledit.style import Style

        return Style(self.documents, self.root)

    # --- lines ---

    def line(self, index: int) -> SourceLine:
        """The line of an index; the first one starts behind a byte order mark."""
        found = BREAK.search(self.text, index)
        end, below = found.span() if found else (len(self.text), len(self.text))
        return SourceLine(line_start(self.text, index), end, below)

    def line_break(self, index: int) -> str:
        """The line break of the line of an index; of the last line, that of the line above it."""
        start, end, below = self.line(index)
        if end == below and start:
            _, end, below = self.line(self.break_before(start))
        return self.text[end:below] or "\n"

    def break_before(self, index: int) -> int:
        """Where the line break before a line's start begins."""
        start = index - 1
        return start - 1 if self.text[start - 1 : index] == "\r\n" else start

    def column(self, index: int) -> int:
        """The column of an index, counted from 0; a byte order mark takes none."""
        return index - self.line(index).start

    def begins_line(self, index: int) -> bool:
        """Whether only blanks stand before an index on its line."""
        return not self.text[self.line(index).start : index].strip(" \t")

    def ends_line(self, index: int) -> bool:
        """Whether only blanks and a comment follow an index on its line."""
        return _REST.match(self.text, index) is not None

    def is_blank(self, index: int) -> bool:
        """Whether nothing but blanks follows an index on its line."""
        return not self.text[index : self.line(index).end].strip(" \t")

    # --- paths ---

    def find(self, path: Path) -> Location:
        """Follow a path as far as it leads; aliases, scalars, custom tags and doubtful keys on it are refused."""
        node = self.root
        above: tuple[Ancestor, ...] = ()
        for depth, part in enumerate(path):
            known = path[:depth]
            if node is None or node.is_nothing:
                return Location(known, above, node, path[depth:])
            self.check_collection(node, known)
            position = self._position(node, part, known)
            if position is None:
                return Location(known, above, node, path[depth:])
            above = (*above, Ancestor(node, position))
            node = node.items[position] if node.kind == "sequence" else node.pairs[position][1]
        return Location(path, above, node, ())

    def get(self, path: Path) -> Location:
        """The location of a path that has to exist; refused as in `find`, and where there is nothing."""
        place = self.find(path)
        if not place.missing:
            return place
        part, node = place.missing[0], place.node
        at: Node | int = self.document.start if node is None else node
        if node is not None and node.kind == "sequence":
            hint = "Name a position that is there, or add an entry."
            reason = f"{show(place.path)} has {len(node.items)} entries, counted from 0; none is {part}"
        elif node is not None and part in _merged_keys(node):
            hint = f"Edit it where it is written, or add {part} here."
            reason = f"{part} in {show(place.path)} comes from a merge key (<<)"
        else:
            reason, hint = f"{show(place.path)} has no key {part}", "Check the path, or add the entry."
        raise self.refusal(reason, at, hint)

    def check_collection(self, node: Node, path: Path) -> None:
        """Refuse what can't be walked through or edited inside."""
        if node.kind == "alias":
            assert node.target is not None
            hint = f"Edit &{node.value} in line {node.target.start.line}, or write the value out here."
            raise self.refusal(f"{show(path)} is the alias *{node.value}", node, hint)
        if node.kind == "scalar":
            hint = "Name a path that ends here, or make it a mapping by hand."
            raise self.refusal(f"{show(path)} is a scalar; nothing is inside it", node, hint)
        if node.tag not in STANDARD_TAGS:
            raise self.unknown_tag(node, path)

    def unknown_tag(self, node: Node, path: Path) -> EditRefused:
        reason = f"{show(path)} has the tag {node.tag}; only plain strings, lists and mappings are edited"
        return self.refusal(reason, node, "Edit this value by hand.")

    def _position(self, node: Node, part: str | int, path: Path) -> int | None:
        """The position of an entry in its collection; None where there is none."""
        if node.kind == "sequence":
            if isinstance(part, int):
                return part if 0 <= part < len(node.items) else None
            reason = f"{show(path)} is a list; {part!r} is no position in it"
            raise self.refusal(reason, node, "Name the entry by its position, counted from 0.")
        name = str(part)
        found = [i for i, (key, _) in enumerate(node.pairs) if key.kind == "scalar" and key.value == name]
        if not found:
            return None
        if len(found) > 1:
            again = node.pairs[found[1]][0]
            raise self.refusal(f"the key {name} stands twice in {show(path)}", again, "Keep one of the two.")
        self.check_key(node, found[0])
        return found[0]

    def check_key(self, node: Node, position: int) -> None:
        """Refuse `? key`."""
        key = node.pairs[position][0]
        if self.key_start(node, position) != key.start.index:
            raise self.refusal("a key that is written with `?`", key, f"Write it as `{key.value}: …`.")

    def key_start(self, node: Node, position: int) -> int:
        """Where a pair starts: its key, or the `?` before it, which may stand on a line above."""
        start = node.pairs[position][0].start.index
        at = self.gap_end(self.tail(node, position - 1) if position else self.properties_end(node))
        if node.style and self.text[at] in "{,":
            at = self.gap_end(at + 1)
        return at if self.text[at : at + 1] == "?" and at < start else start

    def gap_end(self, index: int) -> int:
        """Behind the blanks, comments and line breaks at an index."""
        found = GAP.match(self.text, index)
        assert found is not None  # it matches the empty text, too
        return found.end()

    def properties_end(self, node: Node) -> int:
        """Behind the anchor and the tag of a node; its start where it has none."""
        both = node.anchor is not None and node.tag is not None
        found = (_TWO_PROPERTIES if both else _PROPERTY).match(self.text, node.start.index)
        return node.start.index if found is None or (node.anchor is None and node.tag is None) else found.end()

    # --- entries of a collection ---

    def head(self, node: Node, index: int) -> int:
        """Where an entry starts: its dash, its key, or in flow style its first character."""
        if node.kind == "mapping":
            return node.pairs[index][0].start.index
        if node.style:
            return node.items[index].start.index
        dash = content_start(self.text, node) if index == 0 else self.gap_end(node.items[index - 1].end.index)
        if self.text[dash : dash + 1] != "-":
            raise self.refusal("can't find the dash of this entry", node.items[index], "Edit this list by hand.")
        return dash

    def tail(self, node: Node, index: int) -> int:
        """Behind the last leaf of an entry."""
        if node.kind == "sequence":
            return node.items[index].end.index
        key, value = node.pairs[index]
        return max(key.end.index, value.end.index)

    def colon(self, key: Node, value: Node) -> int:
        """Where the `:` of a pair stands; the end of the key where there is none (`{a, b}`)."""
        found = COLON.match(self.text, key.end.index)
        if found is None or found.end() > max(value.start.index, key.end.index):
            return key.end.index
        return found.end() - 1

    def last_text(self, node: Node) -> tuple[Node | None, str]:
        """The last leaf of a node and the indicators of its header (`-`, `+`), if it is `|` or `>` text."""
        # With `+` the value takes in all blank lines behind it; without `-`, the line break.
        while node.items or node.pairs:
            node = node.items[-1] if node.items else node.pairs[-1][1]
        if node.style not in ("|", ">"):
            return None, ""
        start = content_start(self.text, node)
        return node, self.text[start : self.line(start).end].split("#")[0]

    def check_final_text(self, node: Node) -> None:
        """Refuse to put a line behind `|` text that ends the file without a newline: its value would get one."""
        last, indicators = self.last_text(node)
        if last is not None and "-" not in indicators and last.end.index == len(self.text):
            hint = f"End the file with a newline, or write {last.style}- where this text starts."
            raise self.refusal(f"the last text ({last.style}) ends without a newline and would get one", last, hint)

    def is_padded(self, node: Node) -> bool:
        """Whether a collection in brackets has blanks inside them: `{ a: 1 }`."""
        inner = content_start(self.text, node) + 1
        return self.text[inner : inner + 1] == " "


def _merged_keys(node: Node) -> set[str]:
    """The keys that the merge keys of a mapping bring, one level deep."""
    keys: set[str] = set()
    for key, value in node.pairs:
        if key.value == "<<" and key.style is None:
            for source in [value, *value.items]:
                mapping = source.target or source
                keys.update(name.value for name, _ in mapping.pairs)
    return keys


def show(path: Path) -> str:
    """A path as people write it: `image.tag`, `hosts[0].name`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the document"
