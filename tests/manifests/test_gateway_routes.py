"""What the checks say of the shipped chart's routes of the Gateway API."""

from __future__ import annotations

import pytest
from rendering import request

from release_tool.helm import Renderer
from release_tool.manifests import routes

ROUTING = "routing: {kind: gateway-api, parentRefs: [{name: public}], hostnames: [engine.example.com]}\n"
BEGIN = "image: {default: v1, tag: {v1: a, v2: b, v17: q}}\n"
NEW = "image: {default: v18, tag: {v1: a, v2: b, v17: q, v18: r}}\n"
WITHOUT_WAVES = ROUTING + "syncWaves: false\n"
NOT_READY = (
    "Deployment engine/engine-grpc-manifest-v1: pods that this change makes take its place, and "
    "GRPCRoute engine/engine-grpc-manifest-v1-v15 leads to it by rule 3: calls fail until those are ready"
)


@pytest.mark.parametrize("kind", ["GRPCRoute", "HTTPRoute"])
def test_the_shipped_charts_routes_are_right(kind: str, engine: Renderer) -> None:
    values = BEGIN.replace("}}", "}, retired: {v3: c}, quarantined: {v2: {reason: bad}}}")
    text = engine.render(request(values, ROUTING.replace("kind: gateway-api", f"kind: gateway-api, route: {kind}")))
    assert routes.check(text, "engine") == ()


@pytest.mark.parametrize(("routing", "after", "said"), [
    (ROUTING, BEGIN.replace("default: v1", "default: v17"), ""),
    (WITHOUT_WAVES, BEGIN.replace("default: v1", "default: v17"), ""),
    (ROUTING, NEW, ""),  # Argo CD changes the Service when the new pods are ready
    (WITHOUT_WAVES, NEW, NOT_READY),
    (ROUTING, BEGIN.replace("}}", "}, quarantined: {v2: {reason: bad}}}"), ""),
    (ROUTING, BEGIN.replace("v2: b, ", "").replace("}}", "}, retired: {v2: b}}"), ""),
    (ROUTING, BEGIN.replace("v2: b, ", ""), "Service engine/engine-grpc-manifest-v2: it goes, and"),
    (ROUTING.replace("engine.example", "other.example"), BEGIN, ""),
], ids=["default", "default without waves", "new default", "new default without waves", "quarantine", "retire", "one step",
        "host"])  # fmt: skip
def test_a_step_loses_calls_or_does_not(routing: str, after: str, said: str, engine: Renderer) -> None:
    before, then = engine.render(request(BEGIN, routing)), engine.render(request(after, routing))
    found = [one.what for one in routes.compare(before, then, "engine") if one.serious]
    assert [said in one for one in found] == ([True] if said else [])


def test_a_version_whose_service_takes_the_pods_of_another_one_is_lost(engine: Renderer) -> None:
    text = engine.render(request(BEGIN, ROUTING))
    place = text.index("  selector:\n", text.index("kind: Service\nmetadata:\n  name: engine-grpc-manifest-v2\n"))
    after = text[:place] + text[place:].replace("app.kubernetes.io/tag: v2", "app.kubernetes.io/tag: v1", 1)
    (found,) = routes.compare(text, after, "engine")
    assert "Deployment engine/engine-grpc-manifest-v2: its pods are not selected any more" in found.what
