"""A cluster in small: objects, pods that are real servers, one gateway that is a real Envoy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gateway_api
from envoy import Envoy
from rendering import request
from servers import Client, Pod
from translator import Configuration, Object, Proxy, translate

from release_tool import manifests
from release_tool.helm import make_renderer
from release_tool.helm.request import RenderRequest
from release_tool.manifests import ObjectKey

Key = tuple[str, ObjectKey]  # of a release
HOST = "engine.example.com"
GATEWAY = Proxy("istio-ingress", {"istio": "ingressgateway"})
ROUTED = (
    f"virtualService: {{gateways: [], hosts: [{HOST}]}}\ngateway: {{enabled: true}}\nreplicaCount: 1\n"
    # Short, so that a test sees a pod come back.
    "destinationRule: {trafficPolicy: {outlierDetection: {baseEjectionTime: 3s, interval: 1s}}}\n"
)
BY_GATEWAY_API = (
    "replicaCount: 1\n"
    f"routing: {{kind: gateway-api, parentRefs: [{{name: public, namespace: gateways}}], hostnames: [{HOST}]}}\n"
)
PUBLIC: Object = {  # the gateway of somebody else that its routes name
    "kind": "Gateway",
    "metadata": {"name": "public", "namespace": "gateways"},
    "spec": {
        "gatewayClassName": "any",
        "listeners": [
            {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}
        ],
    },
}
FILTERED = ROUTED + "envoyFilter: {enabled: true, namespace: istio-ingress}\n"


class SyncStuck(Exception):
    """A live version does not become ready: Argo CD goes on to no later wave."""


class Cluster:
    """Objects are applied as Argo CD applies them, and the gateway learns of them as from istiod."""

    def __init__(self, folder: Path) -> None:
        self.envoy = Envoy(folder)
        self.objects: dict[Key, Object] = {}
        self.pods: dict[str, Pod] = {}
        self.never_ready: set[str] = set()
        self.lag = 0.0
        self.sends_unready = False  # as Istio does from 1.31
        self.change: Callable[[list[Object]], list[Object]] = list  # what somebody else makes of the objects

    def __enter__(self) -> Cluster:
        self.envoy.__enter__()
        return self

    def __exit__(self, *what: object) -> None:
        self.envoy.__exit__(*what)
        for pod in self.pods.values():
            pod.die()

    def client(self, host: str = HOST) -> Client:
        return Client(self.envoy.ports[80], host)

    def of(self, name: str) -> list[Pod]:
        return [pod for pod in self.pods.values() if pod.version == name]

    # -- as istiod --

    def configuration(self) -> Configuration:
        known = [pod.endpoint for pod in self.pods.values() if pod.listed or self.sends_unready]
        objects = self.change(list(self.objects.values()))
        if any(one["kind"] in gateway_api.KINDS for one in objects):
            objects = [*objects, PUBLIC]
        return translate(objects, known, GATEWAY)

    def push(self, *kinds: str) -> set[str]:
        return self.envoy.apply(self.configuration(), *kinds)

    # -- as Argo CD --

    def sync(self, *values: str, release_name: str = "engine") -> set[str]:
        """Apply a rendering wave by wave, and delete in these waves what it no longer holds.

        The kinds of the gateway's configuration that changed. SyncStuck: a Deployment before the last wave is not
        ready; nothing after its wave was applied.
        """
        return self.apply(request(*values, release_name=release_name))

    def apply(self, wanted: RenderRequest) -> set[str]:
        """The same for a rendering of any chart."""
        release_name = wanted.release_name
        found = manifests.objects(make_renderer("auto").render(wanted))
        changed: set[str] = set()
        by_wave: dict[int, list[manifests.ManifestObject]] = {}
        for one in found:
            by_wave.setdefault(_wave(one.content), []).append(one)
        kept = {(release_name, one.key) for one in found}
        gone = [key for key in self.objects if key[0] == release_name and key not in kept]
        deleted = _deletions({key: self.objects[key] for key in gone}, max(by_wave, default=0))
        waves = sorted({*by_wave, *deleted})
        for wave in waves:
            for key in deleted.get(wave, ()):
                del self.objects[key]
            self._stop_pods(lambda: changed.update(self.push()))
            now = by_wave.get(wave, [])
            self.objects |= {(release_name, one.key): one.content for one in now}
            self._start_pods()
            changed.update(self.push())
            versions = {_version(one.content) for one in now if one.content["kind"] == "Deployment"}
            if versions & self.never_ready and wave != waves[-1]:
                raise SyncStuck
            time.sleep(self.lag)
        return changed

    def _start_pods(self) -> None:
        for one in self._deployments():
            labels = one["spec"]["template"]["metadata"]["labels"]
            version = _version(one)
            for number in range(one["spec"]["replicas"]):
                name = f"{one['metadata']['name']}-{number}"
                if name not in self.pods:
                    self.pods[name] = Pod(name, version, one["metadata"]["namespace"], labels)
                    self.pods[name].become_ready(ready=version not in self.never_ready)

    def _stop_pods(self, push: Callable[[], Any]) -> None:
        """A pod that goes leaves the endpoints first, and has its preStop pause while the proxies learn of it."""
        wanted = {one["metadata"]["name"] for one in self._deployments()}
        going = [name for name in self.pods if name.rpartition("-")[0] not in wanted]
        for name in going:
            self.pods[name].listed = False
        push()
        for name in going:
            self.pods.pop(name).end()

    def _deployments(self) -> list[Object]:
        return [one for one in self.objects.values() if one["kind"] == "Deployment"]


def _wave(content: Object) -> int:
    return int(content["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", 0))


def _deletions(gone: Mapping[Key, Object], last: int) -> dict[int, list[Key]]:
    """The waves in which Argo CD deletes what left Git: its own ones turned round, and after all others with PruneLast.

    getSyncTasks in pkg/sync/sync_context.go of gitops-engine, at Argo CD 3.2.
    """
    waves = sorted({_wave(content) for content in gone.values()})
    turned = dict(zip(waves, reversed(waves), strict=True))
    found: dict[int, list[Key]] = {}
    for key, content in gone.items():
        options = content["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-options", "")
        wave = max([last, *waves]) + 1 if "PruneLast=true" in options.split(",") else turned[_wave(content)]
        found.setdefault(wave, []).append(key)
    return found


def _version(deployment: Object) -> str:
    name: str = deployment["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/tag"]
    return name
