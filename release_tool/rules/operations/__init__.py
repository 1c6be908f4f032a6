"""What each operation changes by itself, without the sweep: `(state, arguments, context) -> Step`.

`MODULES` names every operation that this release can plan, and its module, which is imported when it is used: a bump
doesn't load what undo needs. There the function of the operation's name makes its step.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Literal, NamedTuple

from release_tool.errors import AgainstRules, Refused, ReleaseError
from release_tool.model.printed_command import command
from release_tool.model.records import Change, Name, State, Tag, UnreadArguments, name_number, name_of
from release_tool.model.states import apply
from release_tool.model.times import duration_text
from release_tool.model.versions import is_name, tag_part
from release_tool.rules.retention import implied

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from release_tool.model.records import Intent, Line, Operation, VersionArguments

MODULES: dict[Operation, str] = {
    "bump": "bump",
    "promote": "promote",
    "default": "by_hand",
    "downgrade": "downgrade",
    "retire": "by_hand",
    "restore": "by_hand",
    "pin": "by_hand",
    "unpin": "by_hand",
    "quarantine": "by_hand",
    "clear": "by_hand",
    "undo": "undo",
    "cleanup": "",
}
"""Operation -> module of this package; a cleanup has none: it is the sweep alone, which ends every operation."""


class Names(NamedTuple):
    """Which name belongs to which tag, over all environments of a service, for ever."""

    landed: Mapping[str, Name] = {}  # tag part -> name, of all versions that the base branch ever held
    pending: Mapping[str, Name] = {}  # the same of the pending lines of all release branches
    # names that the base branch held for a tag that has another name by now (a list that people cut moved its names
    # along): never given again
    taken: frozenset[Name] = frozenset()
    # names that pending lines gave to a tag which the lines at hand name otherwise: not given meanwhile
    proposed: frozenset[Name] = frozenset()

    def name_for(self, tag: str) -> Name:
        """The name of a tag: the one that it is known by, else 1 + the highest number known.

        Raises Refused where the numbers are used up.
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
            raise AgainstRules(
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


class Context(NamedTuple):
    """What an operation may ask beside the state."""

    environment: str  # for messages
    order: str  # the configured order of versions
    default_policy: str  # `newest`, `manual` or `promoted`
    names: Names = Names()  # the names known so far
    # tag part -> its quarantine, of the tags that are quarantined by the record and by what is planned before
    bad: Mapping[str, Change] = {}
    proposed: frozenset[Name] = frozenset()  # names that stand in the open pull request only
    base: State = State()  # the versions of the base branch: only what has landed there needs to drain
    former: Sequence[Name] = ()  # the defaults that stood in the base branch, oldest first, the present one last
    lines: Sequence[Line] = ()  # the record so far: what undo and restore look things up in
    archived: Sequence[Line] = ()  # archived lines of this environment, of the tags that a restore asks for
    # how long a version that comes back is deployed before it is routed; None: the chart deploys no retired versions
    warm_up: timedelta | None = None
    # the versions that came back without a route, landed or planned: name -> their `deploy`
    restoring: Mapping[Name, Change] = {}
    unrouted: Collection[Name] = ()  # those that the base deploys
    planned: Sequence[Change] = ()  # what is planned before
    # tag part -> environment and reason, of the tags that are quarantined in another one
    elsewhere: Mapping[str, tuple[str, str]] = {}
    service: str = ""  # for the commands in messages; empty: the repository has one, without a name

    def command(self, verb: str, *words: str, environment: str = "") -> str:
        """A next step for a message, about this environment or another one: `release clear devel v2`."""
        return command(verb, environment or self.environment, *words, service=self.service)

    def is_warm(self, name: Name, *, asked_again: bool = False) -> bool:
        """Whether the base deploys a version, and has routed it; `asked_again`: or a person has seen it deployed."""
        deployed = name in self.base.versions or name in self.base.retired
        return deployed and (asked_again or name not in self.unrouted)

    def routed_when(self, name: Name) -> str:
        """By which commands a version that came back gets its route, and when."""
        first, waits = self.command("cleanup"), duration_text(self.warm_up or timedelta(0))
        return (
            f"once it has landed, the first `{first}` after {waits} routes it, or `{self.command('restore', name)}`"
            " at once"
        )


class Step(NamedTuple):
    """What one operation changes, and what there is to say about it."""

    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()


def plan_step(state: State, intent: Intent, context: Context) -> Step:
    """What an intent changes on a state.

    Raises Refused where the rules refuse it on this state, and ReleaseError for an operation of a newer release.
    """
    module = MODULES.get(intent.operation)
    if module is None:
        raise ReleaseError(
            f"operation {intent.operation} ({intent.id}) is unknown to this release of the tool",
            cause="a newer release wrote it into the open pull request",
            hint="run that newer release here too, or merge or close that pull request first",
        )
    if isinstance(intent.arguments, UnreadArguments):  # the lines of an open pull request may come from anybody
        raise Refused(intent.arguments.why, cause="the line was edited by hand", hint="run the operation again")
    if not module:
        return Step()
    operation: Callable[..., Step] = getattr(import_module(f"release_tool.rules.operations.{module}"), intent.operation)
    step = operation(state, intent.arguments, context)
    # An implied default is the lowest name: it is written down where the changes would move it without saying so.
    default = state.default
    moved = any(change.action == "set-default" for change in step.changes)
    if default is None or moved or apply(state, step.changes).default == default:
        return step
    return Step((*step.changes, implied(default, state)), step.notes)


class Located(NamedTuple):
    """A version of a state: its name, its tag as written there, and where it is."""

    name: Name
    tag: Tag
    where: Literal["live", "quarantined", "retired", "removed"]


def find(state: State, tag: str) -> Located | None:
    """The version of a tag in a state; None where it isn't there. The tag part alone is compared."""
    part = tag_part(tag)
    for name, other in state.versions.items():
        if tag_part(other) == part:
            return Located(name, other, "quarantined" if name in state.quarantined else "live")
    for name, other in state.retired.items():
        if tag_part(other) == part:
            return Located(name, other, "retired")
    return None


def present(state: State, arguments: VersionArguments, context: Context) -> Located:
    """The version that is meant; raises Refused where the environment doesn't have it."""
    found = find(state, arguments.tag)
    if found is None:
        raise Refused(
            f"{tag_part(arguments.tag)} is not in {context.environment}",
            cause="it was removed, or reverted, since it was named",
            hint=f"`{context.command('restore', arguments.version or tag_part(arguments.tag))}` brings back what was"
            " removed",
        )
    return found
