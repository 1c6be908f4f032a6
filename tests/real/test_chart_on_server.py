"""The chart, and what `release check` says of it, against a real API server; then its operations with the real controllers."""

from __future__ import annotations

import os
from typing import Any

import pytest
import yaml
from chart_options import FORMS, oddities, pairs
from control_plane import Cluster
from refused_objects import OTHER, REFUSED, TAKEN, Refused, changed, of_kind
from rendering import GOLDEN, request
from server_answers import refused

from release_tool.errors import ReleaseError
from release_tool.helm import Renderer
from release_tool.manifests import admission, routes

RESTRICTED = "restricted"
"""The namespace of what is rendered here; it takes restricted pods only."""
GOLDENS = sorted(path.name for path in GOLDEN.iterdir())


@pytest.fixture(scope="module")
def restricted(cluster: Cluster) -> Cluster:
    cluster.namespace(RESTRICTED, pod_security="restricted")
    for gateways in ("istio-ingress", "istio-system"):
        cluster.kubectl("create", "namespace", gateways, check=False)  # another test may have made it
    return cluster


def here(content: dict[str, Any]) -> str:
    """An object in the namespace, as a rendering."""
    return f"---\n{yaml.safe_dump({**content, 'metadata': {**content['metadata'], 'namespace': RESTRICTED}})}"


@pytest.mark.parametrize("golden", GOLDENS)
def test_each_golden_rendering_is_taken_and_its_pods_are_restricted(
    restricted: Cluster, golden: str, engine: Renderer
) -> None:
    rendering = engine.render(request((GOLDEN / golden / "values.yaml").read_text("utf-8"), namespace=RESTRICTED))
    assert refused(restricted, rendering) == {}


@pytest.mark.parametrize("form", FORMS)
def test_release_check_and_the_server_agree_on_each_pair_of_options(
    restricted: Cluster, form: str, engine: Renderer
) -> None:
    rendered, disagreed = 0, []
    for values in pairs(form):
        try:
            rendering = engine.render(request(values, namespace=RESTRICTED))
        except ReleaseError:
            continue  # the chart itself refuses these together
        rendered += 1
        ours, theirs = admission.check(rendering), refused(restricted, rendering)
        if bool(ours) != bool(theirs):
            disagreed.append(f"{values}\n  ours: {[one.what for one in ours]}\n  theirs: {theirs}")
    assert not disagreed, "\n".join(disagreed)
    assert rendered > 20


@pytest.mark.parametrize("golden", ["everything", "gateway-api-grpc"])
def test_release_check_and_the_server_agree_on_an_odd_value_anywhere(
    cluster: Cluster, namespace: str, golden: str, engine: Renderer
) -> None:
    """ODDITIES=SEED chooses others."""
    values = yaml.safe_load((GOLDEN / golden / "values.yaml").read_text("utf-8"))
    values["image"] = {**values["image"], "default": "v2", "tag": {"v2": "1.0.2"}, "retired": None, "quarantined": None}
    values.get("envoyFilter", {})["enabled"] = False  # its namespace may be any
    seed, disagreed = int(os.environ.get("ODDITIES", "1")), []
    for place, text in oddities(values, most=300, seed=seed):
        try:
            rendering = engine.render(request(text, namespace=namespace))
            ours, routed = admission.check(rendering), routes.check(rendering, namespace)
        except ReleaseError:
            continue  # the chart refuses it, or renders no YAML
        theirs = refused(cluster, rendering)
        if (ours and not theirs) or (theirs and not ours and not any(one.serious for one in routed)):
            disagreed.append(f"{place}\n  ours: {[one.what for one in ours]}\n  theirs: {theirs}")
    assert not disagreed, "\n".join(disagreed)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.subject} {case.ours}"[:80])
def test_the_server_refuses_what_release_check_refuses(restricted: Cluster, case: Refused) -> None:
    said = refused(restricted, here(changed(case.kind, case.path, case.value)))
    assert case.theirs in " ".join(said.values())


@pytest.mark.parametrize("kind", ["Deployment", *OTHER])
def test_the_server_takes_what_is_right(restricted: Cluster, kind: str) -> None:
    assert refused(restricted, here(of_kind(kind)), pods=False) == {}


@pytest.mark.parametrize(("path", "value"), TAKEN)
def test_the_server_takes_what_release_check_takes(restricted: Cluster, path: str, value: object) -> None:
    assert refused(restricted, here(changed("Deployment", path, value)), pods=False) == {}
