"""Timing of whole processes and of calls, in turn, so that both sides meet the same machine."""

from __future__ import annotations

import statistics
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Side(NamedTuple):
    """One side of a comparison: what to do before a run (not timed), and the run."""

    name: str
    prepare: Callable[[], None]
    run: Callable[[], None]


class Times(NamedTuple):
    """Seconds of the runs of one side."""

    name: str
    seconds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def nothing() -> None:
    """Prepare nothing."""


def program(arguments: Sequence[str], cwd: str | None = None) -> Callable[[], None]:
    """A run of a program; a failure ends the benchmark."""

    def run() -> None:
        subprocess.run(arguments, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    return run


def in_turn(sides: Sequence[Side], runs: int) -> list[Times]:
    """Time the sides in turn: one uncounted round, then `runs` counted ones."""
    times = [Times(side.name, []) for side in sides]
    for number in range(runs + 1):
        for side, found in zip(sides, times, strict=True):
            side.prepare()
            begin = time.perf_counter()
            side.run()
            if number:
                found.seconds.append(time.perf_counter() - begin)
    return times


def ratio(one: Times, other: Times) -> float:
    """The median of the ratios of runs that stood next to each other."""
    return statistics.median(a / b for a, b in zip(one.seconds, other.seconds, strict=True))


def row(label: str, one: Times, other: Times, limit: float, *, at_least: bool = False) -> str:
    """One line of the table: the ratio with its bound, and both medians for orientation."""
    found = ratio(one, other)
    fine = found >= limit if at_least else found <= limit
    bound = f"{'>=' if at_least else '<='} {limit:g}"
    milliseconds = f"{one.median * 1000:8.1f} ms / {other.median * 1000:8.1f} ms"
    return f"{label:58} {found:6.2f}  {bound:>7}  {'yes' if fine else 'NO':3}  {milliseconds}"


def seconds_row(label: str, found: Times, longest: float) -> str:
    """One line of the table: the seconds themselves, with their bound."""
    fine = "yes" if found.median <= longest else "NO"
    return f"{label:58} {found.median:6.2f}  {f'<= {longest:g}':>7}  {fine:3}"
