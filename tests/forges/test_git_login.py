"""What to do where a remote refuses git's login: the variable of the token, or of the server, is named."""

from __future__ import annotations

import pytest

from release_tool.forges.git_login import header_for_git, next_step, with_next_step
from release_tool.git.errors import LoginRefused

URL = "https://git.example.com/acme/shop.git"


@pytest.mark.parametrize(
    ("token", "server"),
    [
        ("GITEA_TOKEN", "GITEA_SERVER_URL"),
        ("FORGEJO_TOKEN", "GITEA_SERVER_URL"),
        ("GITLAB_TOKEN", "GITLAB_HOST"),
        ("AZURE_DEVOPS_TOKEN", "AZURE_DEVOPS_URL"),
    ],
)
def test_a_token_without_its_server_is_not_sent_and_the_next_step_names_the_server(token: str, server: str) -> None:
    environ = {token: "t0ken"}
    assert header_for_git(URL, environ) is None
    said = next_step(URL, environ)
    assert said.startswith(
        f"set {server} to the address of the server, https://git.example.com, if the token of {token} "
    )
    assert "t0ken" not in said
    assert header_for_git(URL, {**environ, server: "https://git.example.com"}) is not None


def test_a_server_of_this_machine_is_named_as_it_is() -> None:
    said = next_step("http://127.0.0.1:3000/acme/shop.git", {"GITEA_TOKEN": "t0ken"})
    assert "GITEA_SERVER_URL to the address of the server, http://127.0.0.1:3000, if" in said


@pytest.mark.parametrize(
    ("url", "environ"),
    [(URL, {}), (URL, {"GITHUB_TOKEN": "t0ken"}), ("git@git.example.com:acme/shop.git", {"GITEA_TOKEN": "t0ken"})],
)
def test_where_no_token_may_be_meant_nothing_is_said_of_one(url: str, environ: dict[str, str]) -> None:
    assert next_step(url, environ) == ""


def test_a_variable_that_holds_no_token_leaves_the_error_as_it_is() -> None:
    error = LoginRefused("the remote doesn't accept the credentials", where=URL, hint="check them")
    assert with_next_step(error, {"GITEA_TOKEN": "two words"}) is error
    assert error.hint == "check them"
