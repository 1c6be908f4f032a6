"""`release sync [ENV…]`: make each open release branch again on the base's tip. Writes no line; silent without work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.publishing import publish
from release_tool.publishing.snapshot import take
from release_tool.publishing.tool import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.publishing.tool import Outcome, Tool


def run(tool: Tool, environments: Sequence[str], *, dry_run: bool = False) -> Iterator[Outcome]:
    """Sync some environments, or all that have a release branch.

    Args:
        tool: the outside world.
        environments: their names; none: all.
        dry_run: plan and render only.

    Yields:
        An outcome for each environment that has a branch or was named.
    """
    snapshot = take(tool)
    for name in environments or snapshot.config.environments:
        place = snapshot.config.place(name)
        if environments or snapshot.refs.branch(place.branch) is not None:
            yield publish.run(tool, Request(name, None, direct=False, dry_run=dry_run))
