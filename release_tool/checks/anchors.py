"""Entries of `image_tag.yaml` that share their text with another place: one day an operation refuses to move them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.checks.findings import Finding
from release_tool.model.records import name_of
from release_tool.yamledit.parser import parse
from release_tool.yamledit.tree import YamlError, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.checks.environment import Held
    from release_tool.yamledit.tree import Node

_SECTIONS = ("tag", "retired", "pinned", "quarantined")


def anchors(held: Held) -> Iterator[Finding]:
    """Anchors of versions that are used elsewhere, and tags that are aliases."""
    try:
        root = parse(held.tags) if "*" in held.tags else None
    except YamlError:
        return
    uses = {id(node.target): node for node in walk([root] if root else []) if node.kind == "alias"}
    image = root.get("image") if root and uses else None
    for section in _SECTIONS if image else ():
        node = image.get(section) if image else None
        if node is None:
            continue
        if id(node) in uses:
            what = f"line {uses[id(node)].start.line} repeats image.{section} by the anchor &{node.anchor}"
            hint = "write it out there, and take the anchor away"
            yield _finding(held, node, f"{what}: every operation changes it there, too", hint)
        pairs = [(key.value, [key, value]) for key, value in node.pairs]
        for name, inside in pairs or [(name_of(number), [item]) for number, item in enumerate(node.items, 1)]:
            yield from _entry(held, name, inside, uses)


def _entry(held: Held, name: str, entry: list[Node], uses: Mapping[int, Node]) -> Iterator[Finding]:
    inside = list(walk(entry))
    own = {id(node) for node in inside}
    for node in inside:
        use = uses.get(id(node))
        if use is not None and id(use) not in own:
            what = (
                f"{name} holds the anchor &{node.anchor}, which line {use.start.line} uses: no operation can retire or"
            )
            yield _finding(held, node, f"{what} remove it", f"write the value out in line {use.start.line}")
    tag = entry[-1]
    if tag.kind == "alias" and tag.target is not None:
        what = (
            f"the tag of {name} is the alias *{tag.value} of line {tag.target.start.line}: what changes there changes"
        )
        yield _finding(held, tag, f"{what} {name}, and it can't move above that line", f"write {tag.target.value} here")


def _finding(held: Held, node: Node, what: str, hint: str) -> Finding:
    return Finding(f"{held.place.tag_file}:{node.start.line}:{node.start.column}", what, hint)
