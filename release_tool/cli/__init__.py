"""The command line: parse, call, print, map errors to exit statuses. Nothing else prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from release_tool.cli import change, guard, scheduled, setup
from release_tool.cli import read as looking
from release_tool.cli.call import Run
from release_tool.cli.errors import told
from release_tool.cli.parser import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

COMMANDS = {
    "bump": change.BUMP,
    "promote": change.PROMOTE,
    "default": change.DEFAULT,
    "downgrade": change.DOWNGRADE,
    "guard": guard.GUARD,
    "cleanup": scheduled.CLEANUP,
    "pin": change.PIN,
    "unpin": change.UNPIN,
    "retire": change.RETIRE,
    "restore": change.RESTORE,
    "quarantine": change.QUARANTINE,
    "clear": change.CLEAR,
    "undo": change.UNDO,
    "sync": scheduled.SYNC,
    "status": looking.STATUS,
    "history": looking.HISTORY,
    "render": looking.RENDER,
    "diff": looking.DIFF,
    "check": looking.CHECK,
    "pulls": setup.PULLS,
    "doctor": setup.DOCTOR,
    "demo": setup.DEMO,
}
"""All of them, in the order of `release --help`."""


def main(argv: Sequence[str], now: Callable[[], datetime] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments, without the name of the program.
        now: the clock, in UTC; None: the machine's.

    Returns:
        The exit status (see `--help`).
    """
    verbose, command = 0, ""
    try:
        arguments = parse(argv, COMMANDS)
        command = arguments.command
        verbose = arguments.verbose
        if verbose:
            _log(verbose)
        status = COMMANDS[command].run(Run(arguments, now or _clock(), main))
        if sys.stdout is not None:
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 (the one handler at the top)
        return told(error, verbose, command)
    return status


def _clock() -> Callable[[], datetime]:
    from release_tool import wiring

    return wiring.utc_now


def _log(verbose: int) -> None:
    import logging

    logger = logging.getLogger("release_tool")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("release: %(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
