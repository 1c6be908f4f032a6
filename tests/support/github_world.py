"""A world whose origin is on the stand-in: the tool works on it by HTTP, people by the stand-in's hands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from standin import Pull, Repository, StandIn, Token
from world import CONFIG, SEED, Result, World

NAME = "acme/engine"
PUBLISH = "publish: {labels: [release, devel], timeout: 20s}\n"


class GitHubWorld:
    """One GitOps repository on GitHub: a world, as in every test, and the token in the environment."""

    def __init__(
        self, path: Path, standin: StandIn, monkeypatch: pytest.MonkeyPatch, *, publish: str = PUBLISH, keep: int = 40
    ) -> None:
        config = CONFIG.format(default="newest", keep=keep) + publish
        self.world = World.make(path, tags=SEED, config=config)
        self.standin = standin
        standin.date = lambda: self.world.now
        self.repository: Repository = standin.add_repository(NAME, self.world.origin)
        self.token: Token = standin.add_token()
        self.alice = standin.hand(NAME, "alice")
        self.url = standin.clone_url(NAME)
        places = {"SERVER_URL": standin.web, "API_URL": standin.api, "GRAPHQL_URL": standin.graphql}
        for name, value in {**places, "TOKEN": self.token.value}.items():
            monkeypatch.setenv(f"GITHUB_{name}", value)

    def release(self, *arguments: str, code: int | None = 0) -> Result:
        return self.world.release(*arguments, "--repo", self.url, code=code)

    def bump(self, tag: str, *more: str, code: int | None = 0) -> Result:
        return self.release("bump", "devel", tag, *more, code=code)

    @property
    def open(self) -> list[Pull]:
        return self.repository.open_pulls()

    @property
    def only(self) -> Pull:
        (found,) = self.open
        return found

    def proposed(self, branch: str = "release/devel") -> list[str]:
        """The tags that a branch holds beside those of the base."""
        held = self.world.state("devel", branch).versions.values()
        return [tag for tag in held if tag not in self.world.state("devel").versions.values()]

    def calls(self, since: int = 0) -> list[str]:
        """The requests to the API, in a few words each."""
        asked = self.standin.calls()[since:]
        return [f"{call.method} {call.path.removeprefix(f'/repos/{NAME}')}" for call in asked]


def quick(monkeypatch: pytest.MonkeyPatch, *, timeout: float = 5.0, waits: Any = (0.01, 0.02)) -> None:
    """Shorter times than those of the real GitHub; what is done with them stays."""
    from release_tool.forges import client

    monkeypatch.setattr(client, "_TIMEOUT", timeout)
    monkeypatch.setattr(client, "_WAITS", waits)
