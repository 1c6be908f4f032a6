"""No forge: the branch is pushed, and people take it from there."""

# ruff: noqa: ARG002 (the names of the arguments are the contract's)

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from release_tool.errors import Refused
from release_tool.model.forge import Capabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from release_tool.forges.base import ForgeSettings, Opened
    from release_tool.git.repository import Repository
    from release_tool.model.records import CommitId, PullRequest


CAPABILITIES = Capabilities(
    "none",
    "no forge",
    proposes=False,
    knows_landings=False,
    deleting_closes=False,
    reopens=False,
    keeps_comments=False,
    labels=False,
    reviewers=False,
)


class NoForge:
    """Finds nothing and refuses the rest. The contract stands in `forges/base.py`.

    Args:
        advise: where nobody chose this, what to do for pull requests, in a sentence. May look at the server.
    """

    capabilities = CAPABILITIES
    skew = None

    def __init__(self, advise: Callable[[], str] = lambda: "") -> None:
        self._advise = advise

    @cached_property
    def advice(self) -> str:
        """What to do for pull requests; empty: that there are none is wanted."""
        return self._advise()

    def find_open(self, head: str, base: str) -> PullRequest | None:
        return None

    def last_finished(self, head: str, base: str) -> PullRequest | None:
        return None

    def list(self, state: str = "open") -> tuple[PullRequest, ...]:
        return ()

    def landed_at(self, commit: CommitId) -> datetime | None:
        return None

    def open(
        self, head: str, base: str, title: str, body: str, labels: Sequence[str] = (), *, reviewers: Sequence[str] = ()
    ) -> Opened:
        self._refuse()

    def update(
        self, number: int, title: str, body: str, labels: Sequence[str] = (), *, reviewers: Sequence[str] = ()
    ) -> PullRequest:
        self._refuse()

    def close(self, number: int, comment: str = "") -> PullRequest:
        self._refuse()

    def comment(self, number: int, text: str) -> None:
        self._refuse()

    def get(self, number: int) -> PullRequest:
        self._refuse()

    def merge(self, number: int, method: str = "merge", check: Callable[[CommitId], None] | None = None) -> PullRequest:
        self._refuse()

    def merge_when_ready(self, number: int, head_commit: CommitId) -> str:
        self._refuse()

    def merge_by_hand(self, number: int) -> None:  # nothing merges by itself
        return

    def _refuse(self) -> NoReturn:
        raise Refused(
            "the forge is `none`: there are no pull requests",
            cause=self.advice,
            hint="set forge.kind in release.yaml; `local` keeps pull requests in the git remote itself",
            page="explanation/publishing.md#forges",
        )


def connect(repository: Repository, now: Callable[[], datetime], settings: ForgeSettings) -> NoForge:  # noqa: ARG001
    return NoForge()
