"""Requests to one registry: logged in where it asks for it, redirected where it points, once more where it is busy."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from release_tool.errors import ReleaseError
from release_tool.net.transport import RetryPolicy, Transport
from release_tool.registry.failures import busy, explained, garbage, refused
from release_tool.registry.login import Login, origin
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from release_tool.net.transport import Answer
    from release_tool.registry.reference import ImageRepository

_REDIRECTS = (301, 302, 303, 307, 308)
_HOPS = 5
_PAUSE = 1.0  # seconds before a request is sent once more
_LONGEST = 5.0  # seconds: who asks for more than that is not waited for


class RegistryClient:
    """Asks the registry of one repository; see `Registry` for the arguments."""

    def __init__(
        self, repository: ImageRepository, *, plain_http: bool, timeout: float, wait: Callable[[float], None]
    ) -> None:
        self.base = f"{'http' if plain_http else 'https'}://{repository.host}/v2/{repository.path}"
        self._repository = repository
        self._origin = origin(self.base)
        self._transport = Transport("the registry", "", timeout=timeout)
        self._retries = RetryPolicy((_PAUSE,), longest=_LONGEST, sleep=wait)
        self._login = Login(repository, self._patiently, timeout)
        self._authorization = ""

    def ask(self, method: str, url: str, *, accept: str, limit: int, end: float) -> Answer:
        """An answer with any status but 401, 403, a redirect, and those that say: not now.

        Args:
            method: GET or HEAD: what changes nothing.
            url: within the registry.
            accept: the media types that are understood.
            limit: the bytes of the longest body that is taken.
            end: of all that this is part of, by `time.monotonic`.

        Raises:
            TryAgain: the registry is busy, slow or down.
            ReleaseError: credentials are missing or refused; what comes is no answer of a registry.
        """
        answer = self._followed(method, url, accept, limit, end)
        if answer.status == 401 and self._is_own(answer.url):
            self._authorization = self._login.answer(answer, end)
            answer = self._followed(method, url, accept, limit, end)
        if answer.status in (401, 403):
            raise refused(answer, self._repository, had_credentials=self._login.has_credentials)
        return answer

    def own(self, base: str, link: str) -> str | None:
        """The URL that a link leads to from a base; None: it leads away from the registry, or to nowhere."""
        try:
            url = urljoin(base, link)
            return url if self._is_own(url) else None
        except ValueError:
            return None

    def _is_own(self, url: str) -> bool:
        """Whether a URL is the registry's own: the same scheme, host and port."""
        return origin(url) == self._origin

    def _followed(self, method: str, url: str, accept: str, limit: int, end: float) -> Answer:
        """Follow redirects; other hosts get no credentials, and TLS is never given up on the way."""
        for _ in range(_HOPS + 1):
            headers = {"Accept": accept}
            if self._authorization and self._is_own(url):
                headers["Authorization"] = self._authorization
            answer = self._patiently(method, url, headers=headers, limit=limit, end=end)
            if answer.status not in _REDIRECTS:
                return answer
            url = _target(answer)
        raise garbage(answer.where, f"more than {_HOPS} redirects, one after the other")

    def _patiently(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        limit: int,
        end: float,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request; once more, after a pause, if the registry is busy or hung up and the request is harmless."""

        def attempt() -> Answer:
            try:
                answer = self._transport.ask(method, url, query=query, form=form, headers=headers, most=limit, end=end)
            except ReleaseError as error:
                raise explained(error, limit) from None
            if (trouble := busy(answer)) is not None:
                raise trouble
            return answer

        return self._retries.run(attempt, repeatable=method != "POST", end=end)


def _target(answer: Answer) -> str:
    try:
        url = urljoin(answer.url, answer.headers.get("Location", ""))
        scheme = origin(url)[0]
    except ValueError:
        raise garbage(answer.where, "it redirects to nowhere") from None
    if answer.url.startswith("https:") and scheme != "https":
        raise garbage(answer.where, f"it redirects to {bare_url(url)}, which has no TLS")
    return url
