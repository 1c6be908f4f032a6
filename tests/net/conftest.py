from __future__ import annotations

from fixtures import hostile, no_proxy, prometheus_url  # noqa: F401
