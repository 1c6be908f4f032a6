"""What a real API server says of a rendering: a dry run in strict mode, in a namespace that takes restricted pods only."""

from __future__ import annotations

import requests
from control_plane import Cluster
from kubernetes_api import Api, Content

from release_tool import manifests


def refused(cluster: Cluster, rendering: str, *, pods: bool = True) -> dict[str, str]:
    """`Kind name` -> what the server says of each object that it refuses, its pods under `Pod NAME`.

    Each object is made as `kubectl create` does, and applied on the server as Flux and Helm do. A workload's pods are made as well, one of
    each workload: what they may not do is seen at them alone; `pods`: whether that is asked.
    """
    found: dict[str, str] = {}
    for one in manifests.objects(rendering):
        content, key = one.content, one.key
        _ask(cluster.api, content, f"{key.kind} {key.name}", found)
        if pods and key.kind == "Deployment" and not found:
            pod = {"apiVersion": "v1", "kind": "Pod", **content["spec"]["template"]}
            pod["metadata"] = {**pod["metadata"], "name": key.name, "namespace": key.namespace}
            pod["spec"] = {**pod["spec"], "serviceAccountName": "default"}  # the chart's own is not there in a dry run
            _ask(cluster.api, pod, f"Pod {key.name}", found)
    return found


def _ask(api: Api, content: Content, title: str, found: dict[str, str]) -> None:
    path = path_of(api, content)
    name = content["metadata"]["name"]
    strict = {"dryRun": "All", "fieldValidation": "Strict", "fieldManager": "test"}
    try:
        api.create(path, content, **strict)
        api.apply(f"{path}/{name}", content, **strict)
    except requests.HTTPError as error:
        found[title] = error.response.json()["message"]


def path_of(api: Api, content: Content) -> str:
    """Where the objects of its kind and namespace stand."""
    group, version, kind = content["apiVersion"].rpartition("/")[0], content["apiVersion"], content["kind"]
    root = f"/apis/{version}" if group else f"/api/{version}"
    plural, namespaced = _kinds(api, root)[kind]
    return f"{root}/namespaces/{content['metadata']['namespace']}/{plural}" if namespaced else f"{root}/{plural}"


_KNOWN: dict[tuple[str, str], dict[str, tuple[str, bool]]] = {}


def _kinds(api: Api, root: str) -> dict[str, tuple[str, bool]]:
    if (api.url, root) not in _KNOWN:
        served = api.get(root)["resources"]
        _KNOWN[api.url, root] = {
            one["kind"]: (one["name"], one["namespaced"]) for one in served if "/" not in one["name"]
        }
    return _KNOWN[api.url, root]
