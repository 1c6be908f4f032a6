"""The stand-in as tests handle it: projects, repositories, tokens, people."""

from __future__ import annotations

import re
import secrets
import subprocess
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from forge_standin import Answer, Bare, Exchange, Request, Site, pushes
from forge_standin.pushes import Refusal

from azure_standin import described, problems, rest
from azure_standin.life import Life
from azure_standin.person import Hand
from azure_standin.problems import Problem
from azure_standin.records import Identity, Policy, Pull, Repository, Token
from azure_standin.shapes import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from forge_standin.pushes import Command

_GIT = re.compile(
    r"/((?P<project>[^/]+)/)?_git/(?P<name>[^/]+)(?P<service>/(info/refs|git-upload-pack|git-receive-pack))"
)
_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


class Azure(Site):
    """An organization of Azure DevOps on 127.0.0.1, or (`prefix="/tfs"`) a collection of a server of one's own.

    `version`: the newest version of the API that it knows: 7.1, and 5.0 for a server of 2019.
    """

    def __init__(
        self, *, organization: str = "acme", prefix: str = "", now: Callable[[], datetime] | None = None
    ) -> None:
        super().__init__(now)
        self.base = f"{prefix}/{organization}"
        self.collection = f"{self.web}{self.base}"
        self.version = "7.1"
        self.repositories: list[Repository] = []
        self.tokens: dict[str, Token] = {}
        self.identities: dict[str, Identity] = {}
        self.owner = self.identity("owner")
        self.life = Life(self.now, self.next_id, self.repositories)
        self.shapes = Shapes(self.collection)

    # setting up

    def identity(self, name: str, *, group: bool = False) -> Identity:
        """Somebody, made on the first call."""
        with self.lock:
            return self.identities.setdefault(name, Identity(name, group))

    def add_repository(self, full_name: str, path: Path | None = None, **settings: Any) -> Repository:
        """`project/repository`: a bare one that is there already, or a new one without a commit."""
        project, name = full_name.split("/")
        if path is None:
            path = Path(self.folder.name, project, f"{name}.git")
            subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", path], check=True)
        bare = Bare(path)
        made = Repository(project, name, bare, refs=bare.heads(), **settings)
        with self.lock:
            self.repositories.append(made)
        return made

    def add_token(self, name: str = "release-bot", **more: Any) -> Token:
        """A personal access token with Code (read & write); `kind="job"`: a pipeline's System.AccessToken."""
        token = Token(secrets.token_hex(26), self.identity(name), **more)
        self.tokens[token.value] = token
        return token

    def add_policy(self, repository: Repository, kind: str, branch: str = "main", **settings: Any) -> Policy:
        """A blocking policy; `blocking=False` an optional one. The kinds are in `records.POLICY_TYPES`."""
        blocking = settings.pop("blocking", True)
        made = Policy(self.next_id(), kind, branch, settings, self.now(), self.owner, blocking)
        repository.policies[made.id] = made
        return made

    def clone_url(self, full_name: str) -> str:
        project, name = full_name.split("/")
        return f"{self.collection}/{quote(project)}/_git/{quote(name)}"

    def environment(self, full_name: str, token: Token | None = None) -> dict[str, str]:
        """The variables that a job of Azure Pipelines has."""
        project, name = full_name.split("/")
        found = {
            "TF_BUILD": "True", "SYSTEM_COLLECTIONURI": f"{self.collection}/", "SYSTEM_TEAMPROJECT": project,
            "BUILD_REPOSITORY_NAME": name, "BUILD_REPOSITORY_PROVIDER": "TfsGit",
            "BUILD_REPOSITORY_URI": self.clone_url(full_name),
        }  # fmt: skip
        return found | ({"SYSTEM_ACCESSTOKEN": token.value} if token else {})

    def hand(self, full_name: str, name: str = "alice") -> Hand:
        """Somebody who acts in a repository."""
        project, repository = full_name.split("/")
        found = self.find(project, repository)
        assert found is not None, full_name
        return Hand(self, found, self.identity(name))

    def find(self, project: str, name: str) -> Repository | None:
        """A repository by name or id, in a project by name or id; by its id alone too."""
        for one in self.repositories:
            inside = project.casefold() in (one.project.casefold(), one.project_id)
            if (inside and name.casefold() == one.name.casefold()) or (name == one.id and (inside or not project)):
                return one
        return None

    def new_pull(
        self, repository: Repository, by: Identity, title: str, text: str | None, source: str, target: str,
        *, fork: Repository | None = None, draft: bool = False,
    ) -> Pull:  # fmt: skip
        """An active pull request under the next number of the whole organization; the caller holds the lock.

        Not refused: one without a change.
        """
        tips = [(fork or repository).bare.tip(source), repository.bare.tip(target)]
        if tips[0] is None or tips[1] is None:
            raise problems.cannot_be_activated()
        if repository.twin(source, target, fork):
            raise problems.exists()
        number = 1 + max((number for one in self.repositories for number in one.pulls), default=0)
        pull = Pull(number, title, text, by, source, target, tips[0], tips[1], self.now(), draft=draft, fork=fork)
        repository.pulls[number] = pull
        self.life.try_merge(repository, pull)
        return pull

    # requests

    def kind_of(self, path: str) -> tuple[str, str]:
        short = path.removeprefix(self.base)
        return ("git" if _GIT.fullmatch(short) else "rest"), short

    def respond(self, request: Request, exchange: Exchange) -> Answer:
        if exchange.kind == "git":
            return self._git(request, exchange)
        with self.lock:
            try:
                answer = rest.answer(self, request, exchange)
            except Problem as problem:
                answer = problem.answer()
            except Exception:
                self.crashes.append(f"{exchange}\n{traceback.format_exc()}")
                return Answer(500, {"message": "the stand-in failed"})
            for repository in self.repositories:
                self.life.notice(repository, self.identity(exchange.user or "owner"))
            if exchange.user:
                who = self.identity(exchange.user)
                answer.headers["X-VSS-UserData"] = f"{who.id}:{who.unique_name}"
            if answer.body is not None:
                version = f"application/json; charset=utf-8; api-version={self.version}"
                answer.headers = {"Content-Type": version, **answer.headers}
            return answer

    def verify(self) -> None:
        """Asserts that it knew every request, and that all agrees with Microsoft's description of the API."""
        super().verify()
        found = described.violations(self.log)
        assert not found, "against Microsoft's description of the API:\n" + "\n".join(found)

    def _git(self, request: Request, exchange: Exchange) -> Answer:
        match = _GIT.fullmatch(exchange.path)
        assert match is not None
        name, service = unquote(match["name"]), match["service"]
        repository = self.find(unquote(match["project"] or name), name)
        pushing = "receive-pack" in f"{service}{request.query}"
        try:
            token = rest.token_of(self, request.headers)
        except LookupError as no:
            return problems.unauthorized(str(no))
        if token is None and (pushing or repository is None or not repository.public):
            return problems.unauthorized("TF400813: Resource not available for anonymous access.")
        identity = token.identity if token else None
        exchange.user = identity.name if identity else ""
        if token is not None and not token.has("vso.code_write" if pushing else "vso.code"):
            return problems.unauthorized("Access Denied: The Personal Access Token used lacks a scope.")
        if repository is None or repository.disabled or not repository.may(identity, "GenericRead"):
            return Answer(404, headers=_PLAIN, raw=problems.no_repository(name).message.encode())
        if pushing and not repository.may(identity, "GenericContribute"):
            no = problems.needs("GenericContribute", exchange.user)
            return Answer(403, headers=_PLAIN, raw=no.message.encode())
        settings = ["receive.hideRefs=refs/pull", f"uploadpack.allowFilter={str(repository.filters).lower()}"]
        rules = _rules(repository, identity)
        if service != "/git-receive-pack":
            done = pushes.serve(repository.bare, request, service, rules, settings=settings)
        else:
            with self.lock:
                self.life.notice(repository, self.owner)
                done = pushes.serve(repository.bare, request, service, rules, settings=settings)
                self.life.notice(repository, identity or self.owner)
        return Answer(done.status, headers=done.headers, raw=done.content)


def _rules(repository: Repository, identity: Identity | None) -> Callable[[Command], list[Refusal]]:
    """Why a push of a ref is refused: policies ask for a pull request, a permission is missing."""

    def refusals(command: Command) -> list[Refusal]:
        branch = command.ref.removeprefix("refs/heads/")
        found = []
        blocking = any(one.blocking for one in repository.policies_of(branch))
        if blocking and not repository.may(identity, "PolicyExempt"):
            words = (
                "TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch."
            )
            found.append(Refusal("always", words, ""))
        needed = "CreateBranch" if command.creates else "ForcePush"
        if not repository.may(identity, needed, branch):
            words = f"TF401027: You need the Git '{needed}' permission to perform this action."
            found.append(Refusal("always" if command.creates or command.deletes else "force", words, ""))
        return found

    return refusals
