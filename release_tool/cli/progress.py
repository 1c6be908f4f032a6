"""That a command is at work, where it takes longer than a second: a line on a terminal that goes again, one in CI."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, TextIO

from release_tool.cli.screen import is_dumb, is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 1.0  # seconds
_PATIENCE_IN_CI = 5.0  # a log keeps what it gets
_TURN = 0.2  # seconds between two looks at the clock
CLEAR = "\r\x1b[K"

drawn: list[bool] = []
"""Not empty while a line stands on the terminal: `release_tool.__main__` takes it away before its last words."""


class Progress:
    """Of one command; `stop` takes the line away, and has to come before anything else is printed.

    Nothing is loaded, and no thread started, where nobody would see a line.

    Args:
        title: what is at work.
        quiet: whether there is to be none: of what asks questions, or tells by itself what it does.
    """

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        self._title = title
        self._done: tuple[int, int] | None = None
        self._over = Event()
        self._thread: Thread | None = None
        shown = is_terminal(sys.stderr) and not is_dumb()
        if quiet or not (shown or _is_ci()):
            return
        with suppress(OSError, RuntimeError):  # too few descriptors or threads: the command may do with what there is
            # A descriptor of its own: amid a rendering, 2 is a file.
            stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="backslashreplace")
            thread = Thread(target=self._at_work, args=(self._line if shown else self._once, stream), daemon=True)
            thread.start()
            self._thread = thread

    def advance(self, done: int, of: int) -> None:
        """So many environments are done, of so many."""
        self._done = (done, of)

    def stop(self) -> None:
        """Take the line away."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _at_work(self, tell: Callable[[TextIO], None], stream: TextIO) -> None:
        with suppress(OSError, ValueError), stream:  # nobody reads any more
            tell(stream)

    def _said(self) -> str:
        return self._title if self._done is None else "{}: {} of {} environments".format(self._title, *self._done)

    def _once(self, stream: TextIO) -> None:
        if not self._over.wait(_PATIENCE_IN_CI):
            stream.write(f"{self._said()}: at work\n")

    def _line(self, stream: TextIO) -> None:
        if self._over.wait(_PATIENCE):
            return
        begun = time.monotonic() - _PATIENCE
        drawn.append(True)
        while True:
            seconds = f" {time.monotonic() - begun:.0f} s"
            room = max(os.get_terminal_size(stream.fileno()).columns - len(seconds) - 1, 20)
            stream.write(f"{CLEAR}{self._said()[:room]}{seconds}")
            stream.flush()
            if self._over.wait(_TURN):
                break
        stream.write(CLEAR)
        drawn.clear()


def _is_ci() -> bool:
    try:
        sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):  # closed, or a text in memory
        return False
    return os.environ.get("CI", "") not in {"", "0", "false"}
