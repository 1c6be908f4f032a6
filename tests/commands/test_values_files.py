"""`values` of release.yaml: several values files, in Helm's order."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from world import WITH_DEFAULT, World

CONFIG = """\
version: 1
chart: charts/grpc-manifest
release_name: engine
namespace: engine
values: [values/common.yaml, "values/{environment}.yaml"]
environments:
  devel: {default: newest}
  staging: {promote_from: devel, default: promoted}
"""
COMMON = "replicaCount: 3\npodAnnotations: {team: search, stage: none}\n"
DEVEL, STAGING = "podAnnotations: {stage: devel}\n", "replicaCount: 5\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World.make(tmp_path, tags=WITH_DEFAULT, config=CONFIG)
    files = {"common": COMMON, "devel": DEVEL, "staging": STAGING}
    world.commit({f"values/{name}.yaml": text for name, text in files.items()}, "Values")
    world.pull()
    return world


def deployed(world: World, environment: str) -> tuple[int, dict[str, str]]:
    objects = yaml.safe_load_all(world.release("render", environment).out)
    found = next(one for one in objects if one["kind"] == "Deployment")
    annotations = found["spec"]["template"]["metadata"].get("annotations", {})
    return found["spec"]["replicas"], {key: annotations.get(key) for key in ("team", "stage")}


def test_later_files_win_and_the_versions_come_last(world: World) -> None:
    assert deployed(world, "devel") == (3, {"team": "search", "stage": "devel"})
    assert deployed(world, "staging") == (5, {"team": "search", "stage": "none"})
    assert "values/common.yaml" in world.release("check").out
    assert world.changes("bump", "devel", "v1.0.5") == [("add", "v5"), ("set-default", "v5")]


def test_a_missing_file_stops_its_environment_alone(world: World) -> None:
    world.commit({"values/devel.yaml": None}, "Remove")
    world.pull()
    for said in (world.refused("bump", "devel", "v1.0.5"), world.release("check", code=1).out):
        assert "the values file is missing" in said
        assert "values/devel.yaml" in said
        assert "commit it, or take it out of `values` in release.yaml" in said
    assert world.changes("retire", "staging", "v1") == [("retire", "v1")]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("../x.yaml", "'..' leads out of its directory"),
        ("/etc/passwd", "it is absolute; write it from the root of the repository"),
        ("values", "a directory stands where a file of the repository should"),
        ("link.yaml", "a symbolic link stands where a file or directory of the repository should"),
        ("charts/grpc-manifest/README.md", "the values file is missing"),
    ],
)
def test_what_is_no_values_file_of_the_repository_is_refused(world: World, path: str, says: str) -> None:
    (world.clone / "link.yaml").symlink_to("/etc/passwd")
    world.commit({"release.yaml": CONFIG.replace("values/common.yaml", path)}, "By mistake")
    with world.unchanged():
        assert says in world.release("bump", "devel", "v1.0.5", code=1).err
    assert says in world.release("check", code=1).out


def test_what_is_wrong_in_a_shared_file_is_told_once(world: World) -> None:
    world.commit({"values/common.yaml": f"{COMMON}image: {{default: v1}}\n"}, "By mistake")
    world.pull()
    said = world.release("check", code=1).out
    assert said.count("image.default stands in image_tag.yaml only") == 1
    assert "values/common.yaml:3:9" in said


def test_a_change_of_one_file_is_told_at_that_file(world: World) -> None:
    world.commit({"values/common.yaml": COMMON.replace("3", "0")}, "Stop all", branch="quiet")
    said = world.release("check", "--ref", "quiet")
    assert "warning: values/common.yaml: devel: Deployment" in said.out + said.err
    assert "it gets no replicas" in said.out + said.err
