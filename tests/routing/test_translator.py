"""The translator refuses what it doesn't know."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from cases import objects_of, pods_of
from fields import Fields
from translator import Proxy, Refused, priority, translate

GATEWAY = Proxy("istio-ingress", {"istio": "ingressgateway"})


def changed(kind: str, *path: str | int, value: Any) -> list[dict[str, Any]]:
    objects = copy.deepcopy(objects_of("filter"))
    target: Any = next(found for found in objects if found["kind"] == kind)["spec"]
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return objects


@pytest.mark.parametrize(
    ("kind", "path", "value", "says"),
    [
        ("VirtualService", ("tls",), [], "VirtualService engine/engine-grpc-manifest spec: unknown: tls"),
        ("VirtualService", ("http", 0, "mirror"), {}, "spec.http[0]: unknown: mirror"),
        ("VirtualService", ("http", 0, "match", 0, "sourceLabels"), {}, "match[0]: unknown: sourceLabels"),
        ("VirtualService", ("http", 0, "route", 0, "headers", "request"), {"set": {}}, "headers: unknown: request"),
        ("VirtualService", ("http", 0, "retries"), {"perTryTimeout": "1s"}, "retries: unknown: perTryTimeout"),
        (
            "DestinationRule",
            ("exportTo",),
            ["."],
            "DestinationRule engine/engine-grpc-manifest spec: unknown: exportTo",
        ),
        ("DestinationRule", ("trafficPolicy", "tls"), {}, "trafficPolicy: unknown: tls"),
        ("DestinationRule", ("trafficPolicy", "outlierDetection", "minHealthPercent"), 1, "unknown: minHealthPercent"),
        ("DestinationRule", ("trafficPolicy", "loadBalancer"), {"consistentHash": {}}, "unknown: consistentHash"),
        ("DestinationRule", ("subsets", 0, "trafficPolicy", "proxyProtocol"), {}, "unknown: proxyProtocol"),
        ("Gateway", ("servers", 0, "tls"), {}, "servers[0]: unknown: tls"),
        ("Gateway", ("servers", 0, "port", "protocol"), "HTTPS", "protocol HTTPS"),
        (
            "EnvoyFilter",
            ("priority",),
            1,
            "EnvoyFilter istio-ingress/engine-engine-grpc-manifest spec: unknown: priority",
        ),
        ("EnvoyFilter", ("configPatches", 0, "applyTo"), "CLUSTER", "applyTo CLUSTER"),
        ("EnvoyFilter", ("configPatches", 1, "match", "context"), "ANY", "context ANY"),
        ("EnvoyFilter", ("configPatches", 1, "patch", "operation"), "REMOVE", "operation REMOVE"),
        ("Service", ("ports", 0, "appProtocol"), "http", "ports[0]: appProtocol is http: only gRPC ports are known"),
        ("Service", ("trafficDistribution",), "PreferClose", "spec: unknown: trafficDistribution"),
        ("VirtualService", ("exportTo",), ["."], "spec: unknown: exportTo"),
        ("VirtualService", ("http", 0, "timeout"), "30", "timeout: 30 is no duration"),
        ("VirtualService", ("http", 0, "fault"), {}, "spec.http[0]: unknown: fault"),
        ("VirtualService", ("http", 0, "match", 0, "uri"), {"exact": "/"}, "match[0]: unknown: uri"),
        ("VirtualService", ("http", 0, "match", 0, "withoutHeaders"), {}, "match[0]: unknown: withoutHeaders"),
        ("VirtualService", ("http", 0, "match", 0, "headers"), {"@request.auth.claims": {}}, "a match on claims"),
        ("VirtualService", ("http", 0, "match", 0, "headers"), {"a": {"suffix": "b"}}, "headers.a: unknown: suffix"),
        (
            "VirtualService",
            ("http", 0, "route", 0, "headers", "response"),
            {"remove": ["a"]},
            "response: unknown: remove",
        ),
        ("VirtualService", ("http", 0, "route", 0, "destination", "ports"), [], "destination: unknown: ports"),
        ("VirtualService", ("http", 0, "corsPolicy"), {"maxAge": "1h"}, "corsPolicy: unknown: maxAge"),
        ("VirtualService", ("hosts", 0), "*.com", "engine.example.com against *.com: a wildcard"),
        ("DestinationRule", ("host",), "*.svc.cluster.local", "only one rule for each host is known"),
        ("DestinationRule", ("workloadSelector",), {}, "spec: unknown: workloadSelector"),
        ("DestinationRule", ("trafficPolicy", "loadBalancer"), {"simple": "PASSTHROUGH"}, "simple: PASSTHROUGH"),
        ("DestinationRule", ("trafficPolicy", "loadBalancer"), {"warmup": {}}, "loadBalancer: unknown: warmup"),
        ("DestinationRule", ("trafficPolicy", "connectionPool"), {"tcp": {}}, "connectionPool: unknown: tcp"),
        ("DestinationRule", ("trafficPolicy", "outlierDetection", "interval"), "soon", "interval: soon is no duration"),
        ("DestinationRule", ("subsets", 0, "trafficPolicy"), {"portLevelSettings": []}, "unknown: portLevelSettings"),
        ("DestinationRule", ("subsets", 0, "extra"), 1, "subsets[0]: unknown: extra"),
        (
            "DestinationRule",
            ("subsets", 0, "trafficPolicy", "loadBalancer", "localityLbSetting"),
            {"failoverPriority": ["topology.istio.io/network"]},
            "failoverPriority: topology.istio.io/network: only lines with a key and a value are known",
        ),
        (
            "DestinationRule",
            ("subsets", 0, "trafficPolicy", "loadBalancer", "localityLbSetting"),
            {"distribute": []},
            "localityLbSetting: unknown: distribute",
        ),
        ("Gateway", ("servers", 0, "bind"), "::", "servers[0]: unknown: bind"),
        ("Gateway", ("servers", 0, "port", "targetPort"), 1, "servers[0].port: unknown: targetPort"),
        ("EnvoyFilter", ("targetRefs",), [], "spec: unknown: targetRefs"),
        ("EnvoyFilter", ("configPatches", 0, "match", "proxy"), {}, "match: unknown: proxy"),
        ("EnvoyFilter", ("configPatches", 0, "match", "listener", "portNumber"), 80, "listener: unknown: portNumber"),
        ("EnvoyFilter", ("configPatches", 0, "patch", "operation"), "ADD", "operation ADD at None"),
        ("EnvoyFilter", ("configPatches", 0, "patch", "filterClass"), "AUTHN", "patch: unknown: filterClass"),
        ("EnvoyFilter", ("configPatches", 1, "patch", "value"), {"routes": []}, "operation MERGE"),
        ("EnvoyFilter", ("configPatches", 1, "match", "routeConfiguration", "name"), "a", "unknown: name"),
    ],
)
def test_what_it_does_not_know_is_refused(kind: str, path: tuple[str | int, ...], value: Any, says: str) -> None:
    objects = changed(kind, *path, value=value)
    with pytest.raises(Refused) as caught:
        translate(objects, pods_of(objects).values(), GATEWAY)
    assert says in str(caught.value)


def test_a_gateway_of_other_pods_is_read_all_the_same() -> None:
    objects = changed("Gateway", "selector", value={"istio": "another"})
    assert translate(objects, [], GATEWAY).routes == {}
    next(found for found in objects if found["kind"] == "Gateway")["spec"]["servers"][0]["tls"] = {}
    with pytest.raises(Refused, match="unknown: tls"):
        translate(objects, [], GATEWAY)


def test_two_rules_for_one_host_are_refused() -> None:
    objects = objects_of("filter")
    objects += [found for found in objects if found["kind"] == "DestinationRule"]
    with pytest.raises(Refused, match="only one rule for each host is known"):
        translate(objects, [], GATEWAY)


def test_two_sets_of_routes_for_one_host_of_a_gateway_are_refused() -> None:
    objects = objects_of("filter")
    objects += [found for found in objects if found["kind"] == "VirtualService"]
    with pytest.raises(Refused, match="two VirtualServices for engine"):
        translate(objects, [], GATEWAY)


def test_what_follows_a_route_for_everything_is_left_out() -> None:
    objects = changed("VirtualService", "http", 1, "match", value=[{}, {"headers": {"a": {"exact": "b"}}}])
    routes = translate(objects, [], GATEWAY).routes["http.80"]["virtual_hosts"][0]["routes"]
    assert [route["name"] for route in routes] == ["v1", "v1", "v3"]


@pytest.mark.parametrize("wanted", [{"regex": "*"}, {}])
def test_a_match_on_any_value_asks_whether_the_header_is_there(wanted: dict[str, str]) -> None:
    objects = changed("VirtualService", "http", 0, "match", value=[{"headers": {"a": wanted}}])
    routes = translate(objects, [], GATEWAY).routes["http.80"]["virtual_hosts"][0]["routes"]
    assert routes[0]["match"]["headers"] == [{"name": "a", "present_match": True}]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("5s", "5s"), ("5m", "300s"), ("1h30m", "5400s"), ("1500ms", "1.500s"), ("0.5s", "0.500s"), (None, None)],
)
def test_durations_are_seconds(written: str | None, meant: str | None) -> None:
    assert Fields({"timeout": written}, "spec").duration("timeout") == meant


def test_kinds_that_it_does_not_know_are_refused() -> None:
    with pytest.raises(Refused, match="unknown kinds: Sidecar"):
        translate([{"kind": "Sidecar"}], [], GATEWAY)


@pytest.mark.parametrize(
    ("labels", "rank"),
    [({"tag": "v4"}, 0), ({"tag": "v3"}, 1), ({"tag": "v4", "a": "true"}, 3), ({"b": "true"}, 2)],
)
def test_priority_is_the_first_line_that_is_missed(labels: dict[str, str], rank: int) -> None:
    assert priority(labels, ["a=", "b=", "tag=v4"]) == rank


def test_of_two_lines_with_one_key_the_last_value_counts() -> None:
    assert [priority({"tag": tag}, ["tag=v3", "tag=v2"]) for tag in ("v3", "v2", "v1")] == [2, 0, 2]
