"""A number that Prometheus knows of a version, over a window that begins when the version's last operation is over.

No point of the window looks at anything older: the first one stands as far behind its begin as a query looks back. So a
version that was cleared is not judged by what it did before. A query that looks back over the whole window (`{window}`)
has one point, now, and that decides alone; one that looks back further makes the window longer.
"""

from __future__ import annotations

import math
import time
from datetime import datetime, timedelta, timezone
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError, TryAgain
from release_tool.health import presets
from release_tool.health.source import early, placeholders
from release_tool.model.health import Verdict, number
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN
from release_tool.model.times import duration_text
from release_tool.net.prometheus import Prometheus
from release_tool.rules.promql import filled_promql, reach_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.config import Health
    from release_tool.config.health import PrometheusCheck
    from release_tool.health.source import Subject
    from release_tool.net.prometheus import RangeResult
    from release_tool.net.secret import Secret

_POINTS = 20
_IN_VAIN = 3
"""After so many questions in a row without an answer no more are asked: a hung Prometheus must not take the time that
other sources need."""


class _Question(NamedTuple):
    """What is asked about one version: the number, how many calls are behind it, and how far both look back."""

    number: str
    calls: str
    reach: timedelta
    window: timedelta


class _CannotTell(Exception):
    """Why there is no verdict, in words."""


class PrometheusSource:
    """One check by Prometheus."""

    def __init__(self, name: str, check: PrometheusCheck, health: Health, token: Secret | None = None) -> None:
        self._name = name
        self._check = check
        self._health = health
        self._window = check.window or health.window
        self._range = _part(self._window)
        self._prometheus = Prometheus(
            check.url or health.prometheus, timeout=health.timeout.total_seconds(), token=token
        )
        self._in_vain = 0  # threads may lose a count: then one question more is asked

    def judge(self, subject: Subject, now: datetime, end: float) -> Verdict:
        try:
            question = self._question(subject)
            if now - question.window < subject.since + self._health.grace:
                return early(self._name, self._health, subject, question.window)
            if self._in_vain >= _IN_VAIN:
                raise _CannotTell(f"not asked: Prometheus did not answer {_IN_VAIN} questions before")
            verdict = self._judged(question, now, end)
        except ReleaseError as error:
            self._in_vain += isinstance(error, TryAgain)
            return self._unknown(f"{error.what} ({error.cause})" if error.cause else error.what)
        except _CannotTell as why:
            return self._unknown(str(why))
        self._in_vain = 0
        return verdict

    def close(self) -> None:
        self._prometheus.close()

    def _unknown(self, why: str) -> Verdict:
        return Verdict(self._name, UNKNOWN, why)

    def _question(self, subject: Subject) -> _Question:
        asked = self._filled(presets.query(self._check), subject)
        calls = self._filled(presets.samples(self._check), subject)
        if self._check.preset:
            return _Question(asked, calls, presets.reach(self._check, self._range), self._window)
        reach, reach_of_calls = reach_of(asked), reach_of(calls)
        if reach is None or reach_of_calls is None:
            raise _CannotTell("it can't be told how far back the query looks: write its ranges like [5m], without @")
        return _Question(asked, calls, reach, max(self._window, reach, reach_of_calls))

    def _judged(self, question: _Question, now: datetime, end: float) -> Verdict:
        at = times(now - question.window + question.reach, now)
        first, last = (datetime.fromtimestamp(one / 1000, timezone.utc) for one in (at[0], at[-1]))
        step = (at[1] - at[0]) / 1000 if len(at) > 1 else 1.0
        found = self._prometheus.query_range(question.number, first, last, step, within=_left(end))
        rows = self._rows(found, at)
        calls = self._calls(question.calls, now, end) if question.calls and rows else None
        enough = rows if calls is None else _keep(rows, calls, self._check.min_samples)
        points = worst(list((enough or rows).values()), self._check)
        verdict = judged(self._name, points, at, self._check, presets.nothing(self._check))
        verdict = verdict._replace(points=points or (None,) * len(at))
        if calls is None:
            return verdict
        most = max((calls.get(reporter, 0.0) for reporter in enough or rows), default=0.0)
        if not enough:
            too_few = self._too_few(round(most), question.window)
            return verdict._replace(health=UNKNOWN, reason=too_few, samples=most, unsettled=False)
        return verdict._replace(samples=most)

    def _rows(self, found: RangeResult, at: Sequence[int]) -> dict[str, tuple[float | None, ...]]:
        """Reporter -> its values over time; of a query of one's own there is one row at most."""
        if found.warnings:
            raise _CannotTell(f"Prometheus warns: {found.warnings[0]}")
        if len(found.series) > 1 and not presets.by_reporter(self._check):
            raise _CannotTell(f"the query gives {len(found.series)} series, and one is needed")
        return {self._reporter(one.labels): row(one.values, at) for one in found.series}

    def _calls(self, question: str, now: datetime, end: float) -> dict[str, float]:
        """Reporter -> the calls that it counted in the window."""
        found = self._prometheus.query(question, now, within=_left(end))
        if found.warnings:
            raise _CannotTell(f"Prometheus warns: {found.warnings[0]}")
        if len(found.samples) > 1 and not presets.by_reporter(self._check):
            raise _CannotTell(f"`samples` gives {len(found.samples)} series, and one is needed")
        return {self._reporter(one.labels): one.value for one in found.samples if one.value >= 0}  # and no NaN

    def _reporter(self, labels: Mapping[str, str]) -> str:
        return labels.get("reporter", "") if presets.by_reporter(self._check) else ""

    def _too_few(self, calls: int, window: timedelta) -> str:
        if not calls:
            return f"no traffic: no call in {duration_text(window)}"
        counted = "1 call" if calls == 1 else f"{calls} calls"
        return f"{counted} in {duration_text(window)}, and {self._check.min_samples} are needed"

    def _filled(self, query: str, subject: Subject) -> str:
        texts = placeholders(subject)
        if self._check.preset:
            texts["workload"] = subject.workload
        return filled_promql(query, texts, {"window": self._window, "range": self._range})


def _part(window: timedelta) -> timedelta:
    """What `{range}` is: a fifth of the window, but a minute at least, so that two scrapes fit in; never over half."""
    seconds = window.total_seconds()
    return timedelta(seconds=max(1, int(max(min(60.0, seconds / 2), seconds / 5))))


def _left(end: float) -> float:
    """Seconds that an answer may still take."""
    left = end - time.monotonic()
    if left <= 0:
        raise _CannotTell("not asked: the time of this pass was over")
    return left


def _keep(
    rows: Mapping[str, tuple[float | None, ...]], calls: Mapping[str, float], least: int
) -> dict[str, tuple[float | None, ...]]:
    """The rows of the reporters that counted enough calls to say something."""
    return {reporter: row for reporter, row in rows.items() if calls.get(reporter, 0.0) >= least}


# -- points of a window as a verdict --------------------------------------------------------------------------------
#
# Unhealthy: more than half of the points are out of bounds, and the last one is. Healthy: no more than a third is,
# and the last one isn't. Everything between is unsettled, which is unknown: a short outage, a default that flaps, one
# that has just turned bad, or just recovered, moves nothing; the next pass knows more.
#
# What this means for people, with a window of ten minutes: a default that fails from one moment on, for all callers
# or for a few too many, is left after about five minutes; one that burns slowly, as soon as it was over the bound for
# that long; one that flaps faster than a fifth of the window is judged by its mean, for that is what each point's
# range covers; one that flaps slowly stays, unless most of a window was bad. A blip of half a minute leaves it
# healthy.
#
# Half of the points must be there, and one of the last quarter of the window: Prometheus itself may have been away,
# or its clock be another. NaN and infinite values are no values: a share of no calls is one.


def times(start: datetime, end: datetime) -> tuple[int, ...]:
    """Evenly spaced times in Unix milliseconds, none before the start, the last one at the end; at least that one."""
    first, last = math.ceil(start.timestamp() * 1000), math.floor(end.timestamp() * 1000)
    step = max(1, (last - first) // 1000 // _POINTS) * 1000  # whole seconds: no server rounds them
    return tuple(reversed(range(last, first - 1, -step))) or (last,)


def row(values: Mapping[float, float], wanted: Sequence[int]) -> tuple[float | None, ...]:
    """The value at each time, None for a gap: of Unix seconds the values, in Unix milliseconds the times."""
    # NaN and infinite values are no values: a share of no calls is one.
    found = {round(1000 * at): value for at, value in values.items()}
    return tuple(value if value is not None and math.isfinite(value) else None for value in map(found.get, wanted))


def worst(rows: Sequence[Sequence[float | None]], check: PrometheusCheck) -> tuple[float | None, ...]:
    """The worst value at each time, of some rows over the same times: the highest, where there is a `max`."""
    pick = max if check.max is not None else min
    there = ([one for one in at if one is not None] for at in zip(*rows, strict=True))
    return tuple(pick(some, default=None) for some in there)


def judged(
    name: str, points: Sequence[float | None], at: Sequence[int], check: PrometheusCheck, nothing: str
) -> Verdict:
    """What the points of a window say.

    Args:
        name: of the check.
        points: oldest first; None: a gap.
        at: their times, in Unix milliseconds.
        check: the bounds.
        nothing: what it means that there is no point at all.
    """
    there = [one for one in points if one is not None]
    if not there:
        return Verdict(name, UNKNOWN, nothing)
    latest = datetime.fromtimestamp(
        max(time for time, one in zip(at, points, strict=True) if one is not None) // 1000, timezone.utc
    )
    if all(one is None for one in points[-max(1, len(points) // 4) :]):
        return Verdict(name, UNKNOWN, f"no news since {latest:%H:%M} UTC", at=latest)
    if len(there) * 2 < len(points):
        return Verdict(name, UNKNOWN, f"gaps: {len(there)} of {len(points)} points have a value", at=latest)
    return _settled(name, there, check)._replace(at=latest)


def _settled(name: str, there: Sequence[float], check: PrometheusCheck) -> Verdict:
    out = [is_out(one, check) for one in there]
    middle, bound, last = median(there), bounds(check), there[-1]
    count, of = sum(out), f"{len(out)} points"
    if out[-1] and count * 2 > len(out):
        decides = middle if is_out(middle, check) else last  # out at either side, the middle may be within
        return Verdict(name, UNHEALTHY, f"{_out_of(decides, check)}, in {count} of {of}", decides, bound)
    if not out[-1] and count * 3 <= len(out):
        return Verdict(name, HEALTHY, f"{number(middle)} ({bound})", middle, bound)
    state = f"the last, {number(last)}, {'is' if out[-1] else 'is not'}"
    reason = f"unsettled: {count} of {of} are out of bounds ({bound}), {state}"
    return Verdict(name, UNKNOWN, reason, middle, bound, unsettled=True)


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
