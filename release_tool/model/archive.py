"""Old lines of the record: which ones tell only of versions long gone, and their way to an archive.

Such lines are moved to `history/<year>.jsonl`, never dropped. What is left tells the same about everything that is
still there: the state that the record gives, the tags in quarantine, the former defaults and the ages of versions.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from release_tool.model import history
from release_tool.model.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from release_tool.model.records import Change, Line, Name, State

AFTER = timedelta(days=365)
"""A line younger than this stays, whatever it tells."""

_BRINGS = frozenset({"add", "deploy", "restore"})


def movable(lines: Sequence[Line], state: State, now: datetime, *, after: timedelta = AFTER) -> frozenset[str]:
    """The ids of the lines that may be moved to an archive; `state` is the one after the operation that moves them.

    A line stays if it is young; if it tells of a version that is still there, or of a tag that is still quarantined; or
    if without the line those that stay would bring back what is gone: the line that adds a version needs the one that
    removes the version.
    """
    told = _read(lines)
    needed = {*state.versions, *state.retired, *told.here, *told.sticky}
    tags = {tag_part(tag) for tag in (*state.versions.values(), *state.retired.values())} | told.quarantined
    stay = [number for number, line in enumerate(lines) if now - line.at <= after or _tells_of(line, needed, tags)]
    seen = set(stay)
    while stay:
        for change in _changes(lines[stay.pop()]):
            number = _undone_by(change, told)
            if number is not None and number not in seen:
                seen.add(number)
                stay.append(number)
    return frozenset(line.id for number, line in enumerate(lines) if number not in seen)


class _Told(NamedTuple):
    """What all the lines tell."""

    here: set[Name]  # the names that are there after the last line
    # names whose lines all stay, or a default of the past would come back: that of the default that was set last, and
    # those that were made the default while they were not there
    sticky: set[Name]
    removed: dict[Name, int]  # name -> number of the last line that removes it
    cleared: dict[str, int]  # tag part -> number of the last line that clears its quarantine
    quarantined: frozenset[str]  # the tag parts whose quarantine was not cleared


def _read(lines: Sequence[Line]) -> _Told:
    """One pass over the lines, by the rules of `states.apply`, as far as they matter for what may be moved."""
    live: set[Name] = set()
    told = _Told(set(), set(), {}, {}, frozenset(history.quarantines(history.changes_of(lines))))
    default: Name | None = None
    for number, line in enumerate(lines):
        for action, name, tag, *_ in _changes(line):
            if action in _BRINGS:
                told.here.add(name)
                (live.discard if action == "deploy" else live.add)(name)
            elif action == "retire":
                live.discard(name)
            elif action == "remove":
                live.discard(name)
                told.here.discard(name)
                told.removed[name] = number
            elif action == "set-default":
                if name in live:
                    default = name
                else:
                    told.sticky.add(name)
            elif action == "clear":
                told.cleared[tag_part(tag)] = number
    if default is not None:
        told.sticky.add(default)
    return told


def _changes(line: Line) -> tuple[Change, ...]:
    return (*line.adopted, *line.changes)


def _tells_of(line: Line, names: Collection[Name], tags: Collection[str]) -> bool:
    """Whether a line is about one of some versions; the digest of an image stands beside the tag that was asked for."""
    if tag_part(line.intent.tag) in tags:
        return True
    return any(
        change.version in names or change.before in names or tag_part(change.tag) in tags for change in _changes(line)
    )


def _undone_by(change: Change, told: _Told) -> int | None:
    """The number of the line that must stay if a change stays; None where it needs none."""
    if change.action in _BRINGS:
        return told.removed.get(change.version)
    return told.cleared.get(tag_part(change.tag)) if change.action == "quarantine" else None


# -- texts ------------------------------------------------------------------------------------------------------------


def split(text: str, path: str, ids: Collection[str]) -> tuple[str, dict[int, str]]:
    """Cut the lines with some ids out of a record, which keeps its other bytes.

    Returns the record, and per year (of the line's time, UTC) the lines that were cut, each with its end.
    """
    lines = iter(history.parse(text, path))
    stay: list[str] = []
    moved: dict[int, list[str]] = {}
    for raw in _raw_lines(text):
        line = next(lines) if raw.strip() else None
        if line is None or line.id not in ids:
            stay.append(raw)
        else:
            moved.setdefault(line.at.year, []).append(_ended(raw))
    return "".join(stay), {year: "".join(cut) for year, cut in moved.items()}


def joined(existing: str, moved: str) -> str:
    """An archive with lines added at its end, but for those that the archive holds already."""
    held = {raw.strip() for raw in _raw_lines(existing)}
    added = "".join(raw for raw in _raw_lines(moved) if raw.strip() not in held)
    return _ended(existing) + added if existing and added else existing + added


def _raw_lines(text: str) -> list[str]:
    """The lines of a text with their ends; only a line feed ends one, as for whoever reads the record."""
    *ended, last = text.split("\n")
    return [*(f"{raw}\n" for raw in ended), *([last] if last else [])]


def _ended(raw: str) -> str:
    return raw if raw.endswith("\n") else raw + "\n"
