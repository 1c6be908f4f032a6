"""A proxy before any forge, a real one too: what a client asks passes through it, is written down, and can go wrong.

with FaultyProxy() as proxy:
    monkeypatch.setenv("http_proxy", proxy.url)        # requests and git both take it; addresses stay as they are
    proxy.fault(faults.reset_after(), method="POST", pattern=r"/pulls$", nth=1, times=1)
    ...
    assert [str(one) for one in proxy.calls()] == ["GET /repos/acme/shop/pulls", ...]

The faults are those of `forge_standin.faults` and `standin.faults`. What is ordered with `after` reaches the server first: the request has had its
effect. Only plain HTTP passes: servers of tests are on 127.0.0.1.
"""

from __future__ import annotations

import http.client
import json
import math
import re
import socket
import struct
import sys
import threading
import traceback
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from forge_standin.faults import Fault, Ordered
from git_server import read_body

FOR_EVER = math.inf
_GIT = re.compile(r"/(info/refs|git-upload-pack|git-receive-pack)$")
_HOP = {
    "connection",
    "proxy-connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "content-length",
}
_LOGINS = ("Authorization", "PRIVATE-TOKEN", "JOB-TOKEN")


@dataclass
class Asked:
    """A request that passed."""

    method: str
    path: str  # as it was sent, percent-encoded
    query: str
    body: bytes = field(repr=False)
    login: str = field(default="", repr=False)  # the header that shows the token, whatever it is called
    status: int = 0  # what the client was answered; 0: the connection ended instead
    fault: str = ""  # its name

    @property
    def git(self) -> bool:
        """Whether git asked, and not a client of the API."""
        return _GIT.search(self.path) is not None

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path}{f' ({self.fault})' if self.fault else ''}"


class _Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    content: bytes


class FaultyProxy:
    """Use it as a context manager. `asked`: every request, in the order of arrival."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.crashes: list[str] = []  # its own faults, with tracebacks
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._ordered: list[Ordered] = []
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FaultyProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends everything, also requests that hang."""
        self.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fault(
        self, fault: Fault, *, method: str = "*", pattern: str = "", nth: int = 1, times: float = 1, git: bool = False
    ) -> Ordered:
        """Orders a fault for the `nth` request that matches from now on, and so many in a row (`math.inf`: for ever).

        The pattern is searched in the path with its query. Only the API's requests count, with `git` only git's.
        """
        ordered = _Ordered(method, re.compile(pattern), fault, nth, times)
        ordered.git = git
        with self._lock:
            self._ordered.append(ordered)
        return ordered

    def drop_faults(self) -> None:
        with self._lock:
            self._ordered.clear()

    def calls(self, since: int = 0) -> list[Asked]:
        """The requests to the API (not git's) so far, from the `since`-th on."""
        return [one for one in list(self.asked) if not one.git][since:]

    def note(self, asked: Asked) -> Fault | None:
        """Writes a request down; the fault that it meets, if any is due."""
        with self._lock:
            self.asked.append(asked)
            due = [
                ordered.draw()
                for ordered in self._ordered
                if ordered.git == asked.git and ordered.matches(asked.method, asked.target)
            ]
        found = next((fault for fault in due if fault), None)
        asked.fault = found.name if found else ""
        return found


class _Ordered(Ordered):
    git = False


class _Gone(Exception):
    """The connection was ended on purpose."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, proxy: FaultyProxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_: object) -> None:
        if not isinstance(sys.exc_info()[1], (_Gone, ConnectionError, TimeoutError)):
            self.proxy.crashes.append(traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = read_body(self)
        parts = urlsplit(self.path)
        assert parts.scheme == "http", f"{self.path} is no request to a proxy"
        login = next((self.headers[name] for name in _LOGINS if name in self.headers), "")
        asked = Asked(self.command, parts.path, parts.query, body, login)
        fault = self.server.proxy.note(asked)
        if fault is None:
            self._send(asked, self._forwarded(parts.netloc, asked))
            return
        if fault.seconds and not (fault.after and fault.lost):
            self.server.proxy.stopped.wait(fault.seconds)
        answer = self._forwarded(parts.netloc, asked) if fault.after else None
        if fault.lost:
            if fault.after:
                self.server.proxy.stopped.wait(fault.seconds)
            self._reset()
        if fault.status is not None:
            self._send(asked, _ordered(fault))
            return
        assert answer is not None, f"{fault} says nothing"
        half = answer.content[: len(answer.content) // 2]
        if fault.broken == "json":
            self._send(asked, answer._replace(content=half))
        elif fault.broken:
            self._send(asked, answer._replace(content=half), length=len(answer.content) + 1)
            self._reset()
        else:
            self._send(asked, answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def _forwarded(self, server: str, asked: Asked) -> _Answer:
        connection = http.client.HTTPConnection(server, timeout=120)
        try:
            connection.putrequest(asked.method, asked.target, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP:
                    connection.putheader(name, value)
            if asked.body or asked.method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(asked.body)))
            connection.putheader("Connection", "close")
            connection.endheaders(asked.body or None)
            answer = connection.getresponse()
            content = answer.read()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP]
            return _Answer(answer.status, kept, content)
        except http.client.HTTPException:
            self._reset()
            raise
        finally:
            connection.close()

    def _send(self, asked: Asked, answer: _Answer, length: int | None = None) -> None:
        asked.status = answer.status
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.content) if length is None else length))
        self.end_headers()
        if asked.method != "HEAD":
            self.wfile.write(answer.content)
        self.wfile.flush()

    def _reset(self) -> None:
        """RST instead of an orderly end."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for stream in (self.rfile, self.wfile, self.connection):
            stream.close()
        raise _Gone

    def log_message(self, *_: Any) -> None:
        """Quiet: everything is in the record."""


def _ordered(fault: Fault) -> _Answer:
    assert fault.status is not None
    page = isinstance(fault.body, str)
    content = fault.body.encode() if page else json.dumps(fault.body).encode()
    kind = "text/html" if page else "application/json; charset=utf-8"
    return _Answer(fault.status, [("Content-Type", kind), *fault.headers.items()], content)
