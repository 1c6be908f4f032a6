"""The renderings of which the translator's reading is held against istiod's."""

from __future__ import annotations

from typing import Any

from rendering import GOLDEN, request
from translator import Endpoint, Object

from release_tool import manifests
from release_tool.helm import make_renderer

FILTERED = """
image:
  default: v4
  tag: {v1: v1.0.1, v3: v1.0.3, v4: v1.0.4, v5: v1.0.5, v6: v1.0.6}
  retired: {v2: v1.0.2}
  quarantined: {v5: {reason: bad}}
virtualService: {gateways: [], hosts: [engine.example.com, engine.example.org]}
gateway: {enabled: true}
envoyFilter: {enabled: true, namespace: istio-ingress}
"""
OPTIONS = """
image: {default: v2, tag: [v1.0.1, v1.0.2]}
virtualService:
  gateways: [mesh]
  hosts: [engine.example.com]
  weight: 90
  timeout: 30s
  retries: {attempts: 3, retryOn: "connect-failure,refused-stream", perTryTimeout: 10s}
  grpcWeb: true
  corsPolicy:
    allowOrigins: [{exact: "https://app.example.com"}]
    allowMethods: [POST, OPTIONS]
    allowHeaders: [content-type, grpcsvc, x-grpc-web]
    exposeHeaders: [grpcsvc]
gateway: {enabled: true}
destinationRule:
  trafficPolicy:
    loadBalancer: {simple: ROUND_ROBIN}
    outlierDetection: {consecutive5xxErrors: 3, interval: 2s, baseEjectionTime: 10s, maxEjectionPercent: 100}
    connectionPool: {http: {http2MaxRequests: 1000}}
  pool:
    connectionPool: {http: {http2MaxRequests: 100, maxRetries: 5}, tcp: {maxConnections: 10, connectTimeout: 2s}}
    retryBudget: {percent: 50, minRetryConcurrency: 4}
    outlierDetection: {maxEjectionPercent: 60, minHealthPercent: 0}
"""
ELSEWHERE = FILTERED.replace("namespace: istio-ingress", "namespace: engine")
WITHOUT_DETECTION = """
image: {default: v2, tag: [v1.0.1, v1.0.2]}
destinationRule: {trafficPolicy: null}
"""
OTHER_PODS = FILTERED.replace("namespace: istio-ingress", "namespace: istio-ingress, selector: {istio: another}")
# A second release on the same gateway, with hosts of its own.
BESIDE = FILTERED.replace("engine.example", "rules.example").replace("default: v4", "default: v6")
CASES: dict[str, str | None] = {
    "two-releases": FILTERED,
    "filter-for-another-gateway": OTHER_PODS,
    "without-detection": WITHOUT_DETECTION,
    "seed": None,
    "states": None,
    "filter": FILTERED,
    "filter-in-another-namespace": ELSEWHERE,
    "options": OPTIONS,
    "joined-by-age": FILTERED,
    "half-upgraded": FILTERED,
}
# Who made the rule of all versions first: the release, or, beside rules of versions that are there already, a chart of before.
AGES = {"joined-by-age": "2026-02-02T00:00:00Z", "half-upgraded": "2026-01-01T00:00:00Z"}


def objects_of(name: str) -> list[Object]:
    """The objects of a case; those with a text of None are golden renderings."""
    text = CASES[name]
    values = (GOLDEN / name / "values.yaml").read_text(encoding="utf-8") if text is None else text
    rendering = make_renderer("auto").render(request(values))
    if name == "two-releases":
        rendering += make_renderer("auto").render(request(BESIDE, release_name="rules"))
    objects = [found.content for found in manifests.objects(rendering)]
    if name in AGES:
        _rule_of_all(objects, AGES[name])
    return objects


def _rule_of_all(objects: list[Object], made: str) -> None:
    """The rule of the default pool has a subset of v1, too, which is told from that of the version's rule by a limit."""
    for rule in (one for one in objects if one["kind"] == "DestinationRule"):
        rule["metadata"]["creationTimestamp"] = "2026-01-15T00:00:00Z"
        if "trafficPolicy" in rule["spec"]:
            rule["metadata"]["creationTimestamp"] = made
            limit = {"connectionPool": {"http": {"http2MaxRequests": 7}}}
            v1 = {"name": "v1", "labels": {"app.kubernetes.io/tag": "v1"}, "trafficPolicy": limit}
            rule["spec"]["subsets"].append(v1)


def pods_of(objects: list[Object]) -> dict[str, Endpoint]:
    """Two pods for each Deployment, all of them ready: name -> pod."""
    found: dict[str, Endpoint] = {}
    for deployment in objects:
        if deployment["kind"] == "Deployment":
            metadata: dict[str, Any] = deployment["metadata"]
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            for number in (1, 2):
                address = f"10.0.{len(found) // 200}.{len(found) % 200 + 1}"
                found[f"{metadata['name']}-{number}"] = Endpoint(address, 50051, metadata["namespace"], labels)
    return found
