"""HTTP to the outside: time limits, repeated attempts, status -> error, nothing secret in any text.

The one place that knows `requests`. Answers come from strangers: everything about them is bounded (time, size, number
of attempts), and whatever they say is cut, put on one line and stripped of the token before it gets into a message.
What a status means beyond `send`, where a redirect leads, and who is entitled to a credential, is the vendor's
knowledge: `forges/github`, `registry`.
"""

from __future__ import annotations

import logging
import math
import os
import re
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from release_tool import __version__
from release_tool.errors import ReleaseError, TryAgain
from release_tool.net import authorities
from release_tool.net.deadline import TimeIsUp, in_time
from release_tool.safe_text import bare_url, phrase

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping

    import requests

    from release_tool.net.secret import Secret

_Result = TypeVar("_Result")

_LOG = logging.getLogger(__name__)

_CHUNK = 16 * 1024
_CONNECTIONS = 64  # that are kept open: as many as there may be callers at once
_LONGEST_PAUSE = 1e9  # seconds, 30 years; a server that names more means the same

_NO_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}  # OpenSSL's words for an answer in plain text


class Answer(NamedTuple):
    """What a server answered, complete."""

    status: int
    url: str  # that was asked; may hold a signature, or be a secret: show `where`
    headers: Mapping[str, str]  # their names are found in any case
    body: bytes  # empty for HEAD

    @property
    def where(self) -> str:
        """The URL as it may be shown."""
        return bare_url(self.url)


class Late(TryAgain):
    """No whole answer came in time: nobody knows what became of the request."""


class Busy(TryAgain):
    """The same request may go better soon: a `RetryPolicy` repeats what raises this."""

    after: float | None = None  # when the server wants the next request, in seconds; None: the server doesn't say
    no_effect = False  # the server certainly did nothing, so that any request may be repeated, however often


class Lost(Busy):
    """The server can't be reached, or broke off its answer; `is_http` is False where something else than HTTP came."""

    is_http = True


class TooLong(ReleaseError):
    """The body of an answer is longer than is read."""


class Untrusted(ReleaseError):
    """There is no TLS with a server that is trusted; `speaks_tls` is False where there is no TLS at all."""

    speaks_tls = True


def bearer(token: str) -> tuple[str, str]:
    """The header that shows a token as most servers take it (RFC 6750)."""
    return "Authorization", f"Bearer {token}"


class RetryPolicy:
    """When a request is sent again: the one policy; the numbers are a vendor's.

    Args:
        waits: seconds before the second attempt, the third and so on, where the server doesn't ask for more.
        longest: seconds; a server that asks for a longer pause is not waited for.
        patience: seconds that all pauses together may take.
        sleep: sleeps so many seconds.
    """

    def __init__(
        self,
        waits: tuple[float, ...],
        *,
        longest: float = math.inf,
        patience: float = math.inf,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._waits = waits
        self._longest = longest
        self._patience = patience
        self._sleep = sleep

    def run(self, attempt: Callable[[], _Result], *, repeatable: bool = True, end: float = math.inf) -> _Result:
        """The result of the first attempt that raises no `Busy`; no pause goes on until `end`, by `time.monotonic`.

        What isn't repeatable is sent again only where the first request certainly had no effect.
        """
        waits = iter(self._waits if repeatable else ())
        while True:
            try:
                return attempt()
            except Busy as busy:
                self._pause(busy, 0.0 if busy.no_effect else next(waits, None), end)

    def pause(self, busy: Busy, tries: int) -> None:
        """Sleeps before what failed `tries` times before this time is sent again; raises the error instead."""
        self._pause(busy, self._waits[tries] if tries < len(self._waits) else None, math.inf)

    def _pause(self, busy: Busy, planned: float | None, end: float) -> None:
        if planned is None:
            raise busy
        pause = max(planned, busy.after or 0.0)
        if pause > min(self._longest, self._patience, end - time.monotonic()):
            raise busy
        self._patience -= pause
        self._sleep(pause)


class Transport:
    """Requests to one server. TLS is verified, with the authorities of `RELEASE_CA_BUNDLE`, or `REQUESTS_CA_BUNDLE`.

    Args:
        title: what the server is, for messages: `Prometheus`.
        url: where its paths begin, without a credential; empty: each path is a whole URL.
        timeout: seconds that one `ask`, or one `send` with all its attempts, may take.
        token: sent as `login` says; None or empty: nothing is sent.
        token_from: where the token comes from, for messages: the name of an environment variable.
        most: bytes that the body of an answer may have.
        headers: what else is sent with every request.
        shown: what stands for the address in messages, where the address itself is a secret; empty: it may be shown.
        login: name and value of the header that shows a token.
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
        login: Callable[[str], tuple[str, str]] = bearer,
    ) -> None:
        self._login = login
        self._title = title
        self._shown = shown
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._token = token
        self._token_from = token_from
        self._most = most
        self._headers = headers or {}
        self._making = Lock()
        self._made: requests.Session | None = None  # loading `requests` takes 0.1 s: only once something is asked

    def __repr__(self) -> str:
        return f"Transport({self._title!r}, {self.where('')!r})"

    def close(self) -> None:
        if self._made is not None:
            self._made.close()

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
        """An answer with a status of 200 to 299; the request is sent again where the server is busy.

        What is `repeatable` changes nothing; `explain` finds the server's own words in the body of a refusal.

        Raises:
            TryAgain: no answer in time, a lost connection, or a server that is busy or down.
            ReleaseError: the server refuses, answers with more than is read, or sends the client elsewhere.
        """
        end = time.monotonic() + (self._timeout if within is None else min(self._timeout, within))

        def attempt() -> Answer:
            answer = self.ask(method, path, form=form, within=within, end=end)
            if not 200 <= answer.status <= 299:
                raise self._refused(answer, self.where(path), self.clean(explain(answer.body)))
            return answer

        return RetryPolicy((0.2, 1.0)).run(attempt, repeatable=repeatable, end=end)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        most: int | None = None,
        within: float | None = None,
        end: float = math.inf,
    ) -> Answer:
        """One attempt at one request; what the status means, and whether to repeat it, is the caller's to judge.

        Args:
            path: is put behind the URL, with its `/`.
            form, content: sent as the body.
            most: bytes that the body of this answer may have, where that is less than usual.
            within: seconds that the answer may take, where that is less than the timeout.
            end: when it must be over, where that is sooner, by `time.monotonic`.

        Raises:
            Late, Lost: no whole answer came: nobody knows what became of the request.
            TooLong, Untrusted: see there.
            ReleaseError: the request can't be sent.
        """
        self._check()
        # As an argument: what the session has gives way to REQUESTS_CA_BUNDLE.
        verify = authorities.bundle(os.environ) or None
        where, session, begun = self.where(path), self._session(), time.monotonic()
        seconds = self._timeout if within is None else min(self._timeout, within)
        end, most = min(end, begun + seconds), self._most if most is None else most
        response: list[requests.Response] = []

        def exchange() -> Answer:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeIsUp
            with session.request(
                method,
                self._url + path,
                params=query,
                data=form or content,
                headers=headers,
                timeout=left,
                verify=verify,
                allow_redirects=False,
                stream=True,
            ) as found:
                response.append(found)
                body = bytearray()
                for chunk in found.iter_content(_CHUNK):
                    body += chunk
                    if len(body) > most:
                        raise TooLong(
                            f"{self._title} answers with more than {most} bytes", where=where, hint="ask for less"
                        )
                    if time.monotonic() > end:
                        raise TimeIsUp
                return Answer(found.status_code, self._url + path, found.headers, bytes(body))

        try:
            answer = in_time(exchange, end)
        except TimeIsUp:
            _hang_up(response)
            raise self._late(seconds, where) from None
        except ReleaseError:
            raise
        except Exception as error:  # noqa: BLE001 (urllib3 and idna raise more kinds than requests documents)
            # Not chained: the words of the error may hold the credentials of a proxy.
            raise self._failed(error, seconds, where) from None
        # Without headers, query and body: those hold the credentials.
        milliseconds = 1000 * (time.monotonic() - begun)
        _LOG.debug("%s %s: %d, %.0f ms", method, where, answer.status, milliseconds)
        return answer

    def where(self, path: str) -> str:
        return self._shown or bare_url(self._url + path)

    def clean(self, words: str) -> str:
        """A phrase from outside, without the token."""
        if self._token:
            for secret in (self._token.reveal(), self._login(self._token.reveal())[1].rpartition(" ")[2]):
                words = words.replace(secret, str(self._token))
        return phrase(words)

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

    def _session(self) -> requests.Session:
        with self._making:
            if self._made is None:
                self._made = _new_session(self._token, self._headers, self._login)
            return self._made

    def _late(self, seconds: float, where: str) -> Late:
        return Late(f"{self._title} did not answer within {round(max(0.0, seconds), 2):g} s", where=where)

    def _failed(self, error: Exception, seconds: float, where: str) -> ReleaseError:
        import http.client
        import ssl

        import requests
        from urllib3.exceptions import HTTPError

        chain = list(_chain(error))
        tls = [one for one in chain if isinstance(one, ssl.SSLError)]
        # What a person must mend: a certificate, or a server that speaks no TLS. All else may pass, as the alert of a
        # load balancer does that restarts.
        final = [one for one in tls if isinstance(one, ssl.SSLCertVerificationError) or one.reason in _NO_TLS]
        if final or (not tls and isinstance(error, requests.exceptions.SSLError)):
            return self._untrusted(final, where)
        if any(isinstance(one, (TimeoutError, requests.Timeout)) for one in chain):
            return self._late(seconds, where)
        if isinstance(error, ValueError):  # what all the errors about URLs are, in either library
            return ReleaseError(f"the URL of {self._title}, or of a proxy before it, can't be used", where=where)
        if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
            # the authorities of REQUESTS_CA_BUNDLE can't be read
            return ReleaseError(f"{self._title} can't be asked: {self.clean(str(error))}", where=where)
        if not isinstance(error, (requests.RequestException, HTTPError, http.client.HTTPException)):
            return ReleaseError(f"{self._title} can't be asked", where=where)
        alerts = [f"TLS: {one.reason}" for one in tls if one.reason and not isinstance(one, ssl.SSLEOFError)]
        cause = self.clean(next(iter(alerts), "") or _spoken(chain))
        lost = Lost(f"{self._title} can't be reached, or broke off its answer", where=where, cause=cause)
        hung_up = http.client.RemoteDisconnected, http.client.IncompleteRead
        odd = [one for one in chain if isinstance(one, http.client.HTTPException) and not isinstance(one, hung_up)]
        lost.is_http = not odd
        return lost

    def _untrusted(self, errors: list[ssl.SSLError], where: str) -> Untrusted:
        words = next(filter(None, (getattr(error, "verify_message", "") for error in errors)), "")
        if words:
            return Untrusted(
                f"the certificate of {self._title} can't be verified",
                where=where,
                cause=self.clean(words),
                hint="let RELEASE_CA_BUNDLE name a file with the certificates of your authorities",
            )
        reason = next(filter(None, (error.reason for error in errors)), "no words for it")
        plain = reason in _NO_TLS
        cause = "it doesn't speak TLS" if plain else f"TLS: {reason}"
        untrusted = Untrusted(f"no trusted connection to {self._title}", where=where, cause=cause)
        untrusted.speaks_tls = not plain
        return untrusted

    def _refused(self, answer: Answer, where: str, words: str) -> ReleaseError:
        status, said = answer.status, f": {words}" if words else ""
        if status == 429 or status >= 500:
            busy = Busy(f"{self._title} is busy or down (status {status}){said}", where=where)
            busy.after = retry_after(answer.headers)
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
            state = "does not accept the token" if self._token else "asks for a token, and there is none"
            return ReleaseError(
                f"{self._title} {'forbids it' if status == 403 else state} (status {status}){said}",
                where=where,
                hint=f"put a token that may ask into {self._token_from}" if self._token_from else "",
            )
        if status == 404:
            hint = "does the URL hold the right path?"
            return ReleaseError(f"{self._title} has nothing at this address (status 404){said}", where=where, hint=hint)
        return ReleaseError(f"{self._title} refuses the request (status {status}){said}", where=where)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by `Retry-After` (RFC 9110, section 10.2.3: seconds, or a date), never negative, never infinite.

    None: there is no such header, or nobody understands its value.
    """
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+", text, re.ASCII):
        return min(float(text), _LONGEST_PAUSE)
    at = http_date(text)
    return None if at is None else min(max(0.0, (at - datetime.now(timezone.utc)).total_seconds()), _LONGEST_PAUSE)


def http_date(text: str) -> datetime | None:
    """The time of a header such as `Date` (RFC 9110, section 5.6.7); None: it is none, or of no calendar."""
    try:
        found = parsedate_to_datetime(text)
        # In UTC here, not where it is used: a time zone may put a date of the year 9999 beyond the last one.
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _new_session(
    token: Secret | None, headers: Mapping[str, str], login: Callable[[str], tuple[str, str]]
) -> requests.Session:
    from http.cookiejar import DefaultCookiePolicy

    import requests

    class Session(requests.Session):
        """Follows no redirect. Only told so by a parameter, `requests` would still read all of the redirect's body."""

        def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 (the name is requests')
            return None

    def entitled(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if token:
            name, value = login(token.reveal())
            request.headers[name] = value
        return request

    session = Session()
    session.auth = entitled  # without any, requests would search `~/.netrc` for a credential
    for scheme in ("https://", "http://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS))
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Compressed answers would be bounded by their size on the way only, not by what they unpack to; and digests are of
    # the bytes as they are.
    session.headers.update({"User-Agent": f"release/{__version__}", "Accept-Encoding": "identity", **headers})
    return session


def _hang_up(response: list[requests.Response]) -> None:
    """Lets a thread end soon that nobody waits for: a server that drips bytes would hold it for hours."""
    shut = getattr(response[0].raw, "shutdown", None) if response else None  # since urllib3 2.3
    try:
        if shut is not None:
            shut()
    except (OSError, ValueError, RuntimeError):  # the exchange ended in between
        return


def _chain(error: Exception) -> Iterator[BaseException]:
    """An error, and those that it wraps: libraries hand them on as causes, as arguments and as reasons."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
            yield one


def _spoken(chain: list[BaseException]) -> str:
    """What the operating system says of a failed connection: words that hold no credential."""
    import socket

    import requests

    if isinstance(chain[0], requests.exceptions.ProxyError):
        return "the proxy that HTTPS_PROXY or HTTP_PROXY names can't be reached, or refuses"
    for one in chain:
        if isinstance(one, socket.gaierror):
            return f"its name can't be resolved: {one.strerror}"
        if isinstance(one, OSError) and one.strerror and not isinstance(one, requests.RequestException):
            return one.strerror
    return "the connection was closed"
