"""Strays: release branches that the configuration gave to an environment once, and gives to none today.

Where an environment got another branch, or another name, its stray branch still holds what people wait for.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from release_tool.config.sections import DEFAULT_BRANCH
from release_tool.errors import ReleaseError
from release_tool.git.errors import Forgotten
from release_tool.git.objects import MissingObject
from release_tool.model import history
from release_tool.model.records import CommitId
from release_tool.remote import past
from release_tool.remote.ownership import BASE_TRAILER, owned, trailer
from release_tool.remote.snapshot import decode, read_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from release_tool.config import Config, Place
    from release_tool.forges.base import Forge
    from release_tool.git.repository import CommitInfo, Repository
    from release_tool.model.records import Line, PullRequest
    from release_tool.remote.snapshot import Snapshot


class Stray(NamedTuple):
    """A release branch that today's configuration gives to no environment, or to another one."""

    name: str  # its short name
    tip: CommitId
    then: Place  # the environment that it belonged to when it was made
    heirs: tuple[Place, ...]  # what that environment is today; none: it is gone, or nobody can tell
    pending: tuple[Line, ...] = ()  # the lines that wait on it and on none of today's branches, in their order
    moved: bool = False  # whether lines of it wait on the branch of today, or were decided about there
    people: bool = False  # whether commits of a person are on it
    taken: bool = False  # whether the branch of today stands already
    in_the_way: str = ""  # how a person gets that branch out of the way, where it is a stray itself
    named: bool = False  # whether an environment of today has the name that its own had
    pull_request: PullRequest | None = None  # its open pull request
    remote: str = "origin"  # what git calls the remote

    @property
    def target(self) -> str:
        """The branch that the configuration of today gives for it; empty where it gives none."""
        if len(self.heirs) != 1:
            return ""
        return self.heirs[0].branch if self.name == self.then.branch else self.heirs[0].downgrade_branch

    @property
    def downgrade(self) -> bool:
        """Whether it is the branch of a downgrade."""
        return self.name != self.then.branch

    @property
    def can_go_on(self) -> bool:
        """Whether what waits on it can be planned again on the branch of today."""
        return bool(self.pending and self.target and not self.people and not self.in_the_way)

    @property
    def matters(self) -> bool:
        """Whether something would be lost with it."""
        return bool(self.pending or self.people)

    def problem(self) -> ReleaseError:
        """What a person must know of it."""
        pull = f", with pull request {self.pull_request.name}" if self.pull_request else ""
        what = f"the branch {self.name} is left over{pull}"
        whose = f"it was made for {self.then.title}"
        drop = f"`git push {self.remote} --delete {self.name}` drops what waits on it"
        if not self.heirs:
            why, hint = f"{whose}, which release.yaml names no more", f"{drop}; or name {self.then.title} again"
            if self.named:
                why = f"{whose}, and nothing in the files tells which environment that is today"
                hint = f"{self._renamed('BRANCH')} gives it to the environment of that BRANCH; {drop}"
        elif not self.target:
            titles = ", ".join(heir.title for heir in self.heirs)
            why = f"{whose}, and more than one environment may be that today: {titles}"
            hint = f"{self._renamed('BRANCH')} gives it to the environment of that BRANCH; {drop}"
        elif self.in_the_way:
            why = f"{whose}, which has the branch {self.target} today, and that one is left over itself"
            hint = f"{self.in_the_way}, then run `release sync`; {drop}"
        elif self.taken:
            why = f"{whose}, which has the branch {self.target} today, and {self._kept()}"
            hint = f"merge or close what waits on {self.target}, then run `release sync`; {drop}"
        elif self.people or not self.pending:
            why = f"{whose}, which has the branch {self.target} today, and commits of a person are on it"
            hint = f"{self._renamed(self.target)} gives it that name, then run `release sync`; {drop}"
        else:
            why = f"{whose}, which has the branch {self.target} today"
            hint = f"`release sync` carries over what waits on it; {drop}"
        return ReleaseError(
            what, where=self.name, cause=why, hint=hint, page="explanation/publishing.md#what-people-may-do-to-it"
        )

    def way_out(self) -> str:
        """How a person gets rid of it."""
        delete = f"`git push {self.remote} --delete {self.name}`"
        return f"close pull request {self.pull_request.name}, or {delete}" if self.pull_request else delete

    def _kept(self) -> str:
        return "commits of a person are on it" if self.people else "not all that waits on it can be planned there"

    def _renamed(self, target: str) -> str:
        fetch, push = f"git fetch {self.remote} {self.name}", f"git push {self.remote} FETCH_HEAD:refs/heads/{target}"
        return f"`{fetch} && {push} :refs/heads/{self.name}`"


def find(repository: Repository, forge: Callable[[Config], Forge], snapshot: Snapshot) -> list[Stray]:
    """The strays of all services, in the order of their names; `snapshot`: of any of them."""
    ours = (name for place in snapshot.whole.places() for name in (place.branch, place.downgrade_branch))
    repository.fetch(*(tip for name in ours if (tip := snapshot.refs.branch(name)) is not None))
    tips = {name: tip for name in _candidates(repository, snapshot) if (tip := snapshot.refs.branch(name)) is not None}
    if not tips:
        return []
    repository.fetch(*tips.values())
    every = [
        snapshot._replace(config=view, files=read_files(snapshot.source, view.places()))
        for view in snapshot.whole.views()
    ]
    look = _Looking(repository, forge(snapshot.config), every)
    found = [one for name, tip in sorted(tips.items()) if (one := look.at(name, tip)) is not None]
    ways = {one.name: one.way_out() for one in found if one.matters}
    return [one._replace(in_the_way=ways.get(one.target, "")) for one in found]


def of(found: Iterable[Stray], environments: Sequence[str], service: str) -> list[Stray]:
    """Those of some environments and a service of today; of all, also of what is gone, where none are named."""

    def is_wanted(place: Place) -> bool:
        return (not environments or place.environment in environments) and service in {"", place.service}

    return [one for one in found if not (environments or service) or any(map(is_wanted, one.heirs))]


# -- which branches may be strays -------------------------------------------------------------------------------------


def _candidates(repository: Repository, snapshot: Snapshot) -> Iterator[str]:
    """The branches that may be strays: by the names that the tool gives, now and in the past as far as it is here."""
    config = snapshot.whole
    ours = {name for place in config.places() for name in (place.branch, place.downgrade_branch)}
    others: list[str] = []
    for ref, tip in snapshot.refs.refs.items():
        name = ref.removeprefix("refs/heads/")
        if name not in ours:
            others += [name] if name != config.base else []
        elif _may_be_anothers(repository, snapshot, tip):
            yield name
    likely = set(filter(_likely(config).search, others))
    yield from likely
    if len(likely) < len(others):
        olds = (place for then, _ in _configurations(repository, snapshot) for place in then.places())
        before = {name for place in olds for name in (place.branch, place.downgrade_branch)}
        yield from (name for name in others if name in before and name not in likely)


def _likely(config: Config) -> re.Pattern[str]:
    """What the names of release branches look like: they begin as the templates do, or hold a name."""
    starts = {template.partition("{")[0] for template in (config.publish.branch, DEFAULT_BRANCH)} - {""}
    words = "|".join(map(re.escape, [*config.environments, *config.services]))
    return re.compile(rf"^(?:{'|'.join(map(re.escape, starts))})|(?:^|[/._-])(?:{words})(?:[/._-]|$)")


def _may_be_anothers(repository: Repository, snapshot: Snapshot, tip: CommitId) -> bool:
    """Whether environments stood elsewhere when a branch of today was made: it may have been another one's."""
    path = snapshot.config_path
    if repository.files(tip, [path]) == repository.files(snapshot.base, [path]):
        return False
    then = past.config_at(repository, tip, path)
    return then is not None and past.stands(then) != past.stands(snapshot.whole)


def _configurations(repository: Repository, snapshot: Snapshot) -> Iterator[tuple[Config, CommitId]]:
    """Older configurations of the base, as far as its history is here, each with its last commit."""
    path = snapshot.config_path
    for step in repository.touching(snapshot.base, [path]):
        if path not in step.files:  # the history is cut here
            return
        before = step.files[path].before
        config = None if before is None else past.loaded(repository.blob(before))
        if config is not None:
            yield config, repository.commit_info(step.commit).parents[0]


# -- what they are ----------------------------------------------------------------------------------------------------


class _Looking(NamedTuple):
    """One look at many branches."""

    repository: Repository
    forge: Forge
    snapshots: Sequence[Snapshot]

    def at(self, name: str, tip: CommitId) -> Stray | None:
        """A branch as a stray; None for one that isn't."""
        first = self.snapshots[0]
        fork = self.repository.merge_base(first.base, tip)
        commits = self.repository.commits(first.base, tip)
        if not any(commit.operations for commit in commits):
            return None
        then, made_on = self._then(name, commits, [commit for commit in (fork, tip) if commit is not None])
        if then is None:
            return None
        heirs = self._heirs(then, made_on)
        if any(name in (heir.branch, heir.downgrade_branch) for heir in heirs):
            return None
        finished = self.forge.last_finished(name, first.whole.base)
        settled = [] if finished is None else [finished.head_commit]
        self.repository.fetch(*settled)
        people = bool(owned(self.repository, commits, (tip, first.base), first.whole.base, settled).people)
        found = Stray(
            name, tip, then, heirs, people=people, remote=self.repository.remote_name,
            pull_request=self.forge.find_open(name, first.whole.base),
        )  # fmt: skip
        named = any(place.title == then.title for place in first.whole.places())
        found = found._replace(taken=first.refs.branch(found.target) is not None, named=named)
        try:
            lines = self._lines(found, [first.base, *filter(None, [fork]), *settled])
        except ReleaseError:  # a line that can't be read is not the tool's own work here
            return found._replace(people=True)
        waiting = self._waiting(found)
        pending = tuple(line for line in lines if line.id not in waiting)
        brought = {one for commit in commits for one in commit.operations}
        return found._replace(pending=pending, moved=not waiting.isdisjoint(brought))

    def _then(self, name: str, commits: Iterable[CommitInfo], ends: list[CommitId]) -> tuple[Place | None, CommitId]:
        """The environment that a branch was made for, and a commit whose configuration says so."""
        first = self.snapshots[0]
        # A branch that took the base in, by merge or by rebase, still names what it was made on.
        bases = [CommitId(base) for commit in commits if (base := trailer(commit, BASE_TRAILER))]
        for base in bases:
            with suppress(Forgotten):
                self.repository.fetch(base)
        for commit in (*bases, *ends):
            with suppress(MissingObject):
                place = past.named(past.config_at(self.repository, commit, first.config_path), name)
                if place is not None:
                    return place, commit
        for config, commit in _configurations(self.repository, first):
            place = past.named(config, name)
            if place is not None:
                return place, commit
        return None, ends[0]

    def _heirs(self, then: Place, commit: CommitId) -> tuple[Place, ...]:
        """What an environment of then is today; those with the most of it, where several may be it."""
        first = self.snapshots[0]
        config = past.config_at(self.repository, commit, first.config_path)
        olds = past.traits_at(self.repository, commit, () if config is None else config.places())
        every = (files for snapshot in self.snapshots for files in snapshot.files.values())
        present = [past.traits_in(files.place, files.record, files.tags or "") for files in every]
        found = [new.place for new in present if past.origin(new, olds, present) == then]
        same = [place for place in found if place.title == then.title]
        return tuple(same or found)

    def _lines(self, stray: Stray, settled: Iterable[CommitId]) -> list[Line]:
        """The lines that the branch brings and that nobody has decided about."""
        # Where the base was taken in, the record may stand at its path of today.
        paths = dict.fromkeys([stray.then.history_file, *(heir.history_file for heir in stray.heirs)])
        records = (files.record for snapshot in self.snapshots for files in snapshot.files.values())
        seen = set[str]().union(*map(past.ids, records))
        for commit in settled:
            seen.update(*(past.ids(self._text(commit, path)) for path in paths))
        lines: list[Line] = []
        for path in paths:
            found = [line for line in history.parse(self._text(stray.tip, path), path) if line.id not in seen]
            seen.update(line.id for line in found)
            lines += found
        return lines

    def _waiting(self, stray: Stray) -> frozenset[str]:
        """The ids that the branch of today holds, or that were decided about with it."""
        if not stray.target:
            return frozenset()
        snapshot = next(one for one in self.snapshots if stray.heirs[0] in one.config.places())
        finished = self.forge.last_finished(stray.target, snapshot.config.base)
        commits = [snapshot.refs.branch(stray.target), finished and finished.head_commit]
        found: frozenset[str] = frozenset()
        for commit in filter(None, commits):
            self.repository.fetch(commit)
            _, data = past.record_at(self.repository, snapshot, stray.heirs[0], commit)
            found |= past.ids(data.decode("utf-8", "replace"))
        return found

    def _text(self, commit: CommitId, path: str) -> str:
        return decode(self.repository.read(commit, [path]).get(path, b""), path)
