"""This machine's clock against what the remote tells of the time: what a wrong clock dates can't be taken back.

A plan is never made before the last time in the record. So one line from a clock that is ahead ends pins, quarantines
and drains too early, for every operation after it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from release_tool.errors import Refused
from release_tool.model.times import TOLERANCE, span, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from release_tool.git.repository import CommitInfo
    from release_tool.model.records import Line

_CAUSE = "ages, drains, quarantines and ends of pins are counted from the times that machines write"
_MEND = "let this machine ask a time server (`timedatectl set-ntp true`)"


class ClockRefused(Refused):
    """This machine's clock, or that of a line, seems wrong."""

    page = "reference/record.md#the-clock"


def demand_same(now: datetime, skew: timedelta) -> None:
    """Refuse a clock that says `now` and is `skew` ahead of the forge's."""
    if abs(skew) > TOLERANCE:
        way = "ahead of" if skew > timedelta(0) else "behind"
        what = f"this machine's clock says {timestamp(now)}: {span(abs(skew))} {way} that of the forge"
        raise ClockRefused(what, cause=_CAUSE, hint=f"{_MEND}, or go on with --force")


def demand_after(commit: CommitInfo, now: datetime, base: str) -> None:
    """Refuse a clock that says a time before that of the last commit of the base."""
    if commit.committed_at - now > TOLERANCE:
        what = f"{_ahead(commit.committed_at, now)}: so the commit {commit.id[:12]} of {base} is dated"
        cause = f"this machine's clock is behind, or that of {commit.committer} was ahead"
        raise ClockRefused(what, cause=cause, hint=f"if it is this one, {_MEND}; else go on with --force")


WAY_BACK = "`release check` says how to take a line back"
"""Out of a line that has landed."""


def demand_past(recorded: Iterable[Line], now: datetime, where: str, way_out: str) -> None:
    """Refuse to plan at a time that has not come: that of the last of some lines."""
    last = max(recorded, key=lambda line: line.at, default=None)
    if last is not None and last.at - now > TOLERANCE:
        what = f"{_ahead(last.at, now)}: so the operation {last.id} is dated, and nothing is planned before it"
        cause = "this machine's clock is behind, or that of the machine was ahead where the operation was made"
        hint = f"if it is this one, {_MEND}; else {way_out}; --force plans as of that time"
        raise ClockRefused(what, where=where, cause=cause, hint=hint)


def _ahead(at: datetime, now: datetime) -> str:
    return f"{timestamp(at)} is {span(at - now)} after this machine's clock, {timestamp(now)}"
