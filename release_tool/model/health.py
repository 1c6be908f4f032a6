"""What the checks say of versions, and the evidence that the record keeps of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN, Evidence
from release_tool.model.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from release_tool.model.delivery import Delivered
    from release_tool.model.records import Intent, Name, Tag


class Verdict(NamedTuple):
    """What one check says of one version."""

    check: str  # the name of the check
    health: str  # `healthy`, `unhealthy` or `unknown`
    # why, on one line, from the tool's own words as far as possible: `0.21 is more than 0.05 in 18 of 20 points`
    reason: str
    value: float | None = None  # the number that decided; None where there is none
    bound: str = ""  # the configured limit, `max 0.05`; empty where there is none
    # how many calls, or how many attempts of a point check, stand behind it; None: not counted
    samples: float | None = None
    # when that was, the last point of the window or the time of the last attempt (UTC); None: never
    at: datetime | None = None
    # the values over the window, evenly spaced, oldest first; None for a gap. Empty for point checks
    points: tuple[float | None, ...] = ()
    unsettled: bool = False  # whether it is unknown because some of what was seen is bad
    too_early: bool = False  # whether it is unknown because the version's grace isn't over, or its window isn't full


class Judged(NamedTuple):
    """What all checks say of one version."""

    name: Name  # the version
    tag: Tag  # its tag as written, when it was judged
    verdicts: tuple[Verdict, ...]  # one per check, in the order of the configuration; last the delivery tool's
    # why the last operation on it isn't known to be applied: then something else is judged than Git says; empty: it is,
    # or nobody is asked
    unapplied: str = ""

    @property
    def health(self) -> str:
        """Unhealthy if any check says so; healthy if one says so and none disagrees; else unknown.

        One that is unsettled disagrees: nobody should be moved to a version that has just begun to fail, however many
        pods it has.
        """
        said = {verdict.health for verdict in self.verdicts}
        if UNHEALTHY not in said and any(verdict.unsettled for verdict in self.verdicts):
            return UNKNOWN
        return UNHEALTHY if UNHEALTHY in said else HEALTHY if HEALTHY in said else UNKNOWN

    @property
    def reason(self) -> str:
        """The reasons of the checks that decided, each behind the check's name."""
        agreeing = [verdict for verdict in self.verdicts if verdict.health == self.health]
        decided = [verdict for verdict in agreeing if verdict.unsettled] or agreeing
        return "; ".join(f"{verdict.check}: {verdict.reason}" for verdict in decided)


def verdict_of(check: str, delivered: Delivered, workload: str, unapplied: str) -> Verdict:
    """What a delivery tool says of a version.

    Args:
        workload: the name of its Deployment.
        unapplied: why its last operation isn't known to be applied; empty: it is.
    """
    if unapplied:
        return Verdict(check, UNKNOWN, unapplied)
    at = f"{delivered.by} has applied {delivered.commit}"
    health = delivered.healths.get(workload)
    if health is not None and health != UNKNOWN:
        return Verdict(check, health, f"{at}: {workload} is {health}")
    return Verdict(check, delivered.health, f"{at}: {delivered.state}")


# -- evidence ---------------------------------------------------------------------------------------------------------


def evidence_of(judged: Iterable[Judged]) -> tuple[Evidence, ...]:
    """What an intent keeps of some verdicts."""
    return tuple(as_evidence(one.name, verdict) for one in judged for verdict in one.verdicts)


def as_evidence(version: str, verdict: Verdict) -> Evidence:
    """A verdict as people read it."""
    return Evidence(
        version=version,
        check=verdict.check,
        health=verdict.health,
        reason=verdict.reason,
        value="" if verdict.value is None else number(verdict.value),
        bound=verdict.bound,
        samples="" if verdict.samples is None else number(verdict.samples),
        at="" if verdict.at is None else timestamp(verdict.at),
        trend=spark(verdict.points),
    )


def failing(intent: Intent) -> frozenset[tuple[str, str]]:
    """The checks that said unhealthy, each with its version."""
    return frozenset((one.version, one.check) for one in intent.evidence if one.health == UNHEALTHY)


def number(value: float) -> str:
    """A number with three digits that count: `0.213`, `4170`."""
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def spark(points: Sequence[float | None], *, most: int = 30) -> str:
    """A text sparkline of values over time, from 0 to the highest: `▁▁▂▇█`; a gap (None) is a blank.

    With more than `most` values, neighbours are joined to the highest of them.
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
