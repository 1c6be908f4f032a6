"""`release default, pin, unpin, retire, restore, quarantine, clear ENV NAME`: what people do to one version."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands.invocation import Asked, checked_reason, checked_until, is_spoken, until_day
from release_tool.errors import UsageError
from release_tool.model.records import VersionArguments

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from release_tool.config import Config
    from release_tool.model.records import Evidence, Intent, Operation
    from release_tool.remote.find_version import Known
    from release_tool.remote.snapshot import Files, Snapshot
    from release_tool.remote.source import Source
    from release_tool.remote.tool import Outcome, Request, Tool

OPERATIONS = ("default", "pin", "unpin", "retire", "restore", "quarantine", "clear")
"""The commands of this form; each is an operation of the same name (operations/by_hand.py)."""

NEEDS_REASON = frozenset({"pin", "quarantine"})
"""Their reason stands in `image_tag.yaml`, and is shown for as long as the mark stands."""

RESTORED_FOR = "7d"
"""How long `restore` pins, unless it is told (design of the rules: docs/concepts.md)."""


class ByHand(NamedTuple):
    """One such command.

    Attributes:
        operation: one of `OPERATIONS`.
        version: a name or a tag.
        asked: where and why.
        until: for pin and restore: the end of the pin as it was given.
        evidence: for a guard's quarantine: the verdicts that it was decided on (`evidence.of`).
    """

    operation: Operation
    version: str
    asked: Asked
    until: str = ""
    evidence: tuple[Evidence, ...] = ()


def check_usage(command: ByHand) -> None:
    """Raise UsageError for what the command line alone is enough to see."""
    needed_by = f"release {command.operation}" if command.operation in NEEDS_REASON else ""
    if not command.version:
        raise UsageError("the NAME is empty", hint="name a version (v5), or its tag")
    checked_reason(command.asked.reason, needed_by=needed_by)
    checked_until(command.until)


def run(tool: Tool, command: ByHand) -> Outcome:
    """Do it.

    Args:
        tool: the outside world.
        command: checked by `check_usage`.

    Raises:
        ReleaseError: see `publishing.publish.run`.
    """
    from release_tool.publishing import run as publish
    from release_tool.remote import find_version
    from release_tool.remote.tool import Request

    asked = command.asked
    intents: list[Intent] = []  # what was meant first is meant, whatever moves in between

    def prepare(snapshot: Snapshot) -> Request:
        snapshot.config.environment(asked.environment)
        if not intents:
            known = find_version.version(tool.repository, snapshot, asked.environment, command.version)
            intents.append(intent_of(command, known, tool.now()))
        return Request(asked.environment, intents[0], asked.direct, asked.dry_run, named=asked.named)

    return publish.run(tool, prepare, asked.service)


def intent_of(command: ByHand, known: Known, now: datetime) -> Intent:
    """The intent that the record keeps: a version is recorded with its tag, and planning again follows that.

    Args:
        command: what was asked for.
        known: the version that it means.
        now: the present time.
    """
    arguments = VersionArguments(known.name, known.tag, evidence=command.evidence)
    if command.operation in {"pin", "restore"}:
        given = command.until or default_until(command.operation)
        arguments = arguments._replace(until=until_day(given, now), lasts=given if is_spoken(given) else "")
    if command.operation == "quarantine":
        arguments = arguments._replace(since=now)
    return command.asked.intent(command.operation, arguments)


def intent_in_files(
    command: ByHand, source: Source, config: Config, files: Mapping[str, Files], now: datetime
) -> Intent:
    """The same where the version is looked for in the files of a working tree.

    Args:
        command: what was asked for.
        source: the working tree.
        config: the configuration, as the service sees it.
        files: the files of the service, by environment.
        now: the present time.
    """
    from release_tool.remote import find_version, names

    moved = names.archived(source, config, [command.version])
    return intent_of(command, find_version.in_files(files[command.asked.environment], command.version, moved), now)


def default_until(operation: str) -> str:
    """The end of a pin where none is given: `restore` pins for a week, `pin` for ever."""
    return RESTORED_FOR if operation == "restore" else ""
