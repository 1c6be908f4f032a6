"""A forge on 127.0.0.1: one thread a connection, faults, and the record of what was asked. Its API is in a subclass."""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
import tempfile
import threading
import traceback
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from git_server import read_body

from forge_standin.faults import Ordered

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from forge_standin.faults import Fault

_SECRET = ("authorization", "private-token", "job-token")
"""Headers whose value is in no record."""


@dataclass
class Exchange:
    """A request and what was answered."""

    kind: str  # `git`, `rest`, …
    method: str
    path: str  # without the prefix of the API and without the query
    query: dict[str, str]
    body: Any = None  # JSON of a request for the API
    headers: dict[str, str] = field(default_factory=dict)
    user: str = ""
    status: int = 0  # what was sent; 0 where the connection ended without an answer
    meant: int = 0  # the status of the right answer, whatever a fault made of it; 0 where the request had no effect
    answer: Any = None  # the right answer's JSON
    route: str = ""  # the route's path, "" where none was found
    accepted: str = ""  # the permissions that would do, where the forge tells them
    fault: str = ""  # its name

    def __str__(self) -> str:
        fault = f" ({self.fault})" if self.fault else ""
        return f"{self.method} {self.path} {self.status or 'no answer'}{fault}"


@dataclass
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None


class Request(NamedTuple):
    """A request as it came. The names of headers are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class Site:
    """A server for as long as a `with` lasts. `lock` is held while anything changes; `date` is what the header tells."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self.now = now or (lambda: datetime.now(timezone.utc))
        self.date: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
        self.lock = threading.RLock()
        self.stopped = threading.Event()
        self.log: list[Exchange] = []  # every request, in the order of arrival
        self.unmodelled: list[str] = []  # requests that it doesn't know; they were answered 501
        self.crashes: list[str] = []  # its own faults, with tracebacks; they were answered 500
        self._ordered: list[Ordered] = []
        self._ids = 0
        self.folder = tempfile.TemporaryDirectory(prefix="standin-")
        self._server = _Server(self)
        self.web = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends everything, also requests that hang."""
        self.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.folder.cleanup()

    def next_id(self) -> int:
        with self.lock:
            self._ids += 1
            return 1000 + self._ids

    # what a forge is

    def kind_of(self, path: str) -> tuple[str, str]:
        """The kind of a request by its path, and the path as the record has it."""
        raise NotImplementedError

    def respond(self, request: Request, exchange: Exchange) -> Answer:
        """What a request leads to. May write into the record of it."""
        raise NotImplementedError

    def usual_headers(self) -> dict[str, str]:
        """Those of every answer."""
        return {}

    # faults

    def fault(self, method: str, pattern: str, fault: Fault, *, nth: int = 1, times: float = 1) -> Ordered:
        """Orders a fault for the `nth` request that matches from now on, and so many in a row; the order counts.

        The method may be `*`; the pattern is searched in the path with its query and without the API's prefix.
        """
        ordered = Ordered(method, re.compile(pattern), fault, nth, times)
        with self.lock:
            self._ordered.append(ordered)
        return ordered

    def drop_faults(self) -> None:
        with self.lock:
            self._ordered.clear()

    def draw(self, method: str, target: str) -> Fault | None:
        """The fault of a request, if any is due: the first that was ordered."""
        with self.lock:
            due = [ordered.draw() for ordered in self._ordered if ordered.matches(method, target)]
        return next((fault for fault in due if fault), None)

    # what was asked

    def calls(self, method: str = "", pattern: str = "") -> list[Exchange]:
        """The requests for the API (not git's) so far, those of a method and with a path that fits."""
        return [
            one for one in list(self.log)
            if one.kind != "git" and method in ("", one.method) and re.search(pattern, one.path)
        ]  # fmt: skip

    def verify(self) -> None:
        """Asserts that it knew every request."""
        assert not self.crashes, "the stand-in itself failed:\n" + "\n".join(self.crashes)
        assert not self.unmodelled, f"the stand-in doesn't model: {self.unmodelled}"


class _Gone(Exception):
    """The connection was ended on purpose."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, site: Site) -> None:
        self.site = site
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_: object) -> None:
        """Clients that leave are nothing to talk about; anything else is a fault of the stand-in."""
        if not isinstance(sys.exc_info()[1], (_Gone, ConnectionError, TimeoutError)):
            self.site.crashes.append(traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one piece: two small ones would wait for each other (Nagle, delayed ACK)
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        site = self.server.site
        body = read_body(self)
        path, _, query = self.path.partition("?")
        kind, short = site.kind_of(path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        shown = {name: "…" if name in _SECRET else value for name, value in headers.items()}
        asked = dict(parse_qsl(query, keep_blank_values=True))
        exchange = Exchange(kind, self.command, short, asked, headers=shown)
        if kind != "git":
            exchange.body = _parsed(body)
        site.log.append(exchange)
        fault = site.draw(self.command, f"{short}?{query}" if query else short)
        if self._before(fault, exchange):
            return
        answer = site.respond(Request(self.command, path, query, headers, body), exchange)
        exchange.status, exchange.meant, exchange.answer = answer.status, answer.status, answer.body
        self._after(fault, exchange, answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _before(self, fault: Fault | None, exchange: Exchange) -> bool:
        """What goes wrong before a request has an effect; whether that was all."""
        if fault is None:
            return False
        exchange.fault = fault.name
        if fault.seconds and not (fault.after and fault.lost):
            self.server.site.stopped.wait(fault.seconds)
        if fault.after:
            return False
        if fault.lost:
            self._reset()
        if fault.status is not None:
            self._order(fault, exchange)
        return fault.status is not None

    def _after(self, fault: Fault | None, exchange: Exchange, answer: Answer) -> None:
        if fault is None or (fault.status is None and not fault.lost and not fault.broken):
            self._send(answer)
            return
        if fault.lost:
            exchange.status = 0
            if fault.seconds:
                self.server.site.stopped.wait(fault.seconds)
            self._reset()
        if fault.status is not None:
            self._order(fault, exchange)
            return
        text = answer.raw if answer.raw is not None else json.dumps(answer.body).encode()
        half = text[: len(text) // 2]
        if fault.broken == "json":
            kind = {"Content-Type": "application/json; charset=utf-8"}
            self._send(Answer(answer.status, raw=half, headers={**kind, **answer.headers}))
            return
        self._send(Answer(answer.status, raw=half, headers=answer.headers), length=len(text) + 1)
        self._reset()

    def _order(self, fault: Fault, exchange: Exchange) -> None:
        assert fault.status is not None
        exchange.status = fault.status
        html = {"Content-Type": "text/html"} if isinstance(fault.body, str) else {}
        raw = fault.body.encode() if isinstance(fault.body, str) else None
        self._send(Answer(fault.status, fault.body, {**html, **fault.headers}, raw))

    def _reset(self) -> None:
        """RST instead of an orderly end."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for stream in (self.rfile, self.wfile, self.connection):
            stream.close()
        raise _Gone

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.server.site.date().timestamp() if timestamp is None else timestamp)

    def _send(self, answer: Answer, length: int | None = None) -> None:
        raw = answer.raw
        if raw is None:
            raw = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        headers = {**self.server.site.usual_headers(), **answer.headers}
        if answer.raw is None and answer.body is not None:
            headers = {"Content-Type": "application/json; charset=utf-8", **headers}
        if answer.status != 204:
            headers["Content-Length"] = str(len(raw) if length is None else length)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Quiet: everything is in the record."""


def _parsed(body: bytes) -> Any:
    """The JSON of a request; None where there is none, or none that can be read."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return None
