"""What can be ordered to go wrong with a request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

DOCS = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Fault:
    """What happens to a request."""

    name: str
    status: int | None = None  # is answered, without an effect; None: what the request itself leads to
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False  # the request has its effect before things go wrong
    lost: bool = False  # the connection is reset instead of an answer
    seconds: float = 0.0  # how long it takes first
    broken: str = ""  # or `json` (half of the text, as if it were whole) or `body` (half of it, then the end)


def status(code: int, message: str = "", *, after: bool = False, **headers: str) -> Fault:
    """An answer of a gateway or of GitHub itself: HTML for 502 and 503, JSON for all others.

    `after`: the request has its effect all the same. Headers: `Retry_After="1"` for `Retry-After: 1`.
    """
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if code in (502, 503, 504):
        return Fault(f"{code}", code, f"<html><body><h1>{code}</h1>{message}</body></html>", named, after)
    body = {"message": message or _MESSAGES.get(code, "Error"), "documentation_url": DOCS, "status": str(code)}
    return Fault(f"{code}", code, body, named, after)


_MESSAGES = {500: "Server Error", 429: "Too many requests", 404: "Not Found", 401: "Bad credentials", 409: "Conflict"}


def reset_before() -> Fault:
    """The connection is reset; the request has had no effect."""
    return Fault("reset before the effect", lost=True)


def reset_after() -> Fault:
    """The connection is reset; the request has had its effect."""
    return Fault("reset after the effect", lost=True, after=True)


def truncated_json() -> Fault:
    """Half of the JSON text, with a length that fits; the request has had its effect."""
    return Fault("truncated JSON", broken="json", after=True)


def cut_off() -> Fault:
    """The connection ends amid the answer; the request has had its effect."""
    return Fault("cut off", broken="body", after=True)


def hang(seconds: float = 30.0, *, after: bool = False) -> Fault:
    """No answer at all for so long (or until the stand-in stops), then the connection ends."""
    return Fault("hang", lost=True, after=after, seconds=seconds)


def delay(seconds: float) -> Fault:
    """The right answer, late."""
    return Fault("delay", seconds=seconds, after=True)


def already_exists(head: str = "acme:release/devel") -> Fault:
    """The 422 of a pull request that somebody else has opened in the meantime."""
    error = {"resource": "PullRequest", "code": "custom", "message": f"A pull request already exists for {head}."}
    body = {"message": "Validation Failed", "errors": [error], "documentation_url": DOCS, "status": "422"}
    return Fault("already exists", 422, body)


def primary_limit(reset_in: float, now: float, code: int = 403) -> Fault:
    """The primary rate limit, used up until `now + reset_in` (seconds since the epoch)."""
    body = {"message": "API rate limit exceeded for installation.", "documentation_url": DOCS, "status": str(code)}
    headers = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-used": "5000"}
    return Fault("primary limit", code, body, {**headers, "x-ratelimit-reset": str(round(now + reset_in))})


def secondary_limit(retry_after: int | None = 1, code: int = 403) -> Fault:
    """The secondary rate limit; without `retry_after`, as GitHub sometimes has it, no header says when to come back."""
    message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    docs = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Fault("secondary limit", code, {"message": message, "documentation_url": docs}, headers)


@dataclass
class Ordered:
    """A fault for the n-th to (n + times - 1)-th of the requests that match."""

    method: str
    pattern: re.Pattern[str]
    fault: Fault
    nth: int
    times: float
    seen: int = 0
    fired: int = 0

    def matches(self, method: str, target: str) -> bool:
        return self.method in ("*", method) and self.pattern.search(target) is not None

    def draw(self) -> Fault | None:
        """Counts a matching request and says what happens to it."""
        self.seen += 1
        if self.nth <= self.seen < self.nth + self.times:
            self.fired += 1
            return self.fault
        return None
