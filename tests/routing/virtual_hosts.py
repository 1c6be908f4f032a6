"""Route configurations, from VirtualServices, Gateways and Services.

Sources: istio's gateway.go, httproute.go, route/route.go, route/retry/retry.go.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fields import Fields, Object, full_name, place
from upstreams import cluster_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from upstreams import Service

RETRIES = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
_ACTION: Object = {"timeout": "0s", "max_grpc_timeout": "0s"}
_CODES = {int(status) for status in HTTPStatus}


def of_gateway(gateways: Sequence[Object], found: Sequence[Object], labels: Mapping[str, str]) -> dict[str, Object]:
    """Name -> route configuration of an ingress gateway.

    Args:
        gateways: the Gateways.
        found: the VirtualServices.
        labels: of the gateway's pod.
    """
    ports: dict[int, list[Object]] = {}
    for gateway in gateways:
        own = f"{gateway['metadata']['namespace']}/{gateway['metadata']['name']}"
        with Fields(gateway["spec"], f"{place(gateway)} spec") as spec:
            chosen = spec.take("selector").items() <= dict(labels).items()
            for server in spec.each("servers"):
                with server:
                    number, served = _server(server)
                    hosts = ports.setdefault(number, []) if chosen else []
                    for service in [one for one in found if chosen and own in _gateways(one)]:
                        covered = _covered(server, served, gateway, service)
                        if any(host in known["domains"] for known in hosts for host in covered):
                            raise server.refuse(f"two VirtualServices for {', '.join(covered)}")
                        if covered:
                            hosts.append(_virtual_host(f"{covered[0]}:{number}", covered, list(_routes(service))))
    for number, hosts in ports.items():
        if not hosts:
            hosts.append({"name": f"blackhole:{number}", "domains": ["*"]})
    return {f"http.{number}": _configuration(f"http.{number}", hosts) for number, hosts in ports.items()}


def _server(server: Fields) -> tuple[int, list[str]]:
    server.take("name")
    with server.fields("port") as port:
        port.take("name")
        number, protocol = port.take("number"), port.take("protocol")
    if protocol != "HTTP":
        raise server.refuse(f"protocol {protocol}")
    return number, server.take("hosts")


def _gateways(service: Object) -> list[str]:
    namespace = service["metadata"]["namespace"]
    named = service["spec"].get("gateways") or ["mesh"]
    return [name if "/" in name or name == "mesh" else f"{namespace}/{name}" for name in named]


def _covered(server: Fields, served: list[str], gateway: Object, service: Object) -> list[str]:
    """The hosts of a VirtualService that a server of a gateway takes."""
    covered = []
    for host in service["spec"]["hosts"]:
        for pattern in served:
            namespace, _, name = pattern.rpartition("/")
            namespace = gateway["metadata"]["namespace"] if namespace == "." else namespace
            if namespace not in ("", "*", service["metadata"]["namespace"]):
                continue
            if host.startswith("*") and name not in ("*", host):
                raise server.refuse(f"{pattern} against {host}: a wildcard is known only where it is the same")
            if name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:])):
                covered.append(host)
                break
    return sorted(covered)


def of_sidecar(known: Mapping[str, Service], found: Sequence[Object]) -> dict[str, Object]:
    """Name -> route configuration of a sidecar.

    Args:
        known: host -> Service.
        found: the VirtualServices.
    """
    mesh = [service for service in found if "mesh" in _gateways(service)]
    ports: dict[int, list[Object]] = {}
    for host, service in known.items():
        name = host.partition(".")[0]
        domains = [host, f"{host}.", f"{name}.{service.namespace}", f"{name}.{service.namespace}.svc"]
        for number in service.ports:
            own = [route for one in mesh if host in _hosts(one) for route in _routes(one)]
            default = {
                "name": "default",
                "match": {"prefix": "/"},
                "route": {**_ACTION, "cluster": cluster_name(number, "", host), "retry_policy": _default_retries()},
            }
            ports.setdefault(number, []).append(_virtual_host(f"{host}:{number}", domains, own or [default]))
    for number, hosts in ports.items():
        for one in mesh:
            # Hosts that are no service of the cluster: the sidecars know them on every port.
            others = sorted(set(_hosts(one)) - set(known))
            hosts.extend(_virtual_host(f"{host}:{number}", [host], list(_routes(one))) for host in others)
    return {str(number): _configuration(str(number), hosts) for number, hosts in ports.items()}


def _hosts(service: Object) -> list[str]:
    return [full_name(host, service) for host in service["spec"]["hosts"]]


def _configuration(name: str, hosts: list[Object]) -> Object:
    return {
        "name": name,
        "virtual_hosts": hosts,
        "validate_clusters": False,
        "max_direct_response_body_size_bytes": 1048576,
        "ignore_port_in_host_matching": True,
    }


def _virtual_host(name: str, domains: list[str], routes: list[Object]) -> Object:
    return {"name": name, "domains": domains, "routes": routes, "include_request_attempt_count": True}


def _routes(service: Object) -> Iterator[Object]:
    """The routes in order; nothing that follows a route for everything can be reached, and istiod leaves it out."""
    over = False
    with Fields(service["spec"], f"{place(service)} spec") as spec:
        spec.take("hosts")
        spec.take("gateways")
        for http in spec.each("http"):
            with http:
                name = http.take("name")
                matches = [_match(match) for match in http.each("match")] or [{"prefix": "/"}]
                rest = _route(http, service)
                for match in matches:
                    if not over:
                        yield {**({"name": name} if name else {}), "match": match, **rest}
                    over = over or not match.get("headers")


def _match(match: Fields) -> Object:
    headers = []
    with match:
        for key, wanted in sorted(match.every("headers"), key=lambda item: item[0]):
            if key.startswith("@"):
                raise wanted.refuse("a match on claims")
            headers.append({"name": key, **_wanted(wanted)})
        method = match.take("method")
        if method is not None:
            headers.append({"name": ":method", **_wanted(Fields(method, "method"))})
    return {"prefix": "/", "case_sensitive": True, **({"headers": headers} if headers else {})}


def _wanted(wanted: Fields) -> Object:
    with wanted:
        found = _string(wanted)
    if found in ({}, {"safe_regex": {"regex": "*"}}):  # no regular expression: any value
        return {"present_match": True}
    return {"string_match": found}


def _string(wanted: Fields) -> Object:
    for key in ("exact", "prefix"):
        value = wanted.take(key)
        if value is not None:
            return {key: value}
    regex = wanted.take("regex")
    return {} if regex is None else {"safe_regex": {"regex": regex}}


def _route(http: Fields, service: Object) -> Object:
    action: Object = {**_ACTION}
    timeout = http.duration("timeout")
    if timeout:
        action["timeout"] = action["max_grpc_timeout"] = timeout
    retries = http.take("retries")
    policy = _default_retries() if retries is None else _retries(Fields(retries, "retries"))
    if policy:
        action["retry_policy"] = policy
    cors = http.take("corsPolicy")
    parts = [_part(part, service) for part in http.each("route")]
    route: Object = {}
    if len(parts) == 1:
        cluster, _, headers = parts[0]
        action["cluster"] = cluster
        if headers:
            route["response_headers_to_add"] = headers
    else:
        action["weighted_clusters"] = {
            "clusters": [
                {"name": name, "weight": weight, **({"response_headers_to_add": headers} if headers else {})}
                for name, weight, headers in parts
                if weight
            ]
        }
    if cors:
        route["typed_per_filter_config"] = {"envoy.filters.http.cors": _cors(Fields(cors, "corsPolicy"))}
    return {"route": action, **route}


def _part(part: Fields, service: Object) -> tuple[str, int, list[Object]]:
    with part, part.fields("destination") as destination, destination.fields("port") as port:
        host = full_name(destination.take("host"), service)
        name = cluster_name(port.take("number"), destination.take("subset", ""), host)
        weight = part.take("weight", 0)
        with part.fields("headers") as headers, headers.fields("response") as response:
            added = [
                {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
                for key, value in sorted(response.take("set", {}).items())
            ]
    return name, weight, added


def _default_retries() -> Object:
    kind = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    return {
        "retry_on": RETRIES,
        "num_retries": 2,
        "retry_host_predicate": [
            {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {"@type": kind}}
        ],
        "host_selection_retry_max_attempts": "5",
    }


def _retries(wanted: Fields) -> Object | None:
    with wanted:
        attempts, on = wanted.take("attempts", 0), wanted.take("retryOn")
        elsewhere = wanted.take("retryRemoteLocalities", False)
    if attempts <= 0:
        return None
    policy: Object = {**_default_retries(), "num_retries": attempts}
    if on:
        policy.update(_conditions(on))
    if elsewhere:
        kind = "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"
        policy["retry_priority"] = {
            "name": "envoy.retry_priorities.previous_priorities",
            "typed_config": {"@type": kind, "update_frequency": 2},
        }
    return policy


def _conditions(on: str) -> Object:
    """Numbers among the conditions are HTTP statuses."""
    parts = [part.strip() for part in on.split(",") if part.strip()]
    codes = [int(part) for part in parts if part.isdigit() and int(part) in _CODES]
    words = [part for part in parts if not (part.isdigit() and int(part) in _CODES)]
    if codes and not any("retriable-status-codes" in word for word in words):
        words.append("retriable-status-codes")
    return {"retry_on": ",".join(words), **({"retriable_status_codes": codes} if codes else {})}


def _cors(fields: Fields) -> Object:
    origins: list[Any] = []
    with fields:
        for origin in fields.each("allowOrigins"):
            with origin:
                origins.append(_string(origin))
        found = {
            "allow_origin_string_match": origins,
            "allow_methods": ",".join(fields.take("allowMethods", [])),
            "allow_headers": ",".join(fields.take("allowHeaders", [])),
            "expose_headers": ",".join(fields.take("exposeHeaders", [])),
        }
    kept = {key: value for key, value in found.items() if value}
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
        "filter_enabled": {"default_value": {"numerator": 100}},
        "forward_not_matching_preflights": True,
        **kept,
    }
