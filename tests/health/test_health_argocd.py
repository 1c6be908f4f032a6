"""What Argo CD's Application says, in the shapes that Argo CD 3.2 writes (`tests/real` holds them against a running one)."""

from __future__ import annotations

from typing import Any

import pytest

from release_tool.health.argocd import of_application
from release_tool.health.cluster import moment
from release_tool.model.delivery import Deployed
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN

FILE = "environments/production/image_tag.yaml"
A, B, C = ("a" * 40, "b" * 40, "c" * 40)
SOURCE = {"repoURL": "https://example.com/gitops.git", "path": "charts/engine", "targetRevision": "main"}
SOURCE = {**SOURCE, "helm": {"valueFiles": ["/environments/production/values.yaml", f"/{FILE}"]}}
GOOD = {"automated": {"prune": True}, "syncOptions": ["ApplyOutOfSyncOnly=true"]}


def application(sync: str = "Synced", revision: str = A, health: str = "Healthy", **status: Any) -> dict[str, Any]:
    said = {
        "sync": {"status": sync, "revision": revision, "comparedTo": {"source": SOURCE}},
        "health": {"status": health},
        "history": [
            {"id": 0, "revision": C, "deployedAt": "2026-11-20T08:00:00Z", "source": SOURCE},
            {"id": 1, "revision": B, "deployedAt": "2026-11-20T09:00:00Z", "source": SOURCE},
        ],
        "operationState": {
            "phase": "Succeeded", "message": "successfully synced (all tasks run)", "operation": {"sync": {"revision": B}},
            "startedAt": "2026-11-20T08:59:00Z", "finishedAt": "2026-11-20T09:00:00Z",
            "syncResult": {"revision": B, "source": SOURCE},
        },
        **status,
    }  # fmt: skip
    spec = {"project": "default", "source": SOURCE, "syncPolicy": GOOD, "destination": {}}
    return {"kind": "Application", "metadata": {"name": "engine"}, "spec": spec, "status": said}


def at(hour: int) -> Any:
    return moment(f"2026-11-20T{hour:02}:00:00Z")


def test_synced_names_what_is_applied_also_without_a_sync() -> None:
    """The newest commit changed no manifest: what is in force has been there since the last sync."""
    found = of_application(application(), FILE, "main")
    assert found.applied == (Deployed(A, at(9)), Deployed(B, at(9)), Deployed(C, at(8)))
    assert (found.state, found.health, found.problem, found.advice) == ("Synced, Healthy", HEALTHY, "", ())
    assert not found.forgets


def test_out_of_sync_names_what_was_synced_last() -> None:
    running = {
        "phase": "Running", "message": "waiting for healthy state of apps/Deployment/engine-v5",
        "startedAt": "2026-11-20T10:00:00Z", "operation": {"sync": {"revision": A}},
        "syncResult": {"revision": A, "source": SOURCE},
    }  # fmt: skip
    found = of_application(application("OutOfSync", health="Progressing", operationState=running), FILE, "main")
    assert found.applied == (Deployed(B, at(9)), Deployed(C, at(8)))
    assert found.attempt == Deployed(A, at(10))
    assert found.problem == "sync Running: waiting for healthy state of apps/Deployment/engine-v5"
    assert (found.state, found.health) == ("OutOfSync, Progressing, sync Running", UNKNOWN)


@pytest.mark.parametrize("asked", [{"dryRun": True}, {"resources": [{"kind": "Deployment", "name": "x"}]}])
def test_a_dry_run_or_a_part_is_no_attempt(asked: dict[str, Any]) -> None:
    state = {"phase": "Failed", "operation": {"sync": asked}, "syncResult": {"revision": A}, "startedAt": "x"}
    assert of_application(application("OutOfSync", operationState=state), FILE, "main").attempt is None


def test_a_comparison_that_fails_is_the_problem() -> None:
    conditions = [{"type": "ComparisonError", "message": "failed to load target state: authentication required"}]
    found = of_application(application("Unknown", conditions=conditions), FILE, "main")
    assert found.problem == "failed to load target state: authentication required"
    assert found.applied[0].commit == B


def test_of_several_sources_the_one_that_reads_the_versions_counts() -> None:
    sources: list[dict[str, Any]] = [
        {"repoURL": "oci://example.com/charts", "chart": "engine", "targetRevision": "1.2.3",
         "helm": {"valueFiles": [f"$values/{FILE}"]}},
        {"repoURL": "https://example.com/gitops.git", "targetRevision": "main", "ref": "values"},
    ]  # fmt: skip
    given = application()
    given["spec"] = {**given["spec"], "source": None, "sources": sources}
    given["status"]["sync"] = {"status": "Synced", "revisions": ["1.2.3", A], "comparedTo": {"sources": sources}}
    given["status"]["history"] = [{"revisions": ["1.2.2", B], "sources": sources, "deployedAt": "2026-11-20T09:00:00Z"}]
    assert of_application(given, FILE, "main").applied == (Deployed(A, at(9)), Deployed(B, at(9)))
    # a history of other sources, as it was before, names no commit
    given["status"]["history"][0]["sources"] = sources[:1] * 2
    assert of_application(given, FILE, "main").applied[1].commit == ""
    sources[0]["helm"] = {"valueFiles": ["$values/environments/staging/image_tag.yaml"]}
    told = of_application(given, FILE, "main")
    assert told.unknown == f"it applies something else: {FILE} is not among its valueFiles"


@pytest.mark.parametrize(
    ("helm", "is_ours"),
    [
        ({"valueFiles": [f"../../{FILE}"]}, True),
        ({"valueFiles": [FILE]}, False),  # seen from the chart
        ({"valueFiles": [f"/{FILE.replace('production', 'staging')}"]}, False),
        ({}, True),  # by other ways than values files
    ],
)
def test_the_application_of_another_environment_tells_nothing(helm: dict[str, Any], is_ours: bool) -> None:
    given = application()
    given["spec"] = {**given["spec"], "source": {**SOURCE, "helm": helm}}
    assert (not of_application(given, FILE, "main").unknown) is is_ours


def test_hydrated_manifests_name_the_commit_that_they_were_made_from() -> None:
    given = application(revision="f" * 40, history=[])
    given["status"]["sourceHydrator"] = {"lastSuccessfulOperation": {"hydratedSHA": "f" * 40, "drySHA": A}}
    given["spec"]["sourceHydrator"] = {"drySource": {**SOURCE, "targetRevision": "main"}}
    assert of_application(given, FILE, "main").applied == (Deployed(A, None),)


def test_single_deployments_are_judged_where_their_health_is_kept() -> None:
    def resource(name: str, **more: Any) -> dict[str, Any]:
        return {"group": "apps", "kind": "Deployment", "name": name, **more}

    resources = [
        resource("engine-v4", health={"status": "Healthy"}),
        resource("engine-v5", health={"status": "Degraded"}),
        resource("engine-v6", health={"status": "Progressing"}),
        resource("engine-v7"),
    ]
    found = of_application(application(health="Degraded", resources=resources), FILE, "main")
    assert found.healths == {"engine-v4": HEALTHY, "engine-v5": UNHEALTHY, "engine-v6": UNKNOWN}
    assert found.health == UNKNOWN


def test_settings_that_break_a_promise_are_told() -> None:
    given = application()
    given["spec"] = {"source": {**SOURCE, "targetRevision": "v1"}, "syncPolicy": {"automated": {}}}
    told = of_application(given, FILE, "main").advice
    assert [one.partition(":")[0] for one in told] == [
        "it follows v1, and not main",
        (
            "without the sync option ApplyOutOfSyncOnly=true each sync waits for every live version, also for one that "
            "crashes, and so does a downgrade"
        ),
        "without syncPolicy.automated.prune a version that was removed stays deployed",
    ]


@pytest.mark.parametrize("broken", [{}, {"status": 7, "spec": []}, {"status": {"history": [1, None], "sync": "x"}}])
def test_anything_else_names_no_commit(broken: dict[str, Any]) -> None:
    assert not [one for one in of_application(broken, FILE, "main").applied if one.commit]
