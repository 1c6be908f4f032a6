"""Why a version is where it is: each verdict is the sweep's own, and holds until the moment that it names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from model_builders import DAY, NOW, ORDERS, POLICIES, TODAY, bump, facts, ground, law, line, section_of, state, states

from release_tool.config import Retention
from release_tool.model.records import Line, Name, Pin, State, Tag, VersionArguments, name_of
from release_tool.model.states import apply
from release_tool.rules import forecast
from release_tool.rules.explain import KEEPS, NO, OFF, TAKES, WAITS, effect, verdict
from release_tool.rules.outlook import where
from release_tool.rules.retention import Facts, sweep

FIVE = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5", default="v5")
TICK = timedelta(microseconds=1)


def said(one: State, name: str, ages: dict[str, timedelta] | None = None, **policy: Any) -> dict[str, tuple[str, str]]:
    """Rule -> verdict and reason."""
    landed = {(section_of(one, Name(key)), Name(key)): NOW - age for key, age in (ages or {}).items()}
    found = verdict(one, Retention(**{"keep": 2, **policy}), "semver", Facts(NOW, one, landed), Name(name))
    return {rule.rule: (rule.verdict, rule.reason) for rule in found.rules}


def test_every_rule_has_a_verdict_with_its_reason() -> None:
    one = FIVE._replace(pinned={Name("v3"): Pin("clients", TODAY)})
    assert said(one, "v3", dict.fromkeys(one.versions, 9 * DAY), min_age=2 * DAY, max_age=90 * DAY) == {  # type: ignore[arg-type]
        "default": (NO, "v5 is the default"),
        "pin": (KEEPS, f"pinned until {TODAY}: clients"),
        "fallback": (NO, "v4 is the fallback target"),
        "in_use": (OFF, "not set: nobody is asked who calls"),
        "min_age": (NO, "at least 2d old"),
        "keep": (NO, "place 3 of 5, and keep is 2"),
        "keep_per_minor": (OFF, "not set"),
        "max_age": (WAITS, "not older than 90d"),
    }


def test_a_retired_and_a_quarantined_version_say_what_they_wait_for() -> None:
    one = state("1.0.1", "1.0.2", default="v2", retired={"v8": "1.0.0"}, quarantined={"v1": "slow"})
    assert said(one, "v8", {"v8": DAY}, drain=2 * DAY) == {"drain": (WAITS, "removed once it has drained for 2d")}
    assert said(one, "v8", {"v8": 2 * DAY}, drain=2 * DAY) == {"drain": (TAKES, "drained for 2d")}
    found = said(one, "v1", {"v1": DAY})
    assert found["quarantine"] == (KEEPS, "quarantined: slow")
    assert found["quarantine_for"] == (WAITS, "retired once it was quarantined for 14d")
    pinned = one._replace(pinned={Name("v1"): Pin("forensics")})
    assert said(pinned, "v1", {"v1": 99 * DAY})["quarantine_for"] == (NO, "a rule above keeps it beyond 14d")


KNOWN = states().flatmap(lambda one: st.tuples(st.just(one), facts(one)))


@law(KNOWN, POLICIES, ORDERS)
def test_the_explained_verdict_is_what_the_sweep_does(
    known: tuple[State, Facts], policy: Retention, order: str
) -> None:
    one, told = known
    swept, ahead = sweep(one, policy, order, told), forecast.coming(one, policy, order, told)
    kept = {row.version: row.reason for row in (*swept.kept, *swept.waiting)}
    for name in (*one.versions, *one.retired, Name("v77")):
        found = verdict(one, policy, order, told, name)
        assert found.act == tuple(change for change in swept.changes if change.version == name)
        assert [*found.act, *(row.change for row in found.coming)] == [
            row.change for row in ahead if row.change.version == name
        ]
        leaves = any(change.action in {"retire", "remove"} for change in found.act)
        assert found.reason == ("" if leaves or name == "v77" else kept[name])
        verdicts = [rule.verdict for rule in found.rules]
        assert leaves == (TAKES in verdicts or (found.where == "live" and KEEPS not in verdicts))


@law(KNOWN, POLICIES, ORDERS)
def test_a_verdict_holds_until_the_moment_that_it_names(
    known: tuple[State, Facts], policy: Retention, order: str
) -> None:
    one, told = known
    for name in (*one.versions, *one.retired):
        for rule in verdict(one, policy, order, told, name).rules:
            if rule.until is None or rule.until < told.now:
                continue
            for moment, same in ((rule.until - TICK, True), (rule.until + TICK, False)):
                then = verdict(one, policy, order, told._replace(now=max(moment, told.now)), name)
                now = next((row.verdict for row in then.rules if row.rule == rule.rule), None)
                assert (now == rule.verdict) == same or moment < told.now, (name, rule, moment)


@law(states(), POLICIES, ORDERS)
def test_so_many_newer_versions_as_are_named_push_a_version_out(one: State, policy: Retention, order: str) -> None:
    told = Facts(NOW, one)
    policy = policy._replace(min_age=timedelta(0))
    for name in one.live:
        place = verdict(one, policy, order, told, name).place
        for more, stays in () if place is None else ((place - 1, True), (place, False)):
            newer = {name_of(100 + number): Tag(f"99.0.{number}") for number in range(more)}
            grown = one._replace(versions={**one.versions, **newer}, written_default=one.default)
            retired = [row.version for row in sweep(grown, policy, order, told).changes if row.action == "retire"]
            assert (name not in retired) == stays


@law(
    states(), POLICIES, ORDERS, st.sampled_from(["retire", "pin", "unpin", "restore", "quarantine", "clear", "default"])
)
def test_an_operation_does_what_is_said_of_it(one: State, policy: Retention, order: str, operation: Any) -> None:
    base = ground(one, order=order)
    base = base._replace(environment=base.environment._replace(retention=policy))
    for name, tag in {**one.versions, **one.retired}.items():
        arguments = {"version": name, "tag": tag, **({"reason": "why"} if operation != "clear" else {})}
        own = line("own", operation=operation, tag=tag, arguments=arguments)
        found = effect(base, (), own, name)
        if found is None:
            continue
        assert any(not change.sweep for change in found.changes)
        after = apply(one, found.changes)
        there = name in after.versions or name in after.retired
        assert found.where == (where(after, name) if there else "removed")


def test_an_operation_that_is_refused_or_changes_nothing_is_no_way_out() -> None:
    def own(operation: Any) -> Line:
        made = bump("1.0.5")
        said = VersionArguments("v5", Tag("1.0.5"))
        return made._replace(intent=made.intent._replace(operation=operation, arguments=said))

    assert effect(ground(FIVE), (), own("retire"), Name("v5")) is None, "it is the default"
    assert effect(ground(FIVE, keep=2), (), own("unpin"), Name("v5")) is None
    assert effect(ground(FIVE, keep=2), (), own("unpin"), Name("v1")) is None, "the sweep retires it anyway"
