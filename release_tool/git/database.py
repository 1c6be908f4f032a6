"""The objects of the private store: read through one `git cat-file --batch`, written as loose objects."""

from __future__ import annotations

import subprocess
import zlib
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.git.objects import (
    SYMLINK,
    TREE,
    Entry,
    TreeId,
    name_bytes,
    object_id,
    parse_commit,
    parse_tree,
    tree_body,
)
from release_tool.git.process import end, start

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from release_tool.git.objects import CommitInfo
    from release_tool.model.records import CommitId


class Missing(Exception):
    """Objects that are not in the store."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        super().__init__(", ".join(ids))
        self.ids = ids


class Database:
    """Objects by id. One process serves all reads: starting one for each would cost more than the reading."""

    def __init__(self, store: Path, cwd: str, algorithm: str) -> None:
        self.algorithm = algorithm
        self._store = store
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._trees: dict[str, dict[bytes, Entry]] = {}
        self._commits: dict[str, CommitInfo] = {}

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def find(self, name: str, limit: int | None = None, path: str = "") -> tuple[str, bytes] | None:
        """Type and bytes of an object; None where it is missing.

        Args:
            name: the id of the object.
            limit: more bytes than this are not read.
            path: its file, for the message.

        Raises:
            ReleaseError: the object is larger than the limit, or the store is broken.
        """
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(name.encode() + b"\n")
            process.stdin.flush()
            words = process.stdout.readline().split()
        except BrokenPipeError:
            words = []
        if len(words) == 2:  # "<id> missing"
            return None
        if len(words) != 3:
            self.close()
            raise ReleaseError("git can't read an object", where=name, hint="run `git fsck` in the checkout")
        size = int(words[2])
        if limit is not None and size > limit:
            self.close()  # cheaper than reading what nobody wants
            raise ReleaseError(
                f"the file has {size:,} bytes, more than the {limit:,} that are read",
                where=path or name,
                cause="it isn't the file that is meant, or something filled it",
                hint="put the right file there, or what it holds beside the few lines that matter elsewhere",
            )
        body = process.stdout.read(size + 1)[:-1]
        return words[1].decode(), body

    def commit(self, commit: CommitId) -> CommitInfo:
        """A commit.

        Raises:
            Missing: it isn't in the store.
            ReleaseError: it is something else.
        """
        if commit not in self._commits:
            self._commits[commit] = parse_commit(commit, self._expect(commit, "commit"))
        return self._commits[commit]

    def tree(self, tree: TreeId | str) -> dict[bytes, Entry]:
        """The entries of a tree, by name; not to be changed. Raises Missing or ReleaseError."""
        if tree not in self._trees:
            self._trees[tree] = parse_tree(self._expect(tree, "tree"), len(tree) // 2)
        return self._trees[tree]

    def write(self, kind: str, body: bytes) -> str:
        """Stores an object; its id."""
        name, raw = object_id(kind, body, self.algorithm)
        path = self._store / "objects" / name[:2] / name[2:]
        try:
            if not path.exists():
                path.parent.mkdir(exist_ok=True)
                # No fsync and no temporary name: nobody else looks into this store, and it goes with the process.
                path.write_bytes(zlib.compress(raw, 1))
        except OSError as error:
            raise ReleaseError(
                f"can't write git's objects: {error.strerror}",
                where=str(self._store),
                hint="free space, or point TMPDIR at another disk",
            ) from error
        return name

    def edit(self, tree: TreeId | None, changes: Mapping[tuple[str, ...], bytes | None]) -> TreeId:
        """A tree with files changed, made or (None) deleted; directories come and go with their files.

        Args:
            tree: the tree to start from; None: the empty one.
            changes: path, in its parts -> new content.

        Raises:
            Missing: a tree on the way isn't in the store.
            ReleaseError: a symlink, submodule or file stands where a directory should, or the other way round.
        """
        edited = self._edit(tree, changes, ())
        return TreeId(edited or self.write("tree", b""))

    def _edit(
        self, tree: str | None, changes: Mapping[tuple[str, ...], bytes | None], above: tuple[str, ...]
    ) -> str | None:
        """The same for one level; None where no entry is left."""
        entries = dict(self.tree(tree)) if tree else {}
        below: dict[str, dict[tuple[str, ...], bytes | None]] = {}
        for (name, *rest), content in changes.items():
            if rest:
                below.setdefault(name, {})[tuple(rest)] = content
            else:
                self._set(entries, name, content, above)
        for name, inner in below.items():
            old = entries.pop(name_bytes(name), None)
            if old is not None and old.mode != TREE:
                raise ReleaseError(f"{kind_of(old.mode)} stands where a directory should", where=path_of(*above, name))
            new = self._edit(old.id if old else None, inner, (*above, name))
            if new is not None:
                entries[name_bytes(name)] = Entry(TREE, new)
        return self.write("tree", tree_body(entries)) if entries else None

    def _set(self, entries: dict[bytes, Entry], name: str, content: bytes | None, above: tuple[str, ...]) -> None:
        """One file of one level."""
        old = entries.get(name_bytes(name))
        if old is not None and not old.is_file:
            raise ReleaseError(f"{kind_of(old.mode)} stands where a file should", where=path_of(*above, name))
        if content is None:
            entries.pop(name_bytes(name), None)
        else:
            entries[name_bytes(name)] = Entry(old.mode if old else "100644", self.write("blob", content))

    def _expect(self, name: str, kind: str) -> bytes:
        found = self.find(name)
        if found is None:
            raise Missing((name,))
        if found[0] != kind:
            raise ReleaseError(f"a {found[0]} stands where a {kind} should", where=name)
        return found[1]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = start(
                (f"--git-dir={self._store}", "cat-file", "--batch"),
                self._cwd,
                stdin=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process


def kind_of(mode: str) -> str:
    """What a mode means, for messages."""
    return {TREE: "a directory", SYMLINK: "a symbolic link", "160000": "a submodule"}.get(mode, "a file")


def path_of(*parts: str) -> str:
    """The path of its parts, for messages."""
    return "/".join(parts)
