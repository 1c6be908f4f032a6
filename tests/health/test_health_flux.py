"""What Flux says, in the shapes that helm-controller 1.6 and kustomize-controller 1.9 write."""

from __future__ import annotations

from typing import Any

from release_tool.health.cluster import moment
from release_tool.health.flux import of_kustomization, of_release
from release_tool.model.delivery import Delivered, Deployed

A, B, C = ("a" * 40, "b" * 40, "c" * 40)
READY = {"type": "Ready", "status": "True", "reason": "UpgradeSucceeded", "lastTransitionTime": "2026-11-20T09:30:00Z"}
CHART = {"chart": "./charts/engine", "reconcileStrategy": "Revision", "sourceRef": {"kind": "GitRepository"}}
SPEC = {"chart": {"spec": CHART}, "install": {"disableWait": True}, "upgrade": {"disableWait": True}}


def at(hour: int) -> Any:
    return moment(f"2026-11-20T{hour:02}:00:00Z")


def snapshot(version: int, commit: str, hour: int, status: str = "superseded") -> dict[str, Any]:
    deployed = f"2026-11-20T{hour:02}:00:00Z"
    return {"version": version, "chartVersion": f"0.1.0+{commit[:12]}", "lastDeployed": deployed, "status": status}


def release(*history: Any, ready: Any = READY, attempted: str = A, **spec: Any) -> dict[str, Any]:
    status = {"history": list(history), "conditions": [ready], "lastAttemptedRevision": f"0.1.0+{attempted[:12]}.2"}
    return {"metadata": {"name": "engine"}, "spec": {**SPEC, **spec}, "status": status}


FILE = "environments/production/image_tag.yaml"


def read(given: dict[str, Any]) -> Delivered:
    return of_release(given, FILE)


def test_the_release_of_another_environment_tells_nothing() -> None:
    for file, is_ours in ((FILE, True), (f"./{FILE}", True), (FILE.replace("production", "staging"), False)):
        found = read(release(snapshot(1, A, 9, "deployed"), chart={"spec": {**CHART, "valuesFiles": [file]}}))
        assert (not found.unknown) is is_ours
        assert bool(found.applied) is is_ours


def test_a_release_names_commits_by_the_version_of_its_chart() -> None:
    found = read(release(snapshot(2, A, 9, "deployed"), snapshot(1, B, 8)))
    assert found.applied == (Deployed(A[:12], at(9)), Deployed(B[:12], at(8)))
    assert (found.forgets, found.attempt, found.state, found.advice) == (False, None, "Ready", ())


def test_a_failed_upgrade_is_an_attempt() -> None:
    failed = {**READY, "status": "False", "reason": "UpgradeFailed", "message": "context deadline exceeded"}
    found = read(release(snapshot(8, A, 9, "failed"), snapshot(7, B, 8, "deployed"), ready=failed))
    assert found.applied == (Deployed(B[:12], at(8)),)
    assert found.forgets
    assert found.attempt == Deployed(A[:12], moment("2026-11-20T09:30:00Z"))
    assert (found.state, found.problem) == ("not Ready (UpgradeFailed)", "context deadline exceeded")


def test_a_chart_that_names_no_commit_is_told() -> None:
    history = {"version": 1, "chartVersion": "0.1.0", "lastDeployed": "2026-11-20T09:00:00Z", "status": "deployed"}
    found = read(release(history, chart={"spec": {**CHART, "reconcileStrategy": "ChartVersion"}}, upgrade={}))
    assert found.applied == (Deployed("", at(9)),)
    assert [one.partition(",")[0] for one in found.advice] == [
        "its chart doesn't come from a GitRepository with reconcileStrategy: Revision",
        "without upgrade.disableWait: true each commit waits for every version",
    ]


def test_what_is_suspended_does_not_go_on() -> None:
    assert read(release(snapshot(1, A, 9, "deployed"), suspend=True)).problem == "it is suspended"


def kustomization(*history: Any, applied: str = A, ready: Any = READY, **status: Any) -> dict[str, Any]:
    said = {"history": list(history), "conditions": [ready], "lastAppliedRevision": f"main@sha1:{applied}", **status}
    return {"metadata": {"name": "engine"}, "spec": {}, "status": said}


def reconciled(commit: str, first: int, last: int, status: str = "ReconciliationSucceeded") -> dict[str, Any]:
    times = {"firstReconciled": f"2026-11-20T{first:02}:00:00Z", "lastReconciled": f"2026-11-20T{last:02}:30:00Z"}
    return {**times, "lastReconciledStatus": status, "metadata": {"revision": f"main@sha1:{commit}"}}


def test_a_kustomization_names_its_revision() -> None:
    found = of_kustomization(kustomization(reconciled(A, 9, 10), reconciled(B, 7, 8)))
    assert found.applied == (Deployed(A, at(9)), Deployed(B, at(7)))
    assert found.forgets


def test_manifests_that_came_back_are_in_force_since_the_others_are_not() -> None:
    found = of_kustomization(kustomization(reconciled(A, 6, 10), reconciled(B, 7, 8)))
    assert found.applied[0] == Deployed(A, moment("2026-11-20T08:30:00Z"))


def test_an_artifact_of_a_registry_names_the_commit_that_it_was_made_from() -> None:
    digest = "latest@sha256:" + "9" * 64
    found = of_kustomization(
        kustomization(lastAppliedRevision=digest, lastAppliedOriginRevision=f"refs/heads/main@sha1:{A}")
    )
    assert found.applied == (Deployed(A, None),)


def test_a_revision_that_is_tried_is_an_attempt() -> None:
    failing = {**READY, "status": "Unknown", "reason": "Progressing"}
    found = of_kustomization(kustomization(applied=B, ready=failing, lastAttemptedRevision=f"main@sha1:{A}"))
    assert found.attempt == Deployed(A, moment("2026-11-20T09:30:00Z"))
    assert (found.state, found.problem) == ("in progress", "")
