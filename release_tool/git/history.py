"""Questions about history, answered also where the history is cut (a shallow clone, or no clone at all).

Where an answer could change with commits that aren't here, older ones are fetched in steps: 50, 500, all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.git.database import Missing
from release_tool.git.process import stream
from release_tool.records import CommitId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from release_tool.git.objects import CommitInfo
    from release_tool.git.remote import Remote

_LINEAR = 200
"""So many commits are looked at one by one before git is asked."""


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
            run: list[CommitInfo] = []
            for info in self._walk(begin, paths):
                run.append(info)
                if since is not None and info.committed_at < since:
                    yield run
                    return
                if len(run) == chunk:
                    yield run
                    run = []
            if run:
                yield run
            cut = self._end_of_line(begin)
            if cut is None:
                return
            begin = cut

    def _walk(self, begin: CommitId, paths: Sequence[str]) -> Iterator[CommitInfo]:
        """The commits that touch a path, as far as the first-parent line is here."""
        cuts = self._remote.cuts()
        arguments = ("rev-list", "--first-parent", begin, "--", *paths)
        for line in stream(self._remote.arguments(*arguments), self._remote.cwd):
            if line in cuts:  # looks like a root that adds every file; what it really changed isn't known
                return
            yield self._remote.database.commit(CommitId(line))

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
        """One round with what is here, then one after each step of deepening."""
        yield
        window = [f"--shallow-since={int(since.timestamp())}"] if since is not None else []
        for depth in ("--deepen=50", *window, "--deepen=500", "--unshallow"):
            if self._remote.cuts():
                self._remote.deepen(tips, depth)
                yield

    def _commits(self, *arguments: str, ok: tuple[int, ...] = (0,)) -> list[CommitId]:
        return [CommitId(line) for line in self._remote.local(*arguments, ok=ok).lines]
