"""Releases beside each other, and names of releases."""

from __future__ import annotations

import cluster as small
import pytest
from cluster import Cluster


@pytest.mark.parametrize("filtered", [False, True], ids=["VirtualService alone", "with EnvoyFilter"])
def test_two_releases_on_one_gateway_do_not_disturb_each_other(filtered: bool, cluster: Cluster) -> None:
    # They differ in everything: what the one calls unknown is live in the other.
    def sync(name: str, image: str) -> None:
        text = (small.FILTERED if filtered else small.ROUTED).replace(small.HOST, f"{name}.example.com")
        cluster.sync(f"image: {{{image}}}\n", text, release_name=name)

    sync("a", "default: v1, tag: {v1: a.1, v2: a.2}")
    sync("b", "default: v3, tag: {v2: b.2, v3: b.3}")
    sent = ("v1", "v2", "v3", "a.2", "b.2", "")

    def answers(host: str) -> list[tuple[str, str, str]]:
        with cluster.client(host) as client:
            found = [client.call(*([one] if one else [])) for one in sent]
        return [(answer.version, answer.told, ",".join(answer.seen)) for answer in found]

    def wanted(*versions: str, default: str) -> list[tuple[str, str, str]]:
        seen = [
            (default if filtered else one) if version == default and one != default else one
            for one, version in zip(sent, versions, strict=True)
        ]
        return [(version, version, one) for version, one in zip(versions, seen, strict=True)]

    first = wanted("v1", "v2", "v1", "v2", "v1", "v1", default="v1")
    assert answers("a.example.com") == first
    assert answers("b.example.com") == wanted("v3", "v2", "v3", "v3", "v2", "v3", default="v3")
    # What happens to the one is nothing to the other.
    sync("b", "default: v2, tag: {v2: b.2, v4: b.4}")
    assert answers("a.example.com") == first


@pytest.mark.parametrize("release_name", ["grpc-manifest", "my-grpc-manifest-2", "engine", "x"])
def test_releases_of_every_name_route(release_name: str, cluster: Cluster) -> None:
    cluster.sync("image: {default: v2, tag: [v1.0.1, v1.0.2]}\n", small.ROUTED, release_name=release_name)
    with cluster.client() as client:
        answers = [client.call(*sent).version for sent in (("v1",), ("v2",), ("v1.0.1",), ("v9",), ())]
    assert answers == ["v1", "v2", "v1", "v2", "v2"]


def test_a_filter_outside_the_gateways_namespace_does_nothing(cluster: Cluster) -> None:
    elsewhere = small.FILTERED.replace("namespace: istio-ingress", "namespace: engine")
    cluster.sync("image: {default: v2, tag: [a, b]}\n", elsewhere)
    with cluster.client() as client:
        answer = client.call("v9")
    assert (answer.version, answer.seen) == ("v2", ("v9",))
