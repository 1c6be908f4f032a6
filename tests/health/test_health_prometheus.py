"""What is said of a version when Prometheus is no help: it hangs, refuses, or is something else."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from certificates import certificate
from hostile import Hostile, answer
from points import NOW, health, soon, subject

from release_tool.config import Health
from release_tool.config.health import PrometheusCheck
from release_tool.health.prometheus import PrometheusSource
from release_tool.model.health import Verdict
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN
from release_tool.net.secret import Secret

DAY_AGO = NOW - timedelta(days=1)
OWN = PrometheusCheck(query='sum(own_number{version="{version}"})', max=10)
COUNTED = OWN._replace(samples="sum(own_calls)", min_samples=100)
ERRORS = PrometheusCheck(preset="error-rate", max=0.05, min_samples=50)
RANGED = 24
"""Seconds between two points of a preset, whose range is two minutes of a window of ten."""


def judge(url: str, check: PrometheusCheck = OWN, *, timeout: float = 10, token: str = "", **when: Any) -> Verdict:
    """The verdict; `since` and `left` say when the version's last operation landed and the pass is over."""
    source = PrometheusSource("own", check, health(prometheus=url, timeout=timeout), Secret(token))
    try:
        return source.judge(subject(since=when.get("since", DAY_AGO)), NOW, soon(when.get("left", 60)))
    finally:
        source.close()


def success(kind: str, result: Any, **more: Any) -> bytes:
    body = {"status": "success", "data": {"resultType": kind, "result": result}, **more}
    return answer(200, json.dumps(body).encode(), "Content-Type: application/json")


def series(*values: Any, step: int = 30, **labels: str) -> dict[str, Any]:
    """One series that ends now."""
    times = [int(NOW.timestamp()) - step * ago for ago in reversed(range(len(values)))]
    return {"metric": labels, "values": [[at, str(value)] for at, value in zip(times, values, strict=True)]}


def matrix(*found: Any, **more: Any) -> bytes:
    return success("matrix", list(found), **more)


def vector(*found: tuple[dict[str, str], float]) -> bytes:
    return success("vector", [{"metric": labels, "value": [0, str(value)]} for labels, value in found])


WELL = matrix(series(*[1] * 21))

CASES: list[tuple[str, bytes, str]] = [
    (
        "refused",
        answer(400, b'{"status":"error","errorType":"bad_data","error":"1:5: parse error:\\n unexpected }"}'),
        "Prometheus refuses the request (status 400): bad_data: 1:5: parse error: unexpected }",
    ),
    ("login", answer(302, b"", "Location: https://login.example.com/?next=secret"), "sends on to https://login.example"),
    ("login page", answer(200, b"<html>Log in", "Content-Type: text/html"), "the server calls it text/html"),
    ("token", answer(401), "asks for a token, and there is none (status 401)"),
    ("forbidden", answer(403), "forbids it (status 403)"),
    ("elsewhere", answer(404), "has nothing at this address (status 404)"),
    ("down", answer(503, b"", "Retry-After: 99"), "is busy or down (status 503)"),
    (
        "too slow",
        answer(503, b'{"status":"error","errorType":"timeout","error":"query timed out"}', "Retry-After: 99"),
        "timeout: query timed out",
    ),
    ("no answer", b"", "can't be reached, or broke off its answer"),
    ("half an answer", answer(200, b"x" * 100)[:-50], "can't be reached, or broke off its answer"),
    ("no JSON", answer(200, b"\xff\xfe"), "the answer is none of Prometheus: it is no JSON"),
    ("a deep one", answer(200, b"[" * 100_000), "it is no JSON"),
    ("a list", answer(200, b"[]"), "it is no object"),
    ("a vector", success("vector", []), "it is no matrix"),
    ("no list", success("matrix", {}), "it is no matrix"),
    ("no series", success("matrix", [7]), "a series is no object"),
    ("no values", success("matrix", [{"metric": {}, "values": {}}]), "are no list"),
    ("no pair", success("matrix", [{"metric": {}, "values": [7]}]), "a value has no time"),
    ("no time", success("matrix", [{"metric": {}, "values": [["x", "1"]]}]), "a value has no time"),
    ("a true time", success("matrix", [{"metric": {}, "values": [[True, "1"]]}]), "a value has no time"),
    ("endless time", answer(200, success("matrix", []).split(b"\r\n\r\n")[1].replace(b"[]", b'[{"metric": {}, "values": [[1e999, "1"]]}]')), "a value has no time"),
    ("a huge time", success("matrix", [{"metric": {}, "values": [[10**400, "1"]]}]), "a value has no time"),
    ("a number", success("matrix", [{"metric": {}, "values": [[1, 1]]}]), "no pair of a time and a text"),
    ("no number", success("matrix", [{"metric": {}, "values": [[1, "one"]]}]), "a value is no number"),
    ("a label", success("matrix", [{"metric": {"a": 1}, "values": []}]), "a label is no text"),
    ("histograms", success("matrix", [{"metric": {}, "histograms": []}]), "gives native histograms"),
    ("a warning", matrix(series(*[99] * 21), warnings=["store 3\nis away"]), "Prometheus warns: store 3 is away"),
    ("two series", matrix(series(1), series(2)), "the query gives 2 series, and one is needed"),
    ("nothing", matrix(), "no data"),
    ("other times", success("matrix", [{"metric": {}, "values": [[1, "99"], [2.5, "99"]]}]), "no data"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "reason"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_no_answer_is_unknown_with_a_reason(said: bytes, reason: str, hostile: Hostile) -> None:
    hostile.answers = [said]
    found = judge(hostile.url)
    assert (found.check, found.health) == ("own", UNKNOWN)
    assert reason in found.reason
    assert "\n" not in found.reason
    assert "secret" not in found.reason


def test_a_hung_server_is_given_up(hostile: Hostile) -> None:
    hostile.answers = [hostile.hang]
    found = judge(hostile.url, timeout=0.3)
    assert (found.health, found.reason) == (UNKNOWN, "Prometheus did not answer within 0.3 s")


def test_a_server_that_drips_is_given_up(hostile: Hostile) -> None:
    hostile.answers = [hostile.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")]
    assert judge(hostile.url, timeout=0.3).reason == "Prometheus did not answer within 0.3 s"


def test_the_end_of_the_pass_is_earlier_than_the_timeout(hostile: Hostile) -> None:
    hostile.answers = [hostile.hang]  # for 20 s
    assert judge(hostile.url, timeout=60, left=0.3).reason == "Prometheus did not answer within 0.3 s"


def test_nothing_is_asked_when_the_pass_is_over(hostile: Hostile) -> None:
    hostile.answers = [WELL]
    assert judge(hostile.url, left=-1).reason == "not asked: the time of this pass was over"
    assert hostile.requests == []


def test_nobody_listens() -> None:
    with Hostile() as server:
        url = server.url
    found = judge(url, timeout=1)
    assert found.health == UNKNOWN
    assert found.reason == "Prometheus can't be reached, or broke off its answer (Connection refused)"


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    with Hostile(certificate(tmp_path, "127.0.0.1").context()) as server:
        found = judge(server.url)
    assert found.health == UNKNOWN
    assert found.reason == "the certificate of Prometheus can't be verified (self-signed certificate)"


def test_the_token_is_sent_and_never_said(hostile: Hostile) -> None:
    hostile.answers = [answer(401, b'{"status":"error","errorType":"auth","error":"bad token hush-hush"}')]
    found = judge(hostile.url, token="hush-hush")
    assert b"Authorization: Bearer hush-hush" in hostile.requests[0]
    assert found.reason == "Prometheus does not accept the token (status 401): auth: bad token …"


def test_a_hung_prometheus_is_asked_three_times_in_a_pass_and_not_for_each_version(hostile: Hostile) -> None:
    hostile.answers = [hostile.hang]
    source = PrometheusSource("own", OWN, Health({}, prometheus=hostile.url, timeout=timedelta(seconds=0.1)))
    found = [source.judge(subject(name=f"v{number}"), NOW, soon()) for number in range(1, 8)]
    source.close()
    assert [one.reason for one in found[3:]] == ["not asked: Prometheus did not answer 3 questions before"] * 4
    assert len(hostile.requests) == 3


def test_one_answer_in_between_makes_up_for_slow_ones(hostile: Hostile) -> None:
    hostile.answers = [hostile.hang, hostile.hang, WELL, hostile.hang, hostile.hang, WELL]
    source = PrometheusSource("own", OWN, Health({}, prometheus=hostile.url, timeout=timedelta(seconds=0.3)))
    found = [source.judge(subject(), NOW, soon()) for _ in range(6)]
    source.close()
    assert [one.health for one in found] == [UNKNOWN, UNKNOWN, HEALTHY] * 2


def test_a_query_that_does_not_tell_how_far_it_looks_back_is_not_asked(hostile: Hostile) -> None:
    hostile.answers = [WELL]
    found = judge(hostile.url, OWN._replace(query="sum(increase(errors_total[$span]))"))
    assert (found.health, hostile.requests) == (UNKNOWN, [])
    assert found.reason == "it can't be told how far back the query looks: write its ranges like [5m], without @"


def test_a_window_that_is_not_full_is_not_asked_about(hostile: Hostile) -> None:
    hostile.answers = [WELL]
    found = judge(hostile.url, since=NOW - timedelta(minutes=14, seconds=59))
    reason = "judged from 2026-11-20 12:00 UTC on: its last operation landed at 2026-11-20 11:45 UTC"
    assert found == Verdict("own", UNKNOWN, reason, too_early=True)
    assert hostile.requests == []
    assert judge(hostile.url, since=NOW - timedelta(minutes=15)).health == HEALTHY


def test_a_verdict_has_the_number_its_bound_its_time_and_its_points(hostile: Hostile) -> None:
    hostile.answers = [matrix(series(*[20] * 11, "NaN", *[24] * 5, "+Inf"))]
    assert judge(hostile.url) == Verdict(
        check="own",
        health=UNHEALTHY,
        reason="20 is more than 10, in 16 of 16 points",
        value=20.0,
        bound="max 10",
        samples=None,
        at=NOW - timedelta(seconds=30),
        points=(None, None, None, *[20.0] * 11, None, *[24.0] * 5, None),
    )


def test_values_are_escaped_in_the_query(hostile: Hostile) -> None:
    hostile.answers = [WELL]
    source = PrometheusSource(
        "own", OWN._replace(query='x{a="{environment}",b="{tag}"}'), Health({}, prometheus=hostile.url)
    )
    source.judge(subject()._replace(environment='a"b{tag}'), NOW, soon())
    source.close()
    assert b"x%7Ba%3D%22a%5Cx22b%7Btag%7D%22%2Cb%3D%221.0.5%22%7D" in hostile.requests[0]


def test_a_query_of_ones_own_has_no_workload(hostile: Hostile) -> None:
    hostile.answers = [WELL]
    judge(hostile.url, OWN._replace(query='x{a="{workload}"}'))
    assert b"%7Bworkload%7D" in hostile.requests[0]


@pytest.mark.parametrize(
    ("calls", "health", "reason"),
    [
        (vector(({}, 100)), UNHEALTHY, "20 is more than 10, in 21 of 21 points"),
        (vector(({}, 99.4)), UNKNOWN, "99 calls in 10m, and 100 are needed"),
        (vector(({}, 1)), UNKNOWN, "1 call in 10m, and 100 are needed"),
        (vector(({}, 0)), UNKNOWN, "no traffic: no call in 10m"),
        (vector(), UNKNOWN, "no traffic: no call in 10m"),
        (success("vector", [{"metric": {}, "value": [0, "NaN"]}]), UNKNOWN, "no traffic: no call in 10m"),
        (vector(({"a": "1"}, 100), ({"a": "2"}, 100)), UNKNOWN, "`samples` gives 2 series, and one is needed"),
        (answer(400), UNKNOWN, "Prometheus refuses the request (status 400)"),
    ],
)
def test_the_calls_behind_a_number_are_counted(calls: bytes, health: str, reason: str, hostile: Hostile) -> None:
    hostile.answers = [matrix(series(*[20] * 21)), calls]
    found = judge(hostile.url, COUNTED)
    assert (found.health, found.reason) == (health, reason)


def test_only_reporters_with_enough_calls_are_heard_and_the_worst_of_them(hostile: Hostile) -> None:
    rows = [
        series(*[0.01] * 21, step=RANGED, reporter="source"),
        series(*[0.2] * 21, step=RANGED, reporter="destination"),
        series(*[0.9] * 21, step=RANGED, reporter="waypoint"),
    ]
    counts = [({"reporter": "source"}, 900.0), ({"reporter": "destination"}, 70.0), ({"reporter": "waypoint"}, 49.0)]
    hostile.answers = [matrix(*rows), vector(*counts)]
    found = judge(hostile.url, ERRORS)
    assert (found.health, found.value, found.samples) == (UNHEALTHY, 0.2, 900.0)


def test_too_few_calls_still_show_their_points(hostile: Hostile) -> None:
    row = series(*[0.5] * 21, step=RANGED, reporter="source")
    hostile.answers = [matrix(row), vector(({"reporter": "source"}, 12.0))]
    found = judge(hostile.url, ERRORS)
    assert (found.health, found.reason, found.samples) == (UNKNOWN, "12 calls in 10m, and 50 are needed", 12.0)
    assert found.points == (0.5,) * 21
    assert not found.unsettled


def test_many_threads_share_a_source(hostile: Hostile) -> None:
    hostile.answers = [WELL]
    source = PrometheusSource("own", OWN, Health({}, prometheus=hostile.url))
    found: list[str] = []

    def ask() -> None:
        found.extend(source.judge(subject(), NOW, soon()).health for _ in range(4))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    source.close()
    assert found == [HEALTHY] * 64
