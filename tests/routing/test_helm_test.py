"""The script of the chart's `helm test` pod, run against a real gateway."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import cluster as small
import pytest
import yaml
from cluster import Cluster
from rendering import CHART

VALUES = "image: {default: v2, tag: {v1: v1.0.1, v2: v1.0.2}}\n"


@pytest.fixture
def script(tmp_path: Path) -> tuple[str, dict[str, str]]:
    """The script and its environment, as Helm's own program renders them: the tool's renderer leaves tests out."""
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("there is no helm on PATH: go install helm.sh/helm/v4/cmd/helm@v4.2.3")
    curl = shutil.which("curl")
    if curl is None or b"HTTP2" not in subprocess.run([curl, "--version"], check=True, capture_output=True).stdout:
        pytest.skip("there is no curl with HTTP/2 on PATH: apt-get install curl")
    files = []
    for number, text in enumerate((VALUES, small.ROUTED, "test: {address: 'gateway:80'}\n")):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, encoding="utf-8")
        files += ["-f", str(file)]
    command = [helm, "template", "engine", str(CHART), "-n", "engine", *files]
    command += ["--show-only", "templates/tests/versions.yaml"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    (container,) = yaml.safe_load(shown.stdout)["spec"]["containers"]
    return container["args"][0], {one["name"]: one["value"] for one in container["env"]}


def run(script: tuple[str, dict[str, str]], cluster: Cluster) -> subprocess.CompletedProcess[str]:
    text, environment = script
    assert environment["ADDRESS"] == "gateway:80"
    environment = {**environment, "ADDRESS": f"127.0.0.1:{cluster.envoy.ports[80]}", "PATH": os.environ["PATH"]}
    environment["TMPDIR"] = str(cluster.envoy.folder)
    return subprocess.run(["sh", "-c", text], check=False, capture_output=True, text=True, timeout=60, env=environment)


def test_it_passes_when_every_version_answers(script: tuple[str, dict[str, str]], cluster: Cluster) -> None:
    cluster.sync(VALUES, small.ROUTED)
    done = run(script, cluster)
    assert done.stdout.splitlines() == [
        "ok    grpcsvc: - -> v2",
        "ok    grpcsvc: v1 -> v1",
        "ok    grpcsvc: v1.0.1 -> v1",
        "ok    grpcsvc: v2 -> v2",
        "ok    grpcsvc: v1.0.2 -> v2",
    ], done.stdout + done.stderr
    assert done.returncode == 0


def test_it_fails_when_a_version_is_down_or_another_answers(
    script: tuple[str, dict[str, str]], cluster: Cluster
) -> None:
    cluster.sync("image: {default: v2, tag: {v2: v1.0.2}}\n", small.ROUTED)  # v1 is gone: the default answers
    done = run(script, cluster)
    assert done.returncode == 1
    assert "FAIL  grpcsvc: v1 -> v2 (wanted v1), answer 00000000020801, curl 0" in done.stdout
    for pod in cluster.of("v2"):
        pod.die()
    done = run(script, cluster)
    assert done.returncode == 1
    assert "FAIL  grpcsvc: v2 -> v2 (wanted v2), answer none" in done.stdout
