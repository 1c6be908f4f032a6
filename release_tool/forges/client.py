"""Requests to one forge: what may be repeated is, limits of the rate are waited for, and JSON comes out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from release_tool.errors import TryAgain
from release_tool.forges.answers import AGAIN, AnswerLost, Dialect, Purpose, Sent, garbage, read
from release_tool.net.transport import RetryPolicy, Transport, bearer, http_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime, timedelta

    from release_tool.forges.token import Token
    from release_tool.net.transport import Answer

_TIMEOUT = 30.0  # seconds of one request; GitHub itself gives up after ten, GitLab after sixty
_WAITS = (0.5, 2.0)  # seconds before the second and the third attempt
_LONGEST = 60.0  # seconds that one wait for a limit may take, however patient the caller is
_PAGES = 10_000  # a chain of pages ends at some time


class ForgeClient:
    """Asks one forge. Without a token, only what everybody may see can be read.

    `skew` is how far this machine's clock is ahead of the forge's, by the last answer; None: it told none.

    Args:
        dialect: how this kind of forge says what its answers mean.
        url: where the paths of its API begin.
        patience: the seconds that all waits together may take, over the life of this client.
        headers: what is sent with every request.
        login: how the token is shown: the name and value of a header.
    """

    def __init__(
        self,
        dialect: Dialect,
        url: str,
        token: Token | None,
        *,
        patience: float,
        sleep: Callable[[float], None],
        now: Callable[[], datetime],
        headers: Mapping[str, str] | None = None,
        login: Callable[[str], tuple[str, str]] = bearer,
    ) -> None:
        self.skew: timedelta | None = None
        self.dialect = dialect
        self._now = now
        self._token = token
        self._login = login
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        self._rest = self.transport(url)
        self._retries = RetryPolicy(_WAITS, longest=_LONGEST, patience=patience, sleep=sleep)

    def transport(self, url: str) -> Transport:
        """A connection to one address, with this client's token."""
        secret, source = self._token or (None, "")
        return Transport(
            self.dialect.title,
            url,
            timeout=_TIMEOUT,
            token=secret,
            token_from=source,
            headers=self._headers,
            login=self._login,
        )

    def close(self) -> None:
        self._rest.close()

    def pages(
        self,
        path: str,
        query: Mapping[str, str],
        purpose: Purpose,
        following: Callable[[Answer, Any], Mapping[str, str] | None] | None = None,
        *,
        items: Callable[[Any], Any] = lambda found: found,
    ) -> Iterator[Any]:
        """The items of a list, page after page as they are wanted.

        Args:
            following: the parameters of the next page, from an answer and its JSON; None: this was the last one.
                Without it, they are those of the header `Link`.
            items: the list in an answer's JSON.

        Raises:
            TryAgain: the forge is away, busy or limits the rate.
            ReleaseError: the forge refuses, or answers with something else.
        """
        for _ in range(_PAGES):
            found, answer = self._send(self._rest, "GET", f"{path}?{urlencode(query)}", purpose)
            listed = items(found)
            if not isinstance(listed, list):
                raise garbage(self._rest.where(path), "a list", self.dialect)
            yield from listed
            # Of a link only the parameters count: where a request goes, and a token with it, no answer decides.
            more = following(answer, found) if following else linked(answer)
            if more is None:
                return
            query = {**query, **more}

    def get(self, path: str, purpose: Purpose) -> Any:
        return self._send(self._rest, "GET", path, purpose)[0]

    def answer(self, path: str, purpose: Purpose) -> tuple[Any, Answer]:
        """As `get`, with the whole answer, for what stands in its headers."""
        return self._send(self._rest, "GET", path, purpose)

    def change(self, method: str, path: str, body: Mapping[str, Any] | None, purpose: Purpose) -> Any:
        """Sends what has the same effect however often it comes."""
        return self._send(self._rest, method, path, purpose, packed(body))[0]

    def create(self, path: str, body: Mapping[str, Any], purpose: Purpose, method: str = "POST") -> Any:
        """Sends what may come once only. After `AnswerLost` nobody knows whether that had its effect: look first."""
        return self._send(self._rest, method, path, purpose, packed(body), repeatable=False)[0]

    def pause(self, error: AnswerLost, tries: int) -> None:
        """Waits before what was lost is sent again; raises the error once it was tried often enough."""
        self._retries.pause(error, tries)

    # -- one request

    def _sent(self, transport: Transport, path: str, purpose: Purpose) -> Sent:
        return Sent(purpose.doing, transport.where(path), purpose.needs, self._token.source if self._token else "")

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
            return read(answer, sent, transport.clean(self.dialect.spoken(answer.body)), self.dialect), answer

        return self._retries.run(attempt, repeatable=repeatable)


def packed(body: Mapping[str, Any] | None) -> bytes | None:
    """A body as it is sent; None: none."""
    return None if body is None else json.dumps(body).encode("ascii")


def linked(answer: Answer) -> dict[str, str] | None:
    """The parameters of the next page, from a header `Link` (RFC 8288); None: this was the last one."""
    found = re.search(r'<([^<>]*)>\s*;[^,<]*\brel="?next\b', answer.headers.get("Link", ""))
    if found is None:
        return None
    try:
        return {name: values[-1] for name, values in parse_qs(urlsplit(found[1]).query).items()}
    except ValueError:
        return None
