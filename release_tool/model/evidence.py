"""The evidence of a guard's downgrade: the verdicts that it was made on, as its intent records them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.model.history import timestamp
from release_tool.model.records import UNHEALTHY, Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_tool.model.health import Judged, Verdict
    from release_tool.model.records import Intent


def of(judged: Iterable[Judged]) -> tuple[Evidence, ...]:
    """What an intent keeps of some verdicts."""
    return tuple(row(one.name, verdict) for one in judged for verdict in one.verdicts)


def row(version: str, verdict: Verdict) -> Evidence:
    """A verdict as people read it."""
    from release_tool.model.health import number, spark

    return Evidence(
        version=version,
        check=verdict.check,
        health=verdict.health,
        reason=verdict.reason,
        value="" if verdict.value is None else number(verdict.value),
        bound=verdict.bound,
        samples="" if verdict.samples is None else number(verdict.samples),
        at="" if verdict.at is None else timestamp(verdict.at),
        trend=spark(verdict.points),
    )


def failing(intent: Intent) -> frozenset[tuple[str, str]]:
    """The checks that said unhealthy, each with its version."""
    return frozenset((one.version, one.check) for one in intent.evidence if one.health == UNHEALTHY)
