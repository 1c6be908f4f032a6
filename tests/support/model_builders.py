"""Small builders for the pure model: states, lines of the record, grounds to plan on, and laws.

The present moment of all tests is `NOW`. A law is a check over generated values: `law` makes a test of a few examples
out of it, and `test_laws_in_depth.py` runs every law again with many more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from release_tool.config import Environment, Retention
from release_tool.model import history, times
from release_tool.model.records import Change, Intent, Line, Name, Pin, Quarantine, State, Tag, name_of
from release_tool.model.versions import tag_part
from release_tool.rules.operations import Names
from release_tool.rules.plan import Ground, Plan, plan
from release_tool.rules.retention import Facts

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
TODAY = NOW.date()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DIGEST = "@sha256:" + "0123456789abcdef" * 4


# -- laws -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Law:
    """A check over generated values."""

    check: Callable[..., None]
    values: tuple[SearchStrategy[Any], ...]
    examples: int

    def test(self, examples: int) -> Callable[[], None]:
        bounded = settings(max_examples=examples, deadline=None)
        made: Callable[[], None] = bounded(given(*self.values)(self.check))
        return made


LAWS: dict[str, Law] = {}


def law(*values: SearchStrategy[Any], examples: int = 60) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Make a test of a check over generated values."""

    def decorate(check: Callable[..., None]) -> Callable[[], None]:
        LAWS[check.__name__] = Law(check, values, examples)
        return LAWS[check.__name__].test(examples)

    return decorate


# -- states -----------------------------------------------------------------------------------------------------------
def versions(*tags: str, **named: str) -> dict[Name, Tag]:
    """`versions("1.0.1", "1.0.2")` are v1 and v2; `versions(v7="1.0.7")` names them."""
    numbered = {name_of(number): Tag(tag) for number, tag in enumerate(tags, start=1)}
    return {**numbered, **{Name(name): Tag(tag) for name, tag in named.items()}}


def state(*tags: str, default: str | None = None, **sections: Any) -> State:
    """`state("1.0.1", "1.0.2", default="v2", quarantined={"v1": "slow"})`.

    Sections: `named` and `retired` are name -> tag; `pinned` and `quarantined` are name -> reason, or a record.
    """
    pins = {Name(name): pin if isinstance(pin, Pin) else Pin(pin) for name, pin in sections.pop("pinned", {}).items()}
    bad = {
        Name(name): one if isinstance(one, Quarantine) else Quarantine(one)
        for name, one in sections.pop("quarantined", {}).items()
    }
    made = State(
        versions=versions(*tags, **sections.pop("named", {})),
        retired=versions(**sections.pop("retired", {})),
        pinned=pins,
        quarantined=bad,
        written_default=None if default is None else Name(default),
    )
    assert not sections, f"no such sections: {sections}"
    return made


def meaning(one: State) -> tuple[Any, ...]:
    """What a state says, whatever the order of its versions and whether its default is written or implied."""
    return (dict(one.versions), dict(one.retired), dict(one.pinned), dict(one.quarantined), one.default)


# -- changes and lines ------------------------------------------------------------------------------------------------
def change(action: str, name: str, tag: str = "1.0.0", reason: str = "why", **more: Any) -> Change:
    return Change(action, Name(name), Tag(tag), reason, **more)


def intent(
    line_id: str, operation: str, written: Mapping[str, Any], by: str = "", run: str = "", **more: Any
) -> Intent:
    """An intent as it is read from a line of the record."""
    data = {"schema": 1, "at": times.timestamp(NOW), "id": "x", "operation": operation, "arguments": written}
    (read,) = history.parse(json.dumps({**data, "changes": []}), "history.jsonl")
    return read.intent._replace(id=line_id, by=by, run=run, **more)


def line(
    line_id: str, *changes: Change, tag: str = "1.0.0", at: datetime = NOW, operation: str = "bump", **more: Any
) -> Line:
    """A line of the record, as a bump of `tag` unless another operation is named."""
    written = {"tag": tag, **more.pop("arguments", {})}
    return Line(intent(line_id, operation, written, run=more.pop("run", "")), at, changes, **more)


def bump(tag: str, at: datetime = NOW, line_id: str = "", **arguments: Any) -> Line:
    """The line of a bump that was not planned yet."""
    return line(line_id or f"bump-{tag_part(tag)}", tag=tag, at=at, arguments=arguments)


def add_line(tag: str, name: str, action: str = "add", at: datetime = NOW) -> Line:
    """The pending line of a bump as an earlier planning left it."""
    return bump(tag, at)._replace(changes=(change(action, name, tag),))


def told(changes: Iterable[Change]) -> list[str]:
    """Changes in short, with what they say: `add v5 1.0.5`."""
    return [f"{one.action} {one.version} {tag_part(one.tag)}" for one in changes]


# -- grounds and plans ------------------------------------------------------------------------------------------------
def names_of(*states: State, lines: Iterable[Line] = ()) -> Names:
    """The names that some states and lines of the base hold."""
    known = {tag_part(tag): name for one in states for name, tag in (*one.versions.items(), *one.retired.items())}
    return Names({**history.names_of(lines), **known})


def ground(
    base: State,
    *,
    lines: Sequence[Line] = (),
    keep: int = 8,
    default: Any = "newest",
    order: str = "semver",
    now: datetime = NOW,
    landed: Mapping[tuple[str, Name], datetime] | None = None,
    names: Names | None = None,
    **retention: Any,
) -> Ground:
    """What an operation is planned on; the versions of the base are known by the names that they have there."""
    environment = Environment("devel", default=default, retention=Retention(keep=keep, **retention))
    former = history.former_defaults(lines, base.default)
    facts = Facts(now, base, landed or {}, former)
    return Ground(environment, order, base, lines, facts, names or names_of(base, lines=lines))


def planned(base: Ground, *tags: str, pending: Sequence[Line] = ()) -> Plan:
    """The plan after bumps that come one after the other, all in one open pull request."""
    made = plan(base, pending, None)
    for tag in tags:
        made = plan(base, made.lines, bump(tag))
    return made


def live_tags(plan_or_state: Plan | State) -> set[str]:
    """The tags (without digests) that are live."""
    one = plan_or_state.after if isinstance(plan_or_state, Plan) else plan_or_state
    return {tag_part(tag) for tag in one.live.values()}


@dataclass
class BaseAndBranch:
    """One environment: its base branch, its rolling branch, and what a remote would remember of both."""

    base: State
    environment: Environment
    order: str
    now: datetime = NOW
    lines: list[Line] = field(default_factory=list)
    pending: tuple[Line, ...] = ()
    branch: State | None = None  # what people made of the rolling branch; None while it is the tool's alone
    landed: dict[tuple[str, Name], tuple[Tag, datetime]] = field(default_factory=dict)
    named: dict[str, Name] = field(default_factory=dict)
    count: int = 0

    def hold(self, after: State) -> list[tuple[str, Name]]:
        """The base holds another state from now on; tag part and name of all that is there."""
        self.base = after
        entries = {
            (section_of(after, name), name): tag for name, tag in (*after.versions.items(), *after.retired.items())
        }
        self.landed = {
            entry: self.landed[entry] if entry in self.landed and self.landed[entry][0] == tag else (tag, self.now)
            for entry, tag in entries.items()
        }
        return [(tag_part(tag), name) for (_, name), tag in entries.items()]

    def facts(self, **more: Any) -> Facts:
        """What the base tells at present."""
        ages = {entry: since for entry, (_, since) in self.landed.items()}
        return Facts(self.now, self.base, ages, history.former_defaults(self.lines, self.base.default), **more)

    def on_branch(self, made: Ground) -> Ground:
        """The same ground, on the branch once people work on it."""
        if self.branch is None:
            return made
        return made._replace(state=self.branch, lines=[*self.lines, *self.pending])


# -- generated values -------------------------------------------------------------------------------------------------
READABLE = st.builds(
    lambda lead, minor, patch, end: f"{lead}1.{minor}.{patch}{end}",
    st.sampled_from(["", "v"]),
    st.integers(0, 2),
    st.integers(0, 5),
    st.sampled_from(["", "", "", "-rc.1", "-rc.2", "-alpha"]),
)
UNREADABLE = st.sampled_from(["latest", "nightly", "1.2", "v1", "2026-11-23", "1.0.01", "main-a1b2c3d"])
TAGS = st.one_of(READABLE, READABLE, READABLE, UNREADABLE)
WRITTEN_TAGS = st.builds(lambda tag, digest: Tag(tag + digest), TAGS, st.sampled_from(["", "", "", DIGEST]))
ORDERS = st.sampled_from(["semver", "arrival"])
REASONS = st.sampled_from(["slow", "error rate 0.12 > 0.05", 'says "no"', "für später", ""])
DAYS = st.dates(date(2026, 11, 1), date(2026, 12, 31))
MOMENTS = st.datetimes(
    datetime(2026, 8, 1), datetime(2026, 11, 23), timezones=st.just(timezone.utc), allow_imaginary=False
).map(lambda moment: moment.replace(microsecond=0))
PINS = st.builds(Pin, REASONS, st.none() | DAYS)
QUARANTINES = st.builds(Quarantine, REASONS, st.none() | MOMENTS)


@st.composite
def states(draw: Any, *, least: int = 0) -> State:
    """A state that breaks no rule: one name a tag, marks on versions that are there, a default that is live."""
    tags = draw(st.lists(WRITTEN_TAGS, min_size=least, max_size=8, unique_by=tag_part))
    numbers = draw(st.lists(st.integers(1, 12), min_size=len(tags), max_size=len(tags), unique=True))
    entries = dict(zip(map(name_of, numbers), tags, strict=True))
    may_go = list(entries)[least:]
    gone = draw(st.sets(st.sampled_from(may_go), max_size=3)) if may_go else set()
    here = {name: tag for name, tag in entries.items() if name not in gone}
    retired = {name: tag for name, tag in entries.items() if name in gone}
    if not here:
        return State(retired=retired)
    bad = draw(st.sets(st.sampled_from(sorted(here)), max_size=min(3, len(here) - 1)))
    pinned = draw(st.sets(st.sampled_from(sorted(here)), max_size=3))
    implied = State(here).default
    default = draw(st.sampled_from(sorted(set(here) - bad) + ([None] if implied not in bad else [])))
    return State(
        versions=here,
        retired=retired,
        pinned={name: draw(PINS) for name in here if name in pinned},
        quarantined={name: draw(QUARANTINES) for name in here if name in bad},
        written_default=default,
    )


POLICIES = st.fixed_dictionaries(
    {
        "keep": st.integers(1, 5),
        "keep_per_minor": st.none() | st.integers(1, 2),
        "min_age": st.sampled_from([timedelta(0), 2 * DAY]),
        "max_age": st.none() | st.just(30 * DAY),
        "drain": st.sampled_from([timedelta(0), HOUR, 2 * DAY]),
        "quarantine_for": st.sampled_from([timedelta(0), DAY, 14 * DAY]),
        "warm_up": st.sampled_from([timedelta(0), HOUR, 2 * DAY]),
    }
).map(lambda given: Retention(**given))  # `st.builds` would hash the annotations of the record


def section_of(one: State, name: Name) -> str:
    """The section of a version, as landings are told: `versions` (live), `quarantined` or `retired`."""
    if name in one.retired:
        return "retired"
    return "quarantined" if name in one.quarantined else "versions"


@st.composite
def facts(draw: Any, base: State, now: datetime = NOW) -> Facts:
    """What the base might tell about its versions."""
    landed = {}
    for name in (*base.versions, *base.retired):
        hours = draw(st.none() | st.sampled_from([0, 1, 2, 24, 47, 48, 49, 24 * 14, 24 * 30, 24 * 31, 24 * 100]))
        if hours is not None:
            landed[section_of(base, name), name] = now - hours * HOUR
    names = sorted((*base.versions, *base.retired, Name("v99")))
    former = draw(st.lists(st.sampled_from(names), max_size=4))
    return Facts(now, base, landed, (*former, base.default) if base.default else tuple(former))
