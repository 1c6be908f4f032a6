"""Which GitHub a remote's URL leads to, which token goes there, and how git gets it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from release_tool import forges
from release_tool.errors import ReleaseError
from release_tool.forges import recognise, token
from release_tool.forges.git_login import header_for_git
from release_tool.forges.github.address import Address, address_of
from release_tool.git.credential import credential_for
from release_tool.git.process import GitCredential, Setting
from release_tool.net.secret import Secret

PUBLIC = ("https://api.github.com", "https://api.github.com/graphql")
SERVER = ("https://github.example.com/api/v3", "https://github.example.com/api/graphql")
IN_ACTIONS = {
    "GITHUB_SERVER_URL": "https://github.example.com",
    "GITHUB_API_URL": "https://github.example.com/api/v3",
    "GITHUB_GRAPHQL_URL": "https://github.example.com/api/graphql",
}


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/team/app",
        "https://github.com/team/app.git",
        "https://github.com/team/app.git/",
        "https://***@github.com/team/app.git",
        "https://github.com:443/team/app",
        "https://www.github.com/team/app",
        "git@github.com:team/app.git",
        "github.com:team/app",
        "git@github.com:/team/app.git",
        "[git@github.com:22]:team/app.git",
        "ssh://git@github.com/team/app.git",
        "ssh://git@github.com:22/team/app.git",
        "ssh://git@ssh.github.com:443/team/app.git",
        "git+ssh://git@GitHub.com/team/app.git",
    ],
)
def test_every_url_of_a_repository_on_github_com_leads_to_it(url: str) -> None:
    assert address_of(url, "", {}) == Address("github.com", *PUBLIC, "team", "app")
    assert forges.kind_of(url) == "github"


@pytest.mark.parametrize("url", ["https://github.example.com/team/app", "git@github.example.com:team/app.git"])
def test_another_server_is_an_enterprise_server_where_it_is_said_to_be_one(url: str) -> None:
    assert address_of(url, "", {}) == Address("github.example.com", *SERVER, "team", "app")
    assert forges.kind_of(url) == "none"
    assert forges.kind_of(url, IN_ACTIONS) == "github"
    assert forges.kind_of("https://github.example.com.evil.example/team/app", IN_ACTIONS) == "none"
    assert recognise.kind_of(url, {**IN_ACTIONS, "GITEA_ACTIONS": "true"}) == "gitea"


def test_actions_says_where_its_apis_are() -> None:
    environ = {"GITHUB_SERVER_URL": "https://github.example.com", "GITHUB_API_URL": "https://api.example.com/x/"}
    found = address_of("https://github.example.com/team/app", "", environ)
    assert (found.api, found.graphql) == ("https://api.example.com/x", "https://api.example.com/x/graphql")
    assert address_of("https://github.com/team/app", "", environ).api == "https://api.github.com"


def test_data_residency_has_an_api_of_its_own() -> None:
    found = address_of("https://octo.ghe.com/team/app", "", {})
    assert (found.api, found.graphql) == ("https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql")
    assert forges.kind_of("git@octo.ghe.com:team/app") == "github"


@pytest.mark.parametrize(
    ("given", "api", "graphql"),
    [
        ("https://github.example.com", *SERVER),
        ("https://github.example.com/api/v3/", *SERVER),
        ("https://github.com", *PUBLIC),
        ("https://api.github.com", *PUBLIC),
        ("https://api.octo.ghe.com/", "https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql"),
        (
            "https://proxy.example.com/github",
            "https://proxy.example.com/github",
            "https://proxy.example.com/github/graphql",
        ),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080/api/graphql"),
    ],
)
def test_the_configuration_has_the_last_word(given: str, api: str, graphql: str) -> None:
    found = address_of("git@work:team/app.git", given, IN_ACTIONS)
    assert (found.api, found.graphql, found.full_name) == (api, graphql, "team/app")


def test_a_token_is_sent_nowhere_without_tls() -> None:
    with pytest.raises(ReleaseError, match="no TLS"):
        address_of("git@work:team/app.git", "http://github.example.com", {})
    assert address_of("http://github.example.com/team/app", "", {}).api.startswith("https://")
    assert address_of("http://127.0.0.1:8080/team/app", "", {}).api.startswith("http://127.0.0.1:8080/")
    assert address_of("http://127.evil.example/team/app", "", {}).api.startswith("https://")


@pytest.mark.parametrize(
    "url",
    [
        "/srv/git/app.git",
        "https://github.com/app",
        "https://github.com/team/app/tree/main",
        "https://github.com/team/..",
        "https://github.com/team/a b",
        "https://github.com:port/team/app",
        "https://[/team/app",
        "ext::sh -c x",
        "",
    ],
)
def test_what_is_no_repository_on_github_is_refused(url: str) -> None:
    with pytest.raises(ReleaseError, match="not that of a repository on GitHub"):
        address_of(url, "", {})


def test_the_token_is_the_first_that_is_set(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("in-the-file\n")
    environ = {"GITHUB_TOKEN_FILE": str(file)}
    assert found(environ) == ("in-the-file", "GITHUB_TOKEN_FILE")
    environ["GITHUB_TOKEN"] = "of-actions"
    assert found(environ) == ("of-actions", "GITHUB_TOKEN")
    environ["GH_TOKEN"] = " of-gh \n"
    assert found(environ) == ("of-gh", "GH_TOKEN")
    environ["GH_TOKEN"] = ""
    assert found(environ) == ("of-actions", "GITHUB_TOKEN")
    assert token.find("github", {}) is None


def found(environ: dict[str, str]) -> tuple[str, str]:
    shown = token.find("github", environ)
    assert shown is not None
    assert "of-" not in repr(shown)
    return shown.secret.reveal(), shown.source


@pytest.mark.parametrize("word", ["two words", "a\r\nX-Evil: 1", "schlüssel"])
def test_what_can_be_no_token_is_refused_unseen(word: str) -> None:
    with pytest.raises(ReleaseError, match="GITHUB_TOKEN holds what can't be a token") as caught:
        token.find("github", {"GITHUB_TOKEN": word})
    assert word not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 10 + b" y"])
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(ReleaseError, match="GITHUB_TOKEN_FILE holds what can't be a token"):
        token.find("github", {"GITHUB_TOKEN_FILE": str(tmp_path / "token")})


@pytest.mark.parametrize(
    ("url", "goes"),
    [
        ("https://github.com/team/app.git", True),
        ("https://github.example.com/team/app", True),
        ("https://octo.ghe.com/team/app", True),
        ("http://github.com/team/app", False),
        ("git@github.com:team/app.git", False),
        ("ssh://git@github.com/team/app.git", False),
        ("https://gitlab.com/team/app", False),
        ("https://github.com.evil.example/team/app", False),
        ("https://github.com@evil.example/team/app", False),
        ("/srv/git/app.git", False),
    ],
)
def test_git_gets_the_token_for_a_github_by_tls_and_for_nobody_else(url: str, goes: bool) -> None:
    header = header_for_git(url, {**IN_ACTIONS, "GITHUB_TOKEN": "t0ken"})
    assert (header is not None) is goes
    if header is not None:
        assert header.reveal() == f"Authorization: Basic {base64.b64encode(b'x-access-token:t0ken').decode()}"
    assert header_for_git(url, IN_ACTIONS) is None


@pytest.mark.parametrize(
    ("server", "url", "goes"),
    [
        ("https://gitea.example.com", "https://gitea.example.com/team/app.git", True),
        ("https://gitea.example.com/", "https://gitea.example.com:443/team/app.git", True),
        ("https://example.com/git", "https://example.com/git/team/app.git", True),
        ("http://gitea:3000", "http://gitea:3000/team/app.git", True),
        ("https://example.com/git", "https://example.com/gitweb/team/app.git", False),
        ("https://gitea.example.com", "http://gitea.example.com/team/app.git", False),
        ("https://gitea.example.com", "https://gitea.example.com:8443/team/app.git", False),
        ("https://gitea.example.com", "https://gitea.example.com.evil.example/team/app.git", False),
        ("https://gitea.example.com", "https://gitea.example.com@evil.example/team/app.git", False),
        ("https://gitea.example.com", "git@gitea.example.com:team/app.git", False),
        ("", "https://gitea.example.com/team/app.git", False),
    ],
)
@pytest.mark.parametrize("runner", ["GITEA_ACTIONS", "FORGEJO_ACTIONS"])
def test_git_gets_the_token_for_the_server_whose_actions_run_this(
    server: str, url: str, goes: bool, runner: str
) -> None:
    environ = {runner: "true", "GITHUB_SERVER_URL": server, "GH_TOKEN": "t0ken"}
    assert (header_for_git(url, environ) is not None) is goes
    assert forges.kind_of(url, environ) in {"gitea", "none"}


def settings(*pairs: tuple[str, str]) -> list[Setting]:
    return [Setting(key, value, "file") for key, value in pairs]


def test_a_credential_stands_in_variables_and_never_in_options() -> None:
    url = "https://me:pass@github.com/team/app.git"
    found = credential_for(url, [], Secret("Authorization: Basic c2VjcmV0"))
    assert found.options == (
        "-c",
        "http.https://github.com/team/app.git.followRedirects=false",
        "-c",
        "http.https://github.com/team/app.git.extraheader=",
        "--config-env=http.https://github.com/team/app.git.extraheader=RELEASE_GIT_HEADER_0",
        "-c",
        "credential.https://github.com.helper=",
    )
    assert found.variables == {"RELEASE_GIT_HEADER_0": "Authorization: Basic c2VjcmV0"}
    assert "c2VjcmV0" not in repr(found)
    assert credential_for(url, [], None) == GitCredential()


def test_other_headers_of_the_configuration_stay() -> None:
    found = credential_for(
        "https://github.com/team/app.git",
        settings(
            ("http.extraheader", "X-Lost: 1"),
            ("http.https://github.com/.extraheader", ""),
            ("http.https://github.com/.extraheader", "AUTHORIZATION: basic b2xk"),
            ("http.https://github.com/.extraheader", "X-Kept: 2"),
            ("http.https://github.com/team.extraheader", "X-Kept: 3"),
            ("http.https://github.com/tea.extraheader", "X-Other: 4"),
            ("http.https://gitlab.com/.extraheader", "X-Other: 5"),
            ("http.proxy", "x"),
        ),
        Secret("Authorization: Basic bmV3"),
    )
    assert list(found.variables.values()) == ["Authorization: Basic bmV3", "X-Kept: 2", "X-Kept: 3"]
