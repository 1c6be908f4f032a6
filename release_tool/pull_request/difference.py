"""The rendered difference, object by object, as far as there is room."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from release_tool.manifests import object_difference
from release_tool.pull_request.markdown import (
    Markup,
    block,
    folded,
    join,
    plain,
    tame,
    units,
    within_share,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.manifests import ObjectChange
    from release_tool.pull_request.proposal import Proposed

_LISTED = 40  # objects that are named
_LARGEST = 12_000  # of one object, so that a large one leaves some room for the others
_LEAST = 800  # no object is begun in less: its title may be long
_ENDING = 60  # the line that tells how many objects found no room
_FRAME = 160  # what stands around the lines of an object
_FIRST = ("VirtualService", "DestinationRule", "Deployment")
"""What a reviewer looks for; the others follow in the order of the rendering."""


def difference(proposed: Proposed, room: int) -> list[Markup]:
    """The difference of the manifests, in at most `room` UTF-16 code units."""
    if proposed.manifests is None:
        return []
    if not proposed.manifests:
        return []  # the first screen says that no rendered object changes
    objects = sorted(proposed.manifests, key=_importance)
    names = within_share([Markup(f"- {_title(one)}") for one in objects], _LISTED)
    more = [Markup(f"- … and {len(objects) - len(names)} more")] if len(objects) > len(names) else []
    title, inventory, where = f"Manifests: {_counts(objects)}", join("\n", [*names, *more]), _where(proposed)
    room -= units(folded(title, where, inventory)) + 2
    return [folded(title, where, inventory, *_objects(objects, room))]


def _objects(objects: Sequence[ObjectChange], room: int) -> Iterator[Markup]:
    for number, one in enumerate(objects):
        if room < _LEAST + _ENDING:
            yield Markup(f"… and {len(objects) - number} more objects.")
            return
        part = _one(one, min(room - _ENDING, _LARGEST))
        room -= units(part) + 2
        yield part


def _one(change: ObjectChange, room: int) -> Markup:
    """One object, folded, with as many lines as there is room for."""
    title = _title(change)
    lines = tame(object_difference(change)).splitlines(keepends=True)
    room -= units(title) + _FRAME
    shown = 0
    while shown < len(lines) and units(lines[shown]) <= room:
        room -= units(lines[shown])
        shown += 1
    more = f" (cut here: {len(lines) - shown} more lines)" if shown < len(lines) else ""
    return folded(title + more, block("diff", "".join(lines[:shown])))


def _importance(change: ObjectChange) -> int:
    return _FIRST.index(change.key.kind) if change.key.kind in _FIRST else len(_FIRST)


def _title(change: ObjectChange) -> Markup:
    return Markup(f"{plain(change.action)} {plain(str(change.key))}")


def _counts(changes: Sequence[ObjectChange]) -> str:
    counts = Counter(change.action for change in changes)
    return ", ".join(f"{count} {action}" for action, count in counts.items())


def _where(proposed: Proposed) -> Markup:
    """Where all of it is."""
    ref = ["--ref", proposed.branch] if proposed.branch else []
    command = proposed.place.command("diff", *ref)
    return Markup(f"The whole of it: `{command}`, or the artifacts of the job that made this pull request.")
