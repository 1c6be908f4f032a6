"""The life of a version under load: in the order that the tool produces nothing fails; in the wrong order it does."""

from __future__ import annotations

import cluster as small
import pytest
from cluster import Cluster
from load import Load
from translator import cluster_name

pytestmark = pytest.mark.slow

PAUSE = 0.7
SET = "v1: v1.0.1, v2: v1.0.2, v3: v1.0.3"
BEGIN = f"image: {{default: v3, tag: {{{SET}}}}}\n"
ADDED = f"image: {{default: v3, tag: {{{SET}, v4: v1.0.4}}}}\n"
MOVED = f"image: {{default: v4, tag: {{{SET}, v4: v1.0.4}}}}\n"
QUARANTINED = f"image: {{default: v3, tag: {{{SET}, v4: v1.0.4}}, quarantined: {{v4: {{reason: bad}}}}}}\n"
RETIRED = "image: {default: v3, tag: {v2: v1.0.2, v3: v1.0.3, v4: v1.0.4}, retired: {v1: v1.0.1}}\n"
REMOVED = "image: {default: v3, tag: {v2: v1.0.2, v3: v1.0.3, v4: v1.0.4}}\n"
GONE_AT_ONCE = "image: {default: v3, tag: {v2: v1.0.2, v3: v1.0.3}}\n"
HOST = "engine-grpc-manifest.engine.svc.cluster.local"


@pytest.fixture(
    params=[small.ROUTED, small.FILTERED, small.BY_GATEWAY_API],
    ids=["VirtualService alone", "with EnvoyFilter", "by the Gateway API"],
)
def values(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_no_step_of_a_versions_life_fails_a_call_or_cuts_a_stream(values: str, cluster: Cluster) -> None:
    cluster.sync(BEGIN, values)
    with cluster.client() as client:
        # Whoever names v1 stops before it goes (`drain`); its streams are those of v2 and v3 here.
        with Load(client, ("", "v1", "v2", "v3")) as load:
            load.during(PAUSE)
            assert "listeners" not in cluster.sync(ADDED, values)
            load.during(PAUSE)
            assert "listeners" not in cluster.sync(MOVED, values)
            load.during(PAUSE)
            assert "listeners" not in cluster.sync(QUARANTINED, values)
            load.during(PAUSE)
        assert (load.failed, load.cut) == (0, 0), load.answers
        assert {who for sent, who in load.answers if not sent} == {"v3", "v4"}
        with Load(client, ("", "v2", "v3", "v4")) as load:  # nobody names v1 any more
            cluster.sync(ADDED, values)
            load.during(PAUSE)
            assert "listeners" not in cluster.sync(RETIRED, values)
            load.during(PAUSE)
            assert "listeners" not in cluster.sync(REMOVED, values)
            load.during(PAUSE)
        # v4 was quarantined until the first step arrived: who named it got the default.
        load.answers.pop(("v4", "v3"), None)
        assert (load.failed, load.cut) == (0, 0), load.answers
        assert load.calls > 100
    assert not cluster.of("v1")


def test_streams_of_a_version_go_on_while_it_is_retired_or_quarantined(cluster: Cluster) -> None:
    cluster.sync(BEGIN, small.ROUTED)
    with cluster.client() as client, Load(client, ("", "v2"), streams=("v1", "v2")) as load:
        cluster.sync("image: {default: v3, tag: {v2: v1.0.2, v3: v1.0.3}, retired: {v1: v1.0.1}}\n", small.ROUTED)
        load.during(PAUSE)
        both = "retired: {v1: v1.0.1}, quarantined: {v2: {reason: b}}"
        cluster.sync(f"image: {{default: v3, tag: {{v2: v1.0.2, v3: v1.0.3}}, {both}}}\n", small.ROUTED)
        load.during(PAUSE)
        assert load.cut == 0
    assert load.answers["", "UNAVAILABLE"] == 0


def test_a_version_whose_retirement_was_never_applied_loses_its_route_first(values: str, cluster: Cluster) -> None:
    cluster.sync(BEGIN, values)
    with cluster.client() as client, Load(client, ("", "v1", "v2", "v3"), streams=("", "v2", "v3")) as load:
        load.during(PAUSE)
        cluster.sync(GONE_AT_ONCE, values)
        load.during(PAUSE)
    load.answers.pop(("v1", "v3"))  # the default answers from then on
    assert (load.failed, load.cut) == (0, 0), load.answers
    assert not cluster.of("v1")


def test_a_retired_version_serves_its_callers_by_the_default(cluster: Cluster) -> None:
    cluster.sync(BEGIN, small.ROUTED)
    with cluster.client() as client, Load(client, ("v1",)) as load:
        load.during(PAUSE)
        cluster.sync("image: {default: v3, tag: {v2: v1.0.2, v3: v1.0.3}, retired: {v1: v1.0.1}}\n", small.ROUTED)
        load.during(PAUSE)
        cluster.sync("image: {default: v3, tag: {v2: v1.0.2, v3: v1.0.3}}\n", small.ROUTED)
    assert {who for _, who in load.answers} == {"v1", "v3"}


@pytest.mark.parametrize("values", [small.ROUTED, small.BY_GATEWAY_API], ids=["Istio", "Gateway API"], indirect=True)
@pytest.mark.parametrize("waves", ["", "syncWaves: false\n"], ids=["by waves", "all at once"])
def test_a_removed_version_comes_back_in_two_steps_without_a_failed_call(
    values: str, waves: str, cluster: Cluster
) -> None:
    cluster.sync(REMOVED, values, waves)
    cluster.never_ready.add("v1")
    with cluster.client() as client, Load(client, ("", "v1", "v2")) as load:
        cluster.sync(RETIRED, values, waves)
        load.during(PAUSE)
        for pod in cluster.of("v1"):
            pod.become_ready(ready=True)
        cluster.never_ready.clear()
        cluster.push()
        cluster.sync(ADDED, values, waves)
        load.during(PAUSE)
    # Until it is routed the default answers; no call ends with an error.
    assert (load.answers.keys(), load.cut) == ({("", "v3"), ("v2", "v2"), ("v1", "v3"), ("v1", "v1")}, 0), load.answers


@pytest.mark.parametrize("values", [small.ROUTED, small.BY_GATEWAY_API], ids=["Istio", "Gateway API"], indirect=True)
def test_a_new_version_that_never_gets_ready_takes_no_call_and_the_downgrade_arrives(
    values: str, cluster: Cluster
) -> None:
    cluster.sync(BEGIN, values)
    cluster.never_ready.add("v4")
    with cluster.client() as client, Load(client, ("", "v1", "v2", "v3")) as load:
        with pytest.raises(small.SyncStuck):
            cluster.sync(MOVED, values)
        load.during(PAUSE)
        cluster.sync(QUARANTINED, values)  # the broken version stands in the last wave now
        load.during(PAUSE)
    assert (load.failed, load.cut) == (0, 0), load.answers
    assert {who for sent, who in load.answers if not sent} == {"v3"}


def test_without_waves_a_default_that_is_not_ready_is_covered_by_its_pool(cluster: Cluster) -> None:
    cluster.sync(BEGIN, small.ROUTED)
    cluster.never_ready.add("v4")
    with cluster.client() as client, Load(client, ("", "v1", "v2", "v3")) as load:
        cluster.sync(MOVED, small.ROUTED, "syncWaves: false\n")
        load.during(PAUSE)
    assert (load.failed, load.cut) == (0, 0), load.answers


# -- the wrong orders, so that the laboratory is known to see what it looks for --
def test_seen_a_route_before_its_cluster(cluster: Cluster) -> None:
    cluster.sync(BEGIN, small.ROUTED)
    cluster.sync(ADDED, small.ROUTED)
    everything = cluster.configuration()
    without = everything._replace(
        clusters={name: one for name, one in everything.clusters.items() if "|v4|" not in name},
        endpoints={name: one for name, one in everything.endpoints.items() if "|v4|" not in name},
    )
    cluster.envoy.apply(without)
    with cluster.client() as client, Load(client, ("v4",), streams=("v1",)) as load:
        load.during(PAUSE)
        cluster.envoy.apply(everything)
    assert load.failed > 0


def test_seen_a_cluster_that_goes_before_its_route(cluster: Cluster) -> None:
    cluster.sync(BEGIN, small.ROUTED)
    with cluster.client() as client, Load(client, ("v1",), streams=("v2",)) as load:
        now = cluster.configuration()
        gone = cluster_name(50051, "v1", HOST)
        clusters = {name: one for name, one in now.clusters.items() if name != gone}
        cluster.envoy.apply(now._replace(clusters=clusters, endpoints={n: now.endpoints[n] for n in clusters}))
        load.during(PAUSE)
    assert load.failed > 0


def test_seen_a_pod_that_goes_first(cluster: Cluster) -> None:
    cluster.sync(BEGIN, small.ROUTED)
    with cluster.client() as client, Load(client, ("v1",)) as load:
        for pod in cluster.of("v1"):
            pod.die()
        load.during(PAUSE)
        cluster.sync("image: {default: v3, tag: {v2: v1.0.2, v3: v1.0.3}}\n", small.ROUTED)
    assert load.failed > 0
    assert load.cut > 0


def test_seen_pods_that_are_deleted_in_the_order_of_waves(cluster: Cluster) -> None:
    """What Argo CD does with objects that have no PruneLast."""
    cluster.sync(BEGIN, small.ROUTED)
    cluster.lag = PAUSE
    for content in cluster.objects.values():
        content["metadata"].get("annotations", {}).pop("argocd.argoproj.io/sync-options", None)
    with cluster.client() as client, Load(client, ("v1",), streams=("v2",)) as load:
        cluster.sync(GONE_AT_ONCE, small.ROUTED)
    assert load.failed > 0


def test_seen_a_removed_version_that_comes_back_in_one_step_all_at_once(cluster: Cluster) -> None:
    cluster.sync(REMOVED, small.ROUTED, "syncWaves: false\n")
    cluster.never_ready.add("v1")
    with cluster.client() as client, Load(client, ("v1",), streams=("v2",)) as load:
        load.during(PAUSE)
        assert load.answers["v1", "UNAVAILABLE"] == 0
        cluster.sync(ADDED, small.ROUTED, "syncWaves: false\n")
        load.during(PAUSE)
    assert load.answers["v1", "UNAVAILABLE"] > 0


def test_seen_a_route_before_its_pods_are_ready(cluster: Cluster) -> None:
    cluster.sync(BEGIN, small.ROUTED)
    cluster.never_ready.add("v4")
    with cluster.client() as client:
        cluster.sync(ADDED, small.ROUTED, "syncWaves: false\n")
        with Load(client, ("v4",), streams=("v1",)) as load:
            load.during(PAUSE)
    assert load.failed > 0
