"""The life of a state: what each change makes of it, and which changes lie between two states. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from release_tool.model.records import Change, Name, Pin, Quarantine, State, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from release_tool.model.records import Action

BY_HAND = "by hand"
Value = TypeVar("Value")


def apply(state: State, changes: Iterable[Change]) -> State:
    """The state after some changes.

    A change about a version that isn't there does nothing: a record whose oldest lines were moved away still tells
    the present.
    """
    for change in changes:
        if change.version in state.versions or change.action not in _MARKS:
            state = _STEPS[change.action](state, change)
    return state


def _without(entries: Mapping[Name, Value], name: Name) -> dict[Name, Value]:
    return {key: value for key, value in entries.items() if key != name}


def _add(state: State, change: Change) -> State:
    return state._replace(versions={**state.versions, change.version: change.tag})


def _set_default(state: State, change: Change) -> State:
    return state._replace(written_default=change.version)


def _retire(state: State, change: Change) -> State:
    name = change.version
    if name not in state.versions:
        return state
    return state._replace(
        versions=_without(state.versions, name),
        retired={**state.retired, name: state.versions[name]},
        quarantined=_without(state.quarantined, name),
        pinned=_without(state.pinned, name),
    )


def _restore(state: State, change: Change) -> State:
    tag = state.retired.get(change.version, change.tag)
    return state._replace(
        versions={**state.versions, change.version: tag},
        retired=_without(state.retired, change.version),
    )


def _remove(state: State, change: Change) -> State:
    name = change.version
    return state._replace(
        versions=_without(state.versions, name),
        retired=_without(state.retired, name),
        quarantined=_without(state.quarantined, name),
        pinned=_without(state.pinned, name),
    )


def _pin(state: State, change: Change) -> State:
    return state._replace(pinned={**state.pinned, change.version: Pin(change.reason, change.until)})


def _unpin(state: State, change: Change) -> State:
    return state._replace(pinned=_without(state.pinned, change.version))


def _quarantine(state: State, change: Change) -> State:
    entry = Quarantine(change.reason, change.since)
    return state._replace(quarantined={**state.quarantined, change.version: entry})


def _clear(state: State, change: Change) -> State:
    return state._replace(quarantined=_without(state.quarantined, change.version))


def _supersede(state: State, _: Change) -> State:
    return state


_STEPS: dict[Action, Callable[[State, Change], State]] = {
    "add": _add,
    "set-default": _set_default,
    "retire": _retire,
    "restore": _restore,
    "remove": _remove,
    "pin": _pin,
    "unpin": _unpin,
    "quarantine": _quarantine,
    "clear": _clear,
    "supersede": _supersede,
}
ACTIONS = frozenset(_STEPS)
_MARKS = frozenset({"set-default", "pin", "quarantine"})  # what is said about a version of `image.tag`


def difference(before: State, after: State) -> tuple[Change, ...]:
    """The changes that lead from one state to another, as if people had made them by hand.

    Applying them to `before` gives `after`, but for the order of the versions and for a default that is written in
    `before` and implied in `after`.
    """
    changes: list[Change] = []
    for name in [*before.versions, *(name for name in before.retired if name not in before.versions)]:
        changes += _entry_difference(name, before, after)
    for name in [*after.versions, *after.retired]:
        if name not in before.versions and name not in before.retired:
            changes += _entry_difference(name, before, after)
    reached = apply(before, changes)
    tags: dict[Name, Tag] = {**after.retired, **after.versions}
    changes += _marks("pin", "unpin", reached.pinned, after.pinned, tags)
    changes += _marks("quarantine", "clear", reached.quarantined, after.quarantined, tags)
    if after.default is not None and after.default != _default_reached(apply(before, changes), after):
        changes.append(Change("set-default", after.default, tags[after.default], BY_HAND, before=before.default))
    return tuple(changes)


def _default_reached(reached: State, after: State) -> Name | None:
    """The default so far; a written one is reached by writing it, or the next lower name would take its place."""
    return reached.default if after.written_default is None else reached.written_default


def _place(state: State, name: Name) -> tuple[str, Tag] | None:
    if name in state.versions:
        return ("versions", state.versions[name])
    return ("retired", state.retired[name]) if name in state.retired else None


def _entry_difference(name: Name, before: State, after: State) -> list[Change]:
    was, now = _place(before, name), _place(after, name)
    if was == now:
        return []
    if was is not None and now is not None and was[1] == now[1]:
        return [Change("restore" if now[0] == "versions" else "retire", name, now[1], BY_HAND)]
    changes = [] if was is None else [Change("remove", name, was[1], BY_HAND)]
    if now is not None:
        changes.append(Change("add", name, now[1], BY_HAND))
        if now[0] == "retired":
            changes.append(Change("retire", name, now[1], BY_HAND))
    return changes


def _marks(
    put: Action, take: Action, before: Mapping[Name, Any], after: Mapping[Name, Any], tags: Mapping[Name, Tag]
) -> list[Change]:
    changes = [Change(take, name, tags[name], BY_HAND) for name in before if name not in after and name in tags]
    for name, mark in after.items():
        if before.get(name) != mark:
            changes.append(
                Change(
                    put,
                    name,
                    tags[name],
                    mark.reason,
                    until=getattr(mark, "until", None),
                    since=getattr(mark, "since", None),
                )
            )
    return changes
