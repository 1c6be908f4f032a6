"""What a Gitea says of a repository, its base and a token, for `release doctor`. Nothing is changed."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from release_tool.forges.answers import Declined, Forbidden, Missing, Purpose
from release_tool.forges.client import ForgeClient
from release_tool.forges.gitea.dialect import READ, READ_ISSUE, WRITE, WRITE_ISSUE, dialect_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.forges.gitea.address import GiteaAddress
    from release_tool.forges.token import Token

_LOOK = Purpose("read the repository", READ)
_STYLES = {
    "allow_merge_commits": "merge",
    "allow_rebase_explicit": "rebase-merge",
    "allow_squash_merge": "squash",
    "allow_rebase": "rebase",
    "allow_fast_forward_only_merge": "fast-forward-only",
}
# A scope -> a request that takes it and changes nothing: there is no pull request and no comment 0.
_TRIALS = {
    WRITE: ("PATCH", "/pulls/0"),
    WRITE_ISSUE: ("PATCH", "/issues/comments/0"),
}


class GiteaRepository(NamedTuple):
    """A repository, and what the token's account may do there."""

    web: str  # address of its page
    default_branch: str
    archived: bool
    mirror: bool
    parent: str  # what it is a fork of, `owner/name`; empty: it is none
    has_pulls: bool
    may_push: bool
    styles: tuple[str, ...]  # the ways of merging that are allowed


class GiteaBranch(NamedTuple):
    """What the rules of a branch demand."""

    protected: bool
    approvals: int
    checks: tuple[str, ...]
    may_push: bool
    may_merge: bool


class GiteaSettings:
    """Looks at one repository."""

    def __init__(self, address: GiteaAddress, token: Token, environ: Mapping[str, str]) -> None:
        self._path = address.path
        self._client = ForgeClient(
            dialect_of(address, environ), address.api, token, patience=0, sleep=time.sleep, now=_now
        )

    def close(self) -> None:
        self._client.close()

    @property
    def time(self) -> datetime | None:
        """The server's time at the last answer, to the second."""
        skew: timedelta | None = self._client.skew
        return None if skew is None else _now() - skew

    def repository(self) -> GiteaRepository:
        found = _object(self._client.get(self._path, _LOOK))
        may, parent = _object(found.get("permissions")), _object(found.get("parent"))
        return GiteaRepository(
            web=str(found.get("html_url") or ""),
            default_branch=str(found.get("default_branch") or ""),
            archived=found.get("archived") is True,
            mirror=found.get("mirror") is True,
            parent=str(parent.get("full_name") or ("another" if found.get("fork") else "")),
            has_pulls=found.get("has_pull_requests") is not False,
            may_push=may.get("push") is True,
            styles=tuple(style for key, style in _STYLES.items() if found.get(key) is True),
        )

    def branch(self, name: str) -> GiteaBranch | None:
        """A branch; None: there is none of that name."""
        try:
            found = _object(self._client.get(f"{self._path}/branches/{quote(name)}", _LOOK))
        except Missing:
            return None
        wanted = found.get("status_check_contexts") if found.get("enable_status_check") else None
        return GiteaBranch(
            protected=found.get("protected") is True,
            approvals=int(found.get("required_approvals") or 0),
            checks=tuple(map(str, wanted or ())),
            may_push=found.get("user_can_push") is True,
            may_merge=found.get("user_can_merge") is True,
        )

    def lacks(self) -> tuple[str, ...]:
        """The scopes that the token hasn't got, of those that every operation takes."""
        missing = [scope for scope, (method, path) in _TRIALS.items() if self._is_forbidden(method, path, scope)]
        if WRITE_ISSUE not in missing and self._is_forbidden("GET", "/labels?limit=1", READ_ISSUE):
            missing.append(READ_ISSUE)
        return tuple(missing)

    def knows_itself(self) -> bool:
        """Whether the token may read whose it is."""
        try:
            self._client.get("/user", Purpose("read whose token it is", "read:user"))
        except (Forbidden, Missing):
            return False
        return True

    def _is_forbidden(self, method: str, path: str, scope: str) -> bool:
        try:
            body: dict[str, Any] | None = None if method == "GET" else {"body": "-"}
            self._client.change(method, f"{self._path}{path}", body, Purpose("try the token", scope))
        except Forbidden as error:
            return "required=[" in error.what
        except (Missing, Declined):
            return False
        return False


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
