"""What people see where GitLab says no: who has to act, in GitLab's own words, with the right status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gitlab_standin import GitLab
from gitlab_world import PATH, GitLabWorld
from world import CONFIG


@pytest.fixture
def world(tmp_path: Path, gitlab: GitLab, monkeypatch: pytest.MonkeyPatch) -> GitLabWorld:
    from release_tool.forges import client

    monkeypatch.setattr(client, "_WAITS", (0.01, 0.02))
    return GitLabWorld(tmp_path, gitlab, monkeypatch)


def other_token(**more: Any) -> Callable[[GitLabWorld], None]:
    return lambda world: world.take(world.gitlab.add_token(project=PATH, **more))


def expire(world: GitLabWorld) -> None:
    world.token.expires = world.world.now - timedelta(days=1)


def revoke(world: GitLabWorld) -> None:
    world.token.revoked = True


def archive(world: GitLabWorld) -> None:
    world.project.archived = True


def maintain(world: GitLabWorld) -> None:
    world.gitlab.maintenance = True


def limit(world: GitLabWorld) -> None:
    world.token.limit = 1


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (other_token(scopes=("read_api", "write_repository")), 1, ["lacks the scope `api`", "Access tokens"]),
        (
            other_token(scopes=("read_repository", "write_repository")),
            1,
            ["lacks the scope `read_api`", "a new token with the scope `api`"],
        ),
        (other_token(role="reporter"), 1, ["not allowed to push", "the role Developer"]),
        (expire, 1, ["GITLAB_TOKEN"]),
        (revoke, 1, ["GITLAB_TOKEN"]),
        (archive, 1, ["the repository is archived"]),
        (maintain, 75, ["the server is read-only for now"]),
        (limit, 75, ["GitLab limits the rate"]),
    ],
    ids=["reads only", "no API", "reporter", "expired", "revoked", "archived", "maintenance", "rate"],
)
def test_each_no_is_told_with_who_has_to_act(
    world: GitLabWorld, make: Callable[[GitLabWorld], None], code: int, says: list[str]
) -> None:
    make(world)
    said = world.bump("v1.0.5", code=code)
    for words in says:
        assert words in said.err, said.err
    assert world.token.value not in said.err + said.out
    assert world.project.merge_requests == {}


def test_a_project_that_moved_is_told_with_the_way_to_its_new_url(world: GitLabWorld) -> None:
    world.project.moved_from = ("old/engine",)
    said = world.bump("v1.0.5", code=1, repo=world.gitlab.clone_url("old/engine"))
    assert "moved" in said.err
    assert "git remote set-url" in said.err


def test_merge_requests_that_are_switched_off_leave_the_pushed_branch_and_an_error(world: GitLabWorld) -> None:
    world.project.merge_requests_enabled = False
    said = world.bump("v1.0.5", code=1)
    assert "the project has no merge requests" in said.err
    assert "Settings, General" in said.err


def test_a_draft_stays_a_draft_and_a_bump_without_news_changes_nothing(world: GitLabWorld) -> None:
    world.bump("v1.0.5")
    world.alice.rename(1, "Draft: devel: bump v1.0.5")
    before = len(world.calls())
    world.bump("v1.0.5")
    assert [one for one in world.calls(before) if one.startswith("PUT")] == []
    world.bump("v1.0.6")
    assert world.only.title == "Draft: devel: bump v1.0.5, v1.0.6"


def test_the_text_folds_and_nothing_from_outside_acts_in_it(world: GitLabWorld) -> None:
    reason = "/merge !12 &5 @bo #7 https://gitlab.com/a/b/-/merge_requests/3"
    world.bump("v1.0.5", "--reason", reason)
    text = world.only.description or ""
    opened = text.count("<details>")
    assert opened > 3
    assert text.count("</details>") == text.count("</summary>") == opened
    for acting in ("\n/", "!12", "&5", "&#33;12", "&amp;5", "@bo", "#7", "merge_requests/3"):
        assert acting not in text


def test_one_reviewer_alone_is_asked_without_a_licence_and_a_warning_says_so(
    tmp_path: Path, gitlab: GitLab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reviewed = "publish: {labels: [release], reviewers: [alice, bo, acme/platform, nobody-there], timeout: 5s}\n"
    config = CONFIG.format(default="newest", keep=40) + reviewed
    world = GitLabWorld(tmp_path, gitlab, monkeypatch, config=config)
    gitlab.hand(PATH, "bo", "developer")
    world.bump("v1.0.5")
    assert [user.username for user in world.only.reviewers] == ["alice"]
    assert "one reviewer is not asked" in caplog.text
    assert "acme/platform can't be asked for a review: GitLab asks people, and no groups" in caplog.text
    assert "nobody-there can't be asked for a review" in caplog.text


def test_a_server_below_a_path_is_worked_on_as_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with GitLab(root="/gitlab") as gitlab:
        world = GitLabWorld(tmp_path, gitlab, monkeypatch)
        said = world.bump("v1.0.5")
        assert f"/gitlab/{PATH}/-/merge_requests/1" in said.out
        gitlab.verify()
