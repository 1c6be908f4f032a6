"""One thing that `release check` found, and how an error becomes some."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import FileProblems, ReleaseError, ValuesRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from release_tool.errors import Problem
    from release_tool.model.records import Name


_PLACE = re.compile(r"(?P<file>[^:\n]+?)(?::(?P<line>[0-9]+)(?::(?P<column>[0-9]+))?)?")


class PlaceInFile(NamedTuple):
    """A place that a forge or a runner can show; line and column are 0 where they are not known."""

    file: str
    line: int = 0
    column: int = 0

    @classmethod
    def of(cls, where: str) -> PlaceInFile | None:
        """The place as far as a name can tell: `file`, `file:line` or `file:line:column`; None where it is none."""
        found = _PLACE.fullmatch(where)
        # A branch, a URL and a list of files are places, too, but none that anybody could show.
        if found is None or "://" in where or ", " in where or "." not in found["file"]:
            return None
        return cls(found["file"], int(found["line"] or 0), int(found["column"] or 0))


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes:
        where: file, with line and column where they are known.
        what: what is wrong.
        hint: the next step.
    """

    where: str
    what: str
    hint: str = ""


class OfVersion(NamedTuple):
    """A finding about one version, so that no other one tells the same."""

    name: Name
    finding: Finding


def findings_of(error: ReleaseError, told: Collection[str] = ()) -> Iterator[Finding]:
    """What an error has to say, a finding for each of its places."""
    if isinstance(error, FileProblems):
        for problem in error.problems:
            if _about(problem, told):
                continue
            what = f"{problem.key}: {problem.what}" if problem.key else problem.what
            yield Finding(f"{error.path}:{problem.line}:{problem.column}", what, problem.hint)
    elif isinstance(error, ValuesRefused):
        for value in error.values:
            yield Finding(value.where or error.where, f"the chart refuses the values: {value.what}", error.hint)
    else:
        yield Finding(error.where, error.what, error.hint or error.cause)


def _about(problem: Problem, told: Collection[str]) -> bool:
    """Whether a problem of `image_tag.yaml` is about one of some versions: by its key, or as the default."""
    if problem.key.endswith(".default"):
        return any(word in told for word in problem.what.split())
    return problem.key.rpartition(".")[2] in told
