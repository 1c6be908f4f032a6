"""The words: commit messages, pull requests, and what the terminal shows. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.manifests import object_difference
from release_tool.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from release_tool.manifests import ObjectChange
    from release_tool.planning import LeftOut
    from release_tool.records import Change, Intent, Kept, Line

TRAILER = "Release-Operation"
TREE_TRAILER = "Release-Tree"

BRANCH_DELETED = "The branch of this pull request was deleted. Closed by `release`."

BODY_LIMIT = 60_000
"""Characters of a pull request's text; GitHub takes 65,536."""

_MANY = 5  # tags that a title lists
_MOST_ROWS = 50  # of a table
_LONGEST_CELL = 300  # of a table: a reason that somebody pasted a log into


def _tags(lines: Iterable[Line]) -> list[str]:
    """The tags that some lines add, else those that they are about, in order."""
    changes = [change for line in lines for change in line.changes]
    for actions in ({"add", "restore"}, {"set-default"}, {"retire", "remove", "pin", "unpin", "quarantine", "clear"}):
        found = [tag_part(change.tag) for change in changes if change.action in actions]
        if found:
            return list(dict.fromkeys(found))
    return []


def title(environment: str, lines: Sequence[Line]) -> str:
    """One line for a commit or a pull request: `devel: bump v1.0.5`; several operations: `devel: v1.0.5, v1.0.6`."""
    tags = _tags(lines)
    listed = ", ".join(tags[:_MANY]) + (f" and {len(tags) - _MANY} more" if len(tags) > _MANY else "")
    operations = {line.intent.operation for line in lines}
    verb = f"{operations.pop()} " if len(operations) == 1 else ""
    return f"{environment}: {verb}{listed}".rstrip()


def subject(intent: Intent | None) -> str:
    """An operation in a few words: `bump v1.0.5`; `sync` where there is none of its own."""
    if intent is None:
        return "sync"
    said = intent.arguments
    about = said.get("what") if intent.operation == "undo" else said.get("tag")
    to = f" to {said['to_tag']}" if isinstance(said.get("to_tag"), str) else ""
    source = f" from {said['from']}" if isinstance(said.get("from"), str) else ""
    return f"{intent.operation} {about}{source}{to}" if isinstance(about, str) else intent.operation


def commit_message(environment: str, lines: Sequence[Line], tree: str) -> str:
    """The message of the commit that brings some lines, with a trailer for each, and one for its tree.

    Args:
        environment: its name.
        lines: the lines.
        tree: id of the commit's tree: a commit that a person amended has another one.
    """
    parts = [title(environment, lines), ""]
    for line in lines:
        parts += [f"- {change_text(change)}" for change in line.changes]
    parts += ["", *(f"{TRAILER}: {line.id}" for line in lines), f"{TREE_TRAILER}: {tree}", ""]
    return "\n".join(parts)


def change_text(change: Change) -> str:
    """One change as a phrase: `retire v1 (v1.0.1): keep 4: five live`."""
    return f"{change.action} {change.version} ({change.tag}): {harmless(change.reason)}"


# What a forge acts on when it reads a message: mentions, issues that it closes, marks for CI. A character of no width
# breaks them, as other tools of the field do it; an HTML entity doesn't, it is decoded first.
_ACTIVE = re.compile(r"[@#\[](?=\w)")
_NO_WIDTH = "\u200b"
_CONTROL = dict.fromkeys(
    [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], " "
)


def harmless(text: str) -> str:
    """A text from outside on one line, so that a forge finds nothing in it to act on, and a terminal neither."""
    return _ACTIVE.sub(lambda found: found[0] + _NO_WIDTH, text.translate(_CONTROL))


def left_out(one: LeftOut) -> str:
    """The sentence about a pending intent that the base refuses."""
    return f"left out: {subject(one.line.intent)} ({one.line.id}): {one.reason}"


def _left_out_row(one: LeftOut) -> tuple[str, ...]:
    return (f"{subject(one.line.intent)} ({one.line.id})", one.reason)


def nothing_left(base: str) -> str:
    """The comment on a pull request that is closed because it would be empty."""
    return f"Nothing is left to change: `{base}` holds all of this already, or refuses it. Closed by `release`."


def conflict(branch: str, base: str, paths: Sequence[str]) -> str:
    """The comment on a pull request whose branch, with a person's commits, conflicts with the base."""
    listed = ", ".join(f"`{path}`" for path in paths)
    return (
        f"`release` can't carry on here: merging `{base}` into `{branch}` conflicts in {listed}, and this branch holds "
        f"commits of a person, which are never thrown away. Merge `{base}` by hand, or close this pull request; "
        "the next operation then opens a new one."
    )


# -- the pull request -------------------------------------------------------------------------------------------------


class PullRequestText(NamedTuple):
    """Title and body (Markdown) of a pull request."""

    title: str
    body: str


class Proposed(NamedTuple):
    """What a pull request brings.

    Attributes:
        title: the environment, with its service where there are several.
        lines: all lines that it brings.
        kept: the live versions that stay, with reasons.
        waiting: the quarantined and retired versions that stay as they are, with reasons.
        ending: the pins that end within a week: name, tag, the last day.
        refused: pending intents that the base refuses.
        manifests: the difference of the rendered manifests.
    """

    title: str
    lines: Sequence[Line]
    kept: Sequence[Kept] = ()
    waiting: Sequence[Kept] = ()
    ending: Sequence[tuple[str, str, str]] = ()
    refused: Sequence[LeftOut] = ()
    manifests: Sequence[ObjectChange] | None = None


def pull_request(proposed: Proposed) -> PullRequestText:
    """Title and body of a pull request."""
    version = ("version", "tag", "why")
    parts = [_changes(proposed.lines)]
    parts += _section("What stays live", version, map(_kept_row, proposed.kept))
    parts += _section("Deployed without a route", version, map(_kept_row, proposed.waiting))
    parts += _section("Pins that end within a week", ("version", "tag", "last day"), proposed.ending)
    parts += _section("Left out", ("operation", "why"), map(_left_out_row, proposed.refused))
    parts += _section("Gates", ("promotion", "gate", "verdict", "why"), _gate_rows(proposed.lines))
    parts += [_operations(proposed.lines), _notice()]
    body = "\n\n".join(parts)
    return PullRequestText(title(proposed.title, proposed.lines), _with_manifests(body, proposed.manifests))


def _section(heading: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A heading and a table; nothing where there is no row."""
    found = list(rows)
    return [f"### {heading}\n\n{table(head, found)}"] if found else []


def _gate_rows(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    return [
        (subject(line.intent), gate.name, gate.verdict, gate.reason) for line in lines for gate in line.intent.gates
    ]


def _changes(lines: Sequence[Line]) -> str:
    rows = [_change_row(change) for line in lines for change in line.changes]
    text = "### What changes\n\n" + table(("", "version", "tag", "why"), rows)
    adopted = [_change_row(change) for line in lines for change in line.adopted]
    if adopted and any(change.action != "add" for line in lines for change in line.adopted):
        text += "\n\nAdopted into the record (people changed it by hand):\n\n"
        text += table(("", "version", "tag", "why"), adopted)
    return text


def _change_row(change: Change) -> tuple[str, ...]:
    why = change.reason
    if change.action == "set-default" and change.before is not None:
        why = f"{why} (was {change.before})"
    return (change.action, change.version, change.tag, why)


def _kept_row(kept: Kept) -> tuple[str, ...]:
    return (kept.version, kept.tag, kept.reason)


def _operations(lines: Sequence[Line]) -> str:
    rows = []
    for line in lines:
        intent = line.intent
        source = ", ".join(f"{key} {value}" for key, value in intent.provenance.items())
        rows.append((subject(intent), str(intent.arguments.get("reason", "")), intent.by, intent.run, source))
    return "### Operations\n\n" + table(("operation", "reason", "by", "run", "from"), rows)


def _notice() -> str:
    return (
        "Names that are new here are provisional until this lands. Every operation makes this pull request again on "
        "the tip of its base; commits of your own on this branch are kept, and end that."
    )


def _with_manifests(body: str, manifests: Sequence[ObjectChange] | None) -> str:
    """The rendered difference at the end, object by object, as far as the limit allows."""
    if len(body) > BODY_LIMIT:
        return body[:BODY_LIMIT] + "\n\n… cut here; the record of the environment holds all.\n"
    if manifests is None:
        return body
    if not manifests:
        return f"{body}\n\n### Manifests\n\nNo rendered object changes.\n"
    listed = [f"- {change.action} `{change.key}`" for change in manifests]
    body = f"{body}\n\n### Manifests\n\n" + "\n".join(listed) + "\n"
    for change in manifests:
        text = object_difference(change)
        fence = "`" * 3
        while fence in text:
            fence += "`"
        folded = (
            f"\n<details><summary>{change.action} {cell(str(change.key))}</summary>\n\n"
            f"{fence}diff\n{text.rstrip()}\n{fence}\n\n</details>\n"
        )
        if len(body) + len(folded) > BODY_LIMIT:
            return f"{body}\nThe rest is too long for this place: `release diff` shows all of it.\n"
        body += folded
    return body


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; every cell is escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows[:_MOST_ROWS]]
    if len(rows) > _MOST_ROWS:
        lines += ["", f"… and {len(rows) - _MOST_ROWS} more; the record of the environment holds all."]
    return "\n".join(lines)


_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "|": "&#124;",
        "`": "&#96;",
        "[": "&#91;",
        "]": "&#93;",
        "*": "&#42;",
        "_": "&#95;",
        "#": "&#35;",
        "\\": "&#92;",
        "~": "&#126;",
        "!": "&#33;",
        "$": "&#36;",
        "\r": " ",
        "\n": " ",
    }
)


def cell(text: str) -> str:
    """A text from outside, so that it can't break out of its cell, mention people or inject Markdown or HTML."""
    text = text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "…"
    return text.translate(_CONTROL).translate(_ESCAPES).replace("@", f"@{_NO_WIDTH}")
