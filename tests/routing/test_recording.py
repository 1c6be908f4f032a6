"""The law of a version's life, over the changes of a cluster: what breaks it is found, with how long it lasted."""

from __future__ import annotations

from typing import Any

import cluster as small
import pytest
from recording import Event, breaches, moments, object_key, told
from rendering import request

from release_tool import manifests
from release_tool.helm import make_renderer

BEGIN = "image: {default: v3, tag: {v1: v1.0.1, v2: v1.0.2, v3: v1.0.3}}\n"
RETIRED = "image: {default: v3, tag: {v2: v1.0.2, v3: v1.0.3}, retired: {v1: v1.0.1}}\n"
REMOVED = "image: {default: v3, tag: {v2: v1.0.2, v3: v1.0.3}}\n"
SLICE = "EndpointSlice slice"
SUBSET = {"kind": "DestinationRule", "metadata": {"name": "engine-grpc-manifest-v1", "namespace": "engine"}}


class Story:
    """Events, a second apart."""

    def __init__(self, *kinds: str) -> None:
        self.events: list[Event] = []
        self.ready = ["v1", "v2", "v3"]
        self.slice("v1", "v2", "v3")
        self.rendered(BEGIN, *kinds)

    def add(self, content: dict[str, Any], *, gone: bool = False) -> None:
        number = len(self.events) + 1
        self.events.append(Event(number, float(number), object_key(content), None if gone else content))

    def rendered(self, values: str, *kinds: str) -> None:
        """The objects of these kinds, or all, in Helm's order."""
        for one in manifests.objects(make_renderer("auto").render(request(values, small.ROUTED))):
            if one.content["kind"] in (kinds or ("Service", "DestinationRule", "Gateway", "VirtualService")):
                self.add(one.content)

    def pod(self, version: str, *, gone: bool = False) -> None:
        labels = {
            "app.kubernetes.io/tag": version,
            "app.kubernetes.io/name": "grpc-manifest",
            "app.kubernetes.io/instance": "engine",
            "app.kubernetes.io/type": "grpc",
            f"grpcsvc/{version}": "true",
        }
        metadata = {"name": f"pod-{version}", "namespace": "engine", "labels": labels}
        self.add({"kind": "Pod", "metadata": metadata}, gone=gone)

    def slice(self, *ready: str) -> None:
        """What the Service's endpoints are now."""
        for version in ready:
            self.pod(version)
        ends = [
            {
                "addresses": [f"10.0.0.{version[1:]}"],
                "conditions": {"ready": True},
                "targetRef": {"name": f"pod-{version}"},
            }
            for version in ready
        ]
        labels = {"kubernetes.io/service-name": "engine-grpc-manifest"}
        metadata = {"name": "slice", "namespace": "engine", "labels": labels}
        self.add({"kind": "EndpointSlice", "metadata": metadata, "endpoints": ends, "ports": [{"port": 50051}]})

    def breaches(self, *kinds: str) -> list[tuple[str, str, float, str]]:
        found = breaches(moments(self.events), *([kinds] if kinds else []))
        return [(one.value, one.what, one.end - one.begin, str(one.cause)) for one in found]


def test_a_version_that_goes_in_two_steps_breaks_nothing() -> None:
    story = Story()
    story.rendered(RETIRED)
    story.pod("v1", gone=True)
    story.slice("v2", "v3")
    story.rendered(REMOVED)
    assert story.breaches("missing", "lost", "sick") == []


@pytest.mark.parametrize("deleted", [True, False], ids=["deleted", "not ready"])
def test_pods_that_go_before_their_route_are_lost_and_pods_that_fail_are_not_ours(*, deleted: bool) -> None:
    story = Story()
    if deleted:
        story.pod("v1", gone=True)
    story.add({"kind": "Pod", "metadata": {"name": "another", "namespace": "engine", "labels": {}}})
    story.slice("v2", "v3")
    story.rendered(REMOVED, "VirtualService")
    wanted = [(value, "lost", 1.0, f"{SLICE} is") for value in ("v1", "v1.0.1")]
    assert story.breaches() == (wanted if deleted else [])
    assert [what for _, what, _, _ in story.breaches("sick")] == ([] if deleted else ["sick", "sick"])


def test_a_subset_that_goes_before_its_route_is_missing() -> None:
    story = Story()
    story.add(SUBSET, gone=True)
    story.rendered(REMOVED, "VirtualService")
    cause = "DestinationRule engine-grpc-manifest-v1 goes"
    assert story.breaches() == [("v1", "missing", 1.0, cause), ("v1.0.1", "missing", 1.0, cause)]


def test_a_route_before_its_pods_is_early_and_is_no_loss() -> None:
    story = Story()
    story.pod("v1", gone=True)
    story.rendered(REMOVED, "VirtualService")
    story.slice("v2", "v3")
    story.rendered(BEGIN, "VirtualService")
    assert story.breaches() == []
    assert ("v1", "early", 0.0, "VirtualService engine-grpc-manifest is") in story.breaches("early")
    assert (
        told(moments(story.events), ["v1", ""])
        .splitlines()[-1]
        .endswith("pods v2=1 v3=1  routes default:2 v1:0  (VirtualService engine-grpc-manifest is)")
    )


def test_what_still_stands_at_the_end_is_told() -> None:
    story = Story()
    story.add(SUBSET, gone=True)
    assert [(value, what) for value, what, _, _ in story.breaches()] == [("v1", "missing"), ("v1.0.1", "missing")]
