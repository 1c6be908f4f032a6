"""A real Prometheus with given series, on 127.0.0.1, for tests that ask one.

`promtool` (of the same Debian package) writes the series as blocks of the database, so that days of samples are there at
once, and Prometheus opens them. It scrapes nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from processes import free_port, running


class Series(NamedTuple):
    """One series: the name of its metric, its labels, and its samples, oldest first."""

    metric: str
    labels: Mapping[str, str]
    samples: Sequence[tuple[datetime, float]]

    def lines(self) -> Iterator[str]:
        def escaped(value: str) -> str:
            return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

        labels = ",".join(f'{label}="{escaped(value)}"' for label, value in self.labels.items())
        for at, value in self.samples:
            yield f"{self.metric}{{{labels}}} {value} {at.timestamp():.3f}\n"


def need_prometheus() -> None:
    """Skips the test where the machine has no Prometheus."""
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        pytest.skip("needs prometheus and promtool: apt-get install prometheus")


@contextmanager
def real_prometheus(directory: Path, series: Iterable[Series]) -> Iterator[str]:
    """A Prometheus that holds some series, with its files in an empty directory; yields its URL."""
    need_prometheus()
    _backfill(directory / "series.txt", series, directory / "data")
    with serving(directory, "global: {}\n", "--storage.tsdb.retention.time=10y") as url:
        yield url


@contextmanager
def serving(directory: Path, config: str, *options: str) -> Iterator[str]:
    """A Prometheus on the data of a directory; yields its URL."""
    file, log, address = directory / "prometheus.yml", directory / "log", f"127.0.0.1:{free_port()}"
    file.write_text(config, encoding="utf-8")
    command = ["prometheus", f"--config.file={file}", f"--storage.tsdb.path={directory / 'data'}"]
    with running([*command, f"--web.listen-address={address}", *options], log) as server:
        _wait_until_ready(f"http://{address}/-/ready", server, log)
        yield f"http://{address}"


def _backfill(text: Path, series: Iterable[Series], data: Path) -> None:
    with text.open("w", encoding="utf-8") as written:
        for one in series:
            written.writelines(one.lines())
        written.write("# EOF\n")
    data.mkdir()
    if text.stat().st_size > len("# EOF\n"):
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(data)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text("utf-8")
        try:
            with opener.open(url, timeout=5):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
    raise AssertionError(f"Prometheus was not ready in time: {log.read_text('utf-8')}")
