"""Planning told a second time, plainly: what the real one (release_tool/rules) is compared with.

Written from the documentation (docs/explanation/concepts.md, docs/explanation/publishing.md), not from the code, and with nothing of it: plain
dictionaries, and everything is made again from the beginning at each question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from model_of_files import Did, File, World, number, on_the_way, part, quarantined, sweep
from model_of_operations import OPERATIONS, No, Scene


@dataclass
class Asked:
    """One line: who asks for what, and the names that an earlier planning gave."""

    id: str
    operation: str
    arguments: Mapping[str, Any]
    given: tuple[tuple[str, str], ...] = ()  # tag and name

    @property
    def tag(self) -> str:
        return str(self.arguments.get("tag", ""))

    @property
    def is_a_persons(self) -> bool:
        return self.operation not in {"bump", "cleanup"} and not self.arguments.get("evidence")

    @property
    def promotes_the_default(self) -> bool:
        return self.operation == "promote" and self.arguments["of"] == "default"


@dataclass
class Step:
    """A line that was applied."""

    asked: Asked
    own: bool
    changes: list[Did]
    worked: bool = False
    held: bool = False


@dataclass
class Outcome:
    """What a plan is compared by."""

    after: File
    lines: list[tuple[str, list[tuple[str, str, str]]]]
    held: list[str]
    left_out: list[str]
    own_line: bool


# -- names ------------------------------------------------------------------------------------------------------------
def names_for(world: World, lines: list[Asked]) -> tuple[dict[str, str], Callable[[str], str]]:
    """Who has which name, and who gets which name: as the base has it, else as the lines have it, else a new one."""
    given = dict(world.names)
    recorded = [pair for line in lines for pair in line.given]
    for tag, name in [*recorded, *world.others.items()]:
        if tag not in given and name not in {*given.values(), *world.taken}:
            given[tag] = name
    everything = {*given.values(), *world.taken, *(name for _, name in recorded), *world.others.values()}

    def name_for(tag: str) -> str:
        tag = part(tag)
        if tag not in given:
            given[tag] = f"v{1 + max(map(number, everything), default=0)}"
            everything.add(given[tag])
        return given[tag]

    return given, name_for


# -- planning ---------------------------------------------------------------------------------------------------------
def changes_of(steps: Iterable[Step]) -> list[Did]:
    return [one for step in steps for one in step.changes]


def memory_of(world: World, steps: Iterable[Step]) -> dict[str, Any]:
    """Tag -> mark of every tag whose last quarantine, landed or planned, has no later clear."""
    landed = [one for line in world.record for one in line.all]
    return quarantined([*landed, *world.adopted, *changes_of(steps)])


def replace_earlier(steps: list[Step], new: Asked) -> tuple[list[Step], bool, list[str]]:
    """Earlier promotions of the default make way for a new one; whether one keeps its line, and those that go."""
    kept, gone = False, []
    for step in reversed(steps):
        old = step.asked
        same = old.promotes_the_default and old.arguments["from"] == new.arguments["from"]
        if not same or part(old.tag) == part(new.tag):
            continue
        later = steps[steps.index(step) + 1 :]
        if not step.worked and not step.held:
            continue
        if not step.worked or not any(one.worked for one in later):
            steps = [one for one in steps if one is not step]
            gone.append(old.id)
            continue
        kept = True
        brought = {one.name for one in step.changes if one.action in {"add", "restore", "deploy"}}
        others = {one.name for one in changes_of(one for one in steps if one is not step)}
        step.changes = [one for one in step.changes if (one.action, part(one.tag)) != ("set-default", part(old.tag))]
        if brought and not brought & others:
            step.changes = without(step.changes, brought)
        step.held = not step.changes
    return steps, kept, gone


def without(changes: list[Did], names: set[str]) -> list[Did]:
    """Changes after some versions were superseded."""
    kept = []
    for one in changes:
        if one.name in names and one.action == "add":
            kept.append(Did("supersede", one.name, one.tag))
        elif one.name not in names or one.action in {"clear", "supersede"}:
            kept.append(one)
    return kept


def applied(world: World, pending: list[Asked], own: Asked | None) -> tuple[list[Step], list[str], list[str]]:
    """Each line applied once; those that are left out; those that a promotion replaces, where it must be done again."""
    lines = [*pending, own] if own else pending
    given, name_for = names_for(world, lines)
    steps: list[Step] = []
    left_out: list[str] = []
    for line in lines:
        before = [Step(one.asked, one.own, list(one.changes), one.worked, one.held) for one in steps]
        replaces, gone = False, []
        if line.promotes_the_default:
            before, replaces, gone = replace_earlier(before, line)
        file = world.start.after(changes_of(before))
        planned = changes_of(before)
        told = [*(one for landed in world.record for one in landed.all), *planned]
        held = [one for one in told if one.action in {"add", "restore", "retire", "remove", "deploy"}]
        known = {part(one.tag): one.name for one in held}
        scene = Scene(world, file, memory_of(world, before), known, given, name_for, planned)
        try:
            made = OPERATIONS[line.operation](scene, line.arguments)
        except No as no:
            if line is own:
                raise
            if line.is_a_persons and (line.operation, str(no)) != ("promote", "quarantined"):
                steps.append(Step(line, False, [], held=True))
            else:
                left_out.append(line.id)
            continue
        if gone:
            return [], [], gone
        steps = [*before, Step(line, line is own, made, worked=bool(made) or replaces)]
    return steps, left_out, []


def plan(world: World, pending: list[Asked], own: Asked | None) -> Outcome:
    """What the real `plan` gives; raises No where this operation is refused."""
    replaced: list[str] = []
    while True:
        steps, left_out, gone = applied(world, [line for line in pending if line.id not in replaced], own)
        if not gone:
            break
        replaced += gone
    left_out += replaced
    while True:
        file = world.start.after(changes_of(steps))
        waiting = on_the_way([*world.landed_changes, *changes_of(steps)])
        swept = sweep(file, world, waiting)
        at_once = {one.name for one in swept if one.action in {"retire", "remove"} and one.name in file.versions}
        at_once -= {*world.start.versions}
        # A pin that has ended meanwhile brings nothing back.
        late = on_the_way(changes_of(steps)).values()
        at_once |= {one.name for one in late if one.mark[1] and one.mark[1] < world.now.date()}
        if not at_once:
            break
        for step in steps:
            brought = any(one.action in {"add", "restore", "deploy"} and one.name in at_once for one in step.changes)
            before, step.changes = step.changes, without(step.changes, at_once)
            step.held = step.held or bool(before and not step.changes)
            if step.own and brought and all(one.action == "supersede" for one in step.changes):
                return plan(world, pending, None)
    written = [step for step in steps if step.worked or step.held]
    if not written and swept:
        # The sweep needs a line: the oldest one, or that of a cleanup.
        written = [step for step in steps if not step.own or step.asked.operation == "cleanup"][:1]
    if not written:
        return Outcome(world.start, [], [], left_out, own_line=False)
    told = [(step.asked.id, [one.key for one in step.changes]) for step in written]
    told[-1][1].extend(one.key for one in swept)
    return Outcome(
        world.start.after([*changes_of(written), *swept]),
        told,
        [step.asked.id for step in written if step.held],
        left_out,
        any(step.own for step in written),
    )
