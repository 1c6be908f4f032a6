"""The command line: parse, call, print, map errors to exit statuses. Nothing else prints."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from release_tool.cli.call import Run
from release_tool.cli.parser import parse, wants_json
from release_tool.cli.screen import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime


_FILES = 32
"""Descriptors that a command needs beside those it was given: pipes of several gits, sockets, the engine's."""


def main(argv: Sequence[str], now: Callable[[], datetime] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments, without the name of the program.
        now: the clock, in UTC; None: the machine's.

    Returns:
        The exit status (see `--help`).
    """
    verbose, command, run = 0, "", None
    status: int | None = None
    choose("auto")  # what another call in this process wanted is over, also where these arguments are wrong
    try:
        arguments = parse(argv)
        command, verbose = arguments.command, arguments.verbose
        _look_at_limit_of_files()
        if verbose:
            from release_tool.cli.errors import log

            log(verbose)
        run = Run(arguments, now, main)
        status = arguments.run(run)
        run.progress.stop()
        if sys.stdout is not None:
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 (the one handler at the top)
        if run is not None:
            run.progress.stop()
        from release_tool.cli.errors import print_failure

        json = wants_json(argv) if run is None else run.arguments.output == "json" and not run.shown
        return print_failure(error, verbose, command, json=json, status=status)
    assert status is not None  # of a command that ended
    return status


def _look_at_limit_of_files() -> None:
    """Too few descriptors are an OSError at once: later, Go ends the process, and what is temporary stays."""
    import errno
    import resource

    used = len(os.listdir("/dev/fd")) if os.access("/dev/fd", os.R_OK) else 3  # noqa: PTH208
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit != resource.RLIM_INFINITY and limit < used + _FILES:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
