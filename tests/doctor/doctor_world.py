"""What the tests of `release doctor` share: its findings, and a repository on GitHub that is set up well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from standin import Protection, Repository, StandIn, Token
from world import World

WORKFLOW = (
    "on: workflow_dispatch\njobs:\n  it:\n    runs-on: ubuntu-latest\n    steps:\n    - run: release {verb} --repo .\n"
)


def workflow_files(*verbs: str) -> dict[str, str | None]:
    return {f".github/workflows/{verb}.yml": WORKFLOW.format(verb=verb) for verb in verbs}


@dataclass
class Findings:
    """What one call said."""

    code: int
    listed: list[dict[str, str]]

    def of(self, about: str, verdict: str = "") -> list[dict[str, str]]:
        return [one for one in self.listed if one["about"] == about and verdict in ("", one["verdict"])]

    def one(self, about: str, verdict: str) -> dict[str, str]:
        found = self.of(about, verdict)
        assert len(found) == 1, f"{about} {verdict}: {self.listed}"
        if verdict != "ok":
            assert found[0]["mend"], "each finding names what mends it"
        return found[0]

    def bad(self) -> list[tuple[str, str]]:
        return [(one["verdict"], one["about"]) for one in self.listed if one["verdict"] != "ok"]


def look(world: World, *arguments: str) -> Findings:
    """Run `release doctor`; the refs of the origin are as before."""
    before = world.refs()
    result = world.release("doctor", *arguments, "--output", "json", code=None, later=timedelta(0))
    assert world.refs() == before, "nothing is written"
    data: dict[str, Any] = result.data
    counts = [sum(one["verdict"] == kind for one in data["findings"]) for kind in ("error", "warning", "unknown")]
    assert counts == [data["errors"], data["warnings"], data["unknown"]]
    return Findings(result.code, data["findings"])


@dataclass
class OnGitHub:
    """A world whose remote is the stand-in."""

    standin: StandIn
    world: World
    repository: Repository
    token: Token
    environment: pytest.MonkeyPatch

    @classmethod
    def make(cls, standin: StandIn, world: World, environment: pytest.MonkeyPatch) -> OnGitHub:
        world.commit(workflow_files("bump", "promote", "cleanup", "sync", "check"), "Add workflows")
        settings = {"allow_auto_merge": True, "delete_branch_on_merge": True, "actions_may_open_pull_requests": True}
        repository = standin.add_repository("acme/shop", world.origin, roles={"alice": "admin"}, **settings)
        repository.protections["main"] = Protection(contexts=("check",))
        world.git("remote", "set-url", "origin", standin.clone_url("acme/shop"))
        token = standin.add_token("alice", "classic")
        for name in ("GITHUB_API_URL", "GITHUB_SERVER_URL", "GITHUB_GRAPHQL_URL"):
            environment.setenv(name, standin.environment("acme/shop")[name])
        made = cls(standin, world, repository, token, environment)
        made.use(token)
        return made

    def use(self, token: Token) -> None:
        """Show another token."""
        self.token = token
        self.environment.setenv("GITHUB_TOKEN", token.value)

    def look(self, *arguments: str) -> Findings:
        return look(self.world, *arguments)

    def commit(self, files: dict[str, str | None]) -> None:
        """A person changes the base, past the server."""
        self.world.git("remote", "set-url", "origin", str(self.world.origin))
        self.world.commit(files, "Change")
        self.world.git("remote", "set-url", "origin", self.standin.clone_url("acme/shop"))
