"""What is said around a pull request on a Gitea: comments, labels, and who is asked to review it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.forges import conversation
from release_tool.forges.answers import Missing, Purpose, unreadable
from release_tool.forges.gitea.dialect import READ_ISSUE, WRITE, WRITE_ISSUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from release_tool.forges.client import ForgeClient
    from release_tool.forges.gitea import pulls
    from release_tool.forges.gitea.address import GiteaAddress
    from release_tool.model.records import PullRequest

_COLOUR = "#1d76db"  # of a label that the tool makes

_LOOK = Purpose("read the comments", READ_ISSUE)
_SAY = Purpose("comment on a pull request", WRITE_ISSUE)
_LABEL = Purpose("add labels", WRITE_ISSUE)
_ASK = Purpose("request reviews", WRITE)
_SELF = Purpose("read whose token it is", "read:user")


class GiteaComment(NamedTuple):
    """One comment: its number, who wrote it, its text."""

    id: int
    author: str
    text: str


class GiteaTalk:
    """Comments, labels and reviewers of the pull requests of one repository."""

    def __init__(self, address: GiteaAddress, client: ForgeClient) -> None:
        self._address = address
        self._client = client

    # -- comments

    def comments(self, number: int) -> Iterator[GiteaComment]:
        """The comments of a pull request, the oldest first."""
        for value in self._client.pages(self._issue(number, "comments"), {}, _LOOK):
            try:
                author = str((value.get("user") or {}).get("login", ""))
                yield GiteaComment(int(value["id"]), author, str(value.get("body") or ""))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise unreadable("a comment", self._address.url(number), error, self._client.dialect.title) from error

    def add(self, number: int, text: str) -> None:
        """Adds a comment unless one of the same text is there."""

        def is_there() -> bool:
            return any(conversation.same_text(one.text, text) for one in self.comments(number))

        conversation.say_once(self._client, lambda: self._say(number, text), is_there)

    def keep(self, number: int, marker: str, text: str, *, only_if_there: bool) -> None:
        """Lets the one comment of ours that begins with a marker say this (`KeepsComments`)."""
        found = self._ours(number, marker)
        if found is None:
            if not only_if_there:
                conversation.say_once(
                    self._client, lambda: self._say(number, text), lambda: self._ours(number, marker) is not None
                )
        elif not conversation.same_text(found.text, text):
            path = f"{self._address.path}/issues/comments/{found.id}"
            self._client.change("PATCH", path, {"body": text}, _SAY)

    def _ours(self, number: int, marker: str) -> GiteaComment | None:
        """The comment with a marker that the token's own account wrote."""
        marked = [one for one in self.comments(number) if one.text.startswith(marker)]
        # Others can write the marker, too, and whoever may write to the repository may change their comments.
        own = self._own_name() if marked else ""
        return next((one for one in marked if one.author == own), None)

    def _own_name(self) -> str:
        value = self._client.get("/user", _SELF)
        return str(value.get("login", "")) if isinstance(value, dict) else ""

    def _say(self, number: int, text: str) -> None:
        self._client.create(self._issue(number, "comments"), {"body": text}, _SAY)

    # -- labels and reviewers

    def complete(self, found: pulls.GiteaPull, labels: Sequence[str], reviewers: Sequence[str]) -> PullRequest:
        """Asks the reviewers, then adds the labels: a label that is missing tells that this did not get to its end."""
        pull = found.pull
        there = {*found.asked, found.author.casefold()}  # nobody may review what is their own
        wanted = [one for one in reviewers if one.rpartition("/")[2].casefold() not in there]
        path = f"{self._address.path}/pulls/{pull.number}/requested_reviewers"
        conversation.ask_reviewers(pull, wanted, lambda asked: self._client.change("POST", path, asked, _ASK))
        missing = conversation.missing_labels(labels, pull.labels)
        return pull._replace(labels=(*pull.labels, *self._label(pull.number, missing))) if missing else pull

    def ids_of(self, names: Sequence[str]) -> list[int]:
        """The numbers of the repository's labels by their names; those that it hasn't got are made."""
        values = self._client.pages(f"{self._address.path}/labels", {"limit": "50"}, _LABEL)
        there: dict[str, int] = {}
        for label in self._labels(values):  # several may have one name
            there[label.name.casefold()] = min(label.id, there.get(label.name.casefold(), label.id))
        for name in names:
            if name.casefold() not in there:
                there[name.casefold()] = self._make(name)
        return [there[name.casefold()] for name in conversation.missing_labels(names, ())]

    def _label(self, number: int, names: list[str]) -> list[str]:
        """Gives a pull request labels of the repository or its organisation; makes those that neither has."""
        there = self._add(number, names)
        unknown = conversation.missing_labels(names, (label.name for label in there))
        if unknown:
            made = {self._make(name) for name in unknown}
            there = self._add(number, unknown)
            # Two calls that make one at a time make two of one name: the older one stays.
            for label in there:
                if label.id in made and any(label.same_name(other) and other.id < label.id for other in there):
                    self._delete(label)
        return names

    def _delete(self, label: _Label) -> None:
        try:
            self._client.change("DELETE", f"{self._address.path}/labels/{label.id}", None, _LABEL)
        except Missing:  # by an attempt whose answer was lost
            return

    def _add(self, number: int, names: list[str]) -> list[_Label]:
        """Adds labels by their names, leaving out those that there aren't; all that the pull request has then."""
        return self._labels(self._client.change("POST", self._issue(number, "labels"), {"labels": names}, _LABEL))

    def _make(self, name: str) -> int:
        value = self._client.create(f"{self._address.path}/labels", {"name": name, "color": _COLOUR}, _LABEL)
        return self._labels([value])[0].id

    def _labels(self, values: Iterable[Any]) -> list[_Label]:
        try:
            return [_Label(int(value["id"]), str(value["name"])) for value in values]
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable("a label", self._address.server, error, self._client.dialect.title) from error

    def _issue(self, number: int, what: str) -> str:
        """What the server keeps with issues, and every pull request is one."""
        return f"{self._address.path}/issues/{number}/{what}"


class _Label(NamedTuple):
    id: int
    name: str

    def same_name(self, other: _Label) -> bool:
        return self.name.casefold() == other.name.casefold()
