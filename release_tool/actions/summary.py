"""The summary of a job, in Markdown, and the outputs of its step, from the documented JSON of commands. Pure.

Texts from outside are escaped as in pull requests (`wording.cell`): a summary is a page of the forge, too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from release_tool import safe_text
from release_tool.config.places import title_of
from release_tool.model.health import number, spark
from release_tool.pull_request.markdown import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.checks.findings import Finding

_MOST_ROWS = 50  # of a table

LONGEST_COMMENT = 65_536
"""Characters of a comment on GitHub."""

_LONGEST_FENCE = 200_000
"""Characters of a difference in the summary; the artifacts have the whole."""


def outputs(outcomes: Sequence[Mapping[str, Any]], data: object) -> dict[str, str]:
    """The outputs of the step of a changing command.

    Args:
        outcomes: the documented JSON of each environment.
        data: the JSON that the command gives: one of them, or the list.

    Returns:
        `changed`, `json`, `commit`, `pull-request-number` and `pull-request-url`. The last three are empty where
        several environments have one: there is no telling which is meant.
    """
    commits = [one["commit"] for one in outcomes if one["commit"]]
    pulls = [one["pull_request"] for one in outcomes if one["pull_request"]]
    pull = pulls[0] if len(pulls) == 1 else None
    return {
        "changed": "true" if any(one["changed"] for one in outcomes) else "false",
        "commit": commits[0] if len(commits) == 1 else "",
        "pull-request-number": str(pull["number"]) if pull else "",
        "pull-request-url": pull["url"] if pull else "",
        "json": json.dumps(data, ensure_ascii=False),
    }


def outcome(one: Mapping[str, Any]) -> str:
    """What a changing command did to one environment.

    Args:
        one: the documented JSON of it.

    Returns:
        Markdown; empty where there was nothing to do and nothing to say.
    """
    said = [plain(note) for note in one["notes"]]
    refused = [f"**Refused:** {plain(one['refused'])}"] if one.get("refused") else []
    if not (one["changed"] or refused or said or one["operation"] not in {"cleanup", "sync"}):
        return ""
    where = title_of(one["environment"], one.get("service", ""))
    parts = [f"### {plain(where)}: {one['operation']}" + ("" if one["changed"] else ", nothing changed")]
    parts += refused
    parts += _pull_request(one)
    if one.get("gates"):
        rows = [(gate["gate"], gate["verdict"], gate["reason"]) for gate in one["gates"]]
        parts.append(table(("Gate", "Verdict", "Reason"), rows))
    if one["changes"]:
        parts.append(table(("Change", "Version", "Tag", "Reason"), [_change(each) for each in one["changes"]]))
    if one["kept"]:
        kept = [(each["version"], each["tag"], each["reason"]) for each in one["kept"]]
        parts.append(_folded(f"{len(kept)} kept", table(("Version", "Tag", "Reason"), kept)))
    parts += [f"- {note}" for note in said]
    return "\n\n".join(parts)


def guarded(one: Mapping[str, Any]) -> str:
    """What a guard found in one environment.

    Args:
        one: the documented JSON of it.

    Returns:
        Markdown.
    """
    where = title_of(one["environment"], one.get("service", ""))
    rows = [
        (
            f"{judged['version']}{' (default)' if judged['version'] == one['default'] else ''}",
            judged["tag"],
            check["check"],
            check["health"],
            "" if check["value"] is None else number(check["value"]),
            check["bound"] or "",
            spark(check["points"]),
            check["reason"],
        )
        for judged in one["versions"]
        for check in judged["checks"]
    ]
    head = ("Version", "Tag", "Check", "Verdict", "Number", "Bound", "Over the window", "Why")
    refused = [f"**A person must act:** {plain(one['refused'])}"] if one.get("refused") else []
    return "\n\n".join(
        [
            f"### {plain(where)}: {one['decision']}",
            plain(one["reason"]),
            *refused,
            *([table(head, rows)] if rows else []),
        ]
    )


def findings(found: Sequence[Finding], warnings: Sequence[Finding], checked: int) -> str:
    """What `release check` found.

    Args:
        found: what is wrong.
        warnings: what somebody should know beside that.
        checked: how many files were looked at.
    """
    verdict = f"{len(found)} findings" if found else "right"
    parts = [f"### check: {verdict}", f"{checked} files, {len(warnings)} warnings."]
    rows = [("error", one.where, one.what, one.hint) for one in found]
    rows += [("warning", one.where, one.what, one.hint) for one in warnings]
    if rows:
        parts.append(table(("", "Where", "What", "Next"), rows))
    return "\n\n".join(parts)


def failure(command: str, where: str, said: Sequence[tuple[str, str]]) -> str:
    """An error.

    Args:
        command: the command's name.
        where: the environment, where a command does several; else empty.
        said: label and text of each part of the error: what, where, cause, next.
    """
    title = f"{command}: {where}" if where else command
    rows = [(label, text) for label, text in said if text]
    return "\n\n".join([f"### {plain(title)} failed", table(("", ""), rows)])


def comment(marker: str, differences: Sequence[tuple[str, str, str]], where: str) -> str:
    """The comment on a pull request that shows what merging it changes in the manifests.

    Args:
        marker: its first line.
        differences: environment, unified difference, and why there is none, of each environment.
        where: where the whole difference is, for what doesn't fit.

    Returns:
        Markdown, at most `LONGEST_COMMENT` UTF-16 code units: GitHub counts characters, and says not which.
    """
    shown = [one for one in differences if one[1] or one[2]]
    same = [plain(title) for title, said, why in differences if not said and not why]
    lines = [marker, "### What merging this changes in the manifests"]
    lines += [f"Nothing in {', '.join(same)}."] if same else []
    body = "\n\n".join(lines)
    cut = f"\n\n_The rest does not fit here: {where}._"
    for title, said, why in shown:
        count = sum(line.startswith("--- ") for line in said.splitlines())
        headline = f"{plain(title)}: {count} objects" if said else f"{plain(title)}: can't be rendered"
        section = _folded(headline, fenced(said, "diff") if said else f"{plain(why)}")
        if _units(body) + _units(section) + _units(cut) + 2 > LONGEST_COMMENT:
            return body + cut
        body += f"\n\n{section}"
    return body


def _units(said: str) -> int:
    return len(said.encode("utf-16-le")) // 2


def text(title: str, said: str) -> str:
    """A text that was made for terminals or as a difference, as it is.

    Args:
        title: above it.
        said: the text.
    """
    if len(said) > _LONGEST_FENCE:
        said = said[:_LONGEST_FENCE] + "\n… cut: the artifacts of the run have the whole"
    return f"### {plain(title)}\n\n{fenced(said)}"


def fenced(said: str, language: str = "") -> str:
    """A text as a block of code whose fence is longer than any run of backquotes in it.

    Marks that turn the direction of reading are neutral there: reviewers trust what they see.
    """
    said = safe_text.lines(said)
    longest = max((len(run) for run in _runs(said, "`")), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{said.rstrip()}\n{fence}"


def _runs(said: str, letter: str) -> list[str]:
    return "".join(each if each == letter else " " for each in said).split()


def _pull_request(one: Mapping[str, Any]) -> list[str]:
    pull = one["pull_request"]
    if not pull:
        return [f"Commit `{one['commit'][:12]}` on `{one['branch']}`."] if one["commit"] else []
    number = f"#{pull['number']}"
    link = f"[{number}]({pull['url']})" if pull["url"].startswith(("https://", "http://")) else number
    after = {"merged": " and is merged", "waiting": " and merges by itself"}.get(pull.get("merging", ""), "")
    return [f"Pull request {link} {'was opened' if pull['created'] else 'is open'}{after}."]


def _change(one: Mapping[str, Any]) -> tuple[str, ...]:
    was = f" (was {one['before']})" if one.get("before") else ""
    return (one["action"], one["version"], one["tag"], one["reason"] + was)


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; every cell is escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(plain(value) for value in row) + " |" for row in rows[:_MOST_ROWS]]
    if len(rows) > _MOST_ROWS:
        lines += ["", f"… and {len(rows) - _MOST_ROWS} more; the record of the environment holds all."]
    return "\n".join(lines)
