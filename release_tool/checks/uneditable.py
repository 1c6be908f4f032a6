"""Entries of `image_tag.yaml` that an operation refuses to move one day: shared anchors, `? key`, and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool import tagfile
from release_tool.checks.findings import Finding
from release_tool.errors import EditRefused, ReleaseError
from release_tool.model.records import Change, name_of
from release_tool.tagfile.reader import node_at
from release_tool.yamledit.parser import parse
from release_tool.yamledit.tree import YamlError, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from release_tool.checks.environment import Held
    from release_tool.yamledit.tree import Node

_SECTIONS = ("tag", "retired", "pinned", "quarantined")

_TRIED = 50
"""So many edits are tried: each one reads the whole file."""


def uneditable(held: Held) -> Iterator[Finding]:
    """What shares its text with another place; and whatever else the editor refuses when it is tried."""
    told = set()
    for one in _anchors(held):
        told.add(one.where.rpartition(":")[0])
        yield one
    for refused in _refusals(held):
        line = f"{held.place.tag_file}:{refused.line}"
        if line not in told:
            told.add(line)
            what = f"an operation that changes what stands here is refused: {refused.reason}"
            yield Finding(f"{line}:{refused.column}", what, refused.hint)


def _refusals(held: Held) -> Iterator[EditRefused]:
    """Each version unmarked, retired or removed, and made the default, for a trial."""
    try:
        file = tagfile.read(held.tags, held.place.tag_file, key=held.place.key)
    except ReleaseError:  # told elsewhere
        return
    state, live = file.state, file.state.versions
    # What is tried is one edit of the text as it stands, so that the lines of its refusals are those of the file.
    bare = file._replace(state=state._replace(pinned={}, quarantined={}))
    tried = [
        *[(bare, Change("set-default", name, tag, "")) for name, tag in live.items() if name != state.default][:1],
        *((file, Change("unpin", name, live[name], "")) for name in state.pinned),
        *((file, Change("clear", name, live[name], "")) for name in state.quarantined),
        *((bare, Change("retire", name, tag, "")) for name, tag in live.items()),
        *((bare, Change("remove", name, tag, "")) for name, tag in state.retired.items()),
    ]
    for before, change in tried[:_TRIED]:
        try:
            tagfile.edit(before, [change])
        except EditRefused as refused:
            yield refused


def _anchors(held: Held) -> Iterator[Finding]:
    """Anchors of versions that are used elsewhere, and tags that are aliases."""
    try:
        root = parse(held.tags) if "*" in held.tags else None
    except YamlError:
        return
    uses: dict[int, list[Node]] = {}
    for node in walk([root] if root else []):
        if node.kind == "alias":
            uses.setdefault(id(node.target), []).append(node)
    way = held.place.key.split(".")
    image = node_at(root, *way) if uses else None
    if root is None or image is None:
        return
    yield from _keys(held, root, image)
    keys = {id(name) for node in walk([root]) for name, _ in node.pairs}  # `_keys` tells of these
    above = [way[:end] for end in range(1, len(way) + 1)]
    for path in [*above, *([*way, section] for section in _SECTIONS)]:
        part = node_at(root, *path)
        if part is None:
            continue
        lines = [one.start.line for one in uses.get(id(part), ()) if id(one) not in keys]
        if lines:
            what = f"line {min(lines)} repeats {'.'.join(path)} by the anchor &{part.anchor}"
            hint = "write it out there, and take the anchor away"
            yield _finding(held, part, f"{what}: every operation changes it there, too", hint)
        if path in above:
            continue
        pairs = [(key.value, [key, value]) for key, value in part.pairs]
        for name, inside in pairs or [(name_of(number), [item]) for number, item in enumerate(part.items, 1)]:
            yield from _entry(held, name, inside, uses)


def _keys(held: Held, root: Node, image: Node) -> Iterator[Finding]:
    """Keys that are aliases of what operations change: an edit that would rename a key is refused."""
    where = held.place.key
    parts = {id(image.get(name)): f"{where}.{name}" for name in ("default", *_SECTIONS)} | {id(image): where}
    for key in (key for node in walk([root]) for key, _ in node.pairs):
        if key.kind == "alias" and id(key.target) in parts:
            what = f"this key is the alias *{key.value} of {parts[id(key.target)]}: no operation can change that"
            yield _finding(held, key, what, "write the key out here")


def _entry(held: Held, name: str, entry: list[Node], uses: Mapping[int, Sequence[Node]]) -> Iterator[Finding]:
    inside = list(walk(entry))
    own = {id(node) for node in inside}
    for node in inside:
        lines = [use.start.line for use in uses.get(id(node), ()) if id(use) not in own]
        if lines:
            what = f"{name} holds the anchor &{node.anchor}, which line {min(lines)} uses: no operation can retire or"
            yield _finding(held, node, f"{what} remove it", f"write the value out in line {min(lines)}")
    tag = entry[-1]
    if tag.kind == "alias" and tag.target is not None:
        what = (
            f"the tag of {name} is the alias *{tag.value} of line {tag.target.start.line}: what changes there changes"
        )
        yield _finding(held, tag, f"{what} {name}, and it can't move above that line", f"write {tag.target.value} here")


def _finding(held: Held, node: Node, what: str, hint: str) -> Finding:
    return Finding(f"{held.place.tag_file}:{node.start.line}:{node.start.column}", what, hint)
