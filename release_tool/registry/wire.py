"""One request, one answer: bounded in time and size, whatever is at the other end.

`transport.py` turns each status into an error; here every status is an answer, since a registry asks for the login and
points elsewhere by status, and who is entitled to the credentials differs from one request to the next.
"""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from release_tool import __version__
from release_tool.errors import ReleaseError
from release_tool.net.outside import TimeIsUp, in_time
from release_tool.registry.failures import failed, garbage, late
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

_PLAIN = re.compile(r"[!-\[\]-~]+")  # no backslash: libraries disagree where the host ends then
_LOG = logging.getLogger("release_tool.registry")
_CHUNK = 512  # small, so that an exchange that nobody waits for any more notices it soon


class Answer(NamedTuple):
    """What came back.

    Attributes:
        status: of HTTP.
        url: that was asked; it may hold a signature, so show `where`.
        headers: by name, upper and lower case alike.
        body: all of it; empty for HEAD.
    """

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def where(self) -> str:
        """The URL as it may be shown."""
        return bare_url(self.url)


class Deadline:
    """The end of the time that something may take.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left; negative when the time is up."""
        return self.end - time.monotonic()


class Request(NamedTuple):
    """What is sent.

    Attributes:
        method: of HTTP.
        url: its scheme is http or https, and it names no user.
        headers: its own; may hold credentials, which is why a request is never shown.
        limit: the bytes of the longest body that is taken.
        query: what is put behind the URL.
        form: what is posted.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    limit: int
    query: Mapping[str, str] = {}
    form: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        return f"{self.method} {bare_url(self.url)}"


class Wire:
    """Sends requests. Follows no redirect, repeats nothing, keeps no cookie, and adds no credentials of its own.

    Args:
        timeout: the seconds that one answer may take, from the first look at a name to the last byte.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._session: requests.Session | None = None  # made when something is asked: loading requests takes 0.1 s

    def ask(self, request: Request, deadline: Deadline) -> Answer:
        """Send a request and wait for all of the answer, whatever its status.

        Args:
            request: what is sent.
            deadline: the end of all that this is part of.

        Raises:
            TryAgain: no answer in time; ConnectionLost: the server can't be reached, or hung up.
            ReleaseError: no trusted connection, or what comes is no HTTP, or too much.
        """
        self._session = self._session or _new_session()
        call = _Call(self._session, request, Deadline(min(self.timeout, deadline.left())))
        try:
            answer = in_time(call.answer, call.deadline.end)
        except TimeIsUp:
            call.hang_up()
            self._session = None  # it is still in use there
            raise late(bare_url(request.url)) from None
        except ReleaseError:
            raise
        except Exception as error:  # noqa: BLE001  # urllib3 and idna raise more kinds than requests documents
            raise failed(error, request.url) from None  # not chained: its words may hold the credentials of a proxy
        _LOG.debug("%r: %d", request, answer.status)  # without headers, query and body: those hold the credentials
        return answer


class _Call:
    """One request on its way, in a thread of its own."""

    def __init__(self, session: requests.Session, request: Request, deadline: Deadline) -> None:
        self.deadline = deadline
        self._session = session
        self._request = request
        self._response: requests.Response | None = None

    def answer(self) -> Answer:
        """Send the request, read all of the answer."""
        request, left = self._request, self.deadline.left()
        if left <= 0:
            raise TimeIsUp
        with self._session.request(
            request.method,
            request.url,
            headers=dict(request.headers),
            params=request.query,
            data=request.form,
            timeout=left,
            allow_redirects=False,  # who is entitled to credentials is decided by the caller
            stream=True,
        ) as response:
            self._response = response
            body = bytearray()
            for chunk in response.iter_content(_CHUNK):
                body += chunk
                if len(body) > request.limit:
                    raise garbage(bare_url(request.url), f"it holds more than {request.limit // 1024} KiB")
                if self.deadline.left() < 0:
                    raise TimeIsUp
            return Answer(response.status_code, request.url, response.headers, bytes(body))

    def hang_up(self) -> None:
        """Make the thread end soon: without that, a server that drips bytes would hold it for hours."""
        response = self._response
        shut = getattr(response.raw, "shutdown", None) if response is not None else None  # since urllib3 2.3
        try:
            if shut is not None:
                shut()
        except (OSError, ValueError, RuntimeError):  # it ended in between
            return


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL that is safe to ask.

    Raises:
        ValueError: it isn't: another scheme, no host, a user in it, or no URL at all.
    """
    parts = urlsplit(url)
    ports = {"http": 80, "https": 443}
    if parts.scheme not in ports or not parts.hostname or "@" in parts.netloc or not _PLAIN.fullmatch(url):
        raise ValueError("not a URL to follow")
    return parts.scheme, parts.hostname, parts.port or ports[parts.scheme]


def _new_session() -> requests.Session:
    from http.cookiejar import DefaultCookiePolicy

    import requests

    class Session(requests.Session):
        """Leaves redirects alone: even without following them, requests reads all of their bodies and their targets."""

        def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002  # the name is requests'
            return None

    session = Session()
    session.auth = _unchanged  # else requests takes credentials from ~/.netrc
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # No compression: a small body could grow to any size, and digests are of the bytes as they are.
    session.headers.update({"User-Agent": f"release/{__version__}", "Accept-Encoding": "identity"})
    return session


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
