"""No forge: the branch is pushed, and people take it from there."""

# ruff: noqa: ARG002 (the names of the arguments are the contract's)

from __future__ import annotations

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
    """Finds nothing and refuses the rest. The contract stands in `forges/base.py`."""

    capabilities = CAPABILITIES
    skew = None

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
        _refuse()

    def update(
        self, number: int, title: str, body: str, labels: Sequence[str] = (), *, reviewers: Sequence[str] = ()
    ) -> PullRequest:
        _refuse()

    def close(self, number: int, comment: str = "") -> PullRequest:
        _refuse()

    def comment(self, number: int, text: str) -> None:
        _refuse()

    def get(self, number: int) -> PullRequest:
        _refuse()

    def merge(self, number: int, method: str = "merge", check: Callable[[CommitId], None] | None = None) -> PullRequest:
        _refuse()

    def merge_when_ready(self, number: int, head_commit: CommitId) -> str:
        _refuse()

    def merge_by_hand(self, number: int) -> None:  # nothing merges by itself
        return


def _refuse() -> NoReturn:
    raise Refused(
        "the forge is `none`: there are no pull requests",
        hint="set forge.kind in release.yaml; `local` keeps pull requests in the git remote itself",
        page="explanation/publishing.md#forges",
    )


def connect(repository: Repository, now: Callable[[], datetime], settings: ForgeSettings) -> NoForge:  # noqa: ARG001
    return NoForge()
