"""`release pulls list|show|merge|close`: the pull requests of the repository, on every forge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.commands import check
from release_tool.errors import Refused
from release_tool.remote.snapshot import AtCommit, take_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.forges.base import Forge
    from release_tool.model.records import CommitId, PullRequest
    from release_tool.remote.tool import Tool


def _forge(tool: Tool) -> Forge:
    return tool.forge(take_all(tool)[0].config)


def listed(tool: Tool, state: str) -> Sequence[PullRequest]:
    """Pull requests, newest first."""
    return _forge(tool).list(state)


def shown(tool: Tool, number: int) -> PullRequest:
    """One pull request."""
    return _forge(tool).get(number)


def closed(tool: Tool, number: int, comment: str) -> PullRequest:
    """Close a pull request without merging it."""
    return _forge(tool).close(number, comment)


def merged(tool: Tool, number: int, method: str) -> PullRequest:
    """Merge a pull request, once `release check` finds nothing wrong with what the base would become."""
    snapshot = take_all(tool)[0]
    before = AtCommit(tool.repository, snapshot.base)

    def right(commit: CommitId) -> None:
        report = check.run(AtCommit(tool.repository, commit), tool.config_path, tool.renderer, before, tool.now())
        if report.findings:
            first = report.findings[0]
            more = f" (and {len(report.findings) - 1} more)" if len(report.findings) > 1 else ""
            raise Refused(
                f"the merge would break the base branch: {first.what}{more}",
                where=first.where,
                hint=first.hint or "correct the pull request's branch; `release check --ref BRANCH` shows all findings",
                page="reference/commands/check.md#the-merge-result",
            )

    return tool.forge(snapshot.config).merge(number, method, right)
