"""What is GitLab's own in its answers.

Sources (docs.gitlab.com): "Troubleshooting the REST API", "Merge requests API", "Rate limits", "Maintenance mode",
"Project access tokens", "Roles and permissions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.errors import ReleaseError
from release_tool.forges.answers import AGAIN, AnswerLost, Dialect, Forbidden, Sent, parsed, said, seconds_until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.net.transport import Answer

API = "api"  # the scope that writes; `read_api` only looks
MERGE = "merge a merge request"
_MOVED = "moved projects"
_READ_ONLY = ("read-only", "maintenance")


class GitLabDialect(Dialect):
    """GitLab's words, limits, scopes and roles."""

    title = "GitLab"
    variable = "GITLAB_TOKEN"
    lost = frozenset({408})  # a 409 has many meanings, see `there_already`

    def spoken(self, body: bytes) -> str:
        found = parsed(body)
        return _flat(found.get("message") or found.get("error_description") or found.get("error") or "")

    def there_already(self, answer: Answer) -> bool:
        return answer.status == 409 and "already exists" in self.spoken(answer.body)

    def until_reset(self, headers: Mapping[str, str]) -> float | None:
        return seconds_until(headers, "RateLimit-Reset")

    def grant(self, answer: Answer, sent: Sent) -> str:
        if answer.status == 401:
            return f"make a new token (project, Settings, Access tokens) and put it into {sent.source}"
        if parsed(answer.body).get("error") == "insufficient_scope":
            return f"make a new token with the scope `{API}` (project, Settings, Access tokens)"
        return (
            f"give the owner of the token of {sent.source} the role Developer or higher in this project, "
            f"and the token the scope `{API}` (project, Settings, Access tokens)"
        )

    def needs_token(self, sent: Sent) -> str:  # noqa: ARG002
        return (
            f"put a project access token with the role Developer and the scope `{API}` into {self.variable}: "
            "CI_JOB_TOKEN and deploy keys can't do that"
        )

    def refused(self, answer: Answer, sent: Sent, words: str) -> ReleaseError | None:
        if answer.status in {403, 503} and any(word in words.lower() for word in _READ_ONLY):
            what = f"GitLab is read-only for now{said(words)} (status {answer.status})"
            return AnswerLost(what, where=sent.where, cause="it is in maintenance mode", hint=AGAIN)
        if 300 <= answer.status <= 399 or (answer.status == 405 and _MOVED in words):
            return ReleaseError(
                f"the project was renamed or moved{said(words)} (status {answer.status})",
                where=sent.where,
                hint="give the remote its new URL (`git remote set-url`): the old page leads to the new one",
            )
        if answer.status == 401 and sent.doing == MERGE and "error" not in parsed(answer.body):
            return Forbidden(
                f"GitLab does not let the owner of the token of {sent.source} merge there", where=sent.where
            )
        if parsed(answer.body).get("error") == "insufficient_scope":
            what = f"the token of {sent.source} lacks the scope `{sent.needs}` to {sent.doing}{said(words)}"
            return Forbidden(what, where=sent.where, hint=self.grant(answer, sent))
        return None


DIALECT = GitLabDialect()


def _flat(words: Any) -> str:
    """GitLab's message: a text, a list of texts, or the faults of each field."""
    if isinstance(words, dict):
        return "; ".join(f"{name} {_flat(one)}" if name != "base" else _flat(one) for name, one in words.items())
    if isinstance(words, list):
        return ", ".join(map(_flat, words))
    return str(words)
