"""The next steps that messages name are commands that the tool takes, also where a repository has several services."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest
from world import WITH_DEFAULT, Result, World

from release_tool.model import printed_command

CONFIG = """\
version: 1
chart: charts/grpc-manifest
services:
  engine: {}
  search: {}
environments:
  devel:
    default: newest
    retention: {keep: 4, drain: 1h}
  staging:
    promote_from: devel
    default: promoted
"""
PLACEHOLDERS = {"NAME": "v3", "ID": "01M89T1QWHYYJP6PZCB2S6Z56R", "WHY": "a reason", "DAY": "14d"}
WRITING = {
    "bump", "promote", "default", "downgrade", "pin", "unpin", "retire", "restore", "quarantine", "clear", "undo",
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World.make(tmp_path)
    world.hold_services(CONFIG, {"engine": WITH_DEFAULT, "search": WITH_DEFAULT}, ("devel", "staging"))
    return world


def accepted(world: World, said: Result | str) -> list[str]:
    """Run the commands in a text, without writing; those that were found."""
    text = said if isinstance(said, str) else said.out + said.err
    found = [one for one in re.findall(r"`(release [^`]*)`", text) if len(one.split()) > 2]
    for one in found:
        words = [PLACEHOLDERS.get(word, word) for word in shlex.split(one)[1:]]
        done = world.release(*words, *(["--dry-run"] if words[0] in {*WRITING, "sync", "cleanup"} else []), code=None)
        assert done.code != 2, f"{one}: {done.err}"
        assert "which service?" not in done.err, one
        assert "--service engine" in one, one
    return [" ".join(one.split()[1:3]) for one in found]


def run(world: World, *arguments: str, code: int | None = None) -> Result:
    return world.release(*arguments, "--service", "engine", code=code)


def test_every_printed_command_is_accepted(world: World) -> None:
    run(world, "quarantine", "devel", "v2", "--reason", "bad 'one'", "--direct", code=0)
    run(world, "pin", "devel", "v1", "--reason", "clients", "--direct", code=0)
    run(world, "retire", "devel", "v3", "--direct", code=0)
    situations = {
        ("bump", "devel", "v1.0.2"): "clear devel",
        ("bump", "devel", "v1.0.3"): "restore devel",
        ("bump", "staging", "v1.0.9"): "bump devel",
        ("promote", "devel", "staging", "--version", "v3"): "restore devel",
        ("default", "devel", "v2"): "clear devel",
        ("retire", "devel", "v4"): "default devel",
        ("retire", "devel", "v1"): "unpin devel",
        ("quarantine", "devel", "v4", "--reason", "x"): "downgrade devel",
        ("downgrade", "devel", "--to", "v2"): "status devel",
        ("undo", "devel", "NONE"): "history devel",
    }
    for arguments, named in situations.items():
        assert named in accepted(world, run(world, *arguments)), arguments


def test_after_an_undo_the_command_for_another_one_is_accepted(world: World) -> None:
    run(world, "pin", "devel", "v1", "--reason", "clients", "--direct", code=0)
    run(world, "undo", "devel", "--direct", code=0)
    assert accepted(world, run(world, "undo", "devel")) == ["history devel"]


def test_what_the_policy_would_retire_at_once_names_a_command_that_is_accepted(world: World) -> None:
    config = CONFIG.replace("keep: 4", "keep: 2, max_age: 1d")
    world.commit({"release.yaml": config}, "Keep few")
    assert accepted(world, run(world, "bump", "devel", "v0.0.1")) == ["bump devel"]


def test_commands_of_check_and_of_the_pull_request_are_accepted(world: World) -> None:
    run(world, "pin", "devel", "v1", "--until", "14d", "--reason", "it's needed", "--direct", code=0)
    world.git("pull", "-q")
    world.now += timedelta(days=20)
    found = accepted(world, world.release("check", code=None))
    assert {"cleanup devel", "pin devel"} <= set(found)
    run(world, "bump", "devel", "v1.0.5", code=0)
    body = world.release("pulls", "show", "1").out
    block = re.search(r"```sh\n(.*?)\n```", body, re.DOTALL)
    assert block is not None
    commands = [*block[1].splitlines(), *re.findall(r"`(release diff [^`]*)`", body)]
    assert "undo devel" in accepted(world, "\n".join(f"`{one}`" for one in commands))


@pytest.mark.parametrize("words", [("clear", "devel", "v2"), ("pin", "a b", "$(id)", "'")])
def test_a_shell_reads_a_printed_command_as_it_was_meant(words: tuple[str, ...]) -> None:
    assert shlex.split(printed_command.command(*words)) == ["release", *words]
    assert shlex.split(printed_command.command(*words, service="x y")) == ["release", *words, "--service", "x y"]
