"""The plain model of planning: files, what there is to know of the base, and the sweep."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Did:
    """One change."""

    action: str
    name: str
    tag: str
    # of a pin or a deploy its reason and last day, of a quarantine its reason and begin, of a default that of the base before it
    mark: Any = None

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.action, self.name, part(self.tag))


@dataclass
class File:
    """What `image_tag.yaml` says."""

    versions: dict[str, str] = field(default_factory=dict)
    retired: dict[str, str] = field(default_factory=dict)
    pinned: dict[str, Any] = field(default_factory=dict)
    bad: dict[str, Any] = field(default_factory=dict)
    written: str | None = None

    @property
    def live(self) -> dict[str, str]:
        return {name: tag for name, tag in self.versions.items() if name not in self.bad}

    @property
    def default(self) -> str | None:
        return self.written if self.written in self.versions else min(self.versions, key=number, default=None)

    def after(self, changes: Iterable[Did]) -> File:  # noqa: C901 (a case an action)
        new = File(dict(self.versions), dict(self.retired), dict(self.pinned), dict(self.bad), self.written)
        for one in changes:
            if one.action in {"add", "restore"}:
                new.retired.pop(one.name, None)
                new.versions[one.name] = one.tag
            elif one.action in {"retire", "remove", "deploy"}:
                for section in (new.versions, new.retired, new.pinned, new.bad):
                    section.pop(one.name, None)
                if one.action != "remove":
                    new.retired[one.name] = one.tag
            elif one.action == "set-default":
                new.written = one.name
            elif one.action == "pin" and one.name in new.versions:
                new.pinned[one.name] = one.mark
            elif one.action == "unpin":
                new.pinned.pop(one.name, None)
            elif one.action == "quarantine" and one.name in new.versions:
                new.bad[one.name] = one.mark
            elif one.action == "clear":
                new.bad.pop(one.name, None)
        return new


@dataclass
class Landed:
    """One line of the record of the base."""

    id: str
    operation: str
    adopted: list[Did]
    own: list[Did]
    swept: list[Did]

    @property
    def all(self) -> list[Did]:
        return [*self.adopted, *self.own, *self.swept]


@dataclass
class World:
    """All that planning may look at."""

    base: File
    start: File  # the file to begin with: that of the base, or of a branch that people work on
    policy: Any  # `retention`: keep, keep_per_minor, min_age, max_age, drain, quarantine_for
    default_policy: str  # newest | manual | promoted
    order: str
    now: datetime
    landed: Mapping[tuple[str, str], datetime]  # since when the base has a name in a section
    former: list[str]
    names: Mapping[str, str]  # tag -> name of all that the base ever held, in any environment
    taken: set[str]  # names that the base ever held
    others: Mapping[str, str]  # tag -> name in other open pull requests
    elsewhere: set[str]  # tags that are quarantined in another environment
    in_use: set[str]  # names of the versions that somebody calls
    record: list[Landed]
    adopted: list[Did]

    @property
    def landed_changes(self) -> list[Did]:
        """All that the record tells, as far as the file still says so."""
        every = [one for line in self.record for one in line.all]
        return [one for one in every if one.action != "deploy" or self.start.retired.get(one.name) == one.tag]

    def age(self, section: str, name: str) -> timedelta:
        since = self.landed.get((section, name))
        return timedelta(0) if since is None else self.now - since


# -- tags and their order ---------------------------------------------------------------------------------------------
def part(tag: str) -> str:
    """A tag without its digest: all that is compared."""
    return tag.partition("@")[0]


def number(name: str) -> int:
    return int(name[1:])


def triple(tag: str) -> tuple[int, ...] | None:
    match = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)", part(tag))
    return tuple(map(int, match.groups())) if match else None


def rank(order: str, name: str, tag: str) -> tuple[Any, ...]:
    if order == "arrival":
        return (number(name),)
    read = triple(tag)
    return (1, *read) if read else (0, number(name))


def minor(order: str, tag: str) -> tuple[int, ...] | None:
    read = triple(tag) if order == "semver" else None
    return read and read[:2]


# -- the sweep --------------------------------------------------------------------------------------------------------
def fallback_target(file: File, former: list[str], order: str) -> str | None:
    default = file.default
    if default is None:
        return None
    others = {name: rank(order, name, tag) for name, tag in file.live.items() if name != default}
    below = [name for name in others if others[name] < rank(order, default, file.versions[default])]
    latest_first = [name for name in reversed(former) if name in others]
    by_rank = sorted(below, key=lambda name: (others[name], number(name)))
    return next(iter([*(name for name in latest_first if name in below), *reversed(by_rank), *latest_first]), None)


def on_the_way(changes: Iterable[Did]) -> dict[str, Did]:
    """Name -> how it was deployed, of every version that waits for its route since it came back."""
    waiting: dict[str, Did] = {}
    for one in changes:
        if one.action in {"add", "restore", "retire", "remove", "deploy"}:
            waiting.pop(one.name, None)
        if one.action == "deploy":
            waiting[one.name] = one
    return waiting


def has_drained(world: World, name: str, tag: str, time: timedelta) -> bool:
    in_base = world.base.retired.get(name) == tag and ("retired", name) in world.landed
    return in_base and world.age("retired", name) >= time


def sweep(file: File, world: World, waiting: Mapping[str, Did]) -> list[Did]:
    policy, changes = world.policy, []
    waiting = {name: one for name, one in waiting.items() if not one.mark[1] or one.mark[1] >= world.now.date()}
    for name, one in waiting.items():
        if name in file.retired and has_drained(world, name, file.retired[name], policy.warm_up):
            changes += [Did("restore", name, one.tag), Did("pin", name, one.tag, one.mark)]
    if changes and file.after(changes).default != file.default and file.default:
        changes.append(Did("set-default", file.default, file.versions[file.default], world.base.default))
    file = file.after(changes)
    for name, (_, until) in file.pinned.items():
        if until is not None and until < world.now.date():
            changes.append(Did("unpin", name, file.versions[name]))
    file = file.after(changes)
    live = file.live
    safe = {file.default, fallback_target(file, world.former, world.order), *file.pinned}
    safe |= {name for name in live if name in world.in_use}
    safe |= {name for name in live if world.age("versions", name) < policy.min_age}
    old = {name for name in live if policy.max_age is not None and world.age("versions", name) > policy.max_age} - safe
    newest = sorted(
        (name for name in live if name not in old),
        key=lambda name: (rank(world.order, name, live[name]), number(name)),
        reverse=True,
    )
    kept = {*newest[: policy.keep], *safe}
    if policy.keep_per_minor is not None:
        for one in {minor(world.order, live[name]) for name in newest} - {None}:
            kept |= set([name for name in newest if minor(world.order, live[name]) == one][: policy.keep_per_minor])
    going = [name for name in live if name not in kept]
    for name in file.bad:
        if world.age("quarantined", name) >= policy.quarantine_for and ("quarantined", name) in world.landed:
            going += [name] if name not in {*file.pinned, file.default} else []
    # What has not landed has nothing to drain.
    landed = {**world.base.versions, **world.base.retired}
    retired = [Did("retire" if name in landed else "remove", name, file.versions[name]) for name in going]
    drained = [
        Did("remove", name, tag)
        for name, tag in file.after(retired).retired.items()
        if name not in waiting and has_drained(world, name, tag, policy.drain)
    ]
    return [*changes, *retired, *drained]


def quarantined(changes: Iterable[Did], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Tag -> mark of every tag whose last quarantine has no later clear."""
    memory = dict(before or {})
    for one in changes:
        if one.action == "quarantine":
            memory[part(one.tag)] = one.mark
        elif one.action == "clear":
            memory.pop(part(one.tag), None)
    return memory
