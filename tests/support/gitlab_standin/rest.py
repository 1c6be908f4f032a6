"""The REST API's door: tokens and scopes, routes, parameters, pages, and GitLab's ways to say no."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode

from forge_standin import Answer

from gitlab_standin.changes import Refused
from gitlab_standin.records import LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forge_standin import Exchange, Request

    from gitlab_standin.gitlab import GitLab
    from gitlab_standin.records import MergeRequest, Project, Token, User

NEVER = (99, 0)


@dataclass
class Call:
    """A request for the API that has found its route. `given`: its parameters, of the query and of the body."""

    gitlab: GitLab
    params: dict[str, str]  # the variable parts of the path, unquoted
    given: dict[str, Any]
    token: Token | None
    url: str
    query: dict[str, str] = field(default_factory=dict)
    found: Project | None = None

    @property
    def project(self) -> Project:
        assert self.found is not None
        return self.found

    @property
    def user(self) -> User:
        if self.token is None:
            raise Refused(401, "401 Unauthorized")
        return self.token.user

    @property
    def viewer(self) -> User | None:
        return self.token.user if self.token else None

    @property
    def request(self) -> MergeRequest:
        one = self.project.merge_requests.get(int(self.params["iid"]))
        if one is None:
            raise Refused(404, "404 Not found")
        return one

    def demand(self, role: str) -> None:
        if self.project.level(self.user) < LEVELS[role]:
            raise Refused(403, "403 Forbidden")

    def text(self, name: str) -> str | None:
        value = self.given.get(name)
        return None if value is None else str(value)

    def flag(self, name: str) -> bool | None:
        value = self.given.get(name)
        return None if value is None else str(value).lower() in ("true", "1", "yes", "on")

    def names(self, name: str) -> list[str] | None:
        """A list, or a text with commas: GitLab takes both."""
        value = self.given.get(name)
        if value is None:
            return None
        parts = value if isinstance(value, list) else str(value).split(",")
        return [str(part).strip() for part in parts if str(part).strip()]

    def paged(self, items: Sequence[Any], show: Callable[[Any], Any]) -> Answer:
        """One page of a list, with its headers."""
        size, page = (max(self._number(*each), 1) for each in (("per_page", 20), ("page", 1)))
        size = min(size, self.gitlab.most_per_page)
        last = max((len(items) + size - 1) // size, 1)
        links = {"prev": page - 1 if page > 1 else 0, "next": page + 1 if page < last else 0, "first": 1, "last": last}
        urls = {
            name: f"{self.url}?{urlencode({**self.query, 'page': to, 'per_page': size})}"
            for name, to in links.items()
            if to
        }
        headers = {
            "Link": ", ".join(f'<{url}>; rel="{name}"' for name, url in urls.items()),
            "X-Next-Page": f"{links['next'] or ''}", "X-Page": f"{page}", "X-Per-Page": f"{size}",
            "X-Prev-Page": f"{links['prev'] or ''}", "X-Total": f"{len(items)}", "X-Total-Pages": f"{last}",
        }  # fmt: skip
        return Answer(200, [show(item) for item in items[(page - 1) * size : page * size]], headers)

    def _number(self, name: str, default: int) -> int:
        value = f"{self.given.get(name, '')}"
        return int(value) if re.fullmatch(r"\d+", value) else default


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    documented: str
    handler: Callable[[Call], Answer]
    job: tuple[int, int]  # the version from which on CI_JOB_TOKEN does
    since: tuple[int, int]
    premium: bool


ROUTES: list[Route] = []


def route(
    method: str, path: str, *, job: tuple[int, int] = NEVER, since: tuple[int, int] = (0, 0), premium: bool = False
) -> Callable[[Any], Any]:
    """Puts a function into the table. In a path, `{name}` is one part (a slash in it is `%2F`), `{name#}` a number."""
    pattern = re.sub(r"\{(\w+)#\}", r"(?P<\1>[0-9]+)", path)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)

    def put(handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        ROUTES.append(Route(method, re.compile(pattern), path.replace("#", ""), handler, job, since, premium))
        return handler

    return put


def respond(gitlab: GitLab, request: Request, exchange: Exchange) -> Answer:
    try:
        return _respond(gitlab, request, exchange)
    except Refused as refused:
        # `{"error": …}` is what Grape and OAuth say themselves, `{"message": …}` what GitLab says.
        body = refused.message if isinstance(refused.message, dict) and "error" in refused.message else None
        return Answer(refused.status, body or {"message": refused.message})


def _respond(gitlab: GitLab, request: Request, exchange: Exchange) -> Answer:
    if exchange.kind == "other":
        return _elsewhere(gitlab, exchange.path)
    fits = [
        (one, match)
        for one in ROUTES
        if one.method == request.method and (match := one.pattern.fullmatch(exchange.path))
    ]
    if not fits:
        gitlab.unmodelled.append(f"{request.method} {request.path}")
        return Answer(501, {"message": f"the stand-in doesn't model {request.method} {request.path}"})
    route_, match = max(fits, key=lambda fit: len(re.sub(r"\{.*?\}", "", fit[0].documented)))
    exchange.route = route_.documented
    token = _admitted(gitlab, route_, request, exchange)
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    given = {**_many(request.query), **_body(request, exchange)}
    url = f"{gitlab.web.removesuffix(gitlab.root)}{request.path}"
    call = Call(gitlab, {name: unquote(value) for name, value in match.groupdict().items()}, given, token, url, query)
    if "id" in call.params and (moved := _enter(call, route_, request)):
        return moved
    answer = route_.handler(call)
    if call.found and request.method != "GET":
        gitlab.changes.notice(call.found, call.user)
    return answer


def _admitted(gitlab: GitLab, route_: Route, request: Request, exchange: Exchange) -> Token | None:
    """Who asks; refused where the server, the token or its scopes don't allow such a request at all."""
    token = _token(gitlab, request.headers)
    exchange.user = token.user.username if token else ""
    if token is not None:
        token.limit -= 1
        if token.limit < 0:
            raise Refused(429, {"error": "This endpoint has been requested too many times. Try again later."})
        token = _scoped(gitlab, route_, token)
    if gitlab.version < route_.since:
        raise Refused(404, {"error": "404 Not Found"})
    if request.method != "GET" and gitlab.maintenance:
        raise Refused(403, "You cannot perform write operations on a read-only instance")
    if request.method != "GET" and token is None:
        raise Refused(401, "401 Unauthorized")
    return token


def _elsewhere(gitlab: GitLab, path: str) -> Answer:
    """What isn't the API: other versions of it, and pages, which want a login."""
    if path.startswith("/api/"):
        return Answer(404, {"error": "404 Not Found"})
    if path == "/users/sign_in":
        return Answer(
            200, headers={"Content-Type": "text/html; charset=utf-8"}, raw=b"<title>Sign in \xc2\xb7 GitLab</title>"
        )
    return Answer(302, headers={"Location": f"{gitlab.web}/users/sign_in"}, raw=b"")


def _token(gitlab: GitLab, headers: dict[str, str]) -> Token | None:
    bearer = headers.get("authorization", "").partition(" ")[2]
    value = headers.get("private-token") or bearer or headers.get("job-token", "")
    if not value:
        return None
    token = gitlab.tokens.get(value)
    if token is None or token.kind == "deploy" or (token.kind == "job") != ("job-token" in headers):
        raise Refused(401, "401 Unauthorized")
    spent = "Token was revoked. You have to re-authorize from the user." if token.revoked else ""
    if token.expires is not None and token.expires <= gitlab.now():
        spent = "Token is expired. You can either do re-authorization or token refresh."
    if spent:
        raise Refused(401, {"error": "invalid_token", "error_description": spent})
    return token


def _scoped(gitlab: GitLab, route_: Route, token: Token) -> Token | None:
    """403 for a token whose scopes don't do; a job's token counts for nothing where it isn't taken."""
    if token.kind == "job":
        return token if gitlab.version >= route_.job else None
    wanted = ["api"] if route_.method != "GET" else ["api", "read_api"]
    wanted += ["read_user"] if route_.documented == "/user" else []
    wanted += ["read_repository"] if "/repository/" in route_.documented and route_.method == "GET" else []
    if route_.documented == "/personal_access_tokens/self" or set(wanted) & set(token.scopes):
        return token
    text = "The request requires higher privileges than provided by the access token."
    raise Refused(403, {"error": "insufficient_scope", "error_description": text, "scope": " ".join(wanted[:2])})


def _many(query: str) -> dict[str, Any]:
    """The parameters of a query; those that end in `[]` are lists."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name.endswith("[]"):
            found.setdefault(name[:-2], []).append(value)
        else:
            found[name] = value
    return found


def _body(request: Request, exchange: Exchange) -> dict[str, Any]:
    if not request.body:
        return {}
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        exchange.body = _many(request.body.decode())
    if not isinstance(exchange.body, dict):
        raise Refused(400, {"error": "The provided content could not be parsed as JSON"})
    return exchange.body


def _enter(call: Call, route_: Route, request: Request) -> Answer | None:
    """The project of a call, if its token sees it; an answer where it has moved."""
    gitlab, wanted = call.gitlab, call.params["id"]
    one = gitlab.find(wanted)
    seen = one is not None and (not one.private or one.level(call.viewer) > 0)
    if seen and one is not None and call.token is not None and call.token.kind == "job":
        seen = call.token.project == one.path
    if one is None or not seen:
        raise Refused(404, "404 Project Not Found")
    if wanted in one.moved_from:
        if request.method != "GET":
            raise Refused(405, "Non GET methods are not allowed for moved projects")
        part = request.path.removeprefix(f"{gitlab.root}/api/v4/projects/").partition("/")
        url = f"{gitlab.api}/projects/{one.id}{part[1]}{part[2]}" + (f"?{request.query}" if request.query else "")
        return Answer(301, headers={"Location": url}, raw=f"This resource has been moved permanently to {url}".encode())
    call.found = one
    gitlab.changes.look(one)
    if one.archived and request.method != "GET":
        raise Refused(403, "403 Forbidden")
    if route_.premium and not one.premium:
        raise Refused(404, {"error": "404 Not Found"})
    return None
