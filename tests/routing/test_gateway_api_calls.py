"""Calls through the routes of the Gateway API, as far as their specification says where those go."""

from __future__ import annotations

import copy
from typing import Any

import gateway_api
import pytest
from cluster import BY_GATEWAY_API, GATEWAY, PUBLIC, Cluster
from envoy_parts import Refused
from rendering import rendered
from translator import translate

from release_tool.helm import make_renderer

STATES = (
    "image: {default: v4, tag: {v1: v1.0.1, v4: v1.0.4, v5: v1.0.5, v17: v1.0.17}, retired: {v2: v1.0.2}, "
    "quarantined: {v5: {reason: bad}}}\n"
)


@pytest.mark.parametrize("kind", gateway_api.KINDS)
def test_calls_find_the_version_that_they_name_or_the_default(kind: str, cluster: Cluster) -> None:
    values = BY_GATEWAY_API.replace("kind: gateway-api", f"kind: gateway-api, route: {kind}")

    def answers() -> dict[str, tuple[str, str]]:
        with cluster.client() as client:
            sent = ("v1", "v1.0.1", "v17", "v1.0.17", "v2", "v1.0.2", "v5", "v1.0.5", "v9", "V1", "v1,v4", "")
            found = {one: client.call(*([one] if one else [])) for one in sent}
        return {one: (answer.version, answer.told) for one, answer in found.items()}

    cluster.sync(STATES, values)
    named = {"v1": ("v1", "v1"), "v1.0.1": ("v1", "v1"), "v17": ("v17", "v17"), "v1.0.17": ("v17", "v17")}
    assert answers() == {**dict.fromkeys(answers(), ("v4", "default")), **named}
    # The default moves: no route changes.
    assert "routes" not in cluster.sync(STATES.replace("default: v4", "default: v17"), values)
    assert answers() == {**dict.fromkeys(answers(), ("v17", "default")), **named}


def test_without_its_pods_the_default_fails_and_named_versions_do_not(cluster: Cluster) -> None:
    """There is no failover: what docs/explanation/routing.md says of a default here."""
    cluster.sync(STATES, BY_GATEWAY_API)
    for pod in cluster.of("v4"):
        pod.become_ready(ready=False)
    cluster.push()
    with cluster.client() as client:
        assert [client.call(*sent)[:2] for sent in ((), ("v4",), ("v1",))] == [
            ("", "UNAVAILABLE"), ("", "UNAVAILABLE"), ("v1", "OK"),
        ]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "says"), [
    (("rules", 0, "matches", 0, "method"), {"service": "a"}, "rules[0].matches[0]: unknown: method"),
    (("rules", 0, "matches", 0, "headers", 0, "type"), "RegularExpression", "only exact values are known"),
    (("rules", 0, "sessionPersistence"), {}, "rules[0]: unknown: sessionPersistence"),
    (("rules", 0, "filters", 0, "type"), "RequestMirror", "only ResponseHeaderModifier is known"),
    (("rules", 0, "backendRefs", 0, "weight"), 2, "another group, kind or weight"),
    (("rules", 0, "backendRefs"), [], "0 backendRefs"),
    (("parentRefs", 0, "sectionName"), "http", "parentRefs[0]: unknown: sectionName"),
    (("hostnames",), ["*.example.com"], "hostnames: ['*.example.com']"),
    (("useDefaultGateways",), "All", "unknown: useDefaultGateways"),
])  # fmt: skip
def test_what_the_translation_does_not_know_is_refused(path: tuple[str | int, ...], value: Any, says: str) -> None:
    objects = copy.deepcopy([*rendered(make_renderer("auto"), STATES, BY_GATEWAY_API).values(), PUBLIC])
    target = next(one for one in objects if one["kind"] == "GRPCRoute")["spec"]
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    with pytest.raises(Refused) as caught:
        translate(objects, [], GATEWAY)
    assert says in str(caught.value)
