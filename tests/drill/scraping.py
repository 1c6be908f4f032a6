"""A real Prometheus that scrapes a real Envoy, on 127.0.0.1."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from envoy import Envoy, free_port
from real_prometheus import wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from translator import Configuration


class Measured(Envoy):
    """An Envoy that counts for each endpoint: which calls a pod took, and which of them failed, gRPC's statuses included."""

    @property
    def address(self) -> str:
        """Where it tells its metrics, `127.0.0.1:port`."""
        return self._admin.removeprefix("http://")

    def apply(self, found: Configuration, *kinds: str) -> set[str]:
        for cluster in found.clusters.values():
            cluster["track_cluster_stats"] = {"per_endpoint_stats": True}
        return super().apply(found, *kinds)


@contextmanager
def scraping(directory: Path, target: str, versions: Mapping[str, str]) -> Iterator[str]:
    """A Prometheus that scrapes an Envoy twice a second.

    Args:
        directory: an empty one, for its files.
        target: where the Envoy tells its metrics.
        versions: address of an endpoint -> the version that it is a pod of, as discovery would label it.

    Yields:
        its URL.
    """
    if shutil.which("prometheus") is None:
        pytest.skip("needs prometheus: apt-get install prometheus")
    relabel = [
        {"source_labels": ["envoy_endpoint_address"], "regex": address, "target_label": "version", "replacement": name}
        for address, name in versions.items()
    ]
    config: dict[str, Any] = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
        "scrape_configs": [
            {
                "job_name": "envoy",
                "metrics_path": "/stats/prometheus",
                "static_configs": [{"targets": [target]}],
                "metric_relabel_configs": relabel,
            }
        ],
    }
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
    ]
    log = directory / "log"
    with log.open("wb") as written:
        server = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=written, stderr=subprocess.STDOUT
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(f"{url}/-/ready", server, log)
        yield url
    finally:
        server.terminate()
        server.wait(30)
