"""Where files are read: at a commit of the repository, or in somebody's working tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_tool.git.repository import Repository
    from release_tool.git.working_tree import WorkingTree
    from release_tool.model.records import CommitId


class Source(Protocol):
    """Files of one moment. Symbolic links and submodules are refused, never followed."""

    @property
    def title(self) -> str:
        """What to call it in messages."""

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The files that exist, path -> content; a missing one is absent."""

    def paths(self, directory: str) -> list[str]:
        """All files below a directory, recursively, sorted."""


class AtCommit:
    """The files at a commit that was fetched."""

    def __init__(self, repository: Repository, commit: CommitId) -> None:
        self._repository = repository
        self._commit = commit

    @property
    def title(self) -> str:
        """Remote and commit."""
        return f"{self._repository.display_url} {self._commit[:12]}"

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """See `Source`."""
        return self._repository.read(self._commit, paths)

    def paths(self, directory: str) -> list[str]:
        """See `Source`."""
        return list(self._repository.files(self._commit, [directory]))


class InTree:
    """The files of a working tree as they are on disk."""

    def __init__(self, tree: WorkingTree) -> None:
        self._tree = tree

    @property
    def title(self) -> str:
        """The directory."""
        return str(self._tree.top)

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """See `Source`."""
        return self._tree.read(paths)

    def paths(self, directory: str) -> list[str]:
        """See `Source`."""
        return self._tree.files(directory)
