"""The tree of errors. Each class carries its exit status; the text says what, where, likely cause, next step.

ReleaseError          1   a person must fix it
├── Refused           1   the operation is against the rules as things stand
├── EditRefused       1   a YAML file can't be edited safely at this place
├── FileProblems      1   a file that people own can't be used; all its problems at once
├── ValuesRefused     1   the chart refuses its values: by its schema, or by a sentence of a template
├── UsageError        2   the command line alone is enough to see it
├── TryAgain         75   something outside is down or busy; run it again (EX_TEMPFAIL of sysexits.h)
└── Bug               3   anything else that reaches the top
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

EXIT_BUG = 3
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141
"""As of a program that SIGPIPE ends."""


class ReleaseError(Exception):
    """A failure that a person must fix; the root of all expected failures.

    Args:
        what: one sentence without a full stop: what is wrong.
        where: `file:line:column`, a URL, a ref or a commit; empty when nothing narrower than the command is known.
        cause: the likely cause, if `what` does not show it.
        hint: the next step: a command (`model.printed_command` makes it) or an edit.
        page: the page of the documentation that speaks of this very error, below docs/: `reference/record.md#anchor`.

    Attributes:
        kind: names the class in JSON, and a heading of docs/reference/errors.md; it is stable.
    """

    exit_code = 1
    kind = "error"
    page = ""

    def __init__(self, what: str, *, where: str = "", cause: str = "", hint: str = "", page: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.cause = cause
        self.hint = hint
        self.page = page or self.page

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class Refused(ReleaseError):
    """The rules refuse the operation as things stand."""

    kind = "refused"


class AgainstRules(Refused):
    """The rules of versions refuse the operation."""

    page = "explanation/concepts.md#rules"


class EditRefused(ReleaseError):
    """A YAML text can't be edited safely at a place (counted from 1, in characters); the text stays as it was.

    Editors of texts don't know the file: `in_file` names it.
    """

    kind = "edit-refused"
    page = "explanation/editing.md#what-is-refused"

    def __init__(self, reason: str, line: int, column: int, hint: str, where: str = "") -> None:
        place = f"{where}:{line}:{column}" if where else f"line {line}, column {column}"
        super().__init__(reason, where=place, hint=hint)
        self.reason = reason
        self.line = line
        self.column = column

    def in_file(self, path: str) -> EditRefused:
        """The same refusal, with the file named."""
        return EditRefused(self.reason, self.line, self.column, self.hint, path)


class UsageError(ReleaseError):
    """Wrong usage: the command line alone is enough to see it."""

    exit_code = 2
    kind = "usage"


class TryAgain(ReleaseError):
    """Something outside is down or busy; the same command, run again, may succeed."""

    exit_code = 75
    kind = "try-again"


class Bug(ReleaseError):
    """The tool is wrong: what ended the command was not foreseen."""

    exit_code = EXIT_BUG
    kind = "bug"


class Failed(NamedTuple):
    """One of several environments that a command could not do, by its title; the others were done."""

    title: str
    error: ReleaseError


class BadValue(NamedTuple):
    """One value that a chart refuses."""

    pointer: str | None  # among the values, a JSON pointer (`/image/tag/v1`); None where the chart doesn't say
    what: str
    where: str = ""  # `file:line:column`, once it is known


class ValuesRefused(ReleaseError):
    """The chart refuses its values; all of them, at least one, are in `values`."""

    kind = "values-refused"

    def __init__(
        self, what: str, values: Iterable[BadValue], *, where: str = "", cause: str = "", hint: str = ""
    ) -> None:
        super().__init__(what, where=where, cause=cause, hint=hint)
        self.values = tuple(values)


class Problem(NamedTuple):
    """One mistake in a file, at a line and column that are counted from 1, in characters."""

    line: int
    column: int
    key: str  # its path, `environments.devel.retention.keep`; empty for the file as a whole
    what: str  # and what is possible
    hint: str = ""  # what was likely meant, or the next step

    def __str__(self) -> str:
        named = f"{self.key}: {self.what}" if self.key else self.what
        return f"{named} ({self.hint})" if self.hint else named


class FileProblems(ReleaseError):
    """A file that people own can't be used; all its problems, at least one, stand in the order of the lines."""

    kind = "file-problems"
    page = "reference/image-tag.md#what-is-refused"

    def __init__(self, path: str, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
        first = self.problems[0]
        if len(self.problems) == 1:
            what = f"{first.key}: {first.what}" if first.key else first.what
            super().__init__(what, where=f"{path}:{first.line}:{first.column}", hint=first.hint)
        else:
            listed = [f"{path}:{problem.line}:{problem.column}: {problem}" for problem in self.problems]
            super().__init__("\n  ".join([f"{len(listed)} problems", *listed]), where=path)
