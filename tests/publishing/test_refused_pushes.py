"""A server that takes no push, for a while or by its rules; and what it says when it takes one."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from git_server import serving
from world import World, run

from release_tool import wiring

LOCKED = """\
error: GH006: Protected branch update failed for refs/heads/release/devel.
error: A pull request for this branch has been added to a merge queue. Branches that
are queued for merging cannot be updated."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Nobody sleeps; the tries that were waited after."""
    waited: list[int] = []
    monkeypatch.setattr(wiring, "wait", waited.append)
    return waited


def _queue(world: World, tries: int) -> None:
    """From here on the branch is in the merge queue, for so many pushes to it."""
    world.hook(
        "while read old new ref; do\n"
        f"  if [ $ref = refs/heads/release/devel ] && [ $(cat tries 2>/dev/null | wc -l) -lt {tries} ]; then\n"
        f"    echo >> tries; echo '{LOCKED}' >&2; exit 1; fi\ndone\n"
    )


def test_a_branch_in_the_merge_queue_is_waited_for(world: World, impatient: list[int]) -> None:
    world.release("bump", "devel", "v1.0.5")
    _queue(world, 2)
    world.release("bump", "devel", "v1.0.6")
    assert {"v1.0.5", "v1.0.6"} <= set(world.state(ref="release/devel").versions.values())
    assert min(impatient) > 9, "a queue takes longer than a lost race"


def test_a_branch_that_stays_in_the_queue_is_busy_and_not_refused(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    _queue(world, 99)
    clock = count()
    tick = lambda: world.now + timedelta(seconds=20 * next(clock))  # noqa: E731
    said = run("bump", "devel", "v1.0.6", "-C", str(world.clone), now=tick)
    assert said.code == 75
    assert "`release/devel` is locked: its pull request waits in the merge queue" in said.err
    assert "run the same command again once the pull request is merged" in said.err


def test_only_a_push_to_the_base_is_told_of_pull_requests(world: World) -> None:
    world.hook("echo 'error: GH013: Repository rule violations found.' >&2; exit 1\n")
    direct = world.refused("bump", "devel", "v1.0.5", "--direct")
    assert "or leave `--direct` out, for a pull request" in direct
    assert "pull request" not in world.refused("bump", "devel", "v1.0.5")


def test_without_a_forge_a_branch_waits_and_the_link_of_the_server_is_passed_on(world: World) -> None:
    world.commit({"release.yaml": world.file("release.yaml") + "forge: {kind: none}\n"}, "No forge")
    link = "https://gitea.example.com/o/r/compare/main...release/devel-downgrade"
    hook = world.hook(
        "while read old new ref; do [ $ref = refs/heads/main ] && echo protected && exit 1; done\n"
        f"printf \"Create a new pull request for 'it':\\n  {link}\\n\"; exit 0\n"
    )
    said = world.release("downgrade", "devel", "--from", "v4", "--to", "v3", "--direct", code=1)
    assert "stands on the branch release/devel-downgrade, which waits for a person who merges it" in said.err
    assert "became a pull request" not in said.err
    assert f"note: the server says where to open or see its pull request: {link}" in said.out
    hook.unlink()


def test_a_remote_whose_forge_nobody_knows_is_told(world: World) -> None:
    with serving(world.path) as server:
        said = world.release("bump", "devel", "v1.0.5", "--repo", server.url)
        assert f"note: no forge is known for {server.url}: the branch is pushed" in said.out
        world.commit({"release.yaml": world.file("release.yaml") + "forge: {kind: none}\n"}, "That is wanted")
        assert "no forge is known" not in world.release("bump", "devel", "v1.0.6", "--repo", server.url).out
