"""Azure DevOps' JSON -> records. What is missing or of another kind is an error that names it, never a crash."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.forges import values
from release_tool.forges.answers import unreadable
from release_tool.model.records import PullRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from release_tool.forges.azure.address import AzureAddress
    from release_tool.model.records import CommitId

SIGIL = "!"

_HEADS = "refs/heads/"
_STATES = {"active": "open", "completed": "merged", "abandoned": "closed"}
_SECOND = re.compile(r"(?<=\d)\.(\d+)")
MERGE_STRATEGY = "fa4e907d-c16b-4a4c-9dfa-4916e5d171ab"  # the type of the policy "Limit merge types"
_ALLOWS = {
    "noFastForward": "allowNoFastForward",
    "squash": "allowSquash",
    "rebase": "allowRebase",
    "rebaseMerge": "allowRebaseMerge",
}


class AzurePull(NamedTuple):
    """A pull request, and what only Azure DevOps tells of it.

    Attributes:
        pull: the pull request; of a list, only the beginning of its text.
        own: whether it comes from a branch of this repository, and not from a fork.
        draft: whether it is a draft.
        merging: how its merge stands: `queued`, `conflicts`, `succeeded`, `rejectedByPolicy`, `failure`.
        failure: what the server says of a merge that failed.
        project: the id of its project.
    """

    pull: PullRequest
    own: bool
    draft: bool
    merging: str
    failure: str
    project: str


class Policies(NamedTuple):
    """How the policies stand with a pull request.

    Attributes:
        waits_for: the blocking ones that are not met, by their names.
        strategies: the ways of merging that they allow.
    """

    waits_for: tuple[str, ...]
    strategies: tuple[str, ...]


def read(value: Any, address: AzureAddress) -> AzurePull:
    """A pull request, as lists and single answers show it; ReleaseError where it is something else."""
    try:
        state = _STATES[value["status"]]
        ended = time(value.get("closedDate")) if state != "open" else None
        merge = (value.get("lastMergeCommit") or {}).get("commitId") if state == "merged" else None
        number = int(value["pullRequestId"])
        pull = PullRequest(
            number=number,
            url=address.url(number),
            state=state,
            head=str(value["sourceRefName"]).removeprefix(_HEADS),
            base=str(value["targetRefName"]).removeprefix(_HEADS),
            head_commit=values.commit(value["lastMergeSourceCommit"]["commitId"]),
            title=str(value["title"]),
            body=str(value.get("description") or ""),
            merge_commit=values.commit(merge) if merge else None,
            merged_at=ended if state == "merged" else None,
            closed_at=ended,
            labels=labels(value.get("labels") or ()),
            sigil=SIGIL,
        )
        project = ((value.get("repository") or {}).get("project") or {}).get("id")
        return AzurePull(
            pull,
            own=not value.get("forkSource"),
            draft=value.get("isDraft") is True,
            merging=str(value.get("mergeStatus") or ""),
            failure=str(value.get("mergeFailureMessage") or ""),
            project=str(project or address.project),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unreadable("a pull request", address.web, error, "Azure DevOps") from error


def labels(listed: Iterable[Any]) -> tuple[str, ...]:
    """The names of labels that are active."""
    return tuple(str(label["name"]) for label in listed if label.get("active") is not False)


def time(value: Any) -> datetime | None:
    """A time as .NET writes it (`2026-11-23T12:00:00.1234567Z`), with as many digits as a second has there."""
    digits = _SECOND.sub(lambda found: f".{found[1][:6]:0<6}", str(value), count=1)
    return values.time(None if value is None else digits)


def of_commit(results: Any, commit: CommitId, address: AzureAddress) -> Iterable[PullRequest]:
    """The pull requests that the answer to a query names for a commit."""
    try:
        return [read(value, address).pull for one in results["results"] for value in one.get(commit) or ()]
    except (KeyError, TypeError, AttributeError) as error:
        raise unreadable("the pull request of a commit", address.web, error, "Azure DevOps") from error


def policies(evaluations: Iterable[Any], where: str) -> Policies:
    """How the policies stand, from the evaluations of each."""
    waits_for: list[str] = []
    strategies = set(_ALLOWS)
    try:
        for one in evaluations:
            configuration = one["configuration"]
            if not (configuration.get("isBlocking") and configuration.get("isEnabled", True)):
                continue
            if configuration["type"]["id"] == MERGE_STRATEGY:
                strategies &= allowed(configuration.get("settings") or {})
            elif one["status"] not in {"approved", "notApplicable"}:
                name = (configuration.get("settings") or {}).get("displayName") or configuration["type"]["displayName"]
                waits_for.append(str(name))
    except (KeyError, TypeError, AttributeError) as error:
        raise unreadable("a policy", where, error, "Azure DevOps") from error
    return Policies(tuple(waits_for), tuple(name for name in _ALLOWS if name in strategies))


def allowed(settings: Mapping[str, Any]) -> set[str]:
    """The ways of merging that the settings of the policy "Limit merge types" allow."""
    return {name for name, key in _ALLOWS.items() if settings.get(key) is True}
