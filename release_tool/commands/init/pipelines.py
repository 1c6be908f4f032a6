"""The CI systems that `release init --workflows` writes files for: one table, and a module beside this one for each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands.init import pipelines_azure, pipelines_gitea, pipelines_github, pipelines_gitlab
from release_tool.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from release_tool.config import Config


class CiFiles(NamedTuple):
    """What is written for a CI system.

    Attributes:
        title: its name.
        files: path -> text, from repository and commit of the tool and the configuration.
        pins: how `--tool` names the two; `form`: the same in words.
    """

    title: str
    files: Callable[[str, Config], Mapping[str, str]]
    pins: re.Pattern[str]
    form: str


_COMMIT = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40}", re.ASCII)  # GitLab has groups in groups
_TAG = re.compile(r"([\w. -]+/)?[\w.-]+@[\w.-]+", re.ASCII)
_BY_COMMIT = "OWNER/NAME@COMMIT, the commit in full: forty hexadecimal digits"

KINDS = {
    "github": CiFiles("GitHub Actions", pipelines_github.files, _COMMIT, _BY_COMMIT),
    "gitea": CiFiles("Gitea Actions", pipelines_gitea.files, _COMMIT, _BY_COMMIT),
    "gitlab": CiFiles("GitLab CI", pipelines_gitlab.files, _COMMIT, _BY_COMMIT),
    "azure": CiFiles("Azure Pipelines", pipelines_azure.files, _TAG, "PROJECT/NAME@TAG, a tag that nobody can move"),
}
"""By the kind of the forge that they come with."""


def checked_tool(tool: str, kind: str = "github") -> str:
    """The repository and the commit of this tool; UsageError where it is something else."""
    system = KINDS[kind or "github"]
    if not system.pins.fullmatch(tool):
        pin = "a tag" if kind == "azure" else "a commit"
        raise UsageError(f"--tool {tool}: workflows and hooks are pinned by {pin}", hint=f"write {system.form}")
    return tool
