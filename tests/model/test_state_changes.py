"""The life of a state: what each change makes of it, and which changes lie between two states."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from model_builders import DIGEST, NOW, TODAY, change, law, meaning, state, states, told

from release_tool.model.records import Change, Name, Pin, Quarantine, State, name_of
from release_tool.model.states import ACTIONS, BY_HAND, apply, difference

FULL = state("1.0.1", "1.0.2", "1.0.3", default="v2", retired={"v9": "1.0.0"},
             pinned={"v1": "clients"}, quarantined={"v3": "slow"})  # fmt: skip


@pytest.mark.parametrize(
    ("one", "after"),
    [
        (
            change("add", "v4", "1.0.4"),
            state("1.0.1", "1.0.2", "1.0.3", "1.0.4", default="v2", retired={"v9": "1.0.0"},
                  pinned={"v1": "clients"}, quarantined={"v3": "slow"}),
        ),
        (
            change("set-default", "v1", "1.0.1"),
            state("1.0.1", "1.0.2", "1.0.3", default="v1", retired={"v9": "1.0.0"},
                  pinned={"v1": "clients"}, quarantined={"v3": "slow"}),
        ),
        (
            change("retire", "v3", "1.0.3"),
            state("1.0.1", "1.0.2", default="v2", retired={"v9": "1.0.0", "v3": "1.0.3"}, pinned={"v1": "clients"}),
        ),
        (
            change("restore", "v9", "1.0.0"),
            state("1.0.1", "1.0.2", "1.0.3", named={"v9": "1.0.0"}, default="v2",
                  pinned={"v1": "clients"}, quarantined={"v3": "slow"}),
        ),
        (
            change("remove", "v9", "1.0.0"),
            state("1.0.1", "1.0.2", "1.0.3", default="v2", pinned={"v1": "clients"}, quarantined={"v3": "slow"}),
        ),
        (
            change("remove", "v1", "1.0.1"),
            state(named={"v2": "1.0.2", "v3": "1.0.3"}, default="v2", retired={"v9": "1.0.0"}, quarantined={"v3": "slow"}),
        ),
        (
            change("pin", "v1", "1.0.1", "demo", until=TODAY),
            state("1.0.1", "1.0.2", "1.0.3", default="v2", retired={"v9": "1.0.0"},
                  pinned={"v1": Pin("demo", TODAY)}, quarantined={"v3": "slow"}),
        ),
        (
            change("unpin", "v1", "1.0.1"),
            state("1.0.1", "1.0.2", "1.0.3", default="v2", retired={"v9": "1.0.0"}, quarantined={"v3": "slow"}),
        ),
        (
            change("quarantine", "v1", "1.0.1", "errors", since=NOW),
            state("1.0.1", "1.0.2", "1.0.3", default="v2", retired={"v9": "1.0.0"},
                  pinned={"v1": "clients"}, quarantined={"v3": "slow", "v1": Quarantine("errors", NOW)}),
        ),
        (
            change("clear", "v3", "1.0.3"),
            state("1.0.1", "1.0.2", "1.0.3", default="v2", retired={"v9": "1.0.0"}, pinned={"v1": "clients"}),
        ),
        (change("supersede", "v7", "1.0.7"), FULL),
    ],
    ids=lambda value: f"{value.action} {value.version}" if isinstance(value, Change) else "",
)  # fmt: skip
def test_what_a_change_makes_of_a_state(one: Change, after: State) -> None:
    assert apply(FULL, [one]) == after


@pytest.mark.parametrize("action", sorted(ACTIONS - {"add", "deploy", "restore"}))
def test_a_change_about_a_version_that_is_not_there_changes_nothing(action: str) -> None:
    assert apply(FULL, [change(action, "v8", "1.0.8")]) == FULL


def test_a_restored_version_has_the_tag_that_it_was_retired_with() -> None:
    gone = state("1.0.2", retired={"v9": "1.0.1" + DIGEST})
    assert apply(gone, [change("restore", "v9", "1.0.1")]).versions["v9"] == "1.0.1" + DIGEST  # type: ignore[index]


def test_a_quarantined_version_is_deployed_but_not_live() -> None:
    assert (list(FULL.versions), list(FULL.live)) == (["v1", "v2", "v3"], ["v1", "v2"])


def test_without_a_written_default_the_lowest_name_is_the_default() -> None:
    assert state(named={"v10": "1.0.0", "v9": "1.0.1"}).default == "v9"
    assert State().default is None


def test_a_default_that_went_with_its_version_is_none() -> None:
    assert apply(state("1.0.1", "1.0.2", default="v2"), [change("remove", "v2")]).default == "v1"
    assert apply(state("1.0.1", default="v1"), [change("remove", "v1")]).default is None


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (state("1.0.1"), state("1.0.1"), []),
        (State(), state("1.0.1", "1.0.2"), ["add v1 1.0.1", "add v2 1.0.2"]),
        (State(), state("1.0.1", "1.0.2", default="v2"), ["add v1 1.0.1", "add v2 1.0.2", "set-default v2 1.0.2"]),
        (State(), state("1.0.2", retired={"v9": "1.0.1"}), ["add v1 1.0.2", "add v9 1.0.1", "retire v9 1.0.1"]),
        (state("1.0.1", "1.0.2"), state("1.0.1"), ["remove v2 1.0.2"]),
        (state("1.0.1", "1.0.2"), state("1.0.1", retired={"v2": "1.0.2"}), ["retire v2 1.0.2"]),
        (state("1.0.1", retired={"v2": "1.0.2"}), state("1.0.1", "1.0.2"), ["restore v2 1.0.2"]),
        (state("1.0.1"), state("1.0.1" + DIGEST), ["remove v1 1.0.1", "add v1 1.0.1"]),
        (
            state("1.0.1", "1.0.2", quarantined={"v2": "slow"}),
            state("1.0.1", "1.0.3", quarantined={"v2": "slow"}),
            ["remove v2 1.0.2", "add v2 1.0.3", "quarantine v2 1.0.3"],
        ),
        (
            state("1.0.1", pinned={"v1": "a"}), state("1.0.1", pinned={"v1": "b"}), ["pin v1 1.0.1"]),
        (state("1.0.1", "1.0.2", quarantined={"v2": "slow"}), state("1.0.1", "1.0.2"), ["clear v2 1.0.2"]),
        (state("1.0.1", pinned={"v1": "a"}), state("1.0.1"), ["unpin v1 1.0.1"]),
        (state("1.0.1", "1.0.2", default="v1"), state("1.0.1", "1.0.2", default="v2"), ["set-default v2 1.0.2"]),
        (state("1.0.1", "1.0.2"), state("1.0.1", "1.0.2", default="v1"), ["set-default v1 1.0.1"]),
        (state("1.0.1", "1.0.2", default="v1"), state("1.0.1", "1.0.2"), []),
        (state("1.0.1", "1.0.2", default="v2"), state("1.0.1", "1.0.2"), ["set-default v1 1.0.1"]),
    ],
)  # fmt: skip
def test_what_people_changed_is_told_in_the_words_of_the_record(
    before: State, after: State, expected: list[str]
) -> None:
    assert told(difference(before, after)) == expected


def test_what_people_wrote_as_a_reason_is_kept_and_everything_else_is_by_hand() -> None:
    pin, bad = Pin("clients", TODAY), Quarantine("slow", NOW)
    after = state("1.0.1", "1.0.2", default="v2", pinned={"v1": pin}, quarantined={"v1": bad})
    changes = difference(state("1.0.1", "1.0.2"), after)
    assert changes == (
        change("pin", "v1", "1.0.1", "clients", until=TODAY),
        change("quarantine", "v1", "1.0.1", "slow", since=NOW),
        change("set-default", "v2", "1.0.2", BY_HAND, before=Name("v1")),
    )


@law(states(), states())
def test_the_changes_between_two_states_lead_from_one_to_the_other(before: State, after: State) -> None:
    reached = apply(before, difference(before, after))
    assert meaning(reached) == meaning(after)
    assert after.written_default is None or reached.written_default == after.written_default
    assert difference(reached, after) == ()


@law(states())
def test_nothing_lies_between_a_state_and_itself(one: State) -> None:
    assert difference(one, one) == ()


CHANGES = st.builds(
    lambda action, number: change(action, name_of(number), f"1.0.{number}"),
    st.sampled_from(sorted(ACTIONS)),
    st.integers(1, 9),
)


@law(states(), st.lists(CHANGES, max_size=8))
def test_a_mark_never_stands_without_its_version(one: State, changes: list[Change]) -> None:
    after = apply(one, changes)
    assert {*after.pinned, *after.quarantined} <= {*after.versions}
    assert after.default in after.versions or after.default is None is min(after.versions, default=None)
