"""The versions of the `local` forge's pull requests: their refs, and `pull.json` as text. Pure."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from release_tool.errors import ReleaseError
from release_tool.model.records import CommitId, PullRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

PULLS = "refs/pulls/"

_TIMES = ("merged_at", "closed_at")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_BRANCH = re.compile(r"(?!-|.*\.\.)[^\x00-\x20\x7f~^:?*\[\\]+")  # git-check-ref-format(1), as far as it matters here


class Version(NamedTuple):
    """A version of a pull request.

    Attributes:
        pull: the pull request; that of an open one whose branch has vanished is closed.
        previous: the number of the same branch's pull request before; None: the first one.
        created_at: when it was opened, RFC 3339.
        commit: the commit that holds this version; None: not yet written.
        kept_head: the head that this version keeps from gc; that of `pull` may have moved on.
    """

    pull: PullRequest
    previous: int | None
    created_at: str
    commit: CommitId | None = None
    kept_head: CommitId | None = None


def ref_of(number: int) -> str:
    """The ref of a pull request."""
    return f"{PULLS}{number}"


def by_head(head: str) -> str:
    """The ref of the latest pull request of a branch.

    Without slashes: branches `release` and `release/devel` of different times get refs that git can hold together.
    """
    return f"{PULLS}by-head/{quote(head, safe='')}"


def written(version: Version) -> bytes:
    """`pull.json`."""
    values = version.pull._asdict()
    del values["url"]  # depends on who looks
    values |= {name: values[name].isoformat() for name in _TIMES if values[name] is not None}
    values |= {"schema": 1, "created_at": version.created_at, "previous": version.previous}
    return (json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def parsed(content: bytes, ref: str, commit: CommitId) -> Version:
    """A version from `pull.json`. Whoever may push may write anything there, so nothing in it is taken on trust."""
    try:
        values: Mapping[str, Any] = json.loads(content)
        head_commit = _commit_id(values["head_commit"])
        pull = PullRequest(
            number=int(values["number"]),
            url="",
            state={"open": "open", "merged": "merged", "closed": "closed"}[values["state"]],
            head=_branch(values["head"]),
            base=_branch(values["base"]),
            head_commit=head_commit,
            title=str(values["title"]),
            body=str(values["body"]),
            merge_commit=_commit_id(values["merge_commit"]) if values["merge_commit"] else None,
            labels=tuple(str(label) for label in values["labels"]),
            comments=tuple(str(comment) for comment in values["comments"]),
            merged_at=_time(values["merged_at"]),
            closed_at=_time(values["closed_at"]),
        )
        previous = None if values["previous"] is None else int(values["previous"])
        _check(ref in (ref_of(pull.number), by_head(pull.head)), "it belongs to another pull request")
        _check((previous or 0) < pull.number, "the one before has a higher number")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReleaseError(
            "a pull request can't be read",
            where=ref,
            cause=f"{type(error).__name__}: {error}",
            hint=f"delete it with `git push REMOTE :{ref}`, or put its last good version back",
        ) from error
    return Version(pull, previous, str(values.get("created_at", "")), commit, head_commit)


def _time(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _commit_id(value: Any) -> CommitId:
    _check(_COMMIT.fullmatch(value), "not the id of a commit")
    return CommitId(value)


def _branch(value: Any) -> str:
    _check(_BRANCH.fullmatch(value), "not the name of a branch")
    return str(value)


def _check(good: object, otherwise: str) -> None:
    if not good:
        raise ValueError(otherwise)
