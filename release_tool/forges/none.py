"""No forge: the branch is pushed, and people take it from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from release_tool.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from release_tool.forges.base import Opened, Settings
    from release_tool.git.repository import Repository
    from release_tool.model.records import CommitId, PullRequest


class NoForge:
    """Finds nothing and refuses the rest. The contract stands in `forges/base.py`."""

    kind = "none"
    proposes = False

    def find_open(self, head: str, base: str) -> PullRequest | None:  # noqa: ARG002
        """None: there are no pull requests."""
        return None

    def last_finished(self, head: str, base: str) -> PullRequest | None:  # noqa: ARG002
        """None: there are no pull requests."""
        return None

    def open(
        self,
        head: str,  # noqa: ARG002
        base: str,  # noqa: ARG002
        title: str,  # noqa: ARG002
        body: str,  # noqa: ARG002
        labels: Sequence[str] = (),  # noqa: ARG002
        *,
        reviewers: Sequence[str] = (),  # noqa: ARG002
    ) -> Opened:
        """Refused."""
        _refuse()

    def update(
        self,
        number: int,  # noqa: ARG002
        title: str,  # noqa: ARG002
        body: str,  # noqa: ARG002
        labels: Sequence[str] = (),  # noqa: ARG002
        *,
        reviewers: Sequence[str] = (),  # noqa: ARG002
    ) -> PullRequest:
        """Refused."""
        _refuse()

    def close(self, number: int, comment: str = "") -> PullRequest:  # noqa: ARG002
        """Refused."""
        _refuse()

    def comment(self, number: int, text: str) -> None:  # noqa: ARG002
        """Refused."""
        _refuse()

    def get(self, number: int) -> PullRequest:  # noqa: ARG002
        """Refused."""
        _refuse()

    def list(self, state: str = "open") -> tuple[PullRequest, ...]:  # noqa: ARG002
        """Nothing."""
        return ()

    def landed_at(self, commit: CommitId) -> datetime | None:  # noqa: ARG002
        """None: git's committer time is all there is."""
        return None

    def merge(
        self,
        number: int,  # noqa: ARG002
        method: str = "merge",  # noqa: ARG002
        check: Callable[[CommitId], None] | None = None,  # noqa: ARG002
    ) -> PullRequest:
        """Refused."""
        _refuse()

    def merge_when_ready(self, number: int, head_commit: CommitId) -> str:  # noqa: ARG002
        """Refused."""
        _refuse()

    def merge_by_hand(self, number: int) -> None:
        """Nothing merges by itself."""


def _refuse() -> NoReturn:
    raise Refused(
        "the forge is `none`: there are no pull requests",
        hint="set forge.kind in release.yaml; `local` keeps pull requests in the git remote itself",
    )


def connect(
    repository: Repository,  # noqa: ARG001
    now: Callable[[], datetime],  # noqa: ARG001
    settings: Settings | None = None,  # noqa: ARG001
) -> NoForge:
    """The forge of any repository."""
    return NoForge()
