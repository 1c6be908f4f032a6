"""Two clients that nobody here wrote do a whole pull request on the stand-in: PyGithub and githubkit."""

from __future__ import annotations

import warnings

import pytest
from standin import StandIn
from standin_shop import Shop

with warnings.catch_warnings():  # what they do when they are imported is theirs
    warnings.simplefilter("ignore")
    import github
    import githubkit
    from github import Auth, Github, GithubException
    from githubkit.exception import RequestFailed

from collections.abc import Iterator
from pathlib import Path


@pytest.fixture
def shop(standin: StandIn) -> Shop:
    return Shop(standin, roles={"alice": "write"})


@pytest.fixture
def pushed(shop: Shop, tmp_path: Path) -> None:
    """Two branches, pushed with git."""
    clone = shop.clone(tmp_path / "clone")
    for branch in ("release/devel", "release/staging"):
        clone.git("checkout", "--quiet", "-b", branch, "origin/main")
        clone.commit("tags.yaml", f"- {branch}\n")
        clone.git("push", "--quiet", "origin", branch)


@pytest.fixture
def pygithub(shop: Shop) -> Iterator[Github]:
    with Github(
        auth=Auth.Token(shop.token.value),
        base_url=shop.standin.api,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    ) as one:
        yield one


@pytest.mark.usefixtures("pushed")
def test_pygithub_does_a_whole_pull_request(shop: Shop, pygithub: Github) -> None:
    repository = pygithub.get_repo("acme/shop")
    assert (repository.default_branch, repository.permissions.push) == ("main", True)
    pull = repository.create_pull(base="main", head="release/devel", title="Release", body="What changes")
    with pytest.raises(GithubException, match="A pull request already exists for acme:release/devel"):
        repository.create_pull(base="main", head="release/devel", title="Again", body="")
    pull.add_to_labels("release", "devel")
    assert [label.name for label in pull.get_labels()] == ["release", "devel"]
    comment = pull.create_issue_comment("Look at this")
    comment.edit("Look at that")
    assert [one.body for one in pull.get_issue_comments()] == ["Look at that"]
    pull.create_review_request(reviewers=["alice"])
    assert [user.login for user in pull.get_review_requests()[0]] == ["alice"]
    shop.alice.approve(pull.number)
    assert [(review.user.login, review.state) for review in pull.get_reviews()] == [("alice", "APPROVED")]
    shop.alice.check("release/devel", "ci", "success")
    commit = repository.get_commit(pull.head.sha)
    assert [run.conclusion for run in commit.get_check_runs()] == ["success"]
    pull.edit(title="Release v5")
    assert [one.title for one in repository.get_pulls(head="acme:release/devel", state="open")] == ["Release v5"]
    merged = pull.merge(merge_method="squash", sha=pull.head.sha)
    assert (merged.merged, merged.sha) == (True, shop.bare.tip("main"))
    assert [one.number for one in repository.get_commit(merged.sha).get_pulls()] == [pull.number]
    repository.get_git_ref("heads/release/devel").delete()
    second = repository.create_pull(base="main", head="release/staging", title="Release", body="")
    second.edit(state="closed")
    states = {one.number: (one.state, one.merged_at is not None) for one in repository.get_pulls(state="all")}
    assert states == {pull.number: ("closed", True), second.number: ("closed", False)}


@pytest.mark.usefixtures("pushed")
def test_githubkit_does_a_whole_pull_request(shop: Shop) -> None:
    """It checks every answer against models of its own that are made from GitHub's description."""
    client = githubkit.GitHub(shop.token.value, base_url=f"{shop.standin.api}/", http_cache=False, auto_retry=False)
    where = {"owner": "acme", "repo": "shop"}
    rest = client.rest
    assert rest.repos.get(**where).parsed_data.default_branch == "main"
    new = {"title": "Release", "head": "release/devel", "base": "main", "body": "What changes"}
    pull = rest.pulls.create(**where, **new).parsed_data
    with pytest.raises(RequestFailed) as caught:
        rest.pulls.create(**where, **new)
    assert caught.value.response.status_code == 422
    number = {"pull_number": pull.number}
    issue = {"issue_number": pull.number}
    labels = rest.issues.add_labels(**where, **issue, labels=["release"]).parsed_data
    assert [label.name for label in labels] == ["release"]
    rest.issues.create_comment(**where, **issue, body="Look at this")
    assert [one.body for one in rest.issues.list_comments(**where, **issue).parsed_data] == ["Look at this"]
    asked = rest.pulls.request_reviewers(**where, **number, reviewers=["alice"]).parsed_data
    assert [user.login for user in asked.requested_reviewers or []] == ["alice"]
    shop.alice.approve(pull.number)
    assert [review.state for review in rest.pulls.list_reviews(**where, **number).parsed_data] == ["APPROVED"]
    found = rest.pulls.list(**where, head="acme:release/devel").parsed_data
    assert [one.number for one in found] == [pull.number]
    merged = rest.pulls.merge(**where, **number, merge_method="rebase").parsed_data
    assert merged.sha == shop.bare.tip("main")
    assert rest.pulls.get(**where, **number).parsed_data.merged
    rest.git.delete_ref(**where, ref="heads/release/devel")
    second = rest.pulls.create(**where, **{**new, "head": "release/staging"}).parsed_data
    closed = rest.pulls.update(**where, pull_number=second.number, state="closed").parsed_data
    assert (closed.state, closed.merged) == ("closed", False)
    answer = client.graphql("{ viewer { login } }")
    assert answer == {"viewer": {"login": "shop-bot"}}


def test_these_are_the_clients_of_others() -> None:
    assert all("site-packages" in f"{client.__file__}" for client in (github, githubkit))
