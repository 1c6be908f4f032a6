"""What an answer about calls means; no server is asked."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_tool.config import InUse
from release_tool.model.records import Name, Tag
from release_tool.rules.in_use import DEFAULT_QUERY, Placeholders, Usage, Use, edge, expression, names_any, reason, uses
from release_tool.rules.promql import Sample

V1, V2 = Name("v1"), Name("v2")
DIGEST = "sha256:" + "0" * 64
VERSIONS = {V1: Tag("v1.0.1"), V2: Tag(f"v1.0.2@{DIGEST}"), Name("v12"): Tag("1")}
PLACES = Placeholders("devel", "shop", "search", "engine")


def policy(query: str = "", window: timedelta = timedelta(days=7)) -> InUse:
    return InUse("http://prometheus", query, window)


def callers(*samples: tuple[dict[str, str], float]) -> dict[str, tuple[str, ...]]:
    return {name: use.callers for name, use in uses([Sample(*one) for one in samples], VERSIONS).items()}


# -- the question
def test_the_built_in_query_asks_for_the_release_in_its_namespace() -> None:
    asked = expression(policy(), PLACES)
    assert 'destination_workload_namespace="shop",destination_workload=~"engine(-.+)?-v[0-9]+"' in asked
    assert "{namespace}" in DEFAULT_QUERY
    assert not set(asked) & set("\n\\")
    assert asked.count("7d") == 3


def test_every_placeholder_is_filled_and_other_braces_stay() -> None:
    query = 'up{a="{environment}",b="{namespace}",c="{service}",d="{release}"}[{window}] or up{} or {"x"} or {other}'
    assert expression(policy(query), PLACES) == (
        'up{a="devel",b="shop",c="search",d="engine"}[7d] or up{} or {"x"} or {other}'
    )


def test_nothing_is_filled_in_twice() -> None:
    places = PLACES._replace(environment="{release}")
    assert expression(policy('"{environment}"'), places) == '"{release}"'


@given(st.text(alphabet=st.sampled_from("ab\\\"'`\n\r\t\x00\x7f{}é"), max_size=20))
def test_a_value_never_holds_what_ends_a_string(value: str) -> None:
    filled = expression(policy('"{environment}"'), PLACES._replace(environment=value))
    assert filled[0] == filled[-1] == '"'
    assert not set(filled[1:-1]) & set("\"'`\n\r\t\x00\x7f")
    assert "\\" not in filled.replace("\\x", "")


@pytest.mark.parametrize(("window", "words"), [
    ({"days": 7}, "7d"), ({"weeks": 2}, "14d"), ({"hours": 36}, "36h"), ({"minutes": 90}, "90m"),
    ({"seconds": 1}, "1s")
])  # fmt: skip
def test_a_window_is_written_as_prometheus_reads_it(window: dict[str, int], words: str) -> None:
    assert expression(policy("{window}", timedelta(**window)), PLACES) == words


@pytest.mark.parametrize(("window", "found"), [
    (timedelta(days=7), timedelta(days=1)), (timedelta(hours=1), timedelta(minutes=10)),
    (timedelta(minutes=10), timedelta(minutes=5)), (timedelta(seconds=1), timedelta(seconds=1))
])  # fmt: skip
def test_the_edge_is_a_small_part_of_the_window_but_long_enough_for_some_scrapes(
    window: timedelta, found: timedelta
) -> None:
    assert edge(window) == found


# -- the answer
def test_a_workload_names_its_version() -> None:
    labels = {"destination_workload": "engine-grpc-manifest-v2", "source_workload": "web"}
    assert callers((labels, 1)) == {"v2": ("web",)}


def test_a_name_is_a_whole_word_of_the_workload() -> None:
    assert callers(({"destination_workload": "engine-v12"}, 1)) == {"v12": ("unknown",)}
    assert callers(({"destination_workload": "enginev1"}, 1)) == {}
    assert callers(({"destination_workload": "engine-v1-canary"}, 1)) == {}


@pytest.mark.parametrize(
    "label", ["destination_version", "destination_canonical_revision", "version", "tag", "grpcsvc"]
)
@pytest.mark.parametrize("value", ["v1.0.2", "v2"])
def test_a_tag_without_its_digest_or_a_name_names_a_version(label: str, value: str) -> None:
    assert callers(({label: value, "client": "ios"}, 1)) == {"v2": ("ios",)}


def test_other_labels_name_none() -> None:
    labels = {"source_version": "v1", "shard": "1", "destination_canonical_revision": "latest", "le": "v2"}
    assert callers((labels, 1)) == {}
    assert not names_any([Sample(labels, 1)], VERSIONS)


def test_the_workload_decides_where_a_tag_looks_like_a_name() -> None:
    versions = {V1: Tag("v2"), V2: Tag("v3")}
    sample = Sample({"destination_workload": "engine-v1", "destination_canonical_revision": "v2"}, 1)
    assert set(uses([sample], versions)) == {V1}


def test_without_a_workload_a_tag_that_looks_like_a_name_keeps_both() -> None:
    versions = {V1: Tag("v2"), V2: Tag("v3")}
    assert set(uses([Sample({"version": "v2"}, 1)], versions)) == {V1, V2}


@pytest.mark.parametrize(("value", "used"), [(0, False), (-1, False), (1e-9, True), (math.inf, True)])
def test_more_than_nothing_is_a_call(value: float, used: bool) -> None:
    assert bool(callers(({"version": "v1"}, value))) is used
    assert names_any([Sample({"version": "v1"}, value)], VERSIONS)


def test_what_is_not_a_number_is_unknown_unless_somebody_else_called() -> None:
    odd = Sample({"version": "v1"}, math.nan)
    assert reason(uses([odd], VERSIONS)[V1]) == "use unknown: the number of calls is not a number"
    assert uses([odd, Sample({"version": "v1", "caller": "web"}, 1)], VERSIONS) == {V1: Use(("web",))}


@pytest.mark.parametrize(
    ("labels", "caller"),
    [
        ({"source_workload": "gw", "source_workload_namespace": "web", "source_app": "x"}, "gw.web"),
        ({"source_workload": "gw", "source_workload_namespace": "unknown"}, "gw"),
        ({"source_workload": "unknown", "source_app": "x"}, "x"),
        ({"source_workload": "unknown", "source_workload_namespace": "unknown"}, "unknown"),
        ({"client": "ios"}, "ios"),
        ({"client": "@all <b>`x`\n| [a](b)"}, "_all__b__x_____a__b_"),
        ({"client": "x" * 1000}, "x" * 100),
        ({"client": ""}, "unknown"),
    ],
)
def test_a_caller_is_named_as_plainly_as_it_can_be(labels: dict[str, str], caller: str) -> None:
    assert callers(({"version": "v1", **labels}, 1)) == {"v1": (caller,)}


def test_callers_are_sorted_and_said_once() -> None:
    samples = [({"version": "v1", "client": name, "reporter": side}, 1.0) for name in "ba" for side in "xy"]
    assert callers(*samples) == {"v1": ("a", "b")}


# -- the words
@pytest.mark.parametrize(
    ("use", "words"),
    [
        (Use(("a",)), "in use by a"),
        (Use(("a", "b", "c")), "in use by a, b, c"),
        (Use(("a", "b", "c", "d")), "in use by a, b, c and others"),
        (Use(("a", "b", "c", "d", "e")), "in use by a, b, c and others"),
        (Use(unknown="nobody answers"), "use unknown: nobody answers"),
    ],
)
def test_a_reason_names_some_callers_and_no_number(use: Use, words: str) -> None:
    assert reason(use) == words


def test_where_nothing_is_known_every_version_counts_as_in_use() -> None:
    assert Usage(unknown="it rains").words([V1, V2]) == {"v1": "use unknown: it rains", "v2": "use unknown: it rains"}


def test_where_all_is_known_only_the_called_ones_have_a_reason() -> None:
    assert Usage({V1: Use(("a",))}).words([V1, V2]) == {"v1": "in use by a"}
    assert Usage({V1: Use(("a",))}).words([V2]) == {}
