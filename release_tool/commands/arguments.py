"""Arguments that several commands take: their ids, reasons and days, as far as the command line alone shows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.errors import Refused, UsageError
from release_tool.model.history import is_id
from release_tool.model.times import day_of

if TYPE_CHECKING:
    from datetime import date, datetime

# What YAML can't hold. All else stays as people wrote it: `safe_text` looks after whoever prints it.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_LONGEST_REASON = 500
_DURATION = re.compile(r"([1-9][0-9]{0,4})([dw])")
FOR_EVER = "never"
RESTORED_FOR = "7d"
"""How long a version that comes back is pinned, unless a person says otherwise (docs/explanation/concepts.md)."""


def checked_id(text: str) -> str:
    """An id that somebody gave."""
    if text and not is_id(text):
        raise UsageError(f"{text!r} can't be an id", hint="an id is one word of visible ASCII characters, 128 at most")
    return text


def checked_reason(text: str, *, needed_by: str = "", forced: bool = False) -> str:
    """A reason that somebody gave, on one line and without control characters: it stands in files and messages.

    A reason must be given where a command needs one (`needed_by`), and with --force (`forced`).
    """
    reason = " ".join(_CONTROL.sub(" ", text).split())
    if needed_by and not reason:
        raise UsageError(f"{needed_by} needs --reason", hint="say why, for the record: --reason 'mobile clients 2.x'")
    if forced and not reason:
        raise UsageError("--force needs --reason", hint="say why, for the record: --reason 'hotfix for …'")
    if len(reason) > _LONGEST_REASON:
        raise UsageError(f"the reason has {len(reason)} characters, and {_LONGEST_REASON} are possible")
    return reason


def checked_until(text: str) -> str:
    """The end of a pin as it was given: a day, a number of days or weeks, or `never`; empty: not given."""
    if text in {"", FOR_EVER} or _DURATION.fullmatch(text):
        return text
    try:
        day_of(text)
    except ValueError:
        hint = "give a day (2027-03-31), a time from now (14d, 6w) or `never`"
        raise UsageError(f"--until {text}: that is no day", hint=hint) from None
    return text


def is_spoken(text: str) -> bool:
    """Whether the end of a pin was given as a time from now: the same words mean another day tomorrow."""
    return _DURATION.fullmatch(text) is not None


def until_day(text: str, now: datetime) -> date | None:
    """The last day of a pin; None: without end."""
    from datetime import timedelta

    if text in {"", FOR_EVER}:
        return None
    spoken = _DURATION.fullmatch(text)
    if spoken:
        return now.date() + timedelta(days=int(spoken[1]) * (7 if spoken[2] == "w" else 1))
    day = day_of(text)
    if day < now.date():
        raise Refused(f"--until {text}: that day has passed", hint="the last day of a pin is today at the earliest")
    return day
