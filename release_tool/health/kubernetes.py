"""What Kubernetes says of the Deployment of a version, of its pods, and of the endpoints that they are.

Bad: no pod is available, none is a ready endpoint, the rollout has passed its deadline, or at least half of the pods
crash again and again. One pod of many that crashes is mentioned, and makes no version bad: its node may be the reason.
What says nothing of the version can't be told: no such Deployment (it is deleted while it is judged, or not applied
yet), one that is scaled to none, a rollout that the controller has not seen yet, an API server that is away or
refuses.

Source of the fields: https://kubernetes.io/docs/reference/kubernetes-api/ (apps/v1, core/v1, discovery.k8s.io/v1).
"""

from __future__ import annotations

import json
import logging
import time
from datetime import datetime
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import kubernetes
import urllib3

from release_tool.health.sampling import BAD, CANNOT_TELL, GOOD, Attempt, Clock, Sampling
from release_tool.health.source import filled
from release_tool.net.deadline import TimeIsUp, in_time
from release_tool.safe_text import phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from release_tool.config import Health
    from release_tool.config.health import KubernetesCheck
    from release_tool.health.source import Subject
    from release_tool.model.health import Verdict

_PAGE, _PAGES = 500, 40
_KINDS = {"deployments": "Deployment", "pods": "PodList", "endpointslices": "EndpointSliceList"}
_PERMISSIONS = {
    "deployments": "`get` of deployments (apps)",
    "pods": "`list` of pods",
    "endpointslices": "`list` of endpointslices (discovery.k8s.io)",
}


class _Unreadable(Exception):
    """Nothing can be told; the text says why."""


class KubernetesSource:
    """One check by the API server; of the environment variables `KUBECONFIG` is read."""

    def __init__(
        self, name: str, check: KubernetesCheck, health: Health, environ: Mapping[str, str], clock: Clock | None = None
    ) -> None:
        self._check = check
        self._kubeconfig = environ.get("KUBECONFIG") or "~/.kube/config"
        self._window = health.window
        self._sampling = Sampling(name, health, clock or Clock())
        self._lock = Lock()
        self._client: Any = None

    def judge(self, subject: Subject, now: datetime, end: float) -> Verdict:
        return self._sampling.verdict(lambda until: self._attempt(subject, now, until), now, end)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _attempt(self, subject: Subject, now: datetime, end: float) -> Attempt:
        namespace = filled(self._check.namespace, subject) or subject.namespace
        name = filled(self._check.deployment, subject) or subject.workload
        try:
            return in_time(lambda: self._look(namespace, name, now, end), end)
        except TimeIsUp:
            return Attempt(CANNOT_TELL, "the API server did not answer in time")
        except _Unreadable as why:
            return Attempt(CANNOT_TELL, str(why))

    def _look(self, namespace: str, name: str, now: datetime, end: float) -> Attempt:
        client = self._connected()
        apps, core = kubernetes.client.AppsV1Api(client), kubernetes.client.CoreV1Api(client)
        discovery = kubernetes.client.DiscoveryV1Api(client)
        deployment = _asked(partial(apps.read_namespaced_deployment, name, namespace), "deployments", end)
        said = of_deployment(deployment)
        if said is not None:
            return said
        pods = partial(core.list_namespaced_pod, namespace, label_selector=selector(deployment))
        slices = partial(discovery.list_namespaced_endpoint_slice, namespace)
        return of_pods(
            deployment,
            [pod for pod in _listing(pods, "pods", end) if _is_of(pod, name)],
            list(_listing(slices, "endpointslices", end)),
            now - self._window,
            self._check.max_restarts,
        )

    def _connected(self) -> Any:
        """The client: by the kubeconfig, or as the pod's service account where there is none."""
        with self._lock:
            if self._client is None:
                try:
                    self._client = self._connect()
                except _Unreadable:
                    raise
                except Exception as error:  # noqa: BLE001 (a broken file, a plug-in for logins: they raise what they like)
                    raise _Unreadable(f"there is no way into the cluster: {phrase(str(error))}") from None
            return self._client

    def _connect(self) -> Any:
        configuration = kubernetes.client.Configuration()
        failures = _Failures()
        logging.getLogger().addHandler(failures)
        try:
            kubernetes.config.load_kube_config(
                config_file=self._kubeconfig,
                context=self._check.context or None,
                client_configuration=configuration,
                persist_config=False,
            )
            if failures.told:
                program = phrase(_login_program(self._kubeconfig, self._check.context))
                why = phrase(failures.told[0].removeprefix("exec: "))
                raise _Unreadable(f"the program {program} of the kubeconfig gives no login: {why}")
        except kubernetes.config.ConfigException as error:
            if self._check.context:
                raise
            try:
                kubernetes.config.load_incluster_config(client_configuration=configuration)
            except kubernetes.config.ConfigException:
                raise error from None
        finally:
            logging.getLogger().removeHandler(failures)
        configuration.retries = urllib3.Retry(0, redirect=0)
        return kubernetes.client.ApiClient(configuration)


class _Failures(logging.Handler):
    """What the library logs, at the root, where a program gives no login: it goes on, and asks as nobody."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


def _login_program(kubeconfig: str, context: str) -> str:
    """The command with which a context logs in."""
    merged = kubernetes.config.kube_config.KubeConfigMerger(kubeconfig).config.value
    wanted = context or merged["current-context"]
    user = next(one["context"]["user"] for one in merged["contexts"] if one["name"] == wanted)
    return str(next(one["user"]["exec"]["command"] for one in merged["users"] if one["name"] == user))


# -- the API server ---------------------------------------------------------------------------------------------------


def _listing(ask: Callable[..., Any], what: str, end: float) -> Iterator[Mapping[str, Any]]:
    """The items of a list, page by page."""
    following: dict[str, str] = {}
    for _ in range(_PAGES):
        found = _asked(partial(ask, limit=_PAGE, **following), what, end)
        yield from (item for item in _listed(found, "items") if isinstance(item, dict))
        mark = _map(found, "metadata").get("continue")
        if not mark:
            return
        following = {"_continue": str(mark)}
    raise _Unreadable(f"there are more than {_PAGE * _PAGES} {what}")


def _asked(ask: Callable[..., Any], what: str, end: float) -> Mapping[str, Any]:
    """One answer as it came: the library's records would refuse what a newer API server adds."""
    left = max(0.001, end - time.monotonic())
    try:
        data = json.loads(ask(_preload_content=False, _request_timeout=(left, left)).data)
    except kubernetes.client.exceptions.ApiException as error:
        raise _Unreadable(_refused(error.status, error.reason, error.body, what)) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _Unreadable(f"the API server can't be reached: {phrase(_cause(error))}") from None
    except ValueError:
        raise _Unreadable("what answers is no API server: it gives no JSON") from None
    if not isinstance(data, dict) or data.get("kind") != _KINDS[what]:
        raise _Unreadable(f"what answers is no API server: it gives no {_KINDS[what]}")
    return data


def _refused(status: int | None, reason: str, body: object, what: str) -> str:
    if status == 404:
        if not _is_status(body):
            return (
                "what answers is no API server, or knows no such API (status 404): look at the address of the cluster"
            )
        return "there is no such Deployment" if what == "deployments" else f"the API server knows no {what}"
    if status == 401:
        return "the API server does not accept the credentials (status 401): they are wrong, or have expired"
    if status == 403:
        return f"the API server refuses (status {status}): it needs {_PERMISSIONS[what]}"
    if not status:  # no answer: TLS
        return f"the API server can't be reached: {phrase(str(reason))}"
    return f"the API server answers with status {status}: {phrase(str(reason))}"


def _is_status(body: object) -> bool:
    """Whether an answer is what an API server says of an object that isn't there."""
    try:
        said = json.loads(str(body))
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("kind") == "Status"


def _cause(error: BaseException) -> str:
    return str(getattr(error, "reason", None) or error)


# -- what the answers mean --------------------------------------------------------------------------------------------


def of_deployment(deployment: Mapping[str, Any]) -> Attempt | None:
    """What a Deployment alone says; None: its pods are to be looked at."""
    status, spec = _map(deployment, "status"), _map(deployment, "spec")
    if _whole(status.get("observedGeneration")) < _whole(_map(deployment, "metadata").get("generation")):
        return Attempt(CANNOT_TELL, "its last change isn't rolled out yet")
    if _whole(spec.get("replicas"), 1) == 0:
        return Attempt(CANNOT_TELL, "its Deployment is scaled to no pods")
    for condition in _listed(status, "conditions"):
        if isinstance(condition, dict) and _has_failed(condition):
            return Attempt(
                BAD, f"its rollout has failed: {phrase(str(condition.get('message') or 'deadline exceeded'))}"
            )
    return None


def of_pods(
    deployment: Mapping[str, Any],
    pods: Sequence[Mapping[str, Any]],
    slices: Sequence[Mapping[str, Any]],
    since: datetime,
    max_restarts: int,
) -> Attempt:
    """What the pods of a Deployment say.

    Args:
        deployment, pods: the Deployment, and its pods.
        slices: the EndpointSlices of the namespace.
        since: older restarts don't count.
        max_restarts: so many are no crash loop.
    """
    crashing = [pod for pod in pods if _crashes(pod, since, max_restarts)]
    available = _whole(_map(deployment, "status").get("availableReplicas"))
    wanted = _whole(_map(deployment, "spec").get("replicas"), 1)
    if crashing and len(crashing) * 2 >= len(pods):
        return Attempt(BAD, f"{len(crashing)} of {len(pods)} pods crash again and again")
    if available == 0:
        return Attempt(BAD, f"none of {wanted} pods is available")
    if not pods:
        return Attempt(CANNOT_TELL, f"{available} of {wanted} pods are available, and none is found")
    names = {_map(pod, "metadata").get("name") for pod in pods}
    if not any(_is_ready(endpoint, names) for one in slices for endpoint in _listed(one, "endpoints")):
        return Attempt(BAD, "none of its pods is a ready endpoint of a Service")
    beside = f", {len(crashing)} crash again and again" if crashing else ""
    return Attempt(GOOD, f"{available} of {wanted} pods available{beside}")


def selector(deployment: Mapping[str, Any]) -> str:
    """The label selector of a Deployment, as a list of pods takes it."""
    chosen = _map(_map(deployment, "spec"), "selector")
    parts = [f"{key}={value}" for key, value in _map(chosen, "matchLabels").items()]
    for one in _listed(chosen, "matchExpressions"):
        key, operator, values = one.get("key"), one.get("operator"), ",".join(one.get("values") or [])
        words = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": f"{key}"}
        parts.append(words.get(operator, f"!{key}"))
    if not parts:
        raise _Unreadable("its Deployment selects every pod")
    return ",".join(parts)


def _has_failed(condition: Mapping[str, Any]) -> bool:
    """Whether a condition says that the rollout has passed its deadline."""
    said = (condition.get("type"), condition.get("status"), condition.get("reason"))
    return said == ("Progressing", "False", "ProgressDeadlineExceeded")


def _is_of(pod: Mapping[str, Any], deployment: str) -> bool:
    """Whether a pod that is selected counts: no other's, not being deleted, and neither evicted nor done.

    A Deployment's ReplicaSets are named after it: `engine-v5-6d4cf56db6`.
    """
    metadata = _map(pod, "metadata")
    owners = [one for one in _listed(metadata, "ownerReferences") if isinstance(one, dict) and one.get("controller")]
    foreign = [one for one in owners if str(one.get("name")).rpartition("-")[0] != deployment]
    ended = _map(pod, "status").get("phase") in {"Failed", "Succeeded"}
    return not foreign and not ended and not metadata.get("deletionTimestamp")


def _crashes(pod: Mapping[str, Any], since: datetime, most: int) -> bool:
    status = _map(pod, "status")
    for container in (*_listed(status, "containerStatuses"), *_listed(status, "initContainerStatuses")):
        if _map(_map(container, "state"), "waiting").get("reason") == "CrashLoopBackOff":
            return True
        ended = _time(_map(_map(container, "lastState"), "terminated").get("finishedAt"))
        restarted = _whole(container.get("restartCount")) > most and ended is not None and ended >= since
        if restarted and container.get("ready") is not True:  # one that runs again by now has recovered
            return True
    return False


def _is_ready(endpoint: Any, names: set[Any]) -> bool:
    if not isinstance(endpoint, dict):
        return False
    target = _map(endpoint, "targetRef")
    # Without a word about it, an endpoint is ready.
    return target.get("name") in names and _map(endpoint, "conditions").get("ready", True) is not False


def _map(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _listed(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _whole(value: Any, otherwise: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else None
    except ValueError:
        return None
