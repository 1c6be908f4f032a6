"""Over HTTP, with git's own server program behind Python's web server on 127.0.0.1."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from git_server import GitServer, serving
from origin import TAGS, Origin, bump, git

from release_tool.errors import ReleaseError, TryAgain
from release_tool.git.repository import Repository

TOKEN = base64.b64encode(b"person:s3cret").decode()


@pytest.fixture
def server(tmp_path: Path, origin: Origin) -> Iterator[GitServer]:
    with serving(tmp_path) as found:
        yield found


def _clone_with_token(origin: Origin, server: GitServer, path: Path) -> Path:
    """As actions/checkout leaves it: the token stands in an extra header, in a file behind a condition."""
    clone = origin.clone(path)
    git("remote", "set-url", "origin", server.url, cwd=clone)
    path.with_name("token.inc").write_text(f'[http "{server.url}"]\n\textraheader = AUTHORIZATION: basic {TOKEN}\n')
    git("config", f"includeIf.gitdir:{clone}/.git.path", str(path.with_name("token.inc")), cwd=clone)
    return clone


def test_a_bump_over_http_without_a_checkout(origin: Origin, server: GitServer) -> None:
    with Repository.open(None, server.url) as repository:
        bump(repository)
    assert origin.file(TAGS).endswith("v1.0.2")
    assert origin.healthy()


def test_the_credentials_of_the_checkout_serve_and_show_nowhere(
    origin: Origin, server: GitServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.token = TOKEN
    clone = _clone_with_token(origin, server, tmp_path / "clone")
    with caplog.at_level(logging.DEBUG, "release_tool"), Repository.open(clone) as repository:
        bump(repository)
        files = [file for file in repository._store.rglob("*") if file.is_file()]
        assert not [file for file in files if TOKEN.encode() in file.read_bytes()]
        server.answers["git-receive-pack"] = 403
        with pytest.raises(ReleaseError) as caught:
            bump(repository)
    assert origin.file(TAGS).endswith("v1.0.2")
    assert "ls-remote" in caplog.text
    error = caught.value
    for secret in (TOKEN, "s3cret"):
        assert secret not in f"{caplog.text}{error!r}{error}{error.cause}{error.hint}{vars(repository)}"


@pytest.mark.parametrize(
    ("status", "what", "exit_code"),
    [
        (401, "doesn't accept the credentials", 1),
        (403, "no permission on the remote", 1),
        (404, "no git repository at the remote's URL", 1),
        (429, "can't be reached", 75),
        (500, "can't be reached", 75),
        (503, "can't be reached", 75),
    ],
)
@pytest.mark.parametrize("step", ["upload-pack", "receive-pack"])
def test_a_status_of_the_server_tells_who_has_to_act(
    server: GitServer, status: int, what: str, exit_code: int, step: str
) -> None:
    server.answers[f"git-{step}"] = status
    with Repository.open(None, server.url) as repository, pytest.raises(ReleaseError, match=what) as caught:
        bump(repository)
    assert caught.value.exit_code == exit_code
    assert caught.value.where == server.url
    assert caught.value.hint


def test_missing_credentials_end_in_an_error_not_in_a_prompt(server: GitServer) -> None:
    server.token = TOKEN
    with Repository.open(None, server.url) as repository, pytest.raises(ReleaseError) as caught:
        repository.refs("refs/heads/*")
    assert caught.value.what == "the remote doesn't accept the credentials"


def test_a_server_that_is_away_can_be_tried_again(server: GitServer) -> None:
    url = server.url.replace(str(server.server_address[1]), "1")  # nobody listens there
    with Repository.open(None, url) as repository, pytest.raises(TryAgain, match="can't be reached"):
        repository.refs("refs/heads/*")


def test_a_web_server_without_git_is_named(origin: Origin, server: GitServer) -> None:
    origin.git("update-server-info")
    server.dumb = True
    with Repository.open(None, server.url) as repository, pytest.raises(ReleaseError, match="a plain web server"):
        bump(repository)
