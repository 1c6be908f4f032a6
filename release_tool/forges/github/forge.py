"""The forge of GitHub. The contract is in `forges/base.py`.

What can't be repeated blindly is looked for first: after a lost answer, an open pull request of the branch, or a
comment of the same text, is the one that was sent. All else has the same effect however often it comes.

A bump takes three requests (the last finished pull request, the open one, its new text), five where it opens one (the
finished one looked for twice, opened, reviewers, labels; the open one is only looked for where something waits).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from release_tool.errors import Refused, ReleaseError
from release_tool.forges import candidates, known_url
from release_tool.forges.answers import AnswerLost, Invalid, Missing, Purpose
from release_tool.forges.base import OPENING, ForgeSettings, Opened
from release_tool.forges.github import pulls
from release_tool.forges.github.address import address_of, find_for
from release_tool.forges.github.client import GitHubClient
from release_tool.forges.github.conversation import Talk
from release_tool.forges.github.dialect import CONTENTS, READ, WRITE
from release_tool.forges.github.merging import Merging
from release_tool.forges.server_merge import ServerMerge
from release_tool.model.forge import Capabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from release_tool.forges.github.address import Address
    from release_tool.git.repository import Repository
    from release_tool.model.records import CommitId, PullRequest

_FEW = "10"  # an item has 25 kB, and the first one is nearly always the one

_FIND = Purpose("find the pull request of a branch", READ)
_LIST = Purpose("list pull requests", READ)
_SHOW = Purpose("read a pull request", READ)
_OPEN = Purpose("open a pull request", WRITE)
_UPDATE = Purpose("update a pull request", WRITE)
_CLOSE = Purpose("close a pull request", WRITE)
_LANDING = Purpose("find the pull request of a commit", f"{READ}` and `{CONTENTS}")


CAPABILITIES = Capabilities("github", "GitHub", methods=("merge", "squash", "rebase"), auto_merge="forge", teams=True)


class GitHubForge:
    """The pull requests of one repository on GitHub; `merging` is what the contract doesn't know."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        address: Address,
        client: GitHubClient,
        server_merge: ServerMerge,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._server_merge = server_merge
        self.merging = Merging(address, client, sleep)
        self._address = address
        self._client = client
        self._talk = Talk(address, client)
        self._sleep = sleep
        self._pulls = f"{address.path}/pulls"
        # What was merged stays merged: each commit is asked about once.
        self._landed: dict[CommitId, datetime | None] = {}
        self._open_one = candidates.OpenOne()

    @property
    def skew(self) -> timedelta | None:
        return self._client.skew

    def close_connections(self) -> None:
        self._client.close()

    # -- looking

    def find_open(self, head: str, base: str) -> PullRequest | None:
        # GitHub has one open pull request at most for each base, and closes it when its branch goes.
        return self._open_one((pull for pull, _ in self._of_branch(head, {"state": "open"})), base)

    def last_finished(self, head: str, base: str) -> PullRequest | None:
        order = {"state": "closed", "sort": "updated", "direction": "desc", "base": base}
        return candidates.last_finished(self._noted(self._of_branch(head, order)), base, int(_FEW))

    def _noted(
        self, found: Iterator[tuple[PullRequest, datetime | None]]
    ) -> Iterator[tuple[PullRequest, datetime | None]]:
        """The same; most landings that are asked for are these: a request less each."""
        for pull, changed_at in found:
            if pull.merge_commit and pull.merged_at:
                self._landed[pull.merge_commit] = pull.merged_at
            yield pull, changed_at

    def get(self, number: int) -> PullRequest:
        try:
            value = self._client.get(f"{self._pulls}/{number}", _SHOW)
        except Missing as error:
            hint = "`release pulls list --all` shows those that the token may see"
            what = f"there is no pull request #{number}"
            raise ReleaseError(what, where=self._address.url(number), hint=hint) from error
        pull = self._read(value)
        if not value.get("comments"):
            return pull
        return pull._replace(comments=tuple(comment.text for comment in self._talk.comments(number)))

    def list(self, state: str = "open") -> tuple[PullRequest, ...]:
        # Those of other branches, and of forks, are among them.
        asked = {"open": "open", "all": "all"}.get(state, "closed")
        query = {"state": asked, "sort": "created", "direction": "desc", "per_page": "100"}
        found = map(self._read, self._client.pages(self._pulls, query, _LIST))
        return tuple(pull for pull in found if state in ("all", pull.state))

    def landed_at(self, commit: CommitId) -> datetime | None:
        if commit not in self._landed:
            self._landed[commit] = self._ask_landing(commit)
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
        # GitHub takes labels and reviewers separately, and only once the pull request is open.
        title, sent = pulls.fitting_title(title), _sent(body, labels, reviewers)
        opened, author = self._open(head, base, title, sent)
        pull = opened.pull_request
        # After a lost answer, that of the same text is taken for our own.
        if opened.created or (pull.title, pull.body) == (title, sent):
            pull = self._complete(pull, author, body, labels, reviewers)
        return opened._replace(pull_request=pull)

    def update(
        self, number: int, title: str, body: str, labels: Sequence[str] = (), *, reviewers: Sequence[str] = ()
    ) -> PullRequest:
        text = {"title": pulls.fitting_title(title), "body": _sent(body, labels, reviewers)}
        value = self._client.change("PATCH", f"{self._pulls}/{number}", text, _UPDATE)
        pull = self._read(value)
        if pull.state != "open":
            raise Refused(f"pull request #{number} is {pull.state}", where=pull.url)
        return self._complete(pull, pulls.author(value), body, labels, reviewers)

    def close(self, number: int, comment: str = "") -> PullRequest:
        pull = self.get(number)
        if pull.state != "open":
            return pull
        if comment:  # before the close: one that stops in between is begun again, and finds the comment there
            self.comment(number, comment)
        return self._read(self._client.change("PATCH", f"{self._pulls}/{number}", {"state": "closed"}, _CLOSE))

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

    def merge_by_hand(self, number: int) -> None:
        self.merging.disable(number)

    # -- one step each

    def _complete(
        self, pull: PullRequest, author: str, body: str, labels: Sequence[str], reviewers: Sequence[str]
    ) -> PullRequest:
        """Reviewers, then labels; where there are none, the body tells that it is done."""
        pull = self._talk.complete(pull, author, labels, reviewers)
        if not pull.body.startswith(OPENING):
            return pull
        done = {"body": pulls.fitting(body)}
        return self._read(self._client.change("PATCH", f"{self._pulls}/{pull.number}", done, _UPDATE))

    def _open(self, head: str, base: str, title: str, body: str) -> tuple[Opened, str]:
        """The open pull request, whoever opened it, and its author where this call did."""
        proposed = {"title": title, "body": body, "head": head, "base": base}
        tries = 0
        while True:
            try:
                value = self._client.create(self._pulls, proposed, _OPEN)
                return Opened(self._read(value), created=True), pulls.author(value)
            except AnswerLost as error:  # also: another call has opened it meanwhile
                found = self.find_open(head, base)
                if found is not None:
                    return Opened(found, created=False), ""
                self._client.pause(error, tries)
            except Invalid as error:
                # A branch that was pushed just now may not have come to the API yet.
                if "head" not in error.fields or tries:
                    raise Refused(error.what, where=error.where, hint=error.hint) from error
                self._sleep(1.0)
            tries += 1

    def _ask_landing(self, commit: CommitId) -> datetime | None:
        path = f"{self._address.path}/commits/{commit}/pulls"
        try:
            return pulls.landing(map(self._read, self._client.pages(path, {"per_page": _FEW}, _LANDING)), commit)
        except Invalid:  # "No commit found for SHA"
            return None

    def _of_branch(self, head: str, query: Mapping[str, str]) -> Iterator[tuple[PullRequest, datetime | None]]:
        """The pull requests from a branch of this repository, each with the time of its last change."""
        wanted = {**query, "head": f"{self._address.owner}:{head}", "per_page": _FEW}
        for value in self._client.pages(self._pulls, wanted, _FIND):
            pull = self._read(value)
            if pull.head == head and pulls.same_repository(value, self._address.full_name):
                yield pull, pulls.changed_at(value)

    def _read(self, value: Any) -> PullRequest:
        return pulls.pull_request(value, self._address.full_name)


def _sent(body: str, labels: Sequence[str], reviewers: Sequence[str]) -> str:
    """The body that is sent first: marked, where only that would tell that the reviewers weren't asked."""
    return pulls.fitting(f"{OPENING}{body}" if reviewers and not labels else body)


def connect(
    repository: Repository,
    now: Callable[[], datetime],
    settings: ForgeSettings,
) -> GitHubForge:
    address = address_of(known_url(repository, settings.environ), settings.url, settings.environ)
    client = GitHubClient(
        address, find_for(address, settings.environ), patience=settings.patience, sleep=time.sleep, now=now
    )
    return GitHubForge(address, client, ServerMerge(repository, now))
