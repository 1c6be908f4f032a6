"""A pass of `release guard` over the health of many versions: its time with a real Prometheus beside it."""

from __future__ import annotations

import shutil
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from benchmarks.repositories import ROOT
from benchmarks.timing import Side, in_turn, nothing, row
from release_tool.config import Health
from release_tool.config.health import Check, PrometheusCheck
from release_tool.health.judge import judge_all
from release_tool.health.source import Subject, ToJudge
from release_tool.model.records import HEALTHY, Tag, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

VERSIONS = (10, 100)
LONGEST = 5.0
"""Seconds for the largest, on two cores."""
UNEVEN = 1.2
"""How much more than linear the growth may look on a machine that does other things too."""

CHECKS = {
    "errors": PrometheusCheck(preset="error-rate", max=0.05),
    "internal": PrometheusCheck(preset="grpc-status", codes=("INTERNAL",), max=0.05),
    "slow": PrometheusCheck(preset="latency", max=800),
    "available": PrometheusCheck(preset="available", min=1),
}
PLACE = "bench"


def guard_rows(directory: Path, runs: int) -> Iterator[str]:
    """All checks of all versions, without Git and the forge; each version has two callers and two reporters."""
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        yield "a pass of guard: needs prometheus and promtool: apt-get install prometheus"
        return
    sys.path += [str(ROOT / "tests" / folder) for folder in ("support", "health")]
    from counted import NOW, Calls, Run, series, steady  # the same counters as in the tests
    from real_prometheus import real_prometheus

    counted = [
        Calls(slow=steady(0.01), failing=steady(0.01), caller=caller, reporter=reporter)
        for caller in ("web", "mobile")
        for reporter in ("source", "destination")
    ]
    (directory / "guard").mkdir()
    run = Run(tuple(counted))
    names = [name_of(number) for number in range(1, max(VERSIONS) + 1)]
    with real_prometheus(directory / "guard", (one for name in names for one in series(run, PLACE, name))) as url:
        health = Health({name: Check(prometheus=check) for name, check in CHECKS.items()}, url)

        def subjects(count: int) -> tuple[Subject, ...]:
            since = NOW - timedelta(days=1)
            return tuple(
                Subject(PLACE, "", PLACE, "engine", f"engine-grpc-manifest-{name}", name, Tag("1.0.0"), since)
                for name in names[:count]
            )

        few, many = in_turn(
            [Side(str(count), nothing, _pass(health, subjects(count), NOW)) for count in VERSIONS], runs
        )
    label, bound = f"guard, {VERSIONS[1]} versions x {len(CHECKS)} checks", VERSIONS[1] / VERSIONS[0] * UNEVEN
    yield row(f"{label} / {VERSIONS[0]}", many, few, bound)
    met = "yes" if many.median <= LONGEST else "NO"
    yield f"{f'{label}, seconds':58} {many.median:6.2f}  {f'<= {LONGEST:g}':>7}  {met:3}"


def _pass(health: Health, subjects: tuple[Subject, ...], now: datetime) -> Callable[[], None]:
    def run() -> None:
        (judged,) = judge_all([ToJudge(health, subjects)], now, {})
        said = [verdict.health for one in judged for verdict in one.verdicts]
        assert said == [HEALTHY] * len(subjects) * len(CHECKS)

    return run
