"""Whole lives of an environment: bumps, merges, closed pull requests, direct pushes, edits by hand, time.

After each event what is planned must agree with the record, with the files and with itself. The base, its landings and
its names are kept here as the remote would show them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from model_builders import DAY, HOUR, NOW, ORDERS, POLICIES, TAGS, BaseAndBranch, bump, law, meaning, states

from release_tool.config import Environment, Retention
from release_tool.model import history
from release_tool.model.records import Line, Name, Pin, Quarantine, State, Tag, name_of
from release_tool.model.states import apply
from release_tool.model.versions import tag_part
from release_tool.rules.operations import Names
from release_tool.rules.plan import Ground, Plan, plan


@dataclass
class Life(BaseAndBranch):
    """Bumps and what people do, event by event; every plan is checked."""

    taken: set[Name] = field(default_factory=set)
    stood: set[Name] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.land(self.base)

    def land(self, after: State) -> None:
        for tag, name in self.hold(after):
            if name not in self.taken:
                self.named.setdefault(tag, name)
            self.taken.add(name)
        if after.default is not None:
            self.stood.add(after.default)

    def ground(self) -> Ground:
        names = Names(self.named, history.names_of(self.pending), frozenset(self.taken))
        return self.on_branch(Ground(self.environment, self.order, self.base, self.lines, self.facts(), names))

    def plan(self, own: Line | None) -> tuple[Ground, Plan]:
        on = self.ground()
        return on, plan(on, () if self.branch is not None else self.pending, own)

    # -- events

    def bump(self, tag: str) -> None:
        self.count += 1
        on, made = self.plan(bump(tag, self.now, f"{self.count:04}-{tag}"))
        check(on, made)
        if self.branch is None:
            self.pending = made.lines
        else:
            self.pending, self.branch = (*self.pending, *made.lines), made.after

    def push(self, tag: str) -> None:
        """A bump straight to the base; text of the record conflicts with a branch that people work on."""
        self.count += 1
        self.abandon()
        on = self.ground()
        made = plan(on, (), bump(tag, self.now, f"{self.count:04}-{tag}"))
        check(on, made)
        self.lines += made.lines
        self.land(made.after)

    def sync(self) -> None:
        if self.branch is None:
            on, made = self.plan(None)
            check(on, made)
            self.pending = made.lines

    def merge(self) -> None:
        after = self.branch
        if after is None:
            _, made = self.plan(None)
            after, self.pending = made.after, made.lines
        self.lines += self.pending
        for tag, name in history.names_of(self.pending).items():
            self.named.setdefault(tag, name)
            self.taken.add(name)
        self.pending, self.branch = (), None
        recorded = history.replay(self.lines).default
        if recorded is not None:
            # A person's last commit on the branch moved it on: the record can't tell that from an edit after landing.
            self.stood.add(recorded)
        self.land(after)

    def close(self) -> None:
        self.pending, self.branch = (), None

    def abandon(self) -> None:
        if self.branch is not None:
            self.close()

    def wait(self, time: timedelta) -> None:
        self.now += time

    def by_hand(self, deed: str, chance: int) -> None:
        self.abandon()
        self.land(by_hand(self.base, deed, chance))

    def commit(self, deed: str, chance: int) -> None:
        """A person's commit on the rolling branch."""
        if self.branch is None:
            _, made = self.plan(None)
            self.pending, self.branch = made.lines, made.after
        if self.pending:
            self.branch = by_hand(self.branch, deed, chance)
        else:
            self.close()


def by_hand(one: State, deed: str, chance: int) -> State:
    """What a person might do to one version of a file without breaking a rule."""
    others = [name for name in one.live if name != one.default]
    chosen = others[chance % len(others)] if others else None
    written = one._replace(written_default=one.default)
    if deed == "clear" and one.quarantined:
        bad = list(one.quarantined)[chance % len(one.quarantined)]
        return written._replace(quarantined={name: why for name, why in one.quarantined.items() if name != bad})
    if deed == "restore" and one.retired:
        back = list(one.retired)[chance % len(one.retired)]
        retired = {name: tag for name, tag in one.retired.items() if name != back}
        return written._replace(versions={**one.versions, back: one.retired[back]}, retired=retired)
    if chosen is None:
        return one
    without = {name: tag for name, tag in one.versions.items() if name != chosen}
    unpinned = {name: pin for name, pin in one.pinned.items() if name != chosen}
    if deed == "default":
        return one._replace(written_default=chosen)
    if deed == "pin":
        return one._replace(pinned={**one.pinned, chosen: Pin("by a person", None if chance % 2 else NOW.date())})
    if deed == "quarantine":
        return written._replace(quarantined={**one.quarantined, chosen: Quarantine("slow")})
    if deed == "retire":
        retired = {**one.retired, chosen: one.versions[chosen]}
        return written._replace(versions=without, retired=retired, pinned=unpinned)
    if deed == "remove":
        return written._replace(versions=without, pinned=unpinned)
    return one


# -- what must hold after every planning ------------------------------------------------------------------------------
def check(on: Ground, made: Plan) -> None:
    agrees_with_the_record(on, made)
    is_stable(on, made)
    keeps_the_rules(on, made)
    keeps_names(on, made)
    says_why(made)


def agrees_with_the_record(on: Ground, made: Plan) -> None:
    assert meaning(apply(on.state, made.edits)) == meaning(made.after)
    if not made.lines:
        assert (made.edits, made.after) == ((), on.state)
        return
    assert meaning(history.replay([*on.lines, *made.lines])) == meaning(made.after)
    assert history.by_hand([*on.lines, *made.lines], made.after) == ()
    assert made.edits == tuple(one for line in made.lines for one in line.changes if one.action != "supersede")
    assert all(line.adopted == () for line in made.lines[1:])
    times = [line.at for line in (*on.lines, *made.lines)]
    assert times == sorted(times)
    read = history.parse(history.append("", made.lines), "history.jsonl")
    assert read == made.lines


def is_stable(on: Ground, made: Plan) -> None:
    """Planning the result again changes nothing."""
    again = plan(on, made.lines, None)
    assert (again.lines, again.edits) == (made.lines, made.edits)
    assert meaning(again.after) == meaning(made.after)
    assert (again.kept, again.left_out) == (made.kept, ())


def keeps_the_rules(on: Ground, made: Plan) -> None:
    after, base = made.after, on.facts.base
    if after.versions:
        assert after.default in after.live
    assert not {*after.versions} & {*after.retired}
    assert {*after.pinned, *after.quarantined} <= {*after.versions}
    for one in made.edits:
        if one.action == "remove" and one.version in on.state.retired:
            assert one.version in base.retired
        if one.action == "retire":
            assert one.version in on.state.versions
        if one.action == "set-default":
            assert one.before == base.default
    superseded = {one.version for line in made.lines for one in line.changes if one.action == "supersede"}
    pinned_again = {one.version for one in made.edits if one.action == "pin"}
    assert not (superseded - pinned_again) & {one.version for one in made.edits}
    sweeping = {"retire", "remove", "unpin"}
    assert not any(one.action in sweeping for line in made.lines[:-1] for one in line.changes)


def keeps_names(on: Ground, made: Plan) -> None:
    tags: dict[Name, str] = {}
    given = [one for line in made.lines for one in line.changes if one.action in {"add", "supersede"}]
    for one in given:
        part = tag_part(one.tag)
        assert tags.setdefault(one.version, part) == part
        assert on.names.may_keep(one.version, part)
    every = [*made.after.versions.values(), *made.after.retired.values()]
    assert len({tag_part(tag) for tag in every}) == len(every)


def says_why(made: Plan) -> None:
    assert all(kept.reason for kept in made.kept)
    assert all(change.reason for change in made.edits)


def check_rest(life: Life) -> None:
    former = history.former_defaults(life.lines, life.base.default)
    assert set(former) <= life.stood
    assert former[-1:] == (() if life.base.default is None else (life.base.default,))
    ids = [line.id for line in life.lines]
    assert len(set(ids)) == len(ids)


# -- lives ------------------------------------------------------------------------------------------------------------
DEEDS = st.sampled_from(["default", "pin", "quarantine", "clear", "retire", "restore", "remove"])
EVENTS = st.one_of(
    st.tuples(st.just("bump"), TAGS),
    st.tuples(st.just("bump"), TAGS),
    st.tuples(st.just("push"), TAGS),
    st.tuples(st.just("merge")),
    st.tuples(st.just("merge")),
    st.tuples(st.just("close")),
    st.tuples(st.just("sync")),
    st.tuples(st.just("wait"), st.sampled_from([timedelta(minutes=5), 2 * HOUR, 3 * DAY, 40 * DAY])),
    st.tuples(st.just("by_hand"), DEEDS, st.integers(0, 9)),
    st.tuples(st.just("commit"), DEEDS, st.integers(0, 9)),
)
ENVIRONMENTS = st.builds(
    lambda default, policy: Environment("devel", default=default, retention=policy),
    st.sampled_from(["newest", "newest", "manual", "promoted"]),
    POLICIES,
)


@law(states(), ENVIRONMENTS, ORDERS, st.lists(EVENTS, min_size=8, max_size=16), examples=60)
def test_whatever_happens_plans_agree_with_the_record_the_files_and_themselves(
    base: State, environment: Environment, order: str, events: Sequence[tuple[Any, ...]]
) -> None:
    life = Life(base, environment, order)
    for event, *arguments in events:
        getattr(life, event)(*arguments)
        check_rest(life)


def test_a_week_in_devel() -> None:
    """The same, as a story that can be read."""
    policy = Retention(keep=4, drain=HOUR)
    life = Life(State({name_of(number): Tag(f"1.0.{number}") for number in range(1, 5)}),
                Environment("devel", default="newest", retention=policy), "semver")  # fmt: skip
    told: list[str] = []
    for day in range(5, 10):
        life.bump(f"1.0.{day}")
        life.merge()
        live = ", ".join(life.base.live)
        told.append(f"default {life.base.default}; live {live}; retired {', '.join(life.base.retired) or 'none'}")
        life.wait(DAY)
    assert told == [
        "default v5; live v1, v2, v3, v4, v5; retired none",  # v1 was the implied default: the fallback target
        "default v6; live v3, v4, v5, v6; retired v1, v2",
        "default v7; live v4, v5, v6, v7; retired v3",
        "default v8; live v5, v6, v7, v8; retired v4",
        "default v9; live v6, v7, v8, v9; retired v5",
    ]
    assert [line.changes[-1].reason for line in life.lines[2:]] == ["drained for 1h"] * 3
    assert history.former_defaults(life.lines, life.base.default) == ("v1", "v5", "v6", "v7", "v8", "v9")
