"""Commits and what is checked of them, comparisons, contents."""

from __future__ import annotations

import base64
import re
from typing import Any

from forge_standin import Person

from standin import shapes_pulls as shown
from standin.answers import Answer, Call, Problem, invalid, route
from standin.records import WEB
from standin.rules import push_refusals

REPO = "/repos/{owner}/{repo}"


@route("GET", REPO + "/commits/{ref...}/check-runs", "checks:read")
def check_runs(call: Call) -> Answer:
    sha, repository = _sha(call), call.repository
    found = [run for run in repository.check_runs if run.sha == sha]
    if call.query.get("filter", "latest") == "latest":
        found = list({run.name: run for run in found}.values())
    for key, attribute in (("check_name", "name"), ("status", "status")):
        if key in call.query:
            found = [run for run in found if getattr(run, attribute) == call.query[key]]
    return call.paged(found, lambda run: shown.check_run(call.shapes, repository, run), "check_runs")


@route("GET", REPO + "/commits/{ref...}/status", "statuses:read")
def combined_status(call: Call) -> Answer:
    sha, repository = _sha(call), call.repository
    latest = {one.context: one for one in repository.statuses if one.sha == sha}
    states = {one.state for one in latest.values()}
    state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    url = f"{call.api}/commits/{sha}"
    page = call.paged(list(latest.values()), lambda one: shown.status(call.shapes, repository, one), "statuses")
    page.body |= {"state": state, "sha": sha, "repository": call.shapes.repository(repository)}
    page.body |= {"commit_url": url, "url": f"{url}/status"}
    return page


@route("GET", REPO + "/commits/{ref...}", "contents:read")
def get_commit(call: Call) -> Answer:
    sha, bare = _sha(call), call.repository.bare
    parents = bare.git("rev-parse", f"{sha}^@").split()
    span = f"{parents[0]}..{sha}" if parents else f"{bare.git('hash-object', '-t', 'tree', '/dev/null')}..{sha}"
    files = shown.files(call.repository, call.shapes, span, sha) if parents else []
    added, gone = sum(file["additions"] for file in files), sum(file["deletions"] for file in files)
    stats = {"total": added + gone, "additions": added, "deletions": gone}
    return Answer(200, shown.commit(call.shapes, call.repository, sha) | {"stats": stats, "files": files})


def _sha(call: Call) -> str:
    given = call.params["ref"]
    bare = call.repository.bare
    found = bare.tip(given.removeprefix("heads/")) or bare.commit(given)
    if found is None:
        raise Problem(422, f"No commit found for SHA: {given}")
    return found


@route("GET", REPO + "/compare/{span...}", "contents:read")
def compare(call: Call) -> Answer:
    bare, shapes, repository = call.repository.bare, call.shapes, call.repository
    base_name, _, head_name = call.params["span"].partition("...")
    sides = [bare.tip(name.rpartition(":")[2]) or bare.commit(name) for name in (base_name, head_name)]
    root = bare.merge_base(*sides) if None not in sides else None
    if root is None:
        raise Problem(404, "Not Found")
    base, head = sides
    ahead, behind = bare.ahead(base, head), bare.ahead(head, base)
    state = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    url = f"{call.api}/compare/{base}...{head}"
    page = f"{call.page}/compare/{base}...{head}"
    return Answer(200, {
        "url": url, "html_url": page, "permalink_url": page, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch",
        "base_commit": shown.commit(shapes, repository, base), "merge_base_commit": shown.commit(shapes, repository, root),
        "status": state, "ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead),
        "commits": [shown.commit(shapes, repository, sha) for sha in ahead],
        "files": shown.files(repository, shapes, f"{root}..{head}", head),
    })  # fmt: skip


@route("GET", REPO + "/contents/{path...}", "contents:read")
def get_contents(call: Call) -> Answer:
    repository, path = call.repository, call.params["path"].strip("/")
    sha = repository.bare.commit(call.query.get("ref", repository.default_branch))
    if sha is None:
        raise Problem(404, f"No commit found for the ref {call.query.get('ref')}")
    content = repository.bare.blob(sha, path)
    if content is None:
        listing = repository.bare.git("ls-tree", "-l", sha, f"{path}/")
        if not listing:
            raise Problem(404, "Not Found")
        rows = [re.split(r"[ \t]+", line, maxsplit=4) for line in listing.splitlines()]
        return Answer(200, [_entry(call, row[4], row[2], row[1], row[3]) for row in rows])
    if "raw" in call.accept:
        return Answer(200, raw=content, headers={"Content-Type": "application/vnd.github.raw+json; charset=utf-8"})
    blob = repository.bare.git("rev-parse", f"{sha}:{path}")
    text = base64.encodebytes(content).decode()
    return Answer(200, {**_entry(call, path, blob, "blob", str(len(content))), "content": text, "encoding": "base64"})


def _entry(call: Call, path: str, sha: str, kind: str, size: str) -> dict[str, Any]:
    url = call.api
    page = f"{call.page}/blob/{call.repository.default_branch}/{path}"
    file = kind == "blob"
    links = {"url": f"{url}/contents/{path}", "git_url": f"{url}/git/{kind}s/{sha}", "html_url": page}
    return {
        "name": path.rpartition("/")[2], "path": path, "sha": sha, "size": int(size) if file else 0, **links,
        "type": "file" if file else "dir", "download_url": page.replace("/blob/", "/raw/") if file else None,
        "_links": {"self": links["url"], "git": links["git_url"], "html": page},
    }  # fmt: skip


@route("PUT", REPO + "/contents/{path...}", "contents:write")
def put_contents(call: Call) -> Answer:
    """A file as the web editor saves it; one that exists wants the blob that it replaces."""
    repository, path, bare = call.repository, call.params["path"], call.repository.bare
    branch = call.body.get("branch", repository.default_branch)
    tip = bare.tip(branch)
    if tip is None:
        raise Problem(404, f"Branch {branch} not found")
    refusals = push_refusals(repository, call.user, f"refs/heads/{branch}", deletes=False, creates=False)
    if any(one.when == "always" for one in refusals):
        raise Problem(409, "Could not create file: Changes must be made through a pull request.")
    before = bare.git("rev-parse", f"{tip}:{path}") if bare.blob(tip, path) is not None else None
    if before is not None and "sha" not in call.body:
        raise Problem(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if call.body.get("sha", before) != before:
        raise Problem(409, f"{path} does not match {call.body['sha']}")
    content = base64.b64decode(call.body.get("content", ""))
    if not call.body.get("message"):
        raise invalid("Commit", "message", "missing_field")
    author = Person(call.user.login, call.user.email)
    tree = bare.edited_tree(tip, {path: content})
    commit = bare.write(tree, [tip], call.body["message"], author, WEB, call.standin.now())
    bare.move(f"refs/heads/{branch}", commit, tip)
    call.standin.changes.notice(repository, call.user, call.token)
    blob = bare.git("rev-parse", f"{commit}:{path}")
    made = shown.commit(call.shapes, repository, commit)
    answer = {"content": _entry(call, path, blob, "blob", str(len(content))), "commit": {**made, **made["commit"]}}
    return Answer(200 if before else 201, answer)
