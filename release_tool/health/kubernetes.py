"""What Kubernetes says of the Deployment of a version, of its pods, and of the endpoints that they are.

Bad: no pod is available, none is a ready endpoint, the rollout has passed its deadline, or at least half of the pods
crash again and again. One pod of many that crashes is mentioned, and makes no version bad: its node may be the reason.
What says nothing of the version can't be told: no such Deployment (it is deleted while it is judged, or not applied
yet), one that is scaled to none, a rollout that the controller has not seen yet, an API server that is away or
refuses.

Source of the fields: https://kubernetes.io/docs/reference/kubernetes-api/ (apps/v1, core/v1, discovery.k8s.io/v1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.health.cluster import Cluster, Resource, Unreadable, listed, mapping, moment, whole
from release_tool.health.sampling import BAD, CANNOT_TELL, GOOD, Attempt, Clock, Sampling
from release_tool.health.source import filled
from release_tool.net.deadline import TimeIsUp, in_time
from release_tool.safe_text import phrase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from release_tool.config import Health
    from release_tool.config.health import KubernetesCheck
    from release_tool.health.source import Subject
    from release_tool.model.health import Verdict

_DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
_PODS = Resource("", "v1", "pods", "Pod")
_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")


class KubernetesSource:
    """One check by the API server; of the environment variables `KUBECONFIG` is read."""

    def __init__(
        self, name: str, check: KubernetesCheck, health: Health, environ: Mapping[str, str], clock: Clock | None = None
    ) -> None:
        self._check = check
        self._cluster = Cluster(check.context, environ)
        self._window = health.window
        self._sampling = Sampling(name, health, clock or Clock())

    def judge(self, subject: Subject, now: datetime, end: float) -> Verdict:
        return self._sampling.verdict(lambda until: self._attempt(subject, now, until), now, end)

    def close(self) -> None:
        self._cluster.close()

    def _attempt(self, subject: Subject, now: datetime, end: float) -> Attempt:
        namespace = filled(self._check.namespace, subject) or subject.namespace
        name = filled(self._check.deployment, subject) or subject.workload
        try:
            return in_time(lambda: self._look(namespace, name, now, end), end)
        except TimeIsUp:
            return Attempt(CANNOT_TELL, "the API server did not answer in time")
        except Unreadable as why:
            return Attempt(CANNOT_TELL, str(why))

    def _look(self, namespace: str, name: str, now: datetime, end: float) -> Attempt:
        deployment = self._cluster.get(_DEPLOYMENTS, namespace, name, end)
        said = of_deployment(deployment)
        if said is not None:
            return said
        pods = self._cluster.list(_PODS, namespace, end, selector(deployment))
        slices = self._cluster.list(_SLICES, namespace, end)
        return of_pods(
            deployment,
            [pod for pod in pods if _is_of(pod, name)],
            list(slices),
            now - self._window,
            self._check.max_restarts,
        )


# -- what the answers mean --------------------------------------------------------------------------------------------


def of_deployment(deployment: Mapping[str, Any]) -> Attempt | None:
    """What a Deployment alone says; None: its pods are to be looked at."""
    status, spec = mapping(deployment, "status"), mapping(deployment, "spec")
    if whole(status.get("observedGeneration")) < whole(mapping(deployment, "metadata").get("generation")):
        return Attempt(CANNOT_TELL, "its last change isn't rolled out yet")
    if whole(spec.get("replicas"), 1) == 0:
        return Attempt(CANNOT_TELL, "its Deployment is scaled to no pods")
    for condition in listed(status, "conditions"):
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
    available = whole(mapping(deployment, "status").get("availableReplicas"))
    wanted = whole(mapping(deployment, "spec").get("replicas"), 1)
    if crashing and len(crashing) * 2 >= len(pods):
        return Attempt(BAD, f"{len(crashing)} of {len(pods)} pods crash again and again")
    if available == 0:
        return Attempt(BAD, f"none of {wanted} pods is available")
    if not pods:
        return Attempt(CANNOT_TELL, f"{available} of {wanted} pods are available, and none is found")
    names = {mapping(pod, "metadata").get("name") for pod in pods}
    if not any(_is_ready(endpoint, names) for one in slices for endpoint in listed(one, "endpoints")):
        return Attempt(BAD, "none of its pods is a ready endpoint of a Service")
    beside = f", {len(crashing)} crash again and again" if crashing else ""
    return Attempt(GOOD, f"{available} of {wanted} pods available{beside}")


def selector(deployment: Mapping[str, Any]) -> str:
    """The label selector of a Deployment, as a list of pods takes it."""
    chosen = mapping(mapping(deployment, "spec"), "selector")
    parts = [f"{key}={value}" for key, value in mapping(chosen, "matchLabels").items()]
    for one in listed(chosen, "matchExpressions"):
        key, operator, values = one.get("key"), one.get("operator"), ",".join(one.get("values") or [])
        words = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": f"{key}"}
        parts.append(words.get(operator, f"!{key}"))
    if not parts:
        raise Unreadable("its Deployment selects every pod")
    return ",".join(parts)


def _has_failed(condition: Mapping[str, Any]) -> bool:
    """Whether a condition says that the rollout has passed its deadline."""
    said = (condition.get("type"), condition.get("status"), condition.get("reason"))
    return said == ("Progressing", "False", "ProgressDeadlineExceeded")


def _is_of(pod: Mapping[str, Any], deployment: str) -> bool:
    """Whether a pod that is selected counts: no other's, not being deleted, and neither evicted nor done.

    A Deployment's ReplicaSets are named after it: `engine-v5-6d4cf56db6`.
    """
    metadata = mapping(pod, "metadata")
    owners = [one for one in listed(metadata, "ownerReferences") if isinstance(one, dict) and one.get("controller")]
    foreign = [one for one in owners if str(one.get("name")).rpartition("-")[0] != deployment]
    ended = mapping(pod, "status").get("phase") in {"Failed", "Succeeded"}
    return not foreign and not ended and not metadata.get("deletionTimestamp")


def _crashes(pod: Mapping[str, Any], since: datetime, most: int) -> bool:
    status = mapping(pod, "status")
    for container in (*listed(status, "containerStatuses"), *listed(status, "initContainerStatuses")):
        if mapping(mapping(container, "state"), "waiting").get("reason") == "CrashLoopBackOff":
            return True
        ended = moment(mapping(mapping(container, "lastState"), "terminated").get("finishedAt"))
        restarted = whole(container.get("restartCount")) > most and ended is not None and ended >= since
        if restarted and container.get("ready") is not True:  # one that runs again by now has recovered
            return True
    return False


def _is_ready(endpoint: Any, names: set[Any]) -> bool:
    if not isinstance(endpoint, dict):
        return False
    target = mapping(endpoint, "targetRef")
    # Without a word about it, an endpoint is ready.
    return target.get("name") in names and mapping(endpoint, "conditions").get("ready", True) is not False
