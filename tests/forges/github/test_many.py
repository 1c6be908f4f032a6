"""Image builds that end at the same time: many `release bump` processes against one repository on GitHub."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from github_world import GitHubWorld
from moves_world import picture
from standin import StandIn

from release_tool.wiring import utc_now

pytestmark = [pytest.mark.slow, pytest.mark.world(publish="publish: {labels: [release], timeout: 2m}\n")]

BUSY = 75
AT_ONCE = 8
"""Processes at a time: each keeps a core busy, and as many as there are builds would only wait for one another."""
MOST_CALLS = 6
MOST_TRIES = 10


def dispatch(github: GitHubWorld, tag: str) -> str:
    """A build's job: a bump in a process of its own, run again after an exit 75 as the action does it; the branch."""
    command = [sys.executable, "-m", "release_tool", "bump", "devel", tag, "--repo", github.url, "--output", "json"]
    for _ in range(MOST_TRIES):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert "Traceback" not in done.stderr
        if done.returncode != BUSY:
            assert done.returncode == 0, done.stderr
            said = json.loads(done.stdout)
            assert said["pull_request"]["number"] == 1
            return str(said["branch"])
    pytest.fail(f"{tag} is still busy: {done.stderr}")


def dispatch_all(github: GitHubWorld, tags: list[str]) -> None:
    github.world.now = utc_now()  # that of other processes
    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert set(pool.map(lambda tag: dispatch(github, tag), tags)) == {"release/devel"}


MANY = pytest.mark.parametrize("builds", [10, pytest.param(32, marks=pytest.mark.nightly)])


@MANY
def test_builds_at_once_are_all_in_one_pull_request(github: GitHubWorld, builds: int) -> None:
    tags = [f"v1.1.{number}" for number in range(builds)]
    dispatch_all(github, tags)
    assert sorted(github.repository.bare.heads()) == ["main", "release/devel"]
    assert list(github.repository.pulls) == [1]
    assert sorted(github.proposed()) == sorted(tags)
    lines = github.world.lines(ref="release/devel")
    assert sorted(line.intent.written["tag"] for line in lines) == sorted(tags)
    assert sorted(github.world.state(ref="release/devel").versions) == sorted(
        f"v{number}" for number in range(1, builds + 5)
    )
    assert f"and {builds - 5} more" in github.only.title
    assert all(f"`{tag}`" in (github.only.body or "") for tag in tags)
    assert picture(github)[1] == "main: nothing new; no record"
    before = len(github.calls())
    github.bump("v1.2.0")
    assert len(github.calls(before)) <= MOST_CALLS
    github.alice.merge(1, "squash")
    github.bump("v1.2.0")
    assert github.open == []
    assert set(tags) < set(github.world.state().versions.values())


@MANY
def test_the_same_build_many_times_is_one_version(github: GitHubWorld, builds: int) -> None:
    dispatch_all(github, ["v1.1.0"] * builds)
    assert picture(github) == [
        "#1 open devel: bump v1.1.0 (v5 v1.1.0)",
        "main: nothing new; no record",
        "release/devel: v5 v1.1.0; bump v1.1.0",
    ]


@pytest.mark.parametrize("reviewers", ["", "reviewers: [alice], "], ids=["", "with reviewers"])
def test_a_bump_asks_github_six_times_at_most(
    tmp_path: Path, standin: StandIn, monkeypatch: pytest.MonkeyPatch, reviewers: str
) -> None:
    github = GitHubWorld(tmp_path, standin, monkeypatch, publish=f"publish: {{{reviewers}labels: [release, devel]}}\n")
    asked = []
    for tag in ("v1.0.5", "v1.0.6", "v1.0.6"):
        before = len(github.calls())
        github.bump(tag)
        asked.append(len(github.calls(before)))
    github.alice.merge(1, "squash")
    before = len(github.calls())
    github.bump("v1.0.7")
    asked.append(len(github.calls(before)))
    assert max(asked) <= MOST_CALLS, asked
