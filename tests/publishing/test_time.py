"""Time: a clock that went back, and days between plan and merge."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world import World

pytestmark = pytest.mark.world(keep=2)


def test_a_clock_that_went_back_is_refused_and_never_written_down(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    last = world.lines()[-1]
    world.now -= timedelta(days=3)
    said = world.refused("bump", "devel", "v1.0.6", "--direct")
    assert f"is 2 days after this machine's clock, 2026-11-20T12:02:00Z: so the operation {last.id} is dated" in said
    world.pull()
    assert last.id in world.refused("pin", "devel", "v4", "--reason", "why", "--local")
    outcome = world.json("bump", "devel", "v1.0.6", "--direct", "--force", "--reason", "why")
    assert "this machine's clock says 2026-11-20" in outcome["notes"][0]
    assert world.lines()[-1].at == last.at
    world.now += timedelta(days=3)


def test_a_clock_behind_the_last_commit_is_refused_with_that_commit_and_a_minute_is_not(world: World) -> None:
    tip = world.commit({"README": "new"}, "A person's")
    world.now -= timedelta(minutes=50)
    world.release("pin", "devel", "v4", "--reason", "why", "--dry-run")
    world.now -= timedelta(minutes=30)
    said = world.refused("pin", "devel", "v4", "--reason", "why")
    assert f"so the commit {tip[:12]} of main is dated" in said
    assert "Test Person" in said


def test_check_finds_lines_from_the_future_and_says_how_to_take_them_back(world: World) -> None:
    before = world.now
    world.now += timedelta(days=200)
    world.release("bump", "devel", "v1.0.5")
    world.now = before
    found = world.release("check", "--ref", "release/devel", "--output", "json", code=1).data["findings"]
    assert [one["where"] for one in found] == ["environments/devel/history.jsonl:1"]
    assert "is dated 2027-06-11T12:01:00Z, 200 days after this machine's clock" in found[0]["what"]
    said = world.refused("bump", "devel", "v1.0.6")
    assert "close the pull request of that branch" in said
    world.release("pulls", "close", "1")
    world.release("bump", "devel", "v1.0.6")
    world.now += timedelta(days=200)
    world.land("bump", "devel", "v1.0.7", "--id", "later")
    world.land("bump", "devel", "v1.0.8", "--id", "latest")
    for which in ("operations later, latest are dated up to", "operation later is dated"):
        world.now = before
        world.pull()
        (found,) = world.release("check", "--output", "json", code=1).data["findings"]
        assert which in found["what"]
        _, command, _ = found["hint"].split("`")
        commit = world.git(*command.split()[1:]).split()[0]
        world.git("revert", "--no-edit", commit)
        world.git("push", "-q", "origin", "main")
        world.landed.clear()
    world.now += timedelta(hours=1)  # the reverts' own commits
    assert world.release("check").code == 0


def test_a_new_line_from_the_future_is_an_error_also_where_one_has_landed(world: World) -> None:
    before = world.now
    for hours in (2, 400):
        world.now = before + timedelta(hours=hours)
        world.land("bump", "devel", f"v1.0.{5 if hours == 2 else 6}")
    world.release("bump", "devel", "v1.0.7", "--force", "--reason", "why")
    world.now = before
    report = world.release("check", "--ref", "release/devel", "--output", "json", code=1).data
    landed, ids = report["warnings"][0], [line.id for line in world.lines()]
    assert f"the operations {', '.join(ids)} are dated up to" in landed["what"]
    assert [one["where"] for one in (landed, *report["findings"])] == [
        f"environments/devel/history.jsonl:{n}" for n in (2, 3)
    ]
    assert "the merge would break the base branch" in world.refused("pulls", "merge", "3")


def test_a_drain_begins_with_the_merge_not_with_the_plan(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.now += timedelta(days=5)
    world.merge(1)
    assert set(world.state().retired) == {"v1", "v2", "v3"}
    world.now += timedelta(minutes=50)
    assert world.release("cleanup").out == ""
    world.now += timedelta(minutes=15)
    outcome = world.json("cleanup")[0]
    assert {change["action"] for change in outcome["changes"]} == {"remove"}


def test_what_was_reverted_drains_anew_when_it_retires_again(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.now += timedelta(hours=3)
    world.revert()
    world.revert()
    assert set(world.state().retired) == {"v1", "v2", "v3"}
    assert world.release("cleanup").out == "", "they are retired since the revert of the revert"
    world.now += timedelta(hours=1)
    assert world.json("cleanup")[0]["changed"] is True
