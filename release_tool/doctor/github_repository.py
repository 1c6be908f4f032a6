"""Verdicts about a repository on GitHub: the token, the repository, merging, Actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.doctor.diagnosis import Diagnosis, ok

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from release_tool.forges.github.settings import Actions, Credential, MergeSettings, RepositorySettings

_SOON = 14  # days before the end of a token that doctor warns
_KINDS = {
    "ghp_": "a classic token",
    "github_pat_": "a fine-grained token",
    "ghs_": "a token of an App, or of a job of Actions",
    "ghu_": "a token of an App for a person",
    "gho_": "a token of an OAuth app",
}
_NEEDED = "fine-grained: Contents and Pull requests, read and write; classic: the scope repo"
_TOKENS = "/settings/tokens"


def kind_of(prefix: str) -> str:
    """What kind a token is of, by how it begins.

    Source: docs.github.com, "About authentication to GitHub", token formats.
    """
    return next((kind for start, kind in _KINDS.items() if prefix.startswith(start)), "a token of unknown kind")


def no_token(server: str) -> Diagnosis:
    """There is no token."""
    return Diagnosis(
        "error",
        "token",
        "there is none in GH_TOKEN, GITHUB_TOKEN or GITHUB_TOKEN_FILE",
        server,
        "without one no pull request can be opened",
        f"set one of them ({_NEEDED}); in a workflow: `env: {{GITHUB_TOKEN: ${{{{ github.token }}}}}}`",
    )


def token(
    kind: str, source: str, found: Credential, settings: RepositorySettings, *, reads_pulls: bool, now: datetime
) -> Iterator[Diagnosis]:
    """What the token may do, as far as that shows without writing.

    Args:
        reads_pulls: whether it may read pull requests.
    """
    page = _server(settings.web) + _TOKENS
    if found.scopes is not None:
        enough = {"repo"} if settings.private else {"repo", "public_repo"}
        if not enough & set(found.scopes):
            have = ", ".join(found.scopes) or "no scope"
            why = "it can neither push branches nor open pull requests"
            yield Diagnosis(
                "error", "token", f"{kind} with {have}, without repo", source, why, f"give it the scope repo: {page}"
            )
        else:
            yield ok("token", f"{kind} from {source}, with {', '.join(found.scopes)}")
    elif not reads_pulls:
        why = "it can open no pull request"
        mend = f"give it Pull requests: read and write; {_where_to_give(kind, page)}"
        yield Diagnosis("error", "token", f"{kind}, which may not read pull requests", source, why, mend)
    else:
        what = f"{kind} from {source}, which reads pull requests; whether it writes them shows only when it does"
        mend = f"look whether it has Pull requests: read and write; {_where_to_give(kind, page)}"
        yield Diagnosis("unknown", "token", what, "", "a bump opens and updates a pull request", mend)
    yield from _end(found.expires, source, page, now)


def _where_to_give(kind: str, page: str) -> str:
    return "`permissions:` of the job, or the App's settings, Permissions" if "job" in kind else page


def _end(expires: datetime | None, source: str, page: str, now: datetime) -> Iterator[Diagnosis]:
    days = (expires - now).days if expires else None
    if expires is not None and days is not None and days < _SOON:
        what = f"it ends on {expires:%Y-%m-%d}, in {max(days, 0)} days"
        why = "every operation fails from then on"
        yield Diagnosis("warning", "token", what, source, why, f"renew it: {page}")


def repository(found: RepositorySettings, base: str) -> Iterator[Diagnosis]:
    """The repository itself."""
    begun = len(problems := list(_problems(found, base)))
    yield from problems
    if not begun:
        yield ok("repository", "open for pushes and pull requests", found.web)


def _problems(found: RepositorySettings, base: str) -> Iterator[Diagnosis]:
    settings = f"{found.web}/settings"
    if found.archived:
        why = "it takes neither pushes nor pull requests"
        yield Diagnosis("error", "repository", "it is archived", found.web, why, f"Unarchive: {settings}")
    if found.disabled:
        why = "nobody can do anything in it"
        yield Diagnosis("error", "repository", "GitHub has disabled it", found.web, why, "ask GitHub's support")
    if found.parent:
        what = f"it is a fork of {found.parent}"
        why = "pull requests are opened in the fork itself, and schedules of a fork rest until somebody starts them"
        mend = f"work on {found.parent} with --repo, if that is meant; else enable the workflows: {found.web}/actions"
        yield Diagnosis("warning", "repository", what, found.web, why, mend)
    if found.may_push is False:
        why = "release branches can't be pushed"
        mend = f"give it write access: {settings}/access; a token also needs Contents: read and write"
        yield Diagnosis("error", "repository", "the token's owner may not push", found.web, why, mend)
    if found.default_branch != base:
        what = f"its default branch is `{found.default_branch}`, the base is `{base}`"
        why = "schedules and repository_dispatch run the workflows of the default branch"
        mend = f"set `base: {found.default_branch}` in release.yaml, or the default branch: {settings}"
        yield Diagnosis("warning", "repository", what, found.web, why, mend)


def merging(found: MergeSettings | None, allowed: Collection[str], web: str) -> Iterator[Diagnosis]:
    """How pull requests are merged.

    Args:
        found: the settings; None: hidden.
    """
    page = f"{web}/settings"
    if found is None:
        why = "a repository and its rules may leave no way of merging that is allowed"
        yield Diagnosis("unknown", "merging", "the token may not see how it is merged", web, why, _look(page))
        return
    left = [method for method in found.methods if method in allowed]
    if left:
        yield ok("merging", f"by {', '.join(left)}")
    else:
        what = f"allowed by the settings: {_or_none(found.methods)}; by the rules of the base: {_or_none(allowed)}"
        mend = f"allow one of them in both: {page}"
        yield Diagnosis("error", "merging", what, page, "no pull request can be merged", mend)
    if found.by_itself:
        yield ok("auto-merge", "allowed")
    else:
        why = "a downgrade can't be told to merge itself once its checks are green"
        yield Diagnosis("warning", "auto-merge", "not allowed", page, why, f"Allow auto-merge: {page}")
    if found.deletes_branch:
        yield ok("merged branches", "are deleted")
    else:
        why = "they stay until `release cleanup` finds that nothing waits on them"
        mend = f"Automatically delete head branches: {page}"
        yield Diagnosis("warning", "merged branches", "stay", page, why, mend)


def actions(found: Actions, web: str) -> Iterator[Diagnosis]:
    """GitHub Actions."""
    page = f"{web}/settings/actions"
    if not found.enabled:
        why = "no workflow runs: neither bumps nor checks"
        yield Diagnosis("warning", "Actions", "switched off", page, why, f"Allow actions: {page}")
        return
    yield ok("Actions", "on")
    if found.may_propose:
        yield ok("Actions", "a job's own token may open pull requests")
        return
    yield Diagnosis(
        "warning",
        "Actions",
        "a job's own token may not open pull requests",
        page,
        "with GITHUB_TOKEN a bump pushes its branch and then fails; an App's token may",
        f"Allow GitHub Actions to create and approve pull requests: {page}",
    )


def _look(page: str) -> str:
    return f"look at {page}, or use a token that may"


def _or_none(names: Collection[str]) -> str:
    return ", ".join(names) or "none"


def _server(web: str) -> str:
    """The server of a page: `https://github.com` of `https://github.com/team/app`."""
    return "/".join(web.split("/")[:3])


def gates(found: Mapping[str, tuple[str, ...] | None], web: str) -> Iterator[Diagnosis]:
    """Whether somebody is asked where promotions name an environment of GitHub.

    Args:
        found: environment -> the kinds of its rules; None: there is none of that name.
    """
    asking = [name for name, rules in found.items() if set(rules or ()) - {"branch_policy", "wait_timer"}]
    missing = [name for name, rules in found.items() if rules is None]
    page = f"{web}/settings/environments"
    for name in missing:
        what = f"promotions wait for the environment `{name}` of GitHub, and there is none"
        why = "GitHub makes it when the first one runs, without any rule, and nobody is asked"
        yield Diagnosis("warning", "approvals", what, page, why, f"make `{name}`, with its reviewers: {page}")
    if asking:
        yield ok("approvals", f"promotions are approved before they run: {', '.join(asking)}")
    elif len(missing) < len(found):
        what = f"no environment that promotions wait for has reviewers: {', '.join(set(found) - set(missing))}"
        yield Diagnosis("warning", "approvals", what, page, "nobody is asked", f"add reviewers: {page}")
