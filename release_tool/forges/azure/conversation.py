"""What is said around a pull request on Azure DevOps: threads and their comments, labels, reviewers."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.forges import conversation
from release_tool.forges.answers import Forbidden, Invalid, Missing, Purpose, unreadable
from release_tool.forges.azure import pulls
from release_tool.forges.azure.dialect import PROPOSE, READ

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.forges.azure.address import AzureAddress
    from release_tool.forges.azure.client import AzureClient
    from release_tool.model.records import PullRequest

_LOG = logging.getLogger("release_tool.forges")

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_LOOK = Purpose("read the comments", READ)
_SAY = Purpose("comment on a pull request", PROPOSE)
_LABEL = Purpose("add labels", PROPOSE)
_ASK = Purpose("request reviews", PROPOSE)
_PERSON = Purpose("find a reviewer", "Identity (Read)")


class ThreadComment(NamedTuple):
    """One comment; `author` is the id of an account."""

    thread: int
    number: int
    text: str
    author: str


class AzureTalk:
    """Comments, labels and reviewers of the pull requests of one repository."""

    def __init__(self, address: AzureAddress, client: AzureClient) -> None:
        self._address = address
        self._client = client

    # -- comments

    def comments(self, number: int) -> Iterator[ThreadComment]:
        """What people and programs wrote below a pull request, the oldest first, without what the server notes."""
        found = self._client.get(self._path(number, "threads"), _LOOK)
        try:
            threads = [one for one in found["value"] if not one.get("isDeleted")]
            listed = [
                (pulls.time(said["publishedDate"]), one["id"], said) for one in threads for said in one["comments"]
            ]
            for _, thread, said in sorted(listed, key=lambda one: (one[0], one[1], one[2]["id"])):
                if said.get("commentType") != "system" and not said.get("isDeleted"):
                    author = str((said.get("author") or {}).get("id", ""))
                    yield ThreadComment(int(thread), int(said["id"]), str(said.get("content") or ""), author)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise unreadable("a comment", self._address.url(number), error, "Azure DevOps") from error

    def add(self, number: int, text: str) -> None:
        """Adds a comment unless one of the same text is there."""

        def is_there() -> bool:
            return any(conversation.same_text(one.text, text) for one in self.comments(number))

        conversation.say_once(self._client, lambda: self._say(number, text), is_there)

    def keep(self, number: int, marker: str, text: str, *, only_if_there: bool) -> None:
        """Lets the one comment of ours that begins with a marker say this (`KeepsComments`)."""
        found: list[ThreadComment] = []

        def is_there() -> bool:
            found[:] = self._ours(number, marker)
            return bool(found) or only_if_there

        conversation.say_once(self._client, lambda: self._say(number, text), is_there)
        for at, one in enumerate(found):
            path = self._path(number, f"threads/{one.thread}/comments/{one.number}")
            if at:  # two calls at one time made two
                self._client.change("DELETE", path, None, _SAY)
            elif not conversation.same_text(one.text, text):
                self._client.change("PATCH", path, {"content": text}, _SAY)

    def _ours(self, number: int, marker: str) -> list[ThreadComment]:
        """The comments with a marker that the token's own account wrote: others can write the marker, too."""
        marked = [one for one in self.comments(number) if one.text.startswith(marker)]
        own = self._client.account() if marked else ""
        return [one for one in marked if one.author.casefold() == own.casefold()]

    def _say(self, number: int, text: str) -> None:
        # A thread without a state: one that is active keeps a pull request from being completed where the policy
        # "Check for comment resolution" is on, and one that is closed is folded away.
        said = {"parentCommentId": 0, "content": text, "commentType": "text"}
        self._client.create(self._path(number, "threads"), {"comments": [said], "status": "unknown"}, _SAY)

    # -- labels and reviewers

    def labels(self, number: int) -> tuple[str, ...]:
        """The labels of a pull request, which it doesn't tell itself."""
        found = self._client.get(self._path(number, "labels"), _LABEL)
        try:
            return pulls.labels(found["value"])
        except (KeyError, TypeError, AttributeError) as error:
            raise unreadable("a label", self._address.url(number), error, "Azure DevOps") from error

    def label(self, pull: PullRequest, labels: Sequence[str]) -> PullRequest:
        """Adds the labels that a pull request doesn't have yet."""
        missing = conversation.missing_labels(labels, pull.labels)
        for name in missing:  # there is no way to add several; one that is there already stays
            self._client.change("POST", self._path(pull.number, "labels"), {"name": name}, _LABEL)
        return pull._replace(labels=(*pull.labels, *missing)) if missing else pull

    def reviewers(self, names: Sequence[str]) -> list[dict[str, str]]:
        """People and groups as a pull request names them; of one whom the server doesn't know there is a warning."""
        found = (self._reviewer(name) for name in dict.fromkeys(names))
        return [{"id": one} for one in dict.fromkeys(found) if one]

    def ask(self, pull: PullRequest, reviewers: Sequence[dict[str, str]]) -> None:
        """Asks for reviews; who is asked already stays so, and keeps the vote."""
        there = {str(one.get("id")) for one in self._asked(pull) if isinstance(one, dict)} if reviewers else set()
        for one in reviewers:
            if one["id"] not in there:
                try:
                    self._client.change(
                        "PUT", self._path(pull.number, f"reviewers/{one['id']}"), {**one, "vote": 0}, _ASK
                    )
                except (Invalid, Forbidden, Missing) as error:
                    _LOG.warning("%s can't be asked to review %s: %s", one["id"], pull.url, error.what)

    def _asked(self, pull: PullRequest) -> list[Any]:
        found = self._client.get(self._path(pull.number, "reviewers"), _ASK)
        listed = found.get("value") if isinstance(found, dict) else None
        return listed if isinstance(listed, list) else []

    def _reviewer(self, name: str) -> str:
        """The id of a person or a group (`project/team`); empty: the server knows none of that name."""
        if _GUID.fullmatch(name):
            return name
        project, _, team = name.rpartition("/")
        try:
            found = self._client.people(f"[{project}]\\{team}" if project else name, _PERSON)
        except Forbidden:
            _LOG.warning("%s can't be asked for a review: the token needs the scope `%s`, too", name, _PERSON.needs)
            return ""
        except (Missing, Invalid) as error:
            _LOG.warning("%s can't be asked for a review: %s", name, error.what)
            return ""
        known = [(_account(one), str(one["id"])) for one in found if isinstance(one, dict) and one.get("id")]
        exact = [one for account, one in known if name.casefold() in {account, account.partition("@")[0]}]
        ids = exact or [one for _, one in known]
        if len(set(ids)) == 1:
            return ids[0]
        why = "knows nobody" if not ids else f"knows {len(set(ids))} accounts"
        _LOG.warning("%s can't be asked for a review: Azure DevOps %s of that name", name, why)
        return ""

    def _path(self, number: int, what: str) -> str:
        return f"{self._address.path}/pullRequests/{number}/{what}"


def _account(value: dict[str, Any]) -> str:
    """The account of an identity, in lower case: mostly an e-mail address."""
    found = ((value.get("properties") or {}).get("Account") or {}).get("$value")
    return str(found or "").casefold()
