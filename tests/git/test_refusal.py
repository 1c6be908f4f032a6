"""What the words of servers mean that take no push, quoted from GitHub, GitLab, Gitea, Bitbucket and Azure Repos."""

from __future__ import annotations

import pytest
from opened import fetched
from origin import Origin

from release_tool.errors import TryAgain
from release_tool.git.errors import Locked, Protected, complaint, link_of
from release_tool.git.refusal import refusal
from release_tool.git.repository import Repository
from release_tool.model.records import RefUpdate

QUEUE = """\
remote: error: GH006: Protected branch update failed for refs/heads/release/devel.
remote: error: A pull request for this branch has been added to a merge queue. Branches that
remote: are queued for merging cannot be updated. To modify this branch, dequeue the
remote: associated pull request.
"""
RULESET = "error: GH013: Repository rule violations found for refs/heads/release/devel.\n- "
APP = "refusing to allow a GitHub App to create or update workflow `.github/workflows/x.yml` without `workflows` permission"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (f"{RULESET}Commits must have verified signatures.", "sign them"),
        ("GitLab: Commit must be signed with a GPG key", "sign them"),
        ("GitLab: Commit must be signed", "sign them"),
        ("Gitea: Branch release/devel is protected from unverified commit 0123abc", "sign them"),
        (f"{RULESET}GITHUB PUSH PROTECTION\n  - Push cannot contain secrets", "take the secret out"),
        ("PUSH BLOCKED: Secrets detected in code changes", "take the secret out"),
        (
            "TF402455: Pushes to this branch are not permitted; you must use a pull request",
            "*Bypass policies when pushing*",
        ),
        ("TF401027: You need the Git 'CreateBranch' permission to perform this action.", "*Create branch*"),
        ("TF401027: You need the Git 'ForcePush' permission to perform this action.", "let one account"),
        ("VS403654: The push was rejected because it contains one or more secrets.", "take the secret out"),
        ("error: GH007: Your push would publish a private email address.", "user.email"),
        ("GitLab: Author's email 'x@y' does not follow the pattern '@corp$'", "user.email"),
        ("GitLab: Committer 'x@y' is not a member of team", "user.email"),
        ("You can only push your own commits in this repository", "user.email"),
        ("GitLab: Commit message does not follow the pattern 'JIRA-'", "let the rule leave out `release/devel`"),
        ("[0123abc] not Signed-off-by author/committer/uploader in message footer", "commit messages of `release`"),
        (APP, "`workflows: write`"),
        (f"{RULESET}Cannot create ref due to creations being restricted.", "`publish.branch`"),
        ("GitLab: Branch name 'release/devel' does not follow the pattern '^x'", "`publish.branch`"),
        ("error: GH003: Sorry, force-pushing to release/devel is not allowed.", "makes its branches again"),
        ("Gitea: Branch release/devel is protected from force push", "makes its branches again"),
        ("error: Cannot change this locked branch", "unlock `release/devel`"),
        ("error: GH001: Large files detected. this exceeds GitHub's file size limit of 100.00 MB", "file or limit"),
        ("Gitea: Branch release/devel is protected from changing file x", "file or limit"),
        (f"{RULESET}Changes must be made through a pull request.", "let the rule leave out `release/devel`"),
        ("TF402455: Pushes to this branch are not permitted; you must use a pull request", "let the rule leave out"),
        ("GitLab: You are not allowed to push code to protected branches on this project.", "let the rule leave out"),
        ("Branch refs/heads/release/devel can only be modified through pull requests.", "let the rule leave out"),
        ("nope", "let the rule leave out `release/devel`"),
    ],
)
def test_the_next_step_fits_the_rule_and_leads_to_no_pull_request(words: str, hint: str) -> None:
    error = refusal("release/devel", words, "https://h/r.git", words)
    assert type(error) is Protected
    assert hint in error.hint
    assert "pull request" not in error.hint
    assert error.exit_code == 1


@pytest.mark.parametrize(
    "words",
    [
        "Internal Server Error",
        "GitLab: Internal API unreachable",
        "The repository is temporarily read-only. Please try again later.",
        "Git push is not allowed because this GitLab instance is currently in (read-only) maintenance mode.",
    ],
)
def test_a_server_that_can_not_now_is_asked_again(words: str) -> None:
    assert type(refusal("release/devel", words, "", words)) is TryAgain


def test_a_branch_in_the_merge_queue_is_locked_for_a_while(origin: Origin, repository: Repository) -> None:
    tip = fetched(repository)
    said = "\n".join(line.removeprefix("remote: ") for line in QUEUE.splitlines())
    origin.hook("pre-receive", f"echo '{said}' >&2; exit 1")
    with pytest.raises(Locked, match="its pull request waits in the merge queue") as caught:
        repository.push([RefUpdate("refs/heads/release/devel", None, tip)])
    assert "Branches that are queued for merging cannot be updated" in caught.value.cause
    assert "remote: " not in caught.value.cause
    assert "error:" not in complaint(QUEUE)


@pytest.mark.parametrize(
    ("words", "link"),
    [
        ("Create a pull request for 'b' on GitHub by visiting:\n     https://github.com/o/r/pull/new/b", "pull/new/b"),
        ("\nTo create a merge request for b, visit:\n  https://lab/r/-/merge_requests/new?b=b\n", "new?b=b"),
        ("Create a new pull request for 'b':\n  https://tea/o/r/compare/main...b", "main...b"),
        ("\nView pull request for b => main:\n  https://bucket/o/r/pull-requests/1?t=1", "pull-requests/1?t=1"),
        ("GitHub found 3 vulnerabilities:\n https://github.com/o/r/security/dependabot", ""),
    ],
)
def test_the_link_that_a_server_prints_for_a_pull_request_is_found(words: str, link: str) -> None:
    found = link_of("\n".join(f"remote: {line}" for line in words.split("\n")))
    assert found.endswith(link)
    assert bool(found) == bool(link)
