"""How a pull request is opened: in few requests, finished after any fault, and not mistaken for one that goes elsewhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from github_world import GitHubWorld
from standin import StandIn, faults

BRANCH = "release/devel"
REVIEWED = "publish: {labels: [release], reviewers: [alice], timeout: 20s}\n"
UNLABELLED = pytest.mark.world(publish=REVIEWED.replace("release", ""))

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_waits"), pytest.mark.world(publish=REVIEWED)]


def reviewers(github: GitHubWorld) -> list[str]:
    return [user.login for user in github.only.reviewers]


# -- in few requests
@pytest.mark.parametrize("deletes", [True, False], ids=["the branch was deleted", "the branch stays"])
@pytest.mark.parametrize("asked", [False, True], ids=["landings that are known", "a landing to look up"])
@pytest.mark.world(publish=REVIEWED, keep=1)
def test_with_reviewers_and_a_label_it_takes_five_requests_and_six_with_a_landing(
    github: GitHubWorld, standin: StandIn, *, asked: bool, deletes: bool
) -> None:
    standin.now = standin.changes.now = lambda: github.world.now
    github.repository.delete_branch_on_merge = deletes
    github.bump("v1.0.5")
    github.alice.merge(1, "squash")
    github.bump("v1.0.6")
    if asked:  # the pull request becomes two commits, and only the last one is told with it
        github.alice.edit(BRANCH, {"NOTES.md": "mine\n"})
    github.alice.merge(2, "rebase" if asked else "squash")
    github.world.now += timedelta(days=1)
    before = len(github.calls())
    github.bump("v1.0.7")
    assert github.calls(before) == [
        "GET /pulls",
        *([f"GET /commits/{github.repository.bare.commit('main~1')}/pulls"] if asked else []),
        "GET /pulls",
        "POST /pulls",
        "POST /pulls/3/requested_reviewers",
        "POST /issues/3/labels",
    ]


def test_an_open_one_that_was_not_expected_is_adopted(github: GitHubWorld) -> None:
    """A person opened it for a branch on which nothing waits."""
    github.bump("v1.0.5")
    github.alice.close(1)
    github.alice.reopen(1)
    github.alice.close(1)
    tip = github.repository.bare.tip(BRANCH)
    assert tip is not None
    base = github.repository.bare.tip("main")
    assert base is not None
    user = github.standin.user("alice")
    head = (github.repository, BRANCH, tip)
    github.standin.new_pull(github.repository, user, "By hand", "Text", head, ("main", base), None)
    github.bump("v1.0.6")
    assert (github.only.number, github.only.title) == (2, "devel: bump v1.0.6")


# -- finished after any fault
@pytest.mark.parametrize("labels", [pytest.param([], marks=UNLABELLED), ["release"]], ids=["no labels", "labels"])
@pytest.mark.parametrize("step", ["/pulls$", "/requested_reviewers$", "/(pulls/1|labels)$"])
def test_reviewers_are_asked_after_a_lost_answer(github: GitHubWorld, labels: list[str], step: str) -> None:
    order = github.standin.fault("*", step, faults.reset_before(), times=99)
    github.bump("v1.0.5", code=75)
    assert order.fired
    github.standin.drop_faults()
    github.bump("v1.0.5")
    assert (reviewers(github), github.only.labels) == (["alice"], labels)
    body = github.only.body or ""
    assert "<!-- release: this pull request is still being opened" not in body
    assert "v1.0.5" in body
    before = len(github.calls())
    github.bump("v1.0.6")
    assert github.calls(before) == ["GET /pulls", "GET /pulls", "PATCH /pulls/1"], "they are asked once"


@UNLABELLED
def test_a_reviewer_whom_somebody_took_off_is_not_asked_again(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.only.reviewers.clear()
    github.bump("v1.0.6")
    assert reviewers(github) == []


# -- one that goes elsewhere
def test_one_whose_base_somebody_changed_is_told(github: GitHubWorld, caplog: pytest.LogCaptureFixture) -> None:
    github.alice.push("trial", {"README.md": "another\n"})
    github.bump("v1.0.5")
    github.only.base = "trial"
    before = len(github.calls())
    github.bump("v1.0.6")
    words = "pull request #1 of release/devel goes to trial and not to main: change its base back, or close it"
    assert [record.getMessage().startswith(words) for record in caplog.records if record.levelname == "WARNING"] == [
        True
    ]
    assert [(pull.number, pull.base, pull.title) for pull in github.open] == [
        (1, "trial", "devel: bump v1.0.5"),
        (2, "main", "devel: bump v1.0.5, v1.0.6"),
    ]
    assert github.calls(before)[:3] == ["GET /pulls", "GET /pulls", "GET /pulls"], "no request more than without it"
    github.alice.close(1)
    caplog.clear()
    github.bump("v1.0.7")
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


# -- the clock
def test_a_clock_that_is_not_githubs_is_refused_before_anything_is_pushed(github: GitHubWorld) -> None:
    right = github.world.now
    github.standin.date = lambda: right
    before = github.world.refs()
    github.world.now += timedelta(days=200)
    said = github.bump("v1.0.5", code=1).err
    assert "200 days ahead of that of the forge" in said
    assert (github.world.refs(), github.calls()) == (before, github.calls()[:1])
    github.bump("v1.0.5", "--force", "--reason", "why")
    github.world.now = right + timedelta(minutes=50)
    assert "close the pull request of that branch" in github.bump("v1.0.6", code=1).err
