"""The stand-in as tests handle it: repositories, tokens, people, faults, and the record of what was asked."""

from __future__ import annotations

import secrets
import subprocess
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge_standin import Answer, Bare, Exchange, Request, Site

from standin import records
from standin.changes import Changes
from standin.person import Hand
from standin.records import Comment, Label, Pull, Repository, Review, Token, User, Workflow
from standin.server import GIT, Response
from standin.shapes import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

WINDOW = 3600  # seconds of the primary rate limit


class StandIn(Site):
    """A GitHub on 127.0.0.1. Use it as a context manager; how-to in `standin/__init__.py`.

    `lazy_mergeable`: how often `mergeable` is null after each change of a pull request, as on GitHub.
    """

    def __init__(
        self, *, prefix: str = "/api/v3", now: Callable[[], datetime] | None = None, lazy_mergeable: int = 1
    ) -> None:
        super().__init__(now)
        self.began = self.now()
        self.prefix = prefix
        self.lazy_mergeable = lazy_mergeable
        self.most_per_page = 100  # items of a list, however many are asked for
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.repositories: dict[str, Repository] = {}
        self.changes = Changes(self.now, self.repositories)
        self._anonymous = Token("", User("", 0), limit=60)
        self.api = f"{self.web}{prefix}"
        self.graphql = f"{self.web}/api/graphql" if prefix else f"{self.web}/graphql"
        self.shapes = Shapes(self.api, self.web)

    def kind_of(self, path: str) -> tuple[str, str]:
        if GIT.fullmatch(path):
            return "git", path
        if f"{self.web}{path}" == self.graphql:
            return "graphql", "/graphql"
        return "rest", path.removeprefix(self.prefix)

    def respond(self, request: Request, exchange: Exchange) -> Answer:
        return Response(self, request, exchange).answer()

    def usual_headers(self) -> dict[str, str]:
        return {"X-GitHub-Request-Id": uuid.uuid4().hex.upper()}

    # setting up

    def user(self, login: str, kind: str = "") -> User:
        """Somebody, made on the first call. A login that ends in `[bot]` is a bot's."""
        with self.lock:
            if login not in self.users:
                kind = kind or ("Bot" if login.endswith("[bot]") else "User")
                self.users[login] = User(login, self.next_id(), kind)
            return self.users[login]

    def add_repository(self, full_name: str, path: Path | None = None, **settings: Any) -> Repository:
        """A repository: a bare one that is there already, or a new one without a commit; `settings` are its attributes.

        The owner is an organization unless it is known already.
        """
        owner, name = full_name.split("/")
        if path is None:
            path = Path(self.folder.name, owner, f"{name}.git")
            subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", path], check=True)
        bare = Bare(path)
        with self.lock:
            person = self.user(owner, "Organization")
            made = Repository(self.next_id(), person, name, path, bare, self.now(), refs=bare.heads(), **settings)
            self.repositories[full_name] = made
        return made

    def add_token(
        self, login: str = "shop-bot[bot]", kind: str = "app", permissions: Mapping[str, str] | None = None, **more: Any
    ) -> Token:
        """A token; without `permissions`, one with all that the tool could need. Its value is random."""
        heads = {"classic": "ghp_", "fine-grained": "github_pat_", "app": "ghs_", "actions": "ghs_"}
        value = heads[kind] + secrets.token_hex(18)
        wanted = dict(records.EVERYTHING if permissions is None else permissions)
        token = Token(value, self.user(login), kind, wanted, **more)
        self.tokens[value] = token
        return token

    def clone_url(self, full_name: str) -> str:
        return f"{self.web}/{full_name}.git"

    def environment(self, full_name: str, token: Token | None = None) -> dict[str, str]:
        """The variables that a job of GitHub Actions has."""
        found = {
            "GITHUB_ACTIONS": "true", "GITHUB_API_URL": self.api, "GITHUB_SERVER_URL": self.web,
            "GITHUB_GRAPHQL_URL": self.graphql, "GITHUB_REPOSITORY": full_name,
        }  # fmt: skip
        return found | ({"GITHUB_TOKEN": token.value} if token else {})

    def hand(self, full_name: str, login: str = "alice") -> Hand:
        """Somebody who acts in a repository; a person without a role there gets `write`."""
        repository = self.repositories[full_name]
        if login != repository.owner.login:
            repository.roles.setdefault(login, "write")
        return Hand(self, repository, login)

    def budget(self, token: Token | None, cost: int = 0) -> dict[str, int]:
        """What is left of the primary rate limit, in the words of `/rate_limit`, after a request's `cost`."""
        with self.lock:
            one = token or self._anonymous
            if time.time() >= one.window_ends:
                one.used, one.window_ends = 0, time.time() + WINDOW
            one.used += cost
            left = max(one.limit - one.used, 0)
            used = min(one.used, one.limit)
            return {"limit": one.limit, "used": used, "remaining": left, "reset": int(one.window_ends)}

    def verify(self) -> None:
        """Asserts that it knew every request, and that all agrees with GitHub's own description of its API."""
        super().verify()
        from standin import openapi

        if openapi.available():
            found = openapi.violations(self.log)
            assert not found, "against GitHub's description of its API:\n" + "\n".join(found)

    # making things; the callers hold the lock

    def head_of(self, repository: Repository, head: str) -> tuple[Repository | None, str]:
        """The repository and branch of a head: `branch`, or `owner:branch` of it or of a fork."""
        owner, colon, branch = head.partition(":")
        if not colon:
            return repository, head
        if owner.lower() == repository.owner.login.lower():
            return repository, branch
        forks = [one for one in self.repositories.values() if one.parent == repository.full_name]
        return next((fork for fork in forks if fork.owner.login.lower() == owner.lower()), None), branch

    def new_pull(
        self, repository: Repository, user: User, title: str, body: str | None, head: tuple[Repository, str, str],
        base: tuple[str, str], token: Token | None, *, draft: bool = False,
    ) -> Pull:  # fmt: skip
        """An open pull request under the next number; `refs/pull/N/head` keeps its commits."""
        number = max(repository.pulls, default=0) + 1
        now = self.now()
        pull = Pull(self.next_id(), number, title, body, user, *head, *base, now, now, draft=draft)
        repository.pulls[number] = pull
        repository.bare.move(f"refs/pull/{number}/head", pull.head_sha)
        event = records.Event("pull_request", f"refs/pull/{number}/merge", user.login, True, {"action": "opened"})
        self.changes.record(repository, event, token)
        return pull

    def new_label(self, repository: Repository, name: str) -> Label:
        repository.labels[name] = Label(self.next_id(), name)
        return repository.labels[name]

    def new_comment(self, repository: Repository, pull: Pull, user: User, text: str) -> Comment:
        one = Comment(self.next_id(), pull.number, user, text, self.now(), self.now())
        repository.comments[one.id] = one
        pull.updated_at = self.now()
        return one

    def new_review(self, repository: Repository, pull: Pull, user: User, state: str, body: str) -> Review:
        """A review; whoever gave it is no longer asked for one."""
        one = Review(self.next_id(), user, state, body, pull.head_sha, self.now())
        pull.reviews.append(one)
        pull.reviewers = [reviewer for reviewer in pull.reviewers if reviewer.login != user.login]
        self.changes.settle(repository)
        return one

    def new_workflow(self, repository: Repository, path: str) -> Workflow:
        one = Workflow(self.next_id(), path.rpartition("/")[2], path)
        repository.workflows.append(one)
        return one
