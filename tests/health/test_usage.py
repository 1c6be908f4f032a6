"""Who calls a version, asked of a real Prometheus."""

from __future__ import annotations

from datetime import timedelta

import pytest
from calls import AT, VERSIONS, WINDOW
from hostile import Hostile, answer

from release_tool.config import Config, InUse
from release_tool.health import callers
from release_tool.model.records import Name
from release_tool.net.prometheus import Prometheus
from release_tool.rules.in_use import Placeholders, Usage, Use

V1, V2, V3 = Name("v1"), Name("v2"), Name("v3")
OWN = 'sum by (version, client) (increase(own_total{stage="{environment}"}[{window}]))'


def look(url: str, *, namespace: str = "shop", query: str = "", window: timedelta = WINDOW) -> Usage:
    policy = InUse(url, query, window)
    placeholders = Placeholders("a{b}\"c'd\\e`f", namespace, "", "engine")
    return callers.look(Prometheus(url, timeout=10), policy, placeholders, VERSIONS, AT)


def test_every_version_that_was_called_is_in_use_and_names_its_callers(prometheus_url: str) -> None:
    found = look(prometheus_url)
    assert found.unknown == ""
    assert found.words(VERSIONS) == {
        "v2": "in use by mobile-gw.web, web.shop",
        "v3": "in use by once.jobs",
        "v6": "use unknown: the number of calls is not a number",
        "v7": "in use by a.many, b.many, c.many and others",
        "v8": "in use by restarted.shop",
        "v10": "in use by unknown",
    }


def test_a_prometheus_that_is_younger_than_the_window_knows_only_what_it_saw(prometheus_url: str) -> None:
    found = look(prometheus_url, namespace="young")
    assert found.uses == {V1: Use(("web.shop",))}
    assert found.words([V1, V2]) == {
        "v1": "in use by web.shop",
        "v2": "use unknown: Prometheus knows less than the window of 1d",
    }


def test_a_window_longer_than_what_prometheus_keeps_makes_use_unknown(prometheus_url: str) -> None:
    found = look(prometheus_url, window=timedelta(days=7))
    assert found.unknown == "Prometheus knows less than the window of 7d"
    assert V2 in found.uses


def test_a_service_that_is_no_longer_collected_makes_use_unknown(prometheus_url: str) -> None:
    found = look(prometheus_url, namespace="stale")
    assert found.words([V1, V2]) == {
        "v1": "use unknown: Prometheus got no news of the service lately",
        "v2": "in use by web.shop",
    }


@pytest.mark.parametrize("namespace", ["empty", "others"])
def test_an_answer_about_none_of_the_versions_is_no_answer(prometheus_url: str, namespace: str) -> None:
    found = look(prometheus_url, namespace=namespace)
    assert found.words([V1]) == {"v1": "use unknown: Prometheus knows no calls of any live version"}


def test_a_query_of_ones_own_finds_versions_by_tag_and_by_name(prometheus_url: str) -> None:
    found = look(prometheus_url, query=OWN)
    assert found.words(VERSIONS) == {"v2": "in use by ios"}


@pytest.mark.parametrize("quote", "\"'")
def test_what_is_filled_in_cannot_leave_its_quotes(prometheus_url: str, quote: str) -> None:
    found = look(prometheus_url, query=OWN.replace('"', quote))
    assert found.unknown == ""


def test_a_scalar_is_about_no_version(prometheus_url: str) -> None:
    assert look(prometheus_url, query="1").unknown == "Prometheus knows no calls of any live version"


def test_a_query_that_prometheus_refuses_makes_use_unknown_in_its_words(prometheus_url: str) -> None:
    found = look(prometheus_url, query="sum by (")
    assert found.unknown.startswith("Prometheus refuses the request (status 400): bad_data:")
    assert "parse error" in found.unknown


def test_a_range_without_a_function_makes_use_unknown(prometheus_url: str) -> None:
    assert look(prometheus_url, query="own_total[{window}]").unknown == (
        "the query gives a matrix, not one value per series"
    )


def test_warnings_make_the_uncalled_versions_unknown(hostile: Hostile) -> None:
    body = (
        b'{"status":"success","warnings":["No StoreAPIs \\u001b[31m matched"],"data":{"resultType":"vector","result":['
        b'{"metric":{"version":"v1","client":"ios"},"value":[1,"3"]},{"metric":{"version":"v2"},"value":[1,"0"]}]}}'
    )
    hostile.answers = [answer(200, body)]
    assert look(hostile.url).words([V1, V2, V3]) == {
        "v1": "in use by ios",
        "v2": "use unknown: Prometheus warns: No StoreAPIs [31m matched",
        "v3": "use unknown: Prometheus warns: No StoreAPIs [31m matched",
    }


def test_remarks_among_the_warnings_are_none(hostile: Hostile) -> None:
    body = (
        b'{"status":"success","warnings":["PromQL info: metric might not be a counter"],"data":{"resultType":"vector",'
        b'"result":[{"metric":{"version":"v2"},"value":[1,"0"]}]}}'
    )
    hostile.answers = [answer(200, body)]
    assert look(hostile.url).words([V1, V2]) == {}


def test_a_prometheus_that_goes_away_between_two_questions_leaves_what_is_known(hostile: Hostile) -> None:
    body = (
        b'{"status":"success","data":{"resultType":"vector","result":['
        b'{"metric":{"version":"v1","client":"ios"},"value":[1,"3"]}]}}'
    )
    hostile.answers = [answer(200, body), answer(500)]
    assert look(hostile.url).words([V1, V2]) == {
        "v1": "in use by ios",
        "v2": "use unknown: Prometheus is busy or down (status 500)",
    }


# -- as the tool asks


CONFIG = Config("charts/grpc-manifest", "engine", "shop", {})


def test_words_ask_with_the_token_of_the_environment_variable(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.answers = [answer(401)]
    monkeypatch.setenv("RELEASE_PROMETHEUS_TOKEN", "s3cret-token\n")
    found = callers.words(CONFIG, "devel", InUse(hostile.url), {V1: VERSIONS[V1]}, AT)
    assert found == {"v1": "use unknown: Prometheus does not accept the token (status 401)"}
    assert b"Authorization: Bearer s3cret-token\r\n" in hostile.requests[0]


def test_words_about_nothing_ask_nobody(hostile: Hostile) -> None:
    assert callers.words(CONFIG, "devel", InUse(hostile.url), {}, AT) == {}
    assert hostile.requests == []


def test_words_name_what_the_configuration_names(prometheus_url: str) -> None:
    policy = InUse(prometheus_url, window=WINDOW)
    assert callers.words(CONFIG, "devel", policy, {V1: VERSIONS[V1], V2: VERSIONS[V2]}, AT) == {
        "v2": "in use by mobile-gw.web, web.shop"
    }


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[1:2]", "http://127.0.0.1:99999", "http://a..b"])
def test_a_url_that_nobody_answers_at_keeps_every_version(url: str) -> None:
    found = callers.words(CONFIG, "devel", InUse(url), VERSIONS, AT)
    assert set(found) == set(VERSIONS)
    assert len(set(found.values())) == 1
