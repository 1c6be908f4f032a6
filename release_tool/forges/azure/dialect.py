"""What is Azure DevOps' own in its answers.

Sources (learn.microsoft.com): "Rate and usage limits", "Git repository settings and policies", "Set Git repository
permissions", "Use personal access tokens", "REST API versioning", "Job access tokens"; the words of its refusals as
Microsoft's client and its users have recorded them.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.forges.answers import Dialect, Forbidden, Missing, Sent, parsed, said, seconds_until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.forges.azure.address import AzureAddress
    from release_tool.net.transport import Answer

READ = "Read"
PROPOSE = "Contribute to pull requests"
PUSH = "Contribute"

SCOPE = "Code (Read & write)"
JOB = "SYSTEM_ACCESSTOKEN"

# The permissions of a repository: their names in the API, and on the page with the settings.
PERMISSIONS = {
    "GenericRead": READ,
    "GenericContribute": PUSH,
    "PullRequestContribute": PROPOSE,
    "CreateBranch": "Create branch",
    "ForcePush": "Force push (rewrite history, delete branches and tags)",
    "PolicyExempt": "Bypass policies when pushing",
    "PullRequestBypassPolicy": "Bypass policies when completing pull requests",
}

_NEEDS = re.compile(r"You need the Git '(\w+)' permission")
_WHO = re.compile(r"identity '([^']*)'")
_TITLE = re.compile(rb"<title>([^<]{1,300})</title>", re.IGNORECASE)
_SIGN_IN = re.compile(r"_signin|/login|login\.microsoftonline\.com", re.IGNORECASE)
_TOO_OLD = "VssVersionOutOfRangeException"


class AzureDialect(Dialect):
    """The words, limits and permissions of one Azure DevOps."""

    title = "Azure DevOps"
    variable = "AZURE_DEVOPS_TOKEN"
    lost = frozenset({408})  # a 409 has many meanings, see `there_already`

    def __init__(self, address: AzureAddress) -> None:
        self._address = address

    def spoken(self, body: bytes) -> str:
        found = parsed(body).get("message")
        if isinstance(found, str):
            return found
        page = _TITLE.search(body)
        return unescape(page[1].decode("utf-8", "replace")) if page else ""

    def there_already(self, answer: Answer) -> bool:
        return answer.status == 409 and "TF401179" in self.spoken(answer.body)

    def limited(self, answer: Answer, words: str) -> bool:
        return answer.status == 429 or "TF400733" in words

    def until_reset(self, headers: Mapping[str, str]) -> float | None:
        return seconds_until(headers, "X-RateLimit-Reset")

    def fields(self, answer: Answer) -> frozenset[str]:
        """The name of the server's exception."""
        return frozenset({str(parsed(answer.body).get("typeKey"))})

    def grant(self, answer: Answer, sent: Sent) -> str:
        if answer.status == 404 and sent.source == JOB:
            return (
                f"let the pipeline reach the repository `{self._address.name}`: name it under `resources` of the "
                "pipeline, or turn off *Limit job authorization scope to current project* and *Protect access to "
                "repositories in YAML pipelines* (project settings, Pipelines, Settings)"
            )
        if answer.status == 404:
            return f"give the account of the token the permission `{READ}`: {self._address.settings}, Security"
        return self._permit(sent.needs, "")

    def needs_token(self, sent: Sent) -> str:  # noqa: ARG002
        return (
            f"put a personal access token with the scope `{SCOPE}` into {self.variable} ({self._address.tokens}); "
            f"in a pipeline: `env: {{{JOB}: $(System.AccessToken)}}`"
        )

    def refused(self, answer: Answer, sent: Sent, words: str) -> ReleaseError | None:
        if answer.status in {203, 401} or _SIGN_IN.search(answer.headers.get("Location", "")):
            return self._stranger(sent, words, answer.status)
        lacks = _NEEDS.search(words)
        if lacks and answer.status in {401, 403}:
            who = _WHO.search(words)
            needs = PERMISSIONS.get(lacks[1], lacks[1])
            account = who[1] if who else ""
            what = f"the account of {sent.source or 'nobody'} may not {sent.doing}: it lacks the permission `{needs}`"
            return Forbidden(what, where=sent.where, cause=words, hint=self._permit(needs, account))
        if answer.status == 404 and words:
            cause = "a name is wrong, or the account of the token may not see it"
            what = f"Azure DevOps finds nothing there to {sent.doing}{said(words)} (status 404)"
            hint = self.grant(answer, sent) if sent.source else self.needs_token(sent)
            return Missing(what, where=sent.where, cause=cause, hint=hint)
        if _TOO_OLD in self.fields(answer):
            hint = "Azure DevOps Server 2020 or newer is needed; `forge: {kind: none}` works with every server"
            return ReleaseError(f"this Azure DevOps Server is too old{said(words)}", where=sent.where, hint=hint)
        return None

    def _stranger(self, sent: Sent, words: str, status: int) -> Forbidden:
        if not sent.source:
            what = f"Azure DevOps wants a token to {sent.doing} (status {status})"
            return Forbidden(what, where=sent.where, hint=self.needs_token(sent))
        what = f"Azure DevOps does not accept the token of {sent.source}{said(words)} (status {status})"
        if sent.source == JOB:
            cause, hint = (
                "it is that of a job that has ended, or of another organization",
                (f"`env: {{{JOB}: $(System.AccessToken)}}` gives the step the token of its own job"),
            )
        else:
            cause = f"it is mistyped, expired or revoked, lacks the scope `{SCOPE}`, or is for another organization"
            hint = f"put a new one with the scope `{SCOPE}` into {sent.source}: {self._address.tokens}"
        return Forbidden(what, where=sent.where, cause=cause, hint=hint)

    def _permit(self, permission: str, account: str) -> str:
        whom = f"`{account}`" if account else "the account of the token"
        return f"give {whom} the permission `{permission}`: {self._address.settings}, the repository, Security"
