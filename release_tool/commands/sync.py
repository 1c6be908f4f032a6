"""`release sync [ENV…]`: make each open release branch again on the base's tip. Writes no line; silent without work.

What waits on a branch that today's configuration doesn't reach is carried over to the branch of today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import Failed, ReleaseError
from release_tool.publishing import carrying
from release_tool.publishing.outcome import Invocation, Outcome
from release_tool.publishing.retry import run as publish
from release_tool.remote import strays
from release_tool.remote.snapshot import take_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.config import Place
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.strays import Stray
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
    snapshots = take_all(tool, service)
    for name in environments:
        snapshots[0].config.environment(name)
    found = _Strays(tool, environments, service)
    wandering = found.look(snapshots[0])
    idle = [one for one in wandering if not one.matters]
    if idle and not dry_run:  # first, for one of them may stand where another goes on
        yield from found.closed(snapshots[0], idle)
        snapshots = take_all(tool, service)
        wandering = found.look(snapshots[0])
    for snapshot in snapshots:
        for name in environments or snapshot.config.environments:
            place = snapshot.config.place(name)
            asked = Invocation(name, service=snapshot.config.service, direct=False, dry_run=dry_run)
            for downgrade, branch in ((False, place.branch), (True, place.downgrade_branch)):
                going = [one for one in wandering if one.can_go_on and one.target == branch]
                there = snapshot.refs.branch(branch) is not None and all(one.name != branch for one in wandering)
                if going or there or (environments and not downgrade):
                    more = asked._replace(downgrade=downgrade, carries=frozenset(one.name for one in going))
                    outcome = _one(tool, place, more)
                    found.carried(going, outcome)
                    yield outcome
    if dry_run:
        yield from (Failed(one.name, one.problem()) for one in wandering if one.matters and not one.can_go_on)
    elif wandering:
        yield from found.settled()


class _Strays:
    """The release branches that today's configuration doesn't reach (remote/strays.py), as far as they were asked for.

    Args:
        environments: their names; none: all.
        service: the service; empty: all of them.
    """

    def __init__(self, tool: Tool, environments: Sequence[str], service: str) -> None:
        self._tool = tool
        self._environments = environments
        self._service = service
        self._done: set[str] = set()  # ids of the lines that were planned again

    def look(self, snapshot: Snapshot) -> list[Stray]:
        """Those that are there."""
        found = strays.find(self._tool.repository, self._tool.forge, snapshot)
        return strays.of(found, self._environments, self._service)

    def carried(self, going: Sequence[Stray], outcome: Outcome | Failed) -> None:
        """What came of planning again what waited on some of them."""
        if not isinstance(outcome, Failed) and outcome.plan is not None:
            left_out = {one.line.id for one in outcome.plan.left_out}
            self._done |= {line.id for one in going for line in one.pending} - left_out

    def settled(self) -> Iterator[Outcome | Failed]:
        """Close those on which nothing waits any more; the others are for a person."""
        snapshot = take_all(self._tool)[0]
        for one in self.look(snapshot):
            pending = tuple(line for line in one.pending if line.id not in self._done)
            left = one._replace(pending=pending)
            if left.matters:
                yield Failed(one.name, left.problem())
            else:
                yield from self.closed(snapshot, [left])

    def closed(self, snapshot: Snapshot, idle: Sequence[Stray]) -> Iterator[Outcome | Failed]:
        """Close those on which nothing waits."""
        for one in idle:
            try:
                said = carrying.settled(self._tool, snapshot, one)
            except ReleaseError as error:
                yield Failed(one.name, error)
                continue
            place = one.heirs[0] if one.heirs else one.then
            asked = Invocation(place.environment, service=place.service, direct=False)
            yield Outcome(asked, None, changed=bool(said), said=(said,) if said else ())


def _one(tool: Tool, place: Place, asked: Invocation) -> Outcome | Failed:
    """One release branch; what is wrong with it stops no other one."""
    try:
        return publish(tool, asked, lambda _snapshot, _before: None)
    except ReleaseError as error:
        return Failed(place.title, error)
