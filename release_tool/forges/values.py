"""What the JSON of all forges has in common: times, commits, and which merge brought a commit."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from release_tool.model.records import CommitId, PullRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def time(value: Any) -> datetime | None:
    """A time as forges write it (`2026-11-23T12:00:00Z`); None stays None; ValueError: it is none."""
    if value is None:
        return None
    found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    if found.tzinfo is None:
        raise ValueError("a time without a zone")
    return found


def commit(value: Any) -> CommitId:
    """The id of a commit; ValueError: it is none."""
    if not isinstance(value, str) or not _COMMIT.fullmatch(value):
        raise ValueError("not the id of a commit")
    return CommitId(value)


def landing(values: Iterable[PullRequest], sought: CommitId) -> datetime | None:
    """When the pull request that a commit came with was merged.

    Of several the one that became just this commit counts, else the one that was merged last: an age that is told too
    low retires nothing.
    """
    merged = [pull for pull in values if pull.merged_at is not None]
    exact = [pull for pull in merged if pull.merge_commit == sought]
    return max((pull.merged_at for pull in exact or merged if pull.merged_at), default=None)
