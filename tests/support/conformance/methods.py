"""Each method of the contract (`release_tool/forges/base.py`), where nothing goes wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conformance.workshop import BASE, HEAD, Workshop
from release_tool.errors import Refused, ReleaseError
from release_tool.forges.base import Forge, KeepsComments
from release_tool.model.records import CommitId

HOUR = timedelta(hours=1)
MARKER = "<!-- release: kept -->"


# -- looking


def test_nothing_is_found_where_nothing_is(workshop: Workshop) -> None:
    forge: Forge = workshop.forge
    assert forge.find_open(HEAD, BASE) is None
    assert forge.last_finished(HEAD, BASE) is None
    assert forge.list("all") == ()
    assert isinstance(forge, KeepsComments) or not workshop.can.keeps_comments


def test_an_open_one_is_found_as_it_was_opened(workshop: Workshop) -> None:
    tip = workshop.push()
    opened = workshop.forge.open(HEAD, BASE, "Title", "Body – *Markdown*\n\n- one\n", ["release", "devel"])
    pull = opened.pull_request
    assert opened.created
    assert (pull.state, pull.head, pull.base, pull.head_commit, pull.title) == ("open", HEAD, BASE, tip, "Title")
    assert (pull.merge_commit, pull.merged_at, pull.closed_at) == (None, None, None)
    assert str(pull.number) in pull.url
    assert pull.name == f"{workshop.can.sigil}{pull.number}"
    found = workshop.forge.find_open(HEAD, BASE)
    assert found is not None
    assert found._replace(labels=()) == pull._replace(labels=())
    assert workshop.forge.get(pull.number)._replace(labels=()) == pull._replace(labels=())
    truth = workshop.only
    assert (truth.number, truth.state, truth.head, truth.base) == (pull.number, "open", HEAD, BASE)
    assert (truth.title, truth.body.strip()) == ("Title", "Body – *Markdown*\n\n- one")
    assert sorted(truth.labels) == (["devel", "release"] if workshop.can.labels else [])
    assert sorted(found.labels) == sorted(truth.labels)
    assert not truth.auto_merge


def test_only_the_branch_that_is_meant_is_found(workshop: Workshop) -> None:
    workshop.push("other", base="another base\n")
    names = ["release/devel-downgrade", "release/devel2", "release", "devel"]
    for name in ("release/devel-downgrade", "xrelease/devel", "devel"):
        workshop.open(name)
    workshop.push()
    elsewhere = workshop.forge.open(HEAD, "other", "Title", "Body").pull_request
    assert workshop.forge.find_open(HEAD, BASE) is None
    assert workshop.forge.find_open(HEAD, "other") is not None
    for name in names[2:3]:
        assert workshop.forge.find_open(name, BASE) is None
    for one in workshop.pulls():
        workshop.forge.close(one.number)
    assert workshop.forge.last_finished(HEAD, BASE) is None
    finished = workshop.forge.last_finished(HEAD, "other")
    assert finished is not None
    assert finished.number == elsewhere.number


def test_a_branch_of_any_name_is_found(workshop: Workshop) -> None:
    for branch in ("release/größe", "release/a+b", "release/100%25", "release/a&base=x", "release/a#b"):
        pull = workshop.open(branch)
        found = workshop.forge.find_open(branch, BASE)
        assert found is not None, branch
        assert (found.number, found.head) == (pull.number, branch)
        assert workshop.truth(pull.number).head == branch


def test_the_list_tells_states_and_the_newest_comes_first(workshop: Workshop) -> None:
    one, two, three = (workshop.open(f"branch-{number}").number for number in range(3))
    workshop.bench.merge(one, workshop.methods[0])
    workshop.bench.close(two)
    told = [(pull.number, pull.state) for pull in workshop.forge.list("all")]
    assert told == [(three, "open"), (two, "closed"), (one, "merged")]
    assert [pull.number for pull in workshop.forge.list()] == [three]
    assert [pull.number for pull in workshop.forge.list("merged")] == [one]
    assert [pull.number for pull in workshop.forge.list("closed")] == [two]


def test_an_unknown_number_is_an_error_that_names_it(workshop: Workshop) -> None:
    with pytest.raises(ReleaseError, match=f"{workshop.can.sigil}4711") as caught:
        workshop.forge.get(4711)
    assert caught.value.exit_code == 1
    assert caught.value.hint


def test_the_clock_of_the_server_is_told(workshop: Workshop) -> None:
    workshop.forge.find_open(HEAD, BASE)
    if workshop.can.kind != "local":
        assert workshop.forge.skew is not None
        assert abs(workshop.forge.skew) < timedelta(minutes=1)


# -- opening


def test_the_open_one_is_adopted_as_it_is(workshop: Workshop) -> None:
    first = workshop.open(labels=["release"])
    again = workshop.forge.open(HEAD, BASE, "Another title", "Another body", ["more"])
    assert (again.created, again.pull_request.number) == (False, first.number)
    truth = workshop.only
    assert (truth.title, truth.body) == ("Title", "Body")
    assert "more" not in truth.labels


def test_without_the_branch_nothing_is_opened(workshop: Workshop) -> None:
    with pytest.raises(Refused):
        workshop.forge.open("release/nowhere", BASE, "Title", "Body")
    assert workshop.pulls() == []


def test_without_the_base_nothing_is_opened(workshop: Workshop) -> None:
    workshop.push()
    with pytest.raises(ReleaseError) as caught:
        workshop.forge.open(HEAD, "nowhere", "Title", "Body")
    assert caught.value.exit_code == 1
    assert workshop.pulls() == []


def test_a_branch_that_changes_nothing_is_proposed_only_where_that_can_be(workshop: Workshop) -> None:
    workshop.bench.force_push("release/empty", workshop.tip())
    if workshop.can.opens_empty:
        assert workshop.forge.open("release/empty", BASE, "Title", "Body").created
    else:
        with pytest.raises(Refused):
            workshop.forge.open("release/empty", BASE, "Title", "Body")
        assert workshop.pulls() == []


def test_labels_of_any_letters_are_made(workshop: Workshop) -> None:
    labels = ["release: devel", "größe", "Ready / now", "a" * 40]
    pull = workshop.open(labels=labels)
    assert sorted(workshop.only.labels) == (sorted(labels) if workshop.can.labels else [])
    workshop.forge.update(pull.number, "Title", "Body", [*labels, "RELEASE: DEVEL", "second"])
    expected = sorted([*labels, "second"])
    told = [label for label in sorted(workshop.only.labels) if label != "RELEASE: DEVEL"]
    assert told == (expected if workshop.can.labels else [])


def test_reviewers_are_asked_and_one_who_cannot_be_stops_nothing(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    if not (workshop.can.reviewers and workshop.bench.reviewer):
        return
    workshop.open(labels=["release"], reviewers=["nobody-of-that-name", workshop.bench.reviewer])
    truth = workshop.only
    assert truth.reviewers == (workshop.bench.reviewer,)
    assert truth.labels == (("release",) if workshop.can.labels else ())
    assert (truth.title, truth.body) == ("Title", "Body")
    assert "nobody-of-that-name" in caplog.text


# -- changing


def test_an_update_sets_title_and_text_and_keeps_the_rest(workshop: Workshop) -> None:
    pull = workshop.open(labels=["release"])
    workshop.bench.comment(pull.number, "why?")
    for _ in range(2):  # it may be called again
        updated = workshop.forge.update(pull.number, "New title", "New body", ["release", "devel"])
        assert (updated.number, updated.state, updated.title, updated.body.strip()) == (
            *(pull.number, "open", "New title", "New body"),
        )
    truth = workshop.only
    assert (truth.title, truth.body.strip(), truth.state) == ("New title", "New body", "open")
    assert sorted(truth.labels) == (["devel", "release"] if workshop.can.labels else [])
    assert truth.comments == ("why?",)


@pytest.mark.parametrize("state", ["merged", "closed"])
def test_a_finished_one_takes_no_update(workshop: Workshop, state: str) -> None:
    pull = workshop.open(labels=["release"])
    _ = (
        workshop.bench.merge(pull.number, workshop.methods[0])
        if state == "merged"
        else workshop.bench.close(pull.number)
    )
    with pytest.raises(Refused, match=state):
        workshop.forge.update(pull.number, "New", "Text", ["more"])
    assert workshop.only.state == state


def test_it_is_closed_with_a_comment_and_its_branch_stays(workshop: Workshop) -> None:
    pull = workshop.open()
    closed = workshop.forge.close(pull.number, "nothing is left")
    assert (closed.state, closed.merged_at, closed.closed_at is not None) == ("closed", None, True)
    assert workshop.forge.close(pull.number, "once more").state == "closed"
    truth = workshop.only
    assert (truth.state, truth.comments) == ("closed", ("nothing is left",))
    assert workshop.tip(HEAD) == pull.head_commit
    assert workshop.forge.find_open(HEAD, BASE) is None


def test_a_merged_one_is_not_closed(workshop: Workshop) -> None:
    pull = workshop.open()
    workshop.bench.merge(pull.number, workshop.methods[0])
    assert workshop.forge.close(pull.number, "too late").state == "merged"
    assert workshop.only.comments == ()


def test_comments_stand_below_also_a_finished_one(workshop: Workshop) -> None:
    pull = workshop.open()
    workshop.bench.comment(pull.number, "why?")
    workshop.forge.comment(pull.number, "it conflicts\n\n- `a`")
    workshop.forge.close(pull.number)
    workshop.forge.comment(pull.number, "afterwards")
    expected = ("why?", "it conflicts\n\n- `a`", "afterwards")
    assert workshop.only.comments == expected
    assert workshop.forge.get(pull.number).comments == expected


def test_one_comment_of_ours_is_kept_up_to_date_and_others_are_left_alone(workshop: Workshop) -> None:
    forge = workshop.forge
    if not workshop.can.keeps_comments:
        return
    assert isinstance(forge, KeepsComments)
    number = workshop.open().number
    forge.keep_comment(number, MARKER, f"{MARKER}\nnone", only_if_there=True)
    assert workshop.only.comments == ()
    theirs = f"{MARKER}\nnot ours"
    workshop.bench.comment(number, theirs)
    for text in ("one", "one", "two"):
        forge.keep_comment(number, MARKER, f"{MARKER}\n{text}")
    forge.keep_comment(number, "<!-- release: other -->", "<!-- release: other -->\nanother")
    workshop.forge.close(number)
    forge.keep_comment(number, MARKER, f"{MARKER}\nthree", only_if_there=True)
    assert workshop.only.comments == (theirs, f"{MARKER}\nthree", "<!-- release: other -->\nanother")


# -- merging


def test_it_merges_what_was_checked(workshop: Workshop, method: str) -> None:
    """By each way of merging that the forge's API has; the check sees what the base becomes."""
    pull = workshop.open()
    head = workshop.push(HEAD, **{"made/second.txt": "2\n"})
    workshop.push(BASE, **{"base.txt": "moved\n"})
    if not workshop.can.methods:
        with pytest.raises(Refused):
            workshop.forge.merge(pull.number, method)
        assert workshop.only.state == "open"
        return
    seen: list[str] = []
    merged = workshop.forge.merge(pull.number, method, seen.append)
    assert (merged.state, merged.number, merged.head_commit) == ("merged", pull.number, head)
    assert merged.merged_at is not None
    assert (workshop.world.file("made/second.txt"), workshop.world.file("base.txt")) == ("2\n", "moved\n")
    assert merged.merge_commit == workshop.tip()
    assert len(seen) == 1
    assert workshop.tip(HEAD) == ""
    assert workshop.only.state == "merged"
    again = workshop.forge.merge(pull.number, method, seen.append)
    assert (again.state, again.merge_commit, len(seen)) == ("merged", merged.merge_commit, 1)
    assert workshop.landed_at(workshop.tip()) == merged.merged_at


def test_what_its_check_refuses_is_not_merged(workshop: Workshop) -> None:
    pull = workshop.open()
    before = workshop.tip()

    def refuse(_: CommitId) -> None:
        raise Refused("the merge breaks a route")

    with pytest.raises(Refused):
        workshop.forge.merge(pull.number, workshop.methods[0], refuse)
    assert (workshop.tip(), workshop.only.state) == (before, "open")


def test_what_conflicts_is_not_merged(workshop: Workshop, method: str) -> None:
    workshop.push(HEAD, **{"base.txt": "ours\n"})
    pull = workshop.forge.open(HEAD, BASE, "Title", "Body").pull_request
    before = workshop.push(BASE, **{"base.txt": "theirs\n"})
    with pytest.raises(Refused) as caught:
        workshop.forge.merge(pull.number, method)
    assert caught.value.exit_code == 1
    assert (workshop.tip(), workshop.only.state) == (before, "open")


def test_a_closed_one_is_not_merged(workshop: Workshop) -> None:
    pull = workshop.open()
    workshop.bench.close(pull.number)
    with pytest.raises(Refused):
        workshop.forge.merge(pull.number, workshop.methods[0])
    assert workshop.only.state == "closed"


def test_where_nothing_is_asked_for_it_is_merged_at_once(workshop: Workshop) -> None:
    pull = workshop.open()
    if workshop.can.auto_merge == "no":
        with pytest.raises(Refused):
            workshop.forge.merge_when_ready(pull.number, pull.head_commit)
        return
    assert workshop.forge.merge_when_ready(pull.number, pull.head_commit) == "merged"
    assert workshop.only.state == "merged"
    assert workshop.forge.merge_when_ready(pull.number, pull.head_commit) == "merged"
    workshop.forge.merge_by_hand(pull.number)
    assert workshop.only.state == "merged"


def test_another_head_than_the_one_that_was_looked_at_is_not_merged(workshop: Workshop) -> None:
    pull = workshop.open()
    workshop.push()
    with pytest.raises(Refused):
        workshop.forge.merge_when_ready(pull.number, pull.head_commit)
    truth = workshop.only
    assert (truth.state, truth.auto_merge) == ("open", False)


def test_it_waits_for_an_approval_and_is_merged_with_it(workshop: Workshop) -> None:
    if workshop.can.auto_merge == "no":
        return
    workshop.bench.ask_for_approval(BASE)
    pull = workshop.open()
    for _ in range(2):
        assert workshop.forge.merge_when_ready(pull.number, pull.head_commit) == "waiting"
    assert workshop.only.state == "open"
    workshop.bench.approve(pull.number)
    if workshop.can.auto_merge == "pass":
        assert not workshop.only.auto_merge, "the forge's own way would merge what is pushed later"
        assert workshop.forge.merge_when_ready(pull.number, pull.head_commit) == "merged"
    assert workshop.only.state == "merged"


def test_what_waits_to_be_merged_is_held_again(workshop: Workshop) -> None:
    if workshop.can.auto_merge == "no":
        return
    workshop.bench.ask_for_approval(BASE)
    pull = workshop.open()
    workshop.forge.merge_by_hand(pull.number)
    assert workshop.forge.merge_when_ready(pull.number, pull.head_commit) == "waiting"
    for _ in range(2):
        workshop.forge.merge_by_hand(pull.number)
    assert not workshop.only.auto_merge
    workshop.bench.approve(pull.number)
    assert workshop.only.state == "open"
