"""What the tests of point checks share."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from release_tool.config import Health
from release_tool.health.sampling import Clock
from release_tool.health.source import Subject
from release_tool.model.records import Name, Tag

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)
AT_ONCE = Clock(sleep=lambda _: None)
"""The machine's clock, on which the time between two attempts is over at once."""


def subject(name: str = "v5", since: datetime = NOW - timedelta(days=1)) -> Subject:
    return Subject("prod", "", "shop", "engine", f"engine-{name}", Name(name), Tag(f"1.0.{name[1:]}@sha256:0"), since)


def health(checks: Any = None, *, timeout: float = 5, **more: Any) -> Health:
    return Health(checks or {}, timeout=timedelta(seconds=timeout), **more)


def soon(seconds: float = 60) -> float:
    """When the time of a pass is over."""
    return time.monotonic() + seconds


class Certificate(NamedTuple):
    """A certificate that vouches for itself."""

    path: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.path, self.key)
        return made


def certificate(folder: Path, name: str) -> Certificate:
    """Makes one for a host, or an address; skips the test where it can't."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: apt-get install openssl")
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    kind = "IP" if name[0].isdigit() else "DNS"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName={kind}:{name}", "-out", str(made.path), "-keyout", str(made.key)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return made
