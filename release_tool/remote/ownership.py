"""Whose the commits of a release branch are: the tool's, the base's, or a person's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.git.errors import Forgotten
from release_tool.model.records import CommitId
from release_tool.pull_request import messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from release_tool.git.repository import CommitInfo, Repository


BASE_TRAILER = "Release-Base"
"""The base's tip that a commit was made on, or that a merge brings: what lies below was never a person's work."""

_WEB = "GitHub <noreply@github.com>"
"""The committer of what is done with GitHub's buttons: such a merge brings what the server's own branch held."""

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Owned(NamedTuple):
    """What lies on a release branch and not in the base."""

    # the commits of people, parents before children; the settled ones and all below them don't count
    people: tuple[CommitId, ...]
    # tips that the base had when the branch was made on them or took them in, and holds no longer
    left: tuple[CommitId, ...]
    uprooted: bool  # whether there are such, or there may be: somebody forced the base to another history


def owned(
    repository: Repository, commits: Sequence[CommitInfo], tips: tuple[CommitId, CommitId], base_name: str,
    settled: Iterable[CommitId] = (),
) -> Owned:  # fmt: skip
    """Tells the commits of a release branch apart.

    `commits`: those that the branch has and the base lacks, parents before children. `tips`: of branch and base.
    """
    _, base = tips
    ours = frozenset(commit.id for commit in commits if _is_ours(repository, commit))
    left, doubtful = _roots(repository, commits, tips, ours, base_name)
    old = {commit.id for end in (*left, *settled) for commit in repository.commits(base, end)}

    def takes_base_in(commit: CommitInfo) -> bool:
        """Whether it merges the base as git does by itself: nobody resolved or added anything."""
        held = any(parent in left or repository.is_ancestor(parent, base) for parent in commit.parents[1:])
        return held and len(commit.parents) == 2 and repository.merge(*commit.parents).tree == commit.tree

    people = [
        commit.id for commit in commits if commit.id not in old and commit.id not in ours and not takes_base_in(commit)
    ]
    return Owned(tuple(people), left, bool(left) or any(one not in old for one in doubtful))


def _roots(
    repository: Repository,
    commits: Sequence[CommitInfo],
    tips: tuple[CommitId, CommitId],
    ours: frozenset[CommitId],
    base_name: str,
) -> tuple[tuple[CommitId, ...], list[CommitId]]:
    """What the branch was made on or took in of the base, as far as the base lacks it: for sure, and perhaps."""
    ahead = {commit.id: commit for commit in commits}
    left: list[CommitId] = []
    doubtful: list[CommitId] = []
    at: CommitId | None = tips[0]
    while at in ahead:
        commit = ahead[at]
        at = commit.parents[0] if commit.parents else None
        named = CommitId(trailer(commit, BASE_TRAILER))
        if commit.id in ours and named and len(commit.parents) == 1:
            if trailer(commit, messages.TREE_TRAILER) != commit.tree:
                # One that was rebased names what it was made on first; what is below it now may be a person's.
                if at in ahead:
                    doubtful.append(ahead[at].id)
                break
            if named in ahead and not repository.is_ancestor(named, tips[1]):
                left.append(named)
            if named == at:
                break
        if len(commit.parents) == 2 and commit.parents[1] in ahead:
            brought = commit.parents[1]
            if commit.id in ours:
                left.append(brought)
            elif _says_it_merges(commit, base_name):
                (left if commit.committer == _WEB else doubtful).append(brought)
    return tuple(left), doubtful


def _says_it_merges(commit: CommitInfo, base_name: str) -> bool:
    """Whether its subject is the one that git and GitHub give to a merge of the base."""
    found = re.match(r"Merge (?:remote-tracking )?branch '([^']*)'", commit.subject)
    return found is not None and (found[1] == base_name or found[1].endswith(f"/{base_name}"))


def _is_ours(repository: Repository, commit: CommitInfo) -> bool:
    """Whether the tool made a commit, and nobody amended it: an amended one keeps its message and has another tree."""
    named, tree = trailer(commit, BASE_TRAILER), trailer(commit, messages.TREE_TRAILER)
    if not commit.operations:
        return len(commit.parents) == 2 and (named, tree) == (commit.parents[1], commit.tree)
    return tree == commit.tree or _is_rebased(repository, commit, named, tree)


def _is_rebased(repository: Repository, commit: CommitInfo, named: str, tree: str) -> bool:
    """Whether a commit of the tool was only put onto another one, by a forge's button or by `git rebase`."""
    if len(commit.parents) != 1 or not _COMMIT.fullmatch(named) or named == commit.parents[0]:
        return False
    before = CommitId(named)
    try:
        repository.fetch(before)
    except Forgotten:  # else it is away, and nobody may take a commit for a person's because of that
        return False
    # Its change on top of what it was made on must give the very tree that it had, and that one's change on top of what
    # it stands on now the tree that it has. The first alone would overlook somebody who takes back what the base
    # brought since; the tree that it had is known by its id, so it need not be in the remote any more.
    was = repository.applied(commit.id, before).tree
    if was is None or was != tree:
        return False
    original = repository.commit([before], was, {}, "", when=commit.committed_at, sign=False)
    return repository.applied(original, commit.parents[0]).tree == commit.tree


def trailer(commit: CommitInfo, name: str) -> str:
    """The value of a trailer; empty where there is none."""
    values = [line.partition(": ")[2] for line in commit.message.splitlines() if line.startswith(f"{name}: ")]
    return values[-1].strip() if values else ""
