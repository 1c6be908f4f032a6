"""A real Prometheus that scrapes a real Envoy, on 127.0.0.1."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from envoy import Envoy
from real_prometheus import need_prometheus, serving
from translator import Configuration

CHECKS = """\
        errors:
          prometheus:
            query: >-
              sum(rate(envoy_cluster_endpoint_rq_error{{version="{{version}}"}}[{{range}}]))
              / sum(rate(envoy_cluster_endpoint_rq_total{{version="{{version}}"}}[{{range}}]))
            samples: sum(increase(envoy_cluster_endpoint_rq_total{{version="{{version}}"}}[{{window}}]))
            min_samples: 20
            max: 0.05
        answers:
          grpc: {{address: '127.0.0.1:{gateway}', authority: {host}, tls: false}}
"""
"""Of `release.yaml`, for `str.format`: what Envoy counts of a version, and whether it answers."""


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


@dataclass(frozen=True)
class Prometheus:
    url: str
    file: Path  # its configuration

    def scrape(self, target: str, versions: Mapping[str, str]) -> None:
        """From now on the Envoy at `target`, twice a second.

        `versions`: address of an endpoint -> the version that it is a pod of, as discovery would label it.
        """
        self.file.write_text(_config(target, versions), encoding="utf-8")
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/-/reload", method="POST"), timeout=10).close()


@contextmanager
def prometheus(directory: Path) -> Iterator[Prometheus]:
    """One that scrapes nothing yet, with its files in an empty directory."""
    need_prometheus()
    with serving(directory, "global: {}\n", "--web.enable-lifecycle") as url:
        yield Prometheus(url, directory / "prometheus.yml")


@contextmanager
def scraping(directory: Path, target: str, versions: Mapping[str, str]) -> Iterator[str]:
    """A Prometheus that scrapes the Envoy at `target` twice a second; yields its URL."""
    with prometheus(directory) as found:
        found.scrape(target, versions)
        yield found.url


def _config(target: str, versions: Mapping[str, str]) -> str:
    relabel = [
        {"source_labels": ["envoy_endpoint_address"], "regex": address, "target_label": "version", "replacement": name}
        for address, name in versions.items()
    ]
    job = {"static_configs": [{"targets": [target]}], "metric_relabel_configs": relabel}
    config: dict[str, Any] = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
        "scrape_configs": [{"job_name": "envoy", "metrics_path": "/stats/prometheus", **job}],
    }
    return str(yaml.safe_dump(config))
