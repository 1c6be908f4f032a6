"""Which Gitea or Forgejo a remote's URL leads to, and which token goes there."""

from __future__ import annotations

import pytest

from release_tool import forges
from release_tool.errors import ReleaseError
from release_tool.forges.git_login import header_for_git
from release_tool.forges.gitea.address import GiteaAddress, address_of, find_for
from release_tool.forges.gitea.dialect import dialect_of

SERVER = "https://git.example.com"
OURS = {"GITEA_SERVER_URL": SERVER}
IN_A_JOB = {"GITEA_ACTIONS": "true", "GITHUB_SERVER_URL": "http://gitea:3000", "GITHUB_TOKEN": "of-the-job"}


@pytest.mark.parametrize(
    ("url", "environ", "server"),
    [
        ("https://git.example.com/team/app", {}, SERVER),
        ("https://git.example.com/team/app.git/", {}, SERVER),
        ("https://git.example.com/code/team/app", {}, f"{SERVER}/code"),
        ("https://git.example.com/code/team/app", {"GITEA_SERVER_URL": f"{SERVER}/code/"}, f"{SERVER}/code"),
        ("git@git.example.com:team/app.git", {"GITEA_SERVER_URL": f"{SERVER}/code"}, f"{SERVER}/code"),
        ("ssh://git@git.example.com:2222/team/app.git", {}, SERVER),
        ("https://git.example.com:8443/team/app", {}, f"{SERVER}:8443"),
        ("http://127.0.0.1:3000/team/app", {}, "http://127.0.0.1:3000"),
        ("http://gitea:3000/team/app", IN_A_JOB, "http://gitea:3000"),
        ("https://codeberg.org/team/app", {}, "https://codeberg.org"),
    ],
)
def test_server_and_repository_are_read_off_a_remotes_url(url: str, environ: dict[str, str], server: str) -> None:
    assert address_of(url, "", environ) == GiteaAddress(server, "team", "app")


@pytest.mark.parametrize("override", [f"{SERVER}/code", f"{SERVER}/code/", f"{SERVER}/code/api/v1"])
def test_forge_url_is_the_server_or_its_api(override: str) -> None:
    found = address_of("git@alias:team/app.git", override, {})
    assert (found.api, found.url(7)) == (f"{SERVER}/code/api/v1", f"{SERVER}/code/team/app/pulls/7")


@pytest.mark.parametrize("url", ["https://git.example.com/app", "https://git.example.com/../app", "/srv/git/app.git"])
def test_what_is_no_repository_is_refused(url: str) -> None:
    with pytest.raises(ReleaseError, match="not that of a repository on a Gitea"):
        address_of(url, "", {})


@pytest.mark.parametrize(
    ("url", "environ", "kind"),
    [
        ("https://codeberg.org/team/app", {}, "gitea"),
        ("git@gitea.com:team/app.git", {}, "gitea"),
        ("https://git.example.com/team/app", {}, "none"),
        ("https://git.example.com/team/app", OURS, "gitea"),
        ("ssh://git@git.example.com:2222/team/app", OURS, "gitea"),
        ("https://git.example.com/team/app", {"FORGEJO_SERVER_URL": SERVER}, "gitea"),
        ("http://gitea:3000/team/app", IN_A_JOB, "gitea"),
        ("https://github.com/team/app", IN_A_JOB, "github"),
    ],
)
def test_a_gitea_is_known_by_its_name_or_by_the_environment(url: str, environ: dict[str, str], kind: str) -> None:
    assert forges.kind_of(url, environ) == kind


def test_the_token_goes_to_the_servers_that_the_environment_names() -> None:
    address = GiteaAddress(SERVER, "team", "app")
    found = find_for(address, {**OURS, "GITEA_TOKEN": "a", "FORGEJO_TOKEN": "b"})
    assert found is not None
    assert (found.secret.reveal(), found.source) == ("a", "GITEA_TOKEN")
    with pytest.raises(ReleaseError, match="only the repository says") as caught:
        find_for(address, {"GITEA_TOKEN": "a"})
    assert f"set GITEA_SERVER_URL={SERVER} in the environment" in caught.value.hint
    assert find_for(address, {}) is None


def test_the_token_travels_in_the_clear_only_where_the_runner_sends_it_so_itself() -> None:
    address = GiteaAddress("http://gitea:3000", "team", "app")
    found = find_for(address, IN_A_JOB)
    assert found is not None
    assert found.source == "GITHUB_TOKEN"
    assert header_for_git("http://gitea:3000/team/app", IN_A_JOB) is not None
    with pytest.raises(ReleaseError, match="no TLS"):
        find_for(address, {"GITEA_SERVER_URL": "http://gitea:3000", "GITEA_TOKEN": "a"})


def test_forgejo_is_called_by_its_name() -> None:
    there = GiteaAddress("https://codeberg.org", "team", "app")
    ours = GiteaAddress(SERVER, "team", "app")
    assert [dialect_of(there, {}).title, dialect_of(ours, {"FORGEJO_ACTIONS": "true"}).title] == ["Forgejo"] * 2
    assert dialect_of(ours, OURS).title == "Gitea"
