from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from calls import ALL
from hostile import Hostile
from local_servers import no_proxy  # noqa: F401 (of every test here)
from real_prometheus import real_prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with Hostile() as server:
        yield server


@pytest.fixture(scope="session")
def prometheus_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus with the calls of `calls.py`."""
    with real_prometheus(tmp_path_factory.mktemp("prometheus"), ALL) as url:
        yield url
