"""A rendering as routing sees it: services, the pods behind them, subsets, routes.

Istio's rules, as its control plane has them: a host without a dot means a service of the object's own namespace, a host
with one is taken as it is; a route is taken when one of its matches fits whole, and routes are tried in their order.

Charts come from people: whatever isn't of the shape that Kubernetes or Istio document is passed over, for the API
server is the one to refuse it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool import manifests
from release_tool.model.versions import is_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from release_tool.manifests import ObjectKey

    Labels = Mapping[str, str]
    ServiceKey = tuple[str, str]
    Atom = tuple[str, ...]

MESH = "mesh"  # the gateway under which a VirtualService is for the sidecars; also if it names none


class Found(NamedTuple):
    """One object of the rendering."""

    key: ObjectKey  # its namespace is always told
    rendered: ObjectKey  # its key as it is rendered, perhaps without a namespace
    title: str  # what to call it: `VirtualService engine/engine`
    source: str  # the template that it comes from
    spec: Mapping[str, Any]
    annotations: Mapping[str, Any]
    labels: Labels | None  # what its pods carry; None where it makes none


class ClusterService(NamedTuple):
    """A Service of Kubernetes."""

    found: Found
    ports: frozenset[int]
    selector: Labels | None  # None where its endpoints don't come from one


class Subset(NamedTuple):
    """One subset of a host, or the whole host."""

    found: Found  # the rule that it stands in; the one with the trafficPolicy, for the whole host
    name: str  # empty for the whole host
    title: str
    labels: Labels  # what its pods carry
    order: tuple[str, ...]  # the lines of its failoverPriority, where that is in force
    ejects: bool  # whether any outlier detection is in force


class DestinationRule(NamedTuple):
    """What Istio does behind one host, or a part of it: it joins the rules of one host, namespace and scope."""

    found: Found
    host: str  # as `host_of` gives it
    service: ServiceKey | None  # the service that it names; None for any other host
    subsets: Mapping[str, Subset]
    scope: str  # to whom it applies, in one comparable form


class Destination(NamedTuple):
    """Where a route leads."""

    written: str  # the host as it is written
    host: str  # as `host_of` gives it
    service: ServiceKey | None  # the service that it names; None for any other host
    subset: str  # empty for the whole service
    port: int | None


class MeshRoute(NamedTuple):
    """One route of a VirtualService, or one match of a rule of a GRPCRoute or HTTPRoute."""

    title: str  # what to call it: `route v1`
    matches: tuple[frozenset[Atom], ...]  # for each match what must hold; an empty set holds for every call
    destinations: tuple[Destination, ...]  # without those of weight 0
    mirrors: tuple[Destination, ...]  # where copies of its calls go, whose answers nobody waits for
    delegated: bool  # whether another VirtualService refines it
    headers: frozenset[str]  # that its matches look at
    exact: tuple[tuple[str, str], ...]  # the (header, value) pairs that its matches ask for exactly
    rank: tuple[int, ...] = ()  # of the Gateway API, which takes the route with the highest one; empty: the first one


class RouteOwner(NamedTuple):
    """The routes of some hosts: a VirtualService, GRPCRoute or HTTPRoute."""

    found: Found
    hosts: tuple[str, ...]
    gateways: tuple[str, ...]  # as `namespace/name`, or MESH; of the Gateway API: its parents, in a comparable form
    scope: str  # to whom it applies, in one comparable form
    routes: tuple[MeshRoute, ...]  # in the order in which they are tried
    streams: tuple[MeshRoute, ...]  # all routes but the HTTP ones
    version_headers: frozenset[str]  # those that it compares with a name `v<N>`

    @property
    def is_gateway_route(self) -> bool:
        """Whether it is of the Gateway API, and no VirtualService."""
        return self.found.key.kind in _GATEWAY_ROUTES


_GATEWAY_ROUTES = frozenset(["GRPCRoute", "HTTPRoute"])
_NOBODY: frozenset[ObjectKey] = frozenset()


class RoutingView(NamedTuple):
    """All that the checks look at."""

    services: Mapping[ServiceKey, ClusterService]  # by name and namespace
    entries: frozenset[str]  # the hosts that a ServiceEntry brings
    pods: Mapping[ObjectKey, Found]  # Deployments, and whatever else makes pods of a template
    running: frozenset[ObjectKey]  # those of `pods` that have replicas
    carriers: Mapping[tuple[str, str, str], set[ObjectKey]]  # by namespace, label and value, of `pods`
    rules: Sequence[DestinationRule]
    rules_of: Mapping[str, Sequence[DestinationRule]]  # by host, those that name just this one
    pools: Mapping[tuple[str, str], Sequence[Subset]]  # by host and name; by the empty name the whole host
    virtual_services: Sequence[RouteOwner]
    gateway_routes: Sequence[RouteOwner]  # GRPCRoutes and HTTPRoutes
    filters: Sequence[Found]  # EnvoyFilters
    scaled: frozenset[tuple[str, str, str]]  # namespace, kind and name of what an autoscaler gives its number of pods

    @property
    def owners(self) -> Sequence[RouteOwner]:
        """All that leads calls somewhere."""
        return (*self.virtual_services, *self.gateway_routes)

    def carrying(self, namespace: str, labels: Labels) -> frozenset[ObjectKey]:
        """Whose pods carry all of some labels; without labels all of the namespace."""
        if not labels:
            return frozenset(key for key in self.pods if key.namespace == namespace)
        first, *others = sorted((self.carriers.get((namespace, *item), _NOBODY) for item in labels.items()), key=len)
        return frozenset(first).intersection(*others)

    def behind(self, service: ClusterService, labels: Labels) -> frozenset[ObjectKey]:
        """Whose pods a service with a selector leads to, as far as they carry some labels."""
        own = service.selector or {}
        if any(labels.get(key, value) != value for key, value in own.items()):
            return _NOBODY
        return self.carrying(service.found.key.namespace, {**own, **labels})

    def pods_of(self, end: Destination) -> frozenset[ObjectKey]:
        """The Deployments that a destination leads to, as far as the rendering tells."""
        service = self.services.get(end.service) if end.service else None
        if service is None or service.selector is None:
            return _NOBODY
        pools = self.pools.get((end.host, end.subset), ())
        if not pools and end.subset:
            return _NOBODY
        return self.behind(service, pools[0].labels if pools else {})


_SCALERS = frozenset(["HorizontalPodAutoscaler", "ScaledObject"])  # the second is KEDA's, which makes the first
_KINDS = frozenset(["Service", "ServiceEntry", "DestinationRule", "VirtualService", "EnvoyFilter"])
_KINDS |= _SCALERS | _GATEWAY_ROUTES
_ROUTING = ("networking.istio.io/", "gateway.networking.k8s.io/")


@lru_cache(maxsize=4)
def read(rendering: str, namespace: str) -> RoutingView:  # noqa: C901 -- a case for each kind
    """A rendering as routing sees it.

    Args:
        rendering: YAML documents.
        namespace: where objects go that name no namespace.

    Raises:
        ReleaseError: it holds what is no object.
    """
    services: dict[ServiceKey, ClusterService] = {}
    entries: set[str] = set()
    pods: dict[ObjectKey, Found] = {}
    carriers: dict[tuple[str, str, str], set[ObjectKey]] = {}
    parts: dict[tuple[str, str, str], list[Found]] = {}
    virtual_services, gateway_routes, filters = [], [], []
    scaled: set[tuple[str, str, str]] = set()
    for one in manifests.outlines(rendering, _KINDS):
        key = one.key if one.key.namespace else one.key._replace(namespace=namespace)
        spec = mapping(one.content.get("spec"))
        metadata = mapping(spec.get("template")).get("metadata")
        labels = labels_of(metadata.get("labels")) if isinstance(metadata, dict) else None
        annotations = mapping(mapping(one.content.get("metadata")).get("annotations"))
        title = f"{key.kind} {key.namespace}/{key.name}"
        found = Found(key, one.key, title, one.source, spec, annotations, labels)
        kind = key.kind if key.api_version.startswith(_ROUTING) else ""
        scope = comparable([sorted(texts(spec.get("exportTo"))) or ["*"], spec.get("workloadSelector")]) if kind else ""
        if key.kind == "Service" and key.api_version == "v1":
            ports = (port.get("port") for port in mappings(spec.get("ports")))
            selector = (labels_of(spec.get("selector")) or None) if spec.get("type") != "ExternalName" else None
            numbers = frozenset(port for port in ports if isinstance(port, int))
            services[key.name, key.namespace] = ClusterService(found, numbers, selector)
        elif kind == "ServiceEntry":
            entries.update(host_of(host, key.namespace)[0] for host in texts(spec.get("hosts")))
        elif kind == "DestinationRule":
            host, _ = host_of(text(spec.get("host")), key.namespace)
            parts.setdefault((host, key.namespace, scope), []).append(found)
        elif kind == "VirtualService":
            virtual_services.append(_virtual_service(found, scope))
        elif kind == "EnvoyFilter":
            filters.append(found)
        elif kind in _GATEWAY_ROUTES:
            gateway_routes.append(_gateway_route(found))
        elif key.kind in _SCALERS:
            target = mapping(spec.get("scaleTargetRef"))
            scaled.add((key.namespace, text(target.get("kind")) or "Deployment", text(target.get("name"))))
        elif labels is not None:
            pods[key] = found
            for item in labels.items():
                carriers.setdefault((key.namespace, *item), set()).add(key)
    running = frozenset(key for key, found in pods.items() if found.spec.get("replicas") != 0)
    entered, aimed = frozenset(entries), frozenset(scaled)
    pools: dict[tuple[str, str], list[Subset]] = {}
    rules = [rule for (_, _, scope), every in parts.items() for rule in _rules(every, scope, pools)]
    rules_of: dict[str, list[DestinationRule]] = {}
    for rule in rules:
        rules_of.setdefault(rule.host, []).append(rule)
    owners = (virtual_services, gateway_routes)
    return RoutingView(services, entered, pods, running, carriers, rules, rules_of, pools, *owners, filters, aimed)


def host_of(written: str, namespace: str) -> tuple[str, ServiceKey | None]:
    """A host in one comparable form, and the service that it names.

    Args:
        written: the host.
        namespace: that of the object that names it.

    Returns:
        `name.namespace.svc` whatever the domain of the cluster is called, and (name, namespace); for a host that is no
        service of the cluster: that host, and None.
    """
    host = written.lower().rstrip(".")
    parts = host.split(".")
    if len(parts) == 1 and host != "*":
        parts = [host, namespace, "svc", ""]
    if len(parts) > 3 and parts[2] == "svc" and "*" not in host:
        return ".".join(parts[:3]), (parts[0], parts[1])
    return host, None


# -- DestinationRules --


def _rules(parts: Sequence[Found], scope: str, pools: dict[tuple[str, str], list[Subset]]) -> Iterator[DestinationRule]:
    """The rules of one host, namespace and scope, which Istio joins (mergeDestinationRule in its pilot/pkg/model).

    One of them gives the trafficPolicy of the host, the oldest; of one age, the first by name.
    """
    first = min(parts, key=lambda found: ("trafficPolicy" not in found.spec, found.key.name))
    above = mapping(first.spec.get("trafficPolicy"))
    host, service = host_of(text(first.spec.get("host")), first.key.namespace)
    pools.setdefault((host, ""), []).append(_subset(first, {}, above))
    for found in parts:
        subsets: dict[str, Subset] = {}
        for one in mappings(found.spec.get("subsets")):
            subsets.setdefault(text(one.get("name")), _subset(found, one, above))
        for name, subset in subsets.items():
            pools.setdefault((host, name), []).append(subset)
        yield DestinationRule(found, host, service, subsets, scope)


def _subset(found: Found, one: Mapping[str, Any], above: Mapping[str, Any]) -> Subset:
    own, name = mapping(one.get("trafficPolicy")), text(one.get("name"))
    ports = [*mappings(above.get("portLevelSettings")), *mappings(own.get("portLevelSettings"))]
    ejects = any(policy.get("outlierDetection") is not None for policy in (above, own, *ports))
    locality = mapping(mapping(own.get("loadBalancer") or above.get("loadBalancer")).get("localityLbSetting"))
    off = locality.get("enabled") is False or locality.get("distribute")
    order = () if off else texts(locality.get("failoverPriority"))
    title = f"subset {name}" if name else "its trafficPolicy"
    return Subset(found, name, title, labels_of(one.get("labels")), order, ejects)


# -- VirtualServices --


def _virtual_service(found: Found, scope: str) -> RouteOwner:
    namespace = found.key.namespace
    gateways = [
        name if "/" in name or name == MESH else f"{namespace}/{name}" for name in texts(found.spec.get("gateways"))
    ]
    http, *streams = (
        [_route(route, number, namespace, kind) for number, route in enumerate(mappings(found.spec.get(kind)), 1)]
        for kind in ("http", "tcp", "tls")
    )
    return RouteOwner(
        found,
        texts(found.spec.get("hosts")),
        tuple(gateways) or (MESH,),
        scope,
        tuple(http),
        tuple(route for kind in streams for route in kind),
        _version_headers(http),
    )


def _version_headers(routes: Sequence[MeshRoute]) -> frozenset[str]:
    return frozenset(header for route in routes for header, value in route.exact if is_name(value))


def _route(route: Mapping[str, Any], number: int, namespace: str, kind: str) -> MeshRoute:
    name = text(route.get("name"))
    ends = mappings(route.get("route"))
    mirrors = [*mappings(route.get("mirrors")), *([{"destination": route["mirror"]}] if "mirror" in route else [])]
    matches = tuple(_atoms(match) for match in mappings(route.get("match"))) or (frozenset(),)
    asked = [atom for match in matches for atom in match if atom[0] == "headers"]
    return MeshRoute(
        f"route {name}" if name else f"{kind} route {number}",
        matches,
        tuple(_destination(end, namespace) for end in ends if end.get("weight") != 0 or len(ends) == 1),
        tuple(_destination(end, namespace) for end in mirrors if mapping(end.get("percentage")).get("value") != 0),
        "delegate" in route,
        frozenset(atom[1] for atom in asked),
        tuple((atom[1], atom[3]) for atom in asked if atom[2] == "exact"),
    )


def _destination(end: Mapping[str, Any], namespace: str) -> Destination:
    to = mapping(end.get("destination"))
    written, port = text(to.get("host")), mapping(to.get("port")).get("number")
    host, service = host_of(written, namespace)
    number = port if isinstance(port, int) else None
    return Destination(written, host, service if written else None, text(to.get("subset")), number)


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


# -- the Gateway API --


def _gateway_route(found: Found) -> RouteOwner:
    """A GRPCRoute or HTTPRoute: https://gateway-api.sigs.k8s.io/reference/spec/, the order of matches included."""
    namespace = found.key.namespace
    routes = [
        route
        for number, rule in enumerate(mappings(found.spec.get("rules")), 1)
        for route in _rule_of_gateway(rule, number, namespace)
    ]
    routes.sort(key=lambda route: route.rank, reverse=True)
    parents = [comparable({"namespace": namespace, **parent}) for parent in mappings(found.spec.get("parentRefs"))]
    hosts = texts(found.spec.get("hostnames")) or ("*",)
    return RouteOwner(found, hosts, tuple(parents), "", tuple(routes), (), _version_headers(routes))


def _rule_of_gateway(rule: Mapping[str, Any], number: int, namespace: str) -> Iterator[MeshRoute]:
    """Each match of a rule as a route of its own: which one is taken depends on the match."""
    name = text(rule.get("name"))
    filters = [one.get("requestMirror") for one in mappings(rule.get("filters"))]
    ends, mirrors = (
        [{"destination": to, "weight": to.get("weight", 1)} for to in map(_as_destination, refs) if to]
        for refs in (mappings(rule.get("backendRefs")), [mapping(mapping(one).get("backendRef")) for one in filters])
    )
    for match in mappings(rule.get("matches")) or [{}]:
        atoms, rank = _gateway_atoms(match)
        asked = [atom for atom in atoms if atom[0] == "headers"]
        yield MeshRoute(
            f"rule {name}" if name else f"rule {number}",
            (atoms,),
            tuple(_destination(end, namespace) for end in ends if end["weight"] != 0),
            tuple(_destination(end, namespace) for end in mirrors),
            delegated=False,
            headers=frozenset(atom[1] for atom in asked),
            exact=tuple((atom[1], atom[3]) for atom in asked if atom[2] == "exact"),
            rank=rank,
        )


def _as_destination(ref: Mapping[str, Any]) -> Mapping[str, Any]:
    """A reference to a Service as Istio writes it; an empty one for any other kind, of which nothing is known."""
    name, namespace = text(ref.get("name")), text(ref.get("namespace"))
    if not name or ref.get("kind", "Service") != "Service" or ref.get("group"):
        return {}
    host = f"{name}.{namespace}.svc." if namespace else name
    return {"host": host, "port": {"number": ref.get("port")}, "weight": ref.get("weight", 1)}


_KIND_OF = {"Exact": "exact", "PathPrefix": "prefix", "RegularExpression": "regex"}


def _gateway_atoms(match: Mapping[str, Any]) -> tuple[frozenset[Atom], tuple[int, ...]]:
    """What must hold for a match, and how early it is tried: by path, then method, then the number of headers."""
    atoms: set[Atom] = set()
    headers = {text(one.get("name")).lower(): one for one in reversed(mappings(match.get("headers")))}
    for name, one in headers.items():
        kind = _KIND_OF.get(text(one.get("type")) or "Exact", "")
        atoms.add(("headers", name, kind, text(one.get("value"))))
    queries = mappings(match.get("queryParams"))
    atoms |= {("queryParams", text(one.get("name")), "", comparable(one)) for one in queries}
    path = mapping(match.get("path"))
    value = text(path.get("value")) or "/"
    exact = path.get("type") == "Exact"
    if exact or value != "/":
        atoms.add(("uri", "", text(path.get("type")), value))
    method = match.get("method")
    parts = mapping(method)
    if parts.get("service") or parts.get("method"):  # of gRPC
        atoms.add(("uri", "", "", comparable(method)))
    elif isinstance(method, str):
        atoms.add(("method", "", "", comparable({"exact": method})))
    service, call = (len(text(parts.get(key))) for key in ("service", "method"))
    return frozenset(atoms), (exact, len(value), service, call, isinstance(method, str), len(headers), len(queries))


# -- values that may not be what they should --


def mapping(value: Any) -> Mapping[str, Any]:
    """A value that should be a mapping; an empty one where it isn't."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in a value that should be a list of them."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """A value that should be a text; empty where it isn't."""
    return value if isinstance(value, str) else ""


def texts(value: Any) -> tuple[str, ...]:
    """The texts in a value that should be a list of them."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def labels_of(value: Any) -> dict[str, str]:
    """Labels as texts."""
    return {str(key): str(item) for key, item in mapping(value).items() if not isinstance(item, (dict, list))}


def comparable(value: Any) -> str:
    """A value of YAML as a text that can be compared, whatever the order of its keys."""
    parts: list[str] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            keys = sorted(one, key=str)
            parts.append(repr(keys))
            waiting.extend(one[key] for key in keys)
        elif isinstance(one, list):
            parts.append(f"[{len(one)}]")
            waiting.extend(one)
        else:
            parts.append(repr(one))
    return " ".join(parts)
