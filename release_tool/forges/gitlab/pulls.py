"""GitLab's JSON -> records. What is missing or of another kind is an error that names it, never a crash.

Sources (docs.gitlab.com): "Merge requests API", its sections "Response attributes" and "Merge status"; "Draft merge
requests".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.forges.answers import unreadable
from release_tool.forges.values import commit, time
from release_tool.model.records import CommitId, PullRequest

if TYPE_CHECKING:
    from datetime import datetime

SIGIL = "!"

_STATES = {"opened": "open", "locked": "open", "closed": "closed", "merged": "merged"}
# What GitLab takes for the mark of a draft at the beginning of a title, and what we put before a title of our own that
# begins so (an environment may be called `draft`).
_DRAFT = re.compile(r"(?:(?:\[draft\]|\(draft\)|draft:|draft -)\s*)+", re.IGNORECASE)
_OURS = "Release of "


class MergeRequestStanding(NamedTuple):
    """How a merge request stands with merging.

    Attributes:
        state: GitLab's: `opened`, `closed`, `merged`, `locked` (being merged just now).
        head_commit: the tip of its source branch as GitLab knows it, which a push changes in the background.
        status: `detailed_merge_status`: `mergeable`, `not_approved`, `ci_still_running`, …
        auto_merge: GitLab will merge it by itself.
        error: why the last merge failed; empty: none did.
    """

    state: str
    head_commit: CommitId | None
    status: str
    auto_merge: bool
    error: str


def merge_request(value: Any, where: str) -> PullRequest:
    """A merge request, as lists and single answers show it. Without comments: they have an address of their own.

    `where` is whose answer it is, for the message of the ReleaseError where it is something else.
    """
    try:
        merged_at = time(value.get("merged_at"))
        state = _STATES[value["state"]]
        merged = state == "merged"
        head = commit(value["sha"])
        # By fast-forward it becomes its own head, or the commit of the squash.
        became = value.get("merge_commit_sha") or value.get("squash_commit_sha") or head
        closed_at = merged_at or time(value.get("closed_at")) or time(value.get("updated_at"))
        return PullRequest(
            number=int(value["iid"]),
            url=str(value["web_url"]),
            state=state,
            head=str(value["source_branch"]),
            base=str(value["target_branch"]),
            head_commit=head,
            title=_shown_title(str(value["title"])),
            body=str(value.get("description") or ""),
            merge_commit=commit(became) if merged else None,
            merged_at=merged_at if merged else None,
            closed_at=None if state == "open" else closed_at,
            labels=tuple(str(label) for label in value.get("labels") or ()),
            sigil=SIGIL,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unreadable("a merge request", where, error, "GitLab") from error


def standing(value: Any, where: str) -> MergeRequestStanding:
    """How a merge request stands, from a single answer; errors as for `merge_request`."""
    try:
        return MergeRequestStanding(
            state=str(value["state"]),
            head_commit=commit(value["sha"]) if value.get("sha") else None,
            status=str(value.get("detailed_merge_status") or ""),
            auto_merge=value.get("merge_when_pipeline_succeeds") is True,
            error=str(value.get("merge_error") or ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unreadable("a merge request", where, error, "GitLab") from error


def is_of_the_project(value: Any) -> bool:
    """Whether the source of a merge request is a branch of its own project, and not of a fork."""
    return isinstance(value, dict) and value.get("source_project_id") == value.get("target_project_id")


def changed_at(value: Any) -> datetime | None:
    """When anything about a merge request changed last; None where that isn't told."""
    try:
        return time(value.get("updated_at"))
    except ValueError:
        return None


def draft_mark(value: Any) -> str:
    """What marks a merge request as a draft, at the beginning of its title; empty: it is none."""
    found = _DRAFT.match(str(value.get("title", ""))) if isinstance(value, dict) else None
    return found[0] if found else ""


def sent_title(title: str, mark: str = "") -> str:
    """A title of ours as GitLab gets it: a draft stays one, and nothing else becomes one."""
    return f"{mark}{_OURS}{title}" if _DRAFT.match(title) else f"{mark}{title}"


def _shown_title(title: str) -> str:
    """A title without the mark of a draft, which is a person's."""
    title = _DRAFT.sub("", title, count=1) if _DRAFT.match(title) else title
    ours = title.removeprefix(_OURS)
    return ours if _DRAFT.match(ours) else title
