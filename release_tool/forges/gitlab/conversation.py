"""What is said around a merge request on GitLab: comments, and who is asked to review it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from release_tool.forges.answers import Forbidden, Missing, Purpose
from release_tool.forges.conversation import same_text, say_once
from release_tool.forges.gitlab.dialect import API

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from release_tool.forges.client import ForgeClient
    from release_tool.forges.gitlab.address import ProjectAddress
    from release_tool.model.records import PullRequest

_LOG = logging.getLogger("release_tool.forges")

_LOOK = Purpose("read the comments", "read_api")
_SAY = Purpose("comment on a merge request", API)
_CORRECT = Purpose("change a comment", API)
_SELF = Purpose("read who the token's owner is", "read_api")
_PERSON = Purpose("find a reviewer", "read_api")


class Note(NamedTuple):
    """One comment; `author` is the number of an account."""

    number: int
    text: str
    author: int


class MergeRequestTalk:
    """Comments and reviewers of the merge requests of one project."""

    def __init__(self, address: ProjectAddress, client: ForgeClient) -> None:
        self._address = address
        self._client = client

    # -- comments

    def comments(self, number: int) -> Iterator[Note]:
        """What was written below a merge request, the oldest first, without what GitLab itself notes there."""
        order = {"sort": "asc", "order_by": "created_at", "per_page": "100"}
        for value in self._client.pages(self._notes(number), order, _LOOK):
            if isinstance(value, dict) and value.get("system") is not True:
                author = value.get("author")
                who = author.get("id") if isinstance(author, dict) else None
                yield Note(_number(value.get("id")), str(value.get("body") or ""), _number(who))

    def add(self, number: int, text: str) -> None:
        """Adds a comment unless one of the same text is there."""
        self._say(number, text, lambda: any(same_text(one.text, text) for one in self.comments(number)))

    def keep(self, number: int, marker: str, text: str, *, only_if_there: bool) -> None:
        """Lets the one comment of ours that begins with a marker say this (`KeepsComments`)."""
        found = next(self._marked(number, marker), None)
        if found is None:
            if not only_if_there:
                self._say(number, text, lambda: any(self._marked(number, marker)))
        elif not same_text(found.text, text):
            self._client.change("PUT", f"{self._notes(number)}/{found.number}", {"body": text}, _CORRECT)

    def _marked(self, number: int, marker: str) -> Iterator[Note]:
        """The comments with a marker that the token's own account wrote: others can write the marker, too."""
        found = [comment for comment in self.comments(number) if comment.text.startswith(marker)]
        me = _number(_object(self._client.get("/user", _SELF)).get("id")) if found else 0
        yield from (comment for comment in found if comment.author == me)

    def _say(self, number: int, text: str, is_there: Callable[[], bool]) -> None:
        say_once(self._client, lambda: self._client.create(self._notes(number), {"body": text}, _SAY), is_there)

    def _notes(self, number: int) -> str:
        return f"{self._address.path}/merge_requests/{number}/notes"

    # -- reviewers

    def reviewers(self, names: Sequence[str]) -> list[int]:
        """The numbers of the accounts of some people; of one whom GitLab doesn't know there is a warning."""
        found: list[int] = []
        for name in dict.fromkeys(names):
            if "/" in name:
                _LOG.warning("%s can't be asked for a review: GitLab asks people, and no groups", name)
                continue
            try:
                listed = self._client.get(f"/users?{urlencode({'username': name})}", _PERSON)
            except (Forbidden, Missing) as error:
                _LOG.warning("%s can't be asked for a review: %s", name, error.what)
                continue
            ids = [_number(_object(one).get("id")) for one in listed] if isinstance(listed, list) else []
            if not any(ids):
                _LOG.warning("%s can't be asked for a review: GitLab knows nobody of that name", name)
            found += ids[:1]
        return found

    def tell_who_is_not_asked(self, value: Any, asked: Sequence[int], pull: PullRequest) -> None:
        """Warns where GitLab left reviewers out: without a licence it takes one alone."""
        there = _object(value).get("reviewers")
        named = {_number(_object(one).get("id")) for one in there} if isinstance(there, list) else set(asked)
        left = len(set(asked) - named)
        if left:
            some = "one reviewer is" if left == 1 else f"{left} reviewers are"
            _LOG.warning("%s not asked to review %s: GitLab Free takes one reviewer alone", some, pull.url)


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
