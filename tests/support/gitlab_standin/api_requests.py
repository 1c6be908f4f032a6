"""`/projects/…/merge_requests`: listing, opening, changing, merging, notes, approvals, trains."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from forge_standin import Answer

from gitlab_standin.changes import Refused
from gitlab_standin.quick_actions import without_actions
from gitlab_standin.records import LEVELS, AutoMerge
from gitlab_standin.rest import Call, route
from gitlab_standin.shapes import stamp

if TYPE_CHECKING:
    from gitlab_standin.records import MergeRequest, Note

REQUESTS = "/projects/{id}/merge_requests"
ONE = REQUESTS + "/{iid#}"
STATES = ("opened", "closed", "locked", "merged", "all")
ORDERS = ("created_at", "label_priority", "milestone_due", "popularity", "priority", "title", "updated_at", "merged_at")
CHANGES = (
    *("assignee_id", "assignee_ids", "reviewer_ids", "description", "labels", "add_labels", "remove_labels"),
    *("milestone_id", "remove_source_branch", "allow_collaboration", "allow_maintainer_to_push", "squash"),
    *("target_branch", "title", "state_event", "discussion_locked"),
)


def _value(call: Call, name: str, allowed: tuple[str, ...], default: str) -> str:
    value = call.text(name) or default
    if value not in allowed:
        raise Refused(400, {"error": f"{name} does not have a valid value"})
    return value


@route("GET", REQUESTS, job=(18, 2))
def list_requests(call: Call) -> Answer:
    state, sort = _value(call, "state", STATES, "all"), _value(call, "sort", ("asc", "desc"), "desc")
    order = _value(call, "order_by", ORDERS, "created_at")
    iids, labels = call.names("iids"), call.names("labels")
    texts = {
        "source_branch": lambda one: one.source_branch, "target_branch": lambda one: one.target_branch,
        "author_username": lambda one: one.author.username, "author_id": lambda one: str(one.author.id),
        "source_project_id": lambda one: str(one.source.id),
    }  # fmt: skip
    found = [
        one for one in call.project.merge_requests.values()
        if state in (one.state, "all")
        and all(call.text(name) in (None, get(one)) for name, get in texts.items())
        and (iids is None or str(one.iid) in iids)
        and (labels is None or set(labels) <= set(one.labels))
        and (call.text("search") or "").lower() in f"{one.title}\n{one.description}".lower()
        and _in_time(call, one)
    ]  # fmt: skip
    keys = {"updated_at": lambda one: (one.updated_at, one.iid), "title": lambda one: one.title}
    keys["merged_at"] = lambda one: ((one.merged_at or one.created_at), one.iid)
    found.sort(key=keys.get(order, lambda one: one.iid), reverse=sort == "desc")
    if call.text("view") == "simple":
        names = ("id", "iid", "project_id", "title", "description", "state", "created_at", "updated_at", "web_url")
        return call.paged(found, lambda one: {name: _basic(call, one)[name] for name in names})
    return call.paged(found, lambda one: _basic(call, one))


def _in_time(call: Call, one: MergeRequest) -> bool:
    for name, at in (("created", one.created_at), ("updated", one.updated_at)):
        after, before = (call.text(f"{name}_{word}") for word in ("after", "before"))
        if after and at < datetime.fromisoformat(after.replace("Z", "+00:00")):
            return False
        if before and at > datetime.fromisoformat(before.replace("Z", "+00:00")):
            return False
    return True


def _basic(call: Call, one: MergeRequest) -> dict[str, Any]:
    shown = call.gitlab.shapes.basic(call.project, one)
    if call.flag("with_labels_details"):
        details = ("id", "name", "color", "description", "description_html", "text_color", "archived")
        labels = [call.gitlab.shapes.label(call.project.labels[name]) for name in shown["labels"]]
        shown["labels"] = [{name: label[name] for name in details} for label in labels]
    return shown


def _full(call: Call, status: int = 200) -> Answer:
    return Answer(status, call.gitlab.shapes.full(call.project, call.request, call.viewer, call.query))


@route("POST", REQUESTS)
def open_request(call: Call) -> Answer:
    missing = [name for name in ("title", "source_branch", "target_branch") if name not in call.given]
    if missing:
        raise Refused(400, {"error": ", ".join(f"{name} is missing" for name in missing)})
    call.demand("developer")
    source = target = call.project
    if wanted := call.text("target_project_id"):
        found = call.gitlab.find(wanted)
        if found is None or source.forked_from != found.path:
            raise Refused(404, "404 Project Not Found")
        target = found
    if not target.merge_requests_enabled:
        raise Refused(403, "403 Forbidden")
    title, text = call.text("title") or "", call.text("description")
    _lengths(title, text)
    branches = call.text("source_branch") or "", call.text("target_branch") or ""
    one = call.gitlab.new_request(target, source, call.user, title, text, *branches)
    call.found, call.params["iid"] = target, str(one.iid)
    if (remove := call.flag("remove_source_branch")) is not None:
        one.remove_source_branch = remove
    _people_and_labels(call, one)
    return _full(call, 201)


def _lengths(title: str | None, text: str | None) -> None:
    if title is not None and not title.strip():
        raise Refused(400, {"title": ["can't be blank"]})
    if title is not None and len(title) > 255:
        raise Refused(400, {"title": ["is too long (maximum is 255 characters)"]})
    if text is not None and len(text) > 1_048_576:
        raise Refused(400, {"description": ["is too long (maximum is 1048576 characters)"]})


def _people_and_labels(call: Call, one: MergeRequest) -> None:
    """What GitLab lets pass in silence: people who can't see the project, and (without Premium) more than one."""
    for name, keep in (("assignee_ids", "assignees"), ("reviewer_ids", "reviewers")):
        ids = call.names(name)
        if ids is not None:
            people = [user for user in call.gitlab.users.values() if str(user.id) in ids and call.project.level(user)]
            setattr(one, keep, people if call.project.premium else people[:1])
    if (squash := call.flag("squash")) is not None:
        one.squash = squash
    if call.project.level(call.user) < LEVELS["planner"]:
        return
    labels = call.names("labels")
    added, removed = call.names("add_labels") or [], call.names("remove_labels") or []
    if labels is not None or added or removed:
        kept = [name for name in (one.labels if labels is None else labels) if name not in removed]
        call.gitlab.set_labels(call.project, one, [*kept, *added])


@route("GET", ONE, job=(18, 2))
def get_request(call: Call) -> Answer:
    return _full(call)


@route("PUT", ONE)
def update_request(call: Call) -> Answer:
    if not set(CHANGES) & call.given.keys():
        raise Refused(400, {"error": f"{', '.join(CHANGES)} are missing, at least one parameter must be provided"})
    one = call.request
    if one.author is not call.user:
        call.demand("developer")
    event = _value(call, "state_event", ("close", "reopen", ""), "")
    title, text = call.text("title"), call.text("description")
    if "title" in call.given and not title:
        raise Refused(400, {"error": "title is empty"})
    _lengths(title, text)
    if (branch := call.text("target_branch")) and branch != one.target_branch and one.state == "opened":
        call.gitlab.retarget(call.project, one, branch)
    if event == "reopen":
        call.gitlab.changes.reopen(call.project, one)
    elif event == "close" and one.state == "opened":
        call.gitlab.changes.close(call.project, one, call.user)
    one.title = title or one.title
    if "description" in call.given:
        one.description, actions = without_actions(text)
        call.gitlab.act(call.project, one, call.user, actions)
    if (remove := call.flag("remove_source_branch")) is not None:
        one.remove_source_branch = remove
    one.locked = call.flag("discussion_locked") if "discussion_locked" in call.given else one.locked
    _people_and_labels(call, one)
    one.updated_at = call.gitlab.now()
    return _full(call)


@route("PUT", ONE + "/merge")
def merge_request(call: Call) -> Answer:
    """Before 17.11, `auto_merge` isn't known: such a request merges at once."""
    if call.project.requires_sha and not call.text("sha"):
        raise Refused(400, "SHA must be provided when merging")
    how = AutoMerge(
        call.user, "", call.text("sha") or "", call.flag("squash"), call.flag("should_remove_source_branch"),
        call.text("merge_commit_message"), call.text("squash_commit_message"),
    )  # fmt: skip
    wait = call.flag("merge_when_pipeline_succeeds") or (call.gitlab.version >= (17, 11) and call.flag("auto_merge"))
    how.strategy = call.gitlab.changes.strategy(call.project)
    call.gitlab.changes.accept(call.project, call.request, call.user, how if wait else None, how)
    return _full(call)


@route("POST", ONE + "/cancel_merge_when_pipeline_succeeds")
def cancel(call: Call) -> Answer:
    one = call.request
    if not call.project.may_merge(call.user, one.target_branch) and one.author is not call.user:
        raise Refused(401, "401 Unauthorized")
    if one.auto_merge is None:
        return Answer(201, {"status": "error", "message": "Can't cancel the automatic merge", "http_status": 406})
    one.auto_merge = None
    return Answer(201, {"status": "success"})


@route("PUT", ONE + "/rebase")
def rebase(call: Call) -> Answer:
    call.gitlab.changes.rebase(call.project, call.request, call.user)
    return Answer(202, {"rebase_in_progress": True})


@route("GET", ONE + "/commits")
def commits(call: Call) -> Answer:
    one = call.request
    shas = one.commits(call.project.bare)[::-1]
    return call.paged(shas, lambda sha: call.gitlab.shapes.commit(call.project, sha))


@route("GET", ONE + "/pipelines")
def pipelines(call: Call) -> Answer:
    mine = set(call.request.commits(call.project.bare))
    found = [one for one in call.project.pipelines if one.sha in mine][::-1]
    return call.paged(found, lambda one: call.gitlab.shapes.pipeline(call.project, one))


@route("GET", "/projects/{id}/repository/commits/{sha}/merge_requests")
def requests_of_commit(call: Call) -> Answer:
    sha = call.project.bare.commit(call.params["sha"])
    if sha is None:
        raise Refused(404, "404 Commit Not Found")
    found = [
        one for one in call.project.merge_requests.values()
        if sha in one.landed or sha in one.commits(call.project.bare)
    ]  # fmt: skip
    return call.paged(found[::-1], lambda one: _basic(call, one))


# notes


@route("GET", ONE + "/notes", job=(18, 2))
def list_notes(call: Call) -> Answer:
    order = _value(call, "order_by", ("created_at", "updated_at"), "created_at")
    found = [one for one in call.project.notes.values() if one.iid == call.request.iid]
    found.sort(
        key=lambda one: (getattr(one, order), one.id), reverse=_value(call, "sort", ("asc", "desc"), "desc") == "desc"
    )
    return call.paged(found, lambda one: call.gitlab.shapes.note(call.project, one))


@route("POST", ONE + "/notes")
def write_note(call: Call) -> Answer:
    """A note of nothing but quick actions isn't kept: 202 with what they did."""
    one, text = call.request, call.text("body")
    if text is None:
        raise Refused(400, {"error": "body is missing"})
    kept, actions = without_actions(text)
    _note_length(kept or "")
    note = call.gitlab.new_note(call.project, one, call.user, kept or "") if kept else None
    call.gitlab.act(call.project, one, call.user, actions)
    if note is None and actions:
        done = dict(actions)
        return Answer(202, {"commands_changes": done, "summary": [f"Applied {name}" for name in done]})
    if note is None:
        raise Refused(400, '400 Bad request - Note {:note=>["can\'t be blank"]}')
    return Answer(201, call.gitlab.shapes.note(call.project, note))


def _note_length(text: str) -> None:
    if len(text) > 1_000_000:
        raise Refused(400, '400 Bad request - Note {:note=>["is too long (maximum is 1000000 characters)"]}')


@route("PUT", ONE + "/notes/{note#}")
def change_note(call: Call) -> Answer:
    note = _own_note(call)
    text = call.text("body") or ""
    _note_length(text)
    note.body, note.updated_at = text, call.gitlab.now()
    return Answer(200, call.gitlab.shapes.note(call.project, note))


@route("GET", ONE + "/notes/{note#}", job=(18, 2))
def get_note(call: Call) -> Answer:
    return Answer(200, call.gitlab.shapes.note(call.project, _note(call)))


@route("DELETE", ONE + "/notes/{note#}")
def delete_note(call: Call) -> Answer:
    del call.project.notes[_own_note(call).id]
    return Answer(204)


def _note(call: Call) -> Note:
    note = call.project.notes.get(int(call.params["note"]))
    if note is None or note.iid != call.request.iid:
        raise Refused(404, "404 Note Not Found")
    return note


def _own_note(call: Call) -> Note:
    note = _note(call)
    if note.system or (note.author is not call.user and call.project.level(call.user) < LEVELS["maintainer"]):
        raise Refused(403, "403 Forbidden")
    return note


# approvals and trains


@route("GET", ONE + "/approvals")
def approvals(call: Call) -> Answer:
    return Answer(200, _approvals(call, call.request))


def _approvals(call: Call, one: MergeRequest) -> dict[str, Any]:
    users = call.gitlab.users
    left = call.gitlab.changes.approvals_left(call.project, one)
    name = call.user.username if call.token else ""
    by = [{"user": call.gitlab.shapes.user(users[who]), "approved_at": stamp(at)} for who, at in one.approvals.items()]
    shown: dict[str, Any] = {
        "user_has_approved": name in one.approvals, "user_can_approve": _may_approve(call, one),
        "approved": not left and (call.project.premium or bool(by)), "approved_by": by,
    }  # fmt: skip
    if call.project.premium:
        rules = [rule for rule in call.project.rules if not rule.branches or one.target_branch in rule.branches]
        shown |= {
            "id": one.id, "iid": one.iid, "project_id": call.project.id, "title": one.title, "state": one.state,
            "description": one.description, "created_at": stamp(one.created_at), "updated_at": stamp(one.updated_at),
            "merge_status": call.gitlab.changes.detailed_status(call.project, one, look=False)[0],
            "approvals_required": sum(rule.required for rule in rules), "approvals_left": left,
            "require_password_to_approve": False, "has_approval_rules": bool(rules), "invalid_approvers_rules": [],
            "approval_rules_left": [{"id": rule.id, "name": rule.name, "rule_type": "regular"} for rule in rules if left],
            "suggested_approvers": [], "approvers": [], "approver_groups": [], "merge_request_approvers_available": True,
            "multiple_approval_rules_available": True,
        }  # fmt: skip
    return shown


def _may_approve(call: Call, one: MergeRequest) -> bool:
    user = call.viewer
    if user is None or call.project.level(user) < LEVELS["developer"] or user.username in one.approvals:
        return False
    return user is not one.author or call.project.author_approves or not call.project.premium


@route("POST", ONE + "/approve")
def approve(call: Call) -> Answer:
    one = call.request
    if not _may_approve(call, one):
        raise Refused(401, "401 Unauthorized")
    if (sha := call.text("sha")) and sha != one.sha:
        raise Refused(409, f"SHA does not match HEAD of source branch: {one.sha}")
    one.approvals[call.user.username] = call.gitlab.now()
    return Answer(201, _approvals(call, one))


@route("GET", "/projects/{id}/merge_trains", premium=True)
def trains(call: Call) -> Answer:
    return call.paged(call.project.train, lambda iid: _car(call, call.project.merge_requests[iid]))


@route("POST", "/projects/{id}/merge_trains/merge_requests/{iid#}", premium=True)
def board(call: Call) -> Answer:
    one, gitlab = call.request, call.gitlab
    if not call.project.merge_trains or not call.project.may_merge(call.user, one.target_branch):
        raise Refused(403, "403 Forbidden")
    if (sha := call.text("sha")) and sha != one.sha:
        raise Refused(409, f"SHA does not match HEAD of source branch: {one.sha}")
    waits = call.flag("when_pipeline_succeeds") or call.flag("auto_merge")
    if gitlab.changes.obstacle(call.project, one) and not waits:
        raise Refused(400, "Failed to merge")
    strategy = gitlab.changes.strategy(call.project) if waits else "merge_train"
    one.auto_merge = AutoMerge(call.user, strategy, one.sha, call.flag("squash"), None, None, None)
    gitlab.changes.settle(call.project)
    found = [_car(call, call.project.merge_requests[iid]) for iid in call.project.train]
    return Answer(201 if one.iid in call.project.train else 202, found)


@route("GET", "/projects/{id}/merge_trains/merge_requests/{iid#}", premium=True)
def car(call: Call) -> Answer:
    if call.request.iid not in call.project.train:
        raise Refused(404, "404 Not found")
    return Answer(200, _car(call, call.request))


def _car(call: Call, one: MergeRequest) -> dict[str, Any]:
    shapes, user = call.gitlab.shapes, (one.auto_merge.user if one.auto_merge else one.author)
    names = ("id", "iid", "project_id", "title", "description", "state", "created_at", "updated_at", "web_url")
    pipeline = call.project.head_pipeline(one)
    return {
        "id": one.id, "merge_request": {name: shapes.basic(call.project, one)[name] for name in names},
        "user": shapes.user(user), "pipeline": pipeline and shapes.pipeline(call.project, pipeline),
        "created_at": stamp(one.updated_at), "updated_at": stamp(one.updated_at), "target_branch": one.target_branch,
        "status": "fresh", "merged_at": None, "duration": None,
    }  # fmt: skip
