"""Reads a rendering as routing sees it. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from release_tool import manifests
from release_tool.manifests.routes.values import comparable, labels_of, mapping, mappings, text, texts
from release_tool.manifests.routes.view import (
    MESH,
    Destination,
    Found,
    Pods,
    Rendering,
    Route,
    Rule,
    Service,
    Subset,
    VirtualService,
    host_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.manifests import ManifestObject, ObjectKey
    from release_tool.manifests.routes.view import Atom, Labels, ServiceKey

_KINDS = frozenset(["Service", "ServiceEntry", "DestinationRule", "VirtualService", "EnvoyFilter"])
_ISTIO = "networking.istio.io/"


@lru_cache(maxsize=4)
def read(rendering: str, namespace: str) -> Rendering:
    """A rendering as routing sees it.

    Args:
        rendering: YAML documents.
        namespace: where objects go that name no namespace.

    Raises:
        ReleaseError: it holds what is no object.
    """
    services: dict[ServiceKey, Service] = {}
    pods: dict[ObjectKey, Pods] = {}
    entries: set[str] = set()
    rules, virtual_services, filters = [], [], []
    for one in manifests.outlines(rendering, _KINDS):
        found = _found(one, namespace)
        kind = one.key.kind
        istio = one.key.api_version.startswith(_ISTIO)
        if kind == "Service" and one.key.api_version == "v1":
            services[found.key.name, found.key.namespace] = _service(found)
        elif kind == "ServiceEntry" and istio:
            entries.update(host_of(host, found.key.namespace)[0] for host in texts(found.spec.get("hosts")))
        elif kind == "DestinationRule" and istio:
            rules.append(_rule(found))
        elif kind == "VirtualService" and istio:
            virtual_services.append(_virtual_service(found))
        elif kind == "EnvoyFilter" and istio:
            filters.append(found)
        elif (labels := _pod_labels(found)) is not None:
            pods[found.key] = Pods(found, labels)
    return Rendering(
        services, frozenset(entries), pods, tuple(rules), tuple(virtual_services), tuple(filters), _carriers(pods)
    )


# -- objects --


def _found(one: ManifestObject, namespace: str) -> Found:
    key = one.key if one.key.namespace else one.key._replace(namespace=namespace)
    annotations = mapping(mapping(one.content.get("metadata")).get("annotations"))
    return Found(key, one.key, one.source, mapping(one.content.get("spec")), annotations)


def _service(found: Found) -> Service:
    ports = frozenset(port["port"] for port in mappings(found.spec.get("ports")) if isinstance(port.get("port"), int))
    selected = found.spec.get("type") != "ExternalName"
    return Service(found, ports, (labels_of(found.spec.get("selector")) or None) if selected else None)


def _pod_labels(found: Found) -> Labels | None:
    template = found.spec.get("template")
    metadata = mapping(template).get("metadata")
    return labels_of(mapping(metadata).get("labels")) if isinstance(metadata, dict) else None


def _carriers(pods: Mapping[ObjectKey, Pods]) -> dict[tuple[str, str, str], frozenset[ObjectKey]]:
    found: dict[tuple[str, str, str], list[ObjectKey]] = {}
    for key, one in pods.items():
        for label, value in one.labels.items():
            found.setdefault((key.namespace, label, value), []).append(key)
    return {item: frozenset(keys) for item, keys in found.items()}


def _rule(found: Found) -> Rule:
    spec = found.spec
    policy = mapping(spec.get("trafficPolicy"))
    subsets: dict[str, Subset] = {}
    for one in mappings(spec.get("subsets")):
        subset = _subset(one, policy)
        subsets.setdefault(subset.name, subset)
    host, service = host_of(text(spec.get("host")), found.key.namespace)
    return Rule(found, host, service, subsets, _subset({}, policy), _scope(spec))


def _subset(one: Mapping[str, Any], above: Mapping[str, Any]) -> Subset:
    own = mapping(one.get("trafficPolicy"))
    ports = [*mappings(above.get("portLevelSettings")), *mappings(own.get("portLevelSettings"))]
    ejects = any(policy.get("outlierDetection") is not None for policy in (above, own, *ports))
    balancer = mapping(own.get("loadBalancer") or above.get("loadBalancer"))
    return Subset(text(one.get("name")), labels_of(one.get("labels")), balancer, ejects)


def _scope(spec: Mapping[str, Any]) -> str:
    shown = sorted(texts(spec.get("exportTo"))) or ["*"]
    return comparable([shown, spec.get("workloadSelector")])


def _virtual_service(found: Found) -> VirtualService:
    spec, namespace = found.spec, found.key.namespace
    gateways = tuple(
        name if "/" in name or name == MESH else f"{namespace}/{name}" for name in texts(spec.get("gateways"))
    )
    routes = [_route(route, number, namespace) for number, route in enumerate(mappings(spec.get("http")), 1)]
    streams = [
        _route(route, number, namespace, kind)
        for kind in ("tcp", "tls")
        for number, route in enumerate(mappings(spec.get(kind)), 1)
    ]
    return VirtualService(
        found, texts(spec.get("hosts")), gateways or (MESH,), _scope(spec), tuple(routes), tuple(streams)
    )


def _route(route: Mapping[str, Any], number: int, namespace: str, kind: str = "http") -> Route:
    name = text(route.get("name"))
    ends = mappings(route.get("route"))
    used = [end for end in ends if end.get("weight") != 0 or len(ends) == 1]
    return Route(
        f"route {name}" if name else f"{kind} route {number}",
        tuple(_atoms(match) for match in mappings(route.get("match"))) or (frozenset(),),
        tuple(_destination(mapping(end.get("destination")), namespace) for end in used),
        "delegate" in route,
    )


def _destination(end: Mapping[str, Any], namespace: str) -> Destination:
    written = text(end.get("host"))
    host, service = host_of(written, namespace)
    port = mapping(end.get("port")).get("number")
    return Destination(
        written, host, service if written else None, text(end.get("subset")), port if isinstance(port, int) else None
    )


_MAPPED = ("headers", "withoutHeaders", "queryParams", "sourceLabels")
_NO_CONDITIONS = ("name", "statPrefix", "uri", "ignoreUriCase")
_EVERY_PATH = ({"prefix": "/"}, {"regex": ".*"})


def _atoms(match: Mapping[str, Any]) -> frozenset[Atom]:
    """What must hold for a match, each thing by itself: a match with fewer of the same atoms takes all its calls."""
    atoms: set[Atom] = set()
    for field in _MAPPED:
        for name, value in mapping(match.get(field)).items():
            kind, asked = next(iter(value.items())) if isinstance(value, dict) and len(value) == 1 else ("", value)
            atoms.add((field, str(name), str(kind), asked if isinstance(asked, str) else comparable(asked)))
    if match.get("uri") and match["uri"] not in _EVERY_PATH:
        atoms.add(("uri", "", str(match.get("ignoreUriCase")), comparable(match["uri"])))
    for field, value in match.items():
        if field not in _MAPPED and field not in _NO_CONDITIONS:
            atoms.add((str(field), "", "", comparable(value)))
    return frozenset(atoms)
