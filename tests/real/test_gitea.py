"""What the tool meets on a real Gitea."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gitea import Gitea, running
from origin import git
from world import Result, run


@pytest.fixture
def gitea(tmp_path: Path) -> Iterator[Gitea]:
    """With a repository `gitops` that has two versions."""
    place = tmp_path / "work"
    place.mkdir()
    git("init", "-q", place)
    made = run(
        "init", "-C", str(place), "--yes", "--tag", "1.0.3", "--tag", "1.0.4", "--image", "registry.example.com/engine"
    )
    assert made.code == 0, made
    git("add", "-A", cwd=place)
    git("commit", "-qm", "Set release up", cwd=place)
    with running(tmp_path) as found:
        found.trusted_by_git()
        found.repository("gitops", place)
        yield found


def test_a_protected_branch_takes_no_direct_push_and_its_words_are_told(gitea: Gitea) -> None:
    gitea.call("POST", "repos/acme/gitops/branch_protections", rule_name="main", enable_push=False)
    refused = bump(gitea, "1.0.5", "--direct")
    assert refused.code == 1
    assert "cause: pre-receive hook declined: Not allowed to push to protected branch main\n" in refused.err
    assert "leave `--direct` out" in refused.err
    assert bump(gitea, "1.0.5").code == 0
    downgrade = run("downgrade", "devel", "--reason", "bad", "--direct", "--repo", gitea.clone_url("gitops"))
    assert downgrade.code == 1
    assert "stands on the branch release/devel-downgrade, which waits for a person" in downgrade.err


def test_a_release_branch_that_nobody_may_rewrite_is_told_with_what_to_do(gitea: Gitea) -> None:
    gitea.call("POST", "repos/acme/gitops/branch_protections", rule_name="release/*", enable_push=True)
    assert bump(gitea, "1.0.5").code == 0
    refused = bump(gitea, "1.0.6")
    assert refused.code == 1
    assert "it lets nobody rewrite or delete the branch" in refused.err
    assert "cause: pre-receive hook declined: branch release/devel is protected from force push\n" in refused.err


def test_a_push_tells_where_its_pull_request_is_opened(gitea: Gitea) -> None:
    said = bump(gitea, "1.0.5").out
    assert f"open or see its pull request: {gitea.url}/acme/gitops/pulls/new/release/devel\n" in said
    git("config", "--global", f"http.{gitea.url}/.extraheader", "Authorization: Basic eDp5")
    refused = bump(gitea, "1.0.6")
    assert refused.code == 1
    assert "the remote doesn't accept the credentials" in refused.err


HEALTH = """\
    health:
      grace: 0s
      failures: 1
      interval: 1s
      checks:
        rehearsal: {command: {argv: [test, '{version}', '!=', v2]}}
"""


def test_a_guards_downgrade_is_merged_by_the_pass_that_finds_its_check_green(
    gitea: Gitea, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = gitea.directory / "work"
    config = place / "release.yaml"
    first = "    retention: {keep: 4, drain: 1h}"
    text = config.read_text("utf-8").replace(first, HEALTH + first, 1)
    config.write_text(text.replace("environments:", "downgrade: {publish: pull_request}\nenvironments:", 1), "utf-8")
    git("commit", "-qam", "Watch it", cwd=place)
    git("push", "-q", gitea.clone_url("gitops"), "HEAD:main", cwd=place)
    rule = {"rule_name": "main", "enable_status_check": True, "status_check_contexts": ["check"]}
    gitea.call("POST", "repos/acme/gitops/branch_protections", **rule)
    monkeypatch.setenv("GITEA_SERVER_URL", gitea.url)
    monkeypatch.setenv("GITEA_TOKEN", gitea.token)
    for _ in range(2):
        waits = run("guard", "devel", "--repo", gitea.clone_url("gitops"))
        assert waits.code == 0, waits
        assert "merged by the next pass of `release guard`" in waits.out
    (pull,) = gitea.pulls("gitops")
    assert pull["head"]["ref"] == "release/devel-downgrade"
    green = {"state": "success", "context": "check"}
    gitea.call("POST", f"repos/acme/gitops/statuses/{pull['head']['sha']}", **green)
    merged = run("guard", "devel", "--repo", gitea.clone_url("gitops"))
    assert (merged.code, gitea.pulls("gitops")) == (0, []), merged
    assert "default: v1" in gitea.file("gitops", "environments/devel/image_tag.yaml")


def bump(gitea: Gitea, tag: str, *options: str) -> Result:
    return run("bump", "devel", tag, *options, "--repo", gitea.clone_url("gitops"))
