"""The callers of this tool's workflows for GitHub Actions, as docs/how-to/github-actions.md shows them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from release_tool.config import Config

WORKFLOWS = ("bump", "promote", "cleanup", "sync", "check")
"""Those that every repository can use. `guard` needs health checks."""


def files(tool: str, config: Config) -> dict[str, str]:
    found = {}
    for name in WORKFLOWS:
        text = (Path(__file__).parent / "workflows" / f"{name}.yml").read_text("utf-8")
        text = re.sub(r"OWNER/release(\S*)@COMMIT #.*", lambda at: f"{tool.partition('@')[0]}{at[1]}@COMMIT", text)
        text = text.replace("@COMMIT", f"@{tool.partition('@')[2]}")
        text = text.replace("branches: [main]", f"branches: [{json.dumps(config.base)}]")
        found[f".github/workflows/{name}.yml"] = text
    return found
