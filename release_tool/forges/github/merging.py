"""How pull requests on GitHub stand with merging, and GitHub's auto-merge."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from release_tool.errors import Refused, ReleaseError, TryAgain
from release_tool.forges.answers import AnswerLost, Declined, Purpose
from release_tool.forges.github import pulls
from release_tool.forges.github.dialect import READ, WRITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.forges.github.address import Address
    from release_tool.forges.github.client import GitHubClient
    from release_tool.model.records import CommitId

_STANDING = Purpose("read how a pull request stands", READ)
_AUTO_MERGE = Purpose("enable auto-merge", f"{WRITE}` and `Contents: write")

_MERGE = Purpose("merge a pull request", "Contents: write")
_DEMANDS_NOTHING = frozenset({"clean", "unstable", "has_hooks"})
_PAUSES = (0.5, 1.0, 2.0)  # seconds

_QUERY = """\
query ($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed
    pullRequest(number: $number) {
      id state headRefOid mergeStateStatus autoMergeRequest { mergeMethod }
    }
  }
}"""
_MUTATION = """\
mutation ($id: ID!, $method: PullRequestMergeMethod!, $head: GitObjectID!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: $method, expectedHeadOid: $head}) {
    pullRequest { number }
  }
}"""

_DISABLE = """\
mutation ($id: ID!) {
  disablePullRequestAutoMerge(input: {pullRequestId: $id}) {
    pullRequest { number }
  }
}"""

_HINT = (
    "allow auto-merge in the repository's settings, and protect its base with a review or a check to wait for; "
    "or merge it by hand"
)


class Merging:
    """Looks at what a merge still needs, and leaves the merge to GitHub. Errors as of every method in `base.py`."""

    def __init__(self, address: Address, client: GitHubClient, sleep: Callable[[float], None] = time.sleep) -> None:
        self._address = address
        self._client = client
        self._sleep = sleep

    def standing(self, number: int) -> pulls.Standing:
        variables = {"owner": self._address.owner, "name": self._address.name, "number": number}
        return pulls.standing(self._client.query(_QUERY, variables, _STANDING), self._address.url(number))

    def enable(self, number: int, method: str, head_commit: CommitId) -> None:
        """Lets GitHub merge a pull request as soon as all that its base demands is there.

        Raises:
            Refused: it isn't open, its head has moved, or GitHub declines: the repository doesn't allow it, or nothing
                is demanded that GitHub could wait for.
        """
        tries = 0
        while True:
            now = self.standing(number)
            if now.auto_merge or now.state == "merged":
                return
            self._demand_ready(number, now, head_commit)
            try:
                self._client.query(
                    _MUTATION,
                    {"id": now.node, "method": method.upper(), "head": head_commit},
                    _AUTO_MERGE,
                    once=True,
                )
            except AnswerLost as error:
                self._client.pause(error, tries)
                tries += 1
            except Declined as error:
                raise Refused(error.what, where=self._address.url(number), hint=_HINT) from error
            else:
                return

    def when_ready(self, number: int, head_commit: CommitId) -> str:
        """Merges a pull request at once where its base demands nothing more, else leaves it to auto-merge.

        Arguments, result and refusals are those of `Forge.merge_when_ready`.
        """
        now = self._known_standing(number)
        if now.state == "merged":
            return "merged"
        self._demand_ready(number, now, head_commit)
        if not now.methods:
            raise Refused("no way of merging is allowed in the repository", where=self._address.url(number))
        refused: Refused | None = None
        if now.merge_state in _DEMANDS_NOTHING:
            for method in now.methods:  # a rule may allow fewer ways than the repository does
                try:
                    return self._merge(number, method, head_commit)
                except Refused as error:
                    refused = refused or error
        for method in now.methods:  # also the way into a merge queue
            try:
                self.enable(number, method, head_commit)
            except Refused as error:
                refused = refused or error
            else:
                return "waiting"
        assert refused is not None  # there is a method, and it was refused
        raise refused

    def now(self, number: int, method: str, head_commit: CommitId) -> None:
        """Merges a pull request now, with this head and no other; Refused where its base demands more."""
        self._demand_ready(number, self._known_standing(number), head_commit)
        self._merge(number, method, head_commit, "what its page asks for is still to come: a review, a check, a sync")

    def disable(self, number: int) -> None:
        now = self.standing(number)
        if now.auto_merge and now.state == "open":
            self._client.query(_DISABLE, {"id": now.node}, _AUTO_MERGE)

    def _known_standing(self, number: int) -> pulls.Standing:
        """How it stands; GitHub finds that out in the background, beginning with the first question."""
        now = self.standing(number)
        for pause in _PAUSES:
            if now.state != "open" or now.merge_state != "unknown":
                break
            self._sleep(pause)
            now = self.standing(number)
        return now

    def _merge(self, number: int, method: str, head_commit: CommitId, hint: str = _HINT) -> str:
        body = {"merge_method": method, "sha": head_commit}
        try:
            self._client.change("PUT", f"{self._address.path}/pulls/{number}/merge", body, _MERGE)
        except TryAgain:
            raise
        except ReleaseError as error:
            if self.standing(number).state == "merged":  # by an attempt whose answer was lost, or by somebody else
                return "merged"
            raise Refused(error.what, where=self._address.url(number), hint=hint) from error
        return "merged"

    def _demand_ready(self, number: int, now: pulls.Standing, head_commit: CommitId) -> None:
        if now.state != "open":
            raise Refused(f"pull request #{number} is {now.state}", where=self._address.url(number))
        if now.head_commit != head_commit:
            raise Refused(f"the head of pull request #{number} has moved", where=self._address.url(number))
