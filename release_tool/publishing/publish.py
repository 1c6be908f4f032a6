"""The one way in which a change reaches the remote: plan, render, push by compare-and-swap, pull request.

Every step can die at any instruction: running the same command again finishes it. What lost a race is planned again
on the new tip, with a growing, jittered pause, until the configured time is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import TryAgain
from release_tool.publishing import direct, rolling
from release_tool.publishing.snapshot import take
from release_tool.publishing.work import Again, Work
from release_tool.repository import Stale

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.publishing.snapshot import Snapshot
    from release_tool.publishing.tool import Outcome, Request, Tool


def run(tool: Tool, request: Request, allowed: Callable[[Snapshot], None] | None = None) -> Outcome:
    """Do one operation, from the look at the remote to the pull request.

    Args:
        tool: the outside world.
        request: the operation.
        allowed: raises when the operation is against the rules of the configuration.

    Raises:
        Refused: the rules refuse it.
        TryAgain: others were faster until the time was over.
        ReleaseError: whatever else a person must fix.
    """
    started = tool.now()
    tries = 0
    while True:
        snapshot = take(tool)
        if allowed is not None:
            allowed(snapshot)
        try:
            return _attempt(Work(tool, snapshot, request, tries))
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


def _attempt(work: Work) -> Outcome:
    """Do one operation on what the remote held at one moment."""
    asked = work.request.direct
    if asked or (asked is None and work.environment.publish.mode == "direct" and work.request.intent is not None):
        return direct.push(work)
    return rolling.propose(work)
