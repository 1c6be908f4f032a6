"""Verdicts about a repository on a Gitea: the token, the repository, the rules of its base, merging, workflows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.doctor.diagnosis import Diagnosis, ok

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.doctor.access import AtForge
    from release_tool.forges.gitea.settings import GiteaBranch, GiteaRepository

_NEEDED = "repository: Read and Write; issue: Read and Write"
_CALL = re.compile(r"uses:\s*\S*release\S*/\.(?:github|gitea)/workflows/\S+@", re.MULTILINE)


def no_token(server: str) -> Diagnosis:
    """There is no token."""
    what = "there is none in GITEA_TOKEN, FORGEJO_TOKEN or GITEA_TOKEN_FILE"
    mend = f"set one of them to a token with {_NEEDED}: {_page(server)}"
    return Diagnosis("error", "token", what, server, "without one no pull request can be opened", mend)


def token(lacks: Sequence[str], source: str, server: str) -> Iterator[Diagnosis]:
    """Whether the token has its scopes."""
    if not lacks:
        yield ok("token", f"from {source}, with the scopes that it needs")
        return
    why = (
        "it can neither open pull requests nor label them"
        if "write:repository" in lacks
        else "labels and comments fail"
    )
    mend = f"make a new one with {_NEEDED} (scopes of a token don't change): {_page(server)}"
    yield Diagnosis("error", "token", f"it lacks {', '.join(lacks)}", source, why, mend)


def comments(source: str, server: str, *, known: bool) -> Iterator[Diagnosis]:
    """Whether comments can be kept up to date."""
    if known:
        yield ok("comments", "the token knows its own")
        return
    why = "`release diff --comment` can't tell its own comment from those of others"
    mend = f"give the token of that job user: Read, too: {_page(server)}"
    yield Diagnosis("warning", "comments", "the token lacks read:user", source, why, mend)


def repository(found: GiteaRepository, base: str) -> Iterator[Diagnosis]:
    """The repository itself."""
    problems = list(_problems(found, base))
    yield from problems or [ok("repository", "open for pushes and pull requests", found.web)]


def _problems(found: GiteaRepository, base: str) -> Iterator[Diagnosis]:
    settings = f"{found.web}/settings"
    closed = "it takes neither pushes nor pull requests"
    if found.archived:
        yield Diagnosis("error", "repository", "it is archived", found.web, closed, f"Un-Archive Repo: {settings}")
    if found.mirror:
        mend = "name the repository that it mirrors with --repo, or end the mirroring"
        yield Diagnosis("error", "repository", "it is a mirror", found.web, closed, f"{mend}: {settings}")
    if not found.has_pulls:
        why = "no pull request can be opened"
        yield Diagnosis("error", "repository", "pull requests are off", found.web, why, f"Enable them: {settings}")
    if found.parent:
        why = "pull requests are opened in the fork itself"
        mend = f"work on {found.parent} with --repo, if that is meant"
        yield Diagnosis("warning", "repository", f"it is a fork of {found.parent}", found.web, why, mend)
    if not found.may_push:
        mend = f"give it write access: {settings}/collaboration"
        why = "release branches can't be pushed"
        yield Diagnosis("error", "repository", "the token's account may not push", found.web, why, mend)
    if found.default_branch != base:
        what = f"its default branch is `{found.default_branch}`, the base is `{base}`"
        why = "schedules run the workflows of the default branch"
        mend = f"set `base: {found.default_branch}` in release.yaml, or the default branch: {settings}/branches"
        yield Diagnosis("warning", "repository", what, found.web, why, mend)


def base(found: GiteaBranch | None, at: AtForge, web: str) -> Iterator[Diagnosis]:
    """The rules of the base."""
    about, page = "base branch", f"{web}/settings/branches"
    if found is None:
        return  # told by the examination of the base
    environments = at.config.environments.values()
    direct = [one.name for one in environments if one.publish.mode == "direct"]
    if direct and not found.may_push:
        what = f"the token's account may not push to `{at.config.base}`"
        why = f"{', '.join(direct)} is published by a push"
        yield Diagnosis("error", about, what, page, why, f"add it to the push allowlist, or open pull requests: {page}")
    by_itself = [one.name for one in environments if one.health is not None and one.downgrade.auto_merge]
    if by_itself and not found.may_merge:
        why = "a guard's downgrade waits for a person"
        mend = f"add it to the merge allowlist: {page}"
        yield Diagnosis("warning", about, "the token's account may not merge", page, why, mend)
    if by_itself and found.approvals:
        why = "a guard's downgrade waits for them, too"
        mend = f"publish downgrades directly (`downgrade: {{publish: direct}}`) with an account that may push: {page}"
        yield Diagnosis("warning", about, f"{found.approvals} approvals are asked for", page, why, mend)
    if not found.checks:
        why = "a pull request can be merged that `release check` finds something wrong with"
        mend = f"Enable Status Check, with the check of check.yml: {page}"
        yield Diagnosis("warning", about, "no check must be green before a merge", page, why, mend)
    else:
        yield ok(about, f"checks that must be green: {', '.join(found.checks)}", page)


def merging(found: GiteaRepository) -> Iterator[Diagnosis]:
    """The ways of merging."""
    page = f"{found.web}/settings"
    if not found.styles:
        mend = f"allow one: {page}"
        yield Diagnosis("error", "merging", "no way of merging is allowed", page, "no pull request can be merged", mend)
    elif found.styles == ("fast-forward-only",):
        why = "a release branch can be merged only until something else reaches the base; then press Update branch"
        mend = f"allow merge commits, rebase or squash, too: {page}"
        yield Diagnosis("warning", "merging", "only fast-forwards are allowed", page, why, mend)
    else:
        yield ok("merging", f"by {', '.join(found.styles)}")


def calls_ours(text: str) -> bool:
    """Whether a workflow calls one of this tool, which Gitea can't run."""
    return _CALL.search(text) is not None


def called(paths: Sequence[str]) -> Iterator[Diagnosis]:
    """Workflows that call those of this tool."""
    for path in paths:
        what = "it calls a workflow of the tool"
        why = "Gitea tells a called workflow nothing of where it is from, so that it finds no tool"
        mend = "use the action in a job of your own: `release init --upgrade --workflows gitea` writes one"
        yield Diagnosis("error", "workflows", what, path, why, mend)


def _page(server: str) -> str:
    return f"{server}/user/settings/applications"
