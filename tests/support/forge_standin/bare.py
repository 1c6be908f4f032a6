"""A bare repository, changed by real git without a working tree: merges, squashes, rebases, edits."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

ZERO = "0" * 40


class Conflict(Exception):
    """Two sides change the same lines, or have no history in common."""


class Person(NamedTuple):
    """Whom a commit names."""

    name: str
    email: str


class Bare:
    """Git on one bare repository. `at` of every commit is handed in."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *arguments: str, stdin: bytes | None = None, env: dict[str, str] | None = None) -> str:
        """git's output; AssertionError with its complaint where it fails."""
        done = self._run(arguments, stdin, env)
        assert done.returncode == 0, f"git {arguments}: {done.stderr.decode()}"
        return done.stdout.decode("utf-8", "surrogateescape").strip("\n")

    def says(self, *arguments: str) -> bool:
        """Whether git agrees (status 0)."""
        return self._run(arguments).returncode == 0

    def _run(
        self, arguments: Sequence[str], stdin: bytes | None = None, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        sealed = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
        return subprocess.run(
            ["git", "-C", self.path, *arguments],
            input=stdin, capture_output=True, check=False, timeout=120, env={**kept, **sealed, **(env or {})},
        )  # fmt: skip

    # reading

    def heads(self) -> dict[str, str]:
        """Short names of branches -> tips."""
        text = self.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads/")
        return dict(line.rsplit(" ", 1) for line in text.splitlines())

    def tip(self, branch: str) -> str | None:
        return self.commit(f"refs/heads/{branch}")

    def commit(self, name: str) -> str | None:
        """The commit that a name stands for."""
        done = self._run(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"])
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def contains(self, tip: str, commit: str) -> bool:
        """Whether `commit` is `tip` or one of its ancestors."""
        return self.says("merge-base", "--is-ancestor", commit, tip)

    def ahead(self, base: str, head: str) -> list[str]:
        """The commits of head that base lacks, the oldest first."""
        return self.git("rev-list", "--reverse", "--topo-order", f"{base}..{head}").split()

    def merge_base(self, one: str, other: str) -> str | None:
        done = self._run(["merge-base", one, other])
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def message(self, commit: str) -> str:
        return self.git("show", "-s", "--format=%B", commit).strip()

    def author(self, commit: str) -> Person:
        name, email = self.git("show", "-s", "--format=%an%n%ae", commit).split("\n")
        return Person(name, email)

    def blob(self, commit: str, path: str) -> bytes | None:
        done = self._run(["cat-file", "blob", f"{commit}:{path}"])
        return done.stdout if done.returncode == 0 else None

    # writing

    def move(self, ref: str, new: str | None, old: str | None = None) -> None:
        """Sets a ref, or deletes it; `old` must be what it held."""
        words = ["update-ref", "-d", ref] if new is None else ["update-ref", ref, new]
        self.git(*words, *([old] if old else []))

    def write(
        self, tree: str, parents: Sequence[str], message: str, author: Person, committer: Person, at: datetime,
        authored: str = "",
    ) -> str:  # fmt: skip
        """A commit; `authored` keeps another's date."""
        date = f"{int(at.timestamp())} +0000"
        env = {
            "GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email, "GIT_AUTHOR_DATE": authored or date,
            "GIT_COMMITTER_NAME": committer.name, "GIT_COMMITTER_EMAIL": committer.email, "GIT_COMMITTER_DATE": date,
        }  # fmt: skip
        words = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, *words, stdin=f"{message.rstrip()}\n".encode(), env=env)

    def merged_tree(self, ours: str, theirs: str) -> str:
        """The tree of a merge by git's own strategy. Raises Conflict."""
        done = self._run(["merge-tree", "--write-tree", "--no-messages", ours, theirs])
        if done.returncode:
            raise Conflict(done.stderr.decode())
        return done.stdout.decode().split("\0")[0].strip()

    def picked_tree(self, change_from: str, change_to: str, onto: str) -> str:
        """The tree of `onto` with one change applied: a three-way merge whose base is the change's beginning.

        `git merge-tree --merge-base` came with git 2.40; commits made for the purpose say the same to older ones.
        """
        nobody = {"NAME": "x", "EMAIL": "x@x", "DATE": "1000000000 +0000"}
        env = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in nobody.items()}
        base = self.git("commit-tree", f"{change_from}^{{tree}}", "-m", "base", env=env)
        sides = [
            self.git("commit-tree", f"{side}^{{tree}}", "-p", base, "-m", "side", env=env) for side in (onto, change_to)
        ]
        return self.merged_tree(*sides)

    def tree(self, commit: str) -> str:
        return self.git("rev-parse", f"{commit}^{{tree}}")

    def rebased(self, base: str, head: str, committer: Person, at: datetime) -> list[str]:
        """The commits of head made anew on base: always new ids, merges left out, as GitHub does it."""
        words = ("rev-list", "--reverse", "--topo-order", "--no-merges", "--cherry-pick", "--right-only")
        made = [base]
        for commit in self.git(*words, f"{base}...{head}").split():
            tree = self.picked_tree(f"{commit}^", commit, made[-1])
            began_empty = self.tree(commit) == self.tree(f"{commit}^")
            if tree == self.tree(made[-1]) and not began_empty:
                continue
            date = self.git("show", "-s", "--format=%ad", "--date=raw", commit)
            made.append(
                self.write(tree, [made[-1]], self.message(commit), self.author(commit), committer, at, authored=date)
            )
        return made[1:]

    def edited_tree(self, commit: str, files: dict[str, str | bytes | None]) -> str:
        """The tree of a commit with files set, or deleted by None."""
        with tempfile.TemporaryDirectory() as folder:
            env = {"GIT_INDEX_FILE": os.path.join(folder, "index")}
            self.git("read-tree", commit, env=env)
            lines = []
            for path, content in files.items():
                if content is None:
                    lines.append(f"0 {ZERO}\t{path}")
                    continue
                data = content.encode() if isinstance(content, str) else content
                lines.append(f"100644 {self.git('hash-object', '-w', '--stdin', stdin=data)}\t{path}")
            self.git("update-index", "--index-info", stdin="".join(f"{line}\n" for line in lines).encode(), env=env)
            return self.git("write-tree", env=env)
