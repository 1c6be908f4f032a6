"""What the cases work with: a bench, the tool's own forge connected to it, and the proxy in between."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest
from faulty_proxy import FaultyProxy
from origin import git
from world import CONFIG, SEED, Result, World

from conformance.bench import Bench, Truth
from release_tool import forges
from release_tool.forges.base import Forge, ForgeSettings
from release_tool.git.repository import Repository
from release_tool.model.records import CommitId, PullRequest
from release_tool.wiring import header_for_git

HEAD, BASE = "release/devel", "main"
PUBLISH = "publish: {labels: [release, devel], timeout: 20s}\n"
PATIENCE = 20.0  # seconds that a forge may wait, for limits and for its server

T = TypeVar("T")


class Workshop:
    """`bench`: the people and the truth; `forge`: the tool's; `can`: its capabilities; `proxy`: what it asked."""

    def __init__(
        self, bench: Bench, proxy: FaultyProxy, forge: Forge, repository: Repository, ending: ExitStack
    ) -> None:
        self.bench = bench
        self.repository = repository
        self.proxy = proxy
        self.forge = forge
        self.can = forge.capabilities
        self.world = bench.world
        self.methods = forge.capabilities.methods or ("merge",)
        self._ending = ending
        self._pushed = 0

    # -- the forge's methods

    def push(self, branch: str = HEAD, **files: str | None) -> str:
        """A commit that is like no other, on a branch; its id."""
        self._pushed += 1
        name = f"made/{branch.replace('/', '-')}.{self._pushed}.txt"
        return self.bench.push(branch, files or {name: f"{self._pushed}\n"}, f"Change {self._pushed}")

    def open(self, branch: str = HEAD, base: str = BASE, **more: Any) -> PullRequest:
        """A branch with a commit, and its pull request by the tool."""
        self.push(branch)
        return self.forge.open(branch, base, "Title", "Body", **more).pull_request

    def landed_at(self, commit: str) -> datetime | None:
        """What the forge says of a commit of the base, which the tool has always fetched before it asks."""
        self.repository.fetch(CommitId(commit))
        return self.forge.landed_at(CommitId(commit))

    def another(self, patience: float = PATIENCE) -> Forge:
        """The forge as another process connects it; `patience`: the seconds that it may wait for limits."""
        repository = self._ending.enter_context(Repository.open(None, self.bench.url, entitle=header_for_git))
        return connected(self.bench, repository, self._ending, patience)

    def at_once(self, count: int, act: Callable[[Forge, int], T]) -> list[T]:
        """Many clients do something at the same time; what came of each."""
        each = [self.another() for _ in range(count)]
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(act, each, range(count)))

    def tip(self, branch: str = BASE) -> str:
        """The commit of a branch as the server has it; empty where there is none."""
        return git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", cwd=self.world.origin, ok=False)

    # -- the truth

    def pulls(self) -> list[Truth]:
        return sorted(self.bench.pulls())

    @property
    def only(self) -> Truth:
        (found,) = self.pulls()
        return found

    def truth(self, number: int) -> Truth:
        (found,) = (one for one in self.pulls() if one.number == number)
        return found

    def calls(self, since: int = 0) -> list[str]:
        """The requests to the API, in a few words each."""
        return [str(one) for one in self.proxy.calls(since)]

    # -- whole commands

    def release(self, *arguments: str, code: int | None = 0) -> Result:
        """A command in this process, on the remote."""
        self.bench.later(timedelta(seconds=1))
        done = self.world.release(*arguments, "--repo", self.bench.url, code=code, later=timedelta(0))
        assert not self.bench.token or self.bench.token not in done.out + done.err, "the token is shown"
        return done

    def bump(self, tag: str, *more: str, code: int | None = 0) -> Result:
        return self.release("bump", "devel", tag, *more, code=code)

    def start(self, *arguments: str, environ: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """A command in a process of its own, on the remote."""
        command = [sys.executable, "-m", "release_tool", *arguments, "--repo", self.bench.url]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environ or dict(os.environ))

    def proposed(self, branch: str = HEAD) -> list[str]:
        """The tags that a branch holds beside those of the base."""
        held = self.world.state("devel", branch).versions.values()
        return [tag for tag in held if tag not in self.world.state("devel").versions.values()]

    def revert(self, commit: str) -> str:
        """A person takes back what the base's tip brought, as a commit on top."""
        before = git("rev-parse", f"{commit}^", cwd=self.world.origin)
        changed = git("diff", "--name-only", "-z", before, commit, cwd=self.world.origin).split("\0")
        kept = set(git("ls-tree", "-r", "-z", "--name-only", before, cwd=self.world.origin).split("\0"))
        files = {path: self.world.file(path, before) if path in kept else None for path in changed if path}
        self.world.landed.clear()
        return self.bench.push(BASE, files, f'Revert "{commit[:8]}"\n\nThis reverts commit {commit}.')


def connected(bench: Bench, repository: Repository, ending: ExitStack, patience: float = PATIENCE) -> Forge:
    """The tool's forge, as a command connects it."""
    settings = ForgeSettings(patience=patience, environ={**os.environ, **bench.environ})
    forge = forges.connect(bench.kind, repository, lambda: bench.world.now, settings)
    ending.callback(getattr(forge, "close_connections", lambda: None))
    return forge


def quick(monkeypatch: pytest.MonkeyPatch, timeout: float = 10.0) -> None:
    """Shorter waits before a request is sent again than those of a real forge; what is done with them stays."""
    from release_tool.forges import client

    monkeypatch.setattr(client, "_TIMEOUT", timeout)
    monkeypatch.setattr(client, "_WAITS", (0.01, 0.02))


@pytest.fixture
def publish() -> str:
    """What release.yaml says of publishing."""
    return PUBLISH


@pytest.fixture
def workshop(
    make_bench: Callable[[World], AbstractContextManager[Bench]],
    publish: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Workshop]:
    """A repository with three environments on the forge. At the end, the token is in nothing that the server keeps."""
    for name in list(os.environ):  # nothing else stands before the server
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    quick(monkeypatch)
    world = World.make(tmp_path, tags=SEED, config=CONFIG.format(default="newest", keep=40) + publish)
    with ExitStack() as ending:
        bench = ending.enter_context(make_bench(world))
        proxy = ending.enter_context(FaultyProxy())
        for name, value in {**bench.environ, "http_proxy": proxy.url}.items():
            monkeypatch.setenv(name, value)
        repository = ending.enter_context(Repository.open(None, bench.url, entitle=header_for_git))
        found = Workshop(bench, proxy, connected(bench, repository, ending), repository, ending)
        assert {one.git for one in proxy.asked} <= {True}, "connecting asks the API nothing"
        yield found
        assert not proxy.crashes, "the proxy itself failed:\n" + "\n".join(proxy.crashes)
        if bench.token:
            assert bench.token not in repr(bench.pulls()), "the token stands in a pull request"
            assert not any(bench.token in one.target for one in proxy.asked), "the token stands in an address"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`method`: each way of merging that the forge knows."""
    if "method" in metafunc.fixturenames:
        module: ModuleType = metafunc.module
        methods: Sequence[str] = module.CAPABILITIES.methods or ("merge",)
        metafunc.parametrize("method", methods)
