"""Verdicts about a project on GitLab: the token, the project, merging, push rules, schedules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from release_tool.doctor.diagnosis import Diagnosis, ok
from release_tool.forges.gitlab.settings import DEVELOPER, ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from release_tool.forges.gitlab.settings import ProjectSettings, TokenOwner

_SOON = 14  # days before the end of a token that doctor warns
_OLDEST = 16  # the oldest major version whose API was read
_WAYS = {
    "merge": "by a merge commit",
    "rebase_merge": "by a merge commit, of a branch that is up to date (semi-linear history)",
    "ff": "by fast-forward, of a branch that is up to date",
}
# A message as the tool writes it, to hold a push rule against.
_MESSAGE = "devel: bump v1.0.5\n\n- add v5 (v1.0.5): bump\n\nRelease-Operation: 01J00000000000000000000000\n"


def no_token(server: str, *, of_job: bool) -> Diagnosis:
    """There is no token for the API.

    Args:
        of_job: whether the token of a CI job is there.
    """
    what = "there is none in GITLAB_TOKEN or GITLAB_TOKEN_FILE"
    why = "without one, merge requests are opened by push options: a merged or closed one is not seen, "
    why += "nobody is asked for a review, nothing is commented, and settings can't be examined"
    if of_job:
        what += "; CI_JOB_TOKEN may push, and may not use merge requests"
    mend = "make a project access token (role Developer, scope api) and put it into GITLAB_TOKEN: "
    return Diagnosis("warning", "token", what, server, why, f"{mend}Settings, Access tokens")


def token(found: TokenOwner, source: str, web: str, now: datetime) -> Iterator[Diagnosis]:
    """What the token may do, by its scopes, and what its owner may, by the role."""
    page = f"{web}/-/settings/access_tokens"
    scopes = ", ".join(found.scopes) or "no scope"
    role = "no member of the project" if found.role is None else ROLES.get(found.role, str(found.role))
    whose = f"of {found.name} ({role})"
    if "api" not in found.scopes:
        why = "it can open no merge request"
        mend = f"make a new one with the scope api, since scopes can't be changed: {page}"
        yield Diagnosis("error", "token", f"it has {scopes}, without api, {whose}", source, why, mend)
    elif found.role is not None and found.role < DEVELOPER:
        why = "it can neither push branches nor open merge requests"
        yield Diagnosis("error", "token", f"it is {whose}", source, why, f"give it the role Developer: {page}")
    elif found.role is None:
        why = "whether it may push shows only when it does"
        mend = f"let its owner be a Developer of the project: {web}/-/project_members"
        yield Diagnosis("warning", "token", f"it is {whose}", source, why, mend)
    else:
        yield ok("token", f"from {source}, {whose}, with {scopes}")
    days = (found.expires - now).days if found.expires else None
    if found.expires is not None and days is not None and days < _SOON:
        what = f"it ends on {found.expires:%Y-%m-%d}, in {max(days, 0)} days"
        yield Diagnosis("warning", "token", what, source, "every operation fails from then on", f"renew it: {page}")


def version(found: str, server: str) -> Diagnosis:
    """Whether the server's version is one whose API was read."""
    major = found.partition(".")[0]
    if not major.isdigit():
        return Diagnosis("unknown", "version", "GitLab doesn't say its version", server, "", "")
    if int(major) >= _OLDEST:
        return ok("version", f"GitLab {found}", server)
    why = f"the tool was made for {_OLDEST} and newer"
    return Diagnosis("warning", "version", f"GitLab {found}", server, why, "update GitLab")


def project(found: ProjectSettings, base: str, asked_for: str) -> Iterator[Diagnosis]:
    """The project itself.

    Args:
        asked_for: its path by the remote's URL.
    """
    problems = list(_problems(found, base, asked_for))
    yield from problems
    if not problems:
        yield ok("project", "open for pushes and merge requests", found.web)


def _problems(found: ProjectSettings, base: str, asked_for: str) -> Iterator[Diagnosis]:
    settings = f"{found.web}/edit"
    if found.archived:
        why = "it takes neither pushes nor merge requests"
        mend = f"Unarchive project (Settings, General, Advanced): {settings}"
        yield Diagnosis("error", "project", "it is archived", found.web, why, mend)
    if not found.merge_requests:
        why = "branches are pushed, and nobody can open a merge request for them"
        mend = f"switch Merge requests on (Settings, General, Visibility, project features, permissions): {settings}"
        yield Diagnosis("error", "project", "it has no merge requests", found.web, why, mend)
    if found.path and found.path.casefold() != asked_for.casefold():
        why = "GitLab redirects what is read, and refuses what is written"
        mend = f"git remote set-url origin {found.web}.git"
        yield Diagnosis("error", "project", f"it was moved to {found.path}", found.web, why, mend)
    if found.parent:
        what = f"it is a fork of {found.parent}"
        why = "merge requests are opened in the fork itself"
        mend = f"work on {found.parent} with --repo, if that is meant"
        yield Diagnosis("warning", "project", what, found.web, why, mend)
    if found.mirrored:
        why = "GitLab overwrites branches that were pushed here with those of the other repository"
        mend = f"work on the repository that it is pulled from: {found.web}/-/settings/repository"
        yield Diagnosis("warning", "project", "it is pulled from another repository", found.web, why, mend)
    if found.default_branch != base:
        what = f"its default branch is `{found.default_branch}`, the base is `{base}`"
        why = "pipeline schedules and triggers mostly run on the default branch"
        mend = f"set `base: {found.default_branch}` in release.yaml, or the default branch: "
        mend += f"{found.web}/-/settings/repository"
        yield Diagnosis("warning", "project", what, found.web, why, mend)


def merging(found: ProjectSettings) -> Iterator[Diagnosis]:
    """How merge requests are merged."""
    page = f"{found.web}/-/settings/merge_requests"
    squashed = {"always": ", squashed always", "default_on": ", squashed by default"}.get(found.squash, "")
    yield ok("merging", f"{_WAYS.get(found.method, found.method)}{squashed}{', on a merge train' * found.trains}")
    if found.method != "merge" and not found.trains:
        yield ok("merging", "a branch that is behind is made again by `release sync` on each push to the base")
    if found.pipelines_must_succeed:
        yield ok("merge checks", "pipelines must succeed")
    else:
        why = "a merge request can be merged that breaks a route, and auto-merge waits for no check"
        mend = f"switch on Pipelines must succeed, with a job that runs `release check`: {page}"
        yield Diagnosis("warning", "merge checks", "a pipeline need not succeed", page, why, mend)
    if found.deletes_branch:
        yield ok("merged branches", "are deleted by default")


def push_rules(rules: Mapping[str, Any], branches: Sequence[str], web: str, *, signs: bool) -> Iterator[Diagnosis]:
    """Whether push rules stand in the way of the tool's commits and branches.

    Args:
        branches: those that the tool pushes.
        signs: whether commits are signed.
    """
    if not rules:
        return
    page = f"{web}/-/settings/repository"
    found = list(_broken(rules, branches))
    if rules.get("reject_unsigned_commits") is True and not signs:
        found.append(("unsigned commits are rejected", "let git sign: `git config commit.gpgSign true`"))
    if rules.get("reject_non_dco_commits") is True:
        found.append(("commits without `Signed-off-by` are rejected", "switch Reject commits that aren't DCO off"))
    for what, mend in found:
        yield Diagnosis("error", "push rules", what, page, "pushes of the tool are refused", f"{mend}: {page}")
    pattern = str(rules.get("author_email_regex") or "")
    if rules.get("commit_committer_check") is True or rules.get("member_check") is True or pattern:
        what = f"a commit's email must match `{pattern}`" if pattern else "a commit's email must be a GitLab user's"
        mend = f"set user.email in git's configuration so: {page}"
        yield Diagnosis("warning", "push rules", what, page, "commits of anybody else are refused", mend)
    elif not found:
        yield ok("push rules", "stand in the way of nothing")


def _broken(rules: Mapping[str, Any], branches: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The patterns of push rules that the tool's commits and branches break, each with what mends it."""
    example = "`devel: bump v1.0.5`"
    cases = (
        ("commit_message_regex", "commit messages must match", True, [(_MESSAGE, f"let it match {example}")]),
        ("commit_message_negative_regex", "messages must not match", False, [(_MESSAGE, f"let it allow {example}")]),
        ("branch_name_regex", "branch names must match", True, [(one, f"let it match `{one}`") for one in branches]),
    )
    for key, words, wanted, texts in cases:
        pattern = str(rules.get(key) or "")
        mend = next((mend for text, mend in texts if _matches(pattern, text) != wanted), "") if pattern else ""
        if mend:
            yield f"{words} `{pattern}`", mend


def _matches(pattern: str, text: str) -> bool:
    """Whether a rule's pattern (RE2, read here by Python's own) is found; one that can't be read counts as found."""
    try:
        return re.search(pattern, text, re.MULTILINE) is not None
    except re.error:
        return True


def schedules(found: Sequence[str], web: str, *, guarded: bool) -> Diagnosis:
    """Whether anything runs by itself.

    Args:
        guarded: whether an environment has health checks, which a guard would read.
    """
    page = f"{web}/-/pipeline_schedules"
    if found:
        return ok("schedules", f"{len(found)} active: {', '.join(one or 'one without a name' for one in found[:5])}")
    what = "no pipeline schedule is active"
    why = "`release cleanup` removes what has drained" + (", and `release guard` judges the default" if guarded else "")
    return Diagnosis("warning", "schedules", what, page, f"{why}: nothing starts them", f"New schedule: {page}")
