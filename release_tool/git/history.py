"""Questions about history, answered also where the history is cut (a shallow clone, or no clone at all).

Where an answer could change with commits that aren't here, older ones are fetched in steps: 50, 500, all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.git.database import Missing
from release_tool.git.objects import Step, moment, parse_raw, shown
from release_tool.git.process import stream
from release_tool.model.records import CommitId

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from release_tool.git.objects import Blobs, CommitInfo
    from release_tool.git.remote import Remote

_LINEAR = 200
"""So many commits are looked at one by one before git is asked."""

_PATHSPECS = 32
"""So many paths are given to git: it compares every name in every tree with each of them."""

# Each option undoes what somebody's configuration may say: log.follow, log.showRoot, log.showSignature, diff.relative.
_LOG = (
    *("-c", "core.quotePath=false", "--literal-pathspecs", "log", "--first-parent", "--diff-merges=first-parent"),
    *("--raw", "--no-abbrev", "--no-renames", "--no-follow", "--root", "--no-show-signature", "--no-relative"),
    *("--no-color", "--no-decorate", "--format=%H %ct"),
)


class History:
    """The commits of one remote."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def merge_base(self, one: CommitId, other: CommitId) -> CommitId | None:
        """The best common ancestor (of several, git's first); None for unrelated histories."""
        for older, newer in ((one, other), (other, one)):
            if self._line(older, newer) is not None:
                return older
        for _ in self._steps([one, other]):
            bases = self._commits("merge-base", "--all", one, other, ok=(0, 1))
            if not self._cut([one, other], bases):
                break
        return bases[0] if bases else None

    def between(self, base: CommitId | None, tip: CommitId) -> list[CommitInfo]:
        """The commits of `base..tip`, parents before children; base None: all down to the root."""
        line: list[CommitId] | None = self._line(base, tip) if base else None
        if line is None:
            excluded = [base] if base else []
            for _ in self._steps([tip, *excluded]):
                if not self._cut([tip], excluded):
                    break
            line = self._commits("rev-list", "--topo-order", tip, *(f"^{commit}" for commit in excluded))
        return [self._remote.database.commit(commit) for commit in reversed(line)]

    def first_parent(
        self, tip: CommitId, paths: Sequence[str], since: datetime | None, chunk: int
    ) -> Iterator[list[CommitInfo]]:
        """The first-parent commits that touch a path, newest first, down to the first one older than `since`.

        They come in lists of at most `chunk`, shorter where older commits must be fetched to go on.
        """
        begin = tip
        for _ in self._steps([tip], since):
            cut = self._end_of_line(begin)  # first: while a caller holds the walk, others may fetch older commits
            run: list[CommitInfo] = []
            for info in self._walk(begin, paths, cut):
                run.append(info)
                if since is not None and info.committed_at < since:
                    yield run
                    return
                if len(run) == chunk:
                    yield run
                    run = []
            if run:
                yield run
            if cut is None:
                return
            begin = cut

    def touching(
        self, tip: CommitId, paths: Sequence[str], since: datetime | None, chunk: int, most: int
    ) -> Iterator[list[Step]]:
        """The first-parent commits that touch one of many files, newest first, down to the root.

        Where older commits must be fetched to go on, the oldest one that is here comes before that: what it changes
        isn't known yet, but how old it is.

        Args:
            tip: where to begin.
            paths: the files. Commits that touch only others beside them may come too.
            since: how far back the walk will probably go: so much is fetched in the second step.
            chunk: how many steps come at once at first; each time twice as many.
            most: but never more.
        """
        begin = tip
        for _ in self._steps([tip], since):
            cut = self._end_of_line(begin)
            run: list[Step] = []
            for step in self._changes(begin, paths, cut):
                run.append(step)
                if len(run) == chunk:
                    yield run
                    run, chunk = [], min(chunk * 2, most)
            if cut is not None:
                run.append(Step(cut, self._remote.database.commit(cut).committed_at, {}))
            if run:
                yield run
            if cut is None:
                return
            begin = cut

    def _walk(self, begin: CommitId, paths: Sequence[str], cut: CommitId | None) -> Iterator[CommitInfo]:
        """The commits that touch a path, as far as the first-parent line is here."""
        arguments = ("--literal-pathspecs", "rev-list", "--first-parent", begin, "--", *paths)
        for line in stream(self._remote.arguments(*arguments), self._remote.cwd):
            if line == cut:  # looks like a root that adds every file; what it really changed isn't known
                return
            yield self._remote.database.commit(CommitId(line))

    def _changes(self, begin: CommitId, paths: Sequence[str], cut: CommitId | None) -> Iterator[Step]:
        """The commits that touch one of some files, with what they make of them, as far as the line is here."""
        ours = {shown(path): path for path in paths}
        commit = ""
        files: dict[str, Blobs] = {}
        for line in stream(self._remote.arguments(*_LOG, begin, "--", *_pathspecs(paths)), self._remote.cwd):
            if line.startswith(":"):
                path, blobs = parse_raw(line)
                if path in ours:
                    files[ours[path]] = blobs
            elif line:
                if commit:
                    yield _step(commit, files)
                commit, files = line, {}
                if line.partition(" ")[0] == cut:
                    return
        if commit:
            yield _step(commit, files)

    def _end_of_line(self, begin: CommitId) -> CommitId | None:
        """Where the first-parent line of a commit is cut; None where it reaches its root."""
        cuts = self._remote.cuts()
        if not cuts:
            return None
        ends = self._commits("rev-list", "--first-parent", "--max-parents=0", begin)
        return next((end for end in ends if end in cuts), None)

    def _line(self, older: CommitId, newer: CommitId) -> list[CommitId] | None:
        """The commits from `newer` to just above `older` where each has one parent; None where that isn't so.

        Looks at the commits themselves: the usual rolling branch, a commit or two on top of the base, needs no history
        beyond them even where git counts it as cut.
        """
        line: list[CommitId] = []
        at = newer
        try:
            while at != older:
                parents = self._remote.database.commit(at).parents
                if len(parents) != 1 or len(line) >= _LINEAR:
                    return None
                line.append(at)
                at = parents[0]
        except Missing:
            return None
        return line

    def _cut(self, tips: Sequence[CommitId], excluded: Sequence[CommitId]) -> bool:
        """Whether the history of tips, without that of excluded, is cut somewhere."""
        cuts = self._remote.cuts()
        if not cuts:
            return False
        return not cuts.isdisjoint(self._commits("rev-list", *tips, *(f"^{commit}" for commit in excluded)))

    def _steps(self, tips: Sequence[CommitId], since: datetime | None = None) -> Iterator[None]:
        """One round with what is here, then one after each step of deepening (somebody else's, too)."""
        yield
        seconds = int(since.timestamp()) if since is not None else 0
        window = [f"--shallow-since={seconds}"] if seconds > 0 else []
        for depth in ("--deepen=50", *window, "--deepen=500", "--unshallow"):
            if self._remote.cuts():
                self._remote.deepen(tips, depth)
            yield

    def _commits(self, *arguments: str, ok: tuple[int, ...] = (0,)) -> list[CommitId]:
        return [CommitId(line) for line in self._remote.local(*arguments, ok=ok).lines]


def _step(line: str, files: Mapping[str, Blobs]) -> Step:
    """A step of its line, `<commit> <seconds>`."""
    commit, _, seconds = line.partition(" ")
    return Step(CommitId(commit), moment(seconds), files)


def _pathspecs(paths: Sequence[str]) -> list[str]:
    """The paths; or directories that hold them all, the deepest that are few enough; or nothing: all that is there."""
    found = list(dict.fromkeys(paths))
    while len(found) > _PATHSPECS:
        depth = max(path.count("/") for path in found)
        found = list(dict.fromkeys("/".join(path.split("/")[:depth]) for path in found)) if depth else []
    return found
