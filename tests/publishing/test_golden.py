"""The seed's own file, to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import SEED, WITH_DEFAULT, World

CASES = {
    "manual, keep 8: exactly one added line": (SEED, "manual", 8, SEED + "  - v1.0.5\n"),
    "newest, keep 8: the default and the tag": (SEED, "newest", 8, SEED + "  - v1.0.5\n  default: v5\n"),
    "newest, keep 4, written default: v1 retires, names stay": (WITH_DEFAULT, "newest", 4, """\
image:
  default: v5
  tag:
    v2: v1.0.2
    v3: v1.0.3
    v4: v1.0.4
    v5: v1.0.5
  retired:
    v1: v1.0.1
"""),
    "newest, keep 4, implied default: v1 is the fallback target and stays":
        (SEED, "newest", 4, SEED + "  - v1.0.5\n  default: v5\n"),
    "comments travel": ("""\
# versions of devel
image:
  default: v4   # moved by bumps
  tag:
  - v1.0.1   # the first
  # for the mobile clients
  - "v1.0.2"  # quoted
  - v1.0.3

  - v1.0.4
# the end
""", "newest", 4, """\
# versions of devel
image:
  default: v5   # moved by bumps
  tag:
    # for the mobile clients
    v2: "v1.0.2"  # quoted
    v3: v1.0.3

    v4: v1.0.4
    v5: v1.0.5
  retired:
    v1: v1.0.1   # the first
# the end
"""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bump_of_the_next_tag(name: str, tmp_path: Path) -> None:
    before, default, keep, after = CASES[name]
    world = World.make(tmp_path, tags=before, default=default, keep=keep)
    world.release("bump", "devel", "v1.0.5")
    assert (world.tags(ref="release/devel"), world.tags()) == (after, before)
    world.merge(1)
    assert world.tags() == after


def test_the_plan_says_why_the_fallback_target_stays(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=SEED, keep=4)
    outcome = world.json("bump", "devel", "v1.0.5")
    assert {"version": "v1", "tag": "v1.0.1", "reason": "fallback target"} in outcome["kept"]


def test_the_documented_json(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, keep=4)
    outcome = world.json("bump", "devel", "v1.0.5")
    assert (outcome["operation"], outcome["environment"]) == ("bump", "devel")
    assert outcome["changed"] is True
    assert outcome["changes"] == [
        {"action": "add", "version": "v5", "tag": "v1.0.5", "reason": "bump"},
        {"action": "set-default", "version": "v5", "tag": "v1.0.5", "reason": "default: newest", "before": "v4"},
        {"action": "retire", "version": "v1", "tag": "v1.0.1", "reason": "keep 4: five live"},
    ]
    assert {"version": "v2", "tag": "v1.0.2", "reason": "newest 4"} in outcome["kept"]
    assert (outcome["branch"], outcome["commit"]) == ("release/devel", world.refs()["refs/heads/release/devel"])
    assert outcome["pull_request"]["number"] == 1
    assert outcome["pull_request"]["created"] is True
    again = world.json("bump", "devel", "v1.0.5")
    assert (again["changed"], again["changes"], again["commit"]) == (False, [], None)
    assert again["branch"] == "release/devel"
    assert again["pull_request"] == {**outcome["pull_request"], "created": False}
