"""`release explain`: the answer of the planner, and commands that do what is said of them."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from world import WITH_DEFAULT, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World.make(tmp_path, tags=WITH_DEFAULT, keep=4)
    world.release("pin", "devel", "v1", "--reason", "mobile clients 2.x", "--until", "10d", "--direct")
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.release("bump", "devel", "v1.0.6", "--direct")
    world.release("quarantine", "devel", "v5", "--reason", "loses sessions", "--direct")
    world.release("bump", "devel", "v1.0.7", "--direct")
    world.git("pull", "-q")
    return world


def explained(world: World, environment: str, version: str) -> Any:
    found = world.json("explain", environment, version)
    assert world.release("explain", environment, found["tag"], later=timedelta(0)).out.startswith(f"{environment}: ")
    return found


def moved(changes: Any, version: str) -> list[tuple[str, str, bool]]:
    return [
        (one["action"], one["version"], one.get("by", "") == "sweep")
        for one in changes
        if one["version"] == version or (one["action"] == "set-default" and one.get("before") == version)
    ]


@pytest.mark.slow  # tests/rules/test_explain.py holds the plans to it
def test_each_printed_command_does_what_is_said_of_it(world: World) -> None:
    tried = set()
    for version in ("v1", "v2", "v4", "v5", "v7"):
        for way in explained(world, "devel", version)["commands"]:
            words = shlex.split(way["command"])[1:]
            done = world.json(*words, "--dry-run")
            done = done[0] if words[0] == "cleanup" else done
            assert moved(done["changes"], version) == moved(way["changes"], version), way["command"]
            kept = {one["version"]: one["reason"] for one in (*done["kept"], *done["waiting"])}
            assert kept.get(version) == way["stays"], way["command"]
            tried.add(words[0])
    assert tried >= {"unpin", "pin", "retire", "restore", "quarantine", "clear", "default", "downgrade"}


def test_the_next_sweep_does_what_was_explained(world: World) -> None:
    world.now += timedelta(days=11)
    versions = [one["version"] for one in world.json("status", "devel")["environments"][0]["versions"]]
    said = {version: explained(world, "devel", version) for version in versions}
    (done,) = world.json("cleanup", "devel", "--direct")
    for version, one in said.items():
        assert moved(one["sweep"], version) == moved(done["changes"], version)
    assert said["v1"]["said"] == "is live, and the next sweep retires it: keep 4: five live"
    assert said["v2"]["said"] == "is retired, and the next sweep removes it: drained for 1h"
    gone = explained(world, "devel", "v2")
    assert gone["state"] == "removed"
    assert gone["said"].startswith("is gone from devel: retired 2026-11-23")
    assert gone["said"].endswith("(drained for 1h)")
    assert gone["commands"][0]["command"] == "release restore devel v2"


def test_a_version_that_never_was_there_is_looked_for_elsewhere(world: World) -> None:
    found = explained(world, "staging", "v7")
    assert (found["state"], found["said"]) == ("never", "never was in staging")
    assert found["elsewhere"] == [{"environment": "devel", "state": "default"}]
    assert [way["command"] for way in found["commands"]] == ["release promote devel staging --version v7"]
    world.release("promote", "devel", "staging", "--version", "v7")
    waits = explained(world, "staging", "v1.0.7")
    assert waits["said"] == "is not in staging yet: it waits in pull request #1"
    said = world.release("explain", "devel", "v1.0.9", code=1)
    assert "there is no version 'v1.0.9' in devel" in said.err


def test_an_empty_environment_is_explained_too(world: World) -> None:
    world.commit({"environments/production/image_tag.yaml": "image: {tag: {}}\n"}, "No production yet")
    assert explained(world, "production", "v7")["said"] == "never was in production"


def test_what_people_took_out_of_the_file_is_told(world: World) -> None:
    text = world.tags().replace("    v3: v1.0.3\n", "")
    world.commit({"environments/devel/image_tag.yaml": text}, "Take v3 out")
    assert "taken out of the file by hand" in explained(world, "devel", "v3")["said"]


def test_a_superseded_bump_says_what_took_its_place(world: World) -> None:
    for number in range(8, 13):
        world.release("bump", "devel", f"v1.0.{number}")
    world.release("pulls", "merge", "1")
    found = explained(world, "devel", "v1.0.8")
    assert found["said"].startswith("never came into devel: superseded by"), found["said"]
    ways = [way["command"] for way in found["commands"]]
    assert ways == ["release bump devel v1.0.8 --pin --reason WHY"]


def test_services_are_named_in_the_commands(tmp_path: Path) -> None:
    config = """\
version: 1
chart: charts/grpc-manifest
services: {engine: {}, search: {}}
environments:
  devel: {retention: {keep: 4}}
"""
    world = World.make(tmp_path)
    world.hold_services(config, {"engine": WITH_DEFAULT, "search": WITH_DEFAULT}, ("devel",))
    found = world.json("explain", "devel", "v1", "--service", "search")
    assert found["service"] == "search"
    assert all("--service search" in way["command"] for way in found["commands"])
    assert "--service" in world.release("explain", "devel", "v1", code=1).err
