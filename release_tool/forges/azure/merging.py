"""Merges on an Azure DevOps, each bound to one head.

Its auto-complete is not: it outlives a push, and would merge what somebody pushes after it was asked for. So the tool
completes a pull request at once where the policies of its base are met, and else the next pass of the tool does. No
policy is ever bypassed.

Sources (learn.microsoft.com): "Pull Requests - Update", "Policy Evaluations", "Complete, abandon, or revert
pull requests".
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from release_tool.errors import Refused, ReleaseError, TryAgain
from release_tool.forges.answers import AGAIN, Purpose
from release_tool.forges.azure import pulls
from release_tool.forges.azure.dialect import PROPOSE, READ

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_tool.forges.azure.address import AzureAddress
    from release_tool.forges.azure.client import AzureClient
    from release_tool.forges.azure.pulls import AzurePull
    from release_tool.model.records import CommitId

# A way of merging -> the strategies of Azure DevOps that are one.
STRATEGIES = {"merge": ("noFastForward", "rebaseMerge"), "squash": ("squash",), "rebase": ("rebase",)}
_ALL = tuple(one for those in STRATEGIES.values() for one in those)

_POLICIES = Purpose("read the policies of a pull request", READ)
_COMPLETE = Purpose("complete a pull request", f"{PROPOSE}` and, on the base, `Contribute")
_PAUSES = (0.2, 0.5, 1.0, 1.0, 2.0, 2.0, 4.0, 4.0)  # seconds; the server merges in the background
_REJECTED = "rejectedByPolicy"
_HINT = "its page tells what it waits for; or let a person complete it"


class Completing:
    """Completes pull requests of one repository; `look` reads one, and `tip` the commit of a branch."""

    def __init__(
        self,
        address: AzureAddress,
        client: AzureClient,
        look: Callable[[int], AzurePull],
        tip: Callable[[str], CommitId | None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = address
        self._client = client
        self._look = look
        self._tip = tip
        self._sleep = sleep

    def now(self, number: int, method: str, head_commit: CommitId) -> None:
        """Merges one now, with this head and no other; Refused where its policies demand more."""
        found = self._settled(number, head_commit)
        self._demand_ready(found, head_commit)
        waits = self._complete(found, STRATEGIES.get(method, ()), head_commit)
        if waits:
            what = f"pull request {found.pull.name} waits for policies of `{found.pull.base}`: {waits}"
            raise Refused(what, where=found.pull.url, hint=_HINT)

    def when_ready(self, number: int, head_commit: CommitId) -> str:
        """Merges one at once where its policies are met; arguments and result are those of `Forge.merge_when_ready`."""
        found = self._settled(number, head_commit)
        if found.pull.state == "merged":
            return "merged"
        self._demand_ready(found, head_commit)
        return "waiting" if self._complete(found, _ALL, head_commit) else "merged"

    def _settled(self, number: int, head_commit: CommitId) -> AzurePull:
        """How it stands, once the server has taken in the push of that head."""
        for pause in (*_PAUSES, 0.0):
            found = self._look(number)
            pull = found.pull
            if pull.state != "open" or pull.head_commit == head_commit or self._tip(pull.head) != head_commit:
                return found
            self._sleep(pause)
        what = f"the server has not taken in yet what was pushed to pull request {pull.name}"
        raise TryAgain(what, where=pull.url, hint=AGAIN)

    def _complete(self, found: AzurePull, strategies: Sequence[str], head_commit: CommitId) -> str:
        """Completes one by the first way that its policies allow; what these wait for, empty once it is merged."""
        pull, policies = found.pull, self._policies(found)
        if policies.waits_for:
            return ", ".join(policies.waits_for)
        strategy = next((one for one in strategies if one in policies.strategies), None)
        if strategy is None:
            allowed = " or ".join(policies.strategies) or "none"
            wanted = " or ".join(strategies)
            what = f"the policy *Limit merge types* of `{pull.base}` allows {allowed}, and not {wanted}"
            raise Refused(what, where=pull.url, hint=f"change the policy: {self._address.settings}, Policies")
        options = {
            "mergeStrategy": strategy,
            "deleteSourceBranch": True,
            "transitionWorkItems": False,
            # Without it, the whole description goes into the commit.
            "mergeCommitMessage": f"Merged PR {pull.number}: {pull.title}",
        }
        body: dict[str, Any] = {
            "status": "completed",
            "lastMergeSourceCommit": {"commitId": head_commit},
            "completionOptions": options,
        }
        try:
            self._client.change("PATCH", f"{self._address.path}/pullrequests/{pull.number}", body, _COMPLETE)
        except TryAgain:
            raise
        except ReleaseError as error:
            now = self._look(pull.number)
            if now.pull.state == "merged":  # by an attempt whose answer was lost, or by somebody else
                return ""
            self._demand_ready(now, head_commit)
            raise Refused(error.what, where=pull.url, cause=error.cause, hint=error.hint or _HINT) from error
        return self._became(pull.number, head_commit)

    def _became(self, number: int, head_commit: CommitId) -> str:
        """What came of it, which the server finds out in the background."""
        for pause in (*_PAUSES, 0.0):
            now = self._look(number)
            if now.pull.state == "merged":
                return ""
            self._demand_ready(now, head_commit)
            if now.merging == _REJECTED:
                return ", ".join(self._policies(now).waits_for) or "the server says no more"
            if now.merging == "failure":
                said = f": {now.failure}" if now.failure else ""
                raise Refused(f"Azure DevOps could not complete it{said}", where=now.pull.url, hint=_HINT)
            self._sleep(pause)
        raise TryAgain(f"pull request {now.pull.name} is still being completed", where=now.pull.url, hint=AGAIN)

    def _policies(self, found: AzurePull) -> pulls.Policies:
        artifact = f"vstfs:///CodeReview/CodeReviewId/{found.project}/{found.pull.number}"
        path = f"{self._address.area}/policy/evaluations?{urlencode({'artifactId': artifact, '$top': 1000})}"
        value = self._client.get(path, _POLICIES)
        return pulls.policies(value["value"] if isinstance(value, dict) else (), found.pull.url)

    def _demand_ready(self, found: AzurePull, head_commit: CommitId) -> None:
        pull = found.pull
        where = pull.url
        if pull.state != "open":
            raise Refused(f"pull request {pull.name} is {pull.state}", where=where)
        if pull.head_commit != head_commit:
            raise Refused(f"the head of pull request {pull.name} has moved", where=where)
        if found.draft:
            raise Refused(f"pull request {pull.name} is a draft", where=where, hint="publish it on that page")
        if found.merging == "conflicts":
            hint = "`release sync` makes a release branch again on the base"
            raise Refused(f"pull request {pull.name} conflicts with `{pull.base}`", where=where, hint=hint)
