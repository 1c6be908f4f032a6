"""The rule of point checks: how several attempts within one pass make a verdict.

A check that looks at one moment (gRPC, HTTP, command, Kubernetes) would call a version bad for one lost packet. So it
must fail `failures` times in a row, `interval` apart, to be unhealthy. The first attempt that is good is enough to be
healthy; one that is good only after a bad one leaves it unknown. An attempt that can't tell (the source is away, a
credential is missing) makes it unknown at once. So does silence, where the pass had less time left than `timeout`.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.model.health import Verdict
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from release_tool.config import Health
    from release_tool.health.source import Subject

GOOD, BAD, CANNOT_TELL = "good", "bad", "can't tell"


class Attempt(NamedTuple):
    """What one attempt gave: `good`, `bad`, or `can't tell`, why, and whether it is bad for want of any answer."""

    result: str
    reason: str
    silent: bool = False


class Clock(NamedTuple):
    """The time, handed in: seconds that never go back, and a wait of some seconds."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Sampling(NamedTuple):
    """How a check, by its name, is sampled: how often, how far apart, and how long one attempt may take."""

    check: str
    health: Health
    clock: Clock = Clock()

    def verdict(self, attempt: Callable[[float], Attempt], now: datetime, end: float) -> Verdict:
        """Several attempts as one verdict.

        Args:
            attempt: makes one; gets when its time is over, by `clock.monotonic`.
            now: the time of the pass (UTC).
            end: when all must be over, by `clock.monotonic`.
        """
        interval, wanted, failed, last = self.health.interval.total_seconds(), self.health.failures, 0, ""
        while failed < wanted:
            if failed:
                if self.clock.monotonic() + interval >= end:
                    what = f"only {failed} of {wanted} attempts fitted in time: {last}"
                    return self._said(UNKNOWN, what, failed, now)._replace(unsettled=True)
                self.clock.sleep(interval)
            found = self._tried(attempt, end)
            if found.result != BAD and failed:
                what = f"unsettled: {failed} of {failed + 1} attempts failed: {last}"
                what = what if found.result == GOOD else f"{found.reason}; before that {failed} failed: {last}"
                return self._said(UNKNOWN, what, failed + 1, now)._replace(unsettled=True)
            if found.result != BAD:
                return self._said(HEALTHY if found.result == GOOD else UNKNOWN, found.reason, 1, now)
            failed, last = failed + 1, found.reason
        return self._said(UNHEALTHY, f"{failed} of {failed} attempts failed: {last}", failed, now)

    def _tried(self, attempt: Callable[[float], Attempt], end: float) -> Attempt:
        """One attempt. Who is not given the whole `timeout` to answer has not failed to."""
        whole = self.clock.monotonic() + self.health.timeout.total_seconds()
        found = attempt(min(end, whole))
        if found.silent and end < whole:
            return Attempt(CANNOT_TELL, f"the time of this pass was over: {found.reason}")
        return found

    def _said(self, health: str, reason: str, attempts: int, now: datetime) -> Verdict:
        return Verdict(self.check, health, reason, samples=float(attempts), at=now)


class PointSource(ABC):
    """A `Source` that looks at one moment of a version, again and again."""

    def __init__(self, name: str, check: Any, health: Health, clock: Clock | None = None) -> None:
        self._check = check
        self._sampling = Sampling(name, health, clock or Clock())

    def judge(self, subject: Subject, now: datetime, end: float) -> Verdict:
        return self._sampling.verdict(lambda until: self._attempt(subject, until), now, end)

    def close(self) -> None:  # noqa: B027 (most have nothing to let go of)
        """Let go of what outlives an attempt: nothing, where each has a connection of its own, as a caller's would."""

    @abstractmethod
    def _attempt(self, subject: Subject, end: float) -> Attempt:
        """Looks once; `end` is when its time is over, by `time.monotonic`."""
