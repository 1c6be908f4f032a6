"""Nodes and pods, the only part of a cluster that is played: no container runs.

As a kubelet would, it reports of each pod that it starts, becomes ready, crashes or ends. What a version's pods do can be
changed at any time, also of pods that run already: `nodes.behave(namespace, "v3", Behaviour(crashes=True))`.
"""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubernetes_api import Api

VERSION = "app.kubernetes.io/tag"
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "node-1", "labels": {"kubernetes.io/hostname": "node-1"}},
    "status": {
        "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}],
        "capacity": {"cpu": "1000", "memory": "1000Gi", "pods": "10000"},
        "allocatable": {"cpu": "1000", "memory": "1000Gi", "pods": "10000"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "it is played"}],
    },
}
METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods"
METRICS_DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "pods.metrics.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, the autoscaler reads what the nodes report"},
    },
    "spec": {
        "group": "metrics.k8s.io",
        "scope": "Namespaced",
        "names": {"kind": "PodMetrics", "listKind": "PodMetricsList", "plural": "pods", "singular": "pod"},
        "versions": [
            {
                "name": "v1beta1", "served": True, "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}  # fmt: skip


@dataclass(frozen=True)
class Behaviour:
    """What the pods of a version do; times in seconds.

    `stops_after`: from its deletion to its end, by default the preStop pause that the pod asks for. `cpu`: what the
    autoscaler is told that each pod uses, such as "350m"; nothing is told without it.
    """

    ready_after: float = 0.2
    never_ready: bool = False
    crashes: bool = False
    stops_after: float | None = None
    cpu: str = ""


@dataclass
class _Pod:
    content: dict[str, Any]
    bound: float = 0.0
    ends: float = 0.0
    said: str = ""
    measured: str = ""
    address: str = ""
    restarts: Iterator[int] = field(default_factory=itertools.count)


class Nodes:
    def __init__(self, api: Api) -> None:
        self.api = api
        self.default = Behaviour()
        self._behaviours: dict[tuple[str, str], Behaviour] = {}
        self._pods: dict[str, _Pod] = {}
        self._addresses = (f"10.128.{high}.{low}" for high in range(256) for low in range(1, 255))
        self._stopped = threading.Event()

    def behave(self, namespace: str, version: str, behaviour: Behaviour) -> None:
        """From now on; `version`: the label app.kubernetes.io/tag of its pods, "" for pods without one."""
        self._behaviours[namespace, version] = behaviour

    @contextmanager
    def running(self) -> Iterator[None]:
        self.api.create("/api/v1/nodes", NODE)
        # The listener ends with the API server, whose last word it waits for.
        threading.Thread(target=self._listen, daemon=True).start()
        player = threading.Thread(target=self._play, daemon=True)
        player.start()
        try:
            yield
        finally:
            self._stopped.set()
            player.join(10)

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                for event in self.api.watch("/api/v1/pods"):
                    self._heard(event["type"], event["object"])
            except requests.RequestException:
                self._stopped.wait(0.2)  # the API server is being started again

    def _heard(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "DELETED":
            self._pods.pop(content["metadata"]["uid"], None)
        elif kind in ("ADDED", "MODIFIED"):
            pod = self._pods.setdefault(content["metadata"]["uid"], _Pod(content))
            pod.content = content

    def _play(self) -> None:
        while not self._stopped.wait(0.05):
            for pod in list(self._pods.values()):
                try:
                    self._step(pod)
                except requests.HTTPError as error:
                    # It changed, or went, meanwhile: the next event says so.
                    if error.response.status_code == 404:
                        self._pods.pop(pod.content["metadata"]["uid"], None)
                    elif error.response.status_code not in {403, 409}:  # 403: its namespace is being deleted
                        raise
                except requests.RequestException:
                    break

    def _step(self, pod: _Pod) -> None:
        metadata, spec, now = pod.content["metadata"], pod.content["spec"], time.monotonic()
        behaviour = self._behaviours.get(
            (metadata["namespace"], metadata.get("labels", {}).get(VERSION, "")), self.default
        )
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        if "deletionTimestamp" in metadata:
            pause = _pause(pod.content) if behaviour.stops_after is None else behaviour.stops_after
            pod.ends = pod.ends or now + min(pause, metadata.get("deletionGracePeriodSeconds", 30))
            if now >= pod.ends:
                self.api.delete(path, {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}})
                self._pods.pop(metadata["uid"], None)
            return
        if not pod.bound:
            if not spec.get("nodeName"):
                target = {"apiVersion": "v1", "kind": "Node", "name": "node-1"}
                self.api.create(
                    f"{path}/binding",
                    {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": metadata["name"]}, "target": target},
                )
            pod.bound, pod.address = now, next(self._addresses)
        state = _state(behaviour, now - pod.bound, spec)
        if state != pod.said:
            self.api.patch(f"{path}/status", {"status": _status(pod, state.partition(" ")[0])})
            pod.said = state
        if behaviour.cpu != pod.measured:
            self._measure(metadata, spec, behaviour.cpu, first=not pod.measured)
            pod.measured = behaviour.cpu

    def _measure(self, metadata: dict[str, Any], spec: dict[str, Any], cpu: str, *, first: bool) -> None:
        reported = {
            "apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics", "timestamp": _now(), "window": "10s",
            "metadata": {
                "name": metadata["name"], "namespace": metadata["namespace"], "labels": metadata.get("labels", {}),
                "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}],
            },
            "containers": [{"name": one["name"], "usage": {"cpu": cpu or "0", "memory": "64Mi"}} for one in spec["containers"]],
        }  # fmt: skip
        path = METRICS.format(namespace=metadata["namespace"])
        if first:
            self.api.create(path, reported)
        else:
            self.api.patch(f"{path}/{metadata['name']}", reported)


def _pause(content: dict[str, Any]) -> float:
    """The longest preStop pause of its containers, in seconds."""
    hooks = [one.get("lifecycle", {}).get("preStop", {}) for one in content["spec"]["containers"]]
    return max(float(hook.get("sleep", {}).get("seconds", 0)) for hook in hooks)


def _state(behaviour: Behaviour, age: float, spec: dict[str, Any]) -> str:
    if age < behaviour.ready_after:
        return "starting"
    if behaviour.crashes:
        # Restarted, and crashed again, every two seconds.
        return f"crashed {int((age - behaviour.ready_after) / 2)}"
    if spec.get("restartPolicy") != "Always":
        return "done"
    return "unready" if behaviour.never_ready else "ready"


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _status(pod: _Pod, state: str) -> dict[str, Any]:
    now, ready = _now(), state == "ready"
    restarts = next(pod.restarts) if state == "crashed" else 0
    failed = {"exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now}
    shown: dict[str, Any] = {
        "starting": {"waiting": {"reason": "ContainerCreating"}},
        "crashed": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}},
        "done": {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}},
    }
    containers = [
        {
            "name": one["name"], "image": one["image"], "imageID": one["image"], "ready": ready, "started": ready,
            "restartCount": restarts, "state": shown.get(state, {"running": {"startedAt": now}}),
            "lastState": {"terminated": failed} if state == "crashed" else {},
        }
        for one in pod.content["spec"]["containers"]
    ]  # fmt: skip
    holds = {"PodScheduled": True, "Initialized": True, "ContainersReady": ready, "Ready": ready}
    conditions = [{"type": kind, "status": str(value), "lastTransitionTime": now} for kind, value in holds.items()]
    return {
        "phase": {"starting": "Pending", "done": "Succeeded"}.get(state, "Running"),
        "conditions": conditions, "containerStatuses": containers, "hostIP": "192.0.2.1", "startTime": now,
        "podIP": pod.address, "podIPs": [{"ip": pod.address}],
    }  # fmt: skip
