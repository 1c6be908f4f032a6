"""What the history of the base branch tells a plan: ages from landing, and all names ever given."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from release_tool import history, tag_file
from release_tool.operations import Names
from release_tool.records import CommitId, Line, Name, State, Tag, name_number
from release_tool.retention import Facts
from release_tool.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from release_tool.config import Place, Retention
    from release_tool.publishing.snapshot import Files, Snapshot
    from release_tool.repository import Repository

    # When the pull request that became a commit was merged, where the forge knows it: `Forge.landed_at`.
    MergedAt = Callable[[CommitId], datetime | None]

Entry = tuple[str, Name]
"""A section (`versions`: live, `quarantined`, `retired`) and a name."""

_CLOCKS_DIFFER = timedelta(days=1)  # how far the clocks of people and of CI may be apart when history is fetched


class Landed(NamedTuple):
    """One environment as the base branch holds it.

    Attributes:
        base: the tip of the base branch.
        place: the environment's files.
        state: its versions there.
        lines: its record there.
    """

    base: CommitId
    place: Place
    state: State
    lines: Sequence[Line]


def gather(repository: Repository, merged: MergedAt, landed: Landed, policy: Retention, now: datetime) -> Facts:
    """The facts of one environment, as far as its policy asks for them."""
    since = landings(repository, merged, landed, policy, now)
    return Facts(now, landed.state, since, history.former_defaults(landed.lines, landed.state.default))


# -- ages from landing ------------------------------------------------------------------------------------------------


def landings(
    repository: Repository, merged: MergedAt, landed: Landed, policy: Retention, now: datetime
) -> dict[Entry, datetime]:
    """Since when the base branch has held its entries as they are, as far as it matters for retention.

    The record's `at` is the time of planning, so it is at most too early: where even that age isn't enough, it is
    taken as it is. Only where it is, the first-parent commits are looked at.
    """
    result: dict[Entry, datetime] = {}
    wanted: dict[Entry, timedelta] = {}
    for entry, tag in _entries(landed.state):
        ages = _ages_that_matter(entry[0], policy)
        if not ages:
            continue
        planned = history.entered_at(landed.lines, *entry, tag)
        if planned is not None and now - planned < min(ages):
            result[entry] = planned
        else:
            wanted[entry] = max(ages)
    return {**result, **_looked_up(repository, merged, landed, wanted, now)} if wanted else result


def _entries(state: State) -> Iterator[tuple[Entry, Tag]]:
    for name, tag in state.versions.items():
        yield ("quarantined" if name in state.quarantined else "versions", name), tag
    for name, tag in state.retired.items():
        yield ("retired", name), tag


def _ages_that_matter(section: str, policy: Retention) -> list[timedelta]:
    if section == "retired":
        return [policy.drain]
    if section == "quarantined":
        return [policy.quarantine_for]
    return [age for age in (policy.min_age, policy.max_age) if age]


def _looked_up(
    repository: Repository, merged: MergedAt, landed: Landed, wanted: Mapping[Entry, timedelta], now: datetime
) -> dict[Entry, datetime]:
    """Walk back along the first parents until each entry's run ends, or is older than any age that matters."""
    tags = dict(_entries(landed.state))
    horizon = now - max(wanted.values())
    first: dict[Entry, tuple[CommitId, datetime]] = {}
    running = set(wanted)
    for commit, time in repository.first_parent(landed.base, [landed.place.tag_file], since=horizon):
        held = _entries_at(repository, commit, landed.place)
        running = {entry for entry in running if held.get(entry) == tags[entry]}
        first.update(dict.fromkeys(running, (commit, time)))
        if not running or time < horizon:
            break
    known = {commit: merged(commit) for commit in {commit for commit, _ in first.values()}}
    return {entry: known[commit] or time for entry, (commit, time) in first.items()}


def _entries_at(repository: Repository, commit: CommitId, place: Place) -> dict[Entry, Tag]:
    data = repository.read(commit, [place.tag_file]).get(place.tag_file, b"")
    state = tag_file.read_leniently(data.decode("utf-8", "replace"))
    return dict(_entries(state))


# -- names ------------------------------------------------------------------------------------------------------------


def names_known(repository: Repository, snapshot: Snapshot) -> Names:
    """All names that the base branch ever held in any environment, and those of the pending lines.

    A revert takes lines and versions away and frees no name, so the commits are looked at. Not all of them: the last
    bump gave 1 + the highest number known when it was planned, so nothing before its landing can hold a higher one.
    """
    landed = _Known()
    for files in snapshot.files.values():
        landed.add_files(files.tags or "", files.lines())
    last = _last_naming(line for files in snapshot.files.values() for line in files.lines())
    _walk(repository, snapshot, last, landed)
    pending = _Known()
    for place in snapshot.config.places():
        for branch in (place.branch, place.downgrade_branch):
            commit = snapshot.refs.branch(branch)
            if commit is not None:
                record = repository.read(commit, [place.history_file]).get(place.history_file, b"")
                pending.add_lines(_lines_leniently(record))
    return Names(landed.names, pending.names, frozenset(landed.taken))


def names_of_files(files: Iterable[Files]) -> Names:
    """The names that some environments' files and records hold, without a look at older commits."""
    known = _Known()
    for one in files:
        known.add_files(one.tags or "", one.lines())
    return Names(known.names, {}, frozenset(known.taken))


class _Known:
    """Tag part -> name, one to one; what was added first wins."""

    def __init__(self) -> None:
        self.names: dict[str, Name] = {}
        self.taken: set[Name] = set()

    def add(self, tag: str, name: Name) -> None:
        if name not in self.taken:
            self.names.setdefault(tag_part(tag), name)
        self.taken.add(name)

    def add_lines(self, lines: Iterable[Line]) -> None:
        for tag, name in history.names_of(lines).items():
            self.add(tag, name)

    def add_files(self, tags: str, lines: Iterable[Line]) -> None:
        state = tag_file.read_leniently(tags)
        for name, tag in (*state.versions.items(), *state.retired.items()):
            self.add(tag, name)
        self.add_lines(lines)


def _last_naming(lines: Iterable[Line]) -> Line | None:
    """The line of the bump that gave the highest name."""
    best: tuple[int, Line] | None = None
    for line in lines:
        for change in line.changes:
            if change.action in {"add", "supersede"} and line.intent.operation == "bump":
                number = name_number(change.version)
                if best is None or number > best[0]:
                    best = (number, line)
    return None if best is None else best[1]


def _walk(repository: Repository, snapshot: Snapshot, last: Line | None, landed: _Known) -> None:
    places = list(snapshot.config.places())
    paths = [path for place in places for path in (place.tag_file, place.history_file)]
    since = None if last is None else last.at - _CLOCKS_DIFFER
    for commit, _ in repository.first_parent(snapshot.base, paths, since=since):
        found = repository.read(commit, paths)
        here: list[Line] = []
        for place in places:
            lines = _lines_leniently(found.get(place.history_file, b""))
            landed.add_files(found.get(place.tag_file, b"").decode("utf-8", "replace"), lines)
            here += lines
        if last is not None and all(line.id != last.id for line in here):
            break


def _lines_leniently(record: bytes) -> tuple[Line, ...]:
    """The lines of an old or foreign record; one that can't be read tells nothing."""
    from release_tool.errors import ReleaseError

    try:
        return history.parse(record.decode("utf-8", "replace"), "")
    except ReleaseError:
        return ()
