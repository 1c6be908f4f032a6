"""`/repos/…/pulls`: listing, opening, changing and merging pull requests."""

from __future__ import annotations

from standin import shapes_pulls as shown
from standin.answers import Answer, Call, Problem, invalid, route
from standin.changes import Refused
from standin.records import Pull

PULLS = "/repos/{owner}/{repo}/pulls"


@route("GET", PULLS, "pull_requests:read")
def list_pulls(call: Call) -> Answer:
    """The filter `head` counts only with its owner: without one GitHub overlooks it and lists everything."""
    wanted, head, base = call.query.get("state", "open"), call.query.get("head", ""), call.query.get("base", "")
    if wanted not in ("open", "closed", "all"):
        raise invalid("PullRequest", "state")
    found = [pull for pull in call.repository.pulls.values() if wanted in (pull.state, "all")]
    if ":" in head:
        found = [pull for pull in found if f"{pull.head_repo.partition('/')[0]}:{pull.head}".lower() == head.lower()]
    if base:
        found = [pull for pull in found if pull.base == base]
    sort = call.query.get("sort", "created")
    keys = {
        "created": lambda pull: pull.number,
        "updated": lambda pull: (pull.updated_at, pull.number),
        "popularity": lambda pull: sum(comment.number == pull.number for comment in call.repository.comments.values()),
        "long-running": lambda pull: pull.number,
    }
    if sort not in keys:
        raise invalid("PullRequest", "sort")
    # Newest first where `sort` is `created` or not given, else oldest first.
    direction = call.query.get("direction", "desc" if sort == "created" else "asc")
    found.sort(key=keys[sort], reverse=direction == "desc")
    return call.paged(found, lambda pull: shown.pull_simple(call.shapes, call.repository, pull))


@route("POST", PULLS, "pull_requests:write", role="read")
def open_pull(call: Call) -> Answer:
    """Checked in GitHub's order: the fields, the branches, a twin, commits between them."""
    repository, bare = call.repository, call.repository.bare
    title = call.text("title", 256, "PullRequest")
    text = call.text("body", resource="PullRequest")
    head, base = call.body.get("head"), call.body.get("base")
    missing = [name for name in ("title", "head", "base") if not call.body.get(name)]
    if missing or not isinstance(head, str) or not isinstance(base, str) or not title:
        raise invalid("PullRequest", missing[0] if missing else "title", "missing_field")
    if call.token and call.token.kind == "actions" and not repository.actions_may_open_pull_requests:
        raise Problem(403, "GitHub Actions is not permitted to create or approve pull requests.")
    source, branch = call.standin.head_of(repository, head)
    sha = source.bare.tip(branch) if source else None
    onto = bare.tip(base)
    if source is None or sha is None:
        raise invalid("PullRequest", "head")
    if onto is None:
        raise invalid("PullRequest", "base")
    label = f"{source.owner.login}:{branch}"
    twin = [p for p in repository.open_pulls() if p.source is source and (p.head, p.base) == (branch, base)]
    if twin:
        raise invalid("PullRequest", code="custom", message=f"A pull request already exists for {label}.")
    if source is not repository:
        bare.git("fetch", "--quiet", str(source.path), sha)
    if bare.merge_base(onto, sha) is None:
        raise invalid("PullRequest", code="custom", message=f"The {label} branch has no history in common with {base}")
    if bare.contains(onto, sha):
        raise invalid("PullRequest", code="custom", message=f"No commits between {base} and {branch}")
    pull = call.standin.new_pull(
        repository, call.user, title, text, (source, branch, sha), (base, onto), call.token,
        draft=bool(call.body.get("draft")),
    )  # fmt: skip
    answer = shown.pull_full(call.shapes, repository, pull, call.standin.lazy_mergeable)
    return Answer(201, answer, {"Location": answer["url"]})


@route("GET", PULLS + "/{number#}", "pull_requests:read")
def get_pull(call: Call) -> Answer:
    return Answer(200, _full(call, call.pull))


@route("PATCH", PULLS + "/{number#}", "pull_requests:write")
def update_pull(call: Call) -> Answer:
    """Title, body, state and base; a finished one can still be renamed."""
    repository, pull = call.repository, call.pull
    title, text = call.text("title", 256), call.text("body")
    state, base = call.body.get("state"), call.body.get("base")
    if "title" in call.body and not title:
        raise invalid("Issue", "title", "missing_field")
    if state not in (None, "open", "closed"):
        raise invalid("PullRequest", "state")
    if base is not None and base != pull.base:
        _retarget(call, pull, base)
    if title is not None:
        pull.title = title
    if "body" in call.body:
        pull.body = text
    if state == "closed" and pull.state == "open":
        call.standin.changes.close(pull, "closed")
    elif state == "open" and pull.state == "closed":
        try:
            call.standin.changes.reopen(repository, pull)
        except Refused as refused:
            raise invalid("PullRequest", "state", "custom", refused.message) from None
    pull.updated_at = call.standin.now()
    return Answer(200, _full(call, pull))


def _retarget(call: Call, pull: Pull, base: str) -> None:
    repository = call.repository
    onto = repository.bare.tip(base)
    if pull.state != "open":
        raise invalid("PullRequest", "base", "custom", "Cannot change the base branch of a closed pull request.")
    if onto is None:
        raise invalid("PullRequest", "base")
    if any((one.head, one.base) == (pull.head, base) for one in repository.open_pulls()):
        message = f"A pull request already exists for base branch '{base}' and head branch '{pull.head}'"
        raise invalid("PullRequest", "base", "custom", message)
    if repository.bare.contains(onto, pull.head_sha):
        message = f"There are no new commits between base branch '{base}' and head branch '{pull.head}'"
        raise invalid("PullRequest", "base", "custom", message)
    pull.base, pull.base_sha, pull.mergeable_asked, pull.auto_merge = base, onto, 0, None


@route("GET", PULLS + "/{number#}/merge", "pull_requests:read")
def is_merged(call: Call) -> Answer:
    return Answer(204) if call.pull.merged else Problem(404, "Not Found").answer()


@route("PUT", PULLS + "/{number#}/merge", "contents:write")
def merge_pull(call: Call) -> Answer:
    method = call.body.get("merge_method", "merge")
    if method not in ("merge", "squash", "rebase"):
        raise Problem(422, f"Invalid merge method: {method}")
    try:
        tip = call.standin.changes.merge(
            call.repository, call.pull, call.user, method,
            sha=call.body.get("sha"), title=call.text("commit_title"), message=call.text("commit_message"),
            token=call.token,
        )  # fmt: skip
    except Refused as refused:
        raise Problem(refused.status, refused.message) from None
    return Answer(200, {"sha": tip, "merged": True, "message": "Pull Request successfully merged"})


@route("PUT", PULLS + "/{number#}/update-branch", "pull_requests:write")
def update_branch(call: Call) -> Answer:
    if call.body.get("expected_head_sha", call.pull.head_sha) != call.pull.head_sha:
        raise Problem(422, "expected head sha didn’t match current head ref.")
    try:
        call.standin.changes.update_branch(call.repository, call.pull, call.user, call.token)
    except Refused as refused:
        raise Problem(refused.status, refused.message) from None
    page = f"{call.page}/pull/{call.pull.number}"
    return Answer(202, {"message": "Updating pull request branch.", "url": page})


@route("GET", PULLS + "/{number#}/commits", "pull_requests:read")
def commits_of_pull(call: Call) -> Answer:
    commits = call.repository.bare.ahead(call.pull.base_sha, call.pull.head_sha)
    return call.paged(commits, lambda sha: shown.commit(call.shapes, call.repository, sha))


@route("GET", PULLS + "/{number#}/files", "pull_requests:read")
def files_of_pull(call: Call) -> Answer:
    span = f"{call.pull.base_sha}...{call.pull.head_sha}"
    return call.paged(shown.files(call.repository, call.shapes, span, call.pull.head_sha), lambda file: file)


@route("GET", "/repos/{owner}/{repo}/commits/{sha}/pulls", "pull_requests:read", "contents:read")
def pulls_of_commit(call: Call) -> Answer:
    """The merged pull request that brought a commit, and open ones that hold it."""
    repository, given = call.repository, call.params["sha"]
    sha = repository.bare.commit(given)
    if sha is None:
        raise Problem(422, f"No commit found for SHA: {given}")
    found = [
        pull
        for pull in repository.pulls.values()
        if sha in pull.commits_landed
        or ((pull.merged or pull.state == "open") and sha in repository.bare.ahead(pull.base_sha, pull.head_sha))
    ]
    return call.paged(found, lambda pull: shown.pull_simple(call.shapes, repository, pull))


def _full(call: Call, pull: Pull) -> dict[str, object]:
    return shown.pull_full(call.shapes, call.repository, pull, call.standin.lazy_mergeable)
