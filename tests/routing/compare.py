"""Prints how settings of the chart stand the trials (`trials.py`), side by side, as the table of docs/explanation/routing.md.

    python tests/routing/compare.py [--setting WORD] [--trial WORD]

Each trial runs in an Envoy of its own, setting after setting: a quarter of an hour for all.
"""

from __future__ import annotations

import argparse
import copy
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parents[1])]

from cluster import Cluster  # noqa: E402 -- the path is set above
from translator import Object  # noqa: E402
from trials import TRIALS, Found, run  # noqa: E402

GATEWAY = {  # what the chart once said
    "consecutive5xxErrors": 0,
    "consecutiveGatewayErrors": 5,
    "interval": "5s",
    "baseEjectionTime": "30s",
    "maxEjectionPercent": 100,
}
PANIC = {**GATEWAY, "minHealthPercent": 1}
SPLIT = {**PANIC, "splitExternalLocalOriginErrors": True, "consecutiveLocalOriginFailures": 5}
REACHED = {**SPLIT, "consecutiveGatewayErrors": 0, "consecutiveLocalOriginFailures": 50}


Change = Callable[[list[Object]], list[Object]]


def detection(outlier: Object, *, bare: bool = False) -> Change:
    """The objects with this outlier detection everywhere; `bare`: routes without `te` and method."""

    def change(objects: list[Object]) -> list[Object]:
        changed = copy.deepcopy(objects)
        for one in changed:
            if one["kind"] == "DestinationRule" and "trafficPolicy" in one["spec"]:
                one["spec"]["trafficPolicy"]["outlierDetection"] = outlier
                del one["spec"]["subsets"][0]["trafficPolicy"]["outlierDetection"]
            for route in one["spec"]["http"] if bare and one["kind"] == "VirtualService" else ():
                del route["headers"]
                for match in route["match"]:
                    match.pop("method", None)
        return changed

    return change


class Setting(NamedTuple):
    """What the objects are made into, or values beside the chart's own."""

    change: Change = list
    values: str = ""


SETTINGS = {
    "A before": Setting(detection(GATEWAY, bare=True)),
    "B `te`, POST": Setting(detection(GATEWAY)),
    "C B, `minHealthPercent: 1`": Setting(detection(PANIC)),
    "D C, split": Setting(detection(SPLIT)),
    "E unreachable alone": Setting(detection(REACHED)),
    "F the chart": Setting(),
    "G F, `retryBudget` 50": Setting(values="destinationRule: {pool: {retryBudget: {percent: 50}}}\n"),
    "H F, `http2MaxRequests` 8": Setting(
        values="destinationRule: {pool: {connectionPool: {http: {http2MaxRequests: 8}}}}\n"
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--setting", nargs="*", default=[""], help="those alone whose title begins so")
    parser.add_argument("--trial", nargs="*", default=[""], help="those alone whose title begins so")
    parser.add_argument(
        "--unready", action="store_true", help="pods that are not ready are sent, as Istio does from 1.31"
    )
    arguments = parser.parse_args()
    settings = {title: one for title, one in SETTINGS.items() if title.startswith(tuple(arguments.setting))}
    print(f"| trial | {' | '.join(settings)} |\n|{' --- |' * (len(settings) + 1)}", flush=True)
    for title, trial in TRIALS.items():
        if title.startswith(tuple(arguments.trial)):
            print(f"| {title} |", end="", flush=True)
            for setting in settings.values():
                with tempfile.TemporaryDirectory(prefix="envoy-") as folder, Cluster(Path(folder)) as cluster:
                    cluster.change = setting.change
                    cluster.sends_unready = arguments.unready
                    print(f" {cell(run(cluster, trial, setting.values))} |", end="", flush=True)
            print(flush=True)


def cell(found: dict[str, Found]) -> str:
    """Percent of the calls that failed, without a version and with v1; in brackets who else answered the former."""
    pool, named = found[""], found["v1"]
    others = [f"{_percent(pool.elsewhere, pool.calls)} live"] if pool.elsewhere else []
    others += [f"{_percent(pool.unserved, pool.calls)} not"] if pool.unserved else []
    lost = f"{_percent(pool.failed, pool.calls)}, {_percent(named.failed, named.calls)}"
    return f"{lost} ({', '.join(others)})" if others else lost


def _percent(part: int, whole: int) -> str:
    share = 100 * part / max(whole, 1)
    return f"{share:.1f}" if 0 < share < 10 else f"{share:.0f}"


if __name__ == "__main__":
    main()
