"""The table of health histories: how each version did, what is said of it, and what is decided.

The default is v5 in all of them. What the table leaves out is a healthy version. `says` has the verdict of each version,
and a piece of the reason of any of its checks; `decides` is `stay`, `halt`, or `downgrade v4`, with a piece of its reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from counted import HTTP_503, Calls, Course, Run, during, flapping, lately, ramp, steady, until

from release_tool.config.health import PrometheusCheck
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN

ERRORS = {"errors": PrometheusCheck(preset="error-rate", max=0.05)}
AVAILABLE = {"available": PrometheusCheck(preset="available", min=1)}
BOTH = ERRORS | AVAILABLE
LATENCY = {"slow": PrometheusCheck(preset="latency", max=800)} | AVAILABLE
INTERNAL = {"internal": PrometheusCheck(preset="grpc-status", codes=("INTERNAL",), max=0.01)} | AVAILABLE
_OWN = 'own_number{stage="{environment}",version="{version}"}'
OWN = {"own": PrometheusCheck(query=f"sum({_OWN})", max=10)}
OWN_MIN = {"own": PrometheusCheck(query=f"sum({_OWN})", min=5)}
OWN_BOTH = {"own": PrometheusCheck(query=f"sum({_OWN})", min=5, max=10)}
OWN_MANY = {"own": PrometheusCheck(query=_OWN, max=10)}
OWN_FIVE_MINUTES = {"own": PrometheusCheck(query=f"max(max_over_time({_OWN}[5m]))", max=10)}
OWN_WINDOW = {"own": PrometheusCheck(query=f"max(max_over_time({_OWN}[{{window}}]))", max=10)}
OWN_SUBQUERY = {"own": PrometheusCheck(query=f"max(max_over_time(max_over_time({_OWN}[1m])[4m:30s]))", max=10)}
OWN_LONGER = {"own": PrometheusCheck(query=f"max(max_over_time({_OWN}[20m]))", max=10)}
OWN_COUNTED = {
    "own": PrometheusCheck(
        query=f"sum({_OWN})",
        max=10,
        samples='sum(increase(istio_requests_total{destination_workload_namespace="{namespace}",'
        'destination_workload=~".+-{version}"}[{window}]))',
        min_samples=100,
    )
}

Says = tuple[str, str]


class History(NamedTuple):
    """One line of the table; see the head of the module."""

    name: str
    runs: Mapping[str, Run]
    says: Mapping[str, Says]
    decides: tuple[str, str]
    checks: Mapping[str, PrometheusCheck] = BOTH


def proxy(**calls: Any) -> Run:
    return Run((Calls(**calls),))


def bad(share: float = 1.0, **more: Any) -> Run:
    return proxy(failing=steady(share), **more)


def failing(course: Course, **more: Any) -> Run:
    return proxy(failing=course, **more)


def v5(
    name: str, run: Run, says: Says, decides: tuple[str, str], checks: Mapping[str, PrometheusCheck] = BOTH
) -> History:
    return History(name, {"v5": run}, {"v5": says}, decides, checks)


MANY_ONCE = [
    Calls(rate=during(9.5 - n / 6, 9.25 - n / 6, 4), failing=steady(1), before=(0, 0), caller=f"job-{n}")
    for n in range(56)
]
IDLE = Run(calls=())
GONE = Run(calls=(), available=None)
FAILS = (UNHEALTHY, "is more than 0.05, in 21 of 21 points")
FINE = (HEALTHY, "errors: 0 (max 0.05)")
FINE_IDLE = (HEALTHY, "available: 2 (min 1)")
UNSETTLED = "unsettled: "
BACK = ("downgrade v4", "v5 (1.0.5) is unhealthy: errors: ")
STAYS = ("stay", "v5 (1.0.5) is healthy: ")
UNSURE = ("stay", "v5 (1.0.5) is unknown: ")

TABLE = [
    # -- how failures go over time
    History("all well", {}, {"v5": FINE, "v4": FINE, "v3": FINE}, STAYS),
    History("everything fails for long", {"v5": bad()}, {"v5": (UNHEALTHY, "1 is more than 0.05"), "v4": FINE}, BACK),
    v5("HTTP 503 fails as well", bad(failed=HTTP_503), FAILS, BACK),
    v5("one percent fails, as always", bad(0.01), (HEALTHY, "(max 0.05)"), STAYS),
    v5("a tenth fails", bad(0.1, rate=steady(600)), (UNHEALTHY, "0.1 is more than 0.05"), BACK),
    v5("everything fails since a minute", failing(lately(1)),
       (UNKNOWN, "errors: unsettled: 2 of 21 points are out of bounds (max 0.05), the last, 0.5"), UNSURE),
    v5("everything fails since three minutes", failing(lately(3)), (UNKNOWN, UNSETTLED), UNSURE),
    v5("everything fails since six minutes", failing(lately(6)), (UNHEALTHY, "of 21"), BACK),
    v5("everything fails since nine minutes", failing(lately(9)), (UNHEALTHY, "of 21"), BACK),
    v5("it failed until three minutes ago", failing(until(3)), (UNKNOWN, "is not"), UNSURE),
    v5("it failed until eleven minutes ago", failing(until(11)), FINE, STAYS),
    v5("it failed until half a minute ago: no range has seen it recover", failing(until(0.5)), FAILS, BACK),
    v5("half a minute of failures", failing(during(5, 4.5, 1)), (HEALTHY, "0 (max 0.05)"), STAYS),
    v5("half a minute of failures, right now", failing(lately(0.5)), (UNKNOWN, UNSETTLED), UNSURE),
    v5("a total outage of two minutes", failing(during(6, 4, 1)), (UNKNOWN, UNSETTLED), UNSURE),
    v5("a slow burn, not far yet", failing(ramp(60, 0.04)), (HEALTHY, "(max 0.05)"), STAYS),
    v5("a slow burn that just crossed", failing(ramp(60, 0.054)), (UNKNOWN, UNSETTLED), UNSURE),
    v5("a slow burn that went far", failing(ramp(60, 0.2)), FAILS, BACK),
    # -- flapping
    v5("flapping within a minute", failing(flapping(1, 0.5)), FAILS, BACK),
    v5("flapping within three minutes", failing(flapping(3, 1.5)), FAILS, BACK),
    v5("flapping within eight minutes, bad now", failing(flapping(8, 4)), (UNHEALTHY, "of 21"), BACK),
    v5("flapping within eight minutes, good now", failing(flapping(8, 4, first_bad=False)),
       (UNKNOWN, UNSETTLED), UNSURE),
    v5("flapping within sixteen minutes, bad for long", failing(flapping(16, 8)), (UNHEALTHY, "of 21"), BACK),
    v5("half a minute of failures each half hour", failing(lambda ago: float(7 <= ago % 30 < 7.5)),
       (HEALTHY, "errors: 0 (max 0.05)"), STAYS),
    # -- how much is called
    v5("nobody calls the default", IDLE, FINE_IDLE, STAYS),
    v5("nobody calls it, and no other check", IDLE, (UNKNOWN, "no traffic"), UNSURE, ERRORS),
    History("a dead default behind the default pool: no call reaches it, and none fails",
            {"v5": Run(calls=(), available=steady(0)), "v4": proxy(rate=steady(120))},
            {"v5": (UNHEALTHY, "available: 0 is less than 1, in 21 of 21 points"), "v4": FINE},
            ("downgrade v4", "v5 (1.0.5) is unhealthy: available: 0 is less than 1")),
    v5("no pod since a minute: a rollout", Run(calls=(), available=lambda ago: 0 if ago < 1 else 2),
       (UNKNOWN, UNSETTLED), UNSURE),
    v5("few calls fail", failing(steady(1), rate=steady(1.2)),
       (HEALTHY, "errors: 12 calls in 10m, and 50 are needed"), STAYS),
    v5("one call fails", failing(steady(1), rate=during(5, 4.7, 4), before=(0, 0)),
       (UNKNOWN, "1 call in 10m, and 50 are needed"), UNSURE, ERRORS),
    v5("calls were counted once, but none of late", proxy(rate=steady(0)),
       (UNKNOWN, "no traffic: no call in 10m"), UNSURE, ERRORS),
    v5("little traffic at night, enough to tell", failing(steady(0.5), rate=steady(6)),
       (UNHEALTHY, "in 21 of 21 points"), BACK),
    v5("a burst of calls, a few of which fail", proxy(rate=during(4, 3, 6000, 60), failing=during(4, 3, 0.01)),
       (HEALTHY, "errors: 0 (max 0.05)"), STAYS),
    v5("a burst of calls that overruns it", proxy(rate=lately(7, 6000), failing=lately(7, 0.4)),
       (UNHEALTHY, "0.4 is more than 0.05"), BACK),
    # -- counters
    v5("pods begin anew every three minutes", bad(0.02, rate=steady(600), resets=(12, 9, 6, 3)),
       (HEALTHY, "(max 0.05)"), STAYS),
    v5("pods crash every two minutes, and calls fail meanwhile",
       failing(flapping(2, 0.5), resets=(9.5, 7.5, 5.5, 3.5, 1.5)),
       FAILS, BACK),
    v5("the first failures ever, from many callers, once each", Run((Calls(), *MANY_ONCE)), FAILS, BACK),
    v5("old failures of a proxy that Prometheus sees again after two minutes",
       proxy(before=(5000, 90000))._replace(scraped=lambda ago: not 4 <= ago < 6),
       (HEALTHY, "errors: 0 (max 0.05)"), STAYS),
    v5("old failures of a proxy that Prometheus gets to know now",
       Run((Calls(), Calls(begins=4, before=(0, 50000), caller="gateway"))),
       (HEALTHY, "errors: 0 (max 0.05)"), STAYS),
    v5("one pod of ten fails", Run(tuple(Calls(failing=steady(float(n == 0)), caller=f"web-{n}") for n in range(10))),
       (UNHEALTHY, "0.1 is more than 0.05"), BACK),
    v5("one pod of forty fails",
       Run(tuple(Calls(rate=steady(12), failing=steady(float(n == 0)), caller=f"web-{n}") for n in range(40))),
       (HEALTHY, "0.025 (max 0.05)"), STAYS),
    v5("the pods see nothing of what never reaches them",
       Run((Calls(failing=steady(0.5)), Calls(rate=steady(90), reporter="destination"))),
       (UNHEALTHY, "0.5 is more than 0.05"), BACK),
    v5("a reporter with few calls, half of which fail",
       Run((Calls(), Calls(rate=steady(2), failing=steady(0.5), reporter="destination"))),
       FINE, STAYS),
    v5("the test of the release fails", Run((Calls(), bad(caller="engine-test").calls[0])), FINE, STAYS),
    v5("callers that go away before an answer", bad(0.5, failed={"response_code": "0", "grpc_response_status": ""}),
       FINE, STAYS),
    v5("the caller's own faults", bad(0.5, failed={"response_code": "200", "grpc_response_status": "3"}), FINE, STAYS),
    History("a code of one's own choice",
            {"v5": bad(0.02, rate=steady(600), failed={"response_code": "200", "grpc_response_status": "13"})},
            {"v5": (UNHEALTHY, "internal: 0.02 is more than 0.01"), "v4": (HEALTHY, "internal: 0 (max 0.01)")},
            ("downgrade v4", "internal: "), INTERNAL),
    # -- Prometheus itself
    v5("Prometheus was away for five minutes", bad()._replace(scraped=lambda ago: not 4 <= ago < 9),
       (UNHEALTHY, "in 1"), BACK, ERRORS),
    v5("Prometheus was away, and so was the reason to worry", Run(scraped=lambda ago: not 4 <= ago < 9),
       (HEALTHY, "errors: 0 (max 0.05)"), STAYS, ERRORS),
    v5("Prometheus came back three minutes ago", bad()._replace(scraped=lambda ago: not 3 <= ago < 20),
       (UNKNOWN, "gaps: 7 of 21 points have a value"), UNSURE, ERRORS),
    v5("Prometheus is away since five minutes", bad()._replace(scraped=lambda ago: ago >= 5),
       (UNKNOWN, "no news since 11:41 UTC"), UNSURE, ERRORS),
    v5("Prometheus began anew with nothing", bad()._replace(scraped=lambda ago: ago < 1.5),
       (UNKNOWN, "gaps: 3 of 21 points have a value"), UNSURE, ERRORS),
    v5("scrapes fail every other minute", bad()._replace(scraped=lambda ago: ago % 2 < 1),
       (UNHEALTHY, "is more than 0.05"), BACK),
    v5("the clock of Prometheus is four minutes ahead: it sees what is over",
       failing(during(16, 1, 1))._replace(ahead=4, landed=600),
       (UNHEALTHY, "in 21 of 21 points"), BACK),
    v5("the clock of Prometheus is four minutes ahead, after a clear", failing(until(15))._replace(ahead=4, landed=15),
       FINE, STAYS),
    v5("the clock of Prometheus is two minutes behind, after a clear",
       failing(until(15))._replace(ahead=-2, landed=15),
       FINE, STAYS),
    v5("the clock of Prometheus is six minutes behind", bad()._replace(ahead=-6),
       (UNKNOWN, "no news since 11:40 UTC"), UNSURE, ERRORS),
    v5("a bad version that is gone", proxy(failing=steady(1), gone=12), FINE_IDLE, STAYS),
    v5("a Deployment that nobody knows", GONE, (UNKNOWN, "knows no such Deployment"), UNSURE),
    # -- when the last operation landed
    v5("it became the default a minute ago, and fails", bad()._replace(landed=1),
       (UNKNOWN, "errors: judged from 2026-11-20 11:59 UTC on: its last operation landed at 2026-11-20 11:44 UTC"),
       UNSURE),
    v5("its window is not full, by a second", bad()._replace(landed=15 - 1 / 60),
       (UNKNOWN, "judged from 2026-11-20 11:45 UTC on"), UNSURE),
    v5("its window is just full", bad()._replace(landed=15), FAILS, BACK),
    v5("cleared after a bad night: the old window is not looked at",
       failing(until(10), before=(5000, 90000))._replace(landed=15),
       FINE, STAYS),
    v5("cleared after a bad night, and bad again", failing(during(25, 15, 0, 1))._replace(landed=25), FAILS, BACK),
    v5("restored, and its counters are old", proxy(before=(100, 90000), begins=14)._replace(landed=15), FINE, STAYS),
    v5("a new version that fails from its first call on",
       failing(steady(1), begins=12, before=(0, 0))._replace(landed=16),
       FAILS, BACK),
    History("the target was cleared just now", {"v5": bad(), "v4": Run(landed=5)},
            {"v5": FAILS, "v4": (UNKNOWN, "judged from 2026-11-20 11:55 UTC on")},
            ("halt", "v4 (1.0.4), which it would go back to, is unknown: ")),
    # -- the others
    History("two versions fail", {"v5": bad(), "v3": bad()}, {"v5": FAILS, "v4": FINE, "v3": FAILS}, BACK),
    History("the target fails as well, an older version doesn't", {"v5": bad(), "v4": bad(0.2)},
            {"v5": FAILS, "v4": FAILS, "v3": FINE},
            ("halt", "v4 (1.0.4), which it would go back to, is unhealthy: errors: 0.2 is more than 0.05")),
    History("everything fails: a database", {"v5": bad(), "v4": bad(), "v3": bad()},
            {"v5": FAILS, "v4": FAILS, "v3": FAILS},
            ("halt", "So is every other live version: the cause is shared, going back would not help")),
    History("the target is worse than the default", {"v5": bad(0.06, rate=steady(600)), "v4": bad(0.9)},
            {"v5": (UNHEALTHY, "0.06 is more than 0.05"), "v4": FAILS},
            ("halt", "v4 (1.0.4), which it would go back to, is unhealthy: ")),
    History("nobody calls the target, which has its pods", {"v5": bad(), "v4": IDLE},
            {"v5": FAILS, "v4": FINE_IDLE}, BACK),
    History("nobody calls the target, and no other check", {"v5": bad(), "v4": IDLE},
            {"v5": FAILS, "v4": (UNKNOWN, "no traffic")},
            ("halt", "v4 (1.0.4), which it would go back to, is unknown: errors: no traffic"), ERRORS),
    History("nothing is known of the target", {"v5": bad(), "v4": GONE},
            {"v5": FAILS, "v4": (UNKNOWN, "kube-state-metrics knows no such Deployment")},
            ("halt", "v4 (1.0.4), which it would go back to, is unknown: ")),
    History("the target has no pod", {"v5": bad(), "v4": Run(calls=(), available=steady(0))},
            {"v5": FAILS, "v4": (UNHEALTHY, "available: 0 is less than 1")},
            ("halt", "v4 (1.0.4), which it would go back to, is unhealthy: available: ")),
    History("the target has just had a blip", {"v5": bad(), "v4": failing(during(5, 4.5, 1))},
            {"v5": FAILS, "v4": FINE}, BACK),
    History("an old version fails, the default doesn't", {"v3": bad()}, {"v5": FINE, "v3": FAILS}, STAYS),
    # -- how long calls take
    History("calls take long", {"v5": proxy(slow=steady(0.5)), "v4": proxy(slow=steady(0))},
            {"v5": (UNHEALTHY, "slow: 4596 is more than 800"), "v4": (HEALTHY, "slow: 95 (max 800)")},
            ("downgrade v4", "slow: "), LATENCY),
    v5("one call of fifty takes long", proxy(slow=steady(0.02), rate=steady(600)),
       (HEALTHY, "slow: 9"), STAYS, LATENCY),
    v5("calls take long since two minutes", proxy(slow=lately(2)), (UNKNOWN, UNSETTLED), UNSURE, LATENCY),
    History("nothing measures how long calls take", {}, {"v5": (HEALTHY, "slow: no traffic")}, STAYS, LATENCY),
    # -- numbers of one's own
    History("a number that is too high", {"v5": Run(own=lambda _: 11.5), "v4": Run(own=lambda _: 10)},
            {"v5": (UNHEALTHY, "own: 11.5 is more than 10"), "v4": (HEALTHY, "own: 10 (max 10)")},
            ("downgrade v4", "own: 11.5 is more than 10, in 21 of 21 points"), OWN),
    v5("a number below its minimum", Run(own=lambda _: 4.9),
       (UNHEALTHY, "own: 4.9 is less than 5"), ("halt", "is unknown: own: no data"), OWN_MIN),
    v5("a number that leaves its bounds on either side", Run(own=lambda ago: 1 if ago % 2 < 1 else 20),
       (UNHEALTHY, "own: 1 is less than 5, in 21 of 21 points"), ("halt", "is unknown: own: no data"), OWN_BOTH),
    v5("a negative number", Run(own=lambda _: -3), (HEALTHY, "own: -3 (max 10)"), STAYS, OWN),
    v5("a number that is none", Run(own=lambda _: math.nan), (UNKNOWN, "no data"), UNSURE, OWN),
    v5("infinity", Run(own=lambda _: math.inf), (UNKNOWN, "no data"), UNSURE, OWN),
    v5("a number that is none, most of the time", Run(own=lambda ago: 20 if ago < 4 else math.nan),
       (UNKNOWN, "gaps: 8 of 21 points have a value"), UNSURE, OWN),
    v5("several series", Run(own=lambda _: 20, own_series=3),
       (UNKNOWN, "the query gives 3 series, and one is needed"), UNSURE, OWN_MANY),
    History("no series", {}, {"v5": (UNKNOWN, "own: no data")}, UNSURE, OWN),
    v5("a range that is written out looks at nothing before the window",
       Run(own=lambda ago: 20 if ago >= 10 else 1, landed=15),
       (HEALTHY, "own: 1 (max 10)"), STAYS, OWN_FIVE_MINUTES),
    v5("a subquery looks at nothing before the window", Run(own=lambda ago: 20 if ago >= 10 else 1, landed=15),
       (HEALTHY, "own: 1 (max 10)"), STAYS, OWN_SUBQUERY),
    History("a number of the whole window decides alone",
            {"v5": Run(own=lambda ago: 20 if 9 <= ago < 9.5 else 1), "v4": Run(own=lambda ago: 20 if ago >= 10 else 1)},
            {"v5": (UNHEALTHY, "own: 20 is more than 10, in 1 of 1 points"), "v4": (HEALTHY, "own: 1 (max 10)")},
            ("downgrade v4", "own: 20"), OWN_WINDOW),
    History("a range that is longer than the window makes the window longer",
            {"v5": Run(own=lambda _: 20, landed=24), "v4": Run(own=lambda _: 20, landed=25)},
            {"v5": (UNKNOWN, "judged from 2026-11-20 11:46 UTC on"), "v4": (UNHEALTHY, "own: 20 is more than 10")},
            UNSURE, OWN_LONGER),
    History("a number with too few calls behind it",
            {"v5": proxy(rate=steady(5))._replace(own=lambda _: 20), "v4": Run(own=lambda _: 20)},
            {"v5": (UNKNOWN, "calls in 10m, and 100 are needed"), "v4": (UNHEALTHY, "own: 20 is more than 10")},
            UNSURE, OWN_COUNTED),
]  # fmt: skip
