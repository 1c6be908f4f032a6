from __future__ import annotations

import sys
from pathlib import Path

from local_servers import no_proxy  # noqa: F401 (of every test here)

sys.path.append(str(Path(__file__).parents[1] / "metrics"))  # `hostile`, `real_prometheus`
