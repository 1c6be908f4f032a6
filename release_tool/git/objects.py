"""Git's objects as bytes: trees and commits taken apart and put together. Pure: no file, no process.

Putting them together here instead of in `git hash-object`, `git mktree` and `git commit-tree` saves a process each; the
formats are git's oldest promise (`gitformat-*` manuals, Documentation/technical/hash-function-transition).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, NewType

from release_tool.model.records import CommitId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

TreeId = NewType("TreeId", str)
"""The full hexadecimal id of a tree."""

BlobId = NewType("BlobId", str)
"""The full hexadecimal id of a file's content."""

TREE, FILE, EXECUTABLE, SYMLINK, SUBMODULE = "40000", "100644", "100755", "120000", "160000"

_SECONDS = re.compile(r"> (\d{1,11})\b")
_OPERATION = re.compile(r"^Release-Operation: *(\S+) *$", re.MULTILINE)


class Entry(NamedTuple):
    """One name in a tree.

    Attributes:
        mode: `100644`, `100755`, `120000` (symlink), `160000` (submodule) or `40000` (directory).
        id: its object.
    """

    mode: str
    id: str

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file, executable or not."""
        return self.mode.startswith("100")


class CommitInfo(NamedTuple):
    """A commit, as far as the tool looks at it.

    Attributes:
        id: its id.
        tree: its tree.
        parents: its parents, the first one first.
        author: `Name <mail>`.
        authored: author, seconds and zone as they stand in the commit.
        committed_at: committer time.
        message: the whole message.
        committer: `Name <mail>`.
    """

    id: CommitId
    tree: TreeId
    parents: tuple[CommitId, ...]
    author: str
    authored: str
    committed_at: datetime
    message: str
    committer: str = ""

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.lstrip("\n").partition("\n")[0]

    @property
    def operations(self) -> tuple[str, ...]:
        """The values of the `Release-Operation` trailers: those in the last paragraph of the message."""
        return tuple(_OPERATION.findall(self.message.strip().rpartition("\n\n")[2]))


class Blobs(NamedTuple):
    """What a commit made of a file: its content before and after; None where no regular file stood."""

    before: BlobId | None
    after: BlobId | None


class Step(NamedTuple):
    """One commit on a walk along the first parents.

    Attributes:
        commit: its id.
        committed_at: its committer time.
        files: path -> what it made of the file, against its first parent; those of the walk's files that it changes.
    """

    commit: CommitId
    committed_at: datetime
    files: Mapping[str, Blobs]


def name_bytes(name: str) -> bytes:
    """A name in a tree as bytes; names that are no UTF-8 survive a way back (surrogateescape)."""
    return name.encode("utf-8", "surrogateescape")


def object_id(kind: str, body: bytes, algorithm: str) -> tuple[str, bytes]:
    """The id of an object and its bytes with git's header; algorithm: `sha1` or `sha256`."""
    import hashlib  # brings OpenSSL: loaded while git is busy, see publishing/look.py

    raw = b"%s %d\0%s" % (kind.encode(), len(body), body)
    return hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest(), raw


def parse_tree(body: bytes, id_bytes: int) -> dict[bytes, Entry]:
    """The entries of a tree, by name; id_bytes: 20 or 32."""
    entries, at = {}, 0
    while at < len(body):
        space, null = body.index(b" ", at), body.index(b"\0", at)
        following = null + 1 + id_bytes
        entries[body[space + 1 : null]] = Entry(body[at:space].decode(), body[null + 1 : following].hex())
        at = following
    return entries


def tree_body(entries: Mapping[bytes, Entry]) -> bytes:
    """The bytes of a tree. A directory sorts as if its name ended with a slash."""
    ordered = sorted(entries.items(), key=lambda item: item[0] + b"/" if item[1].mode == TREE else item[0])
    return b"".join(b"%s %s\0%s" % (entry.mode.encode(), name, bytes.fromhex(entry.id)) for name, entry in ordered)


def commit_body(tree: TreeId, parents: Sequence[CommitId], authored: str, committed: str, message: str) -> bytes:
    """The bytes of a commit; authored, committed: `Name <mail> seconds zone`."""
    head = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {authored}", f"committer {committed}"]
    return "\n".join([*head, "", message.rstrip("\n"), ""]).encode("utf-8", "surrogateescape")


def parse_commit(commit: CommitId, body: bytes) -> CommitInfo:
    """A commit taken apart."""
    head, _, message = body.partition(b"\n\n")
    headers: dict[str, list[str]] = {}
    for line in head.decode("utf-8", "replace").split("\n"):
        name, _, value = line.partition(" ")
        headers.setdefault(name, []).append(value)
    encoding = headers.get("encoding", ["utf-8"])[0]
    authored, committed = headers["author"][0], headers["committer"][0]
    return CommitInfo(
        commit,
        TreeId(headers["tree"][0]),
        tuple(CommitId(parent) for parent in headers.get("parent", ())),
        authored.rpartition(">")[0] + ">",
        authored,
        _time(committed),
        _decoded(message, encoding),
        committed.rpartition(">")[0] + ">",
    )


def stamp(identity: str, when: datetime) -> str:
    """`Name <mail> seconds zone` of a commit; when: with a time zone."""
    assert when.tzinfo is not None
    return f"{identity} {int(when.timestamp())} {when.strftime('%z')[:5]}"


def parse_raw(line: str) -> tuple[str, Blobs]:
    """A line of `git diff --raw --no-abbrev --no-renames`: the path as git shows it, and what became of the file."""
    head, _, path = line.partition("\t")
    old_mode, mode, old, new, _ = head.removeprefix(":").split(" ")
    return path, Blobs(
        *(BlobId(name) if Entry(kind, name).is_file else None for kind, name in ((old_mode, old), (mode, new)))
    )


def shown(path: str) -> str:
    """A path as git shows it where core.quotePath is off; no path of the tool holds a control character."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"' if '"' in path or "\\" in path else path


def moment(seconds: str) -> datetime:
    """A time in seconds since 1970, as git has it, in UTC; what no calendar holds is 1970."""
    from datetime import datetime, timezone

    return datetime.fromtimestamp(int(seconds) if seconds.isdecimal() and len(seconds) <= 11 else 0, timezone.utc)


def _time(stamped: str) -> datetime:
    """The time of `Name <mail> seconds zone`, in UTC."""
    seconds = _SECONDS.search(stamped)  # old importers left commits without a readable time
    return moment(seconds[1] if seconds else "")


def _decoded(message: bytes, encoding: str) -> str:
    try:
        return message.decode(encoding, "replace")
    except LookupError:  # an encoding that Python doesn't know
        return message.decode("utf-8", "replace")
