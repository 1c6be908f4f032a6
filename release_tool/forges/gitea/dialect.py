"""What is Gitea's own in its answers; Forgejo's are the same.

Sources: the answers of a real server, and its page "API Usage" (docs.gitea.com): scopes of tokens.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.forges.answers import Declined, Dialect, Purpose, Sent, parsed, said
from release_tool.forges.remote_url import host_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.forges.gitea.address import GiteaAddress
    from release_tool.net.transport import Answer

READ = "read:repository"
WRITE = "write:repository"
READ_ISSUE = "read:issue"
WRITE_ISSUE = "write:issue"

# All that the tool ever asks for: a token gets no more scopes once it is made.
_ALL_SCOPES = "`write:repository`, `write:issue` and `read:user`"

UPDATE = Purpose("update a pull request", WRITE)
MERGE = Purpose("merge a pull request", WRITE)

_MISSING_SCOPE = re.compile(r"required=\[([a-z:, ]+)\]")


class GiteaDialect(Dialect):
    """Gitea's words, and the scopes of its tokens."""

    title = "Gitea"
    variable = "GITEA_TOKEN"

    def spoken(self, body: bytes) -> str:
        found = parsed(body)
        listed = found.get("errors")
        message = str(found.get("message") or "")
        details = [str(one) for one in listed if str(one) != message] if isinstance(listed, list) else []
        return ": ".join(filter(None, [message, "; ".join(details)]))

    def refused(self, answer: Answer, sent: Sent, words: str) -> ReleaseError | None:
        if answer.status == 423:
            return ReleaseError(
                f"{self.title} refuses to {sent.doing}: the repository is archived",
                where=sent.where,
                hint="unarchive it (Settings, at the end of the page)",
            )
        # The head has moved, there are conflicts, or somebody else changes it at the same moment.
        if answer.status == 409 and sent.doing in (MERGE.doing, UPDATE.doing):
            declined = Declined(f"{self.title} refuses to {sent.doing}{said(words)}", where=sent.where)
            declined.status = 409
            return declined
        return None

    def special(self, answer: Answer, words: str) -> str:  # noqa: ARG002
        if "is archived" in words:
            return "unarchive the repository (Settings, at the end of the page)"
        return ""

    def grant(self, answer: Answer, sent: Sent) -> str:
        found = _MISSING_SCOPE.search(self.spoken(answer.body))
        scope = found[1] if found else sent.needs
        if sent.source == "GITHUB_TOKEN":
            return (
                f"the token of a job can't {sent.doing} there: put one of an account that may into GITEA_TOKEN, "
                f"with the scopes {_ALL_SCOPES}"
            )
        lacks = f"the scope `{scope}` is missing" if found else f"that takes the scope `{scope}`"
        return (
            f"put a token with the scopes {_ALL_SCOPES} into {sent.source}, of an account that may write to the "
            f"repository: {lacks}, and the scopes of a token don't change"
        )

    def needs_token(self, sent: Sent) -> str:  # noqa: ARG002
        return (
            f"put a token with the scopes {_ALL_SCOPES} into {self.variable}: "
            "Settings, Applications, Generate New Token"
        )


class ForgejoDialect(GiteaDialect):
    """The same words under another name."""

    title = "Forgejo"


def dialect_of(address: GiteaAddress, environ: Mapping[str, str]) -> Dialect:
    """How a server speaks: as Forgejo where its host or the environment says so."""
    named = environ.get("FORGEJO_ACTIONS") or environ.get("FORGEJO_SERVER_URL") or environ.get("FORGEJO_TOKEN")
    return ForgejoDialect() if named or host_of(address.server) == "codeberg.org" else GiteaDialect()
