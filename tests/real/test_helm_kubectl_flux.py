"""A version's whole life, each commit of it applied by Helm, kubectl or Flux: which moments callers meet.

docs/explanation/routing.md says what each of them guarantees; Argo CD has its own tests.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import cluster as small
import pytest
from appliers import Applier, Helm, Kubectl
from control_plane import Cluster, until
from flux import Flux
from load import Load
from mesh import Mesh
from recording import LAW
from simulated_nodes import Behaviour
from watcher import Watcher
from world import World

TAGS = "image:\n  default: v3\n  tag:\n    v1: v1.0.1\n    v2: v1.0.2\n    v3: v1.0.3\n"
ROUTED = small.ROUTED + "preStopSeconds: 1\n"
START, SLOW = Behaviour(ready_after=1.0), Behaviour(ready_after=5.0)  # longer than applying takes
DRAINED, WARM = timedelta(hours=2), timedelta(minutes=6)
pytestmark = [pytest.mark.slow, pytest.mark.world(tags=TAGS, default="manual")]


@pytest.fixture
def watcher(by: Applier, cluster: Cluster, namespace: str) -> Iterator[Watcher]:
    """Three versions run."""
    for version in ("v1", "v2", "v3"):
        cluster.nodes.behave(namespace, version, START)
    cluster.nodes.behave(namespace, "v4", SLOW)
    by.apply(ROUTED, TAGS)
    with Watcher(cluster.kubeconfig, namespace) as found:
        found.until_ready(v1=1, v2=1, v3=1)
        yield found


@contextmanager
def called(watcher: Watcher, folder: Path, *versions: str, streams: tuple[str, ...] = ()) -> Iterator[Load]:
    """Calls that name these versions, and calls without one, through the real Envoy."""
    with Mesh(folder / "envoy", watcher) as mesh, mesh.client(small.HOST) as client:
        mesh.settle()
        with Load(client, ("", *versions), streams or versions) as load:
            yield load


def do(world: World, by: Applier, *command: str, later: timedelta = timedelta(minutes=1)) -> None:
    """A command, whose commit is applied."""
    world.release(*command, "--direct", later=later)
    by.apply(ROUTED, world.tags())


def test_no_step_of_a_whole_life_loses_a_version_and_who_names_a_running_one_is_answered(
    by: Applier, watcher: Watcher, world: World, tmp_path: Path
) -> None:
    begin = watcher.revision
    with called(watcher, tmp_path, "v2", "v3") as load:
        do(world, by, "bump", "devel", "v1.0.4")
        watcher.until_ready(v1=1, v2=1, v3=1, v4=1)
        do(world, by, "default", "devel", "v4")
        do(world, by, "downgrade", "devel", "--reason", "bad")  # v4 is quarantined, v3 the default again
        do(world, by, "clear", "devel", "v4", "--reason", "mended")
        do(world, by, "retire", "devel", "v1", "--reason", "old")
        time.sleep(1)
        do(world, by, "cleanup", "devel", later=DRAINED)
        watcher.until_ready(v2=1, v3=1, v4=1)
        time.sleep(1)
    told = f"{type(by).__name__}: {len(list(watcher.moments()))} moments, {load.calls} calls, {load.failed} failed"
    print(
        told, [(one.value, f"{one.end - one.begin:.1f} s early") for one in watcher.breaches(["early"])]
    )  # -s shows it
    assert watcher.breaches() == [], watcher.told()
    assert (load.failed, load.cut) == (0, 0), load.answers
    # All at once: the route of a new version is there before its pods.
    early = {one.value for one in watcher.breaches(["early"]) if one.cause.revision > begin}
    assert early == {"v4", "v1.0.4"} or (
        type(by) is Kubectl and not by.server_side and not early
    )  # that takes its time


def test_a_removal_whose_retirement_was_never_applied_loses_nothing(
    by: Applier, watcher: Watcher, world: World
) -> None:
    world.release("retire", "devel", "v1", "--reason", "old", "--direct")
    do(world, by, "cleanup", "devel", later=DRAINED)
    watcher.until_ready(v2=1, v3=1)
    assert "v1:" not in world.tags()
    assert watcher.breaches() == [], watcher.told()


def test_a_removed_version_that_is_restored_is_routed_once_its_pods_are_ready(
    by: Applier, watcher: Watcher, world: World, tmp_path: Path
) -> None:
    do(world, by, "retire", "devel", "v1", "--reason", "old")
    do(world, by, "cleanup", "devel", later=DRAINED)
    watcher.until_ready(v2=1, v3=1)
    begin = watcher.revision
    with called(watcher, tmp_path, "v1", "v3", streams=("v3",)) as load:
        do(world, by, "restore", "devel", "v1", "--reason", "a client needs it")
        watcher.until_ready(v1=1, v2=1, v3=1)
        do(world, by, "cleanup", "devel", later=WARM)
        time.sleep(1)
    assert {who for sent, who in load.answers if sent == "v1"} == {"v3", "v1"}, load.answers  # never nobody
    assert [one for one in watcher.breaches([*LAW, "early"]) if one.cause.revision > begin] == [], watcher.told()


KINDS = ["Service", "Deployment", "DestinationRule", "EnvoyFilter", "Gateway", "VirtualService"]


def test_objects_are_applied_kind_by_kind_without_a_wait_and_deleted_after_that(
    by: Applier, watcher: Watcher, namespace: str
) -> None:
    begin = watcher.revision
    tags = TAGS.replace("    v1: v1.0.1\n", "").replace("v3: v1.0.3\n", "v3: v1.0.3\n    v4: v1.0.4\n")
    by.apply(ROUTED, f"envoyFilter: {{enabled: true, namespace: {namespace}}}\n", tags)
    watcher.until_ready(v2=1, v3=1, v4=1)
    touched: dict[tuple[str, bool], None] = {}  # kind, and whether it goes: in the order of the first change
    for moment in watcher.moments(begin + 1):
        kind, _, name = moment.event.key
        if kind in KINDS and not (kind == "Deployment" and name[-2:] not in ("v1", "v4")):
            touched.setdefault((kind, moment.event.content is None))
    applied, deleted = ([kind for kind, gone in touched if gone == wanted] for wanted in (False, True))
    assert applied == [kind for kind in KINDS if kind in applied], applied
    assert {"Deployment", "DestinationRule", "VirtualService"} <= set(applied)
    assert "Deployment" in deleted
    assert list(touched)[: len(applied)] == [(kind, False) for kind in applied]


SHORTEST = 30  # seconds: a Kustomization's timeout is never less


# -- Helm alone: waiting and going back --
CRASHING = TAGS.replace("default: v3", "default: v4") + "    v4: v1.0.4\n"
DOWNGRADED = f"{TAGS}    v4: v1.0.4\n  quarantined:\n    v4: {{reason: crashes}}\n"
BACK = {"helm4": "--rollback-on-failure", "helm3": "--atomic"}


def served_by(cluster: Cluster, namespace: str) -> str:
    """The version that calls without one are told."""
    path = f"/apis/networking.istio.io/v1/namespaces/{namespace}/virtualservices/engine-grpc-manifest"
    last = cluster.api.get(path)["spec"]["http"][-1]
    name: str = last["route"][0]["headers"]["response"]["set"]["grpcsvc"]
    return name


@pytest.mark.parametrize("program", list(BACK))
def test_helm_waits_at_the_end_for_every_version_and_going_back_takes_the_downgrade_back(
    program: str, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    cluster.nodes.behave(namespace, "v4", Behaviour(crashes=True))

    def helm(*options: str) -> Helm:
        return Helm(
            cluster, namespace, tmp_path, program=program, options=(*options, "--timeout", "4s") if options else ()
        )

    helm().apply(ROUTED, CRASHING)
    assert served_by(cluster, namespace) == "v4"
    with pytest.raises(AssertionError, match=r"(?s)engine-grpc-manifest-v4.*|not ready|deadline"):
        helm("--wait").apply(ROUTED, DOWNGRADED)
    assert served_by(cluster, namespace) == "v3"  # it is applied, and the wait alone failed
    helm().apply(ROUTED, CRASHING)
    with pytest.raises(AssertionError):
        helm(BACK[program]).apply(ROUTED, DOWNGRADED)
    assert served_by(cluster, namespace) == "v4"


@pytest.mark.parametrize("program", list(BACK))
def test_helm_refuses_a_second_upgrade_while_the_first_waits(
    program: str, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    cluster.nodes.behave(namespace, "v4", Behaviour(never_ready=True))
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    Helm(cluster, namespace, second, program=program).apply(ROUTED, TAGS)
    waiting = Helm(cluster, namespace, first, program=program, options=("--wait", "--timeout", "10s"))
    with ThreadPoolExecutor() as pool:
        done = pool.submit(waiting.apply, ROUTED, CRASHING)
        until(lambda: served_by(cluster, namespace) == "v4")
        with pytest.raises(AssertionError, match="another operation"):
            Helm(cluster, namespace, second, program=program).apply(ROUTED, DOWNGRADED)
        assert done.exception() is not None


@pytest.mark.parametrize(
    ("first", "later", "taken"), [("helm4", "helm4", True), ("helm3", "helm3", False), ("helm3", "helm4", False)]
)
def test_after_a_failed_upgrade_helm_3_leaves_routes_as_the_failed_one_made_them(
    first: str, later: str, taken: bool, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    """It compares Istio's objects with the last revision that succeeded, and not with the cluster: they are the same."""

    def helm(*options: str) -> Helm:
        return Helm(cluster, namespace, tmp_path, program=later, options=options)

    cluster.nodes.behave(namespace, "v4", Behaviour(crashes=True))
    Helm(cluster, namespace, tmp_path, program=first).apply(ROUTED, TAGS)
    with pytest.raises(AssertionError):
        helm("--wait", "--timeout", "3s").apply(ROUTED, CRASHING)
    assert served_by(cluster, namespace) == "v4"
    helm().apply(ROUTED, DOWNGRADED)
    assert served_by(cluster, namespace) == ("v3" if taken else "v4")
    helm().apply(ROUTED, DOWNGRADED)
    assert served_by(cluster, namespace) == ("v3" if taken else "v4")
    if not taken:
        helm(*(["--force"] if later == "helm3" else ["--server-side=true"])).apply(ROUTED, DOWNGRADED)
        assert served_by(cluster, namespace) == "v3"


@pytest.mark.usefixtures("flux_controllers")
def test_flux_that_waits_holds_up_a_downgrade_until_its_timeout(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    cluster.nodes.behave(namespace, "v4", Behaviour(crashes=True))
    with Flux(cluster, namespace, tmp_path, wait=True) as by:
        by.apply(ROUTED, TAGS)
        by.commit(ROUTED, CRASHING)
        until(lambda: served_by(cluster, namespace) == "v4")
        begin = time.monotonic()
        by.commit(ROUTED, DOWNGRADED)
        until(lambda: served_by(cluster, namespace) == "v3", 2 * SHORTEST)
        assert time.monotonic() - begin > SHORTEST - 10
