"""The life of a version under Argo CD, from commits that the tool makes: no moment takes a routed version's pods away.

Each change of pods, endpoints and routes in the cluster is a moment, and each is held to the law (`tests/support/recording.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from argo_cd import Application, ArgoCD
from cluster import PUBLIC
from control_plane import Cluster, until
from git_server import serving
from recording import LAW
from rendering import VERSION_RULES, with_one_rule
from simulated_gateway import gateway
from simulated_nodes import Behaviour
from watcher import Watcher
from world import World

TAGS = "image:\n  default: v3\n  tag:\n    v1: v1.0.1\n    v2: v1.0.2\n    v3: v1.0.3\n"
PODS = "replicaCount: 2\npreStopSeconds: 1\nterminationGracePeriodSeconds: 5\nprogressDeadlineSeconds: 10\n"
ISTIO = PODS + "virtualService: {gateways: [], hosts: [engine.example.com]}\ngateway: {enabled: true}\n"
GATEWAY_API = (
    PODS
    + "routing: {kind: gateway-api, parentRefs: [{name: public, namespace: gateways}], hostnames: [engine.example.com]}\n"
)
ONLY_CHANGED = ("ApplyOutOfSyncOnly=true",)
MARKS = "charts/grpc-manifest/charts/grpc-manifest-routes/templates/_names.tpl"
EARLY = (*LAW, "early")
LONG = 150
HOOK = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: hook, annotations: {argocd.argoproj.io/hook: PostSync}}
"""
pytestmark = [pytest.mark.slow, pytest.mark.world(tags=TAGS)]


@dataclass
class Life:
    """An environment that Argo CD applies from the origin of a world; `took`: command -> seconds until it was applied."""

    world: World
    cluster: Cluster
    namespace: str
    argo_cd: ArgoCD
    app: Application
    watcher: Watcher
    took: dict[str, float] = field(default_factory=dict)

    def land(self, *command: str) -> str:
        """Runs the tool; the commit that it lands."""
        reason = [] if command[0] in ("bump", "cleanup", "undo") else ["--reason", "a test"]
        self.world.release(*command, *reason, "--direct")
        return self.tip

    @property
    def tip(self) -> str:
        return self.world.refs()["refs/heads/main"]

    def sync(self, *command: str) -> None:
        if command:
            self.land(*command)
        begin = time.monotonic()
        try:
            self.app.sync(self.tip, LONG)
            self.took[" ".join(command)] = time.monotonic() - begin
        except AssertionError as error:
            said = [f"{one['message']}" for one in (self.operation(), *self.app.status.get("conditions", ()))]
            raise AssertionError("\n".join([*said, self.watcher.told()])) from error

    def drained(self) -> None:
        self.world.now += timedelta(hours=2)

    def behave(self, version: str, behaviour: Behaviour) -> None:
        self.cluster.nodes.behave(self.namespace, version, behaviour)

    def operation(self) -> dict[str, Any]:
        found: dict[str, Any] = self.app.status.get("operationState", {})
        return found

    def ended(self) -> str:
        """How the first sync of the tip ends."""
        self.app.refresh()

        def over() -> bool:
            state = self.operation()
            return state.get("syncResult", {}).get("revision") == self.tip and state["phase"] != "Running"

        until(over, LONG, "the sync ends")
        return str(self.operation()["phase"])

    def routed(self, version: str) -> bool:
        """Whether calls that name the version have a route of their own, in the cluster as it stands."""
        *_, now = self.watcher.moments(self.watcher.revision)
        return version in now.routes


@pytest.fixture
def life(cluster: Cluster, namespace: str, argo_cd: ArgoCD, world: World) -> Callable[..., Any]:
    @contextmanager
    def made(values: str, options: tuple[str, ...] = ONLY_CHANGED, retry: int = 0) -> Iterator[Life]:
        world.commit({"environments/devel/values.yaml": values}, "Values")
        extra = [PUBLIC] if values == GATEWAY_API else []
        watched = Watcher(cluster.kubeconfig, namespace, extra=extra)
        with serving(world.path) as git, gateway(cluster.api, namespace), watched as watcher:
            files = [f"../../environments/devel/{name}.yaml" for name in ("values", "image_tag")]
            # Argo CD takes what carries an Application's name for its own, also in the namespace of a test before.
            helm = {"releaseName": "engine", "valueFiles": files}
            app = argo_cd.application(
                namespace, namespace, git.url, "charts/grpc-manifest", options=options, retry=retry, helm=helm
            )
            try:
                found = Life(world, cluster, namespace, argo_cd, app, watcher)
                found.sync()
                watcher.until_ready(v1=2, v2=2, v3=2)
                yield found
                print(found.took, watcher.told("", "v1"), sep="\n")
            finally:
                app.delete()

    return made


@pytest.mark.parametrize(("values", "options"), [
    (ISTIO, ONLY_CHANGED), (ISTIO, ()), (GATEWAY_API, ONLY_CHANGED),
], ids=["Istio", "Istio, applying all", "Gateway API"])  # fmt: skip
def test_no_step_of_a_life_takes_pods_from_a_route(
    values: str, options: tuple[str, ...], life: Callable[..., Any]
) -> None:
    with life(values, options) as it:
        it.sync("bump", "devel", "v1.0.4")  # it becomes the default
        it.sync("default", "devel", "v3")
        it.sync("default", "devel", "v4")
        it.behave("v4", Behaviour(crashes=True))
        it.watcher.until_ready(v1=2, v2=2, v3=2)
        it.sync("downgrade", "devel")
        it.behave("v5", Behaviour(never_ready=True))
        it.land("bump", "devel", "v1.0.5")
        it.app.refresh()
        until(
            lambda: it.operation().get("phase") == "Running" and "Deployment" in it.operation().get("message", ""), LONG
        )
        it.land("default", "devel", "v2")  # while the sync is stuck
        it.sync("quarantine", "devel", "v5")
        it.behave("v4", Behaviour())
        it.sync("clear", "devel", "v4")
        it.watcher.until_ready(v1=2, v2=2, v3=2, v4=2)
        it.sync("retire", "devel", "v1")
        it.drained()
        it.sync("cleanup", "devel")
        it.watcher.until_ready(v2=2, v3=2, v4=2)
        it.sync("undo", "devel")
        it.watcher.until_ready(v1=2, v2=2, v3=2, v4=2)
        assert not it.routed("v1")  # first its pods, then its route
        it.drained()
        it.sync("cleanup", "devel")
        assert it.routed("v1")
        assert it.watcher.breaches(EARLY) == [], it.watcher.told()


@pytest.mark.parametrize("values", [ISTIO, GATEWAY_API], ids=["Istio", "Gateway API"])
@pytest.mark.parametrize("options", [ONLY_CHANGED, ()], ids=["what changed", "all"])
def test_a_retirement_and_a_removal_in_one_sync_take_the_route_first(
    values: str, options: tuple[str, ...], life: Callable[..., Any]
) -> None:
    with life(values, options) as it:
        with it.argo_cd.down():
            it.land("retire", "devel", "v1")
            it.drained()
            it.land("cleanup", "devel")
        it.sync()
        it.watcher.until_ready(v2=2, v3=2)
        assert not it.routed("v1")
        assert it.watcher.breaches(EARLY) == [], it.watcher.told()


def test_without_the_mark_of_live_versions_pods_go_before_their_route(life: Callable[..., Any], world: World) -> None:
    """Argo CD deletes in the reverse order of waves: what the mark is for, and that the law's breach is seen."""
    world.commit({MARKS: world.file(MARKS).replace('"PruneLast=true"', '""')}, "No marks")
    with life(ISTIO) as it:
        with it.argo_cd.down():
            it.land("retire", "devel", "v1")
            it.drained()
            it.land("cleanup", "devel")
        it.sync()
        assert {one.value for one in it.watcher.breaches()} == {"v1", "v1.0.1"}, it.watcher.told()


@pytest.mark.parametrize("options", [ONLY_CHANGED, ()], ids=["what changed", "all"])
def test_behind_a_version_that_never_gets_ready_routes_go_first_and_pods_when_the_sync_succeeds(
    options: tuple[str, ...], life: Callable[..., Any]
) -> None:
    with life(ISTIO, options) as it:
        it.behave("v4", Behaviour(never_ready=True))
        it.land("bump", "devel", "v1.0.4")
        it.land("retire", "devel", "v1")
        it.app.refresh()
        until(lambda: it.operation().get("phase") == "Failed", LONG, "the sync that adds v4 fails")
        assert it.routed("v1")
        it.drained()
        it.land("cleanup", "devel")
        it.land("downgrade", "devel")
        it.app.refresh()
        until(lambda: not it.routed("v1"), LONG, "the routes change")
        it.behave("v4", Behaviour())
        it.sync()
        it.watcher.until_ready(v2=2, v3=2, v4=2)
        assert it.watcher.breaches() == [], it.watcher.told()


@pytest.mark.parametrize(("option", "ends"), [("Validate=true", "Succeeded"), ("PruneLast=true", "Failed")])
def test_with_prune_last_for_all_a_removal_waits_for_quarantined_versions(
    option: str, ends: str, life: Callable[..., Any]
) -> None:
    with life(ISTIO, (option,)) as it:
        quarantined_and_never_ready(it)
        it.sync()
        it.sync("retire", "devel", "v1")
        it.drained()
        it.land("cleanup", "devel")
        assert it.ended() == ends


def test_with_a_hook_after_the_sync_it_waits_for_quarantined_versions(life: Callable[..., Any], world: World) -> None:
    world.commit({"charts/grpc-manifest/templates/hook.yaml": HOOK}, "A hook")
    with life(ISTIO, ()) as it:
        quarantined_and_never_ready(it)
        assert it.ended() == "Failed"


def quarantined_and_never_ready(it: Life) -> None:
    """v4 lands as the default and is quarantined, before Argo CD sees any of it."""
    it.behave("v4", Behaviour(never_ready=True))
    with it.argo_cd.down():
        it.land("bump", "devel", "v1.0.4")
        it.land("downgrade", "devel")


@pytest.mark.parametrize("options", [ONLY_CHANGED, ()], ids=["what changed", "all"])
def test_a_live_version_that_crashes_holds_up_a_sync_that_applies_all_without_end(
    options: tuple[str, ...], life: Callable[..., Any]
) -> None:
    with life(ISTIO, options) as it:
        it.behave("v1", Behaviour(crashes=True))
        it.watcher.until_ready(v2=2, v3=2)
        it.land("default", "devel", "v2")
        if not options:
            it.app.refresh()
            until(lambda: it.operation().get("phase") == "Running" and "v1" in it.operation().get("message", ""), LONG)
            time.sleep(25)  # progressDeadlineSeconds is 10
            assert it.operation()["phase"] == "Running"
            it.behave("v1", Behaviour())
        it.sync()


@pytest.mark.parametrize("refresh", [False, True], ids=["the same", "the newest"])
def test_a_sync_that_failed_is_tried_again_with_the_same_commit_or_the_newest(
    refresh: bool, life: Callable[..., Any]
) -> None:
    with life(ISTIO) as it:
        it.app.patch({"spec": {"syncPolicy": {"retry": {"limit": 3, "refresh": refresh}}}})
        it.behave("v4", Behaviour(never_ready=True))
        first = it.land("bump", "devel", "v1.0.4")
        it.app.refresh()
        until(lambda: it.operation().get("syncResult", {}).get("revision") == first, LONG, "the sync begins")
        it.land("default", "devel", "v2")
        it.sync()
        applied = {one["revision"] for one in it.app.status["history"]}
        assert (first in applied) != refresh


def test_the_rules_of_versions_take_the_place_of_one_for_all(life: Callable[..., Any], world: World) -> None:
    path = f"charts/grpc-manifest/{VERSION_RULES}"
    now = world.file(path)
    world.commit({path: with_one_rule(now)}, "The chart as it was")
    with life(ISTIO) as it:
        world.commit({path: now}, "A rule for each version")
        it.sync()
        assert it.watcher.breaches(EARLY) == [], it.watcher.told()
