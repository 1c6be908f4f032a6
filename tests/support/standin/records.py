"""What the stand-in remembers: people, tokens, repositories, pull requests, reviews, checks, rules."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forge_standin import Person

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from forge_standin import Bare


WEB = Person("GitHub", "noreply@github.com")
"""The committer of what the web makes: merges, squashes, edits."""

ROLES = ("none", "read", "triage", "write", "maintain", "admin")

EVERYTHING = {
    "actions": "write", "administration": "read", "checks": "write", "contents": "write", "issues": "write",
    "metadata": "read", "pull_requests": "write", "statuses": "write", "workflows": "write",
}  # fmt: skip


@dataclass
class User:
    """A person, a bot (`type: Bot`) or an organization."""

    login: str
    id: int
    type: str = "User"

    @property
    def email(self) -> str:
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass
class Token:
    """A credential."""

    value: str = field(repr=False)  # what is sent; it shows in no repr and no record
    user: User
    kind: str = "fine-grained"  # or `classic`, `app` (an installation's), `actions` (GITHUB_TOKEN)
    permissions: dict[str, str] = field(default_factory=lambda: dict(EVERYTHING))  # of all but classic ones
    scopes: tuple[str, ...] = ("repo", "workflow")  # of classic ones
    repositories: tuple[str, ...] | None = None  # full names; None: it is for all of them
    expires: datetime | None = None
    revoked: bool = False
    limit: int = 5000
    used: int = 0
    window_ends: float = 0.0

    @property
    def of_an_app(self) -> bool:
        return self.kind in ("app", "actions")

    def may(self, permission: str, level: str) -> bool:
        """Whether a token of any kind but `classic` has a permission; metadata are always readable."""
        have = self.permissions.get(permission, "read" if permission == "metadata" else "none")
        order = ("none", "read", "write", "admin")
        return order.index(have) >= order.index(level)


@dataclass
class Protection:
    """Classic branch protection; `None` means that this part isn't set."""

    required_reviews: int | None = None
    dismiss_stale_reviews: bool = False
    require_code_owner_reviews: bool = False
    contexts: tuple[str, ...] | None = None
    strict: bool = False
    enforce_admins: bool = False
    push_only_for: tuple[str, ...] | None = None
    allow_force_pushes: bool = False
    allow_deletions: bool = False
    required_linear_history: bool = False


@dataclass
class Ruleset:
    """A repository ruleset."""

    id: int
    name: str
    branches: tuple[str, ...]  # patterns of `fnmatch` on the short name
    rules: dict[str, dict[str, Any]]  # type -> parameters, as the API names them
    bypass: tuple[str, ...] = ()  # logins for whom it doesn't count

    def covers(self, branch: str) -> bool:
        return any(fnmatch.fnmatchcase(branch, pattern) for pattern in self.branches)


@dataclass
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass
class Comment:
    id: int
    number: int
    user: User
    body: str
    created_at: datetime
    updated_at: datetime


@dataclass
class Review:
    """`state`: APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING."""

    id: int
    user: User
    state: str
    body: str
    commit: str
    submitted_at: datetime


@dataclass
class CheckRun:
    id: int
    sha: str
    name: str
    status: str
    conclusion: str | None
    started_at: datetime
    completed_at: datetime | None


@dataclass
class Status:
    id: int
    sha: str
    context: str
    state: str
    description: str
    created_at: datetime


@dataclass
class AutoMerge:
    user: User
    method: str
    title: str | None = None
    message: str | None = None


@dataclass
class Pull:
    """A pull request; `head_sha` of a finished one stays what it was at its end."""

    id: int
    number: int
    title: str
    body: str | None
    user: User
    source: Repository
    head: str
    head_sha: str
    base: str
    base_sha: str
    created_at: datetime
    updated_at: datetime
    state: str = "open"
    draft: bool = False
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit: str | None = None
    closed_because: str = ""
    labels: list[str] = field(default_factory=list)
    reviewers: list[User] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    auto_merge: AutoMerge | None = None
    mergeable_asked: int = 0
    commits_landed: list[str] = field(default_factory=list)

    @property
    def head_repo(self) -> str:
        """The full name of the repository that the head is in; a fork's differs."""
        return self.source.full_name

    @property
    def merged(self) -> bool:
        return self.merged_at is not None


@dataclass
class Workflow:
    id: int
    name: str
    path: str
    state: str = "active"


@dataclass
class Event:
    """Something that would start workflows: `starts_workflows` is False where GITHUB_TOKEN did it."""

    name: str
    ref: str
    actor: str
    starts_workflows: bool
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass
class Repository:
    """A repository with its settings; tests may set the attributes as an administrator would."""

    id: int
    owner: User
    name: str
    path: Path
    bare: Bare
    created_at: datetime
    default_branch: str = "main"
    private: bool = False
    archived: bool = False
    parent: str | None = None
    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True
    allow_auto_merge: bool = False
    allow_update_branch: bool = False
    delete_branch_on_merge: bool = False
    actions_enabled: bool = True
    actions_allowed: str = "all"
    environments: dict[str, tuple[str, ...]] = field(default_factory=dict)  # name -> the kinds of its rules
    workflow_permissions: str = "read"
    actions_may_open_pull_requests: bool = False
    roles: dict[str, str] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    check_runs: list[CheckRun] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    protections: dict[str, Protection] = field(default_factory=dict)
    rulesets: list[Ruleset] = field(default_factory=list)
    workflows: list[Workflow] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def role(self, user: User | None) -> str:
        """What somebody may do here; everybody may read a public repository."""
        if user is None:
            return "none" if self.private else "read"
        if user.login == self.owner.login:
            return "admin"
        return self.roles.get(user.login, "none" if self.private else "read")

    def has_role(self, user: User | None, least: str) -> bool:
        return ROLES.index(self.role(user)) >= ROLES.index(least)

    def open_pulls(self) -> list[Pull]:
        return [pull for pull in self.pulls.values() if pull.state == "open"]
