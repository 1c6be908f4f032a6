"""Rendered Istio objects to Envoy configuration, as istiod makes it, for what this project's chart can render.

Pure: objects and endpoints in, Envoy's resources out, as mappings in the JSON form of Envoy's protocol buffers. A field
that is not known here is refused with its place, never skipped: a translation that ignores half of a route proves
nothing. The reading of istiod is held against a real one in `istiod/`.

The parts: `upstreams` (clusters, endpoints), `virtual_hosts` (routes), `patches` (EnvoyFilter); each names the files of
istio's pilot/pkg/networking/core that it was read from, at 1.31.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import patches
import upstreams
import virtual_hosts
from fields import Object, Refused
from upstreams import Endpoint, cluster_name, priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Configuration",
    "Endpoint",
    "Object",
    "Proxy",
    "Refused",
    "cluster_name",
    "priority",
    "translate",
]

# Nothing in them concerns a proxy: the pods are given apart.
_NO_ROUTING = {"Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "ServiceAccount"}
_KNOWN = _NO_ROUTING | {"Service", "Gateway", "VirtualService", "DestinationRule", "EnvoyFilter"}


class Proxy(NamedTuple):
    """Whose configuration is made.

    Attributes:
        namespace: the namespace of the proxy's pod.
        labels: the labels of a gateway's pod; None: a sidecar of the mesh.
    """

    namespace: str
    labels: Mapping[str, str] | None = None


class Configuration(NamedTuple):
    """Envoy's resources by name.

    Attributes:
        filters: port -> HTTP filters of its listener, before the router.
        routes: name of the route configuration (`http.80` of a gateway, `50051` of a sidecar) -> it.
        clusters: name -> cluster, without its endpoints.
        endpoints: name of the cluster -> its load assignment.
    """

    filters: dict[int, list[Object]]
    routes: dict[str, Object]
    clusters: dict[str, Object]
    endpoints: dict[str, Object]


def translate(objects: Sequence[Object], endpoints: Iterable[Endpoint], proxy: Proxy) -> Configuration:
    """What istiod sends to a proxy.

    Args:
        objects: everything in the cluster, as mappings.
        endpoints: the pods that are ready.
        proxy: who asks.

    Raises:
        Refused: a field or kind is not known.
    """
    kinds: dict[str, list[Object]] = {}
    for found in objects:
        kinds.setdefault(found["kind"], []).append(found)
    if unknown := set(kinds) - _KNOWN:
        raise Refused(f"unknown kinds: {', '.join(sorted(unknown))}")
    known = upstreams.services(kinds.get("Service", []))
    rules, routed = kinds.get("DestinationRule", []), kinds.get("VirtualService", [])
    clusters, loads = upstreams.clusters(known, rules, tuple(endpoints), failover=proxy.labels != {})
    if proxy.labels is None:
        routes = virtual_hosts.of_sidecar(known, routed)
    else:
        routes = virtual_hosts.of_gateway(kinds.get("Gateway", []), routed, proxy.labels)
    filters: dict[int, list[Object]] = {int(name.removeprefix("http.")): [] for name in routes}
    if proxy.labels is not None:
        patches.apply(kinds.get("EnvoyFilter", []), proxy.namespace, proxy.labels, filters, routes)
    return Configuration(filters, routes, clusters, loads)
