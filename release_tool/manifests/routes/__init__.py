"""Checks of rendered manifests: every call finds pods, before, during and after a change.

Looked at are the objects of Kubernetes and Istio that routing is made of. A rendering without them has nothing to
check; hosts, pods and subsets that other charts bring are left alone, and so is every feature that isn't known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.manifests.routes import made_anew, one_rendering
from release_tool.manifests.routes.one_rendering import RouteFinding, about, listed, wave_of
from release_tool.manifests.routes.view import comparable, mappings, read, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.manifests import ObjectKey
    from release_tool.manifests.routes.view import Destination, Found, RouteOwner, RoutingView

__all__ = ["RouteFinding", "check", "compare"]


def check(rendering: str, namespace: str) -> tuple[RouteFinding, ...]:
    """What is wrong within one rendering.

    Args:
        rendering: YAML documents.
        namespace: the release's, where objects go that name none.

    Raises:
        ReleaseError: it holds what is no object.
    """
    view = read(rendering, namespace)
    found = [*one_rendering.check(view)]
    if view.filters:
        from release_tool.manifests.routes import gateway_filters

        found += gateway_filters.check(view)
    return tuple({one.identity: one for one in reversed(found)}.values())[::-1]


def compare(before: str, after: str, namespace: str) -> tuple[RouteFinding, ...]:
    """What is wrong with the step from one rendering to the next: a route loses its target, pods are made anew.

    Args:
        before: the rendering that is applied; may be empty.
        after: the one that shall take its place.
        namespace: the release's, where objects go that name none.

    Raises:
        ReleaseError: they hold what is no object.
    """
    if before == after or not before:
        return ()
    old, new = read(before, namespace), read(after, namespace)
    found = [*_lost(old, new), *_early(old, new), *made_anew.check(old, new, (before, after)), *_listeners(old, new)]
    found += _another_domain(old, new)
    return tuple({one.identity: one for one in reversed(found)}.values())[::-1]


# -- routes that lose their target --

# While a change is applied, proxies still have the old routes for a while: those must lead to pods that are there
# before and after. So what a route of the old rendering leads to may only go in a later step, when the route has gone
# before. What comes new with its route is another matter: nobody calls it yet.
_FIRST_ROUTE = "take the route away first, and this in a later change: keep it for what is `retired` or `quarantined`"


def _lost(before: RoutingView, after: RoutingView) -> Iterator[RouteFinding]:
    reachable = []
    for owner in before.owners:
        for route in owner.routes:
            reachable.append((owner, route))
            if frozenset() in route.matches and not route.delegated:  # it takes every call
                break
        reachable += [(owner, route) for route in owner.streams]
    ends = [(owner, route, end, True) for owner, route in reachable for end in route.destinations]
    ends += [(owner, route, end, False) for owner, route in reachable for end in route.mirrors]
    pinned = {end for _, route, end, _ in ends if route.exact}
    replaced = _replaced(before, after)
    told = set()
    for owner, route, end, serious in ends:
        running = before.pods_of(end) & before.running
        target = (end.host, end.subset, end.port)
        if running and target not in told:
            told.add(target)
            if end not in pinned and _moves_on(before, after, end, running):
                continue
            why = f"{owner.found.title} leads to it by {route.title}: calls fail until all proxies know"
            if not serious:
                why = f"{owner.found.title} mirrors calls to it by {route.title}: these copies get lost"
            found = list(_target_lost(before, after, end, why, running))
            if found and owner.found.key in replaced:
                found = [_renamed(owner, replaced[owner.found.key])]
            yield from found if serious else (one._replace(serious=False) for one in found)


def _replaced(before: RoutingView, after: RoutingView) -> dict[ObjectKey, RouteOwner]:
    """Routes that go -> new ones for the same versions: the names of all objects change, or the kind of the routes."""
    known, kept = ({owner.found.key for owner in view.owners} for view in (before, after))
    new = [owner for owner in after.owners if owner.found.key not in known]
    return {
        old.found.key: other
        for old in before.owners
        if old.found.key not in kept
        for other in new
        if _values(old) & _values(other)
    }


def _values(owner: RouteOwner) -> set[str]:
    """What it compares headers with."""
    return {value for route in owner.routes for _, value in route.exact}


def _renamed(owner: RouteOwner, other: RouteOwner) -> RouteFinding:
    what = f"{other.found.title} takes its place, and what it leads to goes: calls fail while this is applied"
    hint = "keep what names and kinds are made of (`nameOverride`, `fullnameOverride`, `release_name`, `routing.kind`)"
    return about(owner.found, "lost", "", what, f"{hint}, or {made_anew.BESIDE}")


def _another_domain(before: RoutingView, after: RoutingView) -> Iterator[RouteFinding]:
    """Hosts that differ in the domain of the cluster alone: one of the two is the cluster's."""
    old = {rule.found.key: text(rule.found.spec.get("host")) for rule in before.rules}
    for rule in {rule.host: rule for rule in reversed(after.rules) if rule.found.key in old}.values():
        was, now = (
            host.partition(".svc.") for host in (old.get(rule.found.key, ""), text(rule.found.spec.get("host")))
        )
        if was[0] == now[0] and was[2] and now[2] and was[2] != now[2]:
            what = f"the domain of its host changes from {was[2]} to {now[2]}"
            what += ": all calls fail where the cluster's is another"
            hint = "the search domains in /etc/resolv.conf of a pod end with the cluster's own"
            yield about(rule.found, "domain", "", what, hint, serious=False)


def _moves_on(before: RoutingView, after: RoutingView, end: Destination, running: frozenset[ObjectKey]) -> bool:
    """Whether calls without a version get other pods: ready ones, while those of before run on."""
    taking = after.pods_of(end) & after.running
    kept = all(key in after.running and before.pods[key].labels == after.pods[key].labels for key in running)
    if not (end.service and taking and kept):
        return False
    chosen_by = after.pools.get((end.host, end.subset), ()) if end.subset else [after.services[end.service]]
    at = max((wave_of(one.found) for one in chosen_by), default=0)
    return bool(taking & before.running) or all(wave_of(after.pods[key]) < at for key in taking)


def _target_lost(
    before: RoutingView, after: RoutingView, end: Destination, why: str, running: frozenset[ObjectKey]
) -> Iterator[RouteFinding]:
    assert end.service is not None  # nothing runs behind any other host
    service = before.services[end.service].found
    subject = f"{end.host} {end.subset} {end.port}"
    now = after.services.get(end.service)
    if now is None:
        yield about(service, "lost", end.host, f"it goes, and {why}", _FIRST_ROUTE)
    elif end.port is not None and now.ports and end.port not in now.ports:
        hint = (
            f"keep the old port beside the new one for one change; where the chart knows one port, {made_anew.BESIDE}"
        )
        yield about(service, "lost", f"{end.host}:{end.port}", f"port {end.port} goes, and {why}", hint)
    elif end.subset and (end.host, end.subset) not in after.pools:
        subset = before.pools[end.host, end.subset][0]
        yield about(subset.found, "lost", subject, f"subset {end.subset} goes, and {why}", _FIRST_ROUTE)
    elif not running & after.pods_of(end) & after.running:
        key = min(running)
        what, hint, broken = "it goes", _FIRST_ROUTE, "lost"
        if key in after.running and after.pods_of(end) & after.running - before.running:
            what = "pods that this change makes take its place"
            hint = "let Argo CD's waves bring those first, or move the default in a later change (`default: manual`)"
            why = why.replace("all proxies know", "those are ready")
        elif key in after.running:
            what, hint = "its pods are not selected any more", "keep the labels, or change the route in an earlier step"
        elif key in after.pods:
            what, broken = "it gets no replicas", "stopped"
        others = listed(sorted(other.name for other in running if other != key))
        more = f" (so do {others})" if len(running) > 1 else ""
        yield about(before.pods[key], broken, subject, f"{what}{more}, and {why}", hint)


def _early(before: RoutingView, after: RoutingView) -> Iterator[RouteFinding]:
    """Calls that name no version and go on to pods which are not there yet: of a default without a pool."""
    old = {owner.found.key: owner for owner in before.virtual_services}
    for owner in after.virtual_services:
        was = old.get(owner.found.key)
        pods = _unnamed(after, owner)
        if was is None or not pods or pods & before.running or not _unnamed(before, was):
            continue
        if not all(wave_of(after.pods[key]) < wave_of(owner.found) for key in pods):
            what = "calls that name no version go on to pods that this change makes, and fail until those are ready"
            hint = (
                "let Argo CD's waves bring the pods before the routes, lead such calls to a pool of all versions, or "
            )
            yield about(owner.found, "early", "", what, f"{hint}move the default in a later change", serious=False)


def _unnamed(view: RoutingView, owner: RouteOwner) -> frozenset[ObjectKey]:
    """The pods that take the calls which name no version; none where no route is for a version."""
    headers = owner.version_headers
    routes = [route for route in owner.routes if headers and headers.isdisjoint(route.headers)]
    pods = (view.pods_of(end) for route in routes for end in route.destinations)
    return frozenset().union(*pods) & view.running


# -- listeners --

_LISTENER = frozenset(["LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER", "LISTENER_FILTER"])


def _listeners(before: RoutingView, after: RoutingView) -> Iterator[RouteFinding]:
    """Filters whose change makes a listener of the gateway anew: that cuts the streams of all its services."""
    old = {found.key: found for found in before.filters}
    for found in after.filters:
        was = old.get(found.key)
        if was is not None and _for_listeners(was) != _for_listeners(found):
            what = "it changes a listener: streams that outlive the drain are cut, for every service of that gateway"
            hint = "keep what changes with the versions out of its filters, for example in a VIRTUAL_HOST patch"
            yield about(found, "listener", "", what, hint, serious=False)


def _for_listeners(found: Found) -> list[str]:
    patches = mappings(found.spec.get("configPatches"))
    return [comparable(patch) for patch in patches if text(patch.get("applyTo")) in _LISTENER]
