"""A world whose server stands for GitHub: the workflows run against it with act."""

from __future__ import annotations

import shutil
from pathlib import Path

import acting
import pytest
from fixtures import azure, no_proxy, standin  # noqa: F401
from fixtures import gitlab as forge  # noqa: F401
from world import World


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tool as it is now, so that an edit during the tests makes the action install no other one."""
    acting.sweep_cache()
    place = tmp_path_factory.mktemp("tool")
    for name in ("action.yml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(acting.ROOT / name, place)
    # Ten minutes of trying again are right for a job, and long for a test that goes wrong.
    action = (place / "action.yml").read_text("utf-8")
    (place / "action.yml").write_text(action.replace('default: "10"', 'default: "0.2"'), "utf-8")
    for name in ("charts", "release_tool", "requirements"):
        shutil.copytree(acting.ROOT / name, place / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    return place


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The repository acme/shop on a plain git server, with the forge `local`."""
    world = World.make(tmp_path)
    acting.serve(tmp_path, world.origin)
    return world


@pytest.fixture
def act(world: World, tool: Path, tmp_path: Path) -> acting.Act:
    return acting.Act(tmp_path, f"file://{tmp_path}/server", tool)
