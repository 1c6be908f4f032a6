"""One remote, seen from the private store: its refs, bringing commits and history over, and pushing."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError, TryAgain
from release_tool.git.errors import Forgotten, Stale, explain, web_page
from release_tool.git.objects import Database, MissingObject
from release_tool.git.opening import FORMATS, SETTINGS
from release_tool.git.process import finish, redact, start
from release_tool.model.records import CommitId

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from release_tool.git.opening import Store
    from release_tool.git.process import GitAnswer, Process
    from release_tool.model.records import RefUpdate

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
# A stalled download over HTTP ends after a minute, long before the time limit of the whole command.
_STALLED = {"GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "60"}


class RemoteRefs(NamedTuple):
    """What a remote holds."""

    head_branch: str | None  # the name of the default branch; None where the branch is unborn or HEAD detached
    refs: Mapping[str, CommitId]  # full name -> commit, those that were asked for and exist

    def branch(self, name: str) -> CommitId | None:
        """The tip of a branch, by its short name; None where there is none."""
        return self.refs.get(f"refs/heads/{name}")


class Remote:
    """Talks to one remote; `Repository` is what the rest of the tool uses. The attributes are those of `Store`."""

    def __init__(self, store: Store, timeout: float) -> None:
        self.top = store.top
        self.display_url = store.url
        self.remote_name = store.remote
        self._urls = store.urls
        self.link = ""  # the address that the server named for a pull request when it took the last push
        self.option_error = ""  # what it found wrong with that push's options
        self.cwd = store.cwd
        # No other settings: their values may be credentials.
        sections = ("user.", "author.", "committer.", "commit.", "gpg.")
        self.config = {it.key: it.value for it in store.settings if it.key.startswith(sections)}
        self._store = store.path
        # The store's own configuration says nothing of the remote, see there.
        self._place = (f"--git-dir={store.path}", "-c", f"include.path={store.path / SETTINGS}")
        self._thin = store.thin
        self._partial = store.partial
        self._credential = store.credential
        self._entitle = store.entitle
        self._timeout = timeout
        self._database = Database(store.path, store.cwd, store.algorithm)
        self._seen: dict[str, CommitId] = {}
        self._running: list[Generator[object, None, None]] = []  # walks; what still runs ends with the repository

    def refs(self, *patterns: str) -> RemoteRefs:
        """What the remote holds now: one request, never answered from memory.

        Args:
            patterns: full names (`refs/heads/main`), or with a `*` at the end that stands for anything, slashes too.
        """
        process = self._start("ls-remote", "--symref", "--quiet", self.remote_name, "HEAD", *patterns)
        try:
            self._database.begin()  # the next question is for the commits: ready when the remote has answered
        finally:
            answer = finish(process, None, self._timeout)
        if answer.code != 0:
            if "returned error: 30" in answer.err:
                raise self._redirected("ls-remote", self.remote_name)
            raise explain(answer, "read the remote's refs", self.display_url)
        if not answer.out:
            self._demand_no_page("ls-remote", self.remote_name)
        head, refs = None, {}
        for line in answer.lines:
            value, _, ref = line.partition("\t")
            if value.startswith("ref: "):
                head = value.removeprefix("ref: refs/heads/") if ref == "HEAD" else head
                continue
            if len(value) == 64 and self._database.algorithm == "sha1" and self._thin and not self._seen:
                # Without a checkout nobody said before that the remote has SHA-256; the store is still empty.
                (self._store / "config").write_text(FORMATS["sha256"], "ascii")
                self._database.close()
                self._database.algorithm = "sha256"
            # ls-remote matches the end of names too.
            if any(ref.startswith(it[:-1]) if it.endswith("*") else ref == it for it in patterns):
                refs[ref] = CommitId(value)
        self._seen.update(refs)
        return RemoteRefs(head, refs)

    def fetch(self, *commits: CommitId, with_files: bool = False) -> None:
        """Makes commits and their trees readable: no request where they are already, else one for all of them.

        Args:
            commits: what to fetch. What a full checkout doesn't hold comes with its history, else it comes alone.
            with_files: bring all files too where a filter would leave them out, for commits with few.

        Raises:
            Forgotten: the remote doesn't hold a commit any more; Forgotten is a TryAgain.
        """
        missing = [commit for commit in dict.fromkeys(commits) if not self._has(commit)]
        if not missing:
            return
        # The way that asks for the least comes first, then those that older servers understand.
        least = ("--depth=1", _WITH_FILES if with_files else _NO_FILES) if self._thin else ()
        ways: list[tuple[list[str], tuple[str, ...]]] = [(_by_id(missing), least)]
        names = self._by_name(missing)
        if names:
            ways += [(names, least), *([(names, (_WITH_FILES,))] if least else [])]
        for specs, options in ways:
            answer = self._fetch(specs, options)
            if answer.code == 0 and all(self._has(commit) for commit in missing):
                return
            if answer.code != 0 and not re.search(_OTHER_WAY, answer.err):
                raise explain(answer, "fetch", self.display_url)
        raise Forgotten(
            f"the remote doesn't hold {missing[0][:12]} any more",
            where=self.display_url,
            cause="a branch was changed or deleted meanwhile",
            hint="run the same command again",
        )

    def push(self, updates: Sequence[RefUpdate], options: Sequence[str] = ()) -> bool:
        """Changes refs of the remote, all or none, if each holds what is expected (compare and swap).

        Args:
            updates: the refs.
            options: what the server is told beside (push options); none may hold the end of a line.

        Returns:
            True: this push did it. False: every ref held the wanted commit already, so an earlier try got through or
            somebody did exactly the same.

        Raises:
            Stale: a ref has moved. Plan again on the new tip.
            Protected: the server's rules refuse it.
            ReleaseError: a branch whose name is in the way, no way to push several refs as one.
        """
        self.demand_one_address()
        # A lease per ref: git compares it with what the server tells at the beginning, and the server compares that
        # once more when it takes the push, so no push of anybody is lost in between.
        leases = [f"--force-with-lease={update.ref}:{update.old or ''}" for update in updates]
        specs = [f"{update.new or ''}:{update.ref}" for update in updates]
        leases += [f"--push-option={option}" for option in options]
        try:
            answer = self.ask("push", "--porcelain", "--atomic", *leases, self.remote_name, *specs)
        except TryAgain:  # git waits for ever for the rest of an answer that was cut off
            refs = self.refs(*(update.ref for update in updates)).refs
            if all(refs.get(update.ref) == update.new for update in updates):
                return False
            raise
        if answer.code != 0 and lacks_atomic(answer):
            if len(updates) > 1:
                raise ReleaseError(
                    "the remote can't change several refs as one",
                    where=self.display_url,
                    hint="use a server with atomic pushes (git's own, and all large hosts, have them)",
                    page="explanation/publishing.md#forges",
                )
            answer = self.ask("push", "--porcelain", *leases, self.remote_name, *specs)
        if answer.code == 0:
            if "://" in answer.err:
                from release_tool.git.errors import link_of

                self.link = link_of(answer.err)
            if options:
                from release_tool.git.errors import option_error

                self.option_error = option_error(answer.err)
            return any(line[1:2] == "\t" and line[0] != "=" for line in answer.lines)  # `=`: was up to date
        from release_tool.git.rejection import rejection  # a push that goes through needs none of it

        error = rejection(answer, updates, self.display_url, lambda names: self.refs(*names).refs)
        if isinstance(error, Stale) and "stale info" in error.cause:  # git saw no refs where there are some
            self._demand_no_page("push", "--dry-run", self.remote_name, specs[0])
        if error is not None:
            raise error
        return False

    @property
    def read_url(self) -> str:
        """The address at which git reads, which may be another one (`remote.NAME.pushurl`); redacted."""
        return redact(self._urls.reads)

    @cached_property
    def resolved_url(self) -> str:
        """The same address with the host that a name in SSH's configuration (`Host`) stands for."""
        from release_tool.git.process import ssh_host_name
        from release_tool.git.urls import ssh_host

        before, host, after = ssh_host(self.display_url)
        if not host:
            return self.display_url
        command = self.local("config", "--get", "core.sshCommand", ok=(0, 1)).text.strip()
        return f"{before}{ssh_host_name(host, command, self.cwd) or host}{after}"

    def demand_one_address(self) -> None:
        """Raise where git would push to several addresses, of which it can't move all or none; or to none."""
        key, there = self._urls.key, [redact(url) for url in self._urls.pushes]
        if len(there) == 1 and not self._urls.off:
            return
        import shlex

        one = shlex.quote(there[0])
        if self._urls.off:
            what, hint = "pushes are switched off", f"`git config --unset-all {key}`, or work in another checkout"
            raise ReleaseError(what, where=self.display_url, cause=f"{key} is `{there[0]}`", hint=hint)
        raise ReleaseError(
            f"git would push to {len(there)} addresses, and a push must move all of them or none",
            where=self.display_url,
            cause=f"{key} holds {', '.join(there)}",
            hint=f"name one with `--repo {one}`, or keep one: `git config --replace-all {key} {one}`",
        )

    def ask(self, *arguments: str, stdin: bytes | None = None, extra: Mapping[str, str] | None = None) -> GitAnswer:
        """Runs a git command that may talk to the remote; its failure is the caller's to judge."""
        answer = finish(self._start(*arguments, stdin=stdin is not None, extra=extra), stdin, self._timeout)
        if answer.code != 0 and "returned error: 30" in answer.err:
            raise self._redirected(*arguments, stdin=stdin)
        return answer

    def local(
        self,
        *arguments: str,
        ok: tuple[int, ...] = (0,),
        stdin: bytes | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> GitAnswer:
        """Runs a git command that may look at the store only; ReleaseError where its exit status is none of `ok`."""
        # As `ask`, with credential and time limit: in a partial clone git may fetch what is missing.
        answer = self.ask(*arguments, stdin=stdin, extra=extra)
        if answer.code not in ok:
            raise explain(answer, f"run {arguments[0]}", self.display_url)
        return answer

    def _start(self, *arguments: str, stdin: bool = False, extra: Mapping[str, str] | None = None) -> Process:
        variables = {**self._credential.variables, **_STALLED, **(extra or {})}
        return start((*self._place, *self._credential.options, *arguments), self.cwd, stdin=stdin, extra=variables)

    def _demand_no_page(self, *arguments: str) -> None:
        """Raise where a web page is what git takes for a repository without refs; it is asked once more for that."""
        if self.display_url.startswith("http"):
            from release_tool.git.redirect import TRACE

            page = web_page(self.display_url, finish(self._start(*arguments, extra=TRACE), None, self._timeout))
            if page is not None:
                raise page

    def _redirected(self, verb: str, *arguments: str, stdin: bytes | None = None) -> ReleaseError:
        """The error of a command that was sent elsewhere: it is asked once more where to."""
        from release_tool.git.redirect import TRACE, refused

        again = (verb, "--dry-run", *arguments) if verb == "push" else (verb, *arguments)
        traced = finish(self._start(*again, stdin=stdin is not None, extra=TRACE), stdin, self._timeout)
        by_url = self.cwd == str(self._store)
        return refused(traced, self.display_url, "" if by_url else self.remote_name)

    def _fetch(self, specs: Sequence[str], options: Sequence[str]) -> GitAnswer:
        return self.ask(*_FETCH, *options, "--stdin", self.remote_name, stdin="\n".join(specs).encode())

    def _fetch_objects(self, ids: Sequence[str], commits: Sequence[CommitId]) -> None:
        """Brings objects of some commits that a filter left out, in one request, or else all files of all commits."""
        # The way in which git's own promisor fetch asks (promisor-remote.c): nothing is negotiated.
        noop = ("-c", "fetch.negotiationAlgorithm=noop")
        wanted = "".join(f"{name}\n" for name in ids).encode()
        answer = self.ask(*noop, *_FETCH, _NO_FILES, "--stdin", self.remote_name, stdin=wanted)
        if answer.code != 0 and re.search(_OTHER_WAY, answer.err):
            names = self._by_name(commits) or self._by_name(list(self._seen.values()))
            answer = self._fetch(names, ("--refetch", _WITH_FILES))
        if answer.code != 0:
            raise explain(answer, "fetch files", self.display_url)
        for name in ids:
            if self._database.find(name) is None:
                raise ReleaseError(
                    "an object is missing", where=name, cause="a broken checkout", hint="run `git fsck` in it"
                )

    def _deepen(self, tips: Sequence[CommitId], depth: str) -> None:
        """Brings older commits of a cut history; depth: an option of git fetch."""
        for specs in (_by_id(tips), self._by_name(tips)):
            answer = self._fetch(specs, (depth, _NO_FILES))
            if answer.code == 0 or "no commits selected" in answer.err:  # --shallow-since, and none is that young
                return
            if not re.search(_OTHER_WAY, answer.err):
                break
        raise explain(answer, "fetch older commits", self.display_url)

    def _cuts(self) -> frozenset[CommitId]:
        """The commits whose parents git doesn't know here; empty for a complete history."""
        try:
            return frozenset(CommitId(line) for line in (self._store / "shallow").read_text("ascii").split())
        except FileNotFoundError:
            return frozenset()

    def _by_name(self, commits: Sequence[CommitId]) -> list[str]:
        """Refspecs by the names under which the commits were seen."""
        return [f"+{ref}:refs/kept/{commit}" for ref, commit in self._seen.items() if commit in commits]

    def _has(self, commit: CommitId) -> bool:
        try:
            self._database.commit(commit)
        except MissingObject:
            return False
        return True


def lacks_atomic(answer: GitAnswer) -> bool:
    """Whether the server can't push several refs as one."""
    return "does not support --atomic" in answer.err


def _by_id(commits: Sequence[CommitId]) -> list[str]:
    """Refspecs by id. The refs tell the remote in later fetches what is here."""
    return [f"+{commit}:refs/kept/{commit}" for commit in commits]
