"""Tokens, permissions, pushes and rate limits: the stand-in refuses as GitHub does."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from standin import Protection, Ruleset, StandIn
from standin_shop import Shop, git


def _message(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


# the API


def test_a_wrong_expired_or_revoked_token_is_401(shop: Shop, standin: StandIn) -> None:
    expired = standin.add_token(expires=standin.now() - timedelta(seconds=1))
    revoked = standin.add_token(revoked=True)
    stranger = StandIn.add_token(standin)
    del standin.tokens[stranger.value]
    for token in (expired, revoked, stranger):
        assert _message(shop.ask("GET", "/pulls", token=token)) == (401, "Bad credentials")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("app", "Resource not accessible by integration"),
        ("actions", "Resource not accessible by integration"),
        ("fine-grained", "Resource not accessible by personal access token"),
    ],
)
def test_a_missing_permission_is_403_and_named_in_a_header(
    shop: Shop, standin: StandIn, kind: str, message: str
) -> None:
    token = standin.add_token("alice", kind, {"pull_requests": "read", "contents": "read"})
    answer = shop.ask("POST", "/pulls", token=token, json={"title": "x", "head": "a", "base": "main"})
    assert _message(answer) == (403, message)
    assert answer.headers["X-Accepted-GitHub-Permissions"] == "pull_requests=write"
    number = shop.propose()
    answer = shop.ask("POST", f"/issues/{number}/labels", token=token, json={"labels": ["x"]})
    assert answer.headers["X-Accepted-GitHub-Permissions"] == "issues=write; pull_requests=write"


def test_a_private_repository_is_404_for_who_may_not_see_it(shop: Shop, standin: StandIn) -> None:
    shop.repository.private = True
    elsewhere = standin.add_token(repositories=("acme/other",))
    scopeless = standin.add_token("alice", "classic", scopes=("read:user",))
    for token in (elsewhere, scopeless, standin.add_token("mallory", "fine-grained")):
        assert _message(shop.ask("GET", "/pulls", token=token)) == (404, "Not Found")
    assert requests.get(f"{standin.api}/repos/acme/shop", timeout=20).status_code == 404
    assert shop.ask("GET", "/pulls").ok


def test_a_classic_token_without_the_scope_is_404_and_its_scopes_stand_in_a_header(
    shop: Shop, standin: StandIn
) -> None:
    token = standin.add_token("alice", "classic", scopes=("gist",))
    answer = shop.ask("POST", "/dispatches", token=token, json={"event_type": "x"})
    assert _message(answer) == (404, "Not Found")
    assert answer.headers["X-OAuth-Scopes"] == "gist"


def test_an_archived_repository_can_only_be_read(shop: Shop) -> None:
    shop.repository.archived = True
    answer = shop.ask("POST", "/pulls", json={"title": "x", "head": "a", "base": "main"})
    assert _message(answer) == (403, "Repository was archived so is read-only.")
    assert shop.json("GET", "")["archived"] is True


def test_a_job_may_open_pull_requests_only_where_the_setting_lets_it(shop: Shop, standin: StandIn) -> None:
    job = standin.add_token("github-actions[bot]", "actions", {"contents": "write", "pull_requests": "write"})
    shop.alice.push("release/devel", {"a": "b"})
    body = {"title": "x", "head": "release/devel", "base": "main"}
    refusal = (403, "GitHub Actions is not permitted to create or approve pull requests.")
    assert _message(shop.ask("POST", "/pulls", token=job, json=body)) == refusal
    shop.repository.actions_may_open_pull_requests = True
    assert shop.ask("POST", "/pulls", token=job, json=body).status_code == 201
    opened = [event for event in shop.repository.events if event.name == "pull_request"]
    assert [event.starts_workflows for event in opened] == [False]


def test_protection_is_for_administrators_to_read(shop: Shop) -> None:
    assert _message(shop.ask("GET", "/branches/main/protection")) == (404, "Branch not protected")
    assert _message(shop.ask("GET", "/branches/none/protection")) == (404, "Branch not found")
    shop.repository.protections["main"] = Protection(required_reviews=2, dismiss_stale_reviews=True, contexts=("ci",))
    found = shop.json("GET", "/branches/main/protection")
    assert found["required_pull_request_reviews"]["required_approving_review_count"] == 2
    del shop.token.permissions["administration"]
    assert shop.ask("GET", "/branches/main/protection").status_code == 403
    assert shop.json("GET", "/branches/main")["protected"] is True


# rate limits


def test_the_primary_limit_runs_out_and_says_until_when(shop: Shop) -> None:
    shop.token.limit = 2
    left = [shop.ask("GET", "").headers["X-RateLimit-Remaining"] for _ in range(2)]
    assert left == ["1", "0"]
    answer = shop.ask("GET", "")
    assert answer.status_code == 403
    assert answer.json()["message"].startswith("API rate limit exceeded")
    assert int(answer.headers["X-RateLimit-Reset"]) > time.time()
    headers = {"Authorization": f"token {shop.token.value}"}
    free = requests.get(f"{shop.standin.api}/rate_limit", headers=headers, timeout=20)
    assert free.json()["rate"]["remaining"] == 0


# git


def test_a_push_with_a_token_moves_the_pull_request(shop: Shop, tmp_path: Path) -> None:
    number = shop.propose()
    clone = shop.clone(tmp_path / "clone")
    clone.git("checkout", "--quiet", "release/devel")
    clone.commit("a", "b")
    clone.git("push", "--quiet")
    assert shop.json("GET", f"/pulls/{number}")["head"]["sha"] == clone.git("rev-parse", "HEAD")
    clone.git("push", "--quiet", "--delete", "origin", "release/devel")
    assert shop.json("GET", f"/pulls/{number}")["state"] == "closed"


def test_the_head_of_a_finished_pull_request_can_still_be_fetched(shop: Shop, tmp_path: Path) -> None:
    number = shop.propose()
    head = shop.bare.tip("release/devel")
    shop.alice.delete_branch("release/devel")
    clone = shop.clone(tmp_path / "clone")
    clone.git("fetch", "--quiet", "--filter=blob:none", "origin", head, f"refs/pull/{number}/head")
    refused = clone.git("push", "origin", f"main:refs/pull/{number}/head", ok=False)
    assert "deny updating a hidden ref" in refused


def test_git_is_told_what_is_wrong_with_a_token(shop: Shop, standin: StandIn, tmp_path: Path) -> None:
    clone = shop.clone(tmp_path / "clone")
    clone.commit("a", "b")

    def complaint(value: str, repository: str = "acme/shop") -> str:
        url = standin.clone_url(repository).replace("://", f"://x:{value}@")
        return clone.git("push", url, "HEAD:refs/heads/new", ok=False)

    assert "Authentication failed" in complaint("nonsense")
    reader = standin.add_token(permissions={"contents": "read"})
    assert "Permission to acme/shop.git denied to shop-bot[bot]." in complaint(reader.value)
    assert "Repository not found." in complaint(shop.token.value, "acme/nothing")
    shop.repository.archived = True
    assert "archived so it is read-only" in complaint(shop.token.value)
    assert shop.bare.tip("new") is None


def test_a_protected_branch_refuses_pushes_in_githubs_words(shop: Shop, tmp_path: Path) -> None:
    clone = shop.clone(tmp_path / "clone")
    clone.commit("a", "b")
    shop.repository.protections["main"] = Protection(required_reviews=1)
    said = clone.git("push", "origin", "main", ok=False)
    assert "remote: error: GH006: Protected branch update failed for refs/heads/main." in said
    assert "Changes must be made through a pull request." in said
    assert "! [remote rejected] main -> main (protected branch hook declined)" in said
    clone.git("push", "--quiet", "origin", "main:refs/heads/other")


def test_a_ruleset_refuses_pushes_in_githubs_words(shop: Shop, tmp_path: Path) -> None:
    clone = shop.clone(tmp_path / "clone")
    clone.commit("a", "b")
    rules: dict[str, dict[str, Any]] = {"non_fast_forward": {}, "deletion": {}}
    shop.repository.rulesets.append(Ruleset(1, "main", ("main",), rules))
    clone.git("push", "--quiet", "origin", "main")
    clone.git("reset", "--quiet", "--hard", "HEAD~1")
    clone.commit("a", "c")
    said = clone.git("push", "--force", "origin", "main", ok=False)
    assert "remote: error: GH013: Repository rule violations found for refs/heads/main." in said
    assert "! [remote rejected] main -> main (push declined due to repository rule violations)" in said
    assert "(push declined due to repository rule violations)" in clone.git("push", "origin", ":main", ok=False)
    shop.repository.rulesets[0].bypass = ("shop-bot[bot]",)
    clone.git("push", "--quiet", "--force", "origin", "main")


def test_workflow_files_want_a_permission_of_their_own(shop: Shop, standin: StandIn, tmp_path: Path) -> None:
    token = standin.add_token(permissions={"contents": "write"})
    clone = shop.clone(tmp_path / "clone", token)
    clone.commit("a", "b")
    clone.git("push", "--quiet", "origin", "HEAD:refs/heads/new")
    clone.commit(".github/workflows/ci.yml", "on: push\n")
    said = clone.git("push", "origin", "HEAD:refs/heads/new", ok=False)
    assert "refusing to allow a GitHub App to create or update workflow" in said
    token.permissions["workflows"] = "write"
    clone.git("push", "--quiet", "origin", "HEAD:refs/heads/new")


def test_an_atomic_push_is_all_or_nothing(shop: Shop, tmp_path: Path) -> None:
    clone = shop.clone(tmp_path / "clone")
    clone.commit("a", "b")
    shop.repository.protections["main"] = Protection(required_reviews=1)
    said = clone.git("push", "--atomic", "origin", "main", "main:refs/heads/other", ok=False)
    assert "protected branch hook declined" in said
    assert shop.bare.tip("other") is None


def test_a_public_repository_is_read_without_a_token_and_never_written(shop: Shop, tmp_path: Path) -> None:
    url = shop.standin.clone_url("acme/shop")
    git("clone", "--quiet", url, str(tmp_path / "clone"))
    said = git("-C", str(tmp_path / "clone"), "push", url, "HEAD:refs/heads/new", ok=False)
    assert "terminal prompts disabled" in said


def test_the_record_holds_no_secret(shop: Shop, tmp_path: Path) -> None:
    shop.clone(tmp_path / "clone")
    shop.ask("GET", "/pulls")
    assert len(shop.standin.log) > 2
    assert shop.token.value not in f"{shop.standin.log!r}{shop.token!r}"
