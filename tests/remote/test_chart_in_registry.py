"""Charts in an OCI registry: pushed by Helm itself, read by every command that renders, and held to their digest."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import real_registry
from real_registry import MANIFEST, RealRegistry
from world import ROOT, World

CHART = "charts/grpc-manifest"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
HELM_ARCHIVE = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with real_registry.running(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture(autouse=True)
def _nobody_is_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def pushed(registry: RealRegistry, folder: Path, version: str = "1.2.3+build.7", *, edit: str = "") -> str:
    """Push the shipped chart by `helm push`; the digest."""
    if shutil.which("helm") is None:
        pytest.skip("there is no helm on PATH to push a chart with")
    chart = folder / "pushed" / "grpc-manifest"
    shutil.rmtree(chart.parent, ignore_errors=True)
    shutil.copytree(ROOT / CHART, chart)
    about = (chart / "Chart.yaml").read_text()
    (chart / "Chart.yaml").write_text(re.sub("(?m)^version: .*", f"version: {version}", about) + edit)
    packed = ["helm", "package", str(chart), "--destination", str(chart.parent)]
    subprocess.run(packed, check=True, capture_output=True)
    push = ["helm", "push", str(chart.parent / f"grpc-manifest-{version}.tgz"), f"oci://{registry.host}/charts"]
    done = subprocess.run([*push, "--plain-http"], check=True, capture_output=True, text=True)
    found = re.search("sha256:[0-9a-f]{64}", done.stdout + done.stderr)
    assert found is not None
    return found[0]


def named(world: World, chart: str) -> None:
    config = re.sub("(?m)^chart: .*", f"chart: {chart}", world.file("release.yaml"))
    world.commit({"release.yaml": config}, "The chart stands elsewhere")


def test_every_command_renders_a_chart_that_helm_pushed(world: World, registry: RealRegistry) -> None:
    before = world.release("render", "devel").out
    digest = pushed(registry, world.path)
    shutil.rmtree(world.clone / "charts")
    address = f"oci://{registry.host}/charts/grpc-manifest:1.2.3+build.7"
    named(world, address)
    assert world.release("render", "devel").out.replace("1.2.3_build.7", "") == before.replace("0.1.0", "")
    warned = world.release("check").out
    assert "release.yaml:2:8: the version alone names the chart" in warned
    assert f"next: write `chart: {address}@{digest}`" in warned
    for pinned in (f"{address}@{digest}", f"oci://{registry.host}/charts/grpc-manifest@{digest}"):
        named(world, pinned)
        assert "the version alone" not in world.release("check", "--base").out
    assert world.json("bump", "devel", "v1.0.5")["changed"]
    assert "renders for devel" in world.release("doctor").out


def test_a_version_that_was_pushed_anew_is_refused(world: World, registry: RealRegistry) -> None:
    digest = pushed(registry, world.path, "2.0.0")
    named(world, f"oci://{registry.host}/charts/grpc-manifest:2.0.0@{digest}")
    world.release("render", "devel")
    other = pushed(registry, world.path, "2.0.0", edit="# other\nicon: https://example.com/x.png\n")
    assert other != digest
    named(world, f"oci://{registry.host}/charts/grpc-manifest:2.0.0@sha256:{'0' * 64}")
    said = world.refused("bump", "devel", "v1.0.5")
    assert f"the chart 2.0.0 is another one than `chart` names: it has the digest {other}" in said


def put(registry: RealRegistry, tag: str, archive: bytes, kind: str = HELM_ARCHIVE) -> None:
    """Push a manifest and an archive as `helm push` would."""
    blob = registry._blob("bad/chart", archive)
    config = {"mediaType": HELM_CONFIG, "digest": registry._blob("bad/chart", b"{}"), "size": 2}
    layer = {"mediaType": kind, "digest": blob, "size": len(archive)}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    registry._manifest("bad/chart", tag, MANIFEST, json.dumps(manifest).encode())


def test_what_is_no_chart_is_refused(world: World, registry: RealRegistry) -> None:
    registry.push("bad/chart", "1.0.0")
    put(registry, "1.0.1", b"no archive")
    put(registry, "1.0.2", b"other", "application/vnd.oci.image.layer.v1.tar+gzip")
    root = f"oci://{registry.host}/bad/chart"
    for version, what in {
        "1.0.0": "what stands there is no Helm chart",
        "1.0.1": "this is no archive of a chart",
        "1.0.2": "what stands there is no Helm chart",
        "9.9.9": "the registry has no such chart",
    }.items():
        named(world, f"{root}:{version}")
        assert what in world.release("render", "devel", code=1).err
        assert what in world.release("check", code=1).out
    named(world, f"oci://{registry.host}/no/chart:1.0.0")
    assert "the registry has no such chart" in world.release("render", "devel", code=1).err
    named(world, "oci://127.0.0.1:1/no/chart:1.0.0")
    assert "the registry can't be reached" in world.release("check", code=75).err
