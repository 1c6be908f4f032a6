"""Pull requests: listing, opening, changing, completing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forge_standin import Answer

from azure_standin import problems
from azure_standin.life import STRATEGIES
from azure_standin.rest import Call, listed, route

if TYPE_CHECKING:
    from azure_standin.records import Identity, Pull, Repository

REPOSITORY = "git/repositories/{repositoryId}"
PULLS = f"{REPOSITORY}/pullrequests"
PULL = f"{PULLS}/{{pullRequestId}}"

DESCRIPTION, TITLE = 4000, 400
NOBODY = "00000000-0000-0000-0000-000000000000"
_LOCATION = "9946fd70-0d40-406e-b686-b4744cbbcc37"


@route("GET", PULLS, "vso.code", location=_LOCATION)
def list_pulls(call: Call) -> Answer:
    """The newest first; of those that are active, unless `searchCriteria.status` says otherwise."""
    found = [pull for pull in call.repository.pulls.values() if _fits(call, pull)]
    found.sort(key=lambda pull: -pull.id)
    return call.paged(found, lambda pull: call.shapes.listed(call.repository, pull), default=101)


def _fits(call: Call, pull: Pull) -> bool:
    wanted = {name.removeprefix("searchCriteria."): value for name, value in call.query.items()}
    status, source = wanted.get("status", "active"), (pull.fork or call.repository).id
    sides = (("sourceRefName", pull.source), ("targetRefName", pull.target))
    return (
        status in (pull.status, "all", "notSet")
        and all(wanted.get(name, f"refs/heads/{branch}") == f"refs/heads/{branch}" for name, branch in sides)
        and wanted.get("creatorId", pull.by.id) == pull.by.id
        and wanted.get("sourceRepositoryId", source) == source
    )


@route("POST", PULLS, "vso.code_write", location=_LOCATION)
def open_pull(call: Call) -> Answer:
    """`autoCompleteSetBy` and `completionOptions` have no effect here: they take an update."""
    source, target = call.part("sourceRefName"), call.part("targetRefName")
    for name, value in (("sourceRefName", source), ("targetRefName", target)):
        if not value:
            raise problems.invalid(f"{name} is required")
    if not all(ref.startswith("refs/heads/") for ref in (source, target)):
        raise problems.cannot_be_activated()
    title = _title(call.part("title") or "")
    text = _description(call.part("description"))
    branches = [ref.removeprefix("refs/heads/") for ref in (source, target)]
    reviewers = [(_identity(call, one), one) for one in call.part("reviewers") or ()]
    draft = bool(call.part("isDraft"))
    fork = call.azure.find("", ((call.part("forkSource") or {}).get("repository") or {}).get("id", ""))
    pull = call.azure.new_pull(call.repository, call.identity, title, text, *branches, fork=fork, draft=draft)
    for identity, one in reviewers:
        call.azure.life.vote(pull, identity, 0, required=bool(one.get("isRequired")))
    pull.labels = [one["name"] for one in call.part("labels") or ()]
    labels = [call.shapes.label(call.repository, name) for name in pull.labels]
    return Answer(201, {**call.shapes.pull(call.repository, pull), "labels": labels})


def _title(title: str) -> str:
    if not title.strip():
        raise problems.invalid("A title is required for a pull request.")
    if len(title) > TITLE:
        raise problems.invalid(f"A title for a pull request must not be longer than {TITLE} characters.")
    return title


def _description(text: str | None) -> str | None:
    """Counted in UTF-16, as .NET does."""
    if text is not None and len(text.encode("utf-16-le")) // 2 > DESCRIPTION:
        raise problems.invalid(f"A description for a pull request must not be longer than {DESCRIPTION} characters.")
    return text


def _identity(call: Call, shown: Any) -> Identity:
    wanted = shown.get("id") if isinstance(shown, dict) else None
    found = next((one for one in call.azure.identities.values() if one.id == wanted), None)
    if found is None:
        raise problems.invalid(f"The identity {wanted} was not found.")
    return found


@route("GET", PULL, "vso.code", location=_LOCATION)
def get_pull(call: Call) -> Answer:
    found = call.shapes.pull(call.repository, call.pull)
    if call.query.get("includeCommits", "").lower() == "true":
        found["commits"] = commits_of(call)
    return Answer(200, found)


@route("GET", "git/pullrequests/{number}", "vso.code", location="01a46dea-7d46-4d40-bc84-319e7c260d99")
def get_pull_anywhere(call: Call) -> Answer:
    """By its number alone, which is its own in the whole organization."""
    number = int(call.params["number"])
    for repository in call.azure.repositories:
        if number in repository.pulls and repository.may(call.identity, "GenericRead"):
            return Answer(200, call.shapes.pull(repository, repository.pulls[number], links=False))
    raise problems.no_pull()


_MAY = {"title", "description", "status", "completionOptions", "mergeOptions", "autoCompleteSetBy", "targetRefName"}
_MAY |= {"lastMergeSourceCommit", "isDraft", "mergeStatus"}


@route("PATCH", PULL, "vso.code_write", location=_LOCATION)
def update_pull(call: Call) -> Answer:
    """A completed one stays as it is, an abandoned one can be made active again."""
    pull, repository, body, life = call.pull, call.repository, call.body, call.azure.life
    if not isinstance(body, dict) or not body.keys() <= _MAY:
        raise problems.invalid("You can only update reviewers, descriptions, titles, merge status, and status.")
    status = body.get("status")
    if pull.status == "abandoned" and status == "active":
        life.reactivate(repository, pull, call.identity)
    elif pull.status != "active" and status == pull.status:
        return Answer(200, call.shapes.pull(repository, pull))
    if pull.status != "active":
        raise problems.not_editable()
    _edit(call, pull)
    if status == "abandoned":
        life.abandon(pull, call.identity)
    elif status == "completed":
        _complete(call, repository, pull)
    return Answer(200, call.shapes.pull(repository, pull))


def _edit(call: Call, pull: Pull) -> None:
    body, target = call.body, call.body.get("targetRefName", "").removeprefix("refs/heads/")
    if target and call.repository.bare.tip(target) is None:
        raise problems.cannot_be_activated()
    title, text = _title(body.get("title", pull.title)), _description(body.get("description", pull.description))
    pull.title, pull.description, pull.draft = title, text, body.get("isDraft", pull.draft)
    if target or body.get("mergeStatus") == "queued":
        pull.target = target or pull.target
        call.azure.life.try_merge(call.repository, pull)
    if "completionOptions" in body:
        pull.options = _options(body["completionOptions"] or {})
    if "autoCompleteSetBy" in body:
        _auto_complete(call, pull, (body["autoCompleteSetBy"] or {}).get("id", NOBODY))


def _options(asked: dict[str, Any]) -> dict[str, Any]:
    """As they are kept: what is false isn't."""
    found = {name: {"true": True, "false": False}.get(value, value) for name, value in asked.items()}
    if found.get("mergeStrategy", "noFastForward") not in STRATEGIES:
        raise problems.invalid("mergeStrategy")
    if found.pop("squashMerge", False):
        found.setdefault("mergeStrategy", "squash")
    return {name: value for name, value in found.items() if value not in (None, False)}


def _auto_complete(call: Call, pull: Pull, wanted: str) -> None:
    if wanted not in (NOBODY, call.identity.id):
        raise problems.invalid("autoCompleteSetBy must be the identity that makes the request.")
    pull.auto_complete = None if wanted == NOBODY else call.identity
    if pull.auto_complete:
        _demand_target(call, pull)
        pull.options = {"mergeStrategy": "noFastForward", **(pull.options or {})}


def _demand_target(call: Call, pull: Pull) -> None:
    """Who completes writes to the target."""
    if not call.repository.may(call.identity, "GenericContribute", pull.target):
        raise problems.needs("GenericContribute", call.identity.unique_name, "branch")


def _complete(call: Call, repository: Repository, pull: Pull) -> None:
    """Only the head that the request names, which is the check for races. The merge itself comes later."""
    named = (call.part("lastMergeSourceCommit") or {}).get("commitId")
    if not named:
        raise problems.invalid("You must specify a valid LastMergeSourceCommit to perform this operation.")
    _demand_target(call, pull)
    if (
        pull.options
        and pull.options.get("bypassPolicy")
        and not repository.may(call.identity, "PullRequestBypassPolicy")
    ):
        raise problems.needs("PullRequestBypassPolicy", call.identity.unique_name, "branch")
    if named != pull.source_commit or repository.bare.tip(pull.source) != named:
        raise problems.stale()
    call.azure.life.complete(repository, pull, call.identity)


@route("POST", f"{REPOSITORY}/pullrequestquery", "vso.code", location="b3a6eebe-9cf0-49ea-b6cb-1a4c5f5007b0")
def query_pulls(call: Call) -> Answer:
    """The pull requests of commits: of their last merge, or that brought them into the target."""
    repository, results = call.repository, []
    for query in call.part("queries") or ():
        last = query.get("type") in ("lastMergeCommit", 1)
        found: dict[str, list[Any]] = {}
        for sha in query["items"]:
            fits = [
                one for one in repository.pulls.values()
                if sha == one.merge_commit or (not last and (sha in one.commits_landed or sha == one.source_commit))
            ]  # fmt: skip
            if fits:
                found[sha] = [call.shapes.listed(repository, one) for one in fits]
        results.append(found)
    return Answer(200, {"queries": call.part("queries"), "results": results})


@route("GET", f"{PULL}/commits", "vso.code", location="52823034-34a8-4576-922c-8d8b77e9e4c4")
def list_commits(call: Call) -> Answer:
    return listed(commits_of(call))


def commits_of(call: Call) -> list[dict[str, Any]]:
    """The newest first."""
    pull, bare = call.pull, call.repository.bare
    found = bare.ahead(pull.target_commit, pull.source_commit)[::-1]
    shown = [call.shapes.commit(call.repository, sha, full=True) for sha in found]
    return [{name: value for name, value in one.items() if name != "parents"} for one in shown]
