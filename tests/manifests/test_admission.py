"""What an API server refuses of an object, as Kubernetes 1.36 does: tests/real asks it the same."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from refused_objects import OTHER, REFUSED, TAKEN, Refused, changed, of_kind
from rendering import request

from release_tool.helm import Renderer
from release_tool.manifests import admission


def found(content: Any) -> list[tuple[str, str]]:
    return [(one.subject, one.what) for one in admission.check(f"---\n{yaml.safe_dump(content)}")]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.subject} {case.ours}"[:80])
def test_what_an_api_server_refuses_is_found(case: Refused) -> None:
    said = found(changed(case.kind, case.path, case.value))
    assert [(where, case.ours in what) for where, what in said] == [(case.subject, True)], said
    assert said[0][1].endswith(", which Kubernetes refuses")


@pytest.mark.parametrize("kind", ["Deployment", *OTHER])
def test_what_it_takes_is_right(kind: str) -> None:
    assert found(of_kind(kind)) == []


@pytest.mark.parametrize(("path", "value"), TAKEN)
def test_what_a_server_takes_is_right(path: str, value: object) -> None:
    assert found(changed("Deployment", path, value)) == []


@pytest.mark.parametrize("kind", ["Deployment", "Service", "Unknown"])
def test_a_kind_that_is_not_known_is_passed_over(kind: str) -> None:
    assert found({"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "a"}, "spec": {"b": 1}}) == []


def test_the_chart_is_right_and_each_fault_is_told_once_for_all_versions(engine: Renderer) -> None:
    tags = "image: {tag: {" + ", ".join(f"v{number}: a.{number}" for number in range(1, 21)) + "}}\n"
    assert admission.check(engine.render(request(tags))) == ()
    (one,) = admission.check(engine.render(request(tags + "preStopSeconds: 61\n")))
    assert one.what.startswith("Deployment engine/engine-grpc-manifest-v1: ")
