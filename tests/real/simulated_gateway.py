"""The controller of a gateway, as far as others wait for it: it says of each route that it took it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from kubernetes_api import Api, Content


@contextmanager
def gateway(api: Api, namespace: str) -> Iterator[None]:
    """Takes all GRPCRoutes of a namespace."""
    over = threading.Event()
    thread = threading.Thread(target=_take, args=(api, namespace, over), daemon=True)
    thread.start()
    yield
    over.set()
    thread.join(10)


def _take(api: Api, namespace: str, over: threading.Event) -> None:
    path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/grpcroutes"
    taken: dict[str, int] = {}
    while not over.wait(0.2):
        try:
            for route in api.items(path):
                name, generation = route["metadata"]["name"], route["metadata"]["generation"]
                if taken.get(name) != generation:
                    api.patch(
                        f"{path}/{name}/status",
                        {"status": {"parents": [_said(one, route) for one in route["spec"]["parentRefs"]]}},
                    )
                    taken[name] = generation
        except requests.RequestException:
            continue  # it went, or changed, meanwhile


def _said(parent: Content, route: Content) -> Content:
    conditions = [
        {
            "type": kind, "status": "True", "reason": kind, "message": "it is played",
            "observedGeneration": route["metadata"]["generation"], "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        for kind in ("Accepted", "ResolvedRefs")
    ]  # fmt: skip
    return {"controllerName": "example.com/played", "parentRef": parent, "conditions": conditions}
