"""GRPCRoutes and HTTPRoutes to Envoy's routes, as far as the specification of the Gateway API says what they mean.

What a controller adds by itself (retries, timeouts, limits) is left out. As in `translator.py`, a field that is not known
here is refused with its place. Source: the comments of sigs.k8s.io/gateway-api/apis/v1 at 1.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from envoy_parts import Fields, Object, cluster_name, configuration, virtual_host

KINDS = ("GRPCRoute", "HTTPRoute")
_ANY = {"type": "PathPrefix", "value": "/"}  # what the API server writes where nothing is said


class Rule(NamedTuple):
    """One match of one rule."""

    rank: tuple[int, str, int]  # what is tried first comes first: more headers, the route's name, its place
    route: Object


def routes(gateway: Object, found: Sequence[Object]) -> dict[str, Object]:
    """The routes that each listener of a gateway gets, by `http.<port>`."""
    metadata = gateway["metadata"]
    own = f"{metadata['namespace']}/{metadata['name']}"
    configurations = {}
    with Fields(gateway["spec"], f"Gateway {own} spec") as spec:
        spec.take("gatewayClassName")
        for listener in spec.each("listeners"):
            with listener:
                listener.take("name")
                number, protocol, allowed = (listener.take(key) for key in ("port", "protocol", "allowedRoutes"))
                if protocol != "HTTP" or allowed != {"namespaces": {"from": "All"}}:
                    raise listener.refuse(f"protocol {protocol}, allowedRoutes {allowed}")
            hosts = [_virtual_host(name, number, rules) for name, rules in _by_host(own, found).items()]
            configurations[f"http.{number}"] = configuration(f"http.{number}", hosts)
    return configurations


def _by_host(gateway: str, found: Sequence[Object]) -> dict[str, list[Rule]]:
    hosts: dict[str, list[Rule]] = {}
    kinds: dict[str, str] = {}
    for one in found:
        metadata = one["metadata"]
        with Fields(one["spec"], f"{one['kind']} {metadata['name']} spec") as spec:
            parents = [_parent(parent, metadata["namespace"]) for parent in spec.each("parentRefs")]
            names = spec.take("hostnames", [])
            rules = [rule for place, part in enumerate(spec.each("rules")) for rule in _rules(part, place, one)]
            if not names or any("*" in name for name in names):
                raise spec.refuse(f"hostnames: {names}")
            if gateway not in parents:
                continue
            for name in names:
                if kinds.setdefault(name, one["kind"]) != one["kind"]:
                    raise spec.refuse(f"{name} has another kind of route")  # which must not be merged
                hosts.setdefault(name, []).extend(rules)
    return hosts


def _parent(parent: Fields, namespace: str) -> str:
    with parent:
        group, kind = parent.take("group", "gateway.networking.k8s.io"), parent.take("kind", "Gateway")
        if (group, kind) != ("gateway.networking.k8s.io", "Gateway"):
            raise parent.refuse(f"{kind} of {group}")
        return f"{parent.take('namespace', namespace)}/{parent.take('name')}"


def _rules(rule: Fields, place: int, owner: Object) -> Iterator[Rule]:
    metadata = owner["metadata"]
    with rule:
        matches = [_headers(match) for match in rule.each("matches")] or [[]]
        added = [header for one in rule.each("filters") for header in _filter(one)]
        ends = [_backend(end, metadata["namespace"]) for end in rule.each("backendRefs")]
        if len(ends) != 1:
            raise rule.refuse(f"{len(ends)} backendRefs")
    for headers in matches:
        route: Object = {
            "name": f"{metadata['namespace']}.{metadata['name']}.{place}",
            "match": {"prefix": "/", "headers": headers},
            "route": {"cluster": ends[0], "timeout": "0s", "max_grpc_timeout": "0s"},
        }
        if added:
            route["response_headers_to_add"] = added
        yield Rule((-len(headers), f"{metadata['namespace']}/{metadata['name']}", place), route)


def _headers(match: Fields) -> list[Object]:
    found = []
    with match:
        if match.take("path", _ANY) != _ANY:
            raise match.refuse("a path")
        for header in match.each("headers"):
            with header:
                if header.take("type", "Exact") != "Exact":
                    raise header.refuse("only exact values are known")
                found.append({"name": header.take("name"), "string_match": {"exact": header.take("value")}})
    return found


def _filter(one: Fields) -> list[Object]:
    with one:
        if one.take("type") != "ResponseHeaderModifier":
            raise one.refuse("only ResponseHeaderModifier is known")
        with one.fields("responseHeaderModifier") as modifier:
            added: list[Any] = modifier.take("set", [])
    return [
        {"header": {"key": header["name"], "value": header["value"]}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for header in added
    ]


def _backend(end: Fields, namespace: str) -> str:
    with end:
        if (end.take("group", ""), end.take("kind", "Service"), end.take("weight", 1)) != ("", "Service", 1):
            raise end.refuse("another group, kind or weight")
        host = f"{end.take('name')}.{end.take('namespace', namespace)}.svc.cluster.local"
        return cluster_name(end.take("port"), "", host)


def _virtual_host(name: str, port: int, rules: list[Rule]) -> Object:
    ordered = sorted(rules, key=lambda rule: rule.rank)
    return virtual_host(f"{name}:{port}", [name], [rule.route for rule in ordered])
