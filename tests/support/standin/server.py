"""The HTTP side: one thread a connection; git, REST and GraphQL by path; faults; the record."""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
import traceback
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from git_server import read_body

import standin.api_actions
import standin.api_commits
import standin.api_pulls
import standin.api_repository
import standin.api_talk  # noqa: F401  these fill the table of routes
from standin import access, answers, graphql_api, pushes
from standin.answers import Answer, Call, Problem

if TYPE_CHECKING:
    from standin.faults import Fault
    from standin.records import Token
    from standin.standin import Exchange, StandIn

_GIT = re.compile(r"/(?P<name>[^/]+/[^/]+?)(\.git)?(?P<service>/(info/refs|git-upload-pack|git-receive-pack))")


class _Gone(Exception):
    """The connection was ended on purpose."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, *_: object) -> None:
        """Clients that leave are nothing to talk about; anything else is a fault of the stand-in."""
        if not isinstance(sys.exc_info()[1], (_Gone, ConnectionError, TimeoutError)):
            self.standin.crashes.append(traceback.format_exc())


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one piece: two small ones would wait for each other (Nagle, delayed ACK)
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        from standin.standin import Exchange

        standin = self.server.standin
        body = read_body(self)
        path, _, query = self.path.partition("?")
        git = _GIT.fullmatch(path)
        short = path if git else path.removeprefix(standin.prefix)
        kind = "git" if git else "rest"
        if f"{standin.web}{path}" == standin.graphql:
            kind, short = "graphql", "/graphql"
        kept = {name.lower(): value for name, value in self.headers.items()}
        shown = {name: "…" if name == "authorization" else value for name, value in kept.items()}
        exchange = Exchange(kind, self.command, short, dict(parse_qsl(query, keep_blank_values=True)), headers=shown)
        if not git:
            exchange.body = _parsed(body)
        standin.log.append(exchange)
        fault = standin.draw(self.command, f"{short}?{query}" if query else short)
        if self._before(fault, exchange):
            return
        if kind == "git":
            assert git is not None
            answer = self._git(git["name"], git["service"], query, kept, body, exchange)
        else:
            answer = self._api(path, exchange, kept, body)
        exchange.status, exchange.meant, exchange.answer = answer.status, answer.status, answer.body
        self._after(fault, exchange, answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    # faults

    def _before(self, fault: Fault | None, exchange: Exchange) -> bool:
        """What goes wrong before a request has an effect; whether that was all."""
        if fault is None:
            return False
        exchange.fault = fault.name
        if fault.seconds and not (fault.after and fault.lost):
            self.server.standin.stopped.wait(fault.seconds)
        if fault.after:
            return False
        if fault.lost:
            self._reset()
        if fault.status is not None:
            self._order(fault, exchange)
        return fault.status is not None

    def _after(self, fault: Fault | None, exchange: Exchange, answer: Answer) -> None:
        if fault is None or (fault.status is None and not fault.lost and not fault.broken):
            self._send(answer)
            return
        if fault.lost:
            exchange.status = 0
            if fault.seconds:
                self.server.standin.stopped.wait(fault.seconds)
            self._reset()
        if fault.status is not None:
            self._order(fault, exchange)
            return
        text = answer.raw if answer.raw is not None else json.dumps(answer.body).encode()
        half = text[: len(text) // 2]
        if fault.broken == "json":
            kind = {"Content-Type": "application/json; charset=utf-8"}
            self._send(Answer(answer.status, raw=half, headers={**kind, **answer.headers}))
            return
        self._send(Answer(answer.status, raw=half, headers=answer.headers), length=len(text) + 1)
        self._reset()

    def _order(self, fault: Fault, exchange: Exchange) -> None:
        assert fault.status is not None
        exchange.status = fault.status
        html = {"Content-Type": "text/html"} if isinstance(fault.body, str) else {}
        raw = fault.body.encode() if isinstance(fault.body, str) else None
        self._send(Answer(fault.status, fault.body, {**html, **fault.headers}, raw))

    def _reset(self) -> None:
        """RST instead of an orderly end."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for stream in (self.rfile, self.wfile, self.connection):
            stream.close()
        raise _Gone

    # answers

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.server.standin.date().timestamp() if timestamp is None else timestamp)

    def _send(self, answer: Answer, length: int | None = None) -> None:
        raw = answer.raw
        if raw is None:
            raw = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        headers = {"X-GitHub-Request-Id": uuid.uuid4().hex.upper(), **answer.headers}
        if answer.raw is None and answer.body is not None:
            headers = {"Content-Type": "application/json; charset=utf-8", **headers}
        if answer.status != 204:
            headers["Content-Length"] = str(len(raw) if length is None else length)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)
        self.wfile.flush()

    def _git(
        self, name: str, service: str, query: str, headers: dict[str, str], body: bytes, exchange: Exchange
    ) -> Answer:
        standin = self.server.standin
        repository = standin.repositories.get(name)
        pushing = "receive-pack" in f"{service}{query}"
        wants = {"WWW-Authenticate": 'Basic realm="GitHub"', "Content-Type": "text/plain"}
        try:
            token = access.token_of(standin.tokens, headers.get("authorization", ""), standin.now())
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
        arguments = (repository, self.command, service, query, headers, body, token)
        if service == "/git-receive-pack":
            with standin.lock:
                standin.changes.notice(repository, repository.owner)
                done = pushes.serve(*arguments)
                standin.changes.notice(repository, token.user, token)
        else:
            done = pushes.serve(*arguments)
        return Answer(done.status, headers=done.headers, raw=done.content)

    def _api(self, path: str, exchange: Exchange, headers: dict[str, str], body: bytes) -> Answer:
        standin = self.server.standin
        with standin.lock:
            token = None
            try:
                token = access.token_of(standin.tokens, headers.get("authorization", ""), standin.now())
                exchange.user = token.user.login if token else ""
                if exchange.body is None and body:
                    raise Problem(400, "Problems parsing JSON")
                self._demand_budget(exchange, token)
                if exchange.kind == "graphql":
                    answer = self._graphql(exchange, token)
                else:
                    answer = self._rest(path, exchange, headers, token)
            except Problem as problem:
                answer = problem.answer()
            except Exception:
                standin.crashes.append(f"{exchange}\n{traceback.format_exc()}")
                answer = Problem(500, "the stand-in failed").answer()
            accepted = {"X-Accepted-GitHub-Permissions": exchange.accepted} if exchange.accepted else {}
            answer.headers = {**self._usual_headers(token), **accepted, **answer.headers}
            return answer

    def _demand_budget(self, exchange: Exchange, token: Token | None) -> None:
        standin = self.server.standin
        if exchange.path == "/rate_limit":
            return
        if standin.budget(token)["remaining"] < 1:
            who = f"user ID {token.user.id}" if token else "127.0.0.1"
            raise Problem(403, f"API rate limit exceeded for {who}.")
        standin.budget(token, cost=1)

    def _usual_headers(self, token: Token | None) -> dict[str, str]:
        core = self.server.standin.budget(token)
        found = {f"X-RateLimit-{name.capitalize()}": str(value) for name, value in core.items()}
        found |= {"X-RateLimit-Resource": "core", "X-GitHub-Media-Type": "github.v3; format=json"}
        if token is not None and token.kind == "classic":
            found |= {"X-OAuth-Scopes": ", ".join(token.scopes), "X-Accepted-OAuth-Scopes": "repo"}
        return found

    def _graphql(self, exchange: Exchange, token: Token | None) -> Answer:
        standin = self.server.standin
        for repository in standin.repositories.values():
            standin.changes.notice(repository, repository.owner)
        try:
            return graphql_api.answer(standin, exchange.body, token)
        except graphql_api.Unmodelled as unmodelled:
            return self._unmodelled(f"POST /graphql: {unmodelled}: {exchange.body['query']}")

    def _rest(self, path: str, exchange: Exchange, headers: dict[str, str], token: Token | None) -> Answer:
        standin, body = self.server.standin, exchange.body
        found = answers.find(self.command, exchange.path) if path.startswith(f"{standin.prefix}/") else None
        if found is None:
            return self._unmodelled(f"{self.command} {self.path}")
        route, params = found
        exchange.route = route.documented
        if token is not None and token.kind != "classic":
            exchange.accepted = access.accepted(route.needs)
        if not isinstance(body, dict | None) and not (isinstance(body, list) and path.endswith("/labels")):
            raise Problem(400, "Body should be a JSON object")
        url = f"{standin.web}{path}"
        call = Call(standin, params, exchange.query, body or {}, token, url, headers.get("accept", ""))
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
        self.server.standin.unmodelled.append(what)
        return Problem(501, f"the stand-in doesn't model {what}").answer()

    def log_message(self, *_: Any) -> None:
        """Quiet: everything is in the record."""


def _parsed(body: bytes) -> Any:
    """The JSON of a request; None where there is none, or none that can be read."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return None
