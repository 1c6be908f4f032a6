"""The stand-in agrees with Microsoft's description of the API, and notices where it doesn't."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from azure_shop import AzureShop
from azure_standin import described
from azure_standin.rest import ROUTES
from forge_standin import Exchange


def _everything(shop: AzureShop) -> None:
    """Each route of the table once, at least."""
    azure, tip = shop.azure, shop.bare.tip("main")
    alice = azure.identity("alice")
    number = shop.propose(reviewers=[{"id": alice.id, "isRequired": True}], labels=[{"name": "release"}])
    pull = f"/pullrequests/{number}"
    azure.add_policy(shop.repository, "Build", buildDefinitionId=1)
    shop.json("PATCH", pull, json={"autoCompleteSetBy": {"id": shop.token.identity.id}})
    thread = shop.json("POST", f"{pull}/threads", json={"comments": [{"content": "a", "commentType": 1}], "status": 1})
    talk = f"{pull}/threads/{thread['id']}"
    shop.json("PATCH", talk, json={"status": "closed"})
    shop.json("POST", f"{talk}/comments", json={"content": "b", "parentCommentId": 1, "commentType": "text"})
    shop.json("PATCH", f"{talk}/comments/2", json={"content": "c"})
    shop.json("POST", f"{pull}/labels", json={"name": "devel"})
    shop.json("POST", f"{pull}/reviewers", json=[{"id": alice.id}])
    shop.json("PUT", f"{pull}/reviewers/{azure.identity('bob').id}", json={"vote": 0, "isRequired": True})
    context = {"genre": "ci", "name": "lint"}
    shop.json("POST", f"{pull}/statuses", json={"state": "succeeded", "description": "d", "context": context})
    shop.json("POST", "/refs", json=[{"name": "refs/heads/new", "oldObjectId": "0" * 40, "newObjectId": tip}])
    shop.json("POST", "/pullrequestquery", json={"queries": [{"type": "commit", "items": [tip]}]})
    paths = [
        "", "/pullrequests?searchCriteria.status=all", pull, f"{pull}?includeCommits=true", f"{pull}/commits", f"{pull}/threads",
        talk, f"{talk}/comments", f"{talk}/comments/1", f"{pull}/labels", f"{pull}/reviewers", f"{pull}/statuses",
        "/refs?filter=heads/",
    ]  # fmt: skip
    for path in paths:
        shop.json("GET", path)
    ids = shop.repository.project_id, shop.repository.id
    for path in (
        "git/repositories", f"git/pullrequests/{number}", "connectionData", "identities?filterValue=alice",
        f"git/policy/configurations?repositoryId={ids[1]}&refName=refs/heads/main", "projects/shop", "resourceAreas",
        f"policy/evaluations?artifactId=vstfs:///CodeReview/CodeReviewId/{ids[0]}/{number}",
        f"permissions/2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87/2?tokens=repoV2/{ids[0]}/{ids[1]}",
    ):  # fmt: skip
        assert shop.anywhere("GET", f"{azure.collection}/shop/_apis/{path}").ok, path
    for path in (f"{talk}/comments/2", f"{pull}/labels/devel", f"{pull}/reviewers/{alice.id}"):
        shop.json("DELETE", path)
    shop.alice.status(number, "build", "succeeded")
    assert shop.get(number, 3)["status"] == "completed"


def test_every_answer_agrees_with_microsofts_description(shop: AzureShop) -> None:
    _everything(shop)
    assert described.violations(shop.azure.log) == []
    asked = {(one.method, one.route) for one in shop.azure.log}
    assert {(route.method, route.path) for route in ROUTES} <= asked


def _with(**more: Any) -> Callable[[Exchange], Exchange]:
    return lambda one: replace(one, answer={**one.answer, **more})


SPOILT: dict[str, tuple[Callable[[Exchange], Exchange], str]] = {
    "another type": (_with(pullRequestId="1"), "is not of type 'integer'"),
    "an unknown state": (_with(status="merged"), "is not one of"),
    "no time": (_with(creationDate="today"), "does not match"),
    "a property that isn't there": (_with(number=1), "'number' was unexpected"),
    "deep inside": (_with(repository={"name": 1}), "is not of type 'string'"),
    "links of another shape": (_with(_links={"self": "http://x"}), "is not of type 'object'"),
    "an unknown path": (lambda one: replace(one, path=f"{one.path}/nothing"), "no such operation"),
    "an unknown parameter": (lambda one: replace(one, query={"head": "x"}), "no query parameter head"),
    "a body for GET": (lambda one: replace(one, body={"a": 1}), "takes no body"),
    "an error without its key": (lambda one: replace(one, meant=409, answer={"message": "x"}), "typeKey"),
    "a list without its length": (lambda one: replace(one, path=one.path.rpartition("/")[0], answer={}), "'value'"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_what_disagrees_is_found(shop: AzureShop, case: str) -> None:
    shop.get(shop.propose())
    spoil, complaint = SPOILT[case]
    found = described.violations([spoil(shop.azure.log[-1])])
    assert any(complaint in one for one in found), found


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"head": "release/devel"}, "'head' was unexpected"),
        ({"title": 1}, "is not of type 'string'"),
        ({"reviewers": ["alice"]}, "is not of type 'object'"),
        ({"labels": [{"title": "a"}]}, "'title' was unexpected"),
    ],
)
def test_a_request_that_is_not_described_is_found(shop: AzureShop, body: dict[str, Any], complaint: str) -> None:
    shop.propose()
    right = shop.azure.log[-1]
    assert described.violations([right]) == []
    assert any(complaint in one for one in described.violations([replace(right, body=body)]))
