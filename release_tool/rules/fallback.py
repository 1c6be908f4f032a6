"""When the default turns bad: whether to go back, and to which version."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.records import HEALTHY, UNHEALTHY
from release_tool.model.versions import tag_part
from release_tool.rules.retention import fallback_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from release_tool.config import DowngradePolicy
    from release_tool.model.health import Judged
    from release_tool.model.records import Line, Name, State

STAY, DOWNGRADE, HALT = "stay", "downgrade", "halt"

DAY = timedelta(days=1)


class Decision(NamedTuple):
    """What is to be done about the default of an environment."""

    action: str  # `stay`; `downgrade`; or `halt`: something is bad, and a person must decide
    reason: str  # why, in a sentence without a full stop
    leave: Name | None = None  # for a downgrade: the default that is left
    to: Name | None = None  # for a downgrade: the version that it goes back to
    # the live versions that are unhealthy and are to be quarantined; only while the default is healthy, for that is
    # what their callers get
    quarantine: tuple[Name, ...] = ()


class Case(NamedTuple):
    """What a decision is made on."""

    state: State  # the versions of the environment in the base
    former: Sequence[Name]  # the defaults that stood in the base branch, oldest first
    order: str  # the configured order of versions
    # what the checks said; a version that was deleted, or got another tag, meanwhile counts as not judged
    judged: Iterable[Judged]
    policy: DowngradePolicy  # what the guard may do
    lines: Sequence[Line]  # the record in the base
    now: datetime  # the present time


def decide(case: Case) -> Decision:
    """Stay, go back, or halt.

    Only an unhealthy default is left, and only for a version that is healthy: unknown moves nothing. Where every live
    version is unhealthy the cause is shared, and going back would not help.
    """
    state, default = case.state, case.state.default
    live = state.live
    judged = {one.name: one for one in case.judged if live.get(one.name) == one.tag}
    if default is None or default not in live:
        return Decision(STAY, "there is no default" if live else "it has no version yet")
    mine = judged.get(default)
    if mine is None:
        return Decision(STAY, f"{default} was not judged: it became the default in the meantime")
    bad = tuple(name for name, one in judged.items() if one.health == UNHEALTHY and name != default)
    if mine.health == UNHEALTHY:
        return _left(case, mine, judged, bad)
    reason = f"{_named(state, default)} is {mine.health}: {mine.reason}"
    quarantine = bad if case.policy.quarantine_unhealthy and mine.health == HEALTHY else ()
    return Decision(STAY, reason, quarantine=quarantine)


def _left(case: Case, mine: Judged, judged: Mapping[Name, Judged], bad: tuple[Name, ...]) -> Decision:
    """The default is unhealthy: where to, or why not."""
    state, default = case.state, mine.name
    why = f"{_named(state, default)} is unhealthy: {mine.reason}"
    others = [name for name in state.live if name != default]
    if not others:
        return Decision(HALT, f"{why}. No other version is live")
    if len(bad) == len(others):
        return Decision(HALT, f"{why}. So is every other live version: the cause is shared, going back would not help")
    to = fallback_target(state, case.former, case.order)
    if to is None:
        what = "no other live version is older, and none was the default before"
        return Decision(HALT, f"{why}. There is no version to go back to: {what}")
    target = judged.get(to)
    if target is None or target.health != HEALTHY:
        said = "not judged yet" if target is None else f"{target.health}: {target.reason}"
        return Decision(HALT, f"{why}. {_named(state, to)}, which it would go back to, is {said}")
    done = recent(case.lines, case.now)
    if done >= case.policy.max_downgrades:
        return Decision(HALT, f"{why}. The default was moved back {_times(done)} within a day already")
    return Decision(DOWNGRADE, why, default, to)


def recent(lines: Sequence[Line], now: datetime) -> int:
    """How often a guard has moved the default within the last day. What a wrong clock put into the future counts."""
    return sum(
        1
        for line in lines
        if line.at > now - DAY
        and line.intent.operation == "downgrade"
        and line.intent.evidence
        and any(change.action == "set-default" for change in line.changes)
    )


def _named(state: State, name: Name) -> str:
    return f"{name} ({tag_part(state.versions[name])})"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
