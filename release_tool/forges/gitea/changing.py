"""Opens and changes pull requests on a Gitea.

Two calls at the same moment can open two pull requests of one branch, which the server would refuse a moment later. So
whoever finds a branch begun by another call waits for that one's (`Capabilities.opens_once`), and where there are two
all the same, the newer one is closed and counts for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.errors import Refused
from release_tool.forges.answers import AnswerLost, Declined, Invalid, Missing, Purpose
from release_tool.forges.base import DUPLICATE
from release_tool.forges.conversation import reviewers_of
from release_tool.forges.gitea.dialect import UPDATE, WRITE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from release_tool.forges.client import ForgeClient
    from release_tool.forges.gitea.address import GiteaAddress
    from release_tool.forges.gitea.asking import GiteaPulls
    from release_tool.forges.gitea.pulls import GiteaPull
    from release_tool.model.records import PullRequest

_OPEN = Purpose("open a pull request", WRITE)

_TRIES = 30  # to change a pull request that others change, too
_PATIENCE = 5  # seconds in which a pull request may still be closed whose branch was deleted


class GiteaChanges:
    """Changes the pull requests of one repository."""

    def __init__(
        self, address: GiteaAddress, client: ForgeClient, pulls: GiteaPulls, sleep: Callable[[float], None]
    ) -> None:
        self._client = client
        self._pulls = pulls
        self._sleep = sleep
        self._path = f"{address.path}/pulls"

    def change(self, number: int, values: Mapping[str, str]) -> GiteaPull:
        """Changes one; where others do so at the same moment the server takes one text after the other."""
        for tries in range(_TRIES):
            try:
                return self._pulls.read(self._client.change("PATCH", f"{self._path}/{number}", values, UPDATE))
            except Declined as error:
                if error.status != 409 or tries == _TRIES - 1:
                    raise
            self._sleep(0.1 * (tries + 1))
        raise AssertionError  # the last try returns, or raises

    def open(self, proposed: Mapping[str, Any]) -> tuple[GiteaPull, bool]:
        """The open pull request, whoever opened it, and whether this call did."""
        tries = waits = 0
        while True:
            known = self._pulls.newest
            try:
                return self._counted(self._pulls.read(self._client.create(self._path, proposed, _OPEN)), known)
            except AnswerLost as error:  # also: another call has opened it meanwhile
                listed = self._only(proposed["head"], proposed["base"])
                if listed is None:
                    self._client.pause(error, tries)
                    tries += 1
                    continue
                found = self._pulls.get(listed.number)
                # What is pushed to an open one becomes its head at once. One that the server is about to close, for
                # its branch had been deleted, stays behind.
                if found.pull.head_commit == listed.head_commit or waits == _PATIENCE:
                    return found, False
            except (Invalid, Missing) as error:
                if proposed["reviewers"] or proposed["team_reviewers"]:  # not known: asked one by one then
                    proposed = {**proposed, **reviewers_of(())}
                    continue
                if isinstance(error, Invalid) or waits:
                    raise Refused(error.what, where=error.where, hint=error.hint or "push the branch first") from error
                # A branch that was pushed just now may not have come to the API yet.
            waits += 1
            self._sleep(1.0)

    def _counted(self, opened: GiteaPull, known: int) -> tuple[GiteaPull, bool]:
        """The one that this call opened, unless another call was first; `known`: the newest number before."""
        if opened.pull.number == known + 1:  # nobody opened anything since this looked
            return opened, True
        kept = self._only(opened.pull.head, opened.pull.base)
        if kept is None or kept.number == opened.pull.number:
            return opened, True
        return self._pulls.get(kept.number), False

    def _only(self, head: str, base: str) -> PullRequest | None:
        """The open pull request; where calls at the same moment opened several, the oldest stays, and all find it."""
        found = [pull for pull in self._pulls.open_ones(head) if pull.base == base]
        for other in found[1:]:
            text = f"{DUPLICATE}#{found[0].number} was opened at the same moment for the same branch, and goes on.\n"
            self.change(other.number, {"body": text, "state": "closed"})
        return found[0] if found else None
