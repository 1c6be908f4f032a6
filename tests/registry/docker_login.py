"""What `docker login` leaves: Docker's file with credentials, and credential helpers."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

import pytest


def encoded(user: str, password: str) -> dict[str, str]:
    """An entry of `auths`."""
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def write(directory: Path, monkeypatch: pytest.MonkeyPatch, **settings: object) -> Path:
    """Write `config.json` with these settings, and name it in DOCKER_CONFIG."""
    directory.mkdir(exist_ok=True)
    file = directory / "config.json"
    file.write_text(json.dumps(settings), "utf-8")
    monkeypatch.setenv("DOCKER_CONFIG", str(directory))
    return file


def helper(directory: Path, monkeypatch: pytest.MonkeyPatch, name: str, body: str) -> None:
    """Put a credential helper on PATH: Python, with `server` as what was asked for."""
    directory.mkdir(exist_ok=True)
    program = directory / f"docker-credential-{name}"
    start = (
        f"#!{sys.executable} -I\nimport json, sys, time\nassert sys.argv[1:] == ['get']\nserver = sys.stdin.read()\n"
    )
    program.write_text(start + body, "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
