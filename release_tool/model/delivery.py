"""What a delivery tool (Argo CD, Flux) says of what it applied, and what that means for a commit of the base."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.records import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from release_tool.model.records import CommitId

_SHORT = 7
_LEAST = 12  # digits of a commit that Flux puts behind the version of a chart


class Deployed(NamedTuple):
    """A commit that was applied, or is being applied."""

    commit: str  # in full, or its first twelve digits; empty: what the tool names is no commit
    at: datetime | None  # since when its manifests are in force, or when that began (UTC); None: nobody knows


class Delivered(NamedTuple):
    """What a delivery tool says of one environment."""

    by: str  # the object that says so, in words: `Application engine-production`
    applied: tuple[Deployed, ...] = ()  # what was applied, the newest first: that one is in force
    forgets: bool = False  # whether it was asked about more than it remembers: older ones are not listed
    attempt: Deployed | None = None  # what it applies now, or failed to apply
    state: str = ""  # how it is, in the tool's own words: `Synced, Healthy`
    problem: str = ""  # why it does not go on, in its words; empty: it does
    unknown: str = ""  # why nothing is known; empty: something is
    health: str = UNKNOWN  # of everything that it applied: `healthy`, `unhealthy` or `unknown`
    healths: Mapping[str, str] = {}  # the same of single Deployments, by their names, as far as it tells
    advice: tuple[str, ...] = ()  # what of its settings should be otherwise, each with the reason

    @property
    def commit(self) -> str:
        """The commit in force, short; empty where none is known."""
        return self.applied[0].commit[:_SHORT] if self.applied else ""


class InForce(NamedTuple):
    """Whether a commit of the base is applied."""

    since: datetime | None  # since when; None: it isn't, as far as is known
    begun: datetime | None  # when the tool began to apply it; None: it hasn't, as far as is known
    why: str = ""  # why it isn't known to be applied; empty: it is


def in_force(delivered: Delivered, line: Sequence[CommitId], landed: datetime, what: str) -> InForce:
    """Whether a commit is applied, and since when: never before it landed.

    It is where the commit that is in force is the same or a later one *of the base's first parents*: any other commit
    may hold anything. Where the tool has forgotten since when, the landing counts: it has applied later commits since.

    Args:
        line: the first parents from the tip of the base down to the commit, both included.
        landed: when the commit landed.
        what: what the commit holds, for the reason: `its retirement`.
    """

    def holds(one: Deployed) -> bool:
        return len(one.commit) >= _LEAST and any(commit.startswith(one.commit) for commit in line)

    if delivered.unknown:
        why = f"nobody can tell whether {what} is applied: {delivered.by}: {delivered.unknown}"
        return InForce(None, None, why)
    run = list(takewhile(holds, delivered.applied))
    if run:
        first = run[-1].at
        forgotten = first is None or (delivered.forgets and len(run) == len(delivered.applied))
        since = landed if first is None or forgotten else max(first, landed)
        return InForce(since, since)
    attempt = delivered.attempt
    begun = None
    if attempt is not None and holds(attempt):
        begun = landed if attempt.at is None else max(attempt.at, landed)
    found = f"has applied {delivered.commit}" if delivered.commit else "has applied no commit that it names"
    stuck = f" and doesn't go on: {delivered.problem}" if delivered.problem else ""
    return InForce(None, begun, f"{what} ({line[-1][:_SHORT]}) is not applied yet: {delivered.by} {found}{stuck}")
