"""Retention and the sweep: which versions stay, retire and are removed, each with its reason."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import strategies as st
from model_builders import (
    DAY,
    DIGEST,
    HOUR,
    NOW,
    ORDERS,
    POLICIES,
    TODAY,
    facts,
    law,
    section_of,
    state,
    states,
)

from release_tool.config import Retention
from release_tool.fallback import fallback_target
from release_tool.records import Name, Pin, State
from release_tool.retention import Facts, count_text, duration_text, sweep
from release_tool.states import apply
from release_tool.versions import minor_of, newest_first

FIVE = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5", default="v5")


def swept(one: State, *, former: list[str] | None = None, ages: dict[str, timedelta] | None = None, now: datetime = NOW,
          order: str = "semver", base: State | None = None, **policy: Any) -> tuple[list[str], list[str]]:  # fmt: skip
    """What the sweep changes and keeps, each with its reason; `ages`: how long the base has held versions as they are."""
    base = one if base is None else base
    landed = {(section_of(base, Name(name)), Name(name)): now - age for name, age in (ages or {}).items()}
    known = Facts(now, base, landed, [Name(name) for name in former or []])
    result = sweep(one, Retention(**{"keep": 2, **policy}), order, known)
    return (
        [f"{change.action} {change.version}: {change.reason}" for change in result.changes],
        [f"{kept.version}: {kept.reason}" for kept in result.kept],
    )


# -- what stays -------------------------------------------------------------------------------------------------------


def test_the_newest_stay_the_default_and_the_fallback_target_too() -> None:
    one = FIVE._replace(written_default=Name("v2"))
    assert swept(one, former=["v1", "v2"]) == (
        ["retire v3: keep 2: five live"],
        ["v1: fallback target", "v2: default", "v4: newest 2", "v5: newest 2"],
    )


def test_protected_versions_count_among_the_newest() -> None:
    assert swept(FIVE, keep=1, former=["v5"]) == (
        ["retire v1: keep 1: five live", "retire v2: keep 1: five live", "retire v3: keep 1: five live"],
        ["v4: fallback target", "v5: default"],
    )


def test_newest_means_newest_in_the_configured_order() -> None:
    one = state("1.0.9", "1.0.1", "1.0.5", "1.0.2", default="v1")
    assert swept(one, order="semver", keep=3)[0] == ["retire v2: keep 3: four live"]
    assert swept(one, order="arrival", keep=3, former=["v4"])[1] == [
        "v1: default", "v2: newest 3", "v3: newest 3", "v4: fallback target"
    ]  # fmt: skip


def test_a_tag_that_cannot_be_read_goes_first() -> None:
    one = state("1.0.1", "1.0.2", "1.0.3", "latest", default="v3")
    assert swept(one, keep=3)[0] == ["retire v4: keep 3: four live"]


def test_the_newest_of_each_minor_version_stay_beside_the_newest_of_all() -> None:
    one = state("1.0.1", "1.0.2", "1.1.1", "1.1.2" + DIGEST, "2.0.0", "2.0.1", "latest", default="v6")
    assert swept(one, keep=2, keep_per_minor=1, former=["v6"]) == (
        [
            "retire v1: keep 2, keep_per_minor 1: seven live",
            "retire v3: keep 2, keep_per_minor 1: seven live",
            "retire v7: keep 2: seven live",
        ],
        ["v2: newest 1 of 1.0", "v4: newest 1 of 1.1", "v5: fallback target", "v6: default"],
    )


def test_a_pinned_version_stays_until_the_end_of_its_last_day() -> None:
    one = FIVE._replace(pinned={Name("v1"): Pin("clients", TODAY)})
    last_moment = NOW.replace(hour=23, minute=59, second=59)
    assert swept(one, now=last_moment)[1][0] == f"v1: pinned until {TODAY}: clients"
    changes, kept = swept(one, now=last_moment + timedelta(seconds=1))
    assert changes[:2] == [f"unpin v1: pinned until {TODAY}", "retire v1: keep 2: five live"]
    assert kept[0].startswith("v4")


def test_a_pin_without_an_end_or_a_reason_holds_too() -> None:
    assert swept(FIVE._replace(pinned={Name("v1"): Pin("")}), now=NOW + 9999 * DAY)[1][0] == "v1: pinned"


def test_an_expired_pin_is_lifted_from_a_version_that_stays_anyway() -> None:
    one = FIVE._replace(pinned={Name("v5"): Pin("clients", TODAY - DAY)})
    assert swept(one, keep=9)[0] == [f"unpin v5: pinned until {TODAY - DAY}"]


@pytest.mark.parametrize(("age", "stays"), [(2 * DAY - HOUR, True), (2 * DAY, False), (3 * DAY, False)])
def test_a_version_younger_than_min_age_stays(age: timedelta, stays: bool) -> None:
    old = dict.fromkeys(["v2", "v3", "v4", "v5"], 9 * DAY)
    _, kept = swept(FIVE, ages={"v1": age, **old}, min_age=2 * DAY)
    assert ("v1: younger than min_age 2d" in kept) == stays


def test_a_version_that_has_not_landed_is_younger_than_any_age() -> None:
    base = state("1.0.1", "1.0.2", default="v2")
    changes, kept = swept(FIVE, base=base, ages={"v1": 99 * DAY, "v2": 99 * DAY}, min_age=HOUR, max_age=DAY, keep=1)
    assert changes == ["retire v1: older than max_age 1d", "retire v2: older than max_age 1d"]
    assert "v3: younger than min_age 1h" in kept


@pytest.mark.parametrize(("age", "stays"), [(90 * DAY - HOUR, True), (90 * DAY, True), (90 * DAY + HOUR, False)])
def test_a_version_older_than_max_age_goes_whatever_the_counts_say(age: timedelta, stays: bool) -> None:
    changes, _ = swept(FIVE, keep=9, max_age=90 * DAY, ages={"v3": age}, former=["v4", "v5"])
    assert changes == ([] if stays else ["retire v3: older than max_age 90d"])


def test_max_age_spares_the_protected() -> None:
    one = FIVE._replace(pinned={Name("v1"): Pin("clients")})
    ages = dict.fromkeys(FIVE.versions, 99 * DAY)
    assert swept(one, keep=9, max_age=90 * DAY, ages=ages, former=["v3", "v5"]) == (  # type: ignore[arg-type]
        ["retire v2: older than max_age 90d", "retire v4: older than max_age 90d"],
        ["v1: pinned: clients", "v3: fallback target", "v5: default"],
    )


# -- quarantine -------------------------------------------------------------------------------------------------------


def test_quarantined_versions_are_not_counted() -> None:
    one = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", default="v2", quarantined={"v3": "slow", "v4": "slow"})
    assert swept(one, keep=2) == ([], ["v1: fallback target", "v2: default"])


@pytest.mark.parametrize(("age", "stays"), [(14 * DAY - HOUR, True), (14 * DAY, False)])
def test_a_quarantined_version_retires_after_its_time(age: timedelta, stays: bool) -> None:
    one = state("1.0.1", "1.0.2", default="v1", quarantined={"v2": "slow"})
    assert swept(one, ages={"v2": age})[0] == ([] if stays else ["retire v2: quarantined for 14d"])


def test_a_pinned_version_in_quarantine_stays() -> None:
    one = state("1.0.1", "1.0.2", default="v1", quarantined={"v2": "slow"}, pinned={"v2": "forensics"})
    assert swept(one, ages={"v2": 99 * DAY})[0] == []


def test_the_time_of_a_quarantine_begins_when_it_landed() -> None:
    one = state("1.0.1", "1.0.2", default="v1", quarantined={"v2": "slow"})
    was_live = one._replace(quarantined={})
    assert swept(one, base=was_live, ages={"v2": 99 * DAY}, quarantine_for=timedelta(0))[0] == []
    assert swept(one, ages={"v2": timedelta(0)}, quarantine_for=timedelta(0))[0] == ["retire v2: quarantined for 0s"]


# -- removal ----------------------------------------------------------------------------------------------------------

DRAINING = state("1.0.3", default="v1", retired={"v8": "1.0.1", "v9": "1.0.2"})


def test_a_retired_version_is_removed_when_it_has_drained() -> None:
    assert swept(DRAINING, ages={"v8": HOUR, "v9": HOUR - timedelta(seconds=1)})[0] == ["remove v8: drained for 1h"]


def test_an_entry_that_is_not_retired_in_the_base_is_never_removed() -> None:
    ages = {"v8": 99 * DAY, "v9": 99 * DAY}
    nowhere = state("1.0.3", default="v1")
    still_live = state("1.0.3", default="v1", named={"v8": "1.0.1", "v9": "1.0.2"})
    other_tag = state("1.0.3", default="v1", retired={"v8": "1.0.8", "v9": "1.0.9"})
    for base in (nowhere, still_live, other_tag):
        assert swept(DRAINING, base=base, ages=ages, drain=timedelta(0))[0] == []


def test_an_entry_whose_landing_is_unknown_is_not_removed() -> None:
    assert swept(DRAINING, ages={}, drain=timedelta(0))[0] == []


# -- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duration", "text"),
    [(timedelta(0), "0s"), (timedelta(seconds=90), "90s"), (timedelta(minutes=15), "15m"), (timedelta(minutes=90), "90m"),
     (HOUR, "1h"), (24 * HOUR, "1d"), (36 * HOUR, "36h"), (90 * DAY, "90d")],
)  # fmt: skip
def test_durations_are_told_as_people_write_them(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text


@pytest.mark.parametrize(("number", "text"), [(0, "no"), (1, "one"), (12, "twelve"), (13, "13"), (400, "400")])
def test_small_numbers_are_told_as_words(number: int, text: str) -> None:
    assert count_text(number) == text


# -- laws -------------------------------------------------------------------------------------------------------------

Case = tuple[State, Retention, str, Facts]


@st.composite
def cases(draw: Any) -> Case:
    """A state to be swept; most often that of the base, else one that an operation made of it."""
    one = draw(states(least=1))
    base = draw(st.sampled_from([one, one, draw(states(least=1))]))
    return one, draw(POLICIES), draw(ORDERS), draw(facts(base))


@law(cases())
def test_each_live_version_is_either_kept_or_retired_with_its_reason(case: Case) -> None:
    one, policy, order, known = case
    result = sweep(one, policy, order, known)
    stay = [kept.version for kept in result.kept]
    retired = [change.version for change in result.changes if change.action == "retire"]
    assert sorted([*stay, *(name for name in retired if name not in one.quarantined)]) == sorted(one.live)
    assert len(set(retired)) == len(retired)
    assert all(kept.reason for kept in result.kept)
    assert all(change.reason for change in result.changes)
    assert {change.action for change in result.changes} <= {"unpin", "retire", "remove"}


@law(cases())
def test_after_the_sweep_live_retired_and_removed_are_all_there_was(case: Case) -> None:
    one, policy, order, known = case
    result = sweep(one, policy, order, known)
    after = apply(one, result.changes)
    removed = {change.version for change in result.changes if change.action == "remove"}
    assert {*after.versions, *after.retired} == {*one.versions, *one.retired} - removed
    assert removed <= {*one.retired}
    assert after.default == one.default
    assert after.default in after.live


@law(cases())
def test_the_protected_are_never_retired(case: Case) -> None:
    one, policy, order, known = case
    retired = {change.version for change in sweep(one, policy, order, known).changes if change.action == "retire"}
    pinned = {name for name, pin in one.pinned.items() if pin.until is None or pin.until >= known.now.date()}
    young = {name for name in one.live if known.age("versions", name) < policy.min_age}
    unlanded_quarantine = {name for name in one.quarantined if ("quarantined", name) not in known.landed}
    assert not retired & {one.default, fallback_target(one, known.former, order), *pinned, *young, *unlanded_quarantine}


@law(cases())
def test_the_counts_hold(case: Case) -> None:
    one, policy, order, known = case
    changes = sweep(one, policy, order, known).changes
    retired = {change.version: change.reason for change in changes if change.action == "retire"}
    ranked = newest_first(order, one.live.items())
    for place, (name, tag) in enumerate(ranked):
        same = [other for other, other_tag in ranked[:place] if minor_of(other_tag) == minor_of(tag) is not None]
        counted = place < policy.keep or (
            policy.keep_per_minor is not None and minor_of(tag) is not None and len(same) < policy.keep_per_minor
        )
        old = policy.max_age is not None and known.age("versions", name) > policy.max_age
        if name in retired:
            assert old or not counted
            assert retired[name].startswith("older than max_age") == old
        elif not counted or old:
            reasons = {kept.version: kept.reason for kept in sweep(one, policy, order, known).kept}
            assert re.match("default|pinned|fallback target|younger than", reasons[name])


@law(cases())
def test_a_second_sweep_changes_nothing(case: Case) -> None:
    one, policy, order, known = case
    after = apply(one, sweep(one, policy, order, known).changes)
    assert sweep(after, policy, order, known).changes == ()


def until_something_ages(one: State, policy: Retention, known: Facts) -> timedelta:
    """How long nothing reaches an age that the policy asks for, and no pin ends."""
    ages = [policy.min_age, policy.max_age or policy.min_age, policy.drain, policy.quarantine_for]
    moments = [landed + age for landed in known.landed.values() for age in ages]
    moments += [datetime.combine(pin.until + DAY, time(), timezone.utc) for pin in one.pinned.values() if pin.until]
    return min((moment - known.now for moment in moments if moment >= known.now), default=999 * DAY)


@law(cases(), st.integers(0, 99))
def test_until_something_ages_the_sweep_says_the_same_words(case: Case, percent: int) -> None:
    one, policy, order, known = case
    later = known._replace(now=known.now + until_something_ages(one, policy, known) * percent / 100)
    assert sweep(one, policy, order, later) == sweep(one, policy, order, known)
