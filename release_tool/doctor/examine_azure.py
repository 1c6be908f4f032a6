"""`release doctor` on a repository on Azure DevOps: what the token may see of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.doctor import azure_branch, azure_repository
from release_tool.doctor import base_branch as verdicts
from release_tool.doctor.diagnosis import Diagnosis, of_error
from release_tool.errors import ReleaseError
from release_tool.forges.answers import Forbidden, Missing
from release_tool.forges.azure.address import address_of, find_for
from release_tool.forges.azure.client import is_jwt
from release_tool.forges.azure.dialect import JOB
from release_tool.forges.azure.settings import AzureSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from release_tool.doctor.access import AtForge
    from release_tool.forges.azure.address import AzureAddress
    from release_tool.forges.azure.settings import AzureRepository
    from release_tool.forges.token import Token

_BRANCHES = 5  # of so many release branches the policies are asked; the same ones hold for the others


def begin(at: AtForge) -> Callable[[], Iterable[Diagnosis]]:
    """Everything about the repository; nothing of the base branch is needed for it."""
    return lambda: _examine(at)


def pipelines(at: AtForge) -> Iterable[Diagnosis]:  # noqa: ARG001 (a pipeline's file may have any name)
    """Nothing: which files are pipelines, only the project's own settings say."""
    return ()


def _examine(at: AtForge) -> Iterator[Diagnosis]:
    access = at.access
    address = address_of(at.url, at.config.forge.url, access.environ)
    token = find_for(address, access.environ)
    if token is None:
        yield azure_repository.no_token(address)
        return
    looks = AzureSettings(address, token, access.now)
    try:
        repository = looks.repository()
        if looks.time is not None:
            yield verdicts.clock(access.now(), looks.time, address.collection)
        yield from _AzureLook(at, looks, repository, address).all(token)
    finally:
        looks.close()


class _AzureLook:
    """The parts of it, each on its own: one that fails is a finding."""

    def __init__(self, at: AtForge, looks: AzureSettings, repository: AzureRepository, address: AzureAddress) -> None:
        self._config = at.config
        self._looks = looks
        self._repository = repository
        self._address = address
        self._account = ""
        self._may: dict[str, bool] = {}

    def all(self, token: Token) -> Iterator[Diagnosis]:
        """Every part, in order."""
        yield from self._guarded("token", lambda: self._token(token))
        yield from azure_repository.repository(self._repository, self._config.base, self._address)
        if not self._repository.disabled:
            yield from self._guarded("permissions", self._permissions)
            yield from self._guarded("protection", self._policies)

    def _guarded(self, about: str, look: Callable[[], Iterable[Diagnosis]]) -> Iterator[Diagnosis]:
        try:
            yield from look()
        except (Forbidden, Missing) as error:
            mend = f"look at {self._address.settings}"
            yield Diagnosis("unknown", about, f"it can't be seen: {error.what}", error.where, "", mend)
        except ReleaseError as error:
            yield from of_error(about, error)

    def _token(self, token: Token) -> Iterator[Diagnosis]:
        self._account = self._looks.account()
        try:
            self._looks.try_pulls()
            reads = True
        except (Forbidden, Missing):
            reads = False
        jwt = "the token of a job" if token.source == JOB else "a token of Microsoft Entra"
        kind = jwt if is_jwt(token.secret.reveal()) else "a personal access token"
        yield azure_repository.token(kind, token.source, self._account, self._address, reads_pulls=reads)

    def _permissions(self) -> Iterator[Diagnosis]:
        names = ("GenericContribute", "CreateBranch", "PullRequestContribute", "PolicyExempt")
        self._may = {name: self._looks.may(self._repository, name) for name in names}
        yield from azure_repository.permissions(self._may, self._account, self._address)

    def _policies(self) -> Iterator[Diagnosis]:
        """What holds for the base and for the release branches, and whether a downgrade lands."""
        config, page = self._config, self._address.settings
        environments = list(config.environments.values())
        pushable = self._may.get("PolicyExempt")
        found = azure_branch.BasePolicies(
            config.base, self._looks.policies(self._repository, config.base), pushable, page
        )
        direct = [one.name for one in environments if one.publish.mode == "direct"]
        yield from azure_branch.base(found, direct, reviewed=any(one.publish.reviewers for one in environments))
        places = [place for view in config.views() for place in view.places()][:_BRANCHES]
        rules = {place.branch: self._looks.policies(self._repository, place.branch) for place in places}
        yield azure_branch.rolling(rules, pushable=pushable, page=page)
        yield from azure_branch.guard(environments, found)
