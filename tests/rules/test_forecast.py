"""What later sweeps will do, and when."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st
from model_builders import DAY, HOUR, NOW, ORDERS, POLICIES, TODAY, facts, law, section_of, state, states, told

from release_tool.config import Retention
from release_tool.model.records import Change, Name, Pin, State, Tag
from release_tool.model.states import apply
from release_tool.rules.forecast import AHEAD, coming, ending
from release_tool.rules.retention import Facts, sweep

FIVE = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5", default="v5")
MIDNIGHT = datetime(2026, 11, 24, tzinfo=timezone.utc)


def forecast(one: State, ages: dict[str, timedelta], *, former: list[str] | None = None, base: State | None = None,
             in_use: dict[str, str] | None = None, **policy: Any) -> list[str]:  # fmt: skip
    """What comes, and how long from now; `ages`: how long the base has held its versions as they are."""
    base = one if base is None else base
    landed = {(section_of(base, Name(name)), Name(name)): NOW - age for name, age in ages.items()}
    used = {Name(name): words for name, words in (in_use or {}).items()}
    known = Facts(NOW, base, landed, [Name(name) for name in former or []], used)
    found = coming(one, Retention(**{"keep": 2, **policy}), "semver", known)
    return [f"{one.at - NOW}: {one.change.action} {one.change.version}: {one.change.reason}" for one in found]


# -- what comes -------------------------------------------------------------------------------------------------------
def test_nothing_comes_where_nothing_ages() -> None:
    assert forecast(state("1.0.1", "1.0.2", default="v2"), {"v1": DAY, "v2": DAY}) == []
    assert forecast(State(), {}) == []


def test_a_retired_version_is_removed_when_its_drain_is_over() -> None:
    one = state("1.0.2", default="v1", retired={"v8": "1.0.0", "v9": "1.0.1"})
    assert forecast(one, {"v8": 5 * HOUR, "v9": HOUR}, drain=DAY) == [
        "19:00:00: remove v8: drained for 1d",
        "23:00:00: remove v9: drained for 1d",
    ]


def test_the_day_after_its_last_a_pin_is_lifted_then_the_version_drains_and_goes() -> None:
    one = FIVE._replace(pinned={Name("v1"): Pin("clients", TODAY), Name("v2"): Pin("clients")})
    assert forecast(one, {}, keep=3, former=["v5"]) == [
        f"12:00:00: unpin v1: pinned until {TODAY}",
        "12:00:00: retire v1: keep 3: five live",
        "13:00:00: remove v1: drained for 1h",
    ]


def test_a_version_that_is_old_enough_gives_way_to_the_counts() -> None:
    ages = {"v1": 36 * HOUR, "v2": 40 * HOUR, "v3": HOUR, "v4": HOUR, "v5": HOUR}
    assert forecast(FIVE, ages, min_age=2 * DAY, keep=3, former=["v5"]) == [
        "8:00:00: retire v2: keep 3: five live",
        "9:00:00: remove v2: drained for 1h",
        "12:00:00: retire v1: keep 3: four live",
        "13:00:00: remove v1: drained for 1h",
    ]


def test_a_version_goes_the_moment_after_it_has_reached_max_age() -> None:
    ages = {"v3": 29 * DAY, "v4": 29 * DAY, "v5": 29 * DAY}
    assert forecast(FIVE, ages, max_age=30 * DAY, keep=9, former=["v4", "v5"])[:2] == [
        "1 day, 0:00:00.000001: retire v3: older than max_age 30d",
        "1 day, 1:00:00.000001: remove v3: drained for 1h",
    ]


def test_a_quarantine_that_is_over_retires_its_version() -> None:
    one = state(
        "1.0.1", "1.0.2", "1.0.3", default="v1", quarantined={"v2": "slow", "v3": "slow"}, pinned={"v3": "forensics"}
    )
    assert forecast(one, {"v1": DAY, "v2": 13 * DAY, "v3": 13 * DAY}, drain=2 * DAY) == [
        "1 day, 0:00:00: retire v2: quarantined for 14d",
        "3 days, 0:00:00: remove v2: drained for 2d",
    ]


def test_what_is_due_already_comes_now() -> None:
    assert forecast(FIVE, {}, keep=4, former=["v5"]) == [
        "0:00:00: retire v1: keep 4: five live",
        "1:00:00: remove v1: drained for 1h",
    ]


def test_what_drains_no_time_goes_with_the_next_sweep() -> None:
    one = FIVE._replace(pinned={Name("v1"): Pin("", TODAY)})
    assert forecast(one, {}, keep=4, former=["v5"], drain=timedelta(0)) == [
        f"12:00:00: unpin v1: pinned until {TODAY}",
        "12:00:00: retire v1: keep 4: five live",
        "12:00:00: remove v1: drained for 0s",
    ]


def test_what_has_not_landed_is_taken_to_land_now() -> None:
    base = FIVE._replace(written_default=Name("v4"))
    one = apply(base, [Change("retire", Name("v1"), base.versions[Name("v1")], "")])
    assert forecast(one, {"v1": 99 * DAY}, base=base, keep=9) == ["1:00:00: remove v1: drained for 1h"]
    retired = base._replace(retired={Name("v9"): Tag("1.0.7")})
    other_tag = base._replace(retired={Name("v9"): Tag("1.0.8")})
    assert forecast(other_tag, {"v9": 99 * DAY}, base=retired, keep=9) == ["1:00:00: remove v9: drained for 1h"]


def test_a_version_in_use_is_taken_to_stay_in_use() -> None:
    ages = dict.fromkeys(FIVE.versions, DAY)
    assert forecast(FIVE, ages, keep=1, former=["v5"], min_age=2 * DAY, in_use={"v1": "in use by web"}) == [  # type: ignore[arg-type]
        "1 day, 0:00:00: retire v2: keep 1: five live",
        "1 day, 0:00:00: retire v3: keep 1: five live",
        "1 day, 1:00:00: remove v2: drained for 1h",
        "1 day, 1:00:00: remove v3: drained for 1h",
    ]


def test_an_entry_without_a_landing_never_ages() -> None:
    one = state("1.0.2", default="v1", retired={"v9": "1.0.1"}, quarantined={})
    assert forecast(one, {}) == []


def test_a_forecast_ends_after_a_year_and_before_the_end_of_the_calendar() -> None:
    soon, late, never = (TODAY + AHEAD - DAY, TODAY + AHEAD, date.max)
    one = FIVE._replace(pinned={Name(f"v{n}"): Pin("", day) for n, day in enumerate((soon, late, never), start=1)})
    huge = timedelta(days=999_999_999)
    found = forecast(one, dict.fromkeys(FIVE.versions, DAY), keep=9, max_age=huge, min_age=huge)  # type: ignore[arg-type]
    assert found == [f"364 days, 12:00:00: unpin v1: pinned until {soon}"]


def test_a_forecast_of_many_versions_ends_with_its_thousand_moments() -> None:
    retired = {f"v{n}": f"1.0.{n}" for n in range(10, 1500)}
    ages = {name: timedelta(seconds=int(name[1:])) for name in retired}
    found = forecast(state("2.0.0", default="v1", retired=retired), ages)
    assert len(found) == 999  # the first of the moments is the present, at which nothing was due
    assert found[0] == "0:35:01: remove v1499: drained for 1h"


# -- pins that end ----------------------------------------------------------------------------------------------------
def test_the_pins_that_end_within_a_week_come_first_to_last() -> None:
    days = {"v1": TODAY + 8 * DAY, "v2": TODAY + 7 * DAY, "v3": TODAY, "v4": None, "v5": TODAY - DAY}
    pins = {Name(name): Pin("clients", day) for name, day in days.items()}
    assert ending(FIVE._replace(pinned=pins), NOW, 7 * DAY) == (("v3", pins[Name("v3")]), ("v2", pins[Name("v2")]))
    assert ending(FIVE, NOW, 7 * DAY) == ()


def test_two_pins_of_one_last_day_stand_in_the_order_of_the_file() -> None:
    pins = {Name(name): Pin(reason, TODAY) for name, reason in (("v2", "z"), ("v1", "a"))}
    assert [name for name, _ in ending(FIVE._replace(pinned=pins), NOW, DAY)] == ["v2", "v1"]


# -- laws -------------------------------------------------------------------------------------------------------------

Case = tuple[State, Retention, str, Facts]


@st.composite
def cases(draw: Any) -> Case:
    """A state that has landed, as the last sweep left it."""
    one = draw(states(least=1))
    policy, order, known = draw(POLICIES), draw(ORDERS), draw(facts(one))
    while changes := sweep(one, policy, order, known).changes:
        one = apply(one, changes)
        known = settled(one, known)
    return one, policy, order, known


def settled(one: State, known: Facts) -> Facts:
    """The facts when a state lands at their present moment."""
    landed = {}
    for name, tag in (*one.versions.items(), *one.retired.items()):
        entry = (section_of(one, name), name)
        held = {**known.base.versions, **known.base.retired}
        if held.get(name) != tag or section_of(known.base, name) != entry[0]:
            landed[entry] = known.now
        elif entry in known.landed:
            landed[entry] = known.landed[entry]
    return known._replace(base=one, landed=landed)


@law(cases())
def test_just_before_the_first_moment_nothing_happens_and_at_it_what_was_said(case: Case) -> None:
    one, policy, order, known = case
    found = coming(one, policy, order, known)
    if not found:
        assert sweep(one, policy, order, known._replace(now=known.now + AHEAD)).changes == ()
        return
    first = found[0].at
    assert first > known.now
    before = known._replace(now=first - datetime.resolution)
    assert sweep(one, policy, order, before).changes == ()
    there = known._replace(now=first)
    changes = sweep(one, policy, order, there).changes
    assert [said.change for said in found[: len(changes)]] == list(changes)
    assert all(said.at == first for said in found[: len(changes)])
    after = apply(one, changes)
    later = coming(after, policy, order, settled(after, there))
    assert tuple(soon for soon in later if soon.at <= known.now + AHEAD) == found[len(changes) :]


@law(cases(), examples=12)
def test_who_sweeps_at_every_hour_sees_what_was_said(case: Case) -> None:
    one, policy, order, known = case
    end = known.now + 45 * DAY
    said = [(soon.at, soon.change) for soon in coming(one, policy, order, known) if soon.at < end]
    seen = []
    while known.now < end:
        for moment in (known.now, known.now + datetime.resolution):  # all that is generated ages on the hour
            known = known._replace(now=moment)
            while changes := sweep(one, policy, order, known).changes:
                seen += [(moment, change) for change in changes]
                one = apply(one, changes)
                known = settled(one, known)
        known = known._replace(now=moment - datetime.resolution + HOUR)
    assert seen == said


@law(states(least=1).flatmap(lambda one: st.tuples(st.just(one), POLICIES, ORDERS, facts(one))))
def test_every_change_is_said_once_and_in_the_order_of_time(case: Case) -> None:
    one, policy, order, known = case
    found = coming(one, policy, order, known)
    assert [soon.at for soon in found] == sorted(soon.at for soon in found)
    changes = told(soon.change for soon in found)
    assert len(changes) == len(set(changes))
    after = apply(one, (soon.change for soon in found))
    assert after.default == one.default
    assert all(known.now <= soon.at <= known.now + AHEAD for soon in found)
