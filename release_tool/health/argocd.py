"""What Argo CD's Application says of what it applied.

`status.sync` is the comparison of the cluster with the newest commit: what it names is applied where it says `Synced`.
Otherwise the last entry of `status.history` is: Argo CD writes one when a sync of everything has succeeded, with all
its waves. `status.operationState` is the sync that is under way, or that failed. So after a commit that changes no
manifest there is no sync, and `status.sync` alone tells.

Source: `types.go`, `sync.go` and `state.go` of https://github.com/argoproj/argo-cd (3.2).
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from release_tool.health.cluster import Resource, listed, mapping, moment, whole
from release_tool.model.delivery import Delivered, Deployed
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN
from release_tool.safe_text import phrase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

APPLICATIONS = Resource("argoproj.io", "v1alpha1", "applications", "Application")

_REMEMBERS = 10  # entries of the history, unless `revisionHistoryLimit` says otherwise
_HEALTHS = {"Healthy": HEALTHY, "Degraded": UNHEALTHY}


def of_application(application: Mapping[str, Any], tag_file: str, base: str) -> Delivered:
    """What an Application says.

    Args:
        tag_file: the path of the environment's `image_tag.yaml`: of several sources the one that reads it counts.
        base: the branch that it should follow.
    """
    spec, status = mapping(application, "spec"), mapping(application, "status")
    by = f"Application {mapping(application, 'metadata').get('name')}"
    sync, operation = mapping(status, "sync"), mapping(status, "operationState")
    source = _source(spec, tag_file)
    if source is None:
        return Delivered(by, unknown=f"it applies something else: {tag_file} is not among its valueFiles")
    hydrated = mapping(mapping(status, "sourceHydrator"), "lastSuccessfulOperation")
    dry = {str(hydrated.get("hydratedSHA")): str(hydrated.get("drySHA"))}

    def commit(revisions: Mapping[str, Any], sources: Mapping[str, Any]) -> str:
        return (found := _commit(revisions, sources, tag_file)) and dry.get(found, found)

    history = [one for one in listed(status, "history") if isinstance(one, dict)]
    applied = [Deployed(commit(one, one), moment(one.get("deployedAt"))) for one in reversed(history)]
    synced = sync.get("status") == "Synced"
    now = commit(sync, mapping(sync, "comparedTo")) if synced else ""
    if now and (not applied or applied[0].commit != now):  # as it is since the last sync
        applied.insert(0, Deployed(now, applied[0].at if applied else None))
    health = str(mapping(status, "health").get("status", "Unknown"))
    phase = str(operation.get("phase", ""))
    result = mapping(operation, "syncResult")
    asked = mapping(mapping(operation, "operation"), "sync")
    partly = bool(asked.get("dryRun")) or bool(listed(asked, "resources"))
    attempt = None
    if result and not partly and phase not in {"", "Succeeded"}:
        attempt = Deployed(commit(result, result), moment(operation.get("startedAt")))
    return Delivered(
        by,
        applied=tuple(applied),
        forgets=len(history) >= whole(spec.get("revisionHistoryLimit"), _REMEMBERS),
        attempt=attempt,
        state=phrase(", ".join([str(sync.get("status", "Unknown")), health, *([f"sync {phase}"] if attempt else [])])),
        problem=_problem(status, operation, phase),
        health=HEALTHY if health == "Healthy" else UNKNOWN,  # what is degraded in it may be another version
        healths=dict(_healths(status)),
        advice=tuple(_advice(spec, source, base)),
    )


def _problem(status: Mapping[str, Any], operation: Mapping[str, Any], phase: str) -> str:
    """Why it can't go on: a sync that failed, or that waits for something; a comparison that failed."""
    for one in listed(status, "conditions"):
        if isinstance(one, dict) and str(one.get("type")).endswith("Error"):
            return phrase(str(one.get("message", one["type"])))
    message = str(operation.get("message", ""))
    return phrase(f"sync {phase}: {message}") if phase in {"Running", "Failed", "Error"} else ""


def _healths(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The health of each Deployment. From Argo CD 3.0 it stands here only with `controller.resource.health.persist`."""
    for one in listed(status, "resources"):
        if isinstance(one, dict) and (one.get("group"), one.get("kind")) == ("apps", "Deployment"):
            health = mapping(one, "health").get("status")
            if health:
                yield str(one.get("name")), _HEALTHS.get(str(health), UNKNOWN)


# -- which commit -----------------------------------------------------------------------------------------------------


def _commit(revisions: Mapping[str, Any], sources: Mapping[str, Any], tag_file: str) -> str:
    """The commit of the source that holds the environment's versions; empty where that can't be told."""
    several = listed(revisions, "revisions")
    if not several:
        return str(revisions.get("revision") or "")
    place = _place(listed(sources, "sources"), tag_file)
    return str(several[place]) if place is not None and place < len(several) else ""


def _source(spec: Mapping[str, Any], tag_file: str) -> Mapping[str, Any] | None:
    """The source that holds the versions; None where none does: it is the Application of something else."""
    several = listed(spec, "sources")
    if not several:
        hydrated = mapping(mapping(spec, "sourceHydrator"), "drySource")
        several = [hydrated or mapping(spec, "source")]
    place = _place(several, tag_file)
    return None if place is None else several[place]


def _place(sources: Sequence[Any], tag_file: str) -> int | None:
    """Which of several sources holds a file that one of them names among its `valueFiles`."""
    named = {f"${one.get('ref')}": at for at, one in enumerate(sources) if isinstance(one, dict) and one.get("ref")}
    for at, one in enumerate(sources):
        for path in map(str, listed(mapping(one, "helm"), "valueFiles")):
            root, _, rest = path.partition("/")
            if root in named and posixpath.normpath(rest) == tag_file:
                return named[root]
            if not path.startswith("$") and _inside(str(one.get("path", "")), path) == tag_file:
                return at
    # One without `valueFiles` may have other ways: a plug-in, a Kustomization.
    return 0 if len(sources) == 1 and not listed(mapping(sources[0], "helm"), "valueFiles") else None


def _inside(directory: str, path: str) -> str:
    """A path of `valueFiles` from the root of the repository."""
    return posixpath.normpath(path.lstrip("/") if path.startswith("/") else posixpath.join(directory, path))


# -- its settings -----------------------------------------------------------------------------------------------------


def _advice(spec: Mapping[str, Any], source: Mapping[str, Any], base: str) -> Iterator[str]:
    """What of an Application's settings this tool's promises don't hold with."""
    policy = mapping(spec, "syncPolicy")
    options = {str(one).replace(" ", "") for one in listed(policy, "syncOptions")}
    target = str(source.get("targetRevision") or "HEAD")
    if target not in {base, f"refs/heads/{base}", "HEAD"}:
        yield f"it follows {phrase(target)}, and not {base}: what lands there is applied when that follows"
    if "ApplyOutOfSyncOnly=true" not in options:
        yield (
            "without the sync option ApplyOutOfSyncOnly=true each sync waits for every live version, also for one that "
            "crashes, and so does a downgrade"
        )
    automated = policy.get("automated")
    if not isinstance(automated, dict) or automated.get("enabled") is False:
        yield "it has no syncPolicy.automated: nothing is applied before a person syncs"
    elif automated.get("prune") is not True:
        yield "without syncPolicy.automated.prune a version that was removed stays deployed"
