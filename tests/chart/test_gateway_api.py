"""The shipped chart with `routing.kind: gateway-api`: what it renders, what a step of a version's life changes, what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from rendering import changed, contents, rendered, request

from release_tool.errors import ReleaseError
from release_tool.helm import Renderer

FULL = "engine-grpc-manifest"
ROUTING = "routing: {kind: gateway-api, parentRefs: [{name: public}], hostnames: [engine.example.com]}\n"
FOUR = "v1: v1.0.1, v2: v1.0.2, v3: v1.0.3, v4: v1.0.4"
BEGIN = f"image: {{default: v4, tag: {{{FOUR}}}}}\n"


def routes(objects: dict[str, Any], kind: str = "GRPCRoute") -> dict[str, list[tuple[list[str], str]]]:
    """Name of the route -> values of `grpcsvc` and Service of each rule."""
    found = {}
    for name, content in objects.items():
        if name.startswith(kind):
            found[name.split()[1]] = [
                (
                    [header["value"] for match in rule.get("matches", []) for header in match["headers"]],
                    rule["backendRefs"][0]["name"],
                )
                for rule in content["spec"]["rules"]
            ]
    return found


def test_each_live_version_has_a_rule_and_a_service_of_its_own(engine: Renderer) -> None:
    states = "image: {default: v3, tag: {v2: b, v3: c, v4: d}, retired: {v1: a}, quarantined: {v4: {reason: bad}}}\n"
    objects = rendered(engine, states, ROUTING)
    assert routes(objects) == {
        f"{FULL}-v1-v15": [(["v2", "b"], f"{FULL}-v2"), (["v3", "c"], f"{FULL}-v3"), ([], f"{FULL}-default")]
    }
    chosen = {
        name.removeprefix(f"Service {FULL}"): content["spec"]["selector"].get("app.kubernetes.io/tag")
        for name, content in objects.items()
        if name.startswith("Service ")
    }
    assert chosen == {"": None, "-v1": "v1", "-v2": "v2", "-v3": "v3", "-v4": "v4", "-default": "v3"}
    assert {name.split()[0] for name in objects} == {
        *("Deployment", "GRPCRoute", "PodDisruptionBudget", "Service", "ServiceAccount")
    }


def of_version(name: str) -> dict[str, str]:
    """The objects of a version; with its state only their annotations change."""
    return {f"{kind} {FULL}-{name}": "changed" for kind in ("Deployment", "PodDisruptionBudget", "Service")}


@pytest.mark.parametrize(("after", "wanted"), [
    (BEGIN.replace("default: v4", "default: v2"), {f"Service {FULL}-default": "changed"}),
    (BEGIN.replace(FOUR, f"{FOUR}, v5: v1.0.5"), {
        f"Deployment {FULL}-v5": "added", f"PodDisruptionBudget {FULL}-v5": "added", f"Service {FULL}-v5": "added",
        f"GRPCRoute {FULL}-v1-v15": "changed",
    }),
    (BEGIN.replace("v1.0.4}}", "v1.0.4}, quarantined: {v2: {reason: bad}}}"),
     {**of_version("v2"), f"GRPCRoute {FULL}-v1-v15": "changed"}),
    (BEGIN.replace("v1: v1.0.1, ", "").replace("v1.0.4}}", "v1.0.4}, retired: {v1: v1.0.1}}"),
     {**of_version("v1"), f"GRPCRoute {FULL}-v1-v15": "changed"}),
], ids=["default", "bump", "quarantine", "retire"])  # fmt: skip
def test_a_step_of_a_versions_life_changes_no_more_than_it_must(
    after: str, wanted: dict[str, str], engine: Renderer
) -> None:
    before, then = (engine.render(request(values, ROUTING)) for values in (BEGIN, after))
    assert changed(before, then) == wanted
    for name, content in contents(before).items():
        if name.rpartition("-v")[2].isdecimal() and not name.startswith("GRPCRoute"):
            assert content["spec"] == contents(then)[name]["spec"]


@pytest.mark.parametrize("kind", ["GRPCRoute", "HTTPRoute"])
def test_routes_hold_fifteen_numbers_and_keep_their_names(kind: str, engine: Renderer) -> None:
    tags = {number: f"v{number}: t{number}" for number in range(1, 41)}
    routing = ROUTING.replace("kind: gateway-api", f"kind: gateway-api, route: {kind}")

    def made(numbers: list[int]) -> dict[str, list[tuple[list[str], str]]]:
        values = f"image: {{default: v40, tag: {{{', '.join(tags[number] for number in numbers)}}}}}\n"
        return routes(rendered(engine, values, routing), kind)

    before, after = made(list(range(1, 41))), made([1, *range(17, 41)])
    assert {name: len(rules) for name, rules in before.items()} == {
        f"{FULL}-v1-v15": 16, f"{FULL}-v16-v30": 16, f"{FULL}-v31-v45": 11,
    }  # fmt: skip
    assert [name for name in before if before[name] == after[name]] == [f"{FULL}-v31-v45"]
    assert {name: len(rules) for name, rules in after.items()} == {
        f"{FULL}-v1-v15": 2, f"{FULL}-v16-v30": 15, f"{FULL}-v31-v45": 11,
    }  # fmt: skip
    assert all(rules[-1] == ([], f"{FULL}-default") for rules in (*before.values(), *after.values()))


def test_a_route_whose_versions_are_all_out_of_service_still_leads_to_the_default(engine: Renderer) -> None:
    states = "image: {default: v20, tag: {v3: c, v20: t}, quarantined: {v3: {reason: bad}}}\n"
    assert routes(rendered(engine, states, ROUTING)) == {
        f"{FULL}-v1-v15": [([], f"{FULL}-default")],
        f"{FULL}-v16-v30": [(["v20", "t"], f"{FULL}-v20"), ([], f"{FULL}-default")],
    }


@pytest.mark.parametrize(("values", "sentence"), [
    ("routing: {kind: gateway-api}\n", "routing.parentRefs is empty, so no call would find the routes"),
    ("routing: {kind: gateway-api, parentRefs: [{name: public}]}\n",
     "routing.hostnames is empty, so the last rule would take the calls of every host of the gateway public"),
    ("routing: {hostnames: [a.example.com]}\n", "routing.hostnames is for routes of the Gateway API, and routing.kind is"),
    ("routing: {parentRefs: [{name: a}]}\n", "routing.parentRefs is for routes of the Gateway API"),
    *[(ROUTING + f"{key}: {{{name}: {value}}}\n", f"{key}.{name} is for Istio's own routes, and routing.kind is gateway-api")
      for key, name, value in (
          ("gateway", "enabled", "true"), ("envoyFilter", "enabled", "true"), ("virtualService", "hosts", "[a]"),
          ("virtualService", "weight", "90"), ("virtualService", "timeout", "3s"), ("virtualService", "grpcWeb", "true"),
          ("virtualService", "retries", "{attempts: 1}"), ("virtualService", "corsPolicy", "{maxAge: 1s}"),
      )],
    ("routing: {kind: nginx}\n", "at '/routing/kind': value must be one of 'istio', 'gateway-api'"),
    ("routing: {parentRefs: [{nane: a}]}\n", "at '/routing/parentRefs/0': "),
])  # fmt: skip
def test_what_means_nothing_together_is_refused_with_a_sentence(values: str, sentence: str, engine: Renderer) -> None:
    with pytest.raises(ReleaseError) as caught:
        engine.render(request(BEGIN, values))
    assert sentence in caught.value.what


def test_a_mesh_needs_no_hosts(engine: Renderer) -> None:
    routing = "routing: {kind: gateway-api, parentRefs: [{kind: Service, group: '', name: engine-grpc-manifest}]}\n"
    spec = rendered(engine, BEGIN, routing)[f"GRPCRoute {FULL}-v1-v15"]["spec"]
    assert "hostnames" not in spec
