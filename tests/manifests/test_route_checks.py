"""The checks of routes on real renderings, each broken in one place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from rendering import request

from release_tool import manifests
from release_tool.helm import Renderer
from release_tool.manifests import routes

STATES = (
    "image: {default: v4, tag: {v1: a.1, v3: a.3, v4: a.4, v5: a.5}, retired: {v2: a.2}, quarantined: {v5: {reason: x}}}\n"
    "virtualService: {hosts: [engine.example.com]}\ngateway: {enabled: true}\nenvoyFilter: {enabled: true}\n"
)
Objects = dict[str, Any]


def by_kind(engine: Renderer, values: str = STATES) -> Objects:
    """`Kind` or `Deployment v4` -> object."""
    found: Objects = {}
    for one in manifests.objects(engine.render(request(values))):
        name = one.key.name.rpartition("-")[2]
        found[f"{one.key.kind} {name}" if name.startswith("v") else one.key.kind] = copy.deepcopy(one.content)
    return found


def text(objects: Objects) -> str:
    return "".join(f"---\n{yaml.safe_dump(content)}" for content in objects.values())


def found_in(objects: Objects) -> list[str]:
    return [finding.what for finding in routes.check(text(objects), "engine")]


def subset(objects: Objects, name: str) -> Any:
    return objects[f"DestinationRule {name}".removesuffix(" default")]["spec"]["subsets"][0]


def http(objects: Objects) -> list[Any]:
    found: list[Any] = objects["VirtualService"]["spec"]["http"]
    return found


def test_the_rendering_that_is_broken_below_is_right(engine: Renderer) -> None:
    assert found_in(by_kind(engine)) == []


def lose_subset(objects: Objects) -> None:
    del objects["DestinationRule v3"]


def mislead_subset(objects: Objects) -> None:
    subset(objects, "v3")["labels"]["app.kubernetes.io/tag"] = "v33"


def lose_deployment(objects: Objects) -> None:
    del objects["Deployment v3"]


def claim_twice(objects: Objects) -> None:
    http(objects)[1]["match"].append(http(objects)[0]["match"][0])


def forget_in_filter(objects: Objects) -> None:
    patch = objects["EnvoyFilter"]["spec"]["configPatches"][1]["patch"]["value"]["typed_per_filter_config"]
    (host,) = patch.values()
    del host["filter_context"]["versions"]["v3"]


def mislead_filter(objects: Objects) -> None:
    patch = objects["EnvoyFilter"]["spec"]["configPatches"][1]["patch"]["value"]["typed_per_filter_config"]
    (host,) = patch.values()
    host["filter_context"]["default"] = "v1"


def second_rule(objects: Objects) -> None:
    other = copy.deepcopy(objects["DestinationRule"])
    other["metadata"]["name"] = "another"
    objects["another"] = other


def second_subset(objects: Objects) -> None:
    subset(objects, "v4")["name"] = "v3"


def without_detection(objects: Objects) -> None:
    """The subset's own, and the one of the rule that Istio joins it with."""
    del subset(objects, "default")["trafficPolicy"]["outlierDetection"]
    del objects["DestinationRule"]["spec"]["trafficPolicy"]["outlierDetection"]


def quarantined_default(objects: Objects) -> None:
    setting = subset(objects, "default")["trafficPolicy"]["loadBalancer"]["localityLbSetting"]
    setting["failoverPriority"][-1] = "app.kubernetes.io/tag=v5"


def wrong_port(objects: Objects) -> None:
    http(objects)[0]["route"][0]["destination"]["port"]["number"] = 1


BROKEN: list[tuple[Callable[[Objects], None], str]] = [
    (lose_subset, "v3"),
    (mislead_subset, "v3"),
    (lose_deployment, "v3"),
    (claim_twice, "v1"),
    (forget_in_filter, "v3"),
    (mislead_filter, "v1"),
    (second_rule, "another"),
    (second_subset, "has a subset v3 for the same host, too"),
    (without_detection, "subset default has failoverPriority without outlierDetection"),
    (quarantined_default, "v5"),
    (wrong_port, "port 1"),
]


@pytest.mark.parametrize(("breaks", "names"), BROKEN, ids=lambda item: getattr(item, "__name__", ""))
def test_what_is_broken_is_found(breaks: Callable[[Objects], None], names: str, engine: Renderer) -> None:
    objects = by_kind(engine)
    breaks(objects)
    found = routes.check(text(objects), "engine")
    assert any(one.serious for one in found)
    assert any(names in one.what for one in found), [one.what for one in found]
    assert all(one.hint for one in found)


# -- from one rendering to the next --
def compared(engine: Renderer, before: str, after: str) -> list[str]:
    old, new = (engine.render(request(f"image: {{{values}}}\n")) for values in (before, after))
    return [one.rule for one in routes.compare(old, new, "engine") if one.serious]


FOUR = "default: v4, tag: {v1: a.1, v2: a.2, v3: a.3, v4: a.4}"


@pytest.mark.parametrize(
    "after",
    [
        "default: v4, tag: {v1: a.1, v2: a.2, v3: a.3, v4: a.4, v5: a.5}",
        "default: v2, tag: {v1: a.1, v2: a.2, v3: a.3, v4: a.4}",
        "default: v4, tag: {v2: a.2, v3: a.3, v4: a.4}, retired: {v1: a.1}",
        "default: v3, tag: {v1: a.1, v2: a.2, v3: a.3, v4: a.4}, quarantined: {v4: {reason: x}}",
    ],
    ids=["add", "move the default", "retire", "downgrade"],
)
def test_the_steps_of_a_versions_life_are_safe(after: str, engine: Renderer) -> None:
    assert compared(engine, FOUR, after) == []


def test_removing_what_has_been_retired_is_safe(engine: Renderer) -> None:
    retired = "default: v4, tag: {v2: a.2, v4: a.4}, retired: {v1: a.1}"
    assert compared(engine, retired, "default: v4, tag: {v2: a.2, v4: a.4}") == []


def test_removing_a_routed_version_loses_its_calls(engine: Renderer) -> None:
    assert "lost" in compared(engine, FOUR, "default: v4, tag: {v2: a.2, v3: a.3, v4: a.4}")


def test_another_tag_under_the_same_name_makes_its_pods_anew(engine: Renderer) -> None:
    assert "rolled" in compared(engine, FOUR, "default: v4, tag: {v1: a.9, v2: a.2, v3: a.3, v4: a.4}")


# -- autoscaling is switched on, and `replicas` goes --
SCALED = "image: {default: v2, tag: {v1: a.1, v2: a.2}}\n"
ON = f"{SCALED}autoscaling: {{enabled: true}}\n"


def unscaled(before: str, after: str) -> list[str]:
    return [one.what for one in routes.compare(before, after, "engine") if one.rule == "unscaled" and one.serious]


def test_versions_that_lose_their_number_of_pods_are_told_together(engine: Renderer) -> None:
    before, after = (engine.render(request(values)) for values in (SCALED, ON))
    (what,) = unscaled(before, after)
    assert what == (
        "Deployment engine/engine-grpc-manifest-v1: `replicas` leaves its manifest (so does that of "
        "engine-grpc-manifest-v2): where this is applied it runs with one pod, the API's default"
    )
    assert unscaled(after, before) == []  # the way back names a number


def test_a_number_that_was_handed_over_may_go(engine: Renderer) -> None:
    before = engine.render(request(SCALED))
    after = engine.render(request(ON.replace("enabled: true", "enabled: true, handedOver: true")))
    assert after.count("gitops-release/replicas: handed-over") == 2
    assert unscaled(before, after) == []
    assert "handed-over" not in engine.render(request(SCALED.replace("\n", "\nautoscaling: {handedOver: true}\n", 1)))


def test_versions_that_come_later_may_be_scaled_alone(engine: Renderer) -> None:
    before = engine.render(request(SCALED))
    since = engine.render(request(ON.replace("enabled: true", "enabled: true, since: v3")))
    assert routes.compare(before, since, "engine") == ()
    assert unscaled(since, engine.render(request(ON)))  # later all of them


def test_who_comes_new_or_has_one_pod_loses_none(engine: Renderer) -> None:
    one = engine.render(request(f"{SCALED}replicaCount: 1\n"))
    assert unscaled(one, engine.render(request(ON))) == []
    on = engine.render(request(ON))
    assert unscaled(on, engine.render(request(ON.replace("v2: a.2", "v2: a.2, v3: a.3")))) == []


@pytest.mark.parametrize("kind", ["HorizontalPodAutoscaler", "ScaledObject"])
def test_one_pod_in_the_manifest_says_nothing_where_an_autoscaler_is_there(engine: Renderer, kind: str) -> None:
    """A chart that has both: the live number is the autoscaler's until `replicas` goes."""
    after = by_kind(engine, ON)
    before = copy.deepcopy(after)
    before["Deployment v1"]["spec"]["replicas"] = 1
    for name in ("v1", "v2"):
        before[f"HorizontalPodAutoscaler {name}"]["kind"] = kind
    assert len(unscaled(text(before), text(after))) == 1
    back = [one.what for one in routes.compare(text(after), engine.render(request(SCALED)), "engine")]
    assert "gets 2 pods, however many run now" in back[0]
    before["HorizontalPodAutoscaler v1"]["spec"]["scaleTargetRef"]["name"] = "other"
    assert unscaled(text(before), text(after)) == []


def test_a_stateful_set_loses_its_pods_too(engine: Renderer) -> None:
    before, after = by_kind(engine, SCALED), by_kind(engine, ON)
    for objects in (before, after):
        objects["Deployment v1"]["kind"] = "StatefulSet"
        del objects["Deployment v2"]
    assert len(unscaled(text(before), text(after))) == 1
