"""What people do to a pull request on GitHub, and what the next operation makes of it.

Each test ends with what a person would look at: `moves_world.picture`.
"""

from __future__ import annotations

from functools import partial

import pytest
from github_world import GitHubWorld
from moves_world import LOOK, LOOK_AFTER_PUSH, PUSH, TOGETHER, UPDATE, just_before, picture
from standin import Protection

pytestmark = pytest.mark.slow

BRANCH = "release/devel"
FILE = "environments/devel/image_tag.yaml"
ID = "01M89XN4ZYJVTKVYBE9VQZW7TT"
DELETES = pytest.mark.parametrize("deletes", [False, True], ids=["the branch stays", "the branch is deleted"])
ONE_AFTER_THE_OTHER = [
    "#1 merged devel: bump v1.0.5",
    "#2 open devel: bump v1.0.6 (v6 v1.0.6)",
    "main: v5 v1.0.5; bump v1.0.5",
    "release/devel: v5 v1.0.5, v6 v1.0.6; bump v1.0.5, bump v1.0.6",
]


# -- merged
@DELETES
@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_after_a_merge_the_next_bump_opens_another(github: GitHubWorld, method: str, *, deletes: bool) -> None:
    github.repository.delete_branch_on_merge = deletes
    github.bump("v1.0.5")
    github.alice.merge(1, method)
    github.bump("v1.0.6")
    assert picture(github) == ONE_AFTER_THE_OTHER
    github.alice.merge(2, method)
    github.bump("v1.0.6")
    github.release("sync")
    github.release("cleanup")
    assert picture(github) == [
        "#1 merged devel: bump v1.0.5",
        "#2 merged devel: bump v1.0.6",
        "main: v5 v1.0.5, v6 v1.0.6; bump v1.0.5, bump v1.0.6",
    ]


@DELETES
def test_a_merge_between_look_and_push_leaves_the_new_tag_for_another(github: GitHubWorld, *, deletes: bool) -> None:
    github.repository.delete_branch_on_merge = deletes
    github.bump("v1.0.5")
    with just_before(github.standin, PUSH, lambda: github.alice.merge(1, "squash")):
        github.bump("v1.0.6")
    assert picture(github) == ONE_AFTER_THE_OTHER


@pytest.mark.parametrize("moment", [LOOK_AFTER_PUSH, UPDATE], ids=["before the look", "before the update"])
def test_a_merge_between_push_and_body_brings_the_new_tag_along(github: GitHubWorld, moment: tuple[str, str]) -> None:
    github.bump("v1.0.5")
    with just_before(github.standin, moment, lambda: github.alice.merge(1, "squash")):
        said = github.bump("v1.0.6", "--output", "json").data
    assert (said["changed"], said["branch"], said["pull_request"]) == (True, "main", None)
    assert picture(github)[1] == "main: v5 v1.0.5, v6 v1.0.6; bump v1.0.5, bump v1.0.6"
    github.bump("v1.0.7")
    assert picture(github)[1:] == [
        "#2 open devel: bump v1.0.7 (v7 v1.0.7)",
        "main: v5 v1.0.5, v6 v1.0.6; bump v1.0.5, bump v1.0.6",
        "release/devel: v5 v1.0.5, v6 v1.0.6, v7 v1.0.7; bump v1.0.5, bump v1.0.6, bump v1.0.7",
    ]


# -- reverted
@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_what_was_reverted_is_not_repeated_and_keeps_its_name(github: GitHubWorld, method: str) -> None:
    github.bump("v1.0.5")
    github.alice.merge(1, method)
    github.alice.revert(1)
    github.world.landed.clear()
    github.bump("v1.0.6")
    assert picture(github) == [
        "#1 merged devel: bump v1.0.5",
        '#2 merged Revert "devel: bump v1.0.5"',
        "#3 open devel: bump v1.0.6 (v6 v1.0.6)",
        "main: nothing new; no record",
        "release/devel: v6 v1.0.6; bump v1.0.6",
        "revert-1-release/devel: nothing new; no record",
    ]
    github.bump("v1.0.5")  # somebody asks for it after all
    assert picture(github)[2] == "#3 open devel: bump v1.0.6, v1.0.5 (v6 v1.0.6) (v5 v1.0.5)"


def test_a_reverted_revert_brings_the_version_back_once(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.merge(1, "squash")
    github.alice.revert(1)
    github.world.landed.clear()
    github.alice.revert(2)
    github.bump("v1.0.5")
    github.bump("v1.0.6")
    assert picture(github)[3:6] == [
        "#4 open devel: bump v1.0.6 (v6 v1.0.6)",
        "main: v5 v1.0.5; bump v1.0.5",
        "release/devel: v5 v1.0.5, v6 v1.0.6; bump v1.0.5, bump v1.0.6",
    ]


def test_a_revert_that_only_waits_changes_nothing_yet(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.merge(1, "squash")
    github.alice.revert(1, merge=False)
    github.bump("v1.0.6")
    assert picture(github)[1:4] == [
        '#2 open Revert "devel: bump v1.0.5"',
        "#3 open devel: bump v1.0.6 (v6 v1.0.6)",
        "main: v5 v1.0.5; bump v1.0.5",
    ]
    github.alice.merge(2)
    github.world.landed.clear()
    github.release("sync")
    assert picture(github)[2:5] == [
        "#3 open devel: bump v1.0.6 (v6 v1.0.6)",
        "main: nothing new; no record",
        "release/devel: v6 v1.0.6; bump v1.0.6",
    ]


# -- closed, and branches deleted
def test_what_was_closed_is_not_proposed_again_until_somebody_asks(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.close(1)
    github.release("sync")
    assert picture(github)[0] == "#1 closed devel: bump v1.0.5"
    assert github.open == []
    github.bump("v1.0.6")
    assert picture(github)[1] == "#2 open devel: bump v1.0.6 (v6 v1.0.6)"
    github.bump("v1.0.5")
    assert picture(github) == [
        "#1 closed devel: bump v1.0.5",
        "#2 open devel: bump v1.0.6, v1.0.5 (v6 v1.0.6) (v7 v1.0.5)",
        "main: nothing new; no record",
        "release/devel: v6 v1.0.6, v7 v1.0.5; bump v1.0.6, bump v1.0.5",
    ]


def test_what_was_closed_and_opened_again_waits_as_before(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.close(1)
    github.alice.reopen(1)
    github.bump("v1.0.6")
    assert picture(github) == TOGETHER


@pytest.mark.parametrize("moment", [LOOK_AFTER_PUSH, UPDATE], ids=["before the look", "before the update"])
@pytest.mark.parametrize("deletes", [False, True], ids=["closed", "branch deleted"])
def test_a_no_between_push_and_body_was_not_meant_for_the_new_tag(
    github: GitHubWorld, moment: tuple[str, str], *, deletes: bool
) -> None:
    github.bump("v1.0.5")
    no = partial(github.alice.delete_branch, BRANCH) if deletes else partial(github.alice.close, 1)
    with just_before(github.standin, moment, no):
        said = github.bump("v1.0.6", code=75)
    assert "pull request #1 was closed just after this operation came to it" in said.err
    assert github.open == []
    github.bump("v1.0.6")
    github.bump("v1.0.7")
    new = ["v5 v1.0.6", "v6 v1.0.7"] if deletes else ["v6 v1.0.6", "v7 v1.0.7"]
    assert picture(github)[1:] == [
        f"#2 open devel: bump v1.0.6, v1.0.7 ({new[0]}) ({new[1]})",
        "main: nothing new; no record",
        f"release/devel: {', '.join(new)}; bump v1.0.6, bump v1.0.7",
    ]


def test_a_no_amid_an_operation_whose_id_was_given_is_told_as_such_each_time(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    given = ("--id", ID)
    with just_before(github.standin, UPDATE, partial(github.alice.close, 1)):
        first = github.bump("v1.0.6", *given, code=1)
    again = github.bump("v1.0.6", *given, code=1)
    assert first.err == again.err
    assert "run the command with another --id, or without one" in first.err
    assert github.open == []
    github.bump("v1.0.6", "--id", "01M89XN4ZYJVTKVYBE9VQZW7TV")
    assert picture(github)[1] == "#2 open devel: bump v1.0.6 (v6 v1.0.6)"


def test_what_was_merged_and_taken_out_again_is_done_for_its_id(github: GitHubWorld) -> None:
    given = ("--id", ID)
    github.bump("v1.0.5", *given)
    github.alice.merge(1, "squash")
    github.alice.revert(1)
    github.world.landed.clear()
    assert "was merged already" in github.bump("v1.0.5", *given).out
    assert github.open == []


def test_a_close_between_look_and_push_leaves_the_new_tag_for_another(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    with just_before(github.standin, PUSH, lambda: github.alice.close(1)):
        github.bump("v1.0.6")
    assert picture(github) == [
        "#1 closed devel: bump v1.0.5",
        "#2 open devel: bump v1.0.6 (v6 v1.0.6)",
        "main: nothing new; no record",
        "release/devel: v6 v1.0.6; bump v1.0.6",
    ]


@pytest.mark.parametrize("racing", [False, True], ids=["before", "between look and push"])
def test_a_deleted_branch_is_a_no_to_what_was_on_it(github: GitHubWorld, *, racing: bool) -> None:
    github.bump("v1.0.5")
    no = partial(github.alice.delete_branch, BRANCH)
    with just_before(github.standin, PUSH if racing else LOOK, no):
        github.bump("v1.0.6")
    github.bump("v1.0.7")
    assert picture(github) == [
        "#1 closed devel: bump v1.0.5",
        "#2 open devel: bump v1.0.6, v1.0.7 (v5 v1.0.6) (v6 v1.0.7)",
        "main: nothing new; no record",
        "release/devel: v5 v1.0.6, v6 v1.0.7; bump v1.0.6, bump v1.0.7",
    ]


@pytest.mark.parametrize("deletes", [False, True], ids=["closed", "branch deleted"])
def test_the_same_operation_once_more_is_still_closed(github: GitHubWorld, *, deletes: bool) -> None:
    github.bump("v1.0.5", "--id", ID)
    if deletes:
        github.alice.delete_branch(BRANCH)
    else:
        github.alice.close(1)
    for _ in range(2):
        said = github.bump("v1.0.5", "--id", ID, code=1)
        assert f"pull request #1 was closed, and operation {ID} with it" in said.err
        assert "run the command with another --id, or without one" in said.err
        assert github.open == []
    github.bump("v1.0.5")
    github.bump("v1.0.6")
    assert github.only.title == "devel: bump v1.0.5, v1.0.6"


def test_a_branch_that_was_deleted_and_restored_waits_as_before(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.delete_branch(BRANCH)
    github.alice.restore_branch(1)
    github.alice.reopen(1)
    github.bump("v1.0.6")
    assert picture(github)[0] == TOGETHER[0]


# -- edited by hand
def test_a_commit_of_the_web_editor_on_the_branch_stays_and_lands(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    noted = github.world.tags(ref=BRANCH).replace("- v1.0.5", "- v1.0.5  # for the mobile clients")
    github.alice.edit(BRANCH, {FILE: noted})
    github.alice.push("main", {"README.md": "moved\n"})
    github.bump("v1.0.6")
    github.release("sync")
    assert picture(github) == TOGETHER
    assert "- v1.0.5  # for the mobile clients" in github.world.tags(ref=BRANCH)
    github.alice.merge(1, "squash")
    github.bump("v1.0.7")
    assert picture(github) == [
        "#1 merged devel: bump v1.0.5, v1.0.6",
        "#2 open devel: bump v1.0.7 (v7 v1.0.7)",
        "main: v5 v1.0.5, v6 v1.0.6; bump v1.0.5, bump v1.0.6",
        "release/devel: v5 v1.0.5, v6 v1.0.6, v7 v1.0.7; bump v1.0.5, bump v1.0.6, bump v1.0.7",
    ]
    assert "- v1.0.5  # for the mobile clients" in github.world.tags()


def test_edits_that_conflict_are_a_persons_to_mend(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.edit(BRANCH, {FILE: github.world.tags(ref=BRANCH).replace("- v1.0.1", "- v1.0.1  # mine")})
    github.alice.edit("main", {FILE: github.world.tags().replace("- v1.0.1", "- v1.0.1  # theirs")})
    for _ in range(2):
        assert "conflicts" in github.bump("v1.0.6", code=1).err
    (comment,) = github.repository.comments.values()
    assert FILE in comment.body
    assert picture(github) == [
        "#1 open devel: bump v1.0.5 (v5 v1.0.5)",
        "main: nothing new; no record",
        "release/devel: v5 v1.0.5; bump v1.0.5",
    ]
    github.alice.close(1)
    github.bump("v1.0.6")
    assert picture(github)[1] == "#2 open devel: bump v1.0.6 (v6 v1.0.6)"


def test_a_version_that_a_person_writes_into_the_base_keeps_its_name(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.world.by_hand = True
    github.alice.edit("main", {FILE: f"{github.world.tags()}  - v1.0.9\n"})
    github.bump("v1.0.6")
    assert picture(github) == [
        "#1 open devel: bump v1.0.5, v1.0.6 (v6 v1.0.5) (v7 v1.0.6)",
        "main: v5 v1.0.9; no record",
        "release/devel: v5 v1.0.9, v6 v1.0.5, v7 v1.0.6; bump v1.0.5, bump v1.0.6",
    ]


def test_a_title_and_a_body_that_a_person_wrote_give_way_to_the_next_operation(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.rename(1, "My title", "My body")
    github.repository.pulls[1].labels.append(github.standin.new_label(github.repository, "urgent").name)
    github.release("sync")
    assert (github.only.title, github.only.body) == ("My title", "My body")
    github.bump("v1.0.6")
    assert picture(github)[0] == TOGETHER[0]
    assert sorted(github.only.labels) == ["devel", "release", "urgent"]


# -- "update branch", and the base moved
@pytest.mark.parametrize(("method", "again"), [("merge", False), ("rebase", True)])
def test_update_branch_is_no_edit_of_a_person(github: GitHubWorld, method: str, *, again: bool) -> None:
    github.bump("v1.0.5")
    github.alice.push("main", {"README.md": "moved\n"})
    github.alice.update_branch(1, method)
    pressed = github.only.head_sha
    github.release("sync")
    assert github.only.head_sha == pressed, "nothing to do: checks and approvals stay"
    if again:
        github.alice.push("main", {"README.md": "moved again\n"})
    github.bump("v1.0.6")
    assert picture(github) == TOGETHER
    assert github.repository.bare.ahead("main", BRANCH) == [github.only.head_sha], "made again on the base"


def test_a_persons_edit_in_a_rebased_commit_stays(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.push(
        "main", {"README.md": "moved\n", FILE: github.world.tags().replace("- v1.0.1", "- v1.0.1  # old")}
    )
    github.alice.update_branch(1, "rebase")
    bare = github.repository.bare
    # In the same commit, she takes back what the base brought: the files are those that the tool had made.
    tree = bare.edited_tree(BRANCH, {FILE: github.world.tags(ref=BRANCH).replace("- v1.0.1  # old", "- v1.0.1")})
    alice = bare.author(BRANCH)
    amended = bare.write(tree, ["main"], bare.message(BRANCH), alice, alice, github.standin.now())
    bare.move(f"refs/heads/{BRANCH}", amended)
    github.alice.notice()
    github.alice.push("main", {"README.md": "moved again\n"})
    github.bump("v1.0.6")
    assert amended in bare.ahead("main", BRANCH), "append-only"
    assert "- v1.0.1  # old" not in github.world.tags(ref=BRANCH)


@pytest.mark.parametrize("operation", [("sync",), ("bump", "devel", "v1.0.6")], ids=["sync", "bump"])
def test_a_base_that_moved_is_what_the_branch_is_made_on(github: GitHubWorld, operation: tuple[str, ...]) -> None:
    github.bump("v1.0.5")
    github.bump("v1.0.7", "--direct")
    github.release(*operation)
    more = ", bump v1.0.6" if "bump" in operation else ""
    assert picture(github)[1:] == [
        "main: v6 v1.0.7; bump v1.0.7",
        f"release/devel: v6 v1.0.7, v5 v1.0.5{', v7 v1.0.6' if more else ''}; bump v1.0.7, bump v1.0.5{more}",
    ]
    assert github.repository.bare.ahead("main", BRANCH) == [github.only.head_sha]


def test_a_push_to_the_base_between_look_and_push_is_met_by_the_next_sync(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    with just_before(github.standin, PUSH, lambda: github.alice.push("main", {"README.md": "moved\n"})):
        github.bump("v1.0.6")
    github.release("sync")
    assert picture(github)[0] == TOGETHER[0]


# -- approved
@pytest.mark.parametrize("dismisses", [False, True], ids=["approvals stay", "stale approvals are dismissed"])
def test_an_approval_survives_what_changes_nothing_and_stands_for_no_later_push(
    github: GitHubWorld, *, dismisses: bool
) -> None:
    github.repository.protections["main"] = Protection(required_reviews=1, dismiss_stale_reviews=dismisses)
    github.bump("v1.0.5")
    github.alice.approve(1)
    approved = github.only.head_sha
    github.repository.protections["main"].required_reviews = None
    github.alice.push("main", {"README.md": "moved\n"})
    github.repository.protections["main"].required_reviews = 1
    github.bump("v1.0.5")
    github.release("sync")
    (review,) = github.only.reviews
    assert (review.state, review.commit, github.only.head_sha) == ("APPROVED", approved, approved)
    github.bump("v1.0.6")
    assert review.state == ("DISMISSED" if dismisses else "APPROVED")
    assert review.commit != github.only.head_sha
    assert picture(github)[0] == TOGETHER[0]


# -- the branch of downgrades
@DELETES
def test_a_downgrade_stands_beside_the_rolling_one(github: GitHubWorld, *, deletes: bool) -> None:
    github.repository.delete_branch_on_merge = deletes
    github.bump("v1.0.5")
    github.alice.merge(1, "squash")
    github.bump("v1.0.6")
    github.release("downgrade", "devel", "--reason", "errors")
    assert picture(github) == [
        "#1 merged devel: bump v1.0.5",
        "#2 open devel: bump v1.0.6 (v6 v1.0.6)",
        "#3 open devel: downgrade v1.0.5 to v1.0.1",
        "main: v5 v1.0.5; bump v1.0.5",
        "release/devel: v5 v1.0.5, v6 v1.0.6; bump v1.0.5, bump v1.0.6",
        "release/devel-downgrade: v5 v1.0.5 quarantined; bump v1.0.5, downgrade v1.0.5",
    ]
    github.alice.merge(3, "squash")
    github.release("sync")
    github.bump("v1.0.7")
    seen = picture(github)
    operations = "bump v1.0.5, downgrade v1.0.5, bump v1.0.6, bump v1.0.7"
    assert seen[:5] == [
        "#1 merged devel: bump v1.0.5",
        "#2 open devel: bump v1.0.6, v1.0.7 (v6 v1.0.6) (v7 v1.0.7)",
        "#3 merged devel: downgrade v1.0.5 to v1.0.1",
        "main: v5 v1.0.5 quarantined; bump v1.0.5, downgrade v1.0.5",
        f"release/devel: v5 v1.0.5 quarantined, v6 v1.0.6, v7 v1.0.7; {operations}",
    ]
    assert [line.partition(":")[0] for line in seen[5:]] == ([] if deletes else ["release/devel-downgrade"])
    assert github.world.state().default == "v1"
