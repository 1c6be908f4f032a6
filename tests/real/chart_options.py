"""Options of the chart: right ones, each pair of which is rendered once, and wrong ones, each of which is refused."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import yaml
from allpairspy import AllPairs

VERSIONS: dict[str, str] = {
    "list": "{tag: [v1.0.1, v1.0.2]}",
    "one": "{tag: {v7: 1.0.7}}",
    "digest": "{default: v2, tag: {v1: v1.0.1, v2: 'v1.0.2@sha256:" + "0123456789abcdef" * 4 + "'}}",
    "states": "{default: v4, tag: {v3: '1.20', v4: v2, v5: 1.0.5}, retired: {v2: 1.0.2}, quarantined: {v5: {reason: bad}}}",
    "long": "{default: v2, tag: {v2: nightly-2026-11-23-with-a-name-as-long-as-a-labels-value-may-be}}",
}
# Path -> values, YAML; the first is what the chart has without it where it is null or {} or [].
COMMON: dict[str, list[str]] = {
    "image": list(VERSIONS.values()),
    "pullPolicy": ["IfNotPresent", "Always"],
    "imagePullSecrets": ["[]", "[{name: registry}]"],
    "fullnameOverride": ["''", "rules"],
    "replicaCount": ["2", "0", "1"],
    "autoscaling": [
        "{enabled: false}",
        "{enabled: true, minReplicas: 2, maxReplicas: 2}",
        "{enabled: true, handedOver: true, targetMemoryUtilizationPercentage: 150, behavior: {scaleDown: {stabilizationWindowSeconds: 0}}}",
        "{enabled: true, targetCPUUtilizationPercentage: null, metrics: [{type: Pods, pods: {metric: {name: calls}, target: {type: AverageValue, averageValue: 1k}}}]}",
    ],
    "podDisruptionBudget": ["{enabled: true}", "{enabled: true, minAvailable: 50%}", "{enabled: true, maxUnavailable: 0}", "{enabled: false}"],
    "strategy": [
        "{type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}}", "{type: Recreate}", "null",
        "{rollingUpdate: {maxUnavailable: 100%}}",
    ],
    "service": ["{type: ClusterIP}", "{type: NodePort, port: 8080, containerPort: 9090}", "{type: LoadBalancer, annotations: {a.example.com/b: c}}"],
    "env": ["[]", "[{name: MODE, value: 'on'}, {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]"],
    "envFrom": ["[]", "[{configMapRef: {name: settings, optional: true}}, {prefix: S_, secretRef: {name: keys}}]"],
    "args": ["[]", "[--verbose, '']"],
    "volumes": [
        "[]", "[{name: tmp, emptyDir: {sizeLimit: 64Mi}}]",
        "[{name: tmp, emptyDir: {medium: Memory}}, {name: conf, configMap: {name: conf, defaultMode: 0444}}, {name: keys, secret: {secretName: keys}}]",
    ],
    "podAnnotations": ["{}", "{sidecar.istio.io/inject: 'true'}"],
    "podLabels": ["{}", "{team: search, app.kubernetes.io/tag: not-to-be-changed}"],
    "serviceAccount": ["{create: true}", "{create: true, name: engine.reader}", "{create: false}"],
    "automountServiceAccountToken": ["false", "true"],
    "resources": ["{}", "{requests: {cpu: 100m, memory: 128Mi}}", "{requests: {cpu: 0.5}, limits: {cpu: '1', memory: 1G, ephemeral-storage: 2Gi}}"],
    "nodeSelector": ["{}", "{kubernetes.io/arch: amd64}"],
    "tolerations": ["[]", "[{key: gpu, operator: Exists, effect: NoSchedule}, {operator: Exists, effect: NoExecute, tolerationSeconds: 60}]"],
    "affinity": [
        "{}",
        "{podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {a: b}}}}]}}",
        "{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b]}]}]}}}",
    ],
    "topologySpreadConstraints": ["[]", "[{maxSkew: 2, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule}]"],
    "readinessProbe": ["{}", "null", "{httpGet: {path: /ready, port: grpc}, successThreshold: 3}", "{grpc: {port: 9090, service: engine.v1.Engine}}"],
    "livenessProbe": ["{}", "null", "{tcpSocket: {port: 9090}, terminationGracePeriodSeconds: 5}"],
    "startupProbe": ["{}", "null", "{exec: {command: [/started]}, failureThreshold: 600}"],
    "preStopSeconds": ["10", "0", "60"],
    "lifecycle": ["{}", "{preStop: {exec: {command: [/drain]}}}", "{postStart: {sleep: {seconds: 1}}}"],
    "terminationGracePeriodSeconds": ["60", "3600"],
    "progressDeadlineSeconds": ["120", "1"],
    "revisionHistoryLimit": ["5", "0"],
    "syncWaves": ["true", "false"],
}  # fmt: skip
ISTIO: dict[str, list[str]] = {
    "virtualService": [
        "{hosts: [engine.example.com]}",
        "{gateways: [istio-ingress/public], hosts: [engine.example.com, '*.example.org'], weight: 90, timeout: 30s}",
        "{gateways: [mesh, public], hosts: [engine.example.com], grpcWeb: true, corsPolicy: {allowOrigins: [{exact: 'https://app.example.com'}], allowHeaders: [grpcsvc], maxAge: 24h}}",
        "{hosts: [a.example.com], retries: {attempts: 3, retryOn: 'unavailable,reset', perTryTimeout: 500ms}, responseHeader: '', annotations: {a: b}}",
        "{hosts: [b.example.com], retries: {attempts: 0}, timeout: 1h, weight: 0}",
    ],
    "destinationRule": [
        "{}", "{trafficPolicy: null}", "{pool: {connectionPool: {http: {http2MaxRequests: 100}}}}",
        "{trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}, tls: {mode: ISTIO_MUTUAL}, connectionPool: {tcp: {connectTimeout: 2s}}}}",
    ],
    "gateway": ["{enabled: false}", "{enabled: true}", "{enabled: true, servers: [{port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: cert}}]}"],
    "envoyFilter": ["{enabled: false}", "{enabled: true, namespace: istio-ingress}"],
}  # fmt: skip
GATEWAY_API: dict[str, list[str]] = {
    "routing": [
        "{kind: gateway-api, parentRefs: [{name: public, namespace: gateways}], hostnames: [engine.example.com]}",
        "{kind: gateway-api, route: HTTPRoute, parentRefs: [{name: public}], hostnames: ['*.example.com', engine.example.org]}",
        "{kind: gateway-api, parentRefs: [{kind: Service, group: '', name: engine}], annotations: {a: b}}",
        "{kind: gateway-api, parentRefs: [{name: b, sectionName: grpc, port: 443}], hostnames: [engine.example.com]}",
    ],
    "virtualService": ["{}", "{responseHeader: ''}", "{responseHeader: x-engine-version}"],
}
FORMS = {"istio": ISTIO, "gateway-api": GATEWAY_API}


ODD: list[object] = [
    None, "", -1, 0, 1.5, True, "x", "X_Y", "150%", 70_000, 2**31, [], {}, ["a"], [{}], {"unknown": 1}, "a b", "1h", "/a", "..", "x" * 64,
]  # fmt: skip


def oddities(values: Any, *, most: int, seed: int) -> Iterator[tuple[str, str]]:
    """Values of the chart with an odd value in one place, a sample of all such: the place, and the values."""
    places = [(place, odd) for place in _places(values) if place for odd in ODD]
    for place, odd in random.Random(seed).sample(places, most):
        changed = holder = copy.deepcopy(values)
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = odd
        yield f"{'.'.join(map(str, place))}: {odd!r}", yaml.safe_dump(changed)


def _places(values: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    entries = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in entries:
        yield from _places(value, (*above, key))


def pairs(form: str) -> Iterator[str]:
    """Values of the chart: each value of each option, together with each value of each other, at least once."""
    options = {**COMMON, **FORMS[form]}
    for chosen in AllPairs(list(options.values())):
        values = {path: yaml.safe_load(value) for path, value in zip(options, chosen, strict=True)}
        if values["volumes"]:
            values["volumeMounts"] = [{"name": "tmp", "mountPath": "/tmp"}]
        yield yaml.safe_dump(values)
