"""A bump that is killed at any of its git commands, and run again: one version, one pull request."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from world import World

from release_tool.wiring import utc_now

# Stands before git on PATH. Counts the commands of one bump; at the Nth it kills the tool, before or after git did
# its work. `exec`ed children of git itself are not counted: git finds them without PATH.
GIT = """\
#!/bin/sh
case "$*" in *cat-file*) exec "$REAL_GIT" "$@" ;; esac  # reads only, and stays as long as the tool
count=1  # making a directory is atomic: two commands may start at once
while ! mkdir "$COUNTER/$count" 2>/dev/null; do count=$((count + 1)); done
if [ "$count" = "$KILL_AT" ]; then
  if [ "$KILL_WHEN" = after ]; then "$REAL_GIT" "$@" > /dev/null 2>&1; fi
  kill -9 $PPID
  exit 137
fi
exec "$REAL_GIT" "$@"
"""


def run(world: World, kill_at: int, when: str, *options: str) -> int:
    programs = world.path / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "git").write_text(GIT)
    (programs / "git").chmod(0o755)
    counter = world.path / "counter"
    shutil.rmtree(counter, ignore_errors=True)
    counter.mkdir()
    temporary = world.path / "tmp"
    temporary.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "release_tool", "bump", "devel", "v1.0.5", "-C", str(world.clone), *options],
        env={
            **os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "REAL_GIT": str(shutil.which("git")),
            "COUNTER": str(counter), "KILL_AT": str(kill_at), "KILL_WHEN": when, "TMPDIR": str(temporary),
        },
        capture_output=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    return done.returncode


def reset(world: World, refs: dict[str, str]) -> None:
    """The origin as it was."""
    for ref in world.refs():
        if ref not in refs:
            world.git("update-ref", "-d", ref, cwd=world.origin)
    for ref, commit in refs.items():
        world.git("update-ref", ref, commit, cwd=world.origin)
    world.landed.clear()


@pytest.mark.parametrize("options", [(), ("--direct",)], ids=["pull request", "direct"])
@pytest.mark.parametrize("when", ["before", pytest.param("after", marks=pytest.mark.slow)])
def test_a_bump_that_is_killed_at_any_git_command_is_finished_by_the_next(
    when: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    world = World.make(tmp_path)
    begin = world.refs()
    killed = 0
    for kill_at in range(1, 60):
        world.now = utc_now()  # that of the other process
        code = run(world, kill_at, when, *options)
        if code == 0:
            break
        killed += 1
        world.release("bump", "devel", "v1.0.5", *options)
        if not options:
            assert len(world.pulls("all")) == 1, f"killed at {kill_at}"
            world.merge(1)
        assert list(world.state().versions.values()).count("v1.0.5") == 1
        assert len(world.lines()) == 1
        reset(world, begin)
    assert killed >= 4, "the tool was killed at its git commands"
    assert code == 0, "the last run was not killed"
