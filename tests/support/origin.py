"""A bare repository and what people do with it, in real git; no working tree is needed to change it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from release_tool.git.repository import Repository
from release_tool.model.records import CommitId, RefUpdate

BEGIN = datetime(2026, 11, 1, 12, 0, tzinfo=timezone.utc)

Content = str | bytes | None | tuple[str, str]
"""What a person puts at a path: a text, bytes, None to delete it, or a mode with a text or (submodule) a commit."""

TAGS = "environments/devel/image_tag.yaml"


def attempt(
    *arguments: str | Path, cwd: Path | None = None, stdin: bytes | None = None, at: datetime | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git; the commits that it makes have the date `at`."""
    dates = (
        {} if at is None else dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"{int(at.timestamp())} +0000")
    )
    command, environment = ["git", *map(str, arguments)], {**os.environ, **dates}
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, check=False, timeout=60, env=environment)


def git(
    *arguments: str | Path,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    at: datetime | None = None,
    ok: bool = True,
) -> str:
    done = attempt(*arguments, cwd=cwd, stdin=stdin, at=at)
    assert done.returncode == 0 or not ok, f"git {arguments}: {done.stderr.decode()}"
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def make_bare(path: Path, *options: str) -> None:
    """An empty repository that a server could have; partial clones are allowed, as on the large hosts."""
    git("init", "--quiet", "--bare", "--initial-branch=main", *options, path)
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        git("config", key, "true", cwd=path)


def write_files(folder: Path, files: Mapping[str, str | None]) -> None:
    """Write files below a directory; None deletes one."""
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))


@dataclass
class Origin:
    """A bare repository; each commit of a person comes a minute after the one before."""

    path: Path
    commits: int = 0

    @classmethod
    def make(cls, path: Path, *options: str) -> Origin:
        make_bare(path, *options)
        origin = cls(path)
        origin.commit({TAGS: "image:\n  tag:\n  - v1.0.1\n", "README.md": "Hello\n", "charts/a/run": ("100755", "#!")})
        return origin

    @property
    def url(self) -> str:
        """By a URL git uses its protocol in full, with shallow fetches and filters, as over a network."""
        return f"file://{self.path}"

    def git(
        self, *arguments: str | Path, stdin: bytes | None = None, at: datetime | None = None, ok: bool = True
    ) -> str:
        return git(*arguments, cwd=self.path, stdin=stdin, at=at, ok=ok)

    def commit(
        self,
        files: dict[str, Content],
        branch: str = "main",
        message: str = "A person's change",
        *,
        parents: tuple[str, ...] | None = None,
        at: datetime | None = None,
    ) -> CommitId:
        """A person's commit on a branch, or (with parents) one anywhere; files: on top of the first parent."""
        self.commits += 1
        ref = f"refs/heads/{branch}"
        if parents is None:
            parents = (ref,) if self.tip(branch) else ()
        ids = [self.git("rev-parse", parent) for parent in parents]
        seconds = int((at or BEGIN + timedelta(minutes=self.commits)).timestamp())
        text = message.encode()
        stream = b"reset %s\ncommit %s\ncommitter Test Person <person@example.com> %d +0000\ndata %d\n%s\n" % (
            ref.encode(), ref.encode(), seconds, len(text), text,
        )  # fmt: skip
        stream += b"".join(
            b"%s %s\n" % (word, i.encode()) for word, i in zip([b"from", *[b"merge"] * 9], ids, strict=False)
        )
        for path, content in files.items():
            stream += _file_command(path, content)
        self.git("fast-import", "--quiet", "--force", stdin=stream)
        return CommitId(self.git("rev-parse", ref))

    def line(self, count: int, branch: str = "main") -> list[CommitId]:
        """Commits of a person, one on top of the other, oldest first."""
        ref = f"refs/heads/{branch}"
        before, stream = self.git("rev-parse", ref), b""
        for number in range(count):
            self.commits += 1
            seconds = int((BEGIN + timedelta(minutes=self.commits)).timestamp())
            stream += b"commit %s\ncommitter Test Person <person@example.com> %d +0000\ndata 1\nx\n" % (
                ref.encode(), seconds,
            )  # fmt: skip
            stream += b"from %s\n" % before.encode() if number == 0 else b""
            stream += _file_command("count", f"{branch} {number}")
        self.git("fast-import", "--quiet", stdin=stream)
        return [CommitId(line) for line in self.git("rev-list", "--reverse", f"{before}..{ref}").splitlines()]

    def tip(self, branch: str = "main") -> CommitId | None:
        return CommitId(self.git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", ok=False)) or None

    def refs(self) -> dict[str, str]:
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def file(self, path: str, ref: str = "main") -> str:
        return self.git("show", f"{ref}:{path}")

    def clone(self, path: Path, *options: str) -> Path:
        git("clone", "--quiet", *options, self.url, path)
        return path

    def hook(self, name: str, script: str) -> None:
        path = self.path / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def healthy(self) -> bool:
        return not self.git("fsck", "--strict", "--no-dangling", "--no-progress")


def _file_command(path: str, content: Content) -> bytes:
    name = path.encode("utf-8", "surrogateescape")
    if content is None:
        return b"D %s\n" % name
    mode, data = content if isinstance(content, tuple) else ("100644", content)
    if mode == "160000":
        return b"M 160000 %s %s\n" % (data.encode() if isinstance(data, str) else data, name)
    raw = data.encode() if isinstance(data, str) else data
    return b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), name, len(raw), raw)


class Requests:
    """Counts what the remote is asked: each request starts `git upload-pack` or `git receive-pack` through a script."""

    def __init__(self, path: Path, remote: str = "origin") -> None:
        self._log = path / "requests.log"
        settings = {}
        for service in ("upload-pack", "receive-pack"):
            script = path / f"counted-{service}"
            script.write_text(f'#!/bin/sh\necho {service} >> "{self._log}"\nexec git {service} "$@"\n')
            script.chmod(0o755)
            settings[f"remote.{remote}.{service.replace('-', '')}"] = str(script)
        for key, value in settings.items():
            git("config", "--global", key, value)

    def seen(self) -> list[str]:
        """The requests since the last look."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        return lines


def bump(repository: Repository, branch: str = "main", tag: str = "v1.0.2") -> CommitId:
    """What the tool does all day: look, fetch, read, commit, push."""
    tip = repository.refs(f"refs/heads/{branch}").branch(branch)
    assert tip is not None
    repository.fetch(tip)
    text = repository.read(tip, [TAGS])[TAGS]
    changed = {TAGS: text + f"  - {tag}\n".encode()}
    commit = repository.commit([tip], tip, changed, f"Add {tag}\n\nRelease-Operation: {tag}\n", when=BEGIN)
    repository.push([RefUpdate(f"refs/heads/{branch}", tip, commit)])
    return commit


def contents(directory: Path) -> dict[str, tuple[float, bytes]]:
    """Every file below a directory with its time and bytes: equal means untouched."""
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            found[str(path)] = (path.lstat().st_mtime_ns, b"" if path.is_symlink() else path.read_bytes())
    return found
