"""`release doctor` on Azure DevOps: each wrong setting is a finding, and mended it is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from azure_standin import ADMINISTRATOR, CONTRIBUTOR, READER, Azure, Repository
from doctor_world import Findings, look
from fixtures import azure  # noqa: F401
from world import World

HEALTH = "    health: {checks: {up: {command: {argv: [probe]}}}}\n"


class OnAzure:
    """A world whose remote is the stand-in; `look` runs doctor on it."""

    def __init__(self, server: Azure, world: World) -> None:
        self.azure = server
        self.world = world
        self.repository: Repository = server.add_repository("shop/gitops", world.origin)
        server.add_policy(self.repository, "Build", displayName="check")
        world.git("remote", "set-url", "origin", server.clone_url("shop/gitops"))

    def look(self) -> Findings:
        return look(self.world)

    def mend(self) -> None:
        self.repository.policies.clear()
        self.azure.add_policy(self.repository, "Build", displayName="check")


@pytest.fixture
def shop(azure: Azure, world: World, monkeypatch: pytest.MonkeyPatch) -> OnAzure:  # noqa: F811
    monkeypatch.setenv("AZURE_DEVOPS_URL", azure.collection)
    monkeypatch.setenv("AZURE_DEVOPS_TOKEN", azure.add_token().value)
    return OnAzure(azure, world)


def test_a_repository_that_is_set_up_well_has_nothing_to_mend(shop: OnAzure) -> None:
    found = shop.look()
    assert (found.code, found.bad()) == (0, [])
    assert found.one("forge", "ok")["what"].startswith("azure")
    assert "a personal access token of release-bot" in found.one("token", "ok")["what"]
    assert "`Contribute to pull requests`" in found.one("permissions", "ok")["what"]
    assert found.one("protection", "ok")["what"] == "policies of `main`: check"
    assert found.one("merging", "ok")["what"].startswith("by merge, squash, rebase")
    assert found.of("clock", "ok")


def no_policy(shop: OnAzure) -> None:
    shop.repository.policies.clear()


def no_build(shop: OnAzure) -> None:
    shop.repository.policies.clear()
    shop.azure.add_policy(shop.repository, "Comment requirements")


def approvals_that_stay(shop: OnAzure) -> None:
    shop.azure.add_policy(shop.repository, "Minimum number of reviewers", minimumApproverCount=1)


def a_build_that_stays_valid(shop: OnAzure) -> None:
    shop.repository.policies.clear()
    shop.azure.add_policy(shop.repository, "Build", displayName="check", queueOnSourceUpdateOnly=True)


def no_way_of_merging(shop: OnAzure) -> None:
    shop.azure.add_policy(shop.repository, "Require a merge strategy")


def rules_for_release_branches(shop: OnAzure) -> None:
    shop.azure.add_policy(shop.repository, "Build", "release/devel")


@pytest.mark.parametrize(
    ("wrong", "about", "verdict", "says"),
    [
        (no_policy, "protection", "warning", "nothing protects `main`"),
        (no_build, "protection", "warning", "no build must succeed"),
        (approvals_that_stay, "approvals", "warning", "outlast a push"),
        (a_build_that_stays_valid, "build validation", "warning", "stays valid"),
        (no_way_of_merging, "merging", "error", "no way of merging"),
        (rules_for_release_branches, "release branches", "error", "release/devel"),
    ],
)
def test_a_wrong_policy_is_found_and_mended(
    shop: OnAzure, wrong: Callable[[OnAzure], None], about: str, verdict: str, says: str
) -> None:
    wrong(shop)
    found = shop.look()
    one = found.one(about, verdict)
    assert says in one["what"]
    assert one["why"]
    assert "_settings/repositories" in one["mend"]
    assert found.code == (1 if verdict == "error" else 0)
    shop.mend()
    assert shop.look().bad() == []


@pytest.mark.parametrize("permission", ["GenericContribute", "CreateBranch", "PullRequestContribute"])
def test_a_missing_permission_is_called_as_the_settings_call_it(shop: OnAzure, permission: str) -> None:
    names = {
        "GenericContribute": "`Contribute`",
        "CreateBranch": "`Create branch`",
        "PullRequestContribute": "`Contribute to pull requests`",
    }
    shop.repository.rights["release-bot"] = CONTRIBUTOR - {permission}
    one = shop.look().one("permissions", "error")
    assert names[permission] in one["what"]
    assert names[permission] in one["mend"]
    shop.repository.rights.clear()
    assert shop.look().bad() == []


def test_one_that_only_reads_lacks_all_of_them(shop: OnAzure) -> None:
    shop.repository.rights["release-bot"] = READER
    assert len(shop.look().of("permissions", "error")) == 3


def test_without_a_token_the_way_to_one_is_told(shop: OnAzure, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.repository.public = True
    monkeypatch.delenv("AZURE_DEVOPS_TOKEN")
    one = shop.look().one("token", "error")
    assert "Code (Read & write)" in one["mend"]
    assert "$(System.AccessToken)" in one["mend"]


def test_a_disabled_repository_is_an_error(shop: OnAzure) -> None:
    shop.repository.disabled = True
    assert shop.look().code == 1


def test_a_push_to_the_base_takes_a_bypass_of_its_policies(shop: OnAzure) -> None:
    shop.world.git("remote", "set-url", "origin", str(shop.world.origin))
    config = shop.world.file("release.yaml").replace("  devel:\n", "  devel:\n    publish: {mode: direct}\n", 1)
    shop.world.commit({"release.yaml": config}, "Push straight")
    shop.world.git("remote", "set-url", "origin", shop.azure.clone_url("shop/gitops"))
    one = shop.look().one("direct pushes", "error")
    assert "*Bypass policies when pushing*" in one["mend"]
    shop.repository.rights["release-bot"] = ADMINISTRATOR
    assert shop.look().one("direct pushes", "ok")


@pytest.mark.parametrize("approvals", [False, True])
def test_a_downgrade_lands_by_itself_unless_a_person_must_approve(shop: OnAzure, *, approvals: bool) -> None:
    shop.world.git("remote", "set-url", "origin", str(shop.world.origin))
    config = shop.world.file("release.yaml").replace("  devel:\n", f"  devel:\n{HEALTH}", 1)
    shop.world.commit({"release.yaml": config}, "Guard it")
    shop.world.git("remote", "set-url", "origin", shop.azure.clone_url("shop/gitops"))
    if approvals:
        policy = {"minimumApproverCount": 1, "resetOnSourcePush": True}
        shop.azure.add_policy(shop.repository, "Minimum number of reviewers", **policy)
        assert "Minimum number of reviewers" in shop.look().one("guard", "error")["what"]
    else:
        assert "is completed by the pass" in shop.look().one("guard", "ok")["what"]
