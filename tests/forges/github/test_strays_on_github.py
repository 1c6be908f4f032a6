"""On GitHub: what waits goes on where branches get other names, and back, and the old pull request tells where."""

from __future__ import annotations

import pytest
from github_world import GitHubWorld

pytestmark = pytest.mark.slow


def give(github: GitHubWorld, branch: str) -> None:
    """People change `publish.branch`."""
    lines = github.world.file("release.yaml").splitlines()
    others = [line for line in lines if not line.startswith("publish:")]
    publish = f"publish: {{labels: [release, devel], timeout: 20s, branch: '{branch}'}}"
    github.world.commit({"release.yaml": "\n".join([*others, publish, ""])}, "Other branches")


def test_what_waits_goes_on_under_another_branch_and_back(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.bump("v1.0.6")
    give(github, "to/{environment}")
    github.release("sync")
    assert github.only.head == "to/devel"
    assert github.proposed("to/devel") == ["v1.0.5", "v1.0.6"]
    first, second = github.repository.pulls.values()
    assert (first.state, second.state) == ("closed", "open")
    assert "refs/heads/release/devel" not in github.world.refs()
    assert github.release("sync").out == ""
    give(github, "release/{environment}")
    github.release("sync")
    assert github.only.head == "release/devel"
    assert github.proposed() == ["v1.0.5", "v1.0.6"]
    assert github.only.number == 3
