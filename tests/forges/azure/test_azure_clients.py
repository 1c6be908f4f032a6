"""Microsoft's own client, which nobody here wrote, takes pull requests through their lives on the stand-in."""

from __future__ import annotations

from typing import Any

import pytest
from azure.devops.connection import Connection
from azure.devops.exceptions import AzureDevOpsServiceError
from azure.devops.v7_1.git import models as git
from azure_shop import AzureShop
from msrest.authentication import BasicAuthentication

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def _clients(shop: AzureShop) -> Any:
    return Connection(base_url=shop.azure.collection, creds=BasicAuthentication("", shop.token.value)).clients_v7_1


def _proposed(shop: AzureShop, client: Any, branch: str = "release/devel") -> Any:
    shop.alice.push(branch, {"tags.yaml": f"- {branch}\n"}, "Add v4")
    sides = {"source_ref_name": f"refs/heads/{branch}", "target_ref_name": "refs/heads/main"}
    alice = git.IdentityRefWithVote(id=shop.azure.identity("alice").id)
    wanted = git.GitPullRequest(title="Release v4", description="What changes", reviewers=[alice], **sides)
    return client.create_pull_request(wanted, "gitops", project="shop")


def test_a_whole_pull_request(shop: AzureShop) -> None:
    client = _clients(shop).get_git_client()
    made = _proposed(shop, client)
    number = made.pull_request_id
    assert (made.status, made.merge_status, made.last_merge_commit) == ("active", "queued", None)
    assert [one.display_name for one in made.reviewers] == ["alice"]
    with pytest.raises(AzureDevOpsServiceError, match="TF401179"):
        _proposed(shop, client)
    where = {"repository_id": "gitops", "pull_request_id": number, "project": "shop"}
    seen = client.get_pull_request(**where)
    assert (seen.merge_status, seen.last_merge_commit.comment) == (
        "succeeded",
        f"Merge pull request {number} from release/devel into main",
    )
    client.update_pull_request(git.GitPullRequest(title="Release v5", description="New"), **where)
    client.create_pull_request_label(git.WebApiTagDefinition(name="release"), **where)
    assert [one.name for one in client.get_pull_request_labels(**where)] == ["release"]
    comment = git.Comment(content="Hello", comment_type="text", parent_comment_id=0)
    thread = client.create_thread(git.GitPullRequestCommentThread(comments=[comment], status="active"), **where)
    place = {**where, "thread_id": thread.id}
    client.update_comment(git.Comment(content="Good day"), comment_id=1, **place)
    client.update_thread(git.GitPullRequestCommentThread(status="closed"), **place)
    texts = [[(one.comment_type, one.content) for one in each.comments] for each in client.get_threads(**where)]
    assert texts == [
        [("system", "alice joined as a reviewer")],
        [("system", "The reference refs/heads/release/devel was updated.")],
        [("text", "Good day")],
    ]
    options = git.GitPullRequestCompletionOptions(merge_strategy="squash", delete_source_branch=True)
    done = git.GitPullRequest(
        status="completed", last_merge_source_commit=seen.last_merge_source_commit, completion_options=options
    )
    assert client.update_pull_request(done, **where).status == "active", "it takes a while"
    final = client.get_pull_request(**where)
    assert (final.status, final.merge_status, final.title) == ("completed", "succeeded", "Release v5")
    assert final.last_merge_commit.commit_id == shop.bare.tip("main")
    assert final.closed_by.display_name == "release-bot"
    assert shop.bare.tip("release/devel") is None
    query = git.GitPullRequestQuery([git.GitPullRequestQueryInput([shop.bare.tip("main")], "lastMergeCommit")])
    (found,) = client.get_pull_request_query(query, "gitops", project="shop").results
    assert [one.pull_request_id for one in found[shop.bare.tip("main")]] == [number]


def test_lists_refs_policies_and_who_is_asking(shop: AzureShop) -> None:
    clients = _clients(shop)
    client, policies = clients.get_git_client(), clients.get_policy_client()
    numbers = [_proposed(shop, client, branch).pull_request_id for branch in ("release/devel", "release/staging")]
    criteria = git.GitPullRequestSearchCriteria(source_ref_name="refs/heads/release/devel", status="all")
    found = client.get_pull_requests("gitops", criteria, project="shop", top=10)
    assert [one.pull_request_id for one in found] == numbers[:1]
    every = client.get_pull_requests("gitops", git.GitPullRequestSearchCriteria(), project="shop")
    assert [one.pull_request_id for one in every] == numbers[::-1]
    refs = client.get_refs("gitops", project="shop", filter="heads/release")
    assert [one.name for one in refs] == ["refs/heads/release/devel", "refs/heads/release/staging"]
    policy = shop.azure.add_policy(shop.repository, "Minimum number of reviewers", minimumApproverCount=1)
    artifact = f"vstfs:///CodeReview/CodeReviewId/{shop.repository.project_id}/{numbers[0]}"
    assert [one.status for one in policies.get_policy_evaluations("shop", artifact)] == ["running"]
    shop.alice.vote(numbers[0], 10)
    assert [one.status for one in policies.get_policy_evaluations("shop", artifact)] == ["approved"]
    held = client.get_policy_configurations("shop", repository_id=shop.repository.id, ref_name="refs/heads/main")
    assert [one.id for one in held.policy_configurations] == [policy.id]
    me = clients.get_location_client().get_connection_data()
    assert me.authenticated_user.provider_display_name == "release-bot"
    (repository,) = client.get_repositories("shop")
    assert repository.remote_url == shop.azure.clone_url("shop/gitops")
