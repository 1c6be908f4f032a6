"""The charts of `examples/` that route, through the real Envoy: a version by its name, by its tag, and none."""

from __future__ import annotations

from pathlib import Path

import pytest
from cluster import Cluster

from examples import lay_out, request_of

PUBLIC = {
    "kind": "Gateway",
    "metadata": {"name": "public", "namespace": "istio-ingress"},
    "spec": {
        "selector": {"istio": "ingressgateway"},
        "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
    },
}


@pytest.mark.parametrize(("name", "without"), [
    ("shipped-chart", ("v3", "OK")), ("own-deployment", ("v3", "OK")), ("seed-form", ("", "UNIMPLEMENTED")),
])  # fmt: skip
def test_calls_find_the_version_that_they_name(
    name: str, without: tuple[str, str], cluster: Cluster, tmp_path: Path
) -> None:
    if name == "seed-form":  # its gateway is somebody else's
        cluster.change = lambda objects: [*objects, PUBLIC]
    cluster.apply(request_of(lay_out(name, tmp_path / "repository"), "devel"))
    with cluster.client("engine.devel.example.com") as client:
        assert [client.call(sent).version for sent in ("v2", "v3", "v1.0.2", "v1.0.3")] == ["v2", "v3", "v2", "v3"]
        assert [client.call(*sent)[:2] for sent in ((), ("v9",))] == [without, without]
