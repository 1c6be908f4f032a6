"""Pull requests kept in the git remote itself, for plain git servers, tests and the demo. Needs atomic pushes.

`refs/pulls/<number>` is the history of one pull request: each version is a commit whose tree holds `pull.json` and
whose parents are the version before and the head of the branch at that time (so that the head outlives the branch and
every gc). `refs/pulls/by-head/<branch>` is the same commit, for the latest pull request of that branch. Both move
together, by compare-and-swap. The second is what makes two open pull requests of one branch impossible, and finding
the one of a branch cheap, however many there were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from release_tool.errors import Refused, ReleaseError, TryAgain
from release_tool.forges.base import Opened
from release_tool.forges.local_versions import PULLS, Version, by_head, parsed, ref_of, written
from release_tool.git.repository import Merged, Stale, TreeId
from release_tool.model.forge import Capabilities
from release_tool.model.records import CommitId, PullRequest, RefUpdate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from release_tool.forges.base import ForgeSettings
    from release_tool.git.repository import RemoteRefs, Repository

T = TypeVar("T")

_FILE = "pull.json"
_ATTEMPTS = 100  # every lost race means that somebody else got on; this only ends what can't


CAPABILITIES = Capabilities(
    "local",
    "pull requests in the git remote",
    knows_landings=False,
    methods=("merge", "squash", "rebase"),
    auto_merge="forge",
    opens_empty=True,
    deleting_closes=False,
    reopens=False,
    keeps_comments=False,
    reviewers=False,
)


class LocalForge:
    """Pull requests in a git remote. The contract stands in `forges/base.py`."""

    capabilities = CAPABILITIES
    skew = None

    def __init__(self, repository: Repository, now: Callable[[], datetime]) -> None:
        self._repository = repository
        self._now = now

    def find_open(self, head: str, base: str) -> PullRequest | None:
        version = self._latest(self._look(head), head)
        return version.pull if version and version.pull.state == "open" and version.pull.base == base else None

    def last_finished(self, head: str, base: str) -> PullRequest | None:
        refs = self._look(head)
        version = self._latest(refs, head)
        while version is not None and (version.pull.state == "open" or version.pull.base != base):
            version = self._read(refs, ref_of(version.previous)) if version.previous else None
        return version.pull if version else None

    def open(
        self,
        head: str,
        base: str,
        title: str,
        body: str,
        labels: Sequence[str] = (),
        *,
        reviewers: Sequence[str] = (),  # noqa: ARG002 (a git remote knows nobody)
    ) -> Opened:
        return _repeated(lambda: self._open(head, base, title, body, labels))

    def update(
        self,
        number: int,
        title: str,
        body: str,
        labels: Sequence[str] = (),
        *,
        reviewers: Sequence[str] = (),  # noqa: ARG002 (a git remote knows nobody)
    ) -> PullRequest:
        def change(pull: PullRequest) -> PullRequest:
            _demand_open(pull)
            return pull._replace(title=title, body=body, labels=tuple(dict.fromkeys((*pull.labels, *labels))))

        return self._change(number, change)

    def close(self, number: int, comment: str = "") -> PullRequest:
        def change(pull: PullRequest) -> PullRequest:
            if pull.closed_at is not None:
                return pull
            comments = (*pull.comments, comment) if comment else pull.comments
            return pull._replace(state="closed", closed_at=self._now(), comments=comments)

        return self._change(number, change)

    def comment(self, number: int, text: str) -> None:
        self._change(number, lambda pull: pull._replace(comments=(*pull.comments, text)))

    def get(self, number: int) -> PullRequest:
        return self._version(self._look("*"), number).pull

    def list(self, state: str = "open") -> tuple[PullRequest, ...]:
        refs = self._look("*")
        numbers = sorted(_numbers(refs), reverse=True)
        self._repository.fetch(*(refs.refs[ref_of(number)] for number in numbers), with_files=True)
        pulls = [self._version(refs, number).pull for number in numbers]
        return tuple(pull for pull in pulls if state in ("all", pull.state))

    def landed_at(self, commit: CommitId) -> datetime | None:
        # `merge` always makes new commits, whose committer time is that of the merge; people may push others.
        made = self._repository.commit_info(commit).committed_at
        refs = self._look("*")
        for ref in refs.refs:
            version = self._read(refs, ref) if ref.startswith(by_head("")) else None
            while version is not None:
                at = version.pull.merged_at
                if at is not None and at.replace(microsecond=0) == made:
                    return at
                version = self._read(refs, ref_of(version.previous)) if version.previous else None
        return None

    def merge(self, number: int, method: str = "merge", check: Callable[[CommitId], None] | None = None) -> PullRequest:
        return _repeated(lambda: self._merge(number, method, check))

    def merge_when_ready(self, number: int, head_commit: CommitId) -> str:
        # This forge has no rules to wait for.
        _repeated(lambda: self._merge(number, "merge", None, head_commit))
        return "merged"

    def merge_by_hand(self, number: int) -> None:  # noqa: ARG002
        return  # nothing waits here to merge by itself

    # -- one attempt each; Stale means: look again

    def _open(self, head: str, base: str, title: str, body: str, labels: Sequence[str]) -> Opened:
        refs = self._look(head, base)
        tip, latest = refs.branch(head), self._latest(refs, head)
        if tip is None:
            raise Refused(f"there is no branch `{head}`", where=self._repository.display_url, hint="push it first")
        if latest is not None and latest.pull.state == "open":
            if latest.pull.base != base:
                raise Refused(f"pull request #{latest.pull.number} proposes `{head}` to `{latest.pull.base}` already")
            return Opened(latest.pull, created=False)
        if refs.branch(base) is None:
            raise Refused(f"there is no branch `{base}`", where=self._repository.display_url, hint="push it first")
        number = max(_numbers(refs), default=0) + 1
        pull = PullRequest(number, self._url(number), "open", head, base, tip, title, body, labels=tuple(labels))
        version = Version(pull, latest.pull.number if latest else None, self._now().isoformat())
        commit = self._commit(version)
        above = refs.refs.get(by_head(head))
        pushed = [RefUpdate(ref_of(number), None, commit), RefUpdate(by_head(head), above, commit)]
        return Opened(pull, created=self._repository.push(pushed))

    def _change(self, number: int, change: Callable[[PullRequest], PullRequest]) -> PullRequest:
        def attempt() -> PullRequest:
            refs = self._look("*")
            version = self._version(refs, number)
            changed = version._replace(pull=change(version.pull))
            if changed != version or version.pull.head_commit != version.kept_head:
                self._repository.push(self._moves(refs, changed))
            return changed.pull

        return _repeated(attempt)

    def _merge(
        self,
        number: int,
        method: str,
        check: Callable[[CommitId], None] | None,
        head_commit: CommitId | None = None,
    ) -> PullRequest:
        refs = self._look("*")
        version = self._version(refs, number)
        pull = version.pull
        if pull.state == "merged":
            return pull
        _demand_open(pull)
        if head_commit not in {None, pull.head_commit}:
            raise Refused(f"the head of pull request #{number} has moved", where=pull.url)
        base = refs.branch(pull.base)
        if base is None:
            raise Refused(f"the base `{pull.base}` of pull request #{number} is gone", where=pull.url)
        self._repository.fetch(base, pull.head_commit)
        now = self._now()
        merged = self._merged(pull, base, method, now)
        if check is not None:
            check(merged)
        done = pull._replace(state="merged", merge_commit=merged, merged_at=now, closed_at=now)
        self._repository.push(  # atomic: the base, the pull request, and the branch away
            [
                *([RefUpdate(f"refs/heads/{pull.base}", base, merged)] if merged != base else []),
                *self._moves(refs, version._replace(pull=done)),
                RefUpdate(f"refs/heads/{pull.head}", pull.head_commit, None),
            ]
        )
        return done

    # -- what the base becomes

    def _merged(self, pull: PullRequest, base: CommitId, method: str, now: datetime) -> CommitId:
        """The commit that the base would become; the base itself where it holds everything already."""
        makers = {"merge": self._merge_commit, "squash": self._squashed, "rebase": self._rebased}
        if method not in makers:
            raise ReleaseError(f"there is no merge method `{method}`", hint=f"use one of {', '.join(makers)}")
        if self._repository.is_ancestor(pull.head_commit, base):
            return base
        return makers[method](pull, base, now)

    def _merge_commit(self, pull: PullRequest, base: CommitId, now: datetime) -> CommitId:
        tree = _clean(self._repository.merge(base, pull.head_commit), pull)
        message = f"Merge pull request #{pull.number} from {pull.head}\n\n{pull.title}"
        return self._repository.commit([base, pull.head_commit], tree, {}, message, when=now)

    def _squashed(self, pull: PullRequest, base: CommitId, now: datetime) -> CommitId:
        tree = _clean(self._repository.merge(base, pull.head_commit), pull)
        fork = self._repository.merge_base(base, pull.head_commit)
        commits = [info for info in self._repository.commits(fork, pull.head_commit) if len(info.parents) == 1]
        subjects = "\n".join(f"* {info.subject}" for info in commits)
        operations = dict.fromkeys(operation for info in commits for operation in info.operations)
        trailers = "\n".join(f"Release-Operation: {operation}" for operation in operations)
        paragraphs = (f"{pull.title} (#{pull.number})", subjects, trailers)
        message = "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
        return self._repository.commit([base], tree, {}, message, when=now)

    def _rebased(self, pull: PullRequest, base: CommitId, now: datetime) -> CommitId:
        fork = self._repository.merge_base(base, pull.head_commit)
        onto = base
        for info in self._repository.commits(fork, pull.head_commit):
            if len(info.parents) != 1:  # as `git rebase` does
                continue
            replayed = self._repository.replay(info.id, onto, when=now)
            if isinstance(replayed, Merged):
                raise _conflict(replayed, pull)
            if self._repository.tree_id(replayed) != self._repository.tree_id(onto):
                onto = replayed
        return onto

    # -- reading and writing versions

    def _look(self, *branches: str) -> RemoteRefs:
        """All pull requests and these branches (`*`: every branch), in one request."""
        return self._repository.refs(f"{PULLS}*", *(f"refs/heads/{branch}" for branch in branches))

    def _latest(self, refs: RemoteRefs, head: str) -> Version | None:
        return self._read(refs, by_head(head))

    def _version(self, refs: RemoteRefs, number: int) -> Version:
        version = self._read(refs, ref_of(number))
        if version is None:
            raise ReleaseError(
                f"there is no pull request #{number}",
                where=self._repository.display_url,
                hint="`release pulls list --all` shows them",
            )
        return version

    def _read(self, refs: RemoteRefs, ref: str) -> Version | None:
        """The version that a ref holds; an open one shows the present tip of its branch."""
        commit = refs.refs.get(ref)
        if commit is None:
            return None
        self._repository.fetch(commit, with_files=True)
        version = parsed(self._repository.read(commit, [_FILE]).get(_FILE, b""), ref, commit)
        pull = version.pull._replace(url=self._url(version.pull.number))
        if pull.state == "open":
            tip = refs.branch(pull.head)
            pull = pull._replace(head_commit=tip) if tip else pull._replace(state="closed")
        return version._replace(pull=pull)

    def _moves(self, refs: RemoteRefs, version: Version) -> tuple[RefUpdate, ...]:
        """The updates that put a new version in the place of the one that the refs hold."""
        pull, commit = version.pull, self._commit(version)
        both = (ref_of(pull.number), by_head(pull.head))
        return tuple(RefUpdate(ref, version.commit, commit) for ref in both if refs.refs.get(ref) == version.commit)

    def _commit(self, version: Version) -> CommitId:
        """Writes a version into the private store."""
        pull = version.pull
        parents = [version.commit] if version.commit else []
        if pull.head_commit != version.kept_head:
            self._repository.fetch(pull.head_commit)
            parents.append(pull.head_commit)
        message = f"Pull request #{pull.number} ({pull.state}): {pull.title}"
        return self._repository.commit(parents, None, {_FILE: written(version)}, message, when=self._now())

    def _url(self, number: int) -> str:
        return f"{self._repository.display_url}#{ref_of(number)}"


def connect(repository: Repository, now: Callable[[], datetime], settings: ForgeSettings) -> LocalForge:  # noqa: ARG001
    return LocalForge(repository, now)


def _repeated(attempt: Callable[[], T]) -> T:
    """Tries until nobody was faster."""
    for _ in range(_ATTEMPTS):
        try:
            return attempt()
        except Stale as stale:
            where = stale.where
    raise TryAgain("somebody else was always faster", where=where, hint="run the same command again")


def _numbers(refs: RemoteRefs) -> list[int]:
    names = (ref.removeprefix(PULLS) for ref in refs.refs if ref.startswith(PULLS))
    return [int(name) for name in names if name.isdecimal()]


def _demand_open(pull: PullRequest) -> None:
    if pull.state != "open":
        raise Refused(f"pull request #{pull.number} is {pull.state}", where=pull.url)


def _clean(merged: Merged, pull: PullRequest) -> TreeId:
    if merged.tree is None:
        raise _conflict(merged, pull)
    return merged.tree


def _conflict(merged: Merged, pull: PullRequest) -> Refused:
    return Refused(
        f"pull request #{pull.number} conflicts with `{pull.base}` in {', '.join(merged.conflicts)}",
        where=pull.url,
        hint="run `release sync`, which makes its branch again on the base's tip, then merge",
    )
