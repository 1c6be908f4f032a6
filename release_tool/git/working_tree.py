"""The user's own files, for `--local` alone: everything else works without a working tree.

GitPython serves here; it takes 60 to 80 ms to import, which a person at a terminal doesn't notice. It is imported when
a `WorkingTree` is opened and nowhere else.
"""

from __future__ import annotations

import errno
import os
import signal
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.errors import ReleaseError, UsageError
from release_tool.git import process, temporary
from release_tool.git.errors import explain
from release_tool.git.objects import SUBMODULE, TREE, TreeEntry, in_the_way, too_large
from release_tool.git.process import GitAnswer, redact
from release_tool.git.reading import MAX_FILE
from release_tool.git.repository import Repository
from release_tool.model.foreign_content import is_foreign
from release_tool.model.records import CommitId
from release_tool.net.child_environment import for_helpers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from release_tool.git.opening import Entitle

_SPECIAL = {stat.S_IFIFO: "a FIFO (named pipe)", stat.S_IFSOCK: "a socket"}
_UNMERGED = {"DD", "AU", "UD", "UA", "DU", "AA", "UU"}  # git-status(1)


class WorkingTree(NamedTuple):
    """A checkout, as it lies on disk; and what Git would hold of it, where that is something else."""

    top: Path
    branch: str | None  # that is checked out; None: a detached HEAD
    head: CommitId | None  # None: no commit yet
    staged: Mapping[str, TreeEntry] = {}  # path -> what stands in the index
    left_out: frozenset[str] = frozenset()  # those of the paths that a sparse checkout leaves out
    filtered: frozenset[str] = frozenset()  # those that a filter of .gitattributes changes (Git LFS, git-crypt)
    entitle: Entitle = lambda _url: None  # see `Repository.open`

    @classmethod
    def open(cls, directory: Path) -> WorkingTree:
        """The checkout that a directory belongs to; ReleaseError where there is none, or git refuses it."""
        with _errors_of_git(directory) as git:
            repository = _repository(git, directory, search_parent_directories=True)
            if repository.working_tree_dir is None:
                hint = "clone it, and run the command in the clone"
                raise ReleaseError("a bare repository has no files to edit", where=str(directory), hint=hint)
            top = Path(repository.working_tree_dir)
            branch = repository.git.symbolic_ref("--short", "--quiet", "HEAD", with_exceptions=False)
            head = repository.git.rev_parse("--verify", "--quiet", "HEAD", with_exceptions=False)
            index, left_out = _index(repository)
            filtered: list[str] = []
            if any(path.endswith(".gitattributes") for path in index):
                folders = {folder for path in index for folder in PurePosixPath(path).parents}
                _demand_no_pipe(top, [folder / ".gitattributes" for folder in folders])
                filtered = _names(repository, "--", ":(top,exclude,attr:!filter)")
            return cls(top, branch or None, CommitId(head) if head else None, index, left_out, frozenset(filtered))

    def changed(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The paths that differ from HEAD or are untracked; directories stand for all below."""
        return tuple(path for _, path in self._status(paths))

    def unmerged(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The paths with a merge conflict that nobody has resolved."""
        return tuple(path for code, path in self._status(paths) if code in _UNMERGED)

    @property
    def title(self) -> str:
        """What to call it in messages."""
        return str(self.top)

    @property
    def commit(self) -> None:
        """What lies on disk belongs to no commit."""
        return None

    def paths(self, directory: str) -> list[str]:
        """All files below a directory that Git holds or would take, recursively, sorted; no ignored ones."""
        inside = self._inside(directory)
        below = (path.relative_to(self.top.resolve()) for path in inside.rglob(".gitignore"))
        _demand_no_pipe(self.top, [*_rules_for(directory), *below])
        with _errors_of_git(self.top) as git, _repository(git, self.top) as repository:
            place = f":(top,literal){directory}"
            found = _names(repository, "--cached", "--others", "--exclude-standard", "--", place)
        there = (path for path in found if path in self.left_out or os.path.lexists(self.top / path))
        return sorted({path for path in there if not path.endswith("/")})  # another repository inside of this one

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The files that exist, path -> content; ReleaseError where a path leads out of the repository."""
        contents = {}
        places = {path: self._inside(path) for path in paths}
        there = {path for path, inside in places.items() if inside.exists()}
        there -= self._ignored(there - self.staged.keys())
        _demand_no_pipe(self.top, map(PurePosixPath, sorted(there)))
        for path, inside in places.items():
            entry = self.staged.get(path)
            if path in there:
                contents[path] = _read(inside, path)
                if path in self.filtered and entry is not None and is_foreign(content := self._blob(entry)):
                    contents[path] = content  # the remote has this, whatever a filter makes of it here
            elif entry is not None and path in self.left_out:
                contents[path] = self._blob(entry)
        return contents

    def elsewhere(self, url: str) -> Repository:
        """Another repository; git logs in there as far as the checkout's remote leads to the same host."""
        try:
            with Repository.open(self.top, entitle=self.entitle) as own:
                return own.elsewhere(url)
        except UsageError:
            raise
        except ReleaseError:  # there is no remote
            return Repository.open(None, url, entitle=self.entitle, known="")

    def _blob(self, entry: TreeEntry) -> bytes:
        with _errors_of_git(self.top) as git, _repository(git, self.top) as repository:
            # By git itself, which fetches what a partial clone lacks, and says why it can't.
            data: bytes = repository.git.cat_file(
                "blob", entry.id, stdout_as_string=False, strip_newline_in_stdout=False
            )
            return data

    def _ignored(self, paths: Collection[str]) -> set[str]:
        """Those of some paths, none of them staged, that Git leaves alone."""
        if not paths:
            return set()
        _demand_no_pipe(self.top, {place for path in paths for place in _rules_for(path)})
        with _errors_of_git(self.top) as git, _repository(git, self.top) as repository:
            places = [f":(top,literal){path}" for path in paths]
            return set(_names(repository, "--others", "--ignored", "--exclude-standard", "--", *places))

    def committed(self, paths: Iterable[str]) -> Iterator[dict[str, bytes]]:
        """The files at each first-parent commit of HEAD that touches one of them, newest first: path -> content."""
        # A checkout whose history is cut ends where it is cut.
        if self.head is None:
            return
        paths = list(paths)
        with _errors_of_git(self.top) as git, _repository(git, self.top) as repository:
            for commit in repository.iter_commits(self.head, paths=paths, first_parent=True):
                yield {path: data for path in paths if (data := _blob(commit, path)) is not None}

    def write(self, files: Mapping[str, bytes | None]) -> None:
        """Writes files: all are complete on disk before the first takes its place, so that an error changes none.

        Args:
            files: path -> content; None: the file goes.
        """
        targets = {self._inside(path): content for path, content in files.items()}
        stage = _stage(self.top)
        made = {folder for target in targets for folder in target.parents if not folder.exists()}
        ready: dict[Path, Path] = {}
        done: list[str] = []
        target = self.top  # the one that is written when something goes wrong
        try:
            for target, content in targets.items():
                if content is not None:
                    ready[_made_ready(target, content, stage)] = target
            with _no_signal():
                for beside, target in ready.items():
                    _put(beside, target)
                    done.append(str(target.relative_to(self.top.resolve())))
                for target, content in targets.items():
                    if content is None:
                        target.unlink(missing_ok=True)
        except OSError as error:
            raise ReleaseError(
                f"can't write: {error.strerror}",
                where=str(target),
                cause=f"written before that: {', '.join(done)}" if done else "nothing was written",
                hint="look at what stands there, its permissions and the free space; then run the command again",
            ) from error
        finally:
            for beside in ready:
                temporary.remove(beside)
            if stage is not None:
                temporary.remove(stage)
            for folder in sorted(made, reverse=True):
                with suppress(OSError):  # it holds what was written, or was never made
                    folder.rmdir()

    def _status(self, paths: Iterable[str]) -> list[tuple[str, str]]:
        paths = list(paths)
        _demand_no_pipe(self.top, {place for path in paths for place in _rules_for(path)})
        with _errors_of_git(self.top) as git:
            words = _repository(git, self.top).git.status("--porcelain=v1", "-z", "--no-renames", "--", *paths)
        return [(entry[:2], entry[3:]) for entry in words.split("\0") if entry]

    def _inside(self, path: str) -> Path:
        """Where a path leads, symlinks followed, as long as that is inside the checkout and not git's own."""
        for step in (path, *(str(above) for above in PurePosixPath(path).parents)):
            entry = self.staged.get(step)
            if entry is not None and (entry.mode == SUBMODULE or (step in self.left_out and not entry.is_file)):
                raise in_the_way(entry, step)
        top = self.top.resolve()
        link = next((step for step in (top / path, *(top / path).parents) if step != top and step.is_symlink()), None)
        if link is not None and link.is_relative_to(top):
            raise ReleaseError(
                "a symbolic link stands where a file or directory of the repository should",
                where=path,
                cause=f"{link.relative_to(top)} leads to {link.readlink()}",
                hint="put a regular file there; links are never followed",
            )
        inside = (top / path).resolve()
        below = inside.relative_to(top).parts if inside.is_relative_to(top) else (".git",)
        if below and below[0].lower() == ".git":
            raise ReleaseError(
                "leads out of the repository", where=path, cause=f"it ends at {inside}", hint="put a regular file there"
            )
        return inside


class _errors_of_git:  # noqa: N801  # used as a function
    """Gives GitPython and turns its errors into ours."""

    def __init__(self, where: Path) -> None:
        self._where = str(where)

    def __enter__(self) -> Any:
        try:
            import git
        except ImportError as error:  # what it raises where there is no git program
            raise ReleaseError(
                "the program `git` can't be run", hint="install git 2.38 or newer, or correct PATH"
            ) from error
        self._git = git
        return git

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (self._git.InvalidGitRepositoryError, self._git.NoSuchPathError)):
            raise ReleaseError(
                "not a git repository", where=self._where, hint="change to a checkout, or name one with -C DIR"
            ) from error
        if isinstance(error, self._git.GitCommandError):
            answer = GitAnswer(1, b"", redact(str(error.stderr)))
            raise explain(answer, "look at the checkout", self._where) from error


def _repository(git: Any, directory: Path, **options: Any) -> Any:
    """A repository of GitPython whose git runs no program of the checkout for itself, and gets no secret."""
    found = git.Repo(directory, **options)
    # GitPython hands its whole environment on; a variable can only be emptied.
    found.git.update_environment(
        GIT_OPTIONAL_LOCKS="0", **dict.fromkeys(os.environ.keys() - for_helpers(os.environ).keys(), "")
    )
    found.git.set_persistent_git_options(c=["core.fsmonitor=false", "core.hooksPath=/dev/null"])
    return found


def _index(repository: Any) -> tuple[dict[str, TreeEntry], frozenset[str]]:
    """What is staged, by path, and the paths that a sparse checkout leaves out (git-ls-files(1), -t and -s)."""
    index: dict[str, TreeEntry] = {}
    left_out: set[str] = set()
    for line in _names(repository, "-t", "--stage"):
        head, _, path = line.partition("\t")
        tag, mode, entry, _ = head.split(" ")
        index[path] = TreeEntry(mode, entry)
        if tag == "S":
            left_out.add(path)
    return index, frozenset(left_out)


def _names(repository: Any, *arguments: str) -> list[str]:
    """What `git ls-files` lists."""
    return [name for name in repository.git.ls_files("-z", *arguments).split("\0") if name]


def _blob(commit: Any, path: str) -> bytes | None:
    """A file at a commit; None where there is none."""
    try:
        found = commit.tree / path
    except KeyError:
        return None
    data: bytes = found.data_stream.read()
    return data if found.type == "blob" else None


def _read(inside: Path, path: str) -> bytes:
    try:
        if (size := inside.stat().st_size) > MAX_FILE:
            raise too_large(size, MAX_FILE, path)
        return inside.read_bytes()
    except IsADirectoryError:
        raise in_the_way(TreeEntry(TREE, ""), path) from None
    except OSError as error:
        raise ReleaseError(f"can't read: {error.strerror}", where=path) from error


def _rules_for(path: str) -> list[PurePosixPath]:
    """The files in which git looks up what it makes of a path."""
    folders = (PurePosixPath(path), *PurePosixPath(path).parents)
    return [folder / name for folder in folders for name in (".gitignore", ".gitattributes")]


def _demand_no_pipe(top: Path, paths: Iterable[PurePath]) -> None:
    """Raise where a reader, be it git, would wait for a writer, or read for ever."""
    for path in paths:
        try:
            mode = (top / path).stat().st_mode
        except OSError:  # there is none, or whoever reads it says what is wrong
            continue
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            kind = _SPECIAL.get(stat.S_IFMT(mode), "a device")
            hint = "put a regular file there; Git holds nothing else"
            raise ReleaseError(f"{kind} stands where a file should", where=str(path), hint=hint)


@contextmanager
def _no_signal() -> Iterator[None]:
    """Signals wait until all files have changed."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stage(top: Path) -> Path | None:
    """A directory of git's own for files that are not ready: whoever kills this leaves none in the tree. None: no."""
    answer = process.run(["rev-parse", "--absolute-git-dir"], str(top))
    stage = Path(answer.text.removesuffix("\n")) / f"release-{os.getpid()}"
    for old in stage.parent.glob("release-[0-9]*"):  # of processes that were killed
        if old.stat().st_mtime < time.time() - 3600:
            temporary.remove(old)
    temporary.made.add(stage)
    try:
        stage.mkdir()
    except OSError:
        temporary.remove(stage)
        return None
    return stage


def _made_ready(target: Path, content: bytes, stage: Path | None) -> Path:
    """A complete file that can take the place of the target, with the target's mode."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():  # only the last step, the renaming, would notice
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(errno.EACCES, "no permission to write there, or the disk is read-only", str(target))
    if stage is None or stage.stat().st_dev != target.parent.stat().st_dev:
        return _beside(target, content)
    ready = stage / str(len(list(stage.iterdir())))
    ready.write_bytes(content)
    if target.exists():
        ready.chmod(target.stat().st_mode)
    return ready


def _beside(target: Path, content: bytes) -> Path:
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.made.add(beside)
    try:
        beside.write_bytes(content)
        if target.exists():
            beside.chmod(target.stat().st_mode)
    except BaseException:
        temporary.remove(beside)
        raise
    return beside


def _put(ready: Path, target: Path) -> None:
    try:
        ready.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # another mount, though the device is the same
            raise
        _beside(target, ready.read_bytes()).replace(target)
