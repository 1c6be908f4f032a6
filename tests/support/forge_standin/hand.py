"""What people do to a repository with git, and in a forge's web editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from forge_standin.bare import Bare, Person


class GitHand:
    """Somebody at work in one repository; a forge's own buttons are in a subclass.

    Attributes:
        who: whom commits name.
        web: the committer of what the web editor makes.
    """

    default_branch: str

    def __init__(self, bare: Bare, who: Person, web: Person, now: Callable[[], datetime]) -> None:
        self.bare = bare
        self.who = who
        self.web = web
        self.now = now

    def at_work(self) -> AbstractContextManager[None]:
        """Nobody else changes anything meanwhile; what was done has its consequences at once."""
        raise NotImplementedError

    def notice(self) -> None:
        """What was written into the repository itself has its consequences."""
        with self.at_work():
            pass

    def edit(self, branch: str, files: dict[str, str | bytes | None], message: str = "Edit in the browser") -> str:
        """The web editor: a commit on a branch (None deletes a file); a branch that isn't there starts at the default."""
        with self.at_work():
            return self._commit(branch, files, message, self.web)

    def push(self, branch: str, files: dict[str, str | bytes | None], message: str = "A person's push") -> str:
        """A commit made with git and pushed."""
        with self.at_work():
            return self._commit(branch, files, message, self.who)

    def force_push(self, branch: str, to: str, files: dict[str, str | bytes | None] | None = None) -> str:
        """Sets a branch to another commit (`main~2`), with a commit on top if files are given."""
        with self.at_work():
            bare = self.bare
            commit = bare.commit(to)
            assert commit is not None, to
            if files:
                tree = bare.edited_tree(commit, files)
                commit = bare.write(tree, [commit], "Another history", self.who, self.who, self.now())
            bare.move(f"refs/heads/{branch}", commit)
            return commit

    def _commit(self, branch: str, files: dict[str, str | bytes | None], message: str, committer: Person) -> str:
        bare = self.bare
        tip = bare.tip(branch) or bare.tip(self.default_branch)
        assert tip is not None, "the repository is empty"
        commit = bare.write(bare.edited_tree(tip, files), [tip], message, self.who, committer, self.now())
        bare.move(f"refs/heads/{branch}", commit)
        return commit
