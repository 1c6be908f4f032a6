"""Who may do what on the stand-in of GitLab: tokens, scopes, roles, protected branches, and servers that say no."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import requests
from gitlab_shop import PATH, Desk
from gitlab_standin import GitLab, ProtectedBranch, faults


def test_tokens_that_are_no_good_say_why(desk: Desk) -> None:
    token = desk.gitlab.add_token("alice", expires=desk.gitlab.now() - timedelta(days=1))
    assert desk.ask("GET", "", token=token).json()["error_description"].startswith("Token is expired")
    token = desk.gitlab.add_token("alice", revoked=True)
    assert desk.ask("GET", "", token=token).json()["error"] == "invalid_token"
    assert desk.refused("GET", "", headers={"PRIVATE-TOKEN": "glpat-nonsense"}) == (401, "401 Unauthorized")


def test_a_scope_that_is_missing_is_named(desk: Desk) -> None:
    token = desk.gitlab.add_token("alice", scopes=("read_api",))
    assert desk.ask("GET", "", token=token).ok
    answer = desk.ask("POST", "/labels", token=token, json={"name": "a", "color": "#fff"})
    assert (answer.status_code, answer.json()["error"], answer.json()["scope"]) == (403, "insufficient_scope", "api")


def test_a_private_project_is_not_there_for_others(desk: Desk) -> None:
    stranger = desk.gitlab.add_token("stranger")
    assert desk.refused("GET", "", token=stranger) == (404, "404 Project Not Found")
    url = f"{desk.gitlab.api}/projects/{desk.project.id}"
    assert requests.get(url, timeout=20).status_code == 404
    desk.project.private = False
    assert requests.get(url, timeout=20).ok
    assert desk.refused("POST", "/merge_requests", token=stranger, json={
        "title": "x", "source_branch": "main", "target_branch": "main",
    }) == (403, "403 Forbidden")  # fmt: skip


def test_the_token_of_a_job_reads_what_its_version_lets_it(desk: Desk) -> None:
    job = desk.gitlab.add_token("bo", kind="job", project=PATH)
    headers = {"PRIVATE-TOKEN": "", "JOB-TOKEN": job.value}
    desk.propose()
    assert desk.ask("GET", "/merge_requests", headers=headers).ok
    assert desk.refused("PUT", "/merge_requests/1", headers=headers, json={"title": "x"}) == (401, "401 Unauthorized")
    desk.gitlab.version = (17, 0)
    assert desk.refused("GET", "/merge_requests", headers=headers) == (404, "404 Project Not Found")


@pytest.mark.parametrize(
    ("role", "push", "words"),
    [
        ("developer", 40, "You are not allowed to push code to protected branches on this project."),
        ("maintainer", 0, "You are not allowed to push code to protected branches on this project."),
        ("maintainer", 40, ""),
        ("reporter", 30, "You are not allowed to push code to this project."),
    ],
)
def test_a_protected_branch_refuses_a_push(desk: Desk, tmp_path: Path, role: str, push: int, words: str) -> None:
    desk.project.protected["main"] = ProtectedBranch(1, "main", push=push)
    token = desk.gitlab.add_token(project=PATH, role=role)
    said = desk.push(tmp_path, "HEAD:main", token=token)
    assert words in said
    assert said.startswith("0\n") == (not words)


def test_a_force_push_to_a_protected_branch_is_refused(desk: Desk, tmp_path: Path) -> None:
    desk.project.protected["release/*"] = ProtectedBranch(1, "release/*")
    desk.propose()
    said = desk.push(tmp_path, "--force", "HEAD:release/devel")
    assert "GitLab: You are not allowed to force push code to a protected branch on this project." in said
    assert "pre-receive hook declined" in said
    desk.project.protected["release/*"].allow_force_push = True
    assert desk.push(tmp_path, "--force", "HEAD:release/devel").startswith("0\n")
    assert "You can only delete protected branches" in desk.push(tmp_path, ":release/devel")


def test_git_says_no_as_gitlab_does(desk: Desk, tmp_path: Path) -> None:
    desk.push(tmp_path, "HEAD:refs/heads/begin")
    reader = desk.gitlab.add_token("alice", scopes=("read_repository",))
    job = desk.gitlab.add_token("alice", kind="job", project=PATH)
    for token in (reader, job):
        assert "You are not allowed to upload code." in desk.push(tmp_path, "HEAD:refs/heads/x", token=token)
    desk.project.job_token_pushes = True
    assert desk.push(tmp_path, "HEAD:refs/heads/x", token=job).startswith("0\n")
    desk.project.archived = True
    assert "You can't push code to an archived project." in desk.push(tmp_path, "HEAD:refs/heads/x")
    assert desk.refused("POST", "/labels", json={"name": "a", "color": "#fff"}) == (403, "403 Forbidden")
    desk.project.archived, desk.gitlab.maintenance = False, True
    assert "You can't push code to a read-only GitLab instance." in desk.push(tmp_path, "HEAD:refs/heads/x")
    read_only = (403, "You cannot perform write operations on a read-only instance")
    assert desk.refused("POST", "/labels", json={"name": "a", "color": "#fff"}) == read_only
    desk.gitlab.maintenance = False
    reader.revoked = True
    assert "HTTP Basic: Access denied" in desk.push(tmp_path, "HEAD:refs/heads/x", token=reader)


def test_a_project_that_has_moved_sends_readers_on_and_refuses_writers(desk: Desk) -> None:
    desk.project.moved_from = ("old/shop",)
    answer = desk.ask("GET", "/merge_requests?state=all", project="old/shop")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{desk.gitlab.api}/projects/{desk.project.id}/merge_requests?state=all"
    body = {"name": "a", "color": "#fff"}
    answer = desk.refused("POST", "/labels", project="old/shop", json=body)
    assert answer == (405, "Non GET methods are not allowed for moved projects")


def test_protected_branches_are_told_to_maintainers_and_each_branch_to_everybody(desk: Desk) -> None:
    desk.project.protected["release/*"] = ProtectedBranch(1, "release/*", push=0, merge=30)
    desk.propose()
    developer = desk.gitlab.add_token("bo")
    assert desk.refused("GET", "/protected_branches", token=developer) == (403, "403 Forbidden")
    (rule,) = desk.json("GET", "/protected_branches")
    assert [level["access_level"] for level in rule["push_access_levels"]] == [0]
    assert desk.refused("GET", "/protected_branches/release%2Fdevel") == (404, "404 Not found")
    branch = desk.json("GET", "/repository/branches/release%2Fdevel", token=developer)
    assert (branch["protected"], branch["can_push"], branch["developers_can_merge"]) == (True, False, True)
    assert desk.refused("DELETE", "/repository/branches/release%2Fdevel", token=developer)[0] == 405


def test_a_server_below_a_path_has_its_addresses_there() -> None:
    with GitLab(root="/tools/gitlab") as gitlab:
        desk = Desk(gitlab)
        assert gitlab.api.endswith("/tools/gitlab/api/v4")
        assert desk.request(desk.propose())["web_url"] == f"{gitlab.web}/{PATH}/-/merge_requests/1"
        gitlab.verify()


def test_limits_and_faults_hit_as_ordered(desk: Desk) -> None:
    desk.token.limit = 1
    assert desk.ask("GET", "").ok
    answer = desk.ask("GET", "")
    assert answer.status_code == 429
    desk.token.limit = 10
    desk.gitlab.fault("POST", r"/merge_requests$", faults.reset_after())
    with pytest.raises(requests.ConnectionError):
        desk.propose()
    assert [one.iid for one in desk.project.opened()] == [1]


def test_what_is_not_modelled_fails_the_test() -> None:
    with GitLab() as gitlab:
        desk = Desk(gitlab)
        assert desk.ask("GET", "/wikis").status_code == 501
        with pytest.raises(AssertionError, match="doesn't model"):
            gitlab.verify()
