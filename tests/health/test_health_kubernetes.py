"""What Kubernetes says of a version, read with the real client from a server of recorded shapes (see `api_server`)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from api_server import LABELS, ApiServer, at, changed, condition, deployment, endpoints, pod
from certificates import certificate
from points import AT_ONCE, NOW, health, soon, subject

from release_tool.config.health import KubernetesCheck
from release_tool.health.kubernetes import KubernetesSource
from release_tool.model.health import Verdict
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN

MINUTE = timedelta(minutes=1)
RECENTLY, LONG_AGO = NOW - 2 * MINUTE, NOW - 11 * MINUTE
THREE = (pod("aaaaa"), pod("bbbbb"), pod("ccccc"))
WELL = (deployment(), *THREE, endpoints(*THREE))


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as found:
        yield found


@pytest.fixture
def kubeconfig(server: ApiServer, tmp_path: Path) -> Path:
    return server.kubeconfig(tmp_path / "kubeconfig")


def ask(kubeconfig: Path | str, check: KubernetesCheck | None = None, *, left: float = 60, **settings: Any) -> Verdict:
    environ = {"KUBECONFIG": str(kubeconfig)}
    source = KubernetesSource("cluster", check or KubernetesCheck(), health(**settings), environ, AT_ONCE)
    try:
        return source.judge(subject(), NOW, soon(left))
    finally:
        source.close()


def said(server: ApiServer, kubeconfig: Path, *objects: Any, **check: Any) -> tuple[str, str]:
    server.objects = list(objects)
    found = ask(kubeconfig, KubernetesCheck(**check), failures=1)
    return found.health, found.reason.removeprefix("1 of 1 attempts failed: ")


def test_all_pods_available(server: ApiServer, kubeconfig: Path) -> None:
    server.objects = [*WELL]
    found = ask(kubeconfig)
    assert found == Verdict("cluster", HEALTHY, "3 of 3 pods available", samples=1, at=NOW)


def test_a_bad_deployment_is_looked_at_several_times(server: ApiServer, kubeconfig: Path) -> None:
    server.objects = [deployment(available=0)]
    found = ask(kubeconfig)
    assert (found.health, found.reason) == (UNHEALTHY, "3 of 3 attempts failed: none of 3 pods is available")


# -- the Deployment ---------------------------------------------------------------------------------------------------
def with_failed_rollout(available: int = 3) -> Any:
    message = 'ReplicaSet "engine-v5-6d4cf56db6" has timed out progressing.'
    failed = condition("Progressing", False, "ProgressDeadlineExceeded", message)
    return changed(deployment(available=available), conditions=[condition("Available", True, "Enough"), failed])


@pytest.mark.parametrize(
    ("found", "expected", "reason"),
    [
        (deployment(available=1), HEALTHY, "1 of 3 pods available"),
        (deployment(available=0), UNHEALTHY, "none of 3 pods is available"),
        (with_failed_rollout(), UNHEALTHY, 'its rollout has failed: ReplicaSet "engine-v5-6d4cf56db6" has timed out progressing.'),
        (deployment(wanted=0, available=0), UNKNOWN, "its Deployment is scaled to no pods"),
        (changed(deployment(available=0, generation=3), observedGeneration=2), UNKNOWN, "its last change isn't rolled out yet"),
        (changed(deployment(available=0), observedGeneration=None), UNKNOWN, "its last change isn't rolled out yet"),
        (deployment("engine-v4"), UNKNOWN, "there is no such Deployment"),
    ],
)  # fmt: skip
def test_what_a_deployment_says(server: ApiServer, kubeconfig: Path, found: Any, expected: str, reason: str) -> None:
    assert said(server, kubeconfig, found, *THREE, endpoints(*THREE)) == (expected, reason)


def test_a_deployment_that_says_no_number_wants_one_pod(server: ApiServer, kubeconfig: Path) -> None:
    """The API server fills it in; an autoscaler's manifest leaves it out."""
    found = deployment(wanted=1, available=1)
    del found["spec"]["replicas"]
    assert said(server, kubeconfig, found, THREE[0], endpoints(THREE[0])) == (HEALTHY, "1 of 1 pods available")


def test_name_and_namespace_are_templates(server: ApiServer, kubeconfig: Path) -> None:
    objects = copy.deepcopy([deployment("app-v5-1.0.5"), *THREE, endpoints(*THREE)])
    for one in objects:
        one["metadata"]["namespace"] = "prod-shop"
        for owner in one["metadata"].get("ownerReferences", ()):
            owner["name"] = "app-v5-1.0.5-6d4cf56db6"
    where = {"namespace": "{environment}-{namespace}", "deployment": "app-{version}-{tag}"}
    assert said(server, kubeconfig, *objects, **where) == (HEALTHY, "3 of 3 pods available")
    assert server.paths[0] == "/apis/apps/v1/namespaces/prod-shop/deployments/app-v5-1.0.5"


# -- its pods ---------------------------------------------------------------------------------------------------------
def crashing(name: str, **how: Any) -> Any:
    return pod(name, **{"ready": False, "restarts": 7, "ended": RECENTLY, "waits": "CrashLoopBackOff", **how})


@pytest.mark.parametrize(
    ("pods", "expected", "reason"),
    [
        ([crashing("a"), crashing("b"), pod("c")], UNHEALTHY, "2 of 3 pods crash again and again"),
        ([crashing("a"), pod("b")], UNHEALTHY, "1 of 2 pods crash again and again"),
        ([crashing("a"), pod("b"), pod("c")], HEALTHY, "3 of 3 pods available, 1 crash again and again"),
        ([pod("a", ready=False, restarts=4, ended=RECENTLY)], UNHEALTHY, "1 of 1 pods crash again and again"),
        ([pod("a", restarts=4, ended=RECENTLY)], HEALTHY, "3 of 3 pods available"),  # it runs again
        ([pod("a", restarts=3, ended=RECENTLY)], HEALTHY, "3 of 3 pods available"),
        ([pod("a", restarts=400, ended=LONG_AGO)], HEALTHY, "3 of 3 pods available"),
        ([pod("a", restarts=4)], HEALTHY, "3 of 3 pods available"),
        ([crashing("a", restarts=1, waits="ImagePullBackOff"), pod("b")], HEALTHY, "3 of 3 pods available"),
    ],
)
def test_what_crashing_pods_say(
    server: ApiServer, kubeconfig: Path, pods: list[Any], expected: str, reason: str
) -> None:
    assert said(server, kubeconfig, deployment(), *pods, endpoints(*pods)) == (expected, reason)


def test_how_many_restarts_are_a_crash_loop_is_configured(server: ApiServer, kubeconfig: Path) -> None:
    found = pod("a", ready=False, restarts=1, ended=RECENTLY)
    assert said(server, kubeconfig, deployment(), found, endpoints(found), max_restarts=0)[0] == UNHEALTHY
    assert said(server, kubeconfig, deployment(), found, endpoints(found), max_restarts=1)[0] != HEALTHY  # no endpoint
    well = pod("b")
    assert said(server, kubeconfig, deployment(), found, well, endpoints(found, well), max_restarts=1)[0] == HEALTHY


def test_an_init_container_that_crashes_counts(server: ApiServer, kubeconfig: Path) -> None:
    found = pod("a", ready=False)
    waiting = crashing("a")["status"]["containerStatuses"]
    found["spec"]["initContainers"] = [{"name": "engine", "image": "engine:1.0.5"}]
    found = changed(found, initContainerStatuses=waiting, phase="Pending")
    assert said(server, kubeconfig, deployment(available=0), found)[1] == "1 of 1 pods crash again and again"


def other(one: Any, **metadata: Any) -> Any:
    """A copy of a pod with other metadata."""
    made = copy.deepcopy(one)
    made["metadata"].update(metadata)
    return made


CANARY = [{**THREE[0]["metadata"]["ownerReferences"][0], "name": "engine-v5-canary-6d4cf56db6"}]


@pytest.mark.parametrize(
    "foreign",
    [
        other(crashing("a"), labels={**LABELS, "app.kubernetes.io/tag": "v4"}),  # not selected
        other(crashing("a"), ownerReferences=CANARY),  # selected, and another Deployment's
        other(crashing("a"), deletionTimestamp=at(NOW), deletionGracePeriodSeconds=30),
        changed(crashing("a"), phase="Failed", reason="Evicted", message="The node was low on resource: memory."),
    ],
)
def test_pods_that_are_not_its_own_do_not_count(server: ApiServer, kubeconfig: Path, foreign: Any) -> None:
    found = said(server, kubeconfig, deployment(), pod("b"), foreign, endpoints(pod("b")))
    assert found == (HEALTHY, "3 of 3 pods available")


def test_pods_are_selected_by_expressions_too(server: ApiServer, kubeconfig: Path) -> None:
    found = deployment(wanted=1, available=1)
    found["spec"]["selector"]["matchExpressions"] = [
        {"key": "track", "operator": "In", "values": ["a", "b"]},
        {"key": "zone", "operator": "NotIn", "values": ["x", "y"]},
        {"key": "team", "operator": "Exists"},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    fits = {**LABELS, "track": "b", "zone": "z", "team": ""}
    good = other(pod("z"), labels=fits)
    wrong = [{"track": "c"}, {"zone": "x"}, {"old": "1"}]
    bad = [other(crashing(str(number)), labels={**fits, **one}) for number, one in enumerate(wrong)]
    assert said(server, kubeconfig, found, good, *bad, endpoints(good)) == (HEALTHY, "1 of 1 pods available")
    server.objects = [found, other(pod("z"), labels=LABELS)]
    assert ask(kubeconfig).reason == "1 of 1 pods are available, and none is found"


def test_a_deployment_of_everything_can_not_be_told(server: ApiServer, kubeconfig: Path) -> None:
    found = deployment()
    found["spec"]["selector"] = {}
    assert said(server, kubeconfig, found, *THREE) == (UNKNOWN, "its Deployment selects every pod")


# -- its endpoints ----------------------------------------------------------------------------------------------------


NOT_ONE = "none of its pods is a ready endpoint of a Service"


def test_pods_that_no_service_sends_calls_to(server: ApiServer, kubeconfig: Path) -> None:
    of_v4 = endpoints(other(pod("x"), name="engine-v4-5f6d7c8b9-xxxxx"))
    assert said(server, kubeconfig, deployment(), *THREE) == (UNHEALTHY, NOT_ONE)
    assert said(server, kubeconfig, deployment(), *THREE, of_v4) == (UNHEALTHY, NOT_ONE)
    assert said(server, kubeconfig, deployment(), *THREE, endpoints(*THREE, ready=False)) == (UNHEALTHY, NOT_ONE)


def test_one_ready_endpoint_on_the_last_page_is_enough(server: ApiServer, kubeconfig: Path) -> None:
    slices = [endpoints(*THREE, name=f"engine-{number}", ready=False) for number in range(6)]
    one = endpoints(THREE[2], name="engine-z")
    del one["endpoints"][0]["conditions"]["ready"]  # unknown is ready, the API says
    assert said(server, kubeconfig, deployment(), *THREE, *slices, one) == (HEALTHY, "3 of 3 pods available")
    assert len([path for path in server.paths if "endpointslices" in path]) == 4


# -- no way to know ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("forbidden", "needs"),
    [
        ("deployments", "`get` of deployments (apps)"),
        ("pods", "`list` of pods"),
        ("endpointslices", "`list` of endpointslices (discovery.k8s.io)"),
    ],
)
def test_a_permission_that_is_missing_is_named(server: ApiServer, kubeconfig: Path, forbidden: str, needs: str) -> None:
    server.forbidden = {forbidden}
    assert said(server, kubeconfig, *WELL) == (UNKNOWN, f"the API server refuses (status 403): it needs {needs}")


def test_a_token_that_is_not_taken(server: ApiServer, tmp_path: Path) -> None:
    found = ask(server.kubeconfig(tmp_path / "wrong", token="hush-hush"))
    assert found.health == UNKNOWN
    assert (
        found.reason == "the API server does not accept the credentials (status 401): they are wrong, or have expired"
    )


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("no-such-login", "No such file or directory: 'no-such-login'"),
        ("false", "process returned 1"),
        ("echo", "failed to decode process output"),
    ],
)
def test_a_program_that_gives_no_login_is_named(
    server: ApiServer, tmp_path: Path, program: str, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = server.kubeconfig(tmp_path / "kubeconfig")
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    login = {"apiVersion": "client.authentication.k8s.io/v1", "command": program, "interactiveMode": "Never"}
    config["users"][0]["user"] = {"exec": login}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    found = ask(path)
    assert found.health == UNKNOWN
    assert f"the program {program} of the kubeconfig gives no login: " in found.reason
    assert why in found.reason
    assert server.paths == []
    assert capfd.readouterr() == ("", "")


NO_SERVER = "what answers is no API server, or knows no such API (status 404): look at the address of the cluster"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ((503, b""), "the API server answers with status 503: Service Unavailable"),
        ((200, b"<html>login</html>"), "what answers is no API server: it gives no JSON"),
        ((200, b"[]"), "what answers is no API server: it gives no Deployment"),
        ((200, b'{"kind": "Login"}'), "what answers is no API server: it gives no Deployment"),
        ((404, b"<html>Status 404</html>"), NO_SERVER),
        ((404, b"404 page not found"), NO_SERVER),
        ((302, b""), "the API server can't be reached: too many redirects"),
    ],
)
def test_what_is_no_api_server(server: ApiServer, kubeconfig: Path, raw: tuple[int, bytes], reason: str) -> None:
    server.raw = raw
    found = ask(kubeconfig)
    assert (found.health, found.reason, len(server.paths)) == (UNKNOWN, reason, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"kind": "Deployment", "spec": 7, "status": [], "metadata": "x"}',
        b'{"kind": "Deployment", "status": {"conditions": 1}}',
    ],
)
def test_what_is_no_deployment_breaks_nothing(server: ApiServer, kubeconfig: Path, body: bytes) -> None:
    server.raw = (200, body)
    assert ask(kubeconfig).health == UNKNOWN


def test_a_server_that_hangs(server: ApiServer, kubeconfig: Path) -> None:
    server.hangs = True
    found = ask(kubeconfig, timeout=0.3)
    assert found.health == UNKNOWN
    assert "in time" in found.reason or "timed out" in found.reason


def test_nobody_listens(tmp_path: Path) -> None:
    with ApiServer() as server:
        kubeconfig = server.kubeconfig(tmp_path / "kubeconfig")
    found = ask(kubeconfig)
    assert found.health == UNKNOWN
    assert found.reason.startswith("the API server can't be reached: ")
    assert "refused" in found.reason


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    made = certificate(tmp_path, "127.0.0.1")
    with ApiServer(made.context()) as server:
        server.objects = [*WELL]
        found = ask(server.kubeconfig(tmp_path / "kubeconfig"))
        assert found.health == UNKNOWN
        assert found.reason.startswith("the API server can't be reached: ")
        assert "CERTIFICATE_VERIFY_FAILED" in found.reason
        assert ask(server.kubeconfig(tmp_path / "trusting", authority=str(made.path))).health == HEALTHY


def test_the_context_is_chosen(server: ApiServer, kubeconfig: Path) -> None:
    server.objects = [*WELL]
    assert ask(kubeconfig, KubernetesCheck(context="here")).health == HEALTHY
    found = ask(kubeconfig, KubernetesCheck(context="elsewhere"))
    assert found.health == UNKNOWN
    assert found.reason.startswith("there is no way into the cluster: ")
    assert "elsewhere" in found.reason


@pytest.mark.parametrize("text", [None, "", "{", "[]", "apiVersion: v1\nkind: Config\n", "current-context: here\n"])
def test_no_kubeconfig_or_a_broken_one(tmp_path: Path, text: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    if text is not None:
        (tmp_path / "kubeconfig").write_text(text)
    found = ask(tmp_path / "kubeconfig")
    assert found.health == UNKNOWN
    assert found.reason.startswith("there is no way into the cluster: ")


def test_the_shapes_are_held_against_the_schema() -> None:
    wrong = deployment()
    wrong["status"]["availableReplica"] = wrong["status"].pop("availableReplicas")
    with pytest.raises(kubernetes_validate.ValidationError, match="availableReplica"):
        kubernetes_validate.validate(wrong, "1.32", strict=True)
