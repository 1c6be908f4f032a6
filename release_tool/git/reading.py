"""What commits hold, and their history, also where some of that isn't here: a partial or shallow clone, or no clone.

Files that a filter left out are fetched in one request. Where the history is cut and older commits could change an
answer, they are fetched in steps: 50, 500, all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.git.objects import (
    TREE,
    BlobId,
    Blobs,
    MissingObject,
    TreeEntry,
    TreeId,
    WalkStep,
    in_the_way,
    moment,
    shown,
)
from release_tool.git.process import stream
from release_tool.git.remote import Remote
from release_tool.model.records import CommitId

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from release_tool.git.objects import CommitInfo

MAX_FILE = 20 * 1024 * 1024  # bytes of a file that are read unless the caller says otherwise
_LINEAR = 200  # so many commits are looked at one by one before git is asked
_PATHSPECS = 32  # so many paths are given to git: it compares every name in every tree with each of them
_NEWEST = 8  # so many commits of a walk are compared here: most walks end there, and git takes longer to start
_FEW, _MANY = 32, 1024  # for so many commits of a walk the missing files come in one request, at first and in the end

# Each option undoes what somebody's configuration may say: log.follow, log.showRoot, log.showSignature, diff.relative.
_LOG = (
    *("-c", "core.quotePath=false", "--literal-pathspecs", "log", "--first-parent", "--diff-merges=first-parent"),
    *("--raw", "--no-abbrev", "--no-renames", "--no-follow", "--root", "--no-show-signature", "--no-relative"),
    *("--no-color", "--no-decorate", "--format=%H %ct"),
)


class Reader(Remote):
    """Reads the commits of one remote; `Repository` is what the rest of the tool uses."""

    # -- files

    def read(self, commit: CommitId, paths: Iterable[str], *, limit: int = MAX_FILE) -> dict[str, bytes]:
        """The files that exist, path -> content, in the order of the paths; limit: bytes of a file.

        Raises:
            ReleaseError: a path is or leads through a symlink or submodule, is a directory, or its file is too large.
        """
        return self.read_at((commit,), paths, limit=limit)[commit]

    def read_at(
        self, commits: Iterable[CommitId], paths: Iterable[str], *, limit: int = MAX_FILE
    ) -> dict[CommitId, dict[str, bytes]]:
        """The same at many commits, with one request for all files that aren't here yet."""
        commits, paths = list(commits), list(paths)
        found: dict[CommitId, dict[str, str]] = {commit: {} for commit in commits}
        blobs = {}
        for commit in commits:
            for path in paths:
                entry = self._entry(commit, path)
                if entry is not None and not entry.is_file:
                    raise in_the_way(entry, path, commit)
                if entry is not None:
                    found[commit][path] = entry.id
                    blobs[entry.id] = path
        contents = self._contents(blobs, commits, limit)
        return {commit: {path: contents[blob] for path, blob in files.items()} for commit, files in found.items()}

    def blob(self, blob: BlobId) -> bytes:
        """A content that a walk named (`touching`), however large: one of an old commit can't be made smaller."""
        return self._contents({blob: ""}, (), None)[blob]

    def files(self, commit: CommitId, prefixes: Iterable[str] = ("",)) -> dict[str, TreeEntry]:
        """All that isn't a directory, below directories or named itself, path -> entry; `` is everything."""
        found: dict[str, TreeEntry] = {}
        for prefix in prefixes:
            top = self._entry(commit, prefix) if prefix else TreeEntry(TREE, self._database.commit(commit).tree)
            waiting = [(prefix.rstrip("/"), top)] if top is not None else []
            while waiting:
                path, entry = waiting.pop()
                if entry.mode != TREE:
                    found[path] = entry
                    continue
                above = f"{path}/" if path else ""
                below = self._tree(entry.id, commit).items()
                waiting += [(above + name, one) for name, one in reversed(below)]  # the last in is the first out
        return found

    def tree_id(self, commit: CommitId) -> TreeId:
        """The tree of a commit: two commits with the same tree hold the same files."""
        return self._database.commit(commit).tree

    def commit_info(self, commit: CommitId) -> CommitInfo:
        """A commit's author, message and parents."""
        return self._database.commit(commit)

    def _entry(self, commit: CommitId, path: str) -> TreeEntry | None:
        """What stands at a path; None where nothing does. Links on the way are refused, never followed."""
        *above, name = path_parts(path)
        tree: str = self._database.commit(commit).tree
        for at, part in enumerate(above, 1):
            entry = self._tree(tree, commit).get(part)
            if entry is None or entry.is_file:
                return None
            if entry.mode != TREE:
                raise in_the_way(entry, "/".join(above[:at]), commit)
            tree = entry.id
        return self._tree(tree, commit).get(name)

    def _tree(self, tree: str, *commits: CommitId) -> dict[str, TreeEntry]:
        try:
            return self._database.tree(tree)
        except MissingObject:  # a clone with --filter=tree:0
            self._fetch_objects((tree,), commits)
            return self._database.tree(tree)

    def _contents(self, blobs: Mapping[str, str], commits: Sequence[CommitId], limit: int | None) -> dict[str, bytes]:
        """Contents by id; blobs: id -> path."""
        found = {name: self._database.find(name, limit, path) for name, path in blobs.items()}
        missing = [name for name, content in found.items() if content is None]
        if missing:
            self._fetch_objects(missing, commits)
            found.update((name, self._database.find(name, limit, blobs[name])) for name in missing)
        return {name: content[1] for name, content in found.items() if content is not None}

    # -- history

    def merge_base(self, one: CommitId, other: CommitId) -> CommitId | None:
        """The best common ancestor (of several, git's first); None for unrelated histories."""
        for older, newer in ((one, other), (other, one)):
            if self._line(older, newer) is not None:
                return older
        for _ in self._deeper([one, other]):
            bases = self._ids("merge-base", "--all", one, other, ok=(0, 1))
            if not self._is_cut([one, other], bases):
                break
        return bases[0] if bases else None

    def is_ancestor(self, ancestor: CommitId, descendant: CommitId) -> bool:
        """Whether `descendant` holds `ancestor` in its history, or is it."""
        return self.merge_base(ancestor, descendant) == ancestor

    def first_parents(self, tip: CommitId, until: CommitId | None = None) -> list[CommitId]:
        """A commit and its first parents: down to one that was reached before, or else as far as they are here."""
        if until is None:
            return self._ids("rev-list", "--first-parent", f"--max-count={_MANY}", tip)
        return [*self._ids("rev-list", "--first-parent", tip, f"^{until}"), until]

    def commits(self, base: CommitId | None, tip: CommitId) -> list[CommitInfo]:
        """The commits of `base..tip`, parents before children; base None: the whole history."""
        line = self._line(base, tip) if base else None
        if line is None:
            excluded = [base] if base else []
            for _ in self._deeper([tip, *excluded]):
                if not self._is_cut([tip], excluded):
                    break
            line = self._ids("rev-list", "--topo-order", tip, *(f"^{commit}" for commit in excluded))
        return [self._database.commit(commit) for commit in reversed(line)]

    def touching(
        self, tip: CommitId, paths: Sequence[str], since: datetime | None = None
    ) -> Generator[WalkStep, None, None]:
        """The first-parent commits that touch some of many files, newest first, each with what it makes of them; lazy.

        One walk costs about the same for hundreds of files as for one, and `blob` reads what it names. Steps without
        any of the files may stand in between, so that a caller sees how far back it is.

        Args:
            paths: may grow while the walk goes on: below the last step the new ones are looked for, too.
            since: how far back the caller will probably go; a hint of how much to fetch where the history is cut.
        """
        while True:
            known, walk = len(paths), self._walk(tip, paths, since)
            self._running.append(walk)
            step = next(walk, None)
            while step is not None:
                yield step
                if len(paths) > known:
                    break
                step = next(walk, None)
            walk.close()
            parents = () if step is None else self._database.commit(step.commit).parents
            if not parents:
                return
            tip = parents[0]

    def _walk(self, tip: CommitId, paths: Sequence[str], since: datetime | None) -> Generator[WalkStep, None, None]:
        # Where files are missing they come with one request for many commits, not with one for each.
        chunk, most = (_FEW, _MANY) if self._partial else (1, 1)
        begin = tip
        for _ in self._deeper([tip], since):
            cut = self._end_of_line(begin)  # first: while a caller holds the walk, others may fetch older commits
            steps: list[WalkStep] = []
            for step in self._changes(begin, paths, cut):
                steps.append(step)
                if len(steps) == chunk:
                    self._bring_files(steps)
                    yield from steps
                    steps, chunk = [], min(chunk * 2, most)
            if cut is not None:  # what the cut commit changes isn't known yet, but how old it is
                steps.append(WalkStep(cut, self._database.commit(cut).committed_at, {}))
            self._bring_files(steps)
            yield from steps
            if cut is None:
                return
            begin = cut

    def _bring_files(self, steps: Sequence[WalkStep]) -> None:
        """Fetches the contents that steps name and that a filter left out."""
        if self._partial:
            made = {blob for step in steps for blobs in step.files.values() for blob in blobs if blob is not None}
            missing = [name for name in sorted(made) if self._database.find(name) is None]
            if missing:
                self._fetch_objects(missing, [step.commit for step in steps])

    def _changes(self, begin: CommitId, paths: Sequence[str], cut: CommitId | None) -> Iterator[WalkStep]:
        """The commits that touch one of some files, with what they make of them, as far as the line is here."""
        if cut is None and not self._partial and len(paths) <= _PATHSPECS:  # else trees may be missing, or are many
            older = yield from self._newest(begin, paths)
            if older is None:
                return
            begin = older
        ours = {shown(path): path for path in paths}
        commit = seconds = ""
        files: dict[str, Blobs] = {}
        for line in stream([*self._place, *_LOG, begin, "--", *_pathspecs(paths)], self.cwd):
            if line.startswith(":"):
                head, _, path = line.partition("\t")
                old_mode, mode, old, new, _ = head.removeprefix(":").split(" ")
                if path in ours:
                    sides = [TreeEntry(old_mode, old), TreeEntry(mode, new)]
                    files[ours[path]] = Blobs(*(BlobId(side.id) if side.is_file else None for side in sides))
            elif line:
                if commit:
                    yield WalkStep(CommitId(commit), moment(seconds), files)
                (commit, _, seconds), files = line.partition(" "), {}
                if commit == cut:  # looks like a root that adds every file; what it really changed isn't known
                    return
        if commit:
            yield WalkStep(CommitId(commit), moment(seconds), files)

    def _newest(self, begin: CommitId, paths: Sequence[str]) -> Generator[WalkStep, None, CommitId | None]:
        """The same for the newest commits, without a process; returns where to go on, None after the root."""
        at = begin
        for _ in range(_NEWEST):
            files = {}
            try:
                info = self._database.commit(at)
                parent = info.parents[0] if info.parents else None
                for path in paths:
                    sides = [self._found(parent, path), self._found(at, path)]
                    if sides[0] != sides[1]:
                        files[path] = Blobs(*(BlobId(side.id) if side and side.is_file else None for side in sides))
            except MissingObject:  # a broken checkout: git says what is wrong there
                return at
            if files:
                yield WalkStep(at, info.committed_at, files)
            if parent is None:
                return None
            at = parent
        return at

    def _found(self, commit: CommitId | None, path: str) -> TreeEntry | None:
        """What git's differences show at a path: anything but a directory."""
        entry = TreeEntry(TREE, self._database.commit(commit).tree) if commit else None
        for part in path.split("/"):
            if entry is None or entry.mode != TREE:
                return None
            entry = self._database.tree(entry.id).get(part)
        return None if entry is None or entry.mode == TREE else entry

    def _end_of_line(self, begin: CommitId) -> CommitId | None:
        """Where the first-parent line of a commit is cut; None where it reaches its root."""
        cuts = self._cuts()
        if not cuts:
            return None
        ends = self._ids("rev-list", "--first-parent", "--max-parents=0", begin)
        return next((end for end in ends if end in cuts), None)

    def _line(self, older: CommitId, newer: CommitId) -> list[CommitId] | None:
        """The commits from `newer` to just above `older` where each has one parent; None where that isn't so."""
        # By the commits themselves: the usual rolling branch, a commit or two on top of the base, needs no history
        # beyond them even where git counts that as cut.
        line: list[CommitId] = []
        at = newer
        try:
            while at != older:
                parents = self._database.commit(at).parents
                if len(parents) != 1 or len(line) >= _LINEAR:
                    return None
                line.append(at)
                at = parents[0]
        except MissingObject:
            return None
        return line

    def _is_cut(self, tips: Sequence[CommitId], excluded: Sequence[CommitId]) -> bool:
        """Whether the history of tips, without that of excluded, is cut somewhere."""
        cuts = self._cuts()
        return bool(cuts) and not cuts.isdisjoint(self._ids("rev-list", *tips, *(f"^{commit}" for commit in excluded)))

    def _deeper(self, tips: Sequence[CommitId], since: datetime | None = None) -> Iterator[None]:
        """One round with what is here, then one after each step of deepening (somebody else's, too)."""
        yield
        seconds = int(since.timestamp()) if since is not None else 0
        window = [f"--shallow-since={seconds}"] if seconds > 0 else []
        for depth in ("--deepen=50", *window, "--deepen=500", "--unshallow"):
            if self._cuts():
                self._deepen(tips, depth)
            yield

    def _ids(self, *arguments: str, ok: tuple[int, ...] = (0,)) -> list[CommitId]:
        return [CommitId(line) for line in self.local(*arguments, ok=ok).lines]


def path_parts(path: str) -> tuple[str, ...]:
    """The parts of a path below the top; a slash at the end is allowed. Raises ReleaseError where it is none."""
    parts = tuple(path.removesuffix("/").split("/"))
    if any(part in ("", ".", "..") or part.lower() == ".git" or "\0" in part for part in parts):
        raise ReleaseError("not a path inside the repository", where=path, hint="use a path without `..`, from the top")
    return parts


def _pathspecs(paths: Sequence[str]) -> list[str]:
    """The paths; or directories that hold them all, the deepest that are few enough; or nothing: all that is there."""
    found = list(dict.fromkeys(paths))
    while len(found) > _PATHSPECS:
        depth = max(path.count("/") for path in found)
        found = list(dict.fromkeys("/".join(path.split("/")[:depth]) for path in found)) if depth else []
    return found
