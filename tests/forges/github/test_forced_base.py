"""A base that somebody forces to another history, and what was made on the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from github_world import GitHubWorld
from moves_world import picture

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.slow

BRANCH = "release/devel"
FILE = "environments/devel/image_tag.yaml"


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


def test_a_persons_commits_stay_also_when_the_base_is_forced_elsewhere(github: GitHubWorld) -> None:
    github.alice.push("main", {"README.md": "one history\n"})
    github.bump("v1.0.5")
    github.alice.edit(BRANCH, {"NOTES.md": "mine\n"})
    github.alice.force_push("main", "main~1", {"OTHER.md": "another history\n"})
    assert "carried" in github.release("sync").out
    carried = github.only.head_sha
    github.release("sync")
    assert github.only.head_sha == carried, "once is enough"
    github.bump("v1.0.6")
    assert github.world.file("NOTES.md", BRANCH) == "mine\n"
    assert github.world.file("README.md", BRANCH) == github.world.file("README.md"), "what was forced out stays out"
    assert picture(github) == [
        "#1 open devel: bump v1.0.5, v1.0.6 (v5 v1.0.5) (v6 v1.0.6)",
        "main: nothing new; no record",
        "release/devel: v5 v1.0.5, v6 v1.0.6; bump v1.0.5, bump v1.0.6",
    ]


@pytest.mark.parametrize("button", [False, True], ids=["merged by the tool", "by the button"])
def test_what_was_taken_in_from_a_base_that_was_forced_elsewhere_stays_out_too(
    github: GitHubWorld, *, button: bool
) -> None:
    github.bump("v1.0.5")
    edited = github.world.tags(ref=BRANCH).replace("- v1.0.5", "- v1.0.5  # for the mobile clients")
    github.alice.edit(BRANCH, {FILE: edited})
    github.alice.push("main", {"secret.txt": "swordfish\n"})
    if button:
        github.alice.update_branch(1)
    else:
        github.bump("v1.0.6")
    assert github.world.file("secret.txt", BRANCH) == "swordfish\n"
    github.alice.force_push("main", "main~1", {"OTHER.md": "another history\n"})
    github.bump("v1.0.7")
    assert github.world.file("secret.txt", BRANCH) == ""
    ahead = github.repository.bare.ahead("main", BRANCH)
    assert not any(github.repository.bare.blob(commit, "secret.txt") for commit in ahead), "nor in its history"
    assert "- v1.0.5  # for the mobile clients" in github.world.tags(ref=BRANCH)
    assert github.proposed() == ["v1.0.5", *([] if button else ["v1.0.6"]), "v1.0.7"]


def test_a_persons_commits_that_do_not_fit_onto_the_new_history_are_hers_to_carry(github: GitHubWorld) -> None:
    github.alice.push("main", {"README.md": "one history\n"})
    github.bump("v1.0.5")
    mine = github.alice.edit(BRANCH, {"README.md": "one history, mine\n"})
    github.alice.force_push("main", "main~1", {"README.md": "another history\n"})
    for _ in range(2):
        said = github.bump("v1.0.6", code=1).err
    assert f"{mine[:12]} conflicts in README.md" in said
    assert "git rebase -i origin/main" in said
    (comment,) = github.repository.comments.values()
    assert "Rebase them by hand" in comment.body
    assert github.only.head_sha == mine, "nothing was changed"
    github.alice.close(1)
    github.bump("v1.0.6")
    assert github.world.file("README.md", BRANCH) == "another history\n"


def test_what_nobody_can_tell_from_a_persons_commit_is_asked(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.push("main", {"secret.txt": "swordfish\n"})
    github.alice.update_branch(1, "rebase")
    github.alice.force_push("main", "main~1", {"OTHER.md": "another history\n"})
    assert "nobody can tell" in github.bump("v1.0.6", code=1).err
    github.alice.close(1)
    github.bump("v1.0.6")
    assert github.world.file("secret.txt", BRANCH) == ""


def test_a_merge_with_more_than_what_it_merges_is_hers_to_carry(github: GitHubWorld) -> None:
    github.alice.push("main", {"secret.txt": "swordfish\n"})
    github.bump("v1.0.5")
    bare = github.repository.bare
    other = github.alice.edit("other", {"OTHER.md": "mine\n"})
    tree = bare.edited_tree(bare.merged_tree(BRANCH, other), {"NOTES.md": "by the way\n"})
    alice = bare.author(other)
    merged = bare.write(tree, [BRANCH, other], "Merge branch 'other'", alice, alice, github.standin.now())
    bare.move(f"refs/heads/{BRANCH}", merged)
    github.alice.notice()
    github.alice.force_push("main", "main~1", {"README.md": "another history\n"})
    assert f"the merge {merged[:12]} holds more than what it merges" in github.bump("v1.0.6", code=1).err
    tree = bare.merged_tree(f"{merged}^1", other)
    plain = bare.write(tree, [f"{merged}^1", other], "Merge branch 'other'", alice, alice, github.standin.now())
    bare.move(f"refs/heads/{BRANCH}", plain)
    github.alice.notice()
    github.bump("v1.0.6")
    assert (github.world.file("OTHER.md", BRANCH), github.world.file("secret.txt", BRANCH)) == ("mine\n", "")
    assert github.proposed() == ["v1.0.5", "v1.0.6"]


def test_a_persons_commits_are_carried_also_where_nothing_else_is_left(github: GitHubWorld) -> None:
    github.alice.push("main", {"secret.txt": "swordfish\n"})
    github.bump("v1.0.5", "--id", "01M89XN4ZYJVTKVYBE9VQZW7TT")
    github.alice.edit(BRANCH, {"NOTES.md": "mine\n"})
    tip = github.only.head_sha
    files = {
        path: github.repository.bare.blob(tip, path) for path in (FILE, FILE.replace("image_tag.yaml", "history.jsonl"))
    }
    github.alice.force_push("main", "main~1", dict(files))
    github.release("sync")
    assert (github.world.file("NOTES.md", BRANCH), github.world.file("secret.txt", BRANCH)) == ("mine\n", "")
    assert github.only.number == 1
