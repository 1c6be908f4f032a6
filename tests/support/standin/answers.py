"""A request as the routes see it, an answer as they give it, and the table of routes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from forge_standin import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from standin.access import Needs
    from standin.records import Pull, Repository, Token, User
    from standin.shapes import Shapes
    from standin.standin import StandIn

DOCS = "https://docs.github.com/rest"


class Problem(Exception):
    """An answer of 4xx. `errors` are those of a 422."""

    def __init__(
        self, status: int, message: str, errors: Sequence[dict[str, Any] | str] = (), *, docs: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = list(errors)
        self.docs = docs

    def answer(self) -> Answer:
        body: dict[str, Any] = {"message": self.message}
        if self.errors:
            body["errors"] = self.errors
        return Answer(self.status, {**body, "documentation_url": self.docs or DOCS, "status": str(self.status)})


def invalid(resource: str, field_: str = "", code: str = "invalid", message: str = "") -> Problem:
    """The 422 of a value that isn't right."""
    error = {"resource": resource, "code": code}
    if field_:
        error["field"] = field_
    if message:
        error["message"] = message
    return Problem(422, "Validation Failed", [error])


@dataclass
class Call:
    """A request for the API that has found its route."""

    standin: StandIn
    params: dict[str, str]  # the variable parts of the path, unquoted
    query: dict[str, str]  # each name once
    body: dict[str, Any]
    token: Token | None
    url: str  # of the resource, without the query
    accept: str
    repo: Repository | None = None

    @property
    def shapes(self) -> Shapes:
        return self.standin.shapes

    @property
    def api(self) -> str:
        """The URL of the repository's part of the API."""
        return f"{self.standin.api}/repos/{self.repository.full_name}"

    @property
    def page(self) -> str:
        """The URL of the repository's page."""
        return f"{self.standin.web}/{self.repository.full_name}"

    @property
    def repository(self) -> Repository:
        assert self.repo is not None
        return self.repo

    @property
    def user(self) -> User:
        if self.token is None:
            raise Problem(401, "Requires authentication")
        return self.token.user

    @property
    def pull(self) -> Pull:
        found = self.repository.pulls.get(int(self.params["number"]))
        if found is None:
            raise Problem(404, "Not Found")
        return found

    def paged(self, items: Sequence[Any], show: Callable[[Any], Any], key: str = "") -> Answer:
        """One page of a list with its `Link`; with `key`, wrapped together with the number of all."""
        size = min(max(self._number("per_page", 30), 1), self.standin.most_per_page)
        page = max(self._number("page", 1), 1)
        last = max((len(items) + size - 1) // size, 1)
        shown = [show(item) for item in items[(page - 1) * size : page * size]]
        targets = []
        if page > 1:
            targets += [("prev", min(page - 1, last)), ("first", 1)]
        if page < last:
            targets += [("next", page + 1), ("last", last)]
        links = [
            f'<{self.url}?{urlencode({**self.query, "page": to, "per_page": size})}>; rel="{name}"'
            for name, to in targets
        ]
        headers = {"Link": ", ".join(links)} if links else {}
        return Answer(200, {"total_count": len(items), key: shown} if key else shown, headers)

    def _number(self, name: str, default: int) -> int:
        value = self.query.get(name, "")
        return int(value) if re.fullmatch(r"\d+", value) else default

    def text(self, name: str, limit: int = 65536, resource: str = "Issue") -> str | None:
        """A text of the body. 422 where it is too long, as GitHub counts: in characters."""
        value = self.body.get(name)
        if value is not None and not isinstance(value, str):
            raise invalid(resource, name)
        if value is not None and len(value) > limit:
            raise invalid(resource, name, "custom", f"{name} is too long (maximum is {limit} characters)")
        return value


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Callable[[Call], Answer]
    needs: Needs
    role: str
    documented: str

    @property
    def writes(self) -> bool:
        return self.method != "GET"


ROUTES: list[Route] = []


def route(method: str, path: str, *needs: str, role: str = "write") -> Callable[[Any], Any]:
    """Puts a function into the table. Of the `needs`, one permission is enough; changes need the `role` as well.

    In a path, `{name}` is one part, `{name...}` all the rest, `{name#}` a number.
    """
    pattern = re.sub(r"\{(\w+)\.\.\.\}", r"(?P<\1>.+)", path)
    pattern = re.sub(r"\{(\w+)#\}", r"(?P<\1>[0-9]+)", pattern)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)

    def put(handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        wanted = tuple((need.partition(":")[0], need.partition(":")[2]) for need in needs)
        ROUTES.append(Route(method, re.compile(pattern), handler, wanted, role, path))
        return handler

    return put


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request, and the variable parts of its path; of several that fit, the one that says most itself."""
    fits = [(one, match) for one in ROUTES if one.method == method and (match := one.pattern.fullmatch(path))]
    if not fits:
        return None
    one, match = max(fits, key=lambda fit: len(re.sub(r"\{.*?\}", "", fit[0].documented)))
    return one, {name: unquote(value) for name, value in match.groupdict().items()}
