"""Branch protection, rulesets, reviews, checks and auto-merge on the stand-in."""

from __future__ import annotations

import pytest
from standin import Protection, Ruleset
from standin_shop import Shop

REVIEWS = {
    "dismiss_stale_reviews_on_push": True,
    "require_code_owner_review": False,
    "require_last_push_approval": False,
    "required_approving_review_count": 1,
    "required_review_thread_resolution": False,
}


@pytest.mark.parametrize("by", ["protection", "ruleset"])
def test_a_push_dismisses_stale_approvals(shop: Shop, by: str) -> None:
    if by == "protection":
        shop.repository.protections["main"] = Protection(required_reviews=1, dismiss_stale_reviews=True)
    else:
        shop.repository.rulesets.append(Ruleset(1, "reviews", ("main",), {"pull_request": REVIEWS}))
    number = shop.propose()
    assert (
        shop.ask("PUT", f"/pulls/{number}/merge", json={}).json()["message"].startswith("At least 1 approving review")
    )
    shop.bob.approve(number)
    assert shop.pull(number)["mergeable_state"] == "clean"
    shop.alice.edit("release/devel", {"a": "b"})
    assert [review["state"] for review in shop.json("GET", f"/pulls/{number}/reviews")] == ["DISMISSED"]
    assert shop.pull(number)["mergeable_state"] == "blocked"


def test_up_to_date_is_demanded_only_where_a_check_is(shop: Shop) -> None:
    protection = shop.repository.protections["main"] = Protection(contexts=(), strict=True)
    number = shop.propose()
    shop.repository.protections.clear()
    shop.bob.push("main", {"README.md": "Hello there\n"})
    shop.repository.protections["main"] = protection
    assert shop.pull(number)["mergeable_state"] == "clean"
    protection.contexts = ("ci",)
    assert shop.pull(number)["mergeable_state"] == "blocked"
    shop.bob.check("release/devel", "ci", "success")
    assert shop.pull(number)["mergeable_state"] == "behind"
    shop.bob.update_branch(number)
    shop.bob.check("release/devel", "ci", "success")
    assert shop.pull(number)["mergeable_state"] == "clean"


ENABLE = """mutation ($id: ID!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: SQUASH}) {
    pullRequest { number autoMergeRequest { mergeMethod enabledBy { login } } }
  }
}"""


def test_auto_merge_waits_for_what_is_required(shop: Shop) -> None:
    shop.repository.allow_auto_merge = True
    shop.repository.protections["main"] = Protection(required_reviews=1, contexts=("ci",))
    number = shop.propose()
    node = shop.json("GET", f"/pulls/{number}")["node_id"]
    answer = shop.query(ENABLE, id=node)
    request = answer["data"]["enablePullRequestAutoMerge"]["pullRequest"]["autoMergeRequest"]
    assert request == {"mergeMethod": "SQUASH", "enabledBy": {"login": "shop-bot"}}
    assert shop.json("GET", f"/pulls/{number}")["auto_merge"]["merge_method"] == "squash"
    shop.bob.approve(number)
    assert not shop.repository.pulls[number].merged
    shop.bob.check("release/devel", "ci", "success")
    assert shop.repository.pulls[number].merged


def test_auto_merge_is_refused_in_githubs_words(shop: Shop) -> None:
    number = shop.propose()
    node = shop.json("GET", f"/pulls/{number}")["node_id"]

    def refusal(wanted: str) -> tuple[str, str]:
        error = shop.query(ENABLE, id=wanted)["errors"][0]
        return error["type"], error["message"]

    assert refusal(node) == ("UNPROCESSABLE", "Auto merge is not allowed for this repository")
    shop.repository.allow_auto_merge = True
    assert refusal(node) == ("UNPROCESSABLE", "Pull request Pull request is in clean status")
    assert refusal("nobody") == ("NOT_FOUND", "Could not resolve to a node with the global id of 'nobody'")
    shop.token.permissions["pull_requests"] = "read"
    assert refusal(node) == ("FORBIDDEN", "Resource not accessible by integration")


def test_a_query_about_a_pull_request(shop: Shop) -> None:
    shop.repository.protections["main"] = Protection(required_reviews=1)
    number = shop.propose()
    shop.json("POST", f"/issues/{number}/labels", json={"labels": ["release"]})
    shop.bob.check("release/devel", "ci", "failure")
    document = """query ($number: Int!) { repository(owner: "acme", name: "shop") { pullRequest(number: $number) {
        id state mergeStateStatus reviewDecision autoMergeRequest { mergeMethod }
        labels(first: 9) { nodes { name } }
        commits(last: 1) { nodes { commit { oid statusCheckRollup { state } } } } } } }"""
    found = shop.query(document, number=number)["data"]["repository"]["pullRequest"]
    assert (found["state"], found["mergeStateStatus"], found["reviewDecision"]) == (
        "OPEN",
        "BLOCKED",
        "REVIEW_REQUIRED",
    )
    assert found["labels"] == {"nodes": [{"name": "release"}]}
    assert found["commits"]["nodes"][0]["commit"]["statusCheckRollup"] == {"state": "FAILURE"}
