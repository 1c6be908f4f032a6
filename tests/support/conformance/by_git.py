"""What people do to branches, by git in a clone that pushes to the server: for benches that have no quicker way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from origin import git, write_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Clone:
    """Somebody with a clone.

    Args:
        clone: where it is made.
        url: what is cloned and pushed to.
        header: the header with which git logs in, `Authorization: Basic …`; empty: none.
    """

    def __init__(self, clone: Path, url: str, header: str = "") -> None:
        self._clone = clone
        # Nothing passes the suite's proxy, which counts what the tool asks.
        self._more = ["-c", "http.proxy=", *(["-c", f"http.extraHeader={header}"] if header else [])]
        git(*self._more, "clone", "-q", url, clone)

    def _git(self, *arguments: str) -> str:
        return git(*self._more, *arguments, cwd=self._clone)

    def push(self, branch: str, files: Mapping[str, str | None], message: str = "By hand") -> str:
        there = self._git("ls-remote", "origin", f"refs/heads/{branch}")
        self._git("fetch", "-q", "origin", f"refs/heads/{branch}" if there else "refs/heads/main")
        self._git("checkout", "-q", "--detach", "FETCH_HEAD")
        write_files(self._clone, files)
        self._git("add", "-A")
        self._git("commit", "-q", "-m", message)
        self._git("push", "-q", "origin", f"HEAD:refs/heads/{branch}")
        return self._git("rev-parse", "HEAD")

    def force_push(self, branch: str, to: str) -> None:
        self._git("fetch", "-q", "origin", to)
        self._git("push", "-q", "--force", "origin", f"{to}:refs/heads/{branch}")

    def delete_branch(self, branch: str) -> None:
        self._git("push", "-q", "origin", f":refs/heads/{branch}")
