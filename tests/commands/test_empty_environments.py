"""An environment that has had no version yet is empty, not wrong: for every command, and on the way to its first."""

from __future__ import annotations

import pytest
from world import World

EMPTY = "image: {tag: {}}\n"


def say_right(world: World, *ref: str) -> None:
    assert world.release("check", "--base", *ref).code == 0
    assert world.json("doctor")["errors"] == 0


@pytest.mark.parametrize("text", ["", "image:\n  tag: []  # the first comes\n"])
def test_empty_environments_are_right_everywhere_and_get_their_first_version(world: World, text: str) -> None:
    world.commit({f"environments/{name}/image_tag.yaml": text for name in ("devel", "staging")}, "Day one")
    say_right(world)
    said = world.release("status").out
    assert "no version yet: `release bump devel TAG` brings the first one" in said
    assert "no version yet: `release promote devel staging` brings the first one" in said
    for quiet in (["render", "staging"], ["diff"], ["cleanup"], ["sync"], ["history", "staging"]):
        assert world.release(*quiet).out == ""
    assert "`release bump devel TAG` brings the first one" in world.refused("promote", "devel", "staging")
    assert "it has no version yet" in world.refused("retire", "staging", "v1", "--reason", "old")
    world.land("bump", "devel", "v1.0.1")
    say_right(world)
    assert "kind: Deployment" in world.release("render", "devel").out
    world.land("promote", "devel", "staging")
    assert world.state("staging").default == "v1"


@pytest.mark.parametrize("recorded", [True, False])
def test_an_environment_that_had_versions_is_not_empty(world: World, recorded: bool) -> None:
    if recorded:
        world.land("bump", "devel", "v1.0.5")
        world.pull()
    world.commit({"environments/devel/image_tag.yaml": EMPTY}, "Nothing is live", branch="emptied")
    said = world.release("check", "--ref", "emptied", code=1).out
    assert "environments/devel/image_tag.yaml:1:" in said
    assert ("there is no live version" if recorded else "no version is left, and there were: v1, v2, v3, v4") in said


def test_check_and_doctor_name_the_file_that_an_added_environment_lacks_and_what_to_write(world: World) -> None:
    config = world.file("release.yaml") + "  demo: {promote_from: staging}\n"
    world.commit({"release.yaml": config}, "One more")
    (error,) = [one for one in world.release("doctor", "--output", "json", code=1).data["findings"] if one["mend"]]
    (found,) = world.release("check", "--output", "json", code=1).data["findings"]
    assert (found["where"], found["hint"]) == (error["where"], error["mend"])
    assert error["mend"] in world.release("status").out
    assert error["mend"] in world.refused("promote", "staging", "demo")
    world.commit({error["where"]: error["mend"].split("`")[1] + "\n"}, "As doctor says")
    say_right(world)
    world.land("promote", "staging", "demo")
