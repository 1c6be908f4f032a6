"""Azure DevOps, as its stand-in plays it, does what every forge does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from azure_standin.bench import azure_bench
from conformance import *  # noqa: F403
from conformance.bench import Bench
from world import World

from release_tool.forges.azure.forge import CAPABILITIES  # noqa: F401


@pytest.fixture
def make_bench() -> Callable[[World], AbstractContextManager[Bench]]:
    return azure_bench
