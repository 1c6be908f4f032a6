"""Who answers a call: by header routes of any form, to subsets or Services, by Istio or the Gateway API."""

from __future__ import annotations

import pytest
from manifests_by_hand import INTACT, ROUTES, changed, rendering

from release_tool.manifests import routes
from release_tool.manifests.routes.reach import Reach, Row, reach
from release_tool.model.records import Name, Tag

VERSIONS = {Name(f"v{number}"): Tag(f"v1.0.{number}") for number in (1, 2, 3)}
V1, V2, V3 = VERSIONS


def read(text: str) -> Reach:
    return reach(text, "shop", VERSIONS)


SERVICE_OF = """\
apiVersion: v1
kind: Service
metadata: {{name: engine-{name}, namespace: shop}}
spec:
  ports: [{{port: 50051}}]
  selector: {{app: engine, app.kubernetes.io/tag: {pods}}}
"""


def a_service_for_each(route: str, **more: str) -> str:
    services = {f"service-{name}": SERVICE_OF.format(name=name, pods=name) for name in VERSIONS}
    services["service-default"] = SERVICE_OF.format(name="default", pods="v2")
    return changed(without=("rule", "filter", "service", "routes"), **services, own=route, **more)


def gateway_route(rules: str, kind: str = "GRPCRoute", name: str = "engine") -> str:
    return f"""\
apiVersion: gateway.networking.k8s.io/v1
kind: {kind}
metadata: {{name: {name}, namespace: shop}}
spec:
  parentRefs: [{{name: public}}]
  hostnames: [engine.example.com]
  rules:
{rules}"""


def rule(to: str, *values: str, more: str = "") -> str:
    matches = "".join(f"    - headers: [{{name: Grpcsvc, value: {value}}}]\n" for value in values)
    head = f"    matches:\n{matches}" if values else ""
    return f"  - backendRefs: [{{name: {to}, port: 50051}}]\n{head}{more}"


def test_of_the_charts_form_all_is_told() -> None:
    found = read(rendering(INTACT))
    assert (found.via, found.header, found.own) == (("VirtualService",), "grpcsvc", {V2, V3})
    assert found.rows == (
        Row(("v2", "v1.0.2"), ("v2",), (V2,), (V2,)),
        Row(("v3", "v1.0.3"), ("v3",), (V3,), (V3,)),
        Row((), ("default",), (V1, V2, V3), (V3,)),
    )
    assert {name: [str(key) for key in keys] for name, keys in found.running.items()} == {
        name: [f"Deployment shop/engine-{name} (apps/v1)"] for name in VERSIONS
    }


@pytest.mark.parametrize(
    ("written", "own"),
    [
        ("{prefix: v2}", {V2, V3}),
        ("{regex: 'v2|v1[.]0[.]2'}", {V2, V3}),
        ("{regex: '(?P<x'}", {V3}),  # of which nobody knows what it takes
        ("{}", {V3}),  # presence alone: it takes v3's calls only where it comes first
    ],
)
def test_the_form_of_a_match_does_not_matter(written: str, own: set[Name]) -> None:
    text = changed(("routes", "          exact: v2\n", "          exact: x\n"), without=("filter",))
    text = text.replace("grpcsvc:\n          exact: x", f"grpcsvc: {written}").replace("exact: v1.0.2", "exact: x")
    found = read(text)
    assert found.own == (own if written != "{}" else set())


def test_without_a_default_route_unknown_calls_go_nowhere() -> None:
    seed = ROUTES[: ROUTES.index("  - name: default")]
    found = read(changed(without=("filter", "routes"), own=seed))
    assert (found.own, found.unnamed(), found.first) == ({V2, V3}, (), set())


def test_a_value_that_leads_to_the_default_is_no_route_of_its_own() -> None:
    found = read(changed(("routes", "subset: v2", "subset: default"), without=("filter",)))
    assert found.own == {V3}
    assert found.rows[0] == Row(("v2", "v1.0.2"), ("default",), (V1, V2, V3), (V3,))


def test_routes_of_one_path_hide_no_versions() -> None:
    health = (
        "  - name: health\n    match:\n    - uri: {prefix: /health}\n    route:\n    - destination: {host: probe}\n"
    )
    found = read(changed(("routes", "  http:\n", f"  http:\n{health}"), without=("filter",)))
    assert (found.own, found.first) == ({V2, V3}, {V3})
    each = ROUTES.replace("    - headers:\n", "    - uri: {prefix: /engine.Engine/}\n      headers:\n")
    assert read(changed(without=("filter", "routes"), own=each)).own == {V2, V3}


def test_workloads_of_any_kind_run_a_version_and_texts_run_nothing() -> None:
    rollout = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r}\nspec: {image: 'x/y:v1.0.1@sha256:0'}\n"
    )
    config = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {text: "image: x:v1.0.2"}\n'
    job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {image: 'x/y:v1.0.3'}\n"
    found = read(rendering({"rollout": rollout, "config": config, "job": job}))
    assert {name: keys[0].kind for name, keys in found.running.items()} == {V1: "Rollout"}
    assert found.shown == {V1, V2, V3}
    assert (found.via, found.header, found.rows) == ((), "", ())


@pytest.mark.parametrize("kind", ["GRPCRoute", "HTTPRoute"])
def test_the_gateway_api_takes_the_match_with_most_headers(kind: str) -> None:
    rules = rule("engine-default") + rule("engine-v1", "v1", "v1.0.1") + rule("engine-v2", "v2")
    text = a_service_for_each(gateway_route(rules, kind))
    found = read(text)
    assert (found.via, found.header, found.own) == ((kind,), "grpcsvc", {V1, V2})
    assert found.rows == (
        Row(("v1", "v1.0.1"), ("engine-v1",), (V1,), (V1,)),
        Row(("v2",), ("engine-v2",), (V2,), (V2,)),
        Row((), ("engine-default",), (V2,), (V2,)),
    )
    assert routes.check(text, "shop") == ()


def test_several_routes_of_one_host_are_one_table() -> None:
    second = gateway_route(rule("engine-v2", "v2"), name="engine-2")
    text = a_service_for_each(gateway_route(rule("engine-default") + rule("engine-v1", "v1")), second=second)
    assert read(text).own == {V1, V2}
    twice = gateway_route(rule("engine-v2", "v1"), name="engine-2")
    text = a_service_for_each(gateway_route(rule("engine-v1", "v1")), second=twice)
    assert [one.what for one in routes.check(text, "shop")] == [
        (
            "GRPCRoute shop/engine: grpcsvc: v1 is claimed by rule 1 of GRPCRoute shop/engine and by rule 1 of GRPCRoute "
            "shop/engine-2, which never gets it"
        )
    ]


@pytest.mark.parametrize(
    ("to", "more", "said"),
    [
        (
            "engine-v9",
            "",
            (
                "GRPCRoute shop/engine: rule 2 leads to Service engine-v9, which the rendering doesn't have: the gateway "
                "answers such calls with an error, unless another release brings the Service"
            ),
        ),
        (
            "engine-v1",
            "port: 1",
            "GRPCRoute shop/engine: rule 2 leads to port 1 of Service shop/engine-v1, which has 50051",
        ),
        ("elsewhere, namespace: other", "", None),
        ("mine, kind: ServiceImport, group: multicluster.x-k8s.io", "", None),
    ],
)
def test_a_rule_leads_to_a_service_that_is_there(to: str, more: str, said: str | None) -> None:
    rules = rule("engine-default") + rule(to, "v1")
    text = a_service_for_each(gateway_route(rules.replace(f"{to}, port: 50051", f"{to}, {more}") if more else rules))
    assert [one.what for one in routes.check(text, "shop")] == ([] if said is None else [said])


def test_a_rule_to_a_service_without_pods_is_found() -> None:
    lost = SERVICE_OF.format(name="lost", pods="v9")
    text = a_service_for_each(gateway_route(rule("engine-default") + rule("engine-lost", "v1")), lost=lost)
    assert [one.what for one in routes.check(text, "shop")] == [
        "Service shop/engine-lost: its selector matches no pods, and GRPCRoute shop/engine leads to it"
    ]


def test_a_mirror_of_the_gateway_api_is_a_warning() -> None:
    mirror = "    filters: [{type: RequestMirror, requestMirror: {backendRef: {name: gone, port: 1}}}]\n"
    text = a_service_for_each(gateway_route(rule("engine-default", more=mirror)))
    assert [(one.what[:46], one.serious) for one in routes.check(text, "shop")] == [
        ("GRPCRoute shop/engine: rule 1 mirrors calls to", False)
    ]


def test_a_service_that_goes_with_its_rule_loses_calls() -> None:
    rules = rule("engine-default") + rule("engine-v1", "v1")
    before = a_service_for_each(gateway_route(rules))
    after = before.replace(SERVICE_OF.format(name="v1", pods="v1"), "").replace(rule("engine-v1", "v1"), "")
    assert (
        "Service shop/engine-v1: it goes, and GRPCRoute shop/engine leads to it"
        in routes.compare(before, after, "shop")[0].what
    )


def test_conditions_that_all_routes_of_versions_have_are_fulfilled() -> None:
    tenant = ROUTES.replace("        grpcsvc:\n", "        x-tenant: {exact: a}\n        grpcsvc:\n")
    found = read(changed(without=("filter", "routes"), own=tenant))
    assert (found.header, found.own, found.first) == ("grpcsvc", {V2, V3}, {V3})


@pytest.mark.parametrize("image", ["1.0.2", "release-1.0.2", "v1.0.2-alpine", "1.0.2_7"])
def test_an_image_may_have_its_tag_in_other_words(image: str) -> None:
    text = changed(("v2", "engine:v1.0.2", f"engine:{image}"))
    assert [key.name for key in read(text).running[V2]] == ["engine-v2"]
    assert read(text).own == {V2, V3}


@pytest.mark.parametrize("image", ["1.0.20", "11.0.2", "1.0.2.1"])
def test_another_number_is_another_version(image: str) -> None:
    assert V2 not in read(changed(("v2", "engine:v1.0.2", f"engine:{image}"))).running


def test_a_candidate_is_no_release() -> None:
    text = changed(("v2", "engine:v1.0.2", "engine:1.0.2-rc1"))
    versions = {**VERSIONS, Name("v9"): Tag("v1.0.2-rc1")}
    assert set(reach(text, "shop", versions).running) == {V1, V3, Name("v9")}


def test_values_may_have_the_version_in_them() -> None:
    text = changed(without=("filter",)).replace("exact: v1.0.", "exact: 1.0.").replace("exact: v", "exact: engine-v")
    found = read(text)
    assert (found.header, found.own) == ("grpcsvc", {V2, V3})
    assert found.rows[0].values == ("engine-v2", "1.0.2")


def test_a_header_for_a_few_callers_names_no_version() -> None:
    canary = "  - name: canary\n    match:\n    - headers: {x-canary: {exact: always}}\n    route:\n"
    canary += "    - destination: {host: engine.shop.svc.cluster.local, subset: v3}\n"
    found = read(changed(("routes", "  http:\n", f"  http:\n{canary}"), without=("filter",)))
    assert (found.header, found.own) == ("grpcsvc", {V2, V3})
    alone = ROUTES[: ROUTES.index("  - name: v2")] + canary
    assert read(changed(without=("filter", "routes"), own=alone)).header == ""


TO_NEW = ("routes", "subset: default", "subset: v4")
NEW = {
    "v4": INTACT["v3"].replace("v3", "v4"),
    "rule": INTACT["rule"] + "  - name: v4\n    labels:\n      app.kubernetes.io/tag: v4\n",
}
EARLY = (
    "VirtualService shop/engine: calls that name no version go on to pods that this change makes, and fail until those "
    "are ready"
)


def in_wave(text: str, wave: int) -> str:
    return text.replace(
        "  namespace: shop\n", f"  namespace: shop\n  annotations: {{argocd.argoproj.io/sync-wave: '{wave}'}}\n"
    )


def test_a_default_without_a_pool_that_comes_with_its_pods_is_told() -> None:
    before = changed(without=("filter",))
    after = changed(TO_NEW, without=("filter", "rule"), **NEW)
    assert [(one.what, one.serious) for one in routes.compare(before, after, "shop")] == [(EARLY, False)]


def test_a_default_that_waves_bring_after_its_pods_is_not_told() -> None:
    before = changed(without=("filter",)).replace(ROUTES, in_wave(ROUTES, 2))
    after = changed(TO_NEW, without=("filter", "rule"), **NEW)
    late = ROUTES.replace("subset: default", "subset: v4")
    assert routes.compare(before, after.replace(late, in_wave(late, 2)), "shop") == ()


def test_a_pool_takes_the_calls_until_the_new_default_is_ready() -> None:
    before = changed(without=("filter",))
    after = changed(without=("filter", "rule"), **NEW).replace("tag=v3", "tag=v4")
    assert routes.compare(before, after, "shop") == ()
