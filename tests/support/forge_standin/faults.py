"""What can be ordered to go wrong with a request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fault:
    """What happens to a request."""

    name: str
    status: int | None = None  # is answered, without an effect; None: what the request itself leads to
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False  # the request has its effect before things go wrong
    lost: bool = False  # the connection is reset instead of an answer
    seconds: float = 0.0  # how long it takes first
    broken: str = ""  # or `json` (half of the text, as if it were whole) or `body` (half of it, then the end)


def reset_before() -> Fault:
    """The connection is reset; the request has had no effect."""
    return Fault("reset before the effect", lost=True)


def reset_after() -> Fault:
    """The connection is reset; the request has had its effect."""
    return Fault("reset after the effect", lost=True, after=True)


def truncated_json() -> Fault:
    """Half of the JSON text, with a length that fits; the request has had its effect."""
    return Fault("truncated JSON", broken="json", after=True)


def cut_off() -> Fault:
    """The connection ends amid the answer; the request has had its effect."""
    return Fault("cut off", broken="body", after=True)


def hang(seconds: float = 30.0, *, after: bool = False) -> Fault:
    """No answer at all for so long (or until the stand-in stops), then the connection ends."""
    return Fault("hang", lost=True, after=after, seconds=seconds)


def delay(seconds: float) -> Fault:
    """The right answer, late."""
    return Fault("delay", seconds=seconds, after=True)


@dataclass
class Ordered:
    """A fault for the n-th to (n + times - 1)-th of the requests that match."""

    method: str
    pattern: re.Pattern[str]
    fault: Fault
    nth: int
    times: float
    seen: int = 0
    fired: int = 0

    def matches(self, method: str, target: str) -> bool:
        return self.method in ("*", method) and self.pattern.search(target) is not None

    def draw(self) -> Fault | None:
        """Counts a matching request and says what happens to it."""
        self.seen += 1
        if self.nth <= self.seen < self.nth + self.times:
            self.fired += 1
            return self.fault
        return None
