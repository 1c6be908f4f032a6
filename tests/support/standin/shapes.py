"""People and repositories as GitHub's JSON shows them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from standin.records import Label, Repository, User


def stamp(at: datetime) -> str:
    """A time as GitHub writes it: UTC, whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, number: int) -> str:
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


_REPOSITORY_URLS = {
    "archive": "/{archive_format}{/ref}", "assignees": "{/user}", "branches": "{/branch}",
    "collaborators": "{/collaborator}", "comments": "{/number}", "commits": "{/sha}", "contributors": "",
    "deployments": "", "downloads": "", "events": "", "forks": "", "hooks": "", "keys": "{/key_id}",
    "labels": "{/name}", "languages": "", "merges": "", "milestones": "{/number}", "pulls": "{/number}",
    "releases": "{/id}", "stargazers": "", "statuses": "/{sha}", "subscribers": "", "subscription": "", "tags": "",
    "teams": "", "issues": "{/number}",
}  # fmt: skip


class Shapes:
    """JSON of everything, with absolute URLs of the REST API and of pages."""

    def __init__(self, api: str, web: str) -> None:
        self.api = api
        self.web = web

    def user(self, user: User) -> dict[str, Any]:
        name = user.login.replace("[", "%5B").replace("]", "%5D")
        url = f"{self.api}/users/{name}"
        return {
            "login": user.login, "id": user.id, "node_id": node_id("User", user.id),
            "avatar_url": f"{self.web}/avatars/u/{user.id}?v=4", "gravatar_id": "", "url": url,
            "html_url": f"{self.web}/{name}", "followers_url": f"{url}/followers",
            "following_url": url + "/following{/other_user}", "gists_url": url + "/gists{/gist_id}",
            "starred_url": url + "/starred{/owner}{/repo}", "subscriptions_url": f"{url}/subscriptions",
            "organizations_url": f"{url}/orgs", "repos_url": f"{url}/repos", "events_url": url + "/events{/privacy}",
            "received_events_url": f"{url}/received_events", "type": user.type, "user_view_type": "public",
            "site_admin": False,
        }  # fmt: skip

    def profile(self, user: User, at: datetime) -> dict[str, Any]:
        """Somebody as they see themselves, with no more than a token without scopes may know."""
        empty = dict.fromkeys(("name", "company", "location", "email", "hireable", "bio", "twitter_username"))
        counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
        times = {"created_at": stamp(at), "updated_at": stamp(at)}
        return {**self.user(user), **empty, "blog": "", **counts, **times}

    def repository(
        self, repository: Repository, viewer: User | None = None, token_may_push: bool = True
    ) -> dict[str, Any]:
        """A repository as lists and pull requests show it."""
        name = repository.full_name
        url, page, at = f"{self.api}/repos/{name}", f"{self.web}/{name}", stamp(repository.created_at)
        open_count = len(repository.open_pulls())
        host = self.web.partition("://")[2]
        found = {f"{part}_url": f"{url}/{part}{rest}" for part, rest in _REPOSITORY_URLS.items()}
        found |= {
            "blobs_url": url + "/git/blobs{/sha}", "compare_url": url + "/compare/{base}...{head}",
            "contents_url": url + "/contents/{+path}", "git_commits_url": url + "/git/commits{/sha}",
            "git_refs_url": url + "/git/refs{/sha}", "git_tags_url": url + "/git/tags{/sha}",
            "trees_url": url + "/git/trees{/sha}", "issue_comment_url": url + "/issues/comments{/number}",
            "issue_events_url": url + "/issues/events{/number}",
            "notifications_url": url + "/notifications{?since,all,participating}",
        }  # fmt: skip
        return {
            "id": repository.id, "node_id": node_id("Repository", repository.id), "name": repository.name,
            "full_name": name, "private": repository.private, "owner": self.user(repository.owner), "html_url": page,
            "description": None, "fork": repository.parent is not None, "url": url, **found, "created_at": at,
            "updated_at": at, "pushed_at": at, "git_url": f"git://{host}/{name}.git",
            "ssh_url": f"git@{host.partition(':')[0]}:{name}.git", "clone_url": f"{page}.git", "svn_url": page,
            "homepage": None, "size": 1, "stargazers_count": 0, "watchers_count": 0, "language": None,
            "has_issues": True, "has_projects": True, "has_downloads": True, "has_wiki": True, "has_pages": False,
            "has_discussions": False, "forks_count": 0, "mirror_url": None, "archived": repository.archived,
            "disabled": False, "open_issues_count": open_count, "license": None, "allow_forking": True,
            "is_template": False, "web_commit_signoff_required": False, "topics": [],
            "visibility": "private" if repository.private else "public", "forks": 0, "open_issues": open_count,
            "watchers": 0, "default_branch": repository.default_branch,
            **({"permissions": self._permissions(repository, viewer, token_may_push)} if viewer else {}),
        }  # fmt: skip

    def full_repository(self, repository: Repository, viewer: User | None, token_may_push: bool) -> dict[str, Any]:
        """A repository as `GET /repos/…` shows it; the merge settings only to those who may push."""
        found = self.repository(repository, viewer, token_may_push)
        found |= {"temp_clone_token": "", "network_count": 0, "subscribers_count": 0}
        if viewer and found["permissions"]["push"]:
            found |= {
                "allow_squash_merge": repository.allow_squash_merge, "allow_merge_commit": repository.allow_merge_commit,
                "allow_rebase_merge": repository.allow_rebase_merge, "allow_auto_merge": repository.allow_auto_merge,
                "allow_update_branch": repository.allow_update_branch,
                "delete_branch_on_merge": repository.delete_branch_on_merge,
                "squash_merge_commit_title": "COMMIT_OR_PR_TITLE", "squash_merge_commit_message": "COMMIT_MESSAGES",
                "merge_commit_title": "MERGE_MESSAGE", "merge_commit_message": "PR_TITLE",
            }  # fmt: skip
        return found

    def _permissions(self, repository: Repository, viewer: User, token_may_push: bool) -> dict[str, bool]:
        role = {name: repository.has_role(viewer, name) for name in ("admin", "maintain", "write", "triage", "read")}
        push = token_may_push if viewer.type == "Bot" else role["write"]
        return {
            "admin": role["admin"], "maintain": role["maintain"], "push": push,
            "triage": role["triage"] or push, "pull": role["read"] or push,
        }  # fmt: skip

    def label(self, repository: Repository, label: Label) -> dict[str, Any]:
        return {
            "id": label.id, "node_id": node_id("Label", label.id),
            "url": f"{self.api}/repos/{repository.full_name}/labels/{label.name.replace(' ', '%20')}",
            "name": label.name, "color": label.color, "default": False, "description": label.description,
            "archived_at": None, "archived_by": None,
        }  # fmt: skip

    def team(self, repository: Repository, slug: str, number: int) -> dict[str, Any]:
        organization = repository.owner.login
        url = f"{self.api}/organizations/{repository.owner.id}/team/{number}"
        return {
            "id": number, "node_id": node_id("Team", number), "name": slug, "slug": slug, "description": None,
            "privacy": "closed", "notification_setting": "notifications_enabled", "url": url,
            "html_url": f"{self.web}/orgs/{organization}/teams/{slug}", "members_url": url + "/members{/member}",
            "repositories_url": f"{url}/repos", "permission": repository.teams.get(slug, "pull"), "parent": None,
            "type": "organization", "organization_id": repository.owner.id,
        }  # fmt: skip
