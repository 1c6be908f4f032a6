"""Health of versions: what a source says of one version by one check, and what a version's checks say together.

A source is one module with a class that fits `Source`. Nothing is carried from one pass to the next: Prometheus is
asked for the whole window, and a point check is sampled several times within the pass. Whatever goes wrong in a source
is "unknown" with a reason, never an error: an unknown verdict moves no default.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from release_tool.config import Health
    from release_tool.model.records import Name, Tag

NO_WINDOW = timedelta(0)


class Subject(NamedTuple):
    """One version that is judged.

    Attributes:
        environment: the name of the environment.
        service: the name of the service; empty where the repository has one without a name.
        namespace: the namespace of the release.
        release: the name of the Helm release.
        workload: the name that the chart gives the Deployment of this version.
        name: its name.
        tag: its tag as written; `tag_part` is what is routed and labelled.
        since: when its last operation landed (UTC).
    """

    environment: str
    service: str
    namespace: str
    release: str
    workload: str
    name: Name
    tag: Tag
    since: datetime


class Asked(NamedTuple):
    """The versions of one environment that are to be judged, those that matter most first, and by which checks."""

    health: Health
    subjects: tuple[Subject, ...]


class Verdict(NamedTuple):
    """What one check says of one version.

    Attributes:
        check: the name of the check.
        health: `healthy`, `unhealthy` or `unknown`.
        reason: why, on one line, from the tool's own words as far as possible: `0.21 is more than 0.05 in 18 of 20
            points`.
        value: the number that decided; None where there is none.
        bound: what it was held against, `max 0.05`; empty where nothing was.
        samples: how many calls, or how many attempts of a point check, stand behind it; None: not counted.
        at: when that was, the last point of the window or the time of the last attempt (UTC); None: never.
        points: the values over the window, evenly spaced, oldest first; None for a gap. Empty for point checks.
        unsettled: whether it is unknown because some of what was seen is bad.
        too_early: whether it is unknown because the version's grace isn't over, or its window isn't full.
    """

    check: str
    health: str
    reason: str
    value: float | None = None
    bound: str = ""
    samples: float | None = None
    at: datetime | None = None
    points: tuple[float | None, ...] = ()
    unsettled: bool = False
    too_early: bool = False


class Judged(NamedTuple):
    """What all checks say of one version.

    Attributes:
        name: the version.
        tag: its tag as written, when it was judged.
        verdicts: one per check, in the order of the configuration.
    """

    name: Name
    tag: Tag
    verdicts: tuple[Verdict, ...]

    @property
    def health(self) -> str:
        """Unhealthy if any check says so; healthy if one says so and none disagrees; else unknown.

        One that is unsettled disagrees: nobody should be moved to a version that has just begun to fail, however many
        pods it has.
        """
        said = {verdict.health for verdict in self.verdicts}
        if UNHEALTHY not in said and any(verdict.unsettled for verdict in self.verdicts):
            return UNKNOWN
        return next((word for word in (UNHEALTHY, HEALTHY) if word in said), UNKNOWN)

    @property
    def reason(self) -> str:
        """The reasons of the checks that decided, each behind the check's name."""
        agreeing = [verdict for verdict in self.verdicts if verdict.health == self.health]
        decided = [verdict for verdict in agreeing if verdict.unsettled] or agreeing
        return "; ".join(f"{verdict.check}: {verdict.reason}" for verdict in decided)


class Source(Protocol):
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
    at, since = subject.since + health.grace + window, f"{subject.since:%Y-%m-%d %H:%M} UTC"
    reason = f"judged from {at:%Y-%m-%d %H:%M} UTC on: its last operation landed at {since}"
    return Verdict(check, UNKNOWN, reason, too_early=True)


def placeholders(subject: Subject) -> dict[str, str]:
    """What the placeholders of a template stand for."""
    from release_tool.model.versions import tag_part

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
    import re

    values = placeholders(subject)
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), template)


def number(value: float) -> str:
    """A number with three digits that count: `0.213`, `4170`."""
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def spark(points: Sequence[float | None], *, most: int = 30) -> str:
    """A text sparkline of values over time: `▁▁▂▇█`, from 0 to the highest; a gap is a blank.

    Args:
        points: the values; None: a gap.
        most: so many characters at most; neighbours are joined to the highest of them.
    """
    step = max(1, -(-len(points) // most))
    groups = [points[start : start + step] for start in range(0, len(points), step)]
    joined = [max((value for value in group if value is not None), default=None) for group in groups]
    top = max((value for value in joined if value is not None), default=0.0)
    return "".join(_bar(value, top) for value in joined)


def _bar(value: float | None, top: float) -> str:
    if value is None:
        return " "
    return "▁▂▃▄▅▆▇█"[0 if top <= 0 else min(7, max(0, round(7 * value / top)))]
