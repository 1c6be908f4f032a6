"""The bump: a new image tag comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import Refused
from release_tool.model import history
from release_tool.model.records import BumpArguments, Change, Name, State, Tag
from release_tool.model.versions import is_newer, is_readable, rank, tag_part
from release_tool.rules.operations import Context, Step, find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.model.records import Intent, Line


def bump(state: State, arguments: BumpArguments, context: Context) -> Step:
    """Add a tag; move the default to it where the policy is `newest` and the tag is newer than the default."""
    tag = arguments.tag
    proposed = find(state, tag)
    if (
        arguments.pin
        and proposed is not None
        and proposed.name in context.proposed
        and proposed.where == "live"
        and proposed.name not in state.pinned
    ):
        # An open pull request brings it, or has superseded it: pinned it stays.
        pin = Change("pin", proposed.name, proposed.tag, arguments.reason or "pinned by its bump")
        return Step((pin,))
    present = _present(state, tag, context)
    if present is not None:
        return Step(notes=(present,))
    name = context.names.name_for(tag)
    changes = [Change("add", name, tag, "bump")]
    if arguments.pin:
        changes.append(Change("pin", name, tag, arguments.reason or "pinned by its bump"))
    moved, notes = _default_of_bump(state, name, tag, context)
    own = rank(context.order, name, tag)
    same = [
        f"{other} ({written})"
        for other, written in state.versions.items()
        if rank(context.order, other, written) == own
    ]
    if same:
        notes = (*notes, f"{tag_part(tag)} is the same version as {', '.join(same)}, spelled otherwise")
    return Step((*changes, *moved), notes)


def _present(state: State, tag: Tag, context: Context) -> str | None:
    """Why a bump of this tag has nothing to do, with the command that would; None if it has."""
    part = tag_part(tag)
    found = find(state, tag)
    if found is not None and "@" in found.tag and "@" in tag and found.tag != tag:
        raise _moved(found.name, part, found.tag.partition("@")[2], tag.partition("@")[2])
    for name, other in state.versions.items():
        if tag_part(other) == part:
            if name in state.quarantined:
                reason = state.quarantined[name].reason
                return f"{part} is quarantined as {name} ({reason}); `{context.command('clear', name)}` clears it"
            return f"{part} is {'proposed' if name in context.proposed else 'live'} already, as {name}"
    for name, other in state.retired.items():
        if tag_part(other) == part and name in context.restoring:
            return f"{part} is deployed as {name}, and not routed yet: {context.routed_when(name)}"
        if tag_part(other) == part:
            return f"{part} is retired, as {name}; `{context.command('restore', name)}` brings it back"
    if part in context.bad:
        name = context.names.name_for(tag)
        return f"{part} was quarantined ({context.bad[part].reason}); `{context.command('clear', name)}` clears it"
    return None


def refuse_moved(intent: Intent, state: State, lines: Sequence[Line]) -> None:
    """Raise Refused where a bump names another digest for its tag than the files, the record or what waits do.

    Args:
        lines: those that have landed, and those that wait.
    """
    said = intent.arguments
    given = intent.tag.partition("@")[2] or intent.provenance.get("digest", "")
    if not given or not isinstance(said, BumpArguments) or said.force:
        return
    part = tag_part(said.tag)
    known = [(change.version, change.tag) for change in history.changes_of(lines) if tag_part(change.tag) == part]
    found = find(state, said.tag)
    if found is not None:
        known.append((found.name, found.tag))
    recorded = history.recorded_digest(lines, part)
    for name, tag in reversed(known):
        before = tag.partition("@")[2] or (recorded[1] if recorded else "")
        if before and before != given:
            raise _moved(name, part, before, given)
        if before:
            return


def _moved(name: Name, part: str, before: str, now: str) -> Refused:
    return Refused(
        f"the tag {part} was moved: {name} is {before}, and this bump says {now}",
        cause="somebody built another image under the same tag",
        hint="build it under a new tag, and bump that; nothing was changed",
    )


def _default_of_bump(
    state: State, name: Name, tag: Tag, context: Context
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    default = state.default
    if context.default_policy != "newest":
        return (), ()
    if default is not None:
        here = (default, state.versions[default])
        for bad in state.quarantined:
            if is_newer(context.order, (bad, state.versions[bad]), here):
                return (), (f"held: {bad} is quarantined",)
        if not is_readable(context.order, tag):
            from release_tool.rules.unread_tags import advice

            why = advice(context.order, [tag, *state.versions.values()])
            return (), (f"the order can't read {tag_part(tag)}: the default {default} ({here[1]}) stays; {why}",)
        if not is_newer(context.order, (name, tag), here):
            return (), (f"{tag_part(tag)} is not newer than the default {default} ({here[1]}): the default stays",)
    return (Change("set-default", name, tag, "default: newest", before=default),), ()
