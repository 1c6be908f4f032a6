"""The rolling pull request: one branch of an environment, made again on the base by every operation.

Once a person's commit is on it, the branch is append-only: the base is merged in and the operation added on top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool import wording
from release_tool.errors import Refused
from release_tool.planning import NAMING, Plan, plan
from release_tool.publishing.branch import Branch, look
from release_tool.publishing.facts import names_of_files
from release_tool.publishing.proposal import file_difference, new_files
from release_tool.publishing.snapshot import read_files
from release_tool.publishing.source import AtCommit
from release_tool.publishing.work import Again
from release_tool.records import CommitId, Line, RefUpdate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.forges.base import Opened
    from release_tool.publishing.snapshot import Files
    from release_tool.publishing.tool import Outcome
    from release_tool.publishing.work import Work
    from release_tool.records import PullRequest


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
    branch = look(work.repository, work.forge, work.snapshot, work.place)
    settled = _settled(work, branch)
    if settled is not None:
        return settled
    following = _append(work, branch) if branch.append_only else _remake(work, branch)
    if not following.lines:
        return _nothing(work, branch, following)
    outcome = _outcome(work, branch, following)
    if work.request.dry_run:
        return outcome._replace(file_difference=file_difference(work.files, following.changed))
    pushed = _push(work, branch, following)
    tip = pushed or branch.tip
    assert tip is not None  # lines without a branch are pushed
    return _show(work, branch, following, outcome._replace(commit=pushed), tip)


def _settled(work: Work, branch: Branch) -> Outcome | None:
    """The outcome where nothing is to be planned; None where something is."""
    intent = work.request.intent
    if intent is not None:
        if intent.id not in branch.decided:
            return None
        note = f"operation {intent.id} was merged or closed already"
        return work.outcome(changed=work.tries > 0, branch=branch.name, notes=(note,))
    if branch.tip is None:
        return work.outcome()
    if branch.pending and _made_from_the_same(work, branch) and _names_hold(work, branch):
        shown = work.forge.find_open(branch.name, work.snapshot.config.base)
        if shown is not None or not work.forge.proposes:
            return work.outcome(branch=branch.name, pull_request=shown)
    return None


def _made_from_the_same(work: Work, branch: Branch) -> bool:
    """Whether the branch was made from the file, the record and the policy that the base holds now."""
    if branch.fork is None:
        return False
    paths = [work.place.tag_file, work.place.history_file, work.tool.config_path]
    return work.repository.read(branch.fork, paths) == work.repository.read(work.snapshot.base, paths)


def _names_hold(work: Work, branch: Branch) -> bool:
    """Whether the names on the branch are still free, or their tags' own, in all environments of the base."""
    names = names_of_files(work.snapshot.files.values())
    changes = [change for line in branch.pending for change in line.changes if change.action in NAMING]
    return all(names.may_keep(change.version, change.tag) for change in changes)


# -- what the branch shall hold ---------------------------------------------------------------------------------------


def _remake(work: Work, branch: Branch) -> Following:
    """Pending intents, this operation and the sweep on the base."""
    now = work.planned_at([*work.lines, *branch.pending])
    ground = work.ground(work.files.state(empty=True), work.lines, now)
    made = plan(ground, branch.pending, work.own_line(branch.pending))
    changed = new_files(work.files, made) if made.lines else {}
    return Following(made, made.lines, work.files, changed, work.snapshot.base)


def _append(work: Work, branch: Branch) -> Following:
    """A person's commits are on the branch: the base merged in, and this operation on top."""
    parent = _with_base(work, branch)
    files = read_files(AtCommit(work.repository, parent), [work.place])[work.environment.name]
    lines, state = files.lines(), files.state(empty=True)
    own = work.own_line(branch.pending)
    made = Plan((), (), state)
    if own is not None:
        made = plan(work.ground(state, lines, work.planned_at(lines)), (), own)
    changed = new_files(files, made) if made.lines else {}
    return Following(made, (*branch.pending, *made.lines), files, changed, parent)


def _with_base(work: Work, branch: Branch) -> CommitId:
    """The branch's tip, or a merge of the base into it where the base has moved."""
    tip, base = branch.tip, work.snapshot.base
    assert tip is not None  # commits of a person are on it
    if work.repository.is_ancestor(base, tip):
        return tip
    merged = work.repository.merge(tip, base)
    if merged.tree is None:
        raise _conflict(work, branch, merged.conflicts)
    message = f"Merge branch '{work.snapshot.config.base}' into {branch.name}\n"
    return work.repository.commit([tip, base], merged.tree, {}, message, when=work.tool.now())


def _conflict(work: Work, branch: Branch, paths: tuple[str, ...]) -> Refused:
    base = work.snapshot.config.base
    text = wording.conflict(branch.name, base, paths)
    shown = work.forge.find_open(branch.name, base)
    if shown is not None and not work.request.dry_run and text not in shown.comments:
        work.forge.comment(shown.number, text)
    return Refused(
        f"the branch {branch.name} holds a person's commits, and merging {base} into it conflicts",
        where=", ".join(paths),
        cause=f"{base} and that branch changed the same lines",
        hint=f"merge {base} into {branch.name} by hand, or close its pull request; then run this command again",
    )


# -- what comes of it -------------------------------------------------------------------------------------------------


def _outcome(work: Work, branch: Branch, following: Following) -> Outcome:
    made, intent = following.plan, work.request.intent
    mine = [line for line in following.lines if intent is not None and line.id == intent.id]
    ours = any(work.is_ours(line) for line in mine)
    changes = made.own if made.own_line else tuple(change for line in mine for change in line.changes)
    manifests, notes = work.rendered(following.files, following.changed)
    return work.outcome(
        changed=made.own_line or ours,
        changes=changes if made.own_line or ours else (),
        kept=made.kept,
        branch=branch.name,
        notes=(*made.notes, *(wording.left_out(one) for one in made.left_out), *notes),
        manifests=manifests,
    )


def _nothing(work: Work, branch: Branch, following: Following) -> Outcome:
    """Nothing to propose: a pull request that would be empty is closed with a sentence."""
    made = following.plan
    notes = (*made.notes, *(wording.left_out(one) for one in made.left_out))
    shown = work.forge.find_open(branch.name, work.snapshot.config.base) if branch.tip else None
    name = branch.name if branch.tip else None
    if shown is None or branch.append_only or work.request.dry_run:
        return work.outcome(branch=name, pull_request=shown, notes=notes)
    work.forge.close(shown.number, wording.nothing_left(work.snapshot.config.base))
    note = f"pull request #{shown.number} is closed: nothing is left of it"
    return work.outcome(changed=work.request.intent is None, branch=name, notes=(*notes, note))


def _push(work: Work, branch: Branch, following: Following) -> CommitId | None:
    """Push what the branch shall hold, by compare-and-swap; None where it holds that already."""
    if not following.plan.own_line and _holds(work, branch, following):
        return None
    commit = following.parent
    if following.changed:
        tree = work.repository.write_tree(commit, following.changed)
        message = wording.commit_message(work.environment.name, following.plan.lines, tree)
        commit = work.repository.commit([commit], tree, {}, message, when=work.tool.now())
    if commit == branch.tip:
        return None
    gone = branch.finished if branch.tip is None else None
    if gone is not None and gone.state == "closed" and gone.closed_at is None:
        work.forge.close(gone.number, wording.BRANCH_DELETED)  # or the new branch would bring it back to life
    work.repository.push([RefUpdate(f"refs/heads/{branch.name}", branch.tip, commit)])
    return commit


def _holds(work: Work, branch: Branch, following: Following) -> bool:
    """Whether the branch shows just that, made from the same file and record: then approvals survive."""
    if branch.tip is None or branch.fork is None:
        return False
    paths = [work.place.tag_file, work.place.history_file]
    base = work.repository.read(work.snapshot.base, paths)
    if work.repository.read(branch.fork, paths) != base:
        return False
    return branch.append_only or work.repository.read(branch.tip, paths) == {**base, **following.changed}


def _show(work: Work, branch: Branch, following: Following, outcome: Outcome, tip: CommitId) -> Outcome:
    """Find or open the pull request, then its title and body.

    Raises:
        Again: it was merged or closed in between, or somebody pushed after us and their text must stand.
    """
    made = following.plan
    text = wording.pull_request(work.environment.name, following.lines, made.kept, made.left_out, outcome.manifests)
    if not work.forge.proposes:
        return outcome._replace(text=f"{text.title}\n\n{text.body}")
    base = work.snapshot.config.base
    shown = work.forge.find_open(branch.name, base)
    created = False
    if shown is None:
        opened = _open(work, branch, text)
        shown, created = opened.pull_request, opened.created
    # On an append-only branch nothing is planned again, so without an operation there is nothing new to say.
    stands = branch.append_only and not following.plan.lines and not created
    if not stands and (shown.title, shown.body) != (text.title, text.body):
        shown = _update(work, shown, text)
    if shown.head_commit != tip:
        raise Again(f"somebody pushed to {branch.name} after us")
    return outcome._replace(pull_request=shown, created=created)


def _open(work: Work, branch: Branch, text: wording.PullRequestText) -> Opened:
    _look_for_a_decision(work, branch)
    labels = work.environment.publish.labels
    try:
        return work.forge.open(branch.name, work.snapshot.config.base, text.title, text.body, labels)
    except Refused:
        _look_for_a_decision(work, branch)
        raise


def _look_for_a_decision(work: Work, branch: Branch) -> None:
    """Raise Again if the pull request was merged or closed since this attempt began."""
    finished = work.forge.last_finished(branch.name, work.snapshot.config.base)
    if finished is not None and (branch.finished is None or finished.number != branch.finished.number):
        raise Again(f"pull request #{finished.number} was {finished.state} in between")


def _update(work: Work, shown: PullRequest, text: wording.PullRequestText) -> PullRequest:
    try:
        return work.forge.update(shown.number, text.title, text.body, work.environment.publish.labels)
    except Refused as refusal:
        raise Again(refusal.what) from refusal
