"""The translator against what a real istiod made of the same objects (`istiod/`)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cases import CASES, objects_of, pods_of
from translator import Configuration, Proxy, translate

HERE = Path(__file__).parent
PROXIES = {"gateway": Proxy("istio-ingress", {"istio": "ingressgateway"}), "sidecar": Proxy("clients")}


def golden(case: str, proxy: str) -> dict[str, Any]:
    text = (HERE / "istiod" / "golden" / case / f"{proxy}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def translated(case: str, proxy: str) -> Configuration:
    objects = objects_of(case)
    return translate(objects, pods_of(objects).values(), PROXIES[proxy])


everywhere = pytest.mark.parametrize(("case", "proxy"), [(case, proxy) for case in CASES for proxy in PROXIES])


@everywhere
def test_clusters_are_istiods(case: str, proxy: str) -> None:
    assert translated(case, proxy).clusters == golden(case, proxy)["clusters"]


@everywhere
def test_endpoints_have_istiods_priorities(case: str, proxy: str) -> None:
    def told(group: dict[str, Any]) -> list[Any]:
        addresses = [one["endpoint"]["address"]["socket_address"]["address"] for one in group["lb_endpoints"]]
        return [group["priority"], sorted(addresses)]

    loads = translated(case, proxy).endpoints
    found = {name: [told(group) for group in load["endpoints"]] for name, load in loads.items()}
    assert found == golden(case, proxy)["endpoints"]


@everywhere
def test_routes_are_istiods(case: str, proxy: str) -> None:
    found = {
        name: {**routes, "virtual_hosts": sorted(routes["virtual_hosts"], key=lambda host: host["name"])}
        for name, routes in translated(case, proxy).routes.items()
        if routes["virtual_hosts"]
    }
    assert found == golden(case, proxy)["routes"]


@pytest.mark.parametrize("case", CASES)
def test_istiod_adds_the_same_filters_first(case: str) -> None:
    found = {f"0.0.0.0_{port}": filters for port, filters in translated(case, "gateway").filters.items()}
    wanted = {
        name: [kind for kind in filters if not isinstance(kind, str)]
        for name, filters in golden(case, "gateway")["filters"].items()
    }
    assert found == wanted
    for name, filters in golden(case, "gateway")["filters"].items():
        assert filters[: len(wanted[name])] == wanted[name]  # before all of Istio's own


@pytest.mark.nightly
def test_the_golden_files_are_what_istiod_says() -> None:
    if not (HERE.parents[1] / ".cache" / "istio").is_dir():
        pytest.skip("istio's source is not here: make istiod (it needs Go)")
    done = subprocess.run([sys.executable, HERE / "istiod" / "record.py", "--check"], check=False, timeout=1800)
    assert done.returncode == 0
