"""The stand-in for the tests of this folder; it verifies itself at the end of each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures import no_proxy, standin  # noqa: F401
from github_world import GitHubWorld, quick
from standin import StandIn
from standin_shop import Desk, Shop


@pytest.fixture
def github(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    standin: StandIn,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> GitHubWorld:
    """A world on GitHub, with the configuration that most tests want; the mark `world` says what is otherwise."""
    mark = request.node.get_closest_marker("world")
    return GitHubWorld(tmp_path, standin, monkeypatch, **(mark.kwargs if mark else {}))


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)


@pytest.fixture
def shop(standin: StandIn) -> Shop:  # noqa: F811
    return Shop(standin)


@pytest.fixture
def desk(standin: StandIn) -> Iterator[Desk]:  # noqa: F811
    found = Desk(standin, teams={"platform": "Platform"})
    yield found
    found.close()
