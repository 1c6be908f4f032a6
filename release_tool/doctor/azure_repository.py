"""Verdicts about a repository on Azure DevOps: the token, the repository, what the token's account may do there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.doctor.diagnosis import Diagnosis, ok
from release_tool.forges.azure.dialect import JOB, PERMISSIONS, SCOPE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.forges.azure.address import AzureAddress
    from release_tool.forges.azure.settings import AzureRepository

_NEEDED = {
    "GenericContribute": "release branches can't be pushed",
    "CreateBranch": "release branches can't be made",
    "PullRequestContribute": "no pull request can be opened",
}


def no_token(address: AzureAddress) -> Diagnosis:
    """There is no token."""
    return Diagnosis(
        "error",
        "token",
        f"there is none in AZURE_DEVOPS_TOKEN, AZURE_DEVOPS_EXT_PAT, {JOB} or AZURE_DEVOPS_TOKEN_FILE",
        address.collection,
        "without one no pull request can be opened",
        f"set one of them (a personal access token with {SCOPE}: {address.tokens}); "
        f"in a pipeline: `env: {{{JOB}: $(System.AccessToken)}}`",
    )


def token(kind: str, source: str, account: str, address: AzureAddress, *, reads_pulls: bool) -> Diagnosis:
    """What the token is.

    Args:
        account: whose it is; empty: the server doesn't say.
        reads_pulls: whether it may read pull requests.
    """
    of = f" of {account}" if account else ""
    if reads_pulls:
        return ok("token", f"{kind}{of}, from {source}, which reads pull requests; when it ends, no server tells")
    why, mend = "it can open no pull request", f"make a new one with the scope {SCOPE}: {address.tokens}"
    return Diagnosis("error", "token", f"{kind}{of} may not read pull requests", source, why, mend)


def repository(found: AzureRepository, base: str, address: AzureAddress) -> Iterator[Diagnosis]:
    """The repository itself."""
    problems = list(_problems(found, base, address))
    yield from problems or [ok("repository", "open for pushes and pull requests", address.web)]


def _problems(found: AzureRepository, base: str, address: AzureAddress) -> Iterator[Diagnosis]:
    web, page = address.web, address.settings
    if found.disabled:
        why = "it takes neither pushes nor pull requests"
        yield Diagnosis("error", "repository", "it is disabled", web, why, f"turn off *Disable Repository*: {page}")
    if found.in_maintenance:
        why = "requests may fail until that is over"
        yield Diagnosis("warning", "repository", "it is in maintenance", web, why, "run `release doctor` again later")
    if found.fork:
        why = "pull requests are opened in the fork itself"
        yield Diagnosis("warning", "repository", "it is a fork", web, why, "work on the other one, if that is meant")
    if found.default_branch != base:
        what = f"its default branch is `{found.default_branch}`, the base is `{base}`"
        why = "pull requests of people go to the default branch, where nobody tells otherwise"
        mend = f"set `base: {found.default_branch}` in release.yaml, or the default branch: {page}"
        yield Diagnosis("warning", "repository", what, web, why, mend)


def permissions(found: Mapping[str, bool], account: str, address: AzureAddress) -> Iterator[Diagnosis]:
    """What the token's account may do. `found`: permission of the API -> whether it has it."""
    missing = [name for name in _NEEDED if not found.get(name)]
    for name in missing:
        what = f"{account or 'the account of the token'} lacks `{PERMISSIONS[name]}`"
        mend = f"allow `{PERMISSIONS[name]}`: {address.settings} (the repository, Security)"
        yield Diagnosis("error", "permissions", what, address.web, _NEEDED[name], mend)
    if not missing:
        yield ok("permissions", f"it has {', '.join(f'`{PERMISSIONS[name]}`' for name in _NEEDED)}")
