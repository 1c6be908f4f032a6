"""Work that ends in time."""

from __future__ import annotations

import time
from concurrent import futures
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")


class TimeIsUp(Exception):
    """Work was not done in time; it was left behind."""


def in_time(work: Callable[[], _Result], end: float) -> _Result:
    """Runs work in a thread of its own, and leaves the work behind at `end`, a time of `time.monotonic`.

    Raises:
        TimeIsUp: the work is not done by then. Errors of the work are raised as they are.
    """
    # No timeout of a socket bounds the whole: names are looked up without any, and a server that sends a byte a second
    # begins the wait anew with each.
    outcome: futures.Future[_Result] = futures.Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:  # noqa: BLE001 (it is raised again by whoever waits)
            outcome.set_exception(error)

    Thread(target=run, daemon=True).start()  # a daemon holds up no exit
    try:
        return outcome.result(max(0.0, end - time.monotonic()))
    except futures.TimeoutError:
        raise TimeIsUp from None
