"""Records as the server's JSON shows them."""

from __future__ import annotations

from datetime import timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from azure_standin.records import POLICY_TYPES, guid

if TYPE_CHECKING:
    from datetime import datetime

    from azure_standin.records import Comment, Identity, Policy, Pull, Repository, Reviewer, Status, Thread

CUT = 400
"""So many characters of a description are in a list: https://github.com/microsoft/azure-devops-python-api/issues/197"""


def stamp(at: datetime) -> str:
    """With seven digits behind the second, as .NET counts."""
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


class Shapes:
    """`collection`: the URL of the organization, or of the collection of a server of one's own."""

    def __init__(self, collection: str) -> None:
        self.collection = collection

    def project(self, repository: Repository) -> dict[str, Any]:
        return {
            "id": repository.project_id, "name": repository.project,
            "url": f"{self.collection}/_apis/projects/{repository.project_id}", "state": "wellFormed", "revision": 7,
            "visibility": "public" if repository.public else "private", "lastUpdateTime": "2026-01-09T16:32:42.21Z",
        }  # fmt: skip

    def web(self, repository: Repository) -> str:
        return f"{self.collection}/{quote(repository.project)}/_git/{quote(repository.name)}"

    def api(self, repository: Repository) -> str:
        return f"{self.collection}/{repository.project_id}/_apis/git/repositories/{repository.id}"

    def repository(self, repository: Repository) -> dict[str, Any]:
        web = self.web(repository)
        default = {}
        if repository.bare.tip(repository.default_branch):
            default = {"defaultBranch": f"refs/heads/{repository.default_branch}"}
        return {
            "id": repository.id, "name": repository.name, "url": self.api(repository),
            "project": self.project(repository), **default, "size": 1602, "remoteUrl": web,
            "sshUrl": f"ssh://127.0.0.1:22/{web.partition('://')[2].partition('/')[2]}", "webUrl": web,
            **({"isFork": True} if repository.is_fork else {}), "isDisabled": repository.disabled, "isInMaintenance": repository.in_maintenance,
        }  # fmt: skip

    def identity(self, one: Identity) -> dict[str, Any]:
        descriptor = f"{'vssgp' if one.is_group else 'aad'}.{one.id.replace('-', '')}"
        avatar = f"{self.collection}/_apis/GraphProfile/MemberAvatars/{descriptor}"
        group = {"isContainer": True} if one.is_group else {}
        return {
            "displayName": one.name, "url": f"{self.collection}/_apis/Identities/{one.id}",
            "_links": {"avatar": {"href": avatar}}, "id": one.id, "uniqueName": one.unique_name,
            "imageUrl": f"{self.collection}/_api/_common/identityImage?id={one.id}", "descriptor": descriptor, **group,
        }  # fmt: skip

    def reviewer(self, repository: Repository, pull: Pull, one: Reviewer) -> dict[str, Any]:
        url = f"{self.api(repository)}/pullRequests/{pull.id}/reviewers/{one.identity.id}"
        required = {"isRequired": True} if one.required else {}
        said = {"vote": one.vote, "hasDeclined": False, **required, "isFlagged": False}
        who = {name: value for name, value in self.identity(one.identity).items() if name != "descriptor"}
        return {"reviewerUrl": url, **said, **who}

    def commit(self, repository: Repository, sha: str, *, full: bool = False) -> dict[str, Any]:
        """A commit; `full` with whom it names and its message."""
        found: dict[str, Any] = {"commitId": sha}
        if full:
            names = "%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%P"
            lines = [*repository.bare.git("show", "-s", f"--format={names}", sha).split("\n"), ""]
            name, email, at, committer, mail, when, parents = lines[:7]
            found["author"] = {"name": name, "email": email, "date": _utc(at)}
            found["committer"] = {"name": committer, "email": mail, "date": _utc(when)}
            found["comment"] = repository.bare.message(sha)
            found["parents"] = parents.split()
        return {**found, "url": f"{self.api(repository)}/commits/{sha}"}

    def label(self, repository: Repository, name: str) -> dict[str, Any]:
        found = guid(f"{repository.project_id}/tag/{name.casefold()}")
        url = f"{self.collection}/{repository.project_id}/_apis/tagging/scopes/{repository.project_id}/tags/{found}"
        return {"id": found, "name": name, "active": True, "url": url}

    def listed(self, repository: Repository, pull: Pull) -> dict[str, Any]:
        """A pull request as lists show it: its description cut, its repository in short, commits without their words."""
        found = self._pull(repository, pull, full=False)
        short = {name: found["repository"][name] for name in ("id", "name", "url", "project")}
        project = {name: short["project"][name] for name in ("id", "name", "state", "visibility", "lastUpdateTime")}
        text = {} if pull.description is None else {"description": pull.description[:CUT]}
        labels = {"labels": [self.label(repository, name) for name in pull.labels]} if pull.labels else {}
        return {**found, "repository": {**short, "project": project}, **text, **labels}

    def pull(self, repository: Repository, pull: Pull, *, links: bool = True) -> dict[str, Any]:
        """A pull request by itself: without its labels, which lists have.

        https://github.com/MicrosoftDocs/vsts-rest-api-specs/issues/389, https://github.com/Azure/azure-cli/issues/23626
        """
        artifact = f"vstfs:///Git/PullRequestId/{repository.project_id}%2f{repository.id}%2f{pull.id}"
        found = {**self._pull(repository, pull, full=True), "artifactId": artifact}
        return {**found, "_links": self._links(repository, pull)} if links else found

    def _pull(self, repository: Repository, pull: Pull, *, full: bool) -> dict[str, Any]:
        found: dict[str, Any] = {
            "repository": self.repository(repository), "pullRequestId": pull.id, "codeReviewId": pull.id,
            "status": pull.status, "createdBy": self.identity(pull.by), "creationDate": stamp(pull.created),
            "title": pull.title, "description": pull.description,
            "sourceRefName": f"refs/heads/{pull.source}", "targetRefName": f"refs/heads/{pull.target}",
            "mergeStatus": pull.merge_status, "isDraft": pull.draft, "mergeId": guid(f"merge/{pull.id}"),
            "lastMergeSourceCommit": self.commit(repository, pull.source_commit),
            "lastMergeTargetCommit": self.commit(repository, pull.target_commit),
            "lastMergeCommit": self.commit(repository, pull.merge_commit, full=full) if pull.merge_commit else None,
            "reviewers": [self.reviewer(repository, pull, one) for one in pull.reviewers],
            "forkSource": self._fork(pull) if pull.fork else None,
            "url": f"{self.api(repository)}/pullRequests/{pull.id}",
            "completionOptions": pull.options, "supportsIterations": True,
            "completionQueueTime": stamp(pull.queued) if pull.queued else None,
            "closedDate": stamp(pull.closed) if pull.closed else None,
            "closedBy": self.identity(pull.closed_by) if pull.closed_by and full else None,
            "autoCompleteSetBy": self.identity(pull.auto_complete) if pull.auto_complete else None,
        }  # fmt: skip
        if found["lastMergeCommit"]:
            found["lastMergeCommit"].pop("parents", None)
        return {name: value for name, value in found.items() if value is not None}

    def _fork(self, pull: Pull) -> dict[str, Any]:
        assert pull.fork is not None
        name = f"refs/heads/{pull.source}"
        return {"repository": self.repository(pull.fork), "name": name, "objectId": pull.source_commit}

    def _links(self, repository: Repository, pull: Pull) -> dict[str, Any]:
        api = self.api(repository)
        url = f"{api}/pullRequests/{pull.id}"
        links = {
            "self": url, "repository": api, "workItems": f"{url}/workitems",
            "sourceBranch": f"{api}/refs/heads/{pull.source}", "targetBranch": f"{api}/refs/heads/{pull.target}",
            "statuses": f"{url}/statuses", "sourceCommit": f"{api}/commits/{pull.source_commit}",
            "targetCommit": f"{api}/commits/{pull.target_commit}", "iterations": f"{url}/iterations",
        }  # fmt: skip
        return {name: {"href": link} for name, link in links.items()}

    def thread(self, repository: Repository, pull: Pull, one: Thread) -> dict[str, Any]:
        api = self.api(repository)
        url = f"{api}/pullRequests/{pull.id}/threads/{one.id}"
        updated = max(comment.updated for comment in one.comments)
        status = {} if one.status is None else {"status": one.status}
        return {
            "pullRequestThreadContext": None, "id": one.id, "publishedDate": stamp(one.published),
            "lastUpdatedDate": stamp(updated), "comments": [self.comment(url, comment) for comment in one.comments],
            **status, "threadContext": None, "properties": one.properties, "identities": None,
            "isDeleted": all(comment.deleted for comment in one.comments),
            "_links": {"self": {"href": url}, "repository": {"href": api}},
        }  # fmt: skip

    def comment(self, thread: str, one: Comment) -> dict[str, Any]:
        """A comment; a deleted one has no text."""
        text = {"isDeleted": True} if one.deleted else {"content": one.content}
        return {
            "id": one.id, "parentCommentId": one.parent, "author": self.identity(one.author), **text,
            "publishedDate": stamp(one.published), "lastUpdatedDate": stamp(one.updated),
            "lastContentUpdatedDate": stamp(one.updated), "commentType": one.kind, "usersLiked": [],
            "_links": {"self": {"href": f"{thread}/comments/{one.id}"}},
        }  # fmt: skip

    def policy(self, repository: Repository, one: Policy) -> dict[str, Any]:
        base = f"{self.collection}/{repository.project_id}/_apis/policy"
        url, kind = f"{base}/configurations/{one.id}", POLICY_TYPES[one.kind]
        kind_of_match = "Prefix" if one.branch.endswith("/") else "Exact"
        scope = {"refName": f"refs/heads/{one.branch}", "matchKind": kind_of_match, "repositoryId": repository.id}
        return {
            "createdBy": self.identity(one.by), "createdDate": stamp(one.created), "isEnabled": one.enabled,
            "isBlocking": one.blocking, "isDeleted": False, "settings": {**one.settings, "scope": [scope]},
            "isEnterpriseManaged": False,
            "_links": {"self": {"href": url}, "policyType": {"href": f"{base}/types/{kind}"}},
            "revision": 1, "id": one.id, "url": url,
            "type": {"id": kind, "url": f"{base}/types/{kind}", "displayName": one.kind},
        }  # fmt: skip

    def evaluation(self, repository: Repository, pull: Pull, one: Policy, verdict: str) -> dict[str, Any]:
        ended = {"completedDate": stamp(pull.created)} if verdict in ("approved", "rejected") else {}
        return {
            "configuration": self.policy(repository, one), "evaluationId": guid(f"evaluation/{pull.id}/{one.id}"),
            "artifactId": f"vstfs:///CodeReview/CodeReviewId/{repository.project_id}/{pull.id}",
            "startedDate": stamp(pull.created), **ended, "status": verdict,
        }  # fmt: skip

    def status(self, one: Status) -> dict[str, Any]:
        return {
            "id": one.id, "state": one.state, "description": one.description,
            "context": {"name": one.name, "genre": one.genre}, "creationDate": stamp(one.created),
            "updatedDate": stamp(one.created), "createdBy": self.identity(one.by), "targetUrl": one.url,
        }  # fmt: skip


def _utc(at: str) -> str:
    from datetime import datetime

    return datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
