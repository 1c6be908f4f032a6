"""The rolling branch of an environment: which lines are pending on it, and whether a person works on it too."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused
from release_tool.model import history
from release_tool.remote import past
from release_tool.remote.ownership import owned
from release_tool.remote.snapshot import decode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_tool.config import Place
    from release_tool.forges.base import Forge
    from release_tool.git.repository import Repository
    from release_tool.model.records import CommitId, Line, PullRequest
    from release_tool.remote.snapshot import Snapshot


class Branch(NamedTuple):
    """A rolling branch as it stands."""

    name: str  # its short name
    tip: CommitId | None = None  # its tip; None if there is no such branch
    fork: CommitId | None = None  # its merge base with the base branch; None without a branch
    pending: tuple[Line, ...] = ()  # the lines that it brings and that nobody has decided about, in their order
    people: tuple[CommitId, ...] = ()  # a person's commits on it, parents before children
    finished: PullRequest | None = None  # the branch's last merged or closed pull request
    carried: bool = False  # whether lines among the pending ones stand on another branch, see `strays`
    # ids of the lines that were merged or closed with that pull request and are not in the base now; not looked at
    # without a branch
    decided: frozenset[str] = frozenset()
    # whether the base was forced to another history since the branch was made on it or took it in, as far as anybody
    # can tell
    uprooted: bool = False

    @property
    def append_only(self) -> bool:
        """Whether a person's commits are on it: then it is never made again."""
        return bool(self.people)


def look(repository: Repository, forge: Forge, snapshot: Snapshot, place: Place, name: str = "") -> Branch:
    """A release branch of an environment: the one of that name, else the rolling one."""
    name = name or place.branch
    tip = snapshot.refs.branch(name)
    finished = forge.last_finished(name, snapshot.config.base)
    if tip is None:
        return Branch(name, finished=finished)
    # Pending = ids of the branch - ids of its merge base with the base - ids of the base - ids of the head of its last
    # merged or closed pull request: what was merged in any way, reverted or closed is never repeated. Nor is what the
    # branch was made on, where somebody forced the base elsewhere since.
    seen = _ids(snapshot.files[place.environment].lines())
    decided: frozenset[str] = frozenset()
    if finished is not None:
        repository.fetch(finished.head_commit)
        decided = _ids(lines_at(repository, snapshot, place, finished.head_commit)) - seen
    fork = repository.merge_base(snapshot.base, tip)  # first: it brings the history that the next question needs
    commits = repository.commits(snapshot.base, tip)
    settled = [] if finished is None else [finished.head_commit]
    whose = owned(repository, commits, (tip, snapshot.base), snapshot.config.base, settled)
    for root in (fork, *whose.left):
        if root is not None:
            seen |= _ids(lines_at(repository, snapshot, place, root))
    there = _there(repository, snapshot, place, tip, fork or tip)
    _demand_own(repository, snapshot, there, tip, name)
    return Branch(
        name=name,
        tip=tip,
        fork=fork,
        pending=tuple(line for line in _lines(repository, there, tip) if line.id not in seen | decided),
        people=whose.people,
        finished=finished,
        decided=decided,
        uprooted=whose.uprooted,
    )


def lines_at(repository: Repository, snapshot: Snapshot, place: Place, commit: CommitId) -> tuple[Line, ...]:
    """The record of an environment at a commit, wherever that stood then."""
    return _lines(repository, past.place_at(repository, snapshot, place, commit), commit)


def _lines(repository: Repository, there: Place | None, commit: CommitId) -> tuple[Line, ...]:
    path = "" if there is None else there.history_file
    data = repository.read(commit, [path]).get(path, b"") if path else b""
    return history.parse(decode(data, path), path)


def _there(repository: Repository, snapshot: Snapshot, place: Place, tip: CommitId, fork: CommitId) -> Place | None:
    """Where an environment stands on its branch: what the branch was made on tells more of who is who."""
    path = snapshot.config_path
    same = repository.files(tip, [path]) == repository.files(fork, [path])
    return past.place_at(repository, snapshot, place, fork if same else tip)


def _demand_own(repository: Repository, snapshot: Snapshot, there: Place | None, tip: CommitId, name: str) -> None:
    """Raise if a branch of today was another environment's when it was made."""
    if repository.files(tip, [snapshot.config_path]) == repository.files(snapshot.base, [snapshot.config_path]):
        return
    owner = past.named(past.config_at(repository, tip, snapshot.config_path), name)
    if owner is not None and (there is None or there.title != owner.title):
        raise Refused(
            f"the branch {name} was made for {owner.title}, and release.yaml gives it to another environment today",
            where=name,
            cause="an environment was renamed, and another one has its name now",
            hint="`release sync` carries over what waits on it, or says what to do",
            page="explanation/publishing.md#what-people-may-do-to-it",
        )


def _ids(lines: Iterable[Line]) -> frozenset[str]:
    return frozenset(line.id for line in lines)
