"""Requests to one registry: logged in where it asks for it, redirected where it points, once more where it is busy."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from release_tool.registry.failures import ConnectionLost, busy, garbage, refused, retry_after
from release_tool.registry.login import Login
from release_tool.registry.wire import Request, Wire, origin
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.errors import ReleaseError
    from release_tool.registry.reference import Repository
    from release_tool.registry.wire import Answer, Deadline

_REDIRECTS = (301, 302, 303, 307, 308)
_HOPS = 5
_PAUSE = 1.0  # seconds before a request is sent once more
_PATIENCE = 5.0  # seconds: who asks for more than that is not waited for


class Client:
    """Asks one registry.

    Args:
        repository: what is to be read.
        plain_http: whether the registry is asked without TLS.
        timeout: the seconds that one answer may take.
        wait: sleeps so many seconds.
    """

    def __init__(
        self, repository: Repository, *, plain_http: bool, timeout: float, wait: Callable[[float], None]
    ) -> None:
        self.base = f"{'http' if plain_http else 'https'}://{repository.host}/v2/{repository.path}"
        self._repository = repository
        self._origin = origin(self.base)
        self._wait = wait
        self._wire = Wire(timeout)
        self._login = Login(repository, self._patiently, timeout)
        self._authorization = ""

    def ask(self, method: str, url: str, *, accept: str, limit: int, deadline: Deadline) -> Answer:
        """Send a request that changes nothing.

        Args:
            method: GET or HEAD.
            url: within the registry.
            accept: the media types that are understood.
            limit: the bytes of the longest body that is taken.
            deadline: the end of all that this is part of.

        Returns:
            An answer with any status but 401, 403, a redirect, and those that say: not now.

        Raises:
            TryAgain: the registry is busy, slow or down.
            ReleaseError: credentials are missing or refused; what comes is no answer of a registry.
        """
        request = Request(method, url, {"Accept": accept}, limit)
        answer = self._followed(request, deadline)
        if answer.status == 401 and self.is_own(answer.url):
            self._authorization = self._login.answer(answer, deadline)
            answer = self._followed(request, deadline)
        if answer.status in (401, 403):
            raise refused(answer, self._repository, had_credentials=self._login.has_credentials)
        if (trouble := busy(answer)) is not None:
            raise trouble
        return answer

    def is_own(self, url: str) -> bool:
        """Whether a URL is the registry's own: the same scheme, host and port."""
        return origin(url) == self._origin

    def own(self, base: str, link: str) -> str | None:
        """The URL that a link leads to from a base; None: it leads away from the registry, or to nowhere."""
        try:
            url = urljoin(base, link)
            return url if self.is_own(url) else None
        except ValueError:
            return None

    def _followed(self, request: Request, deadline: Deadline) -> Answer:
        """Follow redirects; other hosts get no credentials, and TLS is never given up on the way."""
        for _ in range(_HOPS + 1):
            answer = self._patiently(self._entitled(request), deadline)
            if answer.status not in _REDIRECTS:
                return answer
            request = request._replace(url=_target(answer))
        raise garbage(answer.where, f"more than {_HOPS} redirects, one after the other")

    def _entitled(self, request: Request) -> Request:
        """The request with credentials if it goes to the registry itself."""
        if not self._authorization or not self.is_own(request.url):
            return request
        return request._replace(headers={**request.headers, "Authorization": self._authorization})

    def _patiently(self, request: Request, deadline: Deadline) -> Answer:
        """Send a request; once more, after a pause, if the registry is busy or hung up and the request is harmless."""
        lost: ReleaseError | None = None
        pause: float | None = None
        try:
            answer = self._wire.ask(request, deadline)
            lost, pause = busy(answer), retry_after(answer.headers)
        except ConnectionLost as error:
            lost = error
        if lost is None:
            return answer
        pause = _PAUSE if pause is None else pause
        if request.method == "POST" or pause > min(_PATIENCE, deadline.left()):
            raise lost
        self._wait(pause)
        return self._wire.ask(request, deadline)


def _target(answer: Answer) -> str:
    """Where a redirect leads."""
    try:
        url = urljoin(answer.url, answer.headers.get("Location", ""))
        scheme = origin(url)[0]
    except ValueError:
        raise garbage(answer.where, "it redirects to nowhere") from None
    if answer.url.startswith("https:") and scheme != "https":
        raise garbage(answer.where, f"it redirects to {bare_url(url)}, which has no TLS")
    return url
