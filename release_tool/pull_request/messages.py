"""Commit messages, titles, short comments: all that a push to the base needs; `compose` makes the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.model.records import DowngradeArguments, PromoteArguments, UndoArguments
from release_tool.model.versions import tag_part
from release_tool.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from release_tool.model.records import Change, Evidence, Intent, Line, Name
    from release_tool.rules.plan import LeftOut

TRAILER = "Release-Operation"
TREE_TRAILER = "Release-Tree"

BRANCH_DELETED = "The branch of this pull request was deleted. Closed by `release`."

_MANY = 5  # tags that a title lists
_LONGEST_LIST = 160  # characters of them: GitHub takes 256 for a title, and a tag may have 128


def title(environment: str, lines: Sequence[Line]) -> str:
    """One line for a commit or a pull request, each tag with its verb: `devel: bump v1.0.5, v1.0.6, retire v1.0.2`.

    What comes and goes again is left out. A downgrade says what it leaves, and what it goes back to; an undo, of what.
    """
    found = list(dict.fromkeys(_named(lines))) or list(dict.fromkeys(item for one in lines for item in _named([one])))
    shown = found[:_MANY]
    while len(shown) > 1 and len(_listed(shown)) > _LONGEST_LIST:
        shown.pop()
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    operations = {line.intent.operation for line in lines}
    listed = _listed(shown)[:_LONGEST_LIST] or (operations.pop() if len(operations) == 1 else "")
    return f"{environment}: {listed}{more}".rstrip()


def _listed(items: Sequence[tuple[str, str]]) -> str:
    """Verbs and what they are about, a verb once for all that follow it."""
    return ", ".join(
        about if number and items[number - 1][0] == verb else f"{verb} {about}"
        for number, (verb, about) in enumerate(items)
    )


def _named(lines: Sequence[Line]) -> Iterator[tuple[str, str]]:
    """The verb of each operation, and the tags that it adds, else those that it is about."""
    came: set[Name] = set()
    gone: set[Name] = set()
    for change in (change for line in lines for change in line.changes):
        if change.action in {"add", "deploy", "restore"}:
            came.add(change.version)
            gone.discard(change.version)
        elif change.action in {"retire", "remove"} and change.version in came:
            gone.add(change.version)
    for line in lines:
        changes = [change for change in line.changes if change.version not in gone]
        changes = [change for change in changes if not change.sweep or line.intent.operation == "cleanup"] or (
            changes if len(lines) == 1 else []
        )
        abouts = _tags(changes)
        said = line.intent.arguments
        if abouts and line.intent.operation == "downgrade":
            to = next((f" to {tag_part(one.tag)}" for one in line.changes if one.action == "set-default"), "")
            abouts = [f"{tag_part(line.intent.tag)}{to}"]
        elif abouts and isinstance(said, UndoArguments) and said.what:
            abouts = [said.what]
        yield from ((line.intent.operation, harmless(about)) for about in abouts)


def _tags(changes: Sequence[Change]) -> list[str]:
    """The tags that some changes add, else those that they are about, in order."""
    for actions in (
        {"add", "deploy", "restore"},
        {"set-default"},
        {"retire", "remove", "pin", "unpin", "quarantine", "clear"},
    ):
        found = [tag_part(change.tag) for change in changes if change.action in actions]
        if found:
            return list(dict.fromkeys(found))
    return []


def subject(intent: Intent | None) -> str:
    """An operation in a few words: `bump v1.0.5`; `sync` where there is none of its own."""
    if intent is None:
        return "sync"
    said, about = intent.arguments, intent.tag
    if isinstance(said, UndoArguments):
        about = said.what
    elif isinstance(said, PromoteArguments):
        about = f"{about} from {said.source}"
    elif isinstance(said, DowngradeArguments) and said.to_tag:
        about = f"{about} to {said.to_tag}"
    return f"{intent.operation} {about}" if about else intent.operation


def commit_message(environment: str, lines: Sequence[Line], tree: str) -> str:
    """The message of the commit that brings some lines, with a trailer for each, and one for its tree.

    A commit that a person amended has another tree.
    """
    parts = [title(environment, lines), ""]
    for line in lines:
        parts += [f"- {change_text(change)}" for change in line.changes]
        parts += [f"- no effect: {harmless(line.no_effect)}"] if line.no_effect else []
        parts += [f"- {_row_text(row)}" for row in line.intent.evidence]
    parts += ["", *(f"{TRAILER}: {line.id}" for line in lines), f"{TREE_TRAILER}: {tree}", ""]
    return "\n".join(parts)


def _row_text(row: Evidence) -> str:
    """One verdict as a phrase: `v5 unhealthy by errors: 0.21 is more than 0.05 ▁▁▆█`."""
    said = f"{row.version} {row.health} by {row.check}: {row.reason}"
    return harmless(" ".join(filter(None, (said, row.trend, row.at and f"({row.at})"))))


def change_text(change: Change) -> str:
    """One change as a phrase: `retire v1 (v1.0.1): keep 4: five live`."""
    return f"{change.action} {change.version} ({change.tag}): {harmless(change.reason)}"


# What a forge acts on when it reads a message: mentions (`@alice`, Azure DevOps: `@<id>`), issues that it closes (`#1`,
# `GH-1`, or their URL), pull requests and epics (`!1`, `&1`), marks for CI (`[skip ci]`, `***NO_CI***`,
# `skip-checks: true`). A character of no width breaks them, as other tools of the field do it; an HTML entity doesn't:
# it is decoded first.
_ACTIVE = re.compile(
    r"[@#\[](?=\w)|@(?=<)|[!&](?=\d)|gh-(?=\d)|/(?:issues|pull|merge_requests|work_items|epics)/(?=\d)"
    r"|\*{3}(?=NO_CI)|skip-(?=checks:)",
    re.IGNORECASE,
)
NO_WIDTH = "\u200b"


def harmless(text: str) -> str:
    """A text from outside on one line, so that a forge finds nothing in it to act on, and a terminal neither."""
    return _ACTIVE.sub(lambda found: found[0] + NO_WIDTH, one_line(text))


def left_out(one: LeftOut) -> str:
    """The sentence about a pending intent that has no effect."""
    word = "without effect for now" if one.line.no_effect else "left out"
    return f"{word}: {subject(one.line.intent)} ({one.line.id}): {one.reason}"


def nothing_left(base: str, gone: Sequence[LeftOut]) -> str:
    """The comment on a pull request that is closed because it would be empty; `gone`: what can't be applied."""
    if not gone:
        return f"Nothing is left to change: `{base}` holds all of this already. Closed by `release`."
    reasons = "".join(f"\n- {harmless(left_out(one))}" for one in gone)
    return (
        f"Nothing is left to change. These operations can't be applied, and are not tried again:\n{reasons}\n\n"
        "Closed by `release`."
    )


def carried_over(to: str, pull: str) -> str:
    """The comment on a pull request whose environment has another branch today."""
    where = f"pull request {pull} (`{to}`)" if pull else f"the branch `{to}`"
    return (
        f"`release.yaml` gives this environment another branch today: all of this went to {where}. Closed by `release`."
    )


def went_on(branch: str, to: str, operations: Iterable[str]) -> str:
    """The message of the commit that takes off a branch what goes on under another name."""
    trailers = [f"{TRAILER}: {one}" for one in operations]
    return "\n".join([f"{branch} goes on as {to}", "", *trailers, ""])


def conflict(branch: str, base: str, paths: Sequence[str]) -> str:
    """The comment on a pull request whose branch, with a person's commits, conflicts with the base."""
    listed = ", ".join(f"`{path}`" for path in paths)
    return (
        f"`release` can't carry on here: merging `{base}` into `{branch}` conflicts in {listed}, and this branch holds "
        f"commits of a person, which are never thrown away. Merge `{base}` by hand, or close this pull request; "
        "the next operation then opens a new one."
    )


def uprooted(branch: str, base: str) -> str:
    """The comment on a pull request whose branch, with a person's commits, stands on a base that was forced away."""
    return (
        f"`release` can't carry on here: `{base}` was forced to another history, or commits on `{branch}` don't tell "
        "whose they are, and the branch holds commits of a person, which are never thrown away. Rebase the branch by "
        f"hand (`git rebase -i origin/{base}`: leave out what was forced out of `{base}`, put people's commits above "
        "those of `release`) and push it, or close this pull request; the next operation then opens a new one."
    )
