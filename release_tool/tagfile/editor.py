"""Changes of `image_tag.yaml`, on top of the byte-exact editor: text -> text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.errors import EditRefused
from release_tool.model import times
from release_tool.model.records import Change, Name, name_of
from release_tool.model.states import apply
from release_tool.model.versions import tag_part
from release_tool.tagfile.reader import TagFile
from release_tool.yamledit import edits
from release_tool.yamledit.parser import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from release_tool.yamledit.tree import Node


def edit(file: TagFile, changes: Iterable[Change]) -> TagFile:
    """The file after some changes, in order and byte-exact: what they are not about keeps its bytes.

    Raises:
        EditRefused: a change can't be made safely, with its place in the file.
    """
    try:
        for change in changes:
            file = _EDITS[change.action](file, change)
    except EditRefused as refusal:
        raise refusal.in_file(file.path) from None
    return file


def _made(file: TagFile, text: str, *changes: Change, is_list: bool | None = None) -> TagFile:
    return TagFile(file.path, text, apply(file.state, changes), file.is_list if is_list is None else is_list)


def _as_mapping(file: TagFile) -> TagFile:
    """The list as a mapping, in place, so that no name changes when an entry goes."""
    if not file.is_list:
        return file
    if not file.state.versions:
        return _made(file, edits.remove_entry(file.text, ("image", "tag")), is_list=False)
    text = edits.list_to_mapping(file.text, ("image", "tag"), list(file.state.versions))
    return _made(file, text, is_list=False)


def _node(text: str, *keys: str) -> Node | None:
    node = parse(text)
    for key in keys:
        node = None if node is None else node.get(key)
    return node


def _put(text: str, section: str, name: Name, value: edits.Value) -> str:
    """An entry added to a section of `image`; missing parents are made."""
    if _node(text, "image") is None:
        return edits.add_entry(text, (), {section: {name: value}}, "image")
    if _node(text, "image", section) is None:
        return edits.add_entry(text, ("image",), {name: value}, section)
    return edits.add_entry(text, ("image", section), value, name)


def _take(text: str, section: str, name: Name) -> str:
    """An entry removed from a section of `image`, and the section with it when nothing else stands in it."""
    # What stands above the first entry there was brought by the tool with that entry, and goes with it.
    text = edits.remove_entry(text, ("image", section, name), first_block=edits.WHOLE_BLOCK)
    return _tidy(text, section)


def _tidy(text: str, section: str) -> str:
    """An empty section removed, unless somebody's comment would go with it."""
    node = _node(text, "image", section)
    if node is None or node.pairs or node.items:
        return text
    without = edits.remove_entry(text, ("image", section))
    return without if without.count("#") == text.count("#") else text


def _own_lines(text: str, name: Name, tag: str) -> int:
    """How many lines of the comment block above an entry of `image.tag` are about that entry."""
    # Above the first entry a block may be about the whole list; what is about the entry begins with the line that
    # names it, and ends at the entry.
    lines = edits.comment_block(text, ("image", "tag", name)).splitlines()
    for index, line in enumerate(lines):
        words = {word.rstrip(".") for word in re.split(r"[^\w.-]+", line)}
        if not words.isdisjoint({name, tag_part(tag)}):
            return len(lines) - index
    return 0


def _add(file: TagFile, change: Change) -> TagFile:
    if file.is_list and change.version == name_of(len(file.state.versions) + 1):
        return _made(file, edits.add_entry(file.text, ("image", "tag"), change.tag), change)
    file = _as_mapping(file)
    return _made(file, _put(file.text, "tag", change.version, change.tag), change)


def _set_default(file: TagFile, change: Change) -> TagFile:
    if file.state.written_default is None and _node(file.text, "image", "default") is None:
        text = edits.add_entry(file.text, ("image",), change.version, "default")
    else:
        text = edits.set_value(file.text, ("image", "default"), change.version)
    return _made(file, text, change)


def _unmarked(file: TagFile, name: Name) -> TagFile:
    """The file without the pin and the quarantine of a version that leaves `image.tag`."""
    text = _take(file.text, "pinned", name) if name in file.state.pinned else file.text
    text = _take(text, "quarantined", name) if name in file.state.quarantined else text
    return file._replace(text=text)


def _retire(file: TagFile, change: Change) -> TagFile:
    name = change.version
    file = _unmarked(_as_mapping(file), name)
    own = _own_lines(file.text, name, change.tag)
    paths = ("image", "tag", name), ("image", "retired", name)
    return _made(file, edits.move_entry(file.text, *paths, first_block=own), change)


def _restore(file: TagFile, change: Change) -> TagFile:
    name = change.version
    if name not in file.state.retired:
        return _add(file, change)
    file = _as_mapping(file)
    text = edits.move_entry(
        file.text, ("image", "retired", name), ("image", "tag", name), first_block=edits.WHOLE_BLOCK
    )
    return _made(file, _tidy(text, "retired"), change)


def _remove(file: TagFile, change: Change) -> TagFile:
    name = change.version
    if name in file.state.retired:
        return _made(file, _take(file.text, "retired", name), change)
    file = _unmarked(_as_mapping(file), name)
    own = _own_lines(file.text, name, change.tag)
    return _made(file, edits.remove_entry(file.text, ("image", "tag", name), first_block=own), change)


def _pin(file: TagFile, change: Change) -> TagFile:
    more = {} if change.until is None else {"until": edits.Plain(change.until.isoformat())}
    return _mark(file, "pinned", file.state.pinned, change, more)


def _unpin(file: TagFile, change: Change) -> TagFile:
    return _unmark(file, "pinned", file.state.pinned, change)


def _quarantine(file: TagFile, change: Change) -> TagFile:
    if change.version not in file.state.versions:  # of a version that left: it stands in the record alone
        return file
    more = {} if change.since is None else {"since": edits.Plain(times.timestamp(change.since))}
    return _mark(file, "quarantined", file.state.quarantined, change, more)


def _clear(file: TagFile, change: Change) -> TagFile:
    return _unmark(file, "quarantined", file.state.quarantined, change)


def _mark(
    file: TagFile, section: str, marked: Mapping[Name, object], change: Change, more: Mapping[str, edits.Plain]
) -> TagFile:
    """A pin or a quarantine, in the place of the one that the version has."""
    name = change.version
    text = edits.remove_entry(file.text, ("image", section, name)) if name in marked else file.text
    return _made(file, _put(text, section, name, edits.Flow({"reason": change.reason, **more})), change)


def _unmark(file: TagFile, section: str, marked: Mapping[Name, object], change: Change) -> TagFile:
    if change.version not in marked:  # a quarantine that outlived its version stands in the record alone
        return file
    return _made(file, _take(file.text, section, change.version), change)


_EDITS: dict[str, Callable[[TagFile, Change], TagFile]] = {
    "add": _add,
    "set-default": _set_default,
    "retire": _retire,
    "restore": _restore,
    "remove": _remove,
    "pin": _pin,
    "unpin": _unpin,
    "quarantine": _quarantine,
    "clear": _clear,
    "supersede": lambda file, _: file,
}
