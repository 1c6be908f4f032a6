"""The action runs in jobs of a real Gitea, by the job that docs/how-to/github-company.md shows for other servers."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gitea import Gitea, running
from origin import git
from world import ROOT, run

JOB = re.search(
    r"## GitHub Enterprise Server\n.*?```yaml\n(.*?)```",
    (ROOT / "docs" / "how-to" / "github-company.md").read_text("utf-8"),
    re.DOTALL,
)
CHECK = """\
name: check
on: pull_request
jobs:
  check:
    runs-on: [self-hosted, linux]
    steps: [{run: 'echo "ref is $GITHUB_REF"'}]
"""
STUBS = ROOT / "tests" / "actions" / "stubs"  # actions that jobs name, and that nobody here has


@pytest.fixture
def gitea(tmp_path: Path) -> Iterator[Gitea]:
    with running(tmp_path) as found:
        found.trusted_by_git()
        with found.runner({}, "self-hosted", "linux"):
            yield found


def given(gitea: Gitea, owner: str, name: str, place: Path) -> str:
    """A public repository that holds a directory; its commit."""
    for command in ("init -q", "add -A", "commit -qm Begin"):
        git(*command.split(), cwd=place)
    gitea.call("POST", "orgs", username=owner)
    gitea.call("POST", f"orgs/{owner}/repos", name=name)
    git("push", "-q", f"{gitea.url}/{owner}/{name}", "HEAD:main", cwd=place)
    return git("rev-parse", "HEAD", cwd=place)


def tool(gitea: Gitea, path: Path) -> str:
    """The tool as it is now, on this server as `platform/release`; its commit."""
    shutil.copytree(STUBS / "setup-python", path / "setup-python")
    python = given(gitea, "actions", "setup-python", path / "setup-python")
    place = path / "tool"
    place.mkdir()
    action = re.sub(
        r"actions/setup-python@\w+", f"actions/setup-python@{python}", (ROOT / "action.yml").read_text("utf-8")
    )
    (place / "action.yml").write_text(action, "utf-8")
    for name in ("charts", "release_tool", "requirements"):
        shutil.copytree(ROOT / name, place / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place)
    return given(gitea, "platform", "release", place)


def test_a_job_of_gitea_bumps_by_the_action_and_its_pushes_start_no_check(gitea: Gitea, tmp_path: Path) -> None:
    place = tmp_path / "gitops"
    place.mkdir()
    git("init", "-q", place)
    made = run("init", "-C", str(place), "--yes", "--tag", "1.0.3", "--image", "registry.example.com/engine")
    assert made.code == 0, made
    workflows = place / ".github" / "workflows"
    workflows.mkdir(parents=True)
    assert JOB is not None
    (workflows / "bump.yml").write_text(JOB[1].replace("@COMMIT", f"@{tool(gitea, tmp_path)}"), "utf-8")
    (workflows / "check.yml").write_text(CHECK, "utf-8")
    git("add", "-A", cwd=place)
    git("commit", "-qm", "Set release up", cwd=place)
    gitea.repository("gitops", place)

    said = bumped(gitea, "1.0.4")
    assert "where to open or see its pull request: " in said
    path = "environments/devel/image_tag.yaml"
    assert "v2: 1.0.4" in gitea.file("gitops", path, "release/devel")
    gitea.call("POST", "repos/acme/gitops/pulls", head="release/devel", base="main", title="devel: bump 1.0.4")
    assert checks(gitea) == 1
    (check,) = [one for one in gitea.runs("gitops") if one["event"] == "pull_request"]
    gitea.finished("gitops", check["head_sha"])
    # A check of the merge result has to merge: there is no `refs/pull/1/merge`.
    assert "ref is refs/pull/1/head" in gitea.log("gitops", check)
    assert "refs/pull/1/merge" not in git("ls-remote", gitea.clone_url("gitops"))

    bumped(gitea, "1.0.5")
    assert "v3: 1.0.5" in gitea.file("gitops", path, "release/devel")
    time.sleep(2)
    assert checks(gitea) == 1  # as on GitHub: what a job pushes with its own token starts nothing


def bumped(gitea: Gitea, tag: str) -> str:
    """Ask for a bump as a build does; what the job said."""
    before = len(gitea.runs("gitops"))
    asked = {"environment": "devel", "tag": tag}
    gitea.call("POST", "repos/acme/gitops/actions/workflows/bump.yml/dispatches", ref="main", inputs=asked)
    done = gitea.finished("gitops", after=before)
    said = gitea.log("gitops", done)
    assert done["conclusion"] == "success", said
    return said


def checks(gitea: Gitea) -> int:
    return sum(one["path"].startswith("check.yml") for one in gitea.runs("gitops"))
