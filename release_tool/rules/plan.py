"""Planning again: base, pending intents, this operation, then the sweep once.

    state = files of the base
    each pending intent in line order, without retention
    this operation
    the sweep, once, at `now`

A version that is not in the base and that the sweep would retire at once is not added at all: its pending line says so
(`supersede`) and keeps the name. The rules are those of docs/publishing.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused
from release_tool.model import history
from release_tool.model.printed_command import command
from release_tool.model.records import PRESENT, PromoteArguments
from release_tool.model.states import apply
from release_tool.model.versions import newest_first, tag_part
from release_tool.rules.operations import Context, Names, Step, plan_step
from release_tool.rules.retention import Facts, Sweep, sweep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.config import Environment
    from release_tool.model.records import Change, Intent, Kept, Line, State


NAMING = frozenset({"add", "supersede"})  # the changes that tie a name to a tag


class Ground(NamedTuple):
    """What an operation is planned on."""

    environment: Environment  # its policy
    order: str  # the configured order of versions
    state: State  # the versions to begin with: those of the base; on an append-only branch those of the merged branch
    lines: Sequence[Line]  # the record to begin with, in the same sense
    facts: Facts  # what the base branch tells about ages, former defaults and itself
    names: Names  # the names known; those of the lines that are planned here may be among the pending ones
    # tag part -> environment and reason, of the tags that are quarantined in another one
    elsewhere: Mapping[str, tuple[str, str]] = {}
    service: str = ""  # for the commands in messages


class LeftOut(NamedTuple):
    """A pending intent that the new base refuses."""

    line: Line
    reason: str


class Plan(NamedTuple):
    """What an operation, or planning again, would change."""

    # the lines that follow those of the ground: pending ones planned anew, then this operation's
    lines: tuple[Line, ...]
    edits: tuple[Change, ...]  # every change of the ground's state, in the order in which the file is edited
    after: State  # the state that they give
    own: tuple[Change, ...] = ()  # the changes of this operation: its own and the sweep's
    kept: tuple[Kept, ...] = ()  # the live versions that the sweep keeps, with their reasons
    # the quarantined and retired versions that the sweep leaves as they are, with their reasons
    waiting: tuple[Kept, ...] = ()
    left_out: tuple[LeftOut, ...] = ()  # the pending intents that the new base refuses
    notes: tuple[str, ...] = ()  # what else there is to say
    own_line: bool = False  # whether this operation writes a line


def plan(ground: Ground, pending: Sequence[Line], own: Line | None) -> Plan:
    """Plan pending intents, in their order, then this operation; without one the pending ones are made again.

    Raises Refused where the rules refuse this operation (never for a pending one: that is left out).
    """
    if own is not None and not history.is_id(own.id):
        raise Refused(f"{own.id!r} can't be the id of an operation", hint="give one word, 128 characters at most")
    by_hand = history.by_hand(ground.lines, ground.state)
    at_once: frozenset[str] = frozenset()
    while True:
        attempt = _apply_all(ground, by_hand, pending, own, at_once)
        swept = sweep(attempt.state, ground.environment.retention, ground.order, ground.facts)
        more = _retired_at_once(ground, attempt, swept)
        if not more:
            return _finish(ground, by_hand, attempt, swept)
        at_once |= more


class _Planned(NamedTuple):
    """One line and what its intent changes."""

    line: Line
    step: Step
    own: bool


class _Applied(NamedTuple):
    """Pending intents and this operation applied, before the sweep."""

    state: State
    planned: tuple[_Planned, ...]
    left_out: tuple[LeftOut, ...]


def _apply_all(
    ground: Ground, by_hand: Sequence[Change], pending: Sequence[Line], own: Line | None, at_once: frozenset[str]
) -> _Applied:
    """Apply the intents in line order; those of `at_once` bring a version that the sweep would retire at once."""
    state, base, names = ground.state, ground.facts.base, ground.names
    # The pending lines keep the names that they gave, where they may; what others gave is not given meanwhile.
    given, taken = history.names_of(pending), names.proposed.union(names.pending.values())
    names = names._replace(pending={**names.pending, **given}, proposed=taken)
    context = Context(
        environment=ground.environment.name,
        order=ground.order,
        default_policy=ground.environment.default,
        bad=history.quarantined_tags([*history.changes_of(ground.lines), *by_hand]),
        base=base,
        former=ground.facts.former,
        lines=ground.lines,
        elsewhere=ground.elsewhere,
        service=ground.service,
    )
    planned: list[_Planned] = []
    left_out: list[LeftOut] = []
    for line in [*pending, *([] if own is None else [own])]:
        if own is not None and line is not own and _is_replaced(line.intent, own.intent):
            left_out.append(LeftOut(line, "a later promotion of the default takes its place"))
            continue
        proposed = frozenset(state.versions) - frozenset(base.versions)
        try:
            step = plan_step(state, line.intent, context._replace(names=names, proposed=proposed))
        except Refused as refusal:
            if line is own:
                raise
            left_out.append(LeftOut(line, refusal.what))
            continue
        if line.id in at_once:
            step = _not_at_all(line, step, ground) if line is own else _superseded(step)
            if line is not own and not step.changes:
                left_out.append(LeftOut(line, "the retention policy would retire its version at once"))
                continue
        named = {tag_part(change.tag): change.version for change in step.changes if change.action in NAMING}
        names = names._replace(landed={**names.landed, **named})
        state = apply(state, step.changes)
        planned.append(_Planned(line, step, line is own))
    return _Applied(state, tuple(planned), tuple(left_out))


def _is_replaced(pending: Intent, own: Intent) -> bool:
    """Whether a promotion of "the default of FROM" takes the place of a pending one: that default has moved."""
    old, new = pending.arguments, own.arguments
    return (
        isinstance(old, PromoteArguments)
        and isinstance(new, PromoteArguments)
        and (old.of, old.source) == (PRESENT, new.source)
        and new.of == PRESENT
        and old.tag != new.tag
    )


def _superseded(step: Step) -> Step:
    added = tuple(change._replace(action="supersede") for change in step.changes if change.action == "add")
    return Step(added, step.notes)


def _not_at_all(planned: Line, step: Step, ground: Ground) -> Step:
    tags = [change.tag for change in step.changes if change.action in {"add", "restore"}]
    environment, said = ground.environment.name, planned.intent.arguments
    notes = []
    for tag in tags:
        words: tuple[str, ...] = ("restore", environment, tag)
        outcome = "brings it back pinned"
        if isinstance(said, PromoteArguments):
            words, outcome = ("promote", said.source, environment, "--version", tag, "--pin"), "adds it pinned"
        elif planned.intent.operation == "bump":
            words, outcome = ("bump", environment, tag, "--pin"), "adds it pinned"
        what = f"{tag} would be retired at once by the retention policy and is not added"
        notes.append(f"{what}; `{command(*words, service=ground.service)}` {outcome}")
    return Step(notes=tuple(notes))


def _retired_at_once(ground: Ground, attempt: _Applied, swept: Sweep) -> frozenset[str]:
    """Ids of the lines that bring a version which the sweep would retire at once."""
    retired = {change.version for change in swept.changes if change.action == "retire"}
    return frozenset(
        planned.line.id
        for planned in attempt.planned
        for change in planned.step.changes
        if change.action in {"add", "restore"}
        and change.version in retired
        and change.version not in ground.state.versions
    )


def _finish(ground: Ground, by_hand: tuple[Change, ...], attempt: _Applied, swept: Sweep) -> Plan:
    """Which lines are written: those whose intent changed something; else one that the sweep needs; else none."""
    notes = tuple(note for planned in attempt.planned if planned.own for note in planned.step.notes)
    working = [planned for planned in attempt.planned if planned.step.changes]
    if working:
        return _written(ground, by_hand, attempt, swept, working)._replace(notes=notes)
    nothing = Plan((), (), ground.state, left_out=attempt.left_out, notes=notes)
    if not swept.changes:
        return nothing._replace(kept=swept.kept, waiting=swept.waiting)
    # Only the sweep has work. It stands in the oldest pending line, so that the pull request stays; else in this
    # operation's if that is a cleanup; and without either it waits: a bump that changes nothing writes no line.
    bearing = [one for one in attempt.planned if not one.own or one.line.intent.operation == "cleanup"]
    return _written(ground, by_hand, attempt, swept, bearing[:1])._replace(notes=notes) if bearing else nothing


def _written(
    ground: Ground, by_hand: tuple[Change, ...], attempt: _Applied, swept: Sweep, planned: Sequence[_Planned]
) -> Plan:
    """The plan of some lines: the first one tells what people did by hand, the last one what the sweep does."""
    sweeping = tuple(_never_landed(change._replace(sweep=True), ground) for change in swept.changes)
    after = apply(attempt.state, sweeping)
    lines = [_line(one, ground, after) for one in planned]
    own = tuple(change for one, line in zip(planned, lines, strict=True) if one.own for change in line.changes)
    edits = tuple(change for line in lines for change in line.changes if change.action != "supersede")
    # On an append-only branch people may move a default back that stood on that branch alone: it was never former.
    base, stood = ground.facts.base.default, {None, *ground.facts.former}
    adopted = (one if one.before in stood else one._replace(before=base) for one in by_hand)
    lines[0] = lines[0]._replace(adopted=tuple(adopted))
    lines[-1] = lines[-1]._replace(changes=(*lines[-1].changes, *sweeping))
    return Plan(
        lines=history.raised(lines, ground.lines[-1].at if ground.lines else None),
        edits=(*edits, *sweeping),
        after=after,
        own=(*own, *sweeping),
        kept=swept.kept,
        waiting=swept.waiting,
        left_out=attempt.left_out,
        own_line=any(one.own for one in planned),
    )


def _line(planned: _Planned, ground: Ground, after: State) -> Line:
    """The line with its changes planned anew.

    A set-default always records the default of the *base*: what stood only in the open pull request was never a
    default (see `history.former_defaults`).
    """
    newest = next(iter(newest_first(ground.order, after.live.items())), None)
    by = f"superseded by {newest[0]}" if newest else "superseded"
    changes = tuple(
        change._replace(before=ground.facts.base.default)
        if change.action == "set-default"
        else change._replace(reason=by)
        if change.action == "supersede"
        else change
        for change in planned.step.changes
    )
    return planned.line._replace(changes=changes, adopted=())


def _never_landed(change: Change, ground: Ground) -> Change:
    """On an append-only branch the sweep meets versions that have not landed: there is nothing to drain."""
    base = ground.facts.base
    if change.action == "retire" and change.version not in base.versions and change.version not in base.retired:
        return change._replace(action="remove")
    return change
