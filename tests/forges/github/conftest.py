"""The stand-in for the tests of this folder; it verifies itself at the end of each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fixtures import no_proxy, standin  # noqa: F401
from github_world import GitHubWorld
from standin import StandIn

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def github(tmp_path: Path, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> GitHubWorld:  # noqa: F811
    """A world on GitHub, with the configuration that most tests want."""
    return GitHubWorld(tmp_path, standin, monkeypatch)
