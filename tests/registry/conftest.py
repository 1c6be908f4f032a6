"""What the tests of this folder share: nobody is logged in, and no proxy stands in between."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import real_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from real_registry import RealRegistry


@pytest.fixture(autouse=True)
def logged_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's user reaches a registry; HOME is a new one already."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("DOCKER_CONFIG", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry that everybody may write to; the tests of a file share it, each with repositories of its own."""
    with real_registry.running(tmp_path_factory.mktemp("registry")) as found:
        yield found
