"""One look at a server tells which forge answers there, and shows nobody a token."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from certificates import certificate

from release_tool.forges.probe import FoundServer, look

JSON = {"Content-Type": "application/json"}
WORDS = {"message": "Only signed in user is allowed to call APIs."}
AZURE = {"X-TFS-ProcessId": "9ea49f24-ae20-4d5b-9019-8faaa375d00e", "WWW-Authenticate": "Negotiate"}

# kind, path of the question, status, headers and body of the answer
SIGNS = {
    "gitea": ("gitea", "/api/v1/version", 200, JSON, {"version": "1.26.0"}),
    "forgejo": ("gitea", "/api/v1/version", 200, JSON, {"version": "7.0.0+gitea-1.21.0"}),
    "gitea for the signed in": ("gitea", "/api/v1/version", 403, JSON, WORDS),
    "gitlab": ("gitlab", "/api/v4/version", 401, JSON, {"message": "401 Unauthorized"}),
    "gitlab's header": ("gitlab", "/api/v4/version", 403, {"X-Gitlab-Meta": "{}"}, {}),
    "gitlab's login": ("gitlab", "/users/sign_in", 200, {"Set-Cookie": "_gitlab_session=a1; path=/"}, {}),
    "bitbucket": ("bitbucket", "/rest/api/1.0/application-properties", 200, JSON, {"displayName": "Bitbucket"}),
    "github": ("github", "/api/v3/meta", 200, JSON, {"installed_version": "3.14.0"}),
    "github in private": ("github", "/api/v3/meta", 401, {"X-GitHub-Enterprise-Version": "3.14.0"}, {}),
}


class Server(ThreadingHTTPServer):
    """Answers what it is told to, and 404 to all else; `asked` are the requests, each path with its headers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, dict[str, str], object]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.waits = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        time.sleep(self.server.waits)
        status, headers, body = self.server.answers.get(self.path, (404, {}, {}))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):  # nobody reads more than is wanted
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.mark.parametrize("name", SIGNS)
def test_each_forge_is_known_by_what_it_shows_to_everybody(server: Server, name: str) -> None:
    kind, path, *answer = SIGNS[name]
    server.answers[path] = (answer[0], answer[1], answer[2])  # type: ignore[assignment]
    folder = "scm/ACME" if kind == "bitbucket" else "acme"
    assert look(f"{server.url}/{folder}/shop.git") == FoundServer(kind, server.url)


@pytest.mark.parametrize("name", [name for name in SIGNS if "github" not in name])  # which has no prefix
def test_a_server_behind_a_prefix_is_found_there(server: Server, name: str) -> None:
    kind, path, *answer = SIGNS[name]
    server.answers[f"/code{path}"] = (answer[0], answer[1], answer[2])  # type: ignore[assignment]
    folder = "scm/ACME" if kind == "bitbucket" else "acme"
    assert look(f"{server.url}/code/{folder}/shop.git") == FoundServer(kind, f"{server.url}/code")


def test_groups_within_groups_are_no_prefix(server: Server) -> None:
    server.answers["/api/v4/version"] = (401, JSON, {"message": "401 Unauthorized"})
    assert look(f"{server.url}/acme/web/team/shop.git") == FoundServer("gitlab", server.url)


@pytest.mark.parametrize(
    ("path", "collection"),
    [
        ("tfs/DefaultCollection/Shop/_git/engine", "tfs/DefaultCollection"),
        ("DefaultCollection/Shop/_git/engine", "DefaultCollection"),
        ("tfs/DefaultCollection/_git/engine", "tfs/DefaultCollection"),  # project and repository have one name
    ],
)
def test_an_azure_devops_server_is_found_by_its_headers(server: Server, path: str, collection: str) -> None:
    server.answers[f"/{collection}/_apis/connectionData"] = (401, AZURE, {})
    assert look(f"{server.url}/{path}") == FoundServer("azure", f"{server.url}/{collection}")


def test_a_plain_git_server_is_none_and_costs_one_short_look(server: Server) -> None:
    assert look(f"{server.url}/git/shop.git") == FoundServer()
    assert len(server.asked) <= 5


def test_what_only_looks_like_a_sign_is_none(server: Server) -> None:
    server.answers = {
        "/api/v1/version": (200, JSON, {"version": "1.0", "name": "some other program"}),
        "/api/v4/version": (401, {"WWW-Authenticate": "Basic"}, b"<html>401 Unauthorized</html>"),
        "/users/sign_in": (200, {"Set-Cookie": "session=1"}, b"<html>"),
        "/api/v3/meta": (200, JSON, [1]),
    }
    assert look(f"{server.url}/acme/shop.git") == FoundServer()


def test_no_token_and_no_cookie_is_sent_and_no_redirect_is_followed(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("GITEA_TOKEN", "GITLAB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN", "AZURE_DEVOPS_TOKEN"):
        monkeypatch.setenv(name, "a-secret-of-mine")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password a-secret-of-mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.answers["/api/v1/version"] = (302, {"Location": f"{server.url}/elsewhere"}, {})
    server.answers["/elsewhere"] = (200, JSON, {"version": "1.26.0"})
    assert look(f"{server.url}/acme/shop.git") == FoundServer()
    assert "/elsewhere" not in [path for path, _ in server.asked]
    assert "a-secret-of-mine" not in str(server.asked)
    assert not any("Authorization" in headers for _, headers in server.asked)


def test_a_silent_server_is_not_waited_for(server: Server) -> None:
    server.waits = 1.5
    begun = time.monotonic()
    assert look(f"{server.url}/acme/shop.git", 0.3) == FoundServer(trouble="it did not answer within 0.3 s")
    assert time.monotonic() - begun < 1.2


def test_an_endless_answer_is_not_read(server: Server) -> None:
    server.answers["/api/v1/version"] = (200, JSON, b'{"version": "' + b"9" * 200_000 + b'"}')
    assert look(f"{server.url}/acme/shop.git") == FoundServer()


def test_a_certificate_that_nobody_vouches_for_is_told(server: Server, tmp_path: Path) -> None:
    made = certificate(tmp_path, "127.0.0.1")
    server.socket = made.context().wrap_socket(server.socket, server_side=True)
    found = look(f"https://127.0.0.1:{server.server_address[1]}/acme/shop.git")
    assert found.kind == ""
    assert "certificate" in found.trouble


@pytest.mark.parametrize("url", ["/srv/git/shop.git", "file:///srv/shop.git", "../shop.git", "ext::sh -c x"])
def test_a_path_is_not_looked_at(url: str) -> None:
    assert look(url) == FoundServer()
