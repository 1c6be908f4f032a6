"""What Prometheus holds of a version that did so and so in the last hour: counters as Istio's proxies keep them, the
gauge of kube-state-metrics, and numbers of one's own. All times are minutes before `NOW`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from real_prometheus import Series

NOW = datetime(2026, 11, 20, 11, 45, tzinfo=timezone.utc)
SCRAPE = 0.25
"""Minutes between two scrapes."""

Course = Callable[[float], float]
"""Minutes ago -> a number."""

UNAVAILABLE = {"response_code": "200", "grpc_response_status": "14"}
HTTP_503 = {"response_code": "503", "grpc_response_status": ""}
GOOD = {"response_code": "200", "grpc_response_status": "0"}
_BUCKETS = ("100", "500", "1000", "5000", "+Inf")


def steady(value: float) -> Course:
    return lambda _: value


def during(begin: float, end: float, value: float, otherwise: float = 0.0) -> Course:
    """A value from so many minutes ago to so many minutes ago."""
    return lambda ago: value if end <= ago < begin else otherwise


def lately(minutes: float, value: float = 1.0) -> Course:
    return during(minutes, -1, value)


def until(minutes: float, value: float = 1.0) -> Course:
    return during(math.inf, minutes, value)


def ramp(begin: float, value: float) -> Course:
    """From nothing at the begin to a value now."""
    return lambda ago: value * max(0.0, begin - ago) / begin


def flapping(period: float, bad: float, *, first_bad: bool = True) -> Course:
    """Bad for some minutes of each period, seen from now back: the last minutes are bad, or good."""
    return lambda ago: float(((ago % period) < bad) == first_bad)


class Calls(NamedTuple):
    """The calls that one proxy counts.

    Attributes:
        rate: calls a minute.
        failing: the share of them that fails.
        failed: the labels of a failed call.
        slow: the share that takes between one and five seconds in place of less than 100 ms; None: nothing measures it.
        begins: when the proxy began to count.
        before: how many calls, and how many failed ones, it had counted by then.
        resets: when its counters began anew.
        reporter: which proxy it is.
        caller: who calls; each has series of its own.
        gone: when it ended: Prometheus marks its series as stale then, as text can't; they just stop here.
    """

    rate: Course = steady(60)
    failing: Course = steady(0)
    failed: dict[str, str] = UNAVAILABLE
    slow: Course | None = None
    begins: float = 60
    before: tuple[float, float] = (5000, 0)
    resets: tuple[float, ...] = ()
    reporter: str = "source"
    caller: str = "web"
    gone: float = -1


class Run(NamedTuple):
    """How one version did.

    Attributes:
        calls: what each proxy counted.
        available: available pods; None: kube-state-metrics knows no such Deployment.
        own: a number of one's own, None where it has no value; None: there is no such series.
        own_series: so many series of that number.
        scraped: whether Prometheus scraped at that time.
        ahead: minutes that the clock of Prometheus is ahead.
        landed: when the last operation on the version landed.
    """

    calls: tuple[Calls, ...] = (Calls(),)
    available: Course | None = steady(2)
    own: Callable[[float], float | None] | None = None
    own_series: int = 1
    scraped: Callable[[float], bool] = lambda ago: True
    ahead: float = 0
    landed: float = 600


def series(run: Run, place: str, version: str) -> Iterator[Series]:
    """All series of one version of one history; the namespace, and the label `stage`, is its place."""
    workload = f"engine-grpc-manifest-{version}"
    for calls in run.calls:
        to = {"destination_workload_namespace": place, "destination_workload": workload, "reporter": calls.reporter}
        to |= {"source_workload": calls.caller, "pod": f"{calls.caller}-0"}
        yield from _counted(calls, run, to)
    if run.available is not None:
        labels = {"namespace": place, "deployment": workload}
        yield _gauge("kube_deployment_status_replicas_available", labels, run, run.available)
    for number in range(run.own_series if run.own else 0):
        assert run.own is not None
        yield _gauge("own_number", {"stage": place, "version": version, "shard": str(number)}, run, run.own)


def _counted(calls: Calls, run: Run, to: dict[str, str]) -> Iterator[Series]:
    good: Course = lambda ago: calls.rate(ago) * (1 - calls.failing(ago))  # noqa: E731
    bad: Course = lambda ago: calls.rate(ago) * calls.failing(ago)  # noqa: E731
    yield _counter("istio_requests_total", to | GOOD, calls, run, good, calls.before[0])
    yield _counter("istio_requests_total", to | calls.failed, calls, run, bad, calls.before[1])
    slow = calls.slow
    if slow is not None:
        for le in _BUCKETS:
            within: Course = (lambda ago: calls.rate(ago) * (1 - slow(ago))) if le in _BUCKETS[:3] else calls.rate
            name = "istio_request_duration_milliseconds_bucket"
            yield _counter(name, to | GOOD | {"le": le}, calls, run, within, calls.before[0])


def _counter(name: str, labels: dict[str, str], calls: Calls, run: Run, rate: Course, before: float) -> Series:
    """A counter counts whole calls, and is there from its first call on."""
    value, samples = before, []
    for ago in _scrapes(calls.begins):
        if any(reset - SCRAPE < ago <= reset for reset in calls.resets):
            value = 0.0
        value += rate(ago) * SCRAPE
        if ago >= calls.gone and math.floor(value + 1e-9) and run.scraped(ago):
            samples.append((_at(ago - run.ahead), float(math.floor(value + 1e-9))))
    return Series(name, labels, samples)


def _gauge(name: str, labels: dict[str, str], run: Run, course: Callable[[float], float | None]) -> Series:
    values = [(_at(ago - run.ahead), course(ago)) for ago in _scrapes(60) if run.scraped(ago)]
    return Series(name, labels, [(at, value) for at, value in values if value is not None])


def _scrapes(begin: float) -> list[float]:
    """From the begin up to now; one second before full quarters of a minute, so that `NOW` itself is after the last."""
    return [count * SCRAPE + 1 / 60 for count in range(int(begin / SCRAPE) - 1, -1, -1)]


def _at(ago: float) -> datetime:
    return NOW - timedelta(minutes=ago)
