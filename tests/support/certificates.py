"""Certificates that vouch for themselves, made by openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest


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
