"""What a bump changes by itself, before the sweep."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from model_builders import DIGEST, ORDERS, TAGS, bump, change, intent, law, names_of, state, states, told

from release_tool.errors import Refused, ReleaseError
from release_tool.model.records import Name, State, Tag, name_of
from release_tool.model.states import apply
from release_tool.model.versions import is_newer, is_readable, tag_part
from release_tool.rules.operations import Context, Names, Step, plan_step

FOUR = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", default="v4")


def bumped(one: State, tag: str, *, names: Names | None = None, policy: str = "newest", order: str = "semver",
           bad: dict[str, str] | None = None, **arguments: Any) -> Step:  # fmt: skip
    quarantines = {part: change("quarantine", "v1", part, reason) for part, reason in (bad or {}).items()}
    context = Context("devel", order, policy, names or names_of(one), quarantines)
    return plan_step(one, bump(tag, **arguments).intent, context)


# -- the default ------------------------------------------------------------------------------------------------------
def test_a_new_tag_is_added_under_the_next_name_and_becomes_the_default() -> None:
    assert bumped(FOUR, "1.0.5").changes == (
        change("add", "v5", "1.0.5", "bump"),
        change("set-default", "v5", "1.0.5", "default: newest", before=Name("v4")),
    )


@pytest.mark.parametrize("policy", ["manual", "promoted"])
def test_where_the_policy_is_another_no_bump_moves_the_default(policy: str) -> None:
    step = bumped(FOUR, "1.0.5", policy=policy)
    assert told(step.changes) == ["add v5 1.0.5"]
    assert step.notes == ()


@pytest.mark.parametrize("tag", ["1.0.0", "v1.0.4", "1.0.4-rc.1"])
def test_a_tag_that_is_not_newer_than_the_default_is_added_and_the_default_stays(tag: str) -> None:
    step = bumped(state("1.0.4"), tag) if tag == "v1.0.4" else bumped(FOUR, tag)
    assert [one.action for one in step.changes] == ["add"]
    assert "the default stays" in step.notes[0]


@pytest.mark.parametrize("default", ["1.0.4", "latest"])
def test_a_tag_that_the_order_can_not_read_never_becomes_the_default_by_a_bump(default: str) -> None:
    step = bumped(state(default), "main-7")
    assert told(step.changes) == ["add v2 main-7"]
    assert f"the order can't read main-7: the default v1 ({default}) stays; " in step.notes[0]


def test_a_tag_whose_image_is_another_one_is_refused_with_both_digests() -> None:
    one, other = "1.0.4@sha256:" + "1" * 64, "1.0.4@sha256:" + "2" * 64
    with pytest.raises(Refused) as refused:
        bumped(state(one), other)
    assert (
        refused.value.what == f"the tag 1.0.4 was moved: v1 is sha256:{'1' * 64}, and this bump says sha256:{'2' * 64}"
    )
    assert bumped(state(one), one).changes == bumped(state(one), "1.0.4").changes == ()


def test_the_same_version_in_another_spelling_is_told() -> None:
    assert "v1.0.3 is the same version as v3 (1.0.3), spelled otherwise" in bumped(FOUR, "v1.0.3").notes
    assert bumped(FOUR, "1.0.5").notes == ()


def test_by_arrival_each_bump_is_newer() -> None:
    assert told(bumped(FOUR, "0.0.1", order="arrival").changes) == ["add v5 0.0.1", "set-default v5 0.0.1"]


def test_by_arrival_a_tag_that_comes_back_under_its_old_name_is_not_newer() -> None:
    one = state(named={"v3": "c", "v4": "d"}, default="v4")
    assert told(bumped(one, "a", order="arrival", names=Names({"a": Name("v1")})).changes) == ["add v1 a"]


def test_the_first_version_of_all_is_the_default_without_one_before_it() -> None:
    assert bumped(State(), "1.0.0").changes == (
        change("add", "v1", "1.0.0", "bump"), change("set-default", "v1", "1.0.0", "default: newest", before=None)
    )  # fmt: skip
    assert told(bumped(State(), "1.0.0", policy="manual").changes) == ["add v1 1.0.0"]


def test_while_a_newer_version_is_quarantined_the_default_is_held() -> None:
    one = state("1.0.1", "1.0.2", "1.0.3", default="v2", quarantined={"v3": "slow"})
    step = bumped(one, "1.0.4")
    assert told(step.changes) == ["add v4 1.0.4"]
    assert step.notes == ("held: v3 is quarantined",)


def test_an_older_version_in_quarantine_holds_nothing() -> None:
    one = state("1.0.1", "1.0.2", default="v2", quarantined={"v1": "slow"})
    assert told(bumped(one, "1.0.3").changes) == ["add v3 1.0.3", "set-default v3 1.0.3"]


def test_a_quarantined_version_that_retired_holds_nothing() -> None:
    one = state("1.0.1", "1.0.2", default="v2", retired={"v3": "1.0.3"})
    assert told(bumped(one, "1.0.4", bad={"1.0.3": "slow"}).changes) == ["add v4 1.0.4", "set-default v4 1.0.4"]


def test_an_implied_default_is_written_down_when_a_lower_name_comes() -> None:
    one = state(named={"v3": "1.0.3", "v4": "1.0.4"})
    step = bumped(one, "1.0.1", names=Names({"1.0.1": Name("v1"), "1.0.4": Name("v4")}))
    assert step.changes[0] == change("add", "v1", "1.0.1", "bump")
    assert told(step.changes[1:]) == ["set-default v3 1.0.3"]
    assert apply(one, step.changes).default == "v3"


def test_an_implied_default_stays_implied_otherwise() -> None:
    assert told(bumped(state("1.0.1"), "1.0.2", policy="manual").changes) == ["add v2 1.0.2"]


# -- what is there already --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("one", "tag", "bad", "says"),
    [
        (FOUR, "1.0.2", {}, "1.0.2 is live already, as v2"),
        (FOUR, "1.0.2" + DIGEST, {}, "1.0.2 is live already, as v2"),
        (state("1.0.1" + DIGEST), "1.0.1", {}, "1.0.1 is live already, as v1"),
        (state("1.0.2", retired={"v9": "1.0.1"}), "1.0.1", {},
         "1.0.1 is retired, as v9; `release restore devel v9` brings it back"),
        (state("1.0.2", retired={"v9": "1.0.1"}), "1.0.1" + DIGEST, {"1.0.1": "slow"},
         "1.0.1 is retired, as v9; `release restore devel v9` brings it back"),
        (state("1.0.1", "1.0.2", quarantined={"v2": "slow"}), "1.0.2", {},
         "1.0.2 is quarantined as v2 (slow); `release clear devel v2` clears it"),
    ],
)  # fmt: skip
def test_a_tag_that_is_there_already_changes_nothing_and_the_command_that_would_is_named(
    one: State, tag: str, bad: dict[str, str], says: str
) -> None:
    assert bumped(one, tag, bad=bad) == Step(notes=(says,))
    assert bumped(one, tag, bad=bad, pin=True) == Step(notes=(says,))


def test_a_tag_that_left_in_quarantine_is_not_brought_back() -> None:
    names = Names({"1.0.7": Name("v7"), "1.0.4": Name("v4")})
    step = bumped(FOUR, "1.0.7" + DIGEST, bad={"1.0.7": "slow"}, names=names)
    assert step == Step(notes=("1.0.7 was quarantined (slow); `release clear devel v7` clears it",))


def test_a_tag_whose_quarantine_was_cleared_in_the_file_is_live_whatever_the_record_says() -> None:
    assert bumped(FOUR, "1.0.2", bad={"1.0.2": "slow"}).notes == ("1.0.2 is live already, as v2",)


# -- names ------------------------------------------------------------------------------------------------------------
def test_a_tag_that_was_there_before_gets_its_name_again() -> None:
    names = Names({"1.0.9": Name("v2"), "1.0.4": Name("v4")})
    assert told(bumped(state(named={"v4": "1.0.4"}), "1.0.9", names=names).changes)[0] == "add v2 1.0.9"


def test_a_new_name_is_one_above_all_that_were_ever_known() -> None:
    names = Names({"1.0.4": Name("v4")}, {"1.0.8": Name("v8")}, frozenset({Name("v11")}))
    assert (names.name_for("1.0.9"), names.name_for("1.0.8" + DIGEST)) == ("v12", "v8")
    assert Names().name_for("1.0.0") == "v1"


def test_a_pending_name_that_the_base_gave_to_another_tag_is_not_given_again() -> None:
    names = Names({"1.0.6": Name("v5")}, {"1.0.5": Name("v5"), "1.0.7": Name("v7")})
    assert names.name_for("1.0.5") == "v8"
    taken = Names({}, {"1.0.5": Name("v5")}, frozenset({Name("v5")}))
    assert taken.name_for("1.0.5") == "v6"


def test_the_name_of_the_base_stands_above_a_pending_one() -> None:
    assert Names({"1.0.5": Name("v4")}, {"1.0.5": Name("v9")}).name_for("1.0.5") == "v4"


def test_a_pending_name_may_be_kept_while_the_base_neither_gave_it_away_nor_named_the_tag_otherwise() -> None:
    names = Names({"1.0.4": Name("v4")}, {}, frozenset({Name("v3")}))
    assert names.may_keep(Name("v5"), "1.0.5")
    assert names.may_keep(Name("v4"), "1.0.4" + DIGEST)
    assert not names.may_keep(Name("v4"), "1.0.5")
    assert not names.may_keep(Name("v5"), "1.0.4")
    assert not names.may_keep(Name("v3"), "1.0.5")


def test_when_the_names_are_used_up_a_bump_is_refused() -> None:
    with pytest.raises(Refused, match="v999999999"):
        bumped(FOUR, "1.0.5", names=Names({"1.0.4": Name("v999999999")}))


# -- pins, and what others may have written ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [({"reason": "demo"}, "demo"), ({}, "pinned by its bump"), ({"reason": 7}, "pinned by its bump")],
)
def test_a_bump_can_come_pinned_for_its_reason(arguments: dict[str, Any], reason: str) -> None:
    step = bumped(FOUR, "1.0.0", pin=True, **arguments)
    assert step.changes == (change("add", "v5", "1.0.0", "bump"), change("pin", "v5", "1.0.0", reason))


@pytest.mark.parametrize("tag", [None, 5, "", "a b", "../x", "x" * 129, ["1.0.5"], "1.0.5@sha256:0"])
def test_an_intent_whose_tag_is_no_tag_is_refused(tag: object) -> None:
    one = intent("1", "bump", {} if tag is None else {"tag": tag})
    with pytest.raises(Refused):
        plan_step(FOUR, one, Context("devel", "semver", "newest", names_of(FOUR)))


def test_an_operation_of_a_newer_tool_stops_everything_and_names_itself() -> None:
    with pytest.raises(ReleaseError, match="operation teleport") as caught:
        plan_step(FOUR, intent("1", "teleport", {}), Context("devel", "semver", "newest"))
    assert not isinstance(caught.value, Refused)


# -- laws -------------------------------------------------------------------------------------------------------------
POLICY = st.sampled_from(["newest", "manual", "promoted"])


@law(states(), TAGS, ORDERS, POLICY)
def test_the_same_bump_again_changes_nothing(one: State, tag: str, order: str, policy: str) -> None:
    step = bumped(one, tag, order=order, policy=policy)
    after = apply(one, step.changes)
    assert bumped(after, tag, order=order, policy=policy).changes == ()
    assert bumped(after, tag + DIGEST, order=order, policy=policy).changes == ()


@law(states(), TAGS, ORDERS, POLICY)
def test_a_bump_adds_its_tag_and_nothing_else_and_moves_the_default_only_to_it(
    one: State, tag: str, order: str, policy: str
) -> None:
    after = apply(one, bumped(one, tag, order=order, policy=policy).changes)
    added = {name: other for name, other in after.versions.items() if name not in one.versions}
    assert {name: other for name, other in after.versions.items() if name in one.versions} == one.versions
    assert [tag_part(other) for other in added.values()] in ([], [tag])
    assert not set(added) & set(one.retired)
    assert (after.retired, after.pinned, after.quarantined) == (one.retired, one.pinned, one.quarantined)
    assert after.default in {one.default, *added}
    if policy != "newest" and one.default is not None:
        assert after.default == one.default


@law(states(), TAGS, ORDERS)
def test_a_bump_moves_the_default_exactly_if_it_is_newer_and_nothing_holds_it(one: State, tag: str, order: str) -> None:
    after = apply(one, bumped(one, tag, order=order).changes)
    added = next((name for name in after.versions if name not in one.versions), None)
    if added is None:
        assert after == one
    elif one.default is None:
        assert after.default == added
    else:
        here = (one.default, one.versions[one.default])
        held = any(is_newer(order, (name, one.versions[name]), here) for name in one.quarantined)
        newer = is_readable(order, tag) and is_newer(order, (added, Tag(tag)), here)
        assert (after.default == added) == (not held and newer)


@law(
    st.dictionaries(TAGS, st.integers(1, 9).map(name_of), max_size=5),
    st.dictionaries(TAGS, st.integers(1, 9).map(name_of), max_size=5),
    st.sets(st.integers(1, 9).map(name_of)),
    st.lists(TAGS, max_size=5),
)
def test_a_name_that_the_base_knows_is_never_given_to_another_tag(
    landed: dict[str, Name], pending: dict[str, Name], taken: set[Name], tags: list[str]
) -> None:
    names = Names(landed, pending, frozenset(taken))
    given: dict[str, Name] = {}
    for tag in tags:
        name = names.name_for(tag)
        assert given.setdefault(tag, name) == name
        assert (name == landed[tag]) if tag in landed else name not in {*landed.values(), *taken}
        names = names._replace(landed={**names.landed, tag_part(tag): name})
    new = [name for tag, name in given.items() if tag not in landed]
    assert len(set(new)) == len(new)
