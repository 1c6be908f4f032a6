"""The forge of Gitea and Forgejo. The contract is in `forges/base.py`.

What can't be repeated blindly is looked for first: after a lost answer, an open pull request of the branch, or a
comment of the same text, is the one that was sent. All else has the same effect however often it comes.

A bump takes three requests (the last finished pull request, the open one, its new text), four where it opens one (the
finished one looked for twice, the repository's labels, opened with them; one more for each label that is new there).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from release_tool.errors import Refused, TryAgain
from release_tool.forges import candidates, known_url
from release_tool.forges.answers import Declined, Missing, Purpose
from release_tool.forges.base import ForgeSettings, Opened
from release_tool.forges.client import ForgeClient
from release_tool.forges.conversation import reviewers_of
from release_tool.forges.gitea.address import address_of, find_for
from release_tool.forges.gitea.asking import GiteaPulls, is_of
from release_tool.forges.gitea.changing import GiteaChanges
from release_tool.forges.gitea.conversation import GiteaTalk
from release_tool.forges.gitea.dialect import READ, dialect_of
from release_tool.forges.gitea.merging import STYLES, GiteaMerging
from release_tool.forges.server_merge import ServerMerge
from release_tool.model.forge import Capabilities, Flavour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from release_tool.forges.gitea import pulls
    from release_tool.forges.gitea.address import GiteaAddress
    from release_tool.git.repository import Repository
    from release_tool.model.records import CommitId, PullRequest

_LANDING = Purpose("find the pull request of a commit", READ)

CAPABILITIES = Capabilities(
    "gitea",
    "Gitea",
    knows_landings=False,  # a rebase or a fast-forward of several commits is known by the last one alone
    methods=tuple(STYLES),
    auto_merge="pass",
    opens_once=False,
    opens_empty=True,
    teams=True,
    # It cuts titles to a width of 255, in which emoji and CJK count twice.
    flavour=Flavour(title=126, drafts=("wip:", "[wip]")),
)


class GiteaForge:
    """The pull requests of one repository."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        address: GiteaAddress,
        client: ForgeClient,
        server_merge: ServerMerge,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pulls = GiteaPulls(address, client, server_merge.repository)
        self._changes = GiteaChanges(address, client, self._pulls, sleep)
        self._merging = GiteaMerging(address, client, self._pulls, sleep)
        self._talk = GiteaTalk(address, client)
        self._open_one = candidates.OpenOne()
        self._server_merge = server_merge
        self._address = address
        self._client = client
        # What was merged stays merged: each commit is asked about once.
        self._landed: dict[CommitId, datetime | None] = {}

    @property
    def skew(self) -> timedelta | None:
        return self._client.skew

    def close_connections(self) -> None:
        self._client.close()

    # -- looking

    def find_open(self, head: str, base: str) -> PullRequest | None:
        return self._open_one(self._pulls.open_ones(head), base)

    def last_finished(self, head: str, base: str) -> PullRequest | None:
        seen: dict[int, pulls.GiteaPull] = {}

        def candidate(one: pulls.GiteaPull) -> tuple[PullRequest | None, datetime]:
            seen[one.pull.number] = one
            if one.pull.merge_commit and one.pull.merged_at:
                self._landed[one.pull.merge_commit] = one.pull.merged_at
            return one.pull if is_of(one, head) else None, one.changed_at

        best = candidates.last_finished(map(candidate, self._pulls.latest(head, base)), base)
        return self._pulls.at_its_end(seen[best.number]) if best else None

    def get(self, number: int) -> PullRequest:
        found = self._pulls.get(number)
        if not found.comments:
            return found.pull
        return found.pull._replace(comments=tuple(comment.text for comment in self._talk.comments(number)))

    def list(self, state: str = "open") -> tuple[PullRequest, ...]:
        found = self._pulls.of_state({"open": "open", "all": "all"}.get(state, "closed"))
        return tuple(one.pull for one in found if state in ("all", one.pull.state))

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
        proposed = {"title": title, "body": body, "head": head, "base": base, **reviewers_of(reviewers)}
        opened, created = self._changes.open({**proposed, "labels": self._talk.ids_of(labels) if labels else []})
        pull = opened.pull
        # After a lost answer, that of the same text is taken for our own.
        if created or (pull.title, pull.body) == (title, body):
            pull = self._talk.complete(opened, labels, reviewers)
        return Opened(pull, created=created)

    def update(
        self, number: int, title: str, body: str, labels: Sequence[str] = (), *, reviewers: Sequence[str] = ()
    ) -> PullRequest:
        found = self._changes.change(number, {"title": title, "body": body})
        if found.pull.state != "open":
            raise Refused(f"pull request #{number} is {found.pull.state}", where=found.pull.url)
        return self._talk.complete(found, labels, reviewers)

    def close(self, number: int, comment: str = "") -> PullRequest:
        pull = self._pulls.get(number).pull
        if pull.state != "open":
            return pull
        if comment:  # before the close: one that stops in between is begun again, and finds the comment there
            self.comment(number, comment)
        try:
            return self._changes.change(number, {"state": "closed"}).pull._replace(head_commit=pull.head_commit)
        except Declined:  # it was merged in between
            return self.get(number)

    def comment(self, number: int, text: str) -> None:
        self._talk.add(number, text)

    def keep_comment(self, number: int, marker: str, text: str, *, only_if_there: bool = False) -> None:
        self._talk.keep(number, marker, text, only_if_there=only_if_there)

    def merge(self, number: int, method: str = "merge", check: Callable[[CommitId], None] | None = None) -> PullRequest:
        def send(pull: PullRequest) -> None:
            if not self._merging.now(number, method, pull.head_commit):
                self._server_merge.merged(pull)  # refused where there are conflicts
                what = f"the server can't say yet whether it can merge pull request #{number}"
                raise TryAgain(what, where=pull.url, hint="run the same command again")

        return self._server_merge.run(self.get(number), check, send, self.get)

    def merge_when_ready(self, number: int, head_commit: CommitId) -> str:
        return self._merging.when_ready(number, head_commit)

    def merge_by_hand(self, number: int) -> None:  # noqa: ARG002
        return  # the server was not asked to merge by itself

    # -- one step each

    def _ask_landing(self, commit: CommitId) -> datetime | None:
        try:
            found = self._pulls.read(self._client.get(f"{self._address.path}/commits/{commit}/pull", _LANDING))
        except Missing:
            return None
        return found.pull.merged_at


def connect(
    repository: Repository,
    now: Callable[[], datetime],
    settings: ForgeSettings,
) -> GiteaForge:
    environ = settings.environ
    address = address_of(known_url(repository, environ), settings.url, environ)
    client = ForgeClient(
        dialect_of(address, environ),
        address.api,
        find_for(address, environ),
        patience=settings.patience,
        sleep=time.sleep,
        now=now,
    )
    return GiteaForge(address, client, ServerMerge(repository, now))
