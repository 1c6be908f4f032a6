"""`release render ENV` and `release diff ENV`: the manifests, and their difference from the base branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool import manifests
from release_tool.errors import ReleaseError
from release_tool.remote.branch import look
from release_tool.remote.rendering import Renderings
from release_tool.remote.snapshot import AtCommit, read_files, take

if TYPE_CHECKING:
    from release_tool.manifests import ObjectChange
    from release_tool.model.records import CommitId
    from release_tool.remote.snapshot import Files, Snapshot
    from release_tool.remote.tool import Tool


def run(tool: Tool, environment: str, ref: str | None = None, service: str = "") -> str:
    """The manifests of an environment.

    Args:
        ref: a branch of the remote; None: the base branch.
        service: the service; empty: the only one.
    """
    snapshot = take(tool, service)
    files = snapshot.files[snapshot.config.environment(environment).name]
    if ref is not None:
        files = _files_at(tool, snapshot, environment, branch_tip(tool, snapshot, ref))
    files.tag_file()  # a file that breaks a rule is refused before Helm stumbles over it
    return _renderings(tool, snapshot).render(files)


def diff(tool: Tool, environment: str, ref: str | None = None, service: str = "") -> tuple[ObjectChange, ...] | None:
    """The difference of the manifests from the base branch.

    Args:
        ref: a branch of the remote; None: the rolling branch of the environment.
        service: the service; empty: the only one.

    Returns:
        None where there is no such rolling branch, or nothing pending on it.
    """
    return diff_in(tool, take(tool, service), environment, ref)


def diff_in(
    tool: Tool, snapshot: Snapshot, environment: str, ref: str | None = None
) -> tuple[ObjectChange, ...] | None:
    """The difference of the manifests from the base branch, at one moment of the remote; see `diff`."""
    place = snapshot.config.place(environment)
    if ref is None:
        branch = look(tool.repository, tool.forge(snapshot.config), snapshot, place)
        if branch.tip is None or not (branch.pending or branch.append_only):
            return None
        commit = branch.tip
    else:
        commit = branch_tip(tool, snapshot, ref)
    return diff_at(tool, snapshot, environment, commit)


def diff_at(tool: Tool, snapshot: Snapshot, environment: str, commit: CommitId) -> tuple[ObjectChange, ...]:
    """The difference of the manifests from the base branch to the files of a commit."""
    files = _files_at(tool, snapshot, environment, commit)
    files.tag_file()  # a file that breaks a rule is refused before Helm stumbles over it
    renderings, present = _renderings(tool, snapshot), snapshot.files[environment]
    before, after = renderings.both(present, files)
    return manifests.difference(renderings.steady(before, present).rendering, renderings.steady(after, files).rendering)


def _renderings(tool: Tool, snapshot: Snapshot) -> Renderings:
    return Renderings(snapshot.source, snapshot.config, tool.renderer(snapshot.config))


def branch_tip(tool: Tool, snapshot: Snapshot, ref: str) -> CommitId:
    """The tip of a branch of the remote, fetched."""
    commit = snapshot.refs.branch(ref.removeprefix("refs/heads/"))
    if commit is None:
        raise ReleaseError(
            f"the remote has no branch {ref!r}", where=tool.repository.display_url, hint="push it, or correct its name"
        )
    tool.repository.fetch(commit)
    return commit


def _files_at(tool: Tool, snapshot: Snapshot, environment: str, commit: CommitId) -> Files:
    return read_files(AtCommit(tool.repository, commit), [snapshot.config.place(environment)])[environment]
