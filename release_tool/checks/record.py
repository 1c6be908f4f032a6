"""The record as `release check` reads it, and what is wrong with it, line by line.

Lines can be broken, doubled and misplaced; landed ones altered, deleted, and moved to an archive too early.

The rules are those of docs/concepts.md: once a line has landed it never changes; the order of the lines is the order of
landing; lines of versions long gone are moved to an archive, never dropped.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from release_tool.checks.findings import Finding, findings_of
from release_tool.errors import ReleaseError
from release_tool.model import history
from release_tool.model.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from release_tool.checks.environment import Held
    from release_tool.config import Place
    from release_tool.model.records import Line, State

_TOLD = 20
"""So many broken lines of a file are told one by one."""

_MARKERS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")


class Entry(NamedTuple):
    """One line of a record or of an archive.

    Attributes:
        path: the file.
        number: the line, counted from 1.
        raw: its text; without its line end, for git may write that either way.
        line: what it says; None where it can't be read.
    """

    path: str
    number: int
    raw: str
    line: Line | None

    @property
    def where(self) -> str:
        """File and line."""
        return f"{self.path}:{self.number}"

    @property
    def id(self) -> str:
        """The id of its operation; empty where it can't be read."""
        return "" if self.line is None else self.line.id


class Record(NamedTuple):
    """The record of one environment.

    Attributes:
        path: `history.jsonl`.
        entries: its lines, in order.
        archived: those of the archives, by file.
        broken: the lines that can't be read, each with its finding.
    """

    path: str
    entries: tuple[Entry, ...] = ()
    archived: tuple[Entry, ...] = ()
    broken: tuple[Finding, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of `history.jsonl` that can be read."""
        return tuple(entry.line for entry in self.entries if entry.line is not None)

    @property
    def every(self) -> tuple[Entry, ...]:
        """All lines that can be read, those of the archives first."""
        return tuple(entry for entry in (*self.archived, *self.entries) if entry.line is not None)


def read(path: str, text: str, archives: Mapping[str, str]) -> Record:
    """The record of one environment, each line for itself, so that a broken one hides no other.

    Args:
        text: its text; empty for none.
        archives: path -> text of the old lines.
    """
    entries, broken = _entries(text, path)
    archived: list[Entry] = []
    for where, old in archives.items():
        found, wrong = _entries(old, where)
        archived += found
        broken += wrong
    return Record(path, tuple(entries), tuple(archived), tuple(broken))


def _entries(text: str, path: str) -> tuple[list[Entry], list[Finding]]:
    raws = [(number, raw.rstrip("\r")) for number, raw in enumerate(text.split("\n"), start=1) if raw.strip()]
    try:
        lines = history.parse(text, path)
    except ReleaseError:
        return _one_by_one(raws, path)
    return [Entry(path, number, raw, line) for (number, raw), line in zip(raws, lines, strict=True)], []


def _one_by_one(raws: Iterable[tuple[int, str]], path: str) -> tuple[list[Entry], list[Finding]]:
    entries: list[Entry] = []
    broken: list[Finding] = []
    marked, more = False, 0
    for number, raw in raws:
        if raw.startswith(_MARKERS):
            broken += [] if marked else [_conflict(f"{path}:{number}")]
            marked = True
            continue
        line = _line_of(raw, path)
        entries.append(Entry(path, number, raw, line))
        if line is None and len(broken) >= _TOLD:
            more += 1
        elif line is None:
            broken += _why(raw, number, path)
    if more:
        broken.append(
            Finding(path, f"{more} more lines of this file can't be read", f"`git log -p -- {path}` shows who")
        )
    return entries, broken


def _conflict(where: str) -> Finding:
    hint = "`release sync` makes a release branch again; elsewhere keep the lines of the base, and take the markers out"
    return Finding(where, "a conflict marker was left behind", hint)


def _line_of(raw: str, path: str) -> Line | None:
    try:
        return history.parse(raw, path)[0]
    except ReleaseError:
        return None


def _why(raw: str, number: int, path: str) -> list[Finding]:
    """Why a line can't be read: read once more with lines above it, for its number in the message."""
    try:
        history.parse("\n" * (number - 1) + raw, path)
    except ReleaseError as error:
        return list(findings_of(error))
    return []


# -- the record alone -------------------------------------------------------------------------------------------------


def doubled(record: Record) -> Iterator[Finding]:
    """An operation that stands twice, archives included."""
    first: dict[str, Entry] = {}
    for entry in record.every:
        other = first.setdefault(entry.id, entry)
        if other is not entry:
            moved = other.path != entry.path and entry.path == record.path
            keep = "take it out here, for it was moved to the archive" if moved else "keep the one that landed first"
            yield Finding(entry.where, f"the operation {entry.id} stands twice, here and at {other.where}", keep)


def out_of_order(record: Record) -> Iterator[Entry]:
    """The lines whose `at` is before that of the line above; of one that stands twice the first counts."""
    readable = _firsts(entry for entry in record.entries if entry.line is not None)
    for above, entry in itertools.pairwise(readable):
        if above.line is not None and entry.line is not None and entry.line.at < above.line.at:
            yield entry


def _firsts(entries: Iterable[Entry]) -> list[Entry]:
    """The entries without those that repeat the id of one above."""
    found: dict[str, Entry] = {}
    for entry in entries:
        found.setdefault(entry.id or entry.raw, entry)
    return list(found.values())


def backwards(entry: Entry, place: Place) -> Finding:
    """The finding for one of those lines."""
    what = (
        f"`at` of the operation {entry.id} is before that of the line above: the order of the lines is that of landing"
    )
    return Finding(entry.where, what, f"`{place.command('sync')}` plans what has not landed again, and raises its `at`")


# -- the step to it ---------------------------------------------------------------------------------------------------


def new_entries(before: Record, after: Record) -> list[Entry]:
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


def reverted(before: Held, after: Held) -> tuple[Entry, ...]:
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
    told = set(history.by_hand(old.lines, before.state))
    if new.entries and not told.issuperset(history.by_hand(new.lines, after.state)):
        return ()
    return old.entries[stay:]


def taken_back(entries: Sequence[Entry], place: Place) -> Finding:
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
    bad = history.quarantined_tags(history.changes_of(_ordered(before, after)))
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
