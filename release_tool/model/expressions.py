"""Regular expressions that people write, applied within bounds: one can take longer than anybody waits.

Python's `re` looks for signals while it matches, so a timer stops it; the timer counts the processor's time of this
process. Beside the main thread no signal arrives: an expression has no bound there.
"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, TypeVar

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")

_SECONDS = 2.0
"""So long an expression may take in the life of a process, whatever it is applied to."""

_left: dict[str, float] = {}


class TooSlow(ReleaseError):
    """An expression takes too long."""


def compiled(expression: str) -> re.Pattern[str]:
    """An expression, compiled; raises TooSlow, and what `re.compile` raises."""
    return _bounded(expression, lambda: re.compile(expression))


def fullmatch(expression: str | re.Pattern[str], text: str, key: str) -> re.Match[str] | None:
    """What a whole text gives; raises TooSlow, which names the key of the configuration."""
    written = expression if isinstance(expression, str) else expression.pattern
    return _bounded(written, lambda: re.fullmatch(expression, text), f"{key} in the configuration")


def _bounded(expression: str, run: Callable[[], T], where: str = "") -> T:
    def stop(_number: int, _frame: object) -> None:
        shown = expression if len(expression) <= 60 else f"{expression[:59]}…"
        raise TooSlow(
            f"the regular expression {shown!r} takes more than {_SECONDS:g} s",
            where=where,
            cause="repetitions inside of repetitions, as in `(a+)+`, are tried in more ways than anybody can wait for",
            hint="write it so that each letter can be taken by one part of it alone, for example `v[0-9.]+`",
        )

    try:
        before = signal.signal(signal.SIGVTALRM, stop)
    except ValueError:  # not the main thread
        return run()
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, max(_left.get(expression, _SECONDS), 0.001))
        return run()
    finally:
        _left[expression] = signal.setitimer(signal.ITIMER_VIRTUAL, 0)[0]
        signal.signal(signal.SIGVTALRM, before)
