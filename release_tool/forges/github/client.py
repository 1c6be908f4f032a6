"""Requests to one GitHub: what may be repeated is, limits of the rate are waited for, and JSON comes out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from release_tool.errors import ReleaseError, TryAgain
from release_tool.forges.github.errors import (
    AGAIN,
    Asked,
    Declined,
    Forbidden,
    Limited,
    Lost,
    Purpose,
    limit,
    spoken,
    trouble,
)
from release_tool.net.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from release_tool.forges.github.address import Address
    from release_tool.forges.github.token import Token
    from release_tool.net.transport import Answer

_TIMEOUT = 30.0  # seconds of one request; GitHub itself gives up after ten
_WAITS = (0.5, 2.0)  # seconds before the second and the third attempt
_LONGEST = 60.0  # seconds that one wait for a limit may take, however patient the caller is
_PAGES = 10_000  # a chain of pages ends at some time
_HEADERS = {
    "Accept": "application/vnd.github+json",
    "Content-Type": "application/json",
    "X-GitHub-Api-Version": "2022-11-28",
}


class _Request(NamedTuple):
    """What is sent, and the seconds before each time that it may be sent again."""

    method: str
    path: str
    content: bytes | None
    waits: tuple[float, ...]


class Client:
    """Asks one GitHub.

    Args:
        address: of the repository.
        token: None: only what everybody may see can be read.
        patience: seconds that all waits together may take, over the life of this client.
        sleep: sleeps so many seconds.
    """

    def __init__(
        self, address: Address, token: Token | None, *, patience: float, sleep: Callable[[float], None]
    ) -> None:
        self._source = token.source if token else ""
        self._rest = self._transport(address.api, token)
        self._graphql = self._transport(address.graphql, token)
        self._patience = patience
        self._sleep = sleep

    @staticmethod
    def _transport(url: str, token: Token | None) -> Transport:
        secret, source = token or (None, "")
        return Transport("GitHub", url, timeout=_TIMEOUT, token=secret, token_from=source, headers=_HEADERS)

    def close(self) -> None:
        """Closes the connections that are kept open."""
        self._rest.close()
        self._graphql.close()

    def pages(self, path: str, query: Mapping[str, str], purpose: Purpose, key: str = "") -> Iterator[Any]:
        """The items of a list, page after page as they are wanted.

        Args:
            path: of the list.
            query: its parameters.
            purpose: what it is for.
            key: where the items stand in the answer; empty: it is the list itself.

        Raises:
            TryAgain: GitHub is away, busy or limits the rate.
            ReleaseError: it refuses, or answers with something else.
        """
        for _ in range(_PAGES):
            found, answer = self._get(f"{path}?{urlencode(query)}", purpose)
            items = found.get(key) if key and isinstance(found, dict) else found
            if not isinstance(items, list):
                raise garbage(self._rest.where(path), "a list")
            yield from items
            following = _next(answer.headers.get("Link", ""))
            if following is None:
                return
            # Of a link only the parameters count: where a request goes, and a token with it, no answer decides.
            query = {**query, **following}

    def get(self, path: str, purpose: Purpose) -> Any:
        """What stands at a path; arguments and errors as for `pages`."""
        return self._get(path, purpose)[0]

    def change(self, method: str, path: str, body: Mapping[str, Any], purpose: Purpose) -> Any:
        """Sends what has the same effect however often it comes; arguments and errors as for `pages`."""
        return self._send(self._rest, _Request(method, path, _packed(body), _WAITS), purpose)[0]

    def create(self, path: str, body: Mapping[str, Any], purpose: Purpose) -> Any:
        """Sends what may come once only; arguments and errors as for `pages`.

        Raises:
            Lost: nobody knows whether it had its effect: look, and call again where it had not.
        """
        return self._send(self._rest, _Request("POST", path, _packed(body), ()), purpose)[0]

    def pause(self, error: Lost, tries: int) -> None:
        """Waits before what was lost is sent again; raises the error once it was tried often enough."""
        self._wait(error, iter(_WAITS[tries:]))

    def query(self, document: str, variables: Mapping[str, Any], purpose: Purpose, *, once: bool = False) -> Any:
        """The `data` that a GraphQL document gives.

        Args:
            document: the query or mutation.
            variables: what it is filled with.
            purpose: what it is for.
            once: whether it may come once only; raises as `create` then.

        Raises:
            TryAgain: GitHub is away, busy or limits the rate.
            ReleaseError: it refuses, in its words.
        """
        asked = self._asked(self._graphql, "", purpose)
        content = _packed({"query": document, "variables": variables})
        request = _Request("POST", "", content, () if once else _WAITS)
        found, answer = self._send(self._graphql, request, purpose)
        if not isinstance(found, dict):
            raise garbage(asked.where, "an object")
        if found.get("errors"):
            raise self._complaint(found["errors"], answer, asked)
        return found.get("data")

    # -- one request

    def _get(self, path: str, purpose: Purpose) -> tuple[Any, Answer]:
        return self._send(self._rest, _Request("GET", path, None, _WAITS), purpose)

    def _asked(self, transport: Transport, path: str, purpose: Purpose) -> Asked:
        return Asked(purpose.doing, transport.where(path), purpose.needs, self._source)

    def _send(self, transport: Transport, request: _Request, purpose: Purpose) -> tuple[Any, Answer]:
        """Sends until a whole answer of success comes; after a wait for each time that it may be sent again."""
        asked = self._asked(transport, request.path, purpose)
        left = iter(request.waits)
        while True:
            try:
                return self._attempt(transport, request, asked)
            except (Lost, Limited) as error:
                self._wait(error, left)

    def _attempt(self, transport: Transport, request: _Request, asked: Asked) -> tuple[Any, Answer]:
        """One attempt: what the JSON holds (None where there is none), and the whole answer."""
        try:
            answer = transport.ask(request.method, request.path, content=request.content)
        except TryAgain as lost:
            raise Lost(lost.what, where=lost.where, cause=lost.cause, hint=AGAIN) from None
        error = trouble(answer, asked, transport.clean(spoken(answer.body)))
        if error is not None:
            raise error
        if "html" in answer.headers.get("Content-Type", ""):
            raise garbage(asked.where, "data and no page")
        try:
            return (json.loads(answer.body) if answer.body.strip() else None), answer
        except (ValueError, RecursionError):
            raise Lost("GitHub broke off its answer", where=asked.where, hint=AGAIN) from None

    def _wait(self, error: Lost | Limited, left: Iterator[float]) -> None:
        """Sleeps before the next attempt; raises the error where there is none, or its time is too far away."""
        if isinstance(error, Limited):
            pause = error.after  # it had no effect, so it is sent again, whatever it was
        else:
            planned = next(left, None)
            if planned is None:
                raise error
            pause = max(planned, error.after or 0.0)
        if pause > min(_LONGEST, self._patience):
            raise error
        self._patience -= pause
        self._sleep(pause)

    def _complaint(self, errors: Any, answer: Answer, asked: Asked) -> ReleaseError:
        """What the errors in an answer of GraphQL mean."""
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        words = self._graphql.clean(str(first.get("message", "")))
        kind = str(first.get("type"))
        if kind == "RATE_LIMITED":
            return limit(answer.headers, asked)
        if words.startswith("Something went wrong"):  # GitHub's timeout
            return Lost(f"GitHub is busy or down: {words}", where=asked.where, hint=AGAIN)
        if kind in {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
            hint = f"give the token of {asked.source or 'GITHUB_TOKEN'} the permission `{asked.needs}`"
            return Forbidden(f"GitHub forbids to {asked.doing}: {words}", where=asked.where, hint=hint)
        return Declined(f"GitHub refuses to {asked.doing}: {words}", where=asked.where)


def garbage(where: str, expected: str) -> ReleaseError:
    """The error of an answer that is no answer of GitHub.

    Args:
        where: who gave it.
        expected: what it should be.
    """
    return ReleaseError(
        f"what answers there is no GitHub: it should give {expected}",
        where=where,
        cause="a login page, or a proxy in between",
        hint="correct forge.url, or the URL of the remote",
    )


def _packed(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode("ascii")


def _next(link: str) -> dict[str, str] | None:
    """The parameters of the next page, from a header `Link` (RFC 8288); None: this was the last one."""
    found = re.search(r'<([^<>]*)>\s*;[^,<]*\brel="?next\b', link)
    if found is None:
        return None
    try:
        return {name: values[-1] for name, values in parse_qs(urlsplit(found[1]).query).items()}
    except ValueError:
        return None
