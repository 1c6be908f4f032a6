"""Retention: which versions stay, which retire, which are removed, each with its reason.

No reason holds a number that depends on the time of planning, so that planning again gives the same words.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.records import HEALTHY, UNHEALTHY, Change, Kept, Name, Pin, State, Tag
from release_tool.model.states import apply
from release_tool.model.times import duration_text
from release_tool.model.versions import is_newer, minor_of, newest_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from release_tool.config import Retention

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def count_text(number: int) -> str:
    """A small number as a word, a larger one in digits: `five`, `13`."""
    return _WORDS[number] if number < len(_WORDS) else str(number)


class Facts(NamedTuple):
    """What the sweep has to know beside the state."""

    now: datetime  # the time of planning (UTC)
    base: State  # the state of the base branch
    # landing of the versions of the base, as far as an age matters; a version without one counts as new. Where a
    # delivery tool tells when a retirement was applied, that counts
    landed: Mapping[tuple[str, Name], datetime] = {}
    former: Sequence[Name] = ()  # the defaults that stood in the base branch, oldest first, the present one last
    # name -> words (`in use by web`, `use unknown: no answer`) of the versions that are still called, as far as
    # `retention.in_use` asks for that
    in_use: Mapping[Name, str] = {}
    # name -> the `deploy` of the versions that came back without a route, and are to get one (`history.restoring`)
    restoring: Mapping[Name, Change] = {}
    ready: Mapping[Name, str] = {}  # name -> what a source says of their pods, if one was asked: a word of health
    # name -> why a retired version of the base isn't known to be without calls in the cluster: it is not removed
    unapplied: Mapping[Name, str] = {}

    def age(self, section: str, name: Name) -> timedelta:
        """How long the base branch has held a version in a section; zero for one that has not landed there."""
        since = self.landed.get((section, name))
        return timedelta(0) if since is None else self.now - since


PROTECTING = ("min_age", "in_use", "fallback", "pin", "default", "last")
"""The rules by which a live version is never retired as things stand, the weakest reason first."""

COUNTING = ("keep_per_minor", "keep")
"""The rules by which a live version that nothing protects is one of so many that stay, the weaker reason first."""

Rules = dict[str, dict[Name, str]]
"""Rule -> name -> reason of the versions that it holds for: PROTECTING, COUNTING, what makes a version leave:
`max_age`, `quarantine_for`, `drain`; and `warm_up`, which routes one that comes back."""


class Sweep(NamedTuple):
    """What the sweep makes of every version, each with its reason."""

    changes: tuple[Change, ...]
    kept: tuple[Kept, ...]  # the live versions that stay live
    waiting: tuple[Kept, ...] = ()  # the quarantined and retired versions that stay as they are
    rules: Mapping[str, Mapping[Name, str]] = {}  # the evidence: `Rules`


def sweep(state: State, policy: Retention, order: str, facts: Facts) -> Sweep:
    """Lift expired pins, route what is warm, retire by policy, then remove what has drained.

    `state` is the one after the operation.
    """
    today = facts.now.date()
    restoring = without_route(state, facts)
    warm = _warm(state, policy, facts, restoring)
    routed = _routed(state, warm)
    state = apply(state, routed)
    lifted = tuple(
        Change("unpin", name, state.versions[name], f"pinned until {pin.until.isoformat()}")
        for name, pin in state.pinned.items()
        if pin.until is not None and pin.until < today and name in state.versions
    )
    state = apply(state, lifted)
    rules = _live_rules(state, policy, order, facts)
    rules["warm_up"] = {name: reason for name, (_, reason) in warm.items()}
    retired, kept = _retention(state, policy, order, facts, rules)
    # What people brought back on an open branch may still be retired, and drained, in the base: retired again it goes
    # at once. A second sweep could not tell it from any other drained version.
    state = apply(state, retired)
    rules["drain"] = {
        name: f"drained for {duration_text(policy.drain)}"
        for name, tag in state.retired.items()
        if _has_been_retired(name, tag, policy.drain, facts) and name not in restoring and name not in facts.unapplied
    }
    removed = tuple(Change("remove", name, state.retired[name], reason) for name, reason in rules["drain"].items())
    changed = {change.version for change in (*retired, *removed)}
    waiting = tuple(one for one in _waiting(state, policy, facts, restoring) if one.version not in changed)
    return Sweep((*routed, *lifted, *retired, *removed), kept, waiting, rules)


def without_route(state: State, facts: Facts) -> dict[Name, Change]:
    """The versions that wait for their route; one whose pin would be over by now is a retired one like others."""
    return {
        name: asked
        for name, asked in facts.restoring.items()
        if name in state.retired and (asked.until is None or asked.until >= facts.now.date())
    }


def _has_been_retired(name: Name, tag: Tag, age: timedelta, facts: Facts) -> bool:
    """Whether the base has held a version under `retired` for so long."""
    landed = facts.base.retired.get(name) == tag and ("retired", name) in facts.landed
    return landed and facts.age("retired", name) >= age


def _warm(
    state: State, policy: Retention, facts: Facts, restoring: Mapping[Name, Change]
) -> dict[Name, tuple[Change, str]]:
    """Name -> its `deploy`, and why it gets its route now: whoever can tell whether its pods are ready decides."""
    found: dict[Name, tuple[Change, str]] = {}
    for name, asked in restoring.items():
        tag, said = state.retired[name], facts.ready.get(name)
        if said == HEALTHY and _has_been_retired(name, tag, timedelta(0), facts):
            found[name] = asked, "its pods are ready"
        elif said != UNHEALTHY and name not in facts.unapplied and _has_been_retired(name, tag, policy.warm_up, facts):
            found[name] = asked, f"deployed for {duration_text(policy.warm_up)}"
    return found


def _routed(state: State, warm: Mapping[Name, tuple[Change, str]]) -> tuple[Change, ...]:
    """The changes that give versions their routes, pinned as they were asked for; they never move a default."""
    changes: list[Change] = []
    for name, (asked, reason) in warm.items():
        tag = state.retired[name]
        changes.append(Change("restore", name, tag, reason))
        changes.append(Change("pin", name, tag, asked.reason, until=asked.until))
    default = state.default
    if default is not None and apply(state, changes).default != default:
        changes.append(implied(default, state))
    return tuple(changes)


def implied(default: Name, state: State) -> Change:
    """The change that writes down a default that was none but the lowest name, before another one is that."""
    return Change("set-default", default, state.versions[default], "implied until now", before=default)


def _live_rules(state: State, policy: Retention, order: str, facts: Facts) -> Rules:
    """What each rule says of the versions that are not retired."""
    live = state.live
    rules = _protecting(state, policy, order, facts)
    protected = _merged(rules, PROTECTING)
    rules["max_age"] = {
        name: f"older than max_age {duration_text(policy.max_age)}"
        for name in live
        if policy.max_age is not None and name not in protected and facts.age("versions", name) > policy.max_age
    }
    # What leaves for its age fills no place of `keep`.
    left = {name: tag for name, tag in live.items() if name not in rules["max_age"]}
    rules |= _counting(left, policy, order)
    ends = f"quarantined for {duration_text(policy.quarantine_for)}"
    rules["quarantine_for"] = {
        name: ends
        for name in state.versions
        if name not in live
        and name not in state.pinned
        and name != state.default
        and ("quarantined", name) in facts.landed
        and facts.age("quarantined", name) >= policy.quarantine_for
    }
    return rules


def _merged(rules: Mapping[str, Mapping[Name, str]], which: Sequence[str]) -> dict[Name, str]:
    """Name -> the strongest reason of some rules."""
    found: dict[Name, str] = {}
    for rule in which:
        found |= rules.get(rule, {})
    return found


def _retention(
    state: State, policy: Retention, order: str, facts: Facts, rules: Rules
) -> tuple[tuple[Change, ...], tuple[Kept, ...]]:
    live = state.live
    staying = _merged(rules, (*COUNTING, *PROTECTING))
    leaving: dict[Name, str] = {}
    for name, tag in state.versions.items():
        reason = rules["quarantine_for"].get(name) or rules["max_age"].get(name)
        if reason is None and name in live and name not in staying:
            reason = _beyond_the_counts(tag, policy, order, len(live))
        if reason is not None:
            leaving[name] = reason
    if live and live.keys() <= leaving.keys():
        # Only files that no operation writes come here: a default that is quarantined protects nothing else.
        last, _ = newest_first(order, live.items())[0]
        rules["last"] = {last: "last live version"}
        staying |= rules["last"]
        del leaving[last]
    retired = tuple(Change("retire", name, state.versions[name], reason) for name, reason in leaving.items())
    stay = (name for name in live if name not in leaving)
    return retired, tuple(
        Kept(name, live[name], staying[name], in_use=staying[name] == facts.in_use.get(name)) for name in stay
    )


def _protecting(state: State, policy: Retention, order: str, facts: Facts) -> Rules:
    """What protects live versions."""
    live = state.live
    young = f"younger than min_age {duration_text(policy.min_age)}"
    target = fallback_target(state, facts.former, order)
    return {
        "min_age": {name: young for name in live if policy.min_age and facts.age("versions", name) < policy.min_age},
        "in_use": {name: words for name, words in facts.in_use.items() if name in live},
        "fallback": {} if target is None else {target: "fallback target"},
        "pin": {name: _with_reason(_pinned(pin), pin.reason) for name, pin in state.pinned.items() if name in live},
        "default": {} if state.default is None else {state.default: "default"},
    }


def _pinned(pin: Pin) -> str:
    return "pinned" if pin.until is None else f"pinned until {pin.until.isoformat()}"


def _with_reason(words: str, reason: str) -> str:
    return f"{words}: {reason}" if reason else words


def _counting(versions: Mapping[Name, Tag], policy: Retention, order: str) -> Rules:
    """Which of some live versions the counts keep."""
    newest: dict[Name, str] = {}
    of_minor: dict[Name, str] = {}
    seen: dict[tuple[int, int], int] = {}
    for position, (name, tag) in enumerate(newest_first(order, versions.items())):
        minor = None if policy.keep_per_minor is None else minor_of(tag, order)
        if minor is not None and policy.keep_per_minor is not None:
            seen[minor] = seen.get(minor, 0) + 1
            if seen[minor] <= policy.keep_per_minor:
                of_minor[name] = f"newest {policy.keep_per_minor} of {minor[0]}.{minor[1]}"
        if position < policy.keep:
            newest[name] = f"newest {policy.keep}"
    return {"keep_per_minor": of_minor, "keep": newest}


def _beyond_the_counts(tag: Tag, policy: Retention, order: str, live: int) -> str:
    per_minor = ""
    if policy.keep_per_minor is not None and minor_of(tag, order) is not None:
        per_minor = f", keep_per_minor {policy.keep_per_minor}"
    return f"keep {policy.keep}{per_minor}: {count_text(live)} live"


def _waiting(state: State, policy: Retention, facts: Facts, restoring: Mapping[Name, Change]) -> tuple[Kept, ...]:
    """Why the quarantined and the retired versions are where they are."""
    found = []
    for name, tag in state.versions.items():
        if name in state.quarantined:
            pin = state.pinned.get(name)
            words = "quarantined" if pin is None else f"quarantined and {_pinned(pin)}"
            found.append(Kept(name, tag, _with_reason(words, state.quarantined[name].reason)))
    drains = f"retired for {duration_text(policy.drain)}, then removed"
    warms = f"not routed yet: it is once it has been deployed for {duration_text(policy.warm_up)}"
    cold = "not routed yet: its pods are not ready"
    for name, tag in state.retired.items():
        waits = drains if name not in restoring else cold if facts.ready.get(name) == UNHEALTHY else warms
        found.append(Kept(name, tag, facts.unapplied.get(name, waits)))
    return tuple(found)


def fallback_target(state: State, former: Sequence[Name], order: str) -> Name | None:
    """The version to go back to when the default turns bad.

    The latest former default that is live and below the default; else the newest live version below the default; else
    the latest former default that is live; else none. `former` are the defaults of the base branch, oldest first.
    """
    default = state.default
    if default is None or default not in state.versions:
        return None
    here = (default, state.versions[default])
    others = {name: tag for name, tag in state.live.items() if name != default}
    below = {name: tag for name, tag in others.items() if is_newer(order, here, (name, tag))}
    latest = [name for name in reversed(former) if name in others]
    ordered = [*(name for name in latest if name in below), *(name for name, _ in newest_first(order, below.items()))]
    return next(iter([*ordered, *latest]), None)
