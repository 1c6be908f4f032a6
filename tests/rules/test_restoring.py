"""A removed version comes back in two steps: deployed without a route, then routed once its pods had time to start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import strategies as st
from model_builders import (
    DAY,
    HOUR,
    NOW,
    ORDERS,
    POLICIES,
    change,
    facts,
    ground,
    intent,
    law,
    line,
    states,
    told,
    versions,
)
from model_builders import state as state_of

from release_tool.errors import Refused
from release_tool.model import archive, history
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN, Change, Line, Name, Pin, State
from release_tool.rules.forecast import coming
from release_tool.rules.plan import Ground, Plan, plan
from release_tool.rules.retention import sweep

MINUTE = timedelta(minutes=1)
WEEK = date(2026, 11, 30)
V3 = Name("v3")
CAME = line("0", *(change("add", f"v{number}", f"1.0.{number}") for number in (1, 2, 3)), at=NOW - 9 * DAY)
GONE = line("1", change("retire", "v3", "1.0.3"), change("remove", "v3", "1.0.3"), at=NOW - 2 * DAY)
BACK = line("2", change("deploy", "v3", "1.0.3", "clients", until=WEEK), at=NOW - 3 * MINUTE, operation="restore")


def asked(operation: str, tag: str = "1.0.3", line_id: str = "", **arguments: Any) -> Line:
    return line(line_id or operation, tag=tag, operation=operation, arguments=arguments)


def base(*lines: Line, since: datetime = NOW - 3 * MINUTE, ready: str = "", **more: Any) -> Ground:
    """The base as these lines made it; `since`: when v3 landed where it is."""
    landed = [CAME, GONE, *lines]
    one = history.replay(landed)._replace(written_default=more.pop("default", Name("v2")))
    made = ground(one, lines=landed, landed={("retired", V3): since}, **more)
    told_ready = made.facts._replace(ready={V3: ready} if ready else {})
    return made._replace(facts=told_ready)


REMOVED, RETURNED = base(), base(BACK)
RESTORE = asked("restore", until="2026-11-30", reason="clients")
AGAIN = asked("restore", "1.0.3", "again", until="2026-12-02", deployed=True)
CLEANUP = line("cleanup", operation="cleanup")


def stacked(on: Ground, *lines: Line) -> Plan:
    """What one open pull request brings after these operations; planned again it is the same."""
    made = plan(on, (), None)
    for one in lines:
        made = plan(on, made.lines, one)
        again = plan(on, made.lines, None)
        assert (again.lines, again.edits, again.after) == (made.lines, made.edits, made.after)
    return made


# -- the first step ---------------------------------------------------------------------------------------------------
def test_a_removed_version_is_deployed_and_not_routed() -> None:
    made = stacked(REMOVED, RESTORE)
    assert told(made.own) == ["deploy v3 1.0.3"]
    assert (made.after.retired, made.after.pinned, "v3" in made.after.live) == (versions(v3="1.0.3"), {}, False)
    assert made.own[0].until == WEEK
    (note,) = plan(REMOVED, (), RESTORE).notes
    assert note == (
        "v3 (1.0.3) is deployed, and not routed yet: once it has landed, the first `release cleanup devel` after 5m "
        "routes it, or `release restore devel v3` at once"
    )


def test_an_undone_removal_comes_back_in_the_same_way() -> None:
    cleaned = line("clean", change("remove", "v3", "1.0.3", sweep=True), operation="cleanup")
    on = base(cleaned)
    undo = Line(intent("undo", "undo", {"operation": "clean", "until": "2026-11-30"}), NOW)
    assert told(plan(on, (), undo).own) == ["deploy v3 1.0.3"]


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (base(warm_up=timedelta(0)), ["restore v3 1.0.3", "pin v3 1.0.3"]),
        (REMOVED._replace(one_step=True), ["restore v3 1.0.3", "pin v3 1.0.3"]),
        # Nobody is answered as it is.
        (ground(State(), lines=[CAME, line("by hand", adopted=(change("remove", "v3", "1.0.3"),))]),
         ["restore v3 1.0.3", "pin v3 1.0.3"]),
        # Quarantined, it gets no route anyhow.
        (base(line("bad", change("quarantine", "v3", "1.0.3", "slow"))),
         ["restore v3 1.0.3", "pin v3 1.0.3", "quarantine v3 1.0.3"]),
        # Its pods run.
        (ground(state_of("1.0.1", retired={"v3": "1.0.3"})), ["restore v3 1.0.3", "pin v3 1.0.3"]),
    ],
    ids=["no warm-up", "a chart without retired versions", "an empty environment", "quarantined", "retired"],
)  # fmt: skip
def test_one_step_is_enough_where_a_second_one_gives_nothing(on: Ground, expected: list[str]) -> None:
    assert told(plan(on, (), RESTORE).own) == expected


def test_who_can_only_have_one_step_is_told() -> None:
    (note,) = plan(REMOVED._replace(one_step=True), (), RESTORE).notes
    assert note.startswith("the chart deploys no retired versions, so one step brings it back")


# -- the second step --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("since", "ready", "routed"),
    [
        (5 * MINUTE, "", "deployed for 5m"),
        (5 * MINUTE - timedelta(seconds=1), "", ""),
        (5 * MINUTE, UNKNOWN, "deployed for 5m"),
        (MINUTE, HEALTHY, "its pods are ready"),
        (9 * HOUR, UNHEALTHY, ""),
    ],
)
def test_the_sweep_routes_it_once_it_is_warm(since: timedelta, ready: str, routed: str) -> None:
    on = base(BACK, since=NOW - since, ready=ready, drain=timedelta(0))
    made = plan(on, (), CLEANUP)
    assert told(made.own) == (["restore v3 1.0.3", "pin v3 1.0.3"] if routed else [])
    if routed:
        assert (made.own[0].reason, made.after.pinned[V3]) == (routed, Pin("clients", WEEK))
        assert all(one.sweep for one in made.own)
    else:
        assert made.after.retired == versions(v3="1.0.3"), "drain removes nothing that comes"
        (waits,) = made.waiting
        assert waits.reason.startswith("not routed yet: ")


def test_the_default_stays_when_a_lower_name_is_routed() -> None:
    on = base(BACK, since=NOW - HOUR)
    on = on._replace(state=state_of(named={"v5": "1.0.5"}, retired={"v3": "1.0.3"}))
    on = on._replace(facts=on.facts._replace(base=on.state))
    made = plan(on, (), CLEANUP)
    assert (made.after.default, made.after.written_default) == ("v5", "v5")
    assert told(made.own) == ["restore v3 1.0.3", "pin v3 1.0.3", "set-default v5 1.0.5"]


def test_what_waits_for_its_route_takes_no_place_of_keep_and_has_no_age() -> None:
    on = base(BACK, keep=2, max_age=DAY, drain=timedelta(0))
    assert plan(on, (), CLEANUP).own == ()


def test_a_version_that_nobody_routed_before_its_pin_ended_goes() -> None:
    ended = BACK._replace(changes=(BACK.changes[0]._replace(until=date(2026, 11, 22)),))
    on = base(ended, since=NOW - 3 * DAY)
    assert told(plan(on, (), CLEANUP).own) == ["remove v3 1.0.3"]
    assert told(plan(base(ended, since=NOW - MINUTE), (), CLEANUP).own) == []


def test_a_restore_whose_pin_ended_while_it_waited_has_no_effect() -> None:
    late = asked("restore", until="2026-11-22")
    (held,) = plan(REMOVED, [late], None).lines
    assert (held.changes, held.no_effect) == ((), "1.0.3 would be retired at once by the retention policy")


def test_the_forecast_says_when_it_is_routed() -> None:
    one = RETURNED.facts._replace(restoring=history.restoring_now(RETURNED.lines, RETURNED.state))
    found = coming(RETURNED.state, RETURNED.environment.retention, "semver", one)
    assert [(moment, f"{act.action} {act.version}") for moment, act in found][:2] == [
        (NOW + 2 * MINUTE, "restore v3"),
        (NOW + 2 * MINUTE, "pin v3"),
    ]


# -- what comes in between --------------------------------------------------------------------------------------------
def test_restore_again_routes_what_has_landed() -> None:
    made = stacked(RETURNED, AGAIN)
    assert told(made.own) == ["restore v3 1.0.3", "pin v3 1.0.3"]
    assert made.after.pinned[V3].until == date(2026, 12, 2)


def test_restore_again_routes_nothing_that_only_waits() -> None:
    made = stacked(REMOVED, RESTORE, RESTORE._replace(intent=RESTORE.intent._replace(id="again")))
    assert (len(made.lines), made.after.live.keys(), made.own_line) == (1, REMOVED.state.live.keys(), False)
    longer = stacked(REMOVED, RESTORE, AGAIN)
    assert (told(longer.own), longer.own[0].until) == (["deploy v3 1.0.3"], date(2026, 12, 2))
    assert longer.own[0].reason == "clients", "the first one said why"


def test_a_restore_that_lost_the_race_to_another_one_routes_nothing() -> None:
    """It was asked for while nothing was deployed."""
    made = plan(RETURNED, (), RESTORE)
    assert (made.own, made.after) == ((), RETURNED.state)


def test_the_same_run_again_is_the_same_restore_although_it_has_landed() -> None:
    run = "https://ci.example.com/7"
    first, second = (one.intent._replace(run=run) for one in (RESTORE, AGAIN))
    second = second._replace(written={**first.written, "deployed": True})
    assert history.same_operation([RESTORE._replace(intent=first)], second) is not None


@pytest.mark.parametrize("on", [RETURNED, REMOVED], ids=["landed", "pending"])
def test_retire_takes_a_restore_back(on: Ground) -> None:
    before = [] if on is RETURNED else [RESTORE]
    made = stacked(on, *before, asked("retire"))
    assert (told(made.own), made.after) == (["remove v3 1.0.3"], REMOVED.state)
    assert plan(on, before, asked("retire")).notes == ("v3 was not routed yet: it goes at once",)


def test_undo_takes_a_restore_back() -> None:
    undo = Line(intent("undo", "undo", {"operation": "2"}), NOW)
    assert told(plan(RETURNED, (), undo).own) == ["remove v3 1.0.3"]
    swept = line("3", change("restore", "v3", "1.0.3"), change("pin", "v3", "1.0.3", "clients", until=WEEK))
    assert told(plan(base(BACK, swept), (), undo).own) == ["unpin v3 1.0.3", "retire v3 1.0.3"]


def test_a_retired_restore_that_is_asked_for_again_begins_anew() -> None:
    made = stacked(RETURNED, asked("retire"), RESTORE)
    assert told(made.own) == ["deploy v3 1.0.3"]


@pytest.mark.parametrize("order", list(permutations(["restore", "quarantine", "clear"])))
@pytest.mark.parametrize("on", [RETURNED, REMOVED], ids=["landed", "removed"])
def test_no_order_of_restore_quarantine_and_clear_routes_it_before_it_is_warm(on: Ground, order: Sequence[str]) -> None:
    made = stacked(on, *(asked(operation, reason="slow") for operation in order))
    assert "v3" not in made.after.live
    bad = order.index("quarantine") > order.index("clear")
    assert ("v3" in made.after.quarantined) is bad


def test_restore_and_quarantine_come_to_the_same_in_either_order() -> None:
    both = [RESTORE, asked("quarantine", reason="slow")]
    one, other = (stacked(REMOVED, *those).after for those in (both, both[::-1]))
    assert one == other
    assert (one.quarantined.keys(), one.pinned[V3]) == ({"v3"}, Pin("clients", WEEK))


def test_a_promotion_routes_what_was_only_deployed_and_says_so() -> None:
    promoted = asked("promote", **{"from": "devel", "of": "version", "version": "v3"})
    made = plan(RETURNED, (), promoted)
    assert told(made.own) == ["restore v3 1.0.3"]
    assert made.notes == ("v3 was deployed and not routed yet: this promotion routes it",)


@pytest.mark.parametrize("operation", ["default", "pin"])
def test_what_asks_for_a_route_is_told_when_there_is_one(operation: str) -> None:
    with pytest.raises(Refused) as refused:
        plan(RETURNED, (), asked(operation, reason="why"))
    assert refused.value.what == "v3 (1.0.3) came back to devel, and has no route yet"
    assert "`release restore devel v3`" in refused.value.hint
    (note,) = plan(RETURNED, (), line("bump", tag="1.0.3")).notes
    assert note.startswith("1.0.3 is deployed as v3, and not routed yet: ")


# -- the base moves meanwhile -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (RETURNED, []),  # somebody else's restore landed first
        (base(line("live", change("restore", "v3", "1.0.3"))), []),
        (base(BACK, line("gone", change("remove", "v3", "1.0.3"))), ["deploy v3 1.0.3"]),
    ],
    ids=["deployed", "live", "removed again"],
)
def test_a_pending_restore_meets_the_version_as_the_base_has_it(on: Ground, expected: list[str]) -> None:
    assert told(plan(on, [RESTORE], None).edits) == expected


def test_a_pending_routing_goes_when_the_restore_is_taken_back() -> None:
    on = base(BACK, since=NOW - HOUR)
    made = stacked(on, CLEANUP, asked("retire"))
    assert told(made.edits) == ["remove v3 1.0.3"]


def test_what_people_do_by_hand_wins() -> None:
    assert history.restoring_now(RETURNED.lines, RETURNED.state).keys() == {"v3"}
    routed = state_of("1.0.1", "1.0.2", "1.0.3", default="v2")
    assert not history.restoring_now(RETURNED.lines, routed)
    assert not history.restoring_now(RETURNED.lines, REMOVED.state)


# -- the record -------------------------------------------------------------------------------------------------------
def test_a_version_that_never_was_here_is_not_restored() -> None:
    marked = base(line("bad", change("quarantine", "v9", "2.0.0", "slow"), tag="2.0.0"))
    on = marked._replace(names=marked.names._replace(landed={**marked.names.landed, "2.0.0": Name("v9")}))
    with pytest.raises(Refused, match=r"2\.0\.0 never was in devel"):
        plan(on, (), asked("restore", "2.0.0"))
    held = on._replace(archived=[line("old", change("add", "v9", "2.0.0"), tag="2.0.0")])
    assert plan(held, (), asked("restore", "2.0.0")).after.versions["v9"] == "2.0.0"  # type: ignore[index]


def test_no_archive_takes_the_line_that_deployed_what_waits() -> None:
    old = [one._replace(at=NOW - 800 * DAY) for one in RETURNED.lines]
    stays = archive.movable(old, RETURNED.state, NOW)
    assert history.restoring(history.changes_of(one for one in old if one.id not in stays)).keys() == {"v3"}


@pytest.mark.parametrize(("ready", "routed"), [("", []), (UNKNOWN, []), (HEALTHY, ["restore", "pin"])])
def test_what_is_not_known_to_be_applied_is_not_routed_by_time(ready: str, routed: list[str]) -> None:
    known = base(BACK, since=NOW - DAY, ready=ready)
    restoring = history.restoring_now(known.lines, known.state)
    facts = known.facts._replace(unapplied={V3: "its return is not applied yet"}, restoring=restoring)
    found = sweep(known.state, known.environment.retention, known.order, facts)
    assert [one.action for one in found.changes if one.version == V3] == routed


@law(states(least=1), POLICIES, ORDERS, st.data())
def test_a_sweep_routes_only_what_the_base_deploys_and_then_it_stays(
    one: State, policy: Any, order: str, data: Any
) -> None:
    known = data.draw(facts(one))
    back = {name: Change("deploy", name, tag, "why", until=data.draw(st.none() | st.just(WEEK)))
            for name, tag in one.retired.items()}  # fmt: skip
    ready = {name: data.draw(st.sampled_from([HEALTHY, UNHEALTHY, UNKNOWN])) for name in back}
    swept = sweep(one, policy, order, known._replace(restoring=back, ready=ready))
    routed = {act.version for act in swept.changes if act.action == "restore"}
    assert routed <= {name for name in one.retired if ("retired", name) in known.landed and ready[name] != UNHEALTHY}
    assert not {act.version for act in swept.changes if act.action in {"retire", "remove"}} & one.retired.keys()
