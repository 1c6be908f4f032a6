"""Undo: the inverse of one landed operation, as a new operation."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path

import pytest
from world import NAMED, World, pairs

pytestmark = pytest.mark.world(tags=NAMED)


def undone(world: World, *more: str) -> list[tuple[str, str]]:
    outcome = world.json("undo", "devel", *more)
    if outcome["pull_request"]:
        world.merge(outcome["pull_request"]["number"])
    return pairs(outcome["changes"])


@pytest.mark.parametrize(
    ("command", "inverse"),
    [
        (("bump", "devel", "v1.0.5"), [("set-default", "v3"), ("retire", "v5")]),
        (("bump", "devel", "v1.0.5", "--pin"), [("set-default", "v3"), ("unpin", "v5"), ("retire", "v5")]),
        (("default", "devel", "v4"), [("set-default", "v3")]),
        (("downgrade", "devel"), [("clear", "v3"), ("set-default", "v3")]),
        (("retire", "devel", "v2"), [("restore", "v2"), ("pin", "v2")]),
        (("pin", "devel", "v2", "--reason", "why"), [("unpin", "v2")]),
        (("quarantine", "devel", "v4", "--reason", "why"), [("clear", "v4")]),
    ],
)
def test_each_operation_has_its_inverse(world: World, command: tuple[str, ...], inverse: list[tuple[str, str]]) -> None:
    before = world.state()
    world.release(*command, "--direct")
    assert undone(world) == inverse
    after = world.state()
    assert (after.default, after.quarantined) == (before.default, before.quarantined)
    assert set(after.live) == set(before.live)


def test_the_commands_of_a_pull_request_undo_it_in_the_order_that_they_are_printed_in(world: World) -> None:
    before = world.state()
    for command in (
        ("bump", "devel", "v1.0.5"),
        ("bump", "devel", "v1.0.6"),
        ("retire", "devel", "v5"),  # comes and goes in one pull request
        ("retire", "devel", "v1"),
        ("pin", "devel", "v2", "--reason", "mobile clients"),
        ("unpin", "devel", "v2"),
    ):
        world.release(*command)
    (pull,) = world.pulls()
    assert pull["title"] == "devel: bump v1.0.6, retire v1.0.1, pin v1.0.2, unpin v1.0.2"
    body = world.json("pulls", "show", str(pull["number"]))["body"]
    world.merge(pull["number"])
    commands = [shlex.split(line)[1:] for line in body.split("```sh\n")[1].split("```")[0].splitlines()]
    assert [one[0] for one in commands].count("unpin") == 1
    for command in commands:
        world.release(*command)
    (pull,) = world.pulls()
    assert pull["title"].startswith("devel: undo ")
    world.merge(pull["number"])
    after = world.state()
    assert (after.default, after.live, set(after.retired)) == (before.default, before.live, {"v6"})


def test_unpin_and_clear_are_undone_with_what_stood_there(world: World) -> None:
    world.release("pin", "devel", "v2", "--reason", "mobile clients 2.x", "--until", "2027-03-31", "--direct")
    world.release("unpin", "devel", "v2", "--direct")
    assert undone(world) == [("pin", "v2")]
    assert "v2: {reason: mobile clients 2.x, until: 2027-03-31}" in world.tags()
    world.release("quarantine", "devel", "v4", "--reason", "wrong results", "--direct")
    world.release("clear", "devel", "v4", "--direct")
    assert undone(world) == [("quarantine", "v4")]
    assert world.state().quarantined["v4"].reason == "wrong results"


def test_the_sweep_of_an_operation_is_not_undone_but_that_of_a_cleanup_is(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=NAMED, keep=3)
    world.release("bump", "devel", "v1.0.5", "--direct")
    assert set(world.state().retired) == {"v1", "v2"}
    assert undone(world) == [("set-default", "v3"), ("retire", "v5")], "v1 and v2 stay retired"
    world.now += timedelta(hours=2)
    world.release("cleanup", "--direct")
    assert "v1.0.1" not in world.tags()
    assert [one for one in undone(world) if one[0] in {"deploy", "restore"}] == [
        ("deploy", "v5"), ("deploy", "v2"), ("deploy", "v1"),
    ]  # fmt: skip


def test_an_operation_is_named_by_its_id(world: World) -> None:
    world.release("pin", "devel", "v2", "--reason", "why", "--id", "first", "--direct")
    world.release("bump", "devel", "v1.0.5", "--direct")
    assert undone(world, "first") == [("unpin", "v2")]
    assert "v5" in world.state().live


def test_an_undo_is_not_undone_by_accident_but_by_its_id(world: World) -> None:
    world.release("default", "devel", "v4", "--direct")
    world.release("undo", "devel", "--id", "back", "--direct")
    assert "is an undo itself (back)" in world.release("undo", "devel", code=1).err
    assert undone(world, "back") == [("set-default", "v4")]


def test_what_is_undone_already_says_so(world: World) -> None:
    world.release("pin", "devel", "v2", "--reason", "why", "--id", "first", "--direct")
    world.release("unpin", "devel", "v2", "--direct")
    outcome = world.json("undo", "devel", "first")
    assert outcome["changed"] is False
    assert outcome["notes"] == ["v2 is not pinned", "nothing is left to undo of pin (first)"]


def test_the_default_before_must_be_live(world: World) -> None:
    world.release("default", "devel", "v4", "--id", "move", "--direct")
    world.release("quarantine", "devel", "v3", "--reason", "bad", "--direct")
    said = world.release("undo", "devel", "move", code=1).err
    assert "v3, the default before, is quarantined in devel" in said
    assert "`release clear devel v3` first, then `release default devel v3`" in said


def test_a_default_before_that_was_retired_is_brought_back_first(world: World) -> None:
    world.release("default", "devel", "v4", "--id", "move", "--direct")
    world.release("retire", "devel", "v3", "--reason", "done", "--direct")
    said = world.release("undo", "devel", "move", code=1).err
    assert "v3, the default before, is not live in devel any more" in said
    assert "`release restore devel v3` first, then `release default devel v3`" in said
    world.release("restore", "devel", "v3", "--direct")
    world.release("default", "devel", "v3", "--direct")
    assert world.state().default == "v3"


def test_undo_says_what_the_sweep_took_away_and_how_it_comes_back(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=NAMED, keep=3)
    world.release("bump", "devel", "v1.0.5", "--direct")
    outcome = world.json("undo", "devel", "--direct")
    assert outcome["notes"] == [
        "its sweep retired v1 (v1.0.1); `release restore devel v1` brings it back",
        "its sweep retired v2 (v1.0.2); `release restore devel v2` brings it back",
    ]
    world.release("restore", "devel", "v2", "--direct")
    assert "v2" in world.state().live


def test_a_default_that_has_moved_on_stays(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--id", "five", "--direct")
    world.release("bump", "devel", "v1.0.6", "--direct")
    outcome = world.json("undo", "devel", "five")
    assert pairs(outcome["changes"]) == [("retire", "v5")]
    assert outcome["notes"] == ["the default has moved on to v6: it stays"]


def test_only_what_has_landed_is_undone(world: World) -> None:
    assert "nothing has landed in devel yet" in world.release("undo", "devel", code=1).err
    world.release("bump", "devel", "v1.0.5", "--id", "waits")
    assert "is not in the record of devel" in world.release("undo", "devel", "waits", code=1).err


def test_the_run_that_is_repeated_undoes_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.release("default", "devel", "v4", "--direct")
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example.com/jobs/1")
    world.release("undo", "devel", "--direct")
    again = world.json("undo", "devel", "--direct")
    assert again["changed"] is False
    assert world.state().default == "v3"
