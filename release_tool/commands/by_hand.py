"""`release default, pin, unpin, retire, restore, quarantine, clear ENV NAME`: what people do to one version."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands.arguments import RESTORED_FOR, checked_reason, checked_until, is_spoken, until_day
from release_tool.errors import UsageError
from release_tool.model.records import VersionArguments

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from release_tool.config import Config
    from release_tool.model.records import Evidence, Intent, Operation, State
    from release_tool.publishing.outcome import Invocation, Outcome
    from release_tool.remote.find_version import Known
    from release_tool.remote.snapshot import Files, Snapshot, Source
    from release_tool.remote.tool import Tool

OPERATIONS = ("default", "pin", "unpin", "retire", "restore", "quarantine", "clear")
"""The commands of this form; each is an operation of the same name (operations/by_hand.py)."""

NEEDS_REASON = frozenset({"pin", "quarantine"})
"""Their reason stands in `image_tag.yaml`, and is shown for as long as the mark stands."""


class ByHand(NamedTuple):
    """One such command."""

    operation: Operation  # one of `OPERATIONS`
    version: str  # a name or a tag
    asked: Invocation  # where and why
    until: str = ""  # for pin and restore: the end of the pin as it was given
    # for a guard's quarantine: the verdicts that it was decided on (`evidence_of`)
    evidence: tuple[Evidence, ...] = ()


def check_usage(command: ByHand) -> None:
    """Raise UsageError for what the command line alone is enough to see."""
    needed_by = f"release {command.operation}" if command.operation in NEEDS_REASON else ""
    if not command.version:
        raise UsageError("the NAME is empty", hint="name a version (v5), or its tag")
    checked_reason(command.asked.reason, needed_by=needed_by)
    checked_until(command.until)


def run(tool: Tool, command: ByHand) -> Outcome:
    """Do what `check_usage` has checked; errors as for `publishing.retry.run`."""
    from release_tool.publishing.retry import run as publish
    from release_tool.remote import find_version

    def meant(snapshot: Snapshot, before: Intent | None) -> Intent:
        if before is not None:
            return before
        known = find_version.version(tool.repository, snapshot, command.asked.environment, command.version)
        base = snapshot.files[command.asked.environment].state(empty=True)
        return intent_of(command, known, tool.now(), base)

    return publish(tool, command.asked, meant)


def intent_of(command: ByHand, known: Known, now: datetime, base: State | None = None) -> Intent:
    """The intent that the record keeps: a version is recorded with its tag, and planning again follows that.

    `base`: what the base branch deploys; None: a working tree doesn't tell.
    """
    arguments = VersionArguments(known.name, known.tag, evidence=command.evidence)
    if command.operation in {"pin", "restore"}:
        given = command.until or (RESTORED_FOR if command.operation == "restore" else "")
        arguments = arguments._replace(until=until_day(given, now), lasts=given if is_spoken(given) else "")
    if command.operation == "restore":
        arguments = arguments._replace(deployed=base is not None and known.name in base.retired)
    if command.operation == "quarantine":
        arguments = arguments._replace(since=now)
    return command.asked.intent(command.operation, arguments)


def intent_in_files(
    command: ByHand, source: Source, config: Config, files: Mapping[str, Files], now: datetime
) -> Intent:
    """The same where the version is looked for in the files of a working tree."""
    from release_tool.remote import find_version, names

    moved = names.archived(source, config.places(), [command.version])
    return intent_of(command, find_version.in_files(files[command.asked.environment], command.version, moved), now)
