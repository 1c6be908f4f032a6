"""What `release pulls` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.report.terminal import table
from release_tool.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.model.records import PullRequest


def short_data(shown: PullRequest | None) -> dict[str, Any] | None:
    """One pull request in short, as JSON."""
    return None if shown is None else {"number": shown.number, "name": shown.name, "url": shown.url}


def pull_data(shown: PullRequest) -> dict[str, Any]:
    """One pull request as JSON."""
    return {
        "number": shown.number,
        "name": shown.name,
        "state": shown.state,
        "title": shown.title,
        "head": shown.head,
        "base": shown.base,
        "head_commit": shown.head_commit,
        "merge_commit": shown.merge_commit,
        "url": shown.url,
        "labels": list(shown.labels),
        "body": shown.body,
        "comments": list(shown.comments),
    }


def pulls_text(pulls: Sequence[PullRequest], width: int | None = None) -> str:
    """Pull requests, a line each where they fit."""
    return "\n".join(table([(one.name, one.state, one.head, one.title) for one in pulls], width, ""))


def pull_text(shown: PullRequest) -> str:
    """One pull request, whole."""
    from release_tool.pull_request.markdown import on_terminal  # what else imports this module needs none of it

    lines = [f"{shown.name} {shown.title}", f"{shown.state}: {shown.head} -> {shown.base}", ""]
    lines += on_terminal(shown.body.rstrip())
    for comment in shown.comments:
        lines += ["", f"> {comment}"]
    return "\n".join(map(one_line, lines))
