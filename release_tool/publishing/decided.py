"""What needs no planning: a branch that shows what it shall, a decision that was taken, a "no" that holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import Refused, ReleaseError, TryAgain
from release_tool.model.health import failing
from release_tool.model.records import DowngradeArguments
from release_tool.model.versions import tag_part
from release_tool.remote.branch import Branch, lines_at
from release_tool.remote.names import names_of_files, quarantined_elsewhere
from release_tool.remote.snapshot import AtCommit, read_config
from release_tool.rules.plan import NAMING, Plan

if TYPE_CHECKING:
    from release_tool.model.records import CommitId, Intent, Line
    from release_tool.publishing.attempt import Work
    from release_tool.publishing.outcome import Outcome


def outcome(work: Work, branch: Branch) -> Outcome | None:
    """The outcome where nothing is to be planned; None where something is."""
    return _shown(work, branch) if work.intent is None else _merged(work, branch, work.intent)


def _shown(work: Work, branch: Branch) -> Outcome | None:
    """Of sync: there is no branch, or the branch and its pull request are what they shall be."""
    if branch.carried:
        return None
    if branch.tip is None:
        return work.outcome()
    if not (branch.pending and _made_from_the_same(work, branch) and _names_hold(work, branch) and _good(work, branch)):
        return None
    shown = work.forge.find_open(branch.name, work.snapshot.config.base)
    if shown is None and work.forge.capabilities.proposes:
        return None
    return work.outcome(branch=branch.name, pull_request=shown)


def _merged(work: Work, branch: Branch, intent: Intent) -> Outcome | None:
    """Of an operation: it was merged with an earlier pull request, and isn't in the base now."""
    if not _is_decided(work, branch, intent):
        return None
    _look_for_a_no(work, branch, intent)
    note = f"operation {intent.id} was merged already"
    return work.outcome(changed=work.tries > 0, branch=branch.name if branch.tip else None, said=(note,))


def _is_decided(work: Work, branch: Branch, intent: Intent) -> bool:
    """Whether the operation was on the branch when its last pull request was finished, and isn't in the base."""
    # Proposed again with the same id, it would count as decided and be dropped by the next operation.
    finished = branch.finished
    if branch.tip is not None or finished is None:
        return intent.id in branch.decided
    if intent.operation == "cleanup" and not work.tries:
        return False  # a new id each time: hundreds of environments are not looked up for it
    work.repository.fetch(finished.head_commit)
    return any(line.id == intent.id for line in _lines_at(work, finished.head_commit))


def _look_for_a_no(work: Work, branch: Branch, intent: Intent) -> None:
    """Raise if the pull request of the operation was closed, each time that it is asked for by its id.

    Raises:
        TryAgain: it was closed amid this call, and the same command proposes the operation anew.
        Refused: the same command would find it closed again.
    """
    no = branch.finished
    if no is None or no.state != "closed":
        return
    # Where this very call had pushed to it just before, people hadn't seen that coming. With another id the operation
    # is none of those that were closed; the same command gets one by itself, unless somebody gave the id.
    if work.tries and not work.invocation.named:
        raise TryAgain(
            f"pull request {no.name} was closed just after this operation came to it",
            where=no.url,
            cause="somebody closed it, or deleted its branch, at that moment",
            hint="run the same command again to have it proposed in a new pull request",
        )
    raise Refused(
        f"pull request {no.name} was closed, and operation {intent.id} with it: it is not in the base",
        where=no.url,
        cause='a closed pull request is a "no", and so is a deleted branch; its comments may say why',
        hint="to have it proposed all the same, run the command with another --id, or without one",
        page="explanation/publishing.md#a-no-holds",
    )


def _good(work: Work, branch: Branch) -> bool:
    """Whether no version of a pending promotion was quarantined in another environment meanwhile."""
    tags = [line.intent.tag for line in branch.pending if line.intent.operation == "promote"]
    if not tags:
        return True
    bad = quarantined_elsewhere(work.snapshot, work.environment.name)
    return not any(tag_part(tag) in bad for tag in tags)


def _made_from_the_same(work: Work, branch: Branch) -> bool:
    """Whether the branch was made from the file, the record and the policy that the base holds now."""
    if branch.fork is None or branch.uprooted:
        return False
    paths = [work.place.tag_file, work.place.history_file, work.tool.config_path]
    return work.repository.read(branch.fork, paths) == work.repository.read(work.snapshot.base, paths)


def _names_hold(work: Work, branch: Branch) -> bool:
    """Whether the names on the branch are still free, or their tags' own, in all environments of the base."""
    names = names_of_files(work.snapshot.files.values())
    changes = [change for line in branch.pending for change in line.changes if change.action in NAMING]
    return all(names.may_keep(change.version, change.tag) for change in changes)


def is_no(work: Work, branch: Branch, made: Plan) -> bool:
    """Whether somebody closed a pull request with just this cleanup, or guard's decision, and all is as it was."""
    # What people asked for themselves is proposed again; a schedule would ask every night, or every five minutes.
    intent = work.intent
    if intent is None or intent.operation != "cleanup":
        return said_no(work, branch)
    closed = [change for line in _closed(work, branch) for change in line.changes if change.action != "supersede"]
    return bool(closed) and closed == list(made.edits)


def said_no(work: Work, branch: Branch) -> bool:
    """Whether somebody closed a pull request with what a guard decides again, on the same ground and no more reason."""
    intent = work.intent
    if intent is None or not intent.evidence:
        return False
    return any(_same_verdict(line.intent, intent) for line in _closed(work, branch))


def _closed(work: Work, branch: Branch) -> list[Line]:
    """The lines of the branch's last pull request, where that was closed and file and policy are as they were then."""
    finished = branch.finished
    if finished is None or finished.state != "closed" or branch.pending or branch.append_only:
        return []
    work.repository.fetch(finished.head_commit)
    fork = work.repository.merge_base(work.snapshot.base, finished.head_commit)
    if fork is None or not _same_ground(work, fork):
        return []
    seen = {line.id for line in (*work.lines, *_lines_at(work, fork))}
    return [line for line in _lines_at(work, finished.head_commit) if line.id not in seen]


def _lines_at(work: Work, commit: CommitId) -> tuple[Line, ...]:
    return lines_at(work.repository, work.snapshot, work.place, commit)


def _same_verdict(one: Intent, other: Intent) -> bool:
    """Whether a decision is one that was closed: about the same versions, by no check that did not fail then."""
    # Numbers may differ, and a check that flaps is no news.
    targets = {said.to_tag for said in (one.arguments, other.arguments) if isinstance(said, DowngradeArguments)}
    same = (one.operation, one.tag) == (other.operation, other.tag) and len(targets) <= 1
    return same and failing(other) <= failing(one)


def _same_ground(work: Work, fork: CommitId) -> bool:
    """Whether a commit holds the versions and the policy of the environment that the base holds now."""
    try:
        config = read_config(AtCommit(work.repository, fork), work.tool.config_path)
        view = config.view(work.place.service)
        policy = (view.environment(work.environment.name), view.versions.ordering)
    except ReleaseError:  # of a time before this configuration
        return False
    then = work.repository.read(fork, [work.place.tag_file])
    now = work.repository.read(work.snapshot.base, [work.place.tag_file])
    return then == now and policy == (work.environment, work.snapshot.config.versions.ordering)
