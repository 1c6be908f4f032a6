"""Ages from landing: since when the base branch has held the entries of its files as they are.

An entry landed with the first commit of the unbroken run of first-parent commits, ending at the tip of the base, whose
file holds it in that state with that tag; a file that was moved is followed to where it stood. The time is when the
pull request of that commit was merged, where the forge knows it, else its committer time. A fast-forward keeps an old
one: where that may be, the commit counts from when the tool first saw it in the base, which the next line of the record
keeps, and until then from now.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from release_tool import tagfile
from release_tool.errors import ReleaseError
from release_tool.model import history
from release_tool.model.records import CommitId, Name
from release_tool.remote import past

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from release_tool.config import Place, Retention
    from release_tool.git.repository import BlobId, Repository, WalkStep
    from release_tool.model.records import Line, State, Tag

    # When a step of the base landed; None where that can't be proven: `landings.Landings`.
    LandedAt = Callable[[WalkStep], datetime | None]

Entry = tuple[str, Name]
"""A section (`versions`: live, `quarantined`, `retired`, or `default`: written or implied) and a name."""

EXACTLY = (timedelta(0),)
"""Stands for the ages that matter of an entry whose landing is wanted however long ago it was."""

_CLOCKS_DIFFER = timedelta(days=1)
"""How far the clocks of those who commit may be apart: a commit that is older than an age by so much shows that
everything below it is older, too, whatever its own clock said."""


class _Sought(NamedTuple):
    """An entry that is looked for: its tag, and before which time a landing needn't be known any better."""

    tag: Tag
    limit: datetime | None


def wanted_by(state: State, policy: Retention, restoring: Collection[Name] = ()) -> dict[Entry, list[timedelta]]:
    """The ages that a retention policy compares those of an environment's entries with; only entries with some.

    `restoring`: the versions that came back without a route.
    """
    ages = {
        "versions": [age for age in (policy.min_age, policy.max_age) if age],
        "quarantined": [policy.quarantine_for],
        "retired": [policy.drain],
        "default": [],
    }
    wanted = {entry: ages[entry[0]] for entry, _ in _entries(state) if ages[entry[0]]}
    return wanted | {("retired", name): [policy.warm_up, policy.drain] for name in restoring if name in state.retired}


class Ages:
    """The ages of the entries in a base branch. One walk along its first parents serves all environments.

    The walk goes on as far as somebody asks, and is remembered. Not for several threads at once.
    """

    def __init__(
        self, repository: Repository, landed: LandedAt, base: CommitId, places: Sequence[Place], config_path: str
    ) -> None:
        """Looks at nothing yet; `places`: all environments that will be asked for."""
        self._repository = repository
        self._proven = landed
        self._base = base
        self._places = places
        self._config_path = config_path
        self._touches: dict[str, list[int]] = defaultdict(list)  # file -> places in _steps
        self._moved: dict[int, Mapping[str, str]] = {}  # place in _steps -> file -> where it stood before that step
        self._steps: list[WalkStep] = []
        self._oldest: list[datetime] = []  # the lowest committer time of the steps so far, for each step
        self._walk: Iterator[tuple[WalkStep, Mapping[str, str]]] | None = None
        self._broken: ReleaseError | None = None
        self._landings: dict[int, datetime | None] = {}
        self._seen: Mapping[str, datetime] = {}  # commit -> when it was first seen in the base, by the record
        self._now: datetime | None = None
        self._key = ""  # `versions.key` of the environment that is asked for
        self.unseen: dict[str, set[CommitId]] = defaultdict(set)
        """Tag file -> the commits whose landing nobody can prove and no line has kept: they count from now."""
        self.commits: dict[tuple[str, Entry], CommitId] = {}
        """Tag file and entry -> the commit that it landed with, of those whose landing was looked up."""
        self._held: dict[tuple[BlobId, str], dict[Entry, Tag]] = {}  # blob and `versions.key` -> its entries

    def since(
        self,
        place: Place,
        state: State,
        lines: Sequence[Line],
        wanted: Mapping[Entry, Sequence[timedelta] | None],
        now: datetime,
    ) -> dict[Entry, datetime]:
        """Since when the base has held entries of an environment as they are, as far as that matters.

        Args:
            wanted: entry -> the ages that its age will be compared with; none: nothing is looked up for it; `EXACTLY`
                (or None): the landing itself.

        Raises:
            TryAgain: the remote or the forge can't be reached; so for all who ask, once the walk has broken off.
        """
        # The record's `at` is the time of planning, so it is at most too early: where even that age is below all that
        # matter, it is taken as it is. Else the landing is looked up; one that is older than all ages that matter may
        # be told as any later time that is older than them, too.
        self._seen, self._now, self._key = history.seen_in_base(lines), now, place.key
        tags = dict(_entries(state))
        result: dict[Entry, datetime] = {}
        sought: dict[Entry, _Sought] = {}
        for entry, matter in wanted.items():
            ages = EXACTLY if matter is None else matter
            if entry not in tags or not ages:
                continue
            limit = _limit(now, max(ages))
            planned = None if limit is None else _planned_at(lines, entry, tags[entry])
            if planned is not None and now - planned < min(ages):
                result[entry] = planned
            else:
                sought[entry] = _Sought(tags[entry], limit)
        return result | self._look_up(place.tag_file, sought) if sought else result

    def _look_up(self, path: str, sought: Mapping[Entry, _Sought]) -> dict[Entry, datetime]:
        """Walk back until each entry's run ends, or is older than its limit."""
        limits = {one.limit for one in sought.values() if one.limit is not None}
        running = dict(sought)
        file = path
        found: dict[Entry, int] = {}
        after = -1  # the last step that was looked at
        while running:
            # All steps before the next one that touches the file show it as it is so far.
            touches = self._touches[path]
            cursor = bisect_right(touches, after)
            end = touches[cursor] if cursor < len(touches) else len(self._steps)
            passed = ((limit, self._older(limit, end)) for limit in limits)
            older: dict[datetime | None, int] = {limit: index for limit, index in passed if index is not None}
            for entry in [entry for entry, one in running.items() if one.limit in older]:
                found[entry] = older[running.pop(entry).limit]
            if cursor < len(touches):
                self._at(path, end, running, found)
                after, path = end, self._moved.get(end, {}).get(path, path)
            elif running and not self._go_on(sought):
                break
        landed = {entry: self._landed(index) for entry, index in found.items()}
        self.commits |= {(file, entry): self._steps[index].commit for entry, index in found.items()}
        doubted = {self._steps[index].commit for index in found.values() if self._landings[index] is None}
        self.unseen[file] |= doubted - self._seen.keys()
        return landed

    def _at(self, path: str, index: int, running: dict[Entry, _Sought], found: dict[Entry, int]) -> None:
        """What a step that touches the file means for the entries whose runs have reached it."""
        before, after = (self._entries_of(blob) for blob in self._steps[index].files[path])
        for entry, (tag, _) in list(running.items()):
            if after.get(entry) == tag:
                found[entry] = index
            if after.get(entry) != tag or before.get(entry) != tag:
                del running[entry]

    def _older(self, limit: datetime, end: int) -> int | None:
        """The first step before `end` that landed before a time."""
        for at in range(bisect_left(self._oldest, True, key=lambda time: time < limit), end):
            # The forge is asked only about what is old enough by its own clock.
            if self._steps[at].committed_at < limit and self._landed(at) < limit:
                return at
        return None

    def _landed(self, index: int) -> datetime:
        if index not in self._landings:
            self._landings[index] = self._proven(self._steps[index])
        known = self._landings[index] or self._seen.get(self._steps[index].commit) or self._now
        assert known is not None  # it is told with each question
        return known

    def _go_on(self, sought: Mapping[Entry, _Sought]) -> bool:
        """Take one more step; whether there was one. How far the first asker looks is a hint for the whole walk."""
        if self._walk is None:
            limits = [one.limit for one in sought.values() if one.limit is not None]
            since = min(limits) if len(limits) == len(sought) else None
            self._walk = past.touching(self._repository, self._base, self._config_path, self._places, since)
        if self._broken is not None:  # a walk that has failed would look like one that has come to its end
            raise self._broken
        try:
            step, moved = next(self._walk, (None, {}))
        except ReleaseError as error:
            self._broken = error
            raise
        if step is None:
            return False
        for path in step.files:
            self._touches[path].append(len(self._steps))
        if moved:
            self._moved[len(self._steps)] = moved
        self._steps.append(step)
        self._oldest.append(min([*self._oldest[-1:], step.committed_at]))
        return True

    def _entries_of(self, blob: BlobId | None) -> dict[Entry, Tag]:
        """The entries of a file as it once was; one that can't be read holds nothing."""
        if blob is None:
            return {}
        if (blob, self._key) not in self._held:
            text = self._repository.blob(blob).decode("utf-8", "replace")
            self._held[blob, self._key] = dict(_entries(tagfile.read_leniently(text, self._key)))
        return self._held[blob, self._key]


def _entries(state: State) -> Iterator[tuple[Entry, Tag]]:
    for name, tag in state.versions.items():
        yield ("quarantined" if name in state.quarantined else "versions", name), tag
    for name, tag in state.retired.items():
        yield ("retired", name), tag
    if state.default is not None:
        yield ("default", state.default), state.versions[state.default]


def _limit(now: datetime, age: timedelta) -> datetime | None:
    """Before which time a landing needn't be known any better; None where it is wanted exactly."""
    if age <= timedelta(0):
        return None
    try:
        return now - age - _CLOCKS_DIFFER
    except OverflowError:
        return None


def _planned_at(lines: Sequence[Line], entry: Entry, tag: Tag) -> datetime | None:
    """When the record says that an entry became what it is; None where no line did that."""
    section, name = entry
    if section != "default":
        return history.entered_at(lines, section, name, tag)
    for line in reversed(lines):
        for change in line.changes:
            # A set-default that only writes down the implied default moves nothing.
            if (
                change.action == "set-default"
                and change.version == name
                and change.tag == tag
                and change.before != name
            ):
                at: datetime = line.at
                return at
    return None
