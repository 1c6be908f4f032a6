"""Clusters and their endpoints, from Services, DestinationRules and pods.

Sources: istio's cluster_builder.go, cluster_traffic_policy.go, loadbalancer/loadbalancer.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fields import Fields, Object, Refused, full_name, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

UNLIMITED = 4294967295
HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
}


class Endpoint(NamedTuple):
    """A pod that is ready.

    Attributes:
        address: where it listens.
        port: its port.
        namespace: its namespace.
        labels: its labels.
    """

    address: str
    port: int
    namespace: str
    labels: Mapping[str, str]


class Service(NamedTuple):
    """What is known of a Service.

    Attributes:
        host: its full name.
        namespace: its namespace.
        selector: labels of its pods.
        ports: its ports, all of them for gRPC.
    """

    host: str
    namespace: str
    selector: Mapping[str, str]
    ports: tuple[int, ...]


def cluster_name(port: int, subset: str, host: str) -> str:
    """istiod's name of a cluster."""
    return f"outbound|{port}|{subset}|{host}"


def services(found: Sequence[Object]) -> dict[str, Service]:
    """Host -> Service."""
    return {service.host: service for service in map(_service, found)}


def _service(found: Object) -> Service:
    name, namespace = found["metadata"]["name"], found["metadata"]["namespace"]
    with Fields(found["spec"], f"{place(found)} spec") as spec:
        spec.take("type")  # how it is reached from outside, without the proxies
        selector = spec.take("selector")
        ports = []
        for port in spec.each("ports"):
            with port:
                for key in ("name", "targetPort", "protocol", "nodePort"):  # the pods know where they listen
                    port.take(key)
                number, protocol = port.take("port"), port.take("appProtocol")
                if protocol != "grpc":
                    raise port.refuse(f"appProtocol is {protocol}: only gRPC ports are known")
                ports.append(number)
    return Service(f"{name}.{namespace}.svc.cluster.local", namespace, selector, tuple(ports))


def clusters(
    known: Mapping[str, Service], found: Sequence[Object], endpoints: Sequence[Endpoint], *, failover: bool
) -> tuple[dict[str, Object], dict[str, Object]]:
    """Clusters and load assignments, each by the cluster's name.

    Args:
        known: host -> Service.
        found: the DestinationRules.
        endpoints: the pods that are ready.
        failover: whether the proxy has labels; without any istiod knows no order of failover.
    """
    rules = _rules(known, found)
    names, loads = {}, {}
    for host, service in known.items():
        own = [
            pod
            for pod in endpoints
            if pod.namespace == service.namespace and service.selector.items() <= dict(pod.labels).items()
        ]
        for port in service.ports:
            for subset, labels, policy in _subsets(rules.get(host)):
                name = cluster_name(port, subset, host)
                chosen = [pod for pod in own if labels.items() <= dict(pod.labels).items()]
                order: Sequence[str] = ()
                names[name], order = _cluster(name, policy)
                loads[name] = _load(name, chosen, order if failover else ())
    return names, loads


def _rules(known: Mapping[str, Service], found: Sequence[Object]) -> dict[str, Object]:
    rules: dict[str, Object] = {}
    for rule in found:
        host = full_name(rule["spec"]["host"], rule)
        service = known.get(host)
        if "*" in host or host in rules or (service and service.namespace != rule["metadata"]["namespace"]):
            raise Refused(f"{place(rule)} spec.host: {host}: only one rule for each host is known, in its namespace")
        rules[host] = rule
    return rules


def _subsets(rule: Object | None) -> Iterator[tuple[str, Object, Object]]:
    """Name, labels and traffic policy of each subset, with the service itself (``""``) as the first."""
    if rule is None:
        yield "", {}, {}
        return
    with Fields(rule["spec"], f"{place(rule)} spec") as spec:
        spec.take("host")
        policy = _policy(spec.fields("trafficPolicy"))
        yield "", {}, policy
        for subset in spec.each("subsets"):
            with subset:
                name, labels = subset.take("name"), subset.take("labels", {})
                yield name, labels, {**policy, **_policy(subset.fields("trafficPolicy"))}


def _policy(policy: Fields) -> Object:
    """The parts that are set: a subset's part takes the place of the whole part above it."""
    found: Object = {}
    with policy:
        for key in ("loadBalancer", "outlierDetection", "connectionPool"):
            value = policy.take(key)
            if value is not None:
                found[key] = value
    return found


def _cluster(name: str, policy: Object) -> tuple[Object, Sequence[str]]:
    """The cluster, and the order in which its endpoints are taken."""
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
        with balancer.fields("localityLbSetting") as locality:
            enabled, order = locality.take("enabled", True), locality.take("failoverPriority", [])
    if not enabled or "outlierDetection" not in policy:
        order = []
    if order:
        cluster["common_lb_config"]["locality_weighted_lb_config"] = {}
    with Fields(policy.get("connectionPool", {}), f"{name} connectionPool") as pool, pool.fields("http") as http:
        requests = http.take("http2MaxRequests")
        if requests:
            cluster["circuit_breakers"]["thresholds"][0]["max_requests"] = requests
    if "outlierDetection" in policy:
        cluster["outlier_detection"] = _outlier(Fields(policy["outlierDetection"], f"{name} outlierDetection"))
        # minHealthPercent is 0: a pool never falls back to pods that were ejected.
        cluster["common_lb_config"]["healthy_panic_threshold"] = {}
    return cluster, order


def _outlier(wanted: Fields) -> Object:
    with wanted:
        found = {
            "interval": wanted.duration("interval"),
            "base_ejection_time": wanted.duration("baseEjectionTime"),
            "max_ejection_percent": wanted.take("maxEjectionPercent") or None,
            "enforcing_success_rate": 0,
        }
        for key, name in (
            ("consecutive5xxErrors", "consecutive_5xx"),
            ("consecutiveGatewayErrors", "consecutive_gateway_failure"),
        ):
            errors = wanted.take(key)
            if errors is not None:
                found[name] = errors
                found[f"enforcing_{name}"] = 100 if errors else 0
    return {key: value for key, value in found.items() if value is not None}


def _load(name: str, pods: Sequence[Endpoint], order: Sequence[str]) -> Object:
    groups: dict[int, list[Endpoint]] = {}
    for pod in pods:
        groups.setdefault(priority(pod.labels, order), []).append(pod)
    return {
        "cluster_name": name,
        "endpoints": [
            {
                "locality": {},
                "priority": rank,  # without gaps
                "load_balancing_weight": len(groups[key]),
                "lb_endpoints": [
                    {"endpoint": {"address": _address(pod)}, "load_balancing_weight": 1} for pod in groups[key]
                ],
            }
            for rank, key in enumerate(sorted(groups))
        ],
    }


def priority(labels: Mapping[str, str], order: Sequence[str]) -> int:
    """Where an endpoint stands in an order of failover: 0 comes first.

    Args:
        labels: of the endpoint.
        order: `key=value`; of several lines with one key istiod keeps the last value.
    """
    pairs = [line.split("=") for line in order]
    for pair in pairs:
        if len(pair) != 2:  # istiod would ask for the label of the proxy
            raise Refused(f"failoverPriority: {'='.join(pair)}: only lines with a key and a value are known")
    wanted = dict(pairs)
    for position, (key, _) in enumerate(pairs):
        if labels.get(key, "") != wanted[key]:
            return len(order) - position
    return 0


def _address(pod: Endpoint) -> Object:
    return {"socket_address": {"address": pod.address, "port_value": pod.port}}
