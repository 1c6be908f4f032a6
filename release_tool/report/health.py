"""What health checks say of a version, for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.model.times import timestamp

if TYPE_CHECKING:
    from release_tool.model.delivery import Delivered
    from release_tool.model.health import Judged, Verdict


def delivery_data(delivered: Delivered) -> dict[str, Any]:
    """What a delivery tool says of an environment."""
    return {
        "by": delivered.by,
        "commit": delivered.applied[0].commit or None if delivered.applied else None,
        "state": delivered.state,
        "problem": delivered.problem,
        "unknown": delivered.unknown,
    }


def judged_data(judged: Judged) -> dict[str, Any]:
    """What the checks say of one version, for JSON."""
    return {
        "version": judged.name,
        "tag": judged.tag,
        "health": judged.health,
        "checks": [_verdict_data(verdict) for verdict in judged.verdicts],
    }


def _verdict_data(verdict: Verdict) -> dict[str, Any]:
    return {
        "check": verdict.check,
        "health": verdict.health,
        "reason": verdict.reason,
        "value": verdict.value,
        "bound": verdict.bound or None,
        "samples": verdict.samples,
        "at": None if verdict.at is None else timestamp(verdict.at),
        "points": list(verdict.points),
    }
