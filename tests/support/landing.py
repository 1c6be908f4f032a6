"""A base branch that people and their forge change by real git, at times that a test names in hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from origin import git, make_bare, write_files

from release_tool import tagfile
from release_tool.config import Place, place_of
from release_tool.git.repository import Repository
from release_tool.model.records import CommitId, Line, Name, State
from release_tool.remote.ages import EXACTLY, Ages, Entry

BEGIN = datetime(2026, 11, 1, tzinfo=timezone.utc)
FILE = "environments/devel/image_tag.yaml"


def hour(number: float) -> datetime:
    return BEGIN + timedelta(hours=number)


def place(environment: str = "devel", path: str = "environments/{environment}") -> Place:
    return place_of(environment, path=path, branch="release/{environment}")


def tags(*versions: str, default: str = "", retired: Sequence[str] = (), quarantined: Sequence[str] = ()) -> str:
    """An `image_tag.yaml`: versions like `v1=v1.0.1`; alone, `v1` has the tag v1.0.1."""

    def entries(words: Sequence[str]) -> str:
        pairs = [word.partition("=") for word in words]
        return "".join(f"    {name}: {tag or f'v1.0.{name[1:]}'}\n" for name, _, tag in pairs)

    text = "image:\n" + (f"  default: {default}\n" if default else "") + "  tag:\n" + entries(versions)
    text += "  retired:\n" + entries(retired) if retired else ""
    return text + ("  quarantined:\n" + "".join(f"    {name}: {{reason: bad}}\n" for name in quarantined))


@dataclass
class Base:
    """A bare origin and somebody's clone of it."""

    path: Path  # of a directory for both
    kind: str  # how the tool looks at it: from a `full` or a `shallow` clone, or by its `URL` alone
    merged: dict[CommitId, datetime] = field(default_factory=dict)  # what the forge knows
    repository: Repository | None = None

    @classmethod
    def make(cls, path: Path, kind: str) -> Base:
        base = cls(path, kind)
        make_bare(base.origin)
        git("clone", "-q", base.origin, base.clone)
        return base

    @property
    def origin(self) -> Path:
        return self.path / "origin.git"

    @property
    def clone(self) -> Path:
        return self.path / "clone"

    def git(self, *arguments: str, at: float = 0) -> str:
        return git(*arguments, cwd=self.clone, at=hour(at))

    def commit(self, at: float, files: dict[str, str | None]) -> CommitId:
        """Somebody's commit on the branch that is checked out."""
        write_files(self.clone, files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "Change", at=at)
        return self.tip()

    def write(self, at: float, text: str | None, file: str = FILE) -> CommitId:
        """A commit that writes a tag file, by default that of devel."""
        return self.commit(at, {file: text})

    def noise(self, begin: float, count: int) -> None:
        """Commits about something else, an hour apart."""
        for number in range(count):
            self.commit(begin + number, {"README.md": f"{begin} {number}\n"})

    def tip(self) -> CommitId:
        return CommitId(self.git("rev-parse", "HEAD"))

    def push(self) -> CommitId:
        self.git("push", "-q", "origin", "HEAD:main")
        return self.tip()

    def open(self) -> Repository:
        """Opened, with the tip fetched."""
        tip = self.push()
        if self.repository is None:
            url, work = f"file://{self.origin}", self.path / "work"
            if self.kind != "URL":
                git("clone", "-q", *(["--depth=1"] if self.kind == "shallow" else []), url, work)
            self.repository = Repository.open(None, url) if self.kind == "URL" else Repository.open(work)
        self.repository.refs("refs/heads/*")
        self.repository.fetch(tip)
        return self.repository

    def close(self) -> None:
        if self.repository is not None:
            self.repository.close()

    def ages(self, *places: Place) -> Ages:
        return Ages(
            self.open(),
            lambda step: self.merged.get(step.commit, step.committed_at),
            self.tip(),
            places or (place(),),
            "release.yaml",
        )

    def state(self, at: Place | None = None) -> State:
        text = (self.clone / (at or place()).tag_file).read_text("utf-8")
        return tagfile.read_leniently(text, "image")

    def since(
        self,
        section: str,
        name: str,
        *ages: timedelta,
        lines: Sequence[Line] = (),
        now: float = 10_000,
        by: Ages | None = None,
    ) -> datetime | None:
        """Since when an entry of devel is as it is; exactly, where no ages are given; by a new walk, or by one."""
        entry: Entry = (section, Name(name))
        found = (by or self.ages()).since(place(), self.state(), lines, {entry: ages or EXACTLY}, hour(now))
        assert set(found) <= {entry}
        return found.get(entry)
