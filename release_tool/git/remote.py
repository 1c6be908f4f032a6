"""One remote, seen from the private store: its refs, and bringing commits, files and history over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.git.credential import NONE
from release_tool.git.database import Database, Missing
from release_tool.git.errors import Forgotten, explain
from release_tool.git.process import run
from release_tool.git.store import SETTINGS_FILE, own_config
from release_tool.model.records import CommitId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from release_tool.git.credential import Access
    from release_tool.git.process import Answer

_NO_FILES = "--filter=blob:none"
_WITH_FILES = "--no-filter"
_FETCH = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--recurse-submodules=no",
    "--no-auto-maintenance",
    "--refmap=",  # the fetch refspecs of the user's remote would fill refs/remotes of the store
)
# The server doesn't hand out commits by id, has no shallow fetches, or no filters: asked in another way it may.
_OTHER_WAY = (
    r"unadvertised object|not our ref|remote ref|(?<!dumb http transport does not) support|does not allow|filter"
)


class RemoteRefs(NamedTuple):
    """What a remote holds.

    Attributes:
        head_branch: the name of its default branch; None where it is unborn or detached.
        refs: full name -> commit, those that were asked for and exist.
    """

    head_branch: str | None
    refs: Mapping[str, CommitId]

    def branch(self, name: str) -> CommitId | None:
        """The tip of a branch, by its short name; None where there is none."""
        return self.refs.get(f"refs/heads/{name}")


class Remote:
    """Talks to one remote.

    Attributes:
        name: the name of the remote in git's configuration.
        url: its URL, redacted, for messages.
        cwd: where git runs.
        partial: whether files may be missing that the remote has.
        database: the objects of the store.
    """

    def __init__(
        self,
        store: Path,
        cwd: str,
        name: str,
        url: str,
        algorithm: str,
        *,
        thin: bool,
        partial: bool,
        timeout: float,
        access: Access = NONE,
    ) -> None:
        self.name = name
        self.url = url
        self.cwd = cwd
        self.partial = partial
        self.database = Database(store, cwd, algorithm)
        self._store = store
        self._thin = thin  # no full checkout lends its objects: fetch one commit deep and without files
        self._timeout = timeout
        self._access = access
        self._seen: dict[str, CommitId] = {}

    def arguments(self, *arguments: str) -> list[str]:
        """The arguments of a git command on the store."""
        return [f"--git-dir={self._store}", "-c", f"include.path={self._store / SETTINGS_FILE}", *arguments]

    def _entitled(self, arguments: Sequence[str]) -> list[str]:
        """The same for a command that may talk to the remote."""
        return self.arguments(*self._access.options, *arguments)

    def local(
        self,
        *arguments: str,
        ok: tuple[int, ...] = (0,),
        stdin: bytes | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> Answer:
        """Runs a git command that may look at the store only.

        Raises:
            ReleaseError: its exit status is none of `ok`.
        """
        # It gets the time limit all the same: in a partial clone git may fetch what is missing.
        variables = {**self._access.variables, **(extra or {})}
        answer = run(self._entitled(arguments), self.cwd, stdin=stdin, extra=variables, timeout=self._timeout)
        if answer.code not in ok:
            raise explain(answer, f"run {arguments[0]}", self.url)
        return answer

    def ask(self, *arguments: str, stdin: bytes | None = None) -> Answer:
        """Runs a git command that talks to the remote; its failure is the caller's to judge."""
        # A stalled download over HTTP ends after a minute, long before the time limit of the whole command.
        stalled = {"GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "60"}
        variables = {**self._access.variables, **stalled}
        return run(self._entitled(arguments), self.cwd, stdin=stdin, extra=variables, timeout=self._timeout)

    def refs(self, patterns: Sequence[str]) -> RemoteRefs:
        """The refs that match: full names, or with a `*` at the end that stands for anything. One request."""
        answer = self.ask("ls-remote", "--symref", "--quiet", self.name, "HEAD", *patterns)
        if answer.code != 0:
            raise explain(answer, "read the remote's refs", self.url)
        head, refs = None, {}
        for line in answer.lines:
            value, _, ref = line.partition("\t")
            if value.startswith("ref: "):
                head = value.removeprefix("ref: refs/heads/") if ref == "HEAD" else head
                continue
            self._follow_format(value)
            if any(_matches(ref, pattern) for pattern in patterns):  # ls-remote matches the end of names too
                refs[ref] = CommitId(value)
        self._seen.update(refs)
        return RemoteRefs(head, refs)

    def fetch(self, commits: Iterable[CommitId], *, with_files: bool) -> None:
        """Makes commits and their trees readable; nothing is asked where they are."""
        missing = [commit for commit in dict.fromkeys(commits) if not self._has(commit)]
        if missing:
            thin = ("--depth=1", _WITH_FILES if with_files else _NO_FILES)
            self._bring(missing, thin if self._thin else ())

    def fetch_objects(self, ids: Sequence[str], commits: Sequence[CommitId]) -> None:
        """Brings objects that a filter left out, in one request, or else all files of the history that is here.

        Raises:
            ReleaseError: they should have been there, or the remote doesn't hand them out.
        """
        # The way in which git's own promisor fetch asks (promisor-remote.c): nothing is negotiated.
        wanted = "".join(f"{name}\n" for name in ids).encode()
        noop = ("-c", "fetch.negotiationAlgorithm=noop")
        answer = self.ask(*noop, *_FETCH, _NO_FILES, "--stdin", self.name, stdin=wanted)
        if answer.code != 0 and re.search(_OTHER_WAY, answer.err):
            names = self._by_name(commits) or self._by_name(list(self._seen.values()))
            answer = self._fetch(names, ("--refetch", _WITH_FILES))
        if answer.code != 0:
            raise explain(answer, "fetch files", self.url)

    def deepen(self, tips: Sequence[CommitId], depth: str) -> None:
        """Brings older commits of a cut history; depth: an option of git fetch."""
        for specs in (_by_id(tips), self._by_name(tips)):
            answer = self._fetch(specs, (depth, _NO_FILES))
            if answer.code == 0 or "no commits selected" in answer.err:  # --shallow-since, and none is that young
                return
            if not re.search(_OTHER_WAY, answer.err):
                break
        raise explain(answer, "fetch older commits", self.url)

    def cuts(self) -> frozenset[CommitId]:
        """The commits whose parents git doesn't know here; empty for a complete history."""
        try:
            return frozenset(CommitId(line) for line in (self._store / "shallow").read_text("ascii").split())
        except FileNotFoundError:
            return frozenset()

    def _bring(self, wanted: Sequence[CommitId], options: Sequence[str]) -> None:
        """Fetches commits in the way that asks for the least, then in those that older servers understand."""
        for specs, extra in self._ways(wanted, options):
            answer = self._fetch(specs, extra)
            if answer.code == 0 and all(self._has(commit) for commit in wanted):
                return
            if answer.code != 0 and not re.search(_OTHER_WAY, answer.err):
                raise explain(answer, "fetch", self.url)
        raise Forgotten(
            f"the remote doesn't hold {wanted[0][:12]} any more",
            where=self.url,
            cause="a branch was changed or deleted meanwhile",
            hint="run the same command again",
        )

    def _ways(
        self, wanted: Sequence[CommitId], options: Sequence[str]
    ) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
        yield _by_id(wanted), options
        names = self._by_name(wanted)
        if names:
            yield names, options
            if options:
                yield names, (_WITH_FILES,)

    def _fetch(self, specs: Sequence[str], options: Sequence[str]) -> Answer:
        return self.ask(*_FETCH, *options, "--stdin", self.name, stdin="\n".join(specs).encode())

    def _by_name(self, commits: Sequence[CommitId]) -> list[str]:
        """Refspecs by the names under which the commits were seen."""
        return [f"+{ref}:refs/kept/{commit}" for ref, commit in self._seen.items() if commit in commits]

    def _has(self, commit: CommitId) -> bool:
        try:
            self.database.commit(commit)
        except Missing:
            return False
        return True

    def _follow_format(self, value: str) -> None:
        """Turns an empty store into one of SHA-256 when the remote is; without a checkout nobody said so before."""
        if len(value) == 64 and self.database.algorithm == "sha1" and self._thin and not self._seen:
            (self._store / "config").write_text(own_config("sha256"), "ascii")
            self.database.algorithm = "sha256"


def _by_id(commits: Sequence[CommitId]) -> list[str]:
    """Refspecs by id. The refs tell the remote in later fetches what is here."""
    return [f"+{commit}:refs/kept/{commit}" for commit in commits]


def _matches(ref: str, pattern: str) -> bool:
    return ref.startswith(pattern[:-1]) if pattern.endswith("*") else ref == pattern
