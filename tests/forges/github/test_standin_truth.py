"""The stand-in agrees with GitHub's own descriptions of its APIs, and notices where it doesn't."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import requests
from graphql import GraphQLSchema, Undefined, build_schema, parse, validate
from standin import Exchange, Protection, Ruleset, graphql_api, openapi
from standin.answers import ROUTES
from standin_shop import Shop

needs_definitions = pytest.mark.skipif(not openapi.available() or not openapi.GRAPHQL.exists(), reason=openapi.MISSING)


def _everything(shop: Shop) -> None:
    """Each route of the table once, at least."""
    number = shop.propose()
    _before_rules(shop, number)
    shop.repository.protections["main"] = Protection(1, contexts=("ci",), strict=True, push_only_for=("alice",))
    parameters = {
        "required_status_checks": [{"context": "ci"}],
        "strict_required_status_checks_policy": True,
    }
    rules: dict[str, dict[str, Any]] = {"required_status_checks": parameters, "deletion": {}}
    shop.repository.rulesets.append(Ruleset(1, "main", ("main",), rules))
    shop.repository.teams["reviewers"] = "push"
    shop.alice.push("actions", {".github/workflows/bump.yml": "on: push\n"})
    shop.alice.check("release/devel", "ci", "success")
    shop.alice.check("release/devel", "slow", None)
    shop.alice.status("release/devel", "lint", "pending")
    shop.json("POST", f"/issues/{number}/labels", json={"labels": ["release"]})
    shop.json("PUT", f"/issues/{number}/labels", json={"labels": ["release", "two words"]})
    comment = shop.json("POST", f"/issues/{number}/comments", json={"body": "Hello"})["id"]
    shop.json("PATCH", f"/issues/comments/{comment}", json={"body": "Good day"})
    reviewers = {"reviewers": ["alice"], "team_reviewers": ["reviewers"]}
    shop.json("POST", f"/pulls/{number}/requested_reviewers", json=reviewers)
    review = shop.json("POST", f"/pulls/{number}/reviews", json={"event": "COMMENT", "body": "Fine"})["id"]
    shop.json("PUT", f"/pulls/{number}/reviews/{review}/dismissals", json={"message": "Old"})
    shop.alice.approve(number)
    shop.repository.environments["production"] = ["required_reviewers"]
    paths = [
        "", "/branches", "/branches/main", "/branches/release%2Fdevel", "/branches/main/protection",
        "/rules/branches/main", "/rulesets/1", "/git/ref/heads/release/devel", "/git/matching-refs/heads/release",
        "/commits/release/devel", "/commits/release%2Fdevel/status", "/commits/release%2Fdevel/check-runs",
        "/commits/main/pulls", "/compare/main...release/devel", "/contents/tags.yaml", "/collaborators/alice/permission",
        "/contents/.github?ref=actions", "/actions/permissions", "/actions/permissions/workflow", "/actions/workflows",
        "/environments/production",
        "/labels", "/labels/two%20words", "/pulls?state=all", f"/pulls/{number}", f"/pulls/{number}/commits",
        f"/pulls/{number}/files", f"/pulls/{number}/requested_reviewers", f"/pulls/{number}/reviews",
        f"/issues/{number}/comments", f"/issues/{number}/labels", f"/issues/comments/{comment}",
    ]  # fmt: skip
    for path in paths:
        shop.json("GET", path)
    removed = {"reviewers": ["alice"], "team_reviewers": ["reviewers"]}
    shop.json("DELETE", f"/pulls/{number}/requested_reviewers", json=removed)
    shop.json("DELETE", f"/issues/{number}/labels/release")
    shop.json("POST", "/dispatches", json={"event_type": "image-built", "client_payload": {"tag": "v4"}})
    shop.json("PATCH", f"/pulls/{number}", json={"title": "Another"})
    shop.ask("GET", f"/pulls/{number}/merge")
    shop.json("PUT", f"/pulls/{number}/merge", json={"merge_method": "squash"})
    shop.json("GET", f"/pulls/{number}/merge")
    shop.json("DELETE", "/git/refs/heads/release/devel")
    shop.json("DELETE", f"/issues/comments/{comment}")


def _before_rules(shop: Shop, number: int) -> None:
    """What changes files and refs, and what belongs to the token alone."""
    shop.json("POST", "/labels", json={"name": "later", "color": "ff0000", "description": "Not now"})
    shop.json("POST", "/git/refs", json={"ref": "refs/heads/new", "sha": shop.bare.tip("main")})
    new = {"message": "Add", "content": "YQ==", "branch": "main"}
    workflow = shop.json("PUT", "/contents/.github/workflows/bump.yml", json=new)["content"]
    shop.json("PUT", "/contents/.github/workflows/bump.yml", json={**new, "content": "Yg==", "sha": workflow["sha"]})
    shop.json("POST", "/actions/workflows/bump.yml/dispatches", json={"ref": "main", "inputs": {"tag": "v4"}})
    shop.json("PUT", f"/pulls/{number}/update-branch", json={"expected_head_sha": shop.bare.tip("release/devel")})
    person = shop.standin.add_token("alice", "classic")
    for path, token in (("/user", person), ("/rate_limit", person), ("/installation/repositories", shop.token)):
        headers = {"Authorization": f"Bearer {token.value}"}
        assert requests.get(f"{shop.standin.api}{path}", headers=headers, timeout=20).ok


@needs_definitions
def test_every_answer_agrees_with_githubs_description(shop: Shop) -> None:
    _everything(shop)
    assert openapi.violations(shop.standin.log) == []
    asked = {(one.method, one.route) for one in shop.standin.log}
    assert {(route.method, route.documented) for route in ROUTES} <= asked


def _without(name: str) -> Callable[[Exchange], Exchange]:
    return lambda one: replace(one, answer={key: value for key, value in one.answer.items() if key != name})


SPOILT: dict[str, tuple[Callable[[Exchange], Exchange], str]] = {
    "a missing property": (_without("merged"), "'merged' is a required property"),
    "another type": (lambda one: replace(one, answer={**one.answer, "number": "1"}), "is not of type 'integer'"),
    "no time": (lambda one: replace(one, answer={**one.answer, "created_at": "today"}), "is not a 'date-time'"),
    "an unknown state": (lambda one: replace(one, answer={**one.answer, "state": "merged"}), "is not one of"),
    "null": (lambda one: replace(one, answer={**one.answer, "title": None}), "None is not of type 'string'"),
    "deep inside": (
        lambda one: replace(one, answer={**one.answer, "user": {**one.answer["user"], "id": "x"}}),
        "is not of type 'integer'",
    ),
    "an unknown path": (lambda one: replace(one, path="/repos/acme/shop/pulls/1/nothing"), "no such operation"),
    "an unknown parameter": (lambda one: replace(one, query={"heads": "x"}), "no query parameter heads"),
    "a body for GET": (lambda one: replace(one, body={"a": 1}), "takes no body"),
    "an undescribed answer": (lambda one: replace(one, meant=204), "no answer 204 is described"),
}


@needs_definitions
@pytest.mark.parametrize("case", SPOILT)
def test_what_disagrees_is_found(shop: Shop, case: str) -> None:
    shop.pull(shop.propose())
    spoil, complaint = SPOILT[case]
    found = openapi.violations([spoil(shop.standin.log[-1])])
    assert any(complaint in one for one in found), found


@needs_definitions
@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"title": "x", "base": "main"}, "'head' is a required property"),
        ({"title": "x", "head": "release/devel", "base": "main", "labels": ["a"]}, "no property labels"),
        ({"title": "x", "head": "release/devel", "base": "main", "draft": "no"}, "is not of type 'boolean'"),
    ],
)
def test_a_request_that_github_does_not_describe_is_found(shop: Shop, body: dict[str, Any], complaint: str) -> None:
    shop.propose()
    right = shop.standin.log[-1]
    assert openapi.violations([right]) == []
    assert any(complaint in one for one in openapi.violations([replace(right, body=body)]))


@cache
def _github() -> GraphQLSchema:
    return build_schema(openapi.GRAPHQL.read_text("utf-8"), assume_valid=True, no_location=True)


@needs_definitions
def test_the_graphql_excerpt_is_a_part_of_githubs_schema() -> None:
    excerpt, whole = graphql_api.excerpt(), _github()
    for name, kind in excerpt.type_map.items():
        if name.startswith("__"):
            continue
        other: Any = whole.type_map[name]
        assert type(kind) is type(other), name
        assert set(getattr(kind, "values", {})) == set(getattr(other, "values", {})), name
        interfaces = {one.name for one in getattr(kind, "interfaces", ())}
        assert interfaces <= {one.name for one in getattr(other, "interfaces", ())}, name
        for field, definition in getattr(kind, "fields", {}).items():
            theirs = other.fields[field]
            assert str(definition.type) == str(theirs.type), f"{name}.{field}"
            _same_arguments(f"{name}.{field}", getattr(definition, "args", {}), getattr(theirs, "args", {}))
        if type(kind).__name__ == "GraphQLInputObjectType":
            _same_arguments(name, kind.fields, other.fields)


def _same_arguments(where: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for name, argument in ours.items():
        assert str(argument.type) == str(theirs[name].type), f"{where}({name})"
        assert argument.default_value == theirs[name].default_value, f"{where}({name})"
    demanded = {name for name, one in theirs.items() if str(one.type).endswith("!") and one.default_value is Undefined}
    assert demanded <= set(ours), where


@needs_definitions
def test_a_document_that_the_excerpt_takes_is_valid_at_github() -> None:
    document = """query ($owner: String!) { repository(owner: $owner, name: "shop") { pullRequest(number: 1) {
        id mergeStateStatus author { login ... on Bot { id } } mergeCommit { oid } } } }"""
    assert validate(graphql_api.excerpt(), parse(document)) == []
    assert validate(_github(), parse(document)) == []
