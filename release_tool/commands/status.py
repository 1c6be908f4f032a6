"""`release status`: the version x environment matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.publishing.branch import look
from release_tool.publishing.snapshot import take
from release_tool.records import Name, Tag, name_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.publishing.tool import Tool
    from release_tool.records import Line, PullRequest, State


class EnvironmentStatus(NamedTuple):
    """One environment.

    Attributes:
        name: its name.
        state: its versions in the base branch; None where the file is missing.
        branch: its rolling branch; None if there is none.
        pending: the lines that wait on it.
        pull_request: the open pull request of that branch.
    """

    name: str
    state: State | None
    branch: str | None
    pending: tuple[Line, ...]
    pull_request: PullRequest | None


class Status(NamedTuple):
    """All environments, in promotion order."""

    base: str
    environments: tuple[EnvironmentStatus, ...]

    def rows(self) -> list[tuple[Name, Tag]]:
        """Every version of any environment, newest name first; where tags differ, the first environment's."""
        tags: dict[Name, Tag] = {}
        for environment in self.environments:
            if environment.state is not None:
                for name, tag in {**environment.state.versions, **environment.state.retired}.items():
                    tags.setdefault(name, tag)
        return sorted(tags.items(), key=lambda row: name_number(row[0]), reverse=True)


def run(tool: Tool, environments: Sequence[str]) -> Status:
    """Look at the environments.

    Args:
        tool: the outside world.
        environments: their names; none: all.

    Raises:
        ReleaseError: an unknown environment, or a file that can't be read.
    """
    snapshot = take(tool)
    forge = tool.forge(snapshot.config)
    found = []
    for name in environments or snapshot.config.environments:
        place = snapshot.config.place(name)
        files = snapshot.files[name]
        state = None if files.tags is None else files.state(empty=True)
        branch = look(tool.repository, forge, snapshot, place)
        shown = forge.find_open(place.branch, snapshot.config.base) if branch.tip else None
        found.append(EnvironmentStatus(name, state, branch.name if branch.tip else None, branch.pending, shown))
    return Status(snapshot.config.base, tuple(found))
