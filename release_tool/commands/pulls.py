"""`release pulls list|show|merge|close`: the pull requests of the repository, on every forge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.commands import check
from release_tool.errors import Refused
from release_tool.forges.none import NoForge
from release_tool.remote.snapshot import AtCommit, take_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.forges.base import Forge
    from release_tool.model.records import CommitId, PullRequest
    from release_tool.remote.tool import Tool


def _forge(tool: Tool) -> Forge:
    return tool.forge(take_all(tool)[0].config)


def listed(tool: Tool, state: str) -> tuple[Sequence[PullRequest], str]:
    """Pull requests, newest first; and where no forge is known, what to do for one."""
    forge = _forge(tool)
    return forge.list(state), forge.advice if isinstance(forge, NoForge) else ""


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

    forge = tool.forge(snapshot.config)
    _demand(forge, number, method)
    return forge.merge(number, method, right)


def _demand(forge: Forge, number: int, method: str) -> None:
    """Refused where the forge doesn't merge, or not in this way."""
    can = forge.capabilities
    if not can.proposes or method in can.methods:
        return
    if not can.methods:
        pull = forge.get(number)
        raise Refused(f"{can.title} leaves merging to people", where=pull.url, hint=f"merge {pull.name} there")
    raise Refused(
        f"{can.title} doesn't merge by {method}",
        hint=f"possible: {', '.join(f'--method {one}' for one in can.methods)}",
        page="forges/index.md",
    )
