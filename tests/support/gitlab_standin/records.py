"""What GitLab's stand-in remembers: people, tokens, projects, merge requests, notes, pipelines, protected branches."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from forge_standin.bare import Bare

LEVELS = {"guest": 10, "planner": 15, "reporter": 20, "developer": 30, "maintainer": 40, "owner": 50}
"""Roles of members and their access levels in the API."""

ACTIVE = ("created", "waiting_for_resource", "preparing", "pending", "running")
"""Statuses of a pipeline that isn't finished."""


@dataclass
class User:
    """A person, or the bot of a project's access token."""

    username: str
    id: int
    bot: bool = False

    @property
    def name(self) -> str:
        return self.username.replace("-", " ").title()

    @property
    def email(self) -> str:
        return f"{self.username}@example.com"


@dataclass
class Token:
    """A credential. `kind`: `personal`, `project` (also a group's), `job` (CI_JOB_TOKEN), `deploy` (for git alone)."""

    value: str = field(repr=False)  # what is sent; it shows in no repr and no record
    id: int
    user: User
    created_at: datetime
    kind: str = "personal"
    scopes: tuple[str, ...] = ("api",)
    project: str = ""  # the path of a job's or a deploy token's project
    expires: datetime | None = None
    revoked: bool = False
    limit: float = float("inf")  # so many requests for the API until it answers 429


@dataclass
class ProtectedBranch:
    """`name` may have wildcards. An access level of 0 is nobody; users and groups by name are GitLab Premium's."""

    id: int
    name: str
    push: int = 40
    merge: int = 40
    push_users: tuple[str, ...] = ()
    merge_users: tuple[str, ...] = ()
    allow_force_push: bool = False
    code_owner_approval_required: bool = False

    def covers(self, branch: str) -> bool:
        return fnmatch.fnmatchcase(branch, self.name)


@dataclass
class ApprovalRule:
    """A rule of GitLab Premium; without `users`, everybody who may merge counts. `branches`: () is every branch."""

    id: int
    name: str
    required: int = 1
    users: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


@dataclass
class Label:
    id: int
    name: str
    color: str = "#6699cc"
    description: str | None = None


@dataclass
class Note:
    """A comment; `system`: what GitLab itself says. `resolved`: None where it isn't part of a thread to resolve."""

    id: int
    iid: int
    author: User
    body: str
    created_at: datetime
    updated_at: datetime
    system: bool = False
    resolved: bool | None = None


@dataclass
class Pipeline:
    id: int
    iid: int
    ref: str
    sha: str
    status: str
    created_at: datetime
    updated_at: datetime
    source: str = "push"


@dataclass
class AutoMerge:
    """What waits: `strategy` is `merge_when_checks_pass` (before 17: `merge_when_pipeline_succeeds`) or a train's."""

    user: User
    strategy: str
    sha: str
    squash: bool | None
    remove_source_branch: bool | None
    message: str | None
    squash_message: str | None


@dataclass
class MergeRequest:
    """A merge request; `sha` of a finished one stays what it was at its end, and is empty where no branch ever was."""

    id: int
    iid: int
    title: str
    description: str | None
    author: User
    source: Project
    source_branch: str
    target_branch: str
    sha: str
    base_sha: str  # where the branches parted
    start_sha: str  # the target branch when the head came
    created_at: datetime
    updated_at: datetime
    state: str = "opened"
    closed_at: datetime | None = None
    closed_by: User | None = None
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit: str | None = None
    squash_commit: str | None = None
    squash: bool = False
    remove_source_branch: bool | None = None
    should_remove: bool | None = None
    locked: bool | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    reviewers: list[User] = field(default_factory=list)
    approvals: dict[str, datetime] = field(default_factory=dict)  # user name -> when
    auto_merge: AutoMerge | None = None
    merge_error: str | None = None
    looks: int = 0  # so many more answers say `checking`
    prepared: bool = False
    landed: list[str] = field(default_factory=list)

    def commits(self, bare: Bare) -> list[str]:
        """Its own, the oldest first."""
        return bare.ahead(self.base_sha, self.sha) if self.sha else []

    @property
    def draft(self) -> bool:
        return self.title.lower().startswith(("draft:", "[draft]", "(draft)"))


@dataclass
class Project:
    """A project with its settings; tests may set the attributes as a maintainer would."""

    id: int
    path: str  # with its groups: `acme/platform/shop`
    folder: Path
    bare: Bare
    created_at: datetime
    default_branch: str = "main"
    private: bool = True
    archived: bool = False
    premium: bool = False  # approval rules, merge trains, more than one reviewer
    merge_requests_enabled: bool = True
    merge_method: str = "merge"  # or `rebase_merge` (semi-linear) or `ff`
    squash_option: str = "default_off"  # or `never`, `always`, `default_on`
    needs_pipeline: bool = False  # only_allow_merge_if_pipeline_succeeds
    skipped_pipeline_is_enough: bool = False
    needs_resolved: bool = False  # only_allow_merge_if_all_discussions_are_resolved
    remove_source_branch: bool = True  # what a new merge request proposes
    merge_pipelines: bool = False
    merge_trains: bool = False
    reset_approvals_on_push: bool = True
    author_approves: bool = False
    pipelines_on_push: bool = False  # a running pipeline for each pushed commit
    mirrored: bool = False
    requires_sha: bool = False  # of its group, since 19.2: nobody merges by the API without a head
    job_token_pushes: bool = False  # ci_push_repository_for_job_token_allowed
    forked_from: str = ""
    moved_from: tuple[str, ...] = ()  # paths that lead here
    members: dict[str, int] = field(default_factory=dict)
    merge_requests: dict[int, MergeRequest] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    notes: dict[int, Note] = field(default_factory=dict)
    pipelines: list[Pipeline] = field(default_factory=list)
    protected: dict[str, ProtectedBranch] = field(default_factory=dict)
    rules: list[ApprovalRule] = field(default_factory=list)
    push_rule: dict[str, Any] | None = None  # as the API names them
    schedules: list[dict[str, Any]] = field(default_factory=list)  # description, ref, cron, active
    train: list[int] = field(default_factory=list)  # iids, the first is merged next
    refs: dict[str, str] = field(default_factory=dict)  # as GitLab has taken them in
    pusher: User | None = None  # of the push that it hasn't taken in yet
    behind: int = 0  # so many more requests don't see that push

    def level(self, user: User | None) -> int:
        """The access level of somebody; everybody reads a public project as a guest does."""
        return self.members.get(user.username, 0) if user else 0

    def opened(self) -> list[MergeRequest]:
        return [one for one in self.merge_requests.values() if one.state == "opened"]

    def protections(self, branch: str) -> list[ProtectedBranch]:
        return [one for one in self.protected.values() if one.covers(branch)]

    def may_push(self, user: User, branch: str) -> bool:
        """Whether a branch takes a push, also as an only developer: of several rules, the widest counts."""
        rules = self.protections(branch)
        level = self.level(user)
        if not rules:
            return level >= LEVELS["developer"]
        return any((one.push and level >= one.push) or user.username in one.push_users for one in rules)

    def may_merge(self, user: User, branch: str) -> bool:
        rules = self.protections(branch)
        level = self.level(user)
        if not rules:
            return level >= LEVELS["developer"]
        return self.may_push(user, branch) or any(
            (one.merge and level >= one.merge) or user.username in one.merge_users for one in rules
        )

    def head_pipeline(self, one: MergeRequest) -> Pipeline | None:
        return next((each for each in reversed(self.pipelines) if each.sha == one.sha), None)
