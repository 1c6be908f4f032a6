"""A pass again and again until somebody asks to stop: a first SIGTERM or SIGINT ends the waiting, a second all."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def watch(one_pass: Callable[[], object], interval: float, on_stop: Callable[[], None] = lambda: None) -> int:
    """Run passes until a signal comes; the pass under way is finished first. A second signal does not wait for that.

    Args:
        one_pass: does one. It handles its own errors.
        interval: seconds from the end of a pass to the begin of the next.
        on_stop: called once, when the signal has come.

    Returns:
        0: being stopped is how it ends.
    """
    stop = threading.Event()

    def asked(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise SystemExit(128 + number)
        stop.set()

    before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        while not stop.is_set():
            one_pass()
            stop.wait(interval)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    on_stop()
    return 0
