"""The defects of the seed's resources, so that the laboratory is known to see what the chart must not do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import cluster as small
import pytest
from envoy import DEADLINE
from load import STREAMS, Load

if TYPE_CHECKING:
    from cluster import Cluster

RELEASE = "engine-grpc-manifest"


def seed(*tags: str, instance: str = RELEASE) -> str:
    """What the seed's templates give, with a Service and a Gateway, which they leave to others.

    Args:
        tags: the list `image.tag`.
        instance: the label by which the subsets choose pods.
    """
    names = [f"v{number}" for number in range(1, len(tags) + 1)]
    parts = [_service(), _gateway(), _routes(names), _subsets(names, instance), *map(_deployment, names)]
    return "".join(f"---\n# Source: seed/templates/{number}.yaml\n{part}" for number, part in enumerate(parts))


def _service() -> str:
    return f"""apiVersion: v1
kind: Service
metadata: {{name: {RELEASE}, namespace: engine}}
spec:
  ports: [{{name: grpc, port: 50051, appProtocol: grpc}}]
  selector: {{app.kubernetes.io/name: grpc-manifest, app.kubernetes.io/instance: {RELEASE}}}
"""


def _gateway() -> str:
    return f"""apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: public, namespace: engine}}
spec:
  selector: {{istio: ingressgateway}}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: [{small.HOST}]}}]
"""


def _routes(names: list[str]) -> str:
    routes = "".join(
        f"""  - match: [{{headers: {{grpcsvc: {{exact: {name}}}}}}}]
    route: [{{destination: {{host: {RELEASE}, port: {{number: 50051}}, subset: {name}}}}}]
"""
        for name in names
    )
    return f"""apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {RELEASE}, namespace: engine}}
spec:
  gateways: [public]
  hosts: [{small.HOST}]
  http:
{routes}"""


def _subsets(names: list[str], instance: str) -> str:
    subsets = "".join(
        f"  - {{name: {name}, labels: {{app.kubernetes.io/instance: {instance}, app.kubernetes.io/tag: {name}}}}}\n"
        for name in names
    )
    return f"""apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {RELEASE}, namespace: engine}}
spec:
  host: {RELEASE}
  subsets:
{subsets}"""


def _deployment(name: str) -> str:
    labels = f"app.kubernetes.io/name: grpc-manifest, app.kubernetes.io/instance: {RELEASE}"
    return f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: {RELEASE}-{name}, namespace: engine}}
spec:
  replicas: 1
  template:
    metadata:
      labels: {{{labels}, app.kubernetes.io/tag: {name}, app.kubernetes.io/type: grpc}}
"""


def envoy_filter(*allowed: str, namespace: str = "istio-ingress") -> str:
    """The seed's filter, with its list."""
    versions = ", ".join(f'"{name}"' for name in allowed)
    return f"""---
# Source: seed/templates/filter.yaml
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {{name: {RELEASE}, namespace: {namespace}}}
spec:
  workloadSelector: {{labels: {{istio: ingressgateway}}}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
      listener:
        filterChain:
          filter:
            name: envoy.filters.network.http_connection_manager
            subFilter: {{name: envoy.filters.http.router}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.lua
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
          inlineCode: |
            function envoy_on_request(handle)
              local kind = handle:headers():get("content-type")
              if kind and string.find(kind, "grpc") then
                local wanted = handle:headers():get("grpcsvc")
                local known = false
                for _, allowed in ipairs({{{versions}}}) do
                  if wanted == allowed then
                    known = true
                  end
                end
                if not known then
                  handle:headers():replace("grpcsvc", "v1")
                end
              end
            end
"""


FOUR = ("v1.0.1", "v1.0.2", "v1.0.3", "v1.0.4")
LISTED = ("v1", "v2", "v3", "v4")


def test_seen_it_works_for_its_main_case(cluster: Cluster) -> None:
    cluster.apply(seed(*FOUR) + envoy_filter(*LISTED), RELEASE)
    with cluster.client() as client:
        assert [client.call(*sent).version for sent in (("v3",), ("v9",), ())] == ["v3", "v1", "v1"]


@pytest.mark.parametrize("namespace", ["engine", "istio-ingress", "istio-system"])
def test_seen_a_filter_that_no_gateway_reads(namespace: str, cluster: Cluster) -> None:
    cluster.apply(seed(*FOUR) + envoy_filter(*LISTED, namespace=namespace), RELEASE)
    with cluster.client() as client:
        found = [client.call(*sent).status for sent in (("v9",), ())]
    assert found == (["UNIMPLEMENTED"] * 2 if namespace == "engine" else ["OK"] * 2)


def test_seen_a_filter_that_rewrites_the_calls_of_others(cluster: Cluster) -> None:
    cluster.apply(seed(*FOUR) + envoy_filter(*LISTED), RELEASE)
    cluster.sync(
        "image: {default: v5, tag: {v1: a, v5: b}}\n",
        small.ROUTED.replace(small.HOST, "b.example.com"),
        release_name="b",
    )
    with cluster.client("b.example.com") as client:
        answer = client.call("v5")
    assert (answer.version, answer.seen) == ("v1", ("v1",))


def test_seen_a_list_that_went_stale(cluster: Cluster) -> None:
    cluster.apply(seed(*FOUR, "v1.0.5") + envoy_filter(*LISTED), RELEASE)
    with cluster.client() as client:
        answer = client.call("v5")
    assert (answer.version, answer.status) == ("v1", "OK")


def test_seen_a_default_that_is_down_and_takes_all_its_callers_along(cluster: Cluster) -> None:
    cluster.apply(seed(*FOUR) + envoy_filter(*LISTED), RELEASE)
    for pod in cluster.of("v1"):
        pod.die()
    with cluster.client() as client:
        assert {client.call().status for _ in range(10)} == {"UNAVAILABLE"}
        assert client.call("v2").version == "v2"


def test_seen_subsets_that_choose_nobody(cluster: Cluster) -> None:
    cluster.apply(seed(*FOUR, instance="another-name"), RELEASE)
    with cluster.client() as client:
        assert {client.call(name).status for name in LISTED} == {"UNAVAILABLE"}


def test_seen_an_edited_script_that_cuts_every_stream(cluster: Cluster) -> None:
    cluster.apply(seed(*FOUR) + envoy_filter(*LISTED), RELEASE)
    with cluster.client() as client, Load(client, LISTED) as load:
        changed = cluster.apply(seed(*FOUR) + envoy_filter(*LISTED, "v5"), RELEASE)
        assert "listeners" in changed
        end = time.monotonic() + DEADLINE
        while load.cut < STREAMS and time.monotonic() < end:
            load.during(0.1)
        assert load.cut == STREAMS
