"""What the tests of point checks share."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Any

from release_tool.config import Health
from release_tool.health.sampling import Clock
from release_tool.health.source import Subject
from release_tool.model.records import Name, Tag

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)
AT_ONCE = Clock(sleep=lambda _: None)
"""The machine's clock, on which the time between two attempts is over at once."""


def subject(name: str = "v5", since: datetime = NOW - timedelta(days=1)) -> Subject:
    return Subject("prod", "", "shop", "engine", f"engine-{name}", Name(name), Tag(f"1.0.{name[1:]}@sha256:0"), since)


def health(checks: Any = None, *, timeout: float = 30, **more: Any) -> Health:
    return Health(checks or {}, timeout=timedelta(seconds=timeout), **more)


def soon(seconds: float = 60) -> float:
    """When the time of a pass is over."""
    return time.monotonic() + seconds
