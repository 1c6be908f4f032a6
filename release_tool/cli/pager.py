"""A pager for long texts, in git's way: `GIT_PAGER`, else `PAGER`, else less, on a terminal alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from release_tool.cli.screen import is_dumb, is_terminal

NOT_RUN = {126, 127}
"""What a shell says of a program that can't be run, or isn't there."""


def fits(text: str) -> bool:
    """Whether a text needs no pager: it is shorter than the terminal, or nobody could turn pages."""
    import shutil

    if not is_terminal(sys.stdout) or is_dumb():
        return True
    from release_tool.report.terminal import columns

    size = shutil.get_terminal_size()
    rows = sum(1 + max(0, columns(line) - 1) // max(size.columns, 1) for line in text.split("\n"))
    return rows < size.lines


def chosen() -> str:
    """The pager as a shell takes it; empty where none is wanted."""
    given = (os.environ.get(name) for name in ("GIT_PAGER", "PAGER"))
    command = next((one.strip() for one in given if one is not None), "less")
    return "" if command == "cat" else command


def show(text: str, command: str) -> int:
    """Show a text in a pager; its exit status, of which NOT_RUN mean that nobody saw the text.

    However early a person leaves the pager, the command has done its work: its own exit status counts.
    """
    environ = {"LESS": "FRX", "LV": "-c", **os.environ}
    sys.stdout.flush()
    # Ctrl-C is for the pager, which goes back to its prompt.
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        # A shell, for people write `less -S` or `bat | less` there, as for git.
        process = subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE, env=environ)
        try:
            process.communicate((text + "\n").encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
        finally:
            if process.poll() is None:
                process.terminate()
    finally:
        signal.signal(signal.SIGINT, before)
    return process.returncode
