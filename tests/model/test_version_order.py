"""Tags and names: what is valid, and which version is newer."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import strategies as st
from model_builders import DIGEST, ORDERS, TAGS, law, versions

from release_tool.records import Name, Tag, name_number, name_of
from release_tool.versions import is_name, is_newer, is_tag, minor_of, newest_first, rank, tag_part

NEW_TO_OLD = [
    "2.0.0",
    "v1.10.0",
    "1.9.0",
    "1.0.10",
    "v1.0.9",
    "1.0.0",
    "1.0.0-rc.10",
    "v1.0.0-rc.9",
    "1.0.0-rc",
    "1.0.0-beta.x",
    "1.0.0-beta.2",
    "1.0.0-2",
    "0.9.9",
]
UNREADABLE = ["latest", "1.0", "v1", "vv1.0.0", "1.0.01", "1.0.0-01", "2026-11-23", "main-a1b2c3d", "V1.0.0", "_"]


@pytest.mark.parametrize("tag", ["v1.0.5", "latest", "_x", "0", "A-b_c.d", "x" * 128, "x" * 128 + DIGEST, "1.20"])
def test_what_the_oci_rule_allows_is_a_tag(tag: str) -> None:
    assert is_tag(tag)


@pytest.mark.parametrize(
    "tag",
    [
        "", ".x", "-x", "a b", "a/b", "a:b", "x" * 129, "v1\n", "\nv1", "vé", "１", "v1@", "v1@sha256:", "../x", "a+b",
        "v1@sha256:" + "0" * 63, "v1@sha256:" + "0" * 65, "v1@sha256:" + "A" * 64, "v1@sha512:" + "0" * 64,
        DIGEST, "v1" + DIGEST + DIGEST, "v1" + DIGEST + "\n", "$(id)", "{{x}}",
    ],
)  # fmt: skip
def test_anything_else_is_no_tag(tag: str) -> None:
    assert not is_tag(tag)


@pytest.mark.parametrize("name", ["v1", "v10", "v999999999"])
def test_v_and_a_number_from_one_is_a_name(name: str) -> None:
    assert is_name(name)
    assert name_of(name_number(name)) == name


@pytest.mark.parametrize(
    "name", ["", "v", "v0", "v01", "1", "V1", "v1 ", "v1\n", "v-1", "v1.0", "v٣", "v1000000000", "vv1"]
)
def test_anything_else_is_no_name(name: str) -> None:
    assert not is_name(name)


def test_the_tag_part_is_what_stands_before_the_digest() -> None:
    assert tag_part("v1.0.5" + DIGEST) == "v1.0.5"
    assert tag_part("v1.0.5") == "v1.0.5"


@pytest.mark.parametrize(("newer", "older"), list(combinations(NEW_TO_OLD, 2)))
def test_semantic_versions_are_ordered_by_precedence_with_or_without_a_leading_v(newer: str, older: str) -> None:
    # The names say the opposite: they don't count here.
    assert is_newer("semver", (Name("v1"), Tag(newer)), (Name("v2"), Tag(older)))
    assert not is_newer("semver", (Name("v2"), Tag(older)), (Name("v1"), Tag(newer)))


@pytest.mark.parametrize("tag", UNREADABLE)
def test_a_tag_that_cannot_be_read_is_older_than_any_that_can(tag: str) -> None:
    assert is_newer("semver", (Name("v1"), Tag("0.0.0-0")), (Name("v9"), Tag(tag)))
    assert minor_of(tag) is None


def test_tags_that_cannot_be_read_are_ordered_by_their_names() -> None:
    assert is_newer("semver", (Name("v10"), Tag("abc")), (Name("v9"), Tag("xyz")))


@pytest.mark.parametrize("same", ["v1.0.5", "1.0.5", "v1.0.5" + DIGEST])
def test_neither_a_leading_v_nor_a_digest_makes_a_version_newer(same: str) -> None:
    one, other = (Name("v1"), Tag("1.0.5")), (Name("v2"), Tag(same))
    assert not is_newer("semver", one, other)
    assert not is_newer("semver", other, one)


def test_by_arrival_the_higher_name_is_newer_whatever_the_tags_say() -> None:
    assert is_newer("arrival", (Name("v10"), Tag("1.0.0")), (Name("v9"), Tag("2.0.0")))


@pytest.mark.parametrize(
    ("tag", "minor"), [("v1.20.3", (1, 20)), ("0.1.2-rc.1" + DIGEST, (0, 1)), ("1.2", None), ("latest", None)]
)
def test_the_minor_version_of_a_tag(tag: str, minor: tuple[int, int] | None) -> None:
    assert minor_of(tag) == minor


def test_a_number_as_long_as_a_tag_may_be_is_ordered_too() -> None:
    long = "1.0." + "9" * 124
    assert is_tag(long)
    assert is_newer("semver", (Name("v1"), Tag(long)), (Name("v2"), Tag("1.0.5")))


def test_versions_are_sorted_from_new_to_old_and_equal_ones_by_name() -> None:
    mixed = versions("1.0.0", "latest", "v1.0.1", "1.0.1", "nightly")
    assert [name for name, _ in newest_first("semver", mixed.items())] == ["v4", "v3", "v1", "v5", "v2"]
    assert [name for name, _ in newest_first("arrival", mixed.items())] == ["v5", "v4", "v3", "v2", "v1"]


VERSIONS = st.tuples(st.integers(1, 12).map(name_of), TAGS.map(Tag))


@law(ORDERS, VERSIONS, VERSIONS, VERSIONS, examples=150)
def test_the_order_is_total(order: str, one: tuple[Name, Tag], two: tuple[Name, Tag], three: tuple[Name, Tag]) -> None:
    equal = rank(order, *one) == rank(order, *two)
    assert is_newer(order, one, two) + is_newer(order, two, one) + equal == 1
    if is_newer(order, one, two) and not is_newer(order, three, two):
        assert is_newer(order, one, three)


@law(ORDERS, st.lists(VERSIONS, max_size=8, unique_by=lambda version: version[0]), st.randoms())
def test_sorting_does_not_depend_on_the_order_in_the_file(
    order: str, found: list[tuple[Name, Tag]], chance: object
) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert newest_first(order, shuffled) == newest_first(order, found)
    ranks = [rank(order, *version) for version in newest_first(order, found)]
    assert ranks == sorted(ranks, reverse=True)
