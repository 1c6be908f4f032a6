"""The downgrade by hand: on its own branch, never twice, never more than it was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import World, pairs

TAGS = """\
image:
  default: v4
  tag:
    v2: v1.0.2
    v3: v1.0.3
    v4: v1.0.4
"""
BRANCH = "release/devel-downgrade"


pytestmark = pytest.mark.world(tags=TAGS)


def test_the_default_goes_back_and_what_it_leaves_is_quarantined(world: World) -> None:
    outcome = world.json("downgrade", "devel", "--reason", "error rate 0.12")
    assert pairs(outcome["changes"]) == [("set-default", "v3"), ("quarantine", "v4")]
    assert outcome["branch"] == BRANCH
    world.merge(1)
    assert (world.state().default, world.state().quarantined["v4"].reason) == ("v3", "error rate 0.12")
    assert f"refs/heads/{BRANCH}" not in world.refs()


def test_it_shares_no_branch_with_what_waits(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.release("downgrade", "devel")
    assert [(pull["number"], pull["head"]) for pull in world.pulls()] == [(2, BRANCH), (1, "release/devel")]
    assert [line.intent.operation for line in world.lines(ref=BRANCH)] == ["downgrade"]
    world.merge(2)
    world.release("sync")
    assert "held: v4 is quarantined" not in world.tags(ref="release/devel")
    world.merge(1)
    state = world.state()
    assert (state.default, set(state.live), set(state.quarantined)) == ("v3", {"v2", "v3", "v5"}, {"v4"}), "held"


def test_to_from_and_without_quarantine(world: World) -> None:
    outcome = world.json("downgrade", "devel", "--from", "v4", "--to", "v2", "--no-quarantine")
    assert pairs(outcome["changes"]) == [("set-default", "v2")]
    world.merge(1)
    assert (world.state().default, world.state().quarantined) == ("v2", {})


def test_from_a_version_that_is_not_the_default_it_does_nothing(world: World) -> None:
    outcome = world.json("downgrade", "devel", "--from", "v3")
    assert (outcome["changed"], outcome["pull_request"]) == (False, None)
    assert outcome["notes"] == ["v3 is not the default, v4 is: nothing to leave"]
    assert world.pulls() == []


def test_a_second_one_from_the_same_tag_adopts_the_open_pull_request(world: World) -> None:
    first = world.json("downgrade", "devel", "--reason", "one")
    tip = world.refs()[f"refs/heads/{BRANCH}"]
    second = world.json("downgrade", "devel", "--reason", "two", "--from", "v4")
    assert second["changed"] is False
    assert second["pull_request"]["number"] == first["pull_request"]["number"]
    assert world.refs()[f"refs/heads/{BRANCH}"] == tip
    assert len(world.lines(ref=BRANCH)) == 1


def test_planned_again_on_another_default_it_only_quarantines(world: World) -> None:
    world.release("downgrade", "devel")
    world.release("default", "devel", "v2", "--direct")
    world.release("sync")
    assert world.state(ref=BRANCH).default == "v2"
    assert set(world.state(ref=BRANCH).quarantined) == {"v4"}
    world.merge(1)
    assert world.state().default == "v2"


def test_planned_again_where_the_version_is_gone_nothing_is_left_of_it(world: World) -> None:
    world.release("downgrade", "devel")
    world.commit({"environments/devel/image_tag.yaml": TAGS.replace("default: v4", "default: v3").replace(
        "    v4: v1.0.4\n", "")}, "Take v4 out")  # fmt: skip
    world.release("sync")
    assert world.pulls() == []


def test_the_run_that_is_repeated_goes_back_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example.com/jobs/1")
    world.release("downgrade", "devel", "--direct")
    assert world.state().default == "v3"
    again = world.json("downgrade", "devel", "--direct")
    assert again["changed"] is False
    assert world.state().default == "v3"


def test_a_protected_base_makes_it_a_pull_request_and_a_person_must_merge(world: World) -> None:
    world.hook(
        "while read old new ref; do\n"
        '  if [ "$ref" = refs/heads/main ] && [ ! -e allowed ]; then echo "protected branch" >&2; exit 1; fi\ndone\n'
    )
    result = world.release("downgrade", "devel", "--direct", code=1)
    assert "pull request #1 (opened)" in result.out
    assert "the server takes no direct push" in result.err
    assert "the downgrade became a pull request, which waits for a person" in result.err
    assert world.state().default == "v4"
    (world.origin / "allowed").touch()
    world.merge(1)
    assert world.state().default == "v3"


def test_targets_that_can_not_be_the_default_are_refused(world: World) -> None:
    world.release("quarantine", "devel", "v3", "--reason", "bad", "--direct")
    assert "v1.0.3 is not live in devel" in world.release("downgrade", "devel", "--to", "v3", code=1).err
    assert "name another version with --to" in world.release("downgrade", "devel", "--to", "v4", code=1).err
    world.release("downgrade", "devel", "--direct")
    assert world.state().default == "v2"
    assert "no version of devel to go back to" in world.release("downgrade", "devel", code=1).err


def test_a_default_that_is_the_oldest_is_left_for_a_version_that_is_named(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags="image:\n  tag:\n  - v1.0.1\n  - v1.0.2\n  - v1.0.3\n")
    said = world.release("downgrade", "devel", code=1).err
    assert "v3, v2 are live, but none is older than the default v1, and none was the default before" in said
    assert "name one: `release downgrade devel --to v3`" in said
    world.release("downgrade", "devel", "--to", "v3", "--direct")
    assert world.state().default == "v3"


def test_the_next_build_can_not_undo_it(world: World) -> None:
    world.release("downgrade", "devel", "--direct")
    world.release("bump", "devel", "v1.0.5", "--direct")
    assert world.state().default == "v3"
    world.release("clear", "devel", "v4", "--direct")
    world.release("bump", "devel", "v1.0.6", "--direct")
    assert world.state().default == "v6"
