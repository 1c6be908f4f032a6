"""Git over HTTP as GitLab has it: who may read and push, protected branches, push options, links after a push."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from forge_standin import Answer, pushes
from forge_standin.pushes import Refusal

from gitlab_standin import push_options
from gitlab_standin.changes import Refused
from gitlab_standin.records import LEVELS

if TYPE_CHECKING:
    from forge_standin import Exchange, Request
    from forge_standin.pushes import Command

    from gitlab_standin.gitlab import GitLab
    from gitlab_standin.records import Project, Token

DENIED = (
    "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect or you're "
    "required to use a token instead of a password. If a token was provided, it was either incorrect, expired, or "
    "improperly scoped. See {web}/help/topics/git/troubleshooting_git.md#error-on-git-fetch-http-basic-access-denied"
)
NOT_FOUND = "The project you were looking for could not be found or you don't have permission to view it."
SETTINGS = ("receive.hideRefs=refs/merge-requests", "receive.advertisePushOptions=true")


def respond(gitlab: GitLab, name: str, service: str, request: Request, exchange: Exchange) -> Answer:
    project = gitlab.find(name)
    pushing = "receive-pack" in f"{service}{request.query}"
    try:
        token = _token(gitlab, request.headers.get("authorization", ""))
        exchange.user = token.user.username if token else ""
        _demand(gitlab, project, token, pushing=pushing)
    except Refused as refused:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        if refused.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="GitLab"'
        return Answer(refused.status, headers=headers, raw=f"{refused.message}".encode())
    assert project is not None
    if service != "/git-receive-pack" or token is None:
        done = pushes.serve(project.bare, request, service, lambda _: (), settings=SETTINGS)
        return Answer(done.status, headers=done.headers, raw=done.content)
    gitlab.changes.notice(project, gitlab.ghost)
    done = pushes.serve(project.bare, request, service, lambda one: _rules(project, token, one), settings=SETTINGS)
    heads = project.bare.heads()
    pushed = [
        one
        for one in pushes.commands(request.body)
        if heads.get(one.ref[11:]) == one.new != project.refs.get(one.ref[11:])
    ]
    project.pusher, project.behind = token.user, gitlab.lazy_pushes
    said = push_options.after(gitlab, project, token, pushed, pushes.options(request.body))
    return Answer(done.status, headers=done.headers, raw=pushes.remarked(done.content, said))


def _token(gitlab: GitLab, authorization: str) -> Token | None:
    """The token of a request, which is the password of basic; 401 for one that isn't, or is no longer, any good."""
    scheme, _, value = authorization.strip().partition(" ")
    if not authorization:
        return None
    user, password = "", value
    if scheme.lower() == "basic":
        user, _, password = base64.b64decode(value).decode("utf-8", "replace").partition(":")
    token = gitlab.tokens.get(password)
    denied = Refused(401, DENIED.format(web=gitlab.web))
    if token is None or token.revoked or (token.expires is not None and token.expires <= gitlab.now()):
        raise denied
    if (token.kind == "job") != (user == "gitlab-ci-token"):
        raise denied
    return token


def _demand(gitlab: GitLab, project: Project | None, token: Token | None, *, pushing: bool) -> None:
    if token is None and (pushing or project is None or project.private):
        raise Refused(401, DENIED.format(web=gitlab.web))
    level = project.level(token.user) if project and token else 0
    if project is None or (project.private and not level):
        raise Refused(404, NOT_FOUND)
    if token is not None and pushing:
        _demand_push(gitlab, project, token, level)
    elif token is not None:
        scoped = token.kind == "job" or {"api", "read_repository", "write_repository"} & set(token.scopes)
        if not scoped or (project.private and level < LEVELS["reporter"]):
            raise Refused(403, "You are not allowed to download code from this project.")


def _demand_push(gitlab: GitLab, project: Project, token: Token, level: int) -> None:
    if token.kind == "job":
        scoped = project.job_token_pushes and token.project == project.path
    else:
        scoped = bool({"api", "write_repository"} & set(token.scopes))
    for fails, text in (
        (not scoped, "You are not allowed to upload code."),
        (gitlab.maintenance, "You can't push code to a read-only GitLab instance."),
        (project.archived, "You can't push code to an archived project."),
        (level < LEVELS["developer"], "You are not allowed to push code to this project."),
    ):
        if fails:
            raise Refused(403, text)


def _rules(project: Project, token: Token, one: Command) -> list[Refusal]:
    """GitLab's refusals stand in lines of the server; beside the ref are git's own words."""

    def refusal(text: str, when: str = "always") -> Refusal:
        return Refusal(when, "pre-receive hook declined", f"GitLab: {text}")

    if not one.ref.startswith("refs/heads/"):
        return []
    branch = one.ref[11:]
    rules = project.protections(branch)
    if one.deletes and branch == project.default_branch:
        return [refusal("The default branch of a project cannot be deleted.")]
    if not rules:
        return []
    if one.deletes:
        if project.level(token.user) >= LEVELS["maintainer"]:
            return [refusal("You can only delete protected branches using the web interface.")]
        who = "Only a project maintainer or owner can delete a protected branch."
        return [refusal(f"You are not allowed to delete protected branches from this project. {who}")]
    if not project.may_push(token.user, branch):
        return [refusal("You are not allowed to push code to protected branches on this project.")]
    if not all(rule.allow_force_push for rule in rules):
        return [refusal("You are not allowed to force push code to a protected branch on this project.", "force")]
    return []
