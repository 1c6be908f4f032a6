"""A whole world for one test: a bare origin, a clone, the local forge, a clock. Commands run for real."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from origin import attempt, git, make_bare, write_files

from release_tool import tagfile
from release_tool.cli import main
from release_tool.model import history

ROOT = Path(__file__).resolve().parents[2]

SEED = """\
image:
  tag:
  - v1.0.1
  - v1.0.2
  - v1.0.3
  - v1.0.4
"""

WITH_DEFAULT = """\
image:
  default: v4
  tag:
  - v1.0.1
  - v1.0.2
  - v1.0.3
  - v1.0.4
"""

CONFIG = """\
version: 1
chart: charts/grpc-manifest
release_name: engine
namespace: engine
environments:
  devel:
    default: {default}
    retention: {{keep: {keep}, drain: 1h}}
  staging:
    promote_from: devel
    default: promoted
  production:
    promote_from: staging
    default: promoted
"""

NAMED = """\
image:
  default: v3
  tag:
    v1: v1.0.1
    v2: v1.0.2   # mobile clients
    v3: v1.0.3
    v4: v1.0.4
"""

ENVIRONMENTS = ("devel", "staging", "production")


@dataclass(frozen=True)
class Result:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str, **more: Any) -> Result:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(list(arguments), **more)
    return Result(status, out.getvalue(), err.getvalue())


def pairs(changes: Iterable[Any]) -> list[tuple[str, str]]:
    """Action and version of each change of an outcome."""
    return [(change["action"], change["version"]) for change in changes]


_TEMPLATES = tempfile.TemporaryDirectory(prefix="worlds-")


@cache
def _made(tags: str, config: str) -> World:
    """A world that the others of its kind are copied from: a copy takes a quarter of the time."""
    return World._new(Path(tempfile.mkdtemp(dir=_TEMPLATES.name)), tags, config)


@dataclass
class World:
    """One GitOps repository with everything around it.

    `broken`: the environments whose tag file or record a test has broken on purpose, and not mended yet.
    `key`: `versions.key` of its configuration.
    """

    path: Path
    now: datetime = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
    landed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    by_hand: bool = False
    broken: set[str] = field(default_factory=set)
    key: str = "image"
    checked: tuple[str, frozenset[str]] | None = None  # the tip of the base, and what was broken, at the last check

    @classmethod
    def make(cls, path: Path, *, tags: str = SEED, default: str = "newest", keep: int = 8, config: str = "") -> World:
        world = cls(path)
        made = _made(tags, config or CONFIG.format(default=default, keep=keep))
        for part in (world.origin, world.clone):
            shutil.copytree(made.path / part.name, part)
        known = world.clone / ".git" / "config"
        known.write_text(known.read_text("utf-8").replace(str(made.origin), str(world.origin)), "utf-8")
        return world

    @classmethod
    def _new(cls, path: Path, tags: str, config: str) -> World:
        world = cls(path)
        make_bare(world.origin)
        git("clone", "-q", world.origin, world.clone)
        files = {"release.yaml": config}
        for environment in ENVIRONMENTS:
            files[f"environments/{environment}/image_tag.yaml"] = tags if environment == "devel" else WITH_DEFAULT
            files[f"environments/{environment}/values.yaml"] = "replicaCount: 1\n"
        shutil.copytree(ROOT / "charts", world.clone / "charts")
        world.commit(files, "Begin")
        return world

    @property
    def origin(self) -> Path:
        return self.path / "origin.git"

    @property
    def clone(self) -> Path:
        return self.path / "clone"

    # -- git, as a person uses it

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        return git(*arguments, cwd=cwd or self.clone, at=self.now)

    def commit(self, files: dict[str, str | None], message: str, branch: str = "main") -> str:
        """A person changes files on a branch, and pushes."""
        self.by_hand |= any(name.endswith(("image_tag.yaml", "history.jsonl")) for name in files)
        if self.git("branch", "--list", branch):
            self.git("checkout", "-q", branch)
        if self.git("ls-remote", "origin", f"refs/heads/{branch}"):
            self.git("fetch", "-q", "origin", branch)
            self.git("checkout", "-q", "-B", branch, "FETCH_HEAD")
        write_files(self.clone, files)
        self.git("add", "-A")
        self.git("commit", "-qm", message)
        self.git("push", "-q", "origin", f"HEAD:refs/heads/{branch}")
        tip = self.git("rev-parse", "HEAD")
        self.git("checkout", "-q", "-B", "main", "origin/main" if branch != "main" else tip)
        return tip

    def hold_services(self, config: str, tags: dict[str, str], environments: Iterable[str] = ENVIRONMENTS) -> None:
        """The repository holds several services from here on; `tags`: the tag file of each."""
        for environment in ENVIRONMENTS:
            shutil.rmtree(self.clone / "environments" / environment)
        paths = {
            f"environments/{one}/{service}/image_tag.yaml": tags[service] for one in environments for service in tags
        }
        self.commit({"release.yaml": config, **paths}, "Several services")

    def hook(self, script: str) -> Path:
        """Put a shell script before each push to the origin."""
        path = self.origin / "hooks" / "pre-receive"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)
        return path

    def pull(self) -> None:
        """The clone gets what has landed."""
        self.git("fetch", "-q", "origin")
        self.git("checkout", "-q", "-B", "main", "origin/main")

    def revert(self, *options: str) -> None:
        """A person takes back the last commit of the base."""
        self.pull()
        self.git("revert", "--no-edit", *options, "HEAD")
        self.git("push", "-q", "origin", "main")
        self.landed.clear()

    def file(self, path: str, ref: str = "main") -> str:
        """A file in the origin, to the byte; empty where there is none."""
        done = attempt("show", f"{ref}:{path}", cwd=self.origin)
        return done.stdout.decode("utf-8") if done.returncode == 0 else ""

    def files(self, paths: Iterable[str], ref: str = "main") -> dict[str, bytes]:
        """Files in the origin, all in one go."""
        asked = "".join(f"{ref}:{path}\n" for path in paths).encode()
        answer = io.BytesIO(attempt("cat-file", "--batch", cwd=self.origin, stdin=asked).stdout)
        found = {}
        for path in paths:
            found[path] = answer.read(int(answer.readline().split()[2]))
            answer.readline()
        return found

    def tags(self, environment: str = "devel", ref: str = "main") -> str:
        return self.file(f"environments/{environment}/image_tag.yaml", ref)

    def record(self, environment: str = "devel", ref: str = "main") -> str:
        return self.file(f"environments/{environment}/history.jsonl", ref)

    def archived(self, environment: str = "devel", ref: str = "main") -> list[str]:
        """The lines that were moved away from the record."""
        directory = f"environments/{environment}/history"
        paths = self.git("ls-tree", "-r", "--name-only", ref, "--", directory, cwd=self.origin).splitlines()
        found = (attempt("show", f"{ref}:{path}", cwd=self.origin).stdout for path in paths)
        return [line for data in found for line in data.decode("utf-8", "replace").splitlines()]

    def lines(self, environment: str = "devel", ref: str = "main") -> tuple[Any, ...]:
        return history.parse(self.record(environment, ref), "history.jsonl")

    def state(self, environment: str = "devel", ref: str = "main") -> Any:
        return tagfile.read(self.tags(environment, ref), "image_tag.yaml", key=self.key, empty=True).state

    def refs(self) -> dict[str, str]:
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)", cwd=self.origin).splitlines()
        return dict(line.split(" ") for line in lines)

    # -- the tool

    def release(self, *arguments: str, code: int | None = 0, later: timedelta = timedelta(minutes=1)) -> Result:
        """Run a command in the clone, a minute after the last one."""
        self.now += later
        where = [] if "--repo" in arguments or "-C" in arguments else ["-C", str(self.clone)]
        result = run(*arguments, *where, now=lambda: self.now)
        assert "Traceback" not in result.err
        what = f"release {' '.join(arguments)}: {result.code}\n{result.out}\n{result.err}"
        assert code is None or result.code == code, what
        self.check()
        return result

    def json(self, *arguments: str, code: int = 0) -> Any:
        return self.release(*arguments, "--output", "json", code=code).data

    def pulls(self, state: str = "open") -> list[Any]:
        return self.json("pulls", "list", *(["--all"] if state == "all" else []))

    def merge(self, number: int, method: str = "merge") -> None:
        self.release("pulls", "merge", str(number), "--method", method)
        self.git("fetch", "-q", "--prune", "origin")

    def land(self, *arguments: str) -> None:
        """Run a command, and merge its pull request."""
        outcome = self.json(*arguments)
        assert outcome["changed"], outcome
        self.merge(outcome["pull_request"]["number"])

    def changes(self, *arguments: str) -> list[tuple[str, str]]:
        """Run a command; action and version of each change."""
        return pairs(self.json(*arguments)["changes"])

    def refused(self, *arguments: str, code: int = 1) -> str:
        """Run a command that must fail and change nothing; what it said."""
        with self.unchanged():
            said = self.release(*arguments, code=code)
        assert said.out == ""
        assert said.err.startswith("release: error: ")
        assert "next: " in said.err
        return said.err

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """What is done here changes no branch of the origin and no file of the clone."""
        before = (self.refs(), self.git("status", "--porcelain"))
        yield
        assert (self.refs(), self.git("status", "--porcelain")) == before, "nothing is changed"

    # -- what always holds

    def check(self) -> None:
        """Invariants of the origin after every command that has moved the base."""
        now = (git("rev-parse", "refs/heads/main", cwd=self.origin, ok=False), frozenset(self.broken))
        if now == self.checked:
            return
        paths = self.git("ls-tree", "-r", "--name-only", "main", "environments", cwd=self.origin).splitlines()
        files = self.files([path for path in paths if path.endswith((".jsonl", "image_tag.yaml"))])
        folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
        for environment in ENVIRONMENTS:
            here = f"environments/{environment}"
            record = files.get(f"{here}/history.jsonl", b"")
            try:
                assert not folders & {f"{here}/history.jsonl", f"{here}/image_tag.yaml"}, "a directory is no file"
                lines = history.parse(record.decode(), "history.jsonl")
                tags = files.get(f"{here}/image_tag.yaml", b"").decode()
                state = tagfile.read(tags, "image_tag.yaml", key=self.key, empty=True).state
            except Exception:
                if environment not in self.broken:
                    raise
                continue
            assert environment not in self.broken, f"the files of {environment} are right: they were to be broken"
            texts = tuple(record.decode().splitlines())
            archives = [text for path, text in files.items() if path.startswith(f"{here}/history/")]
            archived = {line for text in archives for line in text.decode("utf-8", "replace").splitlines()}
            before = tuple(one for one in self.landed.get(environment, ()) if one not in archived)
            assert texts[: len(before)] == before, "a landed line never changes, it may only move to an archive"
            self.landed[environment] = texts
            assert len({line.id for line in lines}) == len(lines), "no operation lands twice"
            assert all(one.at <= two.at for one, two in itertools.pairwise(lines)), "lines are in order"
            assert not state.versions or state.default in state.live, "the default is live"
            if lines and not self.by_hand:
                assert history.replay(lines).live.keys() == state.live.keys(), "the record tells the present"
        self.checked = now
