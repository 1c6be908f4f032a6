"""What is said around a pull request on GitHub: comments, labels, and who is asked to review it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.forges import conversation
from release_tool.forges.answers import Purpose, unreadable
from release_tool.forges.github import pulls
from release_tool.forges.github.dialect import READ, WRITE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from release_tool.forges.github.address import Address
    from release_tool.forges.github.client import GitHubClient
    from release_tool.model.records import PullRequest

_QUERY = """\
query ($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      comments(first: 100, after: $after) {
        nodes { id body viewerDidAuthor }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}"""
_CHANGE = """\
mutation ($id: ID!, $body: String!) {
  updateIssueComment(input: {id: $id, body: $body}) {
    issueComment { id }
  }
}"""
_PAGES = 100  # GitHub takes 2,500 comments

_LOOK = Purpose("read the comments", READ)
_SAY = Purpose("comment on a pull request", WRITE)
_CORRECT = Purpose("change a comment", WRITE)
_LABEL = Purpose("add labels", WRITE)
_ASK = Purpose("request reviews", WRITE)


class Comment(NamedTuple):
    """One comment, with its id of GraphQL: the numbers of REST no longer fit into those of GraphQL."""

    id: str
    text: str


class _Page(NamedTuple):
    """Some comments of the token's own account, and where the next page begins; None: there is none."""

    own: list[Comment]
    following: str | None


class Talk:
    """Comments, labels and reviewers of the pull requests of one repository."""

    def __init__(self, address: Address, client: GitHubClient) -> None:
        self._address = address
        self._client = client

    # -- comments

    def comments(self, number: int) -> Iterator[Comment]:
        """The comments of a pull request, the oldest first."""
        for value in self._client.pages(self._issue(number, "comments"), {"per_page": "100"}, _LOOK):
            if isinstance(value, dict):
                yield Comment(str(value.get("node_id") or ""), str(value.get("body") or ""))

    def add(self, number: int, text: str) -> None:
        """Adds a comment unless one of the same text is there."""
        text = pulls.fitting(text)

        def is_there() -> bool:
            return any(conversation.same_text(one.text, text) for one in self.comments(number))

        conversation.say_once(self._client, lambda: self._say(number, text), is_there)

    def keep(self, number: int, marker: str, text: str, *, only_if_there: bool) -> None:
        """Lets the one comment of ours that begins with a marker say this (`KeepsComments`)."""
        text = pulls.fitting(text)
        found = next(self._marked(number, marker), None)
        if found is None:
            if not only_if_there:
                conversation.say_once(
                    self._client, lambda: self._say(number, text), lambda: any(self._marked(number, marker))
                )
        elif not conversation.same_text(found.text, text):
            self._client.query(_CHANGE, {"id": found.id, "body": text}, _CORRECT)

    def _marked(self, number: int, marker: str) -> Iterator[Comment]:
        """The comments with a marker that the token's own account wrote: others can write the marker, too."""
        variables = {"owner": self._address.owner, "name": self._address.name, "number": number, "after": None}
        for _ in range(_PAGES):
            page = self._own(variables)
            yield from (comment for comment in page.own if comment.text.startswith(marker))
            if page.following is None:
                return
            variables["after"] = page.following

    def _own(self, variables: Mapping[str, Any]) -> _Page:
        data = self._client.query(_QUERY, variables, _LOOK)
        try:
            found = data["repository"]["pullRequest"]["comments"]
            own = [
                Comment(str(node["id"]), str(node["body"]))
                for node in found["nodes"]
                if node and node["viewerDidAuthor"]
            ]
            following = str(found["pageInfo"]["endCursor"]) if found["pageInfo"]["hasNextPage"] else None
        except (KeyError, TypeError, ValueError) as error:
            raise unreadable("a comment", self._address.url(variables["number"]), error, "GitHub") from error
        return _Page(own, following)

    def _say(self, number: int, text: str) -> None:
        self._client.create(self._issue(number, "comments"), {"body": text}, _SAY)

    # -- labels and reviewers

    def complete(self, pull: PullRequest, author: str, labels: Sequence[str], reviewers: Sequence[str]) -> PullRequest:
        """Asks the reviewers, then adds the labels: a label that is missing tells that this did not get to its end."""
        # GitHub lets nobody review what is their own.
        others = [one for one in reviewers if one.casefold() != author.casefold()]
        path = f"{self._address.path}/pulls/{pull.number}/requested_reviewers"
        conversation.ask_reviewers(pull, others, lambda asked: self._client.change("POST", path, asked, _ASK))
        wanted = conversation.missing_labels(labels, pull.labels)
        if not wanted:
            return pull
        # GitHub makes those that the repository doesn't have yet.
        found = self._client.change("POST", self._issue(pull.number, "labels"), {"labels": wanted}, _LABEL)
        return pull._replace(labels=_names(found) or (*pull.labels, *wanted))

    def _issue(self, number: int, what: str) -> str:
        """What GitHub keeps with issues, and every pull request is one."""
        return f"{self._address.path}/issues/{number}/{what}"


def _names(labels: Any) -> tuple[str, ...]:
    try:
        return pulls.names(labels)
    except (KeyError, TypeError):  # the labels are there all the same
        return ()
