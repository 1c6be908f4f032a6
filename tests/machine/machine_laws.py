"""The laws that hold after every step, whatever the tool and people did in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, NamedTuple

import machine_hands as hands
from machine_origin import BY_HAND, ENVIRONMENTS, Origin, Seen, environment_of
from machine_setup import Setup

from release_tool.config import Config
from release_tool.model import history
from release_tool.model.records import Line, Name, State, Tag
from release_tool.model.states import apply
from release_tool.model.versions import tag_part
from release_tool.rules.retention import fallback_target

Entry = tuple[str, Name]
Landings = dict[Entry, tuple[Tag, datetime]]


class Spoken(NamedTuple):
    """A command and what it said."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str
    outcomes: tuple[Any, ...]

    @property
    def id(self) -> str:
        return self.argv[self.argv.index("--id") + 1] if "--id" in self.argv else ""

    @property
    def is_dry(self) -> bool:
        return "--dry-run" in self.argv


class Step(NamedTuple):
    """What happened between two looks at the origin."""

    said: tuple[Spoken, ...]  # in the order of their ends
    people: frozenset[str] = frozenset()  # branches that people closed, merged or deleted
    killed: bool = False  # whether the tool was killed in it
    alone: bool = True  # whether a single command ran, and nobody did anything beside it

    def mentions(self, word: str) -> bool:
        return any(word in spoken.out or word in spoken.err for spoken in self.said)


@dataclass
class Laws:
    """What is remembered of one origin, and what must hold."""

    origin: Origin
    setup: Setup
    config: Config
    # Name -> tag part and the other way round, over all environments and all time.
    tags: dict[Name, str] = field(default_factory=dict)
    names: dict[str, Name] = field(default_factory=dict)
    texts: dict[str, Line] = field(default_factory=dict)  # id -> line, of everything that ever landed
    # Commit of the base -> environment -> since when it holds its entries.
    landings: dict[str, dict[str, Landings]] = field(default_factory=dict)
    # Environment -> the defaults that stood in the base; None once people moved one: the record may not know.
    former: dict[str, list[Name] | None] = field(default_factory=dict)
    # Environment -> whether the record knows everything that people wrote.
    adopted: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(ENVIRONMENTS, False))
    # Ids of the lines that people closed, or reverted: nobody proposes them again by himself. Those of the present step
    # may have been pushed just before.
    denied: set[str] = field(default_factory=set)
    just_denied: set[str] = field(default_factory=set)
    people: dict[str, list[str]] = field(default_factory=dict)  # release branch -> commits of people that wait on it

    def begin(self, seen: Seen) -> None:
        for environment in ENVIRONMENTS:
            state = seen.state(environment)
            self._names({**state.versions, **state.retired}.items())
            self.former[environment] = [] if state.default is None else [state.default]
        self._landed(seen.main, None)

    # -- after every step

    def check(self, before: Seen, after: Seen, step: Step) -> None:
        for spoken in step.said:
            self._speaks(spoken, step)
        if step.alone and step.said:
            _keeps_its_word(before, after, step.said[0])
        for commit in self.origin.first_parents(before.main, after.main):
            self._base_moves(self.origin.parents(commit)[0], commit)
        for branch, tip in after.branches.items():
            if before.branches.get(branch) != tip:
                self._branch_moves(after, branch, tip)
                self._no_means_no(after, branch, step)
        self._nothing_is_lost(before, after, step)
        self.just_denied.clear()
        heads = [pull["head"] for pull in after.open]
        assert len(set(heads)) == len(heads), "one open pull request a branch"
        if step.alone and any(spoken.code == 0 and not spoken.is_dry for spoken in step.said):
            self._nothing_is_empty(before, after)

    @staticmethod
    def _speaks(spoken: Spoken, step: Step) -> None:
        what = f"{' '.join(spoken.argv)}: {spoken.code}\n{spoken.out}\n{spoken.err}"
        assert spoken.code in ({0, 1, 75, 130} if step.killed else {0, 1, 75}), what
        assert "Traceback" not in spoken.err, what
        assert "unexpected" not in spoken.err, what
        if spoken.code in {1, 75}:
            assert spoken.err.startswith("release: "), what
        for outcome in spoken.outcomes:
            assert all(change["reason"] for change in outcome["changes"]), what
            assert all(kept["reason"] for kept in (*outcome["kept"], *outcome["waiting"])), what

    # -- the base branch

    def _base_moves(self, parent: str, commit: str) -> None:
        """One more first-parent commit."""
        by_person = self.origin.by_person(commit)
        for environment in ENVIRONMENTS:
            old, new = self.origin.state(parent, environment), self.origin.state(commit, environment)
            self._names({**new.versions, **new.retired}.items())
            assert new.default in new.live, f"{environment}: the default is live"
            self._record_moves(parent, commit, environment)
            if not by_person:
                self._tool_moves(parent, commit, environment, old, new)
            elif self.origin.tags(parent, environment) != self.origin.tags(commit, environment):
                self.adopted[environment] = False
                self.former[environment] = None
            known = self.former[environment]
            if known is not None and new.default is not None and known[-1:] != [new.default]:
                known.append(new.default)
        self._landed(commit, parent)

    def _record_moves(self, parent: str, commit: str, environment: str) -> None:
        before = self.origin.lines(parent, environment, archived=True)
        after = self.origin.lines(commit, environment, archived=True)
        ids = [line.id for line in after]
        assert len(set(ids)) == len(ids), f"{environment}: no operation lands twice"
        gone = {line.id for line in before} - set(ids)
        if "Revert" in self.origin.message(commit):
            self.just_denied |= gone - self.denied
            self.denied |= gone
        assert gone <= self.denied, f"{environment}: lines that had landed are gone: {gone}"
        known = {line.id for line in before}
        for line in after:
            assert self.texts.setdefault(line.id, line) == line, "a landed line never changes"
            if line.id not in known:
                self._says_why(line)
                self._names((change.version, change.tag) for change in (*line.adopted, *line.changes))
        record = self.origin.lines(commit, environment)
        assert all(one.at <= two.at for one, two in itertools.pairwise(record)), f"{environment}: lines are in order"
        place = {line.id: index for index, line in enumerate(before)}
        kept = [place[line.id] for line in record if line.id in place]
        assert kept == sorted(kept), f"{environment}: lines stay in their order"

    @staticmethod
    def _says_why(line: Line) -> None:
        assert all(change.reason for change in (*line.changes, *line.adopted)), f"a change without a reason: {line}"

    def _tool_moves(self, parent: str, commit: str, environment: str, old: State, new: State) -> None:
        """What landed was made by the tool alone."""
        gone = {*old.versions} - {*new.versions, *new.retired}
        assert not gone, f"{environment}: {gone} were removed and had not landed as retired"
        for name in {*old.retired} - {*new.versions, *new.retired}:
            since = self.landings[parent][environment]["retired", name][1]
            drain = self.config.environment(environment).retention.drain
            assert self._time(commit) - since >= drain, f"{environment}: {name} was removed before it had drained"
        self._notes_stay(parent, commit, environment)
        if self.origin.lines(parent, environment) == self.origin.lines(commit, environment):
            assert old == new, f"{environment}: the file moved, and the record says nothing"
            return
        parents = self.origin.parents(commit)
        fork = parent if len(parents) == 1 else self.origin.merge_base(*parents)
        lines = self.origin.lines(commit, environment, archived=True)
        stale = self.origin.tags(fork, environment) != self.origin.tags(parent, environment)
        if len(parents) > 1 and not stale:
            self.adopted[environment] = True
        elif self.config.environment(environment).publish.mode == "direct" or "(#" not in self.origin.message(commit):
            self.adopted[environment] = self.adopted[environment] or tells(lines, new)
        if self.adopted[environment]:
            assert tells(lines, new), f"{environment}: the record tells the present"

    def _notes_stay(self, parent: str, commit: str, environment: str) -> None:
        before, after = self.origin.tags(parent, environment), self.origin.tags(commit, environment)
        if before == after:
            return
        assert before.partition("\n")[0] == after.partition("\n")[0], "the comment at the top stays"
        state, kept = self.origin.state(commit, environment), hands.notes(after)
        for name, note in hands.notes(before).items():
            if name in state.versions or name in state.retired:
                assert kept.get(name) == note, f"{environment}: the comment of {name} stays with it: {note}"

    def _names(self, versions: Iterable[tuple[Name, Tag]]) -> None:
        for name, tag in versions:
            part = tag_part(tag)
            assert self.tags.setdefault(name, part) == part, f"{name} was {self.tags[name]} and is {part}"
            assert self.names.setdefault(part, name) == name, f"{part} was {self.names[part]} and is {name}"

    def _time(self, commit: str) -> datetime:
        return datetime.fromtimestamp(self.origin.time(commit), timezone.utc)

    def _landed(self, commit: str, parent: str | None) -> None:
        now = self._time(commit)
        self.landings[commit] = {}
        for environment in ENVIRONMENTS:
            before = {} if parent is None else self.landings[parent][environment]
            state = self.origin.state(commit, environment)
            held: dict[Entry, Tag] = {("retired", name): tag for name, tag in state.retired.items()}
            for name, tag in state.versions.items():
                held["quarantined" if name in state.quarantined else "versions", name] = tag
            self.landings[commit][environment] = {
                entry: before[entry] if entry in before and before[entry][0] == tag else (tag, now)
                for entry, tag in held.items()
            }

    # -- release branches

    def _branch_moves(self, seen: Seen, branch: str, tip: str) -> None:
        environment = environment_of(branch)
        if not self._is_made(tip):
            return
        (parent,) = self.origin.parents(tip)
        old, new = self.origin.state(parent, environment), self.origin.state(tip, environment)
        assert new.default in new.live, f"{branch}: the default is live"
        self._notes_stay(parent, tip, environment)
        known = {line.id for line in self.origin.lines(parent, environment, archived=True)}
        lines = [line for line in self.origin.lines(tip, environment) if line.id not in known]
        for line in lines:
            self._says_why(line)
        record = self.origin.lines(tip, environment, archived=True)
        assert tells(record, new), f"{branch}: the record tells the present"
        self._sweep_is_just(seen, branch, old, lines)

    def _is_made(self, commit: str) -> bool:
        """Whether the tool made a commit of a release branch."""
        message = self.origin.message(commit)
        return BY_HAND not in message and "Release-Operation: " in message

    def _no_means_no(self, seen: Seen, branch: str, step: Step) -> None:
        """What people closed or reverted is not proposed again, unless somebody asks; what they commit is kept."""
        self.denied -= {spoken.id for spoken in step.said}
        if not self.people.get(branch):  # who commits on a branch that was closed revives it as it is
            environment, tip = environment_of(branch), seen.branches[branch]
            landed = self.origin.ids(seen.main, environment)
            landed |= self.origin.ids(self.origin.merge_base(seen.main, tip), environment)
            again = (self.origin.ids(tip, environment) - landed) & (self.denied - self.just_denied)
            assert not again or not self._is_made(tip), f"{branch}: {again} come back"
        for commit in self.people.get(branch, ()):
            kept = self.origin.merge_base(commit, seen.branches[branch]) == commit
            assert kept, f"{branch}: the commit {commit} of a person is thrown away"

    def decided(self, seen: Seen, branch: str, *, merged: bool) -> None:
        """People are about to merge or close a pull request, or to delete its branch."""
        self.people.pop(branch, None)
        if not merged:
            self.just_denied.update(set(seen.pending(branch)) - self.denied)
            self.denied.update(self.just_denied)

    def _sweep_is_just(self, seen: Seen, branch: str, old: State, lines: Sequence[Line]) -> None:
        """Nothing that is protected retires by a sweep."""
        environment, base = environment_of(branch), self.origin.merge_base(seen.main, seen.branches[branch])
        own = [change for line in lines for change in line.changes if not change.sweep and change.action != "supersede"]
        sweep = [change for line in lines for change in line.changes if change.sweep]
        state = apply(old, own)
        policy = self.config.environment(environment).retention
        retired = {change.version for change in sweep if change.action == "retire"}
        now = self._time(seen.branches[branch])  # of planning; a line keeps the `at` of its first planning
        former = self.former[environment]
        assert state.default not in retired, f"{environment}: the default retires"
        for name in retired:
            pin = state.pinned.get(name)
            live = name not in state.quarantined
            ended = pin is not None and pin.until is not None and pin.until < now.date()
            assert pin is None or ended, f"{environment}: {name} retires and is pinned"
            landed = self.landings.get(base, {}).get(environment, {}).get(("versions", name))
            if live and landed is not None and policy.min_age:
                assert now - landed[1] >= policy.min_age, f"{environment}: {name} retires and is younger than min_age"
            if live and former is not None and base == seen.main:
                target = fallback_target(state, former, self.setup.order)
                assert name != target, f"{environment}: {name} retires and is the fallback target"
        for change in sweep:
            if change.action == "remove" and change.version in old.retired:
                held = self.landings.get(base, {}).get(environment)
                assert held is None or ("retired", change.version) in held, f"{change.version} goes before it landed"

    # -- operations

    def _nothing_is_lost(self, before: Seen, after: Seen, step: Step) -> None:
        for branch in before.branches:
            if branch in step.people:
                continue
            now = after.pending(branch) if branch in after.branches else {}
            environment = environment_of(branch)
            landed = self.origin.ids(after.main, environment)
            for id_, line in before.pending(branch).items():
                if id_ in now or id_ in landed or step.mentions(id_):
                    continue
                if step.killed and line.intent.written.get("of") == "default":
                    continue  # a later promotion took its place, and died before it could say so
                tip = after.branches.get(branch, after.main)
                state = self.origin.state(tip if now else after.main, environment)
                assert is_moot(line, state), f"{branch}: {line.intent.operation} {id_} is lost: {line}"

    def _nothing_is_empty(self, before: Seen, after: Seen) -> None:
        for pull in after.open:
            branch = pull["head"]
            tip = after.branches[branch]
            if before.branches.get(branch) != tip:
                base = self.origin.merge_base(after.main, tip)
                assert self.origin.tree(base) != self.origin.tree(tip), f"the pull request of {branch} is empty"


def _keeps_its_word(before: Seen, after: Seen, spoken: Spoken) -> None:
    """What one command alone says about what it did is true."""
    many = spoken.argv[0] in {"cleanup", "sync"}
    if spoken.is_dry:
        assert before.refs == after.refs, "a dry run writes nothing"
        return
    if spoken.code != 0 and not many:
        assert before.heads == after.heads, "what is refused changes nothing"
        return
    for outcome in spoken.outcomes if spoken.id else ():
        environment = outcome["environment"]
        had, has = (_ids_anywhere(seen, environment) for seen in (before, after))
        if outcome["changed"]:
            assert spoken.id in has, f"{spoken.id} changed something and is nowhere"
            assert outcome["changes"], "changed, and nothing is told"
        else:
            assert spoken.id in had or spoken.id not in has, f"{spoken.id} changed nothing and stands in the record"
        if spoken.id in before.origin.ids(before.main, environment):
            assert before.heads == after.heads, "what has landed is not done again"


def _ids_anywhere(seen: Seen, environment: str) -> frozenset[str]:
    tips = [tip for branch, tip in seen.branches.items() if environment_of(branch) == environment]
    return frozenset().union(*(seen.origin.ids(tip, environment) for tip in (seen.main, *tips)))


def tells(lines: Sequence[Line], state: State) -> bool:
    """Whether replaying a record, adopted changes included, gives a state."""
    told = history.replay(lines)
    sections = ("versions", "retired", "pinned", "quarantined", "default")
    return all(getattr(told, section) == getattr(state, section) for section in sections)


def is_moot(line: Line, state: State) -> bool:
    """Whether what an operation wants holds already, so that its line may go without a word."""
    intent = line.intent
    if intent.operation in {"cleanup", "undo"}:
        return True
    part = tag_part(intent.tag)
    live = {tag_part(tag): name for name, tag in state.versions.items()}
    retired = {tag_part(tag): name for name, tag in state.retired.items()}
    name = live.get(part)
    return {
        "bump": part in live or part in retired,
        # The sweep of the plan that finds it live may retire it right after.
        "promote": part in live or part in retired,
        "default": state.default == name,
        "downgrade": state.default != name,
        "pin": name in state.pinned,
        "unpin": name not in state.pinned,
        "retire": name is None,
        "restore": name is not None or part in retired,
        "quarantine": name in state.quarantined,
        "clear": name not in state.quarantined,
    }[intent.operation]
