"""GitLab, as its stand-in plays it, does what every forge does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from conformance import *  # noqa: F403
from conformance.bench import Bench
from gitlab_standin.bench import gitlab_bench
from world import World

from release_tool.forges.gitlab.forge import CAPABILITIES  # noqa: F401


@pytest.fixture
def make_bench() -> Callable[[World], AbstractContextManager[Bench]]:
    return gitlab_bench
