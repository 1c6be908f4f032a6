"""What a chart depends on: read as Helm reads it once the dependencies are built, and refused in one sentence."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rendering import contents
from world import World

from release_tool.errors import ReleaseError, ValuesRefused
from release_tool.helm import Renderer, make_renderer
from release_tool.helm.embedded import packed
from release_tool.helm.request import RenderRequest, ValuesFile
from release_tool.remote import dependencies

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {x: '{{ .Values.x }}'}\n"


def chart(name: str, depends: str = "", version: str = "1.2.3", **more: str | bytes) -> dict[str, bytes]:
    """A chart with one object of its name."""
    about = f"apiVersion: v2\nname: {name}\nversion: {version}\n"
    about += f"dependencies:\n{depends}" if depends else ""
    files: dict[str, str | bytes] = {
        "Chart.yaml": about,
        "templates/a.yaml": CONFIG_MAP % "'of-{{ .Chart.Name }}'",
        **more,
    }
    return {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}


def below(directory: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{directory}/{path}": content for path, content in files.items()}


class Held:
    """A source that holds some files."""

    title, commit = "here", None

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        return {path: self.files[path] for path in paths if path in self.files}

    def paths(self, directory: str) -> list[str]:
        return sorted(path for path in self.files if path.startswith(f"{directory}/" if directory else ""))


def complete(files: dict[str, bytes], renderer: Renderer | None = None) -> dependencies.ChartParts:
    source = Held(files)
    own = dependencies.read_chart(source, "charts/top")
    return dependencies.complete(own, "charts/top", "", renderer or make_renderer("auto"), source)


def rendered(files: dict[str, bytes], renderer: Renderer, values: str = "") -> dict[str, Any]:
    parts = complete(files, renderer)
    asked = RenderRequest("charts/top", parts.files, [ValuesFile("v.yaml", values)], "top", "top", places=parts.places)
    return contents(renderer.render(asked))


def built_by_helm(files: dict[str, bytes], directory: Path, values: str) -> dict[str, Any]:
    """The same by `helm dependency build` and `helm template`, the innermost chart first."""
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
    for one in ("base", "common", "top"):
        vendored = any(path.startswith(f"charts/{one}/charts/") for path in files)
        if (directory / "charts" / one).is_dir() and not vendored:
            build = ["helm", "dependency", "build", f"charts/{one}"]
            subprocess.run(build, cwd=directory, check=True, capture_output=True)
    (directory / "v.yaml").write_text(values)
    template = ["helm", "template", "top", "charts/top", "--values=v.yaml", "--include-crds", "--skip-tests"]
    return contents(subprocess.run(template, cwd=directory, check=True, capture_output=True, text=True).stdout)


COMMON = below("charts/common", chart("common", **{"values.yaml": "x: common\n"}))
BESIDE = "- {name: common, version: ^1.0.0, repository: 'file://../common'}\n"
LIVES = {
    "beside": (chart("top", BESIDE), COMMON, ""),
    "alias": (chart("top", BESIDE.replace("}", ", alias: other}")), COMMON, "other: {x: mine}\n"),
    "twice": (chart("top", BESIDE + BESIDE.replace("}", ", alias: other}")), COMMON, "other: {x: mine}\n"),
    "condition": (
        chart("top", BESIDE.replace("}", ", condition: common.wanted}")),
        COMMON,
        "common: {wanted: false}\n",
    ),
    "tags": (chart("top", BESIDE.replace("}", ", tags: [some]}")), COMMON, "tags: {some: false}\n"),
    "imported": (
        chart("top", BESIDE.replace("}", ", import-values: [{child: data, parent: .}]}")),
        below("charts/common", chart("common", **{"values.yaml": "data: {x: imported}\n"})),
        "",
    ),
    "nested": (
        chart("top", BESIDE),
        below("charts/common", chart("common", "- {name: base, version: 1.x, repository: 'file://../base'}\n"))
        | below("charts/base", chart("base")),
        "common: {base: {x: deep}}\n",
    ),
    "old": (
        chart("top", **{"Chart.yaml": "apiVersion: v1\nname: top\nversion: 1.0.0\n"})
        | {"requirements.yaml": f"dependencies:\n{BESIDE}".encode()},
        COMMON,
        "",
    ),
    "vendored": (
        chart("top", BESIDE, **{"charts/common/Chart.yaml": chart("common")["Chart.yaml"]}),
        {},
        "",
    ),
    "packed": (
        chart(
            "top",
            "- {name: common, version: 1.x, repository: 'https://example.com', alias: other}\n",
            **{"charts/common-1.2.3.tgz": packed(chart("common", **{"charts/base-1.2.3.tgz": packed(chart("base"))}))},
        ),
        {},
        "other: {x: packed, base: {x: inner}}\n",
    ),
    "ignored": (
        chart("top", BESIDE, **{".helmignore": "b.yaml\n", "templates/b.yaml": CONFIG_MAP % "b"}),
        below(
            "charts/common",
            chart("common", **{".helmignore": "# mine\nc.*\n/d/\n", "templates/b.yaml": CONFIG_MAP % "kept"})
            | {"templates/c.yaml": b"left out", "templates/.hidden.yaml": b"left out"},
        ),
        "",
    ),
}


@pytest.fixture(scope="module")
def by_helm(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """What Helm itself makes of a case, once for both engines."""
    if shutil.which("helm") is None:
        pytest.skip("there is no helm on PATH to compare with")

    @cache
    def built(case: str) -> dict[str, Any]:
        top, beside, values = LIVES[case]
        return built_by_helm(below("charts/top", top) | beside, tmp_path_factory.mktemp(case), values)

    return built


@pytest.mark.parametrize("case", LIVES)
def test_a_chart_renders_as_after_helm_dependency_build(
    case: str, renderer: Renderer, by_helm: Callable[[str], dict[str, Any]]
) -> None:
    top, beside, values = LIVES[case]
    found = rendered(below("charts/top", top) | beside, renderer, values)
    assert found.keys() >= {"ConfigMap of-top"}
    assert found == by_helm(case)


def beside(repository: str = "file://../common", name: str = "common", version: str = "1.x", **common: str) -> Any:
    """A chart with a dependency, and the chart beside it."""
    line = f"- {{name: {name}, version: '{version}', repository: '{repository}'}}\n"
    return below("charts/top", chart("top", line)) | below("charts/common", chart("common", **common))


@pytest.mark.parametrize(
    ("files", "what", "hint"),
    [
        (
            beside("oci://example.com/charts", "redis"),
            "the dependency redis of the chart is not in its directory charts/",
            "`helm dependency build charts/top`, then commit charts/top/charts (`git add --force`, if Git ignores it)",
        ),
        (
            beside("", "redis"),
            "the dependency redis of the chart is not there, and it names no `repository`",
            "commit the chart as charts/top/charts/redis",
        ),
        (
            beside("file://../gone"),
            "the dependency common is not there: charts/gone holds no Chart.yaml",
            "correct its `repository`, or commit the chart",
        ),
        (beside("file://../../../common"), "the dependency common leads out of the repository: file://../../../common", ""),
        (beside("file:///etc"), "the dependency common leads out of the repository: file:///etc", ""),
        (
            beside(name="other"),
            "the dependency other is another chart: charts/common/Chart.yaml names it common",
            "correct its `name` or its `repository`",
        ),
        (
            beside(version="^2"),
            "the dependency common is wanted in version ^2, and charts/common is 1.2.3",
            "correct its `version`, or the chart",
        ),
        (beside(version=">=1", **{"Chart.yaml": "apiVersion: v2\nname: common\nversion: 1.0.0-rc1\n"}),
         "the dependency common is wanted in version >=1, and charts/common is 1.0.0-rc1", ""),
        (
            beside(version="newest"),
            "the version of the dependency common can't be compared: 'newest' with '1.2.3'",
            "write a version or a range like ^1.2.0 here, and a semantic version in charts/common/Chart.yaml",
        ),
        (
            beside("file://."),
            "the charts depend on each other: charts/top -> charts/top",
            "take one of these dependencies out",
        ),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_dependency_that_cant_be_used_is_refused_at_its_line(files: dict[str, bytes], what: str, hint: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        complete(files)
    assert caught.value.what == what
    assert caught.value.where == "charts/top/Chart.yaml:5:3"
    assert hint in caught.value.hint


def test_a_circle_of_charts_is_refused_where_it_closes() -> None:
    files = below("charts/top", chart("top", BESIDE))
    back = "- {name: top, version: 1.x, repository: 'file://../top'}\n"
    files |= below("charts/common", chart("common", back))
    with pytest.raises(ReleaseError, match="charts/top -> charts/common -> charts/top") as caught:
        complete(files)
    assert caught.value.where == "charts/common/Chart.yaml:5:3"


def test_a_chart_at_the_top_can_be_a_dependency() -> None:
    files = below("charts/top", chart("top", "- {name: root, version: 1.x, repository: 'file://../..'}\n"))
    found = complete(files | {"Chart.yaml": chart("root")["Chart.yaml"], "templates/r.yaml": b""}).files
    assert "charts/root/templates/r.yaml" in found
    with pytest.raises(ReleaseError, match=r"the dependency root is not there: the top holds no Chart\.yaml"):
        complete(files | {"Chart.yaml": chart("root")["Chart.yaml"], ".helmignore": b"Chart.yaml\n"})


def test_charts_that_double_at_each_level_end_soon() -> None:
    files = below("charts/top", chart("top", "- {name: c0, version: 1.x, repository: 'file://../c0'}\n"))
    for number in range(18):
        name, repository = f"c{number + 1}", f"'file://../c{number + 1}'"
        twice = "".join(f"- {{name: {name}, version: 1.x, repository: {repository}, alias: {a}}}\n" for a in "xy")
        files |= below(f"charts/c{number}", chart(f"c{number}", twice))
    files |= below("charts/c18", chart("c18"))
    assert len(complete(files).files) == 2 * 20


def test_what_is_wrong_in_a_dependency_is_told_where_it_stands(renderer: Renderer) -> None:
    files = beside(**{"templates/a.yaml": "\n{{ .Values.a.b }}"})
    files["charts/top/charts/packed-1.0.0.tgz"] = packed(chart("packed", **{"templates/a.yaml": "{{ .Values.a.b }}"}))
    with pytest.raises(ReleaseError) as caught:
        rendered(files, renderer, "packed: {a: {b: ''}}\n")
    assert caught.value.where == "charts/common/templates/a.yaml:2:10"
    with pytest.raises(ReleaseError) as caught:
        rendered(files, renderer, "common: {a: {b: ''}}\n")
    assert caught.value.where == "charts/top/charts/packed-1.0.0.tgz/templates/a.yaml:1:10"


STRICT = '{"type": "object", "additionalProperties": false, "properties": {"x": {"type": "string"}}}'


def test_a_schema_that_refuses_the_key_of_a_dependency_is_told_why(renderer: Renderer) -> None:
    files = beside() | {"charts/top/values.schema.json": STRICT.encode()}
    with pytest.raises(ReleaseError) as caught:
        rendered(files, renderer, "x: a\n")
    assert caught.value.where == "charts/top/values.schema.json"
    assert caught.value.cause == "Helm itself adds a key for each dependency to the values, and `global`"
    assert caught.value.hint == "allow common among the `properties` of the schema"
    with pytest.raises(ReleaseError) as caught:
        rendered(files, renderer, "x: a\ny: b\n")
    assert caught.value.hint == "correct v.yaml"


def test_a_value_that_a_dependency_refuses_is_told_by_its_key_here(renderer: Renderer) -> None:
    files = beside(**{"values.schema.json": STRICT.replace("false", "true")})
    with pytest.raises(ValuesRefused) as caught:
        rendered(files, renderer, "common: {x: 1}\n")
    assert caught.value.where == "charts/common/values.schema.json"
    assert [one.pointer for one in caught.value.values] == ["/common/x"]


def test_a_bump_takes_a_chart_beside_from_the_same_commit(world: World) -> None:
    library = chart("common", **{"templates/a.yaml": "", "templates/_a.tpl": '{{ define "label" }}old{{ end }}'})
    library = {path: data for path, data in library.items() if path != "templates/a.yaml"}
    used = (CONFIG_MAP % "labelled").replace(
        "}}'}", "}}', label: '{{ include \"label\" . }}', tags: '{{ .Values.image.tag }}'}"
    )
    files = below("charts/own", chart("own", BESIDE, **{"templates/a.yaml": used})) | below("charts/common", library)
    config = world.file("release.yaml").replace("charts/grpc-manifest", "charts/own")
    world.commit({**{path: data.decode() for path, data in files.items()}, "release.yaml": config}, "Own chart")
    assert "label: 'old'" in world.release("render", "devel").out
    world.release("bump", "devel", "v1.0.5")
    world.commit({"charts/common/templates/_a.tpl": '{{ define "label" }}new{{ end }}'}, "Change the library")
    assert "label: 'new'" in world.release("render", "devel").out
    world.commit({"charts/common/Chart.yaml": "apiVersion: v2\nname: common\nversion: 2.0.0\n"}, "Break it")
    said = world.release("check", code=1)
    assert "charts/own/Chart.yaml:5:3: the dependency common is wanted in version ^1.0.0" in said.out + said.err


def test_the_shipped_chart_needs_nothing_of_this(world: World) -> None:
    script = (
        "import sys; from release_tool.cli import main;"
        f"status = main(['render', 'devel', '-C', {str(world.clone)!r}]);"
        "sys.exit('release_tool.remote.dependencies' in sys.modules or status)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
