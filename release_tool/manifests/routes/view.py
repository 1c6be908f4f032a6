"""A rendering as routing sees it: services, the pods behind them, subsets, routes. Pure.

Istio's rules, as its control plane has them: a host without a dot means a service of the object's own namespace, a host
with one is taken as it is; a route is taken when one of its matches fits whole, and routes are tried in their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from release_tool.manifests import ObjectKey

    Labels = Mapping[str, str]
    ServiceKey = tuple[str, str]
    Atom = tuple[str, ...]

MESH = "mesh"
"""The name under which a VirtualService is for the sidecars; also what it is for if it names no gateway."""


class Found(NamedTuple):
    """One object of the rendering.

    Attributes:
        key: what tells it from others; its namespace is always told.
        rendered: its key as it is rendered, perhaps without a namespace.
        source: the template that it comes from.
        spec: its `spec`.
        annotations: its annotations.
    """

    key: ObjectKey
    rendered: ObjectKey
    source: str
    spec: Mapping[str, Any]
    annotations: Mapping[str, Any]

    @property
    def title(self) -> str:
        """What to call it: `VirtualService engine/engine`."""
        return f"{self.key.kind} {self.key.namespace}/{self.key.name}"


class Service(NamedTuple):
    """A Service.

    Attributes:
        found: the object.
        ports: its port numbers.
        selector: what its pods carry; None where its endpoints don't come from a selector.
    """

    found: Found
    ports: frozenset[int]
    selector: Labels | None


class Pods(NamedTuple):
    """A Deployment, or whatever else makes pods of a template, and the labels of its pods."""

    found: Found
    labels: Labels


class Subset(NamedTuple):
    """One subset of a DestinationRule.

    Attributes:
        name: its name; empty for the whole host.
        labels: what its pods carry.
        balancer: the load balancer that is in force for it.
        ejects: whether any outlier detection is.
    """

    name: str
    labels: Labels
    balancer: Mapping[str, Any]
    ejects: bool

    @property
    def title(self) -> str:
        """What to call it."""
        return f"subset {self.name}" if self.name else "its trafficPolicy"


class Rule(NamedTuple):
    """A DestinationRule.

    Attributes:
        found: the object.
        host: its host, as `host_of` gives it.
        service: the service that it names; None for any other host.
        subsets: by name.
        whole: what holds for calls to the host that name no subset.
        scope: to whom it applies, in one comparable form.
    """

    found: Found
    host: str
    service: ServiceKey | None
    subsets: Mapping[str, Subset]
    whole: Subset
    scope: str

    def pool(self, subset: str) -> Subset | None:
        """A subset, or the whole if it has no name; None where there is none of this name."""
        return self.subsets.get(subset) if subset else self.whole


class Destination(NamedTuple):
    """Where a route leads.

    Attributes:
        written: the host as it is written.
        host: the host, as `host_of` gives it.
        service: the service that it names; None for any other host.
        subset: the subset; empty for the whole service.
        port: the port number, if it is given.
    """

    written: str
    host: str
    service: ServiceKey | None
    subset: str
    port: int | None


class Route(NamedTuple):
    """One route of a VirtualService.

    Attributes:
        title: what to call it: `route v1`.
        matches: for each of its matches what must hold, as a set; an empty set holds for every call.
        destinations: where it leads, without those of weight 0.
        delegated: whether another VirtualService refines it.
    """

    title: str
    matches: tuple[frozenset[Atom], ...]
    destinations: tuple[Destination, ...]
    delegated: bool

    def exact(self, header: str | None = None) -> Iterator[tuple[str, str]]:
        """The (header, value) pairs that its matches ask for exactly."""
        for match in self.matches:
            for atom in match:
                if atom[0] == "headers" and atom[2] == "exact" and header in (None, atom[1]):
                    yield atom[1], atom[3]

    def asks_for(self, headers: Iterable[str]) -> bool:
        """Whether any of its matches looks at one of some headers."""
        return any(atom[0] == "headers" and atom[1] in headers for match in self.matches for atom in match)


class VirtualService(NamedTuple):
    """A VirtualService: hosts, gateways as `namespace/name`, HTTP routes, and the destinations of all other routes."""

    found: Found
    hosts: tuple[str, ...]
    gateways: tuple[str, ...]
    scope: str
    routes: tuple[Route, ...]
    streams: tuple[Route, ...]


class Rendering(NamedTuple):
    """A rendering as routing sees it.

    Attributes:
        services: by (name, namespace).
        entries: the hosts that a ServiceEntry brings.
        pods: by key.
        rules: the DestinationRules.
        virtual_services: the VirtualServices.
        filters: the EnvoyFilters.
        carriers: (namespace, label, value) -> those of `pods` whose pods carry it.
    """

    services: Mapping[ServiceKey, Service]
    entries: frozenset[str]
    pods: Mapping[ObjectKey, Pods]
    rules: tuple[Rule, ...]
    virtual_services: tuple[VirtualService, ...]
    filters: tuple[Found, ...]
    carriers: Mapping[tuple[str, str, str], frozenset[ObjectKey]]

    def carrying(self, namespace: str, labels: Labels) -> frozenset[ObjectKey]:
        """Whose pods carry all of some labels; without labels all of the namespace."""
        none: frozenset[ObjectKey] = frozenset()
        if not labels:
            return frozenset(key for key in self.pods if key.namespace == namespace)
        sets = [self.carriers.get((namespace, *item), none) for item in labels.items()]
        return frozenset.intersection(*sorted(sets, key=len))

    def behind(self, service: Service, labels: Labels) -> frozenset[ObjectKey]:
        """Whose pods a service with a selector leads to, as far as they carry some labels."""
        namespace = service.found.key.namespace
        own = service.selector or {}
        if any(labels.get(key, value) != value for key, value in own.items()):
            return frozenset()
        return self.carrying(namespace, {**own, **labels})

    def rules_of(self, host: str) -> list[Rule]:
        """The DestinationRules that name just this host."""
        return [rule for rule in self.rules if rule.host == host]


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
