"""How GitLab merges by itself, bound to a head, in each of its ways; and what it says where it doesn't."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from conformance.bench import Bench
from conformance.workshop import BASE, HEAD, Workshop, publish, workshop  # noqa: F401
from gitlab_standin import ApprovalRule, MergeRequest, Project, ProtectedBranch
from gitlab_standin.bench import GitLabBench, gitlab_bench
from world import World

from release_tool.errors import Refused, TryAgain
from release_tool.forges.gitlab import merging
from release_tool.model.records import CommitId


@pytest.fixture
def make_bench(monkeypatch: pytest.MonkeyPatch) -> Callable[[World], AbstractContextManager[Bench]]:
    monkeypatch.setattr(merging, "_PAUSES", (0.01,) * 4)
    return gitlab_bench


def project(workshop: Workshop) -> Project:  # noqa: F811
    assert isinstance(workshop.bench, GitLabBench)
    return workshop.bench.project


def request(workshop: Workshop) -> MergeRequest:  # noqa: F811
    return project(workshop).merge_requests[1]


def alice(workshop: Workshop) -> Any:  # noqa: F811
    assert isinstance(workshop.bench, GitLabBench)
    return workshop.bench.gitlab.hand(project(workshop).path, "alice")


def when_ready(workshop: Workshop) -> str:  # noqa: F811
    head = workshop.tip(HEAD)
    return workshop.forge.merge_when_ready(1, CommitId(head))


def test_what_nothing_is_demanded_of_is_merged_at_once_and_its_branch_goes(workshop: Workshop) -> None:  # noqa: F811
    workshop.open()
    assert when_ready(workshop) == "merged"
    assert (workshop.only.state, workshop.tip(HEAD)) == ("merged", "")
    assert [one for one in workshop.calls() if "/merge" in one and "PUT" in one]


@pytest.mark.parametrize("version", [(16, 11), (17, 9), (19, 4)])
def test_a_running_pipeline_is_waited_for_and_the_head_that_was_meant_is_merged(
    workshop: Workshop,  # noqa: F811
    version: tuple[int, int],
) -> None:
    project(workshop).needs_pipeline = True
    workshop.bench.gitlab.version = version  # type: ignore[attr-defined]
    pull = workshop.open()
    alice(workshop).pipeline(HEAD, "running")
    assert when_ready(workshop) == "waiting"
    assert when_ready(workshop) == "waiting", "once more asks for nothing else"
    assert workshop.only.auto_merge
    alice(workshop).pipeline(HEAD, "success")
    assert workshop.only.state == "merged"
    assert request(workshop).sha == pull.head_commit


def test_a_push_takes_the_wish_back(workshop: Workshop) -> None:  # noqa: F811
    project(workshop).needs_pipeline = True
    workshop.open()
    alice(workshop).pipeline(HEAD, "running")
    assert when_ready(workshop) == "waiting"
    workshop.push(HEAD)
    assert not workshop.only.auto_merge
    alice(workshop).pipeline(HEAD, "success")
    assert workshop.only.state == "open"


def test_it_is_taken_back_by_hand_and_again_does_nothing(workshop: Workshop) -> None:  # noqa: F811
    project(workshop).needs_pipeline = True
    workshop.open()
    alice(workshop).pipeline(HEAD, "running")
    when_ready(workshop)
    for _ in range(2):
        workshop.forge.merge_by_hand(1)
        assert not workshop.only.auto_merge


def test_an_approval_is_waited_for_by_newer_servers_and_named_by_older_ones(workshop: Workshop) -> None:  # noqa: F811
    project(workshop).premium = True
    project(workshop).rules.append(ApprovalRule(1, "Owners"))
    workshop.open()
    workshop.bench.gitlab.version = (16, 11)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="it lacks an approval"):
        when_ready(workshop)
    workshop.bench.gitlab.version = (19, 4)  # type: ignore[attr-defined]
    assert when_ready(workshop) == "waiting"
    workshop.bench.approve(1)
    assert workshop.only.state == "merged"


def test_who_may_not_merge_into_the_base_is_told_where_that_is_set(workshop: Workshop) -> None:  # noqa: F811
    project(workshop).protected[BASE] = ProtectedBranch(1, BASE, push=0, merge=0)
    workshop.open()
    with pytest.raises(Refused, match="does not let the owner of the token of GITLAB_TOKEN merge") as caught:
        when_ready(workshop)
    assert "Allowed to merge" in caught.value.hint
    assert workshop.only.state == "open"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda one: one.rename(1, "Draft: Title"), "a draft"),
        (lambda one: one.push(BASE, {"made/release-devel.1.txt": "other\n"}), "conflicts"),
    ],
    ids=["draft", "conflict"],
)
def test_what_no_waiting_changes_is_refused_with_its_reason(
    workshop: Workshop,  # noqa: F811
    change: Callable[[Any], object],
    says: str,
) -> None:
    workshop.open()
    change(alice(workshop))
    with pytest.raises(Refused, match=says):
        when_ready(workshop)
    assert workshop.only.state == "open"


def test_another_head_than_the_one_that_is_meant_is_not_merged(workshop: Workshop) -> None:  # noqa: F811
    pull = workshop.open()
    workshop.push(HEAD)
    with pytest.raises(Refused, match="the head of merge request !1 has moved"):
        workshop.forge.merge_when_ready(1, pull.head_commit)
    assert workshop.only.state == "open"


@pytest.mark.parametrize("method", ["ff", "rebase_merge"])
def test_a_branch_that_is_behind_is_left_to_sync(workshop: Workshop, method: str) -> None:  # noqa: F811
    project(workshop).merge_method = method
    workshop.open()
    workshop.push(BASE)
    with pytest.raises(TryAgain, match="behind the base") as caught:
        when_ready(workshop)
    assert "release sync" in caught.value.hint


def test_a_project_with_merge_trains_gets_it_onto_the_train(workshop: Workshop) -> None:  # noqa: F811
    project(workshop).premium = project(workshop).merge_trains = project(workshop).merge_pipelines = True
    workshop.open()
    alice(workshop).pipeline(HEAD, "success")
    assert when_ready(workshop) == "waiting"
    assert when_ready(workshop) == "waiting", "once more asks for nothing else"
    alice(workshop).merge_train()
    assert workshop.only.state == "merged"


def test_a_hand_merge_past_the_train_is_refused(workshop: Workshop) -> None:  # noqa: F811
    project(workshop).premium = project(workshop).merge_trains = True
    workshop.open()
    with pytest.raises(Refused, match="merge trains"):
        workshop.forge.merge(1)


@pytest.mark.parametrize(
    ("settings", "method", "says"),
    [
        ({"squash_option": "never"}, "squash", "does not squash"),
        ({}, "rebase", "by a merge commit"),
        ({"merge_method": "ff"}, "rebase", ""),
        ({"merge_method": "ff"}, "merge", ""),
        ({"merge_method": "rebase_merge"}, "merge", ""),
        ({"requires_sha": True}, "squash", ""),
    ],
)
def test_a_person_merges_in_the_projects_way_alone(
    workshop: Workshop,  # noqa: F811
    settings: dict[str, Any],
    method: str,
    says: str,
) -> None:
    for name, value in settings.items():
        setattr(project(workshop), name, value)
    pull = workshop.open()
    if says:
        with pytest.raises(Refused, match=says):
            workshop.forge.merge(1, method)
        assert workshop.only.state == "open"
        return
    merged = workshop.forge.merge(1, method)
    assert (merged.state, merged.merge_commit) == ("merged", workshop.tip())
    assert (merged.merge_commit == pull.head_commit) == (project(workshop).merge_method == "ff")
    assert workshop.landed_at(workshop.tip()) == merged.merged_at
