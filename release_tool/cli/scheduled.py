"""The commands that a schedule or a push runs on many environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.cli.call import asked_of, progress_bar, shown_all
from release_tool.cli.options import Command, environments_argument

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from release_tool.cli.call import Run


def _cleanup_arguments(cleanup: ArgumentParser) -> None:
    environments_argument(cleanup)
    cleanup.add_argument("--dry-run", action="store_true", help="plan, difference, rendering; write nothing anywhere")
    cleanup.add_argument("--direct", action="store_true", help="push to the base branch, without a pull request")
    cleanup.add_argument("--reason", default="", help="why, for the record")


def _cleanup(run: Run) -> int:
    from release_tool import wiring
    from release_tool.commands import cleanup
    from release_tool.report import outcome as report

    given = run.arguments
    given.environment, given.id = "", ""
    command = cleanup.Cleanup(given.environments, asked_of(given))
    with run.tool() as tool, progress_bar("cleanup") as progress:
        outcomes = list(cleanup.run(tool, command, wiring.new_id, progress))
    everything = given.dry_run or bool(given.verbose)
    return shown_all(run, outcomes, lambda outcome: report.cleanup_text(outcome, everything=everything))


def _sync_arguments(sync: ArgumentParser) -> None:
    environments_argument(sync)
    sync.add_argument("--dry-run", action="store_true", help="plan and render; write nothing anywhere")


def _sync(run: Run) -> int:
    from release_tool.commands import sync
    from release_tool.report import outcome as report

    given = run.arguments
    with run.tool() as tool:
        outcomes = list(sync.run(tool, given.environments, service=given.service, dry_run=given.dry_run))
    return shown_all(run, outcomes, report.sync_text)


CLEANUP = Command("the sweep everywhere: for a schedule; silent without work", _cleanup_arguments, _cleanup)
SYNC = Command("make each open release branch again on the base's tip; silent without work", _sync_arguments, _sync)
