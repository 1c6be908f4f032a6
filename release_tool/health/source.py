"""The contract of a source of health: one module with a class that fits `HealthSource`.

Nothing is carried from one pass to the next: Prometheus is asked for the whole window, and a point check is sampled
several times within the pass. Whatever goes wrong in a source is "unknown" with a reason, never an error: an unknown
verdict moves no default.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from release_tool.model.health import Verdict
from release_tool.model.records import UNKNOWN
from release_tool.model.times import clock
from release_tool.model.versions import tag_part

if TYPE_CHECKING:
    from datetime import datetime

    from release_tool.config import Health
    from release_tool.model.records import Name, Tag

NO_WINDOW = timedelta(0)


class Delivery(NamedTuple):
    """What the delivery tool says of one version, where one is configured."""

    verdict: Verdict
    begun: bool  # whether the version's last operation is being applied, or was: there is something to judge
    unapplied: str  # why that operation isn't known to be applied; empty: it is


class Subject(NamedTuple):
    """One version that is judged."""

    environment: str
    service: str  # empty where the repository has one without a name
    namespace: str  # of the release
    release: str  # the name of the Helm release
    workload: str  # the name that the chart gives the Deployment of this version
    name: Name
    tag: Tag  # as written; `tag_part` is what is routed and labelled
    # when the last operation on it landed (was merged into the base branch), UTC; where a delivery tool tells, when it
    # began to apply that
    since: datetime
    delivery: Delivery | None = None


class ToJudge(NamedTuple):
    """The versions of one environment that are to be judged, those that matter most first, and by which checks."""

    health: Health
    subjects: tuple[Subject, ...]


class HealthSource(Protocol):
    """One check of one environment, ready to be asked about many versions, from several threads at once."""

    def judge(self, subject: Subject, now: datetime, end: float) -> Verdict:
        """What it says of one version. Raises nothing that the outside could be the cause of.

        Args:
            subject: the version. Its grace is over: nobody asks before.
            now: the present time (UTC), the end of every window.
            end: when an answer comes too late, by `time.monotonic`.
        """

    def close(self) -> None:
        """Let go of connections."""


def early(check: str, health: Health, subject: Subject, window: timedelta = NO_WINDOW) -> Verdict:
    """The verdict before anything can be said: a version is left its grace, and a window must be full."""
    if subject.delivery is not None and not subject.delivery.begun:
        told = subject.delivery.verdict
        reason = f"not asked before {told.check} has begun to apply its last operation"
        return Verdict(check, UNKNOWN, reason, too_early=told.too_early)
    at, since = clock(subject.since + health.grace + window), clock(subject.since)
    reason = f"judged from {at} UTC on: its last operation landed at {since} UTC"
    return Verdict(check, UNKNOWN, reason, too_early=True)


def placeholders(subject: Subject) -> dict[str, str]:
    """What the placeholders of a template stand for."""
    return {
        "environment": subject.environment,
        "service": subject.service,
        "namespace": subject.namespace,
        "release": subject.release,
        "version": subject.name,
        "tag": tag_part(subject.tag),
    }


def filled(template: str, subject: Subject) -> str:
    """A template of the configuration with its placeholders filled in, in one pass; other braces are left alone."""
    values = placeholders(subject)
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), template)
