"""Who still calls a version: the question to Prometheus, and what its answer means.

**What Istio counts.** Each proxy counts its requests in `istio_requests_total`, with labels about both ends
(https://istio.io/latest/docs/reference/config/metrics/; the code is `istio_stats.cc` of istio/proxy). Of the chart's
pods it learns

- `destination_workload`: the Deployment, `<fullname>-v5`. It holds the name, always.
- `destination_canonical_revision`: the label `service.istio.io/canonical-revision`, else `app.kubernetes.io/version`
  (the tag), else `version`, else `latest`.
- `destination_version`: the label `version`, which the chart doesn't set (`unknown`); in newer releases
  `app.kubernetes.io/version` first.

So the workload decides, and the other two help where a query of one's own gives no workload. The caller's proxy
(`reporter="source"`), the version's own (`destination`) and a waypoint each count the same call. All are taken: clients
outside the mesh have no proxy, and versions may have none; what matters is whether a call was seen at all.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from release_tool.rules.promql import filled_promql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from release_tool.config import InUse
    from release_tool.model.records import Name, Tag

    Calls = Iterable[tuple[Mapping[str, str], float]]
    """The labels of each series, and how many calls it counted."""

_CALLS = (
    'istio_requests_total{destination_workload_namespace="{namespace}",'
    'destination_workload=~"{release}(-.+)?-v[0-9]+",source_workload!~"{release}(-.+)?-test"}'
)

DEFAULT_QUERY = (
    "sum by (destination_workload, destination_canonical_revision, destination_version,"
    " source_workload, source_workload_namespace) ("
    f"(max_over_time({_CALLS}[{{window}}]) unless {_CALLS} offset {{window}})"
    f" or increase({_CALLS}[{{window}}]))"
)
"""Calls of each version over the window, by caller.

`increase` alone would lose calls: a proxy begins a series with its first call, so a counter that appears as 1 and stays
at 1 has no increase. Where a series was not there when the window began, its value is what it counted since.

The pod of `helm test` (`<fullname>-test`) calls every version, and is nobody's client.
"""

_WORKLOADS = ("destination_workload", "workload", "deployment")
_VERSIONS = ("destination_version", "destination_canonical_revision", "version", "tag", "grpcsvc")
_CALLERS = (
    ("source_workload", "source_workload_namespace"),
    ("source_app", "source_workload_namespace"),
    ("caller", ""),
    ("client", ""),
)
_UNKNOWN = "unknown"
"""What Istio writes where it knows nothing; and the caller of whom nobody knows the name."""

_NAMED = 3
"""So many callers are named in a reason."""

_LONGEST_NAME = 100


class Placeholders(NamedTuple):
    """What a query may be filled with, beside the window."""

    environment: str  # the name of the environment
    namespace: str  # the namespace of the release
    service: str  # the name of the service; empty where the repository has one without a name
    release: str  # the name of the Helm release


class Use(NamedTuple):
    """What is known about the use of one version."""

    # who called it, sorted: `mobile-gw.web` (workload and namespace), or `unknown`. Empty: nobody knows
    callers: tuple[str, ...] = ()
    unknown: str = ""  # why nobody knows; empty where there are callers


class Usage(NamedTuple):
    """What is known about the use of several versions."""

    uses: Mapping[Name, Use] = {}  # name -> use, of those that are called, or of which it isn't known
    unknown: str = ""  # why nothing is known about the others; empty: nobody calls them

    def words(self, versions: Iterable[Name]) -> dict[Name, str]:
        """Name -> reason to keep it, of those of some versions that are in use, or may be."""
        others = Use(unknown=self.unknown) if self.unknown else None
        found = {name: self.uses.get(name, others) for name in versions}
        return {name: reason(use) for name, use in found.items() if use is not None}


def expression(policy: InUse, placeholders: Placeholders, window: timedelta | None = None) -> str:
    """The question, filled in; `window`: another one than the policy's."""
    span = policy.window if window is None else window
    return filled_promql(policy.query or DEFAULT_QUERY, placeholders._asdict(), {"window": span})


def edge(window: timedelta) -> timedelta:
    """How long at either end of a window a series is looked for, to see that the window was watched."""
    seconds = window.total_seconds()
    return timedelta(seconds=max(1, int(max(seconds / 7, min(seconds / 2, 600)))))


def names_any(calls: Calls, versions: Mapping[Name, Tag]) -> bool:
    """Whether an answer is about any of some versions, called or not."""
    return any(_named(labels, versions) for labels, _ in calls)


def uses(calls: Calls, versions: Mapping[Name, Tag]) -> dict[Name, Use]:
    """Which versions are called, and by whom; without those that nobody called.

    A sample is about the version that the name of its workload ends with (`-v5`); else about every one whose name, or
    tag without the digest, one of its labels for versions holds. More than 0 is a call.
    """
    callers: dict[Name, set[str]] = {}
    not_a_number: set[Name] = set()
    for labels, count in calls:
        for name in _named(labels, versions):
            if count > 0:
                callers.setdefault(name, set()).add(_caller(labels))
            elif math.isnan(count):
                not_a_number.add(name)
    unknown = Use(unknown="the number of calls is not a number")
    return {
        name: Use(tuple(sorted(callers[name]))) if name in callers else unknown
        for name in versions
        if name in callers or name in not_a_number
    }


def reason(use: Use) -> str:
    """Why a version is kept, in words: `in use by mobile-gw.web, shop.web`, or `use unknown: …`.

    How many others there are is left out: it would change from one planning to the next.
    """
    if not use.callers:
        return f"use unknown: {use.unknown}"
    others = " and others" if len(use.callers) > _NAMED else ""
    return f"in use by {', '.join(use.callers[:_NAMED])}{others}"


def _named(labels: Mapping[str, str], versions: Mapping[Name, Tag]) -> Sequence[Name]:
    workloads = [labels[label] for label in _WORKLOADS if label in labels]
    by_workload = [name for name in versions if any(workload.endswith(f"-{name}") for workload in workloads)]
    if by_workload:
        return by_workload
    held = {labels[label] for label in _VERSIONS if label in labels}
    return [name for name, tag in versions.items() if name in held or tag.partition("@")[0] in held]


def _caller(labels: Mapping[str, str]) -> str:
    for label, namespace in _CALLERS:
        caller = labels.get(label, "")
        if caller not in {"", _UNKNOWN}:
            place = labels.get(namespace, "")
            return _plain(caller if place in {"", _UNKNOWN} else f"{caller}.{place}")
    return _UNKNOWN


def _plain(name: str) -> str:
    """A name from outside, with nothing in it that a message or a page could take for more than a name."""
    return re.sub(r"[^A-Za-z0-9._:/-]", "_", name[:_LONGEST_NAME])
