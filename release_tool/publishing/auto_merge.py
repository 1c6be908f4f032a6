"""What a guard does with nobody there: let the forge merge, keep to a "no", and hold what has become needless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import Refused, TryAgain
from release_tool.publishing import decided
from release_tool.remote.branch import lines_at, look
from release_tool.remote.ownership import owned

if TYPE_CHECKING:
    from release_tool.config import Place
    from release_tool.model.records import CommitId, PullRequest
    from release_tool.publishing.attempt import Work
    from release_tool.publishing.outcome import Outcome
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool


def merged(work: Work, outcome: Outcome) -> Outcome:
    """Let the forge merge what was proposed.

    Returns:
        The same with what became of the merge; `refused` says why a person must merge.
    """
    pull = outcome.pull_request
    if work.invocation.dry_run:
        return outcome
    if pull is None:
        waits = f"the branch {outcome.branch} waits for a person: the forge has no pull requests"
        return outcome._replace(refused=waits) if outcome.text else outcome
    why = _why_a_person(work, pull)
    if why:
        work.forge.merge_by_hand(pull.number)  # an earlier pass may have left it to the forge, before a person came
        return outcome._replace(refused=f"pull request {pull.name} waits for a person who merges it{why}")
    try:
        merging = work.forge.merge_when_ready(pull.number, pull.head_commit)
    except Refused as refusal:
        why = f"pull request {pull.name} waits for a person: the forge doesn't merge it by itself ({refusal.what})"
        return outcome._replace(refused=why)
    except TryAgain as busy:
        why = f"pull request {pull.name} is not merged yet ({busy.what}): the next pass tries again"
        return outcome._replace(refused=why)
    if merging == "waiting" and work.forge.capabilities.auto_merge == "pass":
        merging = "next_pass"
    return outcome._replace(merging=merging, changed=outcome.changed or merging == "merged")


def _why_a_person(work: Work, pull: PullRequest) -> str:
    """Why a person must merge a pull request, as the end of a sentence; empty where nobody must."""
    if not work.environment.downgrade.auto_merge:
        return " (auto_merge: false)"
    if not _all_decided(work, pull.head_commit):
        return ": it holds what a person asked for"
    if not _all_made(work, pull.head_commit):
        return ": it holds commits of a person"
    return ""


def _all_decided(work: Work, head: CommitId) -> bool:
    """Whether a guard decided on everything that waits on the branch: only that may land with nobody looking."""
    work.repository.fetch(head)
    landed = {line.id for line in work.lines}
    waiting = [line for line in lines_at(work.repository, work.snapshot, work.place, head) if line.id not in landed]
    return all(line.intent.evidence for line in waiting)


def _all_made(work: Work, head: CommitId) -> bool:
    """Whether the tool made every commit that the branch would bring."""
    base = work.snapshot.base
    commits = work.repository.commits(base, head)
    return not owned(work.repository, commits, (head, base), work.snapshot.config.base).people


def held(work: Work) -> Outcome | None:
    """The outcome where somebody closed a pull request with just this downgrade, and nothing has changed since.

    A push to the base must ask for that itself: it looks at no branch.
    """
    branch = look(work.repository, work.forge, work.snapshot, work.place, work.branch)
    if not decided.said_no(work, branch):
        return None
    name = branch.finished.name if branch.finished else ""
    return work.outcome(said=(f"pull request {name} proposed just that and was closed; nothing has changed since",))


def needless(tool: Tool, snapshot: Snapshot, place: Place) -> str:
    """Hold a guard's downgrade that waits though its reason is gone: the forge merges it no more by itself.

    Returns:
        What a person must look at, in a sentence; empty: nothing of a guard's waits.
    """
    if snapshot.refs.branch(place.downgrade_branch) is None:
        return ""
    forge = tool.forge(snapshot.config)
    branch = look(tool.repository, forge, snapshot, place, place.downgrade_branch)
    if not any(line.intent.evidence for line in branch.pending):
        return ""
    pull = forge.find_open(branch.name, snapshot.config.base)
    if pull is None:
        return ""
    forge.merge_by_hand(pull.number)
    return f"a downgrade waits in pull request {pull.name}, and its reason is gone: close it, or merge it by hand"
