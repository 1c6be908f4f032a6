"""What is GitHub's own in its answers.

Sources (docs.github.com): "Troubleshooting the REST API", "Rate limits for the REST API", "Permissions required for
fine-grained personal access tokens".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from release_tool.forges.answers import Dialect, Sent, parsed, seconds_until
from release_tool.net.transport import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.net.transport import Answer

READ = "Pull requests: read"
WRITE = "Pull requests: write"
CONTENTS = "Contents: read"


class GitHubDialect(Dialect):
    """GitHub's words, limits and permissions."""

    title = "GitHub"
    variable = "GITHUB_TOKEN"

    def spoken(self, body: bytes) -> str:
        found = parsed(body)
        details = [error.get("message") or _pair(error) for error in _listed(found)]
        message = str(found.get("message", ""))
        return ": ".join(filter(None, [message, "; ".join(map(str, filter(None, details)))]))

    def there_already(self, answer: Answer) -> bool:
        return answer.status == 422 and "already_exists" in _codes(answer)

    def limited(self, answer: Answer, words: str) -> bool:
        if answer.status == 429:
            return True
        secondary = re.search("secondary rate|abuse", words, re.IGNORECASE) is not None
        named = _exhausted(answer.headers) or retry_after(answer.headers) is not None
        return answer.status == 403 and (secondary or named)

    def until_reset(self, headers: Mapping[str, str]) -> float | None:
        return seconds_until(headers, "X-RateLimit-Reset") if _exhausted(headers) else None

    def fields(self, answer: Answer) -> frozenset[str]:
        return frozenset(str(error.get("field")) for error in _listed(parsed(answer.body)))

    def special(self, answer: Answer, words: str) -> str:
        if "permitted to create or approve pull requests" in words:
            return "allow it in the repository's settings (Actions, General), or use the token of a GitHub App"
        if "archived" in words:
            return "unarchive the repository"
        if "required" in answer.headers.get("X-GitHub-SSO", ""):
            return "authorize the token for the organisation's single sign-on, in the settings of the token"
        if "IP allow list" in words:
            return "run this from an address that the organisation allows"
        return ""

    def grant(self, answer: Answer, sent: Sent) -> str:
        needs = _accepted(answer.headers.get("X-Accepted-GitHub-Permissions", "")) or f"`{sent.needs}`"
        return (
            f"give the token of {sent.source} the permission {needs} for this repository "
            "(a classic token: the scope `repo`; the token of a workflow: the same under `permissions`)"
        )

    def needs_token(self, sent: Sent) -> str:
        return f"{super().needs_token(sent)}; `gh auth token` prints that of the gh program"


DIALECT = GitHubDialect()


def _exhausted(headers: Mapping[str, str]) -> bool:
    """Whether the primary limit is used up."""
    return headers.get("X-RateLimit-Remaining", "").strip() == "0"


def _accepted(header: str) -> str:
    """`pull_requests=write,contents=read; …` in the words of GitHub's settings."""
    sets = [re.findall(r"([a-z_]+)=([a-z]+)", one) for one in header.split(";")]
    spelt = [" and ".join(f"`{name.replace('_', ' ').capitalize()}: {level}`" for name, level in one) for one in sets]
    return " or ".join(filter(None, spelt))


def _codes(answer: Answer) -> set[str]:
    """The codes of a 422; `already_exists` also for those that say so in words only."""
    errors = _listed(parsed(answer.body))
    named = {str(error.get("code")) for error in errors}
    return named | {"already_exists" for error in errors if "already exists" in str(error.get("message"))}


def _pair(error: Mapping[str, Any]) -> str:
    return " ".join(str(error[key]) for key in ("resource", "field", "code") if error.get(key))


def _listed(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its `errors`; some are mere words."""
    errors = found.get("errors")
    errors = errors if isinstance(errors, list) else []
    return [error if isinstance(error, dict) else {"message": str(error)} for error in errors]
