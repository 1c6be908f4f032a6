"""A real Gitea does what every forge does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from conformance import *  # noqa: F403
from conformance.bench import Bench
from gitea import Gitea, running
from gitea_bench import bench_on, people
from world import World

from release_tool.forges.gitea.forge import CAPABILITIES  # noqa: F401


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gitea]:
    """One server for all: each test has a repository of its own."""
    with running(tmp_path_factory.mktemp("gitea")) as found:
        people(found)
        yield found


@pytest.fixture
def make_bench(server: Gitea) -> Callable[[World], AbstractContextManager[Bench]]:
    return bench_on(server)
