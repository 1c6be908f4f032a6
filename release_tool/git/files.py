"""Files at commits: found, read, listed, edited. What a partial clone lacks is fetched in one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from release_tool.errors import ReleaseError
from release_tool.git.database import Missing, kind_of
from release_tool.git.objects import TREE, Entry, TreeId, name_bytes
from release_tool.model.records import CommitId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from release_tool.git.objects import BlobId
    from release_tool.git.remote import Remote

T = TypeVar("T")


class Files:
    """The files of one remote's commits."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._database = remote.database

    def read_at(
        self, commits: Sequence[CommitId], paths: Sequence[str], limit: int
    ) -> dict[CommitId, dict[str, bytes]]:
        """The files that exist, commit -> path -> content."""
        found = {
            commit: {path: entry for path in paths if (entry := self._file(commit, path)) is not None}
            for commit in commits
        }
        blobs = {entry.id: path for entries in found.values() for path, entry in entries.items()}
        contents = self._contents(blobs, commits, limit)
        return {commit: {path: contents[e.id] for path, e in entries.items()} for commit, entries in found.items()}

    def prefetch(self, commits: Sequence[CommitId], paths: Sequence[str]) -> None:
        """Brings what a filter left out of some files of many commits, in one request."""
        entries = (self._entry(commit, path) for commit in commits for path in paths)
        self.bring({entry.id for entry in entries if entry is not None and entry.is_file}, commits)

    def bring(self, blobs: Iterable[str], commits: Sequence[CommitId]) -> None:
        """Brings contents that a filter left out, in one request; commits: some that hold them."""
        missing = [name for name in sorted(set(blobs)) if self._database.find(name) is None]
        if missing:
            self._fetch(missing, commits)

    def blob(self, name: BlobId) -> bytes:
        """The content of a file, however large: one of an old commit can't be made smaller any more."""
        return self._contents({name: ""}, (), None)[name]

    def below(self, commit: CommitId, prefix: str) -> Iterator[tuple[str, Entry]]:
        """All that isn't a directory, below a directory or named itself; `` is everything."""
        top = self._entry(commit, prefix) if prefix else Entry(TREE, self._database.commit(commit).tree)
        if top is not None:
            yield from self._walk(commit, top, prefix.rstrip("/"))

    def edit(self, tree_of: CommitId | TreeId | None, changes: Mapping[str, bytes | None]) -> TreeId:
        """The tree of a commit (or a tree, or nothing) with files changed, made or (None) deleted."""
        tree = self._tree_of(tree_of) if tree_of is not None else None
        parts = {_parts(path): content for path, content in changes.items()}
        return self._complete(lambda: self._database.edit(tree, parts), ())

    def _tree_of(self, name: CommitId | TreeId) -> TreeId:
        found = self._database.find(name)
        is_commit = found is not None and found[0] == "commit"
        return self._database.commit(CommitId(name)).tree if is_commit else TreeId(name)

    def _entry(self, commit: CommitId, path: str) -> Entry | None:
        """What stands at a path; None where nothing does. Links on the way are refused, never followed."""
        *above, name = _parts(path)
        tree: str = self._database.commit(commit).tree
        for at, part in enumerate(above, 1):
            entry = self._tree(commit, tree).get(name_bytes(part))
            if entry is None or entry.is_file:
                return None
            if entry.mode != TREE:
                raise _in_the_way(entry, "/".join(above[:at]), commit)
            tree = entry.id
        return self._tree(commit, tree).get(name_bytes(name))

    def _file(self, commit: CommitId, path: str) -> Entry | None:
        """The same, where only a file will do."""
        entry = self._entry(commit, path)
        if entry is not None and not entry.is_file:
            raise _in_the_way(entry, path, commit)
        return entry

    def _tree(self, commit: CommitId, tree: str) -> dict[bytes, Entry]:
        return self._complete(lambda: self._database.tree(tree), (commit,))

    def _walk(self, commit: CommitId, entry: Entry, path: str) -> Iterator[tuple[str, Entry]]:
        if entry.mode != TREE:
            yield path, entry
            return
        for raw, below in self._tree(commit, entry.id).items():
            name = raw.decode("utf-8", "surrogateescape")
            yield from self._walk(commit, below, f"{path}/{name}" if path else name)

    def _complete(self, work: Callable[[], T], commits: Sequence[CommitId]) -> T:
        """Does work on objects, fetching those that a partial clone lacks."""
        result: T | Missing = _tried(work)
        while isinstance(result, Missing):
            self._fetch(result.ids, commits)
            result = _tried(work)
        return result

    def _contents(self, blobs: Mapping[str, str], commits: Sequence[CommitId], limit: int | None) -> dict[str, bytes]:
        """Contents by id; blobs: id -> path."""
        contents = {name: self._database.find(name, limit, path) for name, path in blobs.items()}
        missing = [name for name, content in contents.items() if content is None]
        if missing:
            self._fetch(missing, commits)
            contents.update((name, self._database.find(name, limit, blobs[name])) for name in missing)
        return {name: content[1] for name, content in contents.items() if content is not None}

    def _fetch(self, names: Sequence[str], commits: Sequence[CommitId]) -> None:
        self._remote.fetch_objects(names, commits)
        for name in names:
            if self._database.find(name) is None:
                raise ReleaseError(
                    "an object is missing", where=name, cause="a broken checkout", hint="run `git fsck` in it"
                )


def _tried(work: Callable[[], T]) -> T | Missing:
    try:
        return work()
    except Missing as missing:
        return missing


def _parts(path: str) -> tuple[str, ...]:
    """The parts of a path below the top. A slash at the end is allowed."""
    parts = tuple(path.removesuffix("/").split("/"))
    if any(part in ("", ".", "..") or part.lower() == ".git" or "\0" in part for part in parts):
        raise ReleaseError("not a path inside the repository", where=path, hint="use a path without `..`, from the top")
    return parts


def _in_the_way(entry: Entry, path: str, commit: CommitId) -> ReleaseError:
    return ReleaseError(
        f"{kind_of(entry.mode)} stands where a file or directory of the repository should",
        where=f"{commit[:12]}:{path}",
        hint="put a regular file there; links are never followed",
    )
