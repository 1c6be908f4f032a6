"""Sixteen bumps at once, as processes, against one bare repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from world import World

pytestmark = pytest.mark.slow

TAGS = [f"v1.1.{number}" for number in range(16)]


def bump_all(world: World, *options: str) -> list[Any]:
    """Start all bumps, wait for all; what each said."""
    processes = [
        subprocess.Popen(
            [
                sys.executable, "-m", "release_tool", "bump", "devel", tag, "--output", "json",
                "-C", str(world.clone), *options,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        for tag in TAGS
    ]  # fmt: skip
    said = []
    for process in processes:
        out, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
        assert "Traceback" not in err
        said.append(json.loads(out))
    return said


def adds(said: Any) -> list[str]:
    return [change["tag"] for change in said["changes"] if change["action"] in {"add", "supersede"}]


@pytest.mark.parametrize("options", [(), ("--direct",)], ids=["pull request", "direct"])
def test_sixteen_bumps_at_once_all_arrive(options: tuple[str, ...], tmp_path: Path) -> None:
    world = World.make(tmp_path, keep=40)
    said = bump_all(world, *options)
    assert [adds(one) for one in said] == [[tag] for tag in TAGS]
    if not options:
        assert len(world.pulls()) == 1
        assert world.lines() == ()
        world.now = datetime.now(timezone.utc)  # as those processes have it
        world.merge(1)
    state = world.state()
    assert set(TAGS) <= set(state.versions.values())
    assert state.versions[state.default] == "v1.1.15"
    lines = world.lines()
    assert sorted(line.intent.tag for line in lines) == sorted(TAGS)
    names = [change.version for line in lines for change in line.changes if change.action == "add"]
    assert len(set(names)) == 16, "sixteen names"


@pytest.mark.nightly
@pytest.mark.parametrize("options", [(), ("--direct",)], ids=["pull request", "direct"])
def test_sixteen_bumps_at_once_with_four_to_keep(options: tuple[str, ...], tmp_path: Path) -> None:
    world = World.make(tmp_path, keep=4)
    said = bump_all(world, *options)
    for tag, one in zip(TAGS, said, strict=True):
        assert adds(one) == [tag] or any(tag in note for note in one["notes"]), "every command says what became of it"
    if not options:
        assert len(world.pulls()) == 1
        world.now = datetime.now(timezone.utc)  # as those processes have it
        world.merge(1)
    state = world.state()
    newest = {"v1.1.12", "v1.1.13", "v1.1.14", "v1.1.15"}
    live = set(state.live.values())
    assert newest <= live
    assert len(live - newest) <= 1, "beside them the fallback target only"
    assert state.versions[state.default] == "v1.1.15"
