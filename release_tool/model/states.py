"""The life of a state: what each change makes of it, and which changes lie between two states."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, get_args

from release_tool.model.records import Action, Change, Name, Pin, Quarantine, State, Tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BY_HAND = "by hand"
Value = TypeVar("Value")


def apply(state: State, changes: Iterable[Change]) -> State:  # noqa: C901 (a case an action)
    """The state after some changes.

    A change about a version that isn't there does nothing: a record whose oldest lines were moved away still tells
    the present.
    """
    for change in changes:
        name, action = change.version, change.action
        if action == "supersede" or (action in _ON_WHAT_IS_THERE and name not in state.versions):
            continue
        match action:
            case "add":
                state = state._replace(versions={**state.versions, name: change.tag})
            case "set-default":
                state = state._replace(written_default=name)
            case "retire":
                state = _gone(state, name)._replace(retired={**state.retired, name: state.versions[name]})
            case "deploy":
                tag = state.retired.get(name, change.tag)
                state = _gone(state, name)._replace(retired={**state.retired, name: tag})
            case "restore":
                versions = {**state.versions, name: state.retired.get(name, change.tag)}
                state = state._replace(versions=versions, retired=_without(state.retired, name))
            case "remove":
                state = _gone(state, name)
            case "pin":
                state = state._replace(pinned={**state.pinned, name: Pin(change.reason, change.until)})
            case "unpin":
                state = state._replace(pinned=_without(state.pinned, name))
            case "quarantine":
                entry = Quarantine(change.reason, change.since)
                state = state._replace(quarantined={**state.quarantined, name: entry})
            case "clear":
                state = state._replace(quarantined=_without(state.quarantined, name))
    return state


_ON_WHAT_IS_THERE = frozenset({"set-default", "retire", "pin", "quarantine"})
ACTIONS: frozenset[str] = frozenset(get_args(Action))


def _without(entries: Mapping[Name, Value], name: Name) -> dict[Name, Value]:
    return {key: value for key, value in entries.items() if key != name}


def _gone(state: State, name: Name) -> State:
    """The state without a version, and without its marks."""
    return state._replace(
        versions=_without(state.versions, name),
        retired=_without(state.retired, name),
        pinned=_without(state.pinned, name),
        quarantined=_without(state.quarantined, name),
    )


def difference(before: State, after: State) -> tuple[Change, ...]:
    """The changes that lead from one state to another, as if people had made them by hand.

    Applying them to `before` gives `after`, but for the order of the versions and for a default that is written in
    `before` and implied in `after`.
    """
    changes: list[Change] = []
    for name in dict.fromkeys((*before.versions, *before.retired, *after.versions, *after.retired)):
        changes += _entry_difference(name, before, after)
    reached = apply(before, changes)
    tags: dict[Name, Tag] = {**after.retired, **after.versions}
    was, now = reached.pinned, after.pinned
    changes += [Change("unpin", name, tags[name], BY_HAND) for name in was if name not in now and name in tags]
    changes += [
        Change("pin", name, tags[name], pin.reason, until=pin.until)
        for name, pin in now.items()
        if was.get(name) != pin
    ]
    held, bad = reached.quarantined, after.quarantined
    changes += [Change("clear", name, tags[name], BY_HAND) for name in held if name not in bad and name in tags]
    changes += [
        Change("quarantine", name, tags[name], one.reason, since=one.since)
        for name, one in bad.items()
        if held.get(name) != one
    ]
    reached = apply(before, changes)
    # A written default is reached by writing it, or the next lower name would take its place.
    default = reached.default if after.written_default is None else reached.written_default
    if after.default is not None and after.default != default:
        changes.append(Change("set-default", after.default, tags[after.default], BY_HAND, before=before.default))
    return tuple(changes)


def _entry_difference(name: Name, before: State, after: State) -> list[Change]:
    was = before.versions.get(name, before.retired.get(name))
    tag = after.versions.get(name, after.retired.get(name))
    was_here, is_here = name in before.versions, name in after.versions
    if was == tag and (was is None or was_here == is_here):
        return []
    if was is not None and was == tag:
        return [Change("restore" if is_here else "retire", name, was, BY_HAND)]
    changes = [] if was is None else [Change("remove", name, was, BY_HAND)]
    if tag is not None:
        changes.append(Change("add", name, tag, BY_HAND))
        if not is_here:
            changes.append(Change("retire", name, tag, BY_HAND))
    return changes
