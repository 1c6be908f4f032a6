"""A program of the repository's owners: exit status 0 is healthy, 1 unhealthy, anything else can't tell.

Only the configuration of the base branch is ever run: what a pull request names is never started. The program gets the
environment of the tool without its tokens, and `RELEASE_ENVIRONMENT`, `RELEASE_SERVICE`, `RELEASE_NAMESPACE`,
`RELEASE_NAME`, `RELEASE_VERSION` and `RELEASE_TAG`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING

from release_tool.health.sampling import BAD, CANNOT_TELL, GOOD, Attempt, PointSource
from release_tool.health.source import filled
from release_tool.model.versions import tag_part
from release_tool.net.child_environment import for_checks
from release_tool.safe_text import phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.config import Health
    from release_tool.config.health import CommandCheck
    from release_tool.health.sampling import Clock
    from release_tool.health.source import Subject

_KEPT = 64 * 1024
_PAUSE = 1.0
"""Seconds that are left to a killed program to be gone, and to its output to be read."""


class CommandSource(PointSource):
    """One check by a program; `environ` are the environment variables of the tool."""

    _check: CommandCheck

    def __init__(
        self, name: str, check: CommandCheck, health: Health, environ: Mapping[str, str], clock: Clock | None = None
    ) -> None:
        super().__init__(name, check, health, clock)
        self._environ = for_checks(environ)
        self._lock = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def close(self) -> None:
        """End what still runs: the pass is over, or a person has ended it."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for program in running:
            _end(program)

    def _attempt(self, subject: Subject, end: float) -> Attempt:
        argv = [filled(word, subject) for word in self._check.argv]
        try:
            program = self._start(argv, {**self._environ, **_said(subject)})
        except (OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or str(error)
            return Attempt(CANNOT_TELL, f"{argv[0]} can't be started: {phrase(words)}")
        output = _Output(program.stdout)
        try:
            status = program.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            return Attempt(CANNOT_TELL, f"{argv[0]} did not end in time")
        finally:
            _end(program)
            with self._lock:
                self._running.discard(program)
        return _meant(argv[0], status, output.first_line())

    def _start(self, argv: list[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise ValueError("the pass is over")
            program = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(environ),
                start_new_session=True,
            )
            self._running.add(program)
            return program


class _Output:
    """What a program writes: the begin of it is kept, and all of it is read, so that nothing stops the program."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None  # it is asked for
        self._begin = bytearray()
        self._reader = Thread(target=self._read, args=(pipe,), daemon=True)
        self._reader.start()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            while chunk := os.read(pipe.fileno(), _KEPT):
                self._begin += chunk[: _KEPT - len(self._begin)]

    def first_line(self) -> str:
        """On one line. What has left the session of the program may hold the pipe open: it isn't waited for."""
        self._reader.join(_PAUSE)
        return phrase(bytes(self._begin).decode("utf-8", "replace").strip().partition("\n")[0])


def _said(subject: Subject) -> dict[str, str]:
    return {
        "RELEASE_ENVIRONMENT": subject.environment,
        "RELEASE_SERVICE": subject.service,
        "RELEASE_NAMESPACE": subject.namespace,
        "RELEASE_NAME": subject.release,
        "RELEASE_VERSION": subject.name,
        "RELEASE_TAG": tag_part(subject.tag),
    }


def _meant(program: str, status: int, words: str) -> Attempt:
    """What an exit status means; negative: the signal that ended the program."""
    if status == 0:
        return Attempt(GOOD, words or "exit status 0")
    if status == 1:
        return Attempt(BAD, words or "exit status 1")
    ended = f"signal {-status}" if status < 0 else f"exit status {status}"
    return Attempt(CANNOT_TELL, f"{program} ended with {ended}{f': {words}' if words else ''}")


def _end(program: subprocess.Popen[bytes]) -> None:
    """End whatever of it still runs, its children too: all are of one session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        program.wait(_PAUSE)
