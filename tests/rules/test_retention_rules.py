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
    change,
    facts,
    law,
    section_of,
    state,
    states,
)

from release_tool.config import Retention
from release_tool.model.records import Name, Pin, State
from release_tool.model.states import apply
from release_tool.model.versions import minor_of, newest_first
from release_tool.rules.retention import Facts, count_text, duration_text, fallback_target, sweep

FIVE = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5", default="v5")


def swept(one: State, *, former: list[str] | None = None, ages: dict[str, timedelta] | None = None, now: datetime = NOW,
          order: str = "semver", base: State | None = None, in_use: dict[str, str] | None = None,
          **policy: Any) -> tuple[list[str], list[str]]:  # fmt: skip
    """What the sweep changes and keeps, each with its reason; `ages`: how long the base has held versions as they are."""
    base = one if base is None else base
    landed = {(section_of(base, Name(name)), Name(name)): now - age for name, age in (ages or {}).items()}
    used = {Name(name): words for name, words in (in_use or {}).items()}
    known = Facts(now, base, landed, [Name(name) for name in former or []], used)
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


def test_the_newest_of_each_month_stay_where_versions_are_dates() -> None:
    one = state("2026.10.1", "2026.10.2", "26.11.1", "2026.11.2", "2026.12.1", default="v5")
    assert swept(one, order="calver", keep=1, keep_per_minor=1, former=["v5"]) == (
        ["retire v1: keep 1, keep_per_minor 1: five live", "retire v3: keep 1, keep_per_minor 1: five live"],
        ["v2: newest 1 of 2026.10", "v4: fallback target", "v5: default"],
    )


def test_an_order_without_minor_versions_keeps_none_of_each() -> None:
    assert swept(FIVE, order="arrival", keep=1, keep_per_minor=1)[0] == [
        f"retire {name}: keep 1: five live" for name in ("v1", "v2", "v3")
    ]


def test_a_version_in_use_stays_with_the_words_that_say_by_whom() -> None:
    used = {"v1": "in use by web", "v2": "use unknown: no answer", "v3": "use unknown: no answer"}
    ages = dict.fromkeys(FIVE.versions, 99 * DAY)
    changes, kept = swept(FIVE, keep=1, max_age=90 * DAY, ages=ages, in_use=used)  # type: ignore[arg-type]
    assert changes == []
    assert kept == [*(f"{name}: {words}" for name, words in used.items()), "v4: fallback target", "v5: default"]


def test_a_pin_the_default_and_the_fallback_target_say_more_than_use_and_an_age_says_less() -> None:
    one = FIVE._replace(pinned={Name("v1"): Pin("clients")})
    used = dict.fromkeys(["v1", "v3", "v4", "v5"], "in use by web")
    assert swept(one, in_use=used, min_age=DAY)[1] == [
        "v1: pinned: clients",
        "v2: younger than min_age 1d",
        "v3: in use by web",
        "v4: fallback target",
        "v5: default",
    ]


def test_use_keeps_no_version_that_is_not_live() -> None:
    one = state("1.0.1", "1.0.2", default="v1", quarantined={"v2": "slow"}, retired={"v9": "1.0.0"})
    used = {"v2": "in use by web", "v9": "in use by web", "v8": "in use by web"}
    assert swept(one, ages={"v2": 15 * DAY, "v9": 15 * DAY}, in_use=used) == (
        ["retire v2: quarantined for 14d", "remove v9: drained for 1h"],
        ["v1: default"],
    )


def test_the_last_live_version_stays_however_odd_the_file_is() -> None:
    bad_default = state("1.0.1", "1.0.2", "1.0.3", quarantined={"v1": "slow"})  # v1 is the implied default
    ages = dict.fromkeys(bad_default.versions, 99 * DAY)
    assert swept(bad_default, ages=ages, keep=1, max_age=DAY, former=["v1"]) == (  # type: ignore[arg-type]
        ["retire v2: older than max_age 1d"],
        ["v3: last live version"],
    )


# -- quarantine -------------------------------------------------------------------------------------------------------
def test_quarantined_versions_are_not_counted() -> None:
    one = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", default="v2", quarantined={"v3": "slow", "v4": "slow"})
    assert swept(one, keep=2) == ([], ["v1: fallback target", "v2: default"])


def test_a_default_that_people_quarantined_is_not_retired_for_that() -> None:
    one = state("1.0.1", "1.0.2", default="v1", quarantined={"v1": "slow"})
    assert swept(one, ages={"v1": 99 * DAY})[0] == []


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


def test_what_is_not_known_to_be_retired_in_the_cluster_stays_however_long_it_drained() -> None:
    landed = {("retired", Name(name)): NOW - 99 * DAY for name in ("v8", "v9")}
    known = Facts(NOW, DRAINING, landed, unapplied={Name("v8"): "its retirement is not applied yet"})
    found = sweep(DRAINING, Retention(keep=2), "semver", known)
    assert [(one.action, one.version) for one in found.changes] == [("remove", "v9")]
    assert [(one.version, one.reason) for one in found.waiting] == [("v8", "its retirement is not applied yet")]


def test_what_drained_in_the_base_goes_at_once_when_it_is_brought_back_and_retired_again() -> None:
    """The example that the law of the second sweep failed with."""
    base = state("latest", default="v1", retired={"v2": "1.0.0", "v3": "1.0.0-rc.1"})
    brought_back = state("latest", "1.0.0", "1.0.0-rc.1", default="v1")
    known = {"keep": 1, "drain": timedelta(0), "ages": {"v3": timedelta(0)}}
    changes = ["retire v3: keep 1: three live", "remove v3: drained for 0s"]
    assert swept(brought_back, base=base, **known)[0] == changes
    after = apply(brought_back, [change("retire", "v3"), change("remove", "v3")])
    assert swept(after, base=base, **known)[0] == []
    # What has not drained there drains on, by the age that it has there.
    assert swept(brought_back, base=base, keep=1, ages={"v3": timedelta(minutes=59)})[0] == changes[:1]


def test_an_entry_that_is_not_retired_in_the_base_is_never_removed() -> None:
    ages = {"v8": 99 * DAY, "v9": 99 * DAY}
    nowhere = state("1.0.3", default="v1")
    still_live = state("1.0.3", default="v1", named={"v8": "1.0.1", "v9": "1.0.2"})
    other_tag = state("1.0.3", default="v1", retired={"v8": "1.0.8", "v9": "1.0.9"})
    for base in (nowhere, still_live, other_tag):
        assert swept(DRAINING, base=base, ages=ages, drain=timedelta(0))[0] == []


def test_an_entry_whose_landing_is_unknown_is_not_removed() -> None:
    assert swept(DRAINING, ages={}, drain=timedelta(0))[0] == []


# -- what waits -------------------------------------------------------------------------------------------------------
def test_quarantined_and_retired_versions_say_what_they_wait_for() -> None:
    bad = {"v2": "slow", "v3": "", "v4": "slow"}
    pins = {"v3": "forensics", "v4": Pin("forensics", TODAY)}
    one = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", default="v1", quarantined=bad, pinned=pins, retired={"v9": "1.0.0"})
    result = sweep(one, Retention(drain=2 * DAY), "semver", Facts(NOW, one))
    assert [f"{waits.version} {waits.tag}: {waits.reason}" for waits in result.waiting] == [
        "v2 1.0.2: quarantined: slow",
        "v3 1.0.3: quarantined and pinned",
        f"v4 1.0.4: quarantined and pinned until {TODAY}: slow",
        "v9 1.0.0: retired for 2d, then removed",
    ]


def test_what_the_sweep_changes_does_not_wait() -> None:
    one = state("1.0.1", "1.0.2", default="v1", quarantined={"v2": "slow"}, retired={"v8": "1.0.0", "v9": "1.0.9"})
    landed = {(section_of(one, Name(name)), Name(name)): NOW - 99 * DAY for name in ("v2", "v8")}
    result = sweep(one, Retention(), "semver", Facts(NOW, one, landed))
    assert [changed.version for changed in result.changes] == ["v2", "v8"]
    assert [waits.version for waits in result.waiting] == ["v9"]


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
def moved(draw: Any, one: State) -> State:
    """The same versions, some of them retired or brought back: what an open pull request or a person made of a state."""
    going = [name for name in one.live if name != one.default]
    for name in draw(st.sets(st.sampled_from(sorted(one.retired)))) if one.retired else ():
        one = apply(one, [change("restore", name, one.retired[name])])
    for name in draw(st.sets(st.sampled_from(sorted(going)))) if going else ():
        one = apply(one, [change("retire", name)])
    return one


@st.composite
def cases(draw: Any) -> Case:
    """A state to be swept; most often that of the base, else one that an operation made of it, or any other."""
    one = draw(states(least=1))
    base = draw(st.one_of(st.just(one), st.just(one), moved(one), states(least=1)))
    known = draw(facts(base))
    used = draw(st.sets(st.sampled_from(sorted((*one.versions, *one.retired, Name("v99")))), max_size=2))
    return one, draw(POLICIES), draw(ORDERS), known._replace(in_use=dict.fromkeys(sorted(used), "in use by web"))


@st.composite
def odd_cases(draw: Any) -> Case:
    """A state that breaks rules: a default that is quarantined or not there, and every live version old."""
    one = draw(states(least=1))
    bad = {name: mark for name, mark in draw(states(least=1)).quarantined.items() if name in one.versions}
    default = draw(st.none() | st.sampled_from(sorted((*one.versions, Name("v99")))))
    one = one._replace(written_default=default, quarantined={**one.quarantined, **bad})
    policy = draw(POLICIES)._replace(max_age=draw(st.sampled_from([timedelta(0), DAY])))
    landed = {(section_of(one, name), name): NOW - 99 * DAY for name in (*one.versions, *one.retired)}
    return one, policy, draw(ORDERS), draw(facts(one))._replace(landed=landed)


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
    assert removed <= {*known.base.retired}
    assert removed <= {*one.retired, *(change.version for change in result.changes if change.action == "retire")}
    assert after.default == one.default
    assert after.default in after.live


@law(cases())
def test_the_protected_are_never_retired(case: Case) -> None:
    one, policy, order, known = case
    retired = {change.version for change in sweep(one, policy, order, known).changes if change.action == "retire"}
    pinned = {name for name, pin in one.pinned.items() if pin.until is None or pin.until >= known.now.date()}
    young = {name for name in one.live if known.age("versions", name) < policy.min_age}
    unlanded_quarantine = {name for name in one.quarantined if ("quarantined", name) not in known.landed}
    used = {name for name in known.in_use if name in one.live}
    target = fallback_target(one, known.former, order)
    assert not retired & {one.default, target, *pinned, *young, *used, *unlanded_quarantine}


@law(cases())
def test_the_counts_hold(case: Case) -> None:
    one, policy, order, known = case
    changes = sweep(one, policy, order, known).changes
    retired = {change.version: change.reason for change in changes if change.action == "retire"}
    ranked = newest_first(order, one.live.items())
    for place, (name, tag) in enumerate(ranked):
        minor = minor_of(tag, order)
        same = [other for other, other_tag in ranked[:place] if minor_of(other_tag, order) == minor is not None]
        counted = place < policy.keep or (
            policy.keep_per_minor is not None and minor is not None and len(same) < policy.keep_per_minor
        )
        old = policy.max_age is not None and known.age("versions", name) > policy.max_age
        if name in retired:
            assert old or not counted
            assert retired[name].startswith("older than max_age") == old
        elif not counted or old:
            reasons = {kept.version: kept.reason for kept in sweep(one, policy, order, known).kept}
            assert re.match("default|pinned|fallback target|in use by|younger than", reasons[name])


@law(cases())
def test_a_second_sweep_changes_nothing(case: Case) -> None:
    one, policy, order, known = case
    after = apply(one, sweep(one, policy, order, known).changes)
    assert sweep(after, policy, order, known).changes == ()


@law(cases())
def test_each_version_is_kept_waits_or_is_changed_with_a_reason(case: Case) -> None:
    one, policy, order, known = case
    result = sweep(one, policy, order, known)
    kept, waiting = ([entry.version for entry in entries] for entries in (result.kept, result.waiting))
    going = {change.version for change in result.changes if change.action in {"retire", "remove"}}
    assert sorted([*kept, *waiting, *going]) == sorted([*one.versions, *one.retired])
    assert all(entry.reason for entry in result.waiting)


@law(odd_cases())
def test_the_last_live_version_is_never_retired(case: Case) -> None:
    one, policy, order, known = case
    result = sweep(one, policy, order, known)
    after = apply(one, result.changes)
    assert bool(after.live) == bool(one.live)
    assert after.default == one.default
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
