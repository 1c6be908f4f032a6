"""Where an environment lives: its files and branches, from the templates of `release.yaml`. Nothing else makes them."""

from __future__ import annotations

from typing import NamedTuple

from release_tool.safe_text import command

PLACEHOLDER = "{environment}"
"""What the templates of paths and branches hold in place of the environment's name."""

SERVICE_PLACEHOLDER = "{service}"
"""What they hold in place of the service's name, where the repository has several services."""

DEFAULT_PATH = "environments/{environment}"
DEFAULT_BRANCH = "release/{environment}"
DEFAULT_SERVICES_PATH = "environments/{environment}/{service}"
DEFAULT_SERVICES_BRANCH = "release/{service}/{environment}"

DOWNGRADE_SUFFIX = "-downgrade"
"""A downgrade never shares a branch with the other operations: this is added to the name of their branch."""


def title_of(environment: str, service: str) -> str:
    """What people call an environment: `devel`, or `engine/devel` where there are several services."""
    return f"{service}/{environment}" if service else environment


class Place(NamedTuple):
    """Where an environment lives: its files in the repository (paths from the root, `/` between parts), its branches.

    Attributes:
        environment: its name.
        directory: the directory of its files.
        tag_file: the versions, `image_tag.yaml`.
        values_file: the environment's other chart values, `values.yaml`.
        history_file: the record of every operation, `history.jsonl`.
        branch: the rolling branch.
        downgrade_branch: the branch of a downgrade, which is never shared.
        service: the service that it belongs to; empty where the repository has one without a name.
    """

    environment: str
    directory: str
    tag_file: str
    values_file: str
    history_file: str
    branch: str
    downgrade_branch: str
    service: str = ""

    @property
    def title(self) -> str:
        """What people call it."""
        return title_of(self.environment, self.service)

    def command(self, verb: str, *words: str) -> str:
        """A command about this environment as people type it: `release pin devel v3 --service engine`."""
        return command(verb, self.environment, *words, service=self.service)

    @property
    def archive_directory(self) -> str:
        """The directory of the record's old lines."""
        return f"{self.directory}/history"

    def archive(self, year: int) -> str:
        """The file of the record's old lines of one year."""
        return f"{self.archive_directory}/{year}.jsonl"


def place_of(environment: str, *, path: str, branch: str, service: str = "") -> Place:
    """The place of an environment by the templates of its path and of its branch.

    Args:
        environment: its name.
        path: template of its directory.
        branch: template of its rolling branch.
        service: the name that is put in place of `{service}`; a template without that stays as it is.
    """
    directory = path.replace(PLACEHOLDER, environment).replace(SERVICE_PLACEHOLDER, service)
    rolling = branch.replace(PLACEHOLDER, environment).replace(SERVICE_PLACEHOLDER, service)
    return Place(
        environment=environment,
        directory=directory,
        tag_file=f"{directory}/image_tag.yaml",
        values_file=f"{directory}/values.yaml",
        history_file=f"{directory}/history.jsonl",
        branch=rolling,
        downgrade_branch=rolling + DOWNGRADE_SUFFIX,
        service=service,
    )
