"""What each operation does to the pods of a real cluster: those of its own version come and go, all others stay as they are."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from appliers import Kubectl
from control_plane import Cluster, until
from simulated_nodes import VERSION, Behaviour
from world import World

AUTOSCALING = "resources: {requests: {cpu: 100m}}\nautoscaling: {enabled: true, minReplicas: 2}\npodDisruptionBudget: {minAvailable: 1}\n"
FORMS = {
    "istio": "virtualService: {gateways: [istio-ingress/public], hosts: [engine.example.com]}\n",
    "gateway-api": "routing: {kind: gateway-api, parentRefs: [{name: public}], hostnames: [engine.example.com]}\n",
}
REASON = ("--reason", "as a test says")
OPERATIONS: list[tuple[tuple[str, ...], set[str]]] = [
    (("bump", "devel", "v1.0.5"), {"v1", "v2", "v3", "v4", "v5"}),
    (("default", "devel", "v4", *REASON), {"v1", "v2", "v3", "v4", "v5"}),
    (("quarantine", "devel", "v2", *REASON), {"v1", "v2", "v3", "v4", "v5"}),
    (("downgrade", "devel", *REASON), {"v1", "v2", "v3", "v4", "v5"}),
    (("clear", "devel", "v2", *REASON), {"v1", "v2", "v3", "v4", "v5"}),
    (("retire", "devel", "v1", *REASON), {"v1", "v2", "v3", "v4", "v5"}),
    (("cleanup", "devel"), {"v2", "v3", "v4", "v5"}),
    (("restore", "devel", "v1", *REASON), {"v1", "v2", "v3", "v4", "v5"}),
]
pytestmark = [pytest.mark.slow, pytest.mark.world(default="manual")]


@pytest.mark.parametrize("form", FORMS)
def test_an_operation_starts_and_ends_the_pods_of_its_own_version_alone(
    cluster: Cluster, namespace: str, world: World, tmp_path: Path, form: str
) -> None:
    for number in range(1, 6):
        cluster.nodes.behave(namespace, f"v{number}", Behaviour(stops_after=0.2))
    world.commit({"environments/devel/values.yaml": AUTOSCALING + FORMS[form]}, "The environment's values")
    by = Kubectl(cluster, namespace, tmp_path / "applied", server_side=True)
    by.folder.mkdir()
    by.apply(AUTOSCALING, FORMS[form], world.tags())
    before = settled(cluster, namespace, {"v1", "v2", "v3", "v4"})
    for operation, deployed in OPERATIONS:
        later = timedelta(days=5 if operation[0] == "cleanup" else 0, minutes=1)
        world.release(*operation, "--direct", later=later)
        by.apply(AUTOSCALING, FORMS[form], world.tags())
        after = settled(cluster, namespace, deployed)
        assert {name: before[name] for name in before if name in after} == {
            name: after[name] for name in after if name in before
        }, f"{operation} left the pods of other versions alone"
        before = after


def settled(cluster: Cluster, namespace: str, deployed: set[str]) -> dict[str, frozenset[str]]:
    """Version -> its pods, once the controllers are done: as many as the autoscaler wants, and nothing of any other version."""
    cluster.wait_for(namespace, len(deployed))

    def found() -> dict[str, frozenset[str]]:
        pods = _by_version(cluster, f"/api/v1/namespaces/{namespace}/pods")
        addresses = {one["status"].get("podIP") for ones in pods.values() for one in ones}
        others = [
            _by_version(cluster, f"/apis/{path}")
            for path in (
                f"autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers",
                f"policy/v1/namespaces/{namespace}/poddisruptionbudgets",
                f"apps/v1/namespaces/{namespace}/replicasets",
            )
        ]
        done = (
            all(set(one) == deployed for one in (pods, *others))
            and all(len(ones) == 2 for ones in pods.values())
            and _endpoints(cluster, namespace) == addresses
        )
        return {name: frozenset(one["metadata"]["uid"] for one in ones) for name, ones in pods.items()} if done else {}

    answer: dict[str, frozenset[str]] = until(found, 60, f"{sorted(deployed)} run in {namespace}, and nothing else")
    return answer


def _by_version(cluster: Cluster, path: str) -> dict[str, list[Any]]:
    versions: dict[str, list[Any]] = {}
    for one in cluster.api.items(path):
        labels = one["metadata"].get("labels", {})
        version = labels.get(VERSION) or one["spec"]["selector"]["matchLabels"][VERSION]
        versions.setdefault(version, []).append(one)
    return versions


def _endpoints(cluster: Cluster, namespace: str) -> set[str]:
    """The addresses of the ready pods behind the Service of all versions."""
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    slices = cluster.api.items(path, labelSelector="kubernetes.io/service-name=engine-grpc-manifest")
    points = [point for one in slices for point in one["endpoints"] or ()]
    return {address for point in points if point["conditions"]["ready"] for address in point["addresses"]}
