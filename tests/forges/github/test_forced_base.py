"""A base that somebody forces to another history, and what was made on the old one."""

from __future__ import annotations

import pytest
from github_world import GitHubWorld
from moves_world import TOGETHER, picture

pytestmark = pytest.mark.slow

BRANCH = "release/devel"


@pytest.mark.parametrize("operation", [("sync",), ("bump", "devel", "v1.0.6")], ids=["sync", "bump"])
def test_what_was_forced_out_of_the_base_does_not_come_back(github: GitHubWorld, operation: tuple[str, ...]) -> None:
    github.alice.push("main", {"secret.txt": "swordfish\n"})
    github.bump("v1.0.5")
    github.alice.force_push("main", "main~1", {"README.md": "another history\n"})
    github.release(*operation)
    assert github.world.file("secret.txt", BRANCH) == ""
    assert github.repository.bare.ahead("main", BRANCH) == [github.only.head_sha]
    more = ", v1.0.6" if "bump" in operation else ""
    assert picture(github)[0].startswith("#1 open devel: bump v1.0.5" + more)


@pytest.mark.parametrize("operation", [("sync",), ("bump", "devel", "v1.0.7")], ids=["sync", "bump"])
@pytest.mark.parametrize("direct", [False, True], ids=["a merge", "a direct push"])
def test_an_operation_that_was_forced_out_of_the_base_is_not_repeated(
    github: GitHubWorld, operation: tuple[str, ...], *, direct: bool
) -> None:
    github.bump("v1.0.5", *(["--direct"] if direct else []))
    if not direct:
        github.alice.merge(1, "squash")
    github.bump("v1.0.6")
    github.alice.force_push("main", "main~1")
    github.world.landed.clear()
    github.release(*operation)
    more = ", v7 v1.0.7; bump v1.0.6, bump v1.0.7" if "bump" in operation else "; bump v1.0.6"
    assert picture(github)[-2:] == ["main: nothing new; no record", f"release/devel: v6 v1.0.6{more}"]
    assert github.only.number == (1 if direct else 2)


def refused(github: GitHubWorld, *operation: str) -> None:
    """Nothing is changed, and the pull request says once what a person can do."""
    before = github.only.head_sha
    for _ in range(2):
        said = github.release(*operation, code=1).err
        assert "holds a person's commits on an old history of main" in said
        assert "git rebase -i origin/main" in said
    (comment,) = [one.body for one in github.repository.comments.values()]
    assert "can't carry on here" in comment
    assert github.only.head_sha == before


@pytest.mark.parametrize("operation", [("sync",), ("bump", "devel", "v1.0.6")], ids=["sync", "bump"])
def test_a_persons_commits_on_the_old_history_are_hers_to_rebase(
    github: GitHubWorld, operation: tuple[str, ...]
) -> None:
    old = github.alice.push("main", {"README.md": "one history\n"})
    github.bump("v1.0.5")
    github.alice.edit(BRANCH, {"NOTES.md": "mine\n"})
    github.alice.force_push("main", "main~1", {"OTHER.md": "another history\n"})
    refused(github, *operation)
    rebase(github, old)
    github.release(*operation)
    github.bump("v1.0.6")
    assert github.world.file("NOTES.md", BRANCH) == "mine\n"
    assert github.world.file("README.md", BRANCH) == github.world.file("README.md"), "what was forced out stays out"
    assert picture(github) == TOGETHER


def rebase(github: GitHubWorld, old: str) -> None:
    """What the message asks for: the commits above `old` on the new base, the order as it is."""
    world = github.world
    world.git("fetch", "-q", str(world.origin), f"+{BRANCH}:work", "+main:new-main")
    world.git("rebase", "-q", "--onto", "new-main", old, "work")
    world.git("push", "-q", "--force", str(world.origin), f"work:{BRANCH}")
    github.alice.notice()


def test_after_a_no_the_next_operation_begins_anew_on_the_new_history(github: GitHubWorld) -> None:
    github.alice.push("main", {"secret.txt": "swordfish\n"})
    github.bump("v1.0.5")
    github.alice.edit(BRANCH, {"NOTES.md": "mine\n"})
    github.alice.force_push("main", "main~1", {"README.md": "another history\n"})
    refused(github, "bump", "devel", "v1.0.6")
    github.alice.close(1)
    github.bump("v1.0.6")
    assert github.world.file("README.md", BRANCH) == "another history\n"
    assert github.world.file("secret.txt", BRANCH) == ""
    assert github.proposed() == ["v1.0.6"]


def test_a_dry_run_tells_the_same_and_writes_no_comment(github: GitHubWorld) -> None:
    github.alice.push("main", {"README.md": "one history\n"})
    github.bump("v1.0.5")
    github.alice.edit(BRANCH, {"NOTES.md": "mine\n"})
    github.alice.force_push("main", "main~1")
    assert "git rebase -i origin/main" in github.bump("v1.0.6", "--dry-run", code=1).err
    assert not github.repository.comments


@pytest.mark.parametrize("button", [False, True], ids=["merged by the tool", "by the button"])
def test_what_was_taken_in_from_a_base_that_was_forced_elsewhere_is_refused_too(
    github: GitHubWorld, *, button: bool
) -> None:
    github.bump("v1.0.5")
    github.alice.edit(BRANCH, {"NOTES.md": "mine\n"})
    github.alice.push("main", {"secret.txt": "swordfish\n"})
    if button:
        github.alice.update_branch(1)
    else:
        github.bump("v1.0.6")
    assert github.world.file("secret.txt", BRANCH) == "swordfish\n"
    github.alice.force_push("main", "main~1", {"OTHER.md": "another history\n"})
    refused(github, "bump", "devel", "v1.0.7")


def test_what_nobody_can_tell_from_a_persons_commit_is_asked(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.push("main", {"secret.txt": "swordfish\n"})
    github.alice.update_branch(1, "rebase")
    github.alice.force_push("main", "main~1", {"OTHER.md": "another history\n"})
    refused(github, "bump", "devel", "v1.0.6")
    github.alice.close(1)
    github.bump("v1.0.6")
    assert github.world.file("secret.txt", BRANCH) == ""
