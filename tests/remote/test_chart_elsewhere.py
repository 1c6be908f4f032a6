"""Charts that stand in another Git repository, at a commit: every command renders them, and names where they stand."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from origin import git, make_bare, write_files
from world import ROOT, World

CHART = "charts/grpc-manifest"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '{{ .Values.image.tag }}'}\n"
OWN = {
    "charts/own/Chart.yaml": "apiVersion: v2\nname: own\nversion: 1.0.0\n",
    "charts/own/templates/a.yaml": MAP,
}


class Charts:
    """A repository of charts beside the world."""

    def __init__(self, path: Path, algorithm: str = "sha1") -> None:
        self.origin, self.clone = path / "charts.git", path / "charts"
        make_bare(self.origin, f"--object-format={algorithm}")
        git("init", "-q", f"--object-format={algorithm}", self.clone)
        git("remote", "add", "origin", self.origin, cwd=self.clone)
        shutil.copytree(ROOT / CHART, self.clone / "charts" / "engine")

    def push(self, files: Mapping[str, str | None] | None = None) -> str:
        """The commit."""
        write_files(self.clone, files or {})
        git("add", "-A", cwd=self.clone)
        git("commit", "-qm", "Change", cwd=self.clone)
        git("push", "-q", "origin", "HEAD:refs/heads/main", cwd=self.clone)
        return git("rev-parse", "HEAD", cwd=self.clone)

    def address(self, commit: str, directory: str = "charts/engine") -> str:
        return f"git+file://{self.origin}//{directory}@{commit}"


def with_chart(world: World, chart: str) -> str:
    return re.sub("(?m)^chart: .*", f"chart: {chart}", world.file("release.yaml"))


@pytest.fixture
def charts(world: World) -> Charts:
    return Charts(world.path)


def test_every_command_renders_a_chart_of_another_repository(world: World, charts: Charts) -> None:
    before = world.release("render", "devel").out
    config = with_chart(world, charts.address(charts.push()))
    write_files(world.clone, {"release.yaml": config})
    world.release("check")  # of the working tree, before anybody has pushed it
    shutil.rmtree(world.clone / "charts")
    world.commit({"release.yaml": config}, "The chart stands elsewhere")
    assert world.release("render", "devel").out == before
    outcome = world.json("bump", "devel", "v1.0.5")
    assert outcome["changed"]
    assert "engine-grpc-manifest-v5" in world.release("diff", "devel").out
    world.release("check", "--ref", "release/devel", "--base")
    assert "renders for devel" in world.release("doctor").out
    world.release("bump", "devel", "v1.0.6", "--local")


def test_the_moment_of_the_chart_is_its_commit(world: World, charts: Charts) -> None:
    old = charts.push(OWN)
    new = charts.push({"charts/own/templates/a.yaml": MAP.replace("name: a", "name: b")})
    world.commit({"release.yaml": with_chart(world, charts.address(old, "charts/own"))}, "Old")
    assert "name: a" in world.release("render", "devel").out
    write_files(world.clone, {"release.yaml": world.file("release.yaml").replace(old, new)})
    said = world.release("check", "--base")
    assert said.code == 0


def test_charts_beside_it_are_those_of_its_repository(world: World, charts: Charts) -> None:
    about = (
        OWN["charts/own/Chart.yaml"] + "dependencies: [{name: common, version: 1.x, repository: 'file://../common'}]\n"
    )
    files = {
        "charts/own/Chart.yaml": about,
        "charts/own/templates/a.yaml": MAP,
        "charts/common/Chart.yaml": OWN["charts/own/Chart.yaml"].replace("own", "common"),
        "charts/common/templates/b.yaml": MAP.replace("name: a", "name: common\n{{ .Values.a.b }}"),
    }
    address = charts.address(charts.push(dict(files)), "charts/own")
    world.commit({"release.yaml": with_chart(world, address)}, "Elsewhere")
    root = f"git+file://{charts.origin}//"
    assert f"where: {root}charts/common/templates/b.yaml:" in world.release("render", "devel", code=1).err
    assert f"{root}charts/common/templates/b.yaml:" in world.release("check", code=1).out
    about = about.replace("file://../common", "https://charts.example.com")
    address = charts.address(charts.push({"charts/own/Chart.yaml": about}), "charts/own")
    world.commit({"release.yaml": with_chart(world, address)}, "Not vendored")
    said = world.refused("bump", "devel", "v1.0.5")
    assert f"{root}charts/own/Chart.yaml:4:16" in said
    assert "in that repository `helm dependency build charts/own`, then commit charts/own/charts" in said


def test_the_root_of_a_repository_of_sha256_can_be_a_chart(world: World, tmp_path: Path) -> None:
    charts = Charts(tmp_path, "sha256")
    shutil.rmtree(charts.clone / "charts")
    commit = charts.push({path.removeprefix("charts/own/"): text for path, text in OWN.items()})
    address = charts.address(commit, "").replace("//@", "@")
    world.commit({"release.yaml": with_chart(world, address)}, "Elsewhere")
    assert "name: a" in world.release("render", "devel").out


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


@pytest.mark.parametrize(
    ("case", "what", "where"),
    [
        ("gone", "the repository of the chart has no commit ffffffffffff", "charts.git"),
        ("elsewhere", "there is no chart: Chart.yaml is missing", "charts.git//charts/none@"),
        ("link", "a symbolic link stands where a file or directory", "charts.git//charts/own/templates/l.yaml"),
        ("submodule", "a submodule stands where a file or directory", "charts.git//charts/own/sub"),
        ("pointer", "is a pointer of Git LFS", "charts.git//charts/own/templates/a.yaml"),
        ("tag", "a tag stands where a commit should", "charts.git//"),
        ("no server", "the chart can't be fetched: there is no git repository", "none.git"),
    ],
)
def test_a_chart_that_cant_be_had_is_told_where_it_should_be(
    world: World, charts: Charts, case: str, what: str, where: str
) -> None:
    charts.push(OWN)
    if case == "link":
        (charts.clone / "charts/own/templates/l.yaml").symlink_to("a.yaml")
    elif case == "submodule":
        git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},charts/own/sub", cwd=charts.clone)
        (charts.clone / "charts/own/sub").mkdir()
    commit = charts.push({"charts/own/templates/a.yaml": POINTER if case == "pointer" else MAP, "x": case})
    address = charts.address(
        "f" * 40 if case == "gone" else commit, "charts/none" if case == "elsewhere" else "charts/own"
    )
    if case == "tag":
        git("tag", "-a", "-m", "x", "v1", cwd=charts.clone)
        git("push", "-q", "origin", "v1", cwd=charts.clone)
        address = address.replace(commit, git("rev-parse", "v1", cwd=charts.clone))
    if case == "no server":
        address = address.replace("charts.git", "none.git")
    world.commit({"release.yaml": with_chart(world, address)}, "Elsewhere")
    said = world.refused("bump", "devel", "v1.0.5")
    assert what in said
    assert where in said
    assert what in world.release("check", code=1).out


def test_a_server_that_is_away_is_no_finding(world: World, charts: Charts) -> None:
    address = charts.address(charts.push()).replace("git+file://", "git+http://127.0.0.1:1")
    world.commit({"release.yaml": with_chart(world, address)}, "Elsewhere")
    for command in (["check"], ["bump", "devel", "v1.0.5"], ["check", "--base"]):
        assert "the chart can't be fetched" in world.release(*command, code=75).err
