"""EnvoyFilters that correct headers by a list of versions: the list and the routes know the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.manifests.routes.one_rendering import about, defaults, listed
from release_tool.manifests.routes.view import MESH, mapping, mappings, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.manifests.routes.one_rendering import RouteFinding
    from release_tool.manifests.routes.view import Found, MeshRoute, RouteOwner, RoutingView

_PER_ROUTE = ".LuaPerRoute"


def check(view: RoutingView) -> Iterator[RouteFinding]:
    """A list at a gateway holds just the versions that have a route, and the same default."""
    for found in view.filters:
        for patch in mappings(found.spec.get("configPatches")):
            for host, context in _lists(patch):
                for owner in view.virtual_services:
                    covers = any(_covers(pattern, host) for pattern in owner.hosts)
                    if owner.version_headers and covers and owner.gateways != (MESH,):
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
    view: RoutingView, found: Found, owner: RouteOwner, host: str, context: Mapping[str, Any]
) -> Iterator[RouteFinding]:
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
    own = frozenset().union(*(view.pods_of(end) for end in routed[default].destinations))
    for pool in defaults(view, owner):
        if pool.wanted and pool.first and own and not pool.first & own:
            other = listed(sorted(key.name for key in pool.first))
            what = f"its default for {host} is {default}, but the routes' default goes to {other} first"
            yield about(found, "filter's default", host, what, "let both have the same default")


def _routed(owner: RouteOwner, named: Mapping[str, str]) -> dict[str, MeshRoute]:
    """What clients may send -> the route that takes it, for the header that the list is about."""
    tables: dict[str, dict[str, MeshRoute]] = {}
    for route in owner.routes:
        for header, value in route.exact:
            tables.setdefault(header, {}).setdefault(value, route)
    return max(tables.values(), key=lambda table: len(table.keys() & named.keys()))
