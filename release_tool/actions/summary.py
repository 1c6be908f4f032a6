"""The summary of a job, in Markdown, and the outputs of its step, from the documented JSON of commands.

Texts from outside are escaped as in pull requests (`markdown.plain`): a summary is a page of the forge, too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from release_tool.config import title_of
from release_tool.model.health import number, spark
from release_tool.pull_request.markdown import Markup, block, folded, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.checks.findings import Finding

_MOST_ROWS = 50  # of a table

_LONGEST_DIFFERENCE = 200_000  # characters of it in the summary; the artifacts have the whole


def outputs(outcomes: Sequence[Mapping[str, Any]], data: object) -> dict[str, str]:
    """The outputs of the step of a changing command.

    Commit and pull request are empty where several environments have one: nobody could tell which is meant.

    Args:
        outcomes: the documented JSON of each environment.
        data: the JSON that the command gives: one of them, or the list.
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
    """What a changing command did to one environment, from its JSON; empty where there is nothing to say."""
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
        parts.append(folded(f"{len(kept)} kept", table(("Version", "Tag", "Reason"), kept)))
    parts += [f"- {note}" for note in said]
    return "\n\n".join(parts)


def guarded(one: Mapping[str, Any]) -> str:
    """What a guard found in one environment, from its JSON."""
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
    """What `release check` found in `checked` files."""
    verdict = f"{len(found)} findings" if found else "right"
    parts = [f"### check: {verdict}", f"{checked} files, {len(warnings)} warnings."]
    rows = [("error", one.where, one.what, one.hint) for one in found]
    rows += [("warning", one.where, one.what, one.hint) for one in warnings]
    if rows:
        parts.append(table(("", "Where", "What", "Next"), rows))
    return "\n\n".join(parts)


def failure(command: str, where: str, said: Sequence[tuple[str, str]]) -> str:
    """An error by its parts, label and text; `where`: the environment, where a command does several."""
    title = f"{command}: {where}" if where else command
    rows = [(label, text) for label, text in said if text]
    return "\n\n".join([f"### {plain(title)} failed", table(("", ""), rows)])


def text(title: str, said: str) -> str:
    """A text that was made for terminals or as a difference, as it is."""
    if len(said) > _LONGEST_DIFFERENCE:
        said = said[:_LONGEST_DIFFERENCE] + "\n… cut: the artifacts of the run have the whole"
    return f"### {plain(title)}\n\n{block('', said.rstrip())}"


_AFTER = {
    "merged": " and is merged",
    "waiting": " and merges by itself",
    "next_pass": "; the next pass of `release guard` merges it",
}


def _pull_request(one: Mapping[str, Any]) -> list[str]:
    pull = one["pull_request"]
    if not pull:
        return [f"Commit `{one['commit'][:12]}` on `{one['branch']}`."] if one["commit"] else []
    name = pull["name"]
    link = f"[{name}]({pull['url']})" if pull["url"].startswith(("https://", "http://")) else name
    after = _AFTER.get(pull.get("merging", ""), "")
    return [f"Pull request {link} {'was opened' if pull['created'] else 'is open'}{after}."]


def _change(one: Mapping[str, Any]) -> tuple[str, ...]:
    was = f" (was {one['before']})" if one.get("before") else ""
    return (one["action"], one["version"], one["tag"], one["reason"] + was)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """A Markdown table; every cell is escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(plain(value) for value in row) + " |" for row in rows[:_MOST_ROWS]]
    if len(rows) > _MOST_ROWS:
        lines += ["", f"… and {len(rows) - _MOST_ROWS} more; the record of the environment holds all."]
    return Markup("\n".join(lines))
