"""Planning again: base, pending intents, this operation, then the sweep once."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import permutations

import pytest
from hypothesis import strategies as st
from model_builders import (
    DAY,
    DIGEST,
    HOUR,
    NOW,
    add_line,
    bump,
    change,
    ground,
    law,
    line,
    live_tags,
    meaning,
    names_of,
    planned,
    state,
    told,
)

from release_tool.errors import Refused, ReleaseError
from release_tool.model import history
from release_tool.model.records import Line, Name, Pin, State
from release_tool.model.states import apply
from release_tool.model.versions import tag_part
from release_tool.rules.operations import Names
from release_tool.rules.plan import Ground, Plan, held, plan

FOUR = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", default="v4")


def by_line(made: Plan) -> dict[str, list[str]]:
    """What each line of a plan changes."""
    return {one.id: told(one.changes) for one in made.lines}


# -- one operation ----------------------------------------------------------------------------------------------------
def test_a_bump_adds_moves_the_default_and_retires_what_the_policy_does_not_keep() -> None:
    made = plan(ground(FOUR, keep=4), (), bump("1.0.5"))
    assert made.own == made.edits == made.lines[0].changes
    assert [f"{one.action} {one.version}: {one.reason}" for one in made.own] == [
        "add v5: bump",
        "set-default v5: default: newest",
        "retire v1: keep 4: five live",
    ]
    assert [f"{one.version}: {one.reason}" for one in made.kept] == [
        "v2: newest 4", "v3: newest 4", "v4: fallback target", "v5: default"
    ]  # fmt: skip
    assert made.own_line
    assert made.after == state(
        named={"v2": "1.0.2", "v3": "1.0.3", "v4": "1.0.4", "v5": "1.0.5"}, default="v5", retired={"v1": "1.0.1"}
    )


def test_an_implied_default_is_the_fallback_target_of_the_first_bump_and_stays() -> None:
    made = plan(ground(state("1.0.1", "1.0.2", "1.0.3", "1.0.4"), keep=4), (), bump("1.0.5"))
    assert told(made.own) == ["add v5 1.0.5", "set-default v5 1.0.5"]
    assert made.kept[0].reason == "fallback target"


@pytest.mark.parametrize("tag", ["1.0.4", "1.0.4" + DIGEST])
def test_a_bump_without_work_writes_nothing_even_where_the_sweep_would(tag: str) -> None:
    made = plan(ground(FOUR, keep=1), (), bump(tag))
    assert (made.lines, made.edits, made.own, made.after, made.own_line) == ((), (), (), FOUR, False)
    assert made.notes == ("1.0.4 is live already, as v4",)


def test_a_bump_that_the_sweep_would_retire_at_once_writes_nothing_and_names_the_command() -> None:
    made = plan(ground(FOUR, keep=4), (), bump("1.0.0"))
    assert (made.lines, made.after) == ((), FOUR)
    assert " ".join(made.notes) == (
        "1.0.0 would be retired at once by the retention policy and is not added; "
        "`release bump devel 1.0.0 --pin` adds it pinned"
    )
    pinned = plan(ground(FOUR, keep=4), (), bump("1.0.0", pin=True, reason="demo"))
    assert told(pinned.edits) == ["add v5 1.0.0", "pin v5 1.0.0"]


def test_a_young_version_is_not_retired_at_once() -> None:
    assert told(plan(ground(FOUR, keep=4, min_age=DAY), (), bump("1.0.0")).edits) == ["add v5 1.0.0"]


def test_what_people_did_by_hand_is_adopted_by_the_next_line_and_never_proposed() -> None:
    made = plan(ground(FOUR), (), bump("1.0.5"))
    assert told(made.lines[0].adopted) == [
        "add v1 1.0.1", "add v2 1.0.2", "add v3 1.0.3", "add v4 1.0.4", "set-default v4 1.0.4"
    ]  # fmt: skip
    assert told(made.edits) == ["add v5 1.0.5", "set-default v5 1.0.5"]


def test_what_was_adopted_in_the_open_pull_request_is_adopted_once() -> None:
    old = add_line("1.0.5", "v5")._replace(adopted=(change("add", "v1", "1.0.1"),))
    made = plan(ground(FOUR), [add_line("1.0.6", "v6"), old], None)
    assert [len(one.adopted) for one in made.lines] == [5, 0]


def test_a_removed_quarantine_is_adopted_as_a_clear_and_the_tag_is_good_again() -> None:
    bad = state("1.0.1", "1.0.2", default="v1", quarantined={"v2": "slow"})
    landed = [line("0", adopted=history.by_hand([], bad))]
    gone = ground(state("1.0.1"), lines=landed)
    assert "was quarantined (slow)" in plan(gone, (), bump("1.0.2")).notes[0]
    cleared = ground(state("1.0.1", "1.0.2", default="v1"), lines=landed)
    made = plan(cleared, (), bump("1.0.3"))
    assert told(made.lines[0].adopted) == ["clear v2 1.0.2"]
    later = ground(state("1.0.1", "1.0.3", default="v1"), lines=[*landed, *made.lines], names=names_of(lines=landed))
    assert told(plan(later, (), bump("1.0.2")).edits)[0] == "add v2 1.0.2"


# -- pending intents --------------------------------------------------------------------------------------------------
def test_pending_intents_are_applied_in_line_order_then_this_operation_then_the_sweep_once() -> None:
    made = planned(ground(FOUR, keep=4), "1.0.5", "1.0.6", "1.0.7")
    assert by_line(made) == {
        "bump-1.0.5": ["add v5 1.0.5", "set-default v5 1.0.5"],
        "bump-1.0.6": ["add v6 1.0.6", "set-default v6 1.0.6"],
        "bump-1.0.7": ["add v7 1.0.7", "set-default v7 1.0.7",
                       "retire v1 1.0.1", "retire v2 1.0.2", "retire v3 1.0.3"],
    }  # fmt: skip
    assert told(made.own) == by_line(made)["bump-1.0.7"]


def test_retention_does_not_come_between_pending_intents() -> None:
    # Between the two, v1 would go and 1.0.2 be its own fallback; at the end nothing but the counts decides.
    made = planned(ground(state("1.0.1", "1.0.2", default="v1"), keep=2, default="manual"), "1.0.3", "1.0.4")
    assert live_tags(made) == {"1.0.1", "1.0.3", "1.0.4"}
    assert told(made.edits) == ["add v3 1.0.3", "add v4 1.0.4", "retire v2 1.0.2"]


def test_every_set_default_records_the_default_of_the_base() -> None:
    made = planned(ground(FOUR), "1.0.5", "1.0.6")
    moves = [one for one in made.edits if one.action == "set-default"]
    assert [(one.version, one.before) for one in moves] == [("v5", "v4"), ("v6", "v4")]
    assert history.former_defaults(made.lines, made.after.default) == ("v4", "v6")


def test_a_pending_line_without_a_change_of_its_own_goes() -> None:
    landed = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5", default="v5")
    made = plan(ground(landed), [add_line("1.0.5", "v5"), add_line("1.0.6", "v6")], None)
    assert by_line(made) == {"bump-1.0.6": ["add v6 1.0.6", "set-default v6 1.0.6"]}


def test_the_oldest_pending_line_stays_when_nothing_but_the_sweep_is_left() -> None:
    landed = state("1.0.1", "1.0.2", "1.0.3", default="v3")
    made = plan(ground(landed, keep=2), [add_line("1.0.2", "v2"), add_line("1.0.3", "v3")], None)
    assert by_line(made) == {"bump-1.0.2": ["retire v1 1.0.1"]}
    assert plan(ground(landed, keep=9), [add_line("1.0.2", "v2"), add_line("1.0.3", "v3")], None).lines == ()


def test_the_sweep_stands_in_the_last_line_alone() -> None:
    once = planned(ground(FOUR, keep=4), "1.0.5")
    again = plan(ground(FOUR, keep=4), once.lines, bump("1.0.6"))
    assert [told(one.changes)[2:] for one in again.lines] == [[], ["retire v1 1.0.1", "retire v2 1.0.2"]]


def test_this_operation_without_work_still_plans_the_pending_ones_again() -> None:
    once = planned(ground(FOUR), "1.0.5")
    again = plan(ground(FOUR), once.lines, bump("1.0.4"))
    assert again.lines == once.lines
    assert not again.own_line
    assert again.notes == ("1.0.4 is live already, as v4",)


def test_a_pending_intent_that_is_refused_is_left_out_and_never_fails_the_operation() -> None:
    evil = line("evil", tag="a b")
    odd = [
        line("odd", arguments={"tag": 5}),
        line("soon", operation="pin", arguments={"tag": "1.0.1", "until": "soon"}),
        line("then", operation="quarantine", arguments={"tag": "1.0.1", "since": 7}),
    ]
    made = plan(ground(FOUR), [evil, *odd, bump("1.0.5")], bump("1.0.6"))
    assert [(one.line.id, one.reason) for one in made.left_out] == [
        ("evil", "'a b' is no image tag"), ("odd", "5 is no image tag"),
        ("soon", "'soon' is no day"), ("then", "7 is no time"),
    ]  # fmt: skip
    assert list(by_line(made)) == ["bump-1.0.5", "bump-1.0.6"]


def test_a_refused_line_with_recorded_changes_is_left_out_too() -> None:
    odd = line("odd", arguments={"tag": 5})._replace(changes=(change("add", "v5", "1.0.5"),))
    assert [one.line.id for one in plan(ground(FOUR), [odd], None).left_out] == ["odd"]


def test_an_operation_that_is_refused_fails() -> None:
    with pytest.raises(Refused):
        plan(ground(FOUR), [bump("1.0.5")], line("evil", tag="a b"))


@pytest.mark.parametrize("line_id", ["", "two words", "a\nb", "x" * 129])
def test_an_operation_whose_id_could_not_be_read_again_is_refused(line_id: str) -> None:
    with pytest.raises(Refused, match="id of an operation"):
        plan(ground(FOUR), (), line(line_id, tag="1.0.5"))


def test_a_pending_operation_of_a_newer_tool_stops_the_planning() -> None:
    with pytest.raises(ReleaseError, match="teleport"):
        plan(ground(FOUR), [line("1", operation="teleport")], bump("1.0.6"))


def test_a_tag_that_is_only_proposed_is_not_called_live() -> None:
    once = planned(ground(FOUR), "1.0.5")
    assert plan(ground(FOUR), once.lines, bump("1.0.5", line_id="2")).notes == ("1.0.5 is proposed already, as v5",)


# -- superseded -------------------------------------------------------------------------------------------------------
def test_a_pending_version_that_would_be_retired_at_once_is_superseded_and_keeps_its_name() -> None:
    base = ground(state("1.0.1", default="v1"), keep=2)
    made = planned(base, "1.0.2", "1.0.3", "1.0.4", "1.0.5")
    assert by_line(made) == {
        "bump-1.0.2": ["supersede v2 1.0.2"],
        "bump-1.0.3": ["supersede v3 1.0.3"],
        "bump-1.0.4": ["add v4 1.0.4", "set-default v4 1.0.4"],
        "bump-1.0.5": ["add v5 1.0.5", "set-default v5 1.0.5"],
    }
    assert {one.changes[0].reason for one in made.lines[:2]} == {"superseded by v5"}
    assert live_tags(made) == {"1.0.1", "1.0.4", "1.0.5"}
    assert history.names_of(made.lines)["1.0.2"] == "v2"


def test_superseded_versions_get_names_of_their_own() -> None:
    made = plan(ground(state("1.0.1", default="v1"), keep=1), [bump("1.0.2"), bump("1.0.3"), bump("1.0.4")], None)
    assert history.names_of(made.lines) == {"1.0.1": "v1", "1.0.2": "v2", "1.0.3": "v3", "1.0.4": "v4"}


def test_a_superseded_version_is_no_edit() -> None:
    made = planned(ground(state("1.0.1", default="v1"), keep=1), "1.0.2", "1.0.3")
    assert told(made.edits) == ["add v3 1.0.3", "set-default v3 1.0.3"]


def test_a_superseded_version_comes_back_under_its_name_when_there_is_room() -> None:
    tight = planned(ground(state("1.0.1", default="v1"), keep=1), "1.0.2", "1.0.3")
    roomy = plan(ground(state("1.0.1", default="v1"), keep=5), tight.lines, None)
    assert told(roomy.edits) == ["add v2 1.0.2", "set-default v2 1.0.2", "add v3 1.0.3", "set-default v3 1.0.3"]


def test_a_version_of_the_base_is_retired_not_superseded() -> None:
    landed = state("1.0.1", "1.0.2", default="v1")
    made = plan(ground(landed, keep=1), [add_line("1.0.2", "v2"), add_line("1.0.3", "v3")], None)
    assert told(made.edits) == ["add v3 1.0.3", "set-default v3 1.0.3", "retire v2 1.0.2"]


def test_a_superseded_tag_can_be_added_pinned() -> None:
    base = ground(state("1.0.1", default="v1"), keep=1)
    tight = planned(base, "1.0.2", "1.0.3")
    made = plan(base, tight.lines, bump("1.0.2", line_id="pinned", pin=True))
    assert by_line(made)["bump-1.0.2"] == ["add v2 1.0.2", "set-default v2 1.0.2"]
    assert told(made.own) == ["pin v2 1.0.2"]
    assert live_tags(made) == {"1.0.1", "1.0.2", "1.0.3"}


@pytest.mark.parametrize("turn", [1, -1, 5])
def test_of_sixteen_pending_bumps_the_newest_four_and_the_fallback_target_stay(turn: int) -> None:
    tags = [f"v1.1.{number * turn % 16}" for number in range(16)] if turn != 1 else [f"v1.1.{n}" for n in range(16)]
    made = planned(ground(FOUR, keep=4), *tags)
    assert live_tags(made) == {"v1.1.15", "v1.1.14", "v1.1.13", "v1.1.12", "1.0.4"}
    assert made.after.default == next(name for name, tag in made.after.versions.items() if tag == "v1.1.15")
    assert set(told(made.lines[-1].changes)) >= {"retire v1 1.0.1", "retire v2 1.0.2", "retire v3 1.0.3"}


def test_with_room_for_all_sixteen_pending_bumps_stay() -> None:
    made = planned(ground(FOUR, keep=40), *(f"v1.1.{number}" for number in range(16)))
    assert (len(made.after.live), len(made.lines)) == (20, 16)


def test_the_fallback_target_among_the_newest_takes_no_further_place() -> None:
    made = planned(ground(state("1.0.1", "1.0.2", default="v2"), keep=4), "1.0.3", "1.0.4", "1.0.5")
    assert live_tags(made) == {"1.0.2", "1.0.3", "1.0.4", "1.0.5"}


# -- what people decided ----------------------------------------------------------------------------------------------
TWO = ground(state("v1.0.1", "v1.0.2", default="v1"), keep=3)


def decided(operation: str, tag: str, line_id: str = "", **arguments: object) -> Line:
    return line(line_id or f"{operation}-{tag}", operation=operation, tag=tag, arguments=arguments)


def promoted(tag: str, line_id: str, of: str = "default", **more: object) -> Line:
    """A promotion from devel, of its default or of a version that somebody named."""
    return decided("promote", tag, line_id, **{"from": "devel", "of": of, "version": "", **more})


def stacked(base: Ground, *lines: Line) -> Plan:
    """The plan after operations that come one after the other in one open pull request; each is planned again too."""
    made = plan(base, (), None)
    for one in lines:
        made = plan(base, made.lines, one)
        again = plan(base, made.lines, None)
        assert (again.lines, again.edits, again.after) == (made.lines, made.edits, made.after), "it is no fixpoint"
    return made


def test_a_quarantine_that_waits_counts_for_what_comes_after_it() -> None:
    made = stacked(
        TWO, bump("v1.0.3"), decided("default", "v1.0.1"), decided("quarantine", "v1.0.3", reason="corrupt answers"),
        decided("retire", "v1.0.3"), bump("v1.0.3", line_id="ci-rerun"),
    )  # fmt: skip
    assert made.notes == ("v1.0.3 was quarantined (corrupt answers); `release clear devel v3` clears it",)
    assert (made.after, made.own_line) == (TWO.state, False)
    assert history.quarantines(history.changes_of(made.lines)).keys() == {"v1.0.3"}


def test_a_clear_that_waits_counts_for_what_comes_after_it() -> None:
    landed = [line("0", adopted=history.by_hand([], state("v1.0.1", "v1.0.2", quarantined={"v2": "slow"})))]
    gone = ground(state("v1.0.1"), lines=landed)
    made = stacked(gone, decided("clear", "v1.0.2"), bump("v1.0.2"))
    assert told(made.own) == ["add v2 v1.0.2", "set-default v2 v1.0.2"]
    again = stacked(gone, decided("clear", "v1.0.2"), decided("restore", "v1.0.2"))
    assert (again.after.retired, again.after.quarantined) == ({"v2": "v1.0.2"}, {})


def test_a_quarantine_that_waits_is_in_force_when_its_version_comes_back() -> None:
    made = stacked(
        TWO, bump("v1.0.3"), decided("default", "v1.0.1"), decided("quarantine", "v1.0.3", since="2026-11-20T00:00:00Z"),
        decided("retire", "v1.0.3"), decided("restore", "v1.0.3"),
    )  # fmt: skip
    assert made.after.quarantined[Name("v3")].since == datetime(2026, 11, 20, tzinfo=timezone.utc)


@pytest.mark.parametrize("operation", ["quarantine", "retire"])
def test_what_relied_on_a_superseded_version_keeps_its_effect(operation: str) -> None:
    made = stacked(
        TWO, bump("v1.0.3"), decided(operation, "v1.0.1"), *(bump(f"v1.0.{patch}") for patch in (4, 5, 6, 7))
    )
    assert by_line(made) | {"bump-v1.0.7": []} == {
        "bump-v1.0.3": ["supersede v3 v1.0.3"],
        f"{operation}-v1.0.1": [f"{operation} v1 v1.0.1"],
        "bump-v1.0.4": ["supersede v4 v1.0.4"],
        "bump-v1.0.5": ["add v5 v1.0.5", "set-default v5 v1.0.5"],
        "bump-v1.0.6": ["add v6 v1.0.6", "set-default v6 v1.0.6"],
        "bump-v1.0.7": [],
    }
    assert live_tags(made) == {"v1.0.5", "v1.0.6", "v1.0.7"}


def test_a_default_that_people_moved_back_in_the_pull_request_stays_there() -> None:
    made = stacked(TWO, bump("v1.0.3"), bump("v1.0.4"), decided("default", "v1.0.1"), decided("pin", "v1.0.2"))
    assert made.after.default == "v1"
    assert by_line(made)["default-v1.0.1"] == ["set-default v1 v1.0.1"]
    assert history.former_defaults(made.lines, made.after.default) == ("v1",)


def test_a_pin_that_was_taken_back_does_not_come_back() -> None:
    tight = ground(TWO.state, keep=1)
    made = stacked(tight, bump("v1.0.3", pin=True), decided("unpin", "v1.0.3"), bump("v1.0.4"), bump("v1.0.5"))
    assert made.after.pinned == {}
    assert live_tags(made) == {"v1.0.1", "v1.0.5"}
    assert [(one.line.id, one.reason) for one in held(made.lines)] == [
        ("unpin-v1.0.3", "v1.0.3 would be retired at once by the retention policy")
    ]


def test_unpinning_a_proposed_version_says_that_the_policy_takes_it_away() -> None:
    tight = ground(TWO.state._replace(written_default=Name("v2")), keep=1, default="manual")
    made = stacked(tight, bump("v1.0.0", pin=True), decided("unpin", "v1.0.0"))
    assert made.notes == ("v1.0.0 would be retired at once by the retention policy",)
    assert made.own_line
    assert live_tags(made) == {"v1.0.1", "v1.0.2"}


def test_bumped_again_a_superseded_version_names_the_command_that_keeps_it() -> None:
    made = stacked(ground(TWO.state, keep=1), bump("v1.0.3"), bump("v1.0.4"), bump("v1.0.3", line_id="again"))
    assert " ".join(made.notes) == (
        "v1.0.3 would be retired at once by the retention policy and is not added; "
        "`release bump devel v1.0.3 --pin` adds it pinned"
    )


def test_a_decision_that_the_base_refuses_stays_pending_until_it_can_be_applied() -> None:
    waits = [decided("retire", "v1.0.2"), bump("v1.0.3")]
    refused = ground(TWO.state._replace(pinned={Name("v2"): Pin("mobile")}), keep=3)
    made = plan(refused, waits, None)
    assert by_line(made) == {"retire-v1.0.2": [], "bump-v1.0.3": ["add v3 v1.0.3", "set-default v3 v1.0.3"]}
    assert [one.reason for one in held(made.lines)] == ["v2 (v1.0.2) is pinned in devel: mobile"]
    assert plan(refused, made.lines, None) == made
    alone = plan(refused, waits[:1], None)
    assert [one.no_effect for one in alone.lines] == ["v2 (v1.0.2) is pinned in devel: mobile"]
    assert alone.edits == ()
    later = plan(TWO, made.lines, None)
    assert by_line(later)["retire-v1.0.2"] == ["retire v2 v1.0.2"]
    assert held(later.lines) == ()


def test_a_decision_that_has_come_true_otherwise_goes() -> None:
    assert (
        plan(ground(TWO.state._replace(written_default=Name("v2"))), [decided("default", "v1.0.2")], None).lines == ()
    )


def test_what_people_took_away_in_the_base_is_not_held_for_ever() -> None:
    waits = [decided("retire", "v1.0.2"), decided("unpin", "v1.0.2"), bump("v1.0.3")]
    gone = ground(state("v1.0.1", default="v1"), keep=3)
    assert list(by_line(plan(gone, waits, None))) == ["bump-v1.0.3"]
    assert plan(gone, (), decided("retire", "v1.0.2")).notes == ("v1.0.2 is not in devel any more",)


@pytest.mark.parametrize("retired", [{}, {"v2": "v1.0.2"}])
def test_a_quarantine_that_waits_holds_when_people_take_its_version_away(retired: dict[str, str]) -> None:
    base = state("v1.0.1", default="v1", retired=retired)
    gone = ground(base, keep=3, lines=[line("0", adopted=history.by_hand([], TWO.state))])
    made = stacked(gone, decided("quarantine", "v1.0.2", reason="corrupt answers"), bump("v1.0.2"))
    assert by_line(made) == {"quarantine-v1.0.2": ["quarantine v2 v1.0.2"]}
    assert "v1.0.2" not in live_tags(made)
    again = stacked(gone, decided("quarantine", "v1.0.2"), decided("restore", "v1.0.2"))
    assert again.after.quarantined.keys() == {"v2"}


def test_a_proposed_version_in_quarantine_is_not_pinned_by_a_bump() -> None:
    made = stacked(TWO, bump("v1.0.3"), decided("default", "v1.0.1"), decided("quarantine", "v1.0.3"),
                   bump("v1.0.3", line_id="again", pin=True))  # fmt: skip
    assert (made.own_line, made.after.pinned) == (False, {})


# -- promotions of the default ----------------------------------------------------------------------------------------
STAGING = ground(TWO.state, keep=3, default="promoted")


def test_a_later_promotion_of_the_default_takes_the_place_of_a_pending_one() -> None:
    made = stacked(STAGING, promoted("v1.0.3", "one"), promoted("v1.0.4", "two"))
    assert by_line(made) == {"two": ["add v4 v1.0.4", "set-default v4 v1.0.4"]}
    named = stacked(STAGING, promoted("v1.0.3", "one", "version"), promoted("v1.0.4", "two"))
    assert list(by_line(named)) == ["one", "two"]


def test_what_relied_on_a_replaced_promotion_keeps_its_effect() -> None:
    made = stacked(STAGING, promoted("v1.0.3", "one"), decided("quarantine", "v1.0.1"), promoted("v1.0.4", "two"))
    assert by_line(made) == {
        "one": ["supersede v3 v1.0.3"],
        "quarantine-v1.0.1": ["quarantine v1 v1.0.1"],
        "two": ["add v4 v1.0.4", "set-default v4 v1.0.4"],
    }
    third = plan(STAGING, made.lines, promoted("v1.0.5", "three"))
    assert list(by_line(third)) == ["one", "quarantine-v1.0.1", "three"]
    assert third.after.quarantined.keys() == {"v1"}


def test_a_version_that_people_pinned_stays_when_its_promotion_is_replaced() -> None:
    made = stacked(STAGING, promoted("v1.0.3", "one"), decided("pin", "v1.0.3"), promoted("v1.0.4", "two"))
    assert made.after.default == "v4"
    assert made.after.pinned.keys() == {"v3"}


def test_a_replaced_default_that_can_not_come_back_makes_way_for_any_other() -> None:
    made = stacked(STAGING, promoted("v1.0.4", "one"), decided("quarantine", "v1.0.1"), promoted("v1.0.0", "two"))
    assert told(made.own) == ["add v4 v1.0.0", "set-default v4 v1.0.0"]


def test_a_promotion_without_work_replaces_only_what_nothing_relies_on() -> None:
    base = ground(state("v1.0.1", "v1.0.2", default="v2"), keep=5, default="promoted")
    made = stacked(base, promoted("v1.0.3", "one"), decided("pin", "v1.0.1"), promoted("v1.0.2", "two"))
    assert made.after.default == "v2"
    assert list(by_line(made)) == ["one", "pin-v1.0.1", "two"]
    assert by_line(stacked(base, promoted("v1.0.3", "one"), promoted("v1.0.2", "two"))) == {}


def test_a_pending_promotion_of_what_was_quarantined_elsewhere_goes_with_its_reason() -> None:
    bad = STAGING._replace(elsewhere={"v1.0.3": ("devel", "slow")})
    made = plan(bad, [promoted("v1.0.3", "one")], None)
    assert (made.lines, made.after) == ((), STAGING.state)
    assert [one.reason for one in made.left_out] == ["v1.0.3 is quarantined in devel: slow"]


def test_a_promotion_that_goes_leaves_no_trace_in_those_before_it() -> None:
    back = stacked(
        STAGING,
        promoted("v1.0.4", "one"),
        decided("pin", "v1.0.1"),
        promoted("v1.0.5", "two"),
        promoted("v1.0.4", "three"),
    )
    assert by_line(back) == {"one": ["add v3 v1.0.4", "set-default v3 v1.0.4"], "pin-v1.0.1": ["pin v1 v1.0.1"]}
    assert [one.line.id for one in back.left_out] == ["two"]
    pinned = promoted("v1.0.3", "pinned", pin=True)
    made = stacked(STAGING, promoted("v1.0.3", "one"), pinned, promoted("v1.0.2", "two"))
    assert list(by_line(made)) == ["two"]


def test_a_replaced_promotion_moves_no_default_back() -> None:
    forced = promoted("v1.0.1", "forced", force=True)
    made = stacked(STAGING, decided("default", "v1.0.2"), forced, decided("pin", "v1.0.1"), promoted("v1.0.0", "two"))
    assert made.after.default == "v2"


def test_a_default_that_left_with_what_was_replaced_is_written_anew() -> None:
    implied = ground(TWO.state._replace(written_default=None), keep=3, default="promoted")
    made = stacked(
        implied, promoted("v1.0.6", "named", "version"), promoted("v1.0.8", "one"), decided("retire", "v1.0.6"),
        promoted("v1.0.1", "two"),
    )  # fmt: skip
    assert made.after.written_default == "v1"


# -- names ------------------------------------------------------------------------------------------------------------
def test_a_provisional_name_is_kept_as_long_as_the_base_does_not_take_it() -> None:
    pending = [add_line("1.0.9", "v9"), add_line("1.0.6", "v7")]
    assert told(plan(ground(FOUR, default="manual"), pending, bump("1.0.8")).edits) == [
        "add v9 1.0.9", "add v7 1.0.6", "add v10 1.0.8"
    ]  # fmt: skip


def test_a_name_that_the_base_gave_to_another_tag_is_given_anew_and_the_others_stay() -> None:
    landed = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.9", default="v4")
    pending = [add_line("1.0.5", "v5"), add_line("1.0.6", "v6")]
    made = plan(ground(landed, default="manual"), pending, None)
    assert told(made.edits) == ["add v7 1.0.5", "add v6 1.0.6"]


def test_the_name_of_a_pending_line_stands_above_what_other_branches_propose() -> None:
    names = Names(names_of(FOUR).landed, {"1.0.5": Name("v7"), "1.0.6": Name("v5")})
    made = plan(ground(FOUR, default="manual", names=names), [add_line("1.0.5", "v5")], bump("1.0.8"))
    assert told(made.edits) == ["add v5 1.0.5", "add v8 1.0.8"]


def test_a_name_that_only_the_history_of_the_base_knows_is_given_anew_too() -> None:
    names = Names({"1.0.9": Name("v5"), "1.0.4": Name("v4")}, {"1.0.5": Name("v5")})
    made = plan(ground(FOUR, default="manual", names=names), [add_line("1.0.5", "v5")], None)
    assert told(made.edits) == ["add v6 1.0.5"]


def test_a_tag_that_the_base_has_named_gets_that_name() -> None:
    names = Names({"1.0.5": Name("v3"), "1.0.4": Name("v4")})
    base = ground(state(named={"v4": "1.0.4"}), default="manual", names=names)
    assert told(plan(base, [add_line("1.0.5", "v5")], None).edits)[0] == "add v3 1.0.5"


def test_of_two_pending_lines_with_one_name_the_first_keeps_it() -> None:
    made = plan(ground(FOUR, default="manual"), [add_line("1.0.5", "v5"), add_line("1.0.6", "v5")], None)
    assert told(made.edits) == ["add v5 1.0.5", "add v6 1.0.6"]


def test_a_superseded_line_is_renumbered_on_a_collision_as_well() -> None:
    landed = state("1.0.1", "1.0.9", default="v2")
    made = plan(ground(landed, keep=1), [add_line("1.0.5", "v2", "supersede"), add_line("1.1.0", "v3")], None)
    assert by_line(made)["bump-1.0.5"] == ["supersede v4 1.0.5"]


def test_a_superseding_version_is_named_by_the_name_that_it_has_now() -> None:
    landed = state("1.0.1", "1.0.9", default="v1")
    made = plan(ground(landed, keep=1), [add_line("1.0.5", "v3"), add_line("1.1.0", "v2")], None)
    assert made.lines[0].changes[0].reason == "superseded by v4"


# -- times ------------------------------------------------------------------------------------------------------------
def test_times_are_raised_to_that_of_the_line_above_and_no_further() -> None:
    landed = [line("0", adopted=history.by_hand([], FOUR), at=NOW - HOUR)]
    base = ground(FOUR, lines=landed)
    early, late = add_line("1.0.5", "v5", at=NOW - DAY), add_line("1.0.6", "v6", at=NOW)
    made = plan(base, [early, late], bump("1.0.7", at=NOW - 2 * HOUR))
    assert [one.at for one in made.lines] == [NOW - HOUR, NOW, NOW]


# -- a branch that people work on -------------------------------------------------------------------------------------
def on_branch(base: Ground, branch: State, lines: list[Line]) -> Ground:
    """The ground of an append-only branch: its versions and its record, with what the base tells."""
    names = Names(base.names.landed, history.names_of(lines))
    return base._replace(state=branch, lines=[*base.lines, *lines], names=names)


def test_on_a_branch_with_peoples_commits_what_has_not_landed_is_removed_not_drained() -> None:
    base = ground(FOUR, keep=4)
    first = planned(base, "1.0.5")
    made = plan(on_branch(base, first.after, list(first.lines)), (), bump("1.0.6"))
    assert told(made.edits) == ["add v6 1.0.6", "set-default v6 1.0.6", "retire v2 1.0.2"]
    tight = base._replace(environment=base.environment._replace(retention=base.environment.retention._replace(keep=1)))
    made = plan(on_branch(tight, first.after, list(first.lines)), (), bump("1.0.6"))
    assert told(made.edits)[2:] == ["retire v2 1.0.2", "retire v3 1.0.3", "remove v5 1.0.5"]


def test_what_drains_in_the_base_drains_on_when_people_brought_it_back_on_the_branch() -> None:
    base = ground(state("1.0.2", "1.0.3", default="v2", retired={"v9": "1.0.1"}), keep=2)
    branch = state("1.0.2", "1.0.3", default="v2", named={"v9": "1.0.1"})
    made = plan(on_branch(base, branch, []), (), bump("1.0.4"))
    assert told(made.edits)[2:] == ["retire v1 1.0.2", "retire v9 1.0.1"]


def test_a_default_that_stood_on_the_branch_only_never_becomes_a_former_one() -> None:
    landed = [line("0", adopted=history.by_hand([], FOUR))]
    base = ground(FOUR, lines=landed, default="newest")
    first = planned(base, "1.0.5")
    back = first.after._replace(written_default=Name("v4"))
    made = plan(on_branch(base, back, list(first.lines)), (), bump("1.0.6"))
    assert told(made.lines[0].adopted) == ["set-default v4 1.0.4"]
    former = history.former_defaults([*landed, *first.lines, *made.lines], made.after.default)
    assert former == ("v4", "v6")


# -- laws -------------------------------------------------------------------------------------------------------------
NEW_TAGS = st.lists(
    st.builds(lambda lead, minor, patch: f"{lead}1.{minor}.{patch}", st.sampled_from(["", "v"]), st.integers(0, 2), st.integers(5, 12)),
    unique_by=lambda tag: tag.removeprefix("v"), max_size=7,
)  # fmt: skip


@law(NEW_TAGS.flatmap(lambda tags: st.tuples(st.just(tags), st.permutations(tags))), examples=40)
def test_the_order_of_bumps_does_not_matter_where_retention_does_not_bite(orders: tuple[list[str], list[str]]) -> None:
    one, other = (planned(ground(FOUR, keep=40), *tags) for tags in orders)
    assert live_tags(one) == live_tags(other)
    defaults = {tag_part(made.after.versions[made.after.default]) for made in (one, other) if made.after.default}
    assert len(defaults) == 1


@law(NEW_TAGS.flatmap(lambda tags: st.tuples(st.just(tags), st.permutations(tags))), st.integers(1, 5), examples=40)
def test_the_order_of_bumps_does_not_matter_for_what_is_live_under_newest(
    orders: tuple[list[str], list[str]], keep: int
) -> None:
    one, other = (planned(ground(FOUR, keep=keep), *tags) for tags in orders)
    assert live_tags(one) == live_tags(other)


@law(NEW_TAGS, st.integers(1, 9), st.integers(0, 7), examples=40)
def test_it_makes_no_difference_whether_pending_bumps_are_planned_one_by_one_or_together(
    tags: list[str], keep: int, size: int
) -> None:
    base = ground(FOUR, keep=keep)
    one_by_one = planned(base, *tags)
    together = plan(base, [bump(tag) for tag in tags[:size]], None)
    rest = planned(base, *tags[size:], pending=together.lines)
    assert live_tags(one_by_one) == live_tags(rest)


def test_each_order_of_three_bumps_gives_one_result() -> None:
    for tags in permutations(["1.1.0", "1.0.9", "1.2.0"]):
        assert live_tags(planned(ground(FOUR, keep=2), *tags)) == {"1.1.0", "1.2.0", "1.0.4"}


def test_a_plan_without_pending_lines_and_operation_is_empty() -> None:
    made = plan(ground(FOUR, keep=1), (), None)
    assert (made.lines, made.edits, meaning(made.after)) == ((), (), meaning(FOUR))
    assert apply(FOUR, made.edits) == FOUR
