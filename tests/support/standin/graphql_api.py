"""`/graphql`: queries about pull requests and auto-merge, run by graphql-core on the schema beside this file."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from standin import access
from standin.answers import Answer, Problem
from standin.records import AutoMerge
from standin.rules import check_states, conflicts, obstacle, review_decision
from standin.shapes import node_id, stamp

if TYPE_CHECKING:
    from graphql import GraphQLSchema

    from standin.records import Comment, Pull, Repository, Token, User
    from standin.standin import StandIn

EXCERPT = Path(__file__).with_name("schema.graphql")


class Unmodelled(Exception):
    """A document asks for something that the schema beside this file lacks."""


class Said(Exception):
    """An error that GitHub reports inside an answer of 200."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@cache
def excerpt() -> GraphQLSchema:
    from graphql import build_schema

    return build_schema(EXCERPT.read_text("utf-8"))


def answer(standin: StandIn, body: Any, token: Token | None) -> Answer:
    """Runs a document. Unmodelled where the excerpt doesn't know what it asks for."""
    from graphql import GraphQLError, graphql_sync, parse, validate

    if token is None:
        raise Problem(401, "This endpoint requires you to be authenticated.")
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Problem(400, "A query attribute must be specified and must be a string.")
    try:
        wrong = validate(excerpt(), parse(body["query"]))
    except GraphQLError as error:
        wrong = [error]
    if wrong:
        raise Unmodelled("; ".join(error.message for error in wrong))
    done = graphql_sync(
        excerpt(), body["query"], _Root(standin, token), variable_values=body.get("variables"),
        operation_name=body.get("operationName"),
    )  # fmt: skip
    found: dict[str, Any] = {"data": done.data}
    if done.errors:
        found["errors"] = [_shown(error) for error in done.errors]
    return Answer(200, found)


def _shown(error: Any) -> dict[str, Any]:
    original = error.original_error
    if original is not None and not isinstance(original, Said):
        raise original  # a fault of the stand-in itself
    kind = {"type": original.kind} if original else {}
    return {**kind, **error.formatted}


class _Root:
    """The fields of Query and Mutation, each a method."""

    def __init__(self, standin: StandIn, token: Token) -> None:
        self._standin = standin
        self._token = token

    def viewer(self, _: Any) -> dict[str, Any]:
        return actor(self._token.user) | {"__typename": "User"}

    def rateLimit(self, _: Any, **__: Any) -> dict[str, Any]:
        core = self._standin.budget(self._token)
        resets = datetime.fromtimestamp(core["reset"], timezone.utc)
        return {"cost": 1, "resetAt": stamp(resets), **{k: core[k] for k in ("limit", "remaining", "used")}}

    def repository(self, _: Any, owner: str, name: str, **__: Any) -> dict[str, Any]:
        found = self._standin.repositories.get(f"{owner}/{name}")
        if found is None or not access.sees(found, self._token):
            raise Said("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return self._repository(found)

    def node(self, _: Any, **given: Any) -> dict[str, Any]:
        return {"__typename": "PullRequest", **self._pull(*self._by_id(given["id"]))}

    def enablePullRequestAutoMerge(self, _: Any, **given: Any) -> dict[str, Any]:
        wanted = given["input"]
        repository, pull = self._by_id(wanted["pullRequestId"], writes=True)
        if not repository.allow_auto_merge:
            raise Said("UNPROCESSABLE", "Auto merge is not allowed for this repository")
        if pull.state != "open" or pull.draft:
            raise Said("UNPROCESSABLE", "Can't enable auto-merge for this pull request.")
        if wanted.get("expectedHeadOid", pull.head_sha) != pull.head_sha:
            raise Said("UNPROCESSABLE", "Head branch was modified. Review and try the merge again.")
        state, _why = obstacle(repository, pull)
        if state in ("CLEAN", "UNSTABLE"):
            raise Said("UNPROCESSABLE", f"Pull request Pull request is in {state.lower()} status")
        method = wanted.get("mergeMethod", "MERGE").lower()
        allowed = {"merge": repository.allow_merge_commit, "squash": repository.allow_squash_merge}
        if not allowed.get(method, repository.allow_rebase_merge):
            raise Said("UNPROCESSABLE", f"Merge method {method} merging is not allowed on this repository")
        pull.auto_merge = AutoMerge(self._token.user, method, wanted.get("commitHeadline"), wanted.get("commitBody"))
        return self._payload(repository, pull, wanted)

    def disablePullRequestAutoMerge(self, _: Any, **given: Any) -> dict[str, Any]:
        wanted = given["input"]
        repository, pull = self._by_id(wanted["pullRequestId"], writes=True)
        if pull.auto_merge is None:
            raise Said("UNPROCESSABLE", "Can't disable auto-merge for this pull request.")
        pull.auto_merge = None
        return self._payload(repository, pull, wanted)

    def updateIssueComment(self, _: Any, **given: Any) -> dict[str, Any]:
        wanted = given["input"]
        for repository in self._standin.repositories.values():
            for one in repository.comments.values():
                if node_id("IssueComment", one.id) == wanted["id"] and access.sees(repository, self._token):
                    if one.user.login != self._token.user.login:
                        self._demand_write(repository)
                    one.body, one.updated_at = wanted["body"], self._standin.now()
                    return {"clientMutationId": wanted.get("clientMutationId"), "issueComment": self._comment(one)}
        raise Said("NOT_FOUND", f"Could not resolve to a node with the global id of '{wanted['id']}'")

    def _payload(self, repository: Repository, pull: Pull, given: dict[str, Any]) -> dict[str, Any]:
        return {
            "actor": actor(self._token.user), "clientMutationId": given.get("clientMutationId"),
            "pullRequest": self._pull(repository, pull),
        }  # fmt: skip

    def _by_id(self, wanted: str, *, writes: bool = False) -> tuple[Repository, Pull]:
        for repository in self._standin.repositories.values():
            for pull in repository.pulls.values():
                if node_id("PullRequest", pull.id) == wanted and access.sees(repository, self._token):
                    if writes:
                        self._demand_write(repository)
                    return repository, pull
        raise Said("NOT_FOUND", f"Could not resolve to a node with the global id of '{wanted}'")

    def _demand_write(self, repository: Repository) -> None:
        for name in ("pull_requests", "contents"):
            try:
                access.demand(repository, self._token, ((name, "write"),), "write", writes=True)
            except Problem as problem:
                raise Said("FORBIDDEN", problem.message) from None

    def _repository(self, one: Repository) -> dict[str, Any]:
        viewer = self._token.user

        def pull_request(_: Any, number: int) -> dict[str, Any]:
            if number not in one.pulls:
                raise Said("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
            return self._pull(one, one.pulls[number])

        def pull_requests(_: Any, **wanted: Any) -> dict[str, Any]:
            found = [
                pull
                for pull in one.pulls.values()
                if wanted.get("headRefName") in (None, pull.head)
                and wanted.get("baseRefName") in (None, pull.base)
                and (not wanted.get("states") or state_of(pull) in wanted["states"])
            ]
            return _connection([self._pull(one, pull) for pull in found], wanted)

        role = one.role(viewer).upper()
        return {
            "id": node_id("Repository", one.id), "name": one.name, "nameWithOwner": one.full_name,
            "isArchived": one.archived, "autoMergeAllowed": one.allow_auto_merge,
            "mergeCommitAllowed": one.allow_merge_commit, "squashMergeAllowed": one.allow_squash_merge,
            "rebaseMergeAllowed": one.allow_rebase_merge, "viewerPermission": None if role == "NONE" else role,
            "defaultBranchRef": self._ref(one, one.default_branch), "pullRequest": pull_request,
            "pullRequests": pull_requests,
            "ref": lambda _, qualifiedName: self._ref(one, qualifiedName.removeprefix("refs/heads/")),
        }  # fmt: skip

    def _ref(self, repository: Repository, branch: str) -> dict[str, Any] | None:
        sha = repository.bare.tip(branch)
        if sha is None:
            return None
        target = {"__typename": "Commit", **self._commit(repository, sha)}
        return {"id": node_id(f"Ref{branch}", repository.id), "name": branch, "target": target}

    def _commit(self, repository: Repository, sha: str) -> dict[str, Any]:
        def rollup(_: Any) -> dict[str, Any] | None:
            states = set(check_states(repository, sha).values())
            state = "FAILURE" if "failure" in states else "PENDING" if "pending" in states else "SUCCESS"
            return {"id": node_id("Rollup", int(sha[:8], 16)), "state": state} if states else None

        at = repository.bare.git("show", "-s", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%cd", sha)
        return {
            "id": node_id("Commit", int(sha[:8], 16)), "oid": sha, "message": repository.bare.message(sha),
            "committedDate": at, "statusCheckRollup": rollup,
        }  # fmt: skip

    def _pull(self, repository: Repository, pull: Pull) -> dict[str, Any]:
        standin, is_open = self._standin, pull.state == "open"
        wish = pull.auto_merge
        request = wish and {
            "mergeMethod": wish.method.upper(), "commitHeadline": wish.title, "commitBody": wish.message,
            "enabledBy": actor(wish.user), "pullRequest": lambda _: self._pull(repository, pull),
        }  # fmt: skip
        labels = [{"id": node_id("Label", repository.labels[name].id), "name": name} for name in pull.labels]

        def commits(_: Any, **wanted: Any) -> dict[str, Any]:
            found = repository.bare.ahead(pull.base_sha, pull.head_sha)
            return _connection([{"id": sha, "commit": self._commit(repository, sha)} for sha in found], wanted)

        def comments(_: Any, **wanted: Any) -> dict[str, Any]:
            found = [one for one in repository.comments.values() if one.number == pull.number]
            return _connection([self._comment(one) for one in found], wanted)

        def mergeable(_: Any) -> str:
            return "UNKNOWN" if not is_open else "CONFLICTING" if conflicts(repository, pull) else "MERGEABLE"

        return {
            "id": node_id("PullRequest", pull.id), "number": pull.number, "title": pull.title, "body": pull.body or "",
            "url": f"{standin.web}/{repository.full_name}/pull/{pull.number}", "state": state_of(pull),
            "isDraft": pull.draft, "merged": pull.merged, "closed": not is_open, "author": actor(pull.user),
            "mergedAt": stamp(pull.merged_at) if pull.merged_at else None, "updatedAt": stamp(pull.updated_at),
            "closedAt": stamp(pull.closed_at) if pull.closed_at else None, "headRefName": pull.head,
            "headRefOid": pull.head_sha, "baseRefName": pull.base, "baseRefOid": pull.base_sha,
            "isCrossRepository": pull.head_repo != repository.full_name, "mergeable": mergeable, "commits": commits,
            "comments": comments,
            "mergeStateStatus": lambda _: obstacle(repository, pull)[0] if is_open else "UNKNOWN",
            "mergeCommit": lambda _: pull.merge_commit and self._commit(repository, pull.merge_commit),
            "reviewDecision": review_decision(repository, pull), "autoMergeRequest": request,
            "labels": lambda _, **wanted: _connection(labels, wanted),
            "viewerCanEnableAutoMerge": lambda _: is_open and repository.allow_auto_merge and not wish and bool(
                obstacle(repository, pull)[1]),
            "viewerCanDisableAutoMerge": wish is not None,
        }  # fmt: skip

    def _comment(self, one: Comment) -> dict[str, Any]:
        return {
            "id": node_id("IssueComment", one.id), "databaseId": one.id, "body": one.body,
            "viewerDidAuthor": one.user.login == self._token.user.login,
        }  # fmt: skip


def state_of(pull: Pull) -> str:
    return "MERGED" if pull.merged else pull.state.upper()


def actor(user: User) -> dict[str, Any]:
    kind = "Bot" if user.type == "Bot" else "User"
    login = user.login.removesuffix("[bot]") if kind == "Bot" else user.login
    return {"__typename": kind, "id": node_id(kind, user.id), "login": login}


def _connection(items: list[dict[str, Any]], wanted: dict[str, Any]) -> dict[str, Any]:
    """One page of a list; as GitHub demands, `first` or `last` says how much."""
    if (wanted.get("first") is None) == (wanted.get("last") is None):
        words = "You must provide a `first` or `last` value to properly paginate the connection."
        raise Said("MISSING_PAGINATION_BOUNDARIES", words)
    start = int(wanted.get("after") or 0)
    if wanted.get("last") is not None:
        start, size = max(len(items) - wanted["last"], 0), wanted["last"]
    else:
        size = wanted["first"]
    end = start + size
    info = {
        "hasNextPage": end < len(items),
        "hasPreviousPage": start > 0,
        "startCursor": str(start),
        "endCursor": str(min(end, len(items))),
    }
    return {"nodes": items[start:end], "totalCount": len(items), "pageInfo": info}
