"""The chart grpc-manifest: what it renders from which values, and what it refuses."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from rendering import GOLDEN, ROOT, SEED, changed, chart_files, contents, rendered, request

from release_tool import manifests
from release_tool.errors import ReleaseError
from release_tool.helm import Renderer

FOUR = "v1: v1.0.1, v2: v1.0.2, v3: v1.0.3, v4: v1.0.4"


def image(tag: str, **more: str) -> str:
    """`image_tag.yaml` in flow style."""
    return f"image: {{tag: {tag}" + "".join(f", {key}: {value}" for key, value in more.items()) + "}\n"


def routes(objects: dict[str, Any]) -> dict[str, list[str]]:
    """Name of the route -> values of `grpcsvc` that take it."""
    service = next(content for name, content in objects.items() if name.startswith("VirtualService"))
    found = {}
    for route in service["spec"]["http"]:
        matches = [match.get("headers", {}).get("grpcsvc", {}).get("exact") for match in route["match"]]
        found[route["name"]] = [value for value in matches if value]
    return found


def subsets(objects: dict[str, Any]) -> dict[str, Any]:
    """Those of all rules, which Istio joins: the default pool, and each version's own."""
    rules = [content["spec"]["subsets"] for name, content in objects.items() if name.startswith("DestinationRule")]
    return {subset["name"]: subset for (subset,) in rules}


def deployments(objects: dict[str, Any]) -> dict[str, Any]:
    return {name.split()[1]: content for name, content in objects.items() if name.startswith("Deployment")}


def moved_in_place(before: str, after: str) -> set[str]:
    """What changed, after a look that no object of a version changed but in its annotations, and no subset came or went."""
    assert set(changed(before, after).values()) == {"changed"}
    old, new = contents(before), contents(after)
    for name in (name for name in old if name.rpartition("-v")[2].isdecimal()):
        assert old[name]["spec"] == new[name]["spec"]
    assert list(subsets(old)) == list(subsets(new))
    return set(changed(before, after))


def of_version(name: str) -> list[str]:
    """The objects of a version; with its state only their annotations change."""
    return [f"{kind} engine-grpc-manifest-{name}" for kind in ("Deployment", "DestinationRule", "PodDisruptionBudget")]


def default_pool(objects: dict[str, Any]) -> list[str]:
    setting = subsets(objects)["default"]["trafficPolicy"]["loadBalancer"]["localityLbSetting"]
    assert setting["enabled"] is True
    priorities: list[str] = setting["failoverPriority"]
    return priorities


# -- golden renderings: a folder is a case, and its manifests are reviewed as text --
@pytest.mark.parametrize("case", sorted(GOLDEN.iterdir()), ids=lambda case: case.name)
def test_a_set_of_values_renders_as_reviewed(case: Path, renderer: Renderer) -> None:
    text = renderer.render(request((case / "values.yaml").read_text(encoding="utf-8")))
    golden = case / "manifests.yaml"
    if os.environ.get("UPDATE_GOLDEN") and renderer.name == "embedded":
        golden.write_text(text, encoding="utf-8")
    assert manifests.difference_text(manifests.difference(golden.read_text(encoding="utf-8"), text)) == ""


@pytest.mark.parametrize("environment", ["devel", "staging", "production"])
def test_the_repositorys_own_environments_render(environment: str, renderer: Renderer) -> None:
    folder = ROOT / "environments" / environment
    texts = [(folder / name).read_text(encoding="utf-8") for name in ("values.yaml", "image_tag.yaml")]
    objects = rendered(renderer, *texts)
    assert len(deployments(objects)) == texts[1].count("v1.0.")


# -- the two forms, and the names --
@pytest.mark.parametrize(
    "values",
    [
        image(f"{{{FOUR}}}"),
        image("{v4: v1.0.4, v2: v1.0.2, v3: v1.0.3, v1: v1.0.1}"),
        image(f"{{{FOUR}}}", default="v1", retired="{}", quarantined="{}", pinned="{v2: {reason: x}}"),
    ],
    ids=["mapping", "in another order", "with the default written"],
)
def test_list_and_mapping_give_the_same_manifests(values: str, engine: Renderer) -> None:
    assert engine.render(request(values)) == engine.render(request(SEED))


def test_without_a_default_the_lowest_number_is_the_default(engine: Renderer) -> None:
    objects = rendered(engine, image("{v10: v1.1.0, v9: v1.0.9}"))
    assert default_pool(objects) == ["grpcsvc/v10=", "app.kubernetes.io/tag=v9"]


def test_versions_are_ordered_by_their_numbers(engine: Renderer) -> None:
    objects = rendered(engine, image("{v10: a, v9: b, v100: c}"))
    assert list(routes(objects)) == ["v9", "v10", "v100", "default"]
    assert list(subsets(objects)) == ["v9", "v10", "v100", "default"]  # the order in which Helm applies
    assert [name.rpartition("-")[2] for name in deployments(objects)] == ["v9", "v10", "v100"]


# -- states --
def test_retired_and_quarantined_versions_are_deployed_but_not_routed(engine: Renderer) -> None:
    objects = rendered(
        engine, image("{v2: b, v3: c}", default="v3", retired="{v1: a}", quarantined="{v2: {reason: bad}}")
    )
    assert routes(objects) == {"v3": ["v3", "c"], "default": []}
    assert list(subsets(objects)) == ["v1", "v2", "v3", "default"]
    assert len(deployments(objects)) == 3


def test_moving_the_default_changes_no_deployment(engine: Renderer) -> None:
    before = engine.render(request(image(f"{{{FOUR}}}", default="v4")))
    after = engine.render(request(image(f"{{{FOUR}}}", default="v2")))
    assert changed(before, after) == {
        "DestinationRule engine-grpc-manifest": "changed",
        "VirtualService engine-grpc-manifest": "changed",
    }


def test_adding_a_version_changes_no_other_deployment(engine: Renderer) -> None:
    before = engine.render(request(SEED))
    after = engine.render(request(SEED + "  - v1.0.5\n"))
    assert changed(before, after) == {
        "Deployment engine-grpc-manifest-v5": "added",
        "DestinationRule engine-grpc-manifest-v5": "added",
        "PodDisruptionBudget engine-grpc-manifest-v5": "added",
        "DestinationRule engine-grpc-manifest": "changed",
        "VirtualService engine-grpc-manifest": "changed",
    }


def test_retiring_takes_the_route_and_nothing_else_away(engine: Renderer) -> None:
    before = engine.render(request(image(f"{{{FOUR}}}", default="v4")))
    after = engine.render(request(image("{v2: v1.0.2, v3: v1.0.3, v4: v1.0.4}", default="v4", retired="{v1: v1.0.1}")))
    assert moved_in_place(before, after) == {
        *of_version("v1"),
        "DestinationRule engine-grpc-manifest",
        "VirtualService engine-grpc-manifest",
    }
    assert set(routes(contents(before))) - set(routes(contents(after))) == {"v1"}


def test_a_quarantine_takes_the_route_and_nothing_else_away(engine: Renderer) -> None:
    before = engine.render(request(image(f"{{{FOUR}}}", default="v4")))
    after = engine.render(request(image(f"{{{FOUR}}}", default="v4", quarantined="{v2: {reason: bad}}")))
    assert moved_in_place(before, after) == {
        *of_version("v2"),
        "DestinationRule engine-grpc-manifest",
        "VirtualService engine-grpc-manifest",
    }
    assert set(routes(contents(before))) - set(routes(contents(after))) == {"v2"}


def test_the_default_pool_ends_with_what_is_not_live(engine: Renderer) -> None:
    values = image(
        "{v1: a, v4: d, v5: e, v6: f, v7: g, v10: h}",
        default="v4",
        retired="{v2: b, v3: c}",
        quarantined="{v5: {reason: bad}, v6: {reason: bad}}",
    )
    objects = rendered(engine, values)
    ranks: dict[int, list[str]] = {}
    for name, deployment in deployments(objects).items():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        # Istio's rule: the first line that a pod does not match; a line without a value wants the label to be absent.
        lines = [line.split("=") for line in default_pool(objects)]
        missed = [place for place, (key, value) in enumerate(lines) if labels.get(key, "") != value]
        ranks.setdefault(len(lines) - missed[0] if missed else 0, []).append(name.rpartition("-")[2])
    assert [ranks[rank] for rank in sorted(ranks)] == [
        ["v4"],  # the default
        ["v1"],  # live and below it, together
        ["v7"],  # live and above it, the nearest first
        ["v10"],
        ["v3"],  # retired, the newest first
        ["v2"],
        ["v5"],  # quarantined
        ["v6"],
    ]


# -- waves --
def waves(objects: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, content in objects.items():
        wave = content["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "none")
        found.setdefault(wave, []).append(name.replace("engine-grpc-manifest", "*"))
    return found


def pruned_last(content: Any) -> bool:
    options = content["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-options", "")
    return "PruneLast=true" in options.split(",")


BY_GATEWAY = "routing: {kind: gateway-api, parentRefs: [{name: public}], hostnames: [engine.example.com]}\n"
EVERYTHING_ON = (
    "virtualService: {hosts: [engine.example.com]}\ngateway: {enabled: true}\nenvoyFilter: {enabled: true}\n"
    "autoscaling: {enabled: true}\n"
)
IN_STATES = image("{v2: b, v3: c}", default="v3", retired="{v1: a}", quarantined="{v2: {reason: bad}}")


def test_live_versions_come_before_their_routes_and_the_others_after_them(engine: Renderer) -> None:
    found = waves(rendered(engine, IN_STATES, EVERYTHING_ON))
    assert {wave: sorted(names) for wave, names in found.items()} == {
        "0": [
            "Deployment *-v3",
            "DestinationRule *-v3",
            "PodDisruptionBudget *-v3",
            "Service *",
            "ServiceAccount *",
        ],
        "1": ["DestinationRule *", "Gateway *"],
        "2": ["EnvoyFilter engine-*", "VirtualService *"],
        "3": [
            *[f"{kind} *-{name}" for kind in ("Deployment", "DestinationRule") for name in ("v1", "v2")],
            *[f"HorizontalPodAutoscaler *-{name}" for name in ("v1", "v2", "v3")],
            *[f"PodDisruptionBudget *-{name}" for name in ("v1", "v2")],
        ],
    }


@pytest.mark.parametrize("values", ["", BY_GATEWAY], ids=["Istio", "Gateway API"])
def test_what_belongs_to_a_live_version_goes_last_and_to_others_not(values: str, engine: Renderer) -> None:
    objects = rendered(engine, IN_STATES, values)
    last = {name.replace("engine-grpc-manifest", "*") for name, content in objects.items() if pruned_last(content)}
    subset = "Service *-v3" if values else "DestinationRule *-v3"
    assert last == {"Deployment *-v3", "PodDisruptionBudget *-v3", subset}


@pytest.mark.parametrize(("own", "found"), [
    ("ServerSideApply=true", "ServerSideApply=true,PruneLast=true"),
    ("PruneLast=false", "PruneLast=false"),
])  # fmt: skip
def test_sync_options_of_ones_own_stay(own: str, found: str, engine: Renderer) -> None:
    values = f"destinationRule: {{annotations: {{argocd.argoproj.io/sync-options: {own}}}}}\n"
    rules = rendered(engine, IN_STATES, values)
    options = {
        name.rpartition("-")[2]: content["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]
        for name, content in rules.items()
        if name.startswith("DestinationRule")
    }
    assert options == {"v1": own, "v2": own, "v3": found, "manifest": own}


def test_the_waves_can_be_left_out_or_chosen(engine: Renderer) -> None:
    assert list(waves(rendered(engine, IN_STATES, EVERYTHING_ON, "syncWaves: false\n"))) == ["none"]
    own = 'service: {annotations: {argocd.argoproj.io/sync-wave: "-5", example.com/a: b}}\n'
    service = rendered(engine, IN_STATES, own)["Service engine-grpc-manifest"]
    assert service["metadata"]["annotations"] == {"argocd.argoproj.io/sync-wave": "-5", "example.com/a": "b"}


# -- gateway and filter --
def test_the_filter_knows_what_the_routes_know(engine: Renderer) -> None:
    objects = rendered(engine, IN_STATES, EVERYTHING_ON, "envoyFilter: {namespace: istio-ingress}\n")
    found = objects["EnvoyFilter engine-engine-grpc-manifest"]
    assert found["metadata"]["namespace"] == "istio-ingress"
    inserted, host = found["spec"]["configPatches"]
    name = inserted["patch"]["value"]["name"]
    assert inserted["patch"]["value"]["disabled"] is True
    assert host["match"]["routeConfiguration"]["vhost"] == {"domainName": "engine.example.com"}
    context = host["patch"]["value"]["typed_per_filter_config"][name]["filter_context"]
    taken = {value: name for name, values in routes(objects).items() for value in values}
    assert context == {"default": "v3", "versions": taken}


def test_a_new_version_or_default_changes_no_filter_but_its_lists(engine: Renderer) -> None:
    def constant(values: str) -> Any:
        patches = rendered(engine, values, EVERYTHING_ON)["EnvoyFilter engine-engine-grpc-manifest"]["spec"]
        return [patch for patch in patches["configPatches"] if patch["applyTo"] == "HTTP_FILTER"]

    assert constant(image("[a, b]")) == constant(image("[a, b, c]", default="v3")) == constant(IN_STATES)


def test_the_releases_own_gateway_takes_the_hosts_of_the_routes(engine: Renderer) -> None:
    servers = (
        "gateway: {enabled: true, servers: [{port: {number: 443, name: grpc, protocol: HTTPS}, "
        "tls: {mode: SIMPLE, credentialName: c}}, {port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example.com]}]}\n"
        "virtualService: {hosts: [engine.example.com], gateways: [mesh]}\n"
    )
    objects = rendered(engine, image("[a]"), servers)
    first, second = objects["Gateway engine-grpc-manifest"]["spec"]["servers"]
    assert first == {
        "hosts": ["engine.example.com"],
        "port": {"number": 443, "name": "grpc", "protocol": "HTTPS"},
        "tls": {"mode": "SIMPLE", "credentialName": "c"},
    }
    assert second["hosts"] == ["a.example.com"]
    assert objects["VirtualService engine-grpc-manifest"]["spec"]["gateways"] == ["mesh", "engine/engine-grpc-manifest"]


# -- autoscaling, disruption, accounts --
V9_TO_V11 = ("v9", "v10", "v11")


def test_an_autoscaler_takes_the_place_of_the_replicas(engine: Renderer) -> None:
    objects = rendered(
        engine, image("[a]"), "autoscaling: {enabled: true, targetMemoryUtilizationPercentage: 70, maxReplicas: 9}\n"
    )
    assert "replicas" not in objects["Deployment engine-grpc-manifest-v1"]["spec"]
    scaler = objects["HorizontalPodAutoscaler engine-grpc-manifest-v1"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == "engine-grpc-manifest-v1"
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 9)
    targets = {
        metric["resource"]["name"]: metric["resource"]["target"]["averageUtilization"] for metric in scaler["metrics"]
    }
    assert targets == {"cpu": 80, "memory": 70}


def test_versions_before_the_first_scaled_one_keep_their_number(engine: Renderer) -> None:
    since = "autoscaling: {enabled: true, since: v10}\n"
    objects = rendered(engine, image("{v9: a, v10: b, v11: c}"), since)
    numbers = {name: objects[f"Deployment engine-grpc-manifest-{name}"]["spec"].get("replicas") for name in V9_TO_V11}
    assert numbers == {"v9": 2, "v10": None, "v11": None}
    scaled = {name for name in V9_TO_V11 if f"HorizontalPodAutoscaler engine-grpc-manifest-{name}" in objects}
    assert scaled == {"v10", "v11"}


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        ("", {"maxUnavailable": 1}),
        ("podDisruptionBudget: {maxUnavailable: 0}\n", {"maxUnavailable": 0}),
        ("podDisruptionBudget: {minAvailable: 50%}\n", {"minAvailable": "50%"}),
        ("podDisruptionBudget: {minAvailable: 0}\n", {"minAvailable": 0}),
    ],
)
def test_a_budget_limits_the_disruption_of_each_version(values: str, limit: dict[str, Any], engine: Renderer) -> None:
    objects = rendered(engine, image("[a, b]"), values)
    for name in ("v1", "v2"):
        budget = dict(objects[f"PodDisruptionBudget engine-grpc-manifest-{name}"]["spec"])
        selector = objects[f"Deployment engine-grpc-manifest-{name}"]["spec"]["selector"]
        assert budget == {"selector": selector, "unhealthyPodEvictionPolicy": "AlwaysAllow", **limit}
    assert not any(
        name.startswith("PodDisr") for name in rendered(engine, image("[a]"), "podDisruptionBudget: {enabled: false}\n")
    )


@pytest.mark.parametrize(
    ("values", "created", "used"),
    [
        ("", "engine-grpc-manifest", "engine-grpc-manifest"),
        ("serviceAccount: {name: own}\n", "own", "own"),
        ("serviceAccount: {create: false, name: theirs}\n", None, "theirs"),
        ("serviceAccount: {create: false}\n", None, None),
    ],
)
def test_pods_run_under_the_account_that_is_named(
    values: str, created: str | None, used: str | None, engine: Renderer
) -> None:
    objects = rendered(engine, image("[a]"), values)
    accounts = [name.partition(" ")[2] for name in objects if name.startswith("ServiceAccount")]
    assert accounts == ([created] if created else [])
    pod = objects["Deployment engine-grpc-manifest-v1"]["spec"]["template"]["spec"]
    assert pod.get("serviceAccountName") == used


# -- tags --
def test_a_digest_is_part_of_the_image_and_of_nothing_else(engine: Renderer) -> None:
    digest = "sha256:" + "0a" * 32
    objects = rendered(engine, image(f'{{v3: "v1.0.3@{digest}"}}'))
    pod = deployments(objects)["engine-grpc-manifest-v3"]["spec"]["template"]
    assert pod["spec"]["containers"][0]["image"] == f"registry.example.com/engine:v1.0.3@{digest}"
    assert pod["metadata"]["labels"]["app.kubernetes.io/version"] == "v1.0.3"
    assert routes(objects)["v3"] == ["v3", "v1.0.3"]


def test_a_tag_that_looks_like_a_name_gets_no_route(engine: Renderer) -> None:
    assert routes(rendered(engine, image("{v1: v2, v2: v1.0.2}"))) == {
        "v1": ["v1"],
        "v2": ["v2", "v1.0.2"],
        "default": [],
    }


@pytest.mark.parametrize(
    "tag", ["1.20", "a" * 63, "12e3", "2026-11-23", "A.b_c-D", "yes", "1_000", "0x1F", "a--b..c__d"]
)
def test_every_tag_gives_valid_labels(tag: str, engine: Renderer) -> None:
    deployment = deployments(rendered(engine, image(f'{{v1: "{tag}"}}')))["engine-grpc-manifest-v1"]
    label = deployment["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/version"]
    assert label == tag
    assert re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", label)
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"].endswith(f":{tag}")


# -- how the objects fit together --
@pytest.mark.parametrize(("release_name", "fullname"), [
    ("engine", "engine-grpc-manifest"), ("grpc-manifest", "grpc-manifest"),
    ("my-grpc-manifest-2", "my-grpc-manifest-2"), ("r" * 53, "r" * 52),
])  # fmt: skip
def test_every_route_ends_at_pods_whatever_the_release_is_called(
    release_name: str, fullname: str, engine: Renderer
) -> None:
    objects = rendered(engine, SEED, release_name=release_name)
    host = f"{fullname}.engine.svc.cluster.local"
    service = objects[f"Service {fullname}"]["spec"]
    rule = objects[f"DestinationRule {fullname}"]["spec"]
    pods = {
        content["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/tag"]: content["spec"]["template"]
        for content in deployments(objects).values()
    }
    assert rule["host"] == host
    for pod in pods.values():
        assert service["selector"].items() <= pod["metadata"]["labels"].items()
        assert {"name": "grpc", "containerPort": 50051, "protocol": "TCP"} in pod["spec"]["containers"][0]["ports"]
    for name, subset in subsets(objects).items():
        chosen = [tag for tag, pod in pods.items() if subset["labels"].items() <= pod["metadata"]["labels"].items()]
        assert chosen == (list(pods) if name == "default" else [name])
    for route in objects[f"VirtualService {fullname}"]["spec"]["http"]:
        (destination,) = route["route"]
        assert destination["destination"] == {"host": host, "port": {"number": 50051}, "subset": route["name"]}
        assert destination["weight"] == 100


def test_a_deployments_selector_never_changes(engine: Renderer) -> None:
    for deployment in deployments(rendered(engine, SEED)).values():
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert selector == {
            "app.kubernetes.io/name": "grpc-manifest",
            "app.kubernetes.io/instance": "engine",
            "app.kubernetes.io/tag": deployment["metadata"]["name"].rpartition("-")[2],
        }
        assert selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_a_new_chart_version_rolls_no_pod(engine: Renderer) -> None:
    files = chart_files()
    before = contents(engine.render(request(SEED, files=files)))
    files["Chart.yaml"] = files["Chart.yaml"].replace(b"version: 0.1.0", b"version: 9.9.9+build")
    after = contents(engine.render(request(SEED, files=files)))
    assert before != after
    for name, deployment in deployments(before).items():
        assert deployment["spec"] == deployments(after)[name]["spec"]


@pytest.mark.parametrize(("content_type", "routed"), [
    ("application/grpc", True), ("application/grpc+proto", True), ("application/GRPC", True),
    ("application/grpc;charset=utf-8", True), ("application/grpc-web-text+proto", True),
    ("text/x-not-grpc", False), ("application/grpcish", False), ("application/json", False),
])  # fmt: skip
def test_the_last_route_takes_grpc_alone(content_type: str, routed: bool, engine: Renderer) -> None:
    last = rendered(engine, SEED)["VirtualService engine-grpc-manifest"]["spec"]["http"][-1]
    (match,) = last["match"]
    assert bool(re.fullmatch(match["headers"]["content-type"]["regex"], content_type)) == routed


def test_every_route_takes_post_alone_and_sends_what_servers_want(engine: Renderer) -> None:
    for route in rendered(engine, SEED)["VirtualService engine-grpc-manifest"]["spec"]["http"]:
        assert [match["method"] for match in route["match"]] == [{"exact": "POST"}] * len(route["match"])
        assert route["headers"] == {"request": {"set": {"te": "trailers"}}}


@pytest.mark.parametrize(("tag", "more", "percent"), [
    ("{v1: a}", "", 1), ("{v1: a, v2: b}", "", 50), ("{v1: a, v2: b, v3: c}", "", 34), (f"{{{FOUR}}}", "", 25),
    ("{v1: a, v2: b}, quarantined: {v2: {reason: bad}}, retired: {v3: c}", "", 1),
    ("{v1: a}", "autoscaling: {enabled: true}\n", 1), (f"{{{FOUR}}}", "autoscaling: {enabled: true}\n", 50),
    (f"{{{FOUR}}}", "destinationRule: {pool: {outlierDetection: {maxEjectionPercent: 70}}}\n", 70),
    (f"{{{FOUR}}}", "destinationRule: {pool: {outlierDetection: {maxEjectionPercent: null}}}\n", 25),
])  # fmt: skip
def test_the_pool_leaves_out_no_more_pods_than_the_default_has(
    tag: str, more: str, percent: int, engine: Renderer
) -> None:
    objects = rendered(engine, image(tag, default="v1"), more)
    assert subsets(objects)["default"]["trafficPolicy"]["outlierDetection"]["maxEjectionPercent"] == percent
    assert "trafficPolicy" not in subsets(objects)["v1"]


def test_a_consistent_hash_takes_the_place_of_the_least_request(engine: Renderer) -> None:
    chosen = "destinationRule: {trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}}\n"
    objects = rendered(engine, SEED, chosen)
    rule = objects["DestinationRule engine-grpc-manifest"]["spec"]
    wanted = {"consistentHash": {"httpHeaderName": "x-user"}}
    assert rule["trafficPolicy"]["loadBalancer"] == wanted
    assert subsets(objects)["default"]["trafficPolicy"]["loadBalancer"].items() >= wanted.items()
    assert "simple" not in subsets(objects)["default"]["trafficPolicy"]["loadBalancer"]


def test_the_pool_takes_what_all_have_and_what_is_its_own(engine: Renderer) -> None:
    own = "{retryBudget: {percent: 50}, outlierDetection: {minHealthPercent: 0}}"
    every = "{outlierDetection: {interval: 1s}, connectionPool: {http: {maxRetries: 3}}}"
    objects = rendered(engine, SEED, f"destinationRule: {{trafficPolicy: {every}, pool: {own}}}\n")
    policy = subsets(objects)["default"]["trafficPolicy"]
    assert policy["retryBudget"] == {"percent": 50}
    assert policy["loadBalancer"]["simple"] == "LEAST_REQUEST"
    assert policy["outlierDetection"] == {
        "splitExternalLocalOriginErrors": False,
        "consecutive5xxErrors": 0,
        "consecutiveGatewayErrors": 10,
        "interval": "1s",
        "baseEjectionTime": "30s",
        "maxEjectionPercent": 25,
        "minHealthPercent": 0,
    }
    assert "connectionPool" not in policy  # Istio takes it from the whole rule


def test_no_outlier_detection_is_refused_by_istio(engine: Renderer) -> None:
    off = "destinationRule: {trafficPolicy: {outlierDetection: {splitExternalLocalOriginErrors: false}}}\n"
    rule = rendered(engine, SEED, off)["DestinationRule engine-grpc-manifest"]["spec"]
    for policy in (rule["trafficPolicy"], rule["subsets"][0]["trafficPolicy"]):
        assert "consecutiveLocalOriginFailures" not in policy["outlierDetection"]  # a number for what is not counted


def test_the_response_tells_which_version_was_chosen(engine: Renderer) -> None:
    objects = rendered(engine, image(f"{{{FOUR}}}", default="v4"))
    told = {
        route["name"]: route["route"][0]["headers"]["response"]["set"]["grpcsvc"]
        for route in objects["VirtualService engine-grpc-manifest"]["spec"]["http"]
    }
    assert told == {"v1": "v1", "v2": "v2", "v3": "v3", "v4": "v4", "default": "v4"}


def test_a_weight_below_100_leaves_the_rest_to_the_default(engine: Renderer) -> None:
    objects = rendered(engine, SEED, "virtualService: {weight: 80}\n")
    for route in objects["VirtualService engine-grpc-manifest"]["spec"]["http"][:-1]:
        shares = {part["destination"]["subset"]: part["weight"] for part in route["route"]}
        assert shares == {route["name"]: 80, "default": 20}


def test_empty_parts_of_the_values_are_left_out(engine: Renderer) -> None:
    empty = (
        "podLabels: null\nstrategy: null\npodSecurityContext: null\naffinity: null\n"
        "destinationRule: {trafficPolicy: null}\n"
        "topologySpreadConstraints:\n"
        "- {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {}}\n"
    )
    objects = rendered(engine, image("[a]"), empty)
    (deployment,) = deployments(objects).values()
    assert "strategy" not in deployment["spec"]
    assert "securityContext" not in deployment["spec"]["template"]["spec"]
    (spread,) = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"]["app.kubernetes.io/tag"] == "v1"
    assert "trafficPolicy" not in objects["DestinationRule engine-grpc-manifest"]["spec"]


# -- what the chart refuses --
@pytest.mark.parametrize(("values", "sentence"), [
    ("image: {}\n", "image.tag holds no version: name at least one"),
    (image("[]"), "image.tag holds no version"),
    (image("{}"), "image.tag holds no version"),
    (image(""), "image.tag holds no version"),
    (image("[]", retired="{v1: a}"), "image.tag holds no version"),
    (image("[a, b]", default="v3"),
     "image.default is v3, but v3 is not in image.tag: set image.default to a live version (v1, v2)"),
    (image("{v2: b}", default="v1", retired="{v1: a}"),
     "image.default is v1, but v1 is retired: set image.default to a live version (v2)"),
    (image("[a, b]", default="v2", quarantined="{v2: {reason: bad}}"),
     "image.default is v2, but v2 is quarantined: set image.default to a live version (v1)"),
    (image("[a, b]", quarantined="{v1: {reason: bad}}"),
     "image.default is not set, so the lowest name, v1, is the default, but v1 is quarantined"),
    (image("[a]", quarantined="{v1: {reason: bad}}"), "no version is live: take one out of image.quarantined"),
    (image("[a]", quarantined="{v7: {reason: bad}}"),
     "image.quarantined names v7, which image.tag does not hold (it holds v1)"),
    (image("[a, b]", retired="{v2: c}"), "v2 stands in image.tag and in image.retired"),
    (image("[a, b, a]"), "v1 and v3 have the same tag, a"),
    (image("{v1: a}", retired=f"{{v2: 'a@sha256:{'0' * 64}'}}"), "v1 and v2 have the same tag, a"),
    (image(f"[{'a' * 64}]"), f"the tag of v1, {'a' * 64}, can't be the value of a label"),
    (image("[a, x-]"),
     "the tag of v2, x-, can't be the value of a label (app.kubernetes.io/version): give the image"),
    (image("[_x]"), "the tag of v1, _x, can't be the value of a label"),
    (image("{first: a}"), 'image.tag: "first" is no name of a version'),
    (image("{v01: a}"), 'image.tag: "v01" is no name of a version'),
    (image("{v1: a}", retired="{V2: b}"), 'image.retired: "V2" is no name of a version'),
    (image("[a]") + "virtualService: {gateways: [istio/public]}\n",
     "virtualService.hosts is empty: name the hosts"),
    (image("[a]") + "virtualService: {gateways: []}\n", "virtualService.gateways is empty, so no call would find"),
    (image("[a]") + "virtualService: {hosts: ['*']}\n", 'virtualService.hosts holds "*", which Istio refuses for'),
    (image("[a]") + "gateway: {enabled: true}\n", "virtualService.hosts is empty: name the hosts"),
    (image("[a]") + "envoyFilter: {enabled: true}\n", "virtualService.hosts must name them"),
    (image("[a]") + "envoyFilter: {enabled: true}\nvirtualService: {gateways: [a/b], hosts: ['*']}\n",
     "virtualService.hosts must name them"),
    (image("[a]") + "autoscaling: {enabled: true, targetCPUUtilizationPercentage: null}\n",
     "autoscaling has nothing to measure"),
    (image("[a]") + "autoscaling: {enabled: true, minReplicas: 11}\n",
     "autoscaling.minReplicas (11) is above autoscaling.maxReplicas (10)"),
    (image("[a]") + "podDisruptionBudget: {maxUnavailable: null}\n", "neither maxUnavailable nor minAvailable"),
    (image("[a]") + "destinationRule: {trafficPolicy: {portLevelSettings: [{port: {number: 1}}]}}\n",
     "portLevelSettings in destinationRule would take the place"),
    (image("[a]") + "destinationRule: {pool: {portLevelSettings: [{port: {number: 1}}]}}\n",
     "portLevelSettings in destinationRule would take the place"),
    (image("[a]") + "fullnameOverride: 1st\n", 'the objects would be called "1st", which a Service can\'t be'),
])  # fmt: skip
def test_contradictions_are_refused_with_a_sentence(values: str, sentence: str, renderer: Renderer) -> None:
    with pytest.raises(ReleaseError) as caught:
        renderer.render(request(values))
    assert sentence in caught.value.what
    assert caught.value.where.startswith("charts/grpc-manifest/templates/")
    assert caught.value.hint == "correct environments/devel/values-1.yaml or the chart"


@pytest.mark.parametrize(("values", "finding"), [
    (image("[1.20]"), "at '/image/tag/0': got number, want string"),
    (image("{v1: 2026}"), "at '/image/tag/v1': got number, want string"),
    (image("v1.0.1"), "at '/image/tag': got string, want null or array or object"),
    (image("['a b']"), "at '/image/tag/0': 'a b' does not match pattern"),
    (image("['a@sha256:0']"), "at '/image/tag/0': 'a@sha256:0' does not match pattern"),
    (image("[a]", default="1"), "at '/image/default': got number, want null or string"),
    (image("[a]", retired="[b]"), "at '/image/retired': got array, want null or object"),
    (image("[a]", quarantined="[v1]"), "at '/image/quarantined': got array, want null or object"),
    ("image: {tags: [a]}\n", "at '/image': additional properties 'tags' not allowed"),
    (image("[a]") + "services: {port: 1}\n", "at '': additional properties 'services' not allowed"),
    (image("[a]") + "destinationRule: {pool: {outlierDetection: {maxEjectionPercent: 0}}}\n",
     "at '/destinationRule/pool/outlierDetection/maxEjectionPercent': minimum: got 0, want 1"),
    (image("[a]") + "service: {port: http}\n", "at '/service/port': got string, want integer"),
    (image("[a]") + "virtualService: {weight: 101}\n", "at '/virtualService/weight': maximum: got 101, want 100"),
    (image("[a]") + "gateway: {servers: [{port: {number: 80}}]}\n",
     "at '/gateway/servers/0/port': missing properties"),
    (image("[a]") + "podDisruptionBudget: {maxUnavailable: x}\n",
     "at '/podDisruptionBudget/maxUnavailable': 'x' does"),
    (image("[a]") + "virtualService: {timeout: 0s}\n", "at '/virtualService/timeout': '0s' does not match pattern"),
    (image("[a]") + "virtualService: {timeout: '30'}\n",
     "at '/virtualService/timeout': '30' does not match pattern"),
    (image("[a]") + "virtualService: {retries: {retryOn: reset}}\n", "missing property 'attempts'"),
    (image("[a]") + "syncWaves: maybe\n", "at '/syncWaves': got string, want boolean"),
    (image("[a]") + "replicaCount: null\n", "at '': missing property 'replicaCount'"),
    (image("[a]") + "replicaCount: -1\n", "at '/replicaCount': minimum: got -1, want 0"),
])  # fmt: skip
def test_wrong_types_are_refused_by_the_schema(values: str, finding: str, renderer: Renderer) -> None:
    with pytest.raises(ReleaseError) as caught:
        renderer.render(request(values))
    assert finding in caught.value.what
    assert caught.value.where == "charts/grpc-manifest/values.schema.json"
    assert caught.value.hint == "correct environments/devel/values-1.yaml"
