"""Why a version is where it is: what each rule of the sweep says of it, when that changes, and what an operation does.

Nothing is decided here. The verdicts are the evidence of the sweep itself (`retention.Sweep.rules`), what comes is its
forecast, and what an operation would do is its plan; this module puts words beside them.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused
from release_tool.model.records import UNHEALTHY
from release_tool.model.times import duration_text
from release_tool.model.versions import minor_of, newest_first
from release_tool.rules.forecast import coming, later
from release_tool.rules.outlook import where
from release_tool.rules.plan import plan
from release_tool.rules.retention import fallback_target, sweep, without_route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from release_tool.config import Retention
    from release_tool.model.records import Change, Line, Name, Pin, State
    from release_tool.rules.forecast import Coming
    from release_tool.rules.plan import Ground
    from release_tool.rules.retention import Facts

KEEPS, TAKES, WAITS, NO, OFF = "keeps", "takes", "waits", "no", "off"
"""What a rule says of a version: it stays by it, moves by it now, or later; nothing; nothing, as it is not set."""

REMOVED = "removed"


class RuleVerdict(NamedTuple):
    """What one rule says of a version."""

    rule: str  # as in release.yaml where it has a key there, else a word of the documentation
    verdict: str
    reason: str
    until: datetime | None = None  # when the verdict changes if nothing else happens; None: it doesn't by itself


class SweepVerdict(NamedTuple):
    """What the sweep makes of one version."""

    where: str  # `live`, `quarantined`, `retired`, or `removed`: not in the file
    reason: str  # why it stays where it is; empty where the next sweep moves it
    rules: tuple[RuleVerdict, ...]
    act: tuple[Change, ...]  # what the next sweep does to it
    coming: tuple[Coming, ...]  # what later ones do to it, if nothing else happens
    place: int | None = None  # so many newer versions would move it out of `keep`; None: not by them


class Effect(NamedTuple):
    """What an operation, and the sweep at its end, would do to one version."""

    changes: tuple[Change, ...]
    where: str  # where the version is then
    reason: str  # why it stays there


def verdict(state: State, policy: Retention, order: str, facts: Facts, name: Name) -> SweepVerdict:
    """What the sweep of the base makes of a version, and by which rules; needs all ages."""
    swept = sweep(state, policy, order, facts)
    act = tuple(change for change in swept.changes if change.version == name)
    here = where(state, name) if name in state.versions or name in state.retired else REMOVED
    reasons = {one.version: one.reason for one in (*swept.kept, *swept.waiting)}
    about = _About(name, state, policy, order, facts, swept.rules)
    ahead = coming(state, policy, order, facts)[len(swept.changes) :]
    return SweepVerdict(
        where=here,
        reason="" if any(one.action in {"retire", "remove", "restore"} for one in act) else reasons.get(name, ""),
        rules=tuple(_RULES_OF[here](about)) if here in _RULES_OF else (),
        act=act,
        coming=tuple(one for one in ahead if one.change.version == name),
        place=_newer_until_gone(about) if here == "live" else None,
    )


def effect(ground: Ground, pending: Sequence[Line], own: Line, name: Name) -> Effect | None:
    """What an operation would do to a version, as it is planned; None where it is refused, or does nothing to it.

    What the sweep does at its end counts only for a cleanup: the other operations would do that whatever they are.
    """
    try:
        made = plan(ground, pending, own)
    except Refused:
        return None
    changes = tuple(one for one in made.own if one.version == name or name == one.before != one.version)
    if not any(own.intent.operation == "cleanup" or not one.sweep for one in changes):
        return None
    here = name in made.after.versions or name in made.after.retired
    reasons = {one.version: one.reason for one in (*made.kept, *made.waiting)}
    return Effect(changes, where(made.after, name) if here else REMOVED, reasons.get(name, ""))


# -- the rules, in words ----------------------------------------------------------------------------------------------


class _About(NamedTuple):
    name: Name
    state: State
    policy: Retention
    order: str
    facts: Facts
    said: Mapping[str, Mapping[Name, str]]  # the evidence of the sweep

    def rule(self, rule: str, otherwise: str, until: datetime | None = None, place: str = "") -> RuleVerdict:
        """A rule that keeps a version, or doesn't; what the sweep says of it is its reason."""
        holds = self.said.get(rule, {}).get(self.name)
        if holds is None:
            return RuleVerdict(rule, NO, otherwise)
        return RuleVerdict(rule, KEEPS, f"{holds}: {place}" if place else holds, until)

    def ranked(self) -> list[Name]:
        """The live versions that `keep` counts, newest first: what leaves for its age fills no place."""
        newest = newest_first(self.order, self.state.live.items())
        return [name for name, _ in newest if name not in self.said["max_age"]]

    def reached(self, section: str, age: timedelta) -> datetime | None:
        """When the version reaches an age."""
        landed = self.facts.landed.get((section, self.name))
        return None if landed is None else later(landed, age)


def _of_live(about: _About) -> Iterator[RuleVerdict]:
    name, state, policy, said = about.name, about.state, about.policy, about.said
    yield about.rule("default", f"{state.default} is the default")
    pin = state.pinned.get(name)
    no_pin = "not pinned" if pin is None else "the last day of its pin is over"
    yield about.rule("pin", no_pin, None if pin is None else _end(pin))
    target = fallback_target(state, about.facts.former, about.order)
    yield about.rule("fallback", "no version is" if target is None else f"{target} is the fallback target")
    if policy.in_use is None:
        yield RuleVerdict("in_use", OFF, "not set: nobody is asked who calls")
    else:
        yield about.rule("in_use", f"no call was seen within {duration_text(policy.in_use.window)}")
    if policy.min_age:
        young = about.reached("versions", policy.min_age)
        yield about.rule("min_age", f"at least {duration_text(policy.min_age)} old", young)
    else:
        yield RuleVerdict("min_age", OFF, "not set")
    ranked = about.ranked()
    place = f"place {ranked.index(name) + 1} of {len(ranked)}" if name in ranked else "it leaves by max_age"
    yield about.rule("keep", f"{place}, and keep is {policy.keep}", place=place)
    yield _per_minor(about, ranked)
    yield _max_age(about)
    if "last" in said:
        yield about.rule("last", "other versions are live")


def _per_minor(about: _About, ranked: Sequence[Name]) -> RuleVerdict:
    versions, kept = about.state.versions, about.policy.keep_per_minor
    minor = minor_of(versions[about.name], about.order)
    if kept is None:
        return RuleVerdict("keep_per_minor", OFF, "not set")
    if minor is None or about.name not in ranked:
        return RuleVerdict("keep_per_minor", NO, "no minor version" if minor is None else "it leaves by max_age")
    peers = [one for one in ranked if minor_of(versions[one], about.order) == minor]
    place = f"place {peers.index(about.name) + 1} of {len(peers)} in {minor[0]}.{minor[1]}"
    return about.rule("keep_per_minor", f"{place}, and keep_per_minor is {kept}", place=place)


def _max_age(about: _About) -> RuleVerdict:
    limit = about.policy.max_age
    if limit is None:
        return RuleVerdict("max_age", OFF, "not set")
    if about.name in about.said["max_age"]:
        return RuleVerdict("max_age", TAKES, about.said["max_age"][about.name])
    if about.facts.age("versions", about.name) > limit:
        return RuleVerdict("max_age", NO, f"older than {duration_text(limit)}, but a rule above protects it")
    return RuleVerdict("max_age", WAITS, f"not older than {duration_text(limit)}", about.reached("versions", limit))


def _newer_until_gone(about: _About) -> int | None:
    """How many newer versions would push a version out that `keep` alone keeps: each takes one of its places."""
    by = {rule for rule, names in about.said.items() if about.name in names}
    return about.policy.keep - about.ranked().index(about.name) if by == {"keep"} else None


def _of_quarantined(about: _About) -> Iterator[RuleVerdict]:
    name, state, limit = about.name, about.state, about.policy.quarantine_for
    reason, pin = state.quarantined[name].reason, state.pinned.get(name)
    yield RuleVerdict("quarantine", KEEPS, f"quarantined: {reason}" if reason else "quarantined")
    ends = None if pin is None else _end(pin)
    is_pinned = pin is not None and (ends is None or ends > about.facts.now)
    if pin is not None and is_pinned:
        yield RuleVerdict("pin", KEEPS, f"pinned: {pin.reason}" if pin.reason else "pinned", ends)
    else:
        yield RuleVerdict("pin", NO, "not pinned" if pin is None else "the last day of its pin is over")
    if name == state.default:
        yield RuleVerdict("default", KEEPS, "default")
    if name in about.said["quarantine_for"]:
        yield RuleVerdict("quarantine_for", TAKES, about.said["quarantine_for"][name])
    elif is_pinned or name == state.default:
        yield RuleVerdict("quarantine_for", NO, f"a rule above keeps it beyond {duration_text(limit)}")
    else:
        words = f"retired once it was quarantined for {duration_text(limit)}"
        yield RuleVerdict("quarantine_for", WAITS, words, about.reached("quarantined", limit))


def _of_retired(about: _About) -> Iterator[RuleVerdict]:
    if about.name in without_route(about.state, about.facts):
        yield _warm_up(about)
        return
    drain = duration_text(about.policy.drain)
    if about.name in about.said["drain"]:
        yield RuleVerdict("drain", TAKES, about.said["drain"][about.name])
    elif about.name in about.facts.unapplied:
        yield RuleVerdict("drain", KEEPS, about.facts.unapplied[about.name])
    elif ("retired", about.name) not in about.facts.landed:
        yield RuleVerdict("drain", WAITS, f"removed once it has drained for {drain} since its retirement landed")
    else:
        words = f"removed once it has drained for {drain}"
        yield RuleVerdict("drain", WAITS, words, about.reached("retired", about.policy.drain))


def _warm_up(about: _About) -> RuleVerdict:
    """Of a version that came back and has no route yet."""
    limit, said = about.policy.warm_up, about.said["warm_up"].get(about.name)
    if said is not None:
        return RuleVerdict("warm_up", TAKES, said)
    if about.name in about.facts.unapplied:
        return RuleVerdict("warm_up", WAITS, about.facts.unapplied[about.name])
    if about.facts.ready.get(about.name) == UNHEALTHY:
        return RuleVerdict("warm_up", WAITS, "routed once its pods are ready: they are not")
    words = f"routed once it has been deployed for {duration_text(limit)}"
    if ("retired", about.name) not in about.facts.landed:
        return RuleVerdict("warm_up", WAITS, f"{words} since that landed")
    return RuleVerdict("warm_up", WAITS, words, about.reached("retired", limit))


_RULES_OF: dict[str, Callable[[_About], Iterator[RuleVerdict]]] = {
    "live": _of_live,
    "quarantined": _of_quarantined,
    "retired": _of_retired,
}


def _end(pin: Pin) -> datetime | None:
    """The first moment after the last day of a pin; None: it has no end."""
    if pin.until is None:
        return None
    return later(datetime.combine(pin.until, time(), timezone.utc), timedelta(days=1))
