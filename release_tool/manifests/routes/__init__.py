"""Checks of rendered manifests: every call finds pods, before, during and after a change.

Looked at are the objects of Kubernetes and Istio that routing is made of. A rendering without them has nothing to
check; hosts, pods and subsets that other charts bring are left alone, and so is every feature that isn't known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool import manifests
from release_tool.manifests.routes import one_rendering
from release_tool.manifests.routes.one_rendering import RouteFinding, about, listed, wave_of
from release_tool.manifests.routes.view import comparable, mapping, mappings, read, text
from release_tool.model.versions import is_name, tag_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    found = [*_lost(old, new), *_early(old, new), *_rolled(old, new, (before, after)), *_listeners(old, new)]
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
            found = _target_lost(before, after, end, why, running)
            yield from found if serious else (one._replace(serious=False) for one in found)


def _moves_on(before: RoutingView, after: RoutingView, end: Destination, running: frozenset[ObjectKey]) -> bool:
    """Whether calls without a version get other pods: ready ones, while those of before run on."""
    taking = after.pods_of(end) & after.running
    kept = all(key in after.running and before.pods[key].labels == after.pods[key].labels for key in running)
    if not (end.service and taking and kept):
        return False
    chosen_by = after.rules_of.get(end.host, ()) if end.subset else [after.services[end.service]]
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
        hint = "keep the old port beside the new one for one change"
        yield about(service, "lost", f"{end.host}:{end.port}", f"port {end.port} goes, and {why}", hint)
    elif end.subset and not any(end.subset in rule.subsets for rule in after.rules_of.get(end.host, ())):
        rule = before.rules_of[end.host][0]
        yield about(rule.found, "lost", subject, f"subset {end.subset} goes, and {why}", _FIRST_ROUTE)
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


# -- pods that are made anew --

_FORCED = "Force=true"
_HANDED_OVER = ("gitops-release/replicas", "handed-over")
"""The annotation of a Deployment by which people say that applying its manifest leaves the number of its pods alone."""


# What the API server never changes in kinds of `apps/v1`; all but the first in a StatefulSet alone.
_IMMUTABLE = (
    ("selector", "selector"),
    ("serviceName", "service"),
    ("podManagementPolicy", "order of pods"),
    ("volumeClaimTemplates", "claims of volumes"),
)


def _rolled(before: RoutingView, after: RoutingView, texts: tuple[str, str]) -> Iterator[RouteFinding]:
    """Deployments whose selector or number of pods goes, and those of versions whose pods would be made anew."""
    versions = _of_versions(before)
    unscaled: list[Found] = []
    for key, old in before.pods.items():
        new = after.pods.get(key)
        both = manifests.pair(*texts, (old.rendered, new.rendered)) if new is not None else ()
        if new is None or not both:
            continue
        was, now = (mapping(content.get("spec")) for content in both)
        forced = _FORCED in text(new.annotations.get("argocd.argoproj.io/sync-options"))
        if key.api_version.startswith("apps/") and not forced:
            for field, title in _IMMUTABLE if key.kind == "StatefulSet" else _IMMUTABLE[:1]:
                change = _change(was.get(field), now.get(field), f"spec.{field}")
                if change:
                    what = f"its {title} changes ({change}), which Kubernetes refuses"
                    yield about(new, "immutable", "", what, f"keep the {title}, or give it another name")
        count, annotation = was.get("replicas"), new.annotations.get(_HANDED_OVER[0])
        if isinstance(count, int) and now.get("replicas") is None and annotation != _HANDED_OVER[1]:
            unscaled += [new] if count > 1 or (key.namespace, key.kind, key.name) in before.scaled else []
        if key in versions:
            one, other = mapping(was.get("template")), mapping(now.get("template"))
            change = _change(one, other, "spec.template")
            if change:
                rule = "rolled" if _change(_without_digests(one), _without_digests(other), "") else "digest"
                what = f"its pods are made anew and lose their streams ({change})"
                hint = "let nothing in the template of a version's pods depend on the other versions"
                yield about(new, rule, "", what, hint)
    if unscaled:
        more = f" (so does that of {listed([one.key.name for one in unscaled[1:]])})" if unscaled[1:] else ""
        what = f"`replicas` leaves its manifest{more}: where this is applied it runs with one pod, the API's default"
        done = ": ".join(_HANDED_OVER)
        hint = f"hand the number over to the autoscaler first, then annotate it `{done}` (docs/explanation/routing.md)"
        yield about(unscaled[0], "unscaled", "", what, hint)


def _of_versions(view: RoutingView) -> set[ObjectKey]:
    """The pods that clients choose by the name of a version, and those that they once chose so."""
    found: set[ObjectKey] = set()
    for owner in view.owners:
        for route in owner.routes:
            if any(is_name(value) for _, value in route.exact):
                ends = [end for end in route.destinations if is_name(end.subset) or owner.is_gateway_route]
                found.update(key for end in ends for key in view.pods_of(end))
    for rule in view.rules:
        service = view.services.get(rule.service) if rule.service else None
        for subset in rule.subsets.values():
            if service is not None and service.selector is not None and is_name(subset.name):
                found |= view.behind(service, subset.labels)
    return found


_ABSENT = object()
_SHOWN = 60  # letters of a value


def _change(one: Any, other: Any, path: str) -> str:
    """The first difference of two values; empty where they are the same."""
    if one == other:
        return ""
    if isinstance(one, dict) and isinstance(other, dict):
        key = next(key for key in {**one, **other} if one.get(key) != other.get(key) or (key in one) != (key in other))
        return _change(one.get(key, _ABSENT), other.get(key, _ABSENT), f"{path}.{key}")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        place = next(place for place in range(len(one)) if one[place] != other[place])
        return _change(one[place], other[place], f"{path}[{place}]")
    return f"{path}: {_short(one)} becomes {_short(other)}"


def _short(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    shown = comparable(value) if isinstance(value, (dict, list)) else repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]} …"


def _without_digests(template: Mapping[str, Any]) -> dict[str, Any]:
    spec = dict(mapping(template.get("spec")))
    for kind in ("containers", "initContainers"):
        if kind in spec:
            spec[kind] = [
                {**one, "image": tag_part(text(one["image"]))} if "image" in one else one
                for one in mappings(spec[kind])
            ]
    return {**template, "spec": spec}


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
