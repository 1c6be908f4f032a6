"""What GitHub's answers mean: who has to act, what the token lacks, and when to come back.

Sources (docs.github.com): "Troubleshooting the REST API", "Rate limits for the REST API", "Permissions required for
fine-grained personal access tokens".
"""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.net.transport import Busy, http_date, retry_after
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.net.transport import Answer

READ = "Pull requests: read"
WRITE = "Pull requests: write"
CONTENTS = "Contents: read"

AGAIN = "run the same command again"

_LAST = 253402300799  # the last second of the year 9999, as a Unix time: no clock of ours goes on
_WITHOUT_HEADER = 60.0  # "wait for at least one minute before retrying", where a secondary limit names no time


class AnswerLost(Busy):
    """Nobody knows what became of a request."""


class Limited(Busy):
    """A limit of the rate; the request had no effect."""

    no_effect = True


class Missing(ReleaseError):
    """Status 404: there is no such thing, or not for this token."""


class Forbidden(ReleaseError):
    """Status 401 or 403: the token is no good, or may not do that."""


class Invalid(ReleaseError):
    """Status 422: GitHub understood the request and refuses it. `fields`: the fields that it names."""

    fields: frozenset[str] = frozenset()


class Declined(ReleaseError):
    """An answer of GraphQL: GitHub understood the request, the token may do it, and things stand against it."""


class Purpose(NamedTuple):
    """What a request is for, for messages."""

    doing: str  # as in "GitHub forbids to …": `open a pull request`
    needs: str  # the permission that the request takes, as GitHub's settings call it


class Sent(NamedTuple):
    """A request as its errors tell of it: the address, what it is for (see `Purpose`), and where its token is from."""

    doing: str
    where: str
    needs: str
    source: str  # the variable that the token came from; empty: there is no token


def read(answer: Answer, sent: Sent, words: str) -> Any:
    """The JSON in an answer; None where its body is empty. `words` are GitHub's own, cleaned.

    Raises:
        TryAgain, ReleaseError: what the status means, or what came instead of JSON.
    """
    if not 200 <= answer.status <= 299:
        raise _limited(answer, sent, words) or _failed(answer, sent, words)
    if "html" in answer.headers.get("Content-Type", ""):
        raise garbage(sent.where, "data and no page")
    try:
        return json.loads(answer.body) if answer.body.strip() else None
    except (ValueError, RecursionError):
        raise AnswerLost("GitHub broke off its answer", where=sent.where, hint=AGAIN) from None


def garbage(where: str, expected: str) -> ReleaseError:
    """The error of an answer that is none of GitHub: who gave it, and what it should be."""
    return ReleaseError(
        f"what answers there is no GitHub: it should give {expected}",
        where=where,
        cause="a login page, or a proxy in between",
        hint="correct forge.url, or the URL of the remote",
    )


def _failed(answer: Answer, sent: Sent, words: str) -> ReleaseError:
    status, doing = answer.status, sent.doing
    if status in {408, 409} or status >= 500 or (status == 422 and "already_exists" in _codes(answer)):
        lost = AnswerLost(f"GitHub is busy or down (status {status}){_said(words)}", where=sent.where, hint=AGAIN)
        lost.after = retry_after(answer.headers)
        return lost
    if status in {401, 403, 404}:
        return _barred(answer, sent, words)
    if status == 422:
        invalid = Invalid(f"GitHub refuses to {doing}{_said(words)}", where=sent.where)
        invalid.fields = frozenset(str(error.get("field")) for error in _errors(answer))
        return invalid
    if 300 <= status <= 399:
        target = bare_url(answer.headers.get("Location", ""))
        hint = "give the remote its new URL (`git remote set-url`), or correct forge.url: redirects are not followed"
        return ReleaseError(f"the repository was renamed or moved ({target})", where=sent.where, hint=hint)
    return ReleaseError(f"GitHub refuses to {doing} (status {status}){_said(words)}", where=sent.where)


def spoken(body: bytes) -> str:
    """GitHub's words in the body of a refusal: its message, and what its `errors` say."""
    found = _parsed(body)
    details = [error.get("message") or _pair(error) for error in _listed(found)]
    message = str(found.get("message", ""))
    return ": ".join(filter(None, [message, "; ".join(map(str, filter(None, details)))]))


def _limited(answer: Answer, sent: Sent, words: str) -> Limited | None:
    if answer.status not in {403, 429}:
        return None
    secondary = re.search("secondary rate|abuse", words, re.IGNORECASE) is not None
    primary = answer.headers.get("X-RateLimit-Remaining", "").strip() == "0"
    after = retry_after(answer.headers)
    if answer.status == 403 and not secondary and not primary and after is None:
        return None
    return limit(answer.headers, sent, _until_reset(answer.headers) if after is None and primary else after)


def limit(headers: Mapping[str, str], sent: Sent, after: float | None = None) -> Limited:
    """The error of a limit of the rate; `after` is in seconds, None where GitHub doesn't say."""
    after = _WITHOUT_HEADER if after is None else max(1.0, after)
    until = datetime.fromtimestamp(min(_now(headers) + after, _LAST), timezone.utc)
    limited = Limited(
        f"GitHub limits the rate of requests until {until:%Y-%m-%d %H:%M:%S} UTC",
        where=sent.where,
        cause="many requests with one token, or from one address" if sent.source else "requests without a token",
        hint="run the same command again after that" if sent.source else _needs_token(sent),
    )
    limited.after = after
    return limited


def _until_reset(headers: Mapping[str, str]) -> float | None:
    value = headers.get("X-RateLimit-Reset", "").strip()
    return int(value) - _now(headers) if re.fullmatch(r"[0-9]{1,11}", value) else None


def _now(headers: Mapping[str, str]) -> float:
    """The server's clock, which its times count by, in seconds since the epoch; ours where it tells none."""
    date = http_date(headers.get("Date", ""))
    return date.timestamp() if date else time.time()


# -- what a token lacks -----------------------------------------------------------------------------------------------


def _barred(answer: Answer, sent: Sent, words: str) -> ReleaseError:
    status = answer.status
    if status == 404:
        what = f"GitHub finds nothing there to {sent.doing}, or the token may not see it (status 404)"
        return Missing(what, where=sent.where, cause=_CAUSE_404, hint=_hint(answer, sent))
    if status == 401 and sent.source:
        what = f"GitHub does not accept the token of {sent.source}{_said(words)} (status 401)"
        return Forbidden(what, where=sent.where, cause="it is mistyped, expired or revoked", hint=_hint(answer, sent))
    return Forbidden(
        f"GitHub forbids to {sent.doing}{_said(words)} (status {status})",
        where=sent.where,
        hint=_special(answer, words) or _hint(answer, sent),
    )


_CAUSE_404 = "the repository's name is wrong, or it is private and the token was not given access to it"


def _special(answer: Answer, words: str) -> str:
    if "permitted to create or approve pull requests" in words:
        return "allow it in the repository's settings (Actions, General), or use the token of a GitHub App"
    if "archived" in words:
        return "unarchive the repository"
    if "required" in answer.headers.get("X-GitHub-SSO", ""):
        return "authorize the token for the organisation's single sign-on, in the settings of the token"
    if "IP allow list" in words:
        return "run this from an address that the organisation allows"
    return ""


def _hint(answer: Answer, sent: Sent) -> str:
    needs = _accepted(answer.headers.get("X-Accepted-GitHub-Permissions", "")) or f"`{sent.needs}`"
    if not sent.source:
        return _needs_token(sent)
    return (
        f"give the token of {sent.source} the permission {needs} for this repository "
        "(a classic token: the scope `repo`; the token of a workflow: the same under `permissions`)"
    )


def _needs_token(sent: Sent) -> str:
    needs = sent.needs
    return f"put a token with the permission `{needs}` into GITHUB_TOKEN; `gh auth token` prints that of the gh program"


def _accepted(header: str) -> str:
    """`pull_requests=write,contents=read; …` in the words of GitHub's settings."""
    sets = [re.findall(r"([a-z_]+)=([a-z]+)", one) for one in header.split(";")]
    spelt = [" and ".join(f"`{name.replace('_', ' ').capitalize()}: {level}`" for name, level in one) for one in sets]
    return " or ".join(filter(None, spelt))


# -- the bodies of refusals -------------------------------------------------------------------------------------------


def _said(words: str) -> str:
    return f": {words}" if words else ""


def _codes(answer: Answer) -> set[str]:
    """The codes of a 422; `already_exists` also for those that say so in words only."""
    errors = _errors(answer)
    named = {str(error.get("code")) for error in errors}
    return named | {"already_exists" for error in errors if "already exists" in str(error.get("message"))}


def _pair(error: Mapping[str, Any]) -> str:
    return " ".join(str(error[key]) for key in ("resource", "field", "code") if error.get(key))


def _errors(answer: Answer) -> list[Mapping[str, Any]]:
    return _listed(_parsed(answer.body))


def _listed(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its `errors`; some are mere words."""
    errors = found.get("errors")
    errors = errors if isinstance(errors, list) else []
    return [error if isinstance(error, dict) else {"message": str(error)} for error in errors]


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
