"""What the stand-in of GitLab does when people and clients act: the life of a merge request, each way of merging."""

from __future__ import annotations

from pathlib import Path

import pytest
from gitlab_shop import PATH, Desk
from gitlab_standin import ApprovalRule, ProtectedBranch, Refused

READY = {"merge_when_pipeline_succeeds": True, "auto_merge": True}


def test_a_merge_request_is_checked_before_it_says_whether_it_can_be_merged(desk: Desk) -> None:
    iid = desk.propose()
    said = [desk.json("GET", f"/merge_requests/{iid}")["detailed_merge_status"] for _ in range(3)]
    assert said == ["checking", "mergeable", "mergeable"]
    desk.bo.push("release/devel", {"tags.yaml": "- v5\n"})
    assert desk.json("GET", f"/merge_requests/{iid}")["detailed_merge_status"] == "checking"
    assert desk.request(iid)["sha"] == desk.bare.tip("release/devel")


def test_a_second_merge_request_of_the_same_branches_is_refused(desk: Desk) -> None:
    iid = desk.propose()
    body = {"title": "Again", "source_branch": "release/devel", "target_branch": "main"}
    words = f"Another open merge request already exists for this source branch: !{iid}"
    assert desk.refused("POST", "/merge_requests", json=body) == (409, [words])
    desk.bare.git("branch", "next", "main")
    assert desk.json("POST", "/merge_requests", json={**body, "target_branch": "next"})["iid"] == iid + 1
    assert desk.refused("PUT", f"/merge_requests/{iid + 1}", json={"target_branch": "main"}) == (409, [words])


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"source_branch": "nowhere"}, (400, {"source_branch": ["does not exist"]})),
        ({"target_branch": "nowhere"}, (400, {"target_branch": ["does not exist"]})),
        ({"source_branch": "main"}, (422, ["You can't use same project/branch for source and target"])),
        ({"title": "x" * 256}, (400, {"title": ["is too long (maximum is 255 characters)"]})),
        ({"title": None, "target_branch": None}, (400, "title is missing, target_branch is missing")),
    ],
)
def test_what_cannot_be_opened_says_why(desk: Desk, change: dict[str, str], answer: object) -> None:
    desk.bo.push("release/devel", {"tags.yaml": "- v4\n"})
    body = {"title": "Release", "source_branch": "release/devel", "target_branch": "main", **change}
    given = {name: value for name, value in body.items() if value is not None}
    assert desk.refused("POST", "/merge_requests", json=given) == answer


def test_an_old_server_opens_a_merge_request_of_a_branch_that_is_not_there(desk: Desk) -> None:
    desk.gitlab.version = (18, 11)
    body = {"title": "Ghost", "source_branch": "nowhere", "target_branch": "main"}
    made = desk.json("POST", "/merge_requests", json=body)
    assert (made["state"], made["sha"]) == ("opened", None)
    assert desk.request(made["iid"])["detailed_merge_status"] == "commits_status"
    desk.bo.push("nowhere", {"tags.yaml": "- v4\n"})
    assert desk.request(made["iid"])["detailed_merge_status"] == "mergeable"


@pytest.mark.parametrize("squash", [False, True])
@pytest.mark.parametrize("method", ["merge", "rebase_merge", "ff"])
def test_each_way_of_merging_makes_its_commits(desk: Desk, method: str, squash: bool) -> None:
    desk.project.merge_method = method
    iid = desk.propose()
    desk.bo.push("release/devel", {"more.yaml": "more\n"}, "More")
    desk.alice.push("main", {"README.md": "moved on\n"})
    if method != "merge":
        assert desk.request(iid)["detailed_merge_status"] == "need_rebase"
        assert desk.refused("PUT", f"/merge_requests/{iid}/merge", json={}) == (422, "Branch cannot be merged")
        assert desk.json("PUT", f"/merge_requests/{iid}/rebase", json={}) == {"rebase_in_progress": True}
    head = desk.request(iid)["sha"]
    done = desk.json("PUT", f"/merge_requests/{iid}/merge", json={"squash": squash, "sha": head})
    tip, parents = desk.bare.tip("main"), desk.bare.git("show", "-s", "--format=%P", "main").split()
    assert (done["state"], done["sha"]) == ("merged", head)
    assert done["merge_commit_sha"] == (None if method == "ff" else tip)
    assert (done["squash_commit_sha"] is not None) == squash
    assert len(parents) == (1 if method == "ff" else 2)
    expected = {(True, True): done["squash_commit_sha"], (True, False): head}.get((method == "ff", squash), tip)
    assert tip == expected
    assert [one["iid"] for one in desk.json("GET", f"/repository/commits/{tip}/merge_requests")] == [iid]
    assert desk.bare.blob("main", "more.yaml") == b"more\n"
    assert desk.bare.tip("release/devel") is None  # the project's setting for new ones


def test_the_head_that_was_seen_is_what_is_merged(desk: Desk) -> None:
    iid = desk.propose()
    seen = desk.request(iid)["sha"]
    desk.bo.push("release/devel", {"tags.yaml": "- v6\n"})
    tip = desk.bare.tip("release/devel")
    answer = desk.refused("PUT", f"/merge_requests/{iid}/merge", json={"sha": seen})
    assert answer == (409, f"SHA does not match HEAD of source branch: {tip}")
    assert desk.request(iid)["state"] == "opened"


def test_deleting_the_branch_closes_and_it_stays_closed_until_the_branch_is_back(desk: Desk) -> None:
    iid = desk.propose()
    desk.alice.delete_branch("release/devel")
    assert desk.request(iid)["state"] == "closed"
    assert desk.json("PUT", f"/merge_requests/{iid}", json={"state_event": "reopen"})["state"] == "closed"
    desk.alice.restore_branch(iid)
    assert desk.json("PUT", f"/merge_requests/{iid}", json={"state_event": "reopen"})["state"] == "opened"


def test_a_merge_by_git_counts_as_merged_and_a_branch_level_with_its_target_does_not(desk: Desk) -> None:
    iid = desk.propose()
    desk.bare.git("branch", "empty", "main")
    body = {"title": "Nothing", "source_branch": "empty", "target_branch": "main"}
    empty = desk.json("POST", "/merge_requests", json=body)["iid"]
    assert desk.request(empty)["detailed_merge_status"] == "commits_status"
    assert desk.refused("PUT", f"/merge_requests/{empty}/merge", json={}) == (405, "405 Method Not Allowed")
    desk.bare.move("refs/heads/main", desk.bare.tip("release/devel"))
    assert (desk.request(iid)["state"], desk.request(empty)["state"]) == ("merged", "opened")


def test_what_targets_a_branch_that_is_removed_by_its_merge_goes_where_that_went(desk: Desk) -> None:
    first = desk.propose("release/devel")
    second = desk.propose("release/next", {"other.yaml": "x\n"}, target_branch="release/devel")
    desk.alice.merge(first)
    assert desk.request(second)["target_branch"] == "main"


def test_auto_merge_waits_for_the_pipeline_and_ends_with_the_next_push(desk: Desk) -> None:
    desk.project.pipelines_on_push = desk.project.needs_pipeline = True
    iid = desk.propose()
    assert desk.request(iid)["detailed_merge_status"] == "ci_still_running"
    assert desk.refused("PUT", f"/merge_requests/{iid}/merge", json={}) == (405, "405 Method Not Allowed")
    waiting = desk.json("PUT", f"/merge_requests/{iid}/merge", json={**READY, "sha": desk.bare.tip("release/devel")})
    assert (waiting["state"], waiting["merge_when_pipeline_succeeds"]) == ("opened", True)
    desk.bo.push("release/devel", {"tags.yaml": "- v7\n"})
    assert not desk.request(iid)["merge_when_pipeline_succeeds"]
    desk.json("PUT", f"/merge_requests/{iid}/merge", json=READY)
    assert desk.json("POST", f"/merge_requests/{iid}/cancel_merge_when_pipeline_succeeds") == {"status": "success"}
    desk.json("PUT", f"/merge_requests/{iid}/merge", json=READY)
    desk.alice.pipeline("release/devel", "failed")
    assert desk.request(iid)["detailed_merge_status"] == "ci_must_pass"
    desk.alice.pipeline("release/devel", "success")
    assert desk.request(iid)["state"] == "merged"


def test_auto_merge_of_what_nothing_holds_up_is_refused(desk: Desk) -> None:
    iid = desk.propose()
    assert desk.refused("PUT", f"/merge_requests/{iid}/merge", json=READY) == (405, "405 Method Not Allowed")


def test_an_old_server_overlooks_auto_merge_and_merges(desk: Desk) -> None:
    desk.gitlab.version = (16, 11)
    iid = desk.propose()
    assert desk.json("PUT", f"/merge_requests/{iid}/merge", json={"auto_merge": True})["state"] == "merged"


def test_approvals_hold_a_merge_up_and_a_push_takes_them_away(desk: Desk) -> None:
    desk.project.premium = True
    desk.project.rules.append(ApprovalRule(1, "Owners", users=("alice",)))
    iid = desk.propose()
    assert desk.request(iid)["detailed_merge_status"] == "not_approved"
    desk.bo.approve(iid)
    assert desk.json("GET", f"/merge_requests/{iid}/approvals")["approvals_left"] == 1
    waiting = desk.json("PUT", f"/merge_requests/{iid}/merge", json=READY)
    assert waiting["state"] == "opened"
    desk.alice.approve(iid)
    assert desk.request(iid)["state"] == "merged"
    other = desk.propose("release/staging", {"other.yaml": "x\n"})
    desk.alice.approve(other)
    assert desk.request(other)["detailed_merge_status"] == "mergeable"
    desk.bo.push("release/staging", {"other.yaml": "y\n"})
    assert desk.request(other)["detailed_merge_status"] == "not_approved"


def test_threads_hold_a_merge_up_where_the_project_wants_them_resolved(desk: Desk) -> None:
    desk.project.needs_resolved = True
    iid = desk.propose()
    note = desk.alice.thread(iid, "Not yet")
    assert desk.request(iid)["detailed_merge_status"] == "discussions_not_resolved"
    desk.alice.resolve(note)
    assert desk.request(iid)["detailed_merge_status"] == "mergeable"


def test_a_merge_train_merges_in_its_order(desk: Desk) -> None:
    desk.project.premium = desk.project.merge_trains = True
    first, second = desk.propose("a", {"a": "a\n"}), desk.propose("b", {"b": "b\n"})
    for iid in (first, second):
        desk.json("POST", f"/merge_trains/merge_requests/{iid}", json={"sha": desk.request(iid)["sha"]})
    assert [one["merge_request"]["iid"] for one in desk.json("GET", "/merge_trains")] == [first, second]
    desk.alice.merge_train()
    assert (desk.request(first)["state"], desk.request(second)["state"]) == ("merged", "opened")


def test_a_revert_takes_back_what_was_merged(desk: Desk) -> None:
    iid = desk.propose()
    desk.alice.merge(iid, squash=True)
    made = desk.alice.revert(iid)
    assert desk.request(made.iid)["state"] == "merged"
    assert desk.bare.blob("main", "tags.yaml") == b"- v1\n- v2\n- v3\n"


def test_quick_actions_of_a_description_act_and_go(desk: Desk) -> None:
    text = "Hello\n\n/label ~urgent\n/draft\n\n```\n/close\n```\n> /close\n  /close\nand/or /close\n"
    iid = desk.propose(description=text)
    found = desk.request(iid)
    assert (found["labels"], found["draft"], found["state"]) == (["urgent"], True, "opened")
    assert found["description"] == "Hello\n\n\n```\n/close\n```\n> /close\n  /close\nand/or /close"
    done = desk.json("POST", f"/merge_requests/{iid}/notes", json={"body": "/close"})
    assert "commands_changes" in done
    assert desk.request(iid)["state"] == "closed"


def test_lists_have_pages_and_filters(desk: Desk) -> None:
    made = [desk.propose(f"release/{name}", {name: "x\n"}, labels=name) for name in "abcde"]
    desk.alice.merge(made[0])
    desk.alice.close(made[1])
    answer = desk.ask("GET", "/merge_requests?per_page=2&page=2&state=all")
    assert [one["iid"] for one in answer.json()] == [made[2], made[1]]
    assert (answer.headers["X-Next-Page"], answer.headers["X-Total"], answer.headers["X-Total-Pages"]) == (
        "3",
        "5",
        "3",
    )
    assert f"{desk.gitlab.api}/projects/" in answer.links["next"]["url"]
    for query, found in {
        "state=merged": [made[0]], "state=opened&source_branch=release%2Fd": [made[3]], "labels=e": [made[4]],
        "iids[]=3&iids[]=4": [4, 3], "order_by=updated_at&sort=asc&state=closed": [made[1]], "search=release": [5, 4, 3, 2, 1],
    }.items():  # fmt: skip
        assert [one["iid"] for one in desk.json("GET", f"/merge_requests?{query}")] == found, query
    assert desk.refused("GET", "/merge_requests?state=open") == (400, "state does not have a valid value")


def test_a_push_with_options_opens_a_merge_request_and_the_next_one_changes_it(desk: Desk, tmp_path: Path) -> None:
    options = ("-o", "merge_request.create", "-o", "merge_request.target=main", "-o", "merge_request.title=By push")
    said = desk.push(tmp_path, *options, "-o", "merge_request.label=release", "HEAD:refs/heads/release/devel")
    assert "View merge request for release/devel:" in said
    assert "/acme/platform/shop/-/merge_requests/1" in said
    found = desk.request(1)
    assert (found["title"], found["labels"], found["description"]) == ("By push", ["release"], "They are needed.")
    desk.push(
        tmp_path, "-o", "merge_request.title=Changed", "-o", "merge_request.description=a\\nb", "HEAD:release/devel"
    )
    assert (desk.request(1)["title"], desk.request(1)["description"]) == ("Changed", "a\nb")
    said = desk.push(tmp_path, *options[:2], "-o", "merge_request.target=nowhere", "HEAD:refs/heads/other")
    assert "WARNINGS:" in said
    assert f"Target branch {PATH}:nowhere does not exist" in said
    assert said.startswith("0\n")


def test_a_push_is_taken_in_some_time_after_it(desk: Desk, tmp_path: Path) -> None:
    iid = desk.propose()
    before = desk.request(iid)["sha"]
    desk.push(tmp_path, "--force", "HEAD:release/devel")
    seen = [desk.json("GET", f"/merge_requests/{iid}")["sha"] for _ in range(2)]
    assert seen == [before, desk.bare.tip("release/devel")]


def test_people_are_refused_as_the_api_refuses(desk: Desk) -> None:
    desk.project.protected["main"] = ProtectedBranch(1, "main")
    iid = desk.propose()
    with pytest.raises(Refused, match="401"):
        desk.bo.merge(iid)
    desk.alice.merge(iid)
