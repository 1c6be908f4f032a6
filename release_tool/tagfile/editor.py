"""Changes of `image_tag.yaml`, on top of the byte-exact editor: text -> text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import EditRefused
from release_tool.model import times
from release_tool.model.records import Change, Name, name_of
from release_tool.model.states import apply
from release_tool.model.versions import tag_part
from release_tool.tagfile.reader import TagFile, node_at
from release_tool.yamledit import edits
from release_tool.yamledit.comments import comments
from release_tool.yamledit.parser import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from release_tool.model.records import Pin, Quarantine
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
    state = apply(file.state, changes)
    return file._replace(text=text, state=state, is_list=file.is_list if is_list is None else is_list)


def _as_mapping(file: TagFile) -> TagFile:
    """The list as a mapping, in place, so that no name changes when an entry goes."""
    if not file.is_list:
        return file
    text = edits.list_to_mapping(file.text, file.at("tag"), list(file.state.versions))
    return _made(file, text, is_list=False)


def _node(text: str, path: tuple[str, ...]) -> Node | None:
    return node_at(parse(text), *path)


def _put(file: TagFile, section: str, name: Name, value: edits.Value) -> str:
    """An entry added to a section; missing parents are made."""
    path = file.at(section, name)
    while len(path) > 1 and _node(file.text, path[:-1]) is None:
        path, value = path[:-1], {path[-1]: value}
    return edits.add_entry(file.text, path[:-1], value, path[-1])


def _names(file: TagFile) -> dict[str, tuple[str, str]]:
    """By which words comments name each version: a block that names none stays where it is, a person wrote it there."""
    return {name: (name, tag_part(tag)) for name, tag in {**file.state.retired, **file.state.versions}.items()}


def _take(file: TagFile, section: str, name: Name) -> TagFile:
    """An entry removed from a section, and the section with it when nothing else stands in it."""
    text = edits.remove_entry(file.text, file.at(section, name), names=_names(file))
    return file._replace(text=_tidy(text, file.at(section)))


def _tidy(text: str, section: tuple[str, ...]) -> str:
    """An empty section removed, unless somebody's comment would go with it."""
    node = _node(text, section)
    if node is None or node.pairs or node.items:
        return text
    without = edits.remove_entry(text, section)
    return without if len(comments(without)) == len(comments(text)) else text


def _add(file: TagFile, change: Change) -> TagFile:
    if file.is_list and change.version == name_of(len(file.state.versions) + 1):
        return _made(file, edits.add_entry(file.text, file.at("tag"), change.tag), change)
    file = _as_mapping(file)
    return _made(file, _put(file, "tag", change.version, change.tag), change)


def _set_default(file: TagFile, change: Change) -> TagFile:
    if file.state.written_default is None and _node(file.text, file.at("default")) is None:
        text = edits.add_entry(file.text, file.at(), change.version, "default")
    else:
        text = edits.set_value(file.text, file.at("default"), change.version)
    return _made(file, text, change)


def _unmarked(file: TagFile, name: Name) -> TagFile:
    """The file without the pin and the quarantine of a version that leaves `tag`."""
    file = _take(file, "pinned", name) if name in file.state.pinned else file
    return _take(file, "quarantined", name) if name in file.state.quarantined else file


def _moved(file: TagFile, name: Name, section: str, to: str) -> str:
    return edits.move_entry(file.text, file.at(section, name), file.at(to, name), names=_names(file))


def _retire(file: TagFile, change: Change) -> TagFile:
    file = _unmarked(_as_mapping(file), change.version)
    return _made(file, _moved(file, change.version, "tag", "retired"), change)


def _deploy(file: TagFile, change: Change) -> TagFile:
    if change.version in file.state.versions:  # cleared before it landed: it comes without a route all the same
        return _retire(file, change)
    if change.version in file.state.retired:  # asked for again: the record tells until when
        return file
    file = _as_mapping(file)
    return _made(file, _put(file, "retired", change.version, change.tag), change)


def _restore(file: TagFile, change: Change) -> TagFile:
    if change.version not in file.state.retired:
        return _add(file, change)
    file = _as_mapping(file)
    return _made(file, _tidy(_moved(file, change.version, "retired", "tag"), file.at("retired")), change)


def _remove(file: TagFile, change: Change) -> TagFile:
    name = change.version
    if name in file.state.retired:
        return _made(file, _take(file, "retired", name).text, change)
    file = _unmarked(_as_mapping(file), name)
    return _made(file, edits.remove_entry(file.text, file.at("tag", name), names=_names(file)), change)


def _pin(file: TagFile, change: Change) -> TagFile:
    until = None if change.until is None else edits.Plain(change.until.isoformat())
    return _mark(file, "pinned", file.state.pinned, change, {"until": until})


def _unpin(file: TagFile, change: Change) -> TagFile:
    return _unmark(file, "pinned", file.state.pinned, change)


def _quarantine(file: TagFile, change: Change) -> TagFile:
    if change.version not in file.state.versions:  # of a version that left: it stands in the record alone
        return file
    since = None if change.since is None else edits.Plain(times.timestamp(change.since))
    return _mark(file, "quarantined", file.state.quarantined, change, {"since": since})


def _clear(file: TagFile, change: Change) -> TagFile:
    return _unmark(file, "quarantined", file.state.quarantined, change)


def _mark(
    file: TagFile,
    section: str,
    marked: Mapping[Name, Pin | Quarantine],
    change: Change,
    more: Mapping[str, edits.Plain | None],
) -> TagFile:
    """A pin or a quarantine; where the version has one, what differs is changed in it, and its comments stay."""
    name, fields = change.version, {"reason": change.reason, **more}
    if name not in marked:
        value = edits.Flow({key: text for key, text in fields.items() if text is not None})
        return _made(file, _put(file, section, name, value), change)
    text = file.text
    for key, new in fields.items():
        path = file.at(section, name, key)
        if getattr(marked[name], key) == getattr(change, key):
            continue
        if new is None:
            text = edits.remove_entry(text, path, keep_comments=True)
        elif _node(text, path) is None:
            text = edits.add_entry(text, path[:-1], new, key)
        else:
            text = edits.set_value(text, path, new)
    return _made(file, text, change)


def _unmark(file: TagFile, section: str, marked: Mapping[Name, object], change: Change) -> TagFile:
    if change.version not in marked:  # a quarantine that outlived its version stands in the record alone
        return file
    return _made(file, _take(file, section, change.version).text, change)


_EDITS: dict[str, Callable[[TagFile, Change], TagFile]] = {
    "add": _add,
    "set-default": _set_default,
    "retire": _retire,
    "deploy": _deploy,
    "restore": _restore,
    "remove": _remove,
    "pin": _pin,
    "unpin": _unpin,
    "quarantine": _quarantine,
    "clear": _clear,
    "supersede": lambda file, _: file,
}
