"""The forge of Azure DevOps. The contract is in `forges/base.py`.

What can't be repeated blindly is looked for first: after a lost answer, an open pull request of the branch, or a
comment of the same text, is the one that was sent. All else has the same effect however often it comes.

A bump takes six requests (the pull requests of the branch, the open one and its whole text, the threads, the new text
of one of them, that of the pull request), and as many where it opens one; one more for each reviewer.
"""

from __future__ import annotations

import time
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from release_tool.errors import Refused, ReleaseError
from release_tool.forges import candidates, known_url, values
from release_tool.forges.answers import AnswerLost, Declined, Invalid, Missing, Purpose
from release_tool.forges.azure import pulls
from release_tool.forges.azure.address import address_of, find_for
from release_tool.forges.azure.client import AzureClient
from release_tool.forges.azure.conversation import AzureTalk
from release_tool.forges.azure.dialect import PROPOSE, READ
from release_tool.forges.azure.merging import STRATEGIES, Completing
from release_tool.forges.base import ForgeSettings, Opened
from release_tool.forges.server_merge import ServerMerge
from release_tool.model.forge import Capabilities, Flavour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta

    from release_tool.forges.azure.address import AzureAddress
    from release_tool.git.repository import Repository
    from release_tool.model.records import CommitId, PullRequest

_FEW = 20  # an item has 4 kB, and one of the first is nearly always the one
_MOST = 1000  # as many as a page has at most
_CUT = 400  # characters of a description that a list shows

_FIND = Purpose("find the pull request of a branch", READ)
_LIST = Purpose("list pull requests", READ)
_SHOW = Purpose("read a pull request", READ)
_OPEN = Purpose("open a pull request", PROPOSE)
_UPDATE = Purpose("update a pull request", PROPOSE)
_CLOSE = Purpose("abandon a pull request", PROPOSE)
_LANDING = Purpose("find the pull request of a commit", READ)

CAPABILITIES = Capabilities(
    "azure",
    "Azure DevOps",
    sigil=pulls.SIGIL,
    methods=tuple(STRATEGIES),
    auto_merge="pass",
    opens_empty=True,
    deleting_closes=False,
    teams=True,
    flavour=Flavour(title=400, body=4_000, comment=150_000, alerts=False, mermaid=False, references="#!@"),
)


class AzureForge:
    """The pull requests of one repository."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        address: AzureAddress,
        client: AzureClient,
        server_merge: ServerMerge,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.merging = Completing(address, client, self._look, self._tip, sleep)
        self._server_merge = server_merge
        self._address = address
        self._client = client
        self._talk = AzureTalk(address, client)
        self._sleep = sleep
        self._pulls = f"{address.path}/pullrequests"
        # What was merged stays merged: each commit is asked about once.
        self._landed: dict[CommitId, datetime | None] = {}
        self._open_one = candidates.OpenOne()
        # Only lists and openings tell the labels; an update right after one of these adds what was missing then.
        self._labels: dict[int, tuple[str, ...]] = {}

    @property
    def skew(self) -> timedelta | None:
        return self._client.skew

    def close_connections(self) -> None:
        self._client.close()

    # -- looking

    def find_open(self, head: str, base: str) -> PullRequest | None:
        found = self._open_one((one.pull for one in self._of_branch(head, "active", _FEW)), base)
        tip = self._tip(head) if found else None
        if found is None or tip is None:
            return None
        self._labels[found.number] = found.labels
        if len(found.body) >= _CUT:
            found = self._look(found.number).pull._replace(labels=found.labels)
        return found._replace(head_commit=tip)  # the server takes in a push a moment later

    def last_finished(self, head: str, base: str) -> PullRequest | None:
        # They are sorted by the time at which they were opened. One that was abandoned may have been opened again, and
        # abandoned again later; what was completed stays so.
        toward = f"refs/heads/{base}"
        first = list(islice(self._of_branch(head, "all", _FEW, toward), _FEW))
        more = self._of_branch(head, "abandoned", _MOST, toward) if len(first) == _FEW else iter(())
        best: PullRequest | None = None
        for pull in (one.pull for one in chain(first, more)):
            if pull.base != base:  # a filter that a server doesn't know, it leaves out
                continue
            if pull.state == "open":
                if self._tip(head) is None:
                    return pull._replace(state="closed")  # nobody closes it when its branch goes
                continue
            if pull.merge_commit and pull.merged_at:  # most landings that are asked for are these: a request less each
                self._landed[pull.merge_commit] = pull.merged_at
            if pull.closed_at and (best is None or (pull.closed_at, pull.number) > (best.closed_at, best.number)):
                best = pull
        return best

    def get(self, number: int) -> PullRequest:
        pull = self._present(self._look(number))
        comments = tuple(comment.text for comment in self._talk.comments(number))
        return pull._replace(comments=comments, labels=self._talk.labels(number))

    def list(self, state: str = "open") -> tuple[PullRequest, ...]:
        # Those of other branches, and of forks, are among them.
        asked = {"open": "active", "merged": "completed", "closed": "abandoned"}.get(state, "all")
        found = self._client.listed(self._pulls, {"searchCriteria.status": asked}, _LIST, 100)
        listed = sorted((self._read(value).pull for value in found), key=lambda pull: -pull.number)
        return tuple(pull for pull in listed if state in ("all", pull.state))

    def landed_at(self, commit: CommitId) -> datetime | None:
        if commit not in self._landed:
            # By the commit that a merge made; and by those that it brought: a rebase is known by its last one alone.
            kinds = ("lastMergeCommit", "commit")
            body = {"queries": [{"type": kind, "items": [commit]} for kind in kinds]}
            found = self._client.change("POST", f"{self._address.path}/pullrequestquery", body, _LANDING)
            self._landed[commit] = values.landing(pulls.of_commit(found, commit, self._address), commit)
        return self._landed[commit]

    # -- changing

    def open(
        self,
        head: str,
        base: str,
        title: str,
        body: str,
        labels: Sequence[str] = (),
        *,
        reviewers: Sequence[str] = (),
    ) -> Opened:
        proposed = {
            "sourceRefName": f"refs/heads/{head}",
            "targetRefName": f"refs/heads/{base}",
            "title": title,
            "description": body,
            "labels": [{"name": label} for label in dict.fromkeys(labels)],
            "reviewers": self._talk.reviewers(reviewers),
        }
        tries = waits = 0
        while True:
            try:
                pull = self._read(self._client.create(self._pulls, proposed, _OPEN)).pull
                self._labels[pull.number] = pull.labels
                return Opened(pull, created=True)
            except AnswerLost as error:  # also: another call has opened it meanwhile
                found = self.find_open(head, base)
                if found is not None:
                    return Opened(found, created=False)
                self._client.pause(error, tries)
                tries += 1
            except Invalid as error:
                if waits:
                    raise Refused(error.what, where=error.where, hint=error.hint or "push the branch first") from error
                waits += 1  # a branch that was pushed just now may not have come to the API yet
                self._sleep(1.0)

    def update(
        self, number: int, title: str, body: str, labels: Sequence[str] = (), *, reviewers: Sequence[str] = ()
    ) -> PullRequest:
        try:
            value = self._client.change(
                "PATCH", f"{self._pulls}/{number}", {"title": title, "description": body}, _UPDATE
            )
        except Declined as error:
            pull = self._look(number).pull
            if pull.state == "open":
                raise
            raise Refused(f"pull request {pull.name} is {pull.state}", where=pull.url) from error
        pull = self._present(self._read(value))
        if pull.state != "open":
            raise Refused(f"pull request {pull.name} is {pull.state}", where=pull.url)
        self._talk.ask(pull, self._talk.reviewers(reviewers))
        if not labels:
            return pull
        there = self._labels.pop(number, None)
        return self._talk.label(pull._replace(labels=self._talk.labels(number) if there is None else there), labels)

    def close(self, number: int, comment: str = "") -> PullRequest:
        pull = self._look(number).pull
        if pull.state != "open":
            return pull
        if comment:  # before the close: one that stops in between is begun again, and finds the comment there
            self.comment(number, comment)
        try:
            value = self._client.change("PATCH", f"{self._pulls}/{number}", {"status": "abandoned"}, _CLOSE)
        except Declined:
            pull = self._look(number).pull
            if pull.state == "open":
                raise
            return pull
        return self._read(value).pull

    def comment(self, number: int, text: str) -> None:
        self._talk.add(number, text)

    def keep_comment(self, number: int, marker: str, text: str, *, only_if_there: bool = False) -> None:
        self._talk.keep(number, marker, text, only_if_there=only_if_there)

    def merge(self, number: int, method: str = "merge", check: Callable[[CommitId], None] | None = None) -> PullRequest:
        return self._server_merge.run(
            self.get(number), check, lambda pull: self.merging.now(number, method, pull.head_commit), self.get
        )

    def merge_when_ready(self, number: int, head_commit: CommitId) -> str:
        return self.merging.when_ready(number, head_commit)

    def merge_by_hand(self, number: int) -> None:  # noqa: ARG002
        return  # the server was not asked to merge by itself

    # -- one step each

    def _tip(self, branch: str) -> CommitId | None:
        """The commit of a branch by git, which costs no request of the API; None: there is no such branch."""
        return self._server_merge.repository.refs(f"refs/heads/{branch}").branch(branch)

    def _present(self, found: pulls.AzurePull) -> PullRequest:
        """A pull request with the present head of its branch: the server takes in a push a moment later."""
        tip = self._tip(found.pull.head) if found.own and found.pull.state == "open" else None
        return found.pull._replace(head_commit=tip) if tip else found.pull

    def _of_branch(self, head: str, status: str, most: int, toward: str = "") -> Iterator[pulls.AzurePull]:
        """The pull requests from a branch of this repository, the one that was opened last first."""
        query = {"searchCriteria.sourceRefName": f"refs/heads/{head}", "searchCriteria.status": status}
        query |= {"searchCriteria.targetRefName": toward} if toward else {}
        found = (self._read(value) for value in self._client.listed(self._pulls, query, _FIND, most))
        return (one for one in found if one.own and one.pull.head == head)

    def _look(self, number: int) -> pulls.AzurePull:
        try:
            return self._read(self._client.get(f"{self._pulls}/{number}", _SHOW))
        except Missing as error:
            hint = "`release pulls list --all` shows those that the token may see"
            what = f"there is no pull request {pulls.SIGIL}{number}"
            raise ReleaseError(what, where=self._address.url(number), hint=hint) from error

    def _read(self, value: Any) -> pulls.AzurePull:
        return pulls.read(value, self._address)


def connect(
    repository: Repository,
    now: Callable[[], datetime],
    settings: ForgeSettings,
) -> AzureForge:
    environ = settings.environ
    address = address_of(known_url(repository, environ), settings.url, environ)
    client = AzureClient(address, find_for(address, environ), patience=settings.patience, sleep=time.sleep, now=now)
    return AzureForge(address, client, ServerMerge(repository, now))
