"""Several services in one repository."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from world import WITH_DEFAULT, World

CONFIG = """\
version: 1
chart: charts/grpc-manifest
services:
  engine: {}
  search: {versions: {order: number}}
environments:
  devel:
    default: newest
    retention: {keep: 3, drain: 1h}
  staging:
    promote_from: devel
    default: promoted
"""
NUMBERS = """\
image:
  default: v1
  tag:
    v1: build-9
    v2: build-10
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World.make(tmp_path)
    world.hold_services(CONFIG, {"engine": WITH_DEFAULT, "search": NUMBERS}, ("devel", "staging"))
    return world


def test_a_service_must_be_named_where_there_are_several(world: World) -> None:
    said = world.release("bump", "devel", "v1.0.5", code=1).err
    assert "which service? there are: engine, search" in said
    assert "add --service engine" in said
    assert "did you mean 'engine'" in world.release("bump", "devel", "v1", "--service", "engin", code=1).err


def test_names_branches_and_files_are_a_services_own(world: World) -> None:
    one = world.json("bump", "devel", "v1.0.5", "--service", "engine")
    two = world.json("bump", "devel", "build-11", "--service", "search")
    assert (one["branch"], two["branch"]) == ("release/engine/devel", "release/search/devel")
    assert [change["version"] for change in one["changes"] if change["action"] == "add"] == ["v5"]
    assert [change["version"] for change in two["changes"] if change["action"] == "add"] == ["v3"]
    assert [pull["title"] for pull in world.pulls()] == ["search/devel: bump build-11", "engine/devel: bump v1.0.5"]
    world.merge(1)
    world.release("sync")
    world.merge(2)
    assert "v3: build-11" in world.file("environments/devel/search/image_tag.yaml")
    assert "default: v3" in world.file("environments/devel/search/image_tag.yaml"), "11 is newer than 9"
    assert "v1.0.5" in world.file("environments/devel/engine/image_tag.yaml")
    world.release("check", "--ref", "main")


def test_promotion_history_and_status_know_their_service(world: World) -> None:
    world.release("bump", "devel", "build-11", "--service", "search", "--direct")
    outcome = world.json("promote", "devel", "staging", "--service", "search", "--direct")
    assert outcome["service"] == "search"
    assert "v3: build-11" in world.file("environments/staging/search/image_tag.yaml")
    out = world.release("status").out
    assert "search" in out
    assert "engine" in out


def test_cleanup_goes_over_all_services(world: World) -> None:
    outcomes = world.json("cleanup")
    assert [(one["service"], one["environment"]) for one in outcomes if one["changed"]] == [("engine", "devel")]
    world.merge(1)
    world.now += timedelta(hours=2)
    assert world.release("cleanup", "--service", "search").out == ""
    assert "engine/devel: cleanup" in world.release("cleanup").out
