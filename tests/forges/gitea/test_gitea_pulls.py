"""Gitea's and Forgejo's JSON of a pull request, as records."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from release_tool.errors import ReleaseError
from release_tool.forges.gitea.pulls import GiteaPull, read

ONE, TWO = "1" * 40, "2" * 40


def value(**more: Any) -> dict[str, Any]:
    """One that is open, as Gitea's list shows it."""
    return {
        "number": 7,
        "html_url": "https://git.example.com/team/app/pulls/7",
        "state": "open",
        "merged": False,
        "merged_at": None,
        "merge_commit_sha": None,
        "closed_at": None,
        "updated_at": "2026-11-23T12:00:00+01:00",
        "title": "devel: bump 1.0.5",
        "body": "Text",
        "user": {"login": "robot"},
        "labels": [{"id": 1, "name": "release"}, {"id": 2, "name": "release"}],
        "requested_reviewers": [{"login": "Bob"}, None],
        "requested_reviewers_teams": [{"name": "Owners"}],
        "comments": 2,
        "base": {"label": "main", "ref": "main", "sha": TWO, "repo_id": 3},
        "head": {"label": "release/devel", "ref": "release/devel", "sha": ONE, "repo_id": 3},
        **more,
    }


def found(**more: Any) -> GiteaPull:
    return read(value(**more), "team/app", "Gitea")


def test_an_open_one_is_read_with_all_that_belongs_to_it() -> None:
    one = found()
    assert one.pull[:8] == (7, one.pull.url, "open", "release/devel", "main", ONE, "devel: bump 1.0.5", "Text")
    assert (one.pull.closed_at, one.pull.labels, one.own, one.tip) == (None, ("release",), True, False)
    assert (one.author, one.asked, one.comments) == ("robot", {"bob", "owners"}, 2)
    assert one.changed_at == datetime(2026, 11, 23, 11, tzinfo=timezone.utc)


def test_a_merged_one_has_its_commit_and_its_time() -> None:
    at = "2026-11-23T12:00:00Z"
    one = found(state="closed", merged=True, merged_at=at, merge_commit_sha=TWO, closed_at=at).pull
    assert (one.state, one.merge_commit, one.merged_at) == (
        "merged",
        TWO,
        datetime(2026, 11, 23, 12, tzinfo=timezone.utc),
    )


def test_one_whose_branch_is_gone_counts_as_closed_before_the_server_closes_it() -> None:
    gone = {"label": "release/devel", "ref": "refs/pull/7/head", "sha": ONE, "repo_id": 3}
    one = found(head=gone)
    assert (one.pull.state, one.pull.head, one.own) == ("closed", "release/devel", True)
    assert one.pull.closed_at == one.changed_at


@pytest.mark.parametrize("more", [{}, {"flow": 1}])
def test_one_that_was_pushed_without_a_branch_is_nobodys_branch(more: dict[str, Any]) -> None:
    pushed = {"label": "topic" if more else "", "ref": "refs/pull/7/head", "sha": ONE, "repo_id": 3}
    one = found(head=pushed, **more)
    assert (one.pull.state, one.own) == ("open", False)


def test_one_of_a_fork_is_not_ours() -> None:
    assert not found(head={"label": "release/devel", "ref": "release/devel", "sha": ONE, "repo_id": 4}).own


@pytest.mark.parametrize(("more", "tip"), [({}, False), ({"additions": 0}, True)])
def test_of_a_finished_one_some_answers_show_what_the_branch_holds_now(more: dict[str, Any], *, tip: bool) -> None:
    assert found(state="closed", closed_at="2026-11-23T12:00:00Z", **more).tip is tip


@pytest.mark.parametrize(
    "broken", [{"number": None}, {"state": "locked"}, {"head": {}}, {"updated_at": "2026-11-23"}, {"labels": [3]}]
)
def test_what_can_not_be_read_is_an_error_that_names_it(broken: dict[str, Any]) -> None:
    with pytest.raises(ReleaseError, match="a pull request in Gitea's answer can't be read"):
        found(**broken)
