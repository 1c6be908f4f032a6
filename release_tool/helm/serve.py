"""What the process of `child.py` does: it reads requests, renders them, several at once, and writes answers."""

from __future__ import annotations

import marshal
import os
from _thread import allocate_lock, start_new_thread
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release_tool.errors import ReleaseError, ValuesRefused
from release_tool.helm.embedded import load_engine, render_here
from release_tool.helm.request import RenderRequest, ValuesFile

if TYPE_CHECKING:
    from _thread import LockType

SLICE = 1 << 20
"""Bytes that are read at once."""


def send(to: int, message: Any) -> None:
    """Write plain values to a descriptor, in the form of both directions."""
    data = marshal.dumps(message)
    left = memoryview(len(data).to_bytes(8, "big") + data)
    while left:
        left = left[os.write(to, left) :]


def serve() -> None:
    """Answer until the other side has gone; this doesn't return."""
    with suppress(OSError):  # where the machine has no memory left, this process ends, and no other
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    with suppress(ReleaseError):  # told by the rendering
        load_engine()
    to, writing = os.dup(1), allocate_lock()
    os.dup2(2, 1)  # what a library prints is a remark
    while True:
        size = _received(8)
        start_new_thread(_serve_one, (_received(int.from_bytes(size, "big")), to, writing))


def _serve_one(message: bytes, to: int, writing: LockType) -> None:
    try:
        _answer(message, to, writing)
    except BaseException:  # noqa: BLE001 -- the other side would wait for an answer until a rendering's time is over
        import traceback

        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
        os._exit(1)


def _answer(message: bytes, to: int, writing: LockType) -> None:
    number, fields = marshal.loads(message)  # noqa: S302 -- written by `_Child`
    request = RenderRequest(**fields | {"values": [ValuesFile(*one) for one in fields["values"]]})
    text, error, crash = "", None, ""
    try:
        text = render_here(request)
    except ReleaseError as found:
        values = [tuple(one) for one in found.values] if isinstance(found, ValuesRefused) else None
        error = (found.what, found.where, found.cause, found.hint, values)
    except MemoryError:
        os.write(2, b"MemoryError\n")
        os._exit(1)
    except BaseException:  # noqa: BLE001 -- a bug, for the other side to show
        import traceback

        crash = traceback.format_exc()
    with writing:
        send(to, (number, text, error, crash))


def _received(size: int) -> bytes:
    """So many bytes of standard input; at its end this process ends, whatever it renders."""
    parts = []
    while size:
        part = os.read(0, min(size, SLICE))
        if not part:
            os._exit(0)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
