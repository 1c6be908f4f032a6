"""Projects, branches and what protects them, commits, labels, members, the server and the token itself."""

from __future__ import annotations

from forge_standin import Answer

from gitlab_standin.changes import Refused
from gitlab_standin.records import LEVELS, Label
from gitlab_standin.rest import Call, route
from gitlab_standin.shapes import stamp

PROJECT = "/projects/{id}"


# the server and the one who asks


@route("GET", "/version")
def version(call: Call) -> Answer:
    if call.token is None:
        raise Refused(401, "401 Unauthorized")
    return Answer(200, {"version": _version(call), "revision": "0a1b2c3d4e5"})


def _version(call: Call) -> str:
    return "{}.{}.0-ee".format(*call.gitlab.version)


@route("GET", "/metadata", since=(15, 2))
def metadata(call: Call) -> Answer:
    if call.token is None:
        raise Refused(401, "401 Unauthorized")
    kas = {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None}
    shown = {"version": _version(call), "revision": "0a1b2c3d4e5", "kas": kas, "enterprise": True}
    return Answer(200, shown)


@route("GET", "/user")
def me(call: Call) -> Answer:
    return Answer(200, call.gitlab.shapes.self_(call.user))


@route("GET", "/personal_access_tokens/self", since=(15, 5))
def token(call: Call) -> Answer:
    if call.token is None:
        raise Refused(401, "401 Unauthorized")
    return Answer(200, call.gitlab.shapes.token(call.token))


@route("GET", "/job", job=(13, 0))
def job(call: Call) -> Answer:
    """The job of CI_JOB_TOKEN; nobody else has one."""
    if call.token is None or call.token.kind != "job":
        raise Refused(404, "404 Not Found") if call.token else Refused(401, "401 Unauthorized")
    return Answer(200, {"id": call.token.id, "status": "running", "user": call.gitlab.shapes.user(call.user)})


@route("GET", "/users")
def users(call: Call) -> Answer:
    wanted = call.text("username")
    found = [one for one in call.gitlab.users.values() if wanted in (None, one.username)]
    return call.paged(found, call.gitlab.shapes.user)


# the project


@route("GET", PROJECT)
def project(call: Call) -> Answer:
    return Answer(200, call.gitlab.shapes.project(call.project, call.viewer))


@route("GET", PROJECT + "/members/all")
def members(call: Call) -> Answer:
    people = [call.gitlab.user(name) for name in call.project.members]
    wanted = call.text("query") or ""
    return call.paged(
        [one for one in people if wanted in one.username], lambda one: call.gitlab.shapes.member(call.project, one)
    )


@route("GET", PROJECT + "/members/all/{user#}")
def member(call: Call) -> Answer:
    found = [
        one for one in call.gitlab.users.values() if one.id == int(call.params["user"]) and call.project.level(one)
    ]
    if not found:
        raise Refused(404, "404 Not found")
    return Answer(200, call.gitlab.shapes.member(call.project, found[0]))


@route("GET", PROJECT + "/labels")
def labels(call: Call) -> Answer:
    return call.paged(list(call.project.labels.values()), call.gitlab.shapes.label)


@route("POST", PROJECT + "/labels")
def new_label(call: Call) -> Answer:
    call.demand("planner")
    missing = [name for name in ("name", "color") if name not in call.given]
    if missing:
        raise Refused(400, {"error": ", ".join(f"{name} is missing" for name in missing)})
    name = call.text("name") or ""
    if name in call.project.labels:
        raise Refused(409, "Label already exists")
    made = Label(call.gitlab.next_id(), name, call.text("color") or "", call.text("description"))
    call.project.labels[name] = made
    return Answer(201, call.gitlab.shapes.label(made))


@route("GET", PROJECT + "/pipelines")
def pipelines(call: Call) -> Answer:
    wanted = {name: call.text(name) for name in ("sha", "ref", "status")}
    found = [
        one for one in call.project.pipelines if all(wanted[name] in (None, getattr(one, name)) for name in wanted)
    ]
    return call.paged(found[::-1], lambda one: call.gitlab.shapes.pipeline(call.project, one))


@route("GET", PROJECT + "/push_rule", premium=True)
def push_rule(call: Call) -> Answer:
    """Without a rule: a body of `null`."""
    call.demand("maintainer")
    rule = call.project.push_rule
    if rule is None:
        return Answer(200, None, {"Content-Type": "application/json"}, b"null")
    texts = ("author_email_regex", "branch_name_regex", "commit_message_negative_regex", "commit_message_regex")
    flags = (
        *("commit_committer_check", "commit_committer_name_check", "deny_delete_tag", "member_check"),
        *("prevent_secrets", "reject_non_dco_commits", "reject_unsigned_commits"),
    )
    empty = dict.fromkeys((*texts, "file_name_regex")) | dict.fromkeys(flags, False) | {"max_file_size": 0}
    shown = {"id": 1, "project_id": call.project.id, "created_at": stamp(call.project.created_at)}
    return Answer(200, shown | empty | rule)


@route("GET", PROJECT + "/pipeline_schedules")
def schedules(call: Call) -> Answer:
    call.demand("developer")
    wanted = {"active": True, "inactive": False}.get(call.text("scope") or "")
    at, owner = stamp(call.project.created_at), call.gitlab.shapes.user(call.user)
    shape = {
        "id": 1, "description": "", "ref": "refs/heads/main", "cron": "0 1 * * *", "cron_timezone": "UTC",
        "next_run_at": at, "created_at": at, "updated_at": at, "active": True, "owner": owner,
    }  # fmt: skip
    found = [shape | one for one in call.project.schedules]
    return call.paged([one for one in found if wanted in (None, one["active"])], lambda one: one)


# branches


@route("GET", PROJECT + "/repository/branches")
def branches(call: Call) -> Answer:
    text = call.text("search") or ""
    start, end = text.startswith("^"), text.endswith("$")
    word = text.strip("^$")
    names = [
        name for name in call.project.bare.heads()
        if word in name and (not start or name.startswith(word)) and (not end or name.endswith(word))
    ]  # fmt: skip
    return call.paged(names, lambda name: call.gitlab.shapes.branch(call.project, name, call.viewer))


@route("GET", PROJECT + "/repository/branches/{branch}")
def branch(call: Call) -> Answer:
    return Answer(200, call.gitlab.shapes.branch(call.project, _branch(call), call.viewer))


def _branch(call: Call) -> str:
    name = call.params["branch"]
    if name not in call.project.bare.heads():
        raise Refused(404, "404 Branch Not Found")
    return name


@route("POST", PROJECT + "/repository/branches")
def new_branch(call: Call) -> Answer:
    name, at = call.text("branch") or "", call.project.bare.commit(call.text("ref") or "")
    if not call.project.may_push(call.user, name):
        raise Refused(403, "403 Forbidden")
    if name in call.project.bare.heads():
        raise Refused(400, "Branch already exists")
    if at is None:
        raise Refused(400, f"Invalid reference name: {call.text('ref')}")
    call.project.bare.move(f"refs/heads/{name}", at)
    call.gitlab.changes.notice(call.project, call.user)
    return Answer(201, call.gitlab.shapes.branch(call.project, name, call.viewer))


@route("DELETE", PROJECT + "/repository/branches/{branch}")
def delete_branch(call: Call) -> Answer:
    name = _branch(call)
    if name == call.project.default_branch:
        raise Refused(405, "Cannot remove HEAD branch")
    protected = call.project.protections(name)
    level = call.project.level(call.user)
    if protected and level < LEVELS["maintainer"]:
        raise Refused(405, "Protected branch cannot be removed")
    if level < LEVELS["developer"]:
        raise Refused(403, "403 Forbidden")
    call.project.bare.move(f"refs/heads/{name}", None)
    return Answer(204)


@route("GET", PROJECT + "/protected_branches")
def protected_branches(call: Call) -> Answer:
    call.demand("maintainer")
    return call.paged(
        list(call.project.protected.values()), lambda one: call.gitlab.shapes.protected(call.project, one)
    )


@route("GET", PROJECT + "/protected_branches/{name}")
def protected_branch(call: Call) -> Answer:
    """By its name or its wildcard as they are written: a branch that a wildcard covers isn't found here."""
    call.demand("maintainer")
    one = call.project.protected.get(call.params["name"])
    if one is None:
        raise Refused(404, "404 Not found")
    return Answer(200, call.gitlab.shapes.protected(call.project, one))


# approvals of the project


@route("GET", PROJECT + "/approvals", premium=True)
def approvals(call: Call) -> Answer:
    one = call.project
    call.demand("developer")
    return Answer(200, {
        "approvals_before_merge": 0, "reset_approvals_on_push": one.reset_approvals_on_push,
        "selective_code_owner_removals": False, "disable_overriding_approvers_per_merge_request": False,
        "merge_requests_author_approval": one.author_approves, "merge_requests_disable_committers_approval": False,
        "require_password_to_approve": False, "require_reauthentication_to_approve": False,
        "approvers": [], "approver_groups": [],
    })  # fmt: skip


@route("GET", PROJECT + "/approval_rules", premium=True)
def approval_rules(call: Call) -> Answer:
    call.demand("developer")
    return call.paged(call.project.rules, lambda one: call.gitlab.shapes.rule(call.project, one))


# commits


@route("GET", PROJECT + "/repository/commits/{sha}")
def commit(call: Call) -> Answer:
    sha = call.project.bare.commit(call.params["sha"])
    if sha is None:
        raise Refused(404, "404 Commit Not Found")
    stats = {"additions": 0, "deletions": 0, "total": 0}
    found = next((one for one in reversed(call.project.pipelines) if one.sha == sha), None)
    last = found and call.gitlab.shapes.pipeline(call.project, found)
    more = {"status": found and found.status, "project_id": call.project.id, "last_pipeline": last, "stats": stats}
    return Answer(200, call.gitlab.shapes.commit(call.project, sha) | more)
