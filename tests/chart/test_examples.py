"""The repositories of `examples/`: each renders, has the shapes of its API, and is right for `release check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import api_shapes
import pytest
from origin import git
from rendering import ROOT
from world import Result, run

from examples import NAMES, lay_out, request_of
from release_tool import manifests
from release_tool.helm import Renderer

LIVES = "image: {default: v2, tag: {v2: b, v3: c}, retired: {v1: a}}\n"


def rendered(folder: Path, engine: Renderer, tags: str | None = None) -> list[dict[str, Any]]:
    return [one.content for one in manifests.objects(engine.render(request_of(folder, "devel", tags)))]


def checked(folder: Path) -> Result:
    """What `release check` says of a folder as a repository."""
    git("init", "--quiet", "--initial-branch=main", cwd=folder)
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "--message", "Begin", cwd=folder)
    return run("check", "-C", str(folder))


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_a_repository_as_its_readme_says(name: str, tmp_path: Path, engine: Renderer) -> None:
    folder = lay_out(name, tmp_path)
    assert "Deployment" in api_shapes.check(rendered(folder, engine))
    found = checked(folder)
    assert found.code == 0, found.out + found.err
    assert (ROOT / "examples" / "README.md").read_text(encoding="utf-8").count(f"]({name})") == 1


def test_by_the_gateway_api_the_shipped_chart_lacks_nothing(tmp_path: Path) -> None:
    folder = lay_out("shipped-chart", tmp_path)
    routing = "routing: {kind: gateway-api, parentRefs: [{name: public}], hostnames: [engine.example.com]}\n"
    for environment in ("devel", "production"):
        path = folder / "environments" / environment / "values.yaml"
        path.write_text(f"image: {{repository: registry.example.com/engine}}\n{routing}", encoding="utf-8")
    found = checked(folder)
    assert (found.code, found.out.count("warning"), found.err) == (0, 0, "")


@pytest.mark.parametrize(
    "tags", ["image: {tag: [a, b, c]}\n", "image: {tag: {v2: b, v3: c}}\n"], ids=["list", "mapping"]
)
def test_the_seeds_form_keeps_names_in_both_forms(tags: str, tmp_path: Path, engine: Renderer) -> None:
    objects = rendered(lay_out("seed-form", tmp_path), engine, tags)
    images = {one["metadata"]["name"]: one["spec"] for one in objects if one["kind"] == "Deployment"}
    for name, tag in (("v2", "b"), ("v3", "c")):
        (container,) = images[f"engine-{name}"]["template"]["spec"]["containers"]
        assert container["image"] == f"registry.example.com/engine:{tag}"
    assert len(images) == tags.count(",") + 1


def test_without_a_mesh_a_retired_version_keeps_pods_and_service(tmp_path: Path, engine: Renderer) -> None:
    objects = rendered(lay_out("no-mesh", tmp_path), engine, LIVES)
    for kind in ("Deployment", "Service"):
        assert {one["metadata"]["name"] for one in objects if one["kind"] == kind} == {
            "engine-v1",
            "engine-v2",
            "engine-v3",
        }
