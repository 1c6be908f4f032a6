"""What a registry's refusals, and the failures on the way to it, mean: who has to act, and how.

Nothing that a registry or a library says is repeated but for what is known to hold no credential: a status, an error
code of the OCI specification, the words of the operating system and of TLS.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError, TryAgain
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.registry.reference import Repository
    from release_tool.registry.wire import Answer

AGAIN = "run the same command again"
_LOOK = "look at `registry.image`: is it this host, and this path?"
_CODE = re.compile(r"[A-Z][A-Z_]{2,40}")


class ConnectionLost(TryAgain):
    """The registry can't be reached, or hung up. The same request may be sent again at once, if it changes nothing."""


def failed(error: Exception, url: str) -> ReleaseError:
    """What an exception of the HTTP library means.

    Args:
        error: it; its own words are not used, since they may hold the credentials of a proxy.
        url: what was asked.
    """
    import requests

    where, chain = bare_url(url), list(_chain(error))
    tls = [one for one in chain if isinstance(one, ssl.SSLError)]
    if tls or isinstance(error, requests.exceptions.SSLError):
        return _untrusted(tls, where)
    if any(isinstance(one, (TimeoutError, requests.exceptions.Timeout)) for one in chain):
        return late(where)
    if any(isinstance(one, http.client.HTTPException) and not _hung_up(one) for one in chain):
        return garbage(where, "it doesn't speak HTTP")
    if isinstance(error, (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        return ConnectionLost("the registry can't be reached", where=where, cause=_words(chain), hint=AGAIN)
    hint = "correct REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, HTTPS_PROXY or HTTP_PROXY, if one is set"
    return ReleaseError("the registry can't be asked", where=where, cause=_words(chain, ""), hint=hint)


def late(where: str) -> TryAgain:
    """An answer did not come in time, or not all of it."""
    return TryAgain(
        "the registry gave no answer in time",
        where=where,
        cause="it is slow or down, or the network in between is",
        hint=f"{AGAIN}, or raise `registry.timeout`",
    )


def garbage(where: str, cause: str) -> ReleaseError:
    """What came is no answer of a registry."""
    return ReleaseError("this is no answer of an image registry", where=where, cause=cause, hint=_LOOK)


def busy(answer: Answer) -> TryAgain | None:
    """The error for an answer that says: not now. None: it says something else."""
    if answer.status == 429:
        pause = retry_after(answer.headers)
        cause = "" if pause is None else f"it asks to wait {pause:.0f} s"
        return TryAgain("the registry limits the rate of requests", where=answer.where, cause=cause, hint=AGAIN)
    if answer.status == 408 or (answer.status >= 500 and answer.status != 501):  # 501: it can't, now or later
        return TryAgain("the registry has trouble", where=answer.where, cause=f"status {answer.status}", hint=AGAIN)
    return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds to wait of a Retry-After header, never negative; None: there is none, or none that is known.

    Source: RFC 9110, section 10.2.3.
    """
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        then = parsedate_to_datetime(text)
        return max(0.0, (then - datetime.now(timezone.utc)).total_seconds())
    except (ValueError, TypeError, OverflowError):  # no date; or one without a zone, which can't be subtracted
        return None


def refused(answer: Answer, repository: Repository, *, had_credentials: bool) -> ReleaseError:
    """The error for 401 and 403."""
    if had_credentials:
        what = f"the registry {repository.host} refuses the credentials"
        cause = f"they are wrong or expired, or don't reach {repository.path}, or there is no such repository"
    else:
        what = f"the registry {repository.host} wants credentials, and there are none"
        cause = f"nobody is logged in to it, or there is no repository {repository.path}"
    return ReleaseError(
        f"{what} (status {answer.status})",
        where=answer.where,
        cause=cause,
        hint=f"`docker login {repository.login}`; credentials are read from $DOCKER_CONFIG/config.json, "
        "else ~/.docker/config.json",
    )


def no_repository(answer: Answer, repository: Repository) -> ReleaseError:
    """The registry knows no such repository."""
    return ReleaseError(
        f"the registry {repository.host} has no repository {repository.path}",
        where=answer.where,
        cause="nothing has been pushed to it yet, or it is another one",
        hint=_LOOK,
    )


def unexpected(answer: Answer) -> ReleaseError:
    """The error for a status that nothing else explains."""
    named = ", ".join([f"status {answer.status}", *sorted(codes(answer))])
    return garbage(answer.where, f"{named}{', an HTML page' if is_page(answer) else ''}")


def codes(answer: Answer) -> set[str]:
    """The error codes in an answer, as of the OCI specification 1.1, "Error Codes"; none if it isn't such a body."""
    try:
        listed = json.loads(answer.body)["errors"]
        found = {entry["code"] for entry in listed if isinstance(entry["code"], str)}
    except (ValueError, LookupError, TypeError, RecursionError):
        return set()
    return {code for code in found if _CODE.fullmatch(code)}


def is_page(answer: Answer) -> bool:
    """Whether an answer is a page for people: of a login, a proxy, or a web site at the same host."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/html"


def _untrusted(errors: list[ssl.SSLError], where: str) -> ReleaseError:
    """The error for a failure of TLS."""
    words = [getattr(error, "verify_message", "") or error.reason for error in errors]
    reason = next(filter(None, words), "no words for it")
    plain = reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
    return ReleaseError(
        "no trusted connection to the registry",
        where=where,
        cause="it doesn't speak TLS" if plain else f"TLS: {reason}",
        hint="`registry.plain_http: true` is for a registry without TLS"
        if plain
        else "name the file with its certificate authority in REQUESTS_CA_BUNDLE",
    )


def _chain(error: Exception) -> Iterator[BaseException]:
    """An exception, and those that it wraps: libraries hand them on as causes, as arguments and as reasons."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
            yield one


def _hung_up(error: BaseException) -> bool:
    return isinstance(error, (http.client.RemoteDisconnected, http.client.IncompleteRead))


def _words(chain: list[BaseException], otherwise: str = "the connection was closed") -> str:
    """What the operating system says of a failed connection."""
    import requests

    if isinstance(chain[0], requests.exceptions.ProxyError):
        return "the proxy that HTTPS_PROXY or HTTP_PROXY names can't be reached, or refuses"
    for one in chain:
        if isinstance(one, socket.gaierror):
            return f"its name can't be resolved: {one.strerror}"
        if isinstance(one, OSError) and one.strerror and not isinstance(one, requests.exceptions.RequestException):
            return one.strerror
    return otherwise
