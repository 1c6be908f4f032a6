"""What each operation changes by itself, without the sweep. Pure: (state, intent, context) -> Step.

The table at the end names every operation that this release of the tool can plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused, ReleaseError
from release_tool.records import Change, Intent, Name, State, Tag, name_number, name_of
from release_tool.states import apply
from release_tool.versions import is_name, is_newer, is_tag, tag_part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Names(NamedTuple):
    """Which name belongs to which tag, over all environments of a service, for ever.

    Attributes:
        landed: tag part -> name, of all versions that the base branch ever held.
        pending: the same of the pending lines of all release branches.
        taken: names that the base branch held for a tag that has another name by now (a list that people cut moved
            its names along): never given again.
        proposed: names that pending lines gave to a tag which the lines at hand name otherwise: not given meanwhile.
    """

    landed: Mapping[str, Name] = {}
    pending: Mapping[str, Name] = {}
    taken: frozenset[Name] = frozenset()
    proposed: frozenset[Name] = frozenset()

    def name_for(self, tag: str) -> Name:
        """The name of a tag: the one that it is known by, else 1 + the highest number known.

        Raises:
            Refused: the numbers are used up.
        """
        part = tag_part(tag)
        if part in self.landed:
            return self.landed[part]
        if part in self.pending and self.may_keep(self.pending[part], part):
            return self.pending[part]
        every = (*self.landed.values(), *self.pending.values(), *self.taken, *self.proposed)
        highest = max(every, key=name_number, default=None)
        name = name_of(1 if highest is None else 1 + name_number(highest))
        if not is_name(name):
            raise Refused(
                f"there is no name after {highest}",
                cause="somebody gave a name with a far too high number, and names are never given twice",
                hint="take that name out of the files and of the record, if nothing uses it yet",
            )
        return name

    def may_keep(self, name: Name, tag: str) -> bool:
        """Whether a name given in an open pull request still belongs to that tag alone, as the base branch stands."""
        part = tag_part(tag)
        if part in self.landed:
            return self.landed[part] == name
        return name not in self.landed.values() and name not in self.taken

    def with_name(self, tag: str, name: Name) -> Names:
        """The same, and one name more that stands in the base as far as planning is concerned."""
        return self._replace(landed={**self.landed, tag_part(tag): name})

    def with_pending(self, names: Mapping[str, Name]) -> Names:
        """The same with the names that some pending lines gave; they keep them where they may."""
        proposed = self.proposed.union(self.pending.values())
        return self._replace(pending={**self.pending, **names}, proposed=proposed)


class Context(NamedTuple):
    """What an operation may ask beside the state.

    Attributes:
        environment: for messages.
        order: the configured order of versions.
        default_policy: `newest`, `manual` or `promoted`.
        names: the names known so far.
        bad: tag part -> reason of the tags that are quarantined by the record.
        proposed: names that stand in the open pull request only.
    """

    environment: str
    order: str
    default_policy: str
    names: Names = Names()
    bad: Mapping[str, str] = {}
    proposed: frozenset[Name] = frozenset()


class Step(NamedTuple):
    """What one operation changes, and what there is to say about it."""

    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()


def plan_step(state: State, intent: Intent, context: Context) -> Step:
    """What an intent changes on a state.

    Raises:
        Refused: the rules refuse it on this state.
        ReleaseError: an operation that only a newer release of the tool knows.
    """
    operation = OPERATIONS.get(intent.operation)
    if operation is None:
        raise ReleaseError(
            f"operation {intent.operation} ({intent.id}) is unknown to this release of the tool",
            cause="a newer release wrote it into the open pull request",
            hint="run that newer release here too, or merge or close that pull request first",
        )
    step = operation(state, intent, context)
    return Step(_with_default_kept(state, step.changes), step.notes)


def _with_default_kept(state: State, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """The changes, and the default written down where they would change the one that was only implied."""
    default = state.default
    after = apply(state, changes)
    if default is None or after.default == default or any(change.action == "set-default" for change in changes):
        return changes
    kept = Change("set-default", default, state.versions[default], "implied until now", before=default)
    return (*changes, kept)


def bump(state: State, intent: Intent, context: Context) -> Step:
    """Add a tag; move the default to it where the policy is `newest` and it is newer than the default.

    Arguments of the intent: `tag`; `pin` (true: it comes pinned, for `reason`).
    """
    tag = tag_of(intent)
    present = _present(state, tag, context)
    if present is not None:
        return Step(notes=(present,))
    name = context.names.name_for(tag)
    changes = [Change("add", name, tag, "bump")]
    if intent.arguments.get("pin"):
        reason = intent.arguments.get("reason")
        changes.append(Change("pin", name, tag, reason if reason and isinstance(reason, str) else "pinned by its bump"))
    moved, notes = _default_of_bump(state, name, tag, context)
    return Step((*changes, *moved), notes)


def tag_of(intent: Intent) -> Tag:
    """The tag that an intent is about.

    Raises:
        Refused: it names none; the lines of an open pull request may come from anybody.
    """
    tag = intent.arguments.get("tag")
    if not isinstance(tag, str) or not is_tag(tag):
        raise Refused(f"{tag!r} is no image tag", cause="the line was edited by hand", hint="run the operation again")
    return Tag(tag)


def _present(state: State, tag: Tag, context: Context) -> str | None:
    """Why a bump of this tag has nothing to do, with the command that would; None if it has."""
    part, environment = tag_part(tag), context.environment
    for name, other in state.versions.items():
        if tag_part(other) == part:
            if name in state.quarantined:
                reason = state.quarantined[name].reason
                return f"{part} is quarantined as {name} ({reason}); `release clear {environment} {name}` clears it"
            return f"{part} is {'proposed' if name in context.proposed else 'live'} already, as {name}"
    for name, other in state.retired.items():
        if tag_part(other) == part:
            return f"{part} is retired, as {name}; `release restore {environment} {name}` brings it back"
    if part in context.bad:
        name = context.names.name_for(tag)
        return f"{part} was quarantined ({context.bad[part]}); `release clear {environment} {name}` clears it"
    return None


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
        if not is_newer(context.order, (name, tag), here):
            return (), (f"{tag_part(tag)} is not newer than the default {default} ({here[1]}): the default stays",)
    return (Change("set-default", name, tag, "default: newest", before=default),), ()


OPERATIONS: dict[str, Callable[[State, Intent, Context], Step]] = {"bump": bump}
