"""The record as `release check` reads it, and what is wrong with it, line by line.

Lines can be broken, doubled and misplaced; landed ones altered, deleted, and moved to an archive too early.

The rules are those of docs/explanation/concepts.md: once a line has landed it never changes; the order of the lines is
the order of landing; lines of versions long gone are moved to an archive, never dropped.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from release_tool.checks.findings import Finding
from release_tool.model import history
from release_tool.model.times import TOLERANCE, span, timestamp
from release_tool.model.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from release_tool.checks.environment import Held, Record, RecordLine
    from release_tool.config import Place
    from release_tool.model.records import Line, State

_NAMED = 3
"""So many operations are named in one finding."""

# -- the record alone -------------------------------------------------------------------------------------------------


def doubled(record: Record) -> Iterator[Finding]:
    """An operation that stands twice, archives included."""
    first: dict[str, RecordLine] = {}
    for entry in record.every:
        other = first.setdefault(entry.id, entry)
        if other is not entry:
            moved = other.path != entry.path and entry.path == record.path
            keep = "take it out here, for it was moved to the archive" if moved else "keep the one that landed first"
            yield Finding(entry.where, f"the operation {entry.id} stands twice, here and at {other.where}", keep)


def out_of_order(record: Record) -> Iterator[RecordLine]:
    """The lines whose `at` is before that of the line above; of one that stands twice the first counts."""
    readable = _firsts(entry for entry in record.entries if entry.line is not None)
    for above, entry in itertools.pairwise(readable):
        if above.line is not None and entry.line is not None and entry.line.at < above.line.at:
            yield entry


def _firsts(entries: Iterable[RecordLine]) -> list[RecordLine]:
    """The entries without those that repeat the id of one above."""
    found: dict[str, RecordLine] = {}
    for entry in entries:
        found.setdefault(entry.id or entry.raw, entry)
    return list(found.values())


def backwards(entry: RecordLine, place: Place) -> Finding:
    """The finding for one of those lines."""
    what = (
        f"`at` of the operation {entry.id} is before that of the line above: the order of the lines is that of landing"
    )
    return Finding(entry.where, what, f"`{place.command('sync')}` plans what has not landed again, and raises its `at`")


def ahead(
    record: Record, now: datetime, new: Iterable[RecordLine] | None = None
) -> tuple[list[RecordLine], list[RecordLine]]:
    """The lines that are dated in the future: nothing is planned before that time. Errors, and what has landed.

    A new line that `--force` planned as of the last landed one makes nothing worse: it counts with that.

    Args:
        new: the lines that have not landed; None where there is no step to judge, so that all are errors.
    """
    found = [one for one in record.entries if one.line is not None and one.line.at - now > TOLERANCE]
    if new is None:
        return found, []
    fresh = {one.number for one in new}
    limit = max((one.line.at for one in found if one.line is not None and one.number not in fresh), default=now)
    wrong = [one for one in found if one.line is not None and one.number in fresh and one.line.at > limit]
    numbers = {one.number for one in wrong}
    return wrong, [one for one in found if one.number not in numbers]


def from_the_future(entries: Sequence[RecordLine], now: datetime) -> Finding:
    """The finding for such lines, at the last of them: a revert of one above it would end in a conflict."""
    last = entries[-1]
    at = max(entry.line.at for entry in entries if entry.line is not None)
    which = f"operation {last.id} is dated"
    if len(entries) > 1:
        named, more = ", ".join(entry.id for entry in entries[:_NAMED]), len(entries) - _NAMED
        which = f"operations {named}{f' and {more} more' if more > 0 else ''} are dated up to"
    what = (
        f"the {which} {timestamp(at)}, {span(at - now)} after this machine's clock: "
        "every plan is made as of that time, so pins, quarantines and drains end too early"
    )
    hint = (
        "a line that has not landed: close its pull request, correct the clock that dated it, and run the operation "
        f"again; a landed one: revert the commit that `git log --oneline -S{last.id} -- {last.path}` names"
    )
    if len(entries) > 1:
        hint += ", the last one first, and check again: the lines above it come next"
    return Finding(last.where, what, hint)


# -- the step to it ---------------------------------------------------------------------------------------------------


def new_entries(before: Record, after: Record) -> list[RecordLine]:
    """The lines that `before` doesn't have, as far as they can be read; an altered one is not new."""
    known = {entry.id for entry in before.every}
    return [entry for entry in after.entries if entry.line is not None and entry.id not in known]


def landed(before: Record, after: Record, commit: str) -> Iterator[Finding]:
    """Landed lines that were altered or deleted, and lines that stand among them.

    Args:
        commit: the commit of `before`, for `git show`.
    """
    yield from _lost(before, after, commit)
    raws = {entry.raw for entry in before.entries}
    here = _firsts(entry for entry in after.entries if entry.raw in raws)
    there = {entry.raw: index for index, entry in enumerate(before.entries)}
    for above, entry in itertools.pairwise(here):
        if there[entry.raw] < there[above.raw]:
            what = f"the landed operation {entry.id} stands below one that landed after it"
            yield Finding(entry.where, what, _put_back(before.path, commit, "in the order that"))
            return
    last = here[-1].number if here else 0
    for entry in new_entries(before, after):
        if entry.number < last:
            what = f"the new operation {entry.id} stands above lines that have landed"
            yield Finding(entry.where, what, "move it below them; `release sync` makes a release branch again")


def reverted(before: Held, after: Held) -> tuple[RecordLine, ...]:
    """The operations that a revert takes back: the last lines are gone, and the file with them.

    A revert is what people reach for first, and is allowed: its operations are not proposed again, their names stay
    taken, and no line of the record tells of it. A line that is gone from the midst, or whose change still stands in
    the file, is another matter.
    """
    old, new = before.record, after.record
    stay = len(new.entries)
    same = [entry.raw for entry in old.entries[:stay]] == [entry.raw for entry in new.entries]
    archives = [entry.raw for entry in old.archived] == [entry.raw for entry in new.archived]
    if not same or not archives or stay >= len(old.entries):
        return ()
    if not new.entries and before.state == after.state:  # the record alone is gone: left behind by a rename, perhaps
        return ()
    told = set(history.by_hand(old.lines, before.state))
    if new.entries and not told.issuperset(history.by_hand(new.lines, after.state)):
        return ()
    return old.entries[stay:]


def taken_back(entries: Sequence[RecordLine], place: Place) -> Finding:
    """The warning about a revert."""
    ids = ", ".join(entry.id or "?" for entry in entries)
    what = f"a revert takes back what has landed ({ids}); it is not proposed again, and its names stay taken"
    hint = f"`{place.command('undo')}` would take the last operation back and keep the record of both"
    return Finding(entries[0].where, what, hint)


def _lost(before: Record, after: Record, commit: str) -> Iterator[Finding]:
    standing = {entry.raw for entry in (*after.entries, *after.archived)}
    kept = {entry.id for entry in before.every if entry.raw in standing}
    altered = {entry.id: entry for entry in after.every}
    numbers = {entry.number: entry for entry in after.entries}
    for entry in before.every:
        if entry.raw in standing or entry.id in kept:  # (of one that stood twice, one may go)
            continue
        named = f"the landed operation {entry.id} (line {entry.number} at {commit})"
        other = altered.get(entry.id)
        broken = numbers.get(entry.number)
        if other is None and broken is not None and broken.line is None and entry.path == before.path:
            other = broken
        where = entry.where if other is None else other.where
        word = "was deleted" if other is None else "was altered"
        yield Finding(where, f"{named} {word}: a landed line never changes", _put_back(entry.path, commit, "as"))


def _put_back(path: str, commit: str, how: str) -> str:
    undo = "`release undo ENV ID` takes an operation back" if how == "as" else ""
    return f"put it back, {how} `git show {commit}:{path}` has it" + (f"; {undo}" if undo else "")


def moved_too_early(before: Record, after: Record, state: State) -> Iterator[Finding]:
    """Lines that were moved to an archive although they still tell the present."""
    stood = {entry.raw for entry in before.entries}
    present = {(name, tag_part(tag)) for name, tag in (*state.versions.items(), *state.retired.items())}
    bad = history.quarantines(history.changes_of(_ordered(before, after)))
    for entry in after.archived:
        if entry.raw not in stood or entry.line is None:
            continue
        for change in history.changes_of([entry.line]):
            part = tag_part(change.tag)
            named = f"the operation {entry.id} was moved to an archive, and {change.version} ({part})"
            hint = f"move the line back to where it stood in {after.path}"
            if (change.version, part) in present:
                yield Finding(entry.where, f"{named} is still there", hint)
                break
            if part in bad:
                yield Finding(entry.where, f"{named} is quarantined without a later clear", hint)
                break


def _ordered(before: Record, after: Record) -> Sequence[Line]:
    """All lines in the order of landing: archives, what stood in the record, and what is new."""
    new = [entry.line for entry in new_entries(before, after) if entry.line is not None]
    return [*(entry.line for entry in before.every if entry.line is not None), *new]
