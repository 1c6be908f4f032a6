"""Git's objects by their ids: read through one `git cat-file --batch`, put together here, written as loose objects.

Putting objects together here instead of in `git hash-object`, `git mktree` and `git commit-tree` saves a process each;
the formats are git's oldest promise (`gitformat-*` manuals, Documentation/technical/hash-function-transition).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, NewType

from release_tool.errors import ReleaseError
from release_tool.git.process import end, start
from release_tool.model.records import CommitId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from release_tool.git.process import Process

# Full hexadecimal ids, of a tree and of a file's content.
TreeId = NewType("TreeId", str)
BlobId = NewType("BlobId", str)

TREE = "40000"
SUBMODULE = "160000"
_KINDS = {TREE: "a directory", "120000": "a symbolic link", SUBMODULE: "a submodule"}


class TreeEntry(NamedTuple):
    """One name in a tree: the mode (`100644`, `100755`, or one of `_KINDS`), and the object's id."""

    mode: str
    id: str

    @property
    def is_file(self) -> bool:
        """Whether the entry is a regular file, executable or not."""
        return self.mode.startswith("100")

    @property
    def kind(self) -> str:
        """What the mode means, for messages."""
        return _KINDS.get(self.mode, "a file")


class InSubmodule(ReleaseError):
    """A path is, or lies in, a submodule; `path`: where that stands, `commit`: what the repository holds of it."""

    def __init__(self, what: str, *, where: str, path: str, commit: str) -> None:
        cause = f"the repository holds no more of a submodule than the id of a commit: {commit[:12]}"
        super().__init__(what, where=where, cause=cause, hint="put the files themselves into this repository")
        self.path, self.commit = path, commit


def in_the_way(entry: TreeEntry, path: str, commit: str = "") -> ReleaseError:
    """The error of a path at which, or above which, no regular file or directory stands; `commit`: that was read."""
    where = f"{commit[:12]}:{path}" if commit else path
    wanted = "file" if entry.mode == TREE else "file or directory"
    what = f"{entry.kind} stands where a {wanted} of the repository should"
    if entry.mode == SUBMODULE:
        return InSubmodule(what, where=where, path=path, commit=entry.id)
    return ReleaseError(what, where=where, hint="put a regular file there; links are never followed")


def too_large(size: int, limit: int, where: str) -> ReleaseError:
    """The error of a file with more bytes than are read."""
    return ReleaseError(
        f"the file has {size:,} bytes, more than the {limit:,} that are read",
        where=where,
        cause="it isn't the file that is meant, or something filled it",
        hint="put the right file there, or what it holds beside the few lines that matter elsewhere",
    )


class CommitInfo(NamedTuple):
    """A commit, as far as the tool looks at it."""

    id: CommitId
    tree: TreeId
    parents: tuple[CommitId, ...]  # the first one first
    author: str  # `Name <mail>`
    authored: str  # author, seconds and zone as they stand in the commit
    committed_at: datetime  # committer time, in UTC
    message: str
    committer: str = ""  # `Name <mail>`

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.lstrip("\n").partition("\n")[0]

    @property
    def operations(self) -> tuple[str, ...]:
        """The values of the `Release-Operation` trailers: those in the last paragraph of the message."""
        last = self.message.strip().rpartition("\n\n")[2]
        return tuple(re.findall(r"(?m)^Release-Operation: *(\S+) *$", last))


class Blobs(NamedTuple):
    """What a commit made of a file: its content before and after; None where no regular file stood."""

    before: BlobId | None
    after: BlobId | None


class WalkStep(NamedTuple):
    """One commit on a walk along the first parents."""

    commit: CommitId
    committed_at: datetime  # committer time, in UTC
    files: Mapping[str, Blobs]  # those files of the walk that the commit changes, against its first parent


class MissingObject(Exception):
    """An object that is not in the store."""


class Database:
    """Objects by id. One process serves all reads: starting one for each would cost more than the reading."""

    def __init__(self, store: Path, cwd: str, algorithm: str) -> None:
        self.algorithm = algorithm  # `sha1` or `sha256`
        self._store = store
        self._cwd = cwd
        self._process: Process | None = None
        self._trees: dict[str, dict[str, TreeEntry]] = {}
        self._commits: dict[str, CommitInfo] = {}

    def begin(self) -> Process:
        """Starts the reading process where none runs."""
        if self._process is None:
            # Without the settings file (`opening.SETTINGS`): git would fetch what is missing, object by object.
            arguments = (f"--git-dir={self._store}", "cat-file", "--batch")
            self._process = start(arguments, self._cwd, stdin=True, stderr=False)
        return self._process

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def find(self, name: str, limit: int | None = None, path: str = "") -> tuple[str, bytes] | None:
        """Type and bytes of an object; None: missing. More bytes than the limit are a ReleaseError about the path."""
        process = self.begin()
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
            raise too_large(size, limit, path or name)
        body = process.stdout.read(size + 1)[:-1]
        return words[1].decode(), body

    def commit(self, commit: CommitId) -> CommitInfo:
        """A commit; raises MissingObject, or ReleaseError where the id is that of something else."""
        if commit not in self._commits:
            self._commits[commit] = parse_commit(commit, self._expect(commit, "commit"))
        return self._commits[commit]

    def tree(self, tree: TreeId | str) -> dict[str, TreeEntry]:
        """The entries of a tree, by name; not to be changed. Raises as `commit`."""
        if tree not in self._trees:
            self._trees[tree] = parse_tree(self._expect(tree, "tree"), len(tree) // 2)
        return self._trees[tree]

    def write(self, kind: str, body: bytes) -> str:
        """Stores an object; its id."""
        import hashlib  # brings OpenSSL: loaded while git is busy, see remote/first_look.py
        import zlib

        raw = b"%s %d\0%s" % (kind.encode(), len(body), body)
        name = hashlib.new(self.algorithm, raw, usedforsecurity=False).hexdigest()
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

    def _expect(self, name: str, kind: str) -> bytes:
        found = self.find(name)
        if found is None:
            raise MissingObject(name)
        if found[0] != kind:
            raise ReleaseError(f"a {found[0]} stands where a {kind} should", where=name)
        return found[1]


def parse_tree(body: bytes, id_bytes: int) -> dict[str, TreeEntry]:
    """The entries of a tree, by name; id_bytes: 20 or 32."""
    # Names that are no UTF-8 survive the way back (surrogateescape).
    entries, at = {}, 0
    while at < len(body):
        space, null = body.index(b" ", at), body.index(b"\0", at)
        following = null + 1 + id_bytes
        name = body[space + 1 : null].decode("utf-8", "surrogateescape")
        entries[name] = TreeEntry(body[at:space].decode(), body[null + 1 : following].hex())
        at = following
    return entries


def tree_body(entries: Mapping[str, TreeEntry]) -> bytes:
    """The bytes of a tree. A directory sorts as if its name ended with a slash."""
    named = [(name.encode("utf-8", "surrogateescape"), entry) for name, entry in entries.items()]
    named.sort(key=lambda item: item[0] + b"/" if item[1].mode == TREE else item[0])
    return b"".join(b"%s %s\0%s" % (entry.mode.encode(), name, bytes.fromhex(entry.id)) for name, entry in named)


def commit_body(tree: TreeId, parents: Sequence[CommitId], authored: str, committed: str, message: str) -> bytes:
    """The bytes of a commit; authored, committed: `Name <mail> seconds zone`."""
    head = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {authored}", f"committer {committed}"]
    return "\n".join([*head, "", message.rstrip("\n"), ""]).encode("utf-8", "surrogateescape")


def parse_commit(commit: CommitId, body: bytes) -> CommitInfo:
    head, _, message = body.partition(b"\n\n")
    headers: dict[str, list[str]] = {}
    for line in head.decode("utf-8", "replace").split("\n"):
        name, _, value = line.partition(" ")
        headers.setdefault(name, []).append(value)
    authored, committed = headers["author"][0], headers["committer"][0]
    seconds = re.search(r"> (\d{1,11})\b", committed)  # old importers left commits without a readable time
    try:
        text = message.decode(headers.get("encoding", ["utf-8"])[0], "replace")
    except LookupError:  # an encoding that Python doesn't know
        text = message.decode("utf-8", "replace")
    return CommitInfo(
        commit,
        TreeId(headers["tree"][0]),
        tuple(CommitId(parent) for parent in headers.get("parent", ())),
        authored.rpartition(">")[0] + ">",
        authored,
        moment(seconds[1] if seconds else ""),
        text,
        committed.rpartition(">")[0] + ">",
    )


def shown(path: str) -> str:
    """A path as git shows it where core.quotePath is off; no path of the tool holds a control character."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"' if '"' in path or "\\" in path else path


def moment(seconds: str) -> datetime:
    """A time in seconds since 1970, as git has it, in UTC; what no calendar holds is 1970."""
    from datetime import datetime, timezone

    return datetime.fromtimestamp(int(seconds) if seconds.isdecimal() and len(seconds) <= 11 else 0, timezone.utc)
