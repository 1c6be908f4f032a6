"""The bench of GitHub, as the stand-in plays it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import requests
from conformance.bench import Truth
from world import World

from standin.records import Protection
from standin.standin import StandIn

NAME = "acme/engine"


class GitHubBench:
    """A repository of the stand-in."""

    kind = "auto"
    reviewer = "bob"

    def __init__(self, world: World, standin: StandIn) -> None:
        self.world = world
        self.standin = standin
        self.repository = standin.add_repository(NAME, world.origin, private=True, allow_auto_merge=True)
        token = standin.add_token()
        self.url = standin.clone_url(NAME)
        self.environ: Mapping[str, str] = {
            "GITHUB_SERVER_URL": standin.web,
            "GITHUB_API_URL": standin.api,
            "GITHUB_GRAPHQL_URL": standin.graphql,
            "GITHUB_TOKEN": token.value,
        }
        self.token = token.value
        self.reader = standin.add_token(permissions={"contents": "read", "pull_requests": "read"}).value
        self._alice, self._bob = standin.hand(NAME, "alice"), standin.hand(NAME, "bob")
        self._alices_token = standin.add_token("alice", "classic").value

    def pulls(self) -> list[Truth]:
        with self.standin.lock:
            return [
                Truth(
                    pull.number,
                    "merged" if pull.merged else pull.state,
                    pull.head,
                    pull.base,
                    pull.title,
                    pull.body or "",
                    tuple(pull.labels),
                    tuple(user.login for user in pull.reviewers),
                    tuple(one.body for one in self.repository.comments.values() if one.number == pull.number),
                    auto_merge=pull.auto_merge is not None,
                )
                for pull in self.repository.pulls.values()
            ]

    def push(self, branch: str, files: Mapping[str, str | None], message: str = "By hand") -> str:
        return self._alice.push(branch, dict(files), message)

    def force_push(self, branch: str, to: str) -> None:
        self._alice.force_push(branch, to)

    def delete_branch(self, branch: str) -> None:
        self._alice.delete_branch(branch)

    def merge(self, number: int, method: str = "merge") -> str:
        return self._alice.merge(number, method)

    def close(self, number: int) -> None:
        self._alice.close(number)

    def reopen(self, number: int) -> None:
        self._alice.reopen(number)

    def retarget(self, number: int, base: str) -> None:
        self._ask("PATCH", f"/pulls/{number}", base=base)

    def comment(self, number: int, text: str) -> None:
        self._alice.comment(number, text)

    def ask_for_approval(self, base: str) -> None:
        self.repository.protections[base] = Protection(required_reviews=1)

    def approve(self, number: int) -> None:
        self._bob.approve(number)

    def small_pages(self) -> None:
        self.standin.most_per_page = 3

    def later(self, time: timedelta) -> None:
        self.world.now += max(time, timedelta(seconds=1))

    def _ask(self, method: str, path: str, **body: Any) -> None:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Authorization": f"Bearer {self._alices_token}"}
            answer = session.request(
                method, f"{self.standin.api}/repos/{NAME}{path}", json=body, headers=headers, timeout=20
            )
            assert answer.ok, answer.text


@contextmanager
def github_bench(world: World) -> Iterator[GitHubBench]:
    with StandIn(now=lambda: world.now) as standin:
        standin.date = lambda: world.now
        yield GitHubBench(world, standin)
    standin.verify()
