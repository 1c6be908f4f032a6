"""Time: a clock that went back, and days between plan and merge."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world import World

pytestmark = pytest.mark.world(keep=2)


def test_a_clock_that_went_back_is_told_and_never_written_down(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    last = world.lines()[-1].at
    world.now -= timedelta(days=3)
    outcome = world.json("bump", "devel", "v1.0.6", "--direct")
    assert "this machine's clock says 2026-11-20" in outcome["notes"][0]
    assert world.lines()[-1].at == last
    world.now += timedelta(days=3)


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
