"""What `release history` prints: text for people, JSON for machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from release_tool.model.history import format_line
from release_tool.model.states import BY_HAND
from release_tool.model.times import clock
from release_tool.pull_request import messages
from release_tool.report.pulls import short_data
from release_tool.report.terminal import heading, short_tag, table
from release_tool.rules.promotion import FORCED, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.commands.history import Entry
    from release_tool.model.records import Change


def history_data(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """`release history --output json`: the lines in the record's own form, and where they stand; newest first."""
    return [_entry_data(entry) for entry in reversed(entries)]


def _entry_data(entry: Entry) -> dict[str, Any]:
    place: dict[str, Any] = {"environment": entry.place.environment}
    if entry.place.service:
        place["service"] = entry.place.service
    if entry.branch:
        place["pending"] = {"branch": entry.branch, "pull_request": short_data(entry.pull_request)}
    # A key of the record that this release doesn't know never hides where the line stands.
    return {**place, **_line_data(format_line(entry.line)), **place}


def _line_data(text: str) -> dict[str, Any]:
    """A line of the record; half a surrogate pair, which the record escapes and no output can hold, is replaced."""
    data: dict[str, Any] = json.loads(text)
    if "\\ud" not in text:
        return data
    cleaned: dict[str, Any] = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    return cleaned


def history_text(entries: Sequence[Entry], width: int | None) -> str:
    """The lines for a person, newest first: when and where, what, by whom, and each change with its reason.

    Args:
        entries: oldest first.
        width: characters of a line; None: a line is as long as it is.
    """
    return "\n\n".join("\n".join(_block(entry, width)) for entry in reversed(entries))


def _block(entry: Entry, width: int | None) -> list[str]:
    line = entry.line
    by = f"  by {line.intent.by}" if line.intent.by else ""
    head = f"{clock(line.at)}  {entry.place.title}  {messages.subject(line.intent)}{by}"
    return [
        *heading(head, width),
        *table([*_pending(entry), *_asked(entry)], width),
        *table(list(_changes(entry, width)), width),
    ]


def _pending(entry: Entry) -> Iterator[tuple[str, str]]:
    if entry.branch:
        pull = entry.pull_request
        shown = "no pull request" if pull is None else f"pull request {pull.name}"
        yield "pending", f"{entry.branch}, {shown}"


def _asked(entry: Entry) -> Iterator[tuple[str, str]]:
    """What was asked, with which run, and why."""
    intent = entry.line.intent
    given = {"id": intent.id, "run": intent.run, "reason": intent.arguments.reason, **intent.provenance}
    for label, text in given.items():
        if text:
            yield label, text
    if entry.line.no_effect:
        yield "no effect", entry.line.no_effect
    for gate in intent.gates:
        if gate.verdict in {FORCED, REFUSED}:
            yield "gate", f"{gate.name} {gate.verdict}: {gate.reason}"


def _changes(entry: Entry, width: int | None) -> Iterator[tuple[str, ...]]:
    """Whose change it is, what it does to which version, and why."""
    for change in entry.line.adopted:
        yield "by hand", *_change(change._replace(reason=change.reason.removeprefix(BY_HAND)), width)
    for change in entry.line.changes:
        yield ("sweep" if change.sweep else ""), *_change(change, width)


def _change(change: Change, width: int | None) -> tuple[str, ...]:
    why = change.reason
    if change.action == "set-default" and change.before is not None:
        why = f"{why} (was {change.before})"
    if change.until is not None:
        why = f"until {change.until.isoformat()}: {why}"
    return change.action, change.version, short_tag(change.tag, width), why
