"""What a registry's refusals, and the failures on the way to it, mean: who has to act, and how.

Nothing that a registry or a library says is repeated but for what is known to hold no credential: a status, an error
code of the OCI specification, the words of the operating system and of TLS.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError, TryAgain
from release_tool.net.transport import Busy, Late, Lost, TooLong, Untrusted, retry_after

if TYPE_CHECKING:
    from release_tool.net.transport import Answer
    from release_tool.registry.reference import ImageRepository

AGAIN = "run the same command again"
_LOOK = "look at `registry.image`: is it this host, and this path?"
_CODE = re.compile(r"[A-Z][A-Z_]{2,40}")


def explained(error: ReleaseError, limit: int) -> ReleaseError:
    """What a failure of the transport means for a registry, whose answer may have so many bytes."""
    where, cause = error.where, error.cause
    if isinstance(error, Late):
        return TryAgain(
            "the registry gave no answer in time",
            where=where,
            cause="it is slow or down, or the network in between is",
            hint=f"{AGAIN}, or raise `registry.timeout`",
        )
    if isinstance(error, TooLong):
        return garbage(where, f"it holds more than {limit // 1024} KiB")
    if isinstance(error, Lost):
        if not error.is_http:
            return garbage(where, "it doesn't speak HTTP")
        return Busy("the registry can't be reached", where=where, cause=cause, hint=AGAIN)
    if isinstance(error, Untrusted):
        hint = "let RELEASE_CA_BUNDLE name a file with the certificates of your authorities"
        if not error.speaks_tls:
            hint = "`registry.plain_http: true` is for a registry without TLS"
        return ReleaseError("no trusted connection to the registry", where=where, cause=cause, hint=hint)
    hint = "correct REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, HTTPS_PROXY or HTTP_PROXY, if one is set"
    return ReleaseError("the registry can't be asked", where=where, cause=cause, hint=hint)


def garbage(where: str, cause: str) -> ReleaseError:
    """What came is no answer of a registry."""
    return ReleaseError("this is no answer of an image registry", where=where, cause=cause, hint=_LOOK)


def busy(answer: Answer) -> Busy | None:
    """The error for an answer that says: not now. None: it says something else."""
    after = retry_after(answer.headers)
    if answer.status == 429:
        cause = "" if after is None else f"it asks to wait {after:.0f} s"
        found = Busy("the registry limits the rate of requests", where=answer.where, cause=cause, hint=AGAIN)
    elif answer.status == 408 or (answer.status >= 500 and answer.status != 501):  # 501: it can't, now or later
        found = Busy("the registry has trouble", where=answer.where, cause=f"status {answer.status}", hint=AGAIN)
    else:
        return None
    found.after = after
    return found


def refused(answer: Answer, repository: ImageRepository, *, had_credentials: bool) -> ReleaseError:
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
        page="reference/configuration.md#images-and-calls",
    )


def no_repository(answer: Answer, repository: ImageRepository) -> ReleaseError:
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
