"""The forge of GitLab. The contract is in `forges/base.py`.

What can't be repeated blindly is looked for first, as on GitHub. A merge request is opened with all that it shall have
in one request: title, text, labels, reviewers. A bump takes three requests (the last finished merge request, the open
one, its new text), also where it opens one (the finished one looked for twice, opened); one more for each reviewer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from release_tool.errors import Refused, ReleaseError, TryAgain
from release_tool.forges import candidates, known_url
from release_tool.forges.answers import AGAIN, AnswerLost, Declined, Forbidden, Missing, Purpose
from release_tool.forges.base import ForgeSettings, Opened
from release_tool.forges.client import ForgeClient
from release_tool.forges.conversation import missing_labels
from release_tool.forges.gitlab import pulls
from release_tool.forges.gitlab.address import address_of, find_for
from release_tool.forges.gitlab.conversation import MergeRequestTalk
from release_tool.forges.gitlab.dialect import API, DIALECT
from release_tool.forges.gitlab.merging import MergeRequestMerging
from release_tool.forges.server_merge import ServerMerge
from release_tool.forges.values import landing
from release_tool.model.forge import Capabilities, Flavour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from release_tool.forges.gitlab.address import ProjectAddress
    from release_tool.forges.gitlab.by_push import GitLabByPush
    from release_tool.git.repository import Repository
    from release_tool.model.records import CommitId, PullRequest

_FEW = "20"
_READ = "read_api"
_BEING_MERGED = (0.5, 1.0, 2.0, 3.0)  # seconds; a merge takes about one

_FIND = Purpose("find the merge request of a branch", _READ)
_LIST = Purpose("list merge requests", _READ)
_SHOW = Purpose("read a merge request", _READ)
_OPEN = Purpose("open a merge request", API)
_UPDATE = Purpose("update a merge request", API)
_CLOSE = Purpose("close a merge request", API)
_LANDING = Purpose("find the merge request of a commit", _READ)


CAPABILITIES = Capabilities(
    "gitlab",
    "GitLab",
    noun="merge request",
    sigil=pulls.SIGIL,
    methods=("merge", "squash"),  # the first is the project's own way: a merge commit, or fast-forward
    auto_merge="forge",
    opens_empty=True,
    # docs.gitlab.com, "Instance limits"
    flavour=Flavour(title=255, body=1_048_576, comment=1_000_000, quick_actions=True, references="#!@&~%$^"),
)


class GitLabForge:
    """The merge requests of one project on GitLab."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        address: ProjectAddress,
        client: ForgeClient,
        server_merge: ServerMerge,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._server_merge = server_merge
        self.merging = MergeRequestMerging(address, client, sleep)
        self._address = address
        self._client = client
        self._talk = MergeRequestTalk(address, client)
        self._sleep = sleep
        self._pulls = f"{address.path}/merge_requests"
        # What was merged stays merged: each commit is asked about once.
        self._landed: dict[CommitId, datetime | None] = {}
        self._open_one = candidates.OpenOne()
        # The mark of a draft, as this call saw it last: our titles go below it.
        self._marks: dict[int, str] = {}

    @property
    def skew(self) -> timedelta | None:
        return self._client.skew

    def close_connections(self) -> None:
        self._client.close()

    # -- looking

    def find_open(self, head: str, base: str) -> PullRequest | None:
        # GitLab has one open merge request at most for each base, and closes it when its branch goes.
        return self._open_one(map(self._read, self._of_branch(head, {"state": "opened"})), base)

    def last_finished(self, head: str, base: str) -> PullRequest | None:
        busy: dict[int, PullRequest] = {}
        for pause in (*_BEING_MERGED, None):
            busy.clear()
            found = candidates.last_finished(self._candidates(head, base, busy), base, int(_FEW))
            if not busy:
                return found
            if pause is not None:
                self._sleep(pause)
        one = next(iter(busy.values()))
        raise TryAgain(f"merge request {one.name} is being merged", where=one.url, hint=AGAIN)

    def get(self, number: int) -> PullRequest:
        try:
            value = self._client.get(f"{self._pulls}/{number}", _SHOW)
        except Missing as error:
            hint = "`release pulls list --all` shows those that the token may see"
            what = f"there is no merge request {pulls.SIGIL}{number}"
            raise ReleaseError(what, where=self._address.url(number), hint=hint) from error
        pull = self._read(value)
        if not value.get("user_notes_count"):
            return pull
        return pull._replace(comments=tuple(comment.text for comment in self._talk.comments(number)))

    def list(self, state: str = "open") -> tuple[PullRequest, ...]:
        # Those of other branches, and of forks, are among them.
        asked = {"open": "opened"}.get(state, state)
        query = {"state": asked, "order_by": "created_at", "sort": "desc", "per_page": "100"}
        found = self._client.pages(self._pulls, query, _LIST)
        return tuple(self._read(value) for value in found if _has_head(value))

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
        asked = self._talk.reviewers(reviewers)
        proposed: dict[str, Any] = {
            "source_branch": head,
            "target_branch": base,
            "title": pulls.sent_title(title),
            "description": body,
            "labels": _joined(labels),  # GitLab makes those that the project doesn't have yet
            "reviewer_ids": asked,
            "remove_source_branch": True,
        }
        tries = 0
        while True:
            try:
                value = self._client.create(self._pulls, proposed, _OPEN)
            except AnswerLost as error:  # also: another call has opened it meanwhile
                found = self.find_open(head, base)
                if found is not None:
                    return Opened(found, created=False)
                self._client.pause(error, tries)
            except Declined as error:
                raise Refused(error.what, where=error.where, hint=error.hint) from error
            except Forbidden as error:
                raise self._why_forbidden() or error from error
            else:
                return self._opened(value, head, asked)
            tries += 1

    def update(
        self, number: int, title: str, body: str, labels: Sequence[str] = (), *, reviewers: Sequence[str] = ()
    ) -> PullRequest:
        if number not in self._marks:
            self._read(self._client.get(f"{self._pulls}/{number}", _SHOW))
        text: dict[str, Any] = {"title": pulls.sent_title(title, self._marks[number]), "description": body}
        if labels:
            text["add_labels"] = _joined(labels)
        asked = self._talk.reviewers(reviewers)
        if asked:
            text["reviewer_ids"] = asked
        value = self._client.change("PUT", f"{self._pulls}/{number}", text, _UPDATE)
        pull = self._read(value)
        if pull.state != "open":
            raise Refused(f"merge request {pull.name} is {pull.state}", where=pull.url)
        self._talk.tell_who_is_not_asked(value, asked, pull)
        return pull

    def close(self, number: int, comment: str = "") -> PullRequest:
        pull = self.get(number)
        if pull.state != "open":
            return pull
        if comment:  # before the close: one that stops in between is begun again, and finds the comment there
            self.comment(number, comment)
        return self._read(self._client.change("PUT", f"{self._pulls}/{number}", {"state_event": "close"}, _CLOSE))

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

    def _opened(self, value: Any, head: str, asked: Sequence[int]) -> Opened:
        if not _has_head(value):
            number = value.get("iid") if isinstance(value, dict) else None
            if isinstance(number, int):  # GitLab opens one of a branch that doesn't exist, too
                self._client.change("PUT", f"{self._pulls}/{number}", {"state_event": "close"}, _CLOSE)
            raise Refused(f"the branch {head} doesn't exist", where=self._address.web)
        pull = self._read(value)
        self._talk.tell_who_is_not_asked(value, asked, pull)
        return Opened(pull, created=True)

    def _why_forbidden(self) -> ReleaseError | None:
        """What the project's settings say of a refusal that GitLab gives no reason for; None: nothing."""
        project, where = self.merging.project(), self._address.web
        if project.get("archived") is True:
            return ReleaseError("the project is archived", where=where, hint="Settings, General, Advanced: Unarchive")
        if project.get("merge_requests_access_level") == "disabled" or project.get("merge_requests_enabled") is False:
            way = "switch them on: Settings, General, Visibility, project features, permissions"
            return ReleaseError("the project has no merge requests", where=where, hint=way)
        return None

    def _candidates(
        self, head: str, base: str, busy: dict[int, PullRequest]
    ) -> Iterator[tuple[PullRequest | None, datetime | None]]:
        """The merge requests of a branch, with the times of their last changes; to `busy` goes what is being merged."""
        order = {"order_by": "updated_at", "sort": "desc", "target_branch": base}
        for value in self._of_branch(head, order):
            pull = self._read(value)
            if value.get("state") == "locked":
                busy[pull.number] = pull
            if pull.merge_commit and pull.merged_at:  # most landings that are asked for are these: a request less each
                self._landed[pull.merge_commit] = pull.merged_at
            yield pull if pull.state != "open" else None, pulls.changed_at(value)

    def _ask_landing(self, commit: CommitId) -> datetime | None:
        path = f"{self._address.path}/repository/commits/{quote(commit, safe='')}/merge_requests"
        try:
            found = self._client.pages(path, {"per_page": _FEW}, _LANDING)
            return landing([self._read(value) for value in found if _has_head(value)], commit)
        except Missing as error:
            if "Commit" in error.what:  # "404 Commit Not Found"
                return None
            raise

    def _of_branch(self, head: str, query: Mapping[str, str]) -> Iterator[Any]:
        """The merge requests from a branch of this project."""
        for value in self._client.pages(self._pulls, {**query, "source_branch": head, "per_page": _FEW}, _FIND):
            if pulls.is_of_the_project(value) and value.get("source_branch") == head and _has_head(value):
                yield value

    def _read(self, value: Any) -> PullRequest:
        pull = pulls.merge_request(value, self._address.project)
        self._marks[pull.number] = pulls.draft_mark(value)
        return pull


def _has_head(value: Any) -> bool:
    """Whether a merge request has commits; one of a branch that never existed has none."""
    return isinstance(value, dict) and bool(value.get("sha"))


def _joined(labels: Sequence[str]) -> str:
    wrong = next((label for label in labels if "," in label), None)
    if wrong is not None:
        raise ReleaseError(
            f"a label of GitLab has no comma: `{wrong}`", where="publish.labels", hint="correct it in release.yaml"
        )
    return ",".join(missing_labels(labels, ()))


def connect(
    repository: Repository,
    now: Callable[[], datetime],
    settings: ForgeSettings,
) -> GitLabForge | GitLabByPush:
    address = address_of(known_url(repository, settings.environ), settings.url, settings.environ)
    token = find_for(address, settings.environ)
    if token is None:
        from release_tool.forges.gitlab.by_push import GitLabByPush

        return GitLabByPush(address, CAPABILITIES)
    client = ForgeClient(DIALECT, address.api, token, patience=settings.patience, sleep=time.sleep, now=now)
    return GitLabForge(address, client, ServerMerge(repository, now))
