"""Every object has the shape that its API asks for: Kubernetes' own kinds, and others by their definitions."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import api_shapes
import jsonschema
import kubernetes_validate
import pytest
import yaml
from rendering import CHART, GOLDEN, request

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


def objects(engine: Renderer, values: str) -> list[dict[str, Any]]:
    return [found.content for found in manifests.objects(engine.render(request(values)))]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("case", CASES)
def test_every_object_has_its_shape(case: str, version: str, engine: Renderer) -> None:
    checked = api_shapes.check(objects(engine, CASES[case]), version)
    routed = {"DestinationRule", "VirtualService"} if "gateway-api" not in case else {f"{case[-4:].upper()}Route"}
    assert {"Deployment", "Service", *routed} <= checked


def test_the_definitions_refuse_what_istio_would_refuse(engine: Renderer) -> None:
    (service,) = [found for found in objects(engine, ALL_ON) if found["kind"] == "VirtualService"]
    service["spec"]["http"][0]["rout"] = []
    with pytest.raises(jsonschema.ValidationError, match="rout"):
        api_shapes.check([service])


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
