"""Which GitLab a remote's URL leads to, which token goes there, and how git gets it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from release_tool import forges
from release_tool.errors import ReleaseError
from release_tool.forges.git_login import header_for_git
from release_tool.forges.gitlab.address import ProjectAddress, address_of, find_for

OWN = {"CI_SERVER_URL": "https://git.example.com"}
BELOW = {"GITLAB_HOST": "https://example.com/gitlab"}


@pytest.mark.parametrize(
    "url",
    [
        "https://gitlab.com/acme/platform/shop.git",
        "https://gitlab.com/acme/platform/shop",
        "https://gitlab.com:443/acme/platform/shop.git/",
        "git@gitlab.com:acme/platform/shop.git",
        "ssh://git@gitlab.com:22/acme/platform/shop.git",
        "ssh://git@altssh.gitlab.com:443/acme/platform/shop.git",
    ],
)
def test_every_url_of_a_project_on_gitlab_com_leads_to_it_with_all_its_groups(url: str) -> None:
    found = address_of(url, "", {})
    assert found == ProjectAddress("https://gitlab.com", "acme/platform/shop")
    assert found.api == "https://gitlab.com/api/v4"
    assert found.path == "/projects/acme%2Fplatform%2Fshop"
    assert found.url(12) == "https://gitlab.com/acme/platform/shop/-/merge_requests/12"
    assert forges.kind_of(url) == "gitlab"


@pytest.mark.parametrize(
    ("url", "environ", "server"),
    [
        ("https://git.example.com/acme/shop.git", OWN, "https://git.example.com"),
        ("git@git.example.com:acme/shop.git", OWN, "https://git.example.com"),
        ("https://git.example.com:8443/acme/shop", {"GITLAB_HOST": "git.example.com:8443"}, "https://git.example.com:8443"),
        ("https://example.com/gitlab/acme/shop.git", BELOW, "https://example.com/gitlab"),
        ("git@example.com:acme/shop.git", BELOW, "https://example.com/gitlab"),
    ],
    ids=["in its CI", "in its CI, by SSH", "another port", "below a path", "below a path, by SSH"],
)  # fmt: skip
def test_a_server_of_ones_own_is_the_one_that_the_environment_names(
    url: str, environ: dict[str, str], server: str
) -> None:
    assert address_of(url, "", environ) == ProjectAddress(server, "acme/shop")
    assert forges.kind_of(url, environ) == "gitlab"
    assert forges.kind_of(url) == "none"


def test_forge_url_may_be_the_server_or_its_api() -> None:
    for url in ("https://example.com/gitlab", "https://example.com/gitlab/", "https://example.com/gitlab/api/v4"):
        found = address_of("https://example.com/gitlab/acme/shop.git", url, {})
        assert found == ProjectAddress("https://example.com/gitlab", "acme/shop")


@pytest.mark.parametrize("url", ["https://gitlab.com/shop.git", "https://gitlab.com/", "/srv/shop.git"])
def test_a_url_that_is_none_of_a_project_is_refused(url: str) -> None:
    with pytest.raises(ReleaseError, match="not that of a project on GitLab"):
        address_of(url, "", {})


def test_no_token_goes_to_a_server_that_only_the_repository_names() -> None:
    address = address_of("https://evil.example/acme/shop", "https://evil.example", {})
    with pytest.raises(ReleaseError, match="the token is not sent to") as caught:
        find_for(address, {"GITLAB_TOKEN": "glpat-secret"})
    assert "GITLAB_HOST=https://evil.example" in caught.value.hint
    assert "glpat-secret" not in str(caught.value)
    assert find_for(address, {}) is None


def test_the_token_comes_from_a_variable_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("glpat-file\n")
    address = address_of("git@gitlab.com:acme/shop.git", "", {})
    found = find_for(address, {"GITLAB_TOKEN_FILE": str(tmp_path / "token")})
    assert found is not None
    assert (found.secret.reveal(), found.source) == ("glpat-file", "GITLAB_TOKEN_FILE")
    found = find_for(address, {"GITLAB_TOKEN": "glpat-a", "CI_JOB_TOKEN": "glcbt-b"})
    assert found is not None
    assert found.secret.reveal() == "glpat-a"
    assert find_for(address, {"CI_JOB_TOKEN": "glcbt-b"}) is None, "the API takes none of a job"


@pytest.mark.parametrize(
    ("environ", "pair"),
    [
        ({"GITLAB_TOKEN": "glpat-a", "CI_JOB_TOKEN": "glcbt-b"}, "oauth2:glpat-a"),
        ({"CI_JOB_TOKEN": "glcbt-b"}, "gitlab-ci-token:glcbt-b"),
    ],
)
def test_git_logs_in_with_the_token_that_is_there(environ: dict[str, str], pair: str) -> None:
    found = header_for_git("https://gitlab.com/acme/shop.git", environ)
    assert found is not None
    assert base64.b64decode(found.reveal().rpartition(" ")[2]).decode() == pair
