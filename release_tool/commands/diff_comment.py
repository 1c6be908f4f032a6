"""`release diff` over several environments, and the one comment on a pull request that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands import render
from release_tool.config import title_of
from release_tool.errors import Refused, ReleaseError, TryAgain
from release_tool.forges.base import KeepsComments
from release_tool.manifests import difference_text
from release_tool.pull_request.comment import comment as comment_text
from release_tool.pull_request.flavour import adapted
from release_tool.remote.snapshot import take_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.manifests import ObjectChange
    from release_tool.model.records import CommitId
    from release_tool.remote.snapshot import Snapshot
    from release_tool.remote.tool import Tool

MARKER = "<!-- release: difference of the manifests -->"
"""By its first line the comment is found again."""


class Difference(NamedTuple):
    """The difference of the manifests of one environment."""

    environment: str
    service: str  # the service; empty: the only one
    changes: tuple[ObjectChange, ...] | None = None  # object by object; None where nothing is pending
    error: ReleaseError | None = None  # why there is none: the files break a rule, or the chart fails to render them

    @property
    def title(self) -> str:
        """The environment, with its service where there are several."""
        return title_of(self.environment, self.service)


def run(tool: Tool, ref: str | None = None, service: str = "") -> list[Difference]:
    """The differences of all environments.

    Args:
        ref: a branch of the remote: what merging it into the base would change; None: each environment's own branch.
        service: the service; empty: all of them.
    """
    snapshots = take_all(tool, service)
    merged = None if ref is None else _merged(tool, snapshots[0], ref)
    return [_one(tool, snapshot, name, merged) for snapshot in snapshots for name in snapshot.config.environments]


def _one(tool: Tool, snapshot: Snapshot, name: str, merged: CommitId | None) -> Difference:
    service = snapshot.config.service
    try:
        if merged is None:
            return Difference(name, service, render.diff_in(tool, snapshot, name))
        return Difference(name, service, render.diff_at(tool, snapshot, name, merged))
    except TryAgain:
        raise
    except ReleaseError as error:
        return Difference(name, service, error=error)


def _merged(tool: Tool, snapshot: Snapshot, ref: str) -> CommitId:
    """What the base would become; its own tip where it holds the branch already."""
    repository, onto = tool.repository, snapshot.base
    commit = render.branch_tip(tool, snapshot, ref)
    fork = repository.merge_base(onto, commit)
    if fork in {onto, commit}:
        return commit if fork == onto else onto
    merged = repository.merge(onto, commit)
    if merged.tree is None:
        raise Refused(
            f"{ref} conflicts with {snapshot.config.base} in {', '.join(merged.conflicts)}",
            where=tool.repository.display_url,
            hint=f"merge {snapshot.config.base} into it; `release sync` makes a release branch again",
        )
    return repository.commit([onto, commit], merged.tree, {}, f"Merge {ref}", when=tool.now())


def comment(tool: Tool, number: int, differences: Sequence[Difference], *, kept: bool) -> None:
    """Keep the one comment about the manifests on a pull request up to date.

    Args:
        differences: what `run` found; without any, a comment that isn't there yet is not made.
        kept: whether the differences are among the artifacts of a run.
    """
    forge = tool.forge(take_all(tool)[0].config)
    if not isinstance(forge, KeepsComments):
        raise Refused(f"the forge `{forge.capabilities.kind}` keeps no comment up to date", hint="leave --comment out")
    nothing = not any(one.changes or one.error for one in differences)
    where = "`release diff` and the artifacts of the run show it" if kept else "`release diff` shows it"
    texts = [(one.title, difference_text(one.changes or ()), str(one.error or "")) for one in differences]
    can = forge.capabilities
    text = adapted(comment_text(MARKER, texts, where), can.flavour, can.flavour.comment, can.title)
    forge.keep_comment(number, MARKER, text, only_if_there=nothing)
