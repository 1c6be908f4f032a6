"""What EnvoyFilters change in the configuration of a gateway.

Sources: istio's envoyfilter/listener_patch.go, envoyfilter/rc_patch.go; model/push_context.go for whose filters count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fields import Fields, Object, place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT_NAMESPACE = "istio-system"
_MANAGER = "envoy.filters.network.http_connection_manager"
_ROUTER = {"name": "envoy.filters.http.router"}


def apply(
    found: Sequence[Object],
    namespace: str,
    labels: Mapping[str, str],
    filters: dict[int, list[Object]],
    routes: dict[str, Object],
) -> None:
    """Patch filters and routes in place.

    Args:
        found: the EnvoyFilters. Only those in the gateway's own namespace and in Istio's root namespace count.
        namespace: of the gateway's pod.
        labels: of the gateway's pod.
        filters: port -> HTTP filters of its listener before Istio's own and the router.
        routes: name -> route configuration.
    """
    # First those of the root namespace.
    for one in sorted(found, key=lambda one: one["metadata"]["namespace"] != ROOT_NAMESPACE):
        with Fields(one["spec"], f"{place(one)} spec") as spec:
            with spec.fields("workloadSelector") as selector:
                wanted = selector.take("labels", {})
            near = one["metadata"]["namespace"] in (namespace, ROOT_NAMESPACE)
            chosen = near and wanted.items() <= dict(labels).items()
            for patch in spec.each("configPatches"):
                with patch, patch.fields("match") as match, patch.fields("patch") as change:
                    context, target = match.take("context"), patch.take("applyTo")
                    if context != "GATEWAY":
                        raise match.refuse(f"context {context}")
                    operation, value = change.take("operation"), change.take("value")
                    if target == "HTTP_FILTER":
                        _insert(match, operation, value if chosen else None, filters)
                    elif target == "VIRTUAL_HOST":
                        _merge(match, operation, value if chosen else None, routes)
                    else:
                        raise patch.refuse(f"applyTo {target}")


def _insert(match: Fields, operation: str, value: Object | None, filters: dict[int, list[Object]]) -> None:
    with match.fields("listener") as listener, listener.fields("filterChain") as chain, chain.fields("filter") as kind:
        if kind.take("name") != _MANAGER:
            raise kind.refuse("another filter than the connection manager")
        before = kind.take("subFilter")
    if operation == "INSERT_FIRST" and before is None:
        first = True
    elif operation == "INSERT_BEFORE" and before == _ROUTER:
        first = False
    else:
        raise match.refuse(f"operation {operation} at {before}")
    if value is not None:
        for chain_of_port in filters.values():
            chain_of_port.insert(0 if first else len(chain_of_port), value)


def _merge(match: Fields, operation: str, value: Object | None, routes: dict[str, Object]) -> None:
    with match.fields("routeConfiguration") as wanted, wanted.fields("vhost") as host:
        domain = host.take("domainName")
    if operation != "MERGE" or (value is not None and set(value) != {"typed_per_filter_config"}):
        raise match.refuse(f"operation {operation}")
    if value is None:
        return
    for configuration in routes.values():
        for found in configuration["virtual_hosts"]:
            if domain in found["domains"]:
                found.setdefault("typed_per_filter_config", {}).update(value["typed_per_filter_config"])
