"""Images that are looked up in a real registry before a version comes in."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import real_registry
from real_registry import RealRegistry
from world import CONFIG, WITH_DEFAULT, World


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with real_registry.running(tmp_path_factory.mktemp("registry")) as found:
        yield found


def world_with(tmp_path: Path, image: str, verify: str, keep: int = 4) -> World:
    config = CONFIG.format(default="newest", keep=keep) + (
        f"versions: {{allow: '^v?\\d+\\.\\d+\\.\\d+$'}}\n"
        f"registry: {{image: '{image}', verify: {verify}, plain_http: true, timeout: 2s}}\n"
    )
    return World.make(tmp_path, tags=WITH_DEFAULT, config=config)


def test_an_image_that_is_there_is_added_and_its_digest_recorded(tmp_path: Path, registry: RealRegistry) -> None:
    world = world_with(tmp_path, registry.image("team/exists"), "exists")
    digest = registry.push("team/exists", "v1.0.5")
    world.release("bump", "devel", "v1.0.5", "--direct")
    assert (world.state().versions["v5"], world.lines()[-1].intent.provenance) == ("v1.0.5", {"digest": digest})


def test_an_image_that_is_missing_is_refused_unless_a_person_insists(tmp_path: Path, registry: RealRegistry) -> None:
    world = world_with(tmp_path, registry.image("team/missing"), "exists")
    registry.push("team/missing", "v1.0.4")
    said = world.refused("bump", "devel", "v1.0.5")
    assert "the registry has no such image" in said
    assert f"{registry.image('team/missing')}:v1.0.5" in said
    assert world.json("bump", "devel", "v1.0.5", "--force", "--reason", "pushed in an hour")["changed"] is True


def test_with_digest_the_tag_is_written_with_it(tmp_path: Path, registry: RealRegistry) -> None:
    world = world_with(tmp_path, registry.image("team/digest"), "digest")
    digest = registry.push("team/digest", "v1.0.5")
    world.release("bump", "devel", "v1.0.5", "--direct")
    assert f"v1.0.5@{digest}" in world.tags()
    again = world.json("bump", "devel", "v1.0.5")
    assert (again["changed"], again["notes"]) == (False, ["v1.0.5 is live already, as v5"])
    world.release("promote", "devel", "staging", "--direct")
    assert world.state("staging").versions["v5"] == f"v1.0.5@{digest}"
    assert "image: engine" not in world.release("render", "staging").out
    assert f"v1.0.5@{digest}" in world.release("render", "staging").out


def test_a_tag_that_was_moved_is_a_loud_finding(tmp_path: Path, registry: RealRegistry) -> None:
    world = world_with(tmp_path, registry.image("team/moved"), "exists")
    old = registry.push("team/moved", "v1.0.5")
    world.release("bump", "devel", "v1.0.5", "--direct")
    new = registry.push("team/moved", "v1.0.5", "another image")
    said = world.refused("bump", "devel", "v1.0.5")
    assert f"the tag was moved: it is {new} now and was {old} (recorded in devel)" in said
    result = world.release("promote", "devel", "staging", "--output", "json", code=1)
    (gate,) = [gate for gate in json.loads(result.out)["gates"] if gate["gate"] == "image"]
    assert gate["verdict"] == "refused"
    assert "the tag was moved" in gate["reason"]
    world.release("promote", "devel", "staging", "--force", "--reason", "rebuilt on purpose", "--direct")
    assert world.state("staging").default == "v5"


def test_what_the_build_told_must_be_what_the_registry_has(tmp_path: Path, registry: RealRegistry) -> None:
    world = world_with(tmp_path, registry.image("team/told"), "exists")
    digest = registry.push("team/told", "v1.0.5")
    other = "sha256:" + "0" * 64
    assert "(by the build)" in world.refused("bump", "devel", "v1.0.5", "--digest", other)
    assert "(in the tag)" in world.refused("bump", "devel", f"v1.0.5@{other}")
    assert world.json("bump", "devel", f"v1.0.5@{digest}", "--digest", digest)["changed"] is True


def test_from_the_registry_every_newer_tag_comes_oldest_first(tmp_path: Path, registry: RealRegistry) -> None:
    world = world_with(tmp_path, registry.image("team/lost"), "exists", keep=3)
    for tag in ("v1.0.2", "v1.0.5", "v1.0.6", "v1.0.7", "v1.0.8", "latest", "v1.1.0-rc.1"):
        registry.push("team/lost", tag)
    outcomes = world.json("bump", "devel", "--from-registry")
    added = [change["tag"] for one in outcomes for change in one["changes"] if change["action"] == "add"]
    assert added == ["v1.0.6", "v1.0.7", "v1.0.8"], "bounded by keep"
    (pull,) = world.pulls()
    assert world.json("bump", "devel", "--from-registry") == [], "what waits is known"
    world.merge(pull["number"])
    assert (world.state().default, world.release("bump", "devel", "--from-registry").out) == ("v7", "")
    registry.push("team/lost", "v1.0.9")
    assert "add          v8  v1.0.9" in world.release("bump", "devel", "--from-registry").out


def test_from_the_registry_needs_one_and_an_order(tmp_path: Path, registry: RealRegistry) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT)
    assert "no registry is configured" in world.refused("bump", "devel", "--from-registry")
    image = registry.image("team/order")
    config = CONFIG.format(default="newest", keep=4) + f"registry: {{image: '{image}', plain_http: true}}\n"
    world.commit({"release.yaml": config + "versions: {order: arrival}\n"}, "Order")
    assert "no tag is newer than another" in world.refused("bump", "devel", "--from-registry")
    assert "exclude each other" in world.refused("bump", "devel", "v1", "--from-registry", code=2)


def test_a_registry_that_is_away_is_tried_again_later(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # answers never
        world = world_with(tmp_path, f"127.0.0.1:{silent.getsockname()[1]}/team/engine", "exists")
        said = world.refused("bump", "devel", "v1.0.5", code=75)
    assert "127.0.0.1" in said
    said = world.refused("promote", "devel", "staging", code=75)
    assert "next:" in said


def test_without_a_registry_too_a_moved_tag_is_refused_with_both_digests(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    one, other = (f"sha256:{digit * 64}" for digit in "12")
    world.release("bump", "devel", "v1.0.5", "--digest", one, "--direct")
    said = world.refused("bump", "devel", "v1.0.5", "--digest", other)
    assert f"the tag v1.0.5 was moved: v5 is {one}, and this bump says {other}" in said
    assert f"this bump says {other}" in world.refused("bump", "devel", f"v1.0.5@{other}")
    assert world.json("bump", "devel", "v1.0.5", "--digest", one)["changed"] is False


def test_what_waits_already_is_not_another_image(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    one, other = (f"sha256:{digit * 64}" for digit in "12")
    world.release("bump", "devel", "v1.0.5", "--digest", one)
    assert f"v5 is {one}, and this bump says {other}" in world.refused("bump", "devel", "v1.0.5", "--digest", other)
    assert f"this bump says {other}" in world.refused("bump", "devel", f"v1.0.5@{other}")
    assert world.json("bump", "devel", "v1.0.5", "--digest", one)["changed"] is False
    world.release("bump", "devel", f"v1.0.6@{one}")
    assert f"v6 is {one}" in world.refused("bump", "devel", "v1.0.6", "--digest", other)


def test_two_digests_and_a_password_are_wrong_usage(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    one, other = (f"sha256:{digit * 64}" for digit in "12")
    said = world.release("bump", "devel", f"v1.0.5@{one}", "--digest", other, code=2).err
    assert f"TAG says {one}, and --digest {other}" in said
    said = world.release("bump", "devel", "v1.0.5", "--build-url", "https://me:s3cret@ci.example/1", code=2).err
    assert "without a user or a password" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("option", "value"),
    [("--digest", "sha256:abc"), ("--digest", "1" * 64), ("--image", "https://a/b"), ("--image", "A b"),
     ("--build-url", "javascript:alert(1)"), ("--build-url", "https:// x"), ("--build-url", "ci/7"),
     ("--source", "git@github.com:acme/engine"), ("--source", "https://github.com")],
)  # fmt: skip
def test_provenance_that_can_not_be_right_is_wrong_usage(tmp_path: Path, option: str, value: str) -> None:
    said = World.make(tmp_path).release("bump", "devel", "v1.0.5", option, value, code=2).err
    assert (option if option in {"--build-url", "--source"} else f"{option} {value!r}") + " is no " in said
