"""`release sync [ENV…]`: make each open release branch again on the base's tip. Writes no line; silent without work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import Failed, ReleaseError
from release_tool.publishing.outcome import Invocation
from release_tool.publishing.retry import run as publish
from release_tool.remote.snapshot import take_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.config import Place
    from release_tool.publishing.outcome import Outcome
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool


def run(
    tool: Tool, environments: Sequence[str], *, service: str = "", dry_run: bool = False
) -> Iterator[Outcome | Failed]:
    """Sync some environments, or all that have a release branch.

    Args:
        environments: their names; none: all.
        service: the service; empty: all of them.
        dry_run: plan and render only.

    Yields:
        An outcome for each release branch, and for each environment that was named.
    """
    for snapshot in take_all(tool, service):
        for name in environments:
            snapshot.config.environment(name)
        yield from _service(tool, snapshot, environments, dry_run=dry_run)


def _service(
    tool: Tool, snapshot: Snapshot, environments: Sequence[str], *, dry_run: bool
) -> Iterator[Outcome | Failed]:
    for name in environments or snapshot.config.environments:
        place = snapshot.config.place(name)
        asked = Invocation(name, service=snapshot.config.service, direct=False, dry_run=dry_run)
        if environments or snapshot.refs.branch(place.branch) is not None:
            yield _one(tool, place, asked)
        if snapshot.refs.branch(place.downgrade_branch) is not None:
            yield _one(tool, place, asked._replace(downgrade=True))


def _one(tool: Tool, place: Place, asked: Invocation) -> Outcome | Failed:
    """One release branch; what is wrong with it stops no other one."""
    try:
        return publish(tool, asked, lambda _snapshot, _before: None)
    except ReleaseError as error:
        return Failed(place.title, error)
