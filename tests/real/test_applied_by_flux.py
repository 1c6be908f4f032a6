"""What the tool reads off a running Flux: the commits of a Kustomization, what fails, and since when manifests are in force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from control_plane import Cluster, until
from flux import KUSTOMIZATIONS, SOURCES
from git_server import serving
from world import CONFIG, World

from release_tool.config.reader import load
from release_tool.health.delivered import ask
from release_tool.model.delivery import Delivered

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: of-a-test}}\ndata: {{said: '{}'}}\n"


class Applied:
    """A GitRepository of a world, and a Kustomization of its folder `manifests`."""

    def __init__(self, cluster: Cluster, namespace: str, world: World, url: str) -> None:
        self.cluster, self.namespace, self.world = cluster, namespace, world
        named = CONFIG.format(default="newest", keep=8).replace(
            "    default: newest\n",
            f"    default: newest\n    health: {{flux: {{kustomization: of-a-test, namespace: {namespace}}}}}\n",
        )
        self.config = load(named.encode())
        source = {"interval": "1h", "url": url, "ref": {"branch": "main"}}
        wanted = {
            "interval": "1h", "retryInterval": "2s", "timeout": "10s", "prune": True, "path": "./manifests",
            "targetNamespace": namespace, "sourceRef": {"kind": "GitRepository", "name": "of-a-test"},
        }  # fmt: skip
        self._create(SOURCES, "source", "GitRepository", source)
        self._create(KUSTOMIZATIONS, "kustomize", "Kustomization", wanted)

    def _create(self, path: str, group: str, kind: str, spec: dict[str, Any]) -> None:
        head = {"apiVersion": f"{group}.toolkit.fluxcd.io/v1", "kind": kind, "metadata": {"name": "of-a-test"}}
        self.cluster.api.create(path.format(self.namespace), {**head, "spec": spec})

    def commit(self, files: dict[str, str | None]) -> str:
        commit = self.world.commit(files, "Another")
        asked = {"reconcile.fluxcd.io/requestedAt": datetime.now(timezone.utc).isoformat()}
        path = f"{SOURCES.format(self.namespace)}/of-a-test"
        self.cluster.api.patch(path, {"metadata": {"annotations": asked}})
        return commit

    def told(self) -> Delivered:
        return ask(self.config, "devel", {"KUBECONFIG": str(self.cluster.kubeconfig)})

    def applies(self, commit: str) -> Delivered:
        found: Delivered = until(lambda: (said := self.told()).commit == commit[:7] and said, 90, f"applied {commit}")
        return found


@pytest.fixture
def applied(cluster: Cluster, namespace: str, flux_controllers: None, tmp_path: Path) -> Iterator[Applied]:
    world = World.make(tmp_path)
    world.commit({"manifests/one.yaml": MANIFEST.format("first")}, "First")
    with serving(world.path) as git:
        made = Applied(cluster, namespace, world, git.url)
        yield made
        for path in (KUSTOMIZATIONS, SOURCES):
            cluster.api.delete(f"{path.format(namespace)}/of-a-test")


def test_a_kustomization_tells_what_is_applied_what_fails_and_since_when(applied: Applied) -> None:
    first = applied.world.refs()["refs/heads/main"]
    told = applied.applies(first)
    assert (told.by, told.unknown, told.problem) == ("Kustomization of-a-test", "", "")
    begun = told.applied[0].at
    assert begun is not None

    quiet = applied.commit({"README.md": "no manifest\n"})
    told = applied.applies(quiet)
    assert told.applied[0].at == begun, "the manifests are those that were there"

    second = applied.commit({"manifests/one.yaml": MANIFEST.format("second")})
    told = applied.applies(second)
    assert [one.commit for one in told.applied] == [second, quiet]
    assert told.applied[0].at is not None
    assert told.applied[0].at >= begun

    broken = applied.commit({"manifests/one.yaml": MANIFEST.format("third").replace("ConfigMap", "NoSuchKind")})
    told = until(lambda: (said := applied.told()).problem and said, 90)
    assert told.commit == second[:7]
    assert "NoSuchKind" in told.problem
    assert told.attempt is not None
    assert told.attempt.commit == broken
    assert told.state.startswith("not Ready (")

    back = applied.commit({"manifests/one.yaml": MANIFEST.format("first")})
    told = applied.applies(back)
    assert told.applied[0].at is not None
    assert told.applied[0].at > begun, "what came back is in force since the other is not"


def test_what_is_suspended_is_told(applied: Applied) -> None:
    applied.applies(applied.world.refs()["refs/heads/main"])
    applied.cluster.api.patch(f"{KUSTOMIZATIONS.format(applied.namespace)}/of-a-test", {"spec": {"suspend": True}})
    until(lambda: applied.told().problem == "it is suspended", 30)
    assert applied.told().state == "Ready, suspended"
