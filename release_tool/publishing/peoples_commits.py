"""A person's commits on a release branch, and a base that moved: merged with it, or carried onto its new history."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused
from release_tool.git.repository import Merged
from release_tool.publishing.files import new_files
from release_tool.pull_request import messages
from release_tool.remote.branch import lines_at
from release_tool.remote.ownership import BASE_TRAILER, is_plain_merge
from release_tool.remote.snapshot import read_files
from release_tool.remote.source import AtCommit
from release_tool.rules.plan import plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.model.records import CommitId, Line
    from release_tool.publishing.attempt import Work
    from release_tool.remote.branch import Branch
    from release_tool.rules.plan import LeftOut


class Carried(NamedTuple):
    """What is carried onto another history.

    Attributes:
        commit: holds it all so far.
        lines: the pending lines, planned again.
        left_out: the pending intents that the new base refuses.
    """

    commit: CommitId
    lines: tuple[Line, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def written(work: Work, lines: Sequence[Line], changed: Mapping[str, bytes], parent: CommitId) -> CommitId:
    """The tool's commit that brings some lines; it names the base that it was made on, also above a person's commits.

    Args:
        work: the attempt.
        lines: what it brings.
        changed: path -> bytes.
        parent: what it stands on.
    """
    tree = work.repository.write_tree(parent, changed)
    message = messages.commit_message(work.place.title, lines, tree)
    message += f"{BASE_TRAILER}: {work.snapshot.base}\n"
    return work.repository.commit([parent], tree, {}, message, when=work.tool.now())


def with_base(work: Work, branch: Branch) -> CommitId:
    """The branch's tip, or a merge of the base into it where the base has moved.

    Raises:
        Refused: the two conflict.
    """
    tip, base = branch.tip, work.snapshot.base
    assert tip is not None  # commits of a person are on it
    if work.repository.is_ancestor(base, tip):
        return tip
    merged = work.repository.merge(tip, base)
    if merged.tree is None:
        raise _conflict(work, branch, merged.conflicts)
    message = f"Merge branch '{work.snapshot.config.base}' into {branch.name}\n\n"
    message += f"{messages.TREE_TRAILER}: {merged.tree}\n{BASE_TRAILER}: {base}\n"
    return work.repository.commit([tip, base], merged.tree, {}, message, when=work.tool.now())


def carried(work: Work, branch: Branch) -> Carried:
    """The branch made anew on a base that was forced to another history, without what was forced out of it.

    The pending lines are planned again and people's commits put on top one by one, as a rebase does it, in their order.

    Raises:
        Refused: a commit can't be carried, or nobody can tell whose it is.
        ReleaseError: the plan can't be made.
    """
    if branch.doubtful is not None:
        raise _stuck(work, branch, f"{branch.doubtful[:12]} is a person's or was forced out, nobody can tell")
    found, waiting = Carried(work.snapshot.base), list(branch.pending)
    for commit in branch.people:
        there = {line.id for line in lines_at(work.repository, commit, work.place)}
        found = _planned_onto(work, [line for line in waiting if line.id in there], found)
        waiting = [line for line in waiting if line.id not in there]
        found = found._replace(commit=_put_onto(work, branch, commit, found.commit))
    return _planned_onto(work, waiting, found)


def _planned_onto(work: Work, pending: Sequence[Line], found: Carried) -> Carried:
    """Some pending lines planned again on top."""
    if not pending:
        return found
    source = AtCommit(work.repository, found.commit)
    files = read_files(source, [work.place])[work.environment.name]
    lines = files.lines()
    ground = work.ground(files.state(empty=True), lines, work.planned_at([*lines, *pending]), pending)
    made = plan(ground, pending, None)
    commit = found.commit
    if made.lines:
        commit = written(work, made.lines, new_files(files, made, source), commit)
    return Carried(commit, (*found.lines, *made.lines), (*found.left_out, *made.left_out))


def _put_onto(work: Work, branch: Branch, commit: CommitId, onto: CommitId) -> CommitId:
    """One commit of a person on top of another; the other itself where nothing is left of it, or it is a mere merge."""
    info = work.repository.commit_info(commit)
    if len(info.parents) != 1:
        if is_plain_merge(work.repository, info):
            return onto
        raise _stuck(work, branch, f"the merge {commit[:12]} holds more than what it merges")
    replayed = work.repository.replay(commit, onto, when=work.tool.now())
    if isinstance(replayed, Merged):
        raise _stuck(work, branch, f"{commit[:12]} conflicts in {', '.join(replayed.conflicts)}")
    return onto if work.repository.tree_id(replayed) == work.repository.tree_id(onto) else replayed


def _conflict(work: Work, branch: Branch, paths: tuple[str, ...]) -> Refused:
    base = work.snapshot.config.base
    _tell(work, branch, messages.conflict(branch.name, base, paths))
    return Refused(
        f"the branch {branch.name} holds a person's commits, and merging {base} into it conflicts",
        where=", ".join(paths),
        cause=f"{base} and that branch changed the same lines",
        hint=f"merge {base} into {branch.name} by hand, or close its pull request; then run this command again",
    )


def _stuck(work: Work, branch: Branch, why: str) -> Refused:
    base = work.snapshot.config.base
    _tell(work, branch, messages.uprooted(branch.name, base, why))
    return Refused(
        f"the branch {branch.name} holds a person's commits, which can't be carried onto the new history of {base}",
        where=branch.name,
        cause=f"{base} was forced elsewhere, and {why}",
        hint=f"`git rebase -i origin/{base}` on it: leave out what was forced out of {base}, put people's commits "
        "above the tool's, and push; or close its pull request; then run this command again",
    )


def _tell(work: Work, branch: Branch, text: str) -> None:
    """The same comment stands once on the pull request."""
    shown = work.forge.find_open(branch.name, work.snapshot.config.base)
    if shown is not None and not work.request.dry_run and text not in shown.comments:
        work.forge.comment(shown.number, text)
