"""A request as the routes see it, the table of routes, and what comes before them: tokens, versions, permissions."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from forge_standin import Answer

from azure_standin import problems
from azure_standin.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forge_standin import Exchange, Request

    from azure_standin.azure import Azure
    from azure_standin.records import Identity, Pull, Repository, Thread, Token
    from azure_standin.shapes import Shapes


@dataclass
class Call:
    """A request for the API that has found its route."""

    azure: Azure
    params: dict[str, str]  # the variable parts of the path, unquoted
    query: dict[str, str]
    body: Any
    token: Token
    repo: Repository | None = None

    @property
    def shapes(self) -> Shapes:
        return self.azure.shapes

    @property
    def identity(self) -> Identity:
        return self.token.identity

    @property
    def repository(self) -> Repository:
        assert self.repo is not None
        return self.repo

    @property
    def pull(self) -> Pull:
        found = self.repository.pulls.get(int(self.params["pullRequestId"]))
        if found is None:
            raise problems.no_pull()
        return found

    @property
    def thread(self) -> Thread:
        wanted = int(self.params["threadId"])
        found = next((one for one in self.pull.threads if one.id == wanted), None)
        if found is None:
            message = f"The requested discussion thread {wanted} was not found."
            raise Problem(404, "DiscussionThreadNotFoundException", message)
        return found

    def part(self, name: str) -> Any:
        return self.body.get(name) if isinstance(self.body, dict) else None

    def paged(self, items: Sequence[Any], show: Callable[[Any], Any], default: int = 1000) -> Answer:
        """A part of a list, by `$skip` and `$top`; no more than 1000."""
        skip, top = (int(self.query.get(name, usual)) for name, usual in (("$skip", 0), ("$top", default)))
        return listed([show(one) for one in items[skip : skip + min(top, 1000)]])


def listed(items: Sequence[Any]) -> Answer:
    return Answer(200, {"value": list(items), "count": len(items)})


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    pattern: re.Pattern[str]
    handler: Callable[[Call], Answer]
    scopes: tuple[str, ...]
    permission: str
    location: str
    preview: bool


ROUTES: list[Route] = []


def route(
    method: str, path: str, *scopes: str, permission: str = "", location: str = "", preview: bool = False
) -> Callable[[Any], Any]:
    """Puts a function into the table: a path below `_apis/`, in any case.

    Args:
        method: of HTTP.
        path: `{name}` is one part of it.
        scopes: of which a token needs one; none: any token does.
        permission: what the token's identity may do in the repository; without, by the method.
        location: the id by which Microsoft's clients find it.
        preview: a version of the API has to say `-preview`.
    """
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path), re.IGNORECASE)
    usual = "GenericRead" if method == "GET" or path.endswith("query") else "PullRequestContribute"

    def put(handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        ROUTES.append(Route(method, path, pattern, handler, scopes, permission or usual, location, preview))
        return handler

    return put


def token_of(azure: Azure, headers: dict[str, str]) -> Token | None:
    """Who is asking; None without a token. LookupError, with what the page says, for one that is no good."""
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    if not scheme:
        return None
    if scheme.lower() == "basic":
        value = base64.b64decode(value).decode("utf-8", "replace").partition(":")[2]
    token = azure.tokens.get(value.strip())
    if token is None or token.revoked or (scheme.lower() == "bearer" and token.kind == "pat"):
        raise LookupError("Access Denied: The Personal Access Token used is not valid.")
    if token.expires is not None and token.expires <= azure.now():
        raise LookupError("Access Denied: The Personal Access Token used has expired.")
    return token


def answer(azure: Azure, request: Request, exchange: Exchange) -> Answer:
    """What a request for the API leads to."""
    if request.method == "OPTIONS":
        return listed(_locations())
    try:
        token = token_of(azure, request.headers)
    except LookupError as no:
        return problems.unauthorized(str(no))
    if token is None:
        if request.headers.get("x-tfs-fedauthredirect", "").lower() == "suppress":
            return problems.unauthorized("TF400813: Resource not available for anonymous access.")
        return Answer(302, headers={"Location": f"{azure.web}/_signin"}, raw=b"")
    exchange.user = token.identity.name
    project, _, path = request.path.removeprefix(azure.base).strip("/").partition("_apis/")
    fits = [(one, match) for one in ROUTES if one.method == request.method and (match := one.pattern.fullmatch(path))]
    if not fits:
        azure.unmodelled.append(f"{request.method} {exchange.path}")
        return Problem(501, "NotImplementedException", f"the stand-in doesn't model {exchange}").answer()
    found, match = max(fits, key=lambda fit: len(re.sub(r"\{.*?\}", "", fit[0].path)))
    exchange.route, exchange.accepted = found.path, " or ".join(found.scopes)
    if not token.has(*found.scopes):
        return problems.unauthorized("Access Denied: The Personal Access Token used lacks a scope.")
    _version(azure, request, exchange, found)
    params = {name: unquote(value) for name, value in match.groupdict().items()}
    if exchange.body is None and request.body:
        raise problems.invalid("the body of the request is not JSON")
    call = Call(azure, params, exchange.query, exchange.body, token)
    _enter(call, found, unquote(project.strip("/")))
    return found.handler(call)


def _locations() -> list[dict[str, Any]]:
    """Where Microsoft's clients find each resource: of its paths the longest, of which they leave out what they lack."""
    paths = {one.location: one.path for one in sorted(ROUTES, key=lambda one: len(one.path)) if one.location}
    found = []
    for location, path in paths.items():
        area, _, rest = path.partition("/")
        one = {"id": location, "area": area, "resourceName": rest, "routeTemplate": f"{{project}}/_apis/{path}"}
        versions = {"minVersion": "1.0", "maxVersion": "7.1", "releasedVersion": "7.1"}
        found.append({**one, "resourceVersion": 1, **versions})
    return found


def _version(azure: Azure, request: Request, exchange: Exchange, found: Route) -> None:
    """The version of the API that a request names, in its query or as a part of `Accept`."""
    accepted = re.search(r"api-version=([^;,\s]+)", request.headers.get("accept", ""))
    version = exchange.query.get("api-version", accepted[1] if accepted else "")
    if not version:
        if request.method != "GET":
            message = f'No api-version was supplied for the "{request.method}" request. The version must be supplied '
            message += 'either as part of the Accept header (e.g. "application/json; api-version=1.0") or as a query '
            raise Problem(400, "VssVersionNotSpecifiedException", f'{message}parameter (e.g. "?api-version=1.0").')
        return
    number, _, preview = version.partition("-")
    if tuple(map(int, number.split("."))) > tuple(map(int, azure.version.split("."))):
        message = f"The requested REST API version of {number} is out of range for this server. "
        message += f"The latest REST API version this server supports is {azure.version}."
        raise Problem(400, "VssVersionOutOfRangeException", message)
    if found.preview and not preview:
        message = f'The requested version "{number}" of the resource is under preview. The -preview flag must be '
        message += f'supplied in the api-version for such requests. For example: "{number}-preview"'
        raise Problem(400, "VssInvalidPreviewVersionException", message)


def _enter(call: Call, found: Route, project: str) -> None:
    """The repository of a call, if its token's identity may do there what it wants."""
    azure = call.azure
    known = [name for one in azure.repositories for name in (one.project.casefold(), one.project_id)]
    if project and project.casefold() not in known:
        raise problems.no_project(project)
    name = call.params.get("repositoryId")
    for repository in azure.repositories:
        azure.life.notice(repository, azure.owner)
        azure.life.work(repository)
    if name is None:
        return
    call.repo = azure.find(project, name)
    if call.repo is None or not call.repo.may(call.identity, "GenericRead"):
        raise problems.no_repository(name)
    if call.repo.disabled and found.path != "git/repositories/{repositoryId}":
        raise problems.no_repository(name)
    if not call.repo.may(call.identity, found.permission):
        raise problems.needs(found.permission, call.identity.unique_name)
