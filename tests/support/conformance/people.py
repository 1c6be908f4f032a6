"""What people do to pull requests and branches, and what the forge tells the tool of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from origin import git

from conformance.workshop import BASE, HEAD, Workshop
from release_tool.git.repository import Repository
from release_tool.model.records import CommitId
from release_tool.wiring import header_for_git

HOUR = timedelta(hours=1)


def fetched(workshop: Workshop, commit: CommitId) -> bool:
    """Whether a new clone gets a commit from the server."""
    with Repository.open(None, workshop.bench.url, entitle=header_for_git) as elsewhere:
        elsewhere.fetch(commit)
        return elsewhere.commit_info(commit).id == commit


def test_what_a_person_merges_landed_then(workshop: Workshop, method: str) -> None:
    """Also where the branch has gone on since."""
    pull = workshop.open()
    head = workshop.push()
    workshop.push(BASE, **{"base.txt": "moved\n"})
    workshop.bench.later(HOUR)
    tip = workshop.bench.merge(pull.number, method)
    merged_at = workshop.world.now
    workshop.bench.later(HOUR)
    workshop.push(HEAD)
    assert workshop.forge.find_open(HEAD, BASE) is None
    found = workshop.forge.last_finished(HEAD, BASE)
    assert found is not None
    assert (found.number, found.state, found.head_commit) == (pull.number, "merged", head)
    assert found.merged_at is not None
    assert abs(found.merged_at - merged_at) < timedelta(minutes=1)
    assert workshop.landed_at(tip) == found.merged_at
    told = workshop.forge.get(pull.number)
    assert (told.state, told.merged_at, told.merge_commit) == ("merged", found.merged_at, found.merge_commit)


def test_what_came_without_a_pull_request_has_gits_time(workshop: Workshop) -> None:
    pull = workshop.open()
    workshop.bench.merge(pull.number, workshop.methods[0])
    workshop.bench.later(HOUR)
    assert workshop.landed_at(workshop.push(BASE, **{"base.txt": "straight\n"})) is None


def test_what_waits_has_not_landed(workshop: Workshop) -> None:
    pull = workshop.open()
    assert workshop.landed_at(pull.head_commit) is None


def test_a_landing_is_told_where_nothing_was_looked_at_before(workshop: Workshop, method: str) -> None:
    pull = workshop.open()
    workshop.push(BASE, **{"base.txt": "moved\n"})
    tip = workshop.bench.merge(pull.number, method)
    told = workshop.landed_at(tip)
    assert told is not None
    assert abs(told - workshop.world.now) < timedelta(minutes=1)


@pytest.mark.parametrize("deletes", [False, True], ids=["the branch stays", "the branch is deleted"])
def test_the_head_of_a_closed_one_is_told_and_kept(workshop: Workshop, *, deletes: bool) -> None:
    pull = workshop.open()
    workshop.bench.close(pull.number)
    if deletes:
        workshop.bench.delete_branch(HEAD)
    workshop.push(HEAD)
    assert workshop.forge.find_open(HEAD, BASE) is None
    found = workshop.forge.last_finished(HEAD, BASE)
    assert found is not None
    assert (found.number, found.state, found.merged_at) == (pull.number, "closed", None)
    assert found.closed_at is not None
    if workshop.can.kind == "local" or not deletes:  # elsewhere the branch may be another one since then
        assert found.head_commit == pull.head_commit
    assert fetched(workshop, found.head_commit)


def test_a_merged_and_deleted_branch_is_still_told_by_its_name(workshop: Workshop) -> None:
    pull = workshop.open()
    workshop.bench.merge(pull.number, workshop.methods[0])
    workshop.bench.delete_branch(HEAD)
    found = workshop.forge.last_finished(HEAD, BASE)
    assert found is not None
    assert (found.number, found.head, found.head_commit) == (pull.number, HEAD, pull.head_commit)
    assert workshop.forge.get(pull.number).head == HEAD
    assert fetched(workshop, found.head_commit)


def test_what_was_opened_again_is_open(workshop: Workshop) -> None:
    if not workshop.can.reopens:
        return
    pull = workshop.open()
    workshop.bench.close(pull.number)
    assert workshop.forge.find_open(HEAD, BASE) is None
    workshop.bench.reopen(pull.number)
    found = workshop.forge.find_open(HEAD, BASE)
    assert found is not None
    assert (found.number, found.closed_at) == (pull.number, None)
    assert workshop.forge.last_finished(HEAD, BASE) is None


def test_one_whose_branch_is_gone_is_not_open(workshop: Workshop) -> None:
    pull = workshop.open()
    workshop.bench.delete_branch(HEAD)
    assert workshop.forge.find_open(HEAD, BASE) is None
    workshop.push(HEAD)
    again = workshop.forge.open(HEAD, BASE, "Once more", "Body").pull_request
    assert again.state == "open"
    assert [one.number for one in workshop.pulls() if one.state == "open"] == [again.number]
    assert workshop.truth(again.number).head == HEAD
    if workshop.can.deleting_closes:
        assert workshop.truth(pull.number).state == "closed"


def test_the_one_that_was_closed_last_is_the_last_finished(workshop: Workshop) -> None:
    numbers = []
    for _ in range(4):
        pull = workshop.open()
        workshop.bench.later(timedelta(seconds=1))
        workshop.bench.close(pull.number)
        workshop.bench.later(timedelta(seconds=1))
        numbers.append(pull.number)
    workshop.bench.comment(numbers[0], "a late word makes it no later")
    workshop.push(BASE, **{"base.txt": "moved\n"})
    found = workshop.forge.last_finished(HEAD, BASE)
    assert found is not None
    assert found.number == numbers[-1]


def test_one_that_goes_elsewhere_is_no_longer_ours(workshop: Workshop) -> None:
    workshop.push("trial", **{"trial.txt": "another base\n"})
    pull = workshop.open()
    workshop.bench.retarget(pull.number, "trial")
    assert workshop.forge.find_open(HEAD, BASE) is None
    found = workshop.forge.find_open(HEAD, "trial")
    assert found is not None
    assert (found.number, found.base) == (pull.number, "trial")


def test_a_persons_commit_moves_the_head(workshop: Workshop) -> None:
    pull = workshop.open()
    tip = workshop.push(HEAD, **{"NOTES.md": "mine\n"})
    found = workshop.forge.find_open(HEAD, BASE)
    assert found is not None
    assert (found.number, found.head_commit) == (pull.number, tip)
    assert workshop.forge.get(pull.number).head_commit == tip


def test_a_base_that_was_forced_elsewhere_leaves_it_open(workshop: Workshop) -> None:
    began = workshop.tip()
    workshop.push(BASE, **{"base.txt": "one\n"})
    pull = workshop.open()
    workshop.bench.force_push(BASE, began)
    workshop.push(BASE, **{"base.txt": "another history\n"})
    found = workshop.forge.find_open(HEAD, BASE)
    assert found is not None
    assert (found.number, found.head_commit) == (pull.number, workshop.tip(HEAD))
    assert git("rev-parse", f"{BASE}^", cwd=workshop.world.origin) == began


def test_short_pages_hide_nothing(workshop: Workshop) -> None:
    workshop.bench.small_pages()
    first = workshop.open()
    for number in range(4):
        workshop.bench.comment(first.number, f"word {number}")
    others = [workshop.open(f"branch-{number}").number for number in range(5)]
    for number in others[:4]:
        workshop.bench.close(number)
    found = workshop.forge.find_open(HEAD, BASE)
    assert found is not None
    assert found.number == first.number
    last = workshop.forge.last_finished("branch-0", BASE)
    assert last is not None
    assert last.number == others[0]
    assert [one.number for one in workshop.forge.list("all")] == sorted([first.number, *others], reverse=True)
    assert [one.number for one in workshop.forge.list()] == [others[4], first.number]
    assert workshop.forge.get(first.number).comments == tuple(f"word {number}" for number in range(4))
    workshop.forge.comment(first.number, "word 3")
    assert workshop.truth(first.number).comments[:4] == tuple(f"word {number}" for number in range(4))
