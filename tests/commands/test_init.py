"""`release init`: from an empty directory, or a repository of one's own, to one that `check` and `doctor` find right."""

from __future__ import annotations

import errno
import io
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from origin import attempt, git, write_files
from world import ROOT, Result, run

from examples import lay_out
from release_tool.commands.init import extras, files, layout, pipelines, pipelines_github, planning, texts, versions
from release_tool.config.reader import load
from release_tool.errors import ReleaseError

COMMIT = "0123456789" * 4
FORGE = "git@github.com:acme/gitops.git"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, which is the current one."""
    directory = tmp_path / "gitops"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


def init(*arguments: str, code: int = 0) -> Result:
    said = run("init", *arguments)
    assert said.code == code, said.out + said.err
    return said


def data(*arguments: str, code: int = 0) -> Any:
    return init(*arguments, "--output", "json", code=code).data


def states(planned: Any, *, charts: bool = False) -> dict[str, str]:
    return {one["path"]: one["state"] for one in planned["files"] if charts or not one["path"].startswith("charts/")}


def everything(directory: Path) -> dict[str, bytes]:
    found = (path for path in directory.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(directory)): path.read_bytes() for path in found}


def committed(directory: Path, files: dict[str, str | None]) -> None:
    git("init", "-q", cwd=directory)
    write_files(directory, files)
    git("add", ".", cwd=directory)
    git("commit", "-qm", "as it was", cwd=directory)


def test_from_an_empty_directory_to_a_merged_pull_request_by_the_printed_commands(here: Path) -> None:
    planned = data("--yes", "--tag", "1.0.3", "--environments", "devel,production")
    assert (planned["written"], planned["findings"], len(planned["next"])) == (True, [], 3)
    for command in planned["next"][:2]:
        subprocess.run(["sh", "-ec", command], check=True, capture_output=True, timeout=60)
    assert planned["next"][2] == "release doctor"
    assert run("check").code == 0
    assert run("doctor", "--output", "json").data["errors"] == 0
    assert run("bump", "devel", "1.0.4").code == 0
    assert run("pulls", "merge", "1").code == 0
    assert "v2       1.0.4  default" in run("status").out


def test_an_environment_without_a_version_gets_its_first_one_by_a_bump(here: Path) -> None:
    git("init", "-q")
    for command in data("--environments", "devel")["next"][:2]:
        subprocess.run(["sh", "-ec", command], check=True, capture_output=True, timeout=60)
    assert run("bump", "devel", "1.0.3", "--direct").code == 0
    assert yaml.safe_load(git("show", "HEAD:environments/devel/image_tag.yaml")) == {"image": {"tag": None}}
    git("pull", "-q")
    assert yaml.safe_load(Path("environments/devel/image_tag.yaml").read_text()) == {
        "image": {"tag": {"v1": "1.0.3"}, "default": "v1"}
    }


def test_nothing_is_written_by_a_dry_run_or_without_a_repository_and_nothing_is_asked(here: Path) -> None:
    assert "would" not in init("--dry-run").out
    assert "no git repository yet" in init(code=1).err
    assert not any(here.iterdir())
    assert init("--yes", "--environments", "devel").code == 0


def test_a_second_run_finds_all_as_it_stands(here: Path) -> None:
    git("init", "-q")
    init("--environments", "devel", "--tag", "1.0.3")
    before = everything(here)
    again = data("--tag", "1.0.3")
    assert set(states(again).values()) == {"same"}
    assert everything(here) == before
    add = "git add release.yaml environments/devel .release-init.json charts/grpc-manifest && git commit"
    assert again["next"][0].startswith(add), "what no commit has yet"
    git("add", ".")
    git("commit", "-qm", "x")
    assert "git add" not in " ".join(data("--tag", "1.0.3")["next"])


@pytest.mark.parametrize("name", ["seed-form", "own-deployment", "umbrella", "no-mesh"])
def test_a_chart_of_ones_own_is_adopted_with_its_environments_and_versions(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lay_out(name, tmp_path)
    (folder / "release.yaml").unlink()
    monkeypatch.chdir(folder)
    git("init", "-q")
    before = everything(folder)
    planned = data()
    assert planned["environments"] == ["devel", "production"]
    assert set(everything(folder)) - set(before) == {"release.yaml", ".release-init.json"}
    assert ("key: engine.image" in Path("release.yaml").read_text()) == (name == "umbrella")
    assert {row["verdict"] for one in planned["charts"] for row in one["abilities"]} <= {"ok", "warning"}
    assert ("keep: 50" in Path("release.yaml").read_text()) == (name == "seed-form"), "what retires, fails calls there"
    assert run("check").code == 0
    assert "Nothing to upgrade" in init("--upgrade").out


ONE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: own}
spec:
  selector: {matchLabels: {app: own}}
  template:
    metadata: {labels: {app: own}}
    spec: {containers: [{name: own, image: "own:{{ .Values.image.tag }}"}]}
"""
CHART = {"chart/Chart.yaml": "apiVersion: v2\nname: own\nversion: 1.0.0\n", "chart/templates/d.yaml": ONE}


def test_a_chart_that_deploys_one_version_is_refused_with_its_line_and_nothing_is_written(here: Path) -> None:
    committed(here, {**CHART, "chart/values.yaml": "image: {}\n"})
    said = init("--tag", "1.0.3", code=1)
    assert "the chart writes all of image.tag into one image" in said.err
    assert "where: chart/templates/d.yaml:8" in said.err
    assert "Nothing was written." in said.out
    assert set(everything(here)) == {*CHART, "chart/values.yaml"}


def test_a_deployment_of_ones_own_gets_routes_and_is_rendered_for_each_version(here: Path) -> None:
    text = ONE.replace(".Values.image.tag", ".Values.app.image.tag | trim")
    service = """\
apiVersion: v1
kind: Service
metadata:
  labels: {a: b}
  name: {{ .Release.Name }}-calls
spec: {selector: {app: own}, ports: [{port: 9090}]}
"""
    committed(here, {**CHART, "chart/templates/d.yaml": text, "chart/templates/s.yaml": service})
    about = ("--environments", "devel", "--tag", "1.0.3", "--chart-from", "library")
    assert "`--force --dry-run` shows the difference" in init(*about, code=1).err
    assert git("status", "--porcelain") == ""
    said = init(*about, "--force")
    assert '+{{- define "own.deployment" -}}\n apiVersion: apps/v1' in said.out
    assert {one.split()[0] for one in said.out.splitlines() if "  versions  " in one or "  routes  " in one} == {"ok"}
    assert (
        '"fullname" (print (.Release.Name) "-calls")\n      "port" 9090'
        in Path("chart/templates/routes.yaml").read_text()
    )
    assert "key: app.image" in Path("release.yaml").read_text()
    assert text in Path("chart/templates/d.yaml").read_text()
    assert (run("check").code, states(data(*about))["release.yaml"]) == (0, "same")


def test_a_chart_of_ones_own_is_begun_with_the_library(here: Path) -> None:
    planned = data("--yes", "--name", "own", "--chart-from", "library", "--image", "r/own", "--tag", "1.0.3")
    assert {row["verdict"] for one in planned["charts"] for row in one["abilities"]} == {"ok"}
    assert planned["charts"][0]["chart"] == "charts/own"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no template has a line `kind: Deployment`"),
        ({"d": ONE, "e": ONE}, "several templates hold a Deployment"),
        ({"d": f"{ONE}---\nkind: Service\n"}, "the file of the Deployment holds other objects"),
        ({"d": ONE, "v": "kind: VirtualService\n"}, "the chart has routes of its own"),
        ({"d": ONE, "s": "kind: Service\nmetadata:\n  name: x\n"}, "no plain port"),
        (
            {"d": ONE, "s": "kind: Service\nmetadata:\n  name: {{ $x }}\nports: [{port: 1}]\n"},
            "a variable of the template",
        ),
    ],
)
def test_a_chart_that_nobody_could_guess_is_left_to_people(here: Path, files: dict[str, str], words: str) -> None:
    committed(
        here, {"c/Chart.yaml": CHART["chart/Chart.yaml"], **{f"c/templates/{n}.yaml": t for n, t in files.items()}}
    )
    said = init("--chart-from", "library", code=1).err
    assert words in said
    assert "next:  " in said


def test_several_charts_are_named_and_a_part_of_a_chart_is_none(here: Path) -> None:
    about = CHART["chart/Chart.yaml"]
    committed(here, {f"{name}/Chart.yaml": about for name in ("charts/one", "charts/two", "charts/one/charts/part")})
    assert "there are 2 charts here: charts/one, charts/two" in init(code=1).err
    assert "Chart.yaml is missing" in init("--chart", "charts/three", code=1).err
    committed(here, {"Chart.yaml": about})
    assert "in the root of the repository" in init("--chart", ".", code=1).err


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("apps: [a]\n", False),
        ("version: 2\nbuilds: {}\n", False),
        ("version: 1\nchart: a\n", True),
        ("a: {{ b }}\n", False),
    ],
)
def test_another_programs_release_yaml_is_refused_and_a_wrong_one_of_ours_is_named_with_its_line(
    here: Path, text: str, ours: bool
) -> None:
    committed(here, {"release.yaml": text})
    for force in ((), ("--force",)):
        said = init(*force, code=1)
        assert ("is not a configuration of `release`" in said.err) != ours
        assert not ours or "release.yaml:1:1" in said.err
    assert everything(here) == {"release.yaml": text.encode()}


def test_force_shows_the_difference_first_and_never_overwrites_what_is_not_committed(here: Path) -> None:
    git("init", "-q")
    init("--environments", "devel", "--tag", "1.0.3")
    assert "says something else than --environments" in init("--environments", "devel,live", code=1).err
    assert "not committed" in init("--environments", "devel,live", "--force", code=1).err
    git("add", ".")
    git("commit", "-qm", "x")
    kept = init("--tag", "1.0.4")
    assert "not touched without --force" in kept.out
    assert git("status", "--porcelain") == ""
    said = init("--environments", "devel,live", "--tag", "1.0.4", "--force").out
    assert "-    v1: 1.0.3\n+    v2: 1.0.4" in said
    assert "+  live:" in said
    assert run("check").code == 0


@pytest.mark.parametrize(("path", "flags"), [("environments", ()), ("deploy", ("--path", "deploy/{environment}"))])
def test_environments_are_found_in_promotion_order_without_what_they_share(
    here: Path, path: str, flags: tuple[str, ...]
) -> None:
    names = ("prod", "common", "blue", "dev", "staging")
    committed(here, {f"{path}/{name}/values.yaml": "replicaCount: 1\n" for name in names})
    planned = data(*flags)
    assert planned["environments"] == ["dev", "blue", "staging", "prod"]
    assert f"{path}/dev/image_tag.yaml" in states(planned)
    assert run("check").code == 0


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        ("environments/dev/x environments/eu/x environments/base/x", (("dev", "eu"), "", "")),
        (
            "envs/prod/values.yaml envs/blue/values.yaml envs/dev/values.yaml",
            (("dev", "blue", "prod"), "envs/{environment}", ""),
        ),
        ("overlays/dev/kustomization.yaml overlays/prod/kustomization.yaml", (("dev", "prod"), "", "")),
        ("dev/values.yaml prod/values.yaml charts/c/values.yaml", (("dev", "prod"), "{environment}", "")),
        ("c/values.yaml c/values-prod.yaml c/values-dev.yaml", (("dev", "prod"), "", "c/values-{environment}.yaml")),
        ("c/values/qa.yml c/values/live.yml", (("qa", "live"), "", "c/values/{environment}.yml")),
        ("dev.values.yaml prod.values.yaml", (("dev", "prod"), "", "{environment}.values.yaml")),
        ("c/templates/test.yaml c/templates/live.yaml", ((), "", "")),
        ("values-dev.yaml c/test/x", ((), "", "")),
    ],
)
def test_environments_are_found_by_names_that_people_give(paths: str, found: tuple[Any, ...]) -> None:
    assert layout.layout_of(paths.split(), "", texts.PATH) == found


def test_environments_of_branches_and_of_kustomize_are_told(here: Path) -> None:
    committed(here, {"base/kustomization.yaml": "resources: []\n"})
    for name in ("prod", "dev"):
        git("branch", name)
    planned = data("--dry-run")
    assert planned["environments"] == ["dev", "prod"]
    assert ["Helm chart" in planned["notes"][0], "directories of one branch" in planned["notes"][1]] == [True, True]


def test_tags_of_values_files_are_taken_over_before_image_tag_yaml_takes_their_place(here: Path) -> None:
    chart = {**CHART, "chart/templates/d.yaml": ONE.replace("image.tag", 'image.tag | join ""')}
    values = {f"chart/values-{name}.yaml": "image: {tag: [1.0.0]}\n" for name in ("dev", "live")}
    committed(here, {**chart, **values})
    said = init(code=1).err
    assert "image.tag names 1.0.0 there" in said
    assert "`--from 'chart/values-{environment}.yaml' --key image.tag --force` moves there" in said
    taken = data("--from", "chart/values-{environment}.yaml", "--key", "image.tag", "--force", "--dry-run", code=1)
    assert states(taken)["chart/values-dev.yaml"] == "changed"


@pytest.mark.parametrize(("name", "key"), [("seed-form", "image"), ("umbrella", "engine.image")])
def test_tags_of_values_files_move_by_the_printed_flags_wherever_the_chart_reads_them(
    name: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lay_out(name, tmp_path)
    (folder / "release.yaml").unlink()
    monkeypatch.chdir(folder)
    for environment in ("devel", "production"):
        tags, values = (folder / f"environments/{environment}/{file}.yaml" for file in ("image_tag", "values"))
        own = yaml.safe_load(values.read_text())
        image = yaml.safe_load(tags.read_text())
        if name == "umbrella":
            image = {"engine": {**own.pop("engine"), **image["engine"]}}
        values.write_text(yaml.safe_dump({**own, **image}, sort_keys=False))
        tags.unlink()
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-qm", "begin")):
        git(*arguments)
    flags = re.search(r"`(--from .* --force)`", init(code=1).err)
    assert flags is not None
    assert flags[1].endswith(f"--key {key}.tag --force")
    assert data(*shlex.split(flags[1]))["written"] is True
    assert run("check").code == 0


def answered(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    """A terminal, and what a person types at it."""
    monkeypatch.setattr("release_tool.cli.init.is_terminal", lambda _: True)
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))


def test_a_person_is_asked_for_what_nobody_said(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch, "", "devel, live", "", "engine", "r.example.com/engine", "1.0.2 1.0.3", "y")
    said = init()
    assert [line.partition(" [")[0] for line in said.err.split(": ")][1:4] == [
        "Environments, in promotion order",
        "Chart (charts/grpc-manifest",
        "the one that comes with release)",
    ]
    assert "release_name: engine" in Path("release.yaml").read_text()
    assert "repository: r.example.com/engine\n" in Path("environments/live/values.yaml").read_text()
    assert "default: v2" in Path("environments/devel/image_tag.yaml").read_text()
    answered(monkeypatch)
    assert "files were written" not in init().out


def test_an_answer_that_can_not_be_is_asked_for_again(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("init", "-q")
    git("remote", "add", "origin", FORGE)
    tags, tool = ("1.0:x", "1.0.3"), ("a/b", f"a/b@{COMMIT}")
    answered(monkeypatch, "Dev", "dev", "charts/x", "", "My Name", "own", "", *tags, *tool, "argo", "argocd", "y")
    said = init()
    assert "there is no chart" in said.err
    assert "'1.0:x' is no image tag" in said.err
    assert Path("argocd/dev.yaml").exists()
    assert COMMIT in Path(".github/workflows/bump.yml").read_text()


@pytest.mark.parametrize(
    ("answers", "code"), [(("no",), 1), (("", "devel", "", "", "", "", "n"), 0), ((), 2), (("", "devel"), 2)]
)
def test_whoever_says_no_or_nothing_gets_nothing(
    here: Path, monkeypatch: pytest.MonkeyPatch, answers: tuple[str, ...], code: int
) -> None:
    answered(monkeypatch, *answers)
    init(code=code)
    assert not any(here.iterdir())


@pytest.mark.parametrize(
    ("made", "words"), [(("init", "-q", "--bare"), "clone it"), (("init", "-q", "a"), "a `.git` stands here")]
)
def test_where_git_has_no_working_tree_nothing_is_made(here: Path, made: tuple[str, ...], words: str) -> None:
    git(*made)
    if Path("a").exists():
        Path("a/.git/HEAD").unlink()
        Path("a/.git").rename(".git")
        Path("a").rmdir()
    before = sorted(here.rglob("*"))
    assert words in init("--yes", code=1).err
    assert sorted(here.rglob("*")) == before


def test_what_git_would_ignore_is_refused(here: Path) -> None:
    committed(here, {".gitignore": "charts/\n"})
    assert "git check-ignore -v charts/grpc-manifest/" in init(code=1).err


@pytest.mark.parametrize("blocked", ["environments", "charts"])
def test_a_machine_that_refuses_leaves_nothing_half_written(here: Path, blocked: str) -> None:
    committed(here, {blocked: "a file\n"})
    assert "nothing was written" in init(code=1).err
    assert everything(here) == {blocked: b"a file\n"}
    assert sorted(path.name for path in here.iterdir()) == [".git", blocked]


@pytest.mark.parametrize("survived", [2, 24, 33])
def test_a_run_after_one_that_was_killed_ends_what_that_began(
    here: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    git("init", "-q")

    class Killed(BaseException):
        """Nothing is cleaned up."""

    def put(ready: Path, target: Path) -> None:
        if len(everything(here)) == survived:
            raise Killed
        ready.replace(target)

    with monkeypatch.context() as patched:
        patched.setattr("release_tool.git.working_tree._put", put)
        with pytest.raises(Killed):
            run("init", "--tag", "1.0.3", "--environments", "devel,live,eu")
    assert len(everything(here)) == survived
    planned = data("--tag", "1.0.3", "--environments", "devel,live,eu")
    assert planned["written"]
    assert (Path("charts/grpc-manifest/Chart.yaml").exists(), run("check").code) == (True, 0)
    assert set(states(data("--upgrade"))) == set()


def test_a_full_disk_leaves_nothing_half_written(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("init", "-q")
    really, left = Path.write_bytes, iter(range(20))

    def write(path: Path, content: bytes) -> int:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return really(path, content)

    monkeypatch.setattr(Path, "write_bytes", write)
    assert "No space left on device" in init(code=1).err
    assert [path.name for path in here.iterdir()] == [".git"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--workflows",),
        ("--workflows", "--tool", "acme/release@v1"),
        ("--tool", f"acme/release@{COMMIT}"),
        ("--from", "x.yaml"),
        ("--tag", "a b"),
        ("--tag", "live=1.0"),
        ("--default", "1.0"),
        ("--codeowners", "team"),
        ("--repo", "x"),
        ("--service", "x"),
        ("--path", "deploy"),
        ("--environments", "a b"),
        ("--name", "Über"),
        ("--from", "x.yaml", "--key", "a", "--tag", "1.0"),
    ],
)
def test_flags_that_make_no_sense_are_wrong_usage(here: Path, arguments: tuple[str, ...]) -> None:
    git("init", "-q")
    assert "next:" in init(*arguments, code=2).err


# -- the versions that run --


def of(text: str, key: str = "app.image.tag") -> tuple[list[tuple[str, str]], str]:
    found = versions.of_file(text.encode(), "values.yaml", key)
    return list(found.versions), found.default


def test_a_tag_a_list_and_a_mapping_are_read_by_the_rules_of_image_tag_yaml() -> None:
    assert of("app: {image: {tag: v1.0.3}}") == ([("", "v1.0.3")], "v1.0.3")
    assert of("app: {image: {tag: &one '1.20'}}\nother: *one") == ([("", "1.20")], "1.20")
    assert of("app:\n  image:\n    tag: [a, b]\n    default: v2\n") == ([("v1", "a"), ("v2", "b")], "b")
    assert of("app: {image: {tag: {v10: b, v9: a}}}") == ([("v9", "a"), ("v10", "b")], "a")
    assert of("images: [{newTag: a}, {newTag: b}]", "images.1.newTag") == ([("", "b")], "b")
    assert of(f"app: {{image: {{tag: 'r:5000/x/y:v1@sha256:{'0' * 64}'}}}}")[1].startswith("v1@sha256:0")
    assert of("\ufeffapp:\r\n  image:\r\n    tag: v1\r\n") == ([("", "v1")], "v1")
    assert of("base: &b {tag: x}\napp: {image: {<<: *b, name: y}}") == ([("", "x")], "x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("app: {image: {tag: 1.20}}", "is a number"),
        ("app: {image: {tag: }}", "is empty"),
        ("app: {image: {tag: '{{ .Values.tag }}'}}", "is a template"),
        ("{{ if x }}\napp: 1\n{{ end }}", "the file is a template"),
        ("app: {image: {tag: {repository: x}}}", "no names of versions"),
        ("app: {image: {tags: x}}", "app.image has tags"),
        ("app: {image: {tag: x}}\n---\napp: 1\n", "2 documents"),
        ("app: {image: {tag: 'a b'}}", "no image tag"),
        ("app: {image: {tag: [a, a]}}", "twice"),
        ("app: {image: {tag: {{ .Values.tag }}}}", "the file is a template"),
        ("app: {image: {tag: a, tag: b}}", "stands twice"),
        ("app: [1, 2]", "app has 2 entries"),
        (f"app: {{image: {{tag: 'sha256:{'0' * 64}'}}}}", "a digest without a tag"),
        (f"app: {{image: {{tag: 'r/x@sha256:{'0' * 64}'}}}}", "a digest without a tag"),
        ("app: [", "not YAML"),
    ],
)
def test_what_can_not_be_taken_over_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ReleaseError) as raised:
        of(text)
    assert words in f"{raised.value.where} {raised.value.what}"
    assert raised.value.where.startswith("values.yaml")
    assert raised.value.hint


def test_one_name_means_one_tag_in_all_environments_and_the_oldest_gets_the_lowest() -> None:
    flags = versions.of_flags(["1.0.3", "devel=1.0.4"], ["devel", "live"])
    assert versions.named(flags, {}) == {"devel": {"v1": "1.0.3", "v2": "1.0.4"}, "live": {"v1": "1.0.3"}}
    assert versions.named(flags, {"v7": "1.0.3"})["devel"] == {"v7": "1.0.3", "v8": "1.0.4"}
    one, other = (versions.Running((("v1", tag),)) for tag in "ab")
    with pytest.raises(ReleaseError, match="v1 can't be b: v1 is a, in another environment"):
        versions.named({"devel": one, "live": other}, {})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("image:\n  tag:\n  - 1.0.3   # mobile clients 2.x  \n", "    v1: 1.0.3   # mobile clients 2.x\n"),
        ("image:\n  tag:\n    v1: '1.0.3' # it's old\n", "    v1: 1.0.3   # it's old\n"),
        ("image:\r\n  tag:\r\n  - 1.0.3 # a # b\r\n", "    v1: 1.0.3   # a # b\n"),
        ("image:\n  tag: [1.0.3] # all of them\n", "    v1: 1.0.3\n"),
        ('image:\n  tag: 1.0.3 # {"$imagepolicy": "flux-system:engine:tag"}\n', "    v1: 1.0.3\n"),
    ],
)
def test_the_comment_behind_a_tag_moves_with_the_tag(text: str, line: str) -> None:
    running = versions.of_file(text.encode(), "values.yaml", "image.tag")
    assert texts.versions("devel", "image", {"v1": "1.0.3"}, "v1", running.notes).endswith(f"  tag:\n{line}")


def test_versions_move_out_of_the_values_file_that_held_them(here: Path) -> None:
    write_files(
        here,
        {
            f"environments/{name}/values.yaml": f"a: 1\nimage:\n  tag:\n  - {tag}\n"
            for name, tag in (("dev", "v1.0"), ("live", "v1.0"))
        },
    )
    committed(here, {})
    arguments = ("--chart-from", "shipped", "--from", "environments/{environment}/values.yaml", "--key", "image.tag")
    refused = data(*arguments, "--dry-run", code=1)
    assert states(refused)["environments/dev/values.yaml"] == "kept"
    assert any("image_tag.yaml only" in one["what"] for one in refused["findings"])
    assert "next:  move it to image_tag.yaml, or let --force change this file" in init(*arguments, code=1).err
    moved = data(*arguments, "--dry-run", "--force", code=1)
    assert states(moved)["environments/dev/values.yaml"] == "changed"
    assert not any("image_tag.yaml only" in one["what"] for one in moved["findings"])


@pytest.mark.parametrize(
    ("tags", "order"),
    [(["v1.0.3"], "semver"), (["2026.11.23"], "semver"), (["build-7"], "number"), (["abc"], "arrival")],
)
def test_the_order_is_one_that_reads_the_tags(tags: list[str], order: str) -> None:
    assert versions.order_of(tags) == order


# -- on request --


CONFIGURED = planning.loaded(texts.Settings(planning.ENVIRONMENTS, "chart", "x", "x"), "release.yaml")


def test_the_workflows_are_those_of_the_documentation_pinned_by_a_commit() -> None:
    page = (ROOT / "docs/how-to/github-actions.md").read_text("utf-8")
    for name, text in pipelines.KINDS["github"].files(f"OWNER/release@{COMMIT}", CONFIGURED).items():
        shipped = (Path(extras.__file__).parent / "workflows" / Path(name).name).read_text("utf-8")
        assert f"{shipped}```" in page, name
        assert "COMMIT" not in text
        assert f"@{COMMIT}\n" in text


def test_the_pipeline_of_gitlab_is_that_of_the_documentation() -> None:
    page = (ROOT / "docs/how-to/gitlab-ci.md").read_text("utf-8")
    (text,) = pipelines.KINDS["gitlab"].files("OWNER/release@COMMIT", CONFIGURED).values()
    assert f"```yaml\n{text}```" in page


def test_the_pipeline_is_for_the_ci_system_of_the_remote_or_for_the_one_that_is_named(here: Path) -> None:
    committed(here, {"README.md": "x\n"})
    git("remote", "add", "origin", "git@gitlab.com:acme/deploy/gitops.git")
    tool = ("--tool", f"acme/tools/release@{COMMIT}", "--pre-commit")
    data("--environments", "devel,live", "--base", "trunk", "--workflows", *tool)
    text = Path(".gitlab-ci.yml").read_text()
    assert text.count(f"$CI_SERVER_FQDN/acme/tools/release/check@{COMMIT}\n") == 1
    assert "from: devel, to: live" in text
    assert 'base: "trunk"' in text
    assert not Path(".github").exists()
    (hook,) = yaml.safe_load(Path(".pre-commit-config.yaml").read_text())["repos"]
    assert hook["repo"] == "https://gitlab.com/acme/tools/release"
    git("add", "--all")
    git("commit", "--quiet", "--message", "Begin")
    upgraded = data("--upgrade", "--tool", f"acme/tools/release@{'b' * 40}", "--yes")
    assert states(upgraded)[".gitlab-ci.yml"] == "changed"
    assert "b" * 40 in Path(".gitlab-ci.yml").read_text()
    data("--workflows", "github", "--tool", f"acme/release@{COMMIT}", "--environments", "devel,live")
    assert Path(".github/workflows/bump.yml").exists()


def test_the_pipelines_of_azure_are_pinned_by_a_tag(here: Path) -> None:
    committed(here, {"README.md": "x\n"})
    git("remote", "add", "origin", "https://acme@dev.azure.com/acme/shop/_git/gitops")
    more = ("--environments", "devel", "--base", "trunk", "--workflows")
    data(*more, "--tool", "platform/release@v0.1.0", "--pre-commit")
    text = Path(".azure-pipelines/release-sync.yml").read_text()
    assert "name: platform/release\n      ref: refs/tags/v0.1.0\n" in text
    assert 'include: ["trunk"]' in text
    (hook,) = yaml.safe_load(Path(".pre-commit-config.yaml").read_text())["repos"]
    assert hook["repo"] == "local", "the address of a repository there doesn't follow from its name"
    assert "a tag that nobody can move" in init(*more, "azure", "--tool", "platform/release", code=2).err


def test_each_service_has_promotions_of_its_own() -> None:
    text = texts.configuration(texts.Settings(("devel", "live"), "chart", "x", "x"))
    text = text.replace("chart: chart\nrelease_name: x\nnamespace: x\n", "")
    text += "services:\n  engine: {chart: a, release_name: a, namespace: a}\n  search: {chart: b, release_name: b, namespace: b}\n"
    (made,) = pipelines.KINDS["gitlab"].files(f"OWNER/release@{COMMIT}", load(text.encode(), "release.yaml")).values()
    assert made.count("/promote@") == 2
    assert "service: search, job: release promote search" in made


def test_what_is_asked_for_is_written_and_workflows_pass_doctor(here: Path) -> None:
    committed(here, {"README.md": "x\n"})
    git("remote", "add", "origin", FORGE)
    tool = ("--workflows", "--tool", f"acme/release@{COMMIT}")
    planned = data("--environments", "devel", *tool, "--codeowners", "@acme/a", "--pre-commit", "--deliver", "flux")
    assert planned["forge"] == "github"
    assert planned["next"][1:] == ["git push -u origin main", "release doctor"]
    assert {f".github/workflows/{name}.yml" for name in pipelines_github.WORKFLOWS} <= set(states(planned))
    assert "/environments/devel/ @acme/a\n" in Path(".github/CODEOWNERS").read_text()
    (hook,) = yaml.safe_load(Path(".pre-commit-config.yaml").read_text())["repos"]
    (offered,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook == {"repo": "https://github.com/acme/release", "rev": COMMIT, "hooks": [{"id": offered["id"]}]}
    source, release = yaml.safe_load_all(Path("flux/devel.yaml").read_text())
    assert source["spec"]["url"] == "ssh://git@github.com/acme/gitops.git"
    assert release["spec"]["chart"]["spec"]["valuesFiles"] == [
        "charts/grpc-manifest/values.yaml", "environments/devel/values.yaml", "environments/devel/image_tag.yaml",
    ]  # fmt: skip
    data("--deliver", "applicationset")
    several = yaml.safe_load(Path("argocd/applicationset.yaml").read_text())["spec"]
    assert several["generators"][0]["list"]["elements"] == [
        {"environment": "devel", "name": "gitops-devel", "cluster": "devel"}
    ]
    data("--deliver", "argocd")
    assert '"applicationset",' in Path(".release-init.json").read_text(), "what was asked for before is not forgotten"
    application = yaml.safe_load(Path("argocd/devel.yaml").read_text())
    assert application["spec"]["source"]["helm"]["valueFiles"] == [
        "/environments/devel/values.yaml", "/environments/devel/image_tag.yaml",
    ]  # fmt: skip
    for kind, name in (("argocd", application["metadata"]["name"]), ("flux", release["metadata"]["name"])):
        written = Path(f"{kind}/devel.yaml").read_text().partition("`health: ")[2].partition("`")[0]
        given = Path("release.yaml").read_text() + f"    health: {written}\n"  # the only environment stands last
        assert name in repr(load(given).entry.health), "what is written there is right in release.yaml"


def test_lines_are_added_to_files_that_stand_and_never_twice() -> None:
    owners = extras.code_owners("@a/b", ["release.yaml", "charts/x/"], "* @c")
    assert owners == "* @c\n# What `release` works with.\n/release.yaml @a/b\n/charts/x/ @a/b\n"
    assert extras.code_owners("@a/b", ["release.yaml", "charts/x/"], owners) == owners
    hooks = extras.pre_commit("", "repos:\n- repo: x  # ours\n  hooks: []\n")
    assert hooks.startswith("repos:\n- repo: x  # ours\n  hooks: []\n- repo: local\n")
    assert extras.pre_commit("", hooks) == hooks
    with pytest.raises(ReleaseError) as raised:
        extras.pre_commit("", "repos: [")
    assert raised.value.where.startswith(extras.HOOKS)


@pytest.mark.parametrize("remote", ["", "/srv/gitops.git", "../gitops.git"])
def test_a_cluster_is_given_no_address_that_it_can_not_read(here: Path, remote: str) -> None:
    git("init", "-q")
    if remote:
        git("remote", "add", "origin", remote)
    verb = "set-url" if remote else "add"
    assert f"`git remote {verb} origin URL`" in init("--deliver", "argocd", code=1).err


def test_names_that_yaml_reads_otherwise_are_quoted() -> None:
    text = texts.configuration(texts.Settings(("on", "1"), "charts/a b", "no", "engine"))
    read = yaml.safe_load(text)
    assert (read["chart"], read["release_name"], list(read["environments"])) == ("charts/a b", "no", ["on", "1"])


def test_the_owners_stand_where_the_forge_looks() -> None:
    firsts = {forge: extras.owners_files(forge)[0] for forge in ("github", "gitlab", "gitea", "none")}
    assert firsts == {
        "github": ".github/CODEOWNERS",
        "gitlab": "CODEOWNERS",
        "gitea": "CODEOWNERS",
        "none": ".github/CODEOWNERS",
    }


def test_what_others_staged_and_a_detached_head_are_left_out_of_the_printed_commands(here: Path) -> None:
    committed(here, {"README.md": "x\n"})
    git("checkout", "-q", "--detach")
    git("remote", "add", "origin", "git@gitlab.example.com:a/b.git")
    Path("theirs").write_text("x\n")
    git("add", "theirs")
    planned = data("--environments", "devel", "--tag", "1.0.3")
    assert "no forge is known" in planned["notes"][0]
    for command in planned["next"][:2]:
        subprocess.run(["sh", "-ec", command], check=True, capture_output=True, timeout=60)
    assert git("status", "--porcelain") == "A  theirs"
    assert planned["next"][2] == "git push -u origin set-up-release"
    assert git("branch", "--show-current").strip() == "set-up-release"


def test_the_base_is_the_one_that_the_remote_begins_with(here: Path, tmp_path: Path) -> None:
    committed(here, {"README.md": "x\n"})
    git("branch", "-m", "trunk")
    attempt("clone", "-q", here, tmp_path / "clone")
    git("checkout", "-qb", "set-up", cwd=tmp_path / "clone")
    said = run("init", "-C", str(tmp_path / "clone"), "--environments", "devel", "--output", "json")
    assert (said.code, said.data["base"]) == (0, "trunk")
    assert re.fullmatch(r"git -C \S+ push -u origin set-up", said.data["next"][1])
    assert said.data["next"][2].endswith(" check")


# -- later --


@pytest.fixture
def newer(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What an older version of the tool set up and somebody committed; and the chart of the version that runs now."""
    git("init", "-q")
    git("remote", "add", "origin", FORGE)
    init("--environments", "devel,live", "--tag", "1.0.3", "--deliver", "applicationset")
    git("add", ".")
    git("commit", "-qm", "x")
    shipped = tmp_path / "newer"
    shutil.copytree(files.SHIPPED, shipped)
    monkeypatch.setattr(files, "SHIPPED", shipped)
    for module in ("commands.init.ledger", "commands.init.upgrade", "commands.init.writing", "cli.init"):
        monkeypatch.setattr(f"release_tool.{module}.__version__", "0.2.0")
    return shipped


def rewritten(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


VALUES = "charts/grpc-manifest/values.yaml"


def test_an_upgrade_brings_what_is_new_keeps_what_people_changed_and_is_written_on_request(newer: Path) -> None:
    assert "Nothing to upgrade" in init("--upgrade").out
    rewritten(newer / "values.yaml", "weight: 100", "weight: 90")
    (newer / "templates/poddisruptionbudget.yaml").unlink()
    (newer / "templates/extra.yaml").write_text("{{/* more */}}\n")
    rewritten(Path("release.yaml"), "drain: 1h", "drain: 2h")
    rewritten(Path(VALUES), "repository: registry.example.com/engine", "repository: r.example.com/mine")
    Path("charts/grpc-manifest/templates/NOTES.txt").unlink()
    (newer / "templates/NOTES.txt").write_text("new\n")
    before = everything(Path())
    shown = init("--upgrade")
    assert "-  weight: 100\n+  weight: 90" in shown.out
    assert "`release init --upgrade --yes` writes this." in shown.out
    assert everything(Path()) == before
    assert "not committed" in init("--upgrade", "--yes", code=1).err, "a person's change would be lost"
    git("commit", "-qam", "ours")
    done = data("--upgrade", "--yes")
    assert {path.rpartition("/")[2]: state for path, state in states(done, charts=True).items()} == {
        "NOTES.txt": "gone", "extra.yaml": "new", "poddisruptionbudget.yaml": "removed", "values.yaml": "changed",
        ".release-init.json": "noted",
    }  # fmt: skip
    assert "repository: r.example.com/mine" in Path(VALUES).read_text()
    assert "weight: 90" in Path(VALUES).read_text()
    assert "drain: 2h" in Path("release.yaml").read_text()
    assert done["next"][0].endswith("git commit -m 'Take over the files of release 0.2.0'")
    subprocess.run(["sh", "-ec", done["next"][0]], check=True, capture_output=True, timeout=60)
    assert git("status", "--porcelain") == ""
    assert "Nothing to upgrade" in init("--upgrade").out


@pytest.mark.parametrize("shallow", [False, True])
def test_what_both_sides_changed_is_shown_and_decided_by_a_person(newer: Path, shallow: bool) -> None:
    for path, weight in ((newer / "values.yaml", "90"), (Path(VALUES), "80")):
        rewritten(path, "weight: 100", f"weight: {weight}")
    git("commit", "-qam", "ours")
    if shallow:  # nobody knows any more what was written
        git("checkout", "-q", "--orphan", "anew")
        git("commit", "-qm", "anew")
        git("branch", "-qD", "main")
        git("reflog", "expire", "--expire=now", "--all")
        git("gc", "-q", "--prune=now")
    before = everything(Path())
    shown = init("--upgrade", "--yes", code=1)
    assert "you and release 0.2.0 changed the same places of 1 file" in shown.err
    assert "+<<<<<<< yours" in shown.out
    assert everything(Path()) == before
    for choice, weight in (("yours", "80"), ("new", "90"), ("mark", "")):
        said = init("--upgrade", "--conflicts", choice, "--yes")
        assert not weight or f"  weight: {weight}\n" in Path(VALUES).read_text()
        assert ("between `<<<<<<<`" in said.out) == (choice == "mark")
        git("checkout", "-q", ".")


def test_an_upgrade_without_a_note_or_of_a_newer_one_says_so(here: Path) -> None:
    git("init", "-q")
    assert "no note here" in init("--upgrade", code=1).err
    init("--environments", "devel", "--tag", "1.0.3")
    note = Path(".release-init.json")
    whole = note.read_text()
    for old, new, words in (
        ('"version": "0.1.0"', '"version": "9.0.0"', "install 9.0.0 or a newer one"),
        ('"schema": 1', '"schema": 2', "a newer version of `release` wrote this file"),
        ('"keep": 4', '"kept": 4', "not as `release init` wrote it"),
        ("{", "", "not as `release init` wrote it"),
    ):
        note.write_text(whole.replace(old, new, 1))
        assert words in init("--upgrade", code=1).err
    assert "leave the other flags out" in init("--upgrade", "--tag", "1", code=2).err
    assert "--conflicts is for --upgrade" in init("--conflicts", "new", code=2).err
