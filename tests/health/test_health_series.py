"""Points as a verdict, and how far back a query looks."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from points import NOW

from release_tool.config.health import PrometheusCheck
from release_tool.health import presets, prometheus
from release_tool.model.health import Verdict
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN
from release_tool.rules.promql import reach_of

MOST = PrometheusCheck(query="x", max=10)
LEAST = PrometheusCheck(query="x", min=5)
WITHIN = PrometheusCheck(query="x", min=5, max=10)


def read(points: list[float | None], check: PrometheusCheck = MOST) -> Verdict:
    times = [int(NOW.timestamp() * 1000) - 30_000 * ago for ago in reversed(range(len(points)))]
    return prometheus.judged("", points, times, check, "no data")


def drawn(text: str) -> list[float | None]:
    """`.` is within bounds, `#` out of them, a blank a gap."""
    return [{".": 1.0, "#": 20.0, " ": None}[letter] for letter in text]


@pytest.mark.parametrize(
    ("points", "health", "reason"),
    [
        ("....................", HEALTHY, "1 (max 10)"),
        ("####################", UNHEALTHY, "20 is more than 10, in 20 of 20 points"),
        (".........###########", UNHEALTHY, "20 is more than 10, in 11 of 20 points"),
        ("..........##########", UNKNOWN, "unsettled: 10 of 20 points are out of bounds (max 10), the last, 20, is"),
        ("#########.........##", UNHEALTHY, "20 is more than 10, in 11 of 20 points"),
        ("###################.", UNKNOWN, "unsettled: 19 of 20 points are out of bounds (max 10), the last, 1, is not"),
        ("######..............", HEALTHY, "1 (max 10)"),
        ("#######.............", UNKNOWN, "unsettled: 7 of 20 points are out of bounds (max 10), the last, 1, is not"),
        ("...................#", UNKNOWN, "unsettled: 1 of 20 points are out of bounds (max 10), the last, 20, is"),
        ("          ##########", UNHEALTHY, "20 is more than 10, in 10 of 10 points"),
        ("           #########", UNKNOWN, "gaps: 9 of 20 points have a value"),
        ("################    ", UNHEALTHY, "20 is more than 10, in 16 of 16 points"),
        ("###############     ", UNKNOWN, "no news since 11:57 UTC"),
        ("                   #", UNKNOWN, "gaps: 1 of 20 points have a value"),
        ("                    ", UNKNOWN, "no data"),
        ("", UNKNOWN, "no data"),
        ("#", UNHEALTHY, "20 is more than 10, in 1 of 1 points"),
        (".", HEALTHY, "1 (max 10)"),
    ],
)
def test_points_as_a_verdict(points: str, health: str, reason: str) -> None:
    found = read(drawn(points))
    assert (found.health, found.reason) == (health, reason)
    assert found.unsettled == reason.startswith("unsettled")


@pytest.mark.parametrize(
    ("value", "check", "health", "reason"),
    [
        (10, MOST, HEALTHY, "10 (max 10)"),
        (10.01, MOST, UNHEALTHY, "10.01 is more than 10"),
        (5, LEAST, HEALTHY, "5 (min 5)"),
        (4.5, LEAST, UNHEALTHY, "4.5 is less than 5, in 20 of 20 points"),
        (7, WITHIN, HEALTHY, "7 (min 5, max 10)"),
        (11, WITHIN, UNHEALTHY, "11 is more than 10, in 20 of 20 points"),
        (-1, WITHIN, UNHEALTHY, "-1 is less than 5, in 20 of 20 points"),
    ],
)
def test_a_bound_is_within(value: float, check: PrometheusCheck, health: str, reason: str) -> None:
    found = read([value] * 20, check)
    assert found.health == health
    assert reason in found.reason


def test_out_at_either_side_is_told_of_the_last_one() -> None:
    assert read([1.0, 7.0, 20.0] * 6 + [20.0], WITHIN).reason == "20 is more than 10, in 13 of 19 points"


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=40), st.sampled_from([MOST, LEAST, WITHIN]))
def test_a_verdict_has_a_value_that_agrees_with_it(points: list[float | None], check: PrometheusCheck) -> None:
    found = read(points, check)
    if found.health == UNKNOWN:
        assert found.reason
    else:
        assert found.value is not None
        assert prometheus.is_out(found.value, check) == (found.health == UNHEALTHY) or check is WITHIN


@pytest.mark.parametrize("seconds", [0, 0.5, 1, 19, 20, 21, 39, 48, 61, 480, 3600, 86_400 * 7])
def test_times_end_now_and_none_is_before_the_begin(seconds: float) -> None:
    begin = NOW - timedelta(seconds=seconds)
    found = prometheus.times(begin, NOW)
    assert found[-1] == NOW.timestamp() * 1000
    assert found[0] >= begin.timestamp() * 1000
    steps = {after - before for before, after in pairwise(found)}
    assert len(steps) <= 1
    assert all(step % 1000 == 0 for step in steps)
    assert len(found) <= 40
    assert len(found) >= min(21, int(seconds) + 1)


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("up", 0),
        ("rate(x[5m])", 300),
        ("rate(x[5m]) / rate(y[1h30m])", 5400),
        ("rate(x[ 90s ])", 90),
        ("rate(x[300])", 300),
        ("rate(x[500ms])", 0.5),
        ("rate(x[5m] offset 1h)", 3900),
        ("x offset 10m - x", 600),
        ("x offset -5m", 0),
        ("max_over_time(rate(x[5m])[30m:1m])", 2100),
        ("max_over_time(max_over_time(rate(x[5m])[30m:1m])[1h:])", 5700),
        ("max_over_time(x[30m:])", 1800),
        ('rate(x{a=~"[a-z]+"}[5m])', 300),
        ("rate(x{a=~'[1h]', b=`[2h]`}[5m])", 300),
        (r'rate(x{a="\"[3h]"}[5m])', 300),
        ("rate(x[5m]) # not [1h]", 300),
        ("rate(x[5m] @ end())", 300),
        ("rate(x[5m] @ start())", 300),
        ("rate(x[5m] @ 1609746000)", None),
        ("rate(x[$__range])", None),
        ("rate(x[5m*2])", None),
        ("rate(x[5m] offset $shift)", None),
        ("rate(x[99999y])", None),
        ("rate(x[])", None),
    ],
)
def test_how_far_back_a_query_looks(query: str, seconds: float | None) -> None:
    assert reach_of(query) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize("preset", ["error-rate", "grpc-status", "latency", "available"])
def test_a_preset_leaves_no_placeholder_that_nobody_fills(preset: str) -> None:
    check = PrometheusCheck(preset=preset, max=1)  # type: ignore[arg-type]
    known = {"namespace", "workload", "release", "range", "window"}
    for query in (presets.query(check), presets.samples(check)):
        assert set(re.findall(r"\{(\w+)\}", query)) <= known
