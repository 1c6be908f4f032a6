"""The rolling pull request: one branch of an environment, made again on the base by every operation.

Once a person's commit is on it, the branch is append-only: the base is merged in and the operation added on top. Where
the base was forced to another history, people's commits are carried onto that one, without what was forced out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.model.records import RefUpdate
from release_tool.publishing import decided, peoples_commits, pull_request
from release_tool.publishing.files import file_difference, new_files
from release_tool.pull_request import messages
from release_tool.remote.branch import Following, look
from release_tool.remote.snapshot import read_files
from release_tool.remote.source import AtCommit
from release_tool.rules.plan import Plan, plan

if TYPE_CHECKING:
    from release_tool.model.records import Change, CommitId
    from release_tool.publishing.attempt import Work
    from release_tool.remote.branch import Branch
    from release_tool.remote.tool import Outcome


def propose(work: Work) -> Outcome:
    """Bring the rolling branch and its pull request to what they shall be; with no operation this is sync.

    Raises:
        Stale, Again: the remote has moved on.
        Refused: the rules, or a person's commits that conflict with the base, refuse it.
        ReleaseError: the plan can't be made or rendered.
    """
    done = work.landed()
    if done is not None:
        return done
    branch = look(work.repository, work.forge, work.snapshot, work.place, work.branch)
    done_before = decided.outcome(work, branch)
    if done_before is not None:
        return done_before
    following = _append(work, branch) if branch.append_only else _remake(work, branch)
    if not following.lines:
        return _nothing(work, branch, following)
    if decided.is_no(work, branch, following):
        held = f"pull request #{branch.finished.number} proposed just that and was closed" if branch.finished else ""
        made = following.plan
        return work.outcome(
            kept=made.kept,
            waiting=made.waiting,
            proposed=_of_sweep(made),
            notes=(f"{held}; nothing has changed since",),
        )
    outcome, told = _outcome(work, branch, following)
    if work.request.dry_run:
        return _tried(work, branch, following, outcome)
    pushed = _push(work, branch, following)
    tip = pushed or branch.tip
    assert tip is not None  # lines without a branch are pushed
    return pull_request.show(work, branch, following, outcome._replace(commit=pushed), tip, notes=told)


# -- what the branch shall hold ---------------------------------------------------------------------------------------


def _remake(work: Work, branch: Branch) -> Following:
    """Pending intents, this operation and the sweep on the base."""
    now = work.planned_at([*work.lines, *branch.pending])
    ground = work.ground(work.files.state(empty=True), work.lines, now, branch.pending)
    made = plan(ground, branch.pending, work.own_line(branch.pending))
    changed = new_files(work.files, made, work.snapshot.source) if made.lines else {}
    return Following(made, made.lines, work.files, changed, work.snapshot.base)


def _append(work: Work, branch: Branch) -> Following:
    """A person's commits are on the branch: the base merged in, or they carried onto it, and this operation on top."""
    if branch.uprooted or branch.doubtful is not None:
        parent, pending, left_out = peoples_commits.carried(work, branch)
        notes = [messages.carried(work.snapshot.config.base)]
    else:
        parent, pending, left_out, notes = peoples_commits.with_base(work, branch), branch.pending, (), []
    files = read_files(AtCommit(work.repository, parent), [work.place])[work.environment.name]
    lines, state = files.lines(), files.state(empty=True)
    own = work.own_line(branch.pending)
    made = Plan((), (), state)
    if own is not None:
        made = plan(work.ground(state, lines, work.planned_at(lines)), (), own)
    changed = new_files(files, made, AtCommit(work.repository, parent)) if made.lines else {}
    made = made._replace(left_out=left_out, notes=(*made.notes, *notes))
    return Following(made, (*pending, *made.lines), files, changed, parent)


def _tried(work: Work, branch: Branch, following: Following, outcome: Outcome) -> Outcome:
    """The outcome of a dry run: the differences; of an operation that has nothing to do, what waits already."""
    if outcome.changed or work.request.intent is None:
        return outcome._replace(file_difference=file_difference(work.files, following.changed))
    shown = work.forge.find_open(branch.name, work.snapshot.config.base)
    return outcome._replace(pull_request=shown, manifests=None)


# -- what comes of it -------------------------------------------------------------------------------------------------


def _outcome(work: Work, branch: Branch, following: Following) -> tuple[Outcome, tuple[str, ...]]:
    """What comes of it, and what the checks of the manifests have to say."""
    made, intent = following.plan, work.request.intent
    mine = [line for line in following.lines if intent is not None and line.id == intent.id]
    changed = made.own_line or any(work.is_ours(line) for line in mine)
    changes = made.own if made.own_line else tuple(change for line in mine for change in line.changes)
    if intent is not None and intent.operation == "cleanup" and not changed and not _holds(work, branch, following):
        # The sweep stands in the last line, whoever wrote that; a cleanup that moved it has done something.
        changed, changes = True, _of_sweep(made)
    manifests, notes = work.rendered(following.files, following.changed)
    outcome = work.outcome(
        changed=changed,
        changes=changes if changed else (),
        kept=made.kept,
        waiting=made.waiting,
        proposed=() if changed else _of_sweep(made),
        branch=branch.name,
        notes=(*made.notes, *(messages.left_out(one) for one in made.left_out), *notes),
        manifests=manifests,
    )
    return outcome, notes


def _of_sweep(made: Plan) -> tuple[Change, ...]:
    return tuple(change for change in made.edits if change.sweep)


def _nothing(work: Work, branch: Branch, following: Following) -> Outcome:
    """Nothing to propose: a pull request that would be empty is closed with a sentence."""
    made = following.plan
    notes = (*made.notes, *(messages.left_out(one) for one in made.left_out))
    shown = work.forge.find_open(branch.name, work.snapshot.config.base) if branch.tip else None
    name = branch.name if branch.tip else None
    over = branch.uprooted and _is_empty(work, following)  # of a person, too
    if shown is None or (branch.append_only and not over) or work.request.dry_run:
        # What was forced out of the base goes also from a branch that only a person's commits are left of.
        goes = branch.append_only and branch.uprooted and not work.request.dry_run and not _is_empty(work, following)
        pushed = _push(work, branch, following) if goes else None
        return work.outcome(
            kept=made.kept, waiting=made.waiting, branch=name, commit=pushed, pull_request=shown, notes=notes
        )
    work.forge.close(shown.number, messages.nothing_left(work.snapshot.config.base))
    note = f"pull request #{shown.number} is closed: nothing is left of it"
    return work.outcome(changed=work.request.intent is None, branch=name, notes=(*notes, note))


def _is_empty(work: Work, following: Following) -> bool:
    """Whether it holds the files of the base; no such branch is pushed."""
    return work.repository.tree_id(following.parent) == work.repository.tree_id(work.snapshot.base)


def _push(work: Work, branch: Branch, following: Following) -> CommitId | None:
    """Push what the branch shall hold, by compare-and-swap; None where it holds that already."""
    if not following.plan.own_line and _holds(work, branch, following):
        return None
    commit = following.parent
    if following.changed:
        commit = peoples_commits.written(work, following.plan.lines, following.changed, commit)
    if commit == branch.tip:
        return None
    gone = branch.finished if branch.tip is None else None
    if gone is not None and gone.state == "closed" and gone.closed_at is None:
        work.forge.close(gone.number, messages.BRANCH_DELETED)  # or the new branch would bring it back to life
    work.repository.push([RefUpdate(f"refs/heads/{branch.name}", branch.tip, commit)])
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
