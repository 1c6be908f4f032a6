"""Where the tests of this folder find what the tests of renderings share."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "render"))
