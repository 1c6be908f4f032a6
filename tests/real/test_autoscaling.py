"""Switching autoscaling on, where versions run: how many pods each of them has at every moment, by who applies it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from appliers import Applier, Helm, Kubectl
from argo_cd import Application, ArgoCD
from control_plane import Cluster
from git_server import serving
from real_programs import path
from simulated_nodes import Behaviour
from watcher import Watcher
from world import World

TAGS = "image: {default: v2, tag: {v1: 1.0.1, v2: 1.0.2}}\n"
FIXED = "replicaCount: 3\nresources: {requests: {cpu: 100m}}\n"
SCALED = FIXED + "autoscaling: {enabled: true, minReplicas: 2}\n"
SINCE = SCALED.replace("enabled: true", "enabled: true, since: v3")
HAD_THEIR_SAY = 4  # seconds
BUSY = Behaviour(cpu="80m")  # as much as the autoscaler wants of a pod

pytestmark = pytest.mark.slow


@pytest.fixture
def watcher(by: Applier, cluster: Cluster, namespace: str) -> Iterator[Watcher]:
    """Two versions run with three pods each."""
    for version in ("v1", "v2", "v3"):
        cluster.nodes.behave(namespace, version, BUSY)
    by.apply(TAGS, FIXED)
    with Watcher(cluster.kubeconfig, namespace) as found:
        found.until_ready(v1=3, v2=3)
        yield found


def least(watcher: Watcher, by: Applier | Application, *values: str) -> dict[str, int]:
    """Applies it; the least number of ready pods that the versions of before have from then on, until autoscalers had their say."""
    begin = watcher.revision
    by.apply(*values) if isinstance(by, Applier) else by.sync(*values)
    time.sleep(HAD_THEIR_SAY)
    found = [moment.versions for moment in watcher.moments(begin)]
    return {version: min(one.get(version, 0) for one in found) for version in ("v1", "v2")}


def test_without_a_hand_over_every_version_runs_with_one_pod(by: Applier, watcher: Watcher) -> None:
    assert least(watcher, by, TAGS, SCALED) == {"v1": 1, "v2": 1}
    watcher.until_ready(v1=2, v2=2)  # the autoscaler's least number


def test_where_versions_to_come_are_scaled_alone_no_pod_goes(by: Applier, watcher: Watcher) -> None:
    assert least(watcher, by, TAGS, SINCE) == {"v1": 3, "v2": 3}
    assert least(watcher, by, TAGS.replace("}}", ", v3: 1.0.3}}"), SINCE) == {"v1": 3, "v2": 3}
    watcher.until_ready(v1=3, v2=3, v3=2)


def test_a_number_that_was_handed_over_stays(by: Applier, watcher: Watcher, cluster: Cluster) -> None:
    hand_over(by, cluster)
    if by.server_side:
        by.apply(TAGS, FIXED)  # what is applied in between takes nothing back
    wanted = 1 if isinstance(by, Helm) and by.program == "helm3" else 3
    assert least(watcher, by, TAGS, SCALED) == {"v1": wanted, "v2": wanted}


def test_a_release_of_helm_3_can_be_moved_to_server_side_apply_first(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    where = (cluster, namespace, tmp_path)
    for version in ("v1", "v2"):
        cluster.nodes.behave(namespace, version, BUSY)
    Helm(*where, program="helm3").apply(TAGS, FIXED)
    with Watcher(cluster.kubeconfig, namespace) as watcher:
        watcher.until_ready(v1=3, v2=3)
        moved = Helm(*where, options=("--server-side=true",))
        moved.apply(TAGS, FIXED)
        hand_over(moved, cluster)
        assert least(watcher, Helm(*where), TAGS, SCALED) == {"v1": 3, "v2": 3}


IGNORED = {"ignoreDifferences": [{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]}
WAYS = {"nothing": (SCALED, 1), "handed over": (SCALED, 3), "since": (SINCE, 3)}


@pytest.mark.parametrize("way", WAYS)
def test_so_it_is_with_argo_cd(way: str, cluster: Cluster, namespace: str, argo_cd: ArgoCD, world: World) -> None:
    after, wanted = WAYS[way]
    values = "environments/devel/values.yaml"
    first = world.commit({"environments/devel/image_tag.yaml": TAGS, values: FIXED}, "Three pods each")
    for version in ("v1", "v2"):
        cluster.nodes.behave(namespace, version, BUSY)
    with serving(world.path) as git:
        files = [f"../../environments/devel/{name}.yaml" for name in ("values", "image_tag")]
        handed = way == "handed over"
        options = ["ApplyOutOfSyncOnly=true", *(["RespectIgnoreDifferences=true"] if handed else [])]
        app = argo_cd.application("engine", namespace, git.url, "charts/grpc-manifest", files, options=options)
        try:
            app.patch({"spec": IGNORED if handed else {}})
            app.sync(first)
            with Watcher(cluster.kubeconfig, namespace) as watcher:
                watcher.until_ready(v1=3, v2=3)
                second = world.commit({values: after}, "Scale them")
                assert least(watcher, app, second) == {"v1": wanted, "v2": wanted}
        finally:
            app.delete()


def hand_over(by: Applier, cluster: Cluster) -> None:
    """As docs/explanation/routing.md says it for who applies it; there is no way for Helm 3."""
    for version in ("v1", "v2"):
        name = f"deployment/engine-grpc-manifest-{version}"
        if isinstance(by, Kubectl) and not by.server_side:
            by.run(
                path("kubectl"),
                "-n",
                by.namespace,
                "apply",
                "edit-last-applied",
                name,
                KUBE_EDITOR="sed -i '/ replicas:/d'",
            )
        else:
            second = (
                f"{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name[11:]}}}, spec: {{replicas: 3}}}}"
            )
            options = ["-n", by.namespace, "apply", "--server-side", "--field-manager=handover", "-f", "-"]
            cluster.kubectl(*options, content=second)
