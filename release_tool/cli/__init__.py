"""The command line: parse, call, print, map errors to exit statuses. Nothing else prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from release_tool.cli.call import Run
from release_tool.cli.parser import parse, wants_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime


def main(argv: Sequence[str], now: Callable[[], datetime] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments, without the name of the program.
        now: the clock, in UTC; None: the machine's.

    Returns:
        The exit status (see `--help`).
    """
    verbose, command, run = 0, "", None
    try:
        arguments = parse(argv)
        command, verbose = arguments.command, arguments.verbose
        if verbose:
            from release_tool.cli.errors import log

            log(verbose)
        run = Run(arguments, now, main)
        status: int = arguments.run(run)
        if sys.stdout is not None:
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 (the one handler at the top)
        from release_tool.cli.errors import print_failure

        json = wants_json(argv) if run is None else run.arguments.output == "json" and not run.shown
        return print_failure(error, verbose, command, json=json)
    return status
