"""Rendered Istio objects to Envoy configuration, as istiod makes it, for what this project's chart can render.

Pure: objects and endpoints in, Envoy's resources out, as mappings in the JSON form of Envoy's protocol buffers. A field
that is not known here is refused with its place, never skipped: a translation that ignores half of a route proves
nothing. The reading of istiod is held against a real one in `istiod/`.

Sources: istio's pilot/pkg/networking/core (route/route.go, gateway.go, cluster_builder.go, cluster_traffic_policy.go,
loadbalancer/loadbalancer.go, envoyfilter/), read at 1.31.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import gateway_api
from envoy_parts import Fields, Object, Refused, cluster_name, configuration, virtual_host

RETRIES = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
ROOT_NAMESPACE = "istio-system"
UNLIMITED = 4294967295
HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
}


class Endpoint(NamedTuple):
    """A pod. Istio up to 1.30 knows of those that are ready alone."""

    address: str
    port: int
    namespace: str
    labels: Mapping[str, str]
    ready: bool = True
    service: str = ""  # the Service whose EndpointSlice lists it; empty: whichever chooses it by its labels


class Proxy(NamedTuple):
    """Whose configuration is made."""

    namespace: str
    labels: Mapping[str, str] | None = None  # of a gateway's pod; None: a sidecar of the mesh

    @property
    def is_gateway(self) -> bool:
        return self.labels is not None


class Configuration(NamedTuple):
    """Envoy's resources by name."""

    filters: dict[int, list[Object]]  # port -> HTTP filters of its listener, before the router
    routes: dict[str, Object]  # `http.80` of a gateway, `50051` of a sidecar -> the route configuration
    clusters: dict[str, Object]  # without their endpoints
    endpoints: dict[str, Object]  # name of the cluster -> its load assignment


def translate(objects: Sequence[Object], endpoints: Iterable[Endpoint], proxy: Proxy) -> Configuration:
    """What istiod sends to a proxy, of everything in the cluster. Refused: a field or kind is not known."""
    kinds: dict[str, list[Object]] = {}
    for found in objects:
        kinds.setdefault(found["kind"], []).append(found)
    known = {"Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "ServiceAccount", "Service", "Gateway"}
    unknown = set(kinds) - known - {"VirtualService", "DestinationRule", "EnvoyFilter", *gateway_api.KINDS}
    if unknown:
        raise Refused(f"unknown kinds: {', '.join(sorted(unknown))}")
    services = {_host_of(service): service for service in kinds.get("Service", [])}
    rules = _joined(kinds.get("DestinationRule", []))
    clusters, loads = _clusters(services, rules, tuple(endpoints), proxy)
    gateways = kinds.pop("Gateway", [])
    kinds["Gateway"] = [one for one in gateways if "listeners" not in one["spec"]]
    routes = _gateway_routes(kinds, proxy) if proxy.is_gateway else _sidecar_routes(kinds, services)
    for gateway in gateways:
        if proxy.is_gateway and "listeners" in gateway["spec"]:
            routes |= gateway_api.routes(gateway, [one for kind in gateway_api.KINDS for one in kinds.get(kind, [])])
    ports = [int(name.removeprefix("http.")) for name in routes]
    filters: dict[int, list[Object]] = {port: [] for port in ports}
    if proxy.is_gateway:
        _patch(kinds.get("EnvoyFilter", []), proxy, filters, routes)
    return Configuration(filters, routes, clusters, loads)


def _host_of(service: Object) -> str:
    return f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local"


def _full(host: str, named_by: Object) -> str:
    """A host as istiod understands it: a short name is a Service of the namespace of the object that names it."""
    return host if "." in host else f"{host}.{named_by['metadata']['namespace']}.svc.cluster.local"


# -- clusters and endpoints --
def _joined(rules: list[Object]) -> dict[str, Object]:
    """Host -> the one rule that istiod makes of all for it, the oldest first: mergeDestinationRule in pilot/pkg/model.

    Rules for one host in two namespaces, and ones that not all proxies see (`exportTo`), are refused.
    """
    found: dict[str, Object] = {}
    for rule in sorted(rules, key=lambda one: [str(one["metadata"].get(k, "")) for k in ("creationTimestamp", "name")]):
        first = found.setdefault(_full(rule["spec"]["host"], rule), {"metadata": rule["metadata"], "spec": {}})
        if first["metadata"]["namespace"] != rule["metadata"]["namespace"]:
            raise Refused(f"DestinationRule {rule['metadata']['name']}: another namespace has one for the same host")
        spec = first["spec"]
        spec |= {key: value for key, value in rule["spec"].items() if key != "subsets" and key not in spec}
        known = {one["name"] for one in spec.get("subsets", [])}
        spec["subsets"] = [
            *spec.get("subsets", []),
            *(one for one in rule["spec"].get("subsets", []) if one["name"] not in known),
        ]
    return found


def _clusters(
    services: dict[str, Object], rules: dict[str, Object], endpoints: tuple[Endpoint, ...], proxy: Proxy
) -> tuple[dict[str, Object], dict[str, Object]]:
    clusters, loads = {}, {}
    for host, service in services.items():
        selector = service["spec"]["selector"].items()
        namespace = service["metadata"]["namespace"]
        name = service["metadata"]["name"]
        own = [
            pod
            for pod in endpoints
            if pod.namespace == namespace
            and (pod.service == name if pod.service else selector <= dict(pod.labels).items())
        ]
        for port in service["spec"]["ports"]:
            if port.get("appProtocol") not in ("grpc", "kubernetes.io/h2c"):
                raise Refused(f"Service {host}: the port is no gRPC port: {port}")
            for subset, labels, policy in _subsets(rules.get(host)):
                name = cluster_name(port["port"], subset, host)
                chosen = [pod for pod in own if labels.items() <= dict(pod.labels).items()]
                clusters[name] = _cluster(name, policy)
                loads[name] = _load(name, chosen, policy, proxy)
    return clusters, loads


def _subsets(rule: Object | None) -> Iterator[tuple[str, Object, Object]]:
    """Name, labels and traffic policy of each subset, with the service itself (``""``) as the first."""
    if rule is None:
        yield "", {}, {}
        return
    with Fields(rule["spec"], f"DestinationRule {rule['metadata']['name']} spec") as spec:
        spec.take("host")
        policy = _policy(spec.fields("trafficPolicy"))
        yield "", {}, policy
        for subset in spec.each("subsets"):
            with subset:
                name, labels = subset.take("name"), subset.take("labels", {})
                yield name, labels, {**policy, **_policy(subset.fields("trafficPolicy"))}


def _policy(policy: Fields) -> Object:
    found: Object = {}
    with policy:
        for key in ("loadBalancer", "outlierDetection", "connectionPool", "retryBudget"):
            value = policy.take(key)
            if value is not None:
                found[key] = value
    return found


def _cluster(name: str, policy: Object) -> Object:
    limits = {"max_connections": UNLIMITED, "max_pending_requests": UNLIMITED, "max_requests": UNLIMITED}
    cluster: Object = {
        "name": name,
        "type": "EDS",
        "connect_timeout": "10s",
        "lb_policy": "LEAST_REQUEST",
        "circuit_breakers": {"thresholds": [{**limits, "max_retries": UNLIMITED}]},
        "common_lb_config": {},
        "typed_extension_protocol_options": HTTP2,
    }
    with Fields(policy.get("loadBalancer", {}), f"{name} loadBalancer") as balancer:
        simple = balancer.take("simple", "LEAST_REQUEST")
        if simple not in ("LEAST_REQUEST", "ROUND_ROBIN", "RANDOM"):
            raise balancer.refuse(f"simple: {simple}")
        cluster["lb_policy"] = simple
        if simple == "ROUND_ROBIN":  # Envoy's own default, which the JSON form leaves out
            del cluster["lb_policy"]
        if balancer.take("localityLbSetting") and "outlierDetection" in policy:
            cluster["common_lb_config"]["locality_weighted_lb_config"] = {}
    _limit(cluster, name, policy)
    if "outlierDetection" in policy:
        with Fields(policy["outlierDetection"], f"{name} outlierDetection") as outlier:
            errors = outlier.take("consecutive5xxErrors")
            gateway = outlier.take("consecutiveGatewayErrors")
            found = {
                "consecutive_5xx": errors,
                "enforcing_consecutive_5xx": None if errors is None else 100 if errors else 0,
                "consecutive_gateway_failure": gateway,
                "enforcing_consecutive_gateway_failure": None if gateway is None else 100 if gateway else 0,
                "interval": outlier.take("interval"),
                "base_ejection_time": outlier.take("baseEjectionTime"),
                "max_ejection_percent": outlier.take("maxEjectionPercent"),
                "enforcing_success_rate": 0,
            }
            local = outlier.take("consecutiveLocalOriginFailures")
            if not outlier.take("splitExternalLocalOriginErrors"):
                if local:
                    raise outlier.refuse("consecutiveLocalOriginFailures without splitExternalLocalOriginErrors")
            else:
                found |= {
                    "split_external_local_origin_errors": True,
                    "consecutive_local_origin_failure": local or None,
                    "enforcing_consecutive_local_origin_failure": 100 if local else None,
                    "enforcing_local_origin_success_rate": 0,
                }
            # The share of healthy pods below which a priority's load goes to ejected ones too; Envoy's own default is 50.
            percent = outlier.take("minHealthPercent", 0)
        cluster["outlier_detection"] = {key: value for key, value in found.items() if value is not None}
        cluster["common_lb_config"]["healthy_panic_threshold"] = {"value": percent} if percent else {}
    return cluster


def _limit(cluster: Object, name: str, policy: Object) -> None:
    """The limits of connections, calls and retries; without any there are none."""
    (limits,) = cluster["circuit_breakers"]["thresholds"]
    with Fields(policy.get("connectionPool", {}), f"{name} connectionPool") as pool:
        with pool.fields("http") as http:
            for key, limit in (("http2MaxRequests", "max_requests"), ("maxRetries", "max_retries")):
                limits[limit] = http.take(key) or limits[limit]
        with pool.fields("tcp") as tcp:
            limits["max_connections"] = tcp.take("maxConnections") or limits["max_connections"]
            cluster["connect_timeout"] = tcp.take("connectTimeout") or cluster["connect_timeout"]
    if "retryBudget" in policy:
        with Fields(policy["retryBudget"], f"{name} retryBudget") as budget:
            limits["retry_budget"] = {
                "budget_percent": {"value": budget.take("percent")},
                "min_retry_concurrency": budget.take("minRetryConcurrency", 3),
            }


def _load(name: str, pods: list[Endpoint], policy: Object, proxy: Proxy) -> Object:
    setting = policy.get("loadBalancer", {}).get("localityLbSetting", {})
    groups: dict[int, list[Endpoint]] = {}
    with Fields(setting, f"{name} localityLbSetting") as locality:
        enabled, priorities = locality.take("enabled", True), locality.take("failoverPriority", [])
    failover = enabled and priorities and "outlierDetection" in policy and proxy.labels != {}
    if policy.get("outlierDetection", {}).get("minHealthPercent"):
        pods = [pod for pod in pods if pod.ready]  # or a panic would send calls to the others
    for pod in pods:
        groups.setdefault(priority(pod.labels, priorities) if failover else 0, []).append(pod)
    return {
        "cluster_name": name,
        "endpoints": [
            {
                "locality": {},
                "priority": rank,
                "load_balancing_weight": len(groups[key]),
                "lb_endpoints": [_lb_endpoint(pod) for pod in groups[key]],
            }
            for rank, key in enumerate(sorted(groups))
        ],
    }


def _lb_endpoint(pod: Endpoint) -> Object:
    health = {} if pod.ready else {"health_status": "UNHEALTHY"}
    return {"endpoint": {"address": _address(pod.address, pod.port)}, "load_balancing_weight": 1, **health}


def priority(labels: Mapping[str, str], order: Sequence[str]) -> int:
    """Where an endpoint with these labels stands in an order of failover (`key=value`): 0 comes first.

    Of several lines with one key istiod keeps the last value.
    """
    pairs = [line.partition("=") for line in order]
    wanted = {key: value for key, _, value in pairs}
    for place, (key, separator, _) in enumerate(pairs):
        if not separator:
            raise Refused(f"failoverPriority: {key}: only lines with a value are known")
        if labels.get(key, "") != wanted[key]:
            return len(order) - place
    return 0


def _address(address: str, port: int) -> Object:
    return {"socket_address": {"address": address, "port_value": port}}


# -- routes --
def _gateway_routes(kinds: dict[str, list[Object]], proxy: Proxy) -> dict[str, Object]:
    hosts: dict[int, list[Object]] = {}
    for gateway in kinds.get("Gateway", []):
        own = f"{gateway['metadata']['namespace']}/{gateway['metadata']['name']}"
        with Fields(gateway["spec"], f"Gateway {own} spec") as spec:
            if not spec.take("selector").items() <= dict(proxy.labels or {}).items():
                spec.take("servers")
                continue
            for server in spec.each("servers"):
                with server, server.fields("port") as port:
                    port.take("name")
                    number, protocol = port.take("number"), port.take("protocol")
                    if protocol != "HTTP":
                        raise server.refuse(f"protocol {protocol}")
                    served = server.take("hosts")
                    server.take("name")
                found = hosts.setdefault(number, [])
                for service in _bound(kinds, own):
                    covered = [host for host in service["spec"]["hosts"] if any(_covers(one, host) for one in served)]
                    if any(host in known["domains"] for known in found for host in covered):
                        raise server.refuse(f"two VirtualServices for {', '.join(covered)}")
                    if covered:
                        name = f"{min(covered)}:{number}"
                        found.append(virtual_host(name, sorted(covered), list(_routes(service))))
    return {f"http.{number}": configuration(f"http.{number}", found) for number, found in hosts.items()}


def _bound(kinds: dict[str, list[Object]], gateway: str) -> Iterator[Object]:
    for service in kinds.get("VirtualService", []):
        namespace = service["metadata"]["namespace"]
        named = [name if "/" in name else f"{namespace}/{name}" for name in service["spec"]["gateways"]]
        if gateway in named:
            yield service


def _covers(pattern: str, host: str) -> bool:
    pattern = pattern.rpartition("/")[2]
    return pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _sidecar_routes(kinds: dict[str, list[Object]], services: dict[str, Object]) -> dict[str, Object]:
    found: dict[int, list[Object]] = {}
    for host, service in services.items():
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        for port in service["spec"]["ports"]:
            number = port["port"]
            own = [
                route
                for routes in kinds.get("VirtualService", [])
                if "mesh" in routes["spec"]["gateways"] and host in routes["spec"]["hosts"]
                for route in _routes(routes)
            ]
            default = {
                "name": "default",
                "match": {"prefix": "/"},
                "route": {**_ACTION, "cluster": cluster_name(number, "", host), "retry_policy": _retries({})},
            }
            domains = [host, f"{host}.", f"{name}.{namespace}", f"{name}.{namespace}.svc"]
            found.setdefault(number, []).append(virtual_host(f"{host}:{number}", domains, own or [default]))
    for number, hosts in found.items():
        for routes in kinds.get("VirtualService", []):
            # Hosts that are no service of the cluster: the sidecars know them on every port.
            others = sorted(host for host in routes["spec"]["hosts"] if host not in services)
            if others and "mesh" in routes["spec"]["gateways"]:
                hosts.extend(virtual_host(f"{host}:{number}", [host], list(_routes(routes))) for host in others)
    return {str(number): configuration(str(number), hosts) for number, hosts in found.items()}


_ACTION: Object = {"timeout": "0s", "max_grpc_timeout": "0s"}


def _routes(service: Object) -> Iterator[Object]:
    with Fields(service["spec"], f"VirtualService {service['metadata']['name']} spec") as spec:
        spec.take("hosts")
        spec.take("gateways")
        for http in spec.each("http"):
            with http:
                name, matches = http.take("name", ""), list(http.each("match"))
                rest = _route(http, service)
                for match in matches:
                    yield {"name": name, "match": _match(match), **rest}
                if not matches:
                    yield {"name": name, "match": {"prefix": "/"}, **rest}
                    return


def _match(match: Fields) -> Object:
    headers = []
    with match:
        for key, wanted in sorted(match.take("headers", {}).items()):
            headers.append({"name": key, "string_match": _string(Fields(wanted, f"{key}"))})
        method = match.take("method")
        if method is not None:
            headers.append({"name": ":method", "string_match": _string(Fields(method, "method"))})
    return {"prefix": "/", "case_sensitive": True, "headers": headers}


def _string(wanted: Fields) -> Object:
    with wanted:
        exact, prefix, regex = wanted.take("exact"), wanted.take("prefix"), wanted.take("regex")
    if exact is not None:
        return {"exact": exact}
    return {"prefix": prefix} if prefix is not None else {"safe_regex": {"regex": regex}}


def _route(http: Fields, service: Object) -> Object:
    action: Object = {**_ACTION}
    timeout = http.take("timeout")
    if timeout:
        action["timeout"] = timeout
        action["max_grpc_timeout"] = timeout
    action["retry_policy"] = _retries(http.take("retries", {}))
    cors = http.take("corsPolicy")
    route: Object = {}
    with http.fields("headers") as headers, headers.fields("request") as request:
        set_headers = _set(request)
    if set_headers:
        route["request_headers_to_add"] = set_headers
    parts = [_part(part, service) for part in http.each("route")]
    if len(parts) == 1:
        cluster, _, added = parts[0]
        action["cluster"] = cluster
        if added:
            route["response_headers_to_add"] = added
    else:
        action["weighted_clusters"] = {
            "clusters": [
                {"name": name, "weight": weight, **({"response_headers_to_add": added} if added else {})}
                for name, weight, added in parts
            ]
        }
    if cors:
        route["typed_per_filter_config"] = {"envoy.filters.http.cors": _cors(cors)}
    return {"route": action, **route}


def _part(part: Fields, service: Object) -> tuple[str, int, list[Object]]:
    with part, part.fields("destination") as destination, destination.fields("port") as port:
        host = _full(destination.take("host"), service)
        name = cluster_name(port.take("number"), destination.take("subset", ""), host)
        weight = part.take("weight", 100)
        with part.fields("headers") as headers, headers.fields("response") as response:
            added = _set(response)
    return name, weight, added


def _set(headers: Fields) -> list[Object]:
    return [
        {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for key, value in headers.take("set", {}).items()
    ]


def _retries(wanted: Object) -> Object:
    predicate = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    elsewhere = {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {"@type": predicate}}
    policy: Object = {
        "retry_on": RETRIES,
        "num_retries": 2,
        "retry_host_predicate": [elsewhere],
        "host_selection_retry_max_attempts": "5",
    }
    with Fields(wanted, "retries") as fields:
        attempts, on = fields.take("attempts"), fields.take("retryOn")
        remote, each = fields.take("retryRemoteLocalities", False), fields.take("perTryTimeout")
    if attempts is not None:
        policy["num_retries"] = attempts
    if on:
        policy["retry_on"] = on
    if each:
        policy["per_try_timeout"] = each
    if remote:
        kind = "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"
        policy["retry_priority"] = {
            "name": "envoy.retry_priorities.previous_priorities",
            "typed_config": {"@type": kind, "update_frequency": 2},
        }
    return policy


def _cors(policy: Object) -> Object:
    with Fields(policy, "corsPolicy") as fields:
        origins = [_string(origin) for origin in fields.each("allowOrigins")]
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


# -- EnvoyFilter --
def _patch(found: list[Object], proxy: Proxy, filters: dict[int, list[Object]], routes: dict[str, Object]) -> None:
    for one in found:
        name, namespace = one["metadata"]["name"], one["metadata"]["namespace"]
        with Fields(one["spec"], f"EnvoyFilter {namespace}/{name} spec") as spec:
            with spec.fields("workloadSelector") as selector:
                labels = selector.take("labels", {})
            chosen = (
                namespace in (proxy.namespace, ROOT_NAMESPACE) and labels.items() <= dict(proxy.labels or {}).items()
            )
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
        if kind.take("name") != "envoy.filters.network.http_connection_manager":
            raise kind.refuse("another filter than the connection manager")
        before = kind.take("subFilter")
    if operation == "INSERT_FIRST" and before is None:
        place = 0
    elif operation == "INSERT_BEFORE" and before == {"name": "envoy.filters.http.router"}:
        place = 1_000
    else:
        raise match.refuse(f"operation {operation} at {before}")
    if value is not None:
        for chain_of_port in filters.values():
            chain_of_port.insert(place, value)


def _merge(match: Fields, operation: str, value: Object | None, routes: dict[str, Object]) -> None:
    with match.fields("routeConfiguration") as wanted, wanted.fields("vhost") as host:
        domain = host.take("domainName")
    if operation != "MERGE" or (value is not None and set(value) != {"typed_per_filter_config"}):
        raise match.refuse(f"operation {operation}")
    if value is None:
        return
    for table in routes.values():
        for found in table["virtual_hosts"]:
            if domain in found["domains"]:
                found.setdefault("typed_per_filter_config", {}).update(value["typed_per_filter_config"])
