"""Deployments and what selects them, the order in which Argo CD applies, and the filter at the gateway. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from release_tool.manifests.routes.findings import about, listed, of_template
from release_tool.manifests.routes.targets import defaults, pods, version_headers
from release_tool.manifests.routes.values import labels_of, mapping, mappings, text
from release_tool.manifests.routes.view import MESH
from release_tool.model.versions import is_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.manifests import ObjectKey
    from release_tool.manifests.routes.findings import Finding
    from release_tool.manifests.routes.view import Found, Pods, Rendering, Route, VirtualService

_WAVE = "argocd.argoproj.io/sync-wave"
_LABEL = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?")
_PER_ROUTE = ".LuaPerRoute"


def check(view: Rendering) -> Iterator[Finding]:
    """What is wrong with Deployments, with waves, and with the lists of filters."""
    for key, one in view.pods.items():
        yield from _labels(one)
        yield from _selector(view, key, one)
    yield from _waves(view)
    for found in view.filters:
        yield from _filter(view, found)


# -- labels and selectors --


def _labels(one: Pods) -> Iterator[Finding]:
    for label, value in one.labels.items():
        if not _is_label(value):
            what = f"{value!r} can't be the value of its pods' label {label}: Kubernetes refuses it"
            hint = "a value has at most 63 letters, digits, `.`, `_`, `-`, with a letter or a digit at both ends"
            yield about(one.found, "label", label, what, hint)


@lru_cache(maxsize=1024)
def _is_label(value: str) -> bool:
    return len(value) <= 63 and _LABEL.fullmatch(value) is not None


def _selector(view: Rendering, key: ObjectKey, one: Pods) -> Iterator[Finding]:
    selector = one.found.spec.get("selector")
    if not key.api_version.startswith("apps/") or not isinstance(selector, dict) or selector.get("matchExpressions"):
        return
    wanted = labels_of(selector.get("matchLabels"))
    if not wanted:
        return
    missing = [f"{label}: {value}" for label, value in wanted.items() if one.labels.get(label) != value]
    if missing:
        what = f"its selector wants {', '.join(missing)}, which its own pods don't carry: Kubernetes refuses that"
        yield about(one.found, "selector", "", what, "let the labels of the template hold all of the selector")
    others = [
        other
        for other in view.carrying(key.namespace, wanted)
        if other != key and other.api_version.startswith("apps/")
    ]
    if others:
        what = f"its selector takes the pods of {listed(sorted(other.name for other in others))} too"
        yield of_template(one.found, "selectors", what, "let its selector and its pods carry a label of its own")


# -- waves --


def _waves(view: Rendering) -> Iterator[Finding]:
    if not any(_WAVE in found.annotations for found in _all(view)):
        return
    for owner in view.virtual_services:
        at = _wave(owner.found)
        ends = dict.fromkeys(end for route in owner.routes for end in route.destinations)
        routed: set[ObjectKey] = set()
        needed: dict[str, Found] = {}
        for end in ends:
            service = view.services.get(end.service) if end.service else None
            behind = pods(view, end)
            needed.update({one.found.title: one.found for one in ([service] if service else [])})
            needed.update({one.found.title: one.found for one in view.rules_of(end.host) if end.subset})
            if behind and all(_wave(view.pods[key].found) > at for key in behind):
                needed.update({view.pods[key].found.title: view.pods[key].found for key in behind})
            if is_name(end.subset):
                routed |= behind
        for found in needed.values():
            if _wave(found) > at:
                what = f"it comes in wave {_wave(found)}, after {owner.found.title} (wave {at}), which leads to it"
                yield of_template(found, "wave", what, f"let its {_WAVE} be {at} at most")
        yield from _late(view, owner, routed)


def _all(view: Rendering) -> Iterator[Found]:
    yield from (one.found for one in view.virtual_services)
    yield from (one.found for one in view.rules)
    yield from (one.found for one in view.services.values())
    yield from (one.found for one in view.pods.values())


def _late(view: Rendering, owner: VirtualService, routed: set[ObjectKey]) -> Iterator[Finding]:
    """Versions without a route: Argo CD would wait for them, however ill they are, before it changes the routes."""
    at = _wave(owner.found)
    hosts = {end.host for route in owner.routes for end in route.destinations}
    for rule in view.rules:
        service = view.services.get(rule.service) if rule.service else None
        if rule.host not in hosts or service is None:
            continue
        for subset in rule.subsets.values():
            behind = view.behind(service, subset.labels) if is_name(subset.name) else frozenset()
            for key in sorted(behind - routed):
                found = view.pods[key].found
                if _wave(found) < at:
                    what = f"it has no route and comes before {owner.found.title} (wave {_wave(found)} before {at}): "
                    what += "if it is ill, Argo CD waits for it and changes no route"
                    hint = f"put versions that are not live into a later wave than {at}"
                    yield of_template(found, "late wave", what, hint, serious=False)


def _wave(found: Found) -> int:
    try:
        return int(str(found.annotations.get(_WAVE, 0)))
    except ValueError:
        return 0


# -- the filter at the gateway --


def _filter(view: Rendering, found: Found) -> Iterator[Finding]:
    """A filter that corrects headers by a list knows just the versions that have a route, and the same default."""
    for patch in mappings(found.spec.get("configPatches")):
        for host, context in _lists(patch):
            for owner in view.virtual_services:
                headers = version_headers(owner)
                if headers and any(_covers(pattern, host) for pattern in owner.hosts) and owner.gateways != (MESH,):
                    yield from _list(view, found, owner, host, context)


def _lists(patch: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The lists of versions that a patch gives to a Lua filter, each with its host."""
    vhost = mapping(mapping(mapping(patch.get("match")).get("routeConfiguration")).get("vhost"))
    host = text(vhost.get("domainName")) or text(vhost.get("name")).rpartition(":")[0]
    settings = mapping(mapping(mapping(patch.get("patch")).get("value")).get("typed_per_filter_config"))
    for one in settings.values():
        context = mapping(mapping(one).get("filter_context"))
        if text(mapping(one).get("@type")).endswith(_PER_ROUTE) and isinstance(context.get("versions"), dict) and host:
            yield host, context


def _covers(pattern: str, host: str) -> bool:
    return pattern in {host, "*"} or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _list(
    view: Rendering, found: Found, owner: VirtualService, host: str, context: Mapping[str, Any]
) -> Iterator[Finding]:
    named = {str(value): str(name) for value, name in context["versions"].items()}
    routed = _routed(owner, named)
    hint = "make its list from the same versions as the routes"
    for value in sorted(named.keys() - routed.keys()):
        what = f"its list for {host} holds {value}, for which {owner.found.title} has no route"
        yield about(found, "list", f"{host} {value}", what, hint)
    for value in sorted(routed.keys() - named.keys()):
        what = f"its list for {host} lacks {value}: calls that name it would get the default, though "
        what += f"{owner.found.title} has {routed[value].title} for them"
        yield about(found, "list", f"{host} {value}", what, hint)
    for value in sorted(named.keys() & routed.keys()):
        name = named[value]
        if name != value and routed.get(name) is not routed[value]:
            what = f"its list for {host} takes {value} for {name}, but {routed[value].title} takes it"
            yield about(found, "list", f"{host} {value}", what, hint)
    default = str(context.get("default"))
    if default not in routed:
        what = f"its default for {host} is {default}, for which {owner.found.title} has no route"
        yield about(found, "filter's default", host, what, "let it be the default of the routes")
        return
    own = frozenset().union(*(pods(view, end) for end in routed[default].destinations))
    for pool in defaults(view, owner):
        if pool.wanted and pool.first and own and not pool.first & own:
            other = listed(sorted(key.name for key in pool.first))
            what = f"its default for {host} is {default}, but the routes' default goes to {other} first"
            yield about(found, "filter's default", host, what, "let both have the same default")


def _routed(owner: VirtualService, named: Mapping[str, str]) -> dict[str, Route]:
    """What clients may send -> the route that takes it, for the header that the list is about."""
    tables: dict[str, dict[str, Route]] = {}
    for route in owner.routes:
        for header, value in route.exact():
            tables.setdefault(header, {}).setdefault(value, route)
    return max(tables.values(), key=lambda table: len(table.keys() & named.keys()))
