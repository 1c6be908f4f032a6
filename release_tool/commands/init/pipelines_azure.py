"""The pipelines of Azure DevOps that use this tool's templates, as docs/how-to/azure-pipelines.md shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from release_tool.config import Config

PIPELINES = ("bump", "promote", "cleanup", "sync", "check")


def files(tool: str, config: Config) -> dict[str, str]:
    """A file for each pipeline; Azure takes a tag of a repository, and no commit."""
    name, _, tag = tool.rpartition("@")
    found = {}
    for pipeline in PIPELINES:
        text = (Path(__file__).parent / "azure" / f"release-{pipeline}.yml").read_text("utf-8")
        text = text.replace("name: OWNER/release", f"name: {name}").replace("refs/tags/TAG", f"refs/tags/{tag}")
        text = text.replace("include: [main]", f"include: [{json.dumps(config.base)}]")
        found[f".azure-pipelines/release-{pipeline}.yml"] = text
    return found
