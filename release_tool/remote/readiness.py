"""Whether versions that are deployed could take calls now, routed or not: what only sources that need no route tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.health.source import ToJudge
from release_tool.model.records import UNKNOWN
from release_tool.remote.judged_versions import subjects

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from release_tool.model.records import Name
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool


def ready(tool: Tool, snapshot: Snapshot, environment: str, names: Collection[Name], now: datetime) -> dict[Name, str]:
    """Name -> `healthy` (its pods are ready), `unhealthy` (they are not) or `unknown` (no source tells).

    The `kubernetes` checks of the environment are asked, once and without a grace: no calls are needed to answer.

    Args:
        names: versions of the base's file: live, quarantined or retired.

    Raises nothing that the cluster could be the cause of.
    """
    health = snapshot.config.environment(environment).health
    found = dict.fromkeys(names, UNKNOWN)
    checks = {} if health is None else {name: one for name, one in health.checks.items() if one.kubernetes is not None}
    if health is None or not checks or not names:
        return found
    about = subjects(tool, snapshot, environment, dict.fromkeys(names, now - health.grace))
    (judged,) = tool.judge([ToJudge(health._replace(checks=checks, failures=1), about)], now)
    return {**found, **{one.name: one.health for one in judged}}
