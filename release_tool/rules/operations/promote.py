"""The promotion: a version comes from the environment before, with its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import AgainstRules
from release_tool.model.records import Change, Name, Tag
from release_tool.model.versions import is_newer, tag_part
from release_tool.rules.operations import Context, Step, find

if TYPE_CHECKING:
    from release_tool.model.records import PromoteArguments, State


def promote(state: State, arguments: PromoteArguments, context: Context) -> Step:
    """Add a version with the name that it has, or bring a retired one back; move the default by policy.

    Its gates were judged before, and stand in the intent; only a quarantine is looked at again.
    """
    tag = arguments.tag
    _refuse_quarantined(state, tag, context)
    reason = f"promoted from {arguments.source}"
    found = find(state, tag)
    changes: list[Change] = []
    name, written = (found.name, found.tag) if found is not None else (_name(state, tag, context), tag)
    if found is None:
        changes.append(Change("add", name, tag, reason))
    elif found.where == "retired":
        changes.append(Change("restore", name, written, reason))
    if arguments.pin and (found is None or name not in state.pinned):
        changes.append(Change("pin", name, written, arguments.reason or "pinned by its promotion"))
    early = (f"{name} was deployed and not routed yet: this promotion routes it",) if name in context.restoring else ()
    moved, notes = _default(state, name, written, arguments, context)
    if not changes and not moved:
        word = "the default" if name == state.default else "proposed" if name in context.proposed else "live"
        notes = (f"{tag_part(tag)} is {word} already, as {name}", *notes)
    return Step((*changes, *moved), (*early, *notes))


def _refuse_quarantined(state: State, tag: Tag, context: Context) -> None:
    """Raise Refused for a tag that is quarantined in any environment."""
    part = tag_part(tag)
    found = find(state, tag)
    if found is not None and found.where == "quarantined":
        where, why = context.environment, state.quarantined[found.name].reason
    elif part in context.bad:
        where, why = context.environment, context.bad[part].reason
    elif part in context.elsewhere:
        where, why = context.elsewhere[part]
    else:
        return
    clear = context.command("clear", found.name if found is not None else part, environment=where)
    raise AgainstRules(
        f"{part} is quarantined in {where}: {why}",
        hint=f"`{clear}` clears it, once it is good",
    )


def _name(state: State, tag: Tag, context: Context) -> Name:
    """The name of a version that is new here; raises Refused where the name stands here for another tag."""
    name = context.names.name_for(tag)
    other = state.versions.get(name) or state.retired.get(name)
    if other is not None:
        raise AgainstRules(
            f"the name {name} of {tag_part(tag)} is taken in {context.environment} by {tag_part(other)}",
            cause="the files of the two environments were written by hand, or before the tool kept names one to one",
            hint="give one of the two tags a name that no environment has ever held, in every environment",
        )
    return name


def _default(
    state: State, name: Name, tag: Tag, arguments: PromoteArguments, context: Context
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    default = state.default
    if context.default_policy != "promoted" or (name == default and state.written_default in {default, None}):
        return (), ()
    # Where an earlier promotion made way for this one, the default before may have left, or be quarantined, meanwhile.
    stands = default in state.live and state.written_default in {default, None}
    if default is not None and stands and not arguments.force:
        here = (default, state.versions[default])
        if not is_newer(context.order, (name, tag), here):
            stays = f"{tag_part(tag)} is not newer than the default {default} ({tag_part(here[1])}): the default stays"
            return (), (f"{stays}; `{context.command('default', name)}` moves it",)
    return (Change("set-default", name, tag, "default: promoted", before=default),), ()
