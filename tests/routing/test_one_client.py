"""One client, or one sick version, takes no pod from everybody else (`trials.py`; `compare.py` shows other settings)."""

from __future__ import annotations

import pytest
from cluster import Cluster
from compare import SETTINGS
from trials import TRIALS, described, run
from world import ROOT

slow = pytest.mark.slow
ROUTING = (ROOT / "docs" / "explanation" / "routing.md").read_text(encoding="utf-8")


def test_the_documentation_describes_the_trials_and_settings_that_there_are() -> None:
    assert described() in ROUTING
    assert f"| trial | {' | '.join(SETTINGS)} |\n" in ROUTING
    assert [
        line.split(" | ")[0] for line in ROUTING.partition("| trial | A ")[2].splitlines()[2 : 2 + len(TRIALS)]
    ] == [f"| {title}" for title in TRIALS]


@slow
@pytest.mark.parametrize("title", ["malformed calls", "short deadlines", "... in bursts", "overload, refused"])
def test_good_callers_lose_no_more_than_one_call_of_a_hundred(title: str, cluster: Cluster) -> None:
    for sent, found in run(cluster, TRIALS[title]).items():
        assert found.calls > 20
        assert found.lost <= 0.01, (sent, found)
        assert not found.unserved, (sent, found)  # and whom they take the default from gets another live version


@slow
@pytest.mark.parametrize(
    "title", ["dead", "crash-looping", "half dead", "UNAVAILABLE", "... every second", "after an outage of all"]
)
def test_a_sick_default_costs_no_more_than_one_call_of_a_hundred(title: str, cluster: Cluster) -> None:
    for sent, found in run(cluster, TRIALS[title]).items():
        assert found.calls > 50
        assert found.lost <= 0.01, (sent, found)
        assert not found.unserved, (sent, found)


@slow
@pytest.mark.parametrize("title", ["one of two not ready", "dead", "crash-looping", "short deadlines"])
def test_nor_does_it_where_istio_sends_pods_that_are_not_ready(title: str, cluster: Cluster) -> None:
    cluster.sends_unready = True
    for sent, found in run(cluster, TRIALS[title]).items():
        assert found.lost <= 0.01, (sent, found)
        assert not found.unserved, (sent, found)
        if "not ready" in title:  # the other one takes all of the default's calls
            assert not found.elsewhere, (sent, found)


@slow
def test_callers_leave_a_default_that_is_slow(cluster: Cluster) -> None:
    found = run(cluster, TRIALS["slow"])
    assert found[""].elsewhere > found[""].failed > 0
    assert found["v1"].lost <= 0.01


@slow
def test_a_limit_keeps_an_overload_of_the_default_from_the_callers_of_another_version(cluster: Cluster) -> None:
    limit = "destinationRule: {pool: {connectionPool: {http: {http2MaxRequests: 8}}}}\n"
    found = run(cluster, TRIALS["overload of all"], limit)
    assert found["v1"].lost <= 0.01, found


@slow
def test_with_one_live_version_short_deadlines_bring_nobody_to_one_that_is_not_live(cluster: Cluster) -> None:
    image = "image: {default: v3, tag: {v3: v1.0.3, v4: v1.0.4}, quarantined: {v4: {reason: bad}}}\n"
    found = run(cluster, TRIALS["short deadlines"], image=image)
    assert all(one.lost <= 0.01 and not one.unserved for one in found.values()), found


@slow
def test_seen_without_it_one_client_takes_all_pods(cluster: Cluster) -> None:
    before = "{consecutiveGatewayErrors: 5, splitExternalLocalOriginErrors: false, minHealthPercent: 0, maxEjectionPercent: 100}"
    values = (
        f"destinationRule: {{trafficPolicy: {{outlierDetection: {before}}}, pool: {{outlierDetection: {before}}}}}\n"
    )
    found = run(cluster, TRIALS["short deadlines"], values)
    assert found["v1"].lost > 0.5, found
