"""A bare origin with one commit, and repositories opened on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from origin import Origin

from release_tool.git.repository import Repository


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin.make(tmp_path / "origin.git")


@pytest.fixture
def clone(origin: Origin, tmp_path: Path) -> Path:
    return origin.clone(tmp_path / "clone")


@pytest.fixture
def repository(clone: Path) -> Iterator[Repository]:
    with Repository.open(clone) as opened:
        yield opened


@pytest.fixture
def remote(origin: Origin) -> Iterator[Repository]:
    """Without any checkout: fetched one commit deep and without files."""
    with Repository.open(None, origin.url) as opened:
        yield opened
