"""A real Argo CD (repo-server, application-controller, redis) on a real Kubernetes, all on 127.0.0.1.

Its Applications read Git over HTTP, as `tests/support/git_server.py` serves a bare repository:

    with serving(tmp_path) as git:                                     # tmp_path/origin.git
        app = argo_cd.application("engine", namespace, git.url, "charts/engine", ["../../environments/devel/image_tag.yaml"])
        app.sync(commit)                                               # refreshed, synced to that commit, or AssertionError
        app.refresh(); app.status["sync"]["revision"]

Between refreshes it looks every RESYNC seconds, as it does in production every three minutes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from control_plane import Cluster, define, need, until
from fixtures import helm_program
from processes import free_port, running
from real_programs import definitions, path, server

RESYNC = 5
NAMESPACE = "argocd"
APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"
IN_CLUSTER = "https://kubernetes.default.svc"
LABELS = {"app.kubernetes.io/part-of": "argocd"}


@dataclass(frozen=True)
class Application:
    """An Application of Argo CD; `content` and `status` are asked anew each time."""

    cluster: Cluster
    name: str

    @property
    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cluster.api.get(f"{APPLICATIONS}/{self.name}")
        return found

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.content.get("status", {})
        return found

    def patch(self, content: dict[str, Any]) -> None:
        self.cluster.api.patch(f"{APPLICATIONS}/{self.name}", content)

    def refresh(self) -> None:
        """As a forge's webhook does: Argo CD looks for a new commit now."""
        self.patch({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})

    def synced_to(self, commit: str) -> bool:
        """That commit was applied, whole: the last sync of it succeeded, and nothing differs from it."""
        status = self.status
        operation = status.get("operationState", {})
        return (
            status.get("sync", {}).get("status") == "Synced"
            and status["sync"].get("revision") == commit
            and operation.get("phase") == "Succeeded"
        )

    def sync(self, commit: str, seconds: float = 60) -> None:
        """Refreshes, and waits until that commit is applied (by an automated Application)."""
        self.refresh()
        until(lambda: self.synced_to(commit), seconds, f"{self.name} is synced to {commit}")

    def delete(self) -> None:
        """The Application alone; its objects stay."""
        self.cluster.api.delete(f"{APPLICATIONS}/{self.name}")


@dataclass(frozen=True)
class ArgoCD:
    cluster: Cluster
    folder: Path
    environment: dict[str, str]
    redis: str
    repo_server: str
    _controller: ExitStack = field(default_factory=ExitStack)

    def application(
        self, name: str, namespace: str, url: str, chart: str, values: Sequence[str] = (),
        *, options: Sequence[str] = (), automated: bool = True, retry: int = 0, **source: Any,
    ) -> Application:  # fmt: skip
        """Makes one for a chart in Git. `values`: paths from the chart; `options`: such as `ApplyOutOfSyncOnly=true`."""
        policy: dict[str, Any] = {"syncOptions": list(options), "retry": {"limit": retry}}
        if automated:
            policy["automated"] = {"prune": True, "selfHeal": True}
        helm = {"releaseName": name, "valueFiles": list(values)}
        spec = {
            "project": "default",
            "source": {"repoURL": url, "path": chart, "targetRevision": "HEAD", "helm": helm, **source},
            "destination": {"server": IN_CLUSTER, "namespace": namespace},
            "syncPolicy": policy,
        }
        content = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name},
            "spec": spec,
        }
        self.cluster.api.create(APPLICATIONS, content)
        return Application(self.cluster, name)

    def reads(self, url: str, username: str, password: str) -> None:
        """It may read a private repository."""
        secret = {
            "metadata": {"name": "repository", "labels": {"argocd.argoproj.io/secret-type": "repository"}},
            "stringData": {"type": "git", "url": url, "username": username, "password": password},
        }
        self.cluster.api.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", secret)

    @contextmanager
    def hook(self) -> Iterator[str]:
        """Its server, which a forge tells of each push; yields where. By itself it looks every three minutes only."""
        need("argocd-server")
        port, metrics = free_port(), free_port()
        command = server(
            "argocd-server", "--kubeconfig", str(self.cluster.kubeconfig), "--namespace", NAMESPACE, "--insecure",
            "--disable-auth", "--address", "127.0.0.1", "--port", str(port), "--metrics-address", "127.0.0.1",
            "--metrics-port", str(metrics), "--redis", self.redis, "--repo-server", self.repo_server, "--repo-server-plaintext",
            "--dex-server", "127.0.0.1:1",
        )  # fmt: skip
        self._controller.close()
        self.start(resync=180)
        with running(command, self.folder / "server.log", env=self.environment):
            until(lambda: _answers(port, "healthz"), 60, f"Argo CD's server: {self.folder / 'server.log'}")
            yield f"http://127.0.0.1:{port}/api/webhook"
        self._controller.close()
        self.start()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nothing is compared and nothing synced while the block runs."""
        self._controller.close()
        yield
        self.start()

    def start(self, resync: int = RESYNC) -> None:
        """The part that compares and syncs."""
        metrics = str(free_port())
        command = server(
            "argocd-application-controller", "--kubeconfig", str(self.cluster.kubeconfig), "--namespace", NAMESPACE,
            "--redis", self.redis, "--repo-server", self.repo_server, "--repo-server-plaintext",
            "--metrics-port", metrics, "--app-resync", str(resync), "--app-resync-jitter", "0",
            "--status-processors", "4", "--operation-processors", "4", "--loglevel", "info",
        )  # fmt: skip
        self._controller.enter_context(
            running(command, self.folder / f"controller-{metrics}.log", env=self.environment)
        )


@contextmanager
def argo_cd_on(cluster: Cluster, folder: Path) -> Iterator[ArgoCD]:
    need("redis-server", "argocd-repo-server", "argocd-application-controller")
    define(cluster, definitions("argocd"))
    _settings(cluster)
    redis, repo_server, metrics = (free_port() for _ in range(3))
    programs = folder / "bin"
    programs.mkdir()
    (programs / "helm").symlink_to(helm_program("helm3"))  # Argo CD brings a Helm 3
    (programs / "argocd").symlink_to(path("argocd"))  # git asks it for the password of a private repository
    (folder / "tmp").mkdir()
    environment = {
        **os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "KUBECONFIG": str(cluster.kubeconfig),
        "HOME": str(folder), "TMPDIR": str(folder / "tmp"), "ARGOCD_FAKE_IN_CLUSTER": "true", "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_CONTROLLER_SHARD": "0", "ARGOCD_TLS_DATA_PATH": str(folder), "ARGOCD_SSH_DATA_PATH": str(folder),
        "ARGOCD_PLUGINSOCKFILEPATH": str(folder), "ARGOCD_ASK_PASS_SOCK": str(folder / "ask-pass"),
    }  # fmt: skip
    with ExitStack() as ended:
        command = server(
            "redis-server", "--bind", "127.0.0.1", "--port", str(redis), "--save", "", "--dir", str(folder)
        )
        ended.enter_context(running(command, folder / "redis.log"))
        command = server(
            "argocd-repo-server", "--address", "127.0.0.1", "--port", str(repo_server), "--metrics-address", "127.0.0.1",
            "--metrics-port", str(metrics), "--disable-tls", "--redis", f"127.0.0.1:{redis}", "--revision-cache-expiration", "1s",
        )  # fmt: skip
        ended.enter_context(running(command, folder / "repo-server.log", env=environment))
        found = ArgoCD(cluster, folder, environment, f"127.0.0.1:{redis}", f"127.0.0.1:{repo_server}")
        until(lambda: _answers(metrics), 30, f"Argo CD's repo-server: {folder / 'repo-server.log'}")
        ended.enter_context(found._controller)
        found.start()
        yield found


def _answers(port: int, path: str = "metrics") -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/{path}", timeout=5).ok
    except requests.RequestException:
        return False


def _settings(cluster: Cluster) -> None:
    cluster.namespace(NAMESPACE)
    namespaced = f"/api/v1/namespaces/{NAMESPACE}"
    cluster.api.create(f"{namespaced}/configmaps", {"metadata": {"name": "argocd-cm", "labels": LABELS}})
    secret = {"metadata": {"name": "argocd-secret", "labels": LABELS}, "stringData": {"server.secretkey": "of-a-test"}}
    cluster.api.create(f"{namespaced}/secrets", secret)
    everything = [{"group": "*", "kind": "*"}]
    project = {
        "sourceRepos": ["*"], "clusterResourceWhitelist": everything,
        "destinations": [{"server": "*", "namespace": "*"}],
    }  # fmt: skip
    content = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default"},
        "spec": project,
    }
    cluster.api.create(APPLICATIONS.replace("applications", "appprojects"), content)
