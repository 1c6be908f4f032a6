"""The drill lives on what the other folders have: the stand-in of GitHub, the routing laboratory, a real Prometheus."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parent.parent
# In front: a wheel brings a package `envoy`, too.
sys.path[:0] = [str(TESTS / folder) for folder in ("github", "routing", "render", "metrics")]
