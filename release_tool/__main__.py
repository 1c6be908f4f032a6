"""Entry point of `release` and `python -m release_tool`."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys

from release_tool.cli import main


def run() -> None:
    """Run the command line and leave with its status."""
    # A cancelled CI job sends SIGTERM: leave as after Ctrl-C, so that git is stopped and the private store goes.
    signal.signal(signal.SIGTERM, _terminated)
    # A command makes few cycles and ends soon: looking for them costs more than they do.
    gc.set_threshold(100_000)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that can't show a letter stops nothing
    status = main(sys.argv[1:])
    # Everything is closed and written: taking the interpreter and the Helm engine down module by module would only
    # cost milliseconds.
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by the caller: `>&-`
            stream.flush()
    os._exit(status)


def _terminated(number: int, _: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    run()
