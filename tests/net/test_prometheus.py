"""The answers of a real Prometheus, and of servers that are none."""

from __future__ import annotations

import json
import math

import pytest
from calls import AT
from hostile import Hostile, answer

from release_tool.errors import ReleaseError, TryAgain
from release_tool.net.prometheus import Prometheus, QueryResult
from release_tool.rules.promql import Sample


def query(url: str, expression: str = "up", timeout: float = 10) -> QueryResult:
    prometheus = Prometheus(url, timeout=timeout)
    try:
        return prometheus.query(expression, AT)
    finally:
        prometheus.close()


def refusal(url: str, expression: str = "up", timeout: float = 10) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        query(url, expression, timeout)
    return caught.value


# -- a real one
def test_a_vector_has_a_sample_per_series(prometheus_url: str) -> None:
    found = query(prometheus_url, 'sum by (version) (own_total{version="v1"})')
    assert found == QueryResult((Sample({"version": "v1"}, 7.0),))


def test_a_time_is_where_the_value_is_read(prometheus_url: str) -> None:
    assert query(prometheus_url, "time()").samples == (Sample({}, AT.timestamp()),)


def test_no_series_is_an_empty_answer(prometheus_url: str) -> None:
    assert query(prometheus_url, "nothing_of_the_kind") == QueryResult(())


@pytest.mark.parametrize(
    ("expression", "value"), [("1/0", math.inf), ("-1/0", -math.inf), ("vector(1/0)", math.inf), ("1e300", 1e300)]
)
def test_infinity_is_passed_on(prometheus_url: str, expression: str, value: float) -> None:
    assert query(prometheus_url, expression).samples[0].value == value


def test_what_is_not_a_number_is_passed_on(prometheus_url: str) -> None:
    assert math.isnan(query(prometheus_url, "vector(0/0)").samples[0].value)


def test_an_expression_longer_than_any_url_is_answered(prometheus_url: str) -> None:
    names = "|".join(f"name{number}" for number in range(10_000))
    assert query(prometheus_url, f'own_total{{version=~"{names}|v1"}}').samples[0].value == 7.0


def test_a_mistake_is_said_in_prometheus_own_words(prometheus_url: str) -> None:
    error = refusal(prometheus_url, "rate(up)")
    assert error.exit_code == 1
    assert 'expected type range vector in call to function "rate"' in error.what


@pytest.mark.parametrize(("expression", "kind"), [("own_total[1h]", "matrix"), ('"words"', "string")])
def test_what_is_no_value_per_series_is_refused(prometheus_url: str, expression: str, kind: str) -> None:
    assert refusal(prometheus_url, expression).what == f"the query gives a {kind}, not one value per series"


def test_a_path_that_prometheus_does_not_have_is_an_error(prometheus_url: str) -> None:
    error = refusal(f"{prometheus_url}/prom/")
    assert error.what == "Prometheus has nothing at this address (status 404)"
    assert error.where == f"{prometheus_url}/prom/api/v1/query"


# -- others
GOOD = {"status": "success", "data": {"resultType": "vector", "result": []}}
SERIES = {"metric": {}, "value": [1, "1"]}


def test_the_question_names_expression_time_and_limit(hostile: Hostile) -> None:
    hostile.answers = [answer(200, json.dumps(GOOD).encode())]
    query(f"{hostile.url}/select/0/", 'a{b="c&d"}')
    head, _, form = hostile.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /select/0/api/v1/query HTTP/1.1\r\n")
    assert form == b"query=a%7Bb%3D%22c%26d%22%7D&time=1795608000.000&timeout=10.000"


def test_warnings_are_kept_and_remarks_are_not(hostile: Hostile) -> None:
    body = {**GOOD, "warnings": ["a store\n is away", "PromQL info: no counter"], "infos": ["x"]}
    hostile.answers = [answer(200, json.dumps(body).encode())]
    assert query(hostile.url).warnings == ("a store is away",)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>log in</html>",
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
        b"[]",
        b"{}",
        b'{"status": "success"}',
        b'{"status": "error", "errorType": "x", "error": "y"}',
        b'{"status": "success", "data": []}',
        b'{"status": "success", "data": {"resultType": "vector"}}',
        b'{"status": "success", "data": {"resultType": "vector", "result": {}}}',
        b'{"status": "success", "data": {"resultType": "scalar", "result": [1]}}',
        b'{"status": "success", "data": {"resultType": "vector", "result": []}, "warnings": "many"}',
        *[
            json.dumps({"status": "success", "data": {"resultType": "vector", "result": [SERIES, entry]}}).encode()
            for entry in [
                1,
                {},
                {"metric": {}},
                {"metric": [], "value": [1, "1"]},
                {"metric": {"a": 1}, "value": [1, "1"]},
                {"metric": {}, "value": [1, 1]},
                {"metric": {}, "value": [1, "one"]},
                {"metric": {}, "value": [1, "1", 1]},
                {"metric": {}, "value": "1"},
            ]
        ],
    ],
)
def test_what_is_no_answer_of_prometheus_is_an_error(hostile: Hostile, body: bytes) -> None:
    hostile.answers = [answer(200, body, "Content-Type: text/html; \x1b[2J")]
    error = refusal(hostile.url)
    assert not isinstance(error, TryAgain)
    assert error.what.startswith("the answer is none of Prometheus: ")
    assert error.cause == "the server calls it text/html; [2J"


@pytest.mark.parametrize("kind", ["matrix", "\x1b[2J", None, [1] * 1000])
def test_a_kind_of_answer_that_nobody_asked_for_is_refused(hostile: Hostile, kind: object) -> None:
    hostile.answers = [
        answer(200, json.dumps({"status": "success", "data": {"resultType": kind, "result": []}}).encode())
    ]
    assert refusal(hostile.url).what.startswith("the query gives a ")


def test_native_histograms_are_refused(hostile: Hostile) -> None:
    entry = {"metric": {}, "histogram": [1, {"count": "1"}]}
    body = {"status": "success", "data": {"resultType": "vector", "result": [entry]}}
    hostile.answers = [answer(200, json.dumps(body).encode())]
    assert refusal(hostile.url).what == "the query gives native histograms, not one value per series"


def test_a_query_that_takes_too_long_may_be_tried_again(hostile: Hostile) -> None:
    hostile.answers = [answer(503, b'{"status":"error","errorType":"timeout","error":"query timed out"}')]
    error = refusal(hostile.url)
    assert isinstance(error, TryAgain)
    assert error.what == "Prometheus is busy or down (status 503): timeout: query timed out"


def test_a_login_page_behind_a_redirect_is_not_opened(hostile: Hostile) -> None:
    hostile.answers = [answer(302, b"", "Location: /login?to=/api/v1/query")]
    assert refusal(hostile.url).what == "Prometheus sends on to /login (status 302)"


def test_a_prometheus_that_hangs_is_left(hostile: Hostile) -> None:
    hostile.answers = [hostile.hang]
    assert isinstance(refusal(hostile.url, timeout=0.3), TryAgain)
