"""From a registry's challenge to the header that answers it: Basic, or a token from its token server.

Sources: RFC 9110, section 11 (challenges); https://distribution.github.io/distribution/spec/auth/token/ and
.../auth/oauth/ (the two ways to a token). No credential goes to a host without TLS, except to the registry's own with
`plain_http`.
"""

from __future__ import annotations

import base64
import json
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from release_tool.errors import ReleaseError
from release_tool.registry.credentials import find
from release_tool.registry.failures import garbage, refused
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.net.transport import Answer
    from release_tool.registry.credentials import Credentials
    from release_tool.registry.reference import ImageRepository

_LIMIT = 256 * 1024  # bytes of an answer with a token
_HEADER = 8192  # characters of a challenge that are looked at: finding parts takes time by their square
_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")  # what may stand in a header
_PLAIN = re.compile(r"[!-\[\]-~]+")  # no backslash: libraries disagree where the host ends then
_PART = re.compile(
    r'(?P<key>[A-Za-z0-9_-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"]*))|(?P<scheme>[A-Za-z]+)'
)


class Login:
    """Answers the challenges of one registry; `ask` sends a request as `RegistryClient` does."""

    def __init__(self, repository: ImageRepository, ask: Callable[..., Answer], timeout: float) -> None:
        self._repository = repository
        self._ask = ask
        self._timeout = timeout
        self._credentials: Credentials | None = None
        self._looked = False

    @property
    def has_credentials(self) -> bool:
        """Whether credentials were found; false as long as no challenge asked for them."""
        return self._credentials is not None

    def answer(self, challenged: Answer, end: float) -> str:
        """The value of the Authorization header for the host whose answer, with status 401, challenged.

        Raises:
            ReleaseError: no credentials, or refused ones; a challenge that can't or must not be answered.
            TryAgain: the token server, or a credential helper, is slow or down.
        """
        found = challenges(challenged.headers.get("WWW-Authenticate", ""))
        if not self._looked:
            self._credentials = find(self._repository.login, min(self._timeout, max(end - time.monotonic(), 1)))
            self._looked = True
        known = self._credentials
        if "bearer" in found:
            token = known.registry_token if known else ""
            return f"Bearer {token or self._token(found['bearer'], challenged, end)}"
        if "basic" in found and known is not None and known.password:
            return _basic(known)
        if found and "basic" not in found:
            raise garbage(challenged.where, "it asks for a way of login that registries don't have")
        raise refused(challenged, self._repository, had_credentials=False)

    def _token(self, challenge: dict[str, str], challenged: Answer, end: float) -> str:
        """A token of the token server that a challenge names; an anonymous one where nobody is logged in."""
        realm = challenge.get("realm", "")
        self._check_realm(realm, challenged)
        wanted = {"scope": f"repository:{self._repository.path}:pull"}  # no more, whatever the challenge says
        if "service" in challenge:
            wanted["service"] = challenge["service"]
        answer = self._asked(realm, wanted, end)
        if answer.status in (400, 401, 403):  # 400: OAuth's answer to a refresh token that is no good
            raise refused(answer, self._repository, had_credentials=self.has_credentials)
        return _read_token(answer)

    def _asked(self, realm: str, wanted: dict[str, str], end: float) -> Answer:
        known, headers = self._credentials, {"Accept": "application/json"}
        if known is not None and known.identity_token:
            wanted |= {"grant_type": "refresh_token", "refresh_token": known.identity_token, "client_id": "release"}
            return self._ask("POST", realm, headers=headers, limit=_LIMIT, end=end, form=wanted)
        if known is not None:
            headers["Authorization"] = _basic(known)
        return self._ask("GET", realm, headers=headers, limit=_LIMIT, end=end, query=wanted)

    def _check_realm(self, realm: str, challenged: Answer) -> None:
        """A token server has TLS; without it, it is on the host of a registry that was asked without TLS, too."""
        try:
            scheme, host, _ = origin(realm)
        except ValueError:
            raise garbage(challenged.where, "it names no token server that could be asked") from None
        asked_by = origin(challenged.url)
        if scheme != "https" and (asked_by[0], asked_by[1]) != (scheme, host):
            raise ReleaseError(
                "the registry wants credentials sent to a server without TLS",
                where=bare_url(realm),
                cause=f"{challenged.where} names it as its token server",
                hint="give the token server TLS, and name it with https:// in the registry's configuration",
            )


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL; ValueError: it isn't safe to ask (another scheme, no host, a user in it)."""
    parts = urlsplit(url)
    ports = {"http": 80, "https": 443}
    if parts.scheme not in ports or not parts.hostname or "@" in parts.netloc or not _PLAIN.fullmatch(url):
        raise ValueError("not a URL to follow")
    return parts.scheme, parts.hostname, parts.port or ports[parts.scheme]


def challenges(header: str) -> dict[str, dict[str, str]]:
    """The challenges of a WWW-Authenticate header: scheme in lower case -> parameters, keys in lower case.

    Of several with the same scheme the last counts. What can't be read is passed over.
    """
    found: dict[str, dict[str, str]] = {}
    parameters: dict[str, str] = {}
    for part in _PART.finditer(header[:_HEADER]):
        if part["scheme"]:
            parameters = found[part["scheme"].lower()] = {}
        else:
            text = part["bare"] if part["quoted"] is None else re.sub(r"\\(.)", r"\1", part["quoted"])
            parameters[part["key"].lower()] = text
    return found


def _basic(known: Credentials) -> str:
    return "Basic " + base64.b64encode(f"{known.user}:{known.password}".encode()).decode()


def _read_token(answer: Answer) -> str:
    try:
        body = json.loads(answer.body) if answer.status == 200 else {}
        token = body.get("token") or body.get("access_token")
    except (ValueError, AttributeError, RecursionError):
        token = None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise garbage(answer.where, f"status {answer.status}, and no token from the registry's token server")
    return token
