"""What an API server refuses of an object whose shape is right, as Kubernetes 1.36 does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from rendering import request

from release_tool.helm import Renderer
from release_tool.manifests import admission

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: engine-v1, namespace: engine, labels: {app: engine}}
spec:
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {app: engine}}
  template:
    metadata: {labels: {app: engine}, annotations: {}}
    spec:
      terminationGracePeriodSeconds: 60
      containers:
      - name: engine
        image: engine:1
        lifecycle: {preStop: {sleep: {seconds: 60}}}
        resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: 1, memory: 1024Mi}}
"""
OTHER = {
    "HorizontalPodAutoscaler": "apiVersion: autoscaling/v2\nspec: {minReplicas: 2, maxReplicas: 2}\n",
    "PodDisruptionBudget": "apiVersion: policy/v1\nspec: {maxUnavailable: 1}\n",
    "Service": "apiVersion: v1\nspec: {ports: [{port: 80}]}\n",
    "ConfigMap": "apiVersion: v1\ndata: {a: b}\n",
}
POD = "spec.template.spec"
BOX = f"{POD}.containers[engine]"


def of_kind(kind: str) -> dict[str, Any]:
    if kind == "Deployment":
        return yaml.safe_load(DEPLOYMENT)
    return {"kind": kind, "metadata": {"name": "engine"}, **yaml.safe_load(OTHER[kind])}


def found(content: Any) -> list[tuple[str, str]]:
    return [(one.subject, one.what) for one in admission.check(f"---\n{yaml.safe_dump(content)}")]


def changed(kind: str, path: str, value: object) -> dict[str, Any]:
    """An object with another value at a path of keys and places."""
    content = copy.deepcopy(of_kind(kind))
    *above, last = path.split("/")
    place: Any = content
    for step in above:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    place[last] = value
    return content


ROLLING, CONTAINER = "spec/strategy/rollingUpdate", "spec/template/spec/containers/0"


@pytest.mark.parametrize(
    ("kind", "path", "value", "subject", "words"),
    [
        ("Deployment", ROLLING, {"maxSurge": 0, "maxUnavailable": 0}, "spec.strategy.rollingUpdate.maxUnavailable", "no pod could ever change"),
        ("Deployment", ROLLING, {"maxSurge": "0%", "maxUnavailable": "0"}, "spec.strategy.rollingUpdate.maxUnavailable", "so is maxSurge"),
        ("Deployment", "spec/strategy/type", "Recreate", "spec.strategy.rollingUpdate", "beside type: Recreate"),
        ("Deployment", "spec/minReadySeconds", 600, "spec.progressDeadlineSeconds", "is 600, not more than minReadySeconds (600)"),
        ("Deployment", "spec/template/spec/terminationGracePeriodSeconds", 59, f"{BOX}.lifecycle.preStop.sleep.seconds", "is 60, more than terminationGracePeriodSeconds (59)"),
        ("Deployment", "spec/template/spec/nodeSelector", {"disk": 5}, f"{POD}.nodeSelector.disk", "no value of a label"),
        ("Deployment", f"{CONTAINER}/resources/limits/memory", "1000M", f"{BOX}.resources.requests.memory", "is 1Gi, more than its limit (1000M)"),
        ("Deployment", f"{CONTAINER}/resources/limits/cpu", 0.4, f"{BOX}.resources.requests.cpu", "is 500m"),
        ("Deployment", f"{CONTAINER}/resources/limits/cpu", "one", f"{BOX}.resources.limits.cpu", "is 'one', no quantity"),
        ("Deployment", f"{CONTAINER}/resources/requests", {"memory": "1GB"}, f"{BOX}.resources.requests.memory", "is '1GB'"),
        ("Deployment", f"{CONTAINER}/livenessProbe", {"successThreshold": 2}, f"{BOX}.livenessProbe.successThreshold", "is 2"),
        ("Deployment", "spec/template/spec/initContainers", [{"name": "engine"}], f"{BOX}.name", "is there twice"),
        ("Deployment", "spec/template/metadata/labels/team", 5, "spec.template.metadata.labels.team", "is 5 and no text"),
        ("Deployment", "spec/template/metadata/annotations/a b", "x", "spec.template.metadata.annotations.a b", "is no key"),
        ("Deployment", "spec/template/metadata/annotations/on", True, "spec.template.metadata.annotations.on", "is True and no text"),
        ("Deployment", "metadata/labels/team", "a b", "metadata.labels.team", "is 'a b'"),
        ("Deployment", "metadata/labels/team", "x" * 64, "metadata.labels.team", "is 'xxx"),
        ("Deployment", "metadata/labels", {"A_b./x": "x"}, "metadata.labels.A_b./x", "is no key"),
        ("Deployment", "metadata/name", "Engine", "metadata.name", "is 'Engine'"),
        ("Service", "metadata/name", "1-engine", "metadata.name", "is '1-engine'"),
        ("HorizontalPodAutoscaler", "spec/minReplicas", 3, "spec.maxReplicas", "is 2, below minReplicas (3)"),
        ("PodDisruptionBudget", "spec/minAvailable", 1, "spec.minAvailable", "beside spec.maxUnavailable"),
        ("ConfigMap", "metadata/annotations", {"a": "x" * 263_000}, "metadata.annotations", "more than 256 KB"),
    ],
)  # fmt: skip
def test_what_an_api_server_refuses_is_found(kind: str, path: str, value: object, subject: str, words: str) -> None:
    ((where, what),) = found(changed(kind, path, value))
    assert where == subject
    assert words in what
    assert what.endswith(", which Kubernetes refuses")


@pytest.mark.parametrize("kind", ["Deployment", *OTHER])
def test_what_it_takes_is_right(kind: str) -> None:
    assert found(of_kind(kind)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (ROLLING, {"maxSurge": "25%", "maxUnavailable": 0}),
        (ROLLING, {"maxUnavailable": 0}),
        ("metadata/labels", {"example.com/team_a": "A.b-c_1", "empty": "", "none": None}),
        ("metadata/annotations", {"x": "any text: {}"}),
        (f"{CONTAINER}/lifecycle", {"preStop": {"sleep": {"seconds": 0}}}),
        (f"{CONTAINER}/resources/requests", {"cpu": "1e-1", "memory": "1048576Ki", "example.com/gpu": "+2.", "x": 1.5}),
        ("spec/template", 7),
        ("spec/template/spec/containers", "none"),
        ("metadata", {"name": "engine-v1", "labels": [1]}),
    ],
)
def test_what_is_right_or_of_another_shape_is_passed_over(path: str, value: object) -> None:
    assert found(changed("Deployment", path, value)) == []


def test_the_chart_is_right_and_each_fault_is_told_once_for_all_versions(engine: Renderer) -> None:
    tags = "image: {tag: {" + ", ".join(f"v{number}: a.{number}" for number in range(1, 21)) + "}}\n"
    assert admission.check(engine.render(request(tags))) == ()
    (one,) = admission.check(engine.render(request(tags + "preStopSeconds: 61\n")))
    assert one.what.startswith("Deployment engine/engine-grpc-manifest-v1: ")
