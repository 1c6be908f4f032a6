"""Repositories, their refs, policies; who is asking, and who else there is."""

from __future__ import annotations

from typing import Any

from forge_standin import Answer
from forge_standin.bare import ZERO

from azure_standin import problems
from azure_standin.api_pulls import REPOSITORY
from azure_standin.records import Identity, Policy, Repository, guid
from azure_standin.rest import Call, listed, route

_REPOSITORIES, _REFS = "225f7195-f9c7-4d14-ab28-a83f7ff77e1f", "2d874a60-a811-4f62-9c9f-963a6ea0a55b"


@route("GET", "git/repositories", "vso.code", location=_REPOSITORIES)
def list_repositories(call: Call) -> Answer:
    seen = [one for one in call.azure.repositories if one.may(call.identity, "GenericRead")]
    return listed([call.shapes.repository(one) for one in seen])


@route("GET", REPOSITORY, "vso.code", location=_REPOSITORIES)
def get_repository(call: Call) -> Answer:
    return Answer(200, call.shapes.repository(call.repository))


@route("GET", "projects/{name}", "vso.project", "vso.profile")
def get_project(call: Call) -> Answer:
    for one in call.azure.repositories:
        if call.params["name"] in (one.project, one.project_id):
            return Answer(200, call.shapes.project(one))
    raise problems.no_project(call.params["name"])


# refs


@route("GET", f"{REPOSITORY}/refs", "vso.code", location=_REFS)
def list_refs(call: Call) -> Answer:
    """Whose name after `refs/` begins with `filter`, sorted, at most `$top`, with a token for those that follow."""
    bare = call.repository.bare
    lines = bare.git("for-each-ref", "--format=%(refname) %(objectname)")
    refs = dict(line.rsplit(" ", 1) for line in lines.splitlines())
    wanted, since = f"refs/{call.query.get('filter', '')}", call.query.get("continuationToken", "")
    names = sorted(name for name in refs if name.startswith(wanted) and name >= since)
    some = call.query.get("filterContains", "")
    names = [name for name in names if some in name]
    top = int(call.query.get("$top", 100 if since else len(names) or 1))
    answer = listed([_ref(call, name, refs[name]) for name in names[:top]])
    if names[top:]:
        answer.headers["x-ms-continuationtoken"] = names[top]
    return answer


def _ref(call: Call, name: str, sha: str) -> dict[str, Any]:
    creator = call.repository.creators.get(name.removeprefix("refs/heads/"), call.azure.owner)
    url = f"{call.shapes.api(call.repository)}/refs?filter={name.removeprefix('refs/').replace('/', '%2F')}"
    return {"name": name, "objectId": sha, "creator": call.shapes.identity(creator), "url": url}


@route("POST", f"{REPOSITORY}/refs", "vso.code_write", permission="GenericRead", location=_REFS)
def update_refs(call: Call) -> Answer:
    """Each for itself, by compare-and-swap; the answer is 200 also where an update is refused."""
    return listed([_update(call, one) for one in call.body])


def _update(call: Call, one: dict[str, str]) -> dict[str, Any]:
    bare, repository, name = call.repository.bare, call.repository, one["name"]
    old, new, branch = one["oldObjectId"], one["newObjectId"], name.removeprefix("refs/heads/")
    needed = "CreateBranch" if old == ZERO else "ForcePush" if new == ZERO else "GenericContribute"
    status = "succeeded"
    if not repository.may(call.identity, needed, branch):
        status = {"CreateBranch": "createBranchPermissionRequired"}.get(needed, "writePermissionRequired")
        status = "forcePushRequired" if needed == "ForcePush" else status
    elif any(p.blocking for p in repository.policies_of(branch)) and not repository.may(call.identity, "PolicyExempt"):
        status = "rejectedByPolicy"
    elif (bare.commit(name) or ZERO) != old:
        status = "staleOldObjectId"
    elif new != ZERO and bare.commit(new) is None:
        status = "unresolvableToCommit"
    else:
        bare.move(name, None if new == ZERO else new)
    return {
        "repositoryId": repository.id, "name": name, "oldObjectId": old, "newObjectId": new, "isLocked": False,
        "updateStatus": status, "success": status == "succeeded",
    }  # fmt: skip


# policies


@route("GET", "git/policy/configurations", "vso.code", location="2c420070-a0a2-49cc-9639-c9f271c5ff07")
def policies_of_ref(call: Call) -> Answer:
    """Those of a repository and a ref; a project's and the descriptions' other filters aren't here."""
    repository = _seen(call, call.query.get("repositoryId", ""))
    branch = call.query.get("refName", "").removeprefix("refs/heads/")
    return _policies(
        call, repository, [one for one in repository.policies.values() if not branch or one.covers(branch)]
    )


def _seen(call: Call, name: str) -> Repository:
    found = call.azure.find("", name)
    if found is None or not found.may(call.identity, "GenericRead"):
        raise problems.no_repository(name)
    return found


def _policies(call: Call, repository: Repository, found: list[Policy]) -> Answer:
    """By their ids, with a token for those that follow."""
    since, top = int(call.query.get("continuationToken", 0)), int(call.query.get("$top", 1000))
    found = sorted((one for one in found if one.id >= since), key=lambda one: one.id)
    answer = listed([call.shapes.policy(repository, one) for one in found[:top]])
    if found[top:]:
        answer.headers["x-ms-continuationtoken"] = str(found[top].id)
    return answer


@route("GET", "policy/evaluations", "vso.code", location="c23ddff5-229c-4d04-a80b-0fdce9f360c8", preview=True)
def evaluations(call: Call) -> Answer:
    """Of `vstfs:///CodeReview/CodeReviewId/{project}/{pull request}`."""
    number = int(call.query["artifactId"].rpartition("/")[2])
    for repository in call.azure.repositories:
        if number in repository.pulls and repository.may(call.identity, "GenericRead"):
            pull, verdict = repository.pulls[number], call.azure.life.verdict
            found = [(one, verdict(pull, one)) for one in repository.policies_of(pull.target)]
            return listed([call.shapes.evaluation(repository, pull, *each) for each in found])
    raise problems.no_pull()


# who there is


@route("GET", "connectionData", location="00d9565f-ed9c-4a06-9a50-00e7896ccab4", preview=True)
def connection(call: Call) -> Answer:
    """Who is asking; of no public description."""
    who = _shown(call.identity)
    data = {"serviceOwner": guid("service"), "defaultAccessMappingMoniker": "PublicAccessMapping"}
    return Answer(200, {
        "authenticatedUser": who, "authorizedUser": who, "instanceId": guid("instance"),
        "deploymentId": guid("deployment"), "deploymentType": "hosted",
        "locationServiceData": {**data, "lastChangeId": 1, "lastChangeId64": 1},
    })  # fmt: skip


def _shown(one: Identity) -> dict[str, Any]:
    account = {"Account": {"$type": "System.String", "$value": one.unique_name}}
    descriptor = f"Microsoft.IdentityModel.Claims.ClaimsIdentity;{one.unique_name}"
    return {
        "id": one.id, "descriptor": descriptor, "subjectDescriptor": f"aad.{one.id}", "providerDisplayName": one.name,
        "isActive": True, "isContainer": one.is_group, "properties": account, "resourceVersion": 2, "metaTypeId": 0,
    }  # fmt: skip


@route("GET", "identities", "vso.identity")
def identities(call: Call) -> Answer:
    """By `searchFilter` and `filterValue`: General looks for names and accounts. The service has it on another host."""
    wanted = call.query.get("filterValue", "").casefold()
    found = [
        one for one in call.azure.identities.values() if wanted in (one.name.casefold(), one.unique_name.casefold())
    ]
    return listed([_shown(one) for one in found])


@route("GET", "resourceAreas", location="e81700f7-3be2-46de-8624-2eb35882fcaa")
def resource_areas(_: Call) -> Answer:
    """None, as a server of one's own says: everything is below the collection."""
    return listed([])


BITS = {"GenericRead": 2, "GenericContribute": 4, "ForcePush": 8, "CreateBranch": 16, "PolicyExempt": 128,
        "EditPolicies": 2048, "PullRequestContribute": 16384, "PullRequestBypassPolicy": 32768}  # fmt: skip
"""Of the security namespace of Git repositories."""


@route("GET", "permissions/2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87/{bits}", "vso.code")
def permissions(call: Call) -> Answer:
    """Whether all of these permissions are there, for `tokens=repoV2/{project}/{repository}`, a branch left aside."""
    repository = _seen(call, call.query["tokens"].split("/")[2])
    asked = [name for name, bit in BITS.items() if int(call.params["bits"]) & bit]
    return listed([all(repository.may(call.identity, name) for name in asked)])
