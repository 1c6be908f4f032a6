"""What is kept from the outside, and what comes from there: secrets, words, addresses, and work that may never end."""

from __future__ import annotations

import re
import time
from concurrent import futures
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")


class Secret:
    """A text that can't be printed by accident: `str`, `repr` and formats of it show dots.

    Args:
        value: the secret; white space around it (a line end at the end of a file) does not belong to it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value.strip()

    def reveal(self) -> str:
        """The secret itself, for the one place that sends it."""
        return self._value

    @property
    def can_be_sent(self) -> bool:
        """Whether it may stand in a header: visible ASCII; more than the `b64token` of RFC 6750, but no line end."""
        return re.fullmatch(r"[!-~]+", self._value) is not None

    def __bool__(self) -> bool:
        return bool(self._value)

    def __str__(self) -> str:
        return "…"

    def __repr__(self) -> str:
        return "Secret(…)"


def retry_after(header: str) -> float | None:
    """Seconds to wait by a `Retry-After` (RFC 9110, section 10.2.3: seconds, or a date); None: it says nothing."""
    if re.fullmatch(r"[0-9]{1,9}", header.strip()):
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
    return max(0.0, (at - datetime.now(timezone.utc)).total_seconds())


class TimeIsUp(Exception):
    """Work was not done in time; it was left behind."""


def in_time(work: Callable[[], _Result], end: float) -> _Result:
    """Runs work in a thread of its own, and leaves it behind when its time is over.

    No timeout of a socket bounds the whole: names are looked up without any, and a server that sends a byte a second
    begins the wait anew with each. The thread is a daemon, so it holds up no exit.

    Args:
        work: what to do; its errors are raised here.
        end: when its time is over, by `time.monotonic`.

    Raises:
        TimeIsUp: it is not done when the time is over.
    """
    outcome: futures.Future[_Result] = futures.Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:  # noqa: BLE001 (it is raised again by whoever waits)
            outcome.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return outcome.result(max(0.0, end - time.monotonic()))
    except futures.TimeoutError:
        raise TimeIsUp from None
