"""Strays carried over: what waits on them is planned again on the branch of today, and they are closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import Refused
from release_tool.git.repository import Stale
from release_tool.model.records import RefUpdate
from release_tool.pull_request import messages
from release_tool.remote import strays
from release_tool.remote.ownership import BASE_TRAILER

if TYPE_CHECKING:
    from release_tool.model.records import CommitId
    from release_tool.publishing.attempt import Work
    from release_tool.remote.branch import Branch
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.strays import Stray
    from release_tool.remote.tool import Tool


def joined(work: Work, branch: Branch) -> Branch:
    """A branch with what waits on the strays that the call names."""
    found = strays.find(work.repository, work.tool.forge, work.snapshot)
    lines = [line for one in found if one.name in work.invocation.carries for line in one.pending]
    if not lines:
        return branch
    if branch.append_only:
        raise Refused(
            f"the branch {branch.name} holds a person's commits, and more waits to go on with it",
            where=branch.name,
            cause=f"it waits on {', '.join(sorted(work.invocation.carries))}, which release.yaml names no more",
            hint=f"merge or close what waits on {branch.name}, then run `release sync`",
            page="explanation/publishing.md#what-people-may-do-to-it",
        )
    # In the order in which they were asked for; the sort is stable, so each branch keeps its own order.
    return branch._replace(pending=tuple(sorted((*lines, *branch.pending), key=lambda line: line.at)), carried=True)


def settled(tool: Tool, snapshot: Snapshot, stray: Stray) -> str:
    """Close a stray with nothing that waits on it: its pull request with a sentence, then the branch itself.

    Returns:
        What was done, in a sentence; empty: somebody else was faster.
    """
    forge, base = tool.forge(snapshot.config), snapshot.config.base
    shown, tip = stray.pull_request, stray.tip
    goes_on = forge.find_open(stray.target, base) if stray.moved and stray.target else None
    try:
        if stray.moved and shown is not None:
            tip = _emptied(tool, snapshot, stray)
    except Stale:  # somebody pushed to it
        return ""
    if shown is not None:
        went = messages.carried_over(stray.target, goes_on.name if goes_on else "")
        forge.close(shown.number, went if stray.moved else messages.nothing_left(base, ()))
    try:
        tool.repository.push([RefUpdate(f"refs/heads/{stray.name}", tip, None)])
    except Stale:
        return ""
    closed = f"pull request {shown.name} is closed, and " if shown else ""
    where = f"pull request {goes_on.name} ({stray.target})" if goes_on else f"the branch {stray.target}"
    why = f"what waited on it went to {where}" if stray.moved else "nothing was pending on it"
    return f"{closed}branch {stray.name} is deleted: {why}"


def _emptied(tool: Tool, snapshot: Snapshot, stray: Stray) -> CommitId:
    """Take off the branch what went to another one: a pull request that is closed with it would be a "no" to it."""
    # On what the branch was made on: there the configuration still says whose it was, should this call end here.
    repository = tool.repository
    made_on = repository.merge_base(snapshot.base, stray.tip) or snapshot.base
    operations = [one for commit in repository.commits(snapshot.base, stray.tip) for one in commit.operations]
    message = messages.went_on(stray.name, stray.target, dict.fromkeys(operations))
    message += f"{messages.TREE_TRAILER}: {repository.commit_info(made_on).tree}\n{BASE_TRAILER}: {made_on}\n"
    commit = repository.commit([made_on], made_on, {}, message, when=tool.now())
    repository.push([RefUpdate(f"refs/heads/{stray.name}", stray.tip, commit)])
    return commit
