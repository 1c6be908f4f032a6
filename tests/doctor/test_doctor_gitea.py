"""What doctor makes of a repository on a Gitea."""

from __future__ import annotations

import pytest

from release_tool.doctor import gitea_repository
from release_tool.forges.gitea.settings import GiteaRepository

WEB = "https://git.example.com/acme/gitops"
FINE = GiteaRepository(
    WEB, "main", archived=False, mirror=False, parent="", has_pulls=True, may_push=True, styles=("merge", "squash")
)
ACTION = "uses: platform/release@0123456789012345678901234567890123456789"
CALLED = "uses: platform/release/.github/workflows/bump.yml@0123456789012345678901234567890123456789"


def told(found: GiteaRepository) -> list[tuple[str, str]]:
    every = (*gitea_repository.repository(found, "main"), *gitea_repository.merging(found))
    return [(one.verdict, one.what) for one in every]


def test_a_repository_that_takes_everything_is_right() -> None:
    assert {verdict for verdict, _ in told(FINE)} == {"ok"}


@pytest.mark.parametrize(
    ("found", "verdict", "what"),
    [
        (FINE._replace(archived=True), "error", "it is archived"),
        (FINE._replace(mirror=True), "error", "it is a mirror"),
        (FINE._replace(has_pulls=False), "error", "pull requests are off"),
        (FINE._replace(parent="up/stream"), "warning", "it is a fork of up/stream"),
        (FINE._replace(may_push=False), "error", "the token's account may not push"),
        (FINE._replace(default_branch="trunk"), "warning", "its default branch is `trunk`, the base is `main`"),
        (FINE._replace(styles=()), "error", "no way of merging is allowed"),
        (FINE._replace(styles=("fast-forward-only",)), "warning", "only fast-forwards are allowed"),
    ],
)
def test_what_is_in_the_way_is_named(found: GiteaRepository, verdict: str, what: str) -> None:
    assert (verdict, what) in told(found)


def test_a_scope_that_the_token_lacks_is_named_with_the_words_of_its_settings() -> None:
    (found,) = gitea_repository.token(["write:issue"], "GITEA_TOKEN", "https://git.example.com")
    assert (found.verdict, found.what) == ("error", "it lacks write:issue")
    assert "repository: Read and Write; issue: Read and Write" in found.mend
    assert "https://git.example.com/user/settings/applications" in found.mend


@pytest.mark.parametrize(("text", "calls"), [(ACTION, False), (CALLED, True)])
def test_a_workflow_that_calls_the_tools_own_is_told_from_a_job_with_the_action(text: str, *, calls: bool) -> None:
    assert gitea_repository.calls_ours(f"jobs:\n  bump:\n    {text}\n") is calls
