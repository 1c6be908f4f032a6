"""The rolling pull request: one branch of an environment, made again on the base by every operation.

Once a person's commit is on it, the branch is append-only: the base is merged in and the operation added on top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.records import RefUpdate
from release_tool.publishing import decided, peoples_commits, pull_request
from release_tool.publishing.files import file_difference, new_files
from release_tool.pull_request import messages
from release_tool.remote.branch import look
from release_tool.remote.snapshot import AtCommit, read_files
from release_tool.rules.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.model.records import Change, CommitId, Line
    from release_tool.publishing.attempt import Work
    from release_tool.publishing.outcome import Outcome
    from release_tool.remote.branch import Branch
    from release_tool.remote.snapshot import Files


class Following(NamedTuple):
    """What the rolling branch shall hold next."""

    plan: Plan
    lines: tuple[Line, ...]  # all lines that the pull request brings
    files: Files  # the environment's files that `changed` changes
    changed: Mapping[str, bytes]  # path -> bytes
    parent: CommitId  # the commit that the next one stands on


def propose(work: Work) -> Outcome:
    """Bring the rolling branch and its pull request to what they shall be; with no operation this is sync."""
    done = work.landed()
    if done is not None:
        return done
    branch = look(work.repository, work.forge, work.snapshot, work.place, work.branch)
    if work.invocation.carries:
        from release_tool.publishing import carrying

        branch = carrying.joined(work, branch)
    done_before = decided.outcome(work, branch)
    if done_before is not None:
        return done_before
    following = _append(work, branch) if branch.append_only else _remake(work, branch)
    if not following.lines:
        return _nothing(work, branch, following.plan)
    if decided.is_no(work, branch, following.plan):
        assert branch.finished is not None  # else nobody said no
        held = f"pull request {branch.finished.name} proposed just that and was closed; nothing has changed since"
        return work.outcome(plan=following.plan._replace(notes=(), left_out=()), said=(held,))
    changes = _changes(work, branch, following)
    manifests, notes, reached = work.rendered(following.plan, following.files, following.changed)
    outcome = work.outcome(
        changed=changes is not None,
        plan=following.plan._replace(own=changes or ()),
        branch=branch.name,
        routes=notes,
        manifests=manifests,
        reached=reached,
    )
    if work.invocation.dry_run:
        return _tried(work, branch, following, outcome)
    pushed = _push(work, branch, following, outcome)
    tip = pushed or branch.tip
    assert tip is not None  # lines without a branch are pushed
    return pull_request.show(work, branch, following.lines, outcome._replace(commit=pushed), tip)


# -- what the branch shall hold ---------------------------------------------------------------------------------------


def _remake(work: Work, branch: Branch) -> Following:
    """Pending intents, this operation and the sweep on the base."""
    made = work.planned(work.files, work.own_line(branch.pending), branch.pending)
    changed = new_files(work.files, made, work.snapshot.source) if made.lines else {}
    return Following(made, made.lines, work.files, changed, work.snapshot.base)


def _append(work: Work, branch: Branch) -> Following:
    """A person's commits are on the branch: the base is merged in, and this operation stands on top."""
    source = AtCommit(work.repository, peoples_commits.with_base(work, branch))
    files = read_files(source, [work.place])[work.environment.name]
    own = work.own_line(branch.pending)
    made = Plan((), (), files.state(empty=True)) if own is None else work.planned(files, own)
    changed = new_files(files, made, source) if made.lines else {}
    return Following(made, (*branch.pending, *made.lines), files, changed, source.commit)


def _tried(work: Work, branch: Branch, following: Following, outcome: Outcome) -> Outcome:
    """The outcome of a dry run: the differences; of an operation that has nothing to do, what waits already."""
    if outcome.changed or work.intent is None:
        return outcome._replace(file_difference=file_difference(work.files, following.changed))
    shown = work.forge.find_open(branch.name, work.snapshot.config.base)
    return outcome._replace(pull_request=shown, manifests=None)


# -- what comes of it -------------------------------------------------------------------------------------------------


def _changes(work: Work, branch: Branch, following: Following) -> tuple[Change, ...] | None:
    """What this operation changes; None where it changes nothing."""
    made = following.plan
    if made.own_line:
        return made.own
    for line in following.lines:
        if work.is_ours(line):  # a lost attempt of this call pushed it
            return line.changes
    if work.intent is not None and work.intent.operation == "cleanup" and not _holds(work, branch, following):
        # The sweep stands in the last line, whoever wrote that line; a cleanup that moved the sweep has done something.
        return tuple(change for change in made.edits if change.sweep)
    return None


def _nothing(work: Work, branch: Branch, made: Plan) -> Outcome:
    """Nothing to propose: a pull request that would be empty is closed with a sentence."""
    if branch.tip is None:
        return work.outcome(plan=made)
    shown = work.forge.find_open(branch.name, work.snapshot.config.base)
    if shown is None or branch.append_only or work.invocation.dry_run:
        return work.outcome(plan=made, branch=branch.name, pull_request=shown)
    work.forge.close(shown.number, messages.nothing_left(work.snapshot.config.base, made.left_out))
    note = f"pull request {shown.name} is closed: nothing is left of it"
    made = made._replace(own=(), kept=(), waiting=())
    return work.outcome(changed=work.intent is None, plan=made, branch=branch.name, routes=(note,))


def _push(work: Work, branch: Branch, following: Following, outcome: Outcome) -> CommitId | None:
    """Push what the branch shall hold, by compare-and-swap; None where it holds that already."""
    if not following.plan.own_line and _holds(work, branch, following):
        return None
    commit = following.parent
    if following.changed:
        commit = peoples_commits.written(work, following.plan.lines, following.changed, commit)
    if commit == branch.tip:
        return None
    gone = branch.finished
    if branch.tip is None and gone is not None and gone.state == "closed" and gone.closed_at is None:
        work.forge.close(gone.number, messages.BRANCH_DELETED)  # or the new branch would bring it back to life
    options = pull_request.push_options(work, branch, following.lines, outcome)
    work.repository.push([RefUpdate(f"refs/heads/{branch.name}", branch.tip, commit)], options)
    return commit


def _holds(work: Work, branch: Branch, following: Following) -> bool:
    """Whether the branch shows just that, made from the same file and record: then approvals survive."""
    if branch.tip is None or branch.fork is None or branch.uprooted:
        return False
    paths = [*{work.place.tag_file, work.place.history_file, *following.changed}]
    base = work.repository.read(work.snapshot.base, paths)
    if work.repository.read(branch.fork, paths) != base:
        return False
    return branch.append_only or work.repository.read(branch.tip, paths) == {**base, **following.changed}
