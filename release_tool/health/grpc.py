"""A gRPC call through the gateway that names the version, and verifies who answered.

Bad is what the service, or the gateway for want of a service, answers: not serving, UNAVAILABLE, an error of the called
method; and silence, once the connection stands. What comes from before that tells nothing: no connection, one that
breaks, no trust in the certificate, no permission, no such health service.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import Condition
from typing import TYPE_CHECKING, Any

# Its core would write each failed handshake to standard error, beside the verdict that says so. Read when it is loaded.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
from grpc_health.v1 import health_pb2

from release_tool.health.http import NOBODY, named, verified
from release_tool.health.sampling import BAD, CANNOT_TELL, Attempt, PointSource
from release_tool.health.source import filled
from release_tool.safe_text import phrase

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from release_tool.config.health import GrpcCheck
    from release_tool.health.source import Subject

_HEALTH = "/grpc.health.v1.Health/Check"
_NO_VERDICT = frozenset({"UNIMPLEMENTED", "UNAUTHENTICATED", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "CANCELLED"})
_TOLD_LATE = 0.5  # seconds within which a channel tells of a connection that broke


class GrpcSource(PointSource):
    """One check by gRPC."""

    _check: GrpcCheck

    def _attempt(self, subject: Subject, end: float) -> Attempt:
        try:
            channel = self._channel(subject)
        except OSError as error:  # the file with the authorities
            return Attempt(CANNOT_TELL, f"{self._check.ca} can't be read: {error.strerror}")
        with _Watched(channel) as watched:
            settled = watched.until(frozenset({"READY", "TRANSIENT_FAILURE"}), end)
            address = filled(self._check.address, subject)
            if settled == "READY":
                return self._call(channel, watched, subject, end)
            if settled == "TRANSIENT_FAILURE":
                return Attempt(CANNOT_TELL, f"{address} can't be reached: {self._why(channel, end)}")
            return Attempt(CANNOT_TELL, f"{address} can't be reached in time")

    def _channel(self, subject: Subject) -> Any:
        address = filled(self._check.address, subject)
        authority = filled(self._check.authority, subject)
        options: list[tuple[str, Any]] = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
        if _is_here(address):  # a proxy's own loopback is another one
            options.append(("grpc.enable_http_proxy", 0))
        if not self._check.tls:
            options += [("grpc.default_authority", authority)] if authority else []
            return grpc.insecure_channel(address, options=options)
        options += [("grpc.ssl_target_name_override", authority)] if authority else []
        roots = Path(self._check.ca).read_bytes() if self._check.ca else None
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(roots), options=options)

    def _why(self, channel: Any, end: float) -> str:
        """Why there is no connection: a call says it, at once."""
        try:
            channel.unary_unary(_HEALTH)(b"", timeout=max(0.001, end - time.monotonic()))
        except grpc.RpcError as error:
            return phrase(error.details() or error.code().name)
        return "the connection came and went"

    def _call(self, channel: Any, watched: _Watched, subject: Subject, end: float) -> Attempt:
        content = b""
        if not self._check.method:
            content = health_pb2.HealthCheckRequest(service=self._check.service).SerializeToString()
        call = channel.unary_unary(self._check.method or _HEALTH)
        metadata = [(self._check.header, named(subject, self._check.sends))]
        try:
            answer, done = call.with_call(content, metadata=metadata, timeout=max(0.001, end - time.monotonic()))
        except grpc.RpcError as error:
            return self._refused(error, watched, subject)
        who = verified(subject, self._check.answered_by, _texts(done))
        if who.result == BAD or self._check.method:
            return who
        status = health_pb2.HealthCheckResponse.FromString(answer).status
        if status != health_pb2.HealthCheckResponse.SERVING:
            word = health_pb2.HealthCheckResponse.ServingStatus.Name(status)
            return Attempt(BAD, f"its health service says {word}")
        return who

    def _refused(self, error: Any, watched: _Watched, subject: Subject) -> Attempt:
        code, details, said = error.code().name, phrase(error.details() or ""), _texts(error)
        words = f"{code}: {details}" if details else code
        if said.get(self._check.answered_by) and self._check.answered_by != NOBODY:
            who = verified(subject, self._check.answered_by, said)
            if who.result == BAD:
                return Attempt(BAD, f"{who.reason} ({words})")
        elif code not in {"DEADLINE_EXCEEDED", *_NO_VERDICT} and watched.broke():
            return Attempt(CANNOT_TELL, f"the connection broke: {words}")
        if code in _NO_VERDICT or (code == "NOT_FOUND" and not self._check.method):
            missing = code == "UNIMPLEMENTED" and not self._check.method
            return Attempt(CANNOT_TELL, f"{words}: it has no grpc.health.v1; name a `method`" if missing else words)
        return Attempt(BAD, words, silent=code == "DEADLINE_EXCEEDED")


class _Watched:
    """The state of a channel's connection, as it was last told; from the beginning on it tries to connect.

    The channel is not closed at the end: grpcio watches it in a thread, which would find it closed, and print so on
    standard error. Once nobody watches, that thread ends within 0.2 s, and the connection goes with the last reference.
    """

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._changed = Condition()
        self._state = "IDLE"

    def __enter__(self) -> _Watched:
        self._channel.subscribe(self._told, try_to_connect=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.unsubscribe(self._told)

    def _told(self, state: Any) -> None:
        with self._changed:
            self._state = state.name
            self._changed.notify_all()

    def until(self, wanted: frozenset[str], end: float) -> str:
        """The state once it is one of these; else the one at the end, by `time.monotonic`."""
        with self._changed:
            self._changed.wait_for(lambda: self._state in wanted, max(0.0, end - time.monotonic()))
            return self._state

    def broke(self) -> bool:
        """Whether the connection that stood is gone. It may be told a little later than the call that it took."""
        gone = frozenset({"IDLE", "CONNECTING", "TRANSIENT_FAILURE", "SHUTDOWN"})
        return self.until(gone, time.monotonic() + _TOLD_LATE) in gone


def _texts(answer: Any) -> Mapping[str, str]:
    """The metadata of an answer. A call that the proxy fails itself has trailers only."""
    said: Iterable[Any] = [*(answer.trailing_metadata() or ()), *(answer.initial_metadata() or ())]
    return {key: value for key, value in said if isinstance(value, str)}


def _is_here(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    return host in {"localhost", "::1"} or host.startswith("127.")
