"""The hook of `.pre-commit-hooks.yaml`, run by pre-commit itself at real commits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from world import ROOT, World

HOOKS = ROOT / ".pre-commit-hooks.yaml"


def run(world: World, home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    person = {f"GIT_{role}_{part}": "a@b.c" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    environ = {**os.environ, **person, "PRE_COMMIT_HOME": str(home), "GIT_CONFIG_GLOBAL": "/dev/null"}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(command, cwd=world.clone, env=environ, capture_output=True, text=True, check=False)


def commits(world: World, home: Path, config: object) -> None:
    """A person commits what is right, and what is not."""
    (world.clone / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    installed = run(world, home, sys.executable, "-m", "pre_commit", "install")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    run(world, home, "git", "add", "-A")
    done = run(world, home, "git", "commit", "-m", "Check before each commit")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "release check" in done.stderr
    assert "Passed" in done.stderr
    path = world.clone / "environments" / "devel" / "image_tag.yaml"
    path.write_text("image:\n  default: v9\n  tag:\n  - v1.0.1\n")
    done = run(world, home, "git", "commit", "-am", "Move the default to nothing")
    assert done.returncode == 1
    assert "image.default: v9 is no version" in done.stderr
    assert run(world, home, "git", "log", "--format=%s", "-1").stdout == "Check before each commit\n"


def test_pre_commit_takes_the_hooks_of_this_repository() -> None:
    done = subprocess.run([sys.executable, "-m", "pre_commit", "validate-manifest", str(HOOKS)], check=False)
    assert done.returncode == 0


def test_a_commit_that_check_refuses_is_not_made(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load(HOOKS.read_text("utf-8"))
    config = {"repos": [{"repo": "local", "hooks": [{**hook, "language": "system"}]}]}
    commits(World.make(tmp_path), tmp_path / "home", config)


@pytest.mark.nightly  # some 300 MB come from the package index
def test_pre_commit_makes_the_environment_of_the_hook_by_itself(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(tool)], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tool, capture_output=True, text=True, check=True)
    hooks = {"repo": str(tool), "rev": head.stdout.strip(), "hooks": [{"id": "release-check"}]}
    commits(World.make(tmp_path), tmp_path / "home", {"repos": [hooks]})
