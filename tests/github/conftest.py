"""The stand-in for the tests of this folder; it verifies itself at the end of each test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from standin import StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stands between a test and the stand-in."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """A GitHub without repositories. At the end: every request was modelled and agrees with GitHub's description."""
    with StandIn() as found:
        yield found
    found.verify()
