"""Actions, dispatches, the token itself, rate limits."""

from __future__ import annotations

from typing import Any

from standin.answers import Answer, Call, Problem, invalid, route
from standin.records import Event
from standin.shapes import node_id, stamp

REPO = "/repos/{owner}/{repo}"


@route("GET", REPO + "/actions/permissions", "administration:read")
def actions_permissions(call: Call) -> Answer:
    found: dict[str, Any] = {"enabled": call.repository.actions_enabled}
    if call.repository.actions_enabled:
        found |= {"allowed_actions": call.repository.actions_allowed, "sha_pinning_required": False}
    return Answer(200, found)


@route("GET", REPO + "/actions/permissions/workflow", "administration:read")
def workflow_permissions(call: Call) -> Answer:
    return Answer(200, {
        "default_workflow_permissions": call.repository.workflow_permissions,
        "can_approve_pull_request_reviews": call.repository.actions_may_open_pull_requests,
    })  # fmt: skip


@route("GET", REPO + "/actions/workflows", "actions:read")
def workflows(call: Call) -> Answer:
    """The workflows that tests have named, and all files in the default branch's folder for them."""
    repository = call.repository
    url, page = call.api, call.page
    at = stamp(repository.created_at)
    found = {workflow.path: workflow for workflow in repository.workflows}
    listing = repository.bare.git("ls-tree", "--name-only", repository.default_branch, ".github/workflows/")
    for path in listing.splitlines():
        if path not in found and path.endswith((".yml", ".yaml")):
            found[path] = call.standin.new_workflow(repository, path)

    def show(one: Any) -> dict[str, Any]:
        return {
            "id": one.id, "node_id": node_id("Workflow", one.id), "name": one.name, "path": one.path,
            "state": one.state, "created_at": at, "updated_at": at, "url": f"{url}/actions/workflows/{one.id}",
            "html_url": f"{page}/blob/{repository.default_branch}/{one.path}",
            "badge_url": f"{page}/workflows/{one.name}/badge.svg",
        }  # fmt: skip

    return call.paged(list(found.values()), show, "workflows")


@route("GET", REPO + "/environments/{environment}", "actions:read")
def environment(call: Call) -> Answer:
    name = call.params["environment"]
    if name not in call.repository.environments:
        raise Problem(404, "Not Found")
    at, url = stamp(call.repository.created_at), f"{call.api}/environments/{name}"
    rules = [
        {"id": number, "node_id": node_id("GateRule", number), "type": kind, **(
            {"prevent_self_review": True, "reviewers": []} if kind == "required_reviewers" else {})}
        for number, kind in enumerate(call.repository.environments[name], 1)
    ]  # fmt: skip
    return Answer(200, {
        "id": 1, "node_id": node_id("Environment", 1), "name": name, "url": url, "html_url": f"{call.page}/deployments",
        "created_at": at, "updated_at": at, "protection_rules": rules, "deployment_branch_policy": None,
    })  # fmt: skip


@route("POST", REPO + "/dispatches", "contents:write")
def repository_dispatch(call: Call) -> Answer:
    """At most 10 keys at the top of the payload, as GitHub has it."""
    kind, payload = call.body.get("event_type"), call.body.get("client_payload", {})
    if not kind or len(kind) > 100:
        raise invalid("RepositoryDispatch", "event_type", "missing_field" if not kind else "invalid")
    if len(payload) > 10:
        raise Problem(422, "Invalid request.\n\nNo more than 10 properties are allowed; too many were supplied.")
    branch = call.repository.default_branch
    event = Event("repository_dispatch", f"refs/heads/{branch}", call.user.login, True,
                  {"action": kind, "client_payload": payload})  # fmt: skip
    call.standin.changes.record(call.repository, event, call.token)
    return Answer(204)


@route("POST", REPO + "/actions/workflows/{workflow}/dispatches", "actions:write")
def workflow_dispatch(call: Call) -> Answer:
    name, ref = call.params["workflow"], call.body.get("ref", "")
    path = f".github/workflows/{name}"
    tip = call.repository.bare.commit(ref)
    if tip is None:
        raise Problem(422, f"No ref found for: {ref}")
    if call.repository.bare.blob(tip, path) is None:
        raise Problem(404, "Not Found")
    payload = {"workflow": path, "inputs": call.body.get("inputs", {})}
    event = Event("workflow_dispatch", ref, call.user.login, True, payload)
    call.standin.changes.record(call.repository, event, call.token)
    return Answer(204)


@route("GET", "/user")
def get_user(call: Call) -> Answer:
    if call.token is not None and call.token.of_an_app:
        raise Problem(403, "Resource not accessible by integration")
    return Answer(200, call.shapes.profile(call.user, call.standin.began))


@route("GET", "/installation/repositories")
def installation_repositories(call: Call) -> Answer:
    if call.token is None or not call.token.of_an_app:
        words = (
            "You must authenticate with an installation access token in order to list repositories for an installation."
        )
        raise Problem(403, words)
    allowed = call.token.repositories
    found = [one for one in call.standin.repositories.values() if allowed is None or one.full_name in allowed]
    return call.paged(found, lambda one: call.shapes.repository(one, call.user), "repositories")


@route("GET", "/rate_limit")
def rate_limit(call: Call) -> Answer:
    """Free of charge."""
    core = call.standin.budget(call.token)
    return Answer(200, {"resources": {"core": core, "search": core, "graphql": core}, "rate": core})
