"""Tokens, scopes, permissions, versions, pushes and faults: the stand-in refuses as Azure DevOps does."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from azure_shop import HEAD, AzureShop
from azure_standin import ADMINISTRATOR, READER, Azure, Token, faults

# tokens


def test_a_wrong_expired_or_revoked_token_is_401_with_a_page(shop: AzureShop) -> None:
    azure = shop.azure
    expired = azure.add_token(expires=azure.now() - timedelta(seconds=1))
    stranger = azure.add_token()
    del azure.tokens[stranger.value]
    for token in (expired, azure.add_token(revoked=True), stranger):
        answer = shop.ask("GET", "/pullrequests", token=token)
        assert answer.status_code == 401
        assert "Access Denied: The Personal Access Token used" in answer.text


def test_nobody_is_sent_to_the_sign_in_page(shop: AzureShop) -> None:
    url = f"{shop.azure.collection}/_apis/connectionData"
    assert requests.get(url, timeout=20, allow_redirects=False).status_code == 302
    quiet = {"X-TFS-FedAuthRedirect": "Suppress"}
    assert requests.get(url, headers=quiet, timeout=20).status_code == 401


@pytest.mark.parametrize(
    ("scopes", "reads", "writes", "talks"),
    [
        (("vso.code",), 200, 401, 401),
        (("vso.code_write",), 200, 201, 200),
        (("vso.code_full",), 200, 201, 200),
        (("vso.code", "vso.threads_full"), 200, 401, 200),
        (("vso.work",), 401, 401, 401),
    ],
)
def test_a_missing_scope_is_401(shop: AzureShop, scopes: tuple[str, ...], reads: int, writes: int, talks: int) -> None:
    number, token = shop.propose(), shop.azure.add_token(scopes=scopes)
    shop.alice.push("more", {"m": "1"})
    said = {"comments": [{"content": "Hello", "commentType": "text"}]}
    asked = [
        shop.ask("GET", "/pullrequests", token=token),
        shop.ask("POST", "/pullrequests", token=token, json=shop.body("more")),
        shop.ask("POST", f"/pullrequests/{number}/threads", token=token, json=said),
    ]
    assert [answer.status_code for answer in asked] == [reads, writes, talks]


def test_a_jobs_token_is_a_bearer_and_a_persons_is_not(shop: AzureShop) -> None:
    url = f"{shop.azure.collection}/_apis/git/repositories"
    job = shop.azure.add_token("Build\\7f5e", kind="job")
    for token, status in ((job, 200), (shop.token, 401)):
        bearer = {"Authorization": f"Bearer {token.value}"}
        assert requests.get(url, headers=bearer, timeout=20).status_code == status
    assert shop.ask("GET", "", token=job).ok


# permissions


def test_a_missing_permission_is_403_and_named(shop: AzureShop) -> None:
    shop.repository.rights["release-bot"] = READER
    shop.alice.push(HEAD, {"a": "b"})
    status, key, words = shop.refused("POST", "/pullrequests", json=shop.body())
    assert (status, key) == (403, "GitNeedsPermissionException")
    assert "TF401027: You need the Git 'PullRequestContribute' permission" in words
    namespace = f"{shop.azure.collection}/_apis/permissions/2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"
    tokens = {"tokens": f"repoV2/{shop.repository.project_id}/{shop.repository.id}"}
    said = [shop.anywhere("GET", f"{namespace}/{bit}", params=tokens).json()["value"] for bit in (2, 16384)]
    assert said == [[True], [False]]


def test_what_may_not_be_seen_or_is_disabled_is_404(shop: AzureShop) -> None:
    shop.repository.rights["release-bot"] = frozenset()
    status, key, words = shop.refused("GET", "")
    assert (status, key) == (404, "GitRepositoryNotFoundException")
    assert words.startswith("TF401019: The Git repository with name or identifier gitops does not exist or you do not")
    del shop.repository.rights["release-bot"]
    shop.repository.disabled = True
    assert shop.json("GET", "")["isDisabled"]
    assert shop.refused("GET", "/pullrequests")[0] == 404
    url = f"{shop.azure.collection}/nowhere/_apis/git/repositories/gitops"
    assert "TF200016: The following project does not exist: nowhere" in shop.anywhere("GET", url).text


def test_policies_are_bypassed_by_who_may(shop: AzureShop) -> None:
    shop.azure.add_policy(shop.repository, "Minimum number of reviewers", minimumApproverCount=1)
    number = shop.propose()
    head = shop.get(number)["lastMergeSourceCommit"]
    done = {"status": "completed", "lastMergeSourceCommit": head, "completionOptions": {"bypassPolicy": True}}
    assert "PullRequestBypassPolicy" in shop.refused("PATCH", f"/pullrequests/{number}", json=done)[2]
    shop.repository.rights["release-bot"] = ADMINISTRATOR
    shop.json("PATCH", f"/pullrequests/{number}", json=done)
    assert shop.get(number)["status"] == "completed"


# versions


def test_a_version_is_named_and_not_newer_than_the_servers(shop: AzureShop) -> None:
    old = {"Accept": "application/json; api-version=7.1"}
    shop.alice.push(HEAD, {"a": "b"})
    none = {"Accept": "application/json"}
    assert shop.refused("POST", "/pullrequests", headers=none, json=shop.body())[1] == "VssVersionNotSpecifiedException"
    assert shop.ask("GET", "/pullrequests", headers=none).ok
    shop.azure.version = "5.0"
    status, key, words = shop.refused("GET", "/pullrequests", headers=old)
    assert (status, key) == (400, "VssVersionOutOfRangeException")
    assert "The latest REST API version this server supports is 5.0." in words
    url = f"{shop.azure.collection}/_apis/connectionData?api-version=5.0"
    assert shop.anywhere("GET", url, headers=none).json()["typeKey"] == "VssInvalidPreviewVersionException"


# git


def _git(*words: str, ok: bool = True) -> str:
    done = subprocess.run(
        ["git", *words], capture_output=True, check=False, timeout=60, env={**os.environ, "LC_ALL": "C"}
    )
    text = (done.stdout + done.stderr).decode().strip()
    assert (done.returncode == 0) is ok, text
    return text


class _Clone:
    def __init__(self, shop: AzureShop, folder: Path, token: Token | None = None) -> None:
        url = shop.azure.clone_url("shop/gitops").replace("://", f"://any:{(token or shop.token).value}@")
        _git("clone", "--quiet", url, str(folder))
        self.folder = folder

    def git(self, *words: str, ok: bool = True) -> str:
        return _git("-C", str(self.folder), *words, ok=ok)

    def commit(self, text: str) -> None:
        (self.folder / "file").write_text(text)
        self.git("add", "file")
        self.git("commit", "--quiet", "--message", text)


def test_a_branch_with_policies_takes_no_push(shop: AzureShop, tmp_path: Path) -> None:
    clone = _Clone(shop, tmp_path / "clone")
    clone.commit("one")
    clone.git("push", "origin", "main")
    shop.azure.add_policy(shop.repository, "Build", buildDefinitionId=1)
    clone.commit("two")
    assert "TF402455: Pushes to this branch are not permitted" in clone.git("push", "origin", "main", ok=False)
    shop.repository.rights["release-bot"] = ADMINISTRATOR
    clone.git("push", "origin", "main")


def test_only_who_made_a_branch_forces_or_deletes_it(shop: AzureShop, tmp_path: Path) -> None:
    clone = _Clone(shop, tmp_path / "clone")
    clone.commit("one")
    clone.git("push", "origin", "main:mine")
    shop.alice.push("theirs", {"a": "b"})
    clone.git("commit", "--amend", "--quiet", "--message", "another")
    clone.git("push", "--force", "origin", "main:mine")
    assert "'ForcePush' permission" in clone.git("push", "--force", "origin", "main:theirs", ok=False)
    assert "'ForcePush' permission" in clone.git("push", "origin", ":theirs", ok=False)
    clone.git("push", "origin", ":mine")


def test_git_is_refused_in_the_servers_words(shop: AzureShop, tmp_path: Path) -> None:
    clone = _Clone(shop, tmp_path / "clone")
    clone.commit("one")
    shop.repository.rights["release-bot"] = READER
    assert "403" in clone.git("push", "origin", "main", ok=False)
    shop.repository.disabled = True
    assert "not found" in clone.git("fetch", ok=False)
    shop.token.revoked = True
    assert "Authentication failed" in clone.git("-c", "credential.helper=", "fetch", ok=False)


def test_a_pushed_head_is_the_pull_requests(shop: AzureShop, tmp_path: Path) -> None:
    number, clone = shop.propose(), _Clone(shop, tmp_path / "clone")
    clone.git("checkout", "--quiet", HEAD)
    clone.commit("more")
    clone.git("push", "origin", HEAD)
    assert shop.get(number)["lastMergeSourceCommit"]["commitId"] == clone.git("rev-parse", "HEAD")
    assert f"refs/pull/{number}/merge" not in clone.git("push", "--porcelain", "origin", HEAD)


def test_refs_move_by_compare_and_swap(shop: AzureShop) -> None:
    tip = shop.bare.tip("main")
    update = {"name": "refs/heads/new", "oldObjectId": "0" * 40, "newObjectId": tip}
    said = [shop.json("POST", "/refs", json=[update])["value"][0]["updateStatus"] for _ in range(2)]
    assert said == ["succeeded", "staleOldObjectId"]
    pages = shop.ask("GET", "/refs", params={"filter": "heads/", "$top": 1})
    assert pages.headers["x-ms-continuationtoken"] == "refs/heads/new"


# faults


@pytest.mark.parametrize(
    ("fault", "status", "effect"),
    [
        (faults.status(500), 500, False),
        (faults.status(503, Retry_After="2"), 503, False),
        (faults.status(502, after=True), 502, True),
        (faults.limited(7), 429, False),
        (faults.sign_in(), 203, False),
    ],
    ids=lambda value: value.name if isinstance(value, faults.Fault) else "",
)
def test_an_ordered_fault_is_answered(shop: AzureShop, fault: faults.Fault, status: int, effect: bool) -> None:
    shop.alice.push(HEAD, {"a": "b"})
    shop.azure.fault("POST", "/pullrequests", fault)
    answer = shop.ask("POST", "/pullrequests", json=shop.body())
    assert answer.status_code == status
    assert bool(shop.repository.pulls) is effect
    if status == 429:
        assert (answer.headers["Retry-After"], "TF400733" in answer.text) == ("7", True)


def test_a_server_may_stand_below_a_prefix() -> None:
    with Azure(prefix="/tfs", organization="DefaultCollection") as azure:
        shop = AzureShop(azure)
        assert azure.clone_url("shop/gitops").endswith("/tfs/DefaultCollection/shop/_git/gitops")
        assert shop.json("GET", "")["remoteUrl"] == azure.clone_url("shop/gitops")
        azure.verify()


def test_what_is_not_modelled_fails_loudly() -> None:
    with Azure() as azure:
        shop = AzureShop(azure)
        assert shop.ask("GET", "/pushes").status_code == 501
        with pytest.raises(AssertionError, match="pushes"):
            azure.verify()
