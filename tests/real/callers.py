"""Calls through a gateway for as long as a block runs, at a steady pace, each remembered with its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from servers import Client

PAUSE = 0.02  # seconds between two calls of a caller


class Call(NamedTuple):
    at: float  # when it was answered, by `time.monotonic`
    named: str  # the version that it asked for; empty: none
    by: str  # the version that answered; empty: nobody did
    status: str  # the name of the gRPC status


class Callers:
    """One caller for each entry of `named`, with a connection of its own; "" names no version."""

    def __init__(self, connect: Callable[[], Client], named: Sequence[str]) -> None:
        self._connect, self._named = connect, named
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self.calls: list[Call] = []

    def __enter__(self) -> Callers:
        for named in self._named:
            thread = threading.Thread(target=self._call, args=(named,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(10)

    def _call(self, named: str) -> None:
        with self._connect() as client:
            while not self._over.wait(PAUSE):
                answer = client.call(*([named] if named else []))
                self.calls.append(Call(time.monotonic(), named, answer.version, answer.status))

    # -- what they met --

    def between(self, begin: float, end: float) -> list[Call]:
        return [one for one in list(self.calls) if begin <= one.at < end]

    def first(self, begin: float, named: str, by: str) -> Call | None:
        """The first call since then that named this and was answered by that."""
        return next((one for one in list(self.calls) if one.at >= begin and (one.named, one.by) == (named, by)), None)

    @staticmethod
    def failed(calls: Sequence[Call]) -> list[Call]:
        return [one for one in calls if one.status != "OK"]
