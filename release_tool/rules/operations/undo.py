"""Undo: the inverse of one landed operation's own changes, under the rules of the inverse commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import AgainstRules
from release_tool.model import history
from release_tool.model.records import Change, Pin, State, VersionArguments
from release_tool.model.states import apply
from release_tool.model.versions import tag_part
from release_tool.rules.operations import Context, Step, by_hand, find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from release_tool.config import Place
    from release_tool.model.records import Line, UndoArguments


def own_changes(line: Line) -> tuple[Change, ...]:
    """What an operation did by itself; a cleanup is nothing but its sweep."""
    return tuple(change for change in line.changes if not change.sweep or line.intent.operation == "cleanup")


def undo(state: State, arguments: UndoArguments, context: Context) -> Step:
    """Invert an operation's own changes, the last one first.

    Raises Refused where the operation has not landed, or an inverse is against the rules.
    """
    wanted = arguments.undone
    index = next((index for index, line in enumerate(context.lines) if line.id == wanted), None)
    if index is None:
        raise AgainstRules(
            f"operation {wanted} is not in the record of {context.environment}",
            cause="it has not landed, was reverted, or is so old that its line was moved away",
            hint=f"`{context.command('history')}` lists the ids; close a pull request to drop what waits",
        )
    line = context.lines[index]
    undoing = _Undoing(context.lines[:index], line, arguments, context)
    changes: list[Change] = []
    notes: list[str] = []
    for change in reversed(own_changes(line)):
        step = _INVERSES[change.action](undoing, state, change)
        state = apply(state, step.changes)
        changes += step.changes
        notes += step.notes
    notes += _swept(line, state, context)
    if not changes:
        notes.append(f"nothing is left to undo of {line.intent.operation} ({line.id})")
    return Step(tuple(changes), tuple(notes))


def _swept(line: Line, state: State, context: Context) -> Iterator[str]:
    """What the operation's sweep took away, which undo doesn't bring back."""
    for change in line.changes:
        if change.sweep and line.intent.operation != "cleanup" and change.action in {"retire", "remove"}:
            found = find(state, change.tag)
            if found is None or found.where == "retired":
                back = context.command("restore", change.version)
                yield f"its sweep {change.action}d {change.version} ({tag_part(change.tag)}); `{back}` brings it back"


class _Undoing:
    """One undo: how things stood before the operation, by the record, and how inverses are asked for."""

    def __init__(self, above: Sequence[Line], line: Line, arguments: UndoArguments, context: Context) -> None:
        self.before = apply(history.replay(above), line.adopted)
        self.bad = history.quarantines([*history.changes_of(above), *line.adopted])
        self.context = context
        self.reason = arguments.reason or f"undo of {line.intent.operation} {line.id}"
        self._arguments = arguments

    def has_ended(self, pin: Pin) -> bool:
        """Whether a pin of then is over by now: the next sweep would only lift it again."""
        now = self._arguments.since
        return pin.until is not None and now is not None and pin.until < now.date()

    def of(self, change: Change) -> VersionArguments:
        """What the inverse command of a change is given."""
        until, since = self._arguments.until, self._arguments.since
        return VersionArguments(change.version, change.tag, until=until, since=since, reason=self.reason)


def _gone(state: State, change: Change) -> Step | None:
    """What to say of a version that isn't there any more; None where it is."""
    found = find(state, change.tag)
    if found is None or found.where == "retired":
        return Step(notes=(f"{change.version} ({change.tag}) is not live any more",))
    return None


def _take_away(undoing: _Undoing, state: State, change: Change) -> Step:
    here = None if change.version in undoing.context.restoring else _gone(state, change)
    return here or by_hand.retire(state, undoing.of(change), undoing.context)


def _take_back(undoing: _Undoing, state: State, change: Change) -> Step:
    """A version that came back without a route goes again, also once the sweep has routed and pinned it."""
    if state.pinned.get(change.version) != Pin(change.reason, change.until):
        return _take_away(undoing, state, change)
    unpinned = by_hand.unpin(state, undoing.of(change), undoing.context)
    retired = by_hand.retire(apply(state, unpinned.changes), undoing.of(change), undoing.context)
    return Step((*unpinned.changes, *retired.changes), retired.notes)


def _bring_back(undoing: _Undoing, state: State, change: Change) -> Step:
    return by_hand.restore(state, undoing.of(change), undoing.context)


def _default_before(undoing: _Undoing, state: State, change: Change) -> Step:
    if state.default != change.version or change.before in {None, change.version}:
        said = () if state.default == change.version else (f"the default has moved on to {state.default}: it stays",)
        return Step(notes=said)
    before = change.before
    if before not in state.live:
        environment = undoing.context.environment
        word, verb = f"not live in {environment} any more", "restore"
        if before in state.quarantined:
            word, verb = f"quarantined in {environment}", "clear"
        back, default = (undoing.context.command(step, str(before)) for step in (verb, "default"))
        raise AgainstRules(f"{before}, the default before, is {word}", hint=f"`{back}` first, then `{default}`")
    there = change._replace(version=before, tag=state.versions[before])
    return by_hand.default(state, undoing.of(there), undoing.context)


def _pin_before(undoing: _Undoing, state: State, change: Change) -> Step:
    """The pin as it was before: none, or another one."""
    gone = _gone(state, change)
    if gone is not None:
        return gone
    pin = undoing.before.pinned.get(change.version)
    if pin is None:
        return by_hand.unpin(state, undoing.of(change), undoing.context)
    if undoing.has_ended(pin):
        return Step()
    as_before = undoing.of(change)._replace(reason=pin.reason, until=pin.until)
    return by_hand.pin(state, as_before, undoing.context)


def _quarantine_before(undoing: _Undoing, state: State, change: Change) -> Step:
    """The quarantine of the tag as it was before: of its version, or of a tag that was not there any more."""
    before = undoing.bad.get(tag_part(change.tag))
    found = find(state, change.tag)
    if before is None:
        return by_hand.clear(state, undoing.of(change), undoing.context)
    if change.action == "quarantine":  # restored as it was: quarantined
        return Step()
    if found is not None and found.where == "live":
        as_before = undoing.of(change)._replace(reason=before.reason, since=before.since)
        return by_hand.quarantine(state, as_before, undoing.context)
    if tag_part(change.tag) in undoing.context.bad:
        return Step(notes=(f"{change.version} ({change.tag}) is quarantined already",))
    return Step((before._replace(reason=undoing.reason, sweep=False),))


def _nothing(undoing: _Undoing, state: State, change: Change) -> Step:  # noqa: ARG001 (one of the table)
    return Step()


_INVERSES: dict[str, Callable[[_Undoing, State, Change], Step]] = {
    "add": _take_away,
    "deploy": _take_back,
    "restore": _take_away,
    "retire": _bring_back,
    "remove": _bring_back,
    "set-default": _default_before,
    "pin": _pin_before,
    "unpin": _pin_before,
    "quarantine": _quarantine_before,
    "clear": _quarantine_before,
    "supersede": _nothing,
}


def last_landed(lines: Sequence[Line], place: Place) -> Line:
    """The operation that undo takes without an id; raises Refused where nothing has landed, or an undo was last."""
    if not lines:
        raise AgainstRules(f"nothing has landed in {place.environment} yet")
    last = lines[-1]
    if last.intent.operation == "undo":
        raise AgainstRules(
            f"the last operation of {place.environment} is an undo itself ({last.id})",
            hint=f"name the operation to undo by its id; `{place.command('history')}` lists them",
        )
    return last
