"""What an edit is meant to change: splices of the text, and the tree that has to come out.

The tree is planned on nodes, without looking at the splices. After the splice the text is parsed again and compared
with it, so a mistake in the one is caught by the other, and the text stays as it was. So are the comments.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from release_tool.yamledit.comments import comments
from release_tool.yamledit.parser import BLANKS, collector_paused, stream
from release_tool.yamledit.tree import Node, Plain, RawMark, YamlError, is_string, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from release_tool.yamledit.source import Ancestor, Location, SourceText

_NOWHERE = RawMark(0, -1, -1)
_NEW = "new"
"""Style of planned nodes whose spelling is free: any scalar that is this string, block or flow."""


class Splice(NamedTuple):
    """One piece of the text to replace."""

    start: int
    end: int
    text: str


def new_scalar(value: str) -> Node:
    """A planned string in any spelling, or a `Plain` as it is."""
    return Node("scalar", _NOWHERE, _NOWHERE, str(value), None if isinstance(value, Plain) else _NEW)


def new_collection(kind: str) -> Node:
    """A planned collection in any spelling, still empty."""
    return Node(kind, _NOWHERE, _NOWHERE, "", _NEW)


class Rewrite:
    """One edit of a text; its planned tree shares all nodes that don't change with the tree before."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.origins: dict[int, Node] = {}
        self.kept: list[Node] = []  # ids stay unique while their nodes live
        self.anchored: dict[int, Node] = {}

    def copy(self, node: Node) -> Node:
        """A node that may be changed; aliases of the old one are still its aliases."""
        twin = Node(node.kind, node.raw_start, node.raw_end, node.value, node.style)
        twin.tag, twin.anchor, twin.target = node.tag, node.anchor, node.target
        twin.items, twin.pairs = node.items, node.pairs
        self.kept.append(twin)
        self.origins[id(twin)] = self.origins.get(id(node), node)
        return twin

    def root(self, above: Sequence[Ancestor], node: Node) -> Node:
        """The root with another node at the end of a way."""
        for parent, position in reversed(above):
            twin = self.copy(parent)
            if parent.kind == "sequence":
                twin.items = [*parent.items[:position], node, *parent.items[position + 1 :]]
            else:
                pair = (parent.pairs[position][0], node)
                twin.pairs = [*parent.pairs[:position], pair, *parent.pairs[position + 1 :]]
            node = twin
        self._check_keys()
        return node

    def finish(
        self,
        splices: Iterable[Splice],
        root: Node,
        at: Node | int,
        *,
        gained: Sequence[str] = (),
        lost: Sequence[str] = (),
    ) -> str:
        """Splice, parse again, compare with the planned root of the document; splices at one place keep their order.

        Args:
            gained: the comments that the edit brings, `lost`: those that it takes; all others stay.

        Raises:
            EditRefused: the new text isn't YAML (the refusal names the place `at`), or differs from the plan.
        """
        with collector_paused():
            return self._finished(splices, root, at, gained=gained, lost=lost)

    def _finished(
        self, splices: Iterable[Splice], root: Node, at: Node | int, *, gained: Sequence[str], lost: Sequence[str]
    ) -> str:
        source, hint = self.source, "Edit this place by hand."
        clearer = "Write the entry on lines of its own, without brackets, anchors and tags, or edit this place by hand."
        parts: list[str] = []
        end = 0
        for piece in sorted(splices, key=lambda piece: (piece.start, piece.end)):
            assert piece.start >= end, "splices must not overlap"
            parts += (source.text[end : piece.start], piece.text)
            end = piece.end
        text = "".join([*parts, source.text[end:]])
        try:
            after = stream(text)
        except YamlError as error:
            reason = f"the edited text would not be YAML any more: {error.reason.removeprefix('not YAML: ')}"
            raise source.refusal(reason, at, hint) from None
        planned = [document.root for document in source.documents]
        planned[source.number : source.number + 1] = [root]
        if len(planned) != len(after):
            reason = f"the edited text would hold {len(after)} documents, and it holds {len(planned)}: a line of this"
            raise source.refusal(f"{reason} place would begin or end one", at, clearer)
        for before, document in zip(planned, after, strict=True):
            self.anchored.clear()
            found = self._difference(before, document.root)
            if found is not None:
                there = found if found.start.line else at
                said = f" ({found.value!r:.60})" if found.value else ""
                reason = (
                    f"the edited text would not be read as meant{said}: what stands around this place mixes with it"
                )
                raise source.refusal(reason, there, clearer)
        was, now = comments(source.text), comments(text)
        if gained or lost or was != now:
            expected, got = (Counter(map(str.rstrip, all_)) for all_ in ([*was, *gained], [*now, *lost]))
            changed = (expected - got) + (got - expected)
            if changed:
                raise source.refusal(f"the edit would not keep this comment as it is: {min(changed)}", at, hint)
        return text

    def _check_keys(self) -> None:
        """Refuse to change what an alias brings into a key: the edit would rename that key."""
        changed = {id(node) for node in self.origins.values() if node.anchor is not None}
        roots = [self.source.root] if changed and self.source.root is not None else []
        for key in (key for node in walk(roots) for key, _ in node.pairs if key.kind != "scalar"):
            pending = [key]
            while pending:
                for node in walk([pending.pop()]):
                    if id(node.target) in changed:
                        reason = f"this key is the alias *{node.value}: the edit of &{node.value} would rename it"
                        raise self.source.refusal(reason, key, "Write the key out here first.")
                    pending += [] if node.target is None else [node.target]

    def _difference(self, planned: Node | None, found: Node | None) -> Node | None:
        """The first planned node that the text doesn't hold; None when all are there."""
        if planned is None or found is None:
            return planned or found
        pending = [(planned, found)]
        while pending:
            planned, found = pending.pop()
            if planned.anchor is not None:
                self.anchored[id(self.origins.get(id(planned), planned))] = found
            same = planned.kind == found.kind and planned.value == found.value and planned.anchor == found.anchor
            same = same and len(planned.items) == len(found.items) and len(planned.pairs) == len(found.pairs)
            if planned.kind == "alias":
                same = same and self.anchored.get(id(planned.target)) is found.target
            elif planned.style is _NEW:
                same = same and planned.tag == found.tag and (planned.kind != "scalar" or is_string(found))
            else:
                same = same and planned.tag == found.tag and planned.style == found.style
            if not same:
                return planned
            if planned.items or planned.pairs:
                for pair, other in zip(reversed(planned.pairs), reversed(found.pairs), strict=True):
                    pending += ((pair[1], other[1]), (pair[0], other[0]))
                pending.extend(zip(reversed(planned.items), reversed(found.items), strict=True))
        return None


def into_empty(source: SourceText, place: Location, node: Node, start: int, new: str) -> Splice:
    """A value in the place of an empty one, right behind the `:` or the `-`; `start` is behind its anchor."""
    parent, position = place.above[-1] if place.above else (None, 0)
    colon = ""
    if parent is not None and parent.kind == "mapping" and node.anchor is None and node.tag is None:
        key, _ = parent.pairs[position]
        colon = ":" if source.colon(key, node) == key.end.index == start else ""
    found = BLANKS.match(source.text, start)
    assert found is not None  # it matches the empty text, too
    follows = source.text[found.end() : found.end() + 1]
    padded = parent is not None and bool(parent.style) and source.is_padded(parent)
    if found.group() and not colon and (follows in ("", "\n", "\r", ",") or (follows in ("]", "}") and not padded)):
        return Splice(found.end(), found.end(), new)
    blank = "" if source.text[start - 1 : start] in (" ", "\t") else " "
    return Splice(start, start, colon + blank + new)
