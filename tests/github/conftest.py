"""The stand-in for the tests of this folder; it verifies itself at the end of each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from github_world import GitHubWorld
from local_servers import no_proxy  # noqa: F401 (of every test here)
from standin import StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """A GitHub without repositories. At the end: every request was modelled and agrees with GitHub's description."""
    with StandIn() as found:
        yield found
    found.verify()


@pytest.fixture
def github(tmp_path: Path, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> GitHubWorld:
    """A world on GitHub, with the configuration that most tests want."""
    return GitHubWorld(tmp_path, standin, monkeypatch)
