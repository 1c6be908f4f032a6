"""The jobs that `release init --workflows` writes for a Gitea, run by its own runner."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from control_plane import until
from gitea import Gitea, running
from origin import git
from world import ROOT, run

STUBS = ROOT / "tests" / "actions" / "stubs"  # actions that jobs name, and that nobody here has


@pytest.fixture
def gitea(tmp_path: Path) -> Iterator[Gitea]:
    with running(tmp_path) as found:
        found.trusted_by_git()
        with found.runner({}, "ubuntu-latest"):
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


def test_jobs_of_gitea_open_pull_requests_check_them_and_keep_a_comment(gitea: Gitea, tmp_path: Path) -> None:
    place = tmp_path / "gitops"
    place.mkdir()
    git("init", "-q", place)
    asked = ["--tag", "1.0.3", "--image", "registry.example.com/engine"]
    pinned = ["--workflows", "gitea", "--tool", f"platform/release@{tool(gitea, tmp_path)}"]
    made = run("init", "-C", str(place), "--yes", *asked, *pinned)
    assert made.code == 0, made
    git("add", "-A", cwd=place)
    git("commit", "-qm", "Set release up", cwd=place)
    gitea.repository("gitops", place)

    bumped(gitea, "1.0.4")
    (pull,) = gitea.pulls("gitops")
    assert (pull["head"]["ref"], pull["title"]) == ("release/devel", "devel: bump 1.0.4")
    time.sleep(2)
    assert checks(gitea) == 0  # as on GitHub: what a job pushes and opens with its own token starts nothing

    gitea.person("robot")
    gitea.call("PUT", "repos/acme/gitops/collaborators/robot", permission="write")
    gitea.secret("gitops", "RELEASE_TOKEN", gitea.token_of("robot", "write:repository,write:issue"))
    bumped(gitea, "1.0.5")
    (pull,) = gitea.pulls("gitops")
    assert pull["title"] == "devel: bump 1.0.4, 1.0.5"
    until(lambda: checks(gitea), 30, "the check begins")
    (check,) = [one for one in gitea.runs("gitops") if one["path"].startswith("check.yml")]
    done = gitea.finished("gitops", check["head_sha"])
    assert done["conclusion"] == "success", gitea.log("gitops", done)
    (comment,) = gitea.call("GET", f"repos/acme/gitops/issues/{pull['number']}/comments")
    assert "v3" in comment["body"]


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
