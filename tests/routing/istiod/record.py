"""Renews the golden files of this folder: what a real istiod makes of the chart's renderings.

    python tests/routing/istiod/record.py [--check]

It takes istio's source as a Go module, copies `record_test.go` into it and runs it there: three to five minutes and
about 3 GB of disk the first time. With --check nothing is written: the exit status is 1 if a golden file would change.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "support"), str(ROOT)]

from cases import CASES, objects_of, pods_of  # noqa: E402 -- the path is set above

VERSION = "v0.0.0-20260423205519-b01690e6db7d"
RELEASE = "1.31 (development, April 2026)"
SOURCE = ROOT / ".cache" / "istio"
GOLDEN = HERE / "golden"


def main(arguments: list[str]) -> int:
    """Record every case."""
    work = ROOT / ".cache" / "istiod-cases"
    shutil.rmtree(work, ignore_errors=True)
    for name in CASES:
        _write_case(work / name, name)
    _run(work)
    stale = []
    for name in CASES:
        for proxy in ("gateway", "sidecar"):
            found = normal(json.loads((work / name / f"{proxy}.json").read_text(encoding="utf-8")))
            text = json.dumps({"istiod": f"{RELEASE} {VERSION}", **found}, indent=1, sort_keys=True) + "\n"
            golden = GOLDEN / name / f"{proxy}.json"
            if golden.is_file() and golden.read_text(encoding="utf-8") == text:
                continue
            stale.append(str(golden.relative_to(ROOT)))
            if "--check" not in arguments:
                golden.parent.mkdir(parents=True, exist_ok=True)
                golden.write_text(text, encoding="utf-8")
    sys.stdout.write("".join(f"changed: {path}\n" for path in stale) or "nothing changed\n")
    return 1 if stale and "--check" in arguments else 0


def normal(found: dict[str, Any]) -> dict[str, Any]:
    """What concerns the routing of the services, without what every proxy of Istio has.

    Left out: inbound and passthrough listeners, clusters of Istio's own; metrics, tracing, metadata exchange, names for
    statistics and traces; how resources are fetched (ADS).
    """
    clusters = {}
    for cluster in found["clusters"]:
        if cluster["name"].startswith("outbound|50051|"):
            for key in ("alt_stat_name", "eds_cluster_config", "filters", "metadata", "transport_socket_matches"):
                cluster.pop(key, None)
            clusters[cluster["name"]] = cluster
    routes = _routes(found["routes"])
    endpoints = {}
    for load in found["endpoints"]:
        if load["cluster_name"] in clusters:
            endpoints[load["cluster_name"]] = [
                [group.get("priority", 0), sorted(_addresses(group))] for group in load.get("endpoints", [])
            ]
    return {"clusters": clusters, "routes": routes, "endpoints": endpoints, "filters": _filters(found["listeners"])}


def _routes(configurations: list[dict[str, Any]]) -> dict[str, Any]:
    routes = {}
    for configuration in configurations:
        hosts = []
        for host in configuration["virtual_hosts"]:
            if any("50051" in json.dumps(route) for route in host["routes"]):
                # A service's address is the cluster's affair.
                host["domains"] = [domain for domain in host["domains"] if not domain.startswith("10.96.")]
                for route in host["routes"]:
                    route.pop("metadata", None)
                    route.pop("decorator", None)
                hosts.append(host)
        if hosts:
            routes[configuration["name"]] = {**configuration, "virtual_hosts": hosts}
    return routes


def _addresses(group: dict[str, Any]) -> list[str]:
    return [one["endpoint"]["address"]["socket_address"]["address"] for one in group["lb_endpoints"]]


def _filters(listeners: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Listener -> the HTTP filters that an EnvoyFilter added, and the others by name alone."""
    found = {}
    for listener in listeners:
        for chain in listener.get("filter_chains", []):
            for one in chain["filters"]:
                filters = one.get("typed_config", {}).get("http_filters", [])
                if filters and not listener["name"].startswith("virtual"):
                    found[listener["name"]] = [
                        kind if kind["name"].startswith("grpcsvc.") else kind["name"] for kind in filters
                    ]
    return found


def _write_case(folder: Path, name: str) -> None:
    import yaml

    folder.mkdir(parents=True)
    objects = objects_of(name)
    istio = [found for found in objects if found["apiVersion"].startswith("networking.istio.io/")]
    kubernetes = [dict(found) for found in objects if found["kind"] == "Service"]
    slices: dict[str, list[Any]] = {service["metadata"]["name"]: [] for service in kubernetes}
    for number, service in enumerate(kubernetes):
        service["spec"] = {**service["spec"], "clusterIP": f"10.96.0.{10 + number}"}
    for pod_name, pod in pods_of(objects).items():
        status = {
            "phase": "Running",
            "podIP": pod.address,
            "podIPs": [{"ip": pod.address}],
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        metadata = {"name": pod_name, "namespace": pod.namespace, "labels": dict(pod.labels)}
        kubernetes.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}, "status": status})
        service = pod_name.rpartition("-v")[0]
        target = {"kind": "Pod", "name": pod_name, "namespace": pod.namespace}
        slices[service].append({"addresses": [pod.address], "conditions": {"ready": True}, "targetRef": target})
    for service in [found for found in kubernetes if found["kind"] == "Service"]:
        owner = service["metadata"]["name"]
        labels = {"kubernetes.io/service-name": owner}
        kubernetes.append(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {"name": owner, "namespace": service["metadata"]["namespace"], "labels": labels},
                "addressType": "IPv4",
                "ports": [{"name": "grpc", "port": 50051, "protocol": "TCP"}],
                "endpoints": slices[owner],
            }
        )
    (folder / "istio.yaml").write_text(yaml.safe_dump_all(istio), encoding="utf-8")
    (folder / "kubernetes.yaml").write_text(yaml.safe_dump_all(kubernetes), encoding="utf-8")


def _run(work: Path) -> None:
    if not SOURCE.is_dir():
        asked = ["go", "mod", "download", "-json", f"istio.io/istio@{VERSION}"]
        answer = json.loads(subprocess.run(asked, check=True, capture_output=True, cwd="/").stdout)
        scratch = SOURCE.with_name("istio.new")
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(answer["Dir"], scratch)
        subprocess.run(["chmod", "-R", "u+w", str(scratch)], check=True)
        scratch.rename(SOURCE)
    package = SOURCE / "pilot" / "test" / "record"
    package.mkdir(exist_ok=True)
    shutil.copy(HERE / "record_test.go", package)
    command = ["go", "test", "-vet=off", "-count=1", "./pilot/test/record", "-run", "TestRecord"]
    environment = {**os.environ, "CASES": str(work), "GOFLAGS": "-buildvcs=false"}
    subprocess.run(command, check=True, cwd=SOURCE, env=environment, timeout=3000)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
