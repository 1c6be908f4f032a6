"""Finds the line of a values file that a chart refuses: the chart doesn't know which file a value comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.errors import BadValue, ValuesRefused
from release_tool.model.versions import tag_part
from release_tool.tagfile import read_leniently
from release_tool.yamledit.data import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KEYS = re.compile(r"\b[A-Za-z]\w*(?:\.\w+)+")
_ADDITIONAL = re.compile(r"additional propert(?:y|ies) (.*) not allowed")


def located(error: ValuesRefused, files: Sequence[tuple[str, str]], key: str) -> ValuesRefused:
    """The same refusal, with the places of the values in their files as far as they can be told.

    Args:
        error: the chart's words.
        files: path and text of each values file, the one that is laid over all others first.
        key: `versions.key`.
    """
    values = [one for value in error.values for one in _located(value, files, key)]
    where = next((value.where for value in values if value.where), error.where)
    if where == error.where:
        return error
    cause = error.cause or f"{error.where} says so"
    return ValuesRefused(error.what, values, where=where, cause=cause, hint="correct it there, or correct the chart")


def _located(value: BadValue, files: Sequence[tuple[str, str]], key: str) -> Iterator[BadValue]:
    if value.pointer is None:
        yield value._replace(where=_mentioned(value.what, files, key))
        return
    steps = [step.replace("~1", "/").replace("~0", "~") for step in value.pointer.split("/")[1:]]
    parts = key.split(".")
    if steps and steps[0] in parts:  # the schema of a subchart knows nothing of what is above it
        steps = [*parts[: parts.index(steps[0])], *steps]
    added = _ADDITIONAL.search(value.what)
    for name in re.findall(r"'([^']*)'", added[1]) if added else []:
        path = [*steps, name]
        yield BadValue(value.pointer, f"{'.'.join(path)}: there is no such key", _place(files, path, key=True))
    if not added:
        named = f"{'.'.join(steps)}: {value.what}" if steps else value.what
        yield BadValue(value.pointer, named, _place(files, steps))


def _place(files: Sequence[tuple[str, str]], path: Sequence[str], *, key: bool = False) -> str:
    for name, text in files:
        found = place_of(text, path, key=key)
        if found is not None:
            return f"{name}:{found[0]}:{found[1]}"
    return ""


def _mentioned(what: str, files: Sequence[tuple[str, str]], key: str) -> str:
    """The place of what a sentence speaks of: a tag or the name of a version, the longest one; else a key."""
    words = {word for found in re.findall(r"[\w.-]+", what) for word in (found, found.rstrip("."))}
    spoken = [
        (len(word), name, path)
        for name, text in files
        for path, *both in _versions(text, key)
        for word in both
        if word in words
    ]
    if spoken:
        _, name, path = max(spoken, key=lambda found: found[0])
        return _place([file for file in files if file[0] == name], path)
    places = (_place(files, word.split(".")) for word in _KEYS.findall(what))
    return next((place for place in places if place), "")


def _versions(text: str, key: str) -> Iterator[tuple[list[str], str, str]]:
    """The versions of a file: path, name, tag."""
    state, parts = read_leniently(text, key), key.split(".")
    for section, versions in (("tag", state.versions), ("retired", state.retired)):
        for position, (name, tag) in enumerate(versions.items()):
            in_list = place_of(text, [*parts, section, name]) is None
            yield [*parts, section, str(position) if in_list else name], name, tag_part(tag)
