"""The pipeline of GitLab CI that includes this tool's components, as docs/how-to/gitlab-ci.md shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.config import Config

PATH = ".gitlab-ci.yml"

_PROMOTION = """\
  - component: $CI_SERVER_FQDN/OWNER/release/promote@COMMIT
    rules: [{{if: '"$[[ inputs.run ]]" != "promote" || {}'}}]
    inputs: {{<<: *how, base: main, run: "$[[ inputs.run ]]", {}, reason: "$[[ inputs.reason ]]"}}
"""


def files(tool: str, config: Config) -> dict[str, str]:
    """One file, with a job for each step from one environment to the next."""
    text = (Path(__file__).parent / "gitlab" / "pipeline.yml").read_text("utf-8")
    text += "".join(_promotions(config))
    project, _, commit = tool.partition("@")
    text = re.sub(r"OWNER/release(\S*)@COMMIT( # v[0-9.]+$)?", rf"{project}\1@{commit}", text, flags=re.MULTILINE)
    return {PATH: text.replace("base: main", f"base: {json.dumps(config.base)}")}


def _promotions(config: Config) -> Iterator[str]:
    for view in config.views():
        for name, environment in view.environments.items():
            if not environment.promote_from:
                continue
            asked = f'"$[[ inputs.to ]]" == "{name}"'
            given = f"from: {environment.promote_from}, to: {name}"
            if view.service:
                asked += f' && "$[[ inputs.service ]]" == "{view.service}"'
                given += f", service: {view.service}, job: release promote {view.service}"
            yield _PROMOTION.format(asked, given)
