"""What later sweeps will do, and when, if nothing else happens; and which pins end soon."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.states import apply
from release_tool.rules.retention import Facts, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.config import Retention
    from release_tool.model.records import Change, Name, Pin, State, Tag

AHEAD = timedelta(days=365)
"""So far a forecast looks; what lies behind it is anybody's guess."""

_INSTANTS = 1000  # so many are looked at, at most: an environment of a hundred versions has some three hundred
_DAY = timedelta(days=1)


class Coming(NamedTuple):
    """A change that a sweep will make."""

    at: datetime  # the first moment (UTC) at which a sweep makes it
    change: Change


def coming(state: State, policy: Retention, order: str, facts: Facts) -> tuple[Coming, ...]:
    """What sweeps will change within a year, if nothing else happens and each change lands when it is due.

    The sweep itself is asked, at every moment at which its answer can change: so the forecast holds whatever the rules
    are. `facts` hold the landing of every entry of the base (one without never ages); versions in use are taken to stay
    in use. What a sweep would change now comes first, with the present as its time.
    """
    found: list[Coming] = []
    end = later(facts.now, AHEAD)
    for _ in range(_INSTANTS):
        while changes := sweep(state, policy, order, facts).changes:
            found += (Coming(facts.now, change) for change in changes)
            state = apply(state, changes)
            facts = _landed(state, facts)
        facts = _landed(state, facts)
        moment = min((one for one in _turns(state, policy, facts) if one > facts.now), default=None)
        if moment is None or (end is not None and moment > end):
            break
        facts = facts._replace(now=moment)
    return tuple(found)


def ending(state: State, now: datetime, within: timedelta) -> tuple[tuple[Name, Pin], ...]:
    """Name and pin of the pins whose last day is today or lies `within` a time from now, the first one to end first."""
    last = (now + within).date()
    found = [
        (pin.until, name, pin)
        for name, pin in state.pinned.items()
        if pin.until is not None and now.date() <= pin.until <= last and name in state.versions
    ]
    return tuple((name, pin) for _, name, pin in sorted(found, key=lambda one: one[0]))


def _landed(state: State, facts: Facts) -> Facts:
    """The facts once a state has landed: what the base did not hold so, it holds from now on."""
    if state is facts.base:
        return facts
    before, after = _entries(facts.base), _entries(state)
    landed = {entry: facts.now for entry, tag in after.items() if before.get(entry) != tag}
    stayed = {entry: at for entry, at in facts.landed.items() if entry in after and entry not in landed}
    restoring = {name: asked for name, asked in facts.restoring.items() if name in state.retired}
    return facts._replace(base=state, landed={**stayed, **landed}, restoring=restoring)


def _entries(state: State) -> dict[tuple[str, Name], Tag]:
    """Section and name -> tag, by the sections that ages are counted in."""
    here = {
        ("quarantined" if name in state.quarantined else "versions", name): tag for name, tag in state.versions.items()
    }
    return here | {("retired", name): tag for name, tag in state.retired.items()}


def _turns(state: State, policy: Retention, facts: Facts) -> Iterator[datetime]:
    """The moments at which something reaches an age that the policy asks for, or a pin has ended."""
    ages = {
        # Too old is what is *older* than `max_age`: the next moment there is.
        "versions": [policy.min_age, *([] if policy.max_age is None else [policy.max_age + datetime.resolution])],
        "quarantined": [policy.quarantine_for],
        "retired": [policy.drain, *([policy.warm_up] if facts.restoring else [])],
    }
    moments = [later(since, age) for (section, _), since in facts.landed.items() for age in ages.get(section, ())]
    ends = [pin.until for pin in state.pinned.values() if pin.until is not None]
    ends += [asked.until for asked in facts.restoring.values() if asked.until is not None]
    moments += [later(datetime.combine(until, time(), timezone.utc), _DAY) for until in ends]
    return (moment for moment in moments if moment is not None)


def later(moment: datetime, duration: timedelta) -> datetime | None:
    """A moment later; None behind the end of the calendar, where nothing happens any more."""
    try:
        return moment + duration
    except OverflowError:
        return None
