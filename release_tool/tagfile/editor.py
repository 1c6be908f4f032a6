"""`image_tag.yaml` on top of the byte-exact editor: what it says (tag_reader.py), and edits text -> text. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.errors import EditRefused
from release_tool.model import times
from release_tool.model.records import Change, Name, name_of
from release_tool.model.states import apply
from release_tool.model.versions import tag_part
from release_tool.tagfile.reader import KEYS, TagFile, keys_in, read, read_leniently
from release_tool.yamledit import edits
from release_tool.yamledit.parser import documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["KEYS", "TagFile", "edit", "keys_in", "read", "read_leniently"]


def edit(file: TagFile, changes: Iterable[Change]) -> TagFile:
    """The file after some changes, byte-exact: what they are not about keeps its bytes.

    Args:
        file: the file.
        changes: the changes, in order.

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
    state = apply(file.state, changes)
    return TagFile(file.path, text, state, file.is_list if is_list is None else is_list)


def _as_mapping(file: TagFile) -> TagFile:
    """The list as a mapping, in place, so that no name changes when an entry goes."""
    if not file.is_list:
        return file
    if not file.state.versions:
        return _made(file, edits.remove_entry(file.text, ("image", "tag")), is_list=False)
    text = edits.list_to_mapping(file.text, ("image", "tag"), list(file.state.versions))
    return _made(file, text, is_list=False)


def _put(text: str, section: str, name: Name, value: edits.Value) -> str:
    """An entry added to a section of `image`; missing parents are made."""
    root = documents(text)[:1]
    image = root[0].get("image") if root and root[0] is not None else None
    if image is None:
        return edits.add_entry(text, (), {section: {name: value}}, "image")
    if image.get(section) is None:
        return edits.add_entry(text, ("image",), {name: value}, section)
    return edits.add_entry(text, ("image", section), value, name)


def _take(text: str, section: str, name: Name) -> str:
    """An entry removed from a section of `image`, and the section with it when nothing else stands in it.

    What stands above the first entry there was brought by the tool with that entry, and goes with it.
    """
    text = edits.remove_entry(text, ("image", section, name), first_block=edits.WHOLE_BLOCK)
    return _tidy(text, section)


def _own_lines(text: str, name: Name, tag: str) -> int:
    """How many lines of the comment block above an entry of `image.tag` are about that entry.

    Above the first entry a block may be about the whole list; what is about the entry begins with the line that names
    it, and ends at the entry.
    """
    lines = edits.comment_block(text, ("image", "tag", name)).splitlines()
    for index, line in enumerate(lines):
        words = {word.rstrip(".") for word in re.split(r"[^\w.-]+", line)}
        if not words.isdisjoint({name, tag_part(tag)}):
            return len(lines) - index
    return 0


def _tidy(text: str, section: str) -> str:
    """An empty section removed, unless somebody's comment would go with it."""
    root = documents(text)[0]
    image = root.get("image") if root is not None else None
    node = image.get(section) if image is not None else None
    if node is None or node.pairs or node.items:
        return text
    without = edits.remove_entry(text, ("image", section))
    return without if without.count("#") == text.count("#") else text


def _add(file: TagFile, change: Change) -> TagFile:
    if file.is_list and change.version == name_of(len(file.state.versions) + 1):
        return _made(file, edits.add_entry(file.text, ("image", "tag"), change.tag), change)
    file = _as_mapping(file)
    return _made(file, _put(file.text, "tag", change.version, change.tag), change)


def _set_default(file: TagFile, change: Change) -> TagFile:
    if file.state.written_default is not None:
        text = edits.set_value(file.text, ("image", "default"), change.version)
    else:
        image = documents(file.text)[0]
        has_key = image is not None and (section := image.get("image")) is not None and section.get("default")
        text = (
            edits.set_value(file.text, ("image", "default"), change.version)
            if has_key
            else edits.add_entry(file.text, ("image",), change.version, "default")
        )
    return _made(file, text, change)


def _unmarked(file: TagFile, name: Name) -> TagFile:
    """The file without the pin and the quarantine of a version that leaves `image.tag`."""
    text, state = file.text, file.state
    for section, marked in (("pinned", state.pinned), ("quarantined", state.quarantined)):
        if name in marked:
            text = _take(text, section, name)
    return TagFile(file.path, text, file.state, file.is_list)


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
    value: dict[str, edits.Value] = {"reason": change.reason}
    if change.until is not None:
        value["until"] = edits.Plain(change.until.isoformat())
    return _marked(file, "pinned", change, value, present=change.version in file.state.pinned)


def _quarantine(file: TagFile, change: Change) -> TagFile:
    if change.version not in file.state.versions:  # of a version that left: it stands in the record alone
        return file
    value: dict[str, edits.Value] = {"reason": change.reason}
    if change.since is not None:
        value["since"] = edits.Plain(times.timestamp(change.since))
    return _marked(file, "quarantined", change, value, present=change.version in file.state.quarantined)


def _marked(file: TagFile, section: str, change: Change, value: dict[str, edits.Value], *, present: bool) -> TagFile:
    text = edits.remove_entry(file.text, ("image", section, change.version)) if present else file.text
    return _made(file, _put(text, section, change.version, edits.Flow(value)), change)


def _unmark(section: str) -> Callable[[TagFile, Change], TagFile]:
    def edit_one(file: TagFile, change: Change) -> TagFile:
        marked = file.state.pinned if section == "pinned" else file.state.quarantined
        if change.version not in marked:  # a quarantine that outlived its version stands in the record alone
            return file
        return _made(file, _take(file.text, section, change.version), change)

    return edit_one


_EDITS: dict[str, Callable[[TagFile, Change], TagFile]] = {
    "add": _add,
    "set-default": _set_default,
    "retire": _retire,
    "restore": _restore,
    "remove": _remove,
    "pin": _pin,
    "unpin": _unmark("pinned"),
    "quarantine": _quarantine,
    "clear": _unmark("quarantined"),
    "supersede": lambda file, _: file,
}
