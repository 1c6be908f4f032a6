"""What the base branch tells a plan beside its files: all names ever given, and what is quarantined elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from release_tool import tagfile
from release_tool.errors import ReleaseError, TryAgain
from release_tool.model import history
from release_tool.model.records import CommitId, Line, Name, State, name_number
from release_tool.model.versions import tag_part
from release_tool.remote.snapshot import AtCommit, read_leniently
from release_tool.rules.operations import Names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from release_tool.config import Place
    from release_tool.git.repository import Repository
    from release_tool.remote.snapshot import Files, Snapshot, Source


_CLOCKS_DIFFER = timedelta(days=1)  # how far the clocks of people and of CI may be apart when history is fetched


def names_known(repository: Repository, snapshot: Snapshot, wanted: Iterable[str]) -> Names:
    """The names that the base branch ever held in any environment, and those of the pending lines.

    `wanted` are the tags that are about to be named.
    """
    landed = _Known(snapshot.config.versions.key)
    for files in snapshot.files.values():
        landed.add(history.readable_lines(files.record), files.tags or "")
    # Where the files and records at the tip know a wanted tag, they tell all that is asked. Else the tag gets a new
    # name, or one that only older commits know: a revert takes lines and versions away and frees no name.
    unknown = {tag_part(tag) for tag in wanted} - set(landed.names)
    if unknown:
        # A line that can't be read was right once, or its name stands in a file: the walk finds it there.
        present = [history.readable_lines(files.record) for files in snapshot.files.values()]
        for lines in (*present, *archived(snapshot.source, snapshot.config.places(), unknown)):
            landed.add(lines)
        _walk(repository, snapshot, present, landed)
    pending = _Known(snapshot.config.versions.key)
    for place in snapshot.config.places():
        for branch in (place.branch, place.downgrade_branch):
            commit = snapshot.refs.branch(branch)
            if commit is not None:
                from release_tool.remote.past import record_at

                try:
                    pending.add(_lines_leniently(record_at(repository, snapshot, place, commit)[1]))
                except TryAgain:
                    raise
                except ReleaseError:  # a link in its place: it stops its own environment
                    continue
    return Names(landed.names, pending.names, frozenset(landed.taken))


def archived(source: Source, places: Iterable[Place], words: Iterable[str]) -> Iterator[tuple[Line, ...]]:
    """The archived lines of some environments, of the archives that hold one of the words (tags or names)."""
    sought = [word.encode("utf-8", "replace") for word in words]
    paths = [path for place in places for path in source.paths(place.archive_directory)]
    for data in read_leniently(source.read, paths)[0].values():
        if any(word in data for word in sought):
            yield _lines_leniently(data)


def quarantined_elsewhere(snapshot: Snapshot, environment: str) -> dict[str, tuple[str, str]]:
    """Tag part -> environment and reason, of the tags that are quarantined in another one of the service."""
    found: dict[str, tuple[str, str]] = {}
    for name, files in snapshot.files.items():
        if name != environment and files.tags is not None:
            state = tagfile.read_leniently(files.tags, files.place.key)
            bad = history.quarantined_now(history.readable_lines(files.record), state)
            found.update({part: (name, reason) for part, reason in bad.items()})
    return found


def names_of_files(
    files: Iterable[Files], older: Iterable[tuple[bytes, bytes]] = (), moved: Iterable[Sequence[Line]] = ()
) -> Names:
    """The names that some environments' files and records hold.

    `older`: how `image_tag.yaml` and record stood before, the newest first. `moved`: the lines of archives.
    """
    files = list(files)
    known = _Known(files[0].place.key)
    for one in files:
        known.add(history.readable_lines(one.record), one.tags or "")
    for lines in moved:
        known.add(lines)
    for tags, record in older:
        known.add(_lines_leniently(record), tags.decode("utf-8", "replace"))
    return Names(known.names, {}, frozenset(known.taken))


class _Known:
    """Tag part -> name, one to one; what was added first wins. Tag files are read below `key`, their `versions.key`."""

    def __init__(self, key: str) -> None:
        self._key = key
        self.names: dict[str, Name] = {}
        self.taken: set[Name] = set()

    def add(self, lines: Iterable[Line], tags: str = "") -> None:
        """Add what a record holds, and what an `image_tag.yaml` holds."""
        state = tagfile.read_leniently(tags, self._key) if tags else State()
        there = [(tag, name) for name, tag in (*state.versions.items(), *state.retired.items())]
        for tag, name in (*there, *history.names_of(lines).items()):
            if name not in self.taken:
                self.names.setdefault(tag_part(tag), name)
            self.taken.add(name)


def _walk(repository: Repository, snapshot: Snapshot, present: Iterable[Sequence[Line]], landed: _Known) -> None:
    """Add what older commits of the base held."""
    # Not of all commits: the last bump gave 1 + the highest number known when it was planned, so nothing before its
    # landing can hold a higher one.
    namings = [
        (name_number(change.version), line)
        for lines in present
        for line in lines
        if line.intent.operation == "bump"
        for change in line.changes
        if change.action in {"add", "supersede"}
    ]
    last = max(namings, key=lambda naming: naming[0])[1] if namings else None
    since = None if last is None else last.at - _CLOCKS_DIFFER
    key = b"" if last is None else f'"{last.id}"'.encode()
    config, services = snapshot.config_path, {snapshot.config.service}
    paths = [config, *(path for place in snapshot.config.places() for path in (place.tag_file, place.history_file))]
    at_the_end = False
    for step in repository.touching(snapshot.base, paths, since):
        if at_the_end and since is not None and step.committed_at < since:
            break
        landing = False
        for path, (before, after) in sorted(step.files.items(), reverse=True):  # versions come before their record
            if path == config:
                if before is not None:
                    from release_tool.remote.past import of_services

                    olds = of_services(repository, step.commit, config, services)
                    services.update(old.service for old in olds)
                    every = (path for old in olds for path in (old.tag_file, old.history_file))
                    paths += [path for path in every if path not in paths]
                    _add_before(repository, step.commit, olds, landed)
                continue
            old = b"" if before is None else repository.blob(before)
            if path.endswith(".jsonl"):
                landed.add(_lines_leniently(old))
                if key and after is not None and key not in old and key in repository.blob(after):
                    # It landed here; or the record came here from elsewhere, and is followed for a while.
                    landing, at_the_end = before is not None, True
            elif old:
                landed.add((), old.decode("utf-8", "replace"))
        if landing:
            break


def _add_before(repository: Repository, commit: CommitId, places: Sequence[Place], landed: _Known) -> None:
    """Add what some places held just before a commit, with their archives."""
    before = AtCommit(repository, repository.commit_info(commit).parents[0])
    paths = [path for place in places for path in (place.tag_file, place.history_file)]
    found, _ = read_leniently(before.read, paths)
    for path, data in sorted(found.items(), reverse=True):
        if path.endswith(".jsonl"):
            landed.add(_lines_leniently(data))
        else:
            landed.add((), data.decode("utf-8", "replace"))
    for lines in archived(before, places, [""]):
        landed.add(lines)


def _lines_leniently(record: bytes) -> tuple[Line, ...]:
    """The lines of an old or foreign record that can be read."""
    return history.readable_lines(record.decode("utf-8", "replace"))
