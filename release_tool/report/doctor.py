"""What `release doctor` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.report.terminal import table
from release_tool.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.doctor.diagnosis import Diagnosis, DoctorReport

_DEEPER = " " * 9  # below the subject, behind the longest verdict


def report_data(report: DoctorReport) -> dict[str, Any]:
    """A report as JSON shows it."""
    return {
        "findings": [one._asdict() for one in report.findings],
        "errors": report.count("error"),
        "warnings": report.count("warning"),
        "unknown": report.count("unknown"),
        "away": report.away,
    }


def report_text(report: DoctorReport, width: int | None = None) -> str:
    """A report for people: a line for what is right, and below the others where, why, and what mends it.

    Args:
        report: what was found.
        width: characters of a line of the terminal; None: nothing is folded.
    """
    size = max((len(one_line(one.about)) for one in report.findings), default=0)
    lines = [line for one in report.findings for line in _lines(one, size, width)]
    return "\n".join([*lines, "", _summary(report)])


def _lines(one: Diagnosis, size: int, width: int | None) -> Iterator[str]:
    yield from table([[one.verdict.ljust(7), one_line(one.about).ljust(size), one.what]], width, "")
    if one.verdict == "ok":
        return
    rows = [(label, text) for label, text in (("where", one.where), ("why", one.why), ("mend", one.mend)) if text]
    if rows:
        yield from table([(label.ljust(5), text) for label, text in rows], width, _DEEPER)


def _summary(report: DoctorReport) -> str:
    counts = (
        _counted(report.count("error"), "error"),
        _counted(report.count("warning"), "warning"),
        f"{report.count('unknown')} unknown",
        f"{report.count('ok')} right",
    )
    summary = ", ".join(counts)
    return f"{summary}; the remote is away: run it again" if report.away else summary


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
