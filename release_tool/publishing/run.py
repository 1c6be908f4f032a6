"""The one way in which a change reaches the remote: plan, render, push by compare-and-swap, pull request.

Every step can die at any instruction: running the same command again finishes it. What lost a race is planned again
on the new tip, with a growing, jittered pause, until the configured time is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import TryAgain
from release_tool.git.repository import Protected, Stale
from release_tool.publishing import auto_merge, direct, rolling
from release_tool.publishing.attempt import Again, Work
from release_tool.remote.snapshot import take
from release_tool.remote.tool import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Request, Tool


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
    unattended_no = _held(work)
    if unattended_no is not None:
        return unattended_no
    if _is_direct(work):
        try:
            return direct.push(work)
        except Protected as refusal:
            if not work.request.downgrade:
                raise
            return _proposed_instead(work, refusal)
    return _proposed(work)


def _held(work: Work) -> Outcome | None:
    """The outcome of an unattended push to the base that somebody said no to; None for everything else."""
    return auto_merge.held(work) if work.request.unattended and _is_direct(work) else None


def _proposed(work: Work) -> Outcome:
    outcome = rolling.propose(work)
    return auto_merge.merged(work, outcome) if work.request.unattended else outcome


def _is_direct(work: Work) -> bool:
    request, environment = work.request, work.environment
    if request.direct is not None:
        return request.direct
    mode = environment.downgrade_mode if request.downgrade else environment.publish.mode
    return mode == "direct" and request.intent is not None


def _proposed_instead(work: Work, refusal: Protected) -> Outcome:
    """A downgrade that may not be pushed becomes a pull request: a person must see to that, even where it merges."""
    outcome = _proposed(work)
    done = {"merged": "is merged", "waiting": "merges by itself"}.get(outcome.merging, "waits for a person")
    why = f"the server takes no direct push ({refusal.what}): the downgrade became a pull request, which {done}"
    return outcome._replace(refused=why)
