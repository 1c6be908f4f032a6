"""Which of the pull requests of a branch is meant: the open one, or the one that was finished last."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from release_tool.model.records import PullRequest

_LOG = logging.getLogger("release_tool.forges")


class OpenOne:
    """Finds the open one. One whose base somebody changed is no longer ours: a warning names it, and people decide."""

    def __init__(self) -> None:
        self._told: set[int] = set()

    def __call__(self, found: Iterable[PullRequest], base: str) -> PullRequest | None:
        """Of the open pull requests of a branch the one that goes to a base; each other one is told once."""
        mine = None
        for pull in found:
            if pull.base == base:
                mine = mine or pull
            elif pull.number not in self._told:
                self._told.add(pull.number)
                _LOG.warning(
                    "pull request %s of %s goes to %s and not to %s: change its base back, or close it (%s)",
                    *(pull.name, pull.head, pull.base, base, pull.url),
                )
        return mine


def last_finished(
    found: Iterable[tuple[PullRequest | None, datetime | None]], base: str, page: int = 1
) -> PullRequest | None:
    """The one that was finished last. Forges sort by the last change: what was changed before a close was closed then.

    Args:
        found: pull requests with the times of their last changes, the latest first; None for one of another branch.
        base: the base that they go to; others are left out.
        page: so many come with one request.
    """
    best: PullRequest | None = None
    for at, (pull, changed_at) in enumerate(found, 1):
        if pull is not None and pull.base == base and pull.closed_at and (best is None or _order(pull) > _order(best)):
            best = pull
        older = best is not None and changed_at is not None and changed_at < _order(best)[0]
        if older and at % page == 0:  # the rest of a page is here already
            break
    return best


def _order(pull: PullRequest) -> tuple[datetime, int]:
    assert pull.closed_at is not None
    return pull.closed_at, pull.number
