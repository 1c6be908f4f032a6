"""Requests to one GitHub: what may be repeated is, limits of the rate are waited for, and JSON comes out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from release_tool.errors import ReleaseError, TryAgain
from release_tool.forges.github.errors import (
    AGAIN,
    AnswerLost,
    Declined,
    Forbidden,
    Purpose,
    Sent,
    garbage,
    limit,
    read,
    spoken,
)
from release_tool.net.transport import RetryPolicy, Transport, http_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime, timedelta

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


class GitHubClient:
    """Asks one GitHub. Without a token, only what everybody may see can be read.

    `patience` is the seconds that all waits together may take, over the life of this client. `skew` is how far this
    machine's clock is ahead of GitHub's, by the last answer; None: it told none.
    """

    def __init__(
        self,
        address: Address,
        token: Token | None,
        *,
        patience: float,
        sleep: Callable[[float], None],
        now: Callable[[], datetime],
    ) -> None:
        self.skew: timedelta | None = None
        self._now = now
        self._source = token.source if token else ""
        self._rest = self._transport(address.api, token)
        self._graphql = self._transport(address.graphql, token)
        self._retries = RetryPolicy(_WAITS, longest=_LONGEST, patience=patience, sleep=sleep)

    @staticmethod
    def _transport(url: str, token: Token | None) -> Transport:
        secret, source = token or (None, "")
        return Transport("GitHub", url, timeout=_TIMEOUT, token=secret, token_from=source, headers=_HEADERS)

    def close(self) -> None:
        self._rest.close()
        self._graphql.close()

    def pages(self, path: str, query: Mapping[str, str], purpose: Purpose) -> Iterator[Any]:
        """The items of a list, page after page as they are wanted.

        Raises:
            TryAgain: GitHub is away, busy or limits the rate.
            ReleaseError: GitHub refuses, or answers with something else.
        """
        for _ in range(_PAGES):
            items, answer = self._send(self._rest, "GET", f"{path}?{urlencode(query)}", purpose)
            if not isinstance(items, list):
                raise garbage(self._rest.where(path), "a list")
            yield from items
            following = _next(answer.headers.get("Link", ""))
            if following is None:
                return
            # Of a link only the parameters count: where a request goes, and a token with it, no answer decides.
            query = {**query, **following}

    def get(self, path: str, purpose: Purpose) -> Any:
        return self._send(self._rest, "GET", path, purpose)[0]

    def change(self, method: str, path: str, body: Mapping[str, Any], purpose: Purpose) -> Any:
        """Sends what has the same effect however often it comes."""
        return self._send(self._rest, method, path, purpose, _packed(body))[0]

    def create(self, path: str, body: Mapping[str, Any], purpose: Purpose) -> Any:
        """Sends what may come once only. After `AnswerLost` nobody knows whether that had its effect: look first."""
        return self._send(self._rest, "POST", path, purpose, _packed(body), repeatable=False)[0]

    def pause(self, error: AnswerLost, tries: int) -> None:
        """Waits before what was lost is sent again; raises the error once it was tried often enough."""
        self._retries.pause(error, tries)

    def query(self, document: str, variables: Mapping[str, Any], purpose: Purpose, *, once: bool = False) -> Any:
        """The `data` that a GraphQL document gives; `once`: it may come once only, as what is sent by `create`."""
        sent = self._sent(self._graphql, "", purpose)
        content = _packed({"query": document, "variables": variables})
        found, answer = self._send(self._graphql, "POST", "", purpose, content, repeatable=not once)
        if not isinstance(found, dict):
            raise garbage(sent.where, "an object")
        if found.get("errors"):
            raise self._complaint(found["errors"], answer, sent)
        return found.get("data")

    # -- one request

    def _sent(self, transport: Transport, path: str, purpose: Purpose) -> Sent:
        return Sent(purpose.doing, transport.where(path), purpose.needs, self._source)

    def _send(
        self,
        transport: Transport,
        method: str,
        path: str,
        purpose: Purpose,
        content: bytes | None = None,
        *,
        repeatable: bool = True,
    ) -> tuple[Any, Answer]:
        """What the JSON of an answer of success holds (None where there is none), and the whole answer."""
        sent = self._sent(transport, path, purpose)

        def attempt() -> tuple[Any, Answer]:
            try:
                answer = transport.ask(method, path, content=content)
            except TryAgain as lost:
                raise AnswerLost(lost.what, where=lost.where, cause=lost.cause, hint=AGAIN) from None
            date = http_date(answer.headers.get("Date", ""))
            self.skew = None if date is None else self._now() - date
            return read(answer, sent, transport.clean(spoken(answer.body))), answer

        return self._retries.run(attempt, repeatable=repeatable)

    def _complaint(self, errors: Any, answer: Answer, sent: Sent) -> ReleaseError:
        """What the errors in an answer of GraphQL mean."""
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        words = self._graphql.clean(str(first.get("message", "")))
        kind = str(first.get("type"))
        if kind == "RATE_LIMITED":
            return limit(answer.headers, sent)
        if words.startswith("Something went wrong"):  # GitHub's timeout
            return AnswerLost(f"GitHub is busy or down: {words}", where=sent.where, hint=AGAIN)
        if kind in {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
            hint = f"give the token of {sent.source or 'GITHUB_TOKEN'} the permission `{sent.needs}`"
            return Forbidden(f"GitHub forbids to {sent.doing}: {words}", where=sent.where, hint=hint)
        return Declined(f"GitHub refuses to {sent.doing}: {words}", where=sent.where)


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
