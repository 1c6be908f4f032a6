"""What a server means that takes no push to a ref: by its words, who has to do what.

The words are those of GitHub (classic protection GH006, rulesets GH013), GitLab's push rules, Gitea and Forgejo
(`routers/private/hook_pre_receive.go`), Bitbucket and Azure Repos. The pushed branch is mostly that of a pull request,
so "go through a pull request" is no way out; a push to the base adds that by itself (`publishing/retry.py`).
"""

from __future__ import annotations

import re

from release_tool.errors import ReleaseError, TryAgain
from release_tool.git.errors import Locked, Protected

_ALLOW = "let the rule leave out `{ref}`, or let the user or App of the token bypass it"

# What the server's words say, why it refuses, and the next step. The first that matches counts.
_SECURITY = "project settings, Repositories, Security"  # of Azure DevOps
_RULES: tuple[tuple[str, str, str], ...] = (
    (
        r"TF402455",
        "a branch policy asks for a pull request",
        f"{_ALLOW}: *Bypass policies when pushing* ({_SECURITY})",
    ),
    (r"TF401027.*'CreateBranch'", "the account may make no branches", f"give it *Create branch* ({_SECURITY})"),
    (
        r"TF401027.*'ForcePush'",
        "another account made the branch, which may rewrite and delete it",
        f"let one account run all operations, or give each of them *Force push* ({_SECURITY})",
    ),
    (
        r"(cannot contain|contains?( one or more)?) secrets?\b|secrets? (were |was )?(detected|found)|GH009",
        "it found a secret",
        "take the secret out of the file that the server names, or allow it on the page that the server names",
    ),
    (
        r"without .?workflows?.? (permission|scope)|must have workflow scope|create or update workflow",
        "the token may not change workflows",
        "use a token with `workflows: write`, or the scope `workflow`; GITHUB_TOKEN never has that",
    ),
    (
        r"verified signature|unverified commit|unsigned commit|(must be|not) signed(?!.?off)|signed commits?\b",
        "it wants signed commits",
        f"sign them: commit.gpgSign true, and user.signingKey with a key that the server knows; or {_ALLOW}",
    ),
    (
        r"commit message|signed[- ]off|change-id",
        "it wants other commit messages",
        f"{_ALLOW}: the commit messages of `release` are fixed",
    ),
    (
        r"e-?mail|\b(author|committer)\b|not a member of (the )?team|your own commits",
        "it doesn't take the author or committer",
        "set user.name and user.email (or GIT_AUTHOR_* and GIT_COMMITTER_*) to an account that the server takes",
    ),
    (
        r"GH001|file size|larger than|size limit|quota|file ?(path|name|extension)|changing file|CODEOWNERS",
        "it doesn't take a file",
        f"see in the server's words which file or limit it means; {_ALLOW}",
    ),
    (
        r"creations? being restricted|cannot create|create protected branches|(branch|ref) name",
        "it takes no new branch of that name",
        f"{_ALLOW}; `publish.branch` in release.yaml chooses other names",
    ),
    (
        r"force.?push|non.fast.?forward|re(written|writing)|delet(e|ion|ing)",
        "it lets nobody rewrite or delete the branch",
        f"{_ALLOW}: `release` makes its branches again on the base, and deletes those that are done",
    ),
    (r"\blocked\b", "somebody has locked it", "unlock `{ref}` in the settings of the server, then run it again"),
)
_QUEUED = r"queued for merging|added to a merge queue"
_AWAY = (
    r"temporarily (read.?only|unavailable|disabled)|maintenance|internal (server |api )?(connection )?error"
    r"|internal api (error|unreachable)|try again later|timed? ?out|too many requests|rate limit|server is busy"
)


def refusal(ref: str, said: str, where: str, cause: str) -> ReleaseError:
    """The error of a push that the server's rules refuse.

    Args:
        ref: as people say it: `release/devel`.
        said: all words of the server.
        where: the remote's URL.
        cause: the same words, as they are shown.
    """
    said, words = " ".join(said.split()), {"where": where, "cause": cause}
    if re.search(_QUEUED, said, re.IGNORECASE):
        hint = "run the same command again once the pull request is merged, or taken out of the queue"
        return Locked(f"`{ref}` is locked: its pull request waits in the merge queue", hint=hint, **words)
    if re.search(_AWAY, said, re.IGNORECASE):
        return TryAgain(f"the remote can't take the push to `{ref}` now", hint="run the same command again", **words)
    what = f"the remote refuses the push to `{ref}`"
    for pattern, why, hint in _RULES:
        if re.search(pattern, said, re.IGNORECASE):
            error = Protected(f"{what}: {why}", hint=hint.format(ref=ref), **words)
            error.of_branch = _ALLOW in hint
            return error
    return Protected(what, hint=f"{_ALLOW.format(ref=ref)}: its words say which", **words)
