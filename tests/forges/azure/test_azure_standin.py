"""The life of pull requests on the stand-in is that of pull requests on Azure DevOps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from azure_shop import HEAD, AzureShop
from azure_standin import Problem

# completing


@pytest.fixture
def diverged(shop: AzureShop) -> int:
    """A pull request of two commits; the target has moved on."""
    number = shop.propose()
    shop.bob.push(HEAD, {"values.yaml": "a: 1\n"}, "Add values")
    shop.bob.push("main", {"README.md": "Hello there\n"})
    return number


@pytest.mark.parametrize(
    ("strategy", "parents"), [("noFastForward", [2]), ("squash", [1]), ("rebase", [1, 1]), ("rebaseMerge", [2])]
)
def test_each_way_of_completing_leaves_the_same_files_and_its_own_history(
    shop: AzureShop, diverged: int, strategy: str, parents: list[int]
) -> None:
    before = shop.bare.tip("main")
    assert before is not None
    expected = shop.bare.merged_tree(before, HEAD)
    pull = shop.complete(diverged, mergeStrategy=strategy)
    tip = shop.bare.tip("main")
    assert (pull["status"], pull["mergeStatus"], pull["lastMergeCommit"]["commitId"]) == ("completed", "succeeded", tip)
    assert shop.bare.tree("main") == expected
    line = shop.bare.git("rev-list", "--parents", "--first-parent", f"{before}..{tip}").splitlines()
    assert [len(one.split()) - 1 for one in line] == parents
    assert pull["closedBy"]["displayName"] == "release-bot"
    assert pull["closedDate"] > pull["creationDate"]


def test_completing_is_queued_and_over_later(shop: AzureShop) -> None:
    shop.azure.life.lag = 3
    number = shop.propose()
    assert [shop.get(number)["mergeStatus"] for _ in range(3)] == ["queued", "queued", "succeeded"]
    head = shop.get(number)["lastMergeSourceCommit"]
    done = {"status": "completed", "lastMergeSourceCommit": head}
    answer = shop.json("PATCH", f"/pullrequests/{number}", json=done)
    assert (answer["status"], answer["mergeStatus"]) == ("active", "queued")
    assert [shop.get(number)["status"] for _ in range(3)] == ["active", "active", "completed"]


def test_a_pushed_head_may_be_shown_later(shop: AzureShop) -> None:
    number = shop.propose()
    before = shop.get(number)["lastMergeSourceCommit"]["commitId"]
    shop.azure.life.push_lag = 2
    tip = shop.alice.push(HEAD, {"a": "b"})
    assert [shop.get(number)["lastMergeSourceCommit"]["commitId"] for _ in range(2)] == [before, tip]
    assert shop.complete(number)["status"] == "completed"


def test_only_the_head_that_is_named_is_completed(shop: AzureShop) -> None:
    number = shop.propose()
    head = shop.get(number)["lastMergeSourceCommit"]
    shop.alice.push(HEAD, {"a": "b"})
    done = {"status": "completed", "lastMergeSourceCommit": head}
    status, key, _ = shop.refused("PATCH", f"/pullrequests/{number}", json=done)
    assert (status, key) == (409, "GitPullRequestStaleException")
    status, key, words = shop.refused("PATCH", f"/pullrequests/{number}", json={"status": "completed"})
    assert (status, key) == (400, "InvalidArgumentValueException")
    assert "You must specify a valid LastMergeSourceCommit" in words


def test_a_conflict_is_told_and_never_completed(shop: AzureShop) -> None:
    number = shop.propose()
    shop.bob.push("main", {"tags.yaml": "- v9\n"})
    pull = shop.complete(number)
    assert (pull["status"], pull["mergeStatus"]) == ("active", "conflicts")
    assert "closedBy" not in pull


def test_the_source_branch_goes_if_asked_and_only_then(shop: AzureShop) -> None:
    shop.complete(shop.propose())
    assert shop.bare.tip(HEAD)
    shop.complete(shop.propose(), deleteSourceBranch=True, mergeStrategy="squash")
    assert shop.bare.tip(HEAD) is None


@pytest.mark.parametrize("strategy", ["noFastForward", "squash"])
def test_a_revert_undoes_a_completed_one(shop: AzureShop, diverged: int, strategy: str) -> None:
    before = shop.bare.tree("main")
    shop.alice.complete(diverged, strategy)
    made = shop.alice.revert(diverged)
    shop.alice.complete(made.id)
    assert shop.bare.tree("main") == before


def test_a_commit_tells_its_pull_request(shop: AzureShop, diverged: int) -> None:
    for kind in ("lastMergeCommit", "commit"):
        query = {"queries": [{"type": kind, "items": [shop.bare.tip("main")]}]}
        assert shop.json("POST", "/pullrequestquery", json=query)["results"] == [{}]
    shop.complete(diverged, mergeStrategy="squash")
    tip = shop.bare.tip("main")
    for kind in ("lastMergeCommit", "commit"):
        query = {"queries": [{"type": kind, "items": [tip]}]}
        (found,) = shop.json("POST", "/pullrequestquery", json=query)["results"]
        assert [one["pullRequestId"] for one in found[tip]] == [diverged]


# what stays active


def test_a_deleted_branch_leaves_it_active_and_its_commits_stay(shop: AzureShop) -> None:
    number = shop.propose()
    head = shop.get(number)["lastMergeSourceCommit"]["commitId"]
    shop.alice.delete_branch(HEAD)
    pull = shop.get(number)
    assert (pull["status"], pull["lastMergeSourceCommit"]["commitId"]) == ("active", head)
    assert shop.bare.git("rev-parse", f"refs/pull/{number}/merge^2") == head
    done = {"status": "completed", "lastMergeSourceCommit": {"commitId": head}}
    assert shop.refused("PATCH", f"/pullrequests/{number}", json=done)[1] == "GitPullRequestStaleException"


def test_an_empty_one_can_be_opened_and_one_that_became_empty_stays(shop: AzureShop) -> None:
    number = shop.propose()
    shop.alice.force_push(HEAD, "main")
    assert shop.get(number)["status"] == "active"
    shop.alice.force_push("empty", "main")
    assert shop.json("POST", "/pullrequests", json=shop.body("empty"))["status"] == "active"


def test_commits_that_were_pushed_into_the_target_leave_it_active(shop: AzureShop) -> None:
    number = shop.propose()
    shop.alice.force_push("main", HEAD)
    assert shop.get(number, 2)["status"] == "active"


def test_an_abandoned_one_can_be_made_active_again(shop: AzureShop) -> None:
    number = shop.propose()
    pull = shop.json("PATCH", f"/pullrequests/{number}", json={"status": "abandoned"})
    assert pull["status"] == "abandoned"
    assert "mergeStatus" not in pull
    assert shop.refused("PATCH", f"/pullrequests/{number}", json={"title": "x"})[:2] == (
        400,
        "GitPullRequestNotEditableException",
    )
    again = shop.propose(files={"x": "1"})
    assert shop.refused("PATCH", f"/pullrequests/{number}", json={"status": "active"})[0] == 409
    shop.bob.abandon(again)
    assert shop.json("PATCH", f"/pullrequests/{number}", json={"status": "active"})["mergeStatus"] == "queued"
    shop.bob.delete_branch(HEAD)
    shop.bob.abandon(number)
    with pytest.raises(Problem, match="TF401398"):
        shop.bob.reactivate(number)


def test_a_completed_one_is_never_changed_but_talked_about(shop: AzureShop) -> None:
    number = shop.propose()
    shop.complete(number)
    for body in ({"title": "x"}, {"status": "abandoned"}, {"status": "active"}):
        assert shop.refused("PATCH", f"/pullrequests/{number}", json=body)[0] == 400
    assert shop.json("PATCH", f"/pullrequests/{number}", json={"status": "completed"})["status"] == "completed"
    shop.json("POST", f"/pullrequests/{number}/threads", json={"comments": [{"content": "Late", "commentType": 1}]})


def test_it_can_be_retargeted(shop: AzureShop) -> None:
    number = shop.propose()
    shop.alice.push("next", {"n": "1"})
    pull = shop.json("PATCH", f"/pullrequests/{number}", json={"targetRefName": "refs/heads/next"})
    assert (pull["targetRefName"], pull["mergeStatus"]) == ("refs/heads/next", "queued")


# opening


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"sourceRefName": "refs/heads/nowhere"}, 400, "TF401398"),
        ({"targetRefName": "refs/heads/nowhere"}, 400, "TF401398"),
        ({"title": ""}, 400, "A title is required"),
        ({"title": "x" * 401}, 400, "must not be longer than 400 characters"),
        ({"description": "x" * 4001}, 400, "A description for a pull request must not be longer than 4000 characters."),
        ({"description": "\N{ROCKET}" * 2001}, 400, "4000 characters"),
        ({}, 409, "TF401179: An active pull request for the source and target branch already exists."),
    ],
)
def test_what_can_not_be_opened_is_refused_in_the_servers_words(
    shop: AzureShop, body: dict[str, str], status: int, words: str
) -> None:
    shop.propose()
    found, _, message = shop.refused("POST", "/pullrequests", json=shop.body(**body))
    assert found == status
    assert words in message
    assert list(shop.repository.pulls) == [1]


def test_of_many_at_once_one_opens_it(shop: AzureShop) -> None:
    shop.alice.push(HEAD, {"a": "b"})
    with ThreadPoolExecutor(32) as pool:
        asked = pool.map(lambda _: shop.ask("POST", "/pullrequests", json=shop.body()).status_code, range(32))
    assert sorted(asked) == [201, *[409] * 31]


def test_auto_complete_is_overlooked_in_an_opening(shop: AzureShop) -> None:
    me = {"id": shop.token.identity.id}
    assert "autoCompleteSetBy" not in shop.get(shop.propose(autoCompleteSetBy=me))


def test_a_list_cuts_descriptions_and_has_no_more_than_it_is_asked_for(shop: AzureShop) -> None:
    number = shop.propose(description="x" * 1000)
    others = [shop.propose(f"b{at}", {"x": f"{at}"}) for at in range(4)]
    (found,) = shop.json("GET", "/pullrequests", params={"searchCriteria.sourceRefName": f"refs/heads/{HEAD}"})["value"]
    assert (found["pullRequestId"], len(found["description"])) == (number, 400)
    assert len(shop.get(number)["description"]) == 1000
    pages = [shop.json("GET", "/pullrequests", params={"$top": 2, "$skip": at})["value"] for at in (0, 2, 4)]
    assert [one["pullRequestId"] for page in pages for one in page] == [*others[::-1], number]
    shop.alice.abandon(number)
    states = {name: {"searchCriteria.status": name} for name in ("active", "abandoned", "completed", "all")}
    counts = {name: shop.json("GET", "/pullrequests", params=query)["count"] for name, query in states.items()}
    assert counts == {"active": 4, "abandoned": 1, "completed": 0, "all": 5}


def test_numbers_are_the_whole_organizations(shop: AzureShop) -> None:
    first = shop.propose()
    other = shop.azure.add_repository("shop/other", shop.bare.path)
    assert shop.azure.hand("shop/other").propose(HEAD).id == first + 1
    assert shop.ask("GET", f"/pullrequests/{first + 1}").status_code == 404
    found = shop.anywhere("GET", f"{shop.azure.collection}/_apis/git/pullrequests/{first + 1}").json()
    assert found["repository"]["id"] == other.id


def test_a_fork_may_propose_a_branch_of_the_same_name(shop: AzureShop) -> None:
    number = shop.propose()
    fork = shop.azure.add_repository("shop/fork", is_fork=True)
    fork.bare.git("fetch", "--quiet", str(shop.bare.path), "+refs/heads/*:refs/heads/*")
    carol = shop.azure.hand("shop/fork", "carol")
    carol.push(HEAD, {"c": "d"})
    theirs = shop.azure.hand("shop/gitops", "carol").propose(HEAD, fork=fork).id
    carol.push(HEAD, {"c": "e"})
    pull = shop.get(theirs)
    assert (pull["sourceRefName"], pull["forkSource"]["repository"]["id"]) == (f"refs/heads/{HEAD}", fork.id)
    assert pull["lastMergeSourceCommit"]["commitId"] == fork.bare.tip(HEAD)
    ours = {"searchCriteria.sourceRepositoryId": shop.repository.id}
    assert [one["pullRequestId"] for one in shop.json("GET", "/pullrequests", params=ours)["value"]] == [number]
    shop.alice.complete(theirs)
    assert shop.bare.blob("main", "c") == b"e"


# talk


def test_a_comment_is_changed_by_its_author_and_a_deleted_one_keeps_its_place(shop: AzureShop) -> None:
    number = shop.propose()
    said = {"comments": [{"content": "Hello", "commentType": "text"}], "status": "active"}
    thread = shop.json("POST", f"/pullrequests/{number}/threads", json=said)["id"]
    place = f"/pullrequests/{number}/threads/{thread}/comments"
    assert shop.json("PATCH", f"{place}/1", json={"content": "Good day"})["content"] == "Good day"
    theirs = shop.alice.comment(number, "mine").id
    status, _, _ = shop.refused("PATCH", f"/pullrequests/{number}/threads/{theirs}/comments/1", json={"content": "x"})
    assert status == 403
    shop.json("DELETE", f"{place}/1")
    (left,) = shop.json("GET", place)["value"]
    assert left["isDeleted"]
    assert "content" not in left
    status, _, words = shop.refused("POST", place, json={"content": "x" * 150_001})
    assert (status, "150000 characters" in words) == (400, True)


def test_labels_differ_by_more_than_their_case(shop: AzureShop) -> None:
    number = shop.propose(labels=[{"name": "release"}])
    for name in ("Release", "devel"):
        shop.json("POST", f"/pullrequests/{number}/labels", json={"name": name})
    assert "labels" not in shop.get(number), "only a list has them"
    (listed,) = shop.json("GET", "/pullrequests")["value"]
    assert [one["name"] for one in listed["labels"]] == ["release", "devel"]
    shop.json("DELETE", f"/pullrequests/{number}/labels/RELEASE")
    assert [one["name"] for one in shop.json("GET", f"/pullrequests/{number}/labels")["value"]] == ["devel"]


# policies and auto-complete


def test_a_push_takes_votes_back_where_a_policy_says_so(shop: AzureShop) -> None:
    shop.azure.add_policy(
        shop.repository, "Minimum number of reviewers", minimumApproverCount=1, resetOnSourcePush=True
    )
    number = shop.propose()
    shop.alice.vote(number)
    shop.bob.push(HEAD, {"a": "b"})
    assert [one["vote"] for one in shop.get(number)["reviewers"]] == [0]


def test_a_policy_that_is_not_met_rejects_the_completing(shop: AzureShop) -> None:
    shop.azure.add_policy(shop.repository, "Minimum number of reviewers", minimumApproverCount=1)
    shop.azure.add_policy(shop.repository, "Require a merge strategy", allowSquash=True)
    number = shop.propose()
    pull = shop.complete(number, mergeStrategy="squash")
    assert (pull["status"], pull["mergeStatus"]) == ("active", "rejectedByPolicy")
    shop.alice.vote(number)
    assert shop.complete(number)["mergeStatus"] == "rejectedByPolicy", "not by this strategy"
    assert shop.complete(number, mergeStrategy="squash")["status"] == "completed"


@pytest.mark.parametrize("policies", [False, True])
def test_auto_complete_waits_for_the_policies_alone(shop: AzureShop, policies: bool) -> None:
    if policies:
        shop.azure.add_policy(shop.repository, "Build", buildDefinitionId=1)
    number = shop.propose()
    me, options = {"id": shop.token.identity.id}, {"mergeStrategy": "squash", "deleteSourceBranch": True}
    shop.json("PATCH", f"/pullrequests/{number}", json={"autoCompleteSetBy": me, "completionOptions": options})
    if policies:
        assert shop.get(number, 3)["autoCompleteSetBy"]["displayName"] == "release-bot"
        shop.bob.push(HEAD, {"a": "b"})
        assert "autoCompleteSetBy" in shop.get(number, 3), "it isn't bound to a head"
        shop.alice.status(number, "build", "succeeded")
    assert shop.get(number, 3)["status"] == "completed"
    assert shop.bare.tip(HEAD) is None


def test_auto_complete_is_taken_back_with_the_empty_identity(shop: AzureShop) -> None:
    shop.azure.add_policy(shop.repository, "Build", buildDefinitionId=1)
    number = shop.propose()
    for who in (shop.token.identity.id, "00000000-0000-0000-0000-000000000000"):
        shop.json("PATCH", f"/pullrequests/{number}", json={"autoCompleteSetBy": {"id": who}})
    assert "autoCompleteSetBy" not in shop.get(number)
