"""The stand-in for GitHub, with a world's repository on it, for `release doctor`."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from doctor_world import OnGitHub
from fixtures import no_proxy, standin  # noqa: F401
from standin import StandIn
from world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world on a bare repository, with the machine's own time."""
    world = World.make(tmp_path)
    world.now = datetime.now(timezone.utc).replace(microsecond=0)
    return world


@pytest.fixture
def github(standin: StandIn, world: World, monkeypatch: pytest.MonkeyPatch) -> OnGitHub:  # noqa: F811
    """The same on GitHub, set up so that there is nothing to find but what a token can't tell."""
    return OnGitHub.make(standin, world, monkeypatch)
