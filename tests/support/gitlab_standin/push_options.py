"""What a push with options (`git push -o merge_request.create`) does, and what GitLab says after a push."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from gitlab_standin.changes import Refused
from gitlab_standin.records import AutoMerge

if TYPE_CHECKING:
    from forge_standin.pushes import Command

    from gitlab_standin.gitlab import GitLab
    from gitlab_standin.records import MergeRequest, Project, Token


def after(gitlab: GitLab, project: Project, token: Token, pushed: list[Command], options: list[str]) -> str:
    """Warnings about the options, and where the merge requests of the branches are."""
    branches = [one.ref[11:] for one in pushed if one.ref.startswith("refs/heads/") and not one.deletes]
    branches = [branch for branch in branches if branch != project.default_branch]
    wanted: dict[str, list[str]] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if name.startswith("merge_request."):
            wanted.setdefault(name[14:], []).append(value if equals else "true")
    said = ""
    if wanted and (errors := _errors(gitlab, project, token, branches, wanted)):
        given, line, found = " ".join(f"'{option}'" for option in options), "=" * 72, "\n\n".join(errors)
        said = f"\n{line}\n\nWARNINGS:\nError encountered with push options {given}: {found}\n\n{line}\n\n"
    return said + "".join(_links(gitlab, project, branch) for branch in branches if project.merge_requests_enabled)


def _links(gitlab: GitLab, project: Project, branch: str) -> str:
    page = f"{gitlab.shapes.page(project)}/-/merge_requests"
    opened = [one for one in project.opened() if one.source is project and one.source_branch == branch]
    if opened:
        return "".join(f"\nView merge request for {branch}:\n  {page}/{one.iid}\n\n" for one in opened)
    new = f"{page}/new?{quote('merge_request[source_branch]')}={quote(branch, safe='')}"
    return f"\nTo create a merge request for {branch}, visit:\n  {new}\n\n"


def _errors(
    gitlab: GitLab, project: Project, token: Token, branches: list[str], wanted: dict[str, list[str]]
) -> list[str]:
    """What could not be done of it."""
    if (target := wanted.get("target", [""])[0]) and project.bare.tip(target) is None:
        return [f"Target branch {project.path}:{target} does not exist"]
    errors = []
    for branch in branches:
        try:
            _act(gitlab, project, token, branch, wanted)
        except Refused as refused:
            errors.append(_sentence(refused.message))
    return errors


def _sentence(message: object) -> str:
    if isinstance(message, dict):
        return ", ".join(f"{name.replace('_', ' ').capitalize()} {' '.join(why)}" for name, why in message.items())
    return f"{message[0]}" if isinstance(message, list) else f"{message}"


def _act(gitlab: GitLab, project: Project, token: Token, branch: str, wanted: dict[str, list[str]]) -> None:
    """Creates or updates the merge request of a pushed branch."""
    text = {name: values[0] for name, values in wanted.items()}
    found = [one for one in project.opened() if one.source is project and one.source_branch == branch]
    description = text.get("description", "").replace("\\n", "\n")
    if found:
        one = found[0]
        if "target" in text:
            gitlab.retarget(project, one, text["target"])
        one.title, one.description = text.get("title", one.title), description or one.description
        one.updated_at = gitlab.now()
    elif "create" not in wanted:
        raise Refused(
            400, f"A merge_request.create push option is required to create a merge request for branch {branch}"
        )
    else:
        tip = project.bare.tip(branch)
        words, _, rest = project.bare.message(tip or "").partition("\n")
        target = text.get("target", project.default_branch)
        title = text.get("title") or words
        one = gitlab.new_request(project, project, token.user, title, description or rest.strip(), branch, target)
        one.assignees = [token.user]
    _more(gitlab, project, token, one, wanted)


def _more(gitlab: GitLab, project: Project, token: Token, one: MergeRequest, wanted: dict[str, list[str]]) -> None:
    if "squash" in wanted and gitlab.version >= (17, 2):
        one.squash = True
    if "remove_source_branch" in wanted:
        one.remove_source_branch = True
    if "draft" in wanted and not one.draft:
        one.title = f"Draft: {one.title}"
    kept = [name for name in one.labels if name not in wanted.get("unlabel", ())]
    gitlab.set_labels(project, one, [*kept, *wanted.get("label", ())])
    if {"merge_when_pipeline_succeeds", "auto_merge"} & wanted.keys():
        how = gitlab.changes.strategy(project)
        tip = one.source.bare.tip(one.source_branch) or ""
        one.auto_merge = AutoMerge(token.user, how, tip, None, None, None, None)
