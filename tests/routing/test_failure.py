"""What callers get while pods are gone, dead or not ready."""

from __future__ import annotations

import time
from collections import Counter

import cluster as small
import grpc
import pytest
from cluster import Cluster
from load import Load
from trials import MALFORMED, raw

STATES = """image:
  default: v4
  tag: {v1: v1.0.1, v3: v1.0.3, v4: v1.0.4, v5: v1.0.5, v6: v1.0.6}
  retired: {v2: v1.0.2}
  quarantined: {v5: {reason: bad}}
"""
TWO_EACH = small.ROUTED + "replicaCount: 2\n"


def calls(cluster: Cluster, *sent: str, number: int = 60) -> Counter[str]:
    """Who answered, or the status of those that failed."""
    with cluster.client() as client:
        answers = [client.call(*sent) for _ in range(number)]
    return Counter(answer.version or answer.status for answer in answers)


def failed(found: Counter[str]) -> int:
    return sum(number for who, number in found.items() if not who.startswith("v"))


def down(cluster: Cluster, name: str, how: str) -> None:
    for pod in cluster.of(name):
        if how == "dead but listed":
            pod.die()
        else:
            pod.become_ready(ready=False)
            if how == "no endpoints":
                pod.die()
    cluster.push()


@pytest.mark.parametrize("how", ["no endpoints", "dead but listed", "not ready"])
def test_without_the_default_callers_get_another_good_version(how: str, cluster: Cluster) -> None:
    cluster.sync(STATES, TWO_EACH)
    assert calls(cluster) == {"v4": 60}
    down(cluster, "v4", how)
    found = calls(cluster)
    assert failed(found) <= 2
    assert set(found) - {"UNAVAILABLE"} <= {"v1", "v3"}  # live, and below the default: never v2, v5 or v6
    assert calls(cluster, "v4")["UNAVAILABLE"] == 60  # who names it, gets it or nothing
    assert calls(cluster, "v3") == {"v3": 60}


def test_the_default_comes_back_when_its_pods_do(cluster: Cluster) -> None:
    cluster.sync(STATES, TWO_EACH)
    down(cluster, "v4", "not ready")
    assert "v4" not in calls(cluster)
    for pod in cluster.of("v4"):
        pod.become_ready(ready=True)
    cluster.push()
    assert calls(cluster) == {"v4": 60}


def test_versions_that_are_not_live_serve_when_nothing_else_can(cluster: Cluster) -> None:
    cluster.sync(STATES, small.ROUTED)
    order = []
    for name in ("v4", "v1", "v3", "v6", "v2"):
        down(cluster, name, "no endpoints")
        order.append(sorted(set(calls(cluster, number=20)) - {"UNAVAILABLE"}))
    assert order == [["v1", "v3"], ["v3"], ["v6"], ["v2"], ["v5"]]
    down(cluster, "v5", "no endpoints")
    assert calls(cluster, number=5) == {"UNAVAILABLE": 5}


@pytest.mark.parametrize("status", ["RESOURCE_EXHAUSTED", "INTERNAL", "DEADLINE_EXCEEDED"])
def test_an_error_of_the_default_is_its_callers_unless_its_pods_are_left_out_for_it(
    status: str, cluster: Cluster
) -> None:
    """Only UNAVAILABLE is tried again elsewhere. Ten of DEADLINE_EXCEEDED in a row leave a pod out, the others never do."""
    cluster.sync(STATES, TWO_EACH)
    for pod in cluster.of("v4"):
        pod.fails_every, pod.fails_with = 1, grpc.StatusCode[status]
    found = calls(cluster)
    if status == "DEADLINE_EXCEEDED":
        assert 20 <= found[status] < 60, found
        assert set(found) <= {status, "v1", "v3"}
    else:
        assert found == {status: 60}
    if status == "RESOURCE_EXHAUSTED":  # values may say otherwise
        again = "virtualService: {retries: {attempts: 3, retryOn: 'unavailable,resource-exhausted'}}\n"
        cluster.sync(STATES, TWO_EACH, again)
        assert set(calls(cluster)) <= {"v1", "v3"}


def test_pods_that_answer_for_the_default_have_less_room_for_who_names_them(cluster: Cluster) -> None:
    cluster.sync(STATES, TWO_EACH)
    for pod in [*cluster.of("v1"), *cluster.of("v3")]:
        pod.slots, pod.takes = 2, 0.05
    with cluster.client() as client:
        with Load(client, ("v3",) * 4 + ("v6",) * 12, streams=("v6",)) as alone:
            alone.during(1)
        down(cluster, "v4", "no endpoints")
        with Load(client, ("v3",) * 4 + ("",) * 12, streams=("v6",)) as shared:
            shared.during(1)
    assert alone.answers["v3", "UNAVAILABLE"] == 0
    assert shared.answers["v3", "UNAVAILABLE"] > 0


def test_a_named_version_that_is_half_up_never_leaks(cluster: Cluster) -> None:
    cluster.sync(STATES, TWO_EACH)
    cluster.of("v3")[0].die()
    found = calls(cluster, "v3", number=200)
    assert set(found) <= {"v3", "UNAVAILABLE"}
    assert failed(found) <= 2
    cluster.of("v3")[0].listed = False
    cluster.push()
    assert calls(cluster, "v3", number=100) == {"v3": 100}


def test_a_default_that_is_half_up_shares_with_live_versions_alone(cluster: Cluster) -> None:
    cluster.sync(STATES, TWO_EACH)
    cluster.of("v4")[0].die()  # still listed: the proxy finds out by itself
    found = calls(cluster, number=200)
    assert failed(found) <= 2
    assert set(found) - {"UNAVAILABLE"} <= {"v4", "v1", "v3"}
    assert found["v4"] >= 100


def test_bad_calls_of_one_client_take_no_pod_from_the_others(cluster: Cluster) -> None:
    cluster.sync(STATES, TWO_EACH)
    with cluster.client() as client:
        for sent in ((), ("v3",)):
            for _ in range(60):
                assert client.unknown(*sent) == "UNIMPLEMENTED"
    for kind in MALFORMED:
        for named in ({}, {"grpcsvc": "v3"}):
            for _ in range(12):
                raw(cluster, kind[0], {**kind[1], **named}, kind[2])
    time.sleep(1.5)  # a proxy tells its workers of ejected pods once a second
    assert calls(cluster, "v3") == {"v3": 60}
    assert calls(cluster) == {"v4": 60}
