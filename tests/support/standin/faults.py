"""What can be ordered to go wrong with a request, in GitHub's words."""

from __future__ import annotations

from forge_standin.faults import Fault, cut_off, delay, hang, reset_after, reset_before, truncated_json

__all__ = [
    "Fault", "already_exists", "cut_off", "delay", "hang", "primary_limit", "reset_after", "reset_before",
    "secondary_limit", "status", "truncated_json",
]  # fmt: skip

DOCS = "https://docs.github.com/rest"


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
