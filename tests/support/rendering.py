"""What the tests of this folder share: charts as mappings, requests, and objects looked up by a short name."""

from __future__ import annotations

from typing import Any

from world import ROOT

from release_tool import manifests
from release_tool.helm import Renderer
from release_tool.helm.request import RenderRequest, ValuesFile

CHART = ROOT / "charts" / "grpc-manifest"
GOLDEN = ROOT / "tests" / "chart" / "golden"

SEED = "image:\n  tag:\n  - v1.0.1\n  - v1.0.2\n  - v1.0.3\n  - v1.0.4\n"


def chart_files() -> dict[str, bytes]:
    """The repository's chart, as a commit would give it."""
    return {str(path.relative_to(CHART)): path.read_bytes() for path in sorted(CHART.rglob("*")) if path.is_file()}


def request(
    *values: str, release_name: str = "engine", files: dict[str, bytes] | None = None, namespace: str = "engine"
) -> RenderRequest:
    named = [ValuesFile(f"environments/devel/values-{number}.yaml", text) for number, text in enumerate(values, 1)]
    return RenderRequest(
        "charts/grpc-manifest", chart_files() if files is None else files, tuple(named), release_name, namespace
    )


def small_chart(files: dict[str, str]) -> dict[str, bytes]:
    """A chart called `small`, with these files."""
    named = {"Chart.yaml": "apiVersion: v2\nname: small\nversion: 0.1.0\n", **files}
    return {path: text.encode() for path, text in named.items()}


def contents(rendering: str) -> dict[str, Any]:
    """`Kind name` -> object."""
    return {f"{found.key.kind} {found.key.name}": found.content for found in manifests.objects(rendering)}


def rendered(renderer: Renderer, *values: str, **options: Any) -> dict[str, Any]:
    return contents(renderer.render(request(*values, **options)))


def changed(before: str, after: str) -> dict[str, str]:
    """`Kind name` -> what happened to it."""
    return {f"{change.key.kind} {change.key.name}": change.action for change in manifests.difference(before, after)}


VERSION_RULES = "charts/grpc-manifest-routes/templates/_istio.tpl"


def with_one_rule(text: str) -> str:
    """That template of CHART as it was before each version had a DestinationRule of its own."""
    found = text.replace('{{- include "grpc-manifest.versionRules" . }}\n---\n', "")
    assert found != text
    return found.replace('include "grpc-manifest.pool"', 'include "grpc-manifest.route"')
