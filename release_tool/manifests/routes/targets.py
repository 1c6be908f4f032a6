"""Whether every route of a rendering leads to pods: host, port, subset, labels, and the default pool. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.manifests.routes.findings import about, listed, written
from release_tool.manifests.routes.values import mapping, texts
from release_tool.model.versions import is_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.manifests import ObjectKey
    from release_tool.manifests.routes.findings import Finding
    from release_tool.manifests.routes.view import (
        Destination,
        Rendering,
        Route,
        Rule,
        Service,
        Subset,
        VirtualService,
    )


class Default(NamedTuple):
    """Where the calls of a VirtualService go that name no version.

    Attributes:
        rule, subset: the pool.
        wanted: label -> value of its first choice; None where its order says nothing about labels.
        first: the Deployments of its first choice.
        named: the Deployments that routes for versions lead to; none where one of those leads nowhere.
    """

    rule: Rule
    subset: Subset
    wanted: Mapping[str, str] | None
    first: frozenset[ObjectKey]
    named: frozenset[ObjectKey]


def check(view: Rendering) -> Iterator[Finding]:
    """What is wrong with the targets of all routes."""
    seen = set()
    for service in view.virtual_services:
        for route in (*service.routes, *service.streams):
            for end in route.destinations:
                if (service.found.key, end) not in seen:
                    seen.add((service.found.key, end))
                    yield from _destination(view, service, route, end)
    used = {(end.host, end.subset) for _, end in seen}
    for rule in view.rules:
        yield from _subsets(view, rule, used)
        yield from _orders(rule)
    for service in view.virtual_services:
        for default in defaults(view, service):
            yield from _default(default)


# -- hosts and ports --


def _destination(view: Rendering, owner: VirtualService, route: Route, end: Destination) -> Iterator[Finding]:
    service = view.services.get(end.service) if end.service else None
    if service is None:
        yield from _host(view, owner, route, end)
    elif end.port is not None and service.ports and end.port not in service.ports:
        ports = listed(map(str, sorted(service.ports)))
        what = f"{route.title} leads to port {end.port} of {service.found.title}, which has {ports}"
        yield about(owner.found, "port", f"{end.host}:{end.port}", what, "let both name the same port")
    if not end.subset or any(end.subset in rule.subsets for rule in view.rules_of(end.host)):
        return
    rules = view.rules_of(end.host)
    what = f"{route.title} leads to subset {end.subset} of {end.written}, "
    hint = "give the subset and the route the same name, or take the route away"
    if rules:
        what += f"which {rules[0].found.title} doesn't have (it has {listed(rules[0].subsets)})"
        yield about(owner.found, "subset", f"{end.host} {end.subset}", what, hint)
    elif service is not None and not any("*" in rule.host for rule in view.rules):
        what += "and no DestinationRule is for that host"
        hosts = listed(dict.fromkeys(rule.host for rule in view.rules))
        hint = f"add one, or correct its host (there is: {hosts})" if view.rules else "add a DestinationRule"
        yield about(owner.found, "subset", f"{end.host} {end.subset}", what, hint)


def _host(view: Rendering, owner: VirtualService, route: Route, end: Destination) -> Iterator[Finding]:
    """A host that no Service of the rendering has: most are somebody else's, and nothing can be said of them."""
    if end.host in view.entries:
        return
    name, _, rest = end.host.partition(".")
    namespace = rest.removesuffix(".svc")
    if end.service is None and (name, namespace) in view.services:
        what = f"{route.title} leads to {end.written}: Istio completes only names without a dot, so that is no service"
        hint = f"write {name}.{namespace}.svc.cluster.local, with the domain of your cluster"
        yield about(owner.found, "host", end.host, what, hint)
    elif end.service is not None:
        labels = [rule.subsets[end.subset].labels for rule in view.rules_of(end.host) if end.subset in rule.subsets]
        chosen = view.carrying(end.service[1], labels[0]) if labels and labels[0] else frozenset()
        if not chosen:
            return
        right = [one for one in view.services.values() if one.selector and chosen & view.behind(one, {})]
        what = f"{route.title} leads to {end.written}, and no Service is called that"
        hint = "add the Service, or correct the host"
        if right:
            what += f"; its pods are those of {right[0].found.title}"
            hint = "correct the host in the VirtualService and the DestinationRule"
        yield about(owner.found, "host", end.host, what, hint, serious=bool(right))


# -- subsets --


def _subsets(view: Rendering, rule: Rule, used: set[tuple[str, str]]) -> Iterator[Finding]:
    service = view.services.get(rule.service) if rule.service else None
    if service is None or service.selector is None:
        return
    every = view.behind(service, {})
    for subset in rule.subsets.values():
        if not view.behind(service, subset.labels):
            routed = (rule.host, subset.name) in used
            alike = view.carrying(service.found.key.namespace, subset.labels) if subset.labels else frozenset()
            if every:  # without any, the pods may be somebody else's
                yield _empty(rule, service, subset, routed=routed, alike=bool(alike))
            elif alike:
                what = f"its selector matches no pods, not even those of subset {subset.name} ({_names(alike)})"
                yield about(service.found, "pods", "", what, "let the selector match their labels")


def _empty(rule: Rule, service: Service, subset: Subset, *, routed: bool, alike: bool) -> Finding:
    labels = written(subset.labels.items())
    what = f"subset {subset.name} selects no pods: no Deployment behind {service.found.title} has the labels {labels}"
    if alike:
        what = f"subset {subset.name} selects only pods that are not behind {service.found.title} ({labels})"
    hint = "let the subset's labels and those of a Deployment's pods agree, or take the subset away"
    return about(rule.found, "pods", subset.name, what, hint, serious=routed)


def _names(keys: frozenset[ObjectKey]) -> str:
    return listed(sorted(f"{key.kind} {key.name}" for key in keys))


# -- the default --


def version_headers(service: VirtualService) -> frozenset[str]:
    """The headers by which a VirtualService tells versions apart: those that it compares with a name `v<N>`."""
    return frozenset(header for route in service.routes for header, value in route.exact() if is_name(value))


def defaults(view: Rendering, service: VirtualService) -> Iterator[Default]:
    """The pools that take the calls of a VirtualService that name no version; none where no route is for a version."""
    headers = version_headers(service)
    if not headers:
        return
    rest = [route for route in service.routes if not route.asks_for(headers)]
    pools = dict.fromkeys(end for route in rest for end in route.destinations)
    ends = [end for route in service.routes if route not in rest for end in route.destinations if end not in pools]
    led = [pods(view, end) for end in ends]
    named: frozenset[ObjectKey] = frozenset().union(*led) if all(led) else frozenset()
    for end in pools:
        for rule in view.rules_of(end.host):
            subset = rule.pool(end.subset)
            if subset is not None:
                behind = pods(view, end)
                wanted = _wanted(view, subset, behind)
                first = frozenset(key for key in behind if _has(view.pods[key].labels, wanted or {}))
                yield Default(rule, subset, wanted, first, named)


def pods(view: Rendering, end: Destination) -> frozenset[ObjectKey]:
    """The Deployments that a destination leads to, as far as the rendering tells."""
    service = view.services.get(end.service) if end.service else None
    if service is None or service.selector is None:
        return frozenset()
    pools = [rule.pool(end.subset) for rule in view.rules_of(end.host)]
    pool = next((pool for pool in pools if pool is not None), None)
    if pool is None:
        return frozenset() if end.subset else view.behind(service, {})
    return view.behind(service, pool.labels)


def _wanted(view: Rendering, subset: Subset, behind: frozenset[ObjectKey]) -> dict[str, str] | None:
    """What the pods of the first choice carry. Of lines with the same key Istio keeps the last one's value.

    Lines without a value, and keys that no pod has (the regions and zones of nodes), compare with what isn't rendered.
    """
    if not behind:
        return None
    lines = [line.partition("=") for line in _order(subset)]
    known = {label for key in behind for label in view.pods[key].labels}
    wanted = {key: value for key, equals, value in lines if equals and key in known}
    return wanted if any(wanted.values()) else None


def _order(subset: Subset) -> tuple[str, ...]:
    """The failoverPriority of a subset, where it is in force."""
    locality = mapping(subset.balancer.get("localityLbSetting"))
    off = locality.get("enabled") is False or locality.get("distribute")
    return () if off else texts(locality.get("failoverPriority"))


def _has(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(labels.get(key, "") == value for key, value in wanted.items())


def _orders(rule: Rule) -> Iterator[Finding]:
    for subset in (rule.whole, *rule.subsets.values()):
        if _order(subset) and not subset.ejects:
            what = f"{subset.title} has failoverPriority without outlierDetection: Istio ignores the order then"
            yield about(rule.found, "order", subset.name, what, "set outlierDetection beside it")


def _default(default: Default) -> Iterator[Finding]:
    found, subset = default.rule.found, default.subset
    if default.wanted is None:
        return
    labels = written((key, value) for key, value in default.wanted.items() if value)
    if not default.first:
        what = f"the default is not deployed: {subset.title} wants pods with {labels} first, and there are none"
        yield about(found, "default", subset.name, what, "let the default be a live version")
    elif default.named and not default.first & default.named:
        what = f"the default is not live: no route by name leads to the first pods of {subset.title} ({labels})"
        yield about(found, "default", subset.name, what, "let the default be a live version")
