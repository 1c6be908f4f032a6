"""Pull requests, commits, reviews, comments and checks as GitHub's JSON shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standin.rules import conflicts, obstacle
from standin.shapes import Shapes, node_id, stamp

if TYPE_CHECKING:
    from standin.records import CheckRun, Comment, Pull, Repository, Review, Status


def pull_simple(shapes: Shapes, repository: Repository, pull: Pull) -> dict[str, Any]:
    """A pull request as lists show it."""
    name, number = repository.full_name, pull.number
    url, page = f"{shapes.api}/repos/{name}/pulls/{number}", f"{shapes.web}/{name}/pull/{number}"
    issue = f"{shapes.api}/repos/{name}/issues/{number}"
    links = {
        "self": url, "html": page, "issue": issue, "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments", "review_comment": f"{shapes.api}/repos/{name}/pulls/comments{{/number}}",
        "commits": f"{url}/commits", "statuses": f"{shapes.api}/repos/{name}/statuses/{pull.head_sha}",
    }  # fmt: skip
    urls = {f"{part}_url": links[part] for part in links if part not in ("self", "html")}
    return {
        "url": url, "id": pull.id, "node_id": node_id("PullRequest", pull.id), "html_url": page,
        "diff_url": f"{page}.diff", "patch_url": f"{page}.patch", **urls, "number": number, "state": pull.state,
        "locked": False, "title": pull.title, "user": shapes.user(pull.user), "body": pull.body,
        "created_at": stamp(pull.created_at), "updated_at": stamp(pull.updated_at),
        "closed_at": stamp(pull.closed_at) if pull.closed_at else None,
        "merged_at": stamp(pull.merged_at) if pull.merged_at else None,
        "merge_commit_sha": pull.merge_commit, "assignee": None, "assignees": [],
        "requested_reviewers": [shapes.user(user) for user in pull.reviewers],
        "requested_teams": [shapes.team(repository, team, 900 + at) for at, team in enumerate(pull.teams)],
        "labels": [shapes.label(repository, repository.labels[label]) for label in pull.labels],
        "milestone": None, "draft": pull.draft,
        "head": _side(shapes, pull.source, pull.head, pull.head_sha),
        "base": _side(shapes, repository, pull.base, pull.base_sha),
        "_links": {part: {"href": link} for part, link in links.items()},
        "author_association": association(repository, pull.user.login),
        "auto_merge": _auto_merge(shapes, pull), "active_lock_reason": None,
    }  # fmt: skip


def _side(shapes: Shapes, repository: Repository, branch: str, sha: str) -> dict[str, Any]:
    owner = repository.owner
    return {
        "label": f"{owner.login}:{branch}", "ref": branch, "sha": sha, "user": shapes.user(owner),
        "repo": shapes.repository(repository),
    }  # fmt: skip


def _auto_merge(shapes: Shapes, pull: Pull) -> dict[str, Any] | None:
    wish = pull.auto_merge
    if wish is None:
        return None
    words = {"commit_title": wish.title or pull.title, "commit_message": wish.message or ""}
    return {"enabled_by": shapes.user(wish.user), "merge_method": wish.method, **words}


def association(repository: Repository, login: str) -> str:
    if login == repository.owner.login:
        return "OWNER"
    return "COLLABORATOR" if login in repository.roles else "NONE"


def pull_full(shapes: Shapes, repository: Repository, pull: Pull, lazy: int) -> dict[str, Any]:
    """A pull request as `GET …/pulls/N` shows it: `mergeable` is null the first `lazy` times after each change."""
    mergeable, state = None, "unknown"
    if pull.state == "open":
        if pull.mergeable_asked >= lazy:
            mergeable, state = not conflicts(repository, pull), obstacle(repository, pull)[0].lower()
        pull.mergeable_asked += 1
    stat = repository.bare.git("diff", "--numstat", f"{pull.base_sha}...{pull.head_sha}").splitlines()
    numbers = [[int(n) if n != "-" else 0 for n in line.split("\t")[:2]] for line in stat]
    return {
        **pull_simple(shapes, repository, pull), "merged": pull.merged, "mergeable": mergeable,
        "rebaseable": mergeable, "mergeable_state": state,
        "merged_by": shapes.user(pull.merged_by) if pull.merged_by else None,
        "comments": sum(comment.number == pull.number for comment in repository.comments.values()),
        "review_comments": 0, "maintainer_can_modify": False,
        "commits": len(repository.bare.ahead(pull.base_sha, pull.head_sha)),
        "additions": sum(added for added, _ in numbers), "deletions": sum(gone for _, gone in numbers),
        "changed_files": len(numbers),
    }  # fmt: skip


def commit(shapes: Shapes, repository: Repository, sha: str) -> dict[str, Any]:
    """A commit without its files."""
    names = "%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%T%n%P"
    lines = repository.bare.git("show", "-s", "--date=iso-strict", f"--format={names}", sha).split("\n")
    author, email, at, committer, mail, when, tree, parents = [*lines, ""][:8]  # the first commit has no parents
    url, page = f"{shapes.api}/repos/{repository.full_name}", f"{shapes.web}/{repository.full_name}"
    people = {
        "author": {"name": author, "email": email, "date": _utc(at)},
        "committer": {"name": committer, "email": mail, "date": _utc(when)},
    }
    unsigned = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
    return {
        "sha": sha, "node_id": node_id("Commit", int(sha[:12], 16)), "url": f"{url}/commits/{sha}",
        "html_url": f"{page}/commit/{sha}", "comments_url": f"{url}/commits/{sha}/comments",
        "commit": {
            "url": f"{url}/git/commits/{sha}", **people, "message": repository.bare.message(sha),
            "tree": {"sha": tree, "url": f"{url}/git/trees/{tree}"}, "comment_count": 0, "verification": unsigned,
        },
        "author": None, "committer": None,
        "parents": [
            {"sha": one, "url": f"{url}/commits/{one}", "html_url": f"{page}/commit/{one}"} for one in parents.split()
        ],
    }  # fmt: skip


def _utc(at: str) -> str:
    from datetime import datetime, timezone

    return stamp(datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone(timezone.utc))


def files(repository: Repository, shapes: Shapes, span: str, sha: str) -> list[dict[str, Any]]:
    """What a span of commits changes, file by file."""
    kinds = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}
    counts = {}
    for line in repository.bare.git("diff", "--numstat", "--no-renames", span).splitlines():
        added, gone, path = line.split("\t")
        counts[path] = [int(number) if number != "-" else 0 for number in (added, gone)]
    found = []
    for line in repository.bare.git("diff", "--raw", "--no-renames", "--no-abbrev", span).splitlines():
        head, path = line.split("\t", 1)
        _, _, _, blob, kind = head.split(" ")
        added, gone = counts[path]
        url = f"{shapes.api}/repos/{repository.full_name}/contents/{path}?ref={sha}"
        page = f"{shapes.web}/{repository.full_name}"
        found.append({
            "sha": blob, "filename": path, "status": kinds[kind[0]], "additions": added, "deletions": gone,
            "changes": added + gone, "blob_url": f"{page}/blob/{sha}/{path}", "raw_url": f"{page}/raw/{sha}/{path}",
            "contents_url": url,
        })  # fmt: skip
    return found


def comment(shapes: Shapes, repository: Repository, one: Comment) -> dict[str, Any]:
    """A comment below a pull request."""
    name = repository.full_name
    url = f"{shapes.api}/repos/{name}/issues"
    return {
        "id": one.id, "node_id": node_id("IssueComment", one.id), "url": f"{url}/comments/{one.id}",
        "html_url": f"{shapes.web}/{name}/pull/{one.number}#issuecomment-{one.id}",
        "issue_url": f"{url}/{one.number}", "user": shapes.user(one.user), "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at), "body": one.body, "performed_via_github_app": None,
        "author_association": association(repository, one.user.login),
    }  # fmt: skip


def review(shapes: Shapes, repository: Repository, pull: Pull, one: Review) -> dict[str, Any]:
    """A review of a pull request."""
    name = repository.full_name
    url = f"{shapes.api}/repos/{name}/pulls/{pull.number}"
    page = f"{shapes.web}/{name}/pull/{pull.number}#pullrequestreview-{one.id}"
    return {
        "id": one.id, "node_id": node_id("PullRequestReview", one.id), "user": shapes.user(one.user),
        "body": one.body, "state": one.state, "html_url": page, "pull_request_url": url,
        "author_association": association(repository, one.user.login),
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "submitted_at": stamp(one.submitted_at), "commit_id": one.commit,
    }  # fmt: skip


def check_run(shapes: Shapes, repository: Repository, run: CheckRun) -> dict[str, Any]:
    """A check run without an app of its own."""
    url = f"{shapes.api}/repos/{repository.full_name}/check-runs/{run.id}"
    return {
        "id": run.id, "node_id": node_id("CheckRun", run.id), "head_sha": run.sha, "external_id": "", "url": url,
        "html_url": f"{shapes.web}/{repository.full_name}/runs/{run.id}", "details_url": None, "status": run.status,
        "conclusion": run.conclusion, "started_at": stamp(run.started_at),
        "completed_at": stamp(run.completed_at) if run.completed_at else None,
        "output": {"title": None, "summary": None, "text": None, "annotations_count": 0, "annotations_url": f"{url}/annotations"},
        "name": run.name, "check_suite": {"id": 1}, "app": None, "pull_requests": [],
    }  # fmt: skip


def status(shapes: Shapes, repository: Repository, one: Status) -> dict[str, Any]:
    """A commit status."""
    url, at = f"{shapes.api}/repos/{repository.full_name}/statuses/{one.sha}", stamp(one.created_at)
    return {
        "url": url, "avatar_url": None, "id": one.id, "node_id": node_id("StatusContext", one.id), "state": one.state,
        "description": one.description, "target_url": None, "context": one.context, "created_at": at, "updated_at": at,
    }  # fmt: skip
