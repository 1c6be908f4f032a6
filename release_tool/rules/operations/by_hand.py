"""What people do to one version: default, pin, unpin, retire, restore, quarantine, clear.

What holds already changes nothing and says so; what would break a rule is refused, naming the command that does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import AgainstRules
from release_tool.model import history
from release_tool.model.records import Change, Pin, Tag
from release_tool.model.versions import tag_part
from release_tool.rules.operations import Context, Located, Step, downgrade, find, present

if TYPE_CHECKING:
    from release_tool.model.records import State, VersionArguments


def default(state: State, arguments: VersionArguments, context: Context) -> Step:
    """Move the default to a live version, either way."""
    found = _live(state, arguments, context)
    if state.written_default == found.name:
        return Step(notes=(f"{found.name} ({tag_part(found.tag)}) is the default already",))
    reason = arguments.reason or "by `release default`"
    return Step((Change("set-default", found.name, found.tag, reason, before=state.default),))


def _live(state: State, arguments: VersionArguments, context: Context) -> Located:
    """The version that shall be the default; raises Refused where it isn't live."""
    found = _routed(state, arguments, context)
    if found.where != "live":
        verb = "clear" if found.where == "quarantined" else "restore"
        raise AgainstRules(
            f"{found.name} ({tag_part(found.tag)}) is {found.where} in {context.environment} and can't be the default",
            hint=f"`{context.command(verb, found.name)}` first",
        )
    return found


def _routed(state: State, arguments: VersionArguments, context: Context) -> Located:
    """The version that is meant; raises Refused for one that came back, and has no route yet."""
    found = present(state, arguments, context)
    if found.name in context.restoring:
        raise AgainstRules(
            f"{found.name} ({tag_part(found.tag)}) came back to {context.environment}, and has no route yet",
            hint=f"{context.routed_when(found.name)}, pinned",
        )
    return found


def pin(state: State, arguments: VersionArguments, context: Context) -> Step:
    """Never retire a version, until the day `until` (inclusive) if one is given; a pin that is there is replaced."""
    found = _routed(state, arguments, context)
    if found.where == "retired":
        raise AgainstRules(
            f"{found.name} ({tag_part(found.tag)}) is retired in {context.environment}",
            hint=f"`{context.command('restore', found.name)}` brings it back, pinned",
        )
    wanted = Pin(arguments.reason or "by `release pin`", arguments.until)
    if state.pinned.get(found.name) == wanted:
        return Step(notes=(f"{found.name} is pinned like that already",))
    return Step((Change("pin", found.name, found.tag, wanted.reason, until=wanted.until),))


def unpin(state: State, arguments: VersionArguments, context: Context) -> Step:
    """Take the pin of a version away."""
    found = find(state, arguments.tag)
    if found is None:
        return _gone_already(arguments, context)
    if found.name not in state.pinned:
        return Step(notes=(f"{found.name} is not pinned",))
    return Step((Change("unpin", found.name, found.tag, arguments.reason or "by `release unpin`"),))


def retire(state: State, arguments: VersionArguments, context: Context) -> Step:
    """Take a version's route away; it stays deployed while it drains. One that has not landed goes at once."""
    found = find(state, arguments.tag)
    if found is None:
        return _gone_already(arguments, context)
    name, environment = found.name, context.environment
    if name in context.restoring:
        gone = Change("remove", name, found.tag, arguments.reason or "by `release retire`")
        return Step((gone,), (f"{name} was not routed yet: it goes at once",))
    if found.where == "retired":
        return Step(notes=(f"{name} is retired already",))
    _leave_one(state, found, context, "retired")
    if name == state.default:
        raise AgainstRules(
            f"{name} ({tag_part(found.tag)}) is the default of {environment}",
            hint=f"`{context.command('default', 'NAME')}` moves the default first",
        )
    if name in state.pinned:
        raise AgainstRules(
            f"{name} ({tag_part(found.tag)}) is pinned in {environment}: {state.pinned[name].reason}",
            hint=f"`{context.command('unpin', name)}` first",
        )
    landed = name in context.base.versions or name in context.base.retired
    return Step((Change("retire" if landed else "remove", name, found.tag, arguments.reason or "by `release retire`"),))


def _gone_already(arguments: VersionArguments, context: Context) -> Step:
    """What there is to say of a version that isn't there any more: what was asked for has come true otherwise."""
    return Step(notes=(f"{tag_part(arguments.tag)} is not in {context.environment} any more",))


def restore(state: State, arguments: VersionArguments, context: Context) -> Step:
    """Bring a retired, or from the record a removed, version back, pinned until `until`.

    One that is quarantined by the record comes back quarantined.
    """
    tag = arguments.tag
    found = find(state, tag)
    if found is not None and found.where != "retired":
        clear_it = f"; `{context.command('clear', found.name)}` clears it"
        hint = clear_it if found.where == "quarantined" else ""
        return Step(notes=(f"{found.name} ({tag_part(found.tag)}) is {found.where}{hint}",))
    if found is None:
        found = _removed(tag, context)
    before = context.restoring.get(found.name)
    reason = arguments.reason or (before.reason if before is not None else "restored")
    bad = context.bad.get(tag_part(tag))
    returns = not context.is_warm(found.name, asked_again=arguments.deployed)
    deploy = Change("deploy", found.name, found.tag, reason, until=arguments.until)
    if returns and bad is None and state.live and context.warm_up:
        return _deployed(deploy, context)
    changes = [*_in_one_step(deploy)]
    notes: tuple[str, ...] = ()
    if returns and bad is None and context.warm_up is None:
        fail = f"calls that name {found.name} fail until its pods are ready, unless its routes are applied after them"
        notes = (f"the chart deploys no retired versions, so one step brings it back: {fail}",)
    if bad is not None:
        changes.append(Change("quarantine", found.name, found.tag, bad.reason, since=bad.since))
        clear_it = context.command("clear", found.name)
        notes = (f"{found.name} comes back quarantined ({bad.reason}); `{clear_it}` clears it",)
    return Step(tuple(changes), notes)


def _in_one_step(deploy: Change) -> tuple[Change, ...]:
    """A version that came back, in `image.tag` and pinned as it was asked for."""
    return deploy._replace(action="restore", until=None), deploy._replace(action="pin")


def _deployed(deploy: Change, context: Context) -> Step:
    """A version that comes back without a route: the sweep gives it one once its pods had time to get ready."""
    name, before = deploy.version, context.restoring.get(deploy.version)
    note = f"{name} ({tag_part(deploy.tag)}) is deployed, and not routed yet: {context.routed_when(name)}"
    same = before is not None and (before.reason, before.until) == (deploy.reason, deploy.until)
    return Step(() if same else (deploy,), (note,))


_HELD = frozenset({"add", "deploy", "restore", "retire", "remove"})
"""The changes of a version that the environment holds, or held; a tag can be quarantined where it never was."""


def _removed(tag: Tag, context: Context) -> Located:
    """A version that this environment held, by its record with the archives; else raises Refused."""
    part = tag_part(tag)
    known = [*history.changes_of([*context.archived, *context.lines]), *context.planned]
    held = [change.tag for change in known if tag_part(change.tag) == part and change.action in _HELD]
    if not held:
        raise AgainstRules(
            f"{part} never was in {context.environment}",
            hint=f"`{context.command('history')}` shows what was; `release promote` and `release bump` bring new"
            " versions",
        )
    return Located(context.names.name_for(tag), held[-1], "removed")


def quarantine(state: State, arguments: VersionArguments, context: Context) -> Step:
    """Take a bad version's route away and keep it from becoming the default, until somebody clears it.

    One that is retired or was removed is marked in the record: neither a bump nor a promotion brings it back.
    """
    found = _remembered(state, arguments, context)
    name, environment, part = found.name, context.environment, tag_part(found.tag)
    reason = arguments.reason or "by `release quarantine`"
    marked = (Change("quarantine", name, found.tag, reason, since=arguments.since),)
    if found.where == "quarantined":
        return Step(notes=(f"{name} is quarantined already: {state.quarantined[name].reason}",))
    asked = context.restoring.get(name)
    if asked is not None:
        routes = context.command("clear", name)
        note = f"{name} was not routed yet: it stays deployed, quarantined; `{routes}` routes it"
        return Step((*_in_one_step(asked), *marked), (note,))
    if found.where in {"retired", "removed"}:
        if part in context.bad:
            return Step(notes=(f"{name} is quarantined already: {context.bad[part].reason}",))
        cleared = context.command("clear", name)
        return Step(
            marked, (f"{name} ({part}) is {found.where}: no bump and no promotion brings it back before `{cleared}`",)
        )
    _leave_one(state, found, context, "quarantined")
    if name == state.default:
        raise AgainstRules(
            f"{name} ({part}) is the default of {environment}",
            hint=downgrade.away_from(name, state, context),
        )
    return Step(marked)


def _remembered(state: State, arguments: VersionArguments, context: Context) -> Located:
    """The version that is meant, also one that was removed; raises Refused where nobody knows its tag."""
    part = tag_part(arguments.tag)
    if find(state, arguments.tag) is None and part in {**context.names.landed, **context.names.pending}:
        return Located(context.names.name_for(part), arguments.tag, "removed")
    return present(state, arguments, context)


def _leave_one(state: State, found: Located, context: Context, word: str) -> None:
    """Raise Refused where no live version would be left."""
    if not set(state.live) - {found.name}:
        raise AgainstRules(
            f"{found.name} ({tag_part(found.tag)}) is the last live version of {context.environment}: it is not {word}",
            hint="bring another version first: a bump, a promotion, or `release restore`",
        )


def clear(state: State, arguments: VersionArguments, context: Context) -> Step:
    """Lift a quarantine, also that of a version which left the file: its tag may come back then."""
    tag = arguments.tag
    found = find(state, tag)
    reason = arguments.reason or "by `release clear`"
    if found is not None and found.name in state.quarantined:
        cleared = Change("clear", found.name, found.tag, reason)
        returned = any(one.action == "restore" and one.version == found.name for one in context.planned)
        if not returned or context.is_warm(found.name) or not context.warm_up:
            return Step((cleared,))
        pin = state.pinned.get(found.name, Pin("restored"))
        deploy = Change("deploy", found.name, found.tag, pin.reason, until=pin.until)
        brought = _deployed(deploy, context)
        return Step((cleared, *brought.changes), brought.notes)
    if tag_part(tag) in context.bad:
        name = found.name if found is not None else context.names.name_for(tag)
        return Step((Change("clear", name, tag, reason),))
    return Step(notes=(f"{tag_part(tag)} is not quarantined in {context.environment}",))
