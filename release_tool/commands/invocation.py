"""What every operation that somebody asks for has in common: where, why, and under which id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import Refused, UsageError
from release_tool.model import history
from release_tool.model.history import is_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from release_tool.model.records import Arguments, Intent, Line, Operation
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool

_LONGEST_REASON = 500
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_DURATION = re.compile(r"([1-9][0-9]{0,4})([dw])")
FOR_EVER = "never"


class Asked(NamedTuple):
    """What somebody asked for, beside the operation's own arguments.

    Attributes:
        environment: its name.
        intent_id: the id of the operation: the same id is the same operation.
        by: who asks.
        run: link to the CI run, empty outside CI.
        reason: why, on one line; may be empty.
        service: whose versions; empty: of the only one.
        direct: push to the base branch; None: as the configuration says.
        dry_run: plan and render only.
        named: whether somebody gave the id.
    """

    environment: str
    intent_id: str
    by: str = ""
    run: str = ""
    reason: str = ""
    service: str = ""
    direct: bool | None = None
    dry_run: bool = False
    named: bool = False

    def intent(self, operation: Operation, arguments: Arguments) -> Intent:
        """The intent that the record keeps, with the reason that was given."""
        arguments = arguments._replace(reason=self.reason)
        return history.intent(self.intent_id, operation, arguments, self.by, self.run)


def checked_id(text: str) -> str:
    """An id that somebody gave.

    Raises:
        UsageError: it can't be one.
    """
    if text and not is_id(text):
        raise UsageError(f"{text!r} can't be an id", hint="an id is one word of visible ASCII characters, 128 at most")
    return text


def checked_reason(text: str, *, needed_by: str = "") -> str:
    """A reason that somebody gave, on one line and without control characters: it stands in files and messages.

    Args:
        text: as it was given.
        needed_by: what needs one, for the message; empty: none is needed.

    Raises:
        UsageError: there is none where one is needed, or it is too long.
    """
    reason = " ".join(_CONTROL.sub(" ", text).split())
    if needed_by and not reason:
        raise UsageError(f"{needed_by} needs --reason", hint="say why, for the record: --reason 'mobile clients 2.x'")
    if len(reason) > _LONGEST_REASON:
        raise UsageError(f"the reason has {len(reason)} characters, and {_LONGEST_REASON} are possible")
    return reason


def checked_until(text: str) -> str:
    """The end of a pin as it was given: a day, a number of days or weeks, or `never`; empty: not given.

    Raises:
        UsageError: it is none of these.
    """
    from release_tool.model.history import day_of

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
    """The last day of a pin; None: without end.

    Args:
        text: as `checked_until` accepts it.
        now: the present time.

    Raises:
        Refused: the day has passed.
    """
    from datetime import timedelta

    if text in {"", FOR_EVER}:
        return None
    spoken = _DURATION.fullmatch(text)
    if spoken:
        return now.date() + timedelta(days=int(spoken[1]) * (7 if spoken[2] == "w" else 1))
    day = history.day_of(text)
    if day < now.date():
        raise Refused(f"--until {text}: that day has passed", hint="the last day of a pin is today at the earliest")
    return day


def earlier(tool: Tool, snapshot: Snapshot, asked: Asked, is_same: Callable[[Arguments], bool]) -> Intent | None:
    """The same operation from the same run, where its arguments depend on how things stood then.

    "The default goes back" means another thing once it went back: the run that is repeated means what it meant first.

    Args:
        tool: the outside world.
        snapshot: the remote at one moment.
        asked: what is asked for.
        is_same: whether the arguments of another intent are the same, but for what depends on how things stand.
    """
    from release_tool.remote.branch import lines_at

    place = snapshot.config.place(asked.environment)
    branches = (snapshot.refs.branch(name) for name in (place.branch, place.downgrade_branch))
    lines: list[Line] = list(snapshot.files[asked.environment].lines())
    for tip in branches:
        lines += [] if tip is None else lines_at(tool.repository, tip, place)
    return _same(lines, asked, is_same)


def _same(lines: Iterable[Line], asked: Asked, is_same: Callable[[Arguments], bool]) -> Intent | None:
    for line in lines:
        intent = line.intent
        same_run = intent.id == asked.intent_id or (asked.run and intent.run == asked.run)
        if same_run and is_same(intent.arguments):
            return intent
    return None
