"""One thing that `release check` found, and how an error becomes some."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import FileProblems, ReleaseError, ValuesRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from release_tool.errors import Problem
    from release_tool.model.records import Name


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
