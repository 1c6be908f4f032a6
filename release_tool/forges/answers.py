"""What the answers of a forge mean: who has to act, what the token lacks, and when to come back.

What every forge shares stands here; what one says in its own way is its `Dialect`.
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

AGAIN = "run the same command again"

_LAST = 253402300799  # the last second of the year 9999, as a Unix time: no clock of ours goes on
_WITHOUT_HEADER = 60.0  # seconds, where a limit names no time: what GitHub asks for then


class AnswerLost(Busy):
    """Nobody knows what became of a request."""


class Limited(Busy):
    """A limit of the rate; the request had no effect."""

    no_effect = True


class Missing(ReleaseError):
    """Status 404: there is no such thing, or not for this token."""


class Forbidden(ReleaseError):
    """Status 401 or 403: the token is no good, or may not do that."""


class Declined(ReleaseError):
    """The forge understood the request, the token may do it, and things stand against it. `status`: of the answer."""

    status = 0


class Invalid(Declined):
    """Status 400 or 422: the forge understood the request and refuses it. `fields`: the fields that it names."""

    fields: frozenset[str] = frozenset()


class Purpose(NamedTuple):
    """What a request is for, for messages."""

    doing: str  # as in "GitHub forbids to …": `open a pull request`
    needs: str  # the permission that the request takes, as the forge's settings call it


class Sent(NamedTuple):
    """A request as its errors tell of it: the address, what it is for (see `Purpose`), and where its token is from."""

    doing: str
    where: str
    needs: str
    source: str  # the variable that the token came from; empty: there is no token


class Dialect:
    """How one kind of forge says it. A vendor overrides what is its own; the words are for messages.

    Attributes:
        title: the forge in messages: `GitHub`.
        variable: the environment variable that a person puts a token into.
        lost: the statuses, beside 5xx, after which nobody knows what became of a request.
    """

    title = ""
    variable = ""
    lost = frozenset({408, 409})

    def spoken(self, body: bytes) -> str:
        """The server's own words in the body of a refusal."""
        found = parsed(body)
        said = found.get("message") or found.get("error_description") or found.get("error") or ""
        return said if isinstance(said, str) else json.dumps(said)

    def there_already(self, answer: Answer) -> bool:
        """Whether a refusal means that what should be made is there: made by a lost request, or by another call."""
        return answer.status == 409

    def limited(self, answer: Answer, words: str) -> bool:  # noqa: ARG002
        """Whether a refusal is a limit of the rate."""
        return answer.status == 429

    def until_reset(self, headers: Mapping[str, str]) -> float | None:  # noqa: ARG002
        """The seconds until a limit of the rate ends, by other headers than `Retry-After`."""
        return None

    def fields(self, answer: Answer) -> frozenset[str]:  # noqa: ARG002
        """The fields that a refusal names."""
        return frozenset()

    def special(self, answer: Answer, words: str) -> str:  # noqa: ARG002
        """The next step after a refusal whose words tell the reason; empty for every other."""
        return ""

    def grant(self, answer: Answer, sent: Sent) -> str:  # noqa: ARG002
        """How a person gives the token what the request takes."""
        return f"give the token of {sent.source} the permission `{sent.needs}` for this repository"

    def needs_token(self, sent: Sent) -> str:
        """How a person comes to a token for the request."""
        return f"put a token with the permission `{sent.needs}` into {self.variable}"

    def refused(self, answer: Answer, sent: Sent, words: str) -> ReleaseError | None:  # noqa: ARG002
        """The error of an answer that this forge alone gives, before all rules here; None for every other."""
        return None


def read(answer: Answer, sent: Sent, words: str, dialect: Dialect) -> Any:
    """The JSON in an answer; None where its body is empty. `words` are the server's own, cleaned.

    Raises:
        TryAgain, ReleaseError: what the status means, or what came instead of JSON.
    """
    if not 200 <= answer.status <= 299:
        raise dialect.refused(answer, sent, words) or _failed(answer, sent, words, dialect)
    if "html" in answer.headers.get("Content-Type", ""):  # some answer so where they want a token
        raise dialect.refused(answer, sent, words) or garbage(sent.where, "data and no page", dialect)
    try:
        return json.loads(answer.body) if answer.body.strip() else None
    except (ValueError, RecursionError):
        raise AnswerLost(f"{dialect.title} broke off its answer", where=sent.where, hint=AGAIN) from None


def garbage(where: str, expected: str, dialect: Dialect) -> ReleaseError:
    """The error of an answer that is none of this forge: who gave it, and what it should be."""
    return ReleaseError(
        f"what answers there is no {dialect.title}: it should give {expected}",
        where=where,
        cause="a login page, or a proxy in between",
        hint="correct forge.url, or the URL of the remote",
    )


def unreadable(what: str, where: str, error: Exception, title: str) -> ReleaseError:
    """The error of an answer that lacks what it should hold; what: its content in a few words."""
    cause = f"{type(error).__name__}: {error}"
    return ReleaseError(f"{what} in {title}'s answer can't be read", where=where, cause=cause)


def limit(headers: Mapping[str, str], sent: Sent, dialect: Dialect, after: float | None = None) -> Limited:
    """The error of a limit of the rate; `after` is in seconds, None where the forge doesn't say."""
    after = _WITHOUT_HEADER if after is None else max(1.0, after)
    until = datetime.fromtimestamp(min(server_time(headers) + after, _LAST), timezone.utc)
    error = Limited(
        f"{dialect.title} limits the rate of requests until {until:%Y-%m-%d %H:%M:%S} UTC",
        where=sent.where,
        cause="many requests with one token, or from one address" if sent.source else "requests without a token",
        hint="run the same command again after that" if sent.source else dialect.needs_token(sent),
    )
    error.after = after
    return error


def server_time(headers: Mapping[str, str]) -> float:
    """The server's clock, which its times count by, in seconds since the epoch; ours where it tells none."""
    date = http_date(headers.get("Date", ""))
    return date.timestamp() if date else time.time()


def seconds_until(headers: Mapping[str, str], name: str) -> float | None:
    """The seconds until the Unix time in a header; None: there is none."""
    value = headers.get(name, "").strip()
    return int(value) - server_time(headers) if re.fullmatch(r"[0-9]{1,11}", value) else None


def parsed(body: bytes) -> Mapping[str, Any]:
    """A JSON object; an empty one where there is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def said(words: str) -> str:
    """The server's words behind a sentence."""
    return f": {words}" if words else ""


def _failed(answer: Answer, sent: Sent, words: str, dialect: Dialect) -> ReleaseError:
    status, doing, title = answer.status, sent.doing, dialect.title
    if dialect.limited(answer, words):
        after = retry_after(answer.headers)
        return limit(answer.headers, sent, dialect, dialect.until_reset(answer.headers) if after is None else after)
    if status in dialect.lost or status >= 500 or dialect.there_already(answer):
        lost = AnswerLost(f"{title} is busy or down (status {status}){said(words)}", where=sent.where, hint=AGAIN)
        lost.after = retry_after(answer.headers)
        return lost
    if status in {401, 403, 404}:
        return _barred(answer, sent, words, dialect)
    if status in {400, 422}:
        invalid = Invalid(
            f"{title} refuses to {doing}{said(words)}", where=sent.where, hint=dialect.special(answer, words)
        )
        invalid.status, invalid.fields = status, dialect.fields(answer)
        return invalid
    if 300 <= status <= 399:
        target = bare_url(answer.headers.get("Location", ""))
        hint = "give the remote its new URL (`git remote set-url`), or correct forge.url: redirects are not followed"
        return ReleaseError(f"the repository was renamed or moved ({target})", where=sent.where, hint=hint)
    declined = Declined(f"{title} refuses to {doing} (status {status}){said(words)}", where=sent.where)
    declined.status = status
    return declined


_CAUSE_404 = "the repository's name is wrong, or it is private and the token was not given access to it"


def _barred(answer: Answer, sent: Sent, words: str, dialect: Dialect) -> ReleaseError:
    status, title = answer.status, dialect.title
    hint = dialect.grant(answer, sent) if sent.source else dialect.needs_token(sent)
    if status == 404:
        what = f"{title} finds nothing there to {sent.doing}, or the token may not see it (status 404)"
        return Missing(what, where=sent.where, cause=_CAUSE_404, hint=hint)
    if status == 401 and sent.source:
        what = f"{title} does not accept the token of {sent.source}{said(words)} (status 401)"
        return Forbidden(what, where=sent.where, cause="it is mistyped, expired or revoked", hint=hint)
    return Forbidden(
        f"{title} forbids to {sent.doing}{said(words)} (status {status})",
        where=sent.where,
        hint=dialect.special(answer, words) or hint,
    )
