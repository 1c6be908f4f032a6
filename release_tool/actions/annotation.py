"""Workflow commands: annotations, and texts that hold none.

Source: `ActionCommand.cs` of actions/runner, which says what the runner takes for a command: a line whose first letters
are `::`, blanks before them allowed, and `##[` anywhere.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from release_tool.checks.findings import PlaceInFile

_NO_WIDTH = "\u200b"
_COMMAND = re.compile(r"(?:^|(?<=[\r\n]))(\s*:)(?=:)|(##)(?=\[)")  # the runner ends a line at either


class Annotation(NamedTuple):
    """One annotation; `str` makes the line for the log."""

    level: str  # `error`, `warning` or `notice`
    title: str  # empty: the runner's own
    text: str
    where: str = ""  # `file`, `file:line` or `file:line:column`; anything else is no place in a file

    @property
    def place(self) -> dict[str, str]:
        """The properties for a place in a file; empty where `where` is none."""
        found = PlaceInFile.of(self.where)
        if found is None:
            return {}
        properties = {"file": found.file, "line": found.line, "col": found.column}
        return {name: str(value) for name, value in properties.items() if value}

    def __str__(self) -> str:
        properties = self.place | ({"title": self.title} if self.title else {})
        said = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        return f"::{self.level}{' ' + said if said else ''}::{_data(self.text)}"


def harmless(text: str) -> str:
    """A text for the log in which the runner finds no command: a space without width comes between its marks."""
    return _COMMAND.sub(lambda found: found[0] + _NO_WIDTH, text)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
