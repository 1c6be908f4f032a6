"""The settings of a project on GitLab, as far as a token may see them. Reads only; `release doctor` judges them.

Sources (docs.gitlab.com): "Projects API", "Protected branches API", "Merge request approvals API", "Push rules API",
"Project members API", "Pipeline schedules API", "Personal access tokens API". Nothing is tried twice here, and no
answer is waited for longer than its time: who examines wants to know that now.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from release_tool.forges.answers import AGAIN, AnswerLost, Missing, Sent, read
from release_tool.forges.gitlab.dialect import DIALECT
from release_tool.net.transport import Transport, http_date

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.forges.gitlab.address import ProjectAddress
    from release_tool.forges.token import Token
    from release_tool.net.transport import Answer

_MOST = 4 * 1024 * 1024  # bytes of an answer
_READ = "read_api"

DEVELOPER, MAINTAINER = 30, 40
ROLES = {0: "no role", 5: "Minimal Access", 10: "Guest", 15: "Planner", 20: "Reporter", 30: "Developer"}
ROLES |= {40: "Maintainer", 50: "Owner", 60: "administrator"}


class ProjectSettings(NamedTuple):
    """What holds for the project."""

    web: str  # address of its page
    path: str  # `group/project`
    default_branch: str
    archived: bool
    parent: str  # what it is a fork of, `group/project`; empty: it is none
    merge_requests: bool  # whether there are merge requests at all
    mirrored: bool  # it is pulled from elsewhere, which overwrites its branches
    method: str  # `merge`, `rebase_merge` (semi-linear) or `ff`
    squash: str  # `never`, `always`, `default_on` or `default_off`
    pipelines_must_succeed: bool
    threads_must_be_resolved: bool
    deletes_branch: bool
    trains: bool
    job_token_pushes: bool  # whether the token of a job may push


class TokenOwner(NamedTuple):
    """The token, and whose it is."""

    scopes: tuple[str, ...]
    expires: datetime | None
    account: int
    name: str  # the account's
    role: int | None  # the account's access level in the project; None: it is no member


class AccessLevel(NamedTuple):
    """Who may do something to a protected branch: a role and all above, or somebody alone."""

    role: int | None  # 0: nobody; None: not by role
    account: int  # 0: not a person
    other: bool  # a group or a deploy key
    words: str  # as GitLab shows it


class ProtectedBranch(NamedTuple):
    """The protection of a branch, or of all whose names match a pattern."""

    name: str
    push: tuple[AccessLevel, ...]
    merge: tuple[AccessLevel, ...]
    force: bool  # force pushes are allowed
    owners: bool  # code owners must approve

    def covers(self, branch: str) -> bool:
        """Whether a branch is protected by it: `*` stands for anything."""
        pattern = ".*".join(map(re.escape, self.name.split("*")))
        return re.fullmatch(pattern, branch) is not None


class BranchAccess(NamedTuple):
    """What GitLab says of a branch to everybody who may read it."""

    protected: bool
    may_push: bool  # whether the token's owner may push to it
    developers_merge: bool  # whether the role Developer may merge into it


class Approvals(NamedTuple):
    """What a merge request needs of reviewers."""

    required: int
    reset_on_push: bool


class GitLabSettings:
    """Looks at one project. Not for several threads at once.

    For every method holds: it raises `Forbidden` or `Missing` where the token may not see it, `TryAgain` when GitLab is
    away, busy or limits the rate, and any other `ReleaseError` for what a person must fix.
    """

    def __init__(self, address: ProjectAddress, token: Token | None, *, timeout: float = 10.0) -> None:
        self._path = address.path
        self._source = token.source if token else ""
        self._last: Answer | None = None
        secret = token.secret if token else None
        self._transport = Transport(
            "GitLab", address.api, timeout=timeout, token=secret, token_from=self._source, most=_MOST
        )

    def close(self) -> None:
        self._transport.close()

    @property
    def time(self) -> datetime | None:
        """The server's time at the last answer, to the second."""
        return http_date(self._last.headers.get("Date", "")) if self._last else None

    def version(self) -> str:
        """The server's version: `17.11.2-ee`."""
        return _text(_object(self._ask("/version", "read the version", whole=True)), "version")

    def project(self) -> ProjectSettings:
        found = _object(self._ask("", "read the project"))
        parent = _object(found.get("forked_from_project"))
        return ProjectSettings(
            web=_text(found, "web_url"),
            path=_text(found, "path_with_namespace"),
            default_branch=_text(found, "default_branch"),
            archived=found.get("archived") is True,
            parent=_text(parent, "path_with_namespace"),
            merge_requests=found.get("merge_requests_access_level", "enabled") != "disabled"
            and found.get("merge_requests_enabled") is not False,
            mirrored=found.get("mirror") is True,
            method=_text(found, "merge_method") or "merge",
            squash=_text(found, "squash_option"),
            pipelines_must_succeed=found.get("only_allow_merge_if_pipeline_succeeds") is True,
            threads_must_be_resolved=found.get("only_allow_merge_if_all_discussions_are_resolved") is True,
            deletes_branch=found.get("remove_source_branch_after_merge") is True,
            trains=found.get("merge_trains_enabled") is True,
            job_token_pushes=found.get("ci_push_repository_for_job_token_allowed") is True,
        )

    def credential(self) -> TokenOwner:
        """The token's scopes and end, and the role of its owner."""
        token = _object(self._ask("/personal_access_tokens/self", "read the token", whole=True))
        user = _object(self._ask("/user", "read who the token's owner is", whole=True))
        account = _number(user, "id")
        try:
            member = _object(self._ask(f"/members/all/{account}", "read the role of the token's owner"))
            role: int | None = _number(member, "access_level")
        except Missing:
            role = 60 if user.get("is_admin") is True else None
        scopes = token.get("scopes")
        listed = tuple(map(str, scopes)) if isinstance(scopes, list) else ()
        return TokenOwner(listed, _day(token.get("expires_at")), account, _text(user, "username"), role)

    def protected(self) -> tuple[ProtectedBranch, ...]:
        """All protected branches, and patterns of them."""
        listed = self._ask("/protected_branches?per_page=100", "read the protected branches")
        return tuple(
            ProtectedBranch(
                name=_text(one, "name"),
                push=_levels(one.get("push_access_levels")),
                merge=_levels(one.get("merge_access_levels")),
                force=one.get("allow_force_push") is True,
                owners=one.get("code_owner_approval_required") is True,
            )
            for one in map(_object, listed if isinstance(listed, list) else ())
        )

    def branch(self, name: str) -> BranchAccess:
        """How a branch is protected, as far as the role Developer sees."""
        found = _object(self._ask(f"/repository/branches/{quote(name, safe='')}", "read a branch"))
        protected = found.get("protected") is True
        merges = not protected or found.get("developers_can_merge") is True
        return BranchAccess(protected, found.get("can_push") is True, merges)

    def approvals(self, branch: str) -> Approvals | None:
        """What merge requests to a branch need; None: this GitLab (Free) demands no approvals."""
        try:
            settings = _object(self._ask("/approvals", "read the approval settings"))
            rules = self._ask("/approval_rules?per_page=100", "read the approval rules")
        except Missing:
            return None
        required = _number(settings, "approvals_before_merge")
        for rule in map(_object, rules if isinstance(rules, list) else ()):
            branches = [_text(_object(one), "name") for one in rule.get("protected_branches") or []]
            if branch in branches or not branches or rule.get("applies_to_all_protected_branches") is True:
                required = max(required, _number(rule, "approvals_required"))
        return Approvals(required, settings.get("reset_approvals_on_push") is True)

    def push_rules(self) -> Mapping[str, Any]:
        """The push rules, as the API names them; empty: there are none (or this is GitLab Free)."""
        try:
            return _object(self._ask("/push_rule", "read the push rules"))
        except Missing:
            return {}

    def schedules(self) -> tuple[str, ...]:
        """What the active pipeline schedules are called."""
        listed = self._ask("/pipeline_schedules?scope=active&per_page=100", "read the pipeline schedules")
        found = listed if isinstance(listed, list) else []
        return tuple(_text(one, "description") for one in map(_object, found))

    def try_merge_requests(self) -> None:
        """Reads one merge request at most: whether that is permitted at all."""
        self._ask("/merge_requests?per_page=1", "read merge requests")

    def _ask(self, path: str, doing: str, *, whole: bool = False) -> Any:
        """What stands below the project; `whole`: below the API itself."""
        path = path if whole else self._path + path
        self._last = self._transport.ask("GET", path)
        sent = Sent(doing, self._transport.where(path), _READ, self._source)
        found = read(self._last, sent, self._transport.clean(DIALECT.spoken(self._last.body)), DIALECT)
        if found is None and path.endswith("/push_rule"):
            return {}
        if found is None:
            raise AnswerLost("GitLab broke off its answer", where=sent.where, hint=AGAIN)
        return found


def _levels(listed: Any) -> tuple[AccessLevel, ...]:
    found = map(_object, listed if isinstance(listed, list) else ())
    return tuple(
        AccessLevel(
            role=one.get("access_level") if isinstance(one.get("access_level"), int) and not _named(one) else None,
            account=_number(one, "user_id"),
            other=bool(one.get("group_id") or one.get("deploy_key_id")),
            words=_text(one, "access_level_description"),
        )
        for one in found
    )


def _named(level: Mapping[str, Any]) -> bool:
    """Whether it is about somebody alone; GitLab gives such a one the access level Maintainer besides."""
    return any(level.get(key) for key in ("user_id", "group_id", "deploy_key_id"))


def _day(value: Any) -> datetime | None:
    """The day on which a token ends: `2027-03-31`."""
    try:
        return datetime.fromisoformat(str(value)[:10]).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _number(found: Mapping[str, Any], key: str) -> int:
    value = found.get(key)
    return value if isinstance(value, int) else 0
