"""A server that answers as no registry should: byte for byte what the test says, as slowly as it says."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator

import hostile

Answer = Callable[["Seen"], "bytes | Iterator[bytes]"]

JSON, PAGE = "application/json", "text/html; charset=utf-8"


class Seen:
    """A request: its first line and headers, as they came."""

    def __init__(self, text: str, over: threading.Event) -> None:
        """`over` is set when the test is over, so that whoever stalls can stop."""
        self.over = over
        self.method, self.target, _ = text.split("\r\n", 1)[0].split(" ")
        self.headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in text.split("\r\n")[1:])
        }

    @property
    def path(self) -> str:
        """What is asked for, without its query."""
        return self.target.partition("?")[0]


def reply(status: int, body: object = b"", kind: str = JSON, **headers: str) -> bytes:
    """An answer as bytes; a body that is neither bytes nor text is sent as JSON. `_` in a header's name is `-`."""
    sent = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    head = {"Content-Type": kind, "Content-Length": str(len(sent)), "Connection": "close"}
    head |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"HTTP/1.1 {status} A Reason\r\n{lines}\r\n".encode() + sent


def error(status: int, code: str, **headers: str) -> bytes:
    """An answer with an error as the specification describes it."""
    return reply(status, {"errors": [{"code": code, "message": "hunter2"}]}, **headers)


class Hostile(hostile.Hostile):
    """A running one, for the length of a block; `seen` holds what it was asked."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer
        self.seen: list[Seen] = []
        self.host = self.url.removeprefix("http://")

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):  # the client may hang up at any time
            connection.settimeout(10)
            self.seen.append(Seen(hostile._request(connection).decode("latin-1"), self.ended))
            answer = self.answer(self.seen[-1])
            for part in [answer] if isinstance(answer, bytes) else answer:
                bare = self.seen[-1].method == "HEAD" and part.startswith(b"HTTP/")
                connection.sendall(part.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if bare else part)
