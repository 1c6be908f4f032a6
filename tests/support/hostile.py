"""A server that answers as it likes: whole answers, halves, byte after byte, or nothing."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Hostile:
    """Answers one request on each connection with the next of `answers`; the last one for ever after."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: list[bytes | Callable[[socket.socket], None]] = []  # a function gets the connection
        self.requests: list[bytes] = []  # whole
        self.ended = Event()  # whoever waits in an answer waits for it
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[Thread] = []

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Hostile:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(20)

    def hang(self, connection: socket.socket) -> None:
        self.ended.wait(20)

    def drip(self, begin: bytes) -> Callable[[socket.socket], None]:
        """The begin at once, then a byte every 50 ms."""

        def dripping(connection: socket.socket) -> None:
            connection.sendall(begin)
            while not self.ended.wait(0.05):
                connection.sendall(b"x")

        return dripping

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        thread = Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                self.requests.append(_request(connection))
                reply = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                connection.sendall(reply) if isinstance(reply, bytes) else reply(connection)
        connection.close()


def _request(connection: socket.socket) -> bytes:
    whole = b""
    while b"\r\n\r\n" not in whole:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("it only looked whether somebody listens")
        whole += part
    head, _, body = whole.partition(b"\r\n\r\n")
    sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    size = int(sizes[0].split(b":")[1]) if sizes else 0
    while len(body) < size:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
