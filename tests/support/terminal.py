"""Programs on a real terminal of a chosen size, and what they showed there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

COLOUR = re.compile(r"\x1b\[[0-9;]*m")

# Makes the terminal that it has as standard input its own, then becomes the program. `pty.fork` would do both, but not
# in a process with threads.
BECOME = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


def on_terminal(
    command: Sequence[str],
    cwd: Path,
    environ: Mapping[str, str],
    *,
    size: tuple[int, int] = (100, 30),
    keys: str = "",
    until: str = "",
    seconds: float = 60,
) -> tuple[int, str]:
    """Exit status and output of a program; `keys` are typed once `until` was seen, and the end comes when it ends.

    A status below 0 is that of a signal: after so many seconds the program is killed.
    """
    screen, terminal = pty.openpty()
    columns, lines = size
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    program = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", BECOME, *command],
        cwd=cwd, env=environ, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    end, shown, typed = time.monotonic() + seconds, b"", not keys
    while True:
        if time.monotonic() > end:
            program.kill()
        if select.select([screen], [], [], 0.05)[0]:
            try:
                data = os.read(screen, 65536)
            except OSError:  # every other end of the terminal is closed: the program has ended
                break
            shown += data
        if not typed and until.encode() in shown:
            os.write(screen, keys.encode())
            typed = True
    os.close(screen)
    return program.wait(), shown.decode("utf-8", "replace").replace("\r\n", "\n")
