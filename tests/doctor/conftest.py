"""The stand-in for GitHub, with a world's repository on it, for `release doctor`."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from local_servers import no_proxy  # noqa: F401 (of every test here)

sys.path.insert(0, str(Path(__file__).parent.parent / "github"))  # `standin`

from doctor_world import OnGitHub
from standin import StandIn
from world import World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """A GitHub. At the end: every request was modelled and agrees with GitHub's description of its API."""
    with StandIn() as found:
        yield found
    found.verify()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world on a bare repository, with the machine's own time."""
    world = World.make(tmp_path)
    world.now = datetime.now(timezone.utc).replace(microsecond=0)
    return world


@pytest.fixture
def github(standin: StandIn, world: World, monkeypatch: pytest.MonkeyPatch) -> OnGitHub:
    """The same on GitHub, set up so that there is nothing to find but what a token can't tell."""
    return OnGitHub.make(standin, world, monkeypatch)
