"""Repositories, branches and what protects them, refs."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from standin import shapes_pulls as shown
from standin.answers import Answer, Call, Problem, route
from standin.rules import push_refusals
from standin.shapes import stamp

if TYPE_CHECKING:
    from standin.records import Protection

REPO = "/repos/{owner}/{repo}"


@route("GET", REPO, "metadata:read")
def get_repository(call: Call) -> Answer:
    viewer = call.token.user if call.token else None
    pushes = call.token is not None and (call.token.kind == "classic" or call.token.may("contents", "write"))
    return Answer(200, call.shapes.full_repository(call.repository, viewer, pushes))


@route("GET", REPO + "/collaborators/{user}/permission", "metadata:read")
def permission_of(call: Call) -> Answer:
    user = call.standin.users.get(call.params["user"])
    if user is None:
        raise Problem(404, f"{call.params['user']} is not a user")
    role = call.repository.role(user)
    coarse = {"triage": "read", "maintain": "write"}.get(role, role)
    shape = call.shapes.user(user) | {"role_name": role}
    return Answer(200, {"permission": coarse, "role_name": role, "user": shape})


# branches


@route("GET", REPO + "/branches", "contents:read")
def list_branches(call: Call) -> Answer:
    heads = call.repository.bare.heads()
    wanted = call.query.get("protected")
    names = [name for name in heads if wanted is None or _protected(call, name) == (wanted == "true")]
    return call.paged(names, lambda name: _short(call, name, heads[name]))


def _protected(call: Call, branch: str) -> bool:
    return branch in call.repository.protections or any(rules.covers(branch) for rules in call.repository.rulesets)


def _short(call: Call, branch: str, sha: str) -> dict[str, Any]:
    url = call.api
    return {
        "name": branch, "commit": {"sha": sha, "url": f"{url}/commits/{sha}"}, "protected": _protected(call, branch),
    }  # fmt: skip


@route("GET", REPO + "/branches/{branch...}/protection", "administration:read")
def get_protection(call: Call) -> Answer:
    branch = call.params["branch"]
    if call.repository.bare.tip(branch) is None:
        raise Problem(404, "Branch not found")
    protection = call.repository.protections.get(branch)
    if protection is None:
        raise Problem(404, "Branch not protected")
    return Answer(200, _protection(call, branch, protection))


def _protection(call: Call, branch: str, one: Protection) -> dict[str, Any]:
    url = f"{call.api}/branches/{branch}/protection"
    found: dict[str, Any] = {"url": url}
    if one.contexts is not None:
        found["required_status_checks"] = {
            "url": f"{url}/required_status_checks", "strict": one.strict, "contexts": list(one.contexts),
            "contexts_url": f"{url}/required_status_checks/contexts",
            "checks": [{"context": name, "app_id": None} for name in one.contexts],
        }  # fmt: skip
    if one.required_reviews is not None:
        found["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews", "dismiss_stale_reviews": one.dismiss_stale_reviews,
            "require_code_owner_reviews": one.require_code_owner_reviews, "require_last_push_approval": False,
            "required_approving_review_count": one.required_reviews,
        }  # fmt: skip
    if one.push_only_for is not None:
        found["restrictions"] = {
            "url": f"{url}/restrictions", "users_url": f"{url}/restrictions/users",
            "teams_url": f"{url}/restrictions/teams", "apps_url": f"{url}/restrictions/apps", "teams": [], "apps": [],
            "users": [call.shapes.user(call.standin.user(login)) for login in one.push_only_for],
        }  # fmt: skip
    switches = {
        "required_linear_history": one.required_linear_history, "allow_force_pushes": one.allow_force_pushes,
        "allow_deletions": one.allow_deletions, "block_creations": False, "required_conversation_resolution": False,
        "lock_branch": False, "allow_fork_syncing": False,
    }  # fmt: skip
    found["required_signatures"] = {"url": f"{url}/required_signatures", "enabled": False}
    found["enforce_admins"] = {"url": f"{url}/enforce_admins", "enabled": one.enforce_admins}
    return found | {name: {"enabled": value} for name, value in switches.items()}


@route("GET", REPO + "/branches/{branch...}", "contents:read")
def get_branch(call: Call) -> Answer:
    branch = call.params["branch"]
    sha = call.repository.bare.tip(branch)
    if sha is None:
        raise Problem(404, "Branch not found")
    url = f"{call.api}/branches/{branch}"
    protection = call.repository.protections.get(branch)
    checks = {
        "enforcement_level": "off" if not protection or protection.contexts is None else "non_admins",
        "contexts": list(protection.contexts or ()) if protection else [],
        "checks": [{"context": name, "app_id": None} for name in (protection.contexts or ())] if protection else [],
    }
    return Answer(200, {
        "name": branch, "commit": shown.commit(call.shapes, call.repository, sha),
        "_links": {"self": url, "html": f"{call.page}/tree/{branch}"},
        "protected": _protected(call, branch), "protection_url": f"{url}/protection",
        "protection": {"enabled": protection is not None, "required_status_checks": checks},
    })  # fmt: skip


@route("GET", REPO + "/rules/branches/{branch...}", "metadata:read")
def rules_of_branch(call: Call) -> Answer:
    """The rules of rulesets only; classic protection isn't among them, and a branch needn't exist."""
    found = []
    for ruleset in call.repository.rulesets:
        if ruleset.covers(call.params["branch"]):
            source = {
                "ruleset_source_type": "Repository", "ruleset_source": call.repository.full_name,
                "ruleset_id": ruleset.id,
            }  # fmt: skip
            for kind, parameters in ruleset.rules.items():
                found.append({"type": kind, **({"parameters": parameters} if parameters else {}), **source})
    return call.paged(found, lambda rule: rule)


@route("GET", REPO + "/rulesets/{ruleset#}", "metadata:read")
def get_ruleset(call: Call) -> Answer:
    """A ruleset, with what its bypass list means for the one who asks."""
    found = [one for one in call.repository.rulesets if one.id == int(call.params["ruleset"])]
    if not found:
        raise Problem(404, "Not Found")
    one, at = found[0], stamp(call.repository.created_at)
    include = [f"refs/heads/{pattern}" for pattern in one.branches]
    return Answer(200, {
        "id": one.id, "name": one.name, "target": "branch", "source_type": "Repository",
        "source": call.repository.full_name, "enforcement": "active", "node_id": f"RRS_{one.id}",
        "_links": {"self": {"href": call.url}, "html": {"href": f"{call.standin.web}/rules/{one.id}"}},
        "conditions": {"ref_name": {"include": include, "exclude": []}},
        "rules": [{"type": kind, **({"parameters": given} if given else {})} for kind, given in one.rules.items()],
        "current_user_can_bypass": "always" if call.user.login in one.bypass else "never",
        "created_at": at, "updated_at": at,
    })  # fmt: skip


# refs


def _ref(call: Call, ref: str, sha: str) -> dict[str, Any]:
    url = f"{call.api}/git"
    kind = call.repository.bare.git("cat-file", "-t", sha)
    target = {"sha": sha, "type": kind, "url": f"{url}/{kind}s/{sha}"}
    return {"ref": ref, "node_id": base64.b64encode(ref.encode()).decode(), "url": f"{url}/{ref}", "object": target}


def _all_refs(call: Call) -> dict[str, str]:
    text = call.repository.bare.git(
        "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/", "refs/tags/", "refs/pull/"
    )
    return dict(line.rsplit(" ", 1) for line in text.splitlines())


@route("GET", REPO + "/git/ref/{ref...}", "contents:read")
def get_ref(call: Call) -> Answer:
    ref = f"refs/{call.params['ref']}"
    found = _all_refs(call)
    if ref not in found:
        raise Problem(404, "Not Found")
    return Answer(200, _ref(call, ref, found[ref]))


@route("GET", REPO + "/git/matching-refs/{ref...}", "contents:read")
def matching_refs(call: Call) -> Answer:
    """All refs that begin so: `heads/release/devel` also finds `heads/release/devel-downgrade`."""
    beginning = f"refs/{call.params['ref']}"
    return Answer(200, [_ref(call, ref, sha) for ref, sha in _all_refs(call).items() if ref.startswith(beginning)])


@route("POST", REPO + "/git/refs", "contents:write")
def create_ref(call: Call) -> Answer:
    ref, sha = call.body.get("ref", ""), call.body.get("sha", "")
    if not re.fullmatch(r"refs/(heads|tags)/.+", ref):
        raise Problem(422, f"{ref} is not a valid ref name.")
    if ref in _all_refs(call):
        raise Problem(422, "Reference already exists")
    if call.repository.bare.commit(sha) is None:
        raise Problem(422, "Object does not exist")
    call.repository.bare.move(ref, sha)
    call.standin.changes.notice(call.repository, call.user, call.token)
    return Answer(201, _ref(call, ref, sha))


@route("DELETE", REPO + "/git/refs/{ref...}", "contents:write")
def delete_ref(call: Call) -> Answer:
    ref = f"refs/{call.params['ref']}"
    if ref not in _all_refs(call):
        raise Problem(422, "Reference does not exist")
    refusals = push_refusals(call.repository, call.user, ref, deletes=True, creates=False)
    if [refusal for refusal in refusals if refusal.when == "always"]:
        raise Problem(422, "Cannot delete this branch")
    if ref == f"refs/heads/{call.repository.default_branch}":
        raise Problem(422, "Cannot delete the default branch")
    if ref.startswith("refs/heads/"):
        call.standin.changes.delete_branch(call.repository, ref[11:], call.user, call.token)
    else:
        call.repository.bare.move(ref, None)
    return Answer(204)
