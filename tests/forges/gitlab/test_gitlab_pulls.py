"""GitLab's JSON as records."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from release_tool.errors import ReleaseError
from release_tool.forges.gitlab import pulls

HEAD, MADE, SQUASHED = "1" * 40, "2" * 40, "3" * 40


def given(**more: object) -> dict[str, object]:
    return {
        "id": 1234,
        "iid": 12,
        "state": "opened",
        "sha": HEAD,
        "source_branch": "release/devel",
        "target_branch": "main",
        "source_project_id": 7,
        "target_project_id": 7,
        "title": "devel: bump 1.0.5",
        "description": "text",
        "web_url": "https://gitlab.com/acme/gitops/-/merge_requests/12",
        "labels": ["release"],
        "merged_at": None,
        "closed_at": None,
        "updated_at": "2026-11-23T12:00:00.123Z",
        "merge_commit_sha": None,
        "squash_commit_sha": None,
        "detailed_merge_status": "mergeable",
        "merge_when_pipeline_succeeds": False,
        **more,
    }


def test_an_open_one_has_its_number_within_the_project_and_its_name_with_an_exclamation_mark() -> None:
    pull = pulls.merge_request(given(), "GitLab")
    assert (pull.number, pull.name, pull.state, pull.closed_at) == (12, "!12", "open", None)


@pytest.mark.parametrize(
    ("more", "became"),
    [
        ({"merge_commit_sha": MADE}, MADE),
        ({"merge_commit_sha": MADE, "squash_commit_sha": SQUASHED}, MADE),
        ({"squash_commit_sha": SQUASHED}, SQUASHED),
        ({}, HEAD),
    ],
    ids=["merge commit", "squashed, with a merge commit", "squashed, by fast-forward", "by fast-forward"],
)
def test_a_merged_one_became_what_its_way_of_merging_makes(more: dict[str, object], became: str) -> None:
    at = datetime(2026, 11, 23, 11, 0, tzinfo=timezone.utc)
    pull = pulls.merge_request(given(state="merged", merged_at="2026-11-23T11:00:00.000Z", **more), "GitLab")
    assert (pull.state, pull.merge_commit, pull.merged_at, pull.closed_at) == ("merged", became, at, at)


def test_a_merge_that_is_tried_out_is_no_landing() -> None:
    assert pulls.merge_request(given(squash_commit_sha=SQUASHED), "GitLab").merge_commit is None


def test_one_whose_branch_was_deleted_is_closed_although_gitlab_says_no_time() -> None:
    pull = pulls.merge_request(given(state="closed"), "GitLab")
    assert (pull.state, pull.closed_at) == ("closed", datetime(2026, 11, 23, 12, 0, 0, 123000, timezone.utc))


@pytest.mark.parametrize("mark", ["Draft: ", "draft:", "[Draft] ", "(Draft) ", "Draft: Draft: "])
def test_the_mark_of_a_draft_is_a_persons_and_stays(mark: str) -> None:
    value = given(title=f"{mark}devel: bump 1.0.5")
    assert pulls.merge_request(value, "GitLab").title == "devel: bump 1.0.5"
    assert pulls.sent_title("devel: bump 1.0.6", pulls.draft_mark(value)) == f"{mark}devel: bump 1.0.6"


def test_an_environment_called_draft_makes_no_draft() -> None:
    sent = pulls.sent_title("draft: bump 1.0.5")
    assert not pulls.draft_mark(given(title=sent))
    assert pulls.merge_request(given(title=sent), "GitLab").title == "draft: bump 1.0.5"
    assert pulls.merge_request(given(title=f"Draft: {sent}"), "GitLab").title == "draft: bump 1.0.5"


@pytest.mark.parametrize("value", [None, [], {}, given(sha="x"), given(iid=None), given(state="new")])
def test_an_answer_that_lacks_what_it_should_hold_is_an_error_with_its_reason(value: object) -> None:
    with pytest.raises(ReleaseError, match="a merge request in GitLab's answer can't be read"):
        pulls.merge_request(value, "acme/gitops")
