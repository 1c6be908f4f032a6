"""Whether every route of a rendering can be taken, and no two objects speak for the same host. Pure.

A route is out of reach where an earlier one asks for nothing else than it does: for the same things, for fewer of them,
or for none at all. Istio joins the VirtualServices of one host on a gateway in an order of chance, those routes last
that take every call; for the sidecars it takes one of them and drops the others.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from release_tool.manifests.routes.findings import about
from release_tool.manifests.routes.view import MESH, host_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.manifests.routes.findings import Finding
    from release_tool.manifests.routes.view import Atom, Rendering, Route, VirtualService

_MOST = 5  # atoms of a match of which all parts are looked up


class Claim(NamedTuple):
    """A match that is taken: by which route of which VirtualService."""

    owner: VirtualService
    route: Route


def check(view: Rendering) -> Iterator[Finding]:
    """What is wrong with the order of routes, and with hosts that two objects speak for."""
    for service in view.virtual_services:
        yield from _within(service)
    yield from _between(view)
    yield from _rules(view)


def reachable(service: VirtualService) -> list[Route]:
    """The routes down to the first that takes every call."""
    found = []
    for route in service.routes:
        found.append(route)
        if frozenset() in route.matches and not route.delegated:
            break
    return found


def _within(service: VirtualService) -> Iterator[Finding]:
    taken: dict[frozenset[Atom], Claim] = {}
    for route in service.routes:
        own: set[frozenset[Atom]] = set()
        for match in route.matches:
            claim = _claim(taken, match)
            if claim is not None or match in own:
                yield _shadowed(Claim(service, route), match, claim or Claim(service, route))
            own.add(match)
        if not route.delegated:
            for match in route.matches:
                taken.setdefault(match, Claim(service, route))


def _claim(taken: Mapping[frozenset[Atom], Claim], match: frozenset[Atom]) -> Claim | None:
    """Who takes all calls of a match: whoever asks for a part of it."""
    sizes = range(len(match) + 1) if len(match) <= _MOST else (0, 1, len(match))
    parts = (frozenset(part) for size in sizes for part in combinations(match, size))
    return next((taken[part] for part in parts if part in taken), None)


def _shadowed(late: Claim, match: frozenset[Atom], early: Claim) -> Finding:
    found, route, other = late.owner.found, late.route, early.route
    elsewhere = "" if early.owner is late.owner else f" of {early.owner.found.title}"
    headers = [f"{atom[1]}: {atom[3]}" for atom in sorted(match) if atom[0] == "headers" and atom[2] == "exact"]
    claimed = ", ".join(headers)
    subject = f"{route.title} {sorted(match)}"
    if frozenset() in other.matches and other is not route:
        what = f"{route.title} comes after {other.title}{elsewhere}, which takes every call, so it gets none"
        return about(found, "order of routes", route.title, what, "put the route that takes every call last")
    if other is route:
        what = f"{route.title} claims {claimed or 'the same calls'} twice"
        return about(found, "claim", subject, what, "keep one of the two matches")
    if claimed:
        what = f"{claimed} is claimed by {other.title}{elsewhere} and by {route.title}, which never gets it"
    else:
        what = f"{route.title} gets no call: {other.title}{elsewhere} takes all that would fit it"
    return about(found, "claim", subject, what, "let each route ask for something of its own")


# -- two objects for one host --


def _between(view: Rendering) -> Iterator[Finding]:
    taken: dict[tuple[str, str, str], list[VirtualService]] = {}
    told = set()
    for service in view.virtual_services:
        namespace = service.found.key.namespace
        for gateway in service.gateways:
            for host in service.hosts:
                name = host_of(host, namespace)[0] if gateway == MESH else host.lower()
                others = taken.setdefault((gateway, name, service.scope), [])
                for other in others:
                    finding = _both(service, other, gateway, host)
                    if finding is not None and (service.found.key, other.found.key) not in told:
                        told.add((service.found.key, other.found.key))
                        yield finding
                others.append(service)


def _both(service: VirtualService, other: VirtualService, gateway: str, host: str) -> Finding | None:
    """What two VirtualServices of one host take from each other."""
    subject = f"{other.found.title} {gateway}"
    if gateway == MESH:
        what = f"{other.found.title} is for the host {host} in the mesh too: sidecars take one of the two"
        return about(service.found, "second", subject, what, "put the routes of both into one VirtualService")
    for late, early in ((service, other), (other, service)):
        taken = {match: Claim(early, route) for route in early.routes for match in route.matches if not route.delegated}
        for route in late.routes:
            for match in route.matches:
                # One that takes every call goes to the end of the others, and matters only to its like.
                claim = _claim({key: one for key, one in taken.items() if key or not match}, match)
                if claim is not None:
                    what = f"{early.found.title} is for the host {host} at gateway {gateway} too, and "
                    what += f"takes the calls of {route.title}, or not, as chance has it"
                    hint = "put the routes of both into one VirtualService"
                    return about(late.found, "second", subject, what, hint)
    return None


def _rules(view: Rendering) -> Iterator[Finding]:
    first: dict[tuple[str, str, str], str] = {}
    for rule in view.rules:
        place = (rule.host, rule.found.key.namespace, rule.scope)
        title = first.setdefault(place, rule.found.title)
        if title != rule.found.title:
            what = f"{title} is for the same host: Istio keeps one trafficPolicy of the two, by their age"
            yield about(rule.found, "second", title, what, "put the subsets of both into one DestinationRule")
