"""Every object has the shape that its API asks for: Kubernetes' own kinds, and Istio's by its resource definitions."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from rendering import CHART, GOLDEN, ROOT, request

from release_tool import manifests
from release_tool.helm import Renderer

KUBERNETES = ["1.30", "1.37"]
ALL_ON = (
    "image: {default: v4, tag: {v1: v1.0.1, v3: v1.0.3, v4: v1.0.4, v5: v1.0.5}, retired: {v2: v1.0.2}, "
    "quarantined: {v5: {reason: bad}}}\n"
    "virtualService: {hosts: [engine.example.com], grpcWeb: true, weight: 90, timeout: 30s}\n"
    "gateway: {enabled: true}\nenvoyFilter: {enabled: true}\nautoscaling: {enabled: true}\n"
)
CASES = {
    **{case.name: (case / "values.yaml").read_text(encoding="utf-8") for case in sorted(GOLDEN.iterdir())},
    "on": ALL_ON,
}


@cache
def definitions() -> dict[tuple[str, str], dict[str, Any]]:
    """Kind and version -> schema, from the Go module that holds Istio's definitions."""
    held = ROOT / ".cache" / "istio-definitions.yaml"
    if not held.is_file():
        pytest.skip("Istio's definitions are not here: make istio-definitions (it needs Go: apt-get install golang-go)")
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


def objects(engine: Renderer, values: str) -> list[dict[str, Any]]:
    return [found.content for found in manifests.objects(engine.render(request(values)))]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("case", CASES)
def test_kubernetes_kinds_have_their_shape(case: str, version: str, engine: Renderer) -> None:
    checked = set()
    for content in objects(engine, CASES[case]):
        if "istio.io" not in content["apiVersion"]:
            kubernetes_validate.validate(content, version, strict=True)
            checked.add(content["kind"])
    assert {"Deployment", "Service"} <= checked


@pytest.mark.parametrize("case", CASES)
def test_istios_kinds_have_their_shape(case: str, engine: Renderer) -> None:
    known = definitions()
    checked = set()
    for content in objects(engine, CASES[case]):
        group, _, version = content["apiVersion"].partition("/")
        if group == "networking.istio.io":
            schema = known[content["kind"], version]["properties"]["spec"]
            jsonschema.validate(content["spec"], schema)
            checked.add(content["kind"])
    assert {"DestinationRule", "VirtualService"} <= checked


def test_the_definitions_refuse_what_istio_would_refuse(engine: Renderer) -> None:
    known = definitions()
    (service,) = [found for found in objects(engine, ALL_ON) if found["kind"] == "VirtualService"]
    schema = known["VirtualService", "v1"]["properties"]["spec"]
    service["spec"]["http"][0]["rout"] = []
    with pytest.raises(jsonschema.ValidationError, match="rout"):
        jsonschema.validate(service["spec"], schema)


@pytest.mark.parametrize("version", KUBERNETES)
def test_the_test_pod_and_the_notes_render(version: str, tmp_path: Path) -> None:
    """The renderer leaves them out, so Helm's own program shows them."""
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("there is no helm on PATH: go install helm.sh/helm/v4/cmd/helm@v4.2.3")
    values = tmp_path / "values.yaml"
    values.write_text(ALL_ON, encoding="utf-8")
    command = [helm, "template", "engine", str(CHART), "-n", "engine", "-f", str(values)]
    shown = subprocess.run(
        [*command, "--show-only", "templates/tests/versions.yaml"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    pod = yaml.safe_load(shown.stdout)
    kubernetes_validate.validate(pod, version, strict=True)
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    (wanted,) = [one["value"] for one in pod["spec"]["containers"][0]["env"] if one["name"] == "WANTED"]
    assert wanted == "-=v4 v1=v1 v1.0.1=v1 v3=v3 v1.0.3=v3 v4=v4 v1.0.4=v4"
    install = ["install", "engine", str(CHART), "-n", "engine", "-f", str(values), "--dry-run=client"]
    done = subprocess.run([helm, *install], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    notes = done.stdout.partition("NOTES:")[2]
    assert "v4       registry.example.com/engine:v1.0.4  (the default)" in notes
    assert "v5       registry.example.com/engine:v1.0.5  (quarantined: its callers get v4)" in notes
    assert "v2       registry.example.com/engine:v1.0.2  (retired: its callers get v4)" in notes
