"""What a repository on GitHub is set to, as records: `github_settings.py` reads them, `doctor/github*.py` judges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Merging(NamedTuple):
    """How pull requests are merged; only those who may push see it.

    Attributes:
        methods: those of `merge`, `squash` and `rebase` that are allowed.
        by_itself: whether a pull request may be told to merge once everything is green.
        deletes_branch: whether the branch goes with the merge.
    """

    methods: tuple[str, ...]
    by_itself: bool
    deletes_branch: bool


class Settings(NamedTuple):
    """A repository.

    Attributes:
        web: address of its page.
        default_branch: its name.
        private: whether it is (or is internal).
        archived: whether it is read-only.
        disabled: whether GitHub has switched it off.
        parent: what it is a fork of, `owner/name`; empty: it is none.
        may_push: whether the token's owner may push; None: GitHub doesn't say.
        admin: whether the token's owner administrates it.
        merging: how pull requests are merged; None: hidden.
    """

    web: str
    default_branch: str
    private: bool
    archived: bool
    disabled: bool
    parent: str
    may_push: bool | None
    admin: bool
    merging: Merging | None


class Protection(NamedTuple):
    """Classic protection of a branch.

    Attributes:
        reviews: approvals that a pull request needs; None: it may be pushed to without one.
        exempts: whether some people, teams or Apps need no pull request.
        dismisses: whether a push takes approvals away.
        checks: names of the checks that must be green.
        strict: whether a branch must be up to date with the base before it is merged.
        linear: whether merge commits are refused.
        signed: whether commits must be signed.
        for_admins: whether it holds for administrators too.
        only_some: whether only some may push.
        locked: whether nobody may.
    """

    reviews: int | None = None
    exempts: bool = False
    dismisses: bool = False
    checks: tuple[str, ...] = ()
    strict: bool = False
    linear: bool = False
    signed: bool = False
    for_admins: bool = False
    only_some: bool = False
    locked: bool = False


class Rule(NamedTuple):
    """One rule of a ruleset that holds for a branch.

    Attributes:
        kind: `pull_request`, `non_fast_forward`, …
        parameters: as the API names them.
        ruleset: number of its ruleset.
        of_repository: whether the ruleset is the repository's own, and not an organization's.
    """

    kind: str
    parameters: Mapping[str, Any]
    ruleset: int
    of_repository: bool


class Actions(NamedTuple):
    """GitHub Actions in a repository.

    Attributes:
        enabled: whether workflows run at all.
        may_propose: whether a workflow's own token may open pull requests.
    """

    enabled: bool
    may_propose: bool


class Credential(NamedTuple):
    """What GitHub says of a token with each answer.

    Attributes:
        scopes: the scopes of a classic token; None: it is of another kind, or there is none.
        expires: when it ends; None: never, or GitHub doesn't say.
    """

    scopes: tuple[str, ...] | None
    expires: datetime | None
