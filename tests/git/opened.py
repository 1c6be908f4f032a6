"""Repositories that see the origin's refs and hold some of its commits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from origin import Origin

from release_tool.git.repository import Repository
from release_tool.model.records import CommitId


def fetched(repository: Repository, *commits: CommitId) -> CommitId:
    """Sees all branches and fetches the tip of `main`, or the commits that are named; the tip."""
    tip = repository.refs("refs/heads/*").branch("main")
    assert tip is not None
    repository.fetch(*(commits or (tip,)))
    return tip


def touched(repository: Repository, tip: CommitId, paths: Sequence[str]) -> Iterator[tuple[CommitId, datetime]]:
    """The first-parent commits that touch some files, newest first, with their committer times; lazy."""
    return ((step.commit, step.committed_at) for step in repository.touching(tip, paths) if step.files)


class Late:
    """A repository that is opened when the origin has its commits."""

    def __init__(self, origin: Origin, path: Path, kind: str, *, depth: int) -> None:
        self.origin = origin
        self.repository: Repository | None = None
        self._path, self._kind, self._depth = path, kind, depth

    def open(self) -> Repository:
        if self.repository is None:
            options = [f"--depth={self._depth}"] if self._kind == "shallow" else []
            clone = None if self._kind == "URL" else self.origin.clone(self._path, *options)
            self.repository = Repository.open(clone, None if clone else self.origin.url)
        return self.repository

    def at(self, *commits: CommitId) -> Repository:
        """Opened, with refs seen and commits fetched."""
        fetched(self.open(), *commits)
        return self.open()
