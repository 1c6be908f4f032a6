"""Gitea's JSON -> records. What is missing or of another kind is an error that names it, never a crash."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.forges.answers import unreadable
from release_tool.model.records import CommitId, PullRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_AGIT = 1  # Forgejo's `flow` of a pull request that was pushed without a branch; Gitea gives it no `label`


class GiteaPull(NamedTuple):
    """A pull request with what the tool's own record of one has no place for.

    Attributes:
        pull: the record.
        own: its head is a branch of this repository, and not of a fork.
        tip: `head_commit` may be what the branch holds now: of a finished one only git knows the head.
        changed_at: when anything about it changed last.
        author: who opened it; empty for somebody who is gone.
        asked: users and teams (by their short names) that are asked for a review, in lower case.
        comments: how many there are.
    """

    pull: PullRequest
    own: bool
    tip: bool
    changed_at: datetime
    author: str
    asked: frozenset[str]
    comments: int


def read(value: Any, where: str, title: str) -> GiteaPull:
    """A pull request, as lists and single answers show it. Without comments: they have an address of their own.

    Args:
        value: the JSON.
        where: whose answer it is, for messages.
        title: the server's name, for messages.
    """
    try:
        pull, agit = _pull(value), _is_agit(value)
        return GiteaPull(
            pull=pull,
            own=not agit and value["head"]["repo_id"] == value["base"]["repo_id"],
            # A single answer, and Forgejo's list: they look at the branch, and count its lines.
            tip=pull.state != "open" and value["head"]["ref"] == pull.head and value.get("additions") is not None,
            changed_at=_time(value["updated_at"]),
            author=str((value.get("user") or {}).get("login", "")),
            asked=frozenset(
                [str(one["login"]).casefold() for one in value.get("requested_reviewers") or () if one]
                + [str(one["name"]).casefold() for one in value.get("requested_reviewers_teams") or () if one]
            ),
            comments=int(value.get("comments") or 0),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unreadable("a pull request", where, error, title) from error


def _pull(value: Mapping[str, Any]) -> PullRequest:
    merged = value["merged"] is True
    ref = str(value["head"]["ref"])
    # The server closes a pull request some moments after its branch was deleted.
    gone = ref.startswith("refs/pull/") and not _is_agit(value)
    finished = {"open": gone, "closed": True}[value["state"]]
    return PullRequest(
        number=int(value["number"]),
        url=str(value["html_url"]),
        state="merged" if merged else "closed" if finished else "open",
        head=str(value["head"]["label"] or ref),
        base=str(value["base"]["ref"]),
        head_commit=_commit(value["head"]["sha"]),
        title=str(value["title"]),
        body=str(value.get("body") or ""),
        merge_commit=_commit(value["merge_commit_sha"]) if merged and value.get("merge_commit_sha") else None,
        merged_at=_time(value["merged_at"]) if merged else None,
        closed_at=_time(value.get("closed_at") or value["updated_at"]) if finished else None,
        labels=names(value.get("labels") or ()),
    )


def _is_agit(value: Mapping[str, Any]) -> bool:
    """Whether a pull request was pushed without a branch."""
    return value.get("flow") == _AGIT or not value["head"]["label"]


def names(labels: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of labels, each once: a repository may have several of one name."""
    return tuple(dict.fromkeys(str(label["name"]) for label in labels))


def _time(value: Any) -> datetime:
    """A time as the server writes it (`2026-11-23T12:00:00Z`, or with an offset); ValueError: it is none."""
    found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    if found.tzinfo is None:
        raise ValueError("a time without a zone")
    return found


def _commit(value: Any) -> CommitId:
    """The id of a commit; ValueError: it is none."""
    if not isinstance(value, str) or not _COMMIT.fullmatch(value):
        raise ValueError("not the id of a commit")
    return CommitId(value)
