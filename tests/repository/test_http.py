"""Over HTTP, with git's own server program behind Python's web server on 127.0.0.1."""

from __future__ import annotations

import base64
import logging
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from repository.origin import TAGS, Origin, bump, git

from release_tool.errors import ReleaseError, TryAgain
from release_tool.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = base64.b64encode(b"person:s3cret").decode()


class GitServer(ThreadingHTTPServer):
    """Serves one directory. `answers`: path -> status that is given instead; `token`: what it wants to see."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.root = root
        self.token = ""
        self.answers: dict[str, int] = {}
        self.dumb = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/origin.git"


class Handler(BaseHTTPRequestHandler):
    server: GitServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        for part, status in self.server.answers.items():
            if part in self.path:
                return self._answer(status, b"", {})
        if self.server.token and self.headers.get("Authorization", "").split()[-1:] != [self.server.token]:
            return self._answer(401, b"", {"WWW-Authenticate": 'Basic realm="git"'})
        if self.server.dumb:
            file = self.server.root / path.lstrip("/")
            return self._answer(200, file.read_bytes(), {}) if file.is_file() else self._answer(404, b"", {})
        return self._cgi(path, query)

    do_POST = do_GET

    def _cgi(self, path: str, query: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        variables = {
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "person",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, capture_output=True, check=False, env={**os.environ, **variables}
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self._answer(int(headers.pop("Status", "200").split()[0]), content, headers)

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server(tmp_path: Path, origin: Origin) -> Iterator[GitServer]:
    found = GitServer(tmp_path)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


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
