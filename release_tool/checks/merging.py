"""What each side of a merge alone allowed: operations against what the base became meanwhile.

An operation is planned on the base as it was. Most changes of the base since then conflict with it as text in the
record; what people wrote by hand takes no such lock. So every new line is compared with the base as it stands.
What the branch itself has undone before (an unpin, a clear, another default) stands no more in the merged file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.checks.findings import Finding, OfVersion
from release_tool.checks.record import new_entries
from release_tool.model.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.checks.environment import Held
    from release_tool.model.records import Change, Line, Name, State

_BRINGS = frozenset({"add", "restore", "set-default"})


def overtaken(before: Held, after: Held, bad: Mapping[str, tuple[str, str]]) -> Iterator[OfVersion]:
    """The new operations that the base, as it stands, would refuse; each version once.

    Args:
        bad: tag part -> environment and reason, of what the base has quarantined anywhere in the service.
    """
    bad = dict(bad)
    told: set[Name] = set()
    environment = after.place.environment
    for entry in new_entries(before.record, after.record):
        line = entry.line
        if line is None:
            continue
        for change in line.changes:
            why = _refused(change, line, before.state, after, bad)
            if why and change.version not in told:
                told.add(change.version)
                what = f"the operation {entry.id} ({line.intent.operation}) {why}"
                hint = f"`{after.place.command('sync')}` plans it again on the base, or close its pull request"
                yield OfVersion(change.version, Finding(entry.where, what, hint))
            part = tag_part(change.tag)
            if change.action == "clear" and part in bad and bad[part][0] == environment:
                del bad[part]


def _refused(  # noqa: PLR0911 (a rule a line)
    change: Change, line: Line, base: State, after: Held, bad: Mapping[str, tuple[str, str]]
) -> str:
    """Why the rules refuse a change, as a half sentence; empty if they don't."""
    name, action = change.version, change.action
    named = f"{name} ({tag_part(change.tag)})"
    if action in {"retire", "remove"} and name in base.pinned and after.has("pinned", name):
        return f"{action}s {named}, which the base pins: {base.pinned[name].reason or 'without a reason'}"
    if action in {"retire", "remove", "quarantine"} and name == base.default and _keeps_default(base, after):
        return f"{action}s {named}, which is the default of the base"
    if action == "remove" and name in base.versions:
        return f"removes {named}, which is not retired in the base"
    if action == "set-default" and name in base.quarantined and after.has("quarantined", name):
        return f"makes {named} the default, which the base quarantines: {base.quarantined[name].reason}"
    if action == "set-default" and name in base.retired and after.has("retired", name):
        return f"makes {named} the default, which is retired in the base"
    if line.intent.operation == "promote" and action in _BRINGS and tag_part(change.tag) in bad:
        where, why = bad[tag_part(change.tag)]
        return f"brings {named}, which is quarantined in {where}: {why}"
    return ""


def _keeps_default(base: State, after: Held) -> bool:
    """Whether the merged file names the default of the base, or no default as the base does."""
    return after.named_default == base.written_default
