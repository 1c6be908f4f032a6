"""What the tool reads off a running Argo CD; and nothing is removed before Argo CD has applied its retirement."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from argo_cd import APPLICATIONS, ArgoCD
from control_plane import Cluster, until
from git_server import GitServer, serving
from simulated_nodes import Behaviour
from world import CONFIG, World

from release_tool.config.reader import load
from release_tool.health.delivered import ask
from release_tool.model.delivery import Delivered
from release_tool.model.records import HEALTHY, UNKNOWN

DRAIN = 5  # seconds
CONFIGURED = CONFIG.format(default="newest", keep=8).replace(
    "    retention: {keep: 8, drain: 1h}\n",
    f"    retention: {{keep: 8, drain: {DRAIN}s}}\n    health:\n      grace: 0s\n      failures: 1\n"
    "      argocd: {application: NAME}\n"
    "      checks: {pods: {kubernetes: {namespace: NAMESPACE}}}\n",
)
VALUES = [f"../../environments/devel/{name}.yaml" for name in ("values", "image_tag")]
ROUTED = "replicaCount: 1\nvirtualService: {hosts: [engine.example.com], gateways: [istio-ingress/public]}\n"


def application_of(namespace: str) -> str:
    """A name of its own for each test: an Application that is deleted is there for some time."""
    return f"engine-{namespace.rpartition('-')[2]}"


class Life:
    """A repository whose `devel` a real Argo CD applies; the clock of the tool is the machine's."""

    def __init__(self, world: World, cluster: Cluster, argo_cd: ArgoCD, namespace: str, git: GitServer) -> None:
        self.world, self.cluster, self.argo_cd, self.namespace, self.git = world, cluster, argo_cd, namespace, git
        self.environ = {"KUBECONFIG": str(cluster.kubeconfig)}
        self.name = application_of(namespace)
        helm = {"releaseName": "engine", "valueFiles": VALUES}
        self.app = argo_cd.application(self.name, namespace, git.url, "charts/grpc-manifest", helm=helm)

    def release(self, *arguments: str) -> Any:
        self.world.now = datetime.now(timezone.utc).replace(microsecond=0)
        return self.world.release(*arguments, "--output", "json", later=timedelta(0), code=None).data

    def land(self, *arguments: str) -> str:
        """Do an operation on the base itself; the commit."""
        assert self.release(*arguments, "--direct")["changed"]
        return self.tip

    @property
    def tip(self) -> str:
        return self.world.refs()["refs/heads/main"]

    def told(self) -> Delivered:
        config = load((self.world.clone / "release.yaml").read_bytes())
        return ask(config, "devel", self.environ)

    def cleanup(self) -> tuple[list[str], list[str]]:
        """What a cleanup removes, and what it says."""
        (devel, *_) = self.release("cleanup", "devel", "--direct")
        return [one["version"] for one in devel["changes"] if one["action"] == "remove"], devel["notes"]

    def deployed(self) -> set[str]:
        found = self.cluster.api.items(f"/apis/apps/v1/namespaces/{self.namespace}/deployments")
        return {one["metadata"]["labels"]["app.kubernetes.io/tag"] for one in found}


@pytest.fixture
def life(
    cluster: Cluster, namespace: str, argo_cd: ArgoCD, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Life]:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    world = World.make(
        tmp_path, config=CONFIGURED.replace("NAMESPACE", namespace).replace("NAME", application_of(namespace))
    )
    first = world.commit({"environments/devel/values.yaml": ROUTED}, "Routed")
    with serving(world.path) as git:
        made = Life(world, cluster, argo_cd, namespace, git)
        made.app.sync(first, 240)
        yield made
        with suppress(requests.HTTPError):  # a test deleted it
            made.app.delete()


def test_argo_cd_is_down_for_longer_than_drain_and_nothing_is_removed_until_it_has_applied(life: Life) -> None:
    assert life.deployed() == {"v1", "v2", "v3", "v4"}
    with life.argo_cd.down():
        retirement = life.land("retire", "devel", "v3")
        time.sleep(DRAIN + 2)
        removed, notes = life.cleanup()
        assert removed == []
        assert notes[0].startswith(
            f"v3 stays: its retirement ({retirement[:7]}) is not applied yet: Application {life.name}"
        )
        assert life.deployed() == {"v1", "v2", "v3", "v4"}
    life.app.sync(retirement, 240)
    applied = time.monotonic()
    assert life.cleanup() == ([], []), "it drains from when it was applied"
    time.sleep(max(0.0, DRAIN + 2 - (time.monotonic() - applied)))
    assert life.cleanup() == (["v3"], [])
    life.app.sync(life.tip, 240)
    until(lambda: life.deployed() == {"v1", "v2", "v4"}, 180)


def test_what_is_synced_stuck_or_rolled_back_is_told_as_it_is(life: Life) -> None:
    first = life.tip
    told = until(lambda: (said := life.told()).health == HEALTHY and said, 180)
    assert [one.commit for one in told.applied] == [first]
    assert (told.by, told.state, told.problem) == (f"Application {life.name}", "Synced, Healthy", "")
    assert not told.forgets

    # A commit that changes no manifest is applied without a sync: in force is what was there.
    quiet = life.world.commit({"README.md": "nothing of the chart\n"}, "Nothing")
    life.app.refresh()
    told = until(lambda: (said := life.told()).commit == quiet[:7] and said, 180)
    assert [one.commit for one in told.applied] == [quiet, first]
    assert told.applied[0].at == told.applied[1].at

    # A new version that never gets ready holds its sync up.
    life.cluster.nodes.behave(life.namespace, "v5", Behaviour(never_ready=True))
    stuck = life.land("bump", "devel", "v1.0.5")
    life.app.refresh()
    told = until(lambda: (said := life.told()).attempt is not None and said, 180)
    assert told.attempt is not None
    assert told.attempt.commit == stuck
    assert (told.commit, told.health) == (first[:7], UNKNOWN)
    until(lambda: life.told().problem.startswith("sync Running: waiting for healthy state of "), 180)
    (watched,) = life.release("guard", "devel", "--dry-run")
    by = {one["version"]: one for one in watched["versions"]}
    assert by["v5"]["health"] == "unhealthy", "a version that holds its own sync up is judged"
    assert by["v4"]["health"] == "healthy"
    life.cluster.nodes.behave(life.namespace, "v5", Behaviour())
    life.app.sync(stuck, 240)

    # An older commit again, by hand.
    life.app.patch({"spec": {"syncPolicy": {"automated": None}}})
    life.app.patch({"operation": {"sync": {"revision": first, "prune": True}, "initiatedBy": {"username": "ada"}}})
    told = until(lambda: (said := life.told()).commit == first[:7] and said, 180)
    assert [one.commit for one in told.applied] == [first, stuck, first]
    assert any("automated" in one for one in told.advice)


def test_of_several_sources_the_one_with_the_versions_counts(life: Life, cluster: Cluster) -> None:
    """Another repository has the chart, as a registry might."""
    life.world.git("clone", "-q", "--bare", str(life.world.origin), str(life.world.path / "charts.git"))
    chart, file, url = life.tip, "environments/devel/image_tag.yaml", life.git.url
    sources = [
        {
            "repoURL": url.replace("origin.git", "charts.git"),
            "path": "charts/grpc-manifest",
            "targetRevision": chart,
            "helm": {"releaseName": "engine", "valueFiles": [f"$values/{file}"]},
        },
        {"repoURL": url, "targetRevision": "main", "ref": "values"},
    ]
    life.app.patch({"spec": {"source": None, "sources": sources}})
    later = life.world.commit({"README.md": "later\n"}, "Later")
    life.app.refresh()
    told = until(lambda: (said := life.told()).commit == later[:7] and said, 180)
    assert not told.unknown
    assert cluster.api.get(f"{APPLICATIONS}/{life.name}")["status"]["sync"]["revisions"] == [chart, later]


def test_what_is_not_there_is_told(life: Life) -> None:
    life.app.delete()
    until(lambda: life.told().unknown == "there is no such Application", 30)
