"""The rolling branch of an environment: which lines are pending on it, and whether a person works on it too."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool import history, wording
from release_tool.publishing.snapshot import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from release_tool.config import Place
    from release_tool.forges.base import Forge
    from release_tool.planning import Plan
    from release_tool.publishing.snapshot import Files, Snapshot
    from release_tool.records import CommitId, Line, PullRequest
    from release_tool.repository import CommitInfo, Repository


BASE_TRAILER = "Release-Base"
"""The base's tip that a commit was made on: whatever lies below it was never a person's work on the branch."""


class Branch(NamedTuple):
    """A rolling branch as it stands.

    Attributes:
        name: its short name.
        tip: its tip; None if there is no such branch.
        fork: its merge base with the base branch; None without a branch.
        pending: the lines that it brings and that nobody has decided about, in their order.
        append_only: whether a person's commits are on it.
        finished: the branch's last merged or closed pull request.
        decided: ids of the lines that were merged or closed with that pull request and are not in the base now;
            not looked at without a branch.
        uprooted: whether the base has left the commit that the branch was made on: somebody forced it elsewhere.
    """

    name: str
    tip: CommitId | None = None
    fork: CommitId | None = None
    pending: tuple[Line, ...] = ()
    append_only: bool = False
    finished: PullRequest | None = None
    decided: frozenset[str] = frozenset()
    uprooted: bool = False


class Following(NamedTuple):
    """What the rolling branch shall hold next.

    Attributes:
        plan: the plan.
        lines: all lines that the pull request brings.
        files: the environment's files that `changed` changes.
        changed: path -> bytes.
        parent: the commit that the next one stands on.
    """

    plan: Plan
    lines: tuple[Line, ...]
    files: Files
    changed: Mapping[str, bytes]
    parent: CommitId


def look(repository: Repository, forge: Forge, snapshot: Snapshot, place: Place, name: str = "") -> Branch:
    """A release branch of an environment.

    Pending = ids of the branch - ids of its merge base with the base - ids of the base - ids of the head of its last
    merged or closed pull request: what was merged in any way, reverted or closed is never repeated. Nor is what the
    branch was made on, where somebody forced the base elsewhere since.

    Args:
        repository: the remote.
        forge: where its pull requests live.
        snapshot: the remote at one moment.
        place: the environment's files.
        name: the branch; empty: the rolling one.
    """
    name = name or place.branch
    tip = snapshot.refs.branch(name)
    finished = forge.last_finished(name, snapshot.config.base)
    if tip is None:
        return Branch(name, finished=finished)
    seen = _ids(snapshot.files[place.environment].lines())
    decided: frozenset[str] = frozenset()
    if finished is not None:
        repository.fetch(finished.head_commit)
        decided = _ids(lines_at(repository, finished.head_commit, place)) - seen
    fork = repository.merge_base(snapshot.base, tip)  # first: it brings the history that the next question needs
    commits = repository.commits(snapshot.base, tip)
    left = _left_by_base(commits, tip)
    for root in (fork, left):
        if root is not None:
            seen |= _ids(lines_at(repository, root, place))
    settled = [end for end in (left, finished.head_commit if finished else None) if end is not None]
    return Branch(
        name=name,
        tip=tip,
        fork=fork,
        pending=tuple(line for line in lines_at(repository, tip, place) if line.id not in seen | decided),
        append_only=_has_foreign_commits(repository, snapshot, commits, settled),
        finished=finished,
        decided=decided,
        uprooted=left is not None,
    )


def lines_at(repository: Repository, commit: CommitId, place: Place) -> tuple[Line, ...]:
    """The record of an environment at a commit."""
    data = repository.read(commit, [place.history_file]).get(place.history_file, b"")
    return history.parse(decode(data, place.history_file), place.history_file)


def _ids(lines: Iterable[Line]) -> frozenset[str]:
    return frozenset(line.id for line in lines)


def _left_by_base(commits: Sequence[CommitInfo], tip: CommitId) -> CommitId | None:
    """What a branch was made on, if the base holds that no longer; None if it does, or where nobody can tell."""
    ahead = {commit.id: commit for commit in commits}
    at: CommitId | None = tip
    while at in ahead:
        commit = ahead[at]
        at = commit.parents[0] if commit.parents else None
        if _is_ours(commit) and f"{BASE_TRAILER}: {at}" in commit.message.splitlines():
            return at if at in ahead else None
    return None


def _has_foreign_commits(
    repository: Repository, snapshot: Snapshot, commits: Iterable[CommitInfo], settled: Iterable[CommitId]
) -> bool:
    """Whether a commit is neither the tool's nor a merge of the base; the settled ones and all below don't count."""
    old = {commit.id for end in settled for commit in repository.commits(snapshot.base, end)}
    return any(
        commit.id not in old and not _is_ours(commit) and not _merges_base(repository, snapshot, commit)
        for commit in commits
    )


def _is_ours(commit: CommitInfo) -> bool:
    """Whether the tool made a commit, and nobody amended it: an amended one keeps its message and has another tree."""
    return bool(commit.operations) and f"{wording.TREE_TRAILER}: {commit.tree}" in commit.message.splitlines()


def _merges_base(repository: Repository, snapshot: Snapshot, commit: CommitInfo) -> bool:
    return len(commit.parents) > 1 and any(
        repository.is_ancestor(parent, snapshot.base) for parent in commit.parents[1:]
    )
