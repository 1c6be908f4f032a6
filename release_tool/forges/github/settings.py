"""The settings of a repository on GitHub, as far as a token may see them. Reads only; `release doctor` judges them.

Sources: docs.github.com/rest, "Repositories", "Protected branches", "Rules", "GitHub Actions permissions". Nothing is
tried twice here, and no answer is waited for longer than its time: who examines wants to know that now.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from release_tool.forges.answers import AGAIN, AnswerLost, Sent, read
from release_tool.forges.github.dialect import DIALECT, READ
from release_tool.net.transport import Transport, http_date

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.forges.github.address import Address
    from release_tool.forges.token import Token
    from release_tool.net.transport import Answer

_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_MOST = 4 * 1024 * 1024  # bytes of an answer; the longest of these is some ten thousand
_METADATA = "Metadata: read"
_ADMIN = "Administration: read"
_METHODS = ("merge", "squash", "rebase")
_KEYS = ("allow_merge_commit", "allow_squash_merge", "allow_rebase_merge")


class MergeSettings(NamedTuple):
    """How pull requests are merged; only those who may push see that."""

    methods: tuple[str, ...]  # those of `merge`, `squash` and `rebase` that are allowed
    by_itself: bool  # whether a pull request may be told to merge once everything is green
    deletes_branch: bool


class RepositorySettings(NamedTuple):
    """What holds for the repository, and what its token's owner may do there."""

    web: str  # address of its page
    default_branch: str
    private: bool  # or internal
    archived: bool
    disabled: bool  # GitHub has switched it off
    parent: str  # what it is a fork of, `owner/name`; empty: it is none
    may_push: bool | None  # None: GitHub doesn't say
    admin: bool
    merging: MergeSettings | None  # None: hidden


class Protection(NamedTuple):
    """Classic protection of a branch."""

    reviews: int | None = None  # approvals that a pull request needs; None: the branch may be pushed to without one
    exempts: bool = False  # some people, teams or Apps need no pull request
    dismisses: bool = False  # a push takes approvals away
    checks: tuple[str, ...] = ()  # names of the checks that must be green
    strict: bool = False  # a branch must be up to date with the base before it is merged
    linear: bool = False  # merge commits are refused
    signed: bool = False  # commits must be signed
    for_admins: bool = False  # the protection holds for administrators too
    only_some: bool = False  # only some may push
    locked: bool = False  # nobody may push


class BranchRule(NamedTuple):
    """One rule of a ruleset that holds for a branch."""

    kind: str  # `pull_request`, `non_fast_forward`, …
    parameters: Mapping[str, Any]  # as the API names them
    ruleset: int  # its number


class Actions(NamedTuple):
    """GitHub Actions in a repository."""

    enabled: bool  # workflows run at all
    may_propose: bool  # a workflow's own token may open pull requests


class Credential(NamedTuple):
    """What GitHub says of a token with each answer."""

    scopes: tuple[str, ...] | None  # of a classic token; None: it is of another kind, or there is none
    expires: datetime | None  # None: never, or GitHub doesn't say


class GitHubSettings:
    """Looks at one repository. Not for several threads at once.

    For every method holds: it raises `Forbidden` or `Missing` where the token may not see it, `TryAgain` when GitHub is
    away, busy or limits the rate, and any other `ReleaseError` for what a person must fix.
    """

    def __init__(self, address: Address, token: Token | None, *, timeout: float = 10.0) -> None:
        self._path = address.path
        self._source = token.source if token else ""
        self._last: Answer | None = None
        self._transport = Transport(
            "GitHub",
            address.api,
            timeout=timeout,
            token=token.secret if token else None,
            token_from=self._source,
            most=_MOST,
            headers=_HEADERS,
        )

    def close(self) -> None:
        self._transport.close()

    @property
    def credential(self) -> Credential:
        """What the last answer said of the token."""
        headers = self._last.headers if self._last else {}
        scopes = headers.get("X-OAuth-Scopes")
        listed = None if scopes is None else tuple(filter(None, (one.strip() for one in scopes.split(","))))
        return Credential(listed, _moment(headers.get("GitHub-Authentication-Token-Expiration", "")))

    @property
    def time(self) -> datetime | None:
        """The server's time at the last answer, to the second."""
        return http_date(self._last.headers.get("Date", "")) if self._last else None

    def repository(self) -> RepositorySettings:
        found = _object(self._ask("", "read the repository", _METADATA))
        may = found.get("permissions")
        allowed = [method for method, key in zip(_METHODS, _KEYS, strict=True) if found.get(key)]
        merging = MergeSettings(
            tuple(allowed), found.get("allow_auto_merge") is True, found.get("delete_branch_on_merge") is True
        )
        parent = found.get("parent")
        return RepositorySettings(
            web=_text(found, "html_url"),
            default_branch=_text(found, "default_branch"),
            private=found.get("private") is True,
            archived=found.get("archived") is True,
            disabled=found.get("disabled") is True,
            parent=_text(parent, "full_name") if isinstance(parent, dict) else "another" if found.get("fork") else "",
            may_push=may.get("push") is True if isinstance(may, dict) else None,
            admin=_object(may).get("admin") is True,
            merging=merging if any(key in found for key in _KEYS) else None,
        )

    def protection(self, branch: str) -> Protection | None:
        """The classic protection of a branch; None: it has none."""
        path = f"/branches/{quote(branch, safe='')}/protection"
        answer = self._answer(path)
        if answer.status == 404 and DIALECT.spoken(answer.body) == "Branch not protected":
            return None
        if answer.status in {403, 404} and self._is_open(branch):
            return None
        found = _object(self._read(answer, path, "read the protection of the base branch", _ADMIN))
        reviews = found.get("required_pull_request_reviews")
        checks = found.get("required_status_checks")
        wanted = _object(reviews)
        exempted = _object(wanted.get("bypass_pull_request_allowances"))
        return Protection(
            reviews=wanted.get("required_approving_review_count", 0) if wanted else None,
            exempts=any(exempted.get(kind) for kind in ("users", "teams", "apps")),
            dismisses=wanted.get("dismiss_stale_reviews") is True,
            checks=_contexts(checks),
            strict=isinstance(checks, dict) and checks.get("strict") is True,
            linear=_switch(found, "required_linear_history"),
            signed=_switch(found, "required_signatures"),
            for_admins=_switch(found, "enforce_admins"),
            only_some=isinstance(found.get("restrictions"), dict),
            locked=_switch(found, "lock_branch"),
        )

    def _is_open(self, branch: str) -> bool:
        """Whether a branch is surely not protected: that much everybody sees who reads the code."""
        answer = self._answer(f"/branches/{quote(branch, safe='')}")
        return answer.status == 200 and _object(_parsed(answer.body)).get("protected") is False

    def rules(self, branch: str) -> tuple[BranchRule, ...]:
        """The rules of all rulesets that hold for a branch, which need not exist."""
        found = self._ask(
            f"/rules/branches/{quote(branch, safe='')}?per_page=100", "read the rules of a branch", _METADATA
        )
        listed = found if isinstance(found, list) else []
        return tuple(
            BranchRule(
                _text(one, "type"),
                _object(one.get("parameters")),
                one["ruleset_id"] if isinstance(one.get("ruleset_id"), int) else 0,
            )
            for one in listed
            if isinstance(one, dict)
        )

    def bypass(self, ruleset: int) -> str:
        """Whether the token's owner may pass a ruleset by: `always`, `pull_requests_only`, `never` or `exempt`."""
        return _text(_object(self._ask(f"/rulesets/{ruleset}", "read a ruleset", _METADATA)), "current_user_can_bypass")

    def actions(self) -> Actions:
        enabled = (
            _object(self._ask("/actions/permissions", "read the settings of Actions", _ADMIN)).get("enabled") is True
        )
        if not enabled:
            return Actions(enabled=False, may_propose=False)
        found = _object(self._ask("/actions/permissions/workflow", "read the settings of Actions", _ADMIN))
        return Actions(enabled=True, may_propose=found.get("can_approve_pull_request_reviews") is True)

    def environment(self, name: str) -> tuple[str, ...]:
        """The kinds of rules that a job of an environment waits for: `required_reviewers`, `wait_timer` and others."""
        path = f"/environments/{quote(name, safe='')}"
        rules = _object(self._ask(path, "read an environment", "Actions: read")).get("protection_rules")
        return tuple(_text(one, "type") for one in map(_object, rules if isinstance(rules, list) else ()))

    def try_pulls(self) -> None:
        """Reads one pull request at most: whether that is permitted at all."""
        self._ask("/pulls?per_page=1", "read pull requests", READ)

    def _ask(self, path: str, doing: str, needs: str) -> Any:
        return self._read(self._answer(path), path, doing, needs)

    def _answer(self, path: str) -> Answer:
        self._last = self._transport.ask("GET", self._path + path)
        return self._last

    def _read(self, answer: Answer, path: str, doing: str, needs: str) -> Any:
        sent = Sent(doing, self._transport.where(self._path + path), needs, self._source)
        found = read(answer, sent, self._transport.clean(DIALECT.spoken(answer.body)), DIALECT)
        if found is None:
            raise AnswerLost("GitHub broke off its answer", where=sent.where, hint=AGAIN)
        return found


def _parsed(body: bytes) -> Any:
    """JSON; None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _moment(header: str) -> datetime | None:
    """When a token ends: `2027-03-31 09:00:00 UTC`, or with an offset."""
    try:
        return datetime.strptime(header.strip().replace("UTC", "+0000"), "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _switch(found: Mapping[str, Any], key: str) -> bool:
    return _object(found.get(key)).get("enabled") is True


def _contexts(checks: Any) -> tuple[str, ...]:
    """The names of required checks, which come as `checks` and, from older servers, as `contexts` alone."""
    found = _object(checks)
    newer = [one.get("context") for one in found.get("checks") or [] if isinstance(one, dict)]
    names = newer or found.get("contexts") or []
    return tuple(str(name) for name in names)
