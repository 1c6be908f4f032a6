"""One environment's broken file stops that environment alone, whatever the file and whatever the command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from world import World

KEEP_FEW = """\
version: 1
chart: charts/grpc-manifest
release_name: engine
namespace: engine
publish: {mode: direct}
environments:
  devel: {default: newest, retention: {keep: 8}}
  staging: {promote_from: devel, default: promoted}
  production: {promote_from: staging, default: promoted}
"""

Break = Callable[[World, Path], None]


def _latin(world: World, path: Path) -> None:
    """A byte that is not UTF-8, in a comment or in a reason: all else can be read."""
    text = path.read_bytes()
    if path.suffix == ".yaml":
        path.write_bytes(text + b"# caf\xe9\n")
    else:
        first = json.loads(text.splitlines()[0])
        path.write_bytes(
            text + json.dumps({**first, "id": "other", "by": "cafe"}).encode().replace(b"cafe", b"caf\xe9") + b"\n"
        )


def _torn(_: World, path: Path) -> None:
    path.write_text(path.read_text() + ('{"schema": 1, "id"' if path.suffix == ".jsonl" else "a: [\n"))


def _linked(_: World, path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _folder(_: World, path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "file").write_text("")


WAY_OF = {
    "image_tag.yaml": "torn",
    "history.jsonl": "not UTF-8",
    "history/2025.jsonl": "a link",
    "values.yaml": "not UTF-8",
}
FILES = ("image_tag.yaml", "history.jsonl", "history/2025.jsonl", "values.yaml")
WAYS: dict[str, Break] = {"not UTF-8": _latin, "torn": _torn, "a link": _linked, "a directory": _folder}
EVERY = [
    pytest.param(file, way, marks=[] if way == WAY_OF[file] else pytest.mark.slow)
    for file in FILES
    for way in WAYS
    if (file, way) != ("history/2025.jsonl", "a directory")  # is no archive
]
OLD = (
    '{"schema": 1, "id": "old", "at": "2025-01-01T00:00:00Z", "operation": "cleanup", "arguments": {}, "changes": []}\n'
)


def broken(world: World, environment: str, file: str, way: str) -> None:
    """A person breaks a file of an environment, in the base."""
    world.pull()
    folder = world.clone / "environments" / environment
    archive = folder / "history" / "2025.jsonl"
    archive.parent.mkdir(exist_ok=True)
    archive.write_text(OLD)
    WAYS[way](world, folder / file)
    world.broken |= {environment} if file in ("image_tag.yaml", "history.jsonl") else set()
    world.commit({}, f"Break {file}")
    world.landed.clear()


@pytest.fixture
def lived(tmp_path: Path) -> World:
    """Each environment has a record, and devel a version more than staging."""
    world = World.make(tmp_path, config=KEEP_FEW)
    world.release("bump", "devel", "v1.0.5")
    for environment in ("devel", "staging", "production"):
        world.release("pin", environment, "v3", "--reason", "held")
    world.release("bump", "devel", "v1.0.6")
    return world


OTHERS: dict[str, tuple[str, ...]] = {
    "bump": ("bump", "devel", "v1.0.7"),
    "promote": ("promote", "devel", "staging"),
    "default": ("default", "devel", "v4"),
    "downgrade": ("downgrade", "devel"),
    "cleanup": ("cleanup", "devel", "staging"),
    "sync": ("sync", "devel", "staging"),
    "retire": ("retire", "devel", "v1"),
    "quarantine": ("quarantine", "devel", "v1", "--reason", "bad"),
    "unpin": ("unpin", "staging", "v3"),
    "undo": ("undo", "devel"),
    "history": ("history", "devel", "staging"),
    "status": ("status", "devel", "staging"),
    "render": ("render", "devel"),
    "diff": ("diff", "devel"),
}


@pytest.mark.parametrize(("file", "way"), EVERY)
def test_a_broken_file_stops_no_other_environment(lived: World, file: str, way: str, tmp_path: Path) -> None:
    broken(lived, "production", file, way)
    saved = tmp_path / "saved.git"
    shutil.copytree(lived.origin, saved)
    for command in OTHERS.values():
        lived.release(*command)
        shutil.rmtree(lived.origin)
        shutil.copytree(saved, lived.origin)
        lived.landed.clear()


@pytest.mark.parametrize(("file", "way"), EVERY)
def test_what_goes_over_all_environments_does_the_others_and_tells_of_this_one(
    lived: World, file: str, way: str
) -> None:
    path = f"environments/production/{file}"
    broken(lived, "production", file, way)
    checked = lived.json("check", code=1)
    assert [one["where"].partition(":")[0] for one in checked["findings"]][:1] == [path]
    if way == "not UTF-8":
        (line, column) = map(int, checked["findings"][0]["where"].split(":")[1:])
        broken_line = lived.git("show", f"main:{path}").splitlines()[line - 1]
        assert broken_line[column - 1] == "\udce9"
    stops = file in ("image_tag.yaml", "history.jsonl") or (file == "values.yaml" and way in ("a link", "a directory"))
    for command in ("status", "cleanup"):
        found = lived.release(command, code=None)
        assert found.code == int(stops), (command, found.err)
        assert "staging" in found.out or command == "cleanup"
    found = lived.release("history", code=None)
    assert "bump" in found.out
    assert found.code == int(file.endswith(".jsonl") or way in ("a link", "a directory")), found.err


@pytest.mark.parametrize(("file", "way"), [one for one in EVERY if one.values[0] != "history/2025.jsonl"])
def test_nothing_is_promoted_from_a_broken_environment(lived: World, file: str, way: str) -> None:
    broken(lived, "devel", file, way)
    said = lived.refused("promote", "devel", "staging")
    assert f"environments/devel/{file}" in said


def test_names_that_only_a_broken_record_tells_are_not_given_again(lived: World) -> None:
    """The broken line was right once: the history of the base tells it."""
    lived.release("bump", "devel", "v1.0.9", "--force", "--reason", "test")
    broken(lived, "production", "history.jsonl", "torn")
    lived.release("bump", "devel", "v1.0.8", "--pin")
    names = [change.version for line in lived.lines() for change in line.changes if change.action == "add"]
    assert len(names) == len(set(names)) == 4


def test_a_proposal_for_one_environment_is_not_held_up_by_another(tmp_path: Path) -> None:
    world = World.make(tmp_path, config=KEEP_FEW.replace("publish: {mode: direct}\n", ""))
    world.land("pin", "production", "v3", "--reason", "held")
    broken(world, "production", "history.jsonl", "not UTF-8")
    world.land("bump", "devel", "v1.0.5")
    checked = world.json("check", code=1)  # nothing is proposed here: what is broken is found
    assert checked["findings"]
