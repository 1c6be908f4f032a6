"""What the tests against real systems share; each starts once in a session.

    def test_so(cluster, namespace, kubectl): ...
    def test_so(cluster, namespace, argo_cd): ...

`cluster` (control_plane.py) is a real Kubernetes with nodes that are played, `namespace` one of the test's own, `kubectl` the
program, `argo_cd` (argo_cd.py) Argo CD on that cluster. A test is skipped where the programs are not there: `make real-programs`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from appliers import Applier, Helm, Kubectl
from argo_cd import ArgoCD, argo_cd_on
from control_plane import Cluster, control_plane
from fixtures import engine, no_proxy  # noqa: F401
from flux import Flux, flux_on


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with control_plane(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """Made for the test and deleted after it, which nobody waits for."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())[:40].strip("-")
    number = request.session.__dict__["namespaces"] = request.session.__dict__.get("namespaces", 0) + 1
    yield cluster.namespace(f"{name}-{number}")
    cluster.api.delete(f"/api/v1/namespaces/{name}-{number}")


@pytest.fixture
def kubectl(cluster: Cluster) -> Callable[..., Any]:
    return cluster.kubectl


@pytest.fixture(scope="session")
def argo_cd(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArgoCD]:
    with argo_cd_on(cluster, tmp_path_factory.mktemp("argo-cd")) as found:
        yield found


@pytest.fixture(scope="session")
def flux_controllers(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Flux's source-controller and kustomize-controller on that cluster."""
    with flux_on(cluster, tmp_path_factory.mktemp("flux")):
        yield


APPLIERS: dict[str, Callable[..., Applier]] = {
    "Helm 4": Helm,
    "Helm 3": partial(Helm, program="helm3"),
    "kubectl": Kubectl,
    "kubectl --server-side": partial(Kubectl, server_side=True),
    "Flux": Flux,
}


@pytest.fixture(params=list(APPLIERS))
def by(request: pytest.FixtureRequest, cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Applier]:
    """Each of those who apply the chart in turn, but Argo CD."""
    if request.param == "Flux":
        request.getfixturevalue("flux_controllers")
    folder = tmp_path / "applied"
    folder.mkdir()
    with APPLIERS[request.param](cluster, namespace, folder) as found:
        yield found
