"""A git server over HTTP on 127.0.0.1: git's own server program behind Python's web server."""

from __future__ import annotations

import os
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


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
