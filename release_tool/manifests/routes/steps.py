"""The step from one rendering to the next: no route loses its target, no version's pods are made anew. Pure.

While a change is applied, proxies still have the old routes for a while: those must lead to pods that are there before
and after. So what a route of the old rendering leads to may only go in a later step, when the route has gone before.
What comes new with its route is another matter: nobody calls it yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool import manifests
from release_tool.manifests.routes.claims import reachable
from release_tool.manifests.routes.findings import about, listed
from release_tool.manifests.routes.targets import pods
from release_tool.manifests.routes.values import comparable, mapping, mappings, text
from release_tool.model.versions import is_name, tag_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.manifests import ObjectKey
    from release_tool.manifests.routes.findings import Finding
    from release_tool.manifests.routes.view import Destination, Found, Rendering

_SHOWN = 60  # letters of a value
_FORCED = "Force=true"
_FIRST_ROUTE = "take the route away first (retire or quarantine the version), and this in a later change"
_LISTENER = frozenset(["LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER", "LISTENER_FILTER"])


def lost(before: Rendering, after: Rendering) -> Iterator[Finding]:
    """The targets of old routes that are gone."""
    told = set()
    for owner in before.virtual_services:
        for route in (*reachable(owner), *owner.streams):
            for end in route.destinations:
                running = frozenset(key for key in pods(before, end) if _runs(before, key))
                if running and (end.host, end.subset, end.port) not in told:
                    told.add((end.host, end.subset, end.port))
                    yield from _lost(before, after, end, f"{owner.found.title} leads to it by {route.title}", running)


def _lost(
    before: Rendering, after: Rendering, end: Destination, why: str, running: frozenset[ObjectKey]
) -> Iterator[Finding]:
    assert end.service is not None  # nothing runs behind any other host
    service = before.services[end.service].found
    subject = f"{end.host} {end.subset} {end.port}"
    now = after.services.get(end.service)
    rules = before.rules_of(end.host)
    if now is None:
        yield about(service, "lost", end.host, f"it goes, and {why}: calls fail until all proxies know", _FIRST_ROUTE)
    elif end.port is not None and now.ports and end.port not in now.ports:
        what = f"port {end.port} goes, and {why}: calls fail until all proxies know"
        yield about(
            service, "lost", f"{end.host}:{end.port}", what, "keep the old port beside the new one for one change"
        )
    elif end.subset and not any(end.subset in rule.subsets for rule in after.rules_of(end.host)):
        what = f"subset {end.subset} goes, and {why}: calls fail until all proxies know"
        yield about(rules[0].found, "lost", subject, what, _FIRST_ROUTE)
    elif not any(_runs(after, key) for key in running & pods(after, end)):
        yield from _without_pods(before, after, subject, why, running)


def _without_pods(
    before: Rendering, after: Rendering, subject: str, why: str, running: frozenset[ObjectKey]
) -> Iterator[Finding]:
    key = min(running)
    what, hint, rule = "it goes", _FIRST_ROUTE, "lost"
    if key in after.pods and not _runs(after, key):
        what, rule = "it gets no replicas", "stopped"
    elif key in after.pods:
        what, hint = "its pods are not selected any more", "keep the labels, or change the route in an earlier step"
    more = f" (so do {listed(sorted(other.name for other in running if other != key))})" if len(running) > 1 else ""
    what += f"{more}, and {why}: calls fail until all proxies know"
    yield about(before.pods[key].found, rule, subject, what, hint)


def _runs(view: Rendering, key: ObjectKey) -> bool:
    return view.pods[key].found.spec.get("replicas") != 0 if key in view.pods else False


def rolled(before: Rendering, after: Rendering, texts: tuple[str, str]) -> Iterator[Finding]:
    """Deployments whose selector changes, and those of versions whose pods would be made anew.

    Args:
        before: the old rendering.
        after: the new one.
        texts: both, as they were rendered.
    """
    versions = _of_versions(before)
    for key, old in before.pods.items():
        new = after.pods.get(key)
        both = manifests.pair(*texts, (old.found.rendered, new.found.rendered)) if new is not None else ()
        if new is None or not both:
            continue
        was, now = (mapping(content.get("spec")) for content in both)
        forced = _FORCED in text(new.found.annotations.get("argocd.argoproj.io/sync-options"))
        if key.api_version.startswith("apps/") and not forced:
            change = _change(was.get("selector"), now.get("selector"), "spec.selector")
            if change:
                what = f"its selector changes ({change}), which Kubernetes refuses"
                hint = "keep the selector, or give it another name"
                yield about(new.found, "immutable", "", what, hint)
        if key in versions:
            one, other = mapping(was.get("template")), mapping(now.get("template"))
            change = _change(one, other, "spec.template")
            if change:
                rule = "rolled" if _change(_without_digests(one), _without_digests(other), "") else "digest"
                what = f"its pods are made anew and lose their streams ({change})"
                hint = "let nothing in the template of a version's pods depend on the other versions"
                yield about(new.found, rule, "", what, hint)


def _of_versions(view: Rendering) -> set[ObjectKey]:
    """The pods that clients choose by the name of a version, and those that they once chose so."""
    found: set[ObjectKey] = set()
    for owner in view.virtual_services:
        for route in owner.routes:
            if any(is_name(value) for _, value in route.exact()):
                found.update(key for end in route.destinations if is_name(end.subset) for key in pods(view, end))
    for rule in view.rules:
        service = view.services.get(rule.service) if rule.service else None
        for subset in rule.subsets.values():
            if service is not None and service.selector is not None and is_name(subset.name):
                found |= view.behind(service, subset.labels)
    return found


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


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT = _Absent()


def _short(value: Any) -> str:
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


def listeners(before: Rendering, after: Rendering) -> Iterator[Finding]:
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
