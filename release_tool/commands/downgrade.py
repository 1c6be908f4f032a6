"""`release downgrade ENV`: the default goes back, and what it leaves is quarantined; on a branch of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands.arguments import checked_reason
from release_tool.errors import Refused, UsageError
from release_tool.model.history import same_operation
from release_tool.model.records import NAMED, PRESENT, DowngradeArguments

if TYPE_CHECKING:
    from release_tool.model.records import Arguments, Evidence, Intent
    from release_tool.publishing.outcome import Invocation, Outcome
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool


class Downgrade(NamedTuple):
    """The arguments of a downgrade."""

    asked: Invocation  # where and why
    # the version to leave, name or tag; empty: the present default. Nothing happens if it isn't the default
    leave: str = ""
    to: str = ""  # the version to go back to, name or tag; empty: the fallback target
    quarantine: bool = True  # whether what is left is quarantined
    # for a guard: the verdicts that it was decided on (`evidence_of`); the forge merges it then
    evidence: tuple[Evidence, ...] = ()


def check_usage(command: Downgrade) -> None:
    """Raise UsageError for what the command line alone is enough to see."""
    checked_reason(command.asked.reason)
    if command.to and command.to == command.leave:
        raise UsageError("--from and --to name the same version", hint="leave one of them out")


def run(tool: Tool, command: Downgrade) -> Outcome:
    """Do a downgrade that `check_usage` has checked; errors as for `publishing.retry.run`."""
    from release_tool.publishing.outcome import Outcome
    from release_tool.publishing.retry import run as publish

    asked = command.asked._replace(downgrade=True, unattended=bool(command.evidence))

    def meant(snapshot: Snapshot, before: Intent | None) -> Intent | Outcome:
        intent = before or _intent(tool, snapshot, command)
        files = snapshot.files[asked.environment]
        default = files.state(empty=True).default
        left = intent.arguments.version if isinstance(intent.arguments, DowngradeArguments) else ""
        if not command.leave or default == left or same_operation(files.lines(), intent):
            return intent  # what has landed is only told
        note = f"{left} is not the default, {default} is: nothing to leave"
        return Outcome(asked._replace(service=snapshot.config.service), intent, said=(note,))

    return publish(tool, asked, meant)


def _intent(tool: Tool, snapshot: Snapshot, command: Downgrade) -> Intent:
    from release_tool.commands.repeated import earlier
    from release_tool.remote import find_version

    asked = command.asked
    state = snapshot.files[asked.environment].state(empty=True)
    to, to_tag = "", ""
    if command.to:
        to, to_tag = find_version.version(tool.repository, snapshot, asked.environment, command.to)
    of = NAMED if command.leave else PRESENT

    def is_same(said: Arguments) -> bool:
        wanted = (of, command.quarantine, to_tag)
        return isinstance(said, DowngradeArguments) and (said.of, said.quarantine, said.to_tag) == wanted

    before = earlier(tool, snapshot, asked, is_same) if not command.leave else None
    if before is not None:
        return before
    if command.leave:
        leaving = find_version.version(tool.repository, snapshot, asked.environment, command.leave)
    elif state.default is not None:
        leaving = find_version.Known(state.default, state.versions[state.default])
    else:
        raise Refused(f"{asked.environment} has no version", hint="a bump or a promotion brings the first one")
    arguments = DowngradeArguments(
        version=leaving.name,
        tag=leaving.tag,
        of=of,
        quarantine=command.quarantine,
        to=to,
        to_tag=to_tag,
        since=tool.now(),
        evidence=command.evidence,
    )
    return asked.intent("downgrade", arguments)
