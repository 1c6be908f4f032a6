"""Which landed operations are applied in the cluster, where a delivery tool is configured that tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.model.delivery import InForce, in_force
from release_tool.remote.ages import EXACTLY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from release_tool.config import Retention
    from release_tool.model.records import Line, Name, State
    from release_tool.remote.ages import Ages, Entry
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool
    from release_tool.rules.retention import Facts

_WHAT = {"retired": "its retirement", "default": "its being the default"}


class Applied:
    """Tells of the entries of one environment's file in the base whether, and since when, they are applied."""

    def __init__(self, tool: Tool, snapshot: Snapshot, environment: str, ages: Ages) -> None:
        self._tool = tool
        self._snapshot = snapshot
        self._environment = environment
        self._ages = ages

    def of(
        self,
        state: State,
        lines: Sequence[Line],
        entries: Collection[Entry],
        now: datetime,
        restoring: Collection[Name] = (),
    ) -> Mapping[Entry, InForce]:
        """Each entry that stands in the base; asked is once, and only where there are entries.

        Args:
            state, lines: of the environment in the base; the lines that wait, too.
            restoring: the versions under `retired` that came back and wait for their routes.
        """
        if not entries:
            return {}
        place = self._snapshot.config.place(self._environment)
        landed = self._ages.since(place, state, lines, dict.fromkeys(entries, EXACTLY), now)
        delivered = self._tool.delivered(self._snapshot.config, self._environment)
        found = dict.fromkeys(entries, InForce(None, None, "since when it stands in the base can't be told"))
        for entry, at in landed.items():
            commit = self._ages.commits[place.tag_file, entry]
            line = self._tool.repository.first_parents(self._snapshot.base, commit)
            what = "its return" if entry[1] in restoring else _WHAT.get(entry[0], "its last operation")
            found[entry] = in_force(delivered, line, at, what)
        return found


def due(facts: Facts, policy: Retention, restoring: Collection[Name]) -> list[Entry]:
    """The versions under `retired` that a sweep would remove, or route, by their landing: for them it matters."""
    return [
        ("retired", name)
        for name in facts.base.retired
        if ("retired", name) in facts.landed
        and facts.age("retired", name) >= (policy.warm_up if name in restoring else policy.drain)
    ]


def with_applied(facts: Facts, found: Mapping[Entry, InForce]) -> Facts:
    """The facts of a sweep, with what is applied of retired versions."""
    since = {entry: one.since for entry, one in found.items() if one.since is not None}
    unapplied = {name: one.why for (_, name), one in found.items() if one.since is None}
    return facts._replace(landed={**facts.landed, **since}, unapplied=unapplied)
