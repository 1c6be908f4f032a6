"""The downgrade: the default goes back, and what it leaves is quarantined. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import Refused
from release_tool.model.records import Change
from release_tool.model.versions import is_tag, tag_part
from release_tool.rules.fallback import fallback_target
from release_tool.rules.operations.base import Context, Found, Step, find, reason_of, tag_of
from release_tool.rules.operations.by_hand import since_of

if TYPE_CHECKING:
    from release_tool.model.records import Intent, State


def downgrade(state: State, intent: Intent, context: Context) -> Step:
    """Move the default from the tag that the intent leaves to the fallback target, or to the target that it names.

    Where the default is another tag by now, it stays, and only what was to be left is quarantined.

    Arguments of the intent: `tag` and `version` (what is left), `to_tag` and `to` (the target, if one was named),
    `quarantine` (false: what is left stays live), `since`, `reason`.
    """
    leaving = find(state, tag_of(intent))
    if leaving is None or leaving.where == "retired":
        return Step(notes=(f"{tag_part(tag_of(intent))} is not live in {context.environment} any more",))
    reason = reason_of(intent, "by `release downgrade`")
    changes: list[Change] = []
    notes: list[str] = []
    if leaving.name == state.default:
        target = _target(state, intent, context)
        changes.append(Change("set-default", target.name, target.tag, f"downgrade: {reason}", before=state.default))
    else:
        notes.append(f"{leaving.name} is not the default any more, {state.default} is: the default stays")
    if intent.arguments.get("quarantine") is not False and leaving.where == "live":
        changes.append(Change("quarantine", leaving.name, leaving.tag, reason, since=since_of(intent)))
    return Step(tuple(changes), tuple(notes))


def _target(state: State, intent: Intent, context: Context) -> Found:
    """The version to go back to.

    Raises:
        Refused: the named one can't be the default, or there is none.
    """
    named = intent.arguments.get("to_tag")
    if named is None:
        name = fallback_target(state, context.former, context.order)
        if name is None:
            raise Refused(
                f"there is no version of {context.environment} to go back to",
                cause="no other version is live",
                hint=f"`release restore {context.environment} NAME` brings a retired one back",
            )
        return Found(name, state.versions[name], "live")
    target = find(state, named) if isinstance(named, str) and is_tag(named) else None
    if target is None or target.where != "live":
        raise Refused(
            f"{named} is not live in {context.environment} and can't be the default",
            hint=f"name a live version with --to, or leave it out; `release status {context.environment}` lists them",
        )
    if target.name == state.default:
        raise Refused(f"{target.name} is what the downgrade leaves", hint="name another version with --to")
    return target
