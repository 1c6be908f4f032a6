"""Walks along the first parents, each with the files that its caller will read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from datetime import datetime

    from release_tool.git.files import Files
    from release_tool.git.history import History
    from release_tool.git.objects import Step
    from release_tool.git.remote import Remote
    from release_tool.model.records import CommitId

_FEW, _MANY = 32, 1024
"""For so many commits the missing files come in one request, at first and in the end."""


class Walks:
    """The walks of one repository; what they still run ends with it."""

    def __init__(self, remote: Remote, history: History, files: Files) -> None:
        self._remote = remote
        self._history = history
        self._files = files
        self._open: list[Generator[Step, None, None]] = []

    def close(self) -> None:
        """Ends what still runs."""
        for walk in self._open:
            walk.close()

    def first_parent(
        self, tip: CommitId, paths: Sequence[str], since: datetime | None
    ) -> Iterator[tuple[CommitId, datetime]]:
        """See `Repository.first_parent`."""
        # The caller will read the files of each: where they are missing, not with one request for each.
        chunk = _FEW if self._remote.partial else 1
        for run in self._history.first_parent(tip, paths, since, chunk):
            if self._remote.partial:
                self._files.prefetch([info.id for info in run], paths)
            yield from ((info.id, info.committed_at) for info in run)

    def touching(self, tip: CommitId, paths: Sequence[str], since: datetime | None) -> Iterator[Step]:
        """See `Repository.touching`."""
        walk = self._touching(tip, paths, since)
        self._open.append(walk)
        return walk

    def _touching(self, tip: CommitId, paths: Sequence[str], since: datetime | None) -> Generator[Step, None, None]:
        partial = self._remote.partial
        chunks = (_FEW, _MANY) if partial else (1, 1)
        for run in self._history.touching(tip, paths, since, *chunks):
            if partial:
                made = [blob for step in run for blobs in step.files.values() for blob in blobs if blob is not None]
                self._files.bring(made, [step.commit for step in run])
            yield from run
