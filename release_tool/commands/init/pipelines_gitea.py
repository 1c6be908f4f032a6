"""The jobs of Gitea Actions and Forgejo Actions, which use this tool's action: called workflows can't run there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from release_tool.config import Config


def files(tool: str, config: Config) -> dict[str, str]:
    found = {}
    for file in sorted((Path(__file__).parent / "gitea").glob("*.yml")):
        text = re.sub(r"OWNER/release@COMMIT #.*", tool, file.read_text("utf-8"))
        found[f".gitea/workflows/{file.name}"] = text.replace(
            "branches: [main]", f"branches: [{json.dumps(config.base)}]"
        )
    return found
