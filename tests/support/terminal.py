"""Programs on a real terminal of a chosen size, and what they showed there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


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

    A status of -1 says that the program was ended after so many seconds.
    """
    child, screen = pty.fork()
    if child == 0:
        os.chdir(cwd)
        columns, lines = size
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.execvpe(command[0], list(command), dict(environ))
    end, shown, typed = time.monotonic() + seconds, b"", not keys
    while time.monotonic() < end:
        if select.select([screen], [], [], 0.05)[0]:
            try:
                data = os.read(screen, 65536)
            except OSError:  # the terminal is closed: the program has ended
                break
            if not data:
                break
            shown += data
        if not typed and until.encode() in shown:
            os.write(screen, keys.encode())
            typed = True
    else:
        os.kill(child, 9)
    os.close(screen)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return (-1 if status < 0 else status), shown.decode("utf-8", "replace").replace("\r\n", "\n")
