"""Random lives of an environment, each plan of them made by the real rules and by the plain model.

A life is a list of events with numbers in place of choices, so that any of them can be left out: what fails is made as
short as it gets, and printed as commands.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import model_of_files as model
import planning_model
from model_builders import DAY, DIGEST, HOUR, BaseAndBranch, intent
from model_of_operations import No
from planning_compared import Difference, asked, compared, did, file_of, laws, outcome_of

from release_tool.config import Environment, Retention
from release_tool.errors import Refused
from release_tool.model import history
from release_tool.model.records import Line, Name, Pin, Quarantine, State, Tag, name_number, name_of
from release_tool.model.versions import tag_part
from release_tool.rules.operations import Names
from release_tool.rules.plan import Ground, Plan, plan

TAGS = [*(f"v1.0.{patch}" for patch in range(1, 10)), "v1.1.0", "v1.1.1", "1.1.1", "latest", "main-7"]
DEEDS = ["default", "pin", "unpin", "quarantine", "clear", "retire", "remove", "restore"]
REASONS = ["slow", "corrupt answers"]
Event = tuple[str, int, int, int]

EVENTS = {
    "bump": 30, "promote": 14, "default": 8, "pin": 5, "unpin": 6, "retire": 8, "restore": 7, "quarantine": 9,
    "clear": 6, "guard": 2, "cleanup": 2, "undo": 4, "sync": 3, "merge": 8, "close": 2, "push": 4, "downgrade": 3,
    "by_hand": 5, "commit": 3, "wait": 5, "policy": 3, "use": 2, "bad_elsewhere": 2, "names": 2, "other_pull_request": 1,
}  # fmt: skip


def events_of(seed: int) -> list[Event]:
    chance = random.Random(seed)
    kinds = chance.choices([*EVENTS], [*EVENTS.values()], k=chance.randint(8, 40))
    return [(kind, *(chance.randrange(1 << 16) for _ in range(3))) for kind in kinds]


# -- a life -----------------------------------------------------------------------------------------------------------
@dataclass
class Life(BaseAndBranch):
    """Every operation and what people do, event by event; each plan is made twice."""

    made: State | None = None  # what the open pull request makes of the base; None: it must be made again
    used: set[Name] = field(default_factory=set)
    others: dict[str, Name] = field(default_factory=dict)
    elsewhere: dict[str, tuple[str, str]] = field(default_factory=dict)
    plans: int = 0
    told: list[str] = field(default_factory=list)

    # -- what the remote knows

    def land(self, after: State) -> None:
        for tag, name in self.hold(after):
            self.know(tag, name)

    def know(self, tag: str, name: Name) -> None:
        if self.named.setdefault(tag, name) != name:
            raise Difference(f"{tag} was {self.named[tag]} and is {name}")
        if [one for one, other in self.named.items() if other == name] != [tag]:
            raise Difference(f"{name} has two tags")

    def ground(self, *, alone: bool = False) -> Ground:
        """What is planned on; `alone`: the base, without regard to a branch that people work on."""
        names = Names(self.named, {**self.others, **history.names_of(self.pending)}, frozenset(self.named.values()))
        facts = self.facts(in_use=dict.fromkeys(self.used, "in use by web"))
        made = Ground(self.environment, self.order, self.base, self.lines, facts, names, self.elsewhere)
        return made if alone else self.on_branch(made)

    def world(self, on: Ground) -> model.World:
        start = file_of(on.state)
        record = [
            model.Landed(
                line.id,
                line.intent.operation,
                did(line.adopted),
                did([one for one in line.changes if not one.sweep]),
                did([one for one in line.changes if one.sweep]),
            )
            for line in on.lines
        ]
        adopted = [
            model.Did("quarantine", name, tag, start.bad[name]) if name in start.bad else model.Did("clear", name, tag)
            for name, tag in start.versions.items()
        ]
        return model.World(
            file_of(self.base), start, self.environment.retention, self.environment.default, self.order, self.now,
            {(section, str(name)): since for (section, name), since in on.facts.landed.items()},
            [str(name) for name in on.facts.former], self.named, set(self.named.values()), on.names.pending,
            set(self.elsewhere), {str(name) for name in self.used}, record, adopted,
        )  # fmt: skip

    # -- planning, compared

    def plan(self, pending: Sequence[Line], own: Line | None, *, alone: bool = False) -> Plan | None:
        """The plan of both; None where both refuse this operation."""
        self.plans += 1
        on = self.ground(alone=alone)
        try:
            expected = compared(
                planning_model.plan(self.world(on), [asked(line) for line in pending], own and asked(own))
            )
        except No as no:
            expected = {"refused": str(no)}
        try:
            made = plan(on, pending, own)
            found = compared(outcome_of(made))
        except Refused as error:
            made, found = None, {"refused": str(error)}
        same = found == expected if made else "refused" in expected
        if not same:
            raise Difference(
                "\n".join(
                    f"{key}:\n    model {expected.get(key)}\n    real  {found.get(key)}"
                    for key in {**expected, **found}
                    if expected.get(key) != found.get(key)
                )
            )
        if made:
            laws(on, [*pending, *([own] if own else ())], made)
        return made

    def operate(self, line: Line, *, direct: bool = False) -> None:
        if direct:
            self.abandon()
            made = self.plan((), line)
            if made:
                self.record(made.lines)
                self.land(made.after)
                self.made = None
        elif self.branch is not None:
            made = self.plan((), line)
            if made:
                self.pending, self.branch = (*self.pending, *made.lines), made.after
        else:
            made = self.plan(self.pending, line)
            if made:
                self.pending, self.made = made.lines, made.after

    def abandon(self) -> None:
        """Lines that land elsewhere conflict with a branch that people work on: it is closed."""
        if self.branch is not None:
            self.told.append("close: the branch conflicts")
            self.pending, self.made, self.branch = (), None, None

    def record(self, lines: Sequence[Line]) -> None:
        self.lines += lines
        for tag, name in history.names_of(lines).items():
            self.know(tag, name)

    # -- events

    def ask(self, operation: str, tag: str, **more: Any) -> Line:
        self.count += 1
        written = {"tag": tag, **{key: value for key, value in more.items() if value}}
        words = " ".join(f"--{key} {value}" for key, value in written.items() if key != "tag")
        self.told.append(f"{operation} {tag} {words}".rstrip())
        made = intent(f"{self.count:03}-{operation}-{tag}", operation, written)
        return Line(made, self.now)

    def some_tag(self, number: int) -> str:
        """A tag that the environment has, had, or may get."""
        here = [*self.base.versions.values(), *self.base.retired.values()]
        proposed = [*history.names_of(self.pending)]
        return [*here, *proposed, *here, *proposed, *self.named, TAGS[number % len(TAGS)]][
            number % (2 * len(here) + 2 * len(proposed) + len(self.named) + 1)
        ]

    def day(self, number: int) -> str:
        return (self.now + [0, 7, 30][number % 3] * DAY).date().isoformat() if number % 4 else ""

    def bump(self, a: int, b: int, c: int) -> None:
        self.operate(self.ask("bump", TAGS[a % len(TAGS)] + (DIGEST if c % 6 == 0 else ""), pin=b % 8 == 0))

    def push(self, a: int, b: int, c: int) -> None:
        if b % 2:
            line = self.ask("bump", TAGS[a % len(TAGS)])
        else:
            line = self.ask(["retire", "default", "quarantine", "clear", "restore"][c % 5], self.some_tag(a))
        self.told[-1] += " --direct"
        self.operate(line, direct=True)

    def promote(self, a: int, b: int, c: int) -> None:
        tag = TAGS[a % len(TAGS)]
        if tag not in self.named:
            proposed = history.names_of(self.pending).get(tag)
            self.know(tag, proposed if proposed and proposed not in self.named.values() else self.new_name())
            self.made = None
        self.operate(self.ask("promote", tag, **{"from": ["devel", "devel", "staging"][b % 3],
                     "of": "version" if c % 4 == 0 else "default", "version": self.named[tag], "pin": b % 9 == 0,
                     "force": c % 7 == 0}))  # fmt: skip

    def new_name(self) -> Name:
        known = [*self.named.values(), *self.others.values(), *history.names_of(self.pending).values()]
        return name_of(1 + max(map(name_number, known), default=0))

    def default(self, a: int, b: int, c: int) -> None:
        self.operate(self.ask("default", self.some_tag(a)))

    def pin(self, a: int, b: int, c: int) -> None:
        self.operate(self.ask("pin", self.some_tag(a), reason="clients", until=self.day(b)))

    def unpin(self, a: int, b: int, c: int) -> None:
        self.operate(self.ask("unpin", self.some_tag(a)))

    def retire(self, a: int, b: int, c: int) -> None:
        self.operate(self.ask("retire", self.some_tag(a)))

    def restore(self, a: int, b: int, c: int) -> None:
        tag = self.some_tag(a)
        deployed = any(tag_part(one) == tag_part(tag) for one in self.base.retired.values())
        self.operate(self.ask("restore", tag, until=self.day(b), deployed=deployed and c % 4 != 0))

    def quarantine(self, a: int, b: int, c: int) -> None:
        self.operate(self.ask("quarantine", self.some_tag(a), reason=REASONS[b % 2]))

    def guard(self, a: int, b: int, c: int) -> None:
        evidence = [{"version": "v1", "check": "errors", "health": "unhealthy", "reason": "bad"}]
        self.operate(self.ask("quarantine", self.some_tag(a), reason=REASONS[b % 2], evidence=evidence))

    def clear(self, a: int, b: int, c: int) -> None:
        self.operate(self.ask("clear", self.some_tag(a)))

    def cleanup(self, a: int, b: int, c: int) -> None:
        line = self.ask("cleanup", "")
        self.operate(line._replace(intent=intent(line.id, "cleanup", {})))

    def undo(self, a: int, b: int, c: int) -> None:
        if self.lines:
            undone = self.lines[-1 - a % min(len(self.lines), 4)]
            line = self.ask("undo", undone.id)
            self.operate(
                line._replace(intent=intent(line.id, "undo", {"operation": undone.id, "since": self.now.isoformat()}))
            )

    def sync(self, a: int, b: int, c: int) -> None:
        self.told.append("sync")
        if self.branch is not None:
            return
        made = self.plan(self.pending, None)
        assert made
        self.pending, self.made = made.lines, made.after

    def merge(self, a: int, b: int, c: int) -> None:
        if self.made is None:
            self.sync(0, 0, 0)
        if any(self.named.get(tag, name) != name for tag, name in history.names_of(self.pending).items()):
            self.abandon()  # `release check` refuses the merge: on a branch that people work on nothing is renumbered
            return
        self.told.append("merge")
        after = self.branch or self.made
        assert after
        self.record(self.pending)
        self.pending, self.made, self.branch = (), None, None
        self.land(after)

    def close(self, a: int, b: int, c: int) -> None:
        self.told.append("close")
        self.pending, self.made, self.branch = (), None, None

    def commit(self, a: int, b: int, c: int) -> None:
        """A person's commit on the rolling branch."""
        if self.made is None:
            self.sync(0, 0, 0)
        on = self.branch or self.made
        assert on
        if self.pending:
            self.branch = edited(on, DEEDS[a % len(DEEDS)], b)
            self.told.append(f"commit on the branch: {DEEDS[a % len(DEEDS)]}, now {self.branch}")

    def downgrade(self, a: int, b: int, c: int) -> None:
        """On a branch of its own, landed at once, or after something else has landed."""
        self.abandon()
        left = self.base.versions[self.base.default] if self.base.default else Tag("")
        to = self.some_tag(a) if b % 3 == 0 else ""
        line = self.ask("downgrade", left, to_tag=to, since=self.now.isoformat(), reason="bad")
        if c % 5 == 0:
            written = {**line.intent.written, "quarantine": False}
            line = line._replace(intent=intent(line.id, "downgrade", written))
        made = self.plan((), line)
        if made and c % 2:
            self.operate(self.ask("default", self.some_tag(a)), direct=True)
            made = self.plan(made.lines, None)
        if made:
            self.record(made.lines)
            self.land(made.after)
            self.made = None

    def by_hand(self, a: int, b: int, c: int) -> None:
        deed = [*DEEDS, "add"][a % (len(DEEDS) + 1)]
        new = edited(self.base, deed, b)
        if deed == "add":
            tag = TAGS[b % len(TAGS)]
            name = self.named.get(tag) or self.new_name()
            if name not in {**new.versions, **new.retired}:
                new = new._replace(versions={**new.versions, name: Tag(tag)}, written_default=new.default)
        if new != self.base:
            self.abandon()
            self.told.append(f"by hand: {deed}, now {new}")
            self.land(new)
            self.made = None

    def wait(self, a: int, b: int, c: int) -> None:
        time = [timedelta(minutes=30), 2 * HOUR, 3 * DAY, 40 * DAY][a % 4]
        self.told.append(f"wait {time}")
        self.now += time

    def policy(self, a: int, b: int, c: int) -> None:
        self.environment = environment_of(a, b)
        self.told.append(f"release.yaml: {self.environment.default} {self.environment.retention}")

    def use(self, a: int, b: int, c: int) -> None:
        self.used = {name_of(1 + number % 6) for number in (a, b, c)[: a % 3]}
        self.told.append(f"in use: {self.used}")

    def bad_elsewhere(self, a: int, b: int, c: int) -> None:
        tag = tag_part(self.some_tag(a))
        if self.elsewhere.pop(tag, None) is None:
            self.elsewhere[tag] = ("staging", "slow")
        self.told.append(f"quarantined elsewhere: {[*self.elsewhere]}")

    def names(self, a: int, b: int, c: int) -> None:
        """Another environment lands a tag, under a name that this pull request may have meant for another one."""
        tag = f"v2.0.{a % 9}" if b % 2 else TAGS[a % len(TAGS)]
        if tag not in self.named:
            name = name_of(1 + max(map(name_number, self.named.values()), default=0))
            if self.branch is not None:  # its names are not given anew
                name = self.new_name()
            self.know(tag, name)
            self.told.append(f"another environment lands {tag} as {name}")
            self.made = None

    def other_pull_request(self, a: int, b: int, c: int) -> None:
        free = [tag for tag in TAGS if tag not in {**self.named, **history.names_of(self.pending)}]
        self.others = {} if self.others or not free else {free[a % len(free)]: self.new_name()}
        self.told.append(f"another open pull request names {self.others}")


def edited(one: State, deed: str, number: int) -> State:
    """What a person might do to one version of a file without breaking a rule."""
    written = one._replace(written_default=one.default)
    free = [name for name in one.versions if name != one.default]
    live = [name for name in free if name in one.live]
    name = ({"default": live, "quarantine": live, "pin": [*one.versions], "unpin": [*one.pinned],
             "clear": [*one.quarantined], "restore": [*one.retired]}.get(deed) or free or [None])  # fmt: skip
    chosen = name[number % len(name)]
    if deed == "default" and live:
        return one._replace(written_default=chosen)
    if deed == "pin":
        return one._replace(pinned={**one.pinned, chosen: Pin("by a person", None)})
    if deed == "unpin" and one.pinned:
        return one._replace(pinned={key: pin for key, pin in one.pinned.items() if key != chosen})
    if deed == "quarantine" and live:
        return written._replace(quarantined={**one.quarantined, chosen: Quarantine("by a person")})
    if deed == "clear" and one.quarantined:
        return written._replace(quarantined={key: why for key, why in one.quarantined.items() if key != chosen})
    if deed == "restore" and one.retired:
        retired = {key: tag for key, tag in one.retired.items() if key != chosen}
        return written._replace(versions={**one.versions, chosen: one.retired[chosen]}, retired=retired)
    if deed in {"retire", "remove"} and free:
        gone = [{key: value for key, value in section.items() if key != chosen}
                for section in (one.versions, one.pinned, one.quarantined)]  # fmt: skip
        retired = {**one.retired, chosen: one.versions[chosen]} if deed == "retire" else one.retired
        return State(gone[0], retired, gone[1], gone[2], one.default)
    return one


def environment_of(a: int, b: int) -> Environment:
    retention = Retention(
        keep=[1, 1, 2, 3, 3, 5][a % 6],
        keep_per_minor=[None, None, 1, 2][a // 6 % 4],
        min_age=[timedelta(0), timedelta(0), timedelta(0), DAY][a // 24 % 4],
        max_age=[None, None, 30 * DAY][a // 96 % 3],
        drain=[timedelta(0), HOUR, 2 * DAY][a // 288 % 3],
        quarantine_for=[timedelta(0), DAY, 14 * DAY][a // 864 % 3],
        warm_up=[HOUR / 12, HOUR, timedelta(0)][(a + b) % 3],
    )
    return Environment("production", default=["newest", "newest", "promoted", "manual"][b % 4], retention=retention)  # type: ignore[arg-type]


def born(seed: int) -> Life:
    chance = random.Random(f"base {seed}")
    tags = chance.sample(TAGS, chance.randint(1, 4))
    if chance.random() < 0.7:
        tags = sorted(tags, key=lambda tag: model.rank("semver", "v1", tag))
    base = State({name_of(place): Tag(tag) for place, tag in enumerate(tags, 1)})
    if chance.random() < 0.6:
        base = base._replace(written_default=chance.choice([*base.versions]))
    environment = environment_of(chance.randrange(1 << 16), chance.randrange(4))
    life = Life(base, environment, chance.choice(["semver", "semver", "semver", "arrival"]))
    life.told.append(f"base {base}; {life.order}; {environment.default} {environment.retention}")
    life.land(base)
    return life


def lived(seed: int, events: Sequence[Event]) -> Life:
    life = born(seed)
    try:
        for kind, *numbers in events:
            getattr(life, kind)(*numbers)
    except Difference as error:
        error.args = (f"life {seed}:\n  " + "\n  ".join(life.told) + f"\n{error}",)
        raise
    return life


def shortest(seed: int, events: list[Event]) -> Difference | None:
    """The difference with as few events as show one."""
    found: Difference | None = None
    place = len(events)
    while place >= 0:
        tried = [*events[:place], *events[place + 1 :]] if place < len(events) else events
        try:
            lived(seed, tried)
        except Difference as error:
            events, found = tried, error
            place = min(place, len(events))
        place -= 1
    return found


def differences(seeds: Sequence[int]) -> int:
    """How many plans were compared; fails with the shortest life that shows a difference."""
    plans = 0
    for seed in seeds:
        events = events_of(seed)
        try:
            plans += lived(seed, events).plans
        except Difference:
            raise shortest(seed, events) or AssertionError(seed) from None
    return plans
