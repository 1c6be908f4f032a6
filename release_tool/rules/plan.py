"""Planning again: base, pending intents, this operation, then the sweep once.

    state = files of the base
    each pending intent in line order, without retention
    this operation
    the sweep, once, at `now`

Every intent is applied once, so that each meets what those before it left. Only then those versions go that are not in
the base and that the sweep would retire at once: their lines say so (`supersede`) and keep their names, and all other
intents keep their effect. Planning again without a new operation gives the same plan. The rules are those of
docs/explanation/publishing.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused
from release_tool.model import history
from release_tool.model.printed_command import command
from release_tool.model.records import PRESENT, PromoteArguments, UnreadArguments
from release_tool.model.states import apply
from release_tool.model.versions import newest_first, tag_part
from release_tool.rules.operations import Context, Names, plan_step
from release_tool.rules.retention import Facts, Sweep, sweep

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from release_tool.config import Environment
    from release_tool.model.records import Change, Intent, Kept, Line, Name, State


NAMING = frozenset({"add", "supersede"})  # the changes that tie a name to a tag
_BRINGING = frozenset({"add", "deploy", "restore"})
_REPLACED = "a later promotion of the default takes its place"
_NO_EFFECT = "{} would be retired at once by the retention policy"


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
    archived: Sequence[Line] = ()  # archived lines of the environment, of the tags that a restore asks for
    one_step: bool = False  # whether the chart deploys no retired versions: what comes back is routed at once then


class LeftOut(NamedTuple):
    """A pending intent that has no effect, and why."""

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
    left_out: tuple[LeftOut, ...] = ()  # the pending intents that are dropped
    notes: tuple[str, ...] = ()  # what else there is to say
    own_line: bool = False  # whether this operation writes a line


def held(lines: Iterable[Line]) -> tuple[LeftOut, ...]:
    """The intents that have no effect as things stand, and stay pending."""
    return tuple(LeftOut(line, line.no_effect) for line in lines if line.no_effect)


def plan(ground: Ground, pending: Sequence[Line], own: Line | None) -> Plan:
    """Plan pending intents, in their order, then this operation; without one the pending ones are made again.

    Raises Refused where the rules refuse this operation (never for a pending one: that is held, or left out).
    """
    if own is not None and not history.is_id(own.id):
        raise Refused(f"{own.id!r} can't be the id of an operation", hint="give one word, 128 characters at most")
    if own is not None and ("@" in own.intent.tag or "digest" in own.intent.provenance):
        from release_tool.rules.operations.bump import refuse_moved

        refuse_moved(own.intent, ground.state, [*ground.lines, *pending])
    attempt = _Attempt(ground, pending, own)
    swept = attempt.sweep()
    if own is None:
        return _finish(attempt, swept)
    mine, gone = attempt.planned[-1], attempt.at_once
    brought = [one for one in mine.changes if one.action in _BRINGING and one.version in gone]
    notes = tuple(_at_once(own.intent, one.tag, ground) for one in brought)
    remains = [one for one in _without(mine.changes, gone) if one.action != "supersede" and one.version != one.before]
    if brought and not remains:
        # This operation would do nothing: the pending ones are planned as if it had not come.
        return plan(ground, pending, None)._replace(notes=notes)
    if not mine.changes and any(tag_part(one.tag) == tag_part(own.intent.tag) for one in attempt.superseded()):
        notes = (_at_once(own.intent, own.intent.tag, ground),)
    elif mine.changes and not remains:
        notes = (*mine.notes, _NO_EFFECT.format(mine.changes[0].tag))
    return _finish(attempt, swept)._replace(notes=notes or mine.notes)


class _Planned(NamedTuple):
    """One line, and what its intent changes."""

    line: Line
    own: bool
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    worked: bool = False  # whether it changed something when it was applied: then the line stays
    no_effect: str = ""  # why a person's intent has no effect as things stand


class _Attempt:
    """Pending intents and this operation applied, each once; then the sweep."""

    def __init__(self, ground: Ground, pending: Sequence[Line], own: Line | None) -> None:
        self.ground = ground
        self.by_hand = history.by_hand(ground.lines, ground.state)
        self.planned: list[_Planned] = []
        self.left_out: list[LeftOut] = []
        self.at_once: frozenset[Name] = frozenset()  # proposed versions that the sweep would retire at once
        # The pending lines keep the names that they gave, where they may; what others gave is not given meanwhile.
        given, taken = history.names_of(pending), ground.names.proposed.union(ground.names.pending.values())
        self._context = Context(
            environment=ground.environment.name,
            order=ground.order,
            default_policy=ground.environment.default,
            names=ground.names._replace(pending={**ground.names.pending, **given}, proposed=taken),
            bad=history.quarantines([*history.changes_of(ground.lines), *self.by_hand]),
            base=ground.facts.base,
            former=ground.facts.former,
            lines=ground.lines,
            elsewhere=ground.elsewhere,
            service=ground.service,
            archived=ground.archived,
            warm_up=None if ground.one_step else ground.environment.retention.warm_up,
            restoring=history.restoring([*history.changes_of(ground.lines), *self.by_hand]),
        )
        unrouted = self._context.restoring.keys() & ground.facts.base.retired.keys()
        self._context = self._context._replace(unrouted=unrouted)
        replaced: list[LeftOut] = []
        while gone := self._apply_all(
            [line for line in pending if line.id not in {one.line.id for one in replaced}], own
        ):
            replaced += gone
        self.left_out += replaced

    def _apply_all(self, pending: Iterable[Line], own: Line | None) -> list[LeftOut]:
        """Apply each intent; returns what goes because a promotion takes its place: then it must be done without."""
        self.planned, self.left_out = [], []
        for line in pending:
            if gone := self._apply(line._replace(no_effect=""), is_own=False):
                return gone
        return [] if own is None else self._apply(own, is_own=True)

    def _apply(self, line: Line, *, is_own: bool) -> list[LeftOut]:
        """Apply one intent to what those before it left; returns the lines whose place it takes."""
        context, planned = self._context, self.planned
        replaced: list[LeftOut] = []
        if isinstance(line.intent.arguments, PromoteArguments):
            planned, replaced = _with_replaced(planned, line.intent)
        changes = [change for one in planned for change in one.changes]
        state = apply(self.ground.state, changes)
        named = {tag_part(change.tag): change.version for change in changes if change.action in NAMING}
        context = context._replace(
            # What is quarantined is told from what is planned too: it lands first.
            bad=history.quarantines(changes, context.bad),
            restoring=history.restoring(changes, context.restoring),
            planned=changes,
            names=context.names._replace(landed={**context.names.landed, **named}),
            proposed=frozenset(state.versions) - frozenset(context.base.versions),
        )
        try:
            step = plan_step(state, line.intent, context)
        except Refused as refusal:
            if is_own:
                raise
            part = tag_part(line.intent.tag)
            # A promotion of what is quarantined by now goes: cleared one day, it would come back with old verdicts.
            stale = line.intent.operation == "promote" and (part in context.elsewhere or part in context.bad)
            if _is_a_persons(line.intent) and not stale:
                self.planned.append(_Planned(line, own=False, no_effect=refusal.what))
            else:
                self.left_out.append(LeftOut(line, refusal.what))
            return []
        # An earlier promotion whose place this one takes, and that others rely on, would come to life without its line.
        worked = bool(step.changes) or any(one.worked and _is_replaced(one.line.intent, line.intent) for one in planned)
        self.planned = [*planned, _Planned(line, is_own, step.changes, step.notes, worked)]
        return replaced

    def sweep(self) -> Sweep:
        """What the sweep changes, once the versions are out that it would retire at once."""
        ground = self.ground
        every = [change for one in self.planned for change in one.changes]
        brought = {one.version for one in every if one.action in _BRINGING} - ground.state.versions.keys()
        today = ground.facts.now.date()
        waiting = history.restoring(every).values()
        # Whose pin has ended before it could come gets no pods either.
        self.at_once = frozenset(one.version for one in waiting if one.until is not None and one.until < today)
        while True:
            changes = _without(every, self.at_once)
            state = apply(ground.state, changes)
            facts = ground.facts._replace(restoring=history.restoring(changes, self._context.restoring))
            swept = sweep(state, ground.environment.retention, ground.order, facts)
            more = brought.intersection(one.version for one in swept.changes if one.action == "retire")
            if not more:
                return swept
            self.at_once |= more

    def superseded(self) -> Iterator[Change]:
        """The changes that would have brought those versions."""
        every = (change for one in self.planned for change in one.changes)
        return (change for change in every if change.action == "add" and change.version in self.at_once)


def _without(changes: Iterable[Change], names: Collection[Name]) -> tuple[Change, ...]:
    """Changes without those about some versions, which are superseded; what lifts a quarantine of their tags stays."""
    return tuple(
        change._replace(action="supersede") if change.action == "add" and change.version in names else change
        for change in changes
        if change.version not in names or change.action in {"add", "supersede", "clear"}
    )


def _is_a_persons(intent: Intent) -> bool:
    """Whether a person decided it: builds, schedules and guards come again by themselves."""
    return not (
        intent.operation in {"bump", "cleanup"} or intent.evidence or isinstance(intent.arguments, UnreadArguments)
    )


def _with_replaced(planned: Sequence[_Planned], intent: Intent) -> tuple[list[_Planned], list[LeftOut]]:
    """Pending intents where a promotion of "the default of FROM" takes the place of earlier ones: that default moved.

    Returns what is left of them, and the ones that nothing relies on, which go.
    """
    left: list[_Planned] = []  # from the last to the first: what goes is nothing that an earlier one waits for
    gone: list[LeftOut] = []
    for place, one in reversed([*enumerate(planned)]):
        if not _is_replaced(one.line.intent, intent) or not (one.worked or one.no_effect):
            left.append(one)
        elif not one.worked or not any(later.worked for later in left):
            gone.append(LeftOut(one.line, _REPLACED))
        else:
            # Its default moves no more; its version goes too, unless another intent is about that version.
            others = {change.version for other in (*planned[:place], *left) for change in other.changes}
            tag = tag_part(one.line.intent.tag)
            stays = [change for change in one.changes if change.action != "set-default" or tag_part(change.tag) != tag]
            names = {change.version for change in one.changes if change.action in _BRINGING} - others
            changes = _without(stays, names)
            left.append(one._replace(changes=changes, no_effect="" if changes else _REPLACED))
    return left[::-1], gone[::-1]


def _is_replaced(pending: Intent, own: Intent) -> bool:
    """Whether both promote "the default of FROM", and the default has moved since the first."""
    old, new = pending.arguments, own.arguments
    return (
        isinstance(old, PromoteArguments)
        and isinstance(new, PromoteArguments)
        and (old.of, old.source) == (PRESENT, new.source)
        and new.of == PRESENT
        and old.tag != new.tag
    )


def _at_once(intent: Intent, tag: str, ground: Ground) -> str:
    """What to say of a version that the sweep would retire at once, with the command that adds it all the same."""
    environment, said = ground.environment.name, intent.arguments
    words: tuple[str, ...] = ("restore", environment, tag)
    outcome = "brings it back pinned"
    if isinstance(said, PromoteArguments):
        words, outcome = ("promote", said.source, environment, "--version", tag, "--pin"), "adds it pinned"
    elif intent.operation == "bump":
        words, outcome = ("bump", environment, tag, "--pin"), "adds it pinned"
    what = f"{tag} would be retired at once by the retention policy and is not added"
    return f"{what}; `{command(*words, service=ground.service)}` {outcome}"


def _finish(attempt: _Attempt, swept: Sweep) -> Plan:
    """Which lines are written: those whose intent changed something, or is held; else one that the sweep needs."""
    bearing = [one for one in attempt.planned if one.worked or one.no_effect]
    if bearing:
        return _written(attempt, swept, bearing)
    nothing = Plan((), (), attempt.ground.state, left_out=tuple(attempt.left_out))
    if not swept.changes:
        return nothing._replace(kept=swept.kept, waiting=swept.waiting)
    # Only the sweep has work. It stands in the oldest pending line, so that the pull request stays; else in this
    # operation's if that is a cleanup; and without either it waits: a bump that changes nothing writes no line.
    bearing = [one for one in attempt.planned if not one.own or one.line.intent.operation == "cleanup"]
    return _written(attempt, swept, bearing[:1]) if bearing else nothing


def _written(attempt: _Attempt, swept: Sweep, planned: Sequence[_Planned]) -> Plan:
    """The plan of some lines: the first one tells what people did by hand, the last one what the sweep does."""
    ground, base = attempt.ground, attempt.ground.facts.base
    remaining = [_without(one.changes, attempt.at_once) for one in attempt.planned]
    after = apply(ground.state, (change for changes in remaining for change in changes))
    # On an append-only branch the sweep meets versions that have not landed: there is nothing to drain.
    sweeping = tuple(
        change._replace(
            sweep=True,
            action="remove"
            if change.action == "retire" and change.version not in {**base.versions, **base.retired}
            else change.action,
        )
        for change in swept.changes
    )
    after = apply(after, sweeping)
    newest = next(iter(newest_first(ground.order, after.live.items())), None)
    by = f"superseded by {newest[0]}" if newest else "superseded"
    lines: list[Line] = []
    for one in planned:
        # A set-default always records the default of the *base*: what stood only in the open pull request was never a
        # default (see `history.former_defaults`).
        changes = tuple(
            change._replace(before=base.default)
            if change.action == "set-default"
            else change._replace(reason=by)
            if change.action == "supersede"
            else change
            for change in _without(one.changes, attempt.at_once)
        )
        gone = _NO_EFFECT.format(one.changes[0].tag) if one.changes and not changes else one.no_effect
        lines.append(one.line._replace(changes=changes, adopted=(), no_effect=gone))
    own = tuple(change for one, line in zip(planned, lines, strict=True) if one.own for change in line.changes)
    edits = tuple(change for line in lines for change in line.changes if change.action != "supersede")
    # On an append-only branch people may move a default back that stood on that branch alone: it was never former.
    stood = {None, *ground.facts.former}
    adopted = (one if one.before in stood else one._replace(before=base.default) for one in attempt.by_hand)
    lines[0] = lines[0]._replace(adopted=tuple(adopted))
    lines[-1] = lines[-1]._replace(changes=(*lines[-1].changes, *sweeping))
    return Plan(
        lines=history.raised(lines, ground.lines[-1].at if ground.lines else None),
        edits=(*edits, *sweeping),
        after=after,
        own=(*own, *sweeping),
        kept=swept.kept,
        waiting=swept.waiting,
        left_out=tuple(attempt.left_out),
        own_line=any(one.own for one in planned),
    )
