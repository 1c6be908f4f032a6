"""A number that Prometheus knows of a version, over a window that begins when the version's last operation is over.

No point of the window looks at anything older: the first one stands as far behind its begin as a query looks back. So a
version that was cleared is not judged by what it did before. A query that looks back over the whole window (`{window}`)
has one point, now, and that decides alone; one that looks back further makes the window longer.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError, TryAgain
from release_tool.health import presets, series
from release_tool.health.reach import reach_of
from release_tool.health.source import early, placeholders
from release_tool.model.health import Verdict
from release_tool.model.records import UNKNOWN
from release_tool.model.times import duration_text
from release_tool.net.prometheus import Prometheus
from release_tool.rules.in_use import filled_promql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.config import Health
    from release_tool.config.health import PrometheusCheck
    from release_tool.health.source import Subject
    from release_tool.net.prometheus import RangeAnswer
    from release_tool.net.secret import Secret

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
    """One check by Prometheus.

    Args:
        name: the name of the check.
        check: the question and its bounds.
        health: what it shares with the others.
        token: sent to Prometheus; None or empty: nothing is sent.
    """

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
        """What the window says of one version; see `Source`."""
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
        """Let go of connections."""
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
        at = series.times(now - question.window + question.reach, now)
        first, last = (datetime.fromtimestamp(one / 1000, timezone.utc) for one in (at[0], at[-1]))
        step = (at[1] - at[0]) / 1000 if len(at) > 1 else 1.0
        found = self._prometheus.query_range(question.number, first, last, step, within=_left(end))
        rows = self._rows(found, at)
        calls = self._calls(question.calls, now, end) if question.calls and rows else None
        enough = rows if calls is None else _keep(rows, calls, self._check.min_samples)
        points = series.worst(list((enough or rows).values()), self._check)
        read = series.read(points, at, self._check, presets.nothing(self._check))
        verdict = Verdict(
            self._name,
            read.health,
            read.reason,
            read.value,
            read.bound,
            at=read.at,
            points=points or (None,) * len(at),
            unsettled=read.unsettled,
        )
        if calls is None:
            return verdict
        most = max((calls.get(reporter, 0.0) for reporter in enough or rows), default=0.0)
        if not enough:
            too_few = self._too_few(round(most), question.window)
            return verdict._replace(health=UNKNOWN, reason=too_few, samples=most, unsettled=False)
        return verdict._replace(samples=most)

    def _rows(self, found: RangeAnswer, at: Sequence[int]) -> dict[str, tuple[float | None, ...]]:
        """Reporter -> its values over time; of a query of one's own there is one row at most."""
        if found.warnings:
            raise _CannotTell(f"Prometheus warns: {found.warnings[0]}")
        if len(found.series) > 1 and not presets.by_reporter(self._check):
            raise _CannotTell(f"the query gives {len(found.series)} series, and one is needed")
        return {self._reporter(one.labels): series.row(one.values, at) for one in found.series}

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
