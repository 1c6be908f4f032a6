"""`release downgrade ENV`: the default goes back, and what it leaves is quarantined; on a branch of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands.invocation import Asked, checked_reason, earlier
from release_tool.errors import UsageError
from release_tool.model.records import NAMED, PRESENT, DowngradeArguments

if TYPE_CHECKING:
    from release_tool.model.records import Arguments, Evidence, Intent
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Outcome, Request, Tool


class Downgrade(NamedTuple):
    """The arguments of a downgrade.

    Attributes:
        asked: where and why.
        leave: the version to leave, name or tag; empty: the present default. Nothing happens if it isn't the default.
        to: the version to go back to, name or tag; empty: the fallback target.
        quarantine: whether what is left is quarantined.
        evidence: for a guard: the verdicts that it was decided on (`evidence.of`); the forge merges it then.
    """

    asked: Asked
    leave: str = ""
    to: str = ""
    quarantine: bool = True
    evidence: tuple[Evidence, ...] = ()


def check_usage(command: Downgrade) -> None:
    """Raise UsageError for what the command line alone is enough to see."""
    checked_reason(command.asked.reason)
    if command.to and command.to == command.leave:
        raise UsageError("--from and --to name the same version", hint="leave one of them out")


def run(tool: Tool, command: Downgrade) -> Outcome:
    """Do a downgrade.

    Args:
        tool: the outside world.
        command: checked by `check_usage`.

    Raises:
        ReleaseError: see `publishing.publish.run`.
    """
    from release_tool.publishing import run as publish
    from release_tool.remote.tool import Request

    asked = command.asked
    intents: list[Intent] = []

    def prepare(snapshot: Snapshot) -> Request | Outcome:
        snapshot.config.environment(asked.environment)
        if not intents:
            intents.append(_intent(tool, snapshot, command))
        intent = intents[0]
        files = snapshot.files[asked.environment]
        default = files.state(empty=True).default
        if command.leave and default != _left(intent) and not _is_known(snapshot, asked, intent):
            return _nothing(snapshot, command, intent, default)
        unattended = bool(command.evidence)
        return Request(
            asked.environment,
            intent,
            asked.direct,
            asked.dry_run,
            downgrade=True,
            unattended=unattended,
            named=asked.named,
        )

    return publish.run(tool, prepare, asked.service)


def _intent(tool: Tool, snapshot: Snapshot, command: Downgrade) -> Intent:
    from release_tool.errors import Refused
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


def _left(intent: Intent) -> str:
    """The name of the version that the downgrade leaves."""
    return intent.arguments.version if isinstance(intent.arguments, DowngradeArguments) else ""


def _is_known(snapshot: Snapshot, asked: Asked, intent: Intent) -> bool:
    """Whether this very operation has landed: then it is only told."""
    from release_tool.model.history import same_operation

    return same_operation(snapshot.files[asked.environment].lines(), intent) is not None


def _nothing(snapshot: Snapshot, command: Downgrade, intent: Intent, default: str | None) -> Outcome:
    from release_tool.pull_request import messages
    from release_tool.remote.tool import Outcome

    asked = command.asked
    note = f"{_left(intent)} is not the default, {default} is: nothing to leave"
    return Outcome(
        "downgrade",
        messages.subject(intent),
        asked.environment,
        changed=False,
        service=snapshot.config.service,
        notes=(note,),
        dry_run=asked.dry_run,
    )
