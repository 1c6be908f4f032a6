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
import tempfile
import time
from typing import TYPE_CHECKING

from release_tool.health import filled
from release_tool.health.sampling import BAD, CANNOT_TELL, GOOD, Attempt, Clock, Sampling
from release_tool.outside import one_line
from release_tool.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from release_tool.config import Health
    from release_tool.config.records_health import CommandCheck
    from release_tool.health import Subject, Verdict

_SECRET = ("TOKEN", "SECRET", "PASSWORD", "PRIVATE_KEY", "WEBHOOK", "CREDENTIAL", "ACTIONS_")
_READ = 64 * 1024


class CommandSource:
    """One check by a program.

    Args:
        name: the name of the check.
        check: the program.
        health: how often it is tried.
        environ: the environment variables of the tool.
        clock: the time.
    """

    def __init__(
        self, name: str, check: CommandCheck, health: Health, environ: Mapping[str, str], clock: Clock | None = None
    ) -> None:
        self._check = check
        self._environ = {
            key: value for key, value in environ.items() if not any(word in key.upper() for word in _SECRET)
        }
        self._sampling = Sampling(name, health, clock or Clock())

    def judge(self, subject: Subject, now: datetime, end: float) -> Verdict:
        """What the program says of one version; see `Source`."""
        argv = [filled(word, subject) for word in self._check.argv]
        environ = {**self._environ, **_said(subject)}
        return self._sampling.verdict(lambda until: _run(argv, environ, until), now, end)

    def close(self) -> None:
        """Nothing to let go of: every program has ended."""


def _said(subject: Subject) -> dict[str, str]:
    return {
        "RELEASE_ENVIRONMENT": subject.environment,
        "RELEASE_SERVICE": subject.service,
        "RELEASE_NAMESPACE": subject.namespace,
        "RELEASE_NAME": subject.release,
        "RELEASE_VERSION": subject.name,
        "RELEASE_TAG": tag_part(subject.tag),
    }


def _run(argv: list[str], environ: Mapping[str, str], end: float) -> Attempt:
    """One run. What it writes goes to a file: a pipe would stop it, or fill memory."""
    with tempfile.TemporaryFile() as output:
        try:
            program = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=dict(environ), start_new_session=True
            )
        except (OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or str(error)
            return Attempt(CANNOT_TELL, f"{argv[0]} can't be started: {one_line(words)}")
        try:
            status = program.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            return Attempt(CANNOT_TELL, f"{argv[0]} did not end in time")
        finally:
            _end(program)
        output.seek(0)
        words = one_line(output.read(_READ).decode("utf-8", "replace").strip().partition("\n")[0])
    if status == 0:
        return Attempt(GOOD, words or "exit status 0")
    if status == 1:
        return Attempt(BAD, words or "exit status 1")
    ended = f"signal {-status}" if status < 0 else f"exit status {status}"
    return Attempt(CANNOT_TELL, f"{argv[0]} ended with {ended}{f': {words}' if words else ''}")


def _end(program: subprocess.Popen[bytes]) -> None:
    """End whatever of it still runs, its children too: all are of one session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()
