"""What a chart can't do with versions, as findings of `release check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.checks.findings import Finding
from release_tool.errors import ReleaseError
from release_tool.remote.chart_trials import rows, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.checks.chart import Ability
    from release_tool.remote.rendering import Renderings
    from release_tool.remote.snapshot import Files


class TriedChart(NamedTuple):
    """What the chart of some environments can do."""

    chart: str
    environments: tuple[str, ...]
    abilities: tuple[Ability, ...]


class ChartBefore(NamedTuple):
    """What rendered the moment before, and the environments' files then."""

    renderings: Renderings
    files: Sequence[Files]


class ChartReport(NamedTuple):
    """What was tried, and the findings that it makes."""

    charts: tuple[TriedChart, ...] = ()
    findings: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def check(renderings: Renderings, rendered: Sequence[Files], before: ChartBefore | None) -> ChartReport:
    """Try the chart out.

    Args:
        rendered: the files of the environments whose manifests could be made.
    """
    if not rendered:
        return ChartReport()
    chart = renderings.place("")
    found = tables(renderings, [files for files in rendered if not files.is_empty] or rendered)
    told = [(f"{whose}: " if whose else "", row) for whose, row in rows(found)]
    known = _errors(before) if any(row.verdict == "error" for _, row in told) else set()
    findings, warnings = [], []
    for whose, row in told:
        if row.verdict == "error" and (row.subject, row.what) not in known:
            findings.append(Finding(row.where or chart, f"{whose}{row.what}; {row.cost}", row.mend))
        elif row.verdict in {"error", "warning"}:
            so_before = " (so it was before)" if row.verdict == "error" else ""
            warnings.append(Finding(row.where or chart, f"{whose}{row.what}; {row.cost}{so_before}", row.mend))
    labels = dict.fromkeys(f"`{row.label}`" for _, row in told if row.label)
    if labels:
        words = "they are labels" if len(labels) > 1 else "it is a label"
        what = f"no route and no other object follows {' and '.join(labels)}: {words} only for the tool"
        hint = "nothing, where clients choose versions by other means; else docs/how-to/own-chart.md"
        warnings.append(Finding(chart, what, hint))
    charts = (TriedChart(chart, one.environments, one.abilities) for one in found)
    return ChartReport(tuple(charts), tuple(findings), tuple(warnings))


def _errors(before: ChartBefore | None) -> set[tuple[str, str]]:
    """What the chart did wrong already."""
    if before is None:
        return set()
    try:
        old = tables(before.renderings, before.files)
    except ReleaseError:
        return set()
    return {(row.subject, row.what) for one in old for row in one.abilities if row.verdict == "error"}
