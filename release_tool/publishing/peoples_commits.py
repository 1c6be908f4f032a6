"""A person's commits on a release branch: the base is merged in below the tool's own, or the tool says why it stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import Refused
from release_tool.pull_request import messages
from release_tool.remote.ownership import BASE_TRAILER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.model.records import CommitId, Line
    from release_tool.publishing.attempt import Work
    from release_tool.remote.branch import Branch


def written(work: Work, lines: Sequence[Line], changed: Mapping[str, bytes], parent: CommitId) -> CommitId:
    """The tool's commit that brings some lines; it names the base that it was made on, also above people's commits."""
    tree = work.repository.write_tree(parent, changed)
    message = messages.commit_message(work.place.title, lines, tree)
    message += f"{BASE_TRAILER}: {work.snapshot.base}\n"
    return work.repository.commit([parent], tree, {}, message, when=work.tool.now())


def with_base(work: Work, branch: Branch) -> CommitId:
    """The branch's tip, or a merge of the base into it where the base has moved.

    Raises:
        Refused: the two conflict, or the base was forced to another history: a merge would bring back what was forced
            out, and only a person can tell that from a person's own commits.
    """
    tip, base, name = branch.tip, work.snapshot.base, work.snapshot.config.base
    assert tip is not None  # commits of a person are on it
    if branch.uprooted:
        _tell(work, branch, messages.uprooted(branch.name, name))
        raise Refused(
            f"the branch {branch.name} holds a person's commits on an old history of {name}",
            where=branch.name,
            cause=f"{name} was forced to another history since, or commits on the branch don't tell whose they are: "
            "merging the two could bring back what was forced out",
            hint=f"`git rebase -i origin/{name}` on the branch: leave out what was forced out of {name}, put people's "
            "commits above the tool's, and push; or close its pull request; then run this command again",
            page="explanation/publishing.md#what-people-may-do-to-it",
        )
    if work.repository.is_ancestor(base, tip):
        return tip
    merged = work.repository.merge(tip, base)
    if merged.tree is None:
        _tell(work, branch, messages.conflict(branch.name, name, merged.conflicts))
        raise Refused(
            f"the branch {branch.name} holds a person's commits, and merging {name} into it conflicts",
            where=", ".join(merged.conflicts),
            cause=f"{name} and that branch changed the same lines",
            hint=f"merge {name} into {branch.name} by hand, or close its pull request; then run this command again",
            page="explanation/publishing.md#what-people-may-do-to-it",
        )
    message = f"Merge branch '{name}' into {branch.name}\n\n"
    message += f"{messages.TREE_TRAILER}: {merged.tree}\n{BASE_TRAILER}: {base}\n"
    return work.repository.commit([tip, base], merged.tree, {}, message, when=work.tool.now())


def _tell(work: Work, branch: Branch, text: str) -> None:
    """The same comment stands once on the pull request."""
    shown = work.forge.find_open(branch.name, work.snapshot.config.base)
    if shown is not None and not work.invocation.dry_run and text not in shown.comments:
        work.forge.comment(shown.number, text)
