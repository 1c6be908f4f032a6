from __future__ import annotations

from fixtures import engine, renderer  # noqa: F401
