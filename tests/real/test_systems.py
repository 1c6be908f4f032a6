"""The systems themselves do what the tests of this folder take for granted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from argo_cd import ArgoCD
from control_plane import Cluster, until
from git_server import serving
from rendering import request
from simulated_nodes import Behaviour
from world import World

from release_tool.helm import Renderer

ROUTED = "replicaCount: 2\nvirtualService: {hosts: [engine.example.com], gateways: [istio-ingress/public]}\n"
TAGS = "image:\n  default: v2\n  tag:\n    v1: 1.0.1\n    v2: 1.0.2\n"


def endpoints(cluster: Cluster, namespace: str) -> list[bool]:
    slices = cluster.api.items(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices")
    return [point["conditions"]["ready"] for one in slices for point in one["endpoints"] or ()]


def test_a_chart_is_applied_and_its_pods_do_as_they_are_told(
    cluster: Cluster, namespace: str, kubectl: Callable[..., Any], engine: Renderer
) -> None:
    cluster.nodes.behave(namespace, "v2", Behaviour(never_ready=True))
    rendered = engine.render(request(ROUTED, TAGS, namespace=namespace))
    kubectl("apply", "--server-side", "-f", "-", content=rendered)
    until(lambda: sorted(endpoints(cluster, namespace)) == [False, False, True, True])
    cluster.nodes.behave(namespace, "v2", Behaviour())
    cluster.wait_for(namespace, 2)
    until(lambda: endpoints(cluster, namespace) == [True] * 4)
    cluster.nodes.behave(namespace, "v2", Behaviour(crashes=True))
    until(lambda: sorted(endpoints(cluster, namespace)) == [False, False, True, True])


def test_argo_cd_applies_what_is_in_git_and_prunes_after_it_was_down(
    cluster: Cluster, namespace: str, argo_cd: ArgoCD, world: World
) -> None:
    tags = "environments/devel/image_tag.yaml"
    first = world.commit({"environments/devel/values.yaml": ROUTED, tags: TAGS}, "Two versions")
    with serving(world.path) as git:
        values = [f"../../environments/devel/{name}.yaml" for name in ("values", "image_tag")]
        app = argo_cd.application("engine", namespace, git.url, "charts/grpc-manifest", values)
        app.sync(first)
        cluster.wait_for(namespace, 2)
        with argo_cd.down():
            second = world.commit({tags: TAGS.replace("    v1: 1.0.1\n", "")}, "One version")
        app.sync(second)
        cluster.wait_for(namespace, 1)
        app.delete()
