"""Objects with a fault, what `release check` says of each, and what a real API server (Kubernetes 1.36) answers to it.

tests/manifests/test_admission.py holds our words against this table, tests/real/test_chart_on_server.py the server's.
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import yaml

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
      volumes: [{name: tmp, emptyDir: {}}]
      containers:
      - name: engine
        image: engine:1
        lifecycle: {preStop: {sleep: {seconds: 60}}}
        resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: 1, memory: 1024Mi}}
        volumeMounts: [{name: tmp, mountPath: /tmp}]
"""
ROUTE = "{name: public, route: [{destination: {host: engine}}]}"
OTHER = {
    "HorizontalPodAutoscaler": (
        "apiVersion: autoscaling/v2\nspec: {minReplicas: 2, maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: engine-v1}, "
        "metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}\n"
    ),
    "PodDisruptionBudget": "apiVersion: policy/v1\nspec: {maxUnavailable: 1, selector: {matchLabels: {app: engine}}}\n",
    "Service": "apiVersion: v1\nspec: {ports: [{name: grpc, port: 80}]}\n",
    "ConfigMap": "apiVersion: v1\ndata: {a: b}\n",
    "DestinationRule": "apiVersion: networking.istio.io/v1\nspec: {host: engine, trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}}\n",
    "VirtualService": f"apiVersion: networking.istio.io/v1\nspec: {{hosts: [engine], http: [{ROUTE}]}}\n",
    "GRPCRoute": "apiVersion: gateway.networking.k8s.io/v1\nspec: {parentRefs: [{name: public}], rules: [{backendRefs: [{name: engine, port: 80}]}]}\n",
}
POD = "spec.template.spec"
BOX = f"{POD}.containers[engine]"
ROLLING, PODS, CONTAINER = "spec/strategy/rollingUpdate", "spec/template/spec", "spec/template/spec/containers/0"


class Refused(NamedTuple):
    """`path`: keys and places of what is changed; `subject`, `ours`: of the finding; `theirs`: part of the server's answer."""

    kind: str
    path: str
    value: object
    subject: str
    ours: str
    theirs: str


def of_kind(kind: str) -> dict[str, Any]:
    if kind == "Deployment":
        return yaml.safe_load(DEPLOYMENT)
    return {"kind": kind, "metadata": {"name": "engine", "namespace": "engine"}, **yaml.safe_load(OTHER[kind])}


def changed(kind: str, path: str, value: object) -> dict[str, Any]:
    """An object with another value at a path of keys and places."""
    content = copy.deepcopy(of_kind(kind))
    *above, last = path.split("/")
    place: Any = content
    for step in above:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    place[int(last) if isinstance(place, list) else last] = value
    return content


SCALER, BUDGET = "HorizontalPodAutoscaler", "PodDisruptionBudget"
BOTH = f"{POD}.containers[engine]"
REFUSED = [
    Refused(kind, path, value, subject, ours, theirs)
    for kind, path, value, subject, ours, theirs in [
        # -- rules among fields
        ("Deployment", ROLLING, {"maxSurge": 0, "maxUnavailable": 0}, "spec.strategy.rollingUpdate.maxUnavailable", "no pod could ever change", "may not be 0 when `maxSurge` is 0"),
        ("Deployment", ROLLING, {"maxSurge": "0%", "maxUnavailable": "0%"}, "spec.strategy.rollingUpdate.maxUnavailable", "so is maxSurge", "may not be 0 when `maxSurge` is 0"),
        ("Deployment", "spec/strategy/type", "Recreate", "spec.strategy.rollingUpdate", "beside type: Recreate", "may not be specified when strategy `type` is 'Recreate'"),
        ("Deployment", "spec/minReadySeconds", 600, "spec.progressDeadlineSeconds", "is 600, not more than minReadySeconds (600)", "must be greater than minReadySeconds"),
        ("Deployment", "spec/selector/matchLabels/app", "other", "spec.selector", "doesn't select its own pods", "`selector` does not match template `labels`"),
        ("Deployment", f"{PODS}/terminationGracePeriodSeconds", 59, f"{BOX}.lifecycle.preStop.sleep.seconds", "is 60, more than terminationGracePeriodSeconds (59)", "must be non-negative and less than terminationGracePeriodSeconds"),
        ("Deployment", f"{PODS}/nodeSelector", {"disk": 5}, f"{POD}.nodeSelector.disk", "no value of a label", "cannot unmarshal number"),
        ("Deployment", f"{PODS}/volumes", [], f"{BOX}.volumeMounts[tmp].name", "names no volume", "volumeMounts[0].name: Not found"),
        ("Deployment", f"{PODS}/volumes", [{"name": "tmp"}, {"name": "tmp"}], f"{POD}.volumes", "holds tmp twice", "Duplicate value"),
        ("Deployment", f"{PODS}/volumes", [{"name": "tmp", "emptyDir": {}, "secret": {"secretName": "a"}}], f"{POD}.volumes[tmp]", "holds emptyDir, secret together", "may not specify more than 1 volume type"),
        ("Deployment", f"{PODS}/tolerations", [{"operator": "Exists", "tolerationSeconds": 5}], f"{POD}.tolerations[0].effect", "is not NoExecute beside tolerationSeconds", "effect must be 'NoExecute' when `tolerationSeconds` is set"),
        ("Deployment", f"{PODS}/tolerations", [{"key": "a", "operator": "Exists", "value": "b"}], f"{POD}.tolerations[0].value", "stands beside operator: Exists", "value must be empty when `operator` is 'Exists'"),
        ("Deployment", f"{PODS}/tolerations", [{"effect": "NoSchedule"}], f"{POD}.tolerations[0].operator", "is not Exists without a key", "operator must be Exists when `key` is empty"),
        ("Deployment", f"{CONTAINER}/volumeMounts", [{"name": "tmp", "mountPath": "/a"}, {"name": "tmp", "mountPath": "/a"}], f"{BOX}.volumeMounts", "holds /a twice", "must be unique"),
        ("Deployment", f"{CONTAINER}/env", [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}], f"{BOX}.env", "holds A twice", "duplicate entries for key"),
        ("Deployment", f"{CONTAINER}/env", [{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}], f"{BOX}.env[A].valueFrom", "stands beside value", "may not be specified when `value` is not empty"),
        ("Deployment", f"{CONTAINER}/resources/limits/memory", "1000M", f"{BOX}.resources.requests.memory", "is 1Gi, more than its limit (1000M)", "must be less than or equal to memory limit"),
        ("Deployment", f"{CONTAINER}/resources/limits/cpu", 0.4, f"{BOX}.resources.requests.cpu", "is 500m", "must be less than or equal to cpu limit"),
        ("Deployment", f"{CONTAINER}/livenessProbe", {"successThreshold": 2, "grpc": {"port": 1}}, f"{BOX}.livenessProbe.successThreshold", "is 2", "livenessProbe.successThreshold: Invalid value: 2: must be 1"),
        ("Deployment", f"{CONTAINER}/readinessProbe", {"terminationGracePeriodSeconds": 2, "grpc": {"port": 1}}, f"{BOX}.readinessProbe.terminationGracePeriodSeconds", "is set", "must not be set for readinessProbes"),
        ("Deployment", f"{PODS}/initContainers", [{"name": "engine", "image": "a"}], f"{BOX}.name", "is there twice", "Duplicate value: \"engine\""),
        (SCALER, "spec/minReplicas", 3, "spec.maxReplicas", "is 2, below minReplicas (3)", "must be greater than or equal to `minReplicas`"),
        (BUDGET, "spec/minAvailable", 1, "spec.minAvailable", "beside spec.maxUnavailable", "cannot be both set"),
        # -- names, labels, annotations
        ("Deployment", "spec/template/metadata/labels/team", 5, "spec.template.metadata.labels.team", "is 5 and no text", "cannot unmarshal number"),
        ("Deployment", "spec/template/metadata/annotations/a b", "x", "spec.template.metadata.annotations.a b", "is no key", "annotations: Invalid value: \"a b\""),
        ("Deployment", "spec/template/metadata/annotations/on", True, "spec.template.metadata.annotations.on", "is True and no text", "cannot unmarshal bool"),
        ("Deployment", "metadata/labels/team", "a b", "metadata.labels.team", "is 'a b'", "labels: Invalid value: \"a b\""),
        ("Deployment", "metadata/labels/team", "x" * 64, "metadata.labels.team", "is 'xxx", "63"),
        ("Deployment", "metadata/labels", {"A_b./x": "x"}, "metadata.labels.A_b./x", "is no key", "labels: Invalid value"),
        ("Deployment", "metadata/name", "Engine", "metadata.name", "is 'Engine'", "metadata.name: Invalid value"),
        ("Service", "metadata/name", "engine.grpc", "metadata.name", "is 'engine.grpc'", "metadata.name: Invalid value"),
        ("ConfigMap", "metadata/annotations", {"a": "x" * 263_000}, "metadata.annotations", "more than 256 KB", "annotations: Too long"),
        # -- shapes
        ("Deployment", "spec/replica", 2, "spec.replica", "is no field that Kubernetes 1.36 knows", "unknown field \"spec.replica\""),
        ("Deployment", f"{CONTAINER}/livenessProbe", {"grpc": {"port": 1}, "periodsSeconds": 5}, f"{BOX}.livenessProbe.periodsSeconds", "is no field", "unknown field"),
        ("Deployment", f"{CONTAINER}/livenessProbe", {"periodSeconds": 5}, f"{BOX}.livenessProbe", "holds none of exec, grpc, httpGet, tcpSocket", "must specify a handler type"),
        ("Deployment", f"{CONTAINER}/livenessProbe", {"grpc": {"port": 1}, "exec": {"command": ["a"]}}, f"{BOX}.livenessProbe", "holds exec, grpc together", "may not specify more than 1 handler type"),
        ("Deployment", f"{CONTAINER}/livenessProbe", {"grpc": {"port": "grpc"}}, f"{BOX}.livenessProbe.grpc.port", "is 'grpc' and no whole number", "cannot unmarshal string"),
        ("Deployment", f"{CONTAINER}/livenessProbe", {"tcpSocket": {"port": "GRPC"}}, f"{BOX}.livenessProbe.tcpSocket.port", "is 'GRPC', not the number of a port", "must contain only alpha-numeric characters"),
        ("Deployment", f"{CONTAINER}/livenessProbe", {"tcpSocket": {"port": 1}, "periodSeconds": -1}, f"{BOX}.livenessProbe.periodSeconds", "is -1, below 0", "must be greater than or equal to 0"),
        ("Deployment", f"{CONTAINER}/lifecycle", {"preStop": {}}, f"{BOX}.lifecycle.preStop", "holds none of exec", "must specify a handler type"),
        ("Deployment", f"{CONTAINER}/resources/limits/cpu", "one", f"{BOX}.resources.limits.cpu", "is 'one', not a quantity", "quantities must match"),
        ("Deployment", f"{CONTAINER}/resources/requests", {"memory": "1GB"}, f"{BOX}.resources.requests.memory", "is '1GB'", "quantities must match"),
        ("Deployment", f"{CONTAINER}/resources/requests", {"gpu": 1}, f"{BOX}.resources.requests.gpu", "is not cpu, memory", "must be a standard resource type or fully qualified"),
        ("Deployment", f"{CONTAINER}/resources/requests", {"cpu": -1}, f"{BOX}.resources.requests.cpu", "is -1, below 0", "must be greater than or equal to 0"),
        ("Deployment", f"{PODS}/tolerations", [{"key": "/a", "operator": "Exists"}], f"{POD}.tolerations[0].key", "is '/a', not the key of a label", "prefix part must be non-empty"),
        ("Deployment", f"{PODS}/topologySpreadConstraints", [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"a": "b c"}}}], f"{POD}.topologySpreadConstraints[0].labelSelector.matchLabels.a", "is 'b c', not the value of a label", "a valid label must be"),
        ("Deployment", f"{CONTAINER}/envFrom", [{"configMapRef": {"name": "A_B"}}], f"{BOX}.envFrom[0].configMapRef.name", "is 'A_B', not a name", "a lowercase RFC 1123 subdomain must consist of"),
        ("Deployment", f"{CONTAINER}/env", [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.image"}}}], f"{BOX}.env[A].valueFrom.fieldRef.fieldPath", "not a field of the pod that it may read", "field label not supported"),
        ("Deployment", f"{CONTAINER}/imagePullPolicy", "Sometimes", f"{BOX}.imagePullPolicy", "none of Always, IfNotPresent, Never", "Unsupported value: \"Sometimes\""),
        ("Deployment", f"{CONTAINER}/volumeMounts/0/name", ["tmp"], f"{BOX}.volumeMounts[0].name", "is ['tmp'] and no text", "cannot unmarshal array"),
        ("Deployment", f"{CONTAINER}/args", ["--port", 80], f"{BOX}.args[1]", "is 80 and no text", "cannot unmarshal number"),
        ("Deployment", f"{CONTAINER}/env", [{"name": "A", "value": 5}], f"{BOX}.env[A].value", "is 5 and no text", "cannot unmarshal number"),
        ("Deployment", f"{CONTAINER}/env", [{"value": "5"}], f"{BOX}.env[0].name", "is missing", "env[0].name: Required value"),
        ("Deployment", f"{CONTAINER}/ports", [{"containerPort": 70000}], f"{BOX}.ports[0].containerPort", "is 70000, above 65535", "must be between 1 and 65535"),
        ("Deployment", f"{CONTAINER}/ports", [{"containerPort": 1, "name": "a-much-too-long-name"}], f"{BOX}.ports[a-much-too-long-name].name", "more than 15", "must be no more than 15 characters"),
        ("Deployment", f"{PODS}/volumes/0/emptyDir", {"sizeLimit": "64MB"}, f"{POD}.volumes[tmp].emptyDir.sizeLimit", "is '64MB'", "quantities must match"),
        ("Deployment", f"{PODS}/topologySpreadConstraints", [{"maxSkew": 0, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}], f"{POD}.topologySpreadConstraints[0].maxSkew", "is 0, below 1", "must be greater than zero"),
        ("Deployment", f"{PODS}/topologySpreadConstraints", [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "Never"}], f"{POD}.topologySpreadConstraints[0].whenUnsatisfiable", "none of DoNotSchedule, ScheduleAnyway", "Unsupported value: \"Never\""),
        ("Deployment", f"{PODS}/securityContext", {"runAsUser": -1}, f"{POD}.securityContext.runAsUser", "is -1, below 0", "must be between 0 and 2147483647"),
        ("Deployment", ROLLING, {"maxSurge": "a few"}, "spec.strategy.rollingUpdate.maxSurge", "is 'a few', not a whole number or a percentage", "a valid percent string must be"),
        ("Deployment", ROLLING, {"maxUnavailable": "150%"}, "spec.strategy.rollingUpdate.maxUnavailable", "is '150%', not a whole number, or a percentage from 0% to 100%", "must not be greater than 100%"),
        ("Deployment", "spec/replicas", -1, "spec.replicas", "is -1, below 0", "must be greater than or equal to 0"),
        ("Deployment", "spec/replicas", "2", "spec.replicas", "is '2' and no whole number", "cannot unmarshal string"),
        ("Deployment", "spec/replicas", 2**31, "spec.replicas", "is 2147483648, above 2147483647", "cannot unmarshal number"),
        (SCALER, "spec/metrics/0/type", "CPU", "spec.metrics[0].type", "none of ContainerResource, External", "Unsupported value: \"CPU\""),
        (SCALER, "spec/metrics/0/resource/target/averageUtilization", 0, "spec.metrics[0].resource.target.averageUtilization", "is 0, below 1", "must be greater than 0"),
        (SCALER, "spec/behavior", {"scaleDown": {"stabilizationWindowSeconds": 7200}}, "spec.behavior.scaleDown.stabilizationWindowSeconds", "above 3600", "must be less than or equal to 3600"),
        (BUDGET, "spec/maxUnavailable", "150%", "spec.maxUnavailable", "percentage from 0% to 100%", "must not be greater than 100%"),
        ("Service", "spec/ports/0/port", 0, "spec.ports[grpc].port", "is 0, below 1", "must be between 1 and 65535"),
        ("Service", "spec/type", "Internal", "spec.type", "none of ClusterIP", "Unsupported value: \"Internal\""),
        ("DestinationRule", "spec/trafficPolicy/loadBalancer/simple", "FASTEST", "spec.trafficPolicy.loadBalancer.simple", "none of UNSPECIFIED", "Unsupported value: \"FASTEST\""),
        ("DestinationRule", "spec/trafficPolicy/loadBalancer/consistentHash", {"useSourceIp": True}, "spec.trafficPolicy.loadBalancer", "holds simple, consistentHash together", "must validate one and only one schema (oneOf)"),
        ("DestinationRule", "spec/trafficPolicy/outlierDetections", {}, "spec.trafficPolicy.outlierDetections", "is no field", "unknown field"),
        ("VirtualService", "spec/http/0/timeouts", "5s", "spec.http[public].timeouts", "is no field", "unknown field"),
        ("VirtualService", "spec/http/0/retries", {"attempts": "3"}, "spec.http[public].retries.attempts", "is '3' and no whole number", "must be of type integer"),
        ("VirtualService", "spec/http/0/timeout", "0s", "spec.http[public].timeout", "is '0s', not a duration of 1ms or more", "must be a valid duration greater than 1ms"),
        ("VirtualService", "spec/http/0/timeout", "30", "spec.http[public].timeout", "is '30', not a duration", "must be a valid duration"),
        ("VirtualService", "spec/http/0/retries", None, "spec.http[0].retries", "is null", "must be of type object: \"null\""),
        ("GRPCRoute", "spec/parentRefs", [{"name": "a"}, {"name": "a"}], "spec.parentRefs[a].sectionName", "doesn't tell two of its entries apart", "sectionName must be"),
        ("GRPCRoute", "spec/hostnames", ["Engine"], "spec.hostnames[0]", "is 'Engine', not text that matches", "should match"),
        ("GRPCRoute", "spec/parentRefs", [{"namespace": "a"}], "spec.parentRefs[0].name", "is missing", "Required value"),
    ]
]  # fmt: skip
TAKEN = [
    (ROLLING, {"maxSurge": "25%", "maxUnavailable": 0}),
    (ROLLING, {"maxUnavailable": 0}),
    (ROLLING, {"maxSurge": "150%"}),
    ("spec/strategy", {"type": ""}),
    ("metadata/labels", {"example.com/team_a": "A.b-c_1", "empty": "", "none": None}),
    ("metadata/annotations", {"x": "any text: {}"}),
    (f"{CONTAINER}/lifecycle", {"preStop": {"sleep": {"seconds": 0}}}),
    (f"{CONTAINER}/lifecycle", {"preStop": {"sleep": {"seconds": 5}, "exec": None}}),
    (f"{CONTAINER}/resources/requests", {"cpu": "1e-1", "memory": "1048576Ki"}),
    (f"{CONTAINER}/env", [{"name": "A B", "value": None}, {"name": "B", "valueFrom": None}]),
    (f"{CONTAINER}/ports", [{"name": "grpc", "containerPort": 80, "protocol": ""}]),
    (
        f"{PODS}/tolerations",
        [{"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoExecute", "tolerationSeconds": 0}],
    ),
]
"""Changes of a Deployment that a server takes."""
