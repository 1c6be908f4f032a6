"""Follows what stands in a cluster, by its API server's own watches, for as long as a block runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import urllib3
from envoy_parts import Object
from kubernetes import config
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from recording import LAW, Breach, Event, Key, Moment, breaches, moments, object_key, ready_versions, told

KINDS = (
    ("v1", "Pod"),
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("networking.istio.io/v1", "VirtualService"),
    ("networking.istio.io/v1", "DestinationRule"),
    ("networking.istio.io/v1", "Gateway"),
    ("networking.istio.io/v1alpha3", "EnvoyFilter"),
    ("gateway.networking.k8s.io/v1", "GRPCRoute"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
)
_WATCH = 20  # seconds; then it is asked again from where it ended
_FAR = 120.0


class Watcher:
    """All changes of the kinds that decide who answers a call, in these namespaces.

    `extra`: objects that the proxies know too, such as a gateway of somebody else.
    """

    def __init__(self, kubeconfig: Path, *namespaces: str, extra: Sequence[Object] = ()) -> None:
        self.extra = extra
        self._namespaces = namespaces
        self._kubeconfig = kubeconfig
        self._over = threading.Event()
        self._events: list[Event] = []
        self._begin = 0
        self.changed = threading.Condition()
        self.objects: dict[Key, Object] = {}
        self.known: dict[Key, Object] = {}  # pods that are gone too

    def __enter__(self) -> Watcher:
        # Each kind has a client of its own: a client's connections are no more than the machine's cores.
        client = self._client()
        for group, kind in KINDS:
            with suppress(ResourceNotFoundError):
                client.resources.get(api_version=group, kind=kind)
                resource = self._client().resources.get(api_version=group, kind=kind)
                for namespace in self._namespaces:
                    revision = self._list(resource, namespace)
                    self._begin = max(self._begin, revision)
                    follow = threading.Thread(target=self._follow, args=(resource, namespace, revision), daemon=True)
                    follow.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with self.changed:
            self.changed.notify_all()

    def _client(self) -> DynamicClient:
        urllib3.disable_warnings()
        return DynamicClient(config.new_client_from_config(str(self._kubeconfig)))

    def _list(self, resource: Any, namespace: str) -> int:
        found = resource.get(namespace=namespace).to_dict()
        for item in found["items"]:
            self._take({"kind": resource.kind, **item}, gone=False)
        return int(found["metadata"]["resourceVersion"])

    def _follow(self, resource: Any, namespace: str, revision: int) -> None:
        while not self._over.is_set():
            try:
                for event in resource.watch(namespace=namespace, resource_version=revision, timeout=_WATCH):
                    revision = int(event["raw_object"]["metadata"]["resourceVersion"])
                    if self._over.is_set():
                        return
                    self._take(event["raw_object"], gone=event["type"] == "DELETED")
            except ApiException as error:
                # 410: its history is gone. What happened in between can't be told any more, so nothing may go on.
                if error.status == 410:
                    raise
                time.sleep(0.2)
            except (urllib3.exceptions.HTTPError, OSError):  # the server is starting anew, or ended
                self._over.wait(0.2)

    def _take(self, content: Object, *, gone: bool) -> None:
        key = object_key(content)
        event = Event(int(content["metadata"]["resourceVersion"]), time.time(), key, None if gone else content)
        with self.changed:
            self._events.append(event)
            if gone:
                self.objects.pop(key, None)
            else:
                self.objects[key] = content
                if key[0] == "Pod":
                    self.known[key] = content
            self.changed.notify_all()

    # -- what it saw --

    @property
    def revision(self) -> int:
        """The newest that it knows of. Time is no measure: an older change of another kind may arrive after it."""
        with self.changed:
            return max(event.revision for event in self._events)

    def moments(self, begin: int = 0) -> Iterator[Moment]:
        """From this revision on: what stands then, and each change."""
        with self.changed:
            events = list(self._events)
        return moments(events, max(begin, self._begin), self.extra)

    def breaches(self, kinds: Sequence[str] = LAW) -> list[Breach]:
        return breaches(self.moments(), kinds)

    def told(self, *versions: str) -> str:
        return told(self.moments(), versions)

    def until(self, done: Callable[[dict[Key, Object]], Any], what: str, within: float = _FAR) -> None:
        """Wait until the objects say so. AssertionError: they don't, with all that was seen."""
        end = time.monotonic() + within
        with self.changed:
            while not done(self.objects):
                rest = end - time.monotonic()
                assert rest > 0, f"not within {within} s: {what}\n{self.told()}"
                self.changed.wait(rest)

    def until_ready(self, within: float = _FAR, **pods: int) -> None:
        """Wait until these versions, and no others, have so many ready endpoints."""
        self.until(lambda objects: ready_versions(objects, self.known) == pods, f"the ready pods are {pods}", within)


def is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
