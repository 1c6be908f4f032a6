"""A real Prometheus that scrapes a real Envoy, on 127.0.0.1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from envoy import Envoy
from real_prometheus import need_prometheus, serving
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
    """A Prometheus that scrapes the Envoy at `target` twice a second; yields its URL.

    `versions`: address of an endpoint -> the version that it is a pod of, as discovery would label it.
    """
    need_prometheus()
    relabel = [
        {"source_labels": ["envoy_endpoint_address"], "regex": address, "target_label": "version", "replacement": name}
        for address, name in versions.items()
    ]
    job = {"static_configs": [{"targets": [target]}], "metric_relabel_configs": relabel}
    config: dict[str, Any] = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
        "scrape_configs": [{"job_name": "envoy", "metrics_path": "/stats/prometheus", **job}],
    }
    with serving(directory, yaml.safe_dump(config)) as url:
        yield url
