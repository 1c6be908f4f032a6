"""One git remote, worked on without a working tree: read at a commit, commit, compare-and-swap push.

What is committed stays in a private store (`opening.py`) until `push` puts it into the remote. `remote.py` talks to the
remote, `reading.py` reads, and this module writes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.git import opening, temporary
from release_tool.git.errors import Locked, Protected, Stale, complaint
from release_tool.git.objects import (
    TREE,
    BlobId,
    CommitInfo,
    TreeEntry,
    TreeId,
    WalkStep,
    commit_body,
    tree_body,
)
from release_tool.git.reading import Reader, path_parts
from release_tool.git.remote import RemoteRefs
from release_tool.model.records import CommitId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from release_tool.net.secret import Secret

__all__ = [
    "BlobId",
    "CommitInfo",
    "Locked",
    "Merged",
    "Protected",
    "RemoteRefs",
    "Repository",
    "Stale",
    "TreeEntry",
    "TreeId",
    "WalkStep",
]

NETWORK_TIMEOUT = 300.0
"""Seconds that one git command may talk to the remote."""


class Merged(NamedTuple):
    """What a merge came to: the merged tree (None where files conflict), and the paths that conflict."""

    tree: TreeId | None
    conflicts: tuple[str, ...] = ()


class Repository(Reader):
    """One git remote. A context manager: the private store goes at the end.

    Commits must be fetched before they are read, merged or committed on: `refs`, then `fetch` with all that matter.
    """

    @classmethod
    def open(
        cls,
        directory: Path | None,
        url: str | None = None,
        *,
        remote: str = "origin",
        timeout: float = NETWORK_TIMEOUT,
        entitle: Callable[[str], Secret | None] = lambda _url: None,
        known: str | None = None,
    ) -> Repository:
        """Opens the repository of a directory, or (with a URL) one without any checkout. Asks the remote nothing yet.

        Args:
            directory: anywhere in a checkout, also a shallow, partial, bare or linked one; None: the current directory.
            url: a URL without credentials, or a path.
            remote: which remote of the checkout; the only one is taken whatever its name.
            entitle: remote's URL -> the header `Authorization: …` for it; None: git's own ways.
            known: see `opening.of_url`.

        Raises:
            UsageError: a URL that is empty or holds a credential.
            ReleaseError: no git, no repository, no remote, or one that git refuses.
        """
        if url is not None:
            return cls(opening.of_url(opening.checked_url(url), entitle, known), timeout)
        return cls(opening.of_checkout((directory or Path.cwd()).absolute(), remote, entitle), timeout)

    def elsewhere(self, url: str) -> Repository:
        """Another remote, without any checkout; a foreign host gets no login that is for every host."""
        return Repository.open(None, url, timeout=self._timeout, entitle=self._entitle, known=self.display_url)

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes the private store; what wasn't pushed is gone."""
        for walk in self._running:
            walk.close()
        self._database.close()
        temporary.remove(self._store)

    # -- writing: into the private store

    def write_tree(self, tree_of: CommitId | TreeId | None, changes: Mapping[str, bytes | None]) -> TreeId:
        """A tree (made from that of a commit or tree; None: from nothing) with files changed, made or (None) deleted.

        Existing files keep their mode.

        Raises:
            ReleaseError: a path is no plain path below the top, or a symlink, submodule or directory is in its way.
        """
        tree: str | None = tree_of
        if tree_of is not None:
            found = self._database.find(tree_of)
            if found is not None and found[0] == "commit":
                tree = self._database.commit(CommitId(tree_of)).tree
        edited = self._edit(tree, {path_parts(path): content for path, content in changes.items()}, ())
        return TreeId(edited or self._database.write("tree", b""))

    def _edit(
        self, tree: str | None, changes: Mapping[tuple[str, ...], bytes | None], above: tuple[str, ...]
    ) -> str | None:
        """The same for one level; directories come and go with their files: None where no entry is left."""
        entries = dict(self._tree(tree)) if tree else {}
        below: dict[str, dict[tuple[str, ...], bytes | None]] = {}
        for (name, *rest), content in changes.items():
            old = entries.get(name)
            if rest:
                below.setdefault(name, {})[tuple(rest)] = content
            elif old is not None and not old.is_file:
                raise ReleaseError(f"{old.kind} stands where a file should", where="/".join((*above, name)))
            elif content is None:
                entries.pop(name, None)
            else:
                blob = self._database.write("blob", content)
                entries[name] = TreeEntry(old.mode if old else "100644", blob)
        for name, inner in below.items():
            old = entries.pop(name, None)
            if old is not None and old.mode != TREE:
                raise ReleaseError(f"{old.kind} stands where a directory should", where="/".join((*above, name)))
            new = self._edit(old.id if old else None, inner, (*above, name))
            if new is not None:
                entries[name] = TreeEntry(TREE, new)
        return self._database.write("tree", tree_body(entries)) if entries else None

    def commit(
        self,
        parents: Sequence[CommitId],
        tree_of: CommitId | TreeId | None,
        changes: Mapping[str, bytes | None],
        message: str,
        *,
        when: datetime | None = None,
        author_of: CommitId | None = None,
        sign: bool = True,
    ) -> CommitId:
        """A new commit, signed if commit.gpgSign says so. The same input gives the same id (unless it is signed).

        Args:
            parents: the first one first.
            when: author and committer time; None: now.
            author_of: a commit whose author and author time the new one takes over.
            sign: whether commit.gpgSign holds; not for a commit that nobody will ever see.

        Raises:
            ReleaseError: git doesn't know who commits, or the commit can't be signed; and as `write_tree`.
        """
        tree = self.write_tree(tree_of, changes)
        if when is None:
            from datetime import datetime, timezone

            when = datetime.now(timezone.utc)
        assert when.tzinfo is not None
        stamp = f"{int(when.timestamp())} {when.strftime('%z')[:5]}"
        committed = f"{self._identity('committer')} {stamp}"
        authored = self.commit_info(author_of).authored if author_of else f"{self._identity('author')} {stamp}"
        if sign and opening.is_true(self.config.get("commit.gpgsign")):
            return self._signed(tree, parents, authored, committed, message)
        return CommitId(self._database.write("commit", commit_body(tree, parents, authored, committed, message)))

    def _identity(self, role: str) -> str:
        """`Name <mail>` of the author or committer, by git's rules (git-commit(1), COMMIT INFORMATION)."""
        name, mail = (
            # A name or address as git writes it: without what would break the line (ident.c).
            "".join(letter for letter in found if letter not in "<>\n\0").strip(" .,:;\"'\\")
            for what in ("name", "email")
            for found in (
                os.environ.get(f"GIT_{role.upper()}_{what.upper()}")
                or self.config.get(f"{role}.{what}")
                or self.config.get(f"user.{what}", ""),
            )
        )
        if name and mail:
            return f"{name} <{mail}>"
        # git may still find one out (EMAIL, the user's full name), or says best what is missing.
        strict = opening.is_true(self.config.get("user.useconfigonly"))
        told = self.local("var", f"GIT_{role.upper()}_IDENT", ok=(0,) if strict else (0, 128))
        if told.code == 0:
            return told.text.rpartition(">")[0] + ">"
        # A CI job has often none, and needs none: the record says who asked.
        return f"{name or 'release'} <{mail or 'release@localhost'}>"

    def _signed(
        self, tree: TreeId, parents: Sequence[CommitId], authored: str, committed: str, message: str
    ) -> CommitId:
        """A signed commit, by git itself: git knows GnuPG, SSH and X.509 keys."""
        extra = {**_as_environment("AUTHOR", authored), **_as_environment("COMMITTER", committed)}
        options = [word for parent in parents for word in ("-p", parent)]
        text = (message.rstrip("\n") + "\n").encode("utf-8", "surrogateescape")
        answer = self.ask("commit-tree", "-S", *options, tree, stdin=text, extra=extra)
        if answer.code != 0:
            raise ReleaseError(
                "the commit can't be signed",
                cause=complaint(answer.err),
                hint="make `git commit -S` work here, or switch commit.gpgSign off",
            )
        return CommitId(answer.text.strip())

    # -- merging: in the private store

    def merge(self, ours: CommitId, theirs: CommitId) -> Merged:
        """Merges two commits' files on top of their merge base; ReleaseError where they have none."""
        base = self.merge_base(ours, theirs)
        if base is None:
            raise ReleaseError("the two histories have nothing in common", where=f"{ours[:12]} and {theirs[:12]}")
        return self._merge(base, ours, theirs)

    def replay(self, commit: CommitId, onto: CommitId, when: datetime | None = None) -> CommitId | Merged:
        """The change of one commit on top of another, as a rebase does it: author and message are kept."""
        merged = self.applied(commit, onto)
        if merged.tree is None:
            return merged
        message = self.commit_info(commit).message
        return self.commit([onto], merged.tree, {}, message, when=when, author_of=commit)

    def applied(self, commit: CommitId, onto: CommitId) -> Merged:
        """The files that `replay` gives, without a commit."""
        return self._merge(self.commit_info(commit).parents[0], onto, commit)

    def _merge(self, base: CommitId, ours: CommitId, theirs: CommitId) -> Merged:
        """What changed between base and theirs, on top of ours."""
        # Commits with the files of one side and no history but the base: two of them have just that merge base for git,
        # also where git's view of the history is cut before it; `git merge-tree --merge-base` came with git 2.40.
        nobody = "Nobody <> 0 +0000"
        bodies = [commit_body(self.tree_id(commit), [base], nobody, nobody, "") for commit in (ours, theirs)]
        sides = [self._database.write("commit", body) for body in bodies]
        arguments = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", *sides)
        tree, *conflicts = self.local(*arguments, ok=(0, 1)).text.rstrip("\0").split("\0")
        return Merged(None, tuple(conflicts)) if conflicts else Merged(TreeId(tree))


def _as_environment(role: str, stamped: str) -> dict[str, str]:
    """`Name <mail> seconds zone` as git reads it from its environment."""
    who, _, date = stamped.rpartition("> ")
    name, _, mail = who.partition(" <")
    return {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": mail, f"GIT_{role}_DATE": f"@{date}"}
