"""When a commit landed in the base, as far as anybody can prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError, TryAgain
from release_tool.git.objects import MissingObject
from release_tool.model import history
from release_tool.remote import past
from release_tool.remote.ownership import BASE_TRAILER

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from release_tool.forges.base import Forge
    from release_tool.git.repository import Repository, WalkStep
    from release_tool.model.records import CommitId, Line
    from release_tool.remote.snapshot import Files, Snapshot

_BELOW = 50  # so many commits of people are followed down to what they stand on


class Landings:
    """Tells the landing of a step of the base; None where it may be later than the commit's own time.

    `forge` is asked for once something is looked up.
    """

    def __init__(self, repository: Repository, forge: Callable[[], Forge]) -> None:
        self._repository = repository
        self._forge = forge

    def __call__(self, step: WalkStep) -> datetime | None:
        forge = self._forge()
        merged = forge.landed_at(step.commit)
        if merged is None and (forge.capabilities.knows_landings or not self._may_have_waited(step.commit, forge)):
            return step.committed_at
        return merged

    def _may_have_waited(self, commit: CommitId, forge: Forge) -> bool:
        """Whether a commit may have stood on a branch before: a fast-forward keeps its time."""
        # A merge is made when it lands, unless it takes the base into a branch; so is what the tool pushes straight.
        for _ in range(_BELOW):
            try:
                info = self._repository.commit_info(commit)
            except MissingObject:  # the history is cut here
                return not forge.capabilities.proposes
            if f"\n{BASE_TRAILER}: " in info.message:
                return True
            if len(info.parents) != 1 or info.operations:
                return False
            if not forge.capabilities.proposes:  # pull requests are elsewhere, and nobody tells how they are merged
                return True
            commit = info.parents[0]  # a person's on a release branch lands with the tool's commit below it
        return False


def recorded(repository: Repository, snapshot: Snapshot, files: Files) -> list[Line]:
    """The lines of an environment that can be read: those that have landed, then those that wait on its branches."""
    lines = list(history.readable_lines(files.record))
    for name in (files.place.branch, files.place.downgrade_branch):
        tip = snapshot.refs.branch(name)
        try:
            data = b"" if tip is None else past.record_at(repository, snapshot, files.place, tip)[1]
        except TryAgain:
            raise
        except ReleaseError:  # a link in its place
            data = b""
        lines += history.readable_lines(data.decode("utf-8", "replace"))
    return lines
