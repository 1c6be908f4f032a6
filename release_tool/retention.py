"""Retention: which versions stay, which retire, which are removed, each with its reason. Pure.

No reason holds a number that depends on the time of planning, so that planning again gives the same words.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from release_tool.fallback import fallback_target
from release_tool.records import Change, Kept, Name, State, Tag
from release_tool.states import apply
from release_tool.versions import minor_of, newest_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from release_tool.config import Retention

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))


def count_text(number: int) -> str:
    """A small number as a word, a larger one in digits: `five`, `13`."""
    return _WORDS[number] if number < len(_WORDS) else str(number)


def duration_text(duration: timedelta) -> str:
    """A duration as people write it in `release.yaml`: `90s`, `15m`, `1h`, `14d`."""
    for unit, size in _UNITS:
        if duration and duration % size == timedelta(0):
            return f"{duration // size}{unit}"
    return f"{int(duration.total_seconds())}s"


class Facts(NamedTuple):
    """What the sweep has to know beside the state.

    Attributes:
        now: the time of planning (UTC).
        base: the state of the base branch.
        landed: landing of the versions of the base, as far as an age matters; a version without one counts as new.
        former: the defaults that stood in the base branch, oldest first, the present one last.
    """

    now: datetime
    base: State
    landed: Mapping[tuple[str, Name], datetime] = {}
    former: Sequence[Name] = ()

    def age(self, section: str, name: Name) -> timedelta:
        """How long the base branch has held a version in a section; zero for one that has not landed there."""
        since = self.landed.get((section, name))
        return timedelta(0) if since is None else self.now - since


class Sweep(NamedTuple):
    """What the sweep changes, in order, and what it keeps."""

    changes: tuple[Change, ...]
    kept: tuple[Kept, ...]


def sweep(state: State, policy: Retention, order: str, facts: Facts) -> Sweep:
    """Expired pins lifted, retention, then removal of what has drained.

    Args:
        state: the versions after the operation.
        policy: the retention policy of the environment.
        order: the configured order of versions.
        facts: ages and former defaults.
    """
    lifted = _expired_pins(state, facts)
    state = apply(state, lifted)
    retired, kept = _retention(state, policy, order, facts)
    return Sweep((*lifted, *retired, *_drained(state, policy, facts)), kept)


def _expired_pins(state: State, facts: Facts) -> tuple[Change, ...]:
    today = facts.now.date()
    return tuple(
        Change("unpin", name, state.versions[name], f"pinned until {pin.until.isoformat()}")
        for name, pin in state.pinned.items()
        if pin.until is not None and pin.until < today and name in state.versions
    )


def _retention(
    state: State, policy: Retention, order: str, facts: Facts
) -> tuple[tuple[Change, ...], tuple[Kept, ...]]:
    protected = _protected(state, policy, order, facts)
    ranked = _ranked(state, policy, order)
    changes: list[Change] = []
    kept: list[Kept] = []
    for name, tag in state.versions.items():
        if name in state.quarantined:
            change = _long_quarantined(name, tag, state, policy, facts)
            changes += [] if change is None else [change]
            continue
        reason = _reason_to_retire(name, tag, policy, facts, protected=protected, ranked=ranked, live=len(state.live))
        if reason is None:
            kept.append(Kept(name, tag, protected.get(name) or ranked[name]))
        else:
            changes.append(Change("retire", name, tag, reason))
    return tuple(changes), tuple(kept)


def _protected(state: State, policy: Retention, order: str, facts: Facts) -> dict[Name, str]:
    """Name -> reason of every live version that is never retired as things stand; the strongest reason wins."""
    reasons: dict[Name, str] = {}
    if policy.min_age:
        for name in state.live:
            if facts.age("versions", name) < policy.min_age:
                reasons[name] = f"younger than min_age {duration_text(policy.min_age)}"
    target = fallback_target(state, facts.former, order)
    if target is not None:
        reasons[target] = "fallback target"
    for name, pin in state.pinned.items():
        if name in state.live:
            until = "" if pin.until is None else f" until {pin.until.isoformat()}"
            reasons[name] = f"pinned{until}: {pin.reason}" if pin.reason else f"pinned{until}"
    if state.default is not None:
        reasons[state.default] = "default"
    return reasons


def _ranked(state: State, policy: Retention, order: str) -> dict[Name, str]:
    """Name -> reason of every live version that the counts keep."""
    reasons: dict[Name, str] = {}
    seen: dict[tuple[int, int], int] = {}
    for position, (name, tag) in enumerate(newest_first(order, state.live.items())):
        minor = minor_of(tag)
        if minor is not None and policy.keep_per_minor is not None:
            seen[minor] = seen.get(minor, 0) + 1
            if seen[minor] <= policy.keep_per_minor:
                reasons[name] = f"newest {policy.keep_per_minor} of {minor[0]}.{minor[1]}"
        if position < policy.keep:
            reasons[name] = f"newest {policy.keep}"
    return reasons


def _reason_to_retire(
    name: Name,
    tag: Tag,
    policy: Retention,
    facts: Facts,
    *,
    protected: Mapping[Name, str],
    ranked: Mapping[Name, str],
    live: int,
) -> str | None:
    if name in protected:
        return None
    if policy.max_age is not None and facts.age("versions", name) > policy.max_age:
        return f"older than max_age {duration_text(policy.max_age)}"
    if name in ranked:
        return None
    per_minor = ""
    if policy.keep_per_minor is not None and minor_of(tag) is not None:
        per_minor = f", keep_per_minor {policy.keep_per_minor}"
    return f"keep {policy.keep}{per_minor}: {count_text(live)} live"


def _long_quarantined(name: Name, tag: Tag, state: State, policy: Retention, facts: Facts) -> Change | None:
    if name in state.pinned or ("quarantined", name) not in facts.landed:
        return None
    if facts.age("quarantined", name) < policy.quarantine_for:
        return None
    return Change("retire", name, tag, f"quarantined for {duration_text(policy.quarantine_for)}")


def _drained(state: State, policy: Retention, facts: Facts) -> tuple[Change, ...]:
    return tuple(
        Change("remove", name, tag, f"drained for {duration_text(policy.drain)}")
        for name, tag in state.retired.items()
        if facts.base.retired.get(name) == tag
        and ("retired", name) in facts.landed
        and facts.age("retired", name) >= policy.drain
    )
