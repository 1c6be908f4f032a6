"""A list becomes a mapping, in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.yamledit.parser import content_start
from release_tool.yamledit.rewrite import Rewrite, Splice, new_scalar
from release_tool.yamledit.siblings import Siblings
from release_tool.yamledit.source import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.yamledit.source import Location, Path, SourceText
    from release_tool.yamledit.tree import Node


def name_items(source: SourceText, path: Path, keys: Sequence[str]) -> str:
    """Give each item of a list a key."""
    place = source.get(path)
    node = place.node
    if node is None or (node.is_nothing and not keys):
        return source.text
    source.check_collection(node, path)
    if node.kind != "sequence":
        raise source.refusal(f"{show(path)} is a mapping already", node, "Name a list.")
    if node.tag is not None:
        raise source.refusal(f"{show(path)} has the tag of a list", node, "Take the tag away.")
    if len(keys) != len(node.items) or len(set(keys)) != len(keys):
        reason = f"{show(path)} has {len(node.items)} entries; there are {len(set(keys))} different keys for them"
        raise source.refusal(reason, node, "Give each entry a key of its own.")
    rewrite = Rewrite(source)
    twin = rewrite.copy(node)
    twin.kind, twin.items = "mapping", []
    twin.pairs = [(new_scalar(key), item) for key, item in zip(keys, node.items, strict=True)]
    siblings = Siblings(source, None, flow=bool(node.style) or place.in_flow)
    names = [siblings.key(key) for key in keys]
    splices = _name_in_brackets(source, node, names) if node.style else _name_lines(source, place, node, names)
    return rewrite.finish(splices, rewrite.root(place.above, twin), node)


def _name_in_brackets(source: SourceText, node: Node, names: list[str]) -> list[Splice]:
    """A key for each item of a list in flow style; other brackets."""
    opening = content_start(source.text, node)
    splices = [Splice(opening, opening + 1, "{"), Splice(node.end.index - 1, node.end.index, "}")]
    for name, item in zip(names, node.items, strict=True):
        start = item.start.index
        if item.kind == "mapping" and source.text[content_start(source.text, item)] != "{":
            raise source.refusal("a single pair without brackets", item, "Write it as {key: value}.")
        splices.append(Splice(start, start, f"{name}: "))
    return splices


def _name_lines(source: SourceText, place: Location, node: Node, names: list[str]) -> list[Splice]:
    """A key for each item of a list in block style, and indentation for a list that is flush with its key."""
    shift = 0
    if place.above and place.above[-1].parent.kind == "mapping":
        key = place.above[-1].parent.pairs[place.above[-1].position][0]
        if source.column(source.head(node, 0)) <= key.start.column - 1:
            shift = source.style.mapping_step
    splices = [_name_item(source, node, position, name, shift) for position, name in enumerate(names)]
    return [*splices, *_indented(source, place, node, shift)] if shift else splices


def _name_item(source: SourceText, node: Node, position: int, name: str, shift: int) -> Splice:
    """A key in the place of a dash; a collection that starts beside the dash goes to the next line."""
    dash, item = source.head(node, position), node.items[position]
    start = item.start.index
    if start == item.end.index or source.line(start).start != source.line(dash).start:
        return Splice(dash, dash + 1, f"{name}:")
    if item.kind in ("mapping", "sequence") and not item.style:
        inner = content_start(source.text, item)
        if item.pairs:
            inner = item.pairs[0][0].start.index
        if source.line(inner).start == source.line(dash).start:
            indent = " " * (source.column(inner) + shift)
            return Splice(dash, inner, f"{name}:{source.line_break(dash)}{indent}")
    return Splice(dash, start, f"{name}: ")


def _indented(source: SourceText, place: Location, node: Node, shift: int) -> list[Splice]:
    """Blanks for the lines of a list, from behind its parent's key to its last leaf.

    Comments between the items move with them if they stand at the dashes or deeper; inside an item every line moves.
    """
    dash = source.column(source.head(node, 0))
    key = place.above[-1].parent.pairs[place.above[-1].position][0]
    spans = [(source.head(node, position), source.tail(node, position)) for position in range(len(node.items))]
    splices = []
    line, last, position = source.line(key.end.index).below, spans[-1][1], 0
    while line < last:
        content = source.text[line : source.line(line).end]
        blanks = len(content) - len(content.lstrip(" "))
        if spans[position][1] < line:
            position += 1
        in_item = spans[position][0] <= line + blanks
        if content and (in_item or (content[blanks:].startswith("#") and blanks >= dash)):
            splices.append(Splice(line, line, " " * shift))
        line = source.line(line).below
    return splices
