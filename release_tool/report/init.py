"""What `release init` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.report.terminal import table
from release_tool.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.commands.init.files import PlannedFile
    from release_tool.commands.init.planned import Planned

_STATES = {
    "new": "",
    "same": "stands already",
    "kept": "stands already: not touched without --force",
    "noted": "",
    "changed": "changed, see below",
    "removed": "goes, see below",
    "conflict": "a conflict, see below",
    "gone": "you removed it, and it stays so",
}
_SHOWN = {"changed", "removed", "conflict"}


def plan_data(planned: Planned, *, written: bool, commands: Sequence[str]) -> dict[str, Any]:
    """A plan as JSON shows it."""
    found, report = planned.survey, planned.report
    return {
        "directory": str(found.top),
        "repository": found.tree is not None,
        "remote": found.remote[1],
        "forge": found.forge,
        "base": planned.config.base,
        "notes": list(found.notes),
        "environments": list(planned.config.environments),
        "files": [{"path": one.path, "what": one.what, "state": one.state} for one in planned.files],
        "charts": [{**one._asdict(), "abilities": [row._asdict() for row in one.abilities]} for one in report.charts],
        "findings": [one._asdict() for one in report.findings],
        "warnings": [one._asdict() for one in report.warnings],
        "upgraded": planned.upgraded,
        "conflicts": planned.conflicts,
        "written": written,
        "next": list(commands[:-1]),
    }


def plan_text(planned: Planned, width: int | None = None) -> str:
    """What was found, what would be written, and what the chart can do."""
    found = planned.survey
    place = [
        ("directory", str(found.top)),
        ("git", f"on {found.branch or 'no branch'}" if found.tree else "no repository yet"),
        ("remote", f"{found.remote[1]} (forge: {found.forge})" if found.remote[1] else "none yet"),
        ("base", planned.config.base),
    ]
    lines = [*table(place, width, "")]
    if found.notes:
        lines += ["", *table([("note", note) for note in found.notes], width, "")]
    if planned.files:
        lines += ["", "files:", *table(list(_rows(planned.files)), width)]
    for one in planned.files:
        if one.state in _SHOWN:
            lines += ["", *_difference(one)]
    for chart in planned.report.charts:
        rows = [
            (row.verdict, row.subject, f"{row.what}; {row.cost}" if row.cost else row.what) for row in chart.abilities
        ]
        lines += [
            "",
            f"what the chart {one_line(chart.chart)} can do{_whose(chart.environments, planned)}:",
            *table(rows, width),
        ]
    for mark, findings in (("error", planned.report.findings), ("warning", planned.report.warnings)):
        told = [
            (mark, f"{one.where}: {one.what}" if one.where else one.what)
            for one in findings
            if not _of_chart(one.what, planned)
        ]
        lines += ["", *table(told, width, "")] if told else []
    return "\n".join(lines)


def _whose(environments: Sequence[str], planned: Planned) -> str:
    return f" ({', '.join(environments)})" if len(planned.report.charts) > 1 else ""


def _of_chart(what: str, planned: Planned) -> bool:
    """Whether the table of the chart says it already."""
    return any(row.what in what for chart in planned.report.charts for row in chart.abilities if row.cost)


def _rows(files: Sequence[PlannedFile]) -> Iterator[tuple[str, str]]:
    """One line for each file; the files of a chart are one line."""
    parts: dict[str, list[PlannedFile]] = {}
    for one in files:
        parts.setdefault(one.part_of or one.path, []).append(one)
    for path, group in parts.items():
        shown = next((one.state for one in group if one.state in _SHOWN), "")
        kept = [one for one in group if one.state == "kept"]
        if shown:
            state = _STATES[shown]
        elif kept:
            state = (
                _STATES["kept"]
                if len(group) == 1
                else f"{len(kept)} of its files stand already: not touched without --force"
            )
        else:
            state = _STATES[group[0].state if len({one.state for one in group}) == 1 else "new"]
        name = f"{path}/" if group[0].part_of else path
        many = f", {len(group)} files" if group[0].part_of else ""
        yield name, f"{group[0].what}{many}" + (f" ({state})" if state else "")


def _difference(one: PlannedFile) -> list[str]:
    import difflib

    after = b"" if one.state == "removed" else one.content
    old, new = (text.decode("utf-8", "replace").splitlines() for text in (one.present, after))
    return [
        one_line(line) for line in difflib.unified_diff(old, new, f"a/{one.path}", f"b/{one.path}", n=2, lineterm="")
    ]


def next_text(planned: Planned, commands: Sequence[str], upgrade: str = "") -> str:
    """What comes next.

    Args:
        commands: none where nothing was written.
        upgrade: the command that writes what was shown of an upgrade; empty: it may not be written.
    """
    if planned.upgraded and not planned.written:
        return "Nothing to upgrade: this version writes the files as they were written."
    if not commands:
        more = f" `{upgrade}` writes this." if planned.upgraded and upgrade else ""
        return f"Nothing was written.{more}"
    found, count = planned.survey, len(planned.written)
    *first, bump = commands
    said = f"{count} {'file was' if count == 1 else 'files were'} written. Next" if count else "Next"
    if planned.marked:
        said += f", decide what stands between `<<<<<<<` and `>>>>>>>` in {', '.join(planned.marked)}. Then"
    lines = [f"{said}:", *(f"  {command}" for command in first)]
    if not found.remote[1]:
        lines.append(
            "The remote is made beside this directory; one at your forge does as well. Its pull requests live in it:"
        )
        lines.append("`release pulls list` shows them, `release pulls merge N` merges one.")
    elif found.tree is not None and found.branch != planned.config.base:
        branch = found.branch or "that branch"
        lines.append(f"Then merge {branch} into {planned.config.base}: `release` begins with what stands there.")
    return "\n".join([*lines, *([] if planned.upgraded else [f"Then, for each image: {bump}"])])
