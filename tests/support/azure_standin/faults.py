"""What can be ordered to go wrong with a request, in the server's words."""

from __future__ import annotations

from forge_standin.faults import Fault, cut_off, delay, hang, reset_after, reset_before, truncated_json

__all__ = [
    "Fault", "cut_off", "delay", "hang", "limited", "reset_after", "reset_before", "sign_in", "status",
    "truncated_json",
]  # fmt: skip


def status(code: int, message: str = "", *, after: bool = False, **headers: str) -> Fault:
    """A page of a gateway (502 to 504), or the server's JSON. Headers: `Retry_After="1"` for `Retry-After: 1`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if code in (502, 503, 504):
        return Fault(f"{code}", code, f"<html><body><h1>{code}</h1>{message}</body></html>", named, after)
    name = "Microsoft.VisualStudio.Services.Common.VssServiceException, Microsoft.VisualStudio.Services.Common"
    body = {"$id": "1", "innerException": None, "message": message or f"VS{code}: Error", "typeName": name}
    body |= {"typeKey": "VssServiceException", "errorCode": 0, "eventId": 3000}
    return Fault(f"{code}", code, body, named, after)


def limited(retry_after: int | None = 1) -> Fault:
    """The rate limit: https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits"""
    message = "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource "
    message += "'Concurrency' in namespace 'User'."
    headers = {} if retry_after is None else {"Retry_After": str(retry_after)}
    limits = {"X_RateLimit_Resource": "Concurrency", "X_RateLimit_Limit": "200", "X_RateLimit_Remaining": "0"}
    return status(429, message, **headers, **limits)


def sign_in() -> Fault:
    """A sign-in page in the place of the answer, with the status 203, as for a token that the service can't read."""
    page = "<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head><body></body></html>"
    return Fault("sign-in page", 203, page)
