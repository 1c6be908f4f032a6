"""What proxies of a mesh counted in two days before `AT`, a sample an hour."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from real_prometheus import Series

from release_tool.model.records import Name, Tag

AT = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)  # after the beginning of each world
WINDOW = timedelta(days=1)

VERSIONS = {Name(f"v{number}"): Tag(f"v1.0.{number}") for number in range(1, 11)}


def series(value: Callable[[int], float], hours: range, labels: dict[str, str], metric: str) -> Series:
    return Series(metric, labels, [(AT - timedelta(hours=hour), value(hour)) for hour in reversed(hours)])


def calls(
    name: str,
    source: str,
    value: Callable[[int], float],
    hours: range = range(49),
    *,
    namespace: str = "shop",
    workload: str = "engine-grpc-manifest",
    reporter: str = "source",
    tag: str = "",
) -> Series:
    """As Istio counts the calls from `<workload>.<namespace>` to a pod of a version; hour -> counter."""
    source_workload, _, source_namespace = source.partition(".")
    labels = {
        "reporter": reporter,
        "source_workload": source_workload,
        "source_workload_namespace": source_namespace or "unknown",
        "source_app": source_workload,
        "destination_workload": f"{workload}-{name}",
        "destination_workload_namespace": namespace,
        "destination_service_name": workload,
        "destination_canonical_revision": tag or f"v1.0.{name[1:]}",
        "destination_version": "unknown",
        "response_code": "200",
        "pod": f"{source_workload}-7f4669bdd9-dg7vn",
    }
    return series(value, hours, labels, "istio_requests_total")


def busy(hour: int) -> float:
    """A counter that grows by 10 an hour."""
    return 1000 - 10 * hour


def quiet(hour: int) -> float:
    """A counter that nothing was added to for two days."""
    return 7


ALL = [
    calls("v1", "batch.jobs", quiet),
    calls("v2", "web.shop", busy),
    calls("v2", "mobile-gw.web", busy, reporter="destination"),
    calls("v3", "once.jobs", lambda hour: 1, range(6)),  # one single call, six hours ago: nothing ever increased
    calls("v4", "engine-grpc-manifest-test.shop", busy),  # helm test
    # v5: nobody ever called it
    calls("v6", "odd.shop", lambda hour: math.nan),
    *[calls("v7", f"{letter}.many", busy) for letter in "edcba"],
    calls("v8", "restarted.shop", lambda hour: 3 if hour < 12 else 500),  # its proxy began anew and counted 3
    calls("v9", "gone.shop", busy, range(30, 49)),  # called before the window, not since
    calls("v10", "unknown", busy, reporter="destination"),
    # a service that Prometheus knows for ten hours
    calls("v1", "web.shop", busy, range(11), namespace="young"),
    # one that is no longer collected
    calls("v1", "web.shop", quiet, range(8, 49), namespace="stale"),
    calls("v2", "web.shop", busy, range(8, 49), namespace="stale"),
    # other services
    calls("v1", "web.shop", busy, namespace="others", workload="engines"),
    calls("v1", "web.shop", busy, namespace="others", workload="search-engine"),
    # metrics of one's own
    series(busy, range(49), {"version": "v1.0.2", "client": "ios", "stage": "a{b}\"c'd\\e`f"}, "own_total"),
    series(quiet, range(49), {"version": "v1", "client": "ios", "stage": "a{b}\"c'd\\e`f"}, "own_total"),
]
