"""Pull requests in the git remote do what those of every forge do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from conformance import *  # noqa: F403
from conformance.bench import Bench
from local_bench import local_bench
from world import World

from release_tool.forges.local import CAPABILITIES  # noqa: F401


@pytest.fixture
def make_bench() -> Callable[[World], AbstractContextManager[Bench]]:
    return local_bench
