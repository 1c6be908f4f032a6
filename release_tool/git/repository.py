"""One git remote, worked on without a working tree: read at a commit, commit, compare-and-swap push.

The user's checkout lends its objects and its configuration and is never written to. Every `Repository` has a private
bare store in a temporary directory (`git/store.py`); what is committed stays there until `push` puts it into the
remote.
This module and the `git_*` modules behind it are the only ones that run git.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.git import opening
from release_tool.git import push as git_push
from release_tool.git import store as git_store
from release_tool.git.commit import Committer, Merged
from release_tool.git.errors import Protected, Stale
from release_tool.git.files import Files
from release_tool.git.history import History
from release_tool.git.objects import BlobId, CommitInfo, Entry, Step, TreeId
from release_tool.git.remote import Remote, RemoteRefs
from release_tool.git.walks import Walks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from release_tool.model.records import CommitId, RefUpdate
    from release_tool.net.secret import Secret

__all__ = [
    "BlobId",
    "CommitInfo",
    "Entry",
    "Merged",
    "Protected",
    "RemoteRefs",
    "Repository",
    "Stale",
    "Step",
    "TreeId",
]

MAX_FILE = 20 * 1024 * 1024
"""Bytes of a file that are read unless the caller says otherwise: nothing that the tool reads comes near it."""

NETWORK_TIMEOUT = 300.0
"""Seconds that one git command may talk to the remote."""


class Repository:
    """One git remote. A context manager: the private store goes at the end.

    Commits must be fetched before they are read, merged or committed on: `refs`, then `fetch` with all that matter.

    Attributes:
        top: the top of the user's working tree; None for a bare repository and with a URL.
        display_url: the remote's URL, without credentials.
        remote_name: the name of the remote in git's configuration.
    """

    def __init__(self, store: Path, remote: Remote, settings: Sequence[git_store.Setting], top: Path | None) -> None:
        self.top = top
        self.display_url = remote.url
        self.remote_name = remote.name
        self._store = store
        self._remote = remote
        self._database = remote.database
        self._files = Files(remote)
        self._history = History(remote)
        self._committer = Committer(remote, settings)
        self._walks = Walks(remote, self._history, self._files)

    @classmethod
    def open(
        cls,
        directory: Path | None,
        url: str | None = None,
        *,
        remote: str = "origin",
        timeout: float = NETWORK_TIMEOUT,
        entitle: Callable[[str], Secret | None] = lambda _url: None,
    ) -> Repository:
        """Opens the repository of a directory, or (with a URL) one without any checkout. Asks the remote nothing yet.

        Args:
            directory: anywhere in a checkout, also a shallow, partial, bare or linked one; None: the current directory.
            url: a URL without credentials, or a path.
            remote: which remote of the checkout; the only one is taken whatever its name.
            timeout: seconds that one git command may talk to the remote.
            entitle: gets the remote's URL and gives the header `Authorization: …` for it; None: git's own ways.

        Raises:
            UsageError: a URL that is empty or holds a credential.
            ReleaseError: no git, no repository, no remote, or one that git refuses.
        """
        if url is not None:
            return cls(*opening.of_url(git_store.checked_url(url), timeout, entitle))
        return cls(*opening.of_checkout((directory or Path.cwd()).absolute(), remote, timeout, entitle))

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes the private store; what wasn't pushed is gone."""
        self._walks.close()
        self._database.close()
        git_store.remove_store(self._store)

    # -- looking

    def refs(self, *patterns: str) -> RemoteRefs:
        """What the remote holds now: one request, never answered from memory.

        Args:
            patterns: full names (`refs/heads/main`), or with a `*` at the end that stands for anything, slashes too.

        Raises:
            TryAgain: the remote can't be reached.
            ReleaseError: no permission, no repository there.
        """
        return self._remote.refs(patterns)

    def fetch(self, *commits: CommitId, with_files: bool = False) -> None:
        """Makes commits and their trees readable: no request where they are already, else one for all of them.

        Args:
            commits: what to fetch. What a full checkout doesn't hold comes with its history, else it comes alone.
            with_files: bring all files too where a filter would leave them out, for commits with few.

        Raises:
            Forgotten: the remote doesn't hold a commit any more; it is a TryAgain.
            TryAgain: the remote can't be reached.
            ReleaseError: no permission.
        """
        self._remote.fetch(commits, with_files=with_files)

    def read(self, commit: CommitId, paths: Iterable[str], *, limit: int = MAX_FILE) -> dict[str, bytes]:
        """The files that exist, path -> content, in the order of the paths.

        Raises:
            ReleaseError: a path is or leads through a symlink or submodule, is a directory, or its file is too large.
        """
        return self.read_at((commit,), paths, limit=limit)[commit]

    def read_at(
        self, commits: Iterable[CommitId], paths: Iterable[str], *, limit: int = MAX_FILE
    ) -> dict[CommitId, dict[str, bytes]]:
        """The same at many commits, with one request for all files that aren't here yet."""
        return self._files.read_at(list(commits), list(paths), limit)

    def blob(self, blob: BlobId) -> bytes:
        """A content that a walk named (`touching`), however large it is."""
        return self._files.blob(blob)

    def files(self, commit: CommitId, prefixes: Iterable[str] = ("",)) -> dict[str, Entry]:
        """All that isn't a directory, below directories or named itself, path -> entry; `` is everything."""
        return {path: entry for prefix in prefixes for path, entry in self._files.below(commit, prefix)}

    def tree_id(self, commit: CommitId) -> TreeId:
        """The tree of a commit: two commits with the same tree hold the same files."""
        return self._database.commit(commit).tree

    def commit_info(self, commit: CommitId) -> CommitInfo:
        """A commit's author, message and parents."""
        return self._database.commit(commit)

    # -- writing: into the private store

    def write_tree(self, tree_of: CommitId | TreeId | None, changes: Mapping[str, bytes | None]) -> TreeId:
        """A tree with files changed, made or (None) deleted; existing files keep their mode.

        Args:
            tree_of: a commit or tree to start from; None: nothing.
            changes: path -> new content.

        Raises:
            ReleaseError: a path is no plain path below the top, or a symlink, submodule or directory is in its way.
        """
        return self._files.edit(tree_of, changes)

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
            parents: its parents, the first one first.
            tree_of: a commit or tree to start from; None: nothing.
            changes: path -> new content, or None to delete.
            message: the whole message.
            when: author and committer time; None: now.
            author_of: a commit whose author and author time it takes over.
            sign: whether commit.gpgSign holds; not for a commit that nobody will ever see.

        Raises:
            ReleaseError: git doesn't know who commits, it can't be signed, or the reasons of `write_tree`.
        """
        tree = self.write_tree(tree_of, changes)
        return self._committer.commit(tree, parents, message, when or _now(), author_of, sign=sign)

    def push(self, updates: Sequence[RefUpdate]) -> bool:
        """Changes refs of the remote, all or none, if each holds what is expected.

        Returns:
            True: this push did it. False: every ref held the wanted commit already, so an earlier try got through or
            somebody did exactly the same.

        Raises:
            Stale: a ref has moved. Plan again on the new tip.
            Protected: the server's rules refuse it.
            TryAgain: the remote can't be reached.
            ReleaseError: no permission, a branch whose name is in the way, no way to push several refs as one.
        """
        answer = self._remote.ask(*git_push.push_arguments(self.remote_name, updates, atomic=True))
        if answer.code != 0 and git_push.lacks_atomic(answer):
            if len(updates) > 1:
                raise ReleaseError(
                    "the remote can't change several refs as one",
                    where=self.display_url,
                    hint="use a server with atomic pushes (git's own, and all large hosts, have them)",
                )
            answer = self._remote.ask(*git_push.push_arguments(self.remote_name, updates, atomic=False))
        if answer.code == 0:
            return git_push.moved(answer)
        error = git_push.rejection(answer, updates, self.display_url, lambda names: self.refs(*names).refs)
        if error is not None:
            raise error
        return False

    # -- history: older commits of a cut history are fetched when an answer needs them

    def merge_base(self, one: CommitId, other: CommitId) -> CommitId | None:
        """The best common ancestor; None for unrelated histories."""
        return self._history.merge_base(one, other)

    def is_ancestor(self, ancestor: CommitId, descendant: CommitId) -> bool:
        """Whether `descendant` holds `ancestor` in its history, or is it."""
        return self._history.merge_base(ancestor, descendant) == ancestor

    def commits(self, base: CommitId | None, tip: CommitId) -> list[CommitInfo]:
        """The commits of `base..tip`, parents before children; base None: the whole history."""
        return self._history.between(base, tip)

    def first_parent(
        self, tip: CommitId, paths: Sequence[str], since: datetime | None = None
    ) -> Iterator[tuple[CommitId, datetime]]:
        """The first-parent commits that touch a path, newest first, with their committer times; lazy.

        Args:
            tip: where to begin.
            paths: files or directories.
            since: ends after the first commit that is older, which shows how things stood at that time; None: the root.
        """
        return self._walks.first_parent(tip, paths, since)

    def touching(self, tip: CommitId, paths: Sequence[str], since: datetime | None = None) -> Iterator[Step]:
        """The first-parent commits that touch some of many files, newest first, each with what it makes of them; lazy.

        One walk costs about the same for hundreds of files as for one, and `blob` reads what it names. Steps without
        any of the files may stand in between, so that a caller sees how far back it is.

        Args:
            tip: where to begin.
            paths: files.
            since: how far back the caller will probably go; a hint of how much to fetch where the history is cut.
        """
        return self._walks.touching(tip, paths, since)

    # -- merging: in the private store

    def merge(self, ours: CommitId, theirs: CommitId) -> Merged:
        """Merges two commits' files on top of their merge base.

        Raises:
            ReleaseError: unrelated histories, or git is older than 2.38.
        """
        base = self.merge_base(ours, theirs)
        if base is None:
            raise ReleaseError("the two histories have nothing in common", where=f"{ours[:12]} and {theirs[:12]}")
        return self._committer.merge(base, ours, theirs)

    def replay(self, commit: CommitId, onto: CommitId, when: datetime | None = None) -> CommitId | Merged:
        """The change of one commit with a parent on top of another, as a rebase does it: author and message are kept.

        Returns:
            The new commit, or what conflicts.
        """
        return self._committer.replay(commit, onto, when or _now())

    def applied(self, commit: CommitId, onto: CommitId) -> Merged:
        """The files that `replay` gives, without a commit."""
        return self._committer.applied(commit, onto)


def _now() -> datetime:
    from datetime import datetime, timezone

    return datetime.now(timezone.utc)
