"""A real Flux (source-controller, kustomize-controller) on a real Kubernetes, all on 127.0.0.1.

helm-controller can't be had here, so a Kustomization applies what Helm renders:

    with flux_on(cluster, folder) as flux:
        by = Flux(cluster, namespace, folder, flux)   # an applier, as those of appliers.py
        by.apply(values…)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from appliers import RELEASE, Applier
from control_plane import Cluster, define, need, until
from git_server import serving
from origin import git, make_bare, write_files
from processes import free_port, running
from real_programs import definitions, server

SOURCES = "/apis/source.toolkit.fluxcd.io/v1/namespaces/{}/gitrepositories"
KUSTOMIZATIONS = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{}/kustomizations"


@contextmanager
def flux_on(cluster: Cluster, folder: Path) -> Iterator[None]:
    need("source-controller", "kustomize-controller")
    define(cluster, definitions("source-controller"), definitions("kustomize-controller"))
    cluster.namespace("flux-system")
    storage = folder / "artifacts"
    storage.mkdir()
    address = f"127.0.0.1:{free_port()}"
    environment = {
        **os.environ, "KUBECONFIG": str(cluster.kubeconfig), "HOME": str(folder), "TMPDIR": str(folder),
        "RUNTIME_NAMESPACE": "flux-system",
    }  # fmt: skip
    own = ["--metrics-addr", "127.0.0.1:0", "--enable-leader-election=false"]
    stored = [f"--storage-path={storage}", f"--storage-addr={address}", f"--storage-adv-addr={address}"]
    with ExitStack() as ended:
        for name, more in (("source-controller", stored), ("kustomize-controller", [])):
            command = server(name, *own, "--health-addr", f"127.0.0.1:{free_port()}", *more)
            ended.enter_context(running(command, folder / f"{name}.log", env=environment))
        yield


class Flux(Applier):
    """A GitRepository with what Helm renders, and a Kustomization; `wait` as in its `spec`."""

    def __init__(self, cluster: Cluster, namespace: str, folder: Path, *, wait: bool = False) -> None:
        super().__init__(cluster, namespace, folder)
        self.wait = wait
        self._clone = folder / "clone"
        self._ended = ExitStack()
        make_bare(folder / "origin.git")
        git("clone", "-q", folder / "origin.git", self._clone)

    def __enter__(self) -> Flux:
        self._url = self._ended.enter_context(serving(self.folder)).url
        return self

    def __exit__(self, *_: object) -> None:
        for path in (KUSTOMIZATIONS, SOURCES):
            self.cluster.api.delete(f"{path.format(self.namespace)}/{RELEASE}")
        self._ended.close()

    def apply(self, *values: str) -> None:
        commit = self.commit(*values)
        until(lambda: self.applied(commit), 60, f"Flux applies {commit}: {self.status}")

    def commit(self, *values: str) -> str:
        """Flux is told of it, and nobody waits."""
        write_files(self._clone, {"manifests.yaml": self._rendered(values)})
        git("add", "-A", cwd=self._clone)
        git("commit", "-q", "--allow-empty", "-m", "Manifests", cwd=self._clone)
        git("push", "-q", "origin", "HEAD:refs/heads/main", cwd=self._clone)
        self._look()
        return git("rev-parse", "HEAD", cwd=self._clone)

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cluster.api.get(f"{KUSTOMIZATIONS.format(self.namespace)}/{RELEASE}")
        return found.get("status", {})

    def applied(self, commit: str) -> bool:
        return str(self.status.get("lastAppliedRevision")).endswith(commit)

    def _look(self) -> None:
        """As a webhook tells it; the first time both are made."""
        sources, kustomizations = (path.format(self.namespace) for path in (SOURCES, KUSTOMIZATIONS))
        if self.cluster.api.items(sources):
            now = datetime.now(timezone.utc).isoformat()
            asked = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": now}}}
            self.cluster.api.patch(f"{sources}/{RELEASE}", asked)
            return
        source = {"interval": "1h", "url": self._url, "ref": {"branch": "main"}}
        wanted = {
            "interval": "1h", "retryInterval": "5s", "timeout": "10s", "prune": True, "wait": self.wait, "path": "./",
            "sourceRef": {"kind": "GitRepository", "name": RELEASE},
        }  # fmt: skip
        for path, group, kind, spec in (
            (sources, "source", "GitRepository", source),
            (kustomizations, "kustomize", "Kustomization", wanted),
        ):
            content = {"apiVersion": f"{group}.toolkit.fluxcd.io/v1", "kind": kind, "metadata": {"name": RELEASE}}
            self.cluster.api.create(path, {**content, "spec": spec})
