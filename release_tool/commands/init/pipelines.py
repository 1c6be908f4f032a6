"""The CI systems that `release init --workflows` writes files for: one table, and a module beside this one for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands.init import pipelines_github, pipelines_gitlab

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from release_tool.config import Config


class CiFiles(NamedTuple):
    """What is written for a CI system.

    Attributes:
        title: its name.
        files: path -> text, from repository and commit of the tool and the configuration.
    """

    title: str
    files: Callable[[str, Config], Mapping[str, str]]


KINDS = {
    "github": CiFiles("GitHub Actions", pipelines_github.files),
    "gitlab": CiFiles("GitLab CI", pipelines_gitlab.files),
}
"""By the kind of the forge that they come with."""
