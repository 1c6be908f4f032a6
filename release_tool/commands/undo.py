"""`release undo ENV [ID]`: the inverse of a landed operation, as a new operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands.arguments import (
    RESTORED_FOR,
    checked_id,
    checked_reason,
    checked_until,
    is_spoken,
    until_day,
)
from release_tool.errors import Refused
from release_tool.model.records import UndoArguments

if TYPE_CHECKING:
    from release_tool.model.records import Arguments, Intent
    from release_tool.publishing.outcome import Invocation, Outcome
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool


class Undo(NamedTuple):
    """The arguments of an undo."""

    asked: Invocation  # where and why
    operation: str = ""  # id of the operation; empty: the last landed one
    until: str = ""  # the end of the pins of versions that come back, as it was given


def check_usage(command: Undo) -> None:
    """Raise UsageError for what the command line alone is enough to see."""
    checked_reason(command.asked.reason)
    checked_id(command.operation)
    checked_until(command.until)


def run(tool: Tool, command: Undo) -> Outcome:
    """Undo an operation."""
    from release_tool.publishing.retry import run as publish

    return publish(tool, command.asked, lambda snapshot, before: before or _intent(tool, snapshot, command))


def _intent(tool: Tool, snapshot: Snapshot, command: Undo) -> Intent:
    from release_tool.commands.repeated import earlier
    from release_tool.pull_request import messages
    from release_tool.rules.operations.undo import last_landed

    asked = command.asked
    files = snapshot.files[asked.environment]
    lines = files.lines()
    if command.operation:
        line = next((one for one in lines if one.id == command.operation), None)
        if line is None:
            raise Refused(
                f"operation {command.operation} is not in the record of {asked.environment}",
                cause="only what has landed can be undone; lines that were moved to an archive are too old for it",
                hint=f"`{files.place.command('history')}` lists the ids; close a pull request to drop what waits",
                page="reference/commands/undo.md",
            )
    else:
        before = earlier(tool, snapshot, asked, _is_of_the_last)
        if before is not None:
            return before
        line = last_landed(lines, files.place)
    given = command.until or RESTORED_FOR
    arguments = UndoArguments(
        undone=line.id,
        what=messages.subject(line.intent),
        last=not command.operation,
        until=until_day(given, tool.now()),
        lasts=given if is_spoken(given) else "",
        since=tool.now(),
    )
    return asked.intent("undo", arguments)


def _is_of_the_last(said: Arguments) -> bool:
    return isinstance(said, UndoArguments) and said.last
