"""One finding of an examination, and the report of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from release_tool.errors import FileProblems, TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.errors import ReleaseError

Verdict = Literal["ok", "warning", "error", "unknown"]


class Diagnosis(NamedTuple):
    """What an examination found.

    Attributes:
        verdict: `ok`; `warning`: it works, and could work better; `error`: something fails; `unknown`: nobody can tell.
        about: what was examined, in a word or two: `base branch`.
        what: what was found, a sentence without a full stop.
        where: a URL, a file, a ref; empty: nothing narrower than the subject.
        why: why it matters; empty for what is right.
        mend: a command, the address of a page of settings, or an edit; empty for what is right.
    """

    verdict: Verdict
    about: str
    what: str
    where: str = ""
    why: str = ""
    mend: str = ""


class DoctorReport(NamedTuple):
    """All findings.

    Attributes:
        findings: in the order of the examinations.
        away: whether the remote itself was away, so that the same command may find more later.
    """

    findings: tuple[Diagnosis, ...]
    away: bool = False

    def count(self, verdict: Verdict) -> int:
        """How many there are of a kind."""
        return sum(one.verdict == verdict for one in self.findings)

    @property
    def exit_code(self) -> int:
        """0: no error; 1: an error; 75: the remote is away."""
        if self.away:
            return TryAgain.exit_code
        return 1 if self.count("error") else 0


def ok(about: str, what: str, where: str = "") -> Diagnosis:
    """What is right."""
    return Diagnosis("ok", about, what, where)


def of_error(about: str, error: ReleaseError, why: str = "") -> Iterator[Diagnosis]:
    """The findings that an error is: one for each place of a file, `unknown` where something is only away."""
    if isinstance(error, FileProblems):
        for problem in error.problems:
            what = f"{problem.key}: {problem.what}" if problem.key else problem.what
            mend = problem.hint or "correct the line"
            yield Diagnosis("error", about, what, f"{error.path}:{problem.line}:{problem.column}", why, mend)
        return
    verdict: Verdict = "unknown" if isinstance(error, TryAgain) else "error"
    what = f"{error.what} ({error.cause})" if error.cause else error.what
    again = "run `release doctor` again" if isinstance(error, TryAgain) else ""
    yield Diagnosis(verdict, about, what, error.where, why, error.hint or again)
