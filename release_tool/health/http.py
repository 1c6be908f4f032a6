"""A request over HTTP that names the version, and verifies who answered.

Good is the status that is wanted. Another one is bad, but for those that a door before the service gives (a redirect,
401, 403, 407, 429): they say nothing about the version, and neither does a connection that never came about, or that
breaks. Silence is bad where the address takes connections: a service that hangs. Behind a proxy that can't be told.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from release_tool.errors import ReleaseError
from release_tool.health.sampling import BAD, CANNOT_TELL, GOOD, Attempt, PointSource
from release_tool.health.source import filled
from release_tool.model.versions import tag_part
from release_tool.net.deadline import TimeIsUp, in_time
from release_tool.net.transport import Late, Transport
from release_tool.safe_text import phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.config.health import HttpCheck
    from release_tool.health.source import Subject
    from release_tool.net.transport import Answer

NOBODY = "none"
"""Stands in the configuration for a header that isn't sent, or isn't looked at."""

_DOOR = frozenset({401, 403, 407, 429})
_MOST = 1024 * 1024
_CONNECT = 1.0


class HttpSource(PointSource):
    """One check over HTTP."""

    _check: HttpCheck

    def _attempt(self, subject: Subject, end: float) -> Attempt:
        parts = urlsplit(filled(self._check.url, subject))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = {} if self._check.header == NOBODY else {self._check.header: named(subject, self._check.sends)}
        transport = Transport(
            "the service",
            f"{parts.scheme}://{parts.netloc}",
            timeout=max(0.001, end - time.monotonic()),
            headers=sent,
            most=_MOST,
        )
        try:
            answer = transport.ask("GET", path)
        except ReleaseError as error:
            words = phrase(f"{error.what} ({error.cause})" if error.cause else error.what)
            silent = isinstance(error, Late) and _takes_connections(parts)
            return Attempt(BAD, words, silent=True) if silent else Attempt(CANNOT_TELL, words)
        finally:
            transport.close()
        return self._said(subject, answer)

    def _said(self, subject: Subject, answer: Answer) -> Attempt:
        who = verified(subject, self._check.answered_by, answer.headers)
        if answer.status == self._check.status or who.result == BAD:
            return who
        if 300 <= answer.status <= 399 or answer.status in _DOOR:
            return Attempt(CANNOT_TELL, f"it answers with status {answer.status}: a door before the service")
        return Attempt(BAD, f"it answers with status {answer.status}, not {self._check.status}")


def _takes_connections(address: SplitResult) -> bool:
    """Whether somebody listens there. It is asked after a time-out, whose cause may be the way to the service."""
    host, port = address.hostname or "", address.port or (443 if address.scheme == "https" else 80)
    if address.scheme in getproxies() and not proxy_bypass(host):
        return False
    try:
        in_time(lambda: socket.create_connection((host, port), _CONNECT).close(), time.monotonic() + _CONNECT)
    except (OSError, TimeIsUp):
        return False
    return True


def named(subject: Subject, sends: str) -> str:
    return subject.name if sends == "name" else tag_part(subject.tag)


def verified(subject: Subject, header: str, headers: Mapping[str, str]) -> Attempt:
    """A good answer, once it is known who gave it: `header` names the version that answered."""
    # The default pool hides a version that nobody serves.
    if header == NOBODY:
        return Attempt(GOOD, "it answers")
    who = headers.get(header)
    if not who:
        return Attempt(
            CANNOT_TELL, f"the answer has no {header}: nobody knows who gave it (`answered_by: none` asks no more)"
        )
    if who in {subject.name, tag_part(subject.tag)}:
        return Attempt(GOOD, "it answers")
    return Attempt(BAD, f"{phrase(who)[:80]} answered in its place: nobody serves it")
