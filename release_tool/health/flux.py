"""What Flux says of what it applied: its HelmRelease, or its Kustomization.

Both are conditions of an attempt, not of pods: a release that doesn't wait is ready when Helm has sent it, and one that
waits was healthy *then*. So nothing here says anything of a version's health.

A HelmRelease names the commit in the version of its chart (`0.1.0+1a2b3c4d5e6f`), where the chart comes from a
GitRepository with `reconcileStrategy: Revision`. A Kustomization names it as `main@sha1:…`.

Source: the API of helm.toolkit.fluxcd.io/v2 and kustomize.toolkit.fluxcd.io/v1, https://fluxcd.io/flux/components/.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

from release_tool.health.cluster import Resource, listed, mapping, moment, whole
from release_tool.model.delivery import Delivered, Deployed
from release_tool.safe_text import phrase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RELEASES = Resource("helm.toolkit.fluxcd.io", "v2", "helmreleases", "HelmRelease")
KUSTOMIZATIONS = Resource("kustomize.toolkit.fluxcd.io", "v1", "kustomizations", "Kustomization")

_IN_CHART = re.compile(r"\+([0-9a-f]{12})(?:\.[0-9]+)?$")
_IN_REVISION = re.compile(r"(?:@sha1:|@sha256:|^)([0-9a-f]{40}|[0-9a-f]{64})$")
_WAITS = "with wait: true a commit counts as applied only once every version is ready, also one that crashes"
_WENT = {"deployed", "superseded"}


def of_release(release: Mapping[str, Any], tag_file: str) -> Delivered:
    """What a HelmRelease says; the newest of its snapshots come first. `tag_file`: of the environment."""
    spec, status = mapping(release, "spec"), mapping(release, "status")
    by = f"HelmRelease {mapping(release, 'metadata').get('name')}"
    files = listed(mapping(mapping(spec, "chart"), "spec"), "valuesFiles")
    if files and tag_file not in {posixpath.normpath(str(path)) for path in files}:
        return Delivered(by, unknown=f"it applies something else: {tag_file} is not among its valuesFiles")
    every = [one for one in listed(status, "history") if isinstance(one, dict)]
    went = [one for one in every if one.get("status") in _WENT]
    applied = [Deployed(_of_chart(one.get("chartVersion")), moment(one.get("lastDeployed"))) for one in went]
    return Delivered(
        by,
        applied=tuple(applied),
        forgets=not every or whole(every[-1].get("version")) != 1,  # it keeps two, and what failed between them
        attempt=_attempt(release, _of_chart(status.get("lastAttemptedRevision")), applied),
        state=_state(release),
        problem=_problem(release),
        advice=tuple(_advice(spec)),
    )


def of_kustomization(kustomization: Mapping[str, Any]) -> Delivered:
    """What a Kustomization says."""
    status = mapping(kustomization, "status")
    by = f"Kustomization {mapping(kustomization, 'metadata').get('name')}"
    every = [one for one in listed(status, "history") if isinstance(one, dict)]
    went = [one for one in every if one.get("lastReconciledStatus") == "ReconciliationSucceeded"]
    applied = []
    for one, before in zip(went, [*went[1:], {}], strict=False):
        # What was there before, and came back, keeps its first time: it is in force since the other one is not.
        times = [moment(one.get("firstReconciled")), moment(before.get("lastReconciled"))]
        at = max((time for time in times if time is not None), default=None)
        applied.append(Deployed(_of_revision(mapping(one, "metadata")), at))
    now = _of_revision(
        {key: status.get(f"lastApplied{key[0].upper()}{key[1:]}") for key in ("originRevision", "revision")}
    )
    if now and (not applied or applied[0].commit != now):
        applied.insert(0, Deployed(now, applied[0].at if applied else None))
    return Delivered(
        by,
        applied=tuple(applied),
        forgets=True,  # it keeps five, and not their number
        attempt=_attempt(kustomization, _of_revision({"revision": status.get("lastAttemptedRevision")}), applied),
        state=_state(kustomization),
        problem=_problem(kustomization),
        advice=(_WAITS,) if mapping(kustomization, "spec").get("wait") is True else (),
    )


def _of_chart(version: Any) -> str:
    found = _IN_CHART.search(str(version or ""))
    return found[1] if found else ""


def _of_revision(said: Mapping[str, Any]) -> str:
    """The commit of a revision: of the repository that an OCI artifact was made from, else of the source itself."""
    for key in ("originRevision", "revision"):
        found = _IN_REVISION.search(str(said.get(key) or ""))
        if found:
            return found[1]
    return ""


def _ready(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    found = (one for one in listed(mapping(thing, "status"), "conditions") if isinstance(one, dict))
    return next((one for one in found if one.get("type") == "Ready"), {})


def _attempt(thing: Mapping[str, Any], commit: str, applied: list[Deployed]) -> Deployed | None:
    """What it applies, or failed to."""
    if not commit or _ready(thing).get("status") == "True" or (applied and applied[0].commit == commit):
        return None
    return Deployed(commit, moment(_ready(thing).get("lastTransitionTime")))


def _state(thing: Mapping[str, Any]) -> str:
    ready, spec = _ready(thing), mapping(thing, "spec")
    words = {"True": "Ready", "False": f"not Ready ({ready.get('reason')})"}.get(
        str(ready.get("status")), "in progress"
    )
    return phrase(f"{words}, suspended" if spec.get("suspend") is True else words)


def _problem(thing: Mapping[str, Any]) -> str:
    if mapping(thing, "spec").get("suspend") is True:
        return "it is suspended"
    ready = _ready(thing)
    return phrase(str(ready.get("message") or ready.get("reason"))) if ready.get("status") == "False" else ""


def _advice(spec: Mapping[str, Any]) -> Iterator[str]:
    chart = mapping(mapping(spec, "chart"), "spec")
    if mapping(chart, "sourceRef").get("kind") != "GitRepository" or chart.get("reconcileStrategy") != "Revision":
        yield (
            "its chart doesn't come from a GitRepository with reconcileStrategy: Revision, so it names no commit that "
            "it has applied; name the Kustomization that applies it, or set that"
        )
    for key in ("install", "upgrade"):
        if mapping(spec, key).get("disableWait") is not True:
            yield f"without {key}.disableWait: true each commit waits for every version, also for one that crashes"
    if whole(mapping(mapping(spec, "upgrade"), "remediation").get("retries")):
        yield "with upgrade.remediation.retries Flux rolls a downgrade back when the version that it left crashes"
