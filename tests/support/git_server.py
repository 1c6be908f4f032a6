"""A git server over HTTP on 127.0.0.1: git's own server program behind Python's web server."""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from http.client import HTTPMessage
    from pathlib import Path

    Headers = Mapping[str, str] | HTTPMessage


LOGIN = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body></body></html>"


class GitAnswer(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes


def read_body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    body = b""
    while size := int(handler.rfile.readline(), 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body


def backend(
    root: Path, method: str, path: str, query: str, headers: Headers, body: bytes, env: Mapping[str, str] | None = None
) -> GitAnswer:
    """What `git http-backend` answers for the repositories below a directory; `env`: more of its variables."""
    variables = {
        **os.environ, **(env or {}),
        "GIT_PROJECT_ROOT": str(root), "PATH_INFO": path, "GIT_HTTP_EXPORT_ALL": "1",
        "REMOTE_USER": "person", "REQUEST_METHOD": method, "QUERY_STRING": query,
        "CONTENT_TYPE": headers.get("content-type", ""), "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""), "GIT_PROTOCOL": headers.get("git-protocol", ""),
    }  # fmt: skip
    done = subprocess.run(
        ["git", "http-backend"], input=body, capture_output=True, check=False, env=variables, timeout=120
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    found = dict(line.split(": ", 1) for line in head.decode().splitlines())
    return GitAnswer(int(found.pop("Status", "200").split()[0]), found, content)


@contextmanager
def serving(root: Path) -> Iterator[GitServer]:
    """A server of a directory that runs for as long as the block does."""
    server = GitServer(root)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class GitServer(ThreadingHTTPServer):
    """Serves one directory.

    `answers`: path -> status that is given instead; `token`: what it wants to see; `moved`: part of a path -> where it
    sends its clients; `page`, `cut`: parts of paths that are answered with a login page, or with half of the answer,
    which `admits` its length or not; `shown`: the logins that it saw, an empty one for a request without.
    """

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.root = root
        self.token = ""
        self.answers: dict[str, int] = {}
        self.dumb = False
        self.moved: dict[str, str] = {}
        self.page = self.cut = "nothing"
        self.admits = False
        self.shown: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/origin.git"


class Handler(BaseHTTPRequestHandler):
    server: GitServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        self.server.shown.append(self.headers.get("Authorization", ""))
        for part, address in self.server.moved.items():
            if part in self.path:
                return self._answer(301, {"Location": address + self.path.removeprefix("/origin.git")})
        for part, status in self.server.answers.items():
            if part in self.path:
                return self._answer(status, {})
        if self.server.token and self.headers.get("Authorization", "").split()[-1:] != [self.server.token]:
            return self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'})
        if self.server.page in self.path:
            read_body(self)
            return self._answer(200, {"Content-Type": "text/html; charset=utf-8"}, LOGIN)
        if self.server.dumb:
            file = self.server.root / path.lstrip("/")
            return self._answer(200, {}, file.read_bytes()) if file.is_file() else self._answer(404, {})
        return self._cgi(path, query)

    do_POST = do_GET

    def _cgi(self, path: str, query: str) -> None:
        body = read_body(self)
        answer = backend(self.server.root, self.command, path, query, self.headers, body)
        self._answer(*answer, half=self.server.cut in self.path)

    def _answer(self, status: int, headers: dict[str, str], content: bytes = b"", *, half: bool = False) -> None:
        sent = content[: len(content) // 2] if half else content
        content = sent if self.server.admits else content
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)
        self.close_connection |= half

    def log_message(self, *_: object) -> None:
        """Quiet."""
