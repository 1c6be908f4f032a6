"""The translator refuses what it doesn't know."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from cases import objects_of, pods_of
from translator import Proxy, Refused, priority, translate

GATEWAY = Proxy("istio-ingress", {"istio": "ingressgateway"})


def changed(kind: str, *path: str | int, value: Any) -> list[dict[str, Any]]:
    objects = copy.deepcopy(objects_of("filter"))
    target: Any = [found for found in objects if found["kind"] == kind][-1][
        "spec"
    ]  # the rule of the default pool is last
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return objects


@pytest.mark.parametrize(
    ("kind", "path", "value", "says"),
    [
        ("VirtualService", ("tls",), [], "VirtualService engine-grpc-manifest spec: unknown: tls"),
        ("VirtualService", ("http", 0, "mirror"), {}, "spec.http[0]: unknown: mirror"),
        ("VirtualService", ("http", 0, "match", 0, "sourceLabels"), {}, "match[0]: unknown: sourceLabels"),
        ("VirtualService", ("http", 0, "route", 0, "headers", "request"), {"set": {}}, "headers: unknown: request"),
        ("VirtualService", ("http", 0, "headers"), {"response": {}}, "headers: unknown: response"),
        ("VirtualService", ("http", 0, "retries"), {"backoff": "1s"}, "retries: unknown: backoff"),
        ("DestinationRule", ("exportTo",), ["."], "DestinationRule engine-grpc-manifest spec: unknown: exportTo"),
        ("DestinationRule", ("trafficPolicy", "tls"), {}, "trafficPolicy: unknown: tls"),
        (
            "DestinationRule",
            ("trafficPolicy", "outlierDetection", "consecutiveErrors"),
            1,
            "unknown: consecutiveErrors",
        ),
        (
            "DestinationRule",
            ("trafficPolicy", "connectionPool"),
            {"http": {"idleTimeout": "1s"}},
            "unknown: idleTimeout",
        ),
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
        ("Service", ("ports", 0, "appProtocol"), "http", "the port is no gRPC port"),
    ],
)
def test_what_it_does_not_know_is_refused(kind: str, path: tuple[str | int, ...], value: Any, says: str) -> None:
    objects = changed(kind, *path, value=value)
    with pytest.raises(Refused) as caught:
        translate(objects, pods_of(objects).values(), GATEWAY)
    assert says in str(caught.value)


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


def test_a_sidecar_where_mesh_is_no_gateway_calls_any_pod_of_any_version() -> None:
    def clusters(name: str) -> set[str]:
        objects = objects_of(name)
        hosts = translate(objects, pods_of(objects).values(), Proxy("clients")).routes["50051"]["virtual_hosts"]
        (own,) = [host for host in hosts if host["name"].startswith("engine-grpc-manifest.")]
        return {route["route"]["cluster"].split("|")[2] for route in own["routes"]}

    assert clusters("filter") == {""}  # the Service itself, without a subset
    assert clusters("seed") == {"v1", "v2", "v3", "v4", "default"}
