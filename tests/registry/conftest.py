"""What the tests of this folder share: nobody is logged in, and no proxy stands in between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import real_registry
from fixtures import no_proxy  # noqa: F401
from real_registry import RealRegistry


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry that everybody may write to; the tests of a file share it, each with repositories of its own."""
    with real_registry.running(tmp_path_factory.mktemp("registry")) as found:
        yield found
