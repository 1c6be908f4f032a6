from __future__ import annotations

from fixtures import renderer  # noqa: F401
