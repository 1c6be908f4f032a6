"""What the stand-in remembers: identities, tokens, projects, repositories, pull requests, threads, policies."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from forge_standin import Bare

READER = frozenset({"GenericRead"})
CONTRIBUTOR = READER | {"GenericContribute", "CreateBranch", "CreateTag", "PullRequestContribute"}
ADMINISTRATOR = CONTRIBUTOR | {"ForcePush", "PolicyExempt", "PullRequestBypassPolicy", "EditPolicies"}
"""Who creates a branch may force-push and delete this branch without `ForcePush`."""

SCOPES = ("vso.code_write",)
"""Code (read & write), which is what the tool asks for."""

_IMPLIED = {
    "vso.code_full": ("vso.code_manage", "vso.code_status", "vso.threads_full"),
    "vso.code_manage": ("vso.code_write",),
    "vso.code_write": ("vso.code",),
}


def guid(words: str) -> str:
    """The same words have the same GUID, in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://dev.azure.com/{words}"))


@dataclass
class Identity:
    """Somebody: a person, a build service (`Build\\<GUID>`) or a group (`[shop]\\Platform`)."""

    name: str
    is_group: bool = False

    @property
    def id(self) -> str:
        return guid(self.name)

    @property
    def unique_name(self) -> str:
        return self.name if "\\" in self.name else f"{self.name}@example.com"


@dataclass
class Token:
    """A personal access token (`pat`, by Basic alone), or the one of a pipeline's job (`job`, by Bearer too)."""

    value: str = field(repr=False)
    identity: Identity
    kind: str = "pat"
    scopes: tuple[str, ...] = SCOPES
    expires: datetime | None = None
    revoked: bool = False

    def has(self, *scopes: str) -> bool:
        """Whether it has one of the scopes, or one that implies it."""
        found, more = set(self.scopes), list(self.scopes)
        while more:
            implied = _IMPLIED.get(more.pop(), ())
            found |= set(implied)
            more += implied
        return self.kind == "job" or not scopes or bool(found & set(scopes))


@dataclass
class Comment:
    id: int
    author: Identity
    content: str
    published: datetime
    updated: datetime
    parent: int = 0
    kind: str = "text"
    deleted: bool = False


@dataclass
class Thread:
    id: int
    published: datetime
    comments: list[Comment]
    status: str | None = "active"
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass
class Reviewer:
    identity: Identity
    vote: int = 0  # 10 approved, 5 with suggestions, 0 none, -5 waits for the author, -10 rejected
    required: bool = False


@dataclass
class Policy:
    """A branch policy. `kind` is a name of `POLICY_TYPES`; `branch` the short name of what it is for, or a folder: `a/`."""

    id: int
    kind: str
    branch: str
    settings: dict[str, Any]
    created: datetime
    by: Identity
    blocking: bool = True
    enabled: bool = True

    def covers(self, branch: str) -> bool:
        return branch == self.branch or (self.branch.endswith("/") and branch.startswith(self.branch))


POLICY_TYPES = {
    "Minimum number of reviewers": "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd",
    "Require a merge strategy": "fa4e907d-c16b-4a4c-9dfa-4916e5d171ab",
    "Required reviewers": "fd2167ab-b0be-447a-8ec8-39368250530e",
    "Comment requirements": "c6a1889d-b943-4856-b76f-9e46bb6b0df2",
    "Work item linking": "40e92b44-2fe1-4dd6-b3d8-74a9c21d0c6e",
    "Build": "0609b952-1397-4640-95ec-e00a01b2c241",
    "Status": "cbdc66da-9728-4af8-aada-9a5a32e4a226",
}


@dataclass
class Status:
    """What a service says of a pull request."""

    id: int
    genre: str
    name: str
    state: str
    description: str
    url: str
    by: Identity
    created: datetime


@dataclass
class Pull:
    """A pull request; `source_commit` of a finished one stays what it was at its end.

    `job`: what is under way: a trial `merge`, or to `complete` it; `wait`: for so many requests still.
    """

    id: int
    title: str
    description: str | None
    by: Identity
    source: str
    target: str
    source_commit: str
    target_commit: str
    created: datetime
    status: str = "active"
    draft: bool = False
    merge_status: str | None = "queued"
    merge_commit: str | None = None
    closed: datetime | None = None
    closed_by: Identity | None = None
    queued: datetime | None = None
    options: dict[str, Any] | None = None
    auto_complete: Identity | None = None
    labels: list[str] = field(default_factory=list)
    reviewers: list[Reviewer] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    fork: Repository | None = None  # where the source branch is, if it is another repository
    job: str = ""
    wait: int = 0
    commits_landed: list[str] = field(default_factory=list)

    def tip(self, repository: Repository) -> str | None:
        return (self.fork or repository).bare.tip(self.source)

    def ref(self, of: str = "merge") -> str:
        return f"refs/pull/{self.id}/{of}"


@dataclass
class Repository:
    """A repository with its settings; tests may set the attributes as an administrator would.

    `rights`: by name of an identity, what it may do; who isn't there is a contributor, or (`open_to_all` False) nobody.
    """

    project: str
    name: str
    bare: Bare
    default_branch: str = "main"
    disabled: bool = False
    in_maintenance: bool = False
    public: bool = False
    is_fork: bool = False
    open_to_all: bool = True
    filters: bool = True
    rights: dict[str, frozenset[str]] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    policies: dict[int, Policy] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    creators: dict[str, Identity] = field(default_factory=dict)  # of branches

    @property
    def id(self) -> str:
        return guid(f"{self.project}/_git/{self.name}")

    @property
    def project_id(self) -> str:
        return guid(f"project/{self.project}")

    def may(self, identity: Identity | None, permission: str, branch: str = "") -> bool:
        if identity is None:
            return self.public and permission == "GenericRead"
        usual = CONTRIBUTOR if self.open_to_all else frozenset()
        creator = self.creators.get(branch)
        if permission == "ForcePush" and creator is not None and creator.name == identity.name:
            permission = "GenericContribute"
        return permission in self.rights.get(identity.name, usual)

    def active(self) -> list[Pull]:
        return [pull for pull in self.pulls.values() if pull.status == "active"]

    def twin(self, source: str, target: str, fork: Repository | None) -> bool:
        """Whether another from and to the same branches is active."""
        return any((one.source, one.target) == (source, target) and one.fork is fork for one in self.active())

    def policies_of(self, branch: str) -> list[Policy]:
        """Those that are on; a policy's branch that ends with `/` stands for all below it."""
        return [one for one in self.policies.values() if one.enabled and one.covers(branch)]
