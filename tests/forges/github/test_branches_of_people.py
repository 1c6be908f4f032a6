"""Release branches that people work on: whose a commit is decides what stays and what goes."""

from __future__ import annotations

from typing import Any

import pytest
from github_world import GitHubWorld
from standin import faults

from release_tool.errors import TryAgain
from release_tool.git.repository import Repository
from release_tool.remote import ownership

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_waits")]

BRANCH = "release/devel"
ID = "01M89XN4ZYJVTKVYBE9VQZW7TT"


def force_back(github: GitHubWorld, files: dict[str, str] | None = None) -> None:
    """Main goes another way from the commit before its tip."""
    github.alice.force_push("main", "main~1", files or {"OTHER.md": "x\n"})
    github.world.landed.clear()


@pytest.mark.parametrize("merged", [False, True], ids=["a commit", "an operation"])
def test_what_was_forced_out_stays_out_where_a_person_made_the_branch(github: GitHubWorld, *, merged: bool) -> None:
    if merged:
        github.bump("v1.0.5")
        github.alice.merge(1, "squash")
        if github.repository.bare.tip(BRANCH):
            github.alice.delete_branch(BRANCH)
    else:
        github.alice.push("main", {"secret.txt": "swordfish\n"})
    github.alice.edit(BRANCH, {"NOTES.md": "mine\n"})
    github.bump("v1.0.6")
    force_back(github)
    before = github.only.head_sha
    for operation in (["sync"], ["bump", "devel", "v1.0.7"]):
        assert "on an old history of main" in github.release(*operation, code=1).err
    assert github.only.head_sha == before
    github.alice.close(github.only.number)
    github.bump("v1.0.7")
    assert github.world.file("secret.txt", BRANCH) == ""
    assert github.proposed() == ["v1.0.7"]


def test_the_same_command_again_finishes_the_text_of_a_branch_that_people_work_on(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.edit(BRANCH, {"NOTES.md": "mine\n"})
    github.standin.fault("PATCH", "/pulls/1$", faults.reset_before(), times=99)
    github.bump("v1.0.6", "--id", ID, code=75)
    github.standin.drop_faults()
    github.bump("v1.0.6", "--id", ID)
    assert "v1.0.6" in github.only.title


def test_sync_says_so_where_nobody_can_tell_whose_a_commit_is(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.push("main", {"secret.txt": "swordfish\n"})
    github.alice.update_branch(1, "rebase")
    github.alice.edit(BRANCH, {"NOTES.md": "mine\n"})
    force_back(github)
    assert "on an old history of main" in github.release("sync", code=1).err
    (comment,) = [one.body for one in github.repository.comments.values()]
    assert "can't carry on here" in comment


def test_what_a_person_put_into_a_merge_of_the_base_stays(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.push("main", {"README.md": "another\n"})
    world = github.world
    world.git("fetch", "-q", str(world.origin), f"{BRANCH}:work", "main:new-main")
    world.git("checkout", "-q", "work")
    world.git("merge", "-q", "--no-commit", "new-main")
    (world.clone / "NOTES.md").write_text("in the merge\n")
    world.git("add", "-A")
    world.git("commit", "-qm", "Merge branch 'main' into release/devel")
    world.git("push", "-q", str(world.origin), f"work:{BRANCH}")
    github.bump("v1.0.6")
    assert world.file("NOTES.md", BRANCH) == "in the merge\n"
    assert github.proposed() == ["v1.0.5", "v1.0.6"]


def test_a_remote_that_is_away_makes_no_commit_a_persons(github: GitHubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    github.bump("v1.0.5")
    github.alice.push("main", {"secret.txt": "swordfish\n"})
    github.alice.update_branch(1, "rebase")
    force_back(github)
    before = github.only.head_sha
    judge, fetch = ownership._is_rebased, Repository.fetch

    def away(*_: object, **__: object) -> None:
        raise TryAgain("the remote can't be reached")

    def judged(*arguments: Any) -> bool:
        monkeypatch.setattr(Repository, "fetch", away)
        try:
            return judge(*arguments)
        finally:
            monkeypatch.setattr(Repository, "fetch", fetch)

    monkeypatch.setattr(ownership, "_is_rebased", judged)
    github.bump("v1.0.6", code=75)
    assert github.only.head_sha == before


@pytest.mark.world(publish="publish: {labels: [release, devel], reviewers: [alice], timeout: 20s}\n")
def test_reviewers_are_not_asked_again_for_a_label_that_was_taken_off(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    pull = github.only
    pull.labels.remove("devel")
    pull.reviewers.clear()
    github.bump("v1.0.6")
    assert github.only.reviewers == []
