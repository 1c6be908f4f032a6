"""The text of a real pull request: what it takes from the repository, and that it stays as it is while nothing moves."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest
from world import World

pytestmark = pytest.mark.world(keep=4)


def body(world: World) -> str:
    (pull,) = world.pulls()
    text: str = pull["body"]
    return text


def test_it_shows_routes_of_the_chart_and_all_environments(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--build-url", "https://ci.example.com/7", "--commit", "0123456789abcdef")
    text = body(world)
    for words in (
        "- Calls that name no version, or an unknown one: v4 `v1.0.4` → **v5 `v1.0.5`**.",
        "**Asked for** by ",
        "**Risk: medium**: calls of today get another version; a downgrade would go back to v4.",
        "| version | tag | devel now | **devel then** | staging | production |",
        "| v5 | `v1.0.5` | – | **default** | – | – |",
        "| **`v5`, `v1.0.5`** | `v5` | `registry.example.com/engine:v1.0.5` |",
        '  calls -.->|"v1, no longer routed"| pool',
        "| 1h after this lands | remove | v1 | `v1.0.1` | drained for 1h |",
        "[build at ci.example.com](https://ci.example.com/7)",
        "`0123456789ab`",
        "<summary>changed VirtualService",
    ):
        assert words in text


def test_sync_and_the_same_operation_leave_it_as_it_is(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    text = body(world)
    world.release("sync", "devel")
    assert body(world) == text
    world.release("bump", "devel", "v1.0.5")
    assert body(world) == text


def test_a_cleanup_with_nothing_to_add_leaves_it_as_it_is(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    text = body(world)
    world.release("cleanup", "devel")
    assert body(world) == text


def test_a_base_that_moves_elsewhere_leaves_it_as_it_is(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    text = body(world)
    world.commit({"README.md": "unrelated\n"}, "Something else")
    world.release("sync", "devel")
    assert body(world) == text


def test_a_broken_file_of_another_environment_hides_only_that(world: World) -> None:
    world.broken.add("staging")
    world.commit({"environments/staging/image_tag.yaml": "image: {tag: {x: 1}}\n"}, "Break staging")
    world.commit({"environments/production/image_tag.yaml": None}, "Remove production")
    world.release("bump", "devel", "v1.0.5")
    assert "| v5 | `v1.0.5` | – | **default** | ? | ? |" in body(world)


def test_a_person_who_works_on_the_branch_is_shown_the_versions_that_follow(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.commit({"NOTES.md": "mine\n"}, "Add notes", branch="release/devel")
    world.release("bump", "devel", "v1.0.6")
    assert "v4 `v1.0.4` → **v6 `v1.0.6`**." in body(world)


def test_the_command_that_it_names_undoes_it(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    (command,) = re.findall("^release (undo .*)$", body(world), re.MULTILINE)
    world.merge(1)
    world.release(*shlex.split(command))
    assert "v5 `v1.0.5` → **v4 `v1.0.4`**." in body(world)
    assert "; the default moves **back**; " in body(world)


def test_a_promotion_takes_the_build_along_and_leads_to_the_commits_since_the_default_of_its_environment(
    world: World,
) -> None:
    source = "https://github.com/acme/engine"
    for tag, commit in (("v1.0.5", "5" * 40), ("v1.0.6", "6" * 40)):
        build = ("--commit", commit, "--build-url", f"{source}/actions/runs/{commit[0]}")
        world.release("bump", "devel", tag, "--direct", *build)
        world.release("promote", "devel", "staging", *(["--direct"] if tag == "v1.0.5" else []))
    text = body(world)
    links = (
        f"[build at github.com]({source}/actions/runs/6), [commits since v5]({source}/compare/{'5' * 40}...{'6' * 40})"
    )
    assert f"**Image**: `registry.example.com/engine:v1.0.6`, {links}\n" in text
    assert world.lines("staging", "release/staging")[-1].intent.provenance["commit"] == "6" * 40


def test_what_makes_it_is_loaded_only_where_a_pull_request_is_written() -> None:
    code = "import sys, release_tool.publishing.retry; print([one for one in sys.modules if one.startswith('release_tool.pull_request.d')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
