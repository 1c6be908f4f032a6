"""What `release check` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.report.terminal import folded
from release_tool.safe_text import one_line

if TYPE_CHECKING:
    from release_tool.checks.findings import Finding
    from release_tool.commands.check import CheckReport


def report_data(report: CheckReport) -> dict[str, Any]:
    """`release check --output json`."""
    return {
        "checked": list(report.checked),
        "findings": [_finding_data(one) for one in report.findings],
        "warnings": [_finding_data(one) for one in report.warnings],
        "charts": [{**one._asdict(), "abilities": [row._asdict() for row in one.abilities]} for one in report.charts],
    }


def _finding_data(one: Finding) -> dict[str, str]:
    return {"where": one.where, "what": one.what, "hint": one.hint}


def report_text(report: CheckReport, width: int | None = None) -> str:
    """What `release check` found; `width`: columns of a line, None: a line is as long as it is."""
    right = f"{len(report.checked)} files are right: {', '.join(report.checked)}"
    lines = [] if report.findings else folded(one_line(right), width, indent="  ")
    for mark, findings in (("", report.findings), ("warning: ", report.warnings)):
        for one in findings:
            said = f"{mark}{one.where}: {one.what}" if one.where else f"{mark}{one.what}"
            lines += folded(one_line(said), width, indent="  ")
            lines += folded(one_line(one.hint), width, first="  next: ", indent="    ") if one.hint else []
    return "\n".join(lines)
