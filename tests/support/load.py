"""Calls without a pause, and streams that stay open, while something changes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

import grpc
from servers import Client

LOOPS, STREAMS = 16, 8


class Load:
    """Runs from entering to leaving.

    `sent`: the versions that the loops ask for in turn, and the streams if they have none of their own; an empty one
    asks for none.
    """

    def __init__(self, client: Client, sent: tuple[str, ...], streams: tuple[str, ...] | None = None) -> None:
        self._client, self._sent, self._streams = client, sent, streams or sent
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[Any] = []
        self.answers: Counter[tuple[str, str]] = Counter()
        self.cut = 0

    def __enter__(self) -> Load:
        for number in range(STREAMS):
            wanted = self._streams[number % len(self._streams)]
            stream = self._client.watch(*([wanted] if wanted else []))
            next(stream)
            self._open.append(stream)
            self._start(self._read, stream)
        for number in range(LOOPS):
            self._start(self._call, self._sent[number % len(self._sent)])
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for stream in self._open:
            stream.cancel()
        for thread in self._threads:
            thread.join(10)

    @property
    def calls(self) -> int:
        return sum(self.answers.values())

    @property
    def failed(self) -> int:
        """Calls that nobody answered, or another version than was named."""
        return sum(
            number for (sent, who), number in self.answers.items() if not who.startswith("v") or (sent and sent != who)
        )

    def during(self, seconds: float) -> None:
        time.sleep(seconds)

    def _start(self, target: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _call(self, sent: str) -> None:
        found: Counter[tuple[str, str]] = Counter()
        while not self._over.is_set():
            answer = self._client.call(*([sent] if sent else []))
            found[sent, answer.version or answer.status] += 1
        self.answers.update(found)

    def _read(self, stream: Any) -> None:
        try:
            for _ in stream:
                pass
        except grpc.RpcError:
            pass
        if not self._over.is_set():
            self.cut += 1
