"""Times and durations as texts, one form each; and back."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone

_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
TOLERANCE = timedelta(hours=1)
"""So far may clocks of machines differ; what is dated further in the future is wrong."""

_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))


def timestamp(moment: datetime) -> str:
    """A moment as RFC 3339 in UTC, to the second: `2026-11-23T05:40:00Z`."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def moment_of(text: str) -> datetime:
    """The moment of an RFC 3339 text, to the second; ValueError for anything else, also without an offset from UTC."""
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise ValueError(f"no time with its offset from UTC: {text!r}")
    day, time, _, offset = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{'+00:00' if offset in 'Zz' else offset}")
        return moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError(f"a time outside of the calendar: {text!r}") from None


def day_of(text: str) -> date:
    """The day of a text like `2027-03-31`; ValueError for anything else."""
    # Python's own reader takes more from release to release.
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
        raise ValueError("no day of the form 2027-03-31")
    return date.fromisoformat(text)


def clock(moment: datetime) -> str:
    """A moment in UTC for people, to the minute: `2026-11-23 12:01`."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M")


def duration_text(duration: timedelta) -> str:
    """A duration as `release.yaml` has it, in the largest unit that divides it: `90s`, `15m`, `1h`, `14d`."""
    for unit, size in _UNITS:
        if duration and duration % size == timedelta(0):
            return f"{duration // size}{unit}"
    return f"{int(duration.total_seconds())}s"


def span(duration: timedelta) -> str:
    """How long something is, for people, in one unit: `200 days`, `3 hours`."""
    hours = duration // timedelta(hours=1)
    if hours > 1:
        return f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
    return f"{duration // timedelta(minutes=1)} minutes"
