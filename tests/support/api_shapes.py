"""The shape that its API asks of an object: Kubernetes' own kinds, and those of Istio and the Gateway API by their definitions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from world import ROOT

DEFINITIONS = {
    "networking.istio.io": ("Istio", "istio-definitions"),
    "gateway.networking.k8s.io": ("the Gateway API", "gateway-definitions"),
}


def check(objects: Iterable[dict[str, Any]], version: str = "1.37") -> set[str]:
    """Raises where an object hasn't its shape; the kinds that were looked at. `version`: of Kubernetes."""
    checked = set()
    for content in objects:
        group, _, number = content["apiVersion"].partition("/")
        if group in DEFINITIONS:
            jsonschema.validate(content["spec"], definitions(group)[content["kind"], number]["properties"]["spec"])
        else:
            kubernetes_validate.validate(content, version, strict=True)
        checked.add(content["kind"])
    return checked


@cache
def definitions(group: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Kind and version -> schema, from the Go module that holds the definitions."""
    title, target = DEFINITIONS[group]
    held = ROOT / ".cache" / f"{target}.yaml"
    if not held.is_file():
        pytest.skip(f"the definitions of {title} are not here: make {target} (it needs Go: apt-get install golang-go)")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = {}
    for definition in yaml.load_all(held.read_text(encoding="utf-8"), Loader=loader):
        for version in (definition or {}).get("spec", {}).get("versions", []):
            schema = version["schema"]["openAPIV3Schema"]
            found[definition["spec"]["names"]["kind"], version["name"]] = closed(schema)
    return found


def closed(schema: Any) -> Any:
    """The schema, refusing keys that it doesn't name, as the API server does in strict mode."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if (
        "properties" in found
        and found.get("type") == "object"
        and not found.get("x-kubernetes-preserve-unknown-fields")
    ):
        found.setdefault("additionalProperties", False)
    return found
