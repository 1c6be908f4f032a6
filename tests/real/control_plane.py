"""A real Kubernetes on 127.0.0.1: etcd, API server and controllers, with nodes that are played (simulated_nodes.py).

Istio's and the Gateway API's definitions are applied; nobody acts on their objects.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from kubernetes_api import Api
from processes import free_port, running
from real_programs import ROOT, missing, path, server
from simulated_nodes import METRICS_DEFINITION, Nodes

TOKEN = "of-the-administrator"
CONTROLLERS = [
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "cronjob-controller",
    "endpointslice-controller",
    "horizontal-pod-autoscaler-controller",
    "disruption-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "resourcequota-controller",
]
DEFINITIONS = {"istio-definitions": "Istio", "gateway-definitions": "the Gateway API"}


def need(*programs: str) -> None:
    """Skips the test where a program is not there."""
    if found := missing(*programs):
        pytest.skip(f"needs {', '.join(found)}: make real-programs (Go), apt-get install etcd-server redis-server")


def until(holds: Callable[[], Any], seconds: float = 30, what: str = "") -> Any:
    """The first true answer; AssertionError when the time is over."""
    end = time.monotonic() + seconds
    while not (answer := holds()):
        assert time.monotonic() < end, f"not within {seconds} s: {what or holds}"
        time.sleep(0.05)
    return answer


@dataclass(frozen=True)
class Cluster:
    """`api`: plain calls as administrator; `kubeconfig`: the same for programs."""

    folder: Path
    api: Api
    kubeconfig: Path
    nodes: Nodes

    def kubectl(self, *arguments: str, content: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """`content`: its standard input, for `-f -`. What it prints is told where it fails."""
        command = [path("kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=content, capture_output=True, text=True, check=False, timeout=120)
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done

    def namespace(self, name: str, **labels: str) -> str:
        """Makes it; `labels` with `_` for `-`: `pod_security="restricted"` enforces that level."""
        level = labels.pop("pod_security", "")
        wanted = {**({"pod-security.kubernetes.io/enforce": level} if level else {}), **labels}
        self.api.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": wanted}})
        # Before its account is there, a namespace takes no pods.
        until(lambda: self.api.items(f"/api/v1/namespaces/{name}/serviceaccounts"), what="the service account")
        return name

    def wait_for(self, namespace: str, deployments: int | None = None, seconds: float = 60) -> None:
        """Until all Deployments of a namespace (`deployments` of them) are rolled out."""

        def done() -> bool:
            found = self.api.items(f"/apis/apps/v1/namespaces/{namespace}/deployments")
            return all(map(rolled_out, found)) and (deployments is None or len(found) == deployments)

        until(done, seconds, f"Deployments of {namespace} are rolled out")


def rolled_out(deployment: dict[str, Any]) -> bool:
    wanted, status = deployment["spec"].get("replicas", 1), deployment.get("status", {})
    counted = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
    return status.get("observedGeneration") == deployment["metadata"]["generation"] and counted == [wanted] * 3


@contextmanager
def control_plane(folder: Path) -> Iterator[Cluster]:
    need("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
    definitions = [ROOT / ".cache" / f"{name}.yaml" for name in DEFINITIONS]
    for file, title in zip(definitions, DEFINITIONS.values(), strict=True):
        if not file.is_file():
            pytest.skip(f"the definitions of {title} are not here: make {file.stem} (it needs Go)")
    with ExitStack() as ended:
        etcd = _etcd(folder, ended)
        api = _api_server(folder, etcd, ended)
        kubeconfig = _kubeconfig(folder, api)
        _controllers(folder, kubeconfig, ended)
        cluster = Cluster(folder, api, kubeconfig, Nodes(api))
        ended.enter_context(cluster.nodes.running())
        define(cluster, *definitions)
        cluster.kubectl("apply", "-f", "-", content=json.dumps(METRICS_DEFINITION))
        yield cluster


def define(cluster: Cluster, *files: Path) -> None:
    """Applies CustomResourceDefinitions and waits until they are served."""
    for file in files:
        cluster.kubectl("apply", "--server-side", "-f", str(file))
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    until(lambda: all(map(_established, cluster.api.items(definitions))), 60, "the definitions are served")


def _established(definition: dict[str, Any]) -> bool:
    conditions = definition.get("status", {}).get("conditions") or ()
    return any((one["type"], one["status"]) == ("Established", "True") for one in conditions)


def _etcd(folder: Path, ended: ExitStack) -> str:
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    command = server(
        "etcd", "--data-dir", str(folder / "etcd"), "--unsafe-no-fsync",
        "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
        "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
    )  # fmt: skip
    ended.enter_context(running(command, folder / "etcd.log"))
    return client


def _api_server(folder: Path, etcd: str, ended: ExitStack) -> Api:
    key, port = folder / "accounts.key", free_port()
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    (folder / "tokens.csv").write_text(f'{TOKEN},administrator,administrator,"system:masters"\n', "utf-8")
    command = server(
        "kube-apiserver", "--etcd-servers", etcd, "--secure-port", str(port), "--cert-dir", str(folder / "certificates"),
        "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--endpoint-reconciler-type", "none",
        "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", str(key),
        "--service-account-signing-key-file", str(key), "--token-auth-file", str(folder / "tokens.csv"),
        "--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.0.0.0/16", "--anonymous-auth=false",
        "--max-requests-inflight", "2000", "--shutdown-delay-duration", "0s",
    )  # fmt: skip
    ended.enter_context(running(command, folder / "api-server.log", patience=1))  # it waits for those who watch
    api = Api(f"https://127.0.0.1:{port}", TOKEN, folder / "certificates" / "apiserver.crt")

    def ready() -> bool:
        try:
            return bool(api.get("/api/v1/namespaces/default")) and api.ready()
        except (requests.RequestException, OSError):
            return False

    until(ready, 60, f"the API server is ready: {folder / 'api-server.log'}")
    return api


def _kubeconfig(folder: Path, api: Api) -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "real", "cluster": {"server": api.url, "certificate-authority": str(api.certificate)}}],
        "users": [{"name": "real", "user": {"token": api.token}}],
        "contexts": [{"name": "real", "context": {"cluster": "real", "user": "real"}}],
        "current-context": "real",
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(content), "utf-8")
    return file


def _controllers(folder: Path, kubeconfig: Path, ended: ExitStack) -> None:
    command = server(
        "kube-controller-manager", "--kubeconfig", str(kubeconfig), "--controllers", ",".join(CONTROLLERS),
        "--bind-address", "127.0.0.1", "--secure-port", str(free_port()), "--cert-dir", str(folder / "certificates-of-controllers"),
        "--service-account-private-key-file", str(folder / "accounts.key"),
        "--root-ca-file", str(folder / "certificates" / "apiserver.crt"), "--leader-elect=false",
        "--kube-api-qps", "500", "--kube-api-burst", "1000", "--concurrent-namespace-syncs", "10",
        # The autoscaler looks every second and trusts what it reads at once.
        "--horizontal-pod-autoscaler-sync-period", "1s", "--horizontal-pod-autoscaler-cpu-initialization-period", "0s",
        "--horizontal-pod-autoscaler-initial-readiness-delay", "0s", "--horizontal-pod-autoscaler-downscale-stabilization", "1s",
    )  # fmt: skip
    ended.enter_context(running(command, folder / "controllers.log"))
