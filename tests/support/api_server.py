"""A small API server on 127.0.0.1. What it serves are recorded shapes: written after the API's own schema, and held
against it before anybody reads them; no cluster stands behind it.

It pages, selects by labels and refuses as a real one does: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import copy
import json
import re
import ssl
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kubernetes_validate
import yaml

TOKEN = "let-me-in"
KINDS = {"deployments": "Deployment", "pods": "Pod", "endpointslices": "EndpointSlice", "applications": "Application"}
GROUPS = {"deployments": "apps", "pods": "", "endpointslices": "discovery.k8s.io", "applications": "argoproj.io"}
PAGE = 2
"""So many items of a list are given at once, however many are asked for: a server may do so."""

LABELS = {"app.kubernetes.io/name": "engine", "app.kubernetes.io/tag": "v5"}
_CREATED = "2026-11-19T12:00:00Z"
_RESOURCES = {"limits": {"memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}}


def at(when: datetime) -> str:
    """A time as the API writes it."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def deployment(name: str = "engine-v5", *, wanted: int = 3, available: int = 3, generation: int = 2) -> Any:
    """A Deployment as the controller leaves it; fields of its status that are 0 are left out, as Go leaves them out."""
    counted = {"replicas": wanted, "readyReplicas": available, "availableReplicas": available}
    counted |= {"updatedReplicas": wanted, "unavailableReplicas": wanted - available}
    enough = available >= wanted - wanted // 4
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name, "namespace": "shop", "uid": "0a6d1b0e-2f5e-4c56-9d1e-3f9f0a7f5f10", "resourceVersion": "81342",
            "generation": generation, "creationTimestamp": _CREATED, "labels": dict(LABELS),
            "annotations": {"deployment.kubernetes.io/revision": "1"},
        },
        "spec": {
            "replicas": wanted, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": dict(LABELS)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {
                "metadata": {"labels": dict(LABELS)},
                "spec": {"containers": [{"name": "engine", "image": "engine:1.0.5", "resources": _RESOURCES}]},
            },
        },
        "status": {
            "observedGeneration": generation,
            **{key: value for key, value in counted.items() if value},
            "conditions": [
                condition("Available", enough, "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"),
                condition("Progressing", True, "NewReplicaSetAvailable"),
            ],
        },
    }  # fmt: skip


def condition(kind: str, holds: bool, reason: str, message: str = "so it is") -> Any:
    times = {"lastTransitionTime": _CREATED, "lastUpdateTime": _CREATED}
    return {"type": kind, "status": "True" if holds else "False", "reason": reason, "message": message, **times}


def pod(name: str, *, ready: bool = True, restarts: int = 0, ended: datetime | None = None, waits: str = "") -> Any:
    """A pod of the Deployment `engine-v5`.

    Args:
        name: its name, after that of its ReplicaSet.
        ready: whether its readiness probe is content.
        restarts: how often its container was restarted.
        ended: when it ended last.
        waits: for what its container waits; empty: it runs.
    """
    stamp = "2026-11-20T11:00:00Z"
    container = {
        "name": "engine", "image": "engine:1.0.5", "imageID": "engine@sha256:" + "0" * 64, "ready": ready,
        "started": not waits, "restartCount": restarts, "lastState": {},
        "containerID": "containerd://" + "1" * 64,
        "state": {"waiting": {"reason": waits, "message": "back-off 5m0s"}} if waits else {"running": {"startedAt": stamp}},
    }  # fmt: skip
    if ended is not None:
        begun = at(ended - timedelta(seconds=20))
        last = {"exitCode": 137, "reason": "OOMKilled", "startedAt": begun, "finishedAt": at(ended)}
        container["lastState"] = {"terminated": {**last, "containerID": "containerd://" + "1" * 64}}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "engine-v5-6d4cf56db6", "controller": True}
    owner |= {"blockOwnerDeletion": True, "uid": "4b4c0b1c-2f43-4a27-8a3a-0b1b7b1f8a01"}
    kinds = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"engine-v5-6d4cf56db6-{name}", "generateName": "engine-v5-6d4cf56db6-", "namespace": "shop",
            "uid": "9a6d1b0e-2f5e-4c56-9d1e-3f9f0a7f5f11", "resourceVersion": "81340", "creationTimestamp": _CREATED,
            "labels": {**LABELS, "pod-template-hash": "6d4cf56db6"}, "ownerReferences": [owner],
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": "engine", "image": "engine:1.0.5", "resources": _RESOURCES}]},
        "status": {
            "phase": "Running", "podIP": "10.0.0.9", "podIPs": [{"ip": "10.0.0.9"}], "hostIP": "10.1.0.1", "startTime": _CREATED,
            "conditions": [
                {"type": kind, "status": str(ready or "eady" not in kind), "lastProbeTime": None, "lastTransitionTime": _CREATED}
                for kind in kinds
            ],
            "containerStatuses": [container], "qosClass": "Burstable",
        },
    }  # fmt: skip


def endpoints(*pods: Any, name: str = "engine-abcde", ready: bool | None = None) -> Any:
    """The EndpointSlice of a Service that selects these pods.

    Args:
        pods: the pods.
        name: of the slice.
        ready: what it says of all of them; None: what each says itself.
    """
    found = []
    for one in pods:
        good = one["status"]["containerStatuses"][0]["ready"] if ready is None else ready
        target = {"kind": "Pod", "name": one["metadata"]["name"], "namespace": "shop", "uid": one["metadata"]["uid"]}
        conditions = {"ready": good, "serving": good, "terminating": False}
        found.append({"addresses": ["10.0.0.9"], "conditions": conditions, "nodeName": "node-1", "targetRef": target})
    labels = {"kubernetes.io/service-name": "engine", "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}  # fmt: skip
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": _CREATED, "labels": labels},
        "addressType": "IPv4",
        "endpoints": found,
        "ports": [{"name": "grpc", "port": 50051, "protocol": "TCP"}],
    }


def application(name: str, commit: str, *, health: str = "Healthy", **status: Any) -> Any:
    """Argo CD's Application, as one that is synced to a commit and has had no other (`tests/real` shows them by Argo CD)."""
    source = {"repoURL": "https://example.com/gitops.git", "path": "charts/grpc-manifest", "targetRevision": "main"}
    deployed = {"id": 0, "revision": commit, "deployedAt": "2026-11-19T12:00:00Z", "source": source}
    said = {"sync": {"status": "Synced", "revision": commit}, "health": {"status": health}, "history": [deployed]}
    policy = {"automated": {"prune": True}, "syncOptions": ["ApplyOutOfSyncOnly=true"]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {"project": "default", "source": source, "syncPolicy": policy},
        "status": {**said, **status},
    }


@dataclass
class ApiServer:
    """Serves objects, to whoever has the token.

    Attributes:
        objects: what there is.
        forbidden: the resources that nobody may read.
        raw: answers that are given in place of all others: status and body.
        paths: what was asked for.
        over: is set at the end; a request that hangs waits for it.
    """

    tls: ssl.SSLContext | None = None
    objects: list[Any] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)
    raw: tuple[int, bytes] | None = None
    hangs: bool = False
    paths: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> ApiServer:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if outer.hangs:
                    outer.over.wait(20)
                status, body = outer.answer(self.path, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                if 300 <= status <= 399:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._server.server_port}"

    def kubeconfig(self, path: Path, *, token: str = TOKEN, authority: str = "") -> Path:
        """Writes one with a context `here`, which is the current one, and returns it."""
        cluster = {"server": self.url, **({"certificate-authority": authority} if authority else {})}
        written = {
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "local", "cluster": cluster}],
            "users": [{"name": "robot", "user": {"token": token}}],
            "contexts": [{"name": "here", "context": {"cluster": "local", "user": "robot"}}],
        }  # fmt: skip
        path.write_text(yaml.safe_dump(written), encoding="utf-8")
        return path

    def answer(self, target: str, authorization: str) -> tuple[int, bytes]:
        """Status and body."""
        self.paths.append(target)
        if self.raw is not None:
            return self.raw
        if authorization != f"Bearer {TOKEN}":
            return _status(401, "Unauthorized", "Unauthorized")
        url = urlsplit(target)
        found = re.fullmatch(
            r"/apis?(?:/([a-z.0-9]+))?/v1(?:alpha1)?/namespaces/([^/]+)/([a-z]+)(?:/([^/]+))?", url.path
        )
        assert found, target
        group, namespace, resource, name = found.groups()
        assert (group or "") == GROUPS[resource], target
        if resource in self.forbidden:
            return _status(403, "Forbidden", f'{resource} is forbidden: User "robot" cannot get it')
        items = [one for one in self.objects if one["kind"] == KINDS[resource]]
        items = [one for one in items if one["metadata"]["namespace"] == namespace]
        for one in items if group != GROUPS["applications"] else ():
            kubernetes_validate.validate(one, "1.32", strict=True)
        if name:
            named = [one for one in items if one["metadata"]["name"] == name]
            return (200, _json(named[0])) if named else _status(404, "NotFound", f'{resource} "{name}" not found')
        query = {key: value[0] for key, value in parse_qs(url.query).items()}
        return self._listed(resource, items, query)

    def _listed(self, resource: str, items: list[Any], query: dict[str, str]) -> tuple[int, bytes]:
        chosen = [one for one in items if matches(query.get("labelSelector", ""), one["metadata"].get("labels", {}))]
        begin = int(query.get("continue", "0"))
        end = begin + min(PAGE, int(query["limit"]))
        mark = {"continue": str(end), "remainingItemCount": len(chosen) - end} if end < len(chosen) else {}
        bare = [{key: value for key, value in one.items() if key not in {"kind", "apiVersion"}} for one in chosen]
        group = GROUPS[resource]
        return 200, _json(
            {
                "kind": f"{KINDS[resource]}List",
                "apiVersion": f"{group}/v1" if group else "v1",
                "metadata": {"resourceVersion": "81350", **mark},
                "items": bare[begin:end],
            }
        )


def matches(selector: str, labels: dict[str, str]) -> bool:
    """Whether labels are selected (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/)."""
    for part in re.split(r",(?![^(]*\))", selector) if selector else ():
        among = re.fullmatch(r"(\S+) (in|notin) \(([^)]*)\)", part)
        if among:
            key, word, values = among.groups()
            if (labels.get(key) in values.split(",")) != (word == "in"):
                return False
        elif part.startswith("!"):
            if part[1:] in labels:
                return False
        elif "=" in part:
            key, _, value = part.partition("=")
            if labels.get(key) != value:
                return False
        elif part not in labels:
            return False
    return True


def changed(one: Any, **status: Any) -> Any:
    """A copy with other values in its status; None takes one out."""
    made = copy.deepcopy(one)
    for key, value in status.items():
        made["status"].pop(key, None)
        if value is not None:
            made["status"][key] = value
    return made


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _status(code: int, reason: str, message: str) -> tuple[int, bytes]:
    said = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return code, _json({**said, "message": message, "reason": reason, "code": code})
