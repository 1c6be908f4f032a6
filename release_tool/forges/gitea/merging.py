"""Merges on a Gitea, each bound to one head.

Its own auto-merge is not: it would merge what somebody pushes after it was asked for. So the tool merges at once where
the rules allow it, and else the next pass of the tool does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from release_tool.errors import Refused
from release_tool.forges.answers import Declined, Missing, Purpose, unreadable
from release_tool.forges.gitea.dialect import MERGE, WRITE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_tool.forges.client import ForgeClient
    from release_tool.forges.gitea.address import GiteaAddress
    from release_tool.forges.gitea.asking import GiteaPulls
    from release_tool.model.records import CommitId

_UPDATE = Purpose("update the branch of a pull request", WRITE)

# A way of merging -> the styles of Gitea that are one, as a repository allows them.
STYLES = {
    "merge": ("merge", "rebase-merge"),
    "squash": ("squash",),
    "rebase": ("rebase", "fast-forward-only"),
}
_ALL = tuple(style for styles in STYLES.values() for style in styles)
_PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds in which the server works out whether it can merge

_NOT_YET = "try again later"
_NO_STYLE = "merge style"
_BEHIND = "behind the base"
_WAITS = ("not all required status checks", "enough approvals", "official review requests", _BEHIND)
_ALLOW = (
    "let the account of the token merge (Settings, Branches, the rule of the base), and allow a way of merging "
    "(Settings, Pull Requests); or merge it by hand"
)


class GiteaMerging:
    """Merges pull requests of one repository."""

    def __init__(
        self,
        address: GiteaAddress,
        client: ForgeClient,
        pulls: GiteaPulls,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = address
        self._client = client
        self._pulls = pulls
        self._sleep = sleep

    def now(self, number: int, method: str, head_commit: CommitId) -> bool:
        """Merges one; False where the server can't say whether it can, which is so with conflicts, too.

        Raises:
            Refused: the rules of the base stand against it, or its head has moved.
        """
        waits = self._merge(number, STYLES.get(method, (method,)), head_commit)
        if waits and waits != _NOT_YET:
            hint = "once they are met, run the same command again"
            raise Refused(
                f"pull request #{number} waits for the rules of its base: {waits}", where=self._url(number), hint=hint
            )
        return not waits

    def when_ready(self, number: int, head_commit: CommitId) -> str:
        """Arguments, result and refusals are those of `Forge.merge_when_ready`."""
        waits = self._merge(number, _ALL, head_commit)
        if _BEHIND in waits:
            # The base is taken into the branch, which is no commit of a person; the next pass merges that head.
            self._client.change("POST", f"{self._address.path}/pulls/{number}/update?style=merge", {}, _UPDATE)
        return "waiting" if waits else "merged"

    def _merge(self, number: int, styles: Sequence[str], head_commit: CommitId) -> str:
        """Merges by the first style that the repository allows; what it still waits for, empty once it is merged."""
        for style in styles:
            try:
                return self._by_style(number, style, head_commit)
            except Declined as error:
                if _NO_STYLE not in error.what.lower():
                    raise self._refusal(number, error) from error
                last = error
        raise Refused(last.what, where=self._url(number), hint=_ALLOW)

    def _by_style(self, number: int, style: str, head_commit: CommitId) -> str:
        """The same for one style; Declined where it is not that."""
        if style == "fast-forward-only" and self._is_behind(number):  # asked all the same, the server breaks down
            return f"the head is {_BEHIND} branch"
        body = {"Do": style, "head_commit_id": head_commit}
        for pause in (*_PAUSES, 0.0):
            try:
                self._client.change("POST", f"{self._address.path}/pulls/{number}/merge", body, MERGE)
            except (Declined, Missing) as error:
                # By an attempt whose answer was lost, or by somebody else; to look makes the server work it out, too.
                pull = self._pulls.get(number).pull
                if pull.state == "merged":
                    return ""
                if pull.state == "closed":
                    raise Refused(f"pull request #{number} is closed", where=pull.url) from error
                if any(words in error.what.lower() for words in _WAITS):
                    return error.what
                if _NOT_YET not in error.what.lower():
                    raise
            else:
                return ""
            self._sleep(pause)
        return _NOT_YET

    def _is_behind(self, number: int) -> bool:
        value = self._client.get(f"{self._address.path}/pulls/{number}", MERGE)
        try:
            return bool(value["merge_base"] != value["base"]["sha"])
        except (KeyError, TypeError) as error:
            raise unreadable("a pull request", self._url(number), error, self._client.dialect.title) from error

    def _refusal(self, number: int, error: Declined) -> Refused:
        if error.status == 409 and "head out of date" in error.what:
            return Refused(f"the head of pull request #{number} has moved", where=self._url(number))
        return Refused(error.what, where=self._url(number), hint=_ALLOW)

    def _url(self, number: int) -> str:
        return self._address.url(number)
