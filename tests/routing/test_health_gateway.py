"""What the health check by gRPC says through a real gateway, which answers for a default that is dead."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import cluster as small
import pytest
from cluster import Cluster

from release_tool.config import Health
from release_tool.config.health import GrpcCheck
from release_tool.health.grpc import GrpcSource
from release_tool.health.sampling import Clock
from release_tool.health.source import Subject
from release_tool.model.health import Verdict
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN, Name, Tag

STATES = "image:\n  default: v4\n  tag: {v3: v1.0.3, v4: v1.0.4}\n"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)


def ask(cluster: Cluster, name: str, **how: str) -> Verdict:
    """What is said of a version; `how` changes the check."""
    check = GrpcCheck(f"127.0.0.1:{cluster.envoy.ports[80]}", authority=small.HOST, tls=False)._replace(**how)
    version = Subject(
        "prod", "", "engine", "engine", f"engine-{name}", Name(name), Tag(f"v1.0.{name[1:]}"), NOW - timedelta(days=1)
    )
    source = GrpcSource("answers", check, Health({}), Clock(sleep=lambda _: None))
    return source.judge(version, NOW, time.monotonic() + 60)


@pytest.mark.parametrize("how", ["no endpoints", "dead but listed"])
def test_a_dead_default_is_unhealthy_though_its_callers_are_served(cluster: Cluster, how: str) -> None:
    cluster.sync(STATES, small.ROUTED)
    assert {name: ask(cluster, name).health for name in ("v3", "v4")} == {"v3": HEALTHY, "v4": HEALTHY}
    assert ask(cluster, "v4", sends="tag").health == HEALTHY
    for pod in cluster.of("v4"):
        pod.die()
        pod.listed = how != "no endpoints"
    cluster.push()
    with cluster.client() as client:
        assert {client.call().version for _ in range(5)} == {"v3"}  # nobody who names no version sees it
    found = ask(cluster, "v4")
    assert found.health == UNHEALTHY
    assert found.reason.startswith("3 of 3 attempts failed: UNAVAILABLE: ")
    assert ask(cluster, "v3").health == HEALTHY


def test_a_version_without_a_route_is_answered_by_the_default_and_that_is_bad(cluster: Cluster) -> None:
    cluster.sync(STATES, small.ROUTED)
    found = ask(cluster, "v5")
    assert (found.health, found.reason) == (
        UNHEALTHY,
        "3 of 3 attempts failed: v4 answered in its place: nobody serves it",
    )
    missing = ask(cluster, "v5", method="/engine.Engine/Nothing")
    assert "v4 answered in its place: nobody serves it (UNIMPLEMENTED" in missing.reason


def test_a_pod_that_does_not_serve_is_unhealthy_and_what_passes_no_route_can_not_be_told(cluster: Cluster) -> None:
    cluster.sync(STATES, small.ROUTED)
    for pod in cluster.of("v3"):
        pod.become_ready(ready=False)  # and no push: the gateway still sends calls there
    assert ask(cluster, "v3").reason == "3 of 3 attempts failed: its health service says NOT_SERVING"
    (pod,) = cluster.of("v4")
    found = ask(cluster, "v4", address=f"127.0.0.1:{pod.port}")
    assert (found.health, found.reason.partition(":")[0]) == (UNKNOWN, "the answer has no grpcsvc")
    other = ask(cluster, "v4", authority="another.example.com")
    assert (other.health, other.reason.partition(":")[0]) == (UNKNOWN, "UNIMPLEMENTED")
