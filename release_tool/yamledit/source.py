"""A YAML text with its nodes: where things stand, in lines and columns, and in which style the file is written.

Everything here only looks; the editor's other parts decide and splice. Indexes are those of the text as handed in.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import NamedTuple

from release_tool.errors import EditRefused
from release_tool.yamledit.parser import content_start, stream
from release_tool.yamledit.patterns import BREAK, COLON, GAP
from release_tool.yamledit.style import Style
from release_tool.yamledit.tree import Document, Node, YamlError

Path = tuple[str | int, ...]
"""Keys of mappings and positions in lists (counted from 0), from the root; `()` is the root."""

_BOM = "\ufeff"
_REST = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?=[\r\n]|\Z)")
_STANDARD_TAGS = frozenset(("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"))


class Step(NamedTuple):
    """One step of a way through the document: the collection, and the position of the entry in it."""

    parent: Node
    position: int


class Place(NamedTuple):
    """Where a path leads.

    Attributes:
        steps: the way from the root, as far as it exists.
        node: the node at its end; None for an empty document.
        missing: the rest of the path, for which there is nothing; empty when the whole path exists.
    """

    steps: tuple[Step, ...]
    node: Node | None
    missing: Path

    @property
    def in_flow(self) -> bool:
        """Whether the node stands inside `[…]` or `{…}`."""
        return any(step.parent.style for step in self.steps)


@lru_cache(maxsize=4)
def parsed(text: str) -> list[Document]:
    """The documents of a text; several edits in a row parse each text once. Callers must not change the nodes."""
    return stream(text)


class Source:
    """One document of a text, for looking.

    Args:
        text: the text.
        number: which document, counted from 0.
        first_block: how many lines of the comment block above a first entry are that entry's, at most.

    Raises:
        EditRefused: the text is not YAML, or has no such document.
    """

    def __init__(self, text: str, number: int, *, first_block: int = 0) -> None:
        self.text = text
        self.first_block = first_block
        self.number = number
        try:
            self.documents = parsed(text)
        except YamlError as error:
            raise EditRefused(error.reason, error.line, error.column, error.hint) from None
        if 0 <= number < len(self.documents):
            self.document = self.documents[number]
        elif number == 0:  # nothing but comments and blank lines
            self.document = Document(None, 1 if text.startswith(_BOM) else 0, len(text), explicit=False)
        else:
            reason = f"there is no document {number}, counted from 0; the text has {len(self.documents)}"
            raise self.refusal(reason, len(text), "Name one of the documents that are there.")

    @property
    def root(self) -> Node | None:
        """The root node of the document; None when it is empty."""
        return self.document.root

    def refusal(self, reason: str, at: Node | int, hint: str) -> EditRefused:
        """A refusal that names the place.

        Args:
            reason: what stands in the way, without a full stop.
            at: the node or the index of the place.
            hint: what a person can do.
        """
        if isinstance(at, Node):
            return EditRefused(reason, at.start.line, at.start.column, hint)
        line = sum(1 for _ in BREAK.finditer(self.text, 0, at)) + 1
        return EditRefused(reason, line, self.column(at) + 1, hint)

    @cached_property
    def style(self) -> Style:
        """The style that the text is written in."""
        return Style(self.documents, self.root)

    # --- lines ---

    def line_start(self, index: int) -> int:
        """Where the line of an index starts; the first line behind a byte order mark."""
        start = self.text.rfind("\n", 0, index) + 1
        start = max(start, self.text.rfind("\r", start, index) + 1)
        return 1 if start == 0 and self.text.startswith(_BOM) else start

    def line_end(self, index: int) -> int:
        """Where the line of an index ends, before its line break."""
        found = BREAK.search(self.text, index)
        return found.start() if found else len(self.text)

    def next_line(self, index: int) -> int:
        """Where the line after that of an index starts; the end of the text for the last line."""
        found = BREAK.search(self.text, index)
        return found.end() if found else len(self.text)

    def line_break(self, index: int) -> str:
        """The line break of the line of an index; of the last line, that of the line above it."""
        found = BREAK.search(self.text, index)
        if found is None:
            start = self.line_start(index)
            found = BREAK.search(self.text, self.break_before(start)) if start else None
        return found.group() if found else "\n"

    def break_before(self, index: int) -> int:
        """Where the line break before a line's start begins."""
        start = index - 1
        return start - 1 if self.text[start - 1 : index] == "\r\n" else start

    def column(self, index: int) -> int:
        """The column of an index, counted from 0; a byte order mark takes none."""
        return index - self.line_start(index)

    def begins_line(self, index: int) -> bool:
        """Whether only blanks stand before an index on its line."""
        return not self.text[self.line_start(index) : index].strip(" \t")

    def ends_line(self, index: int) -> bool:
        """Whether only blanks and a comment follow an index on its line."""
        return _REST.match(self.text, index) is not None

    def is_blank(self, index: int) -> bool:
        """Whether nothing but blanks follows an index on its line."""
        return not self.text[index : self.line_end(index)].strip(" \t")

    # --- places ---

    def find(self, path: Path) -> Place:
        """Follow a path as far as it leads.

        Raises:
            EditRefused: it leads through an alias, a scalar, a custom tag, a key that stands twice or a `? key`.
        """
        node = self.root
        steps: list[Step] = []
        for depth, part in enumerate(path):
            if node is None or self.is_nothing(node):
                return Place(tuple(steps), node, path[depth:])
            self.check_collection(node, path[:depth])
            index = self.position(node, part, path[:depth])
            if index is None:
                return Place(tuple(steps), node, path[depth:])
            steps.append(Step(node, index))
            node = node.items[index] if node.kind == "sequence" else node.pairs[index][1]
        return Place(tuple(steps), node, ())

    def get(self, path: Path) -> Place:
        """The place of a path that has to exist.

        Raises:
            EditRefused: as for `find`; or there is nothing at the path.
        """
        place = self.find(path)
        if place.missing:
            known = path[: len(path) - len(place.missing)]
            raise self.absent(place, known)
        return place

    def absent(self, place: Place, known: Path) -> EditRefused:
        """The refusal for a path that leads nowhere."""
        part, node = place.missing[0], place.node
        at: Node | int = self.document.start if node is None else node
        if node is not None and node.kind == "sequence":
            hint = "Name a position that is there, or add an entry."
            reason = f"{show(known)} has {len(node.items)} entries, counted from 0; none is {part}"
            return self.refusal(reason, at, hint)
        if node is not None and part in merged_keys(node):
            hint = f"Edit it where it is written, or add {part} here."
            return self.refusal(f"{part} in {show(known)} comes from a merge key (<<)", at, hint)
        return self.refusal(f"{show(known)} has no key {part}", at, "Check the path, or add the entry.")

    def is_nothing(self, node: Node) -> bool:
        """Whether a node is an empty value or a plain `null`, to which entries may be added."""
        is_plain = node.kind == "scalar" and node.style is None and node.tag is None
        return is_plain and node.value in ("", "~", "null", "Null", "NULL")

    def check_collection(self, node: Node, path: Path) -> None:
        """Refuse what can't be walked through or edited inside."""
        if node.kind == "alias":
            assert node.target is not None
            hint = f"Edit &{node.value} in line {node.target.start.line}, or write the value out here."
            raise self.refusal(f"{show(path)} is the alias *{node.value}", node, hint)
        if node.kind == "scalar":
            hint = "Name a path that ends here, or make it a mapping by hand."
            raise self.refusal(f"{show(path)} is a scalar; nothing is inside it", node, hint)
        self.check_tag(node, path)

    def check_tag(self, node: Node, path: Path) -> None:
        """Refuse tags whose meaning isn't known here."""
        if node.tag is not None and node.tag not in _STANDARD_TAGS:
            reason = f"{show(path)} has the tag {node.tag}; only plain strings, lists and mappings are edited"
            raise self.refusal(reason, node, "Edit this value by hand.")

    def position(self, node: Node, part: str | int, path: Path) -> int | None:
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
            hint = "Keep one of the two."
            raise self.refusal(f"the key {name} stands twice in {show(path)}", again, hint)
        self.check_key(node.pairs[found[0]][0])
        return found[0]

    def check_key(self, key: Node) -> None:
        """Refuse `? key`."""
        before = self.text[self.line_start(key.start.index) : key.start.index].rstrip(" \t")
        if before.endswith("?"):
            raise self.refusal("a key that is written with `?`", key, f"Write it as `{key.value}: …`.")

    def dash(self, node: Node, index: int) -> int:
        """Where the dash of an item of a block sequence stands."""
        if index == 0:
            at = content_start(self.text, node)
        else:
            found = GAP.match(self.text, node.items[index - 1].end.index)
            assert found is not None  # it matches the empty text, too
            at = found.end()
        if self.text[at : at + 1] != "-":
            raise self.refusal("can't find the dash of this entry", node.items[index], "Edit this list by hand.")
        return at

    def head(self, node: Node, index: int) -> int:
        """Where an entry starts: its dash, its key, or in flow style its first character."""
        if node.kind == "mapping":
            return node.pairs[index][0].start.index
        return node.items[index].start.index if node.style else self.dash(node, index)

    def tail(self, node: Node, index: int) -> int:
        """Where an entry ends: behind its last leaf."""
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

    def comments_above(self, node: Node, index: int) -> int:
        """Where the comment block starts that touches an entry of its own line from above, at its indentation.

        The block above the first entry may be about the whole collection: it is not this entry's, unless the caller
        knows better (`first_block`).

        Returns:
            The start of the block's first line; the start of the entry's own line where there is no such block.
        """
        head = self.head(node, index)
        start = self.line_start(head)
        own = re.compile(rf" {{{self.column(head)}}}#")
        floor = self.next_line(self.tail(node, index - 1)) if index else self.document.start
        lines = 0
        while start > floor and (index or lines < self.first_block):
            above = self.line_start(self.break_before(start))
            if above < floor or own.match(self.text, above) is None:
                break
            start = above
            lines += 1
        return start

    def needs_final_break(self, node: Node) -> Node | None:
        """The last leaf of a node, if it is `|` or `>` text whose value the line break behind it belongs to."""
        last, chomping = self.last_text(node)
        return None if "-" in chomping else last

    def keeps_blank_lines(self, node: Node) -> bool:
        """Whether a node ends in text like `|+`, whose value takes in all blank lines behind it."""
        return "+" in self.last_text(node)[1]

    def last_text(self, node: Node) -> tuple[Node | None, str]:
        """The last leaf of a node and the indicators of its header, if it is `|` or `>` text."""
        while node.items or node.pairs:
            node = node.items[-1] if node.items else node.pairs[-1][1]
        if node.style not in ("|", ">"):
            return None, ""
        start = content_start(self.text, node)
        return node, self.text[start : self.line_end(start)].split("#")[0]

    def is_padded(self, node: Node) -> bool:
        """Whether a collection in brackets has blanks inside them: `{ a: 1 }`."""
        inner = content_start(self.text, node) + 1
        return self.text[inner : inner + 1] == " "


def merged_keys(node: Node) -> set[str]:
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
