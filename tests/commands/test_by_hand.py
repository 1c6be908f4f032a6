"""What people do to one version: default, pin, unpin, retire, restore, quarantine, clear."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from world import NAMED, World

pytestmark = pytest.mark.world(tags=NAMED)


def test_a_pin_stands_in_the_file_with_its_reason_and_its_end(world: World) -> None:
    world.land("pin", "devel", "v2", "--reason", "mobile clients 2.x", "--until", "2027-03-31")
    assert world.tags() == NAMED + "  pinned:\n    v2: {reason: mobile clients 2.x, until: 2027-03-31}\n"
    (line,) = world.lines()
    assert line.intent.written == {
        "version": "v2", "tag": "v1.0.2", "until": "2027-03-31", "reason": "mobile clients 2.x",
    }  # fmt: skip


def test_a_pin_can_be_asked_for_in_days_and_is_replaced_by_the_next_one(world: World) -> None:
    world.land("pin", "devel", "v2", "--reason", "a", "--until", "14d")
    assert "v2: {reason: a, until: 2026-12-07}" in world.tags()
    world.land("pin", "devel", "v2", "--reason", "b", "--until", "never")
    assert "v2: {reason: b}" in world.tags()
    outcome = world.json("pin", "devel", "v2", "--reason", "b")
    assert (outcome["changed"], outcome["changes"]) == (False, [])
    assert outcome["notes"] == ["v2 is pinned like that already"]


def test_a_tag_names_a_version_too(world: World) -> None:
    assert world.changes("pin", "devel", "v1.0.2", "--reason", "why") == [("pin", "v2")]


def test_unpin_takes_the_pin_and_the_empty_section(world: World) -> None:
    world.land("pin", "devel", "v2", "--reason", "why")
    world.land("unpin", "devel", "v2")
    assert (world.tags(), world.json("unpin", "devel", "v2")["notes"]) == (NAMED, ["v2 is not pinned"])


def test_the_default_moves_either_way(world: World) -> None:
    world.land("default", "devel", "v4", "--reason", "newest")
    assert world.state().default == "v4"
    world.land("default", "devel", "v1")
    assert world.state().default == "v1"
    assert [line.changes[0].before for line in world.lines()] == ["v3", "v4"]
    assert world.json("default", "devel", "v1")["changed"] is False


def test_a_version_retires_drains_and_is_restored_with_its_comment(world: World) -> None:
    world.land("retire", "devel", "v2", "--reason", "no clients left")
    assert "  retired:\n    v2: v1.0.2   # mobile clients\n" in world.tags()
    assert world.json("retire", "devel", "v2")["notes"] == ["v2 is retired already"]
    assert world.changes("restore", "devel", "v2", "--until", "2026-12-24") == [("restore", "v2"), ("pin", "v2")]
    world.merge(2)
    assert "    v2: v1.0.2   # mobile clients\n" in world.tags()
    assert "    v2: {reason: restored, until: 2026-12-24}\n" in world.tags()


def without_v2(world: World) -> World:
    """v2 was retired and removed."""
    world.land("retire", "devel", "v2")
    world.now += timedelta(hours=2)
    world.release("cleanup")
    world.merge(2)
    assert "v1.0.2" not in world.tags()
    return world


def test_a_removed_version_comes_back_from_the_record_with_its_name(world: World) -> None:
    without_v2(world)
    assert world.changes("restore", "devel", "v1.0.2") == [("deploy", "v2")]
    world.merge(3)
    assert (world.state().retired, "v2" in world.state().live) == ({"v2": "v1.0.2"}, False)
    (row,) = [one for one in world.json("status", "devel")["environments"][0]["versions"] if one["version"] == "v2"]
    assert (row["state"], row["routed_at"], row["drained_at"]) == ("retired", "2026-11-23T14:11:00Z", None)
    assert "`release restore devel v2` routes it at once" in world.release("status", "devel").out
    world.now += timedelta(minutes=1)
    assert world.release("cleanup").out == "", "it isn't warm"
    world.now += timedelta(minutes=2)
    world.release("cleanup", "--direct")
    assert world.state().versions["v2"] == "v1.0.2"
    assert world.state().pinned["v2"].until.isoformat() == "2026-11-30", "for a week"


def test_who_restores_a_version_again_has_it_routed_at_once(world: World) -> None:
    without_v2(world)
    world.land("restore", "devel", "v2", "--reason", "mobile clients")
    world.now += timedelta(days=2)
    doctor = [one for one in world.json("doctor")["findings"] if one["about"] == "restored"]
    (told,) = doctor
    assert (told["verdict"], told["mend"].partition(";")[0]) == ("warning", "`release restore devel v2` routes it")
    explained = world.json("explain", "devel", "v2")
    assert explained["said"] == "is deployed and the next sweep routes it: deployed for 5m"
    assert world.changes("restore", "devel", "v2") == [("restore", "v2"), ("pin", "v2")]
    assert world.lines(ref="release/devel")[-1].intent.written["deployed"] is True
    assert world.state(ref="release/devel").pinned["v2"].reason == "mobile clients"


def test_a_working_tree_routes_nothing_that_it_has_only_just_deployed(world: World) -> None:
    without_v2(world).pull()
    for _ in range(2):
        world.release("restore", "devel", "v2", "--local")
        assert "  retired:\n    v2: v1.0.2\n" in (world.clone / "environments/devel/image_tag.yaml").read_text()


def test_no_version_of_another_environment_is_restored_past_the_gates(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("promote", "devel", "staging")
    world.release("pulls", "close", "1")
    said = world.refused("restore", "staging", "v5")
    assert "v1.0.5 never was in staging" in said


def test_a_quarantined_version_is_not_routed_and_stays_out_until_it_is_cleared(world: World) -> None:
    world.land("quarantine", "devel", "v4", "--reason", "wrong results")
    assert world.state().quarantined["v4"].reason == "wrong results"
    assert world.state().quarantined["v4"].since is not None
    assert "can't be the default" in world.refused("default", "devel", "v4")
    assert world.json("bump", "devel", "v1.0.5")["notes"] == ["held: v4 is quarantined"]
    world.merge(2)
    assert world.state().default == "v3"
    world.land("clear", "devel", "v4", "--reason", "it was the test")
    assert world.state().quarantined == {}


def test_quarantine_outlives_removal_and_comes_back_with_restore(world: World) -> None:
    world.land("quarantine", "devel", "v4", "--reason", "wrong results")
    world.land("retire", "devel", "v4")
    world.now += timedelta(hours=2)
    world.release("cleanup")
    world.merge(3)
    assert "v1.0.4" not in world.tags()
    assert "was quarantined (wrong results)" in world.json("bump", "devel", "v1.0.4")["notes"][0]
    assert world.changes("restore", "devel", "v4") == [("restore", "v4"), ("pin", "v4"), ("quarantine", "v4")]
    world.release("pulls", "close", "4")
    world.land("clear", "devel", "v4")
    assert "v1.0.4" not in world.tags(), "a clear brings nothing back"
    assert world.changes("bump", "devel", "v1.0.4") == [("add", "v4"), ("set-default", "v4")]


def test_what_a_rule_forbids_is_refused_with_the_command_that_does_it(world: World) -> None:
    world.land("pin", "devel", "v2", "--reason", "why")
    assert "release default devel NAME" in world.refused("retire", "devel", "v3")
    assert "release unpin devel v2" in world.refused("retire", "devel", "v2")
    assert "release downgrade devel --from v3" in world.refused("quarantine", "devel", "v3", "--reason", "bad")
    world.land("retire", "devel", "v1")
    assert "release restore devel v1" in world.refused("default", "devel", "v1")
    assert "release restore devel v1" in world.refused("pin", "devel", "v1", "--reason", "why")


def test_a_version_that_left_can_be_quarantined_so_that_nothing_brings_it_back(world: World) -> None:
    world.land("retire", "devel", "v4")
    outcome = world.json("quarantine", "devel", "v4", "--reason", "wrong results")
    assert outcome["notes"] == [
        "v4 (v1.0.4) is retired: no bump and no promotion brings it back before `release clear devel v4`"
    ]
    assert world.lines("devel", "release/devel")[-1].changes[0].action == "quarantine"
    world.merge(2)
    assert world.state().quarantined == {}
    world.now += timedelta(hours=2)
    world.release("cleanup")
    world.merge(3)
    assert "v1.0.4 was quarantined (wrong results)" in world.json("bump", "devel", "v1.0.4")["notes"][0]
    assert world.json("quarantine", "devel", "v4", "--reason", "x")["notes"] == [
        "v4 is quarantined already: wrong results"
    ]
    world.release("check")
    world.land("clear", "devel", "v4")
    assert world.changes("bump", "devel", "v1.0.4") == [("add", "v4"), ("set-default", "v4")]


@pytest.mark.parametrize("command", ["default", "pin", "unpin", "retire", "restore", "quarantine", "clear"])
def test_an_unknown_version_is_refused_with_those_that_are_there(world: World, command: str) -> None:
    said = world.refused(command, "devel", "v44", "--reason", "why")
    assert "there is no version 'v44' in devel" in said
    assert "did you mean 'v4'? there are: v1 (v1.0.1), v2 (v1.0.2), v3 (v1.0.3), v4 (v1.0.4)" in said


def test_the_last_live_version_stays(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags="image:\n  tag:\n    v1: v1.0.1\n    v2: v1.0.2\n  default: v1\n")
    world.land("quarantine", "devel", "v2", "--reason", "bad")
    assert "last live version" in world.refused("quarantine", "devel", "v1", "--reason", "bad")
    assert "no version of devel to go back to" in world.refused("downgrade", "devel")


def test_what_waits_in_the_pull_request_can_be_named_and_taken_away_again(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    assert world.changes("pin", "devel", "v5", "--reason", "why") == [("pin", "v5")]
    world.release("unpin", "devel", "v5")
    world.release("default", "devel", "v3")
    assert world.changes("retire", "devel", "v5") == [("remove", "v5")], "nothing of it has to drain"
    world.merge(1)
    assert world.tags() == NAMED
    assert world.changes("bump", "devel", "v1.0.6")[0] == ("add", "v6"), "its name stays taken"


def test_operations_of_all_kinds_wait_in_one_pull_request_and_land_together(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.release("pin", "devel", "v2", "--reason", "why")
    world.release("quarantine", "devel", "v4", "--reason", "bad")
    world.release("retire", "devel", "v1")
    (pull,) = world.pulls()
    assert pull["title"] == "devel: bump v1.0.5, pin v1.0.2, quarantine v1.0.4, retire v1.0.1"
    world.merge(pull["number"])
    assert [line.intent.operation for line in world.lines()] == ["bump", "pin", "quarantine", "retire"]
    state = world.state()
    assert (state.default, set(state.live), set(state.retired)) == ("v5", {"v2", "v3", "v5"}, {"v1"})


def test_a_pending_operation_that_the_base_refuses_has_no_effect_and_says_why(world: World) -> None:
    world.release("retire", "devel", "v1")
    world.release("retire", "devel", "v2")
    tags = world.tags()
    world.commit({"environments/devel/image_tag.yaml": tags + "  pinned:\n    v2: {reason: by a person}\n"}, "Pin v2")
    world.release("sync")
    (pull,) = world.pulls()
    assert "v2 (v1.0.2) is pinned in devel: by a person" in pull["body"]
    world.merge(pull["number"])
    assert set(world.state().retired) == {"v1"}
    told = {line.intent.written["version"]: line.no_effect for line in world.lines()}
    assert told == {"v1": "", "v2": "v2 (v1.0.2) is pinned in devel: by a person"}
    assert [change.action for change in world.lines()[0].adopted if change.action == "pin"] == ["pin"]


def test_the_same_operation_twice_from_one_run_is_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example.com/jobs/1")
    world.land("quarantine", "devel", "v4", "--reason", "bad")
    world.land("clear", "devel", "v4")
    again = world.json("quarantine", "devel", "v4", "--reason", "bad")
    assert again["changed"] is False
    assert "has landed already" in again["notes"][0]
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example.com/jobs/2")
    assert world.json("quarantine", "devel", "v4", "--reason", "bad")["changed"] is True


@pytest.mark.parametrize("command", [
    ("pin", "v2", "--reason", "why"), ("retire", "v1", "--reason", "why"),
    ("quarantine", "v4", "--reason", "why"), ("default", "v4")
])  # fmt: skip
def test_straight_to_the_base_and_in_the_working_tree_give_the_same_file(
    world: World, command: tuple[str, ...]
) -> None:
    operation, *rest = command
    world.release(operation, "devel", *rest, "--local")
    local = (world.clone / "environments/devel/image_tag.yaml").read_text()
    assert local != NAMED
    outcome = world.json(operation, "devel", *rest, "--direct")
    assert (outcome["branch"], outcome["pull_request"]) == ("main", None)
    since = [line for line in world.tags().splitlines() if "since" not in line]
    assert since == [line for line in local.splitlines() if "since" not in line]


def test_a_dry_run_writes_nothing_anywhere(world: World) -> None:
    with world.unchanged():
        result = world.release("retire", "devel", "v1", "--dry-run")
    assert "-    v1: v1.0.1" in result.out
    assert "+  retired:" in result.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pin", "devel", "v2"), "needs --reason"),
        (("quarantine", "devel", "v2", "--reason", " \n "), "needs --reason"),
        (("pin", "devel", "v2", "--reason", "x", "--until", "2027-02-30"), "no day"),
        (("pin", "devel", "v2", "--reason", "x", "--until", "soon"), "never"),
        (("pin", "devel", "v2", "--reason", "x" * 501), "501 characters"),
        (("retire", "devel"), "NAME"),
        (("undo", "devel", "two words"), "can't be an id"),
        (("promote", "devel", "staging", "--force"), "needs --reason"),
    ],
)
def test_wrong_usage(world: World, arguments: tuple[str, ...], words: str) -> None:
    assert words in world.release(*arguments, code=2).err


def test_a_pin_can_not_end_before_it_begins(world: World) -> None:
    assert "that day has passed" in world.refused("pin", "devel", "v2", "--reason", "x", "--until", "2026-11-22")


def test_a_reason_from_outside_stays_text(world: World) -> None:
    reason = "🔥 '{a: b}' # | <b> @team \u202e x"
    world.land("quarantine", "devel", "v4", "--reason", reason)
    assert world.state().quarantined["v4"].reason == reason
    body = world.json("pulls", "show", "1")["body"]
    assert "<b>" not in body
    assert "@team" not in body
