"""A landing whose time nobody can tell counts from when it was first seen, never from before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from world import CONFIG, World

NONE = "forge: {kind: none}\n" + CONFIG.format(default="newest", keep=4).replace("drain: 1h", "drain: 1h")
LOCAL = CONFIG.format(default="newest", keep=4)
LATER = timedelta(hours=3)


@pytest.fixture(params=["none", "local"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    found = World.make(tmp_path, config=NONE if request.param == "none" else LOCAL)
    found.commit(
        {
            "environments/devel/image_tag.yaml": "image:\n  default: v4\n  tag:\n"
            + "".join(f"  - v1.0.{n}\n" for n in range(1, 5))
        },
        "Write it",
    )
    return found


def fast_forward(world: World, branch: str = "release/devel") -> None:
    """A person, or a forge, merges without a commit of its own."""
    world.git("fetch", "-q", "origin", branch)
    world.git("push", "-q", "origin", "FETCH_HEAD:refs/heads/main")
    world.git("push", "-q", "origin", f":refs/heads/{branch}")
    world.pull()
    world.landed.clear()


def actions(world: World) -> list[str]:
    return [change.action for line in world.lines() for change in line.changes]


def test_a_route_that_went_a_moment_ago_keeps_its_pods(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.now += LATER
    fast_forward(world)
    assert "retire" in actions(world)
    world.release("cleanup", "devel")  # keeps when it saw that
    world.release("cleanup", "devel")
    waiting = world.lines(ref="release/devel")[-1]
    assert waiting.intent.operation == "cleanup"
    assert waiting.changes == ()
    assert len(waiting.extra["seen"]) == 1
    tip = world.refs()["refs/heads/release/devel"]
    world.release("sync")
    assert world.refs()["refs/heads/release/devel"] == tip
    world.release("cleanup", "devel", later=timedelta(hours=2))
    assert [change.action for change in world.lines(ref="release/devel")[-1].changes] == ["remove"]
    fast_forward(world)
    assert "v1:" not in world.tags()


def test_the_next_operation_keeps_it_too(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.now += LATER
    fast_forward(world)
    world.release("bump", "devel", "v1.0.6")
    line = world.lines(ref="release/devel")[-1]
    assert "remove" not in [change.action for change in line.changes]
    assert len(line.extra["seen"]) == 1
    fast_forward(world)
    world.release("cleanup", "devel", later=timedelta(minutes=30))
    assert "v1:" in world.tags(ref="main")
    world.release("bump", "devel", "v1.0.7", later=timedelta(hours=1))
    assert ("remove", "v1") in [(one.action, one.version) for one in world.lines(ref="release/devel")[-1].changes]


def test_what_the_tool_pushes_straight_has_the_time_of_its_push(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("bump", "devel", "v1.0.6", "--direct", later=LATER)
    assert "remove" in actions(world)
    assert not any("seen" in line.extra for line in world.lines())


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_merge_by_the_forge_is_known(tmp_path: Path, method: str) -> None:
    world = World.make(tmp_path, config=LOCAL)
    world.commit(
        {
            "environments/devel/image_tag.yaml": "image:\n  default: v4\n  tag:\n"
            + "".join(f"  - v1.0.{n}\n" for n in range(1, 5))
        },
        "Write it",
    )
    world.release("bump", "devel", "v1.0.5")
    world.now += LATER
    world.merge(1, method)
    world.release("cleanup", "devel", later=timedelta(minutes=30))
    assert "refs/heads/release/devel" not in world.refs()
    world.release("cleanup", "devel", later=timedelta(hours=1))
    assert [change.action for change in world.lines(ref="release/devel")[-1].changes] == ["remove"]
