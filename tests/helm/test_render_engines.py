"""The engines: the same objects from both, the same words about what is wrong, and nothing left behind."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import logging
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import pytest
from fixtures import HELM, helm_program
from rendering import SEED, contents, rendered, request, small_chart

from release_tool import manifests
from release_tool.cli import main
from release_tool.errors import ReleaseError
from release_tool.helm import Renderer, described, embedded, make_renderer
from release_tool.helm.embedded import EmbeddedRenderer
from release_tool.helm.program import ProgramRenderer
from release_tool.helm.request import RenderRequest

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n"
EMBEDDED = importlib.util.find_spec("helm_python") is not None


def config_map(name: str, rest: str = "") -> str:
    return CONFIG_MAP.format(name=name) + rest


def hook(name: str, events: str) -> str:
    return f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  annotations:\n    helm.sh/hook: {events}\n"


def program(folder: Path, script: str, told: str = "echo v3.22.0") -> str:
    path = folder / "helm"
    path.write_text(f'#!/bin/sh\n[ "$1" != version ] || {{ {told}; exit; }}\n{script}\n', encoding="utf-8")
    path.chmod(0o755)
    return str(path)


CLUSTER = """\
{{ if semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version }}# {{ .Capabilities.KubeVersion }}
apiVersion: v1
kind: ConfigMap
metadata: {name: young}
{{ if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" }}data: {monitored: "yes"}{{ end }}
{{ end }}"""


def for_a_cluster(
    kube_version: str, *api_versions: str, about: str = "kubeVersion: '>=1.25.0-0 <1.34.0-0'\n"
) -> RenderRequest:
    files = small_chart({"templates/a.yaml": CLUSTER, ".helmignore": "x\n", "values.yaml": "a: 1\n"})
    files["Chart.yaml"] += about.encode()
    return request(files=files)._replace(kube_version=kube_version, api_versions=api_versions)


# -- the cluster --
def test_the_chart_is_told_of_the_cluster(renderer: Renderer) -> None:
    assert contents(renderer.render(for_a_cluster("v1.29.3"))) == {}
    assert "data" not in contents(renderer.render(for_a_cluster("1.33")))["ConfigMap young"]
    served = contents(renderer.render(for_a_cluster("1.33", "monitoring.coreos.com/v1")))
    assert served["ConfigMap young"]["data"] == {"monitored": "yes"}
    only = contents(renderer.render(for_a_cluster("", "monitoring.coreos.com/v1", about="")))
    assert only["ConfigMap young"]["data"] == {"monitored": "yes"}


@pytest.mark.parametrize("ignore", [True, False])
def test_a_chart_that_another_version_wants_says_so(renderer: Renderer, ignore: bool) -> None:
    wanted = for_a_cluster("1.34")
    if not ignore:
        del wanted.files[".helmignore"]  # type: ignore[attr-defined]
    with pytest.raises(ReleaseError) as caught:
        renderer.render(wanted)
    assert "kubeVersion: >=1.25.0-0 <1.34.0-0 which is incompatible with Kubernetes v1.34" in caught.value.what
    assert "`render.kube_version`" in caught.value.hint


# -- what is applied --
def test_hooks_and_crds_are_rendered_tests_and_notes_are_not(renderer: Renderer) -> None:
    files = small_chart(
        {
            "templates/b.yaml": config_map("b") + "---\n" + config_map("b2"),
            "templates/a.yaml": "# only a comment\n---\n" + config_map("a") + "---\n\n---\n",
            "templates/hooks.yaml": hook("z", "post-install") + "---\n" + hook("y", "pre-install, pre-upgrade"),
            "templates/early.yaml": hook("early", "pre-delete") + "    helm.sh/hook-weight: '5'\n",
            "templates/weight.yaml": config_map("no-hook", "  annotations: {helm.sh/hook-weight: '1'}\n"),
            "templates/tests/it.yaml": hook("it", "test"),
            "templates/tests/old.yaml": hook("old", "test-success"),
            "templates/unknown.yaml": hook("unknown", "crd-install"),
            "templates/off.yaml": "{{ if .Values.on }}\n" + config_map("off") + "{{ end }}",
            "templates/_partial.yaml": config_map("partial"),
            "templates/NOTES.txt": "Thank you for installing {{ .Release.Name }}: helm.sh/hook\n",
            "crds/crd.yaml": "# about\n" + config_map("crd") + "---\n" + config_map("crd2"),
            "README.md": "# small",
        }
    )
    text = renderer.render(request(files=files))
    assert [found.key.name for found in manifests.objects(text)] == [
        *["crd", "crd2"],
        *["a", "b", "b2", "no-hook"],
        *["early", "z", "y"],
    ]
    assert text.startswith("---\n# Source: ")
    assert "# Source: small/templates/b.yaml\napiVersion: v1\n" in text


def test_line_ends_stay_as_the_templates_have_them(renderer: Renderer) -> None:
    text = renderer.render(request(files=small_chart({"templates/a.yaml": config_map("a").replace("\n", "\r\n")})))
    assert text == "---\n# Source: small/templates/a.yaml\n" + config_map("a").rstrip().replace("\n", "\r\n") + "\n"


def test_subcharts_follow_their_condition_and_alias(renderer: Renderer) -> None:
    sub = {
        "charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
        "charts/sub/templates/a.yaml": config_map("{{ .Chart.Name }}-{{ .Values.x }}")
        + "---\n"
        + hook("{{ .Chart.Name }}-hook", "pre-install"),
    }
    dependencies = (
        "dependencies:\n- {name: sub, version: 1.0.0, condition: sub.enabled}\n"
        "- {name: sub, version: 1.0.0, alias: other}\n"
    )
    files = small_chart({"Chart.yaml": "apiVersion: v2\nname: small\nversion: 0.1.0\n" + dependencies, **sub})
    values = "sub: {enabled: false}\nother: {x: mine}\n"
    assert list(rendered(renderer, values, files=files)) == ["ConfigMap other-mine", "Pod other-hook"]


@pytest.mark.parametrize(("library", "wanted"), [
    ("{name: lib, version: 1.0.0}", ["ConfigMap from-lib"]),
    ("{name: lib, version: 1.0.0, import-values: [{child: taken, parent: .}]}", ["ConfigMap imported"]),
    ("{name: lib, version: 1.0.0, condition: enabled}", ["ConfigMap from-lib"]),
])  # fmt: skip
@pytest.mark.parametrize("nested", [False, True], ids=["", "with a chart of its own"])
def test_a_library_is_taken_as_its_dependency_says(
    library: str, wanted: list[str], nested: bool, renderer: Renderer
) -> None:
    files = {
        "Chart.yaml": f"apiVersion: v2\nname: small\nversion: 0.1.0\ndependencies:\n- {library}\n",
        "templates/a.yaml": '{{ include "lib.object" . }}\n',
        "charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
        "charts/lib/values.yaml": "taken: {name: imported}\n",
        "charts/lib/templates/_a.tpl": '{{- define "lib.object" -}}\n'
        + config_map("{{ .Values.name | default `from-lib` }}")
        + "{{- end -}}\n",
        "charts/lib/templates/b.yaml": config_map("never"),
    }
    if nested:
        files["charts/lib/Chart.yaml"] += "dependencies: [{name: inner, version: 1.0.0, condition: inner.enabled}]\n"
        files["charts/lib/charts/inner/Chart.yaml"] = "apiVersion: v2\nname: inner\nversion: 1.0.0\n"
        files["charts/lib/charts/inner/templates/a.yaml"] = config_map("inner")
    found = rendered(renderer, "enabled: true\nlib: {inner: {enabled: false}}\n", files=small_chart(files))
    assert list(found) == wanted


def test_a_file_that_helmignore_names_is_no_part_of_the_chart(renderer: Renderer) -> None:
    files = small_chart({f"templates/{name}.yaml": config_map(name.strip(".")) for name in ("old", "new", ".hidden")})
    assert list(rendered(renderer, files=files)) == ["ConfigMap new", "ConfigMap old"]
    files[".helmignore"] = b"templates/old.yaml\n"
    assert list(rendered(renderer, files=files)) == ["ConfigMap new"]


# -- values --
DUMP = {
    "templates/a.yaml": config_map("a", "data:\n  {{- toYaml .Values | nindent 2 }}\n  big: '{{ .Values.port }}'\n")
}


def test_later_values_lie_over_earlier_ones(renderer: Renderer) -> None:
    files = small_chart({**DUMP, "values.yaml": "port: 1\nkept: {a: 1, b: 2}\nlist: [1, 2]\ngone: {x: 1}\nstays: 1\n"})
    objects = rendered(
        renderer,
        "port: 2\nkept: {b: 3, c: 4}\nlist: [3]\n",
        "---\n# documents of one file are merged\nport: 1000620000\n---\nkept: {c: 5}\ngone: null\n",
        "",
        "# nothing\n",
        files=files,
    )
    assert objects["ConfigMap a"]["data"] == {
        "port": 1000620000,
        "kept": {"a": 1, "b": 3, "c": 5},
        "list": [3],
        "stays": 1,
        "big": "1.00062e+09",  # a number is a floating one in Helm, whatever the engine
    }


@pytest.mark.parametrize("text", ["\ufeffport: ü\r\nyes: no\r\n", "a: &x {b: 0x1F}\nport: *x\n", "port: 2026-11-23\n"])
def test_every_engine_reads_yaml_alike(text: str, renderer: Renderer) -> None:
    expected = {
        "\ufeff": {"port": "ü", "true": False, "big": "ü"},
        "a: &x": {"a": {"b": 31}, "port": {"b": 31}, "big": "map[b:31]"},
        "port:": {"port": "2026-11-23", "big": "2026-11-23"},
    }
    wanted = next(value for start, value in expected.items() if text.startswith(start))
    found = rendered(renderer, text, files=small_chart(DUMP))["ConfigMap a"]["data"]
    assert json.loads(json.dumps(found, default=str)) == wanted


# -- what is wrong, in words --
@pytest.mark.parametrize(
    ("files", "what", "where"),
    [
        ({"templates/a.yaml": '{{ fail "set x:\\n  to y" }}'}, "the chart refuses the values: set x: to y",
         "/templates/a.yaml:1:3"),
        ({"templates/a.yaml": '\nx: {{ required "name the port" .Values.port }}'},
         "the chart refuses the values: name the port", "/templates/a.yaml:2:6"),
        ({"templates/a.yaml": "\n\nx: {{ .Values.a.b.c }}"},
         "the chart does not render: nil pointer evaluating interface {}.b", "/templates/a.yaml:3:13"),
        (
            {
                "templates/a.yaml": '{{ include "h" . }}',
                "templates/_h.tpl": '{{ define "h" }}\n\n{{ .Values.a.b }}{{ end }}',
            },
            "the chart does not render: nil pointer evaluating interface {}.b",
            "/templates/_h.tpl:3:10",
        ),
        ({"templates/a.yaml": "{{ if }}"},
         "the chart does not render: parse error at (small/templates/a.yaml:1): missing value for if",
         "/templates/a.yaml:1"),
        (
            {
                "templates/a.yaml": '{{ include "a" . }}',
                "templates/_h.tpl": '{{ define "a" }}{{ include "a" . }}{{ end }}',
            },
            "the chart does not render: ",
            "/templates/_h.tpl:1:19",
        ),
        ({"values.schema.json": '{"required": ["b"], "properties": {"a": {"type": "string"}}}', "values.yaml": "a: 1"},
         "the values don't fit the chart: at '': missing property 'b'; at '/a': got number, want string",
         "/values.schema.json"),
        ({"values.schema.json": '{"type":'}, "the values don't fit the chart: unexpected EOF", "/values.schema.json"),
        ({"Chart.yaml": "name: [\n"}, "the chart does not render: cannot load Chart.yaml: ", ""),
        ({"Chart.yaml": "apiVersion: v2\nname: x\n"}, "validation: chart.metadata.version is required", ""),
        ({"values.yaml": "a: [\n"}, "the chart does not render: cannot load values.yaml: ", ""),
        ({"Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\ntype: library\n"},
         "the chart does not render: library charts are not installable", ""),
        ({"Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: q, version: 1.0.0}]\n"},
         "found in Chart.yaml, but missing in charts/ directory: q", ""),
        ({"Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\nkubeVersion: '>=9'\n"},
         "the chart does not render: chart requires kubeVersion: >=9 which is incompatible with Kubernetes", ""),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value)[:60],
)  # fmt: skip
def test_a_chart_that_fails_says_what_where_and_what_to_do(
    files: dict[str, str], what: str, where: str, renderer: Renderer
) -> None:
    with pytest.raises(ReleaseError) as caught:
        renderer.render(request("z: 1\n", files=small_chart(files)))
    assert what in caught.value.what
    assert caught.value.where == f"charts/grpc-manifest{where}"
    assert caught.value.hint.startswith(
        ("correct environments/devel/values-1.yaml", "name the version of your cluster")
    )
    assert "\n" not in caught.value.what
    assert "--debug" not in caught.value.what
    assert len(caught.value.what) < 700


@pytest.mark.parametrize("more", ["", "# helm.sh/hook\n"])
def test_a_template_that_gives_no_yaml_is_named(more: str, renderer: Renderer) -> None:
    with pytest.raises(ReleaseError) as caught:
        manifests.objects(renderer.render(request(files=small_chart({"templates/a.yaml": f"a: 1\n{more}b: [\n"}))))
    assert caught.value.where.endswith("/templates/a.yaml")
    assert "did not find expected node content" in caught.value.what + caught.value.cause


def test_a_hook_that_nests_without_end_is_read_or_refused(renderer: Renderer) -> None:
    deep = {"templates/a.yaml": hook("deep", "[" * 900 + "]" * 900)}
    with contextlib.suppress(ReleaseError):
        manifests.objects(renderer.render(request(files=small_chart(deep))))


@pytest.mark.parametrize(
    ("text", "what", "line", "cause"),
    [
        ("a: 1\n\nb: [1\n", "the values can't be read", ":3", "did not find expected ',' or ']'"),
        ("- 1\n", "the values are no mapping but a list", "", ""),
        ("just text", "the values are no mapping but text", "", ""),
        ("a: &a [b, *a]\n", "the values can't be read", "", "anchor 'a' value contains itself"),
        ("a: 1\n\0b: 2\n", "the values can't be read", "", "NUL character"),
        ("[" * 20_000, "the values can't be read", "", "exceeded max depth"),
    ],
)
def test_a_values_file_that_is_none_is_named(text: str, what: str, line: str, cause: str, renderer: Renderer) -> None:
    with pytest.raises(ReleaseError) as caught:
        renderer.render(request("a: 1\n", text, files=small_chart(DUMP)))
    assert caught.value.what == what
    assert caught.value.where == f"environments/devel/values-2.yaml{line}"
    assert cause in caught.value.cause


@pytest.mark.skipif(not EMBEDDED, reason="the embedded engine has no wheel for this machine")
def test_values_that_are_too_deep_are_refused() -> None:
    deep = "{a: " * 5_000 + "1" + "}" * 5_000
    # From 3.12 on, how deep Python reads is its own matter: refused or rendered, never a crash.
    may = pytest.raises if sys.version_info < (3, 12) else contextlib.suppress
    with may(ReleaseError):
        EmbeddedRenderer().render(request(deep, files=small_chart(DUMP)))


@pytest.mark.parametrize("name", ["--help", "", "Engine", "a" * 54, "a_b", "-a", "a\n"])
def test_a_release_name_that_helm_refuses_is_refused(name: str, renderer: Renderer) -> None:
    with pytest.raises(ReleaseError, match="Helm takes no release name like") as caught:
        renderer.render(request(SEED, release_name=name))
    assert caught.value.hint == "correct `release_name` in release.yaml"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "templates/../../x", "a//b", "./a", "a\\b", "", "a\0b"])
def test_files_outside_the_chart_are_refused(path: str, renderer: Renderer) -> None:
    with pytest.raises(ReleaseError, match="a chart can't hold a file called") as caught:
        renderer.render(request(files=small_chart({path: "x"})))
    assert caught.value.where == "charts/grpc-manifest"


def test_a_directory_without_a_chart_is_refused(renderer: Renderer) -> None:
    with pytest.raises(ReleaseError, match=r"there is no chart: Chart\.yaml is missing"):
        renderer.render(request(files={"values.yaml": b""}))


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:1/x.json"},
        {"properties": {"a": {"anyOf": [{"$ref": "file:///etc/passwd"}]}}},
        {"$schema": "https://schemas.example.com/x"},
        {"$id": "https://schemas.example.com/", "items": {"$ref": "other.json"}},
    ],
)
def test_a_schema_that_would_be_fetched_is_refused(schema: dict[str, object], renderer: Renderer) -> None:
    files = small_chart({**DUMP, "values.schema.json": json.dumps(schema)})
    with pytest.raises(ReleaseError, match=r"the schema of the values refers to .*, outside itself") as caught:
        renderer.render(request(files=files))
    assert caught.value.where == "charts/grpc-manifest/values.schema.json"


# -- nothing printed, nothing left --
WARNS = small_chart({"values.yaml": "a: 1\n", "templates/a.yaml": config_map("a")})


def test_helms_remarks_go_to_the_log_and_not_to_the_screen(
    renderer: Renderer, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "release_tool.helm"):
        rendered(renderer, "a: {b: 1}\n", files=WARNS)
    assert capfd.readouterr() == ("", "")
    assert "warning: skipped value for small.a: Not a table." in caplog.text


def test_rendering_leaves_no_file_behind(renderer: Renderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    home = Path(os.environ["HOME"])
    before = sorted(home.rglob("*"))
    renderer.render(request(SEED))
    with pytest.raises(ReleaseError):
        renderer.render(request("image: {}\n"))
    assert list(tmp_path.iterdir()) == []
    assert sorted(home.rglob("*")) == before


def test_the_users_settings_reach_no_rendering(
    renderer: Renderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = renderer.render(request(SEED))
    (tmp_path / "config").write_text("{{{ no kubeconfig", encoding="utf-8")
    for name, value in {
        "KUBECONFIG": str(tmp_path / "config"),
        "HELM_NAMESPACE": "other",
        "HELM_DRIVER": "sql",
        "HELM_DEBUG": "true",
        "HELM_KUBEAPISERVER": "https://127.0.0.1:1",
        "HELM_PLUGINS": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    assert renderer.render(request(SEED)) == plain


@pytest.mark.skipif(not EMBEDDED, reason="the embedded engine has no wheel for this machine")
def test_the_embedded_engine_keeps_nothing_in_memory() -> None:
    import helm_python

    engine = EmbeddedRenderer()
    before = helm_python.open_handles_count()
    engine.render(request(SEED))
    for values in ("image: {}\n", "image: [\n"):
        with pytest.raises(ReleaseError):
            engine.render(request(values))
    assert helm_python.open_handles_count() == before


# -- choosing and loading --
def test_several_threads_may_render_at_once(renderer: Renderer) -> None:
    renderer.warm_up()
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(renderer.render(request(SEED)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [renderer.render(request(SEED))] * 4


def test_importing_the_module_loads_no_engine() -> None:
    script = (
        "import sys; before = set(sys.modules); import release_tool.helm.embedded, release_tool.manifests;"
        "print(sorted({'helm_python', 'yaml', 'ctypes', 'tempfile', 'subprocess', 'json', 'logging', 'threading',"
        "'shutil', 'difflib'} & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_process_may_end_while_the_engine_is_still_loading() -> None:
    script = "from release_tool.helm.embedded import EmbeddedRenderer; EmbeddedRenderer().warm_up()"
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("engine", "wheel", "on_path", "chosen"),
    [
        ("auto", True, True, "embedded"),
        ("auto", True, False, "embedded"),
        ("auto", False, True, "helm"),
        ("auto", False, False, "there is nothing to render charts with"),
        ("embedded", True, True, "embedded"),
        ("embedded", False, True, "the embedded Helm engine is not installed"),
        ("helm", True, True, "helm"),
        ("helm", True, False, "there is no program `helm` on PATH"),
    ],
)
def test_the_engine_is_chosen_by_what_is_installed(
    engine: str, wheel: bool, on_path: bool, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if wheel else None)
    if on_path:
        program(tmp_path, "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    if chosen in {"embedded", "helm"}:
        assert make_renderer(engine).name == chosen
        return
    with pytest.raises(ReleaseError, match=chosen) as caught:
        make_renderer(engine)
    assert "pip install helm-python-sdk" in caught.value.hint


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ReleaseError, match="no engine is called helm2") as caught:
        make_renderer("helm2")
    assert caught.value.hint == "render.engine is one of auto, embedded, helm"


@pytest.mark.skipif(not EMBEDDED, reason="the embedded engine has no wheel for this machine")
@pytest.mark.parametrize("wait", [0, 0.02, 0.1])
def test_an_engine_that_cant_be_loaded_says_so(tmp_path: Path, wait: float) -> None:
    """Whether it is the thread of `warm_up` that finds it, or the rendering, or both at once."""
    (tmp_path / "libhelm_c.so").write_bytes(b"no library")
    script = (
        "from release_tool.helm.embedded import *; from release_tool.helm.request import *\n"
        "from release_tool.errors import ReleaseError\n"
        "engine = EmbeddedRenderer(); engine.warm_up()\n"
        "try: engine.render(RenderRequest('charts/x', {'Chart.yaml': b''}, (), 'x', 'x'))\n"
        "except ReleaseError as error: print(error.what, '|', error.cause, '|', error.hint)\n"
    )
    environment = {**os.environ, "HELM_C_LIB": str(tmp_path / "libhelm_c.so")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.startswith("the embedded Helm engine can't be loaded | found the helm-c library at ")
    assert "render: {engine: helm}" in done.stdout
    assert done.stderr == ""


# -- the program --
def test_a_program_that_hangs_is_given_up(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ReleaseError, match=r"needs more than 0\.2 s"):
        ProgramRenderer(program(tmp_path, "exec sleep 60"), timeout=0.2).render(request(SEED))
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("echo 'Error: out of luck' >&2; exit 1", "the chart does not render: out of luck"),
        ("exit 3", "the chart does not render: helm ended with status 3"),
    ],
)
def test_a_program_that_fails_is_quoted(script: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError) as caught:
        ProgramRenderer(program(tmp_path, script)).render(request(SEED))
    assert caught.value.what == what


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ("echo v3.13.2", "/helm is Helm v3.13.2: too old to render charts, Helm 3.14 or newer is needed"),
        ("echo v2.17.0", "/helm is Helm v2.17.0: too old to render charts, Helm 3.14 or newer is needed"),
        ("echo unknown flag; exit 1", "/helm tells no version, so it can't render charts"),
        ("exit 0", "/helm tells no version, so it can't render charts"),
        ("echo v3.14.0; echo WARNING: loose permissions >&2", ""),
        ("echo v3.22", ""),
        ("echo v4.3.0-rc.1+g0123", ""),
    ],
)
def test_a_program_that_is_too_old_is_refused(told: str, what: str, tmp_path: Path) -> None:
    helm = program(tmp_path, "exit 0", told)
    if not what:
        assert ProgramRenderer(helm).render(request(SEED)) == ""
        return
    with pytest.raises(ReleaseError) as caught:
        ProgramRenderer(helm).render(request(SEED))
    assert caught.value.what.endswith(what)
    assert "install Helm 3.14 or newer" in caught.value.hint


def test_an_engine_is_described_with_its_version(renderer: Renderer, tmp_path: Path) -> None:
    assert re.fullmatch(r"helm \d[\w.]+ (embedded|at /.*helm3?)", described(renderer))
    with pytest.raises(ReleaseError, match="too old"):
        described(ProgramRenderer(program(tmp_path, "exit 0", "echo v3.9.4")))


def test_the_demo_without_an_engine_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["demo"]) == 1
    told = capsys.readouterr()
    assert "there is nothing to render charts with" in told.err
    assert "install Helm 3.14 or newer" in told.err
    assert told.out == ""


def test_a_program_that_cant_be_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="/no/helm can't be run: No such file"):
        ProgramRenderer(f"{tmp_path}/no/helm").render(request(SEED))


def test_the_program_sees_nothing_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "secret")
    seen = tmp_path / "seen"
    text = ProgramRenderer(program(tmp_path, f"env > {seen}; cat >> {seen}")).render(request(SEED))
    names = {line.partition("=")[0] for line in seen.read_text(encoding="utf-8").splitlines()}
    assert text == ""
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {
        *["PATH", "HOME", "TMPDIR", "LC_ALL", "KUBECONFIG"],
        *["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"],
    }


def test_every_engine_renders_the_same_text() -> None:
    everything = {
        "templates/b.yaml": config_map("b", "data: {kube: '{{ .Capabilities.KubeVersion.Version }}'}\n"),
        "templates/hooks.yaml": hook("z", "post-install") + "---\n" + hook("it", "test") + "---\n" + config_map("a"),
        "crds/crd.yaml": config_map("crd") + "---\n" + config_map("crd2"),
        "templates/text.yaml": config_map("text", "data:\n  {{- toYaml .Values | nindent 2 }}\n"),
        "values.yaml": "gone: {x: 1}\nlist: [1, 2]\nnumber: 1e3\n",
    }
    engines = [make_renderer("embedded")] if EMBEDDED else []
    engines += [ProgramRenderer(helm_program(name)) for name in HELM]
    values = "gone: null\nlist: [3]\nlong: 12345678\ntext: 'yes'\n"
    small = request(values, files=small_chart(everything))._replace(kube_version="1.33")
    for wanted in (request(SEED), small):
        assert len({one.render(wanted) for one in engines}) == 1


def test_fifty_versions_render(renderer: Renderer) -> None:
    tags = "".join(f"  - v1.0.{number}\n" for number in range(1, 51))
    objects = contents(renderer.render(request(f"image:\n  tag:\n{tags}")))
    assert len(objects) == 50 * 3 + 4


# -- how a chart is handed over ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("long", ["", "templates/" + "x" * 200 + ".yaml"])
def test_a_chart_is_packed_as_every_reader_of_archives_reads_it(long: str) -> None:
    files = {f"file-{size}": b"x" * size for size in (0, 1, 511, 512, 513, 20_000)} | {"é/ü.txt": b"1"}
    files |= {long: b"2"} if long else {}
    with tarfile.open(fileobj=io.BytesIO(embedded.packed(files)), mode="r:gz") as archive:
        found = {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]
        assert {(one.mode, one.type) for one in archive.getmembers()} == {(0o644, tarfile.REGTYPE)}
    assert found == {f"chart/{path}": content for path, content in files.items()}
