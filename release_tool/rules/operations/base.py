"""What all operations work with: names, context, steps, and how a version is found. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused
from release_tool.model.records import Name, State, Tag, name_number, name_of
from release_tool.model.versions import is_name, is_tag, tag_part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.model.records import Change, Intent, Line


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
        base: the versions of the base branch: only what has landed there needs to drain.
        former: the defaults that stood in the base branch, oldest first, the present one last.
        lines: the record so far: what undo and restore look things up in.
        elsewhere: tag part -> `staging: reason` of the tags that are quarantined in another environment.
    """

    environment: str
    order: str
    default_policy: str
    names: Names = Names()
    bad: Mapping[str, str] = {}
    proposed: frozenset[Name] = frozenset()
    base: State = State()
    former: Sequence[Name] = ()
    lines: Sequence[Line] = ()
    elsewhere: Mapping[str, str] = {}


class Step(NamedTuple):
    """What one operation changes, and what there is to say about it."""

    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()


def tag_of(intent: Intent) -> Tag:
    """The tag that an intent is about.

    Raises:
        Refused: it names none; the lines of an open pull request may come from anybody.
    """
    tag = intent.arguments.get("tag")
    if not isinstance(tag, str) or not is_tag(tag):
        raise Refused(f"{tag!r} is no image tag", cause="the line was edited by hand", hint="run the operation again")
    return Tag(tag)


class Found(NamedTuple):
    """A version of a state: its name, its tag as written there, and where it is: `live`, `quarantined`, `retired`."""

    name: Name
    tag: Tag
    where: str


def find(state: State, tag: str) -> Found | None:
    """The version of a tag in a state; None where it isn't there. The tag part alone is compared."""
    part = tag_part(tag)
    for name, other in state.versions.items():
        if tag_part(other) == part:
            return Found(name, other, "quarantined" if name in state.quarantined else "live")
    for name, other in state.retired.items():
        if tag_part(other) == part:
            return Found(name, other, "retired")
    return None


def present(state: State, intent: Intent, context: Context) -> Found:
    """The version that an intent is about.

    Raises:
        Refused: it is not in the environment.
    """
    tag = tag_of(intent)
    found = find(state, tag)
    if found is None:
        name = intent.arguments.get("version", "")
        raise Refused(
            f"{tag_part(tag)} is not in {context.environment}",
            cause="it was removed, or reverted, since it was named",
            hint=f"`release restore {context.environment} {name or tag_part(tag)}` brings back what was removed",
        )
    return found


def reason_of(intent: Intent, otherwise: str) -> str:
    """The reason that somebody gave; else another text."""
    reason = intent.arguments.get("reason")
    return reason if isinstance(reason, str) and reason else otherwise
