"""What is wrong within one rendering: targets, the order of routes, selectors, waves.

Every route leads to pods (host, port, subset, labels, and the default pool), every route can be taken, and no two
objects speak for the same host.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from release_tool.manifests.routes.view import MESH, host_of, labels_of
from release_tool.model.versions import is_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from release_tool.manifests import ObjectKey
    from release_tool.manifests.routes.view import (
        Atom,
        ClusterService,
        Destination,
        DestinationRule,
        Found,
        MeshRoute,
        RouteOwner,
        RoutingView,
        Subset,
    )

    Claim = tuple[RouteOwner, MeshRoute]  # whose route takes a match


class RouteFinding(NamedTuple):
    """One thing that is wrong, or that somebody should know.

    Attributes:
        rule: the rule that it breaks, in a word.
        about: what breaks it: an object, or the template of many where it would break it with any other name.
        source: the template that the object comes from, `<chart>/templates/<file>`; empty if the rendering doesn't say.
        subject: what of that it is about.
        what: a sentence without a full stop that names the object.
        hint: what to do.
        serious: whether calls fail by it, now or at the next change. What isn't serious is a note and stops nothing.
    """

    rule: str
    about: str
    source: str
    subject: str
    what: str
    hint: str
    serious: bool = True

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it the same finding in another rendering, whatever words it has there."""
        return self.rule, self.about, self.subject


def about(found: Found, rule: str, subject: str, what: str, hint: str, *, serious: bool = True) -> RouteFinding:
    """A finding about an object."""
    return RouteFinding(rule, found.title, found.source, subject, f"{found.title}: {what}", hint, serious)


def _of_template(found: Found, rule: str, what: str, hint: str, *, serious: bool = True) -> RouteFinding:
    """A finding about an object that its template has with all that it renders."""
    return about(found, rule, "", what, hint, serious=serious)._replace(about=found.source or found.title)


_SHOWN = 6


def listed(names: Iterable[str]) -> str:
    """Names in one line, the first few of many."""
    every = list(names)
    more = [f"{len(every) - _SHOWN} more"] if len(every) > _SHOWN + 1 else []
    return ", ".join([*every[: _SHOWN if more else None], *more]) or "none"


def _written(labels: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in labels)


def check(view: RoutingView) -> Iterator[RouteFinding]:
    """Everything that is wrong, apart from the lists of filters."""
    yield from _destinations(view)
    yield from _subsets(view)
    for owner in view.virtual_services:
        for default in defaults(view, owner):
            live = default.first & default.named if default.named else default.first
            if default.wanted is not None and not live:
                yield _no_default(default, default.wanted)
    yield from _services_without_pods(view)
    for owner in (*view.virtual_services, *together(view.gateway_routes)):
        yield from _order_of_routes(owner)
    yield from _two_for_one_host(view)
    yield from _apart(view)
    for key, one in view.pods.items():
        yield from _labels_and_selector(view, key, one)
    yield from _waves(view)


# -- where routes lead --


def _destinations(view: RoutingView) -> Iterator[RouteFinding]:
    seen = set()
    routes = [(owner, route) for owner in view.owners for route in (*owner.routes, *owner.streams)]
    ends = [(owner, route, end, True) for owner, route in routes for end in route.destinations]
    # Callers don't notice that a copy of their call gets lost.
    ends += [(owner, route, end, False) for owner, route in routes for end in route.mirrors]
    for owner, route, end, serious in ends:
        if (owner.found.key, end) not in seen:
            seen.add((owner.found.key, end))
            leads = f"{route.title} {'leads' if serious else 'mirrors calls'}"
            found = _destination(view, owner, leads, end)
            yield from found if serious else (one._replace(serious=False) for one in found)


def _destination(view: RoutingView, owner: RouteOwner, leads: str, end: Destination) -> Iterator[RouteFinding]:
    service = view.services.get(end.service) if end.service else None
    if service is None:
        yield from _no_service(view, owner, leads, end)
    elif end.port is not None and service.ports and end.port not in service.ports:
        ports = listed(map(str, sorted(service.ports)))
        what = f"{leads} to port {end.port} of {service.found.title}, which has {ports}"
        yield about(owner.found, "port", f"{end.host}:{end.port}", what, "let both name the same port")
    if end.subset and (end.host, end.subset) not in view.pools:
        yield from _no_subset(view, owner, leads, end, known=service is not None)


def _no_service(view: RoutingView, owner: RouteOwner, leads: str, end: Destination) -> Iterator[RouteFinding]:
    """A host that no Service of the rendering has: most are somebody else's, and nothing can be said of them."""
    if end.host in view.entries:
        return
    name, _, rest = end.host.partition(".")
    namespace = rest.removesuffix(".svc")
    if end.service is None and (name, namespace) in view.services:
        what = f"{leads} to {end.written}: Istio completes only names without a dot, so that is no service"
        hint = f"write {name}.{namespace}.svc.cluster.local, with the domain of your cluster"
        yield about(owner.found, "host", end.host, what, hint)
    elif end.service is not None:
        labels = [subset.labels for subset in view.pools.get((end.host, end.subset), ()) if end.subset]
        chosen = view.carrying(end.service[1], labels[0]) if labels and labels[0] else frozenset()
        if owner.is_gateway_route and namespace == owner.found.key.namespace:
            yield _no_backend(view, owner, leads, end)
        if not chosen:
            return
        right = [one for one in view.services.values() if one.selector and chosen & view.behind(one, {})]
        what = f"{leads} to {end.written}, and no Service is called that"
        hint = "add the Service, or correct the host"
        if right:
            what += f"; its pods are those of {right[0].found.title}"
            hint = "correct the host in the VirtualService and the DestinationRule"
        yield about(owner.found, "host", end.host, what, hint, serious=bool(right))


def _no_backend(view: RoutingView, owner: RouteOwner, leads: str, end: Destination) -> RouteFinding:
    """A Service of the route's own namespace: the gateway answers for it, with 500 or UNAVAILABLE."""
    ours = any(other.service in view.services for route in owner.routes for other in route.destinations)
    what = (
        f"{leads} to Service {end.written}, which the rendering doesn't have: the gateway answers such calls with an "
    )
    what += "error, unless another release brings the Service"
    return about(owner.found, "host", end.host, what, "add the Service, or correct the name", serious=ours)


def _services_without_pods(view: RoutingView) -> Iterator[RouteFinding]:
    """A Service that a route of the Gateway API leads to, and that selects no pods, though others of the route do."""
    for owner in view.gateway_routes:
        ends = dict.fromkeys(end for route in owner.routes for end in route.destinations)
        pods = {end.service: view.pods_of(end) for end in ends if end.service in view.services}
        for key, behind in pods.items():
            service = view.services[key] if key is not None else None
            if service is not None and service.selector is not None and not behind and any(pods.values()):
                what = f"its selector matches no pods, and {owner.found.title} leads to it"
                yield about(service.found, "pods", "", what, "let the selector match the labels of a Deployment's pods")


def _no_subset(
    view: RoutingView, owner: RouteOwner, leads: str, end: Destination, *, known: bool
) -> Iterator[RouteFinding]:
    rules = view.rules_of.get(end.host, ())
    what = f"{leads} to subset {end.subset} of {end.written}, "
    hint = "give the subset and the route the same name, or take the route away"
    if rules:
        names = listed(dict.fromkeys(name for rule in rules for name in rule.subsets))
        one = f"{rules[0].found.title} doesn't have (it has {names})"
        what += f"which {one if not rules[1:] else f'no DestinationRule of that host has (they have {names})'}"
        yield about(owner.found, "subset", f"{end.host} {end.subset}", what, hint)
    elif known and not any("*" in rule.host for rule in view.rules):
        what += "and no DestinationRule is for that host"
        hosts = listed(dict.fromkeys(rule.host for rule in view.rules))
        hint = f"add one, or correct its host (there is: {hosts})" if view.rules else "add a DestinationRule"
        yield about(owner.found, "subset", f"{end.host} {end.subset}", what, hint)


def _subsets(view: RoutingView) -> Iterator[RouteFinding]:
    routes = [route for owner in view.virtual_services for route in (*owner.routes, *owner.streams)]
    used = {(end.host, end.subset) for route in routes for end in (*route.destinations, *route.mirrors)}
    for rule in view.rules:
        service = view.services.get(rule.service) if rule.service else None
        if service is not None and service.selector is not None:
            for subset in rule.subsets.values():
                if not view.behind(service, subset.labels):
                    routed = (rule.host, subset.name) in used
                    yield from _no_pods(view, rule, service, subset, routed=routed)
    for subset in (subset for pool in view.pools.values() for subset in pool):
        if subset.order and not subset.ejects:
            what = f"{subset.title} has failoverPriority without outlierDetection: Istio ignores the order then"
            yield about(subset.found, "order", subset.name, what, "set outlierDetection beside it")


def _no_pods(
    view: RoutingView, rule: DestinationRule, service: ClusterService, subset: Subset, *, routed: bool
) -> Iterator[RouteFinding]:
    alike = view.carrying(service.found.key.namespace, subset.labels) if subset.labels else frozenset()
    labels = _written(subset.labels.items())
    if view.behind(service, {}):
        what = f"subset {subset.name} selects no pods: "
        what += f"no Deployment behind {service.found.title} has the labels {labels}"
        if alike:
            what = f"subset {subset.name} selects only pods that are not behind {service.found.title} ({labels})"
        hint = "let the subset's labels and those of a Deployment's pods agree, or take the subset away"
        yield about(rule.found, "pods", subset.name, what, hint, serious=routed)
    elif alike:  # a service without any pods in the rendering may be for somebody else's
        names = listed(sorted(f"{key.kind} {key.name}" for key in alike))
        what = f"its selector matches no pods, not even those of subset {subset.name} ({names})"
        yield about(service.found, "pods", "", what, "let the selector match their labels")


# -- the default --


class DefaultPool(NamedTuple):
    """Where the calls of a VirtualService go that name no version."""

    subset: Subset
    wanted: Mapping[str, str] | None  # the labels of its first choice; None where its order says nothing about labels
    first: frozenset[ObjectKey]  # the Deployments of its first choice
    named: frozenset[ObjectKey]  # those that routes for versions lead to; none where one of the routes leads nowhere


def defaults(view: RoutingView, owner: RouteOwner) -> Iterator[DefaultPool]:
    """The pools that take the calls of a VirtualService that name no version; none where no route is for a version."""
    headers = owner.version_headers
    if not headers:
        return
    pools = dict.fromkeys(
        end for route in owner.routes if headers.isdisjoint(route.headers) for end in route.destinations
    )
    led = [
        view.pods_of(end)
        for route in owner.routes
        if not headers.isdisjoint(route.headers)
        for end in route.destinations
        if end not in pools
    ]
    named: frozenset[ObjectKey] = frozenset().union(*led) if all(led) else frozenset()
    for end in pools:
        for subset in view.pools.get((end.host, end.subset), ()):
            yield DefaultPool(subset, *first_choice(view, end, subset), named)


def first_choice(
    view: RoutingView, end: Destination, subset: Subset
) -> tuple[Mapping[str, str] | None, frozenset[ObjectKey]]:
    """The labels that a subset's order wants first (None: it has no order by labels), and the pods that carry them."""
    labels = {key: view.pods[key].labels or {} for key in view.pods_of(end)}
    # Of lines with the same key Istio keeps the last one's value. Lines without a value, and keys that no pod has (the
    # regions and zones of nodes), compare with what isn't rendered.
    known = {label for one in labels.values() for label in one}
    lines = [line.partition("=") for line in subset.order]
    wanted = {key: value for key, equals, value in lines if equals and key in known}
    if not any(wanted.values()):
        return None, frozenset(labels)
    asked = sorted(wanted.items(), key=lambda item: not item[1])  # what few carry first
    carry = (key for key, one in labels.items() if all(one.get(label, "") == value for label, value in asked))
    return wanted, frozenset(carry)


def _no_default(default: DefaultPool, wanted: Mapping[str, str]) -> RouteFinding:
    labels = _written((key, value) for key, value in wanted.items() if value)
    what = f"the default is not deployed: {default.subset.title} wants pods with {labels} first, and there are none"
    if default.first:
        what = f"the default is not live: no route by name leads to the first pods of {default.subset.title} ({labels})"
    return about(default.subset.found, "default", default.subset.name, what, "let the default be a live version")


# -- the order of routes --


def together(owners: Iterable[RouteOwner]) -> list[RouteOwner]:
    """Routes of the Gateway API for the same hosts and parents as one: the gateway compares all of their matches."""
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[RouteOwner]] = {}
    for owner in owners:
        groups.setdefault((owner.found.key.kind, owner.hosts, owner.gateways), []).append(owner)
    return [_joined(one) if len(one) > 1 else one[0] for one in groups.values()]


def _joined(owners: Sequence[RouteOwner]) -> RouteOwner:
    routes = [
        route._replace(title=f"{route.title} of {owner.found.title}") for owner in owners for route in owner.routes
    ]
    routes.sort(key=lambda route: route.rank, reverse=True)
    headers: frozenset[str] = frozenset().union(*(owner.version_headers for owner in owners))
    return owners[0]._replace(routes=tuple(routes), version_headers=headers)


_MOST = 5  # atoms of a match of which all parts are looked up


def _order_of_routes(owner: RouteOwner) -> Iterator[RouteFinding]:
    """A route is out of reach where an earlier one asks for the same things, for fewer of them, or for none at all."""
    taken: dict[frozenset[Atom], Claim] = {}
    for route in owner.routes:
        own: set[frozenset[Atom]] = set()
        for match in route.matches:
            claim = _claim(taken, match)
            if claim is not None and _says_the_same(claim[1], match, route):
                continue
            if claim is not None or match in own:
                yield _shadowed((owner, route), match, claim or (owner, route))
            own.add(match)
        if not route.delegated:
            for match in route.matches:
                taken.setdefault(match, (owner, route))


def _says_the_same(early: MeshRoute, match: frozenset[Atom], late: MeshRoute) -> bool:
    """Whether objects of the Gateway API repeat a rule, as several do that end with the one for all other calls."""
    return bool(late.rank) and match in early.matches and early.destinations == late.destinations


def _claim(taken: Mapping[frozenset[Atom], Claim], match: frozenset[Atom]) -> Claim | None:
    """Who takes all calls of a match: whoever asks for a part of it."""
    sizes = range(len(match) + 1) if len(match) <= _MOST else (0, 1, len(match))
    parts = (frozenset(part) for size in sizes for part in combinations(match, size))
    return next((taken[part] for part in parts if part in taken), None)


def _shadowed(late: Claim, match: frozenset[Atom], early: Claim) -> RouteFinding:
    (owner, route), (other_owner, other) = late, early
    elsewhere = "" if other_owner is owner else f" of {other_owner.found.title}"
    headers = [f"{atom[1]}: {atom[3]}" for atom in sorted(match) if atom[0] == "headers" and atom[2] == "exact"]
    claimed = ", ".join(headers)
    subject = f"{route.title} {sorted(match)}"
    if frozenset() in other.matches and other is not route:
        what = f"{route.title} comes after {other.title}{elsewhere}, which takes every call, so it gets none"
        return about(owner.found, "order of routes", route.title, what, "put the route that takes every call last")
    if other is route:
        what = f"{route.title} claims {claimed or 'the same calls'} twice"
        return about(owner.found, "claim", subject, what, "keep one of the two matches")
    if claimed:
        what = f"{claimed} is claimed by {other.title}{elsewhere} and by {route.title}, which never gets it"
    else:
        what = f"{route.title} gets no call: {other.title}{elsewhere} takes all that would fit it"
    return about(owner.found, "claim", subject, what, "let each route ask for something of its own")


# -- two objects for one host --


def _two_for_one_host(view: RoutingView) -> Iterator[RouteFinding]:
    taken: dict[tuple[str, str, str], list[RouteOwner]] = {}
    told = set()
    for owner in view.virtual_services:
        for gateway in owner.gateways:
            for host in owner.hosts:
                name = host_of(host, owner.found.key.namespace)[0] if gateway == MESH else host.lower()
                others = taken.setdefault((gateway, name, owner.scope), [])
                for other in others:
                    finding = _both(owner, other, gateway, host)
                    if finding is not None and (owner.found.key, other.found.key) not in told:
                        told.add((owner.found.key, other.found.key))
                        yield finding
                others.append(owner)
    said: dict[tuple[str, ...], str] = {}
    for rule in view.rules:
        policy = {"": "trafficPolicy"} if "trafficPolicy" in rule.found.spec else {}
        for name, part in {**policy, **{name: f"subset {name}" for name in rule.subsets}}.items():
            title = said.setdefault((rule.host, rule.found.key.namespace, rule.scope, name), rule.found.title)
            if title != rule.found.title:
                what = f"{title} has a {part} for the same host, too: Istio keeps one of the two, by their age"
                hint = f"let one DestinationRule of the host have the {part}; Istio joins what they have"
                yield about(rule.found, "second", f"{title} {name}", what, hint)


def _apart(view: RoutingView) -> Iterator[RouteFinding]:
    """Hosts whose routes need the subsets of several rules that Istio does not join."""
    ends = {end for owner in view.virtual_services for route in owner.routes for end in route.destinations}
    wanted: dict[str, set[str]] = {}
    for end in ends:
        if end.subset:
            wanted.setdefault(end.host, set()).add(end.subset)
    for host, needed in wanted.items():
        joined: dict[tuple[str, str], list[DestinationRule]] = {}
        for rule in view.rules_of.get(host, ()):
            joined.setdefault((rule.found.key.namespace, rule.scope), []).append(rule)
        lacking = [needed.difference(*(rule.subsets for rule in rules)) for rules in joined.values()]
        if len(joined) > 1 and all(lacking) and not set.intersection(*lacking):
            (rule, *_), (other, *_), *_ = joined.values()
            what = f"{other.found.title} is for the same host with another namespace, exportTo or workloadSelector: "
            what += "Istio doesn't join them, and each proxy has the subsets of one"
            yield about(rule.found, "apart", host, what, "let all of them be for the same proxies")


def _both(owner: RouteOwner, other: RouteOwner, gateway: str, host: str) -> RouteFinding | None:
    """What two VirtualServices of one host take from each other.

    Istio joins them at a gateway in an order of chance, those routes last that take every call; for the sidecars it
    takes one of them and drops the others.
    """
    subject = f"{other.found.title} {gateway}"
    hint = "put the routes of both into one VirtualService"
    if gateway == MESH:
        what = f"{other.found.title} is for the host {host} in the mesh too: sidecars take one of the two"
        return about(owner.found, "second", subject, what, hint)
    for late, early in ((owner, other), (other, owner)):
        taken = {match: (early, route) for route in early.routes for match in route.matches if not route.delegated}
        for route in late.routes:
            for match in route.matches:
                # One that takes every call goes to the end of the others, and matters only to its like.
                if _claim({key: one for key, one in taken.items() if key or not match}, match) is not None:
                    what = f"{early.found.title} is for the host {host} at gateway {gateway} too, and "
                    what += f"takes the calls of {route.title}, or not, as chance has it"
                    return about(late.found, "second", subject, what, hint)
    return None


# -- labels and selectors of pods --

_LABEL = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")


def _labels_and_selector(view: RoutingView, key: ObjectKey, one: Found) -> Iterator[RouteFinding]:
    labels = one.labels or {}
    for label, value in labels.items():
        if not _LABEL.fullmatch(value):
            what = f"{value!r} can't be the value of its pods' label {label}: Kubernetes refuses it"
            hint = "a value has at most 63 letters, digits, `.`, `_`, `-`, with a letter or a digit at both ends"
            yield about(one, "label", label, what, hint)
    selector = one.spec.get("selector")
    if not key.api_version.startswith("apps/") or not isinstance(selector, dict) or selector.get("matchExpressions"):
        return
    wanted = labels_of(selector.get("matchLabels"))
    if not wanted:
        return
    missing = [f"{label}: {value}" for label, value in wanted.items() if labels.get(label) != value]
    if missing:
        what = f"its selector wants {', '.join(missing)}, which its own pods don't carry: Kubernetes refuses that"
        yield about(one, "selector", "", what, "let the labels of the template hold all of the selector")
    every = view.carrying(key.namespace, wanted)
    others = sorted(other.name for other in every if other != key and other.api_version.startswith("apps/"))
    if others:
        what = f"its selector takes the pods of {listed(others)} too"
        yield _of_template(one, "selectors", what, "let its selector and its pods carry a label of its own")


# -- the waves in which Argo CD applies --

_WAVE = "argocd.argoproj.io/sync-wave"


def wave_of(found: Found) -> int:
    try:
        return int(str(found.annotations.get(_WAVE, 0)))
    except ValueError:
        return 0


def _waves(view: RoutingView) -> Iterator[RouteFinding]:
    """What a route leads to comes before the route, or with it."""
    every = [one.found for part in (view.owners, view.rules, view.services.values()) for one in part]
    if not any(_WAVE in one.annotations for one in (*every, *view.pods.values())):
        return
    for owner in view.owners:
        at = wave_of(owner.found)
        routed: set[ObjectKey] = set()
        needed: dict[str, Found] = {}
        for end in dict.fromkeys(end for route in owner.routes for end in (*route.destinations, *route.mirrors)):
            service = view.services.get(end.service) if end.service else None
            behind = view.pods_of(end)
            found = [service.found] if service else []
            found += [subset.found for subset in view.pools.get((end.host, end.subset), ()) if end.subset]
            pods = [view.pods[key] for key in behind]
            if pods and all(wave_of(one) > at for one in pods):
                found += pods
            needed |= {one.title: one for one in found}
            if is_name(end.subset):
                routed |= behind
        for one in needed.values():
            if wave_of(one) > at:
                what = f"it comes in wave {wave_of(one)}, after {owner.found.title} (wave {at}), which leads to it"
                yield _of_template(one, "wave", what, f"let its {_WAVE} be {at} at most")
        yield from _late(view, owner, routed)


def _late(view: RoutingView, owner: RouteOwner, routed: set[ObjectKey]) -> Iterator[RouteFinding]:
    """Versions without a route: Argo CD would wait for them, however ill they are, before it changes the routes."""
    at = wave_of(owner.found)
    hosts = {end.host for route in owner.routes for end in route.destinations}
    for rule in view.rules:
        service = view.services.get(rule.service) if rule.service else None
        if rule.host not in hosts or service is None:
            continue
        for subset in rule.subsets.values():
            behind = view.behind(service, subset.labels) if is_name(subset.name) else frozenset()
            for key in sorted(behind - routed):
                found = view.pods[key]
                if wave_of(found) < at:
                    what = f"it has no route and comes before {owner.found.title} (wave {wave_of(found)} before {at}): "
                    what += "if it is ill, Argo CD waits for it and changes no route"
                    hint = f"put versions that are not live into a later wave than {at}"
                    yield _of_template(found, "late wave", what, hint, serious=False)
