"""A guard's downgrade that GitLab's auto-merge alone brings in, with nobody awake."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from gitlab_standin import ApprovalRule, GitLab, ProtectedBranch
from gitlab_world import SICK, SICK_TAGS, GitLabWorld

from release_tool.forges.gitlab import merging

BRANCH = "release/devel-downgrade"


@pytest.fixture
def sick(tmp_path: Path, gitlab: GitLab, monkeypatch: pytest.MonkeyPatch) -> GitLabWorld:
    """The default is sick; the base is protected, and pipelines must succeed."""
    monkeypatch.setattr(merging, "_PAUSES", (0.01,) * 4)
    made = GitLabWorld(tmp_path, gitlab, monkeypatch, tags=SICK_TAGS, config=SICK)
    made.project.protected["main"] = ProtectedBranch(1, "main", push=0, merge=30)
    made.project.needs_pipeline = made.project.pipelines_on_push = True
    made.world.now += timedelta(hours=1)
    return made


@pytest.mark.parametrize("method", ["merge", "rebase_merge", "ff"])
def test_it_waits_for_its_pipeline_and_is_merged_by_gitlab(sick: GitLabWorld, method: str) -> None:
    sick.project.merge_method = method
    said = sick.release("guard", "devel", code=None)
    assert "merges by itself" in said.out
    assert sick.only.auto_merge is not None
    sick.alice.pipeline(BRANCH, "success")
    assert sick.project.opened() == []
    state = sick.world.state()
    assert (state.default, list(state.quarantined)) == ("v3", ["v4"])
    sick.release("guard", "devel", code=None)
    assert sick.project.opened() == []


def test_a_guard_that_passes_again_meanwhile_asks_for_nothing_else(sick: GitLabWorld) -> None:
    sick.release("guard", "devel", code=None)
    sha = sick.only.sha
    sick.release("guard", "devel", code=None)
    assert (sick.only.sha, sick.only.auto_merge is not None) == (sha, True)


def test_a_merge_train_takes_it(sick: GitLabWorld) -> None:
    sick.project.premium = sick.project.merge_trains = sick.project.merge_pipelines = True
    sick.release("guard", "devel", code=None)
    sick.alice.pipeline(BRANCH, "success")
    sick.alice.merge_train()
    assert sick.world.state().default == "v3"


def test_an_approval_that_is_missing_is_what_it_waits_for(sick: GitLabWorld) -> None:
    sick.project.premium = True
    sick.project.rules.append(ApprovalRule(1, "Owners"))
    sick.release("guard", "devel", code=None)
    sick.alice.pipeline(BRANCH, "success")
    assert sick.only.state == "opened"
    sick.alice.approve(1)
    assert sick.world.state().default == "v3"


def test_who_may_not_merge_is_an_error_that_names_the_setting(sick: GitLabWorld) -> None:
    sick.project.protected["main"].merge = 0
    said = sick.release("guard", "devel", code=1)
    assert "waits for a person" in said.out + said.err
    assert sick.only.auto_merge is None
