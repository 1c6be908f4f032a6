"""Whether versions that are deployed could take calls now, routed or not: what only sources that need no route tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.health.source import Delivery, ToJudge
from release_tool.model.health import verdict_of
from release_tool.model.records import UNKNOWN
from release_tool.remote.ages import Ages
from release_tool.remote.applied import Applied
from release_tool.remote.judged_versions import subjects
from release_tool.remote.landings import Landings, recorded

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from release_tool.config import Health
    from release_tool.health.source import Subject
    from release_tool.model.records import Name, State
    from release_tool.remote.ages import Entry
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool


def ready(tool: Tool, snapshot: Snapshot, environment: str, names: Collection[Name], now: datetime) -> dict[Name, str]:
    """Name -> `healthy` (its pods are ready), `unhealthy` (they are not) or `unknown` (no source tells).

    Asked once and without a grace are the `kubernetes` checks of the environment, and the delivery tool, which knows
    only of what it has applied: no calls are needed to answer.

    Args:
        names: versions of the base's file: live, quarantined or retired.

    Raises nothing that the cluster could be the cause of.
    """
    health = snapshot.config.environment(environment).health
    checks = {} if health is None else {name: one for name, one in health.checks.items() if one.kubernetes is not None}
    if health is None or not (checks or health.delivered_by) or not names:
        return dict.fromkeys(names, UNKNOWN)
    about = subjects(tool, snapshot, environment, dict.fromkeys(names, now - health.grace))
    if health.delivered_by:
        about = _with_delivery(tool, snapshot, health, about, now)
    (judged,) = tool.judge([ToJudge(health._replace(checks=checks, failures=1), about)], now)
    return {**dict.fromkeys(names, UNKNOWN), **{one.name: one.health for one in judged}}


def _with_delivery(
    tool: Tool, snapshot: Snapshot, health: Health, about: Sequence[Subject], now: datetime
) -> tuple[Subject, ...]:
    """The same with what the delivery tool says of each; pods can be ready before all of a sync is through."""
    (environment,) = {one.environment for one in about}
    files = snapshot.files[environment]
    state = files.state(empty=True)
    entries: dict[Name, Entry] = {one.name: (_section(state, one.name), one.name) for one in about}
    ages = Ages(
        tool.repository,
        Landings(tool.repository, lambda: tool.forge(snapshot.config)),
        snapshot.base,
        [files.place],
        tool.config_path,
    )
    lines = recorded(tool.repository, snapshot, files)
    found = Applied(tool, snapshot, environment, ages).of(state, lines, entries.values(), now)
    delivered = tool.delivered(snapshot.config, environment)
    told = {name: found[entry].why if entry in found else UNKNOWN for name, entry in entries.items()}
    return tuple(
        one._replace(
            delivery=Delivery(
                verdict_of(health.delivered_by, delivered, one.workload, told[one.name]), begun=True, unapplied=""
            )
        )
        for one in about
    )


def _section(state: State, name: Name) -> str:
    return "retired" if name in state.retired else "quarantined" if name in state.quarantined else "versions"
