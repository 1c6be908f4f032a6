"""The bench of `forge: local`: a plain git server over HTTP. People merge and close there with the tool, too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import pytest
from conformance.bench import Truth
from git_server import serving
from origin import Origin
from world import World

from release_tool.forges.local import LocalForge
from release_tool.git.repository import Repository


class LocalBench:
    """Pull requests in the git remote itself, which has no accounts, rules or pages."""

    kind = "local"
    token = reader = reviewer = ""
    environ: Mapping[str, str] = {}

    def __init__(self, world: World, url: str, forge: LocalForge) -> None:
        self.world = world
        self.url = url
        self._origin = Origin(world.origin)
        self._forge = forge

    def pulls(self) -> list[Truth]:
        refs = self._origin.refs()
        numbers = sorted(int(ref[len("refs/pulls/") :]) for ref in refs if ref[len("refs/pulls/") :].isdecimal())
        found = []
        for number in numbers:
            one = json.loads(self._origin.file("pull.json", f"refs/pulls/{number}"))
            gone = f"refs/heads/{one['head']}" not in refs
            state = "closed" if one["state"] == "open" and gone else one["state"]
            texts = (one["title"], one["body"], tuple(one["labels"]))
            found.append(Truth(number, state, one["head"], one["base"], *texts, comments=tuple(one["comments"])))
        return found

    def push(self, branch: str, files: Mapping[str, str | None], message: str = "By hand") -> str:
        parents = None if self._origin.tip(branch) else ("refs/heads/main",)
        return self._origin.commit(dict(files), branch, message, parents=parents, at=self.world.now)

    def force_push(self, branch: str, to: str) -> None:
        self._origin.git("update-ref", f"refs/heads/{branch}", to)

    def delete_branch(self, branch: str) -> None:
        self._origin.git("update-ref", "-d", f"refs/heads/{branch}")

    def merge(self, number: int, method: str = "merge") -> str:
        head = self._forge.get(number)
        self._forge.merge(number, method)
        self._origin.git("update-ref", f"refs/heads/{head.head}", head.head_commit)
        return str(self._origin.tip(head.base))

    def close(self, number: int) -> None:
        self._forge.close(number)

    def reopen(self, number: int) -> None:
        pytest.skip("a closed one stays closed")

    def retarget(self, number: int, base: str) -> None:
        pytest.skip("it goes where it was opened to")

    def comment(self, number: int, text: str) -> None:
        self._forge.comment(number, text)

    def ask_for_approval(self, base: str) -> None:
        pytest.skip("a plain git server has no rules")

    def approve(self, number: int) -> None:
        pytest.skip("a plain git server has no rules")

    def small_pages(self) -> None:
        """Its answers have no pages."""

    def later(self, time: timedelta) -> None:
        self.world.now += max(time, timedelta(seconds=1))


@contextmanager
def local_bench(world: World) -> Iterator[LocalBench]:
    world.commit({"release.yaml": f"{world.file('release.yaml')}forge: {{kind: local}}\n"}, "Name the forge")
    with serving(world.path) as server, Repository.open(None, f"file://{world.origin}") as repository:
        yield LocalBench(world, server.url, LocalForge(repository, lambda: world.now))
