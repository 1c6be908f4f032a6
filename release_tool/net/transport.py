"""HTTP to the outside: time limits, repeated attempts, status -> error, nothing secret in any text.

The one place that knows `requests`. Answers come from strangers: everything about them is bounded (time, size, number
of attempts), and whatever they say is cut, put on one line and stripped of the token before it gets into a message.
"""

from __future__ import annotations

import logging
import ssl
import time
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, NamedTuple

import requests
from urllib3.exceptions import HTTPError

from release_tool import __version__
from release_tool.errors import ReleaseError, TryAgain
from release_tool.net.outside import TimeIsUp, in_time, retry_after
from release_tool.safe_text import bare_url, phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from release_tool.net.outside import Secret

_LOG = logging.getLogger("release_tool.net.transport")

_WAITS = (0.2, 1.0)
"""Seconds before the second and the third attempt, where the server names no time of its own."""

_CHUNK = 64 * 1024
_CONNECTIONS = 64  # that are kept open


class Answer(NamedTuple):
    """What a server answered, complete.

    Attributes:
        status: the status, 100 to 599.
        headers: the headers; their names are found in any case.
        body: the body, decoded as its `Content-Encoding` says.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Limit(NamedTuple):
    """How long something may take: in seconds, and until when by `time.monotonic`."""

    seconds: float
    end: float


class _Busy(TryAgain):
    """An attempt that may go better next time; `after` is when the server wants the next one, in seconds."""

    after: float | None = None


class _Session(requests.Session):
    """Follows no redirect. Only told so by a parameter, `requests` would still read the redirect's body, unbounded."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: nothing is ever followed, so a credential never reaches another address."""


class _Credential(requests.auth.AuthBase):
    """The token as a header, or none. Given no such object at all, `requests` would search `~/.netrc` for one."""

    def __init__(self, token: Secret | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class Transport:
    """Requests to one server. TLS is verified, with the authorities of `REQUESTS_CA_BUNDLE` where it is set.

    Args:
        title: what the server is, for messages: `Prometheus`.
        url: where its paths begin; without a credential.
        timeout: seconds that one `send` may take, all its attempts together.
        token: sent as `Authorization: Bearer`; None or empty: nothing is sent.
        token_from: where the token comes from, for messages: the name of an environment variable.
        most: bytes that the body of an answer may have.
        headers: what else is sent with every request.
        shown: what stands for the address in messages, where the address itself is a secret; empty: it may be shown.
    """

    def __init__(
        self,
        title: str,
        url: str,
        *,
        timeout: float,
        token: Secret | None = None,
        token_from: str = "",
        most: int = 32 * 1024 * 1024,
        headers: Mapping[str, str] | None = None,
        shown: str = "",
    ) -> None:
        self._title = title
        self._shown = shown
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._token = token
        self._token_from = token_from
        self._most = most
        self._session = _Session()
        self._session.auth = _Credential(token)
        for scheme in ("https://", "http://"):  # as many connections as there may be callers at once
            self._session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS))
        # Compressed answers would be bounded by their size on the way only, not by what they unpack to.
        self._session.headers.update({"User-Agent": f"release/{__version__}", "Accept-Encoding": "identity"})
        self._session.headers.update(headers or {})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def __repr__(self) -> str:
        return f"Transport({self._title!r}, {self.where('')!r})"

    def close(self) -> None:
        """Closes the connections that are kept open."""
        self._session.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        repeatable: bool = False,
        explain: Callable[[bytes], str] = lambda _body: "",
        within: float | None = None,
    ) -> Answer:
        """One request.

        Args:
            method: `GET`, `POST` and so on.
            path: is put behind the URL, with its `/`.
            form: sent as a form in the body.
            repeatable: whether it changes nothing, so that it may be sent again when nobody knows what became of it.
            explain: finds the server's own words in the body of a refusal; empty: there are none.
            within: seconds that it may take, where that is less than the timeout.

        Returns:
            An answer with a status of 200 to 299.

        Raises:
            TryAgain: no answer in time, a lost connection, or a server that is busy or down.
            ReleaseError: the server refuses, answers with more than is read, or sends the client elsewhere.
        """
        self._check()
        limit = self._limit(within)
        waits = iter(_WAITS if repeatable else ())
        while True:
            try:
                return self._attempt(method, path, form, limit, explain)
            except _Busy as busy:
                self._wait(busy, waits, limit.end)

    def ask(self, method: str, path: str, *, content: bytes | None = None) -> Answer:
        """One attempt at one request; what its status means, and whether to repeat it, is the caller's to judge.

        Args:
            method: `GET`, `POST` and so on.
            path: is put behind the URL, with its `/`.
            content: sent as the body.

        Returns:
            An answer with any status.

        Raises:
            TryAgain: no whole answer came in time: nobody knows what became of the request.
            ReleaseError: it can't be sent, or is answered with more than is read.
        """
        self._check()
        return self._answer(method, path, content, self._limit(None))

    def where(self, path: str) -> str:
        """The address of a path, for messages."""
        return self._shown or bare_url(self._url + path)

    def clean(self, words: str) -> str:
        """Words from outside for a message: on one short line, and without the token."""
        return phrase(words.replace(self._token.reveal(), str(self._token)) if self._token else words)

    def _limit(self, within: float | None) -> _Limit:
        seconds = self._timeout if within is None else min(self._timeout, within)
        return _Limit(seconds, time.monotonic() + seconds)

    def _wait(self, busy: _Busy, waits: Iterator[float], end: float) -> None:
        """Sleeps until the next attempt; raises what has happened where there is to be none."""
        pause = next(waits, None)
        if pause is None:
            raise busy
        pause = pause if busy.after is None else busy.after
        if time.monotonic() + pause >= end:
            raise busy
        time.sleep(pause)

    def _check(self) -> None:
        """Refuses what can't be sent, before a library puts it into a message of its own."""
        if not self._shown and bare_url(self._url) != self._url:
            raise ReleaseError(
                f"the URL of {self._title} holds a credential, or a query",
                hint=f"write it without, and put the token into {self._token_from}" if self._token_from else "",
            )
        if self._token and not self._token.can_be_sent:
            raise ReleaseError(
                f"{self._token_from or 'the token'} holds what can't be a token: spaces, line ends or letters "
                "that are not ASCII",
                hint="set it to the token alone",
            )

    def _attempt(
        self, method: str, path: str, form: Mapping[str, str] | None, limit: _Limit, explain: Callable[[bytes], str]
    ) -> Answer:
        answer = self._answer(method, path, form, limit)
        if not 200 <= answer.status <= 299:
            raise self._refused(answer, self.where(path), self.clean(explain(answer.body)))
        return answer

    def _answer(self, method: str, path: str, data: Mapping[str, str] | bytes | None, limit: _Limit) -> Answer:
        where = self.where(path)
        began = time.monotonic()
        try:
            answer = in_time(lambda: self._exchange(method, path, data, limit.end), limit.end)
        except (requests.Timeout, TimeIsUp):
            raise TryAgain(f"{self._title} did not answer within {round(limit.seconds, 2):g} s", where=where) from None
        except (requests.RequestException, HTTPError, ValueError) as error:
            raise self._lost(error, where) from None
        except OSError as error:  # the authorities of REQUESTS_CA_BUNDLE can't be read
            raise ReleaseError(f"{self._title} can't be asked: {self.clean(str(error))}", where=where) from None
        _LOG.debug("%s %s: %d, %.0f ms", method, where, answer.status, 1000 * (time.monotonic() - began))
        return answer

    def _exchange(self, method: str, path: str, data: Mapping[str, str] | bytes | None, end: float) -> Answer:
        with self._session.request(
            method,
            self._url + path,
            data=data,
            timeout=max(0.001, end - time.monotonic()),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = bytearray()
            for chunk in response.iter_content(_CHUNK):
                body += chunk
                if len(body) > self._most:
                    what = f"{self._title} answers with more than {self._most} bytes"
                    raise ReleaseError(what, where=self.where(path), hint="ask for less")
                if time.monotonic() > end:
                    raise requests.Timeout
            return Answer(response.status_code, response.headers, bytes(body))

    def _lost(self, error: Exception, where: str) -> ReleaseError:
        chain = list(_chain(error))
        untrusted = next((inner for inner in chain if isinstance(inner, ssl.SSLCertVerificationError)), None)
        if untrusted is not None:
            return ReleaseError(
                f"the certificate of {self._title} can't be verified",
                where=where,
                cause=self.clean(untrusted.verify_message),
                hint="let REQUESTS_CA_BUNDLE name a file with the certificates of your authorities",
            )
        if isinstance(error, ValueError):  # what all the errors about URLs are, in either library
            return ReleaseError(f"the URL of {self._title}, or of a proxy before it, can't be used", where=where)
        spoken = (inner.strerror for inner in reversed(chain) if isinstance(inner, OSError) and inner.strerror)
        cause = self.clean(next(spoken, "") or type(chain[-1]).__name__)
        return _Busy(f"{self._title} can't be reached, or broke off its answer", where=where, cause=cause)

    def _refused(self, answer: Answer, where: str, words: str) -> ReleaseError:
        status, said = answer.status, f": {words}" if words else ""
        if status == 429 or status >= 500:
            busy = _Busy(f"{self._title} is busy or down (status {status}){said}", where=where)
            busy.after = retry_after(answer.headers.get("Retry-After", ""))
            return busy
        if 300 <= status <= 399:
            target = self.clean(bare_url(answer.headers.get("Location", "")))
            return ReleaseError(
                f"{self._title} sends on to {target or 'nowhere'} (status {status})",
                where=where,
                cause="a login page, or another address",
                hint="give the address that answers itself; redirects are not followed",
            )
        if status in {401, 403}:
            return ReleaseError(
                self._forbidden(status) + said,
                where=where,
                hint=f"put a token that may ask into {self._token_from}" if self._token_from else "",
            )
        if status == 404:
            hint = "does the URL hold the right path?"
            return ReleaseError(f"{self._title} has nothing at this address (status 404){said}", where=where, hint=hint)
        return ReleaseError(f"{self._title} refuses the request (status {status}){said}", where=where)

    def _forbidden(self, status: int) -> str:
        if status == 403:
            return f"{self._title} forbids it (status 403)"
        state = "does not accept the token" if self._token else "asks for a token, and there is none"
        return f"{self._title} {state} (status 401)"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and inward what it wraps; the libraries put it into their arguments, or into `reason`."""
    for _depth in range(10):
        if error is None:
            return
        yield error
        wrapped = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
        error = next((inner for inner in wrapped if isinstance(inner, BaseException)), None)
