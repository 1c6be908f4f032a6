"""The one way in which a change reaches the remote: plan, render, push by compare-and-swap, pull request.

Every step can die at any instruction: running the same command again finishes it. What lost a race is planned again
on the new tip, with a growing, jittered pause, until the configured time is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import Refused, TryAgain
from release_tool.evidence import EVIDENCE
from release_tool.publishing import direct, rolling
from release_tool.publishing.branch import lines_at
from release_tool.publishing.snapshot import take
from release_tool.publishing.tool import Outcome
from release_tool.publishing.work import Again, Work
from release_tool.repository import Protected, Stale

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.publishing.snapshot import Snapshot
    from release_tool.publishing.tool import Request, Tool
    from release_tool.records import CommitId


def run(tool: Tool, prepare: Callable[[Snapshot], Request | Outcome], service: str = "") -> Outcome:
    """Do one operation, from the look at the remote to the pull request.

    Args:
        tool: the outside world.
        prepare: makes the request on what the remote holds, once for each attempt; or the outcome, where there is
            nothing to attempt; raises when the operation is against the rules of the configuration.
        service: whose versions; empty: of the only one.

    Raises:
        Refused: the rules refuse it.
        TryAgain: others were faster until the time was over.
        ReleaseError: whatever else a person must fix.
    """
    started = tool.now()
    tries = 0
    while True:
        snapshot = take(tool, service)
        request = prepare(snapshot)
        if isinstance(request, Outcome):
            return request
        try:
            return attempt(Work(tool, snapshot, request, tries))
        except (Stale, Again) as lost:
            tries += 1
            timeout = snapshot.config.publish.timeout
            if tool.now() - started > timeout:
                raise TryAgain(
                    f"others were faster {tries} times in {int(timeout.total_seconds())} s",
                    where=tool.repository.display_url,
                    cause=f"many operations push to one branch at the same time ({lost})",
                    hint="run the same command again, or raise `publish.timeout` in release.yaml",
                ) from lost
            tool.wait(tries)


def attempt(work: Work) -> Outcome:
    """Do one operation on what the remote held at one moment."""
    if _is_direct(work):
        try:
            return direct.push(work)
        except Protected as refusal:
            if not work.request.downgrade:
                raise
            return _proposed_instead(work, refusal)
    return _merged(work, rolling.propose(work))


def _is_direct(work: Work) -> bool:
    request, environment = work.request, work.environment
    if request.direct is not None:
        return request.direct
    mode = environment.downgrade_mode if request.downgrade else environment.publish.mode
    return mode == "direct" and request.intent is not None


def _merged(work: Work, outcome: Outcome) -> Outcome:
    """What became of the pull request, where the forge shall merge it; `refused` where a person must."""
    request, pull = work.request, outcome.pull_request
    if not request.unattended or request.dry_run:
        return outcome
    if pull is None:
        waits = f"the branch {outcome.branch} waits for a person: the forge has no pull requests"
        return outcome._replace(refused=waits) if outcome.text else outcome
    if not _all_decided(work, pull.head_commit):
        waits = f"pull request #{pull.number} holds what a person asked for, and waits for a person who merges it"
        return outcome._replace(refused=waits)
    if not work.environment.downgrade.auto_merge:
        return outcome._replace(refused=f"pull request #{pull.number} waits for a person who merges it")
    try:
        merging = work.forge.merge_when_ready(pull.number, pull.head_commit)
    except Refused as refusal:
        why = f"pull request #{pull.number} waits for a person: the forge doesn't merge it by itself ({refusal.what})"
        return outcome._replace(refused=why)
    return outcome._replace(merging=merging)


def _all_decided(work: Work, head: CommitId) -> bool:
    """Whether a guard decided on everything that waits on the branch: only that may land with nobody looking."""
    work.repository.fetch(head)
    landed = {line.id for line in work.lines}
    waiting = [line for line in lines_at(work.repository, head, work.place) if line.id not in landed]
    return all(EVIDENCE in line.intent.arguments for line in waiting)


def _proposed_instead(work: Work, refusal: Protected) -> Outcome:
    """A downgrade that may not be pushed becomes a pull request: a person must see to that, even where it merges."""
    outcome = _merged(work, rolling.propose(work))
    done = {"merged": "is merged", "waiting": "merges by itself"}.get(outcome.merging, "waits for a person")
    why = f"the server takes no direct push ({refusal.what}): the downgrade became a pull request, which {done}"
    return outcome._replace(refused=why)
