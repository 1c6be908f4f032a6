"""What Kubernetes asks of fields beyond its published schemas, in their own terms.

Source: `pkg/apis/{core,apps,autoscaling,policy}/validation` of Kubernetes 1.36. record_definitions.py writes them into the package, and
test_chart_on_server.py holds each against the server. `says` is what the field must be, in words.
"""

from __future__ import annotations

from typing import Any

_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
LABEL = {"pattern": rf"^{_NAME}$", "maxLength": 63, "says": "a name of small letters, digits and dashes"}
SUBDOMAIN = {
    "pattern": rf"^{_NAME}(\.{_NAME})*$",
    "maxLength": 253,
    "says": "a name of small letters, digits, dashes and dots",
}
TEXT = {"minLength": 1}
PORT_NAME = {"pattern": r"^(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength": 15}
PORT_NUMBER = {"minimum": 1, "maximum": 65535}
PORT = {
    **PORT_NAME,
    **PORT_NUMBER,
    "says": "the number of a port, or a name of at most 15 small letters, digits and dashes",
}
SHARE = {"pattern": r"^0*(100|[0-9]{1,2})%$", "minimum": 0, "says": "a whole number, or a percentage from 0% to 100%"}
MORE = {"pattern": r"^[0-9]+%$", "minimum": 0, "says": "a whole number or a percentage"}
QUANTITY = {
    "pattern": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$",
    "says": "a quantity, like 500m, 2 or 1Gi",
}
AMOUNT = {
    **QUANTITY,
    "oneOf": [{"type": "string"}, {"type": "number"}],
    "pattern": QUANTITY["pattern"].replace("[+-]?", "[+]?", 1),
    "minimum": 0,
}
RESOURCES = {
    "additionalProperties": AMOUNT,
    "propertyNames": {
        "pattern": r"^(cpu|memory|ephemeral-storage|storage|hugepages-.+|[^/]+/[^/]+)$",
        "says": "cpu, memory, ephemeral-storage or a name like example.com/gpu",
    },
}
LEAST_0 = {"minimum": 0}
LEAST_1 = {"minimum": 1}
ID = {"minimum": 0, "maximum": 2**31 - 1}
MODE = {"minimum": 0, "maximum": 0o777}
RELATIVE = {
    "pattern": r"^(?!/)(?!\.\.(/|$))(?!.*/\.\.(/|$))",
    "minLength": 1,
    "says": "a path without a leading / and without ..",
}
KEY = {
    "pattern": r"^(?!\.{1,2}$)[-._a-zA-Z0-9]+$",
    "maxLength": 253,
    "says": "a key of letters, digits, `-`, `_` and `.`",
}
FIELD = {
    "pattern": r"^(metadata\.(name|namespace|uid|((labels|annotations)(\['.*'\])?))|spec\.(nodeName|serviceAccountName)|status\.(host|pod)IPs?)$",
    "says": "a field of the pod that it may read",
}
_PART = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
QUALIFIED = {"pattern": rf"^({_NAME}(\.{_NAME})*/)?{_PART}$", "says": "the key of a label"}
VALUE = {"type": "string", "pattern": rf"^({_PART})?$", "says": "the value of a label"}
DURATION = {  # Istio's only rule in CEL that its routes break easily
    "pattern": r"^(?=.*[1-9])(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ms|s|m|h))+$",
    "says": "a duration of 1ms or more, like 500ms, 30s or 1.5h",
}
OPERATORS = {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]}


def one_of(*names: str) -> dict[str, Any]:
    return {"oneOf": [{"required": [name]} for name in names]}


def required(*names: str) -> dict[str, Any]:
    return {"required": list(names)}


RULES: dict[str, dict[str, Any]] = {
    "Quantity": QUANTITY,
    "Container": required("name", "image"),
    "Container.name": LABEL,
    "Container.image": {"pattern": r"^\S(.*\S)?$", "says": "an image"},
    "ContainerPort.containerPort": PORT_NUMBER,
    "ContainerPort.hostPort": {"minimum": 0, "maximum": 65535},
    "ContainerPort.name": {**PORT_NAME, "says": "a name of at most 15 small letters, digits and dashes"},
    "Probe": one_of("exec", "grpc", "httpGet", "tcpSocket"),
    **{f"Probe.{key}": LEAST_0 for key in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")},
    "Probe.terminationGracePeriodSeconds": LEAST_1,
    "HTTPGetAction.port": PORT,
    "TCPSocketAction.port": PORT,
    "GRPCAction.port": PORT_NUMBER,
    "HTTPHeader.name": {"pattern": r"^[-A-Za-z0-9]+$", "says": "the name of a header"},
    "ExecAction": required("command"),
    "ExecAction.command": {"minItems": 1},
    "LifecycleHandler": one_of("exec", "httpGet", "sleep", "tcpSocket"),
    "EnvVar.name": {"pattern": r"^[ -<>-~]+$", "says": "a name without ="},
    "EnvVarSource": one_of("configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef"),
    "EnvFromSource": one_of("configMapRef", "secretRef"),
    "EnvFromSource.prefix": {"pattern": r"^[ -<>-~]*$", "says": "a text without ="},
    "ConfigMapEnvSource": required("name"),
    "ConfigMapEnvSource.name": SUBDOMAIN,
    "SecretEnvSource": required("name"),
    "SecretEnvSource.name": SUBDOMAIN,
    "ConfigMapKeySelector": required("key", "name"),
    "ConfigMapKeySelector.name": SUBDOMAIN,
    "ConfigMapKeySelector.key": KEY,
    "SecretKeySelector": required("key", "name"),
    "SecretKeySelector.name": SUBDOMAIN,
    "SecretKeySelector.key": KEY,
    "ObjectFieldSelector.fieldPath": FIELD,
    "Volume.name": LABEL,
    "VolumeMount.mountPath": TEXT,
    "VolumeMount.subPath": {**RELATIVE, "minLength": 0},
    "KeyToPath.key": TEXT,
    "KeyToPath.path": RELATIVE,
    "KeyToPath.mode": MODE,
    "ConfigMapVolumeSource.defaultMode": MODE,
    "ConfigMapVolumeSource": required("name"),
    "SecretVolumeSource.defaultMode": MODE,
    "SecretVolumeSource": required("secretName"),
    "SecretVolumeSource.secretName": TEXT,
    "ProjectedVolumeSource.defaultMode": MODE,
    "DownwardAPIVolumeSource.defaultMode": MODE,
    "DownwardAPIVolumeFile": one_of("fieldRef", "resourceFieldRef"),
    "DownwardAPIVolumeFile.path": RELATIVE,
    "PersistentVolumeClaimVolumeSource.claimName": TEXT,
    "TopologySpreadConstraint.maxSkew": LEAST_1,
    "TopologySpreadConstraint.minDomains": LEAST_1,
    "TopologySpreadConstraint.topologyKey": TEXT,
    "WeightedPodAffinityTerm.weight": {"minimum": 1, "maximum": 100},
    "PreferredSchedulingTerm.weight": {"minimum": 1, "maximum": 100},
    "PodAffinityTerm.topologyKey": QUALIFIED,
    "Toleration.key": {**QUALIFIED, "pattern": rf"^(({_NAME}(\.{_NAME})*/)?{_PART})?$"},
    "Toleration.value": VALUE,
    "LabelSelector.matchLabels": {"additionalProperties": VALUE},
    "LabelSelectorRequirement.key": QUALIFIED,
    "LabelSelectorRequirement.values": {"items": VALUE},
    "NodeSelectorRequirement.key": QUALIFIED,
    "NodeSelectorRequirement.values": {"items": VALUE},
    "HTTPHeader": required("name"),
    "PodSecurityContext.fsGroupChangePolicy": {"enum": ["Always", "OnRootMismatch"]},
    "PodSecurityContext.supplementalGroups": {"items": {"type": "integer", **ID}},
    "ResourceRequirements.limits": RESOURCES,
    "ResourceRequirements.requests": RESOURCES,
    "NodeSelector.nodeSelectorTerms": {"minItems": 1},
    "NodeSelectorRequirement.operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]},
    "LabelSelectorRequirement.operator": OPERATORS,
    "SecurityContext.runAsUser": ID,
    "SecurityContext.runAsGroup": ID,
    **{f"PodSecurityContext.{key}": ID for key in ("fsGroup", "runAsGroup", "runAsUser")},
    "PodSpec.terminationGracePeriodSeconds": LEAST_0,
    "PodSpec.serviceAccountName": SUBDOMAIN,
    "PodSpec.priorityClassName": SUBDOMAIN,
    "PodSpec.containers": {"minItems": 1},
    **{f"DeploymentSpec.{key}": LEAST_0 for key in ("minReadySeconds", "progressDeadlineSeconds", "replicas", "revisionHistoryLimit")},
    "RollingUpdateDeployment.maxSurge": MORE,
    "RollingUpdateDeployment.maxUnavailable": SHARE,
    "HorizontalPodAutoscalerSpec.minReplicas": LEAST_1,
    "HorizontalPodAutoscalerSpec.maxReplicas": LEAST_1,
    "MetricSpec.type": {"enum": ["ContainerResource", "External", "Object", "Pods", "Resource"]},
    "MetricSpec": one_of("containerResource", "external", "object", "pods", "resource"),
    "MetricTarget.type": {"enum": ["Utilization", "Value", "AverageValue"]},
    "MetricTarget.averageUtilization": LEAST_1,
    "MetricIdentifier.name": {"pattern": r"^(?!\.{1,2}$)[^/%]+$", "says": "the name of a metric"},
    "HPAScalingRules.stabilizationWindowSeconds": {"minimum": 0, "maximum": 3600},
    "HPAScalingRules.policies": {"minItems": 1},
    "HPAScalingRules.selectPolicy": {"enum": ["Max", "Min", "Disabled"]},
    "HPAScalingPolicy.type": {"enum": ["Pods", "Percent"]},
    "HPAScalingPolicy.value": LEAST_1,
    "HPAScalingPolicy.periodSeconds": {"minimum": 1, "maximum": 1800},
    "PodDisruptionBudgetSpec.minAvailable": SHARE,
    "PodDisruptionBudgetSpec.maxUnavailable": SHARE,
    "ServicePort.port": PORT_NUMBER,
    "ServicePort.name": LABEL,
    "ServicePort.targetPort": PORT,
}  # fmt: skip


def add(found: dict[str, Any]) -> None:
    """Puts the rules into the schemas, in place."""
    for holder in found.values():
        for field, held in holder.get("properties", {}).items():
            # An empty text is as good as none.
            if "enum" in held and field not in holder.get("required", ()):
                held["enum"] = ["", *held["enum"]]
    for place, rule in RULES.items():
        kind, _, field = place.partition(".")
        holder = found[kind]
        if not field:
            more = {**holder, **rule}
        else:
            held = holder["properties"][field]
            if held.get("$ref") == "IntOrString":
                held = {"x-kubernetes-int-or-string": True}
            more = {**holder, "properties": {**holder["properties"], field: {**held, **rule}}}
        found[kind] = more
