"""The settings of a repository on Azure DevOps, as a token may see them. Reads only; `release doctor` judges them.

Sources (learn.microsoft.com): "Policy Configurations - Get", "Has Permissions", "Security namespace and permission
reference", "Branch policies and settings". Nothing is tried twice: who examines wants to know that now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from release_tool.forges.answers import Purpose, unreadable
from release_tool.forges.azure.client import AzureClient
from release_tool.forges.azure.dialect import READ

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from release_tool.forges.azure.address import AzureAddress
    from release_tool.forges.token import Token

# Types of policies.
REVIEWERS = "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd"
REQUIRED = "fd2167ab-b0be-447a-8ec8-39368250530e"
BUILD = "0609b952-1397-4640-95ec-e00a01b2c241"
STATUS = "cbdc66da-9728-4af8-aada-9a5a32e4a226"
WORK_ITEMS = "40e92b44-2fe1-4dd6-b3d8-74a9c21d0c6e"

_NAMESPACE = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"  # that of Git repositories
_BITS = {"GenericContribute": 4, "CreateBranch": 16, "PolicyExempt": 128, "PullRequestContribute": 16384}

_REPOSITORY = Purpose("read the repository", READ)
_POLICIES = Purpose("read the policies of a branch", READ)
_PERMISSIONS = Purpose("read its own permissions", READ)
_PULLS = Purpose("read pull requests", READ)


class AzureRepository(NamedTuple):
    """What holds for the repository. `id` and `project` are GUIDs."""

    id: str
    project: str
    default_branch: str
    disabled: bool
    in_maintenance: bool
    fork: bool


class BranchPolicy(NamedTuple):
    """A policy that applies to a branch and is switched on.

    Attributes:
        kind: the id of its type.
        name: what people call it: `Build`, or the name that somebody gave it.
        blocking: whether pull requests wait for it, and pushes are refused.
        settings: as the API names them.
    """

    kind: str
    name: str
    blocking: bool
    settings: Mapping[str, Any]


class AzureSettings:
    """Looks at one repository. Errors as of every method in `base.py`."""

    def __init__(self, address: AzureAddress, token: Token, now: Callable[[], datetime]) -> None:
        self._address = address
        self._now = now
        self._client = AzureClient(address, token, patience=0.0, sleep=lambda _: None, now=now)

    def close(self) -> None:
        self._client.close()

    @property
    def time(self) -> datetime | None:
        """The server's time at the last answer, to the second."""
        return None if self._client.skew is None else self._now() - self._client.skew

    def account(self) -> str:
        """The name of the account that the token belongs to; empty: the server doesn't say."""
        found = self._client.get("/_apis/connectionData", Purpose("read whose token it is", READ))
        user = found.get("authenticatedUser") if isinstance(found, dict) else None
        return str(user.get("customDisplayName") or user.get("providerDisplayName") or "") if user else ""

    def repository(self) -> AzureRepository:
        found = self._client.get(self._address.path, _REPOSITORY)
        try:
            return AzureRepository(
                id=str(found["id"]),
                project=str(found["project"]["id"]),
                default_branch=str(found.get("defaultBranch") or "").removeprefix("refs/heads/"),
                disabled=found.get("isDisabled") is True,
                in_maintenance=found.get("isInMaintenance") is True,
                fork=found.get("isFork") is True,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise unreadable("the repository", self._address.web, error, "Azure DevOps") from error

    def try_pulls(self) -> None:
        """Reads one pull request at most: whether that is permitted at all."""
        self._client.get(f"{self._address.path}/pullrequests?{urlencode({'$top': 1})}", _PULLS)

    def policies(self, repository: AzureRepository, branch: str) -> tuple[BranchPolicy, ...]:
        """The policies that apply to a branch, wherever they are set: there, for a folder, for the project."""
        query = urlencode({"repositoryId": repository.id, "refName": f"refs/heads/{branch}", "$top": 1000})
        found = self._client.get(f"{self._address.area}/git/policy/configurations?{query}", _POLICIES)
        try:
            return tuple(
                BranchPolicy(
                    str(one["type"]["id"]),
                    str((one.get("settings") or {}).get("displayName") or one["type"]["displayName"]),
                    one.get("isBlocking") is True,
                    one.get("settings") or {},
                )
                for one in found["value"]
                if one.get("isEnabled") is not False and one.get("isDeleted") is not True
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise unreadable("a policy", self._address.web, error, "Azure DevOps") from error

    def may(self, repository: AzureRepository, permission: str) -> bool:
        """Whether the token's account has a permission in the repository, a single branch's own left aside."""
        token = urlencode({"tokens": f"repoV2/{repository.project}/{repository.id}"})
        found = self._client.get(f"/_apis/permissions/{_NAMESPACE}/{_BITS[permission]}?{token}", _PERMISSIONS)
        listed = found.get("value") if isinstance(found, dict) else None
        return isinstance(listed, list) and bool(listed) and all(one is True for one in listed)
