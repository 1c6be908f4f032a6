"""Looks at the pull requests of a Gitea in as few requests as it allows: it has no filter for heads."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from release_tool.errors import ReleaseError
from release_tool.forges.answers import Missing, Purpose
from release_tool.forges.base import DUPLICATE
from release_tool.forges.gitea import pulls
from release_tool.forges.gitea.dialect import READ

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.forges.client import ForgeClient
    from release_tool.forges.gitea.address import GiteaAddress
    from release_tool.git.repository import Repository
    from release_tool.model.records import PullRequest

FEW = 10  # an item is as long as its text, and the first one is nearly always the one
MOST = "50"  # as many as a page has at most

_FIND = Purpose("find the pull request of a branch", READ)
_LIST = Purpose("list pull requests", READ)
_SHOW = Purpose("read a pull request", READ)


class GiteaPulls:
    """`newest` is the highest number that was seen; -1: nobody looked."""

    def __init__(self, address: GiteaAddress, client: ForgeClient, repository: Repository) -> None:
        self.newest = -1
        self._address = address
        self._client = client
        self._repository = repository
        self._pulls = f"{address.path}/pulls"

    def read(self, value: Any) -> pulls.GiteaPull:
        found = pulls.read(value, self._address.full_name, self._client.dialect.title)
        self.newest = max(self.newest, found.pull.number)
        return found

    def get(self, number: int) -> pulls.GiteaPull:
        """One by its number, with the head that it has or had; ReleaseError where there is none."""
        try:
            found = self.read(self._client.get(f"{self._pulls}/{number}", _SHOW))
        except Missing as error:
            hint = "`release pulls list --all` shows those that the token may see"
            what = f"there is no pull request #{number}"
            raise ReleaseError(what, where=self._address.url(number), hint=hint) from error
        return found._replace(pull=self.at_its_end(found))

    def of_state(self, state: str) -> Iterator[pulls.GiteaPull]:
        """Those in a state (`open`, `closed`, `all`), also of other branches and of forks, the newest first."""
        return self._all({"state": state, "limit": MOST}, _LIST)

    def open_ones(self, head: str) -> list[PullRequest]:
        """The open pull requests of a branch, the oldest first."""
        found = self._all({"state": "open", "head": head, "limit": MOST}, _FIND)  # Forgejo has the filter
        mine = (one.pull for one in found if is_of(one, head) and one.pull.state == "open")
        return sorted(mine, key=lambda pull: pull.number)

    def latest(self, head: str, base: str) -> Iterator[pulls.GiteaPull]:
        """Pull requests to a base, the last changed first, as long as one of a branch may come."""
        # Open ones are among them: one whose branch is gone counts as closed before the server has closed it.
        query = {"state": "all", "sort": "recentupdate", "head": head, "base": base, "base_branch": base}
        first = list(islice(self._client.pages(self._pulls, {**query, "limit": str(FEW)}, _FIND), FEW))
        self.newest = max(self.newest, 0)
        found = [self.read(value) for value in first if value is not None]
        yield from found
        if len(first) == FEW and (any(is_of(one, head) for one in found) or self._ever(head, base)):
            yield from self._all({**query, "limit": MOST}, _FIND)

    def at_its_end(self, found: pulls.GiteaPull) -> PullRequest:
        """A pull request; a finished one with the head that it had then."""
        ref = f"refs/pull/{found.pull.number}/head"
        if not found.tip:
            return found.pull
        return found.pull._replace(head_commit=self._repository.refs(ref).refs.get(ref, found.pull.head_commit))

    def _ever(self, head: str, base: str) -> bool:
        """Whether there was ever a pull request between two branches; True where nobody knows."""
        if "/" in base:  # a proxy may not let it through
            return True
        try:
            self._client.get(f"{self._pulls}/{quote(base, safe='')}/{quote(head)}", _FIND)
        except Missing:
            return False
        return True

    def _all(self, query: Mapping[str, str], purpose: Purpose) -> Iterator[pulls.GiteaPull]:
        # One that the server fails on is null in Forgejo's list.
        return (self.read(value) for value in self._client.pages(self._pulls, query, purpose) if value is not None)


def is_of(one: pulls.GiteaPull, head: str) -> bool:
    """Whether a pull request is one of a branch of this repository, and was meant to be there."""
    return one.own and one.pull.head == head and not one.pull.body.startswith(DUPLICATE)
