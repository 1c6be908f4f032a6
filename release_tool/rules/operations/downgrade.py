"""The downgrade: the default goes back, and what it leaves is quarantined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import AgainstRules
from release_tool.model.records import Change
from release_tool.model.versions import newest_first, tag_part
from release_tool.rules.operations import Context, Located, Step, find
from release_tool.rules.retention import fallback_target

if TYPE_CHECKING:
    from release_tool.model.records import DowngradeArguments, Name, State


def downgrade(state: State, arguments: DowngradeArguments, context: Context) -> Step:
    """Move the default from the tag that the intent leaves to the fallback target, or to the target that it names.

    Where the default is another tag by now, it stays, and only what was to be left is quarantined.
    """
    leaving = find(state, arguments.tag)
    if leaving is None or leaving.where == "retired":
        return Step(notes=(f"{tag_part(arguments.tag)} is not live in {context.environment} any more",))
    reason = arguments.reason or "by `release downgrade`"
    changes: list[Change] = []
    notes: list[str] = []
    if leaving.name == state.default:
        target = _target(state, arguments, context)
        changes.append(Change("set-default", target.name, target.tag, f"downgrade: {reason}", before=state.default))
    else:
        notes.append(f"{leaving.name} is not the default any more, {state.default} is: the default stays")
    if arguments.quarantine and leaving.where == "live":
        changes.append(Change("quarantine", leaving.name, leaving.tag, reason, since=arguments.since))
    return Step(tuple(changes), tuple(notes))


def _target(state: State, arguments: DowngradeArguments, context: Context) -> Located:
    """The version to go back to; raises Refused where the named one can't be the default, or there is none."""
    named = arguments.to_tag
    if not named:
        name = fallback_target(state, context.former, context.order)
        if name is None:
            raise _no_target(state, context)
        return Located(name, state.versions[name], "live")
    target = find(state, named)
    if target is None or target.where != "live":
        raise AgainstRules(
            f"{named} is not live in {context.environment} and can't be the default",
            hint=f"name a live version with --to, or leave it out; `{context.command('status')}` lists them",
        )
    if target.name == state.default:
        raise AgainstRules(f"{target.name} is what the downgrade leaves", hint="name another version with --to")
    return target


def away_from(name: Name, state: State, context: Context) -> str:
    """What a person does first who wants the default to leave a version: the text of a next step.

    Another version is live. A downgrade is planned on the base: it knows no default and no target that only waits.
    """
    base = context.base
    if base.default != name or not _others(base, context):
        return f"`{context.command('default', _others(state, context)[0])}` moves the default first"
    found = fallback_target(base, context.former, context.order)
    named = () if found else ("--to", _others(base, context)[0])
    return f"`{context.command('downgrade', '--from', name, *named)}` moves the default back and quarantines it"


def _others(state: State, context: Context) -> list[Name]:
    return [name for name, _ in newest_first(context.order, state.live.items()) if name != state.default]


def _no_target(state: State, context: Context) -> AgainstRules:
    what = f"there is no version of {context.environment} to go back to"
    others = _others(state, context)
    if not others and state.retired:
        hint = f"`{context.command('restore', 'NAME')}` brings a retired one back"
        return AgainstRules(what, cause="no other version is live", hint=hint)
    if not others:
        return AgainstRules(
            what, cause="no other version is live", hint="bring another version first, by a bump or a promotion"
        )
    live = f"{', '.join(others)} {'is' if len(others) == 1 else 'are'} live"
    return AgainstRules(
        what,
        cause=f"{live}, but none is older than the default {state.default}, and none was the default before",
        hint=f"name one: `{context.command('downgrade', '--to', others[0])}`",
    )
