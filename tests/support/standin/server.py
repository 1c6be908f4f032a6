"""What a request leads to: git, REST and GraphQL by path."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING

from forge_standin import Answer

import standin.api_actions
import standin.api_commits
import standin.api_pulls
import standin.api_repository
import standin.api_talk  # noqa: F401  these fill the table of routes
from standin import access, answers, graphql_api, pushes
from standin.answers import Call, Problem

if TYPE_CHECKING:
    from forge_standin import Exchange, Request

    from standin.records import Token
    from standin.standin import StandIn

GIT = re.compile(r"/(?P<name>[^/]+/[^/]+?)(\.git)?(?P<service>/(info/refs|git-upload-pack|git-receive-pack))")


class Response:
    """Answers one request."""

    def __init__(self, standin: StandIn, request: Request, exchange: Exchange) -> None:
        self.standin = standin
        self.request = request
        self.exchange = exchange

    def answer(self) -> Answer:
        git = GIT.fullmatch(self.request.path)
        return self.git(git["name"], git["service"]) if git else self.api()

    def git(self, name: str, service: str) -> Answer:
        standin, exchange = self.standin, self.exchange
        repository = standin.repositories.get(name)
        pushing = "receive-pack" in f"{service}{self.request.query}"
        wants = {"WWW-Authenticate": 'Basic realm="GitHub"', "Content-Type": "text/plain"}
        try:
            token = self._token()
        except Problem:
            words = b"Invalid username or token. Password authentication is not supported for Git operations."
            return Answer(401, headers=wants, raw=words)
        exchange.user = token.user.login if token else ""
        plain = {"Content-Type": "text/plain; charset=utf-8"}
        if token is None and (pushing or repository is None or repository.private):
            return Answer(401, headers=wants, raw=b"No anonymous write access.")
        if repository is None or not access.sees(repository, token):
            return Answer(404, headers=plain, raw=b"Repository not found.")
        if pushing and repository.archived:
            return Answer(403, headers=plain, raw=b"This repository was archived so it is read-only.")
        if (pushing and not access.may_push(repository, token)) or not access.may_read_git(repository, token):
            who = token.user.login if token else ""
            return Answer(403, headers=plain, raw=f"Permission to {name}.git denied to {who}.".encode())
        if service == "/git-receive-pack":
            with standin.lock:
                standin.changes.notice(repository, repository.owner)
                done = pushes.serve(repository, self.request, service, token)
                standin.changes.notice(repository, token.user, token)
        else:
            done = pushes.serve(repository, self.request, service, token)
        return Answer(done.status, headers=done.headers, raw=done.content)

    def api(self) -> Answer:
        standin, exchange = self.standin, self.exchange
        with standin.lock:
            token = None
            try:
                token = self._token()
                exchange.user = token.user.login if token else ""
                if exchange.body is None and self.request.body:
                    raise Problem(400, "Problems parsing JSON")
                self._demand_budget(token)
                answer = self._graphql(token) if exchange.kind == "graphql" else self._rest(token)
            except Problem as problem:
                answer = problem.answer()
            except Exception:
                standin.crashes.append(f"{exchange}\n{traceback.format_exc()}")
                answer = Problem(500, "the stand-in failed").answer()
            accepted = {"X-Accepted-GitHub-Permissions": exchange.accepted} if exchange.accepted else {}
            answer.headers = {**self._usual_headers(token), **accepted, **answer.headers}
            return answer

    def _token(self) -> Token | None:
        standin = self.standin
        return access.token_of(standin.tokens, self.request.headers.get("authorization", ""), standin.now())

    def _demand_budget(self, token: Token | None) -> None:
        standin = self.standin
        if self.exchange.path == "/rate_limit":
            return
        if standin.budget(token)["remaining"] < 1:
            who = f"user ID {token.user.id}" if token else "127.0.0.1"
            raise Problem(403, f"API rate limit exceeded for {who}.")
        standin.budget(token, cost=1)

    def _usual_headers(self, token: Token | None) -> dict[str, str]:
        core = self.standin.budget(token)
        found = {f"X-RateLimit-{name.capitalize()}": str(value) for name, value in core.items()}
        found |= {"X-RateLimit-Resource": "core", "X-GitHub-Media-Type": "github.v3; format=json"}
        if token is not None and token.kind == "classic":
            found |= {"X-OAuth-Scopes": ", ".join(token.scopes), "X-Accepted-OAuth-Scopes": "repo"}
        return found

    def _graphql(self, token: Token | None) -> Answer:
        standin, exchange = self.standin, self.exchange
        for repository in standin.repositories.values():
            standin.changes.notice(repository, repository.owner)
        try:
            return graphql_api.answer(standin, exchange.body, token)
        except graphql_api.Unmodelled as unmodelled:
            return self._unmodelled(f"POST /graphql: {unmodelled}: {exchange.body['query']}")

    def _rest(self, token: Token | None) -> Answer:
        standin, exchange, path, body = self.standin, self.exchange, self.request.path, self.exchange.body
        found = answers.find(self.request.method, exchange.path) if path.startswith(f"{standin.prefix}/") else None
        if found is None:
            query = f"?{self.request.query}" if self.request.query else ""
            return self._unmodelled(f"{self.request.method} {path}{query}")
        route, params = found
        exchange.route = route.documented
        if token is not None and token.kind != "classic":
            exchange.accepted = access.accepted(route.needs)
        if not isinstance(body, dict | None) and not (isinstance(body, list) and path.endswith("/labels")):
            raise Problem(400, "Body should be a JSON object")
        url = f"{standin.web}{path}"
        call = Call(standin, params, exchange.query, body or {}, token, url, self.request.headers.get("accept", ""))
        if "repo" in params:
            self._enter(call, route)
        elif token is None and route.documented != "/rate_limit":
            raise Problem(401, "Requires authentication")
        answer = route.handler(call)
        if call.repo is not None and route.writes:
            standin.changes.notice(call.repo, call.user, token)
        return answer

    def _enter(self, call: Call, route: answers.Route) -> None:
        """The repository of a call, if its token may do there what it wants."""
        call.repo = call.standin.repositories.get(f"{call.params['owner']}/{call.params['repo']}")
        if call.repo is None:
            raise Problem(404, "Not Found")
        access.demand(call.repo, call.token, route.needs, route.role, writes=route.writes)
        call.standin.changes.notice(call.repo, call.repo.owner)

    def _unmodelled(self, what: str) -> Answer:
        self.standin.unmodelled.append(what)
        return Problem(501, f"the stand-in doesn't model {what}").answer()
