"""GitHub's JSON -> records. What is missing or of another kind is an error that names it, never a crash."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.forges.answers import unreadable
from release_tool.model.records import CommitId, PullRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

# Characters that GitHub takes: of a title, and of a body or a comment.
MOST_TITLE = 256
MOST_TEXT = 65_536

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CUT = "\n\n…\n\nThis text was cut here: GitHub takes no longer one.\n"


_METHODS = {"merge": "mergeCommitAllowed", "squash": "squashMergeAllowed", "rebase": "rebaseMergeAllowed"}


class Standing(NamedTuple):
    """How a pull request stands with merging.

    Attributes:
        node: its id in GraphQL.
        state: `open`, `merged` or `closed`.
        head_commit: the tip of its head.
        merge_state: GitHub's `mergeStateStatus` in lower case: `clean`, `blocked`, `behind`, `dirty`, `unstable`, …
        auto_merge: whether GitHub will merge it by itself.
        methods: the ways of merging that the repository allows: `merge`, `squash`, `rebase`.
    """

    node: str
    state: str
    head_commit: CommitId
    merge_state: str
    auto_merge: bool
    methods: tuple[str, ...] = ()


def pull_request(value: Any, where: str) -> PullRequest:
    """A pull request, as lists and single answers show it. Without comments: they have an address of their own.

    `where` is whose answer it is, for the message of the ReleaseError where it is something else.
    """
    try:
        merged_at = time(value.get("merged_at"))
        state = "merged" if merged_at else {"open": "open", "closed": "closed"}[value["state"]]
        return PullRequest(
            number=int(value["number"]),
            url=str(value["html_url"]),
            state=state,
            head=str(value["head"]["ref"]),
            base=str(value["base"]["ref"]),
            head_commit=commit(value["head"]["sha"]),
            title=str(value["title"]),
            body=str(value.get("body") or ""),
            # Of one that isn't merged, this is a merge that GitHub tries out.
            merge_commit=commit(value["merge_commit_sha"]) if merged_at and value.get("merge_commit_sha") else None,
            merged_at=merged_at,
            closed_at=time(value.get("closed_at")),
            labels=names(value.get("labels") or ()),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unreadable("a pull request", where, error, "GitHub") from error


def same_repository(value: Any, full_name: str) -> bool:
    """Whether the head of a pull request is a branch of this repository, and not of a fork with the same owner."""
    source = ((value.get("head") or {}).get("repo") or {}) if isinstance(value, dict) else {}
    return str(source.get("full_name", "")).casefold() == full_name.casefold()


def author(value: Any) -> str:
    """Who opened a pull request; empty for somebody who is gone."""
    user = value.get("user") if isinstance(value, dict) else None
    return str(user.get("login", "")) if isinstance(user, dict) else ""


def changed_at(value: Any) -> datetime | None:
    """When anything about a pull request changed last; None where that isn't told."""
    try:
        return time(value.get("updated_at"))
    except ValueError:
        return None


def names(labels: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(label["name"]) for label in labels)


def standing(data: Any, where: str) -> Standing:
    """How a pull request stands, from the data of GraphQL; arguments and errors as for `pull_request`."""
    try:
        pull = data["repository"]["pullRequest"]
        return Standing(
            node=str(pull["id"]),
            state=str(pull["state"]).lower(),
            head_commit=commit(pull["headRefOid"]),
            merge_state=str(pull["mergeStateStatus"]).lower(),
            auto_merge=pull["autoMergeRequest"] is not None,
            methods=tuple(method for method, key in _METHODS.items() if data["repository"][key]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable("a pull request", where, error, "GitHub") from error


def landing(values: Iterable[PullRequest], sought: CommitId) -> datetime | None:
    """When the pull request that a commit came with was merged.

    Of several the one that became just this commit counts, else the one that was merged last: an age that is told too
    low retires nothing.
    """
    merged = [pull for pull in values if pull.merged_at is not None]
    exact = [pull for pull in merged if pull.merge_commit == sought]
    return max((pull.merged_at for pull in exact or merged if pull.merged_at), default=None)


def fitting(text: str, most: int = MOST_TEXT) -> str:
    """A text that GitHub takes, cut at the end of a line with a sentence where it is too long."""
    if len(text) <= most:
        return text
    kept = text[: most - len(_CUT)]
    return kept[: kept.rfind("\n") + 1 or None].rstrip("\n") + _CUT


def fitting_title(title: str) -> str:
    return title if len(title) <= MOST_TITLE else f"{title[: MOST_TITLE - 1]}…"


def time(value: Any) -> datetime | None:
    """A time as GitHub writes it (`2026-11-23T12:00:00Z`); None stays None; ValueError: it is none."""
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
