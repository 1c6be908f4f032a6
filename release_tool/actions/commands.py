"""Workflow commands: annotations, and texts that hold none. Pure.

Source: `ActionCommand.cs` of actions/runner, which says what the runner takes for a command: a line whose first letters
are `::`, blanks before them allowed, and `##[` anywhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_NO_WIDTH = "\u200b"
_PLACE = re.compile(r"(?P<file>[^:\n]+?)(?::(?P<line>[0-9]+)(?::(?P<column>[0-9]+))?)?")
_COMMAND = re.compile(r"(?:^|(?<=[\r\n]))(\s*:)(?=:)|(##)(?=\[)")  # the runner ends a line at either


class Annotation(NamedTuple):
    """One annotation.

    Attributes:
        level: `error`, `warning` or `notice`.
        title: a few words; empty: the runner's own.
        text: what there is to say, in lines.
        where: `file`, `file:line` or `file:line:column`; anything else is no place in a file, and empty neither.
    """

    level: str
    title: str
    text: str
    where: str = ""

    @property
    def has_place(self) -> bool:
        """Whether `where` is a place in a file, as far as a name can tell."""
        return bool(_place(self.where))

    def __str__(self) -> str:
        properties = _place(self.where) | ({"title": self.title} if self.title else {})
        said = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        return f"::{self.level}{' ' + said if said else ''}::{_data(self.text)}"


def lines(annotations: Iterable[Annotation]) -> str:
    """Annotations as lines for the log of the job; each that is said twice once."""
    return "\n".join(dict.fromkeys(map(str, annotations)))


def harmless(text: str) -> str:
    """A text for the log in which the runner finds no command: a space without width comes between its marks."""
    return _COMMAND.sub(lambda found: found[0] + _NO_WIDTH, text)


def _place(where: str) -> dict[str, str]:
    found = _PLACE.fullmatch(where)
    # A branch, a URL and a list of files are places, too, but none that the runner could show.
    if found is None or "://" in where or ", " in where or "." not in found["file"]:
        return {}
    names = {"file": "file", "line": "line", "column": "col"}
    return {name: found[group] for group, name in names.items() if found[group]}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
