"""Each method of the forge, against the stand-in."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from standin import Protection, faults
from standin_shop import BASE, HEAD, Desk

from release_tool.errors import Refused, ReleaseError
from release_tool.model.records import CommitId

# -- looking


def test_branches_of_other_bases_and_of_forks_are_not_ours(desk: Desk) -> None:
    desk.shop.alice.push("other", {"a": "b"})
    desk.open("release/devel-downgrade")
    desk.push()
    desk.forge.open(HEAD, "other", "Title", "Body")
    fork = desk.standin.add_repository("acme/shop-fork", parent="acme/shop")
    base = desk.shop.bare.tip(BASE)
    assert base is not None
    head = (fork, HEAD, base)
    desk.standin.new_pull(desk.shop.repository, desk.standin.user("bob"), "T", "B", head, (BASE, base), None)
    assert desk.forge.find_open(HEAD, BASE) is None
    assert desk.forge.find_open(HEAD, "other") is not None


def test_the_one_that_was_closed_last_is_the_last_finished(desk: Desk) -> None:
    clock = [datetime(2026, 11, 23, 12, tzinfo=timezone.utc)]
    desk.standin.now = lambda: clock[0]
    desk.standin.changes.now = desk.standin.now
    for number in range(1, 14):
        clock[0] += timedelta(hours=1)
        assert desk.open() == number
        desk.shop.alice.close(number)
    clock[0] += timedelta(hours=1)
    assert desk.open() == 14
    for number in range(1, 13):  # what was said later makes them no later
        clock[0] += timedelta(hours=1)
        desk.shop.alice.comment(number, "a late word")
    found = desk.forge.last_finished(HEAD, BASE)
    assert found is not None
    assert (found.number, found.state) == (13, "closed")
    tip = found.head_commit
    desk.push()
    assert desk.forge.last_finished(HEAD, BASE).head_commit == tip  # type: ignore[union-attr]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_what_was_merged_landed_then(desk: Desk, method: str) -> None:
    number = desk.open()
    desk.shop.alice.push(HEAD, {"b": "c"}, "One more")
    landed = CommitId(desk.shop.alice.merge(number, method))
    merged_at = desk.forge.get(number).merged_at
    assert merged_at is not None
    before = len(desk.requests())
    assert desk.forge.landed_at(landed) == merged_at
    assert desk.forge.landed_at(landed) == merged_at
    assert desk.requests(before) == [f"GET /commits/{landed}/pulls"]


def test_what_came_without_a_pull_request_has_gits_time(desk: Desk) -> None:
    pushed = CommitId(desk.shop.alice.push(BASE, {"b": "c"}))
    assert desk.forge.landed_at(pushed) is None
    assert desk.forge.landed_at(CommitId("0" * 40)) is None


# -- opening
def test_labels_are_made_and_reviewers_asked(desk: Desk) -> None:
    number = desk.open(labels=["release", "brand new"], reviewers=["alice", "acme/platform"])
    pull = desk.shop.repository.pulls[number]
    assert pull.labels == ["release", "brand new"]
    assert [user.login for user in pull.reviewers] == ["alice"]
    assert pull.teams == ["platform"]
    assert desk.requests()[-3:] == ["POST /pulls", "POST /pulls/1/requested_reviewers", "POST /issues/1/labels"]


def test_reviewers_whom_github_refuses_do_not_stop_it(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    number = desk.open(labels=["release"], reviewers=["alice", "stranger", "shop-bot[bot]", "acme/nobody"])
    pull = desk.shop.repository.pulls[number]
    assert [user.login for user in pull.reviewers] == ["alice"]
    assert pull.labels == ["release"]
    assert [record.args[0] for record in caplog.records if record.levelname == "WARNING"] == [  # type: ignore[index]
        "stranger",
        "acme/nobody",
    ]


@pytest.mark.parametrize(
    ("head", "base", "words"),
    [("nowhere", BASE, "head invalid"), (HEAD, "nowhere", "base invalid"), (BASE, BASE, "No commits between")],
)
def test_what_cannot_be_proposed_is_refused_in_githubs_words(desk: Desk, head: str, base: str, words: str) -> None:
    desk.push()
    with pytest.raises(Refused, match=words):
        desk.forge.open(head, base, "Title", "Body")
    assert desk.slept == ([1.0] if head == "nowhere" else [])


def test_texts_that_are_too_long_are_cut_and_strange_letters_stay(desk: Desk) -> None:
    desk.push()
    line = "🚀 \u202eright to left\u202c | <b>\n"
    desk.forge.open(HEAD, BASE, "é" * 300, line * 5000)
    pull = desk.shop.repository.pulls[1]
    assert pull.title == "é" * 255 + "…"
    body = pull.body or ""
    assert 60_000 < len(body) <= 65_536
    assert body.startswith(line * 100)
    assert body.endswith("This text was cut here: GitHub takes no longer one.\n")


# -- changing
def test_an_update_sets_the_text_and_adds_what_is_missing(desk: Desk) -> None:
    number = desk.open(labels=["release"])
    before = len(desk.requests())
    pull = desk.forge.update(number, "New", "Text", ["Release"])
    assert (pull.title, pull.body, pull.labels) == ("New", "Text", ("release",))
    assert desk.requests(before) == ["PATCH /pulls/1"]
    pull = desk.forge.update(number, "New", "Text", ["release", "devel"], reviewers=["alice"])
    assert pull.labels == ("release", "devel")
    assert [user.login for user in desk.shop.repository.pulls[1].reviewers] == ["alice"]


def test_a_comment_with_a_marker_is_kept_up_to_date(desk: Desk) -> None:
    number = desk.open()
    desk.forge.keep_comment(number, "<!-- diff -->", "<!-- diff -->\nnone", only_if_there=True)
    assert desk.forge.get(number).comments == ()
    for text in ("one", "one", "two"):
        desk.forge.keep_comment(number, "<!-- diff -->", f"<!-- diff -->\n{text}")
    assert desk.forge.get(number).comments == ("<!-- diff -->\ntwo",)
    assert sum("updateIssueComment" in str(call.body) for call in desk.standin.calls()) == 1


@pytest.mark.parametrize("kind", ["fine-grained", "app", "actions"])
def test_a_comment_with_a_marker_that_somebody_else_wrote_is_left_to_him(desk: Desk, kind: str) -> None:
    number = desk.open()
    forge = desk.forge_of(desk.standin.add_token(kind=kind))
    for at in range(101):  # more than a page
        desk.shop.bob.comment(number, f"<!-- diff -->\nnot ours {at}")
    for text in ("one", "two"):
        forge.keep_comment(number, "<!-- diff -->", f"<!-- diff -->\n{text}")
    said = forge.get(number).comments
    assert said == (*(f"<!-- diff -->\nnot ours {at}" for at in range(101)), "<!-- diff -->\ntwo")


def test_what_a_check_or_the_branch_refuses_is_not_merged(desk: Desk) -> None:
    number = desk.open()

    def wrong(_commit: CommitId) -> None:
        raise Refused("it would break the base")

    with pytest.raises(Refused, match="break the base"):
        desk.forge.merge(number, "merge", wrong)
    desk.shop.repository.protections[BASE] = Protection(required_reviews=1)
    with pytest.raises(Refused, match="GitHub refuses to merge a pull request"):
        desk.forge.merge(number)
    assert desk.forge.get(number).state == "open"
    assert desk.shop.bare.tip(HEAD) is not None


# -- auto-merge
def test_what_stands_against_a_merge_is_read(desk: Desk) -> None:
    desk.shop.repository.protections[BASE] = Protection(required_reviews=1, contexts=("ci",))
    number = desk.open()
    desk.shop.alice.check(HEAD, "ci", "success")
    standing = desk.forge.merging.standing(number)
    assert (standing.state, standing.merge_state) == ("open", "blocked")
    desk.shop.alice.approve(number)
    assert desk.forge.merging.standing(number).merge_state == "clean"


def protected(desk: Desk) -> tuple[int, CommitId]:
    desk.shop.repository.allow_auto_merge = True
    desk.shop.repository.protections[BASE] = Protection(required_reviews=1)
    number = desk.open()
    return number, desk.forge.get(number).head_commit


def test_auto_merge_is_enabled_once(desk: Desk) -> None:
    number, head = protected(desk)
    desk.forge.merging.enable(number, "squash", head)
    desk.forge.merging.enable(number, "squash", head)
    assert desk.forge.merging.standing(number).auto_merge
    wish = desk.shop.repository.pulls[number].auto_merge
    assert wish is not None
    assert wish.method == "squash"
    sent = [call for call in desk.standin.calls() if "mutation" in str(call.body)]
    assert len(sent) == 1


@pytest.mark.parametrize("fault", [faults.reset_after(), faults.status(502, after=True), faults.reset_before()])
def test_auto_merge_whose_answer_is_lost_is_looked_for(desk: Desk, fault: faults.Fault) -> None:
    number, head = protected(desk)
    desk.standin.fault("POST", "/graphql", fault, nth=2)
    desk.forge.merging.enable(number, "merge", head)
    assert desk.forge.merging.standing(number).auto_merge


def test_auto_merge_that_github_declines_says_why(desk: Desk) -> None:
    number = desk.open()
    head = desk.forge.get(number).head_commit
    with pytest.raises(Refused, match="Auto merge is not allowed") as caught:
        desk.forge.merging.enable(number, "merge", head)
    assert "allow auto-merge" in caught.value.hint
    desk.shop.repository.allow_auto_merge = True
    with pytest.raises(Refused, match="clean status"):
        desk.forge.merging.enable(number, "merge", head)
    desk.push()
    with pytest.raises(Refused, match="has moved"):
        desk.forge.merging.enable(number, "merge", head)
    desk.shop.alice.close(number)
    with pytest.raises(Refused, match="is closed"):
        desk.forge.merging.enable(number, "merge", head)


def test_auto_merge_without_the_permission_names_it(desk: Desk) -> None:
    number, head = protected(desk)
    narrow = desk.standin.add_token(permissions={"pull_requests": "read", "contents": "read"})
    forge = desk.forge_of(narrow)
    with pytest.raises(ReleaseError, match="GitHub forbids to enable auto-merge") as caught:
        forge.merging.enable(number, "merge", head)
    assert not isinstance(caught.value, Refused)
    assert "`Pull requests: write` and `Contents: write`" in caught.value.hint


# -- left to the forge


def test_it_waits_for_what_the_rules_ask_for(desk: Desk) -> None:
    number, head = protected(desk)
    assert desk.forge.merge_when_ready(number, head) == "waiting"
    assert desk.forge.merge_when_ready(number, head) == "waiting"
    desk.shop.alice.approve(number)
    assert desk.forge.get(number).state == "merged"


@pytest.mark.parametrize("allowed", ["squash", "rebase", "merge"])
def test_it_takes_a_way_of_merging_that_is_allowed(desk: Desk, allowed: str) -> None:
    number, head = protected(desk)
    repository = desk.shop.repository
    repository.allow_merge_commit, repository.allow_squash_merge = allowed == "merge", allowed == "squash"
    repository.allow_rebase_merge = allowed == "rebase"
    assert desk.forge.merge_when_ready(number, head) == "waiting"
    wish = repository.pulls[number].auto_merge
    assert wish is not None
    assert wish.method == allowed


def test_a_rule_that_allows_fewer_ways_than_the_repository_is_kept(desk: Desk) -> None:
    number = desk.open()
    desk.shop.repository.protections[BASE] = Protection(required_linear_history=True)
    assert desk.forge.merge_when_ready(number, desk.forge.get(number).head_commit) == "merged"
    assert desk.forge.get(number).state == "merged"


def test_what_the_forge_does_not_merge_waits_for_a_person(desk: Desk) -> None:
    number, head = protected(desk)
    desk.shop.repository.allow_auto_merge = False
    with pytest.raises(Refused, match="Auto merge is not allowed"):
        desk.forge.merge_when_ready(number, head)
    desk.push()
    with pytest.raises(Refused, match="has moved"):
        desk.forge.merge_when_ready(number, head)


@pytest.mark.parametrize("fault", [faults.reset_after(), faults.status(502, after=True), faults.reset_before()])
def test_a_merge_whose_answer_is_lost_is_looked_for(desk: Desk, fault: faults.Fault) -> None:
    number = desk.open()
    head = desk.forge.get(number).head_commit
    desk.standin.fault("PUT", f"/pulls/{number}/merge", fault)
    assert desk.forge.merge_when_ready(number, head) == "merged"
    assert desk.forge.get(number).state == "merged"
