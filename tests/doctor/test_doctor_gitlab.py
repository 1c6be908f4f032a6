"""`release doctor` on GitLab: each wrong setting is a finding in GitLab's words, and mended it is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from doctor_world import Findings, look
from fixtures import gitlab  # noqa: F401
from gitlab_standin import ApprovalRule, GitLab, ProtectedBranch
from gitlab_world import PATH, SICK, SICK_TAGS, GitLabWorld


class OnGitLab(GitLabWorld):
    """A project that is set up well."""

    def look(self) -> Findings:
        return look(self.world, "--repo", self.url)


def made(path: Path, server: GitLab, monkeypatch: pytest.MonkeyPatch, **more: Any) -> OnGitLab:
    found = OnGitLab(path, server, monkeypatch, **more)
    found.world.now = datetime.now(timezone.utc).replace(microsecond=0)
    found.project.protected["main"] = ProtectedBranch(1, "main", push=0, merge=30)
    found.project.needs_pipeline = True
    found.project.schedules.append({"description": "cleanup", "ref": "main", "cron": "0 * * * *", "active": True})
    return found


@pytest.fixture
def shop(tmp_path: Path, gitlab: GitLab, monkeypatch: pytest.MonkeyPatch) -> OnGitLab:  # noqa: F811
    return made(tmp_path, gitlab, monkeypatch)


def test_a_project_that_is_set_up_well_has_nothing_to_mend(shop: OnGitLab) -> None:
    found = shop.look()
    assert (found.code, [one for one in found.bad() if one[1] not in {"workflows", "committer"}]) == (0, [])
    assert found.one("forge", "ok")["what"].startswith("gitlab")
    assert "with api" in found.one("token", "ok")["what"]
    assert "Maintainer" in found.one("token", "ok")["what"]


def premium(rules: bool = True) -> Callable[[OnGitLab], None]:
    def change(shop: OnGitLab) -> None:
        shop.project.premium = True
        if rules:
            shop.project.rules.append(ApprovalRule(1, "Owners"))

    return change


def setting(**more: Any) -> Callable[[OnGitLab], None]:
    def change(shop: OnGitLab) -> None:
        for name, value in more.items():
            setattr(shop.project, name, value)

    return change


def both(*changes: Callable[[OnGitLab], None]) -> Callable[[OnGitLab], None]:
    def change(shop: OnGitLab) -> None:
        for one in changes:
            one(shop)

    return change


def rule(**more: Any) -> Callable[[OnGitLab], None]:
    return both(premium(rules=False), setting(push_rule=more))


def token(**more: Any) -> Callable[[OnGitLab], None]:
    return lambda shop: shop.take(shop.gitlab.add_token(project=PATH, **more))


def fork(shop: OnGitLab) -> None:
    shop.gitlab.add_project("upstream/engine")
    shop.project.forked_from = "upstream/engine"


def protect(pattern: str, **more: Any) -> Callable[[OnGitLab], None]:
    def change(shop: OnGitLab) -> None:
        shop.project.protected[pattern] = ProtectedBranch(2, pattern, **more)

    return change


@pytest.mark.parametrize(
    ("change", "about", "verdict", "says"),
    [
        (setting(archived=True), "project", "error", "archived"),
        (setting(merge_requests_enabled=False), "project", "error", "no merge requests"),
        (setting(mirrored=True), "project", "warning", "pulled from another"),
        (fork, "project", "warning", "fork of upstream/engine"),
        (setting(default_branch="trunk"), "project", "warning", "default branch is `trunk`"),
        (setting(needs_pipeline=False), "merge checks", "warning", "need not succeed"),
        (setting(protected={}), "protection", "warning", "nothing protects `main`"),
        (setting(schedules=[]), "schedules", "warning", "no pipeline schedule is active"),
        (both(premium(), setting(reset_approvals_on_push=False)), "approvals", "warning", "outlast a push"),
        (protect("release/*"), "release branches", "error", "protects them from force pushes"),
        (protect("release/*", push=0), "release branches", "error", "protects them from pushes"),
        (protect("rel*", push=30, allow_force_push=True), "release branches", "warning", "git deletes no protected"),
        (rule(commit_message_regex="^[A-Z]+-[0-9]+"), "push rules", "error", "must match `^[A-Z]+-[0-9]+`"),
        (rule(branch_name_regex="^feature/"), "push rules", "error", "branch names must match"),
        (rule(reject_unsigned_commits=True), "push rules", "error", "unsigned commits"),
        (rule(commit_committer_check=True), "push rules", "warning", "email must be"),
        (token(scopes=("read_api", "read_repository")), "token", "error", "without api"),
        (token(role="reporter"), "token", "error", "Reporter"),
        (token(expires=datetime.now(timezone.utc) + timedelta(days=5)), "token", "warning", "it ends on"),
    ],
)
def test_a_wrong_setting_is_found_with_what_mends_it(
    shop: OnGitLab, change: Callable[[OnGitLab], None], about: str, verdict: str, says: str
) -> None:
    change(shop)
    found = shop.look()
    one = next(one for one in found.of(about, verdict) if says in one["what"])
    assert one["why"]
    assert one["mend"]


def test_without_a_token_that_is_said_and_what_a_job_can_do(shop: OnGitLab) -> None:
    shop.project.private = False
    shop.take(shop.gitlab.add_token("alice", kind="job", project=PATH))
    said = shop.look().one("token", "warning")
    assert "CI_JOB_TOKEN may push" in said["what"]
    assert "scope api" in said["mend"]


def test_a_developers_token_sees_less_and_that_is_said(shop: OnGitLab) -> None:
    token(role="developer")(shop)
    found = shop.look()
    assert "can't be seen" in found.one("release branches", "unknown")["what"]
    assert found.one("protection", "ok")["what"] == "`main` is protected"


def test_merge_trains_and_ways_of_merging_are_told(shop: OnGitLab) -> None:
    setting(merge_method="ff", squash_option="always")(shop)
    assert "by fast-forward" in str(shop.look().of("merging", "ok"))
    premium(rules=False)(shop)
    setting(merge_trains=True)(shop)
    assert "on a merge train" in str(shop.look().of("merging", "ok"))


@pytest.mark.parametrize(
    ("change", "verdict", "says"),
    [
        (setting(), "ok", "merges by itself"),
        (premium(), "error", "waits for 1 approvals"),
        (protect("main", push=0, merge=0), "error", "the token's owner may not merge"),
    ],
)
def test_whether_a_guards_downgrade_lands_with_nobody_awake(
    tmp_path: Path,
    gitlab: GitLab,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[OnGitLab], None],
    verdict: str,
    says: str,
) -> None:
    shop = made(tmp_path, gitlab, monkeypatch, tags=SICK_TAGS, config=SICK)
    change(shop)
    assert says in shop.look().one("guard", verdict)["what"]
