"""Without a token for the API, GitLab opens and changes the merge request as the branch is pushed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from gitlab_standin import GitLab, ProtectedBranch, Refused
from gitlab_world import PATH, SICK, SICK_TAGS, GitLabWorld


@pytest.fixture
def job(tmp_path: Path, gitlab: GitLab, monkeypatch: pytest.MonkeyPatch) -> GitLabWorld:
    """A job of GitLab CI that may push, and has nothing but its own token."""
    world = GitLabWorld(tmp_path, gitlab, monkeypatch)
    gitlab.hand(PATH, "cy", "developer")
    world.project.job_token_pushes = True
    world.take(gitlab.add_token("cy", kind="job", project=PATH))
    return world


def test_a_job_opens_the_merge_request_with_its_push_and_the_next_one_changes_it(job: GitLabWorld) -> None:
    said = job.bump("v1.0.5")
    one = job.only
    assert (one.title, one.target_branch, one.labels, one.remove_source_branch) == (
        *("devel: bump v1.0.5", "main", ["release"], True),
    )
    assert "v1.0.5" in (one.description or "")
    assert "\\n" not in (one.description or "")
    assert f"/{PATH}/-/merge_requests/1" in said.out
    job.bump("v1.0.6")
    assert job.only.title == "devel: bump v1.0.5, v1.0.6"
    assert job.calls() == [], "the API takes no token of a job for that"


def test_the_same_again_pushes_nothing_and_says_nothing_of_a_merge_request(job: GitLabWorld) -> None:
    job.bump("v1.0.5")
    assert "merge request" not in job.bump("v1.0.5").out
    assert job.only.title == "devel: bump v1.0.5"


def test_what_gitlab_finds_wrong_with_the_options_is_an_error_in_its_words(
    job: GitLabWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Refused(403, "Merge requests are not enabled for project acme/platform/engine")

    monkeypatch.setattr(job.gitlab, "new_request", refuse)
    said = job.bump("v1.0.5", code=1)
    assert "the branch release/devel is pushed, and GitLab opened or changed no merge request: " in said.out + said.err
    assert "Merge requests are not enabled for project acme/platform/engine" in said.out + said.err
    assert "description" not in said.out + said.err


def test_a_branch_that_takes_no_push_is_told_as_ever(job: GitLabWorld) -> None:
    job.project.protected["release/*"] = ProtectedBranch(1, "release/*", push=40)
    said = job.bump("v1.0.5", code=1)
    assert "protected" in said.err
    assert job.project.merge_requests == {}


def test_a_downgrade_with_nobody_awake_asks_to_merge_when_the_pipeline_succeeds(
    tmp_path: Path, gitlab: GitLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = GitLabWorld(tmp_path, gitlab, monkeypatch, tags=SICK_TAGS, config=SICK)
    gitlab.hand(PATH, "cy", "developer")
    job.project.job_token_pushes = job.project.needs_pipeline = True
    job.project.protected["main"] = ProtectedBranch(1, "main", push=40, merge=30)
    job.take(gitlab.add_token("cy", kind="job", project=PATH))
    job.world.now += timedelta(hours=1)
    job.release("guard", "devel", code=None)
    assert job.only.auto_merge is not None
    assert job.only.source_branch == "release/devel-downgrade"
    job.alice.pipeline("release/devel-downgrade", "success")
    assert job.world.state().default == "v3"


def test_what_a_person_asked_for_waits_for_a_person(job: GitLabWorld) -> None:
    said = job.release("downgrade", "devel", "--to", "v4", "--reason", "error rate")
    assert "/-/merge_requests/1" in said.out
    assert job.only.auto_merge is None


def test_pull_requests_are_listed_only_with_a_token_and_the_error_says_which(job: GitLabWorld) -> None:
    for command in (["list"], ["show", "1"], ["close", "1"], ["merge", "1"]):
        said = job.release("pulls", *command, code=1)
        assert "can't be read or changed without a token for the API" in said.err
        assert "GITLAB_TOKEN" in said.err


def test_what_needs_no_merge_request_goes_on_as_ever(job: GitLabWorld) -> None:
    job.bump("v1.0.5")
    for command in (["status"], ["sync"], ["cleanup"], ["history"]):
        job.release(*command)
    assert job.only.title == "devel: bump v1.0.5"
