"""Points of a window as a verdict. Pure.

Unhealthy: more than half of the points are out of bounds, and the last one is. Healthy: no more than a third is, and
the last one isn't. Everything between is unsettled, which is unknown: a short outage, a default that flaps, one that
has just turned bad, or just recovered, moves nothing; the next pass knows more.

What this means for people, with a window of ten minutes: a default that fails from one moment on, for all callers or
for a few too many, is left after about five minutes; one that burns slowly, as soon as it was over the bound for that
long; one that flaps faster than a fifth of the window is judged by its mean, for that is what each point's range
covers; one that flaps slowly stays, unless most of a window was bad. A blip of half a minute leaves it healthy.

Half of the points must be there, and one of the last quarter of the window: Prometheus itself may have been away, or
its clock be another. NaN and infinite values are no values: a share of no calls is one.
"""

from __future__ import annotations

import math
from datetime import datetime, timezone
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.health import number
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.config.health import PrometheusCheck

_POINTS = 20


class Reading(NamedTuple):
    """What a window says.

    Attributes:
        health: `healthy`, `unhealthy` or `unknown`.
        reason: why.
        value: the median of the points, or the last one where the median is within bounds; None where nothing can be
            said.
        bound: the bound that the number was held against.
        at: the last time that has a value (UTC); None: none has.
        unsettled: whether it is unknown because some points are bad.
    """

    health: str
    reason: str
    value: float | None = None
    bound: str = ""
    at: datetime | None = None
    unsettled: bool = False


def times(start: datetime, end: datetime) -> tuple[int, ...]:
    """Evenly spaced times in Unix milliseconds, the last one at the end; one alone where the window is no longer.

    Args:
        start: none is before.
        end: the last one.
    """
    first, last = math.ceil(start.timestamp() * 1000), math.floor(end.timestamp() * 1000)
    step = max(1, (last - first) // 1000 // _POINTS) * 1000  # whole seconds: no server rounds them
    return tuple(reversed(range(last, first - 1, -step))) or (last,)


def row(values: Mapping[float, float], wanted: Sequence[int]) -> tuple[float | None, ...]:
    """The value at each time, None for a gap.

    Args:
        values: Unix time in seconds -> value, as Prometheus tells it.
        wanted: the times, in milliseconds.
    """
    found = {round(1000 * at): value for at, value in values.items()}
    return tuple(value if value is not None and math.isfinite(value) else None for value in map(found.get, wanted))


def worst(rows: Sequence[Sequence[float | None]], check: PrometheusCheck) -> tuple[float | None, ...]:
    """The worst value at each time, of some rows over the same times: the highest, where there is a `max`."""
    pick = max if check.max is not None else min
    there = ([one for one in at if one is not None] for at in zip(*rows, strict=True))
    return tuple(pick(some, default=None) for some in there)


def read(points: Sequence[float | None], at: Sequence[int], check: PrometheusCheck, nothing: str) -> Reading:
    """What the points of a window say.

    Args:
        points: oldest first; None: a gap.
        at: their times, in Unix milliseconds.
        check: the bounds.
        nothing: what it means that there is no point at all.
    """
    there = [one for one in points if one is not None]
    if not there:
        return Reading(UNKNOWN, nothing)
    latest = datetime.fromtimestamp(
        max(time for time, one in zip(at, points, strict=True) if one is not None) // 1000, timezone.utc
    )
    if all(one is None for one in points[-max(1, len(points) // 4) :]):
        return Reading(UNKNOWN, f"no news since {latest:%H:%M} UTC", at=latest)
    if len(there) * 2 < len(points):
        return Reading(UNKNOWN, f"gaps: {len(there)} of {len(points)} points have a value", at=latest)
    return _settled(there, check)._replace(at=latest)


def _settled(there: Sequence[float], check: PrometheusCheck) -> Reading:
    out = [is_out(one, check) for one in there]
    middle, bound, last = median(there), bounds(check), there[-1]
    count, of = sum(out), f"{len(out)} points"
    if out[-1] and count * 2 > len(out):
        decides = middle if is_out(middle, check) else last  # out at either side, the middle may be within
        return Reading(UNHEALTHY, f"{_out_of(decides, check)}, in {count} of {of}", decides, bound)
    if not out[-1] and count * 3 <= len(out):
        return Reading(HEALTHY, f"{number(middle)} ({bound})", middle, bound)
    state = f"the last, {number(last)}, {'is' if out[-1] else 'is not'}"
    reason = f"unsettled: {count} of {of} are out of bounds ({bound}), {state}"
    return Reading(UNKNOWN, reason, middle, bound, unsettled=True)


def _out_of(value: float, check: PrometheusCheck) -> str:
    over = check.max is not None and value > check.max
    limit = check.max if over else check.min
    assert limit is not None  # it is out of one of them
    shown = number(value) if number(value) != number(limit) else f"{value:.6g}"  # not "10 is more than 10"
    return f"{shown} is {'more' if over else 'less'} than {number(limit)}"


def is_out(value: float, check: PrometheusCheck) -> bool:
    """Whether a value is out of the bounds of a check; a bound itself is within."""
    return (check.max is not None and value > check.max) or (check.min is not None and value < check.min)


def bounds(check: PrometheusCheck) -> str:
    """The bounds in words: `max 0.05`."""
    found = (("min", check.min), ("max", check.max))
    return ", ".join(f"{word} {number(limit)}" for word, limit in found if limit is not None)
