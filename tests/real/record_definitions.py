"""Writes release_tool/manifests/definitions.json: the shapes that a real API server has of the kinds that charts render.

    make server-definitions

Descriptions are left out, and what the server's own answer doesn't depend on. One line a schema, so that a new version of Kubernetes
shows what it changes.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from control_plane import control_plane
from kubernetes_api import Api, Content
from real_programs import ROOT
from server_rules import DURATION, add

FILE = ROOT / "release_tool" / "manifests" / "definitions.json"
BUILT_IN = {
    "v1": ["ConfigMap", "PersistentVolumeClaim", "Pod", "Secret", "Service", "ServiceAccount"],
    "apps/v1": ["DaemonSet", "Deployment", "StatefulSet"],
    "autoscaling/v2": ["HorizontalPodAutoscaler"],
    "batch/v1": ["CronJob", "Job"],
    "networking.k8s.io/v1": ["Ingress", "NetworkPolicy"],
    "policy/v1": ["PodDisruptionBudget"],
    "rbac.authorization.k8s.io/v1": ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
}
DEFINED = {
    "networking.istio.io": ["DestinationRule", "EnvoyFilter", "Gateway", "ServiceEntry", "VirtualService"],
    "gateway.networking.k8s.io": ["GRPCRoute", "Gateway", "HTTPRoute"],
}
KEPT = frozenset(
    [
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "not",
        "nullable",
        "oneOf",
        "pattern",
        "properties",
        "required",
        "type",
        "uniqueItems",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-preserve-unknown-fields",
    ]
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, control_plane(Path(folder)) as cluster:
        found = record(cluster.api)
    lines = [f" {json.dumps(name)}: {json.dumps(one, separators=(',', ':'))}" for name, one in sorted(found.items())]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def record(api: Api) -> dict[str, Any]:
    version = api.get("/version")
    found: dict[str, Any] = {"": {"kubernetes": f"{version['major']}.{version['minor']}"}}
    for group, kinds in BUILT_IN.items():
        root = "api/v1" if group == "v1" else f"apis/{group}"
        schemas = api.get(f"/openapi/v3/{root}")["components"]["schemas"]
        for kind in kinds:
            (name,) = [name for name, one in schemas.items() if _is(one, group, kind)]
            found[f"{group} {kind}"] = _of(schemas, name, found)
    add(found)
    for one in api.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions"):
        group, kind = one["spec"]["group"], one["spec"]["names"]["kind"]
        for served in one["spec"]["versions"] if kind in DEFINED.get(group, ()) else ():
            schema = kept(served["schema"]["openAPIV3Schema"], KEPT | {"default"})
            schema["properties"]["metadata"] = {"$ref": "ObjectMeta"}
            schema["properties"].pop("status", None)
            same = [name for name, known in found.items() if name.startswith(f"{group}/") and known == schema]
            found[f"{group}/{served['name']} {kind}"] = {"$ref": same[0]} if same else schema
    return found


def _is(schema: Content, group: str, kind: str) -> bool:
    api_version = {"group": group.rpartition("/")[0], "version": group.rpartition("/")[2]}
    return {**api_version, "kind": kind} in schema.get("x-kubernetes-group-version-kind", ())


def _of(schemas: Content, name: str, found: dict[str, Any]) -> Any:
    """A schema; those that it names are added under the last part of their names."""
    schema = kept(schemas[name])
    schema.get("properties", {}).pop("status", None)
    for other in re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(schema)):
        short = other.rpartition(".")[2]
        if short not in found:
            found[short] = {}  # before what it names, which may be itself
            found[short] = _of(schemas, other, found)
    return json.loads(re.sub(r"#/components/schemas/[^\"]*\.(?=[^.\"]+\")", "", json.dumps(schema)))


def kept(schema: Any, keys: frozenset[str] = KEPT) -> Any:
    if isinstance(schema, list):
        return [kept(one, keys) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        key: {name: kept(one, keys) for name, one in value.items()} if key == "properties" else kept(value, keys)
        for key, value in schema.items()
        if key in keys
    }
    if any(one["rule"] == "duration(self) >= duration('1ms')" for one in schema.get("x-kubernetes-validations", ())):
        found |= DURATION
    return found["allOf"][0] if list(found) == ["allOf"] and len(found["allOf"]) == 1 else found


if __name__ == "__main__":
    main()
