"""The past, read with the configuration of its time: where an environment of today stood at an older commit.

The `release.yaml` of a commit says which paths and branches its environments had. Renames are followed as far as
content tells them: ids of operations are unique, so a record that holds the same ids is that of the same environment.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from release_tool import tagfile
from release_tool.config.reader import load
from release_tool.errors import ReleaseError
from release_tool.git.objects import Blobs
from release_tool.git.repository import BlobId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from release_tool.config import Config, Place
    from release_tool.git.repository import Repository, WalkStep
    from release_tool.model.records import CommitId, Name, Tag
    from release_tool.remote.snapshot import Snapshot

_ID = re.compile(r'"id": ?"([!-~]+?)"')


class Traits(NamedTuple):
    """What tells an environment from others at a moment."""

    place: Place
    ids: frozenset[str]  # of the operations in its record
    versions: frozenset[tuple[Name, Tag]]  # deployed ones


# -- one moment -------------------------------------------------------------------------------------------------------


def config_at(repository: Repository, commit: CommitId, path: str) -> Config | None:
    """The configuration of a commit, of all services; None where there is none that can be read."""
    try:
        return loaded(repository.read(commit, [path]).get(path, b""))
    except ReleaseError:  # a link, or a directory
        return None


@lru_cache(maxsize=64)
def loaded(data: bytes) -> Config | None:
    """An old configuration; None for one that can't be read."""
    try:
        return load(data)
    except ReleaseError:
        return None


def named(config: Config | None, branch: str) -> Place | None:
    """The place to which a configuration gives a branch."""
    places = () if config is None else config.places()
    return next((place for place in places if branch in (place.branch, place.downgrade_branch)), None)


def traits_at(repository: Repository, commit: CommitId, places: Iterable[Place]) -> list[Traits]:
    """What tells some places from others at a commit; one that can't be read tells nothing."""
    return [_traits_at(repository, commit, place) for place in places]


def _traits_at(repository: Repository, commit: CommitId, place: Place) -> Traits:
    try:
        found = repository.read(commit, [place.tag_file, place.history_file])
    except ReleaseError:  # a link, or a directory in the place of a file
        found = {}
    record, tags = (found.get(path, b"").decode("utf-8", "replace") for path in (place.history_file, place.tag_file))
    return traits_in(place, record, tags)


def ids(record: str) -> frozenset[str]:
    """The ids of the operations in a record, also where a line of it can't be read."""
    return frozenset(_ID.findall(record))


def traits_in(place: Place, record: str, tags: str) -> Traits:
    """The same of texts."""
    state = tagfile.read_leniently(tags, place.key)
    return Traits(place, ids(record), frozenset([*state.versions.items(), *state.retired.items()]))


# -- who is who -------------------------------------------------------------------------------------------------------


def origin(new: Traits, olds: Iterable[Traits], present: Iterable[Traits]) -> Place | None:
    """Which of some older places became a place of now, as far as content tells; None: none of them.

    Args:
        new: the place of now.
        olds: older ones.
        present: all places of now. What still stands where it stood is the original of a copy, and became nothing else.
    """
    others = {(one.place.title, one.place.directory): one for one in present if one.place.title != new.place.title}

    def stays(old: Traits) -> bool:
        other = others.get((old.place.title, old.place.directory))
        return other is not None and _may_be(other, old)

    free = [old for old in olds if not stays(old)]
    best = max(free, key=lambda old: _likeness(new, old), default=None)
    if best is None:
        return None
    likeness = _likeness(new, best)
    alone = sum(_likeness(new, old) == likeness for old in free) == 1
    by_title = likeness[1] and _may_be(new, best)
    return best.place if likeness[0] or by_title or (likeness[2] and alone) else None


def _may_be(new: Traits, old: Traits) -> bool:
    """Whether the records don't say that two places are different environments."""
    return not new.ids or not old.ids or not new.ids.isdisjoint(old.ids)


def _likeness(new: Traits, old: Traits) -> tuple[int, bool, bool, bool, bool]:
    one, other = new.place, old.place
    same = bool(new.versions) and new.versions == old.versions
    return (
        len(new.ids & old.ids),
        one.title == other.title,
        same,
        one.environment == other.environment,
        one.service == other.service,
    )


def place_at(repository: Repository, snapshot: Snapshot, place: Place, commit: CommitId) -> Place | None:
    """Where an environment of today stood at a commit; None: it wasn't there."""
    path = snapshot.config_path
    if repository.files(commit, [path]) == repository.files(snapshot.base, [path]):
        return place
    then = config_at(repository, commit, path)
    if then is None:
        return place
    now = [traits_in(files.place, files.record, files.tags or "") for files in snapshot.files.values()]
    new = next(one for one in now if one.place == place)
    olds = list(then.places())
    same = next((old for old in olds if old.title == place.title), None)
    if same is not None and same.directory == place.directory and _may_be(new, _traits_at(repository, commit, same)):
        return same
    others = [traits_in(one, "", "") for one in snapshot.whole.places() if one.service != place.service]
    return origin(new, traits_at(repository, commit, olds), [*now, *others])


def record_at(repository: Repository, snapshot: Snapshot, place: Place, commit: CommitId) -> tuple[str, bytes]:
    """Path and bytes of the record of an environment of today at a commit; no bytes where there was none."""
    there = place_at(repository, snapshot, place, commit)
    path = (there or place).history_file
    return path, b"" if there is None else repository.read(commit, [path]).get(path, b"")


# -- along the first parents ------------------------------------------------------------------------------------------


def touching(
    repository: Repository, base: CommitId, config_path: str, places: Sequence[Place], since: datetime | None
) -> Iterator[tuple[WalkStep, dict[str, str]]]:
    """The first parents that touch the tag files of some places, also where those stood before.

    Yields:
        A step; and path -> path before, of the tag files that came from elsewhere with it. What they were there counts
        as `before`.
    """
    followed = {place.tag_file: place for place in places}
    paths = list(followed)
    for step in repository.touching(base, paths, since):
        came = [path for path, blobs in step.files.items() if blobs.before is None and blobs.after is not None]
        moved = _origins(repository, step.commit, config_path, [followed[path] for path in came]) if came else {}
        files = dict(step.files)
        for path, (old, blob) in moved.items():
            files[path] = Blobs(blob, files[path].after)
            followed.setdefault(old.tag_file, old)
        paths += [path for path in followed if path not in paths]
        yield step._replace(files=files), {path: old.tag_file for path, (old, _) in moved.items()}


def _origins(
    repository: Repository, commit: CommitId, config_path: str, came: Sequence[Place]
) -> dict[str, tuple[Place, BlobId]]:
    """Path -> where it stood before, and its content there, of tag files that came with a commit."""
    parents = repository.commit_info(commit).parents
    olds = _places_before(repository, parents[0], config_path, {place.tag_file for place in came}) if parents else []
    there = repository.files(parents[0], [old.tag_file for old in olds]) if olds else {}
    olds = [old for old in olds if old.tag_file in there]
    if not olds:
        return {}
    now = config_at(repository, commit, config_path)
    present = [] if now is None else list(now.places())
    stay = repository.files(commit, [place.tag_file for place in present])
    present = [place for place in present if place.tag_file in stay]
    before, after = traits_at(repository, parents[0], olds), traits_at(repository, commit, present)
    found = {new.place.tag_file: origin(new, before, after) for new in traits_at(repository, commit, came)}
    return {
        path: (old, BlobId(there[old.tag_file].id))
        for path, old in found.items()
        if old is not None and old.tag_file != path and there[old.tag_file].is_file
    }


def _places_before(repository: Repository, commit: CommitId, config_path: str, came: set[str]) -> list[Place]:
    """The places that the configuration gave at a commit; at an older one, where it can't be read, or names these."""
    if not repository.files(commit, [config_path]):
        return []
    config = config_at(repository, commit, config_path)
    places = [] if config is None else list(config.places())
    if config is not None and came.isdisjoint(place.tag_file for place in places):
        return places
    for step in repository.touching(commit, [config_path]):
        if config_path in step.files:
            parents = repository.commit_info(step.commit).parents
            config = config_at(repository, parents[0], config_path) if parents else None
            if config is not None and came.isdisjoint(place.tag_file for place in config.places()):
                return list(config.places())
    return []


def of_services(repository: Repository, step: CommitId, config_path: str, services: Collection[str]) -> list[Place]:
    """The places that some services had just before a commit, also under the names that they had then."""
    parents = repository.commit_info(step).parents
    before = config_at(repository, parents[0], config_path) if parents else None
    after = config_at(repository, step, config_path)
    if before is None or (after is not None and stands(before) == stands(after)):
        return []
    olds, news = list(before.places()), [] if after is None else list(after.places())
    heirs = _heirs(traits_at(repository, parents[0], olds), traits_at(repository, step, news))
    found = {old for old, became in heirs.items() if old in services or not became.isdisjoint(services)}
    if not found:
        # Nothing tells what a service was before: the names of what ended with this commit may be its own.
        found = {old for old, became in heirs.items() if not became}
    return [place for place in olds if place.service in found]


def stands(config: Config) -> list[tuple[str, str]]:
    """Which environment stands where, by a configuration."""
    return [(place.title, place.directory) for place in config.places()]


def _heirs(olds: Sequence[Traits], news: Sequence[Traits]) -> dict[str, set[str]]:
    """Service of then -> those of now that go on with it, by name or by content."""
    found: dict[str, set[str]] = {}
    for old in olds:
        became = found.setdefault(old.place.service, set())
        for new in news:
            same = bool(old.versions) and old.versions == new.versions
            if new.place.service == old.place.service or new.ids & old.ids or same:
                became.add(new.place.service)
    return found
