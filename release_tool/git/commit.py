"""New commits in the private store: who commits, signatures, merges and replays. Nothing here leaves the store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.git.errors import complaint
from release_tool.git.objects import TreeId, commit_body, stamp
from release_tool.git.store import is_true, last
from release_tool.model.records import CommitId

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from release_tool.git.remote import Remote
    from release_tool.git.store import Setting


class Merged(NamedTuple):
    """What a merge came to.

    Attributes:
        tree: the merged tree; None where files conflict.
        conflicts: the paths that conflict.
    """

    tree: TreeId | None
    conflicts: tuple[str, ...] = ()


class Committer:
    """Makes commits as the user that git's configuration and environment name."""

    def __init__(self, remote: Remote, settings: Sequence[Setting]) -> None:
        self._remote = remote
        self._settings = settings

    def commit(
        self,
        tree: TreeId,
        parents: Sequence[CommitId],
        message: str,
        when: datetime,
        author_of: CommitId | None,
        *,
        sign: bool = True,
    ) -> CommitId:
        """A commit of a tree, signed where commit.gpgSign says so, unless it is not to be."""
        committed = stamp(self._identity("committer"), when)
        if author_of is None:
            authored = stamp(self._identity("author"), when)
        else:
            authored = self._remote.database.commit(author_of).authored
        if sign and is_true(last(self._settings, "commit.gpgsign")):
            return self._signed(tree, parents, authored, committed, message)
        return CommitId(self._remote.database.write("commit", commit_body(tree, parents, authored, committed, message)))

    def merge(self, base: CommitId, ours: CommitId, theirs: CommitId) -> Merged:
        """What changed between base and theirs, on top of ours."""
        one, other = (self._beside(base, commit) for commit in (ours, theirs))
        arguments = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", one, other)
        tree, *conflicts = self._remote.local(*arguments, ok=(0, 1)).text.rstrip("\0").split("\0")
        return Merged(None, tuple(conflicts)) if conflicts else Merged(TreeId(tree))

    def replay(self, commit: CommitId, onto: CommitId, when: datetime) -> CommitId | Merged:
        """The change of one commit on top of another; what conflicts, if it doesn't apply."""
        info = self._remote.database.commit(commit)
        merged = self.applied(commit, onto)
        return merged if merged.tree is None else self.commit(merged.tree, [onto], info.message, when, commit)

    def applied(self, commit: CommitId, onto: CommitId) -> Merged:
        """The files that `replay` gives."""
        return self.merge(self._remote.database.commit(commit).parents[0], onto, commit)

    def _beside(self, base: CommitId, commit: CommitId) -> CommitId:
        """A commit with the files of one and no history but a base.

        Two of them have just that merge base for git, also where git's view of the history is cut before it;
        `git merge-tree --merge-base` came with git 2.40.
        """
        nobody = "Nobody <> 0 +0000"
        tree = self._remote.database.commit(commit).tree
        return CommitId(self._remote.database.write("commit", commit_body(tree, [base], nobody, nobody, "")))

    def _identity(self, role: str) -> str:
        """`Name <mail>` of the author or committer, by git's rules (git-commit(1), COMMIT INFORMATION)."""
        name, mail = (
            os.environ.get(f"GIT_{role.upper()}_{what.upper()}")
            or last(self._settings, f"{role}.{what}")
            or last(self._settings, f"user.{what}")
            for what in ("name", "email")
        )
        if name and mail:
            return f"{_without_crud(name)} <{_without_crud(mail)}>"
        # git may still find one out (EMAIL, the user's full name), or says best what is missing.
        strict = is_true(last(self._settings, "user.useconfigonly"))
        told = self._remote.local("var", f"GIT_{role.upper()}_IDENT", ok=(0,) if strict else (0, 128))
        if told.code == 0:
            return told.text.rpartition(">")[0] + ">"
        # A CI job has often none, and needs none: the record says who asked.
        return f"{_without_crud(name) or 'release'} <{_without_crud(mail) or 'release@localhost'}>"

    def _signed(
        self, tree: TreeId, parents: Sequence[CommitId], authored: str, committed: str, message: str
    ) -> CommitId:
        """A signed commit, by git itself: it knows GnuPG, SSH and X.509 keys."""
        extra = {**_as_environment("AUTHOR", authored), **_as_environment("COMMITTER", committed)}
        options = [word for parent in parents for word in ("-p", parent)]
        text = (message.rstrip("\n") + "\n").encode("utf-8", "surrogateescape")
        answer = self._remote.local("commit-tree", "-S", *options, tree, stdin=text, extra=extra, ok=tuple(range(256)))
        if answer.code != 0:
            raise ReleaseError(
                "the commit can't be signed",
                cause=complaint(answer.err),
                hint="make `git commit -S` work here, or switch commit.gpgSign off",
            )
        return CommitId(answer.text.strip())


def _as_environment(role: str, stamped: str) -> dict[str, str]:
    """`Name <mail> seconds zone` as git reads it from its environment."""
    who, _, date = stamped.rpartition("> ")
    name, _, mail = who.partition(" <")
    return {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": mail, f"GIT_{role}_DATE": f"@{date}"}


def _without_crud(text: str) -> str:
    """A name or address as git writes it: without what would break the line (ident.c)."""
    return "".join(letter for letter in text if letter not in "<>\n\0").strip(" .,:;\"'\\")
