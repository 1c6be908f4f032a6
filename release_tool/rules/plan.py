"""Planning again: base, pending intents, this operation, then the sweep once. Pure.

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
from release_tool.model.records import PRESENT, PromoteArguments
from release_tool.model.states import apply
from release_tool.model.versions import newest_first
from release_tool.rules.operations import Context, Names, Step, plan_step
from release_tool.rules.retention import Facts, Sweep, sweep
from release_tool.safe_text import command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.config import Environment
    from release_tool.model.records import Change, Intent, Kept, Line, Name, State


NAMING = frozenset({"add", "supersede"})  # the changes that tie a name to a tag


class Ground(NamedTuple):
    """What an operation is planned on.

    Attributes:
        environment: its policy.
        order: the configured order of versions.
        state: the versions to begin with: those of the base; on an append-only branch those of the merged branch.
        lines: the record to begin with, in the same sense.
        facts: what the base branch tells about ages, former defaults and itself.
        names: the names known; those of the lines that are planned here may be among the pending ones.
        elsewhere: tag part -> environment and reason, of the tags that are quarantined in another one.
        service: for the commands in messages.
    """

    environment: Environment
    order: str
    state: State
    lines: Sequence[Line]
    facts: Facts
    names: Names
    elsewhere: Mapping[str, tuple[str, str]] = {}
    service: str = ""


class LeftOut(NamedTuple):
    """A pending intent that the new base refuses."""

    line: Line
    reason: str


class Plan(NamedTuple):
    """What an operation, or planning again, would change.

    Attributes:
        lines: the lines that follow those of the ground: pending ones planned anew, then this operation's.
        edits: every change of the ground's state, in the order in which the file is edited.
        after: the state that they give.
        own: the changes of this operation: its own and the sweep's.
        kept: the live versions that the sweep keeps, with their reasons.
        waiting: the quarantined and retired versions that the sweep leaves as they are, with their reasons.
        left_out: the pending intents that the new base refuses.
        notes: what else there is to say.
        own_line: whether this operation writes a line.
    """

    lines: tuple[Line, ...]
    edits: tuple[Change, ...]
    after: State
    own: tuple[Change, ...] = ()
    kept: tuple[Kept, ...] = ()
    waiting: tuple[Kept, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    own_line: bool = False


def plan(ground: Ground, pending: Sequence[Line], own: Line | None) -> Plan:
    """Plan pending intents and this operation on a ground.

    Args:
        ground: what to plan on.
        pending: the pending lines, in their order.
        own: this operation; None when the pending ones are only made again.

    Raises:
        Refused: the rules refuse this operation (never a pending one: that is left out).
    """
    if own is not None and not history.is_id(own.id):
        raise Refused(f"{own.id!r} can't be the id of an operation", hint="give one word, 128 characters at most")
    by_hand = history.by_hand(ground.lines, ground.state)
    replaced = frozenset[str]() if own is None else _replaced(pending, own.intent)
    skipped: frozenset[str] = frozenset()
    while True:
        attempt = _apply_all(ground, by_hand, pending, own, _Dropped(replaced, skipped))
        swept = sweep(attempt.state, ground.environment.retention, ground.order, ground.facts)
        at_once = _retired_at_once(ground, attempt, swept)
        if not at_once:
            return _finish(ground, by_hand, attempt, swept)
        skipped |= at_once


def _replaced(pending: Sequence[Line], own: Intent) -> frozenset[str]:
    """Ids of the pending promotions that a new one takes the place of: of "the default of FROM", which has moved."""
    said = own.arguments
    if not isinstance(said, PromoteArguments) or said.of != PRESENT:
        return frozenset()
    others = ((line.id, line.intent.arguments) for line in pending)
    return frozenset(
        line_id
        for line_id, other in others
        if isinstance(other, PromoteArguments)
        and (other.of, other.source) == (said.of, said.source)
        and other.tag != said.tag
    )


class _Planned(NamedTuple):
    """One line and what its intent changes."""

    line: Line
    step: Step
    own: bool


class _Dropped(NamedTuple):
    """Ids of the lines that change nothing: replaced by this operation; or of versions that would retire at once."""

    replaced: frozenset[str]
    at_once: frozenset[str]


class _Attempt(NamedTuple):
    """Pending intents and this operation applied, before the sweep."""

    state: State
    planned: tuple[_Planned, ...]
    left_out: tuple[LeftOut, ...]


def _apply_all(
    ground: Ground, by_hand: Sequence[Change], pending: Sequence[Line], own: Line | None, dropped: _Dropped
) -> _Attempt:
    state, names = ground.state, ground.names
    # The pending lines keep the names that they gave, where they may; what others gave is not given meanwhile.
    given, proposed_names = history.names_of(pending), names.proposed.union(names.pending.values())
    names = names._replace(pending={**names.pending, **given}, proposed=proposed_names)
    bad = history.quarantined_tags([*history.changes_of(ground.lines), *by_hand])
    planned: list[_Planned] = []
    left_out: list[LeftOut] = []
    for line in [*pending, *([] if own is None else [own])]:
        if line.id in dropped.replaced:
            left_out.append(LeftOut(line, "a later promotion of the default takes its place"))
            continue
        try:
            proposed = frozenset(state.versions) - frozenset(ground.facts.base.versions)
            step = plan_step(state, line.intent, _context(ground, names, bad, proposed))
        except Refused as refusal:
            if line is own:
                raise
            left_out.append(LeftOut(line, refusal.what))
            continue
        if line.id in dropped.at_once and line is not own and not _superseded(step).changes:
            left_out.append(LeftOut(line, "the retention policy would retire its version at once"))
            continue
        if line.id in dropped.at_once:
            step = _not_at_all(line, step, ground) if line is own else _superseded(step)
        names = _with_names(names, step.changes)
        state = apply(state, step.changes)
        planned.append(_Planned(line, step, line is own))
    return _Attempt(state, tuple(planned), tuple(left_out))


def _context(ground: Ground, names: Names, bad: Mapping[str, str], proposed: frozenset[Name]) -> Context:
    return Context(
        environment=ground.environment.name,
        order=ground.order,
        default_policy=ground.environment.default,
        names=names,
        bad=bad,
        proposed=proposed,
        base=ground.facts.base,
        former=ground.facts.former,
        lines=ground.lines,
        elsewhere=ground.elsewhere,
        service=ground.service,
    )


def _with_names(names: Names, changes: Sequence[Change]) -> Names:
    for change in changes:
        if change.action in NAMING:
            names = names.with_name(change.tag, change.version)
    return names


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


def _retired_at_once(ground: Ground, attempt: _Attempt, swept: Sweep) -> frozenset[str]:
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


def _finish(ground: Ground, by_hand: tuple[Change, ...], attempt: _Attempt, swept: Sweep) -> Plan:
    notes = tuple(note for planned in attempt.planned if planned.own for note in planned.step.notes)
    kept_lines = [planned for planned in attempt.planned if planned.step.changes]
    if not kept_lines and swept.changes:
        kept_lines = [one for one in attempt.planned if not one.own or one.line.intent.operation == "cleanup"][:1]
    if not kept_lines:
        kept = (swept.kept, swept.waiting) if not swept.changes else ((), ())
        return Plan((), (), ground.state, kept=kept[0], waiting=kept[1], left_out=attempt.left_out, notes=notes)
    sweeping = tuple(_never_landed(change._replace(sweep=True), ground) for change in swept.changes)
    after = apply(attempt.state, sweeping)
    lines = [_line(planned, ground, after) for planned in kept_lines]
    lines[0] = lines[0]._replace(adopted=tuple(_stood_before(change, ground) for change in by_hand))
    own = tuple(
        change for planned, line in zip(kept_lines, lines, strict=True) if planned.own for change in line.changes
    )
    edits = tuple(change for line in lines for change in line.changes if change.action != "supersede")
    lines[-1] = lines[-1]._replace(changes=(*lines[-1].changes, *sweeping))
    return Plan(
        lines=history.raised(lines, ground.lines[-1].at if ground.lines else None),
        edits=(*edits, *sweeping),
        after=after,
        own=(*own, *sweeping),
        kept=swept.kept,
        waiting=swept.waiting,
        left_out=attempt.left_out,
        notes=notes,
        own_line=any(planned.own for planned in kept_lines),
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


def _stood_before(change: Change, ground: Ground) -> Change:
    """On an append-only branch people may move a default back that stood on that branch alone: it was never former."""
    if change.action != "set-default" or change.before is None or change.before in ground.facts.former:
        return change
    return change._replace(before=ground.facts.base.default)


def _never_landed(change: Change, ground: Ground) -> Change:
    """On an append-only branch the sweep meets versions that have not landed: there is nothing to drain."""
    base = ground.facts.base
    if change.action == "retire" and change.version not in base.versions and change.version not in base.retired:
        return change._replace(action="remove")
    return change
