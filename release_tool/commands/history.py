"""`release history [ENV…]`: who moved what, when, why, with which run."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Failed, ReleaseError, TryAgain, UsageError
from release_tool.model import history, times
from release_tool.model.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.config import Place
    from release_tool.model.records import Line, PullRequest
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool

_BACK = re.compile(r"([1-9][0-9]{0,4})([mhdw])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_ABOUT = ("version", "tag", "to", "to_tag")
"""The arguments that name a version."""


class HistoryFilter(NamedTuple):
    """Which lines of the record are wanted."""

    environments: Sequence[str] = ()  # their names; none: all
    service: str = ""  # the service; empty: all of them
    version: str = ""  # name or tag of the version that they are about; empty: of any
    operations: Sequence[str] = ()  # their operations; none: all
    since: str = ""  # the earliest time, as it was given; empty: from the beginning
    until: str = ""  # the latest time, as it was given; empty: to the end
    limit: int | None = None  # how many of the newest; None: all
    pending: bool = False  # also the lines that wait on release branches


class Entry(NamedTuple):
    """One line of the record, and where it stands."""

    place: Place  # the environment
    line: Line  # the line
    branch: str = ""  # the release branch that it waits on; empty: it has landed
    pull_request: PullRequest | None = None  # the open pull request of that branch


def check_usage(wanted: HistoryFilter, now: datetime) -> None:
    """Raise UsageError for what the command line alone is enough to see."""
    from release_tool.config import closest
    from release_tool.rules.operations import MODULES

    for operation in wanted.operations:
        if operation not in MODULES:
            likely = closest(operation, MODULES)
            hint = f"did you mean `{likely}`?" if likely else f"there are: {', '.join(MODULES)}"
            raise UsageError(f"--operation {operation}: there is no such operation", hint=hint)
    if wanted.limit is not None and wanted.limit < 1:
        raise UsageError(f"--limit {wanted.limit}: that shows nothing", hint="give 1 or more, or leave it out")
    since, until = _span(wanted, now)
    if since is not None and until is not None and since > until:
        raise UsageError(f"--since {wanted.since} is after --until {wanted.until}")


class Told(NamedTuple):
    """What the records tell."""

    entries: tuple[Entry, ...]  # the wanted lines, oldest first; those of one file with the same time in their order
    failed: tuple[Failed, ...] = ()  # the environments whose records can't be read; they hide no other one


def run(tool: Tool, wanted: HistoryFilter) -> Told:
    """Read the records and their archives at the tip of the base branch; `wanted` is checked by `check_usage`."""
    from release_tool.remote.snapshot import take_all

    snapshots = take_all(tool, wanted.service)
    for name in wanted.environments:
        snapshots[0].config.environment(name)
    since, until = _span(wanted, tool.now())
    found: list[Entry] = []
    failed: list[Failed] = []
    for snapshot in snapshots:
        for name in dict.fromkeys(wanted.environments or snapshot.config.environments):
            place = snapshot.config.place(name)
            try:
                found += [*landed(snapshot, place), *(_pending(tool, snapshot, place) if wanted.pending else ())]
            except TryAgain:
                raise
            except ReleaseError as error:
                failed.append(Failed(place.title, error))
    kept = [
        entry
        for entry in found
        if (since is None or entry.line.at >= since)
        and (until is None or entry.line.at <= until)
        and (not wanted.operations or entry.line.intent.operation in wanted.operations)
        and (not wanted.version or is_about(entry.line, wanted.version))
    ]
    kept.sort(key=lambda entry: entry.line.at)
    return Told(tuple(kept if wanted.limit is None else kept[-wanted.limit :]), tuple(failed))


def landed(snapshot: Snapshot, place: Place) -> Iterator[Entry]:
    """The lines of the archives, then those of the record; each operation once."""
    from release_tool.remote.snapshot import decode

    paths = [path for path in snapshot.source.paths(place.archive_directory) if path.endswith(".jsonl")]
    texts = {path: decode(data, path) for path, data in snapshot.source.read(sorted(paths)).items()}
    once: dict[str, Line] = {}
    for path, text in texts.items():
        for line in history.parse(text, path):
            once.setdefault(line.id, line)
    for line in snapshot.files[place.environment].lines():
        once.setdefault(line.id, line)
    return (Entry(place, line) for line in once.values())


def _pending(tool: Tool, snapshot: Snapshot, place: Place) -> Iterator[Entry]:
    """The lines that wait. Each look asks the forge, so only branches that are there are looked at."""
    from release_tool.remote.branch import look

    for name in (place.branch, place.downgrade_branch):
        if snapshot.refs.branch(name) is None:
            continue
        forge = tool.forge(snapshot.config)
        pending = look(tool.repository, forge, snapshot, place, name).pending
        shown = forge.find_open(name, snapshot.config.base) if pending else None
        yield from (Entry(place, line, name, shown) for line in pending)


def is_about(line: Line, version: str) -> bool:
    """Whether a change or an argument of a line is about a version."""
    wanted = tag_part(version)
    arguments = [line.intent.written.get(key) for key in _ABOUT]
    said = [tag_part(text) for text in arguments if isinstance(text, str)]
    named = (word for change in history.changes_of([line]) for word in (change.version, tag_part(change.tag)))
    return wanted in said or wanted in named


def _span(wanted: HistoryFilter, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The first and the last moment that are wanted, both included."""
    return _moment("--since", wanted.since, now, time.min), _moment("--until", wanted.until, now, time(23, 59, 59))


def _moment(option: str, text: str, now: datetime, of_day: time) -> datetime | None:
    """The moment of a day, of a time, or of so long ago; None where nothing was given."""
    if not text:
        return None
    back = _BACK.fullmatch(text)
    try:
        if back is not None:
            return now - int(back[1]) * _UNITS[back[2]]
        if len(text) == len("2026-11-23"):
            return datetime.combine(times.day_of(text), of_day, timezone.utc)
        return times.moment_of(text)
    except (ValueError, OverflowError):
        hint = "give a day (2026-11-23), a time (2026-11-23T12:00:00Z) or how long ago (30m, 12h, 14d, 6w)"
        raise UsageError(f"{option} {text}: that is no time", hint=hint) from None
