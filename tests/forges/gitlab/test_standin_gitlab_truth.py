"""What the stand-in of GitLab answers agrees with GitLab's documentation, and `api.yaml` with clients that others wrote."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from forge_standin import Exchange
from gitlab.v4 import objects
from gitlab_shop import PATH, Desk
from gitlab_standin import ApprovalRule, ProtectedBranch, documented
from gitlab_standin.rest import ROUTES


def _everything(desk: Desk) -> None:
    """Each route of the table once, at least."""
    desk.project.premium = desk.project.merge_trains = desk.project.pipelines_on_push = True
    iid = desk.propose(labels="release")
    desk.project.protected["main"] = ProtectedBranch(1, "main", push=0, push_users=("alice",), merge=30)
    desk.project.rules.append(ApprovalRule(1, "Owners", users=("alice",), branches=("main",)))
    note = desk.json("POST", f"/merge_requests/{iid}/notes", json={"body": "Hello"})["id"]
    desk.json("PUT", f"/merge_requests/{iid}/notes/{note}", json={"body": "Good day"})
    thread = desk.alice.thread(iid, "Why?")
    desk.json("POST", "/labels", json={"name": "later", "color": "#ff0000", "description": "Not now"})
    desk.json("POST", "/repository/branches", json={"branch": "new", "ref": "main"})
    alice = desk.gitlab.add_token("alice")
    approved = {"sha": desk.bare.tip("release/devel")}
    desk.json("POST", f"/merge_requests/{iid}/approve", token=alice, json=approved)
    paths = [
        "", "/members/all", f"/members/all/{desk.alice.user.id}", "/labels", "/pipelines?ref=release/devel",
        "/repository/branches?search=^rel", "/repository/branches/release%2Fdevel", "/protected_branches",
        "/protected_branches/main", "/approvals", "/approval_rules",
        "/repository/commits/release%2Fdevel", "/repository/commits/release%2Fdevel/merge_requests",
        "/merge_requests?with_labels_details=true", "/merge_requests?view=simple", f"/merge_requests/{iid}/commits",
        f"/merge_requests/{iid}?include_rebase_in_progress=true&include_diverged_commits_count=true",
        f"/merge_requests/{iid}/pipelines", f"/merge_requests/{iid}/notes", f"/merge_requests/{iid}/notes/{thread.id}",
        f"/merge_requests/{iid}/approvals", "/merge_trains", "/push_rule", "/pipeline_schedules",
    ]  # fmt: skip
    for path in paths:
        desk.json("GET", path)
    desk.project.push_rule = {"commit_message_regex": "^[A-Z]"}
    desk.project.schedules.append({"description": "nightly", "ref": "refs/heads/main"})
    for path in ("/push_rule", "/pipeline_schedules?scope=active"):
        desk.json("GET", path)
    for path in ("/version", "/metadata", "/user", "/users?username=alice", "/personal_access_tokens/self"):
        desk.api(path)
    desk.api("/job", {"JOB-TOKEN": desk.gitlab.add_token("bo", kind="job", project=PATH).value})
    desk.json("PUT", f"/merge_requests/{iid}/rebase", json={})
    desk.json("PUT", f"/merge_requests/{iid}", json={"title": "Another", "add_labels": "devel"})
    desk.json("PUT", f"/merge_requests/{iid}/merge", json={"auto_merge": True})
    desk.json("POST", f"/merge_requests/{iid}/cancel_merge_when_pipeline_succeeds")
    desk.json("POST", f"/merge_requests/{iid}/cancel_merge_when_pipeline_succeeds")
    desk.alice.approve(iid)
    desk.alice.pipeline("release/devel", "success")
    desk.json("POST", f"/merge_trains/merge_requests/{iid}", json={"sha": desk.bare.tip("release/devel")})
    desk.json("GET", f"/merge_trains/merge_requests/{iid}")
    desk.json("DELETE", f"/merge_requests/{iid}/notes/{note}")
    desk.json("PUT", f"/merge_requests/{iid}/merge", json={"squash": True})
    desk.json("DELETE", "/repository/branches/new")


def test_every_answer_agrees_with_what_gitlab_documents(desk: Desk) -> None:
    _everything(desk)
    assert documented.violations(desk.gitlab.log) == []
    asked = {(one.method, one.route) for one in desk.gitlab.log}
    assert {(route.method, route.documented) for route in ROUTES} <= asked
    assert {f"{route.method} {route.documented}" for route in ROUTES} == documented.description()["operations"].keys()


def _with(**more: Any) -> Callable[[Exchange], Exchange]:
    return lambda one: replace(one, answer={**one.answer, **more})


SPOILT: dict[str, tuple[Callable[[Exchange], Exchange], str]] = {
    "another type": (_with(iid="1"), "is not of type 'integer'"),
    "an unknown state": (_with(state="open"), "is not one of"),
    "a property of its own": (_with(number=1), "'number' was unexpected"),
    "no time": (_with(created_at="today"), "is not a 'date-time'"),
    "null": (_with(title=None), "None is not of type 'string'"),
    "deep inside": (_with(references={"short": "!1"}), "'relative' is a required property"),
    "a parameter that isn't there": (lambda one: replace(one, query={"expand": "all"}), "no parameter expand"),
    "a parameter of another type": (lambda one: replace(one, query={"render_html": "5"}), "not of type boolean"),
    "another status": (lambda one: replace(one, meant=206), "no answer 206 is described"),
    "no such operation": (lambda one: replace(one, path="/projects/1/wikis"), "no such operation"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_does_not_agree_is_noticed(desk: Desk, name: str) -> None:
    iid = desk.propose()
    desk.request(iid)
    spoil, words = SPOILT[name]
    right = desk.gitlab.log[-1]
    assert documented.violations([right]) == []
    assert words in documented.violations([spoil(right)])[0]


def _parameters(operation: str) -> set[str]:
    return {name for name in documented.description()["operations"][operation] if not name.startswith("-> ")}


def test_python_gitlab_knows_the_parameters_that_are_described() -> None:
    requests = objects.ProjectMergeRequestManager
    listed = {name for name in requests._list_filters if not name.startswith(("approver", "deployed", "not"))}
    assert listed - _parameters("GET /projects/{id}/merge_requests") == set()
    assert {*requests._create_attrs.required, *requests._create_attrs.optional} - _parameters(
        "POST /projects/{id}/merge_requests"
    ) == set()
    changed = set(requests._update_attrs.optional) - _parameters("PUT /projects/{id}/merge_requests/{iid}")
    assert changed == set()
    notes = objects.ProjectMergeRequestNoteManager
    assert set(notes._create_attrs.required) == {"body"}
    labels = objects.ProjectLabelManager
    described = documented.description()["operations"]["POST /projects/{id}/labels"]
    assert {name for name, of in described.items() if of.endswith("!")} == set(labels._create_attrs.required)


TYPES = {
    "MergeRequestSchema": "MergeRequestBasic", "ExpandedMergeRequestSchema": "MergeRequest", "NoteSchema": "",
    "MergeRequestNoteSchema": "Note", "BranchSchema": "Branch", "ProtectedBranchSchema": "ProtectedBranch",
    "DiffRefsSchema": "DiffRefs", "PipelineSchema": "Pipeline", "ExpandedPipelineSchema": "FullPipeline",
}  # fmt: skip


@pytest.mark.skipif(not documented.GITBEAKER.exists(), reason=documented.MISSING)
@pytest.mark.parametrize(("theirs", "ours"), [pair for pair in TYPES.items() if pair[1]])
def test_gitbeaker_expects_no_property_that_is_not_described(theirs: str, ours: str) -> None:
    text = (documented.GITBEAKER / "core" / "dist" / "index.d.ts").read_text()
    found = re.search(rf"^interface {theirs} [^{{]*\{{\n(.*?)^\}}", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    expected = set(re.findall(r"^    (\w+): ", found[1], re.MULTILINE))
    assert expected - documented.properties(ours).keys() == set()
