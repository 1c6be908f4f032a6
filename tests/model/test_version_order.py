"""Tags and names: what is valid, and which version is newer."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import strategies as st
from model_builders import DIGEST, TAGS, law, versions

from release_tool.model.records import Name, Tag, name_number, name_of
from release_tool.model.versions import is_name, is_newer, is_readable, is_tag, minor_of, newest_first, rank, tag_part

NEW_TO_OLD = [
    "2.0.0", "v1.10.0", "1.9.0", "1.0.10", "v1.0.9", "1.0.0", "1.0.0-rc.10", "v1.0.0-rc.9", "1.0.0-rc",
    "1.0.0-beta.x", "1.0.0-beta.2", "1.0.0-2", "0.9.9",
]  # fmt: skip
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
    assert (tag_part("v1.0.5" + DIGEST), tag_part("v1.0.5")) == ("v1.0.5", "v1.0.5")


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


# --- by the calendar --------------------------------------------------------------------------------------------------

LATE_TO_EARLY = [
    "2027.1", "26.12", "v2026-11-23", "20261123-rc10", "2026.11.23-rc9", "2026.11.23.rc", "2026-11-23-beta.3",
    "2026.11.23-beta2", "2026.11.23-beta", "2026_11_23-1b2", "2026.11.2", "2026.11.1rc1", "2026.11.0", "2026.11",
    "v2026.11-dev", "2026.9.30", "20260930-dev", "26.9", "2025.12.31.99999", "06.4", "1999.12",
]  # fmt: skip


@pytest.mark.parametrize(("newer", "older"), list(combinations(LATE_TO_EARLY, 2)))
def test_dates_are_ordered_number_by_number_and_a_modifier_stands_below_its_date(newer: str, older: str) -> None:
    assert is_newer("calver", (Name("v1"), Tag(newer)), (Name("v2"), Tag(older)))
    assert not is_newer("calver", (Name("v2"), Tag(older)), (Name("v1"), Tag(newer)))


@pytest.mark.parametrize(
    "same",
    ["20261104.1", "v20261104-1", "2026.11.4.1", "2026-11-04-1", "26.11.04_1", "v26.11.4.001", "26.11.4.1" + DIGEST],
)
def test_one_date_is_one_version_however_it_is_written(same: str) -> None:
    assert rank("calver", Name("v1"), Tag(same)) == rank("calver", Name("v2"), Tag("2026.11.04.1"))


@pytest.mark.parametrize("same", ["2026.11-rc1", "2026.11-rc.1", "2026.11.RC1", "2026.11rc1", "26.11_rc-01"])
def test_one_modifier_is_one_version_however_it_is_written(same: str) -> None:
    assert rank("calver", Name("v1"), Tag(same)) == rank("calver", Name("v2"), Tag("2026.11-rc1"))


NO_DATES = [
    "2026", "26", "v2026", "1.2.3", "126.4", "12345.1", "20261301", "20261132", "2026112", "202611230", "2026..11", "2026.11-",
    "2026-rc1", "2026.x.1", "latest", "main-20261123", "vv2026.11", "V2026.11", "2026rc1.2", "_",
]  # fmt: skip


@pytest.mark.parametrize("tag", NO_DATES)
def test_what_is_no_date_is_older_than_any_date(tag: str) -> None:
    assert is_tag(tag)
    assert not is_readable("calver", tag)
    assert is_newer("calver", (Name("v1"), Tag("00.0-0a")), (Name("v9"), Tag(tag)))
    assert minor_of(tag, "calver") is None


def test_builds_of_one_day_are_ordered_by_their_counter() -> None:
    built = versions(*(f"20261123.{number}" for number in range(1, 12)))
    assert [name for name, _ in newest_first("calver", built.items())][:3] == ["v11", "v10", "v9"]


# --- by the number ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("newer", "older"), [("10", "9"), ("build-10", "build-9"), ("r10", "9"), ("v1001", "r57"), ("a.b-2", "_00001")]
)
def test_by_number_the_number_at_the_end_counts_and_nothing_else(newer: str, older: str) -> None:
    assert is_newer("number", (Name("v1"), Tag(newer)), (Name("v2"), Tag(older)))
    assert not is_newer("number", (Name("v2"), Tag(older)), (Name("v1"), Tag(newer + DIGEST)))


@pytest.mark.parametrize("tag", ["latest", "1.2", "57-rc", "r57a", "v1-2", "_"])
def test_what_does_not_end_with_its_only_number_is_older_than_any_that_does(tag: str) -> None:
    assert not is_readable("number", tag)
    assert is_newer("number", (Name("v1"), Tag("0")), (Name("v9"), Tag(tag)))


def test_a_number_as_long_as_a_tag_is_compared_whole() -> None:
    assert is_newer("number", (Name("v1"), Tag("9" * 128)), (Name("v2"), Tag("9" * 127 + "8")))
    assert is_newer("calver", (Name("v1"), Tag("2026." + "9" * 123)), (Name("v2"), Tag("2026." + "9" * 122)))


# --- all orders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("order", "tag", "minor"), [
    ("calver", "2026.11.3", (2026, 11)), ("calver", "v26.04-rc1" + DIGEST, (2026, 4)),
    ("calver", "20261123-2", (2026, 11)), ("semver", "2026.11.3", (2026, 11)), ("number", "1234", None),
    ("arrival", "1.2.3", None)
])  # fmt: skip
def test_the_minor_version_depends_on_the_order(order: str, tag: str, minor: tuple[int, int] | None) -> None:
    assert minor_of(tag, order) == minor


def test_arrival_reads_every_tag() -> None:
    assert is_readable("arrival", "latest")
    assert is_readable("semver", "v1.0.5" + DIGEST)
    assert not is_readable("semver", "1.0")


# -- a pattern that takes the version out of a tag ---------------------------------------------------------------------
ENGINE = "semver engine-v(?P<version>.+)"


def test_a_pattern_takes_out_of_the_tag_what_is_compared() -> None:
    assert is_newer(ENGINE, (Name("v1"), Tag("engine-v1.10.0" + DIGEST)), (Name("v2"), Tag("engine-v1.9.0")))
    assert minor_of("engine-v1.10.0", ENGINE) == (1, 10)
    assert is_newer(
        "number build-(?P<version>[0-9]+)-.*", (Name("v1"), Tag("build-10-abc")), (Name("v2"), Tag("build-9-1"))
    )


@pytest.mark.parametrize("tag", ["v1.10.0", "model-v1.10.0", "engine-v", "engine-vx"])
def test_what_a_pattern_does_not_match_can_not_be_read(tag: str) -> None:
    assert not is_readable(ENGINE, tag)
    assert is_newer(ENGINE, (Name("v1"), Tag("engine-v0.0.1")), (Name("v9"), Tag(tag)))


EVERY_ORDER = st.sampled_from(["semver", "calver", "number", "arrival"])
MIXED = st.one_of(
    TAGS,
    st.sampled_from([*LATE_TO_EARLY, *NO_DATES, "57", "build-57", "r058", "20261123-a1b2c3d", "20261123-1234567"]),
    st.from_regex(r"v?(20)?2[67][._-]1?[0-9]([._-]?(rc|dev|beta)?[0-9]?[._-]?[0-9a-c]{0,2})?", fullmatch=True),
)
VERSIONS = st.tuples(st.integers(1, 12).map(name_of), MIXED.map(Tag))


@law(EVERY_ORDER, MIXED)
def test_every_tag_is_read_the_same_with_a_digest(order: str, tag: str) -> None:
    assert rank(order, Name("v1"), Tag(tag)) == rank(order, Name("v1"), Tag(tag + DIGEST))
    assert is_readable(order, tag) is is_readable(order, tag + DIGEST)


@law(EVERY_ORDER, VERSIONS, VERSIONS)
def test_what_can_be_read_is_newer_than_what_cannot(order: str, one: tuple[Name, Tag], two: tuple[Name, Tag]) -> None:
    if is_readable(order, one[1]) and not is_readable(order, two[1]):
        assert is_newer(order, one, two)


@law(EVERY_ORDER, VERSIONS, VERSIONS, VERSIONS, examples=150)
def test_the_order_is_total(order: str, one: tuple[Name, Tag], two: tuple[Name, Tag], three: tuple[Name, Tag]) -> None:
    equal = rank(order, *one) == rank(order, *two)
    assert is_newer(order, one, two) + is_newer(order, two, one) + equal == 1
    if is_newer(order, one, two) and not is_newer(order, three, two):
        assert is_newer(order, one, three)


@law(EVERY_ORDER, st.lists(VERSIONS, max_size=8, unique_by=lambda version: version[0]), st.randoms())
def test_sorting_does_not_depend_on_the_order_in_the_file(
    order: str, found: list[tuple[Name, Tag]], chance: object
) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert newest_first(order, shuffled) == newest_first(order, found)
    ranks = [rank(order, *version) for version in newest_first(order, found)]
    assert ranks == sorted(ranks, reverse=True)
