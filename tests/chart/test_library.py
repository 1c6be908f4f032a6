"""The library chart grpc-manifest-routes, in the shipped chart and in a chart of somebody else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from rendering import CHART, SEED, contents, request

from release_tool.errors import ReleaseError
from release_tool.helm import Renderer

LIBRARY = CHART / "charts" / "grpc-manifest-routes"
TOLD = '"chart" . "fullname" "engine" "port" 9090'


def chart(routes: str) -> dict[str, bytes]:
    """A chart whose one template includes the library so."""
    about = "apiVersion: v2\nname: own\nversion: 1.0.0\ndependencies: [{name: grpc-manifest-routes, version: 0.1.0}]\n"
    files = {str(path.relative_to(CHART)): path.read_bytes() for path in LIBRARY.rglob("*") if path.is_file()}
    return {"Chart.yaml": about.encode(), "templates/routes.yaml": routes.encode(), **files}


def routes(told: str) -> dict[str, bytes]:
    return chart(f'{{{{ include "grpc-manifest.routes" (dict {told}) }}}}\n')


def test_what_a_chart_of_its_own_leaves_out_is_as_in_the_shipped_chart(engine: Renderer) -> None:
    defaults = '{{ include "grpc-manifest.defaults" . | fromYaml | toJson }}'
    files = chart(f"apiVersion: v1\nkind: Defaults\nmetadata: {{name: x}}\nspec: {defaults}\n")
    found = contents(engine.render(request(files=files)))["Defaults x"]["spec"]
    shipped = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    shipped["autoscaling"] = {"enabled": False}
    assert found == {key: shipped[key] for key in found}


def test_a_chart_of_its_own_gets_the_routes_of_the_shipped_chart(renderer: Renderer) -> None:
    own = contents(renderer.render(request(SEED, files=routes(TOLD))))
    shipped = contents(renderer.render(request(SEED, "fullnameOverride: engine\nservice: {port: 9090}\n")))
    rules = [f"DestinationRule engine{name}" for name in ("", "-v1", "-v2", "-v3", "-v4")]
    for name in (*rules, "VirtualService engine"):
        assert own.pop(name)["spec"] == shipped[name]["spec"]
    assert not own


def test_a_chart_with_routes_of_its_own_includes_the_two_lists(engine: Renderer) -> None:
    def list_of(name: str) -> str:
        return f'{{{{- include "grpc-manifest.{name}" $routes | nindent 2 }}}}\n'

    kinds = "apiVersion: networking.istio.io/v1\nkind: {}\nmetadata: {{name: mine}}\nspec:\n  {}:\n  {}"
    own = kinds.format("VirtualService", "http", list_of("gateway"))
    own += "---\n" + kinds.format("DestinationRule", "subsets", list_of("route"))
    found = contents(engine.render(request(SEED, files=chart(f"{{{{- $routes := dict {TOLD} -}}}}\n{own}"))))
    whole = contents(engine.render(request(SEED, files=routes(TOLD))))
    assert found["VirtualService mine"]["spec"]["http"] == whole["VirtualService engine"]["spec"]["http"]
    rules = [f"DestinationRule engine{name}" for name in ("", "-v1", "-v2", "-v3", "-v4")]
    subsets = [one for name in rules for one in whole[name]["spec"]["subsets"]]
    assert found["DestinationRule mine"]["spec"]["subsets"] == subsets


def test_a_rule_of_its_own_keeps_the_default_pool_and_leaves_the_versions_to_rules_of_theirs(engine: Renderer) -> None:
    own = '{{- include "grpc-manifest.versionRules" $routes }}\n---\napiVersion: networking.istio.io/v1\n'
    own += "kind: DestinationRule\nmetadata: {name: engine}\nspec:\n  subsets:\n  "
    own += '{{- include "grpc-manifest.pool" $routes | nindent 2 }}\n'
    found = contents(engine.render(request(SEED, files=chart(f"{{{{- $routes := dict {TOLD} -}}}}\n{own}"))))
    whole = contents(engine.render(request(SEED, files=routes(TOLD))))
    assert list(found) == [name for name in whole if name.startswith("DestinationRule")]
    subsets = {name: content["spec"]["subsets"] for name, content in found.items()}
    assert subsets == {name: whole[name]["spec"]["subsets"] for name in found}


WRITTEN = """\
{{- define "own.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata: {name: mine, annotations: {a: b}, labels: {x: "y"}}
spec:
  replicas: 1000000
  selector: {matchLabels: {app: own}}
  template:
    metadata: {labels: {app: own, app.kubernetes.io/version: "{{ .Values.app.image.tag }}"}}
    spec: {containers: [{name: own, image: "{{ .Values.app.image.repository }}:{{ .Values.app.image.tag }}"}]}
{{- end -}}
"""


def test_a_deployment_that_people_wrote_for_one_tag_is_rendered_for_each_version(renderer: Renderer) -> None:
    told = '(dict "chart" . "template" "own.deployment" "key" "app.image")'
    digest = "@sha256:" + "0" * 64
    values = f"app: {{image: {{repository: r/own, tag: {{v1: a, v2: b{digest}}}, retired: {{v3: c}}, default: v2}}}}\n"
    files = chart(WRITTEN + f'{{{{- include "grpc-manifest.deployments" {told} -}}}}\n')
    found = contents(renderer.render(request(values, files=files)))
    assert list(found) == ["Deployment mine-v1", "Deployment mine-v2", "Deployment mine-v3"]
    one = found["Deployment mine-v2"]
    pods = one["spec"]["template"]
    assert pods["spec"]["containers"][0]["image"] == f"r/own:b{digest}"
    assert one["spec"]["selector"]["matchLabels"] == {"app": "own", "app.kubernetes.io/tag": "v2"}
    assert pods["metadata"]["labels"] == {
        "app": "own", "app.kubernetes.io/tag": "v2", "app.kubernetes.io/type": "grpc",
        "app.kubernetes.io/version": "b", "grpcsvc/v2": "true",
    }  # fmt: skip
    assert one["metadata"]["labels"]["x"] == "y"
    waves = "argocd.argoproj.io/sync-wave", "argocd.argoproj.io/sync-options"
    assert one["metadata"]["annotations"] == {"a": "b", waves[0]: "0", waves[1]: "PruneLast=true"}
    assert waves[1] not in found["Deployment mine-v3"]["metadata"]["annotations"]
    assert found["Deployment mine-v3"]["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "3"
    assert one["spec"]["replicas"] == 1000000


@pytest.mark.parametrize(
    ("text", "words"),
    [("kind: Service", "no single Deployment: Service"), ("a: b: c", "no single Deployment: "), ("", "")],
)
def test_a_template_that_is_no_deployment_is_refused_and_one_that_is_switched_off_is_not(
    engine: Renderer, text: str, words: str
) -> None:
    wrapped = f'{{{{- define "own.deployment" -}}}}\n{text}\n{{{{- end -}}}}\n'
    told = '{{- include "grpc-manifest.deployments" (dict "chart" . "template" "own.deployment") -}}\n'
    asked = request(SEED, files=chart(wrapped + told))
    if not words:
        assert not contents(engine.render(asked))
        return
    with pytest.raises(ReleaseError, match=words):
        engine.render(asked)


def test_a_chart_of_its_own_says_what_differs(engine: Renderer) -> None:
    told = TOLD + ' "service" "calls" "labels" (dict "app" "x") "values" .Values.routes "image" .Values.app.versions'
    values = (
        "app: {versions: {tag: {v7: a, v8: b}, default: v8}}\n"
        "routes:\n"
        "  virtualService: {gateways: [], hosts: [x.example.com], responseHeader: ''}\n"
        "  gateway: {enabled: true}\n"
        "  destinationRule: {pool: null}\n"
        "  clusterDomain: example.cluster\n"
    )
    found = contents(engine.render(request(values, files=routes(told))))
    rule, service = found["DestinationRule engine"]["spec"], found["VirtualService engine"]["spec"]
    assert rule["host"] == "calls.engine.svc.example.cluster"
    assert {name for name in found if name.startswith("Dest")} == {
        f"DestinationRule engine{n}" for n in ("", "-v7", "-v8")
    }
    assert found["DestinationRule engine-v7"]["spec"]["host"] == rule["host"]
    assert rule["subsets"][0]["labels"] == {"app": "x"}
    assert service["gateways"] == ["engine/engine"]
    assert "headers" not in service["http"][0]["route"][0]
    assert found["Gateway engine"]["spec"]["servers"][0]["hosts"] == ["x.example.com"]


def test_a_chart_of_its_own_routes_by_the_gateway_api(engine: Renderer) -> None:
    told = TOLD + ' "targetPort" "rpc" "labels" (dict "app" "x") "values" (dict "routing" .Values.routing)'
    routing = "routing: {kind: gateway-api, parentRefs: [{name: public}], hostnames: [x.example.com]}\n"
    found = contents(engine.render(request(SEED, routing, files=routes(told))))
    assert [name for name in found if not name.startswith("Service")] == ["GRPCRoute engine-v1-v15"]
    service = found["Service engine-default"]["spec"]
    assert service["selector"] == {"app": "x", "app.kubernetes.io/tag": "v1"}
    assert service["ports"][0]["targetPort"] == "rpc"


def test_a_chart_with_another_layout_of_values_is_told_how_to_include_it(engine: Renderer) -> None:
    with pytest.raises(ReleaseError) as caught:
        engine.render(request(SEED, files=chart('{{ include "grpc-manifest.routes" . }}\n')))
    assert "the values of this chart aren't laid out as those of grpc-manifest" in caught.value.what


@pytest.mark.parametrize(("told", "values", "sentence"), [
    ('"port" 1', SEED, "the routes must be told of the chart"),
    ('"chart" .', SEED, "the routes need the port of the service"),
    (TOLD + ' "prot" 1', SEED, "the mapping for the routes: there is no prot; possible are chart, fullname, image,"),
    (TOLD + ' "values" .Values.own', SEED + "own: {virtualservice: {}}\n",
     "`values` for the routes: there is no virtualservice; possible are autoscaling, clusterDomain, destinationRule,"),
    (TOLD.replace('"engine"', f'"{"e" * 53}"'), SEED, "has more than 52 characters"),
    (TOLD, "image: {tag: [1.20]}\n", "image.tag: 1.2 is no text: write it in quotes"),
    (TOLD, "image: {tag: {v1: a}, retired: {v2: 7}}\n", "image.retired: 7 is no text"),
    (TOLD, "a: b\n", "image.tag holds no version"),
    (TOLD, "image: {tag: [a], default: v3}\n", "image.default is v3, but v3 is not in image.tag"),
])  # fmt: skip
def test_what_it_is_told_wrongly_is_refused_with_a_sentence(
    told: str, values: str, sentence: str, engine: Renderer
) -> None:
    with pytest.raises(ReleaseError) as caught:
        engine.render(request(values, files=routes(told)))
    assert sentence in caught.value.what


@pytest.mark.parametrize(("values", "finding"), [
    ("global: {a: 1}\ngrpc-manifest-routes: {global: {b: 2}}\n", ""),
    ("grpc-manifest-routes: {virtualService: {}}\n", "additional properties 'virtualService' not allowed"),
])  # fmt: skip
def test_the_shipped_chart_takes_what_helm_adds_for_the_library_and_no_more(
    values: str, finding: str, renderer: Renderer
) -> None:
    if not finding:
        assert renderer.render(request(SEED, values)) == renderer.render(request(SEED))
        return
    with pytest.raises(ReleaseError) as caught:
        renderer.render(request(SEED, values))
    assert finding in caught.value.what


def test_helm_finds_the_library_where_it_stands(tmp_path: Path) -> None:
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("there is no helm on PATH: go install helm.sh/helm/v4/cmd/helm@v4.2.3")

    def said(*arguments: Any) -> str:
        done = subprocess.run([helm, *map(str, arguments)], check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    values = tmp_path / "values.yaml"
    values.write_text(SEED, encoding="utf-8")
    listed = said("dependency", "list", CHART)
    assert [line.split()[-1] for line in listed.splitlines() if line.startswith("grpc-manifest-routes")] == ["unpacked"]
    assert "0 chart(s) failed" in said("lint", CHART, "--values", values)
    said("package", CHART, "--destination", tmp_path)
    (archive,) = tmp_path.glob("*.tgz")
    assert said("template", "engine", archive, "--values", values) == said(
        "template", "engine", CHART, "--values", values
    )
