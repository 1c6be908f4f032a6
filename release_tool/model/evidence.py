"""The evidence of a guard's downgrade: the verdicts that it was made on, as its intent records them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.model.history import timestamp
from release_tool.model.records import UNHEALTHY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_tool.model.health import Judged, Verdict
    from release_tool.model.records import Intent

EVIDENCE = "evidence"
"""The argument of an intent that holds its evidence: only a guard's intents have it."""

_KEYS = ("version", "check", "health", "reason", "value", "bound", "samples", "at", "trend")


class Row(NamedTuple):
    """One verdict as people read it; every field a text, empty where there is nothing.

    Attributes:
        version: the version that was judged.
        check: the name of the check.
        health: `healthy`, `unhealthy` or `unknown`.
        reason: why.
        value: the number that decided.
        bound: what it was held against.
        samples: how many calls or attempts stand behind it.
        at: when that was.
        trend: the values over the window as a sparkline.
    """

    version: str
    check: str
    health: str
    reason: str
    value: str = ""
    bound: str = ""
    samples: str = ""
    at: str = ""
    trend: str = ""


def of(judged: Iterable[Judged]) -> list[dict[str, str]]:
    """The argument of the intent: a JSON object a verdict; empty fields are left out."""
    rows = [row(one.name, verdict) for one in judged for verdict in one.verdicts]
    return [{key: value for key, value in one._asdict().items() if value} for one in rows]


def row(version: str, verdict: Verdict) -> Row:
    """A verdict as people read it."""
    from release_tool.model.health import number, spark

    return Row(
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


def rows(intent: Intent) -> list[Row]:
    """The evidence of an intent; what isn't as this tool writes it is left out, since anybody can write a record."""
    found = intent.arguments.get(EVIDENCE)
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    return [Row(*(_text(entry.get(key)) for key in _KEYS)) for entry in entries]


def failing(intent: Intent) -> frozenset[tuple[str, str]]:
    """The checks that said unhealthy, each with its version."""
    return frozenset((one.version, one.check) for one in rows(intent) if one.health == UNHEALTHY)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
