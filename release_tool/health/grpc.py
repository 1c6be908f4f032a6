"""A gRPC call through the gateway that names the version, and verifies who answered.

Bad is what the service, or the gateway for want of a service, answers: not serving, UNAVAILABLE, an error of the called
method. What comes from before that tells nothing: no connection, no trust in the certificate, no permission, no such
health service.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health_pb2

from release_tool.health import filled
from release_tool.health.http import named, verified
from release_tool.health.sampling import BAD, CANNOT_TELL, Attempt, Clock, Sampling
from release_tool.outside import one_line

if TYPE_CHECKING:
    from datetime import datetime

    from release_tool.config import Health
    from release_tool.config.records_health import GrpcCheck
    from release_tool.health import Subject, Verdict

_HEALTH = "/grpc.health.v1.Health/Check"
_NO_VERDICT = frozenset({"UNIMPLEMENTED", "NOT_FOUND", "UNAUTHENTICATED", "PERMISSION_DENIED", "CANCELLED"})


class GrpcSource:
    """One check by gRPC.

    Args:
        name: the name of the check.
        check: the call.
        health: how often it is tried.
        clock: the time.
    """

    def __init__(self, name: str, check: GrpcCheck, health: Health, clock: Clock | None = None) -> None:
        self._check = check
        self._sampling = Sampling(name, health, clock or Clock())

    def judge(self, subject: Subject, now: datetime, end: float) -> Verdict:
        """What the answers say of one version; see `Source`."""
        return self._sampling.verdict(lambda until: self._attempt(subject, until), now, end)

    def close(self) -> None:
        """Nothing to let go of: each attempt has a channel of its own, as a caller's would be."""

    def _attempt(self, subject: Subject, end: float) -> Attempt:
        try:
            channel = self._channel(subject)
        except OSError as error:  # the file with the authorities
            return Attempt(CANNOT_TELL, f"{self._check.ca} can't be read: {error.strerror}")
        with channel:
            try:
                grpc.channel_ready_future(channel).result(timeout=max(0.001, end - time.monotonic()))
            except grpc.FutureTimeoutError:
                return Attempt(
                    CANNOT_TELL, f"{filled(self._check.address, subject)} can't be reached, or isn't trusted"
                )
            return self._call(channel, subject, end)

    def _channel(self, subject: Subject) -> Any:
        address = filled(self._check.address, subject)
        authority = filled(self._check.authority, subject)
        options: list[tuple[str, Any]] = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
        if not self._check.tls:
            options += [("grpc.default_authority", authority)] if authority else []
            return grpc.insecure_channel(address, options=options)
        options += [("grpc.ssl_target_name_override", authority)] if authority else []
        roots = Path(self._check.ca).read_bytes() if self._check.ca else None
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(roots), options=options)

    def _call(self, channel: Any, subject: Subject, end: float) -> Attempt:
        content = b""
        if not self._check.method:
            content = health_pb2.HealthCheckRequest(service=self._check.service).SerializeToString()
        call = channel.unary_unary(self._check.method or _HEALTH)
        metadata = [(self._check.header, named(subject, self._check.sends))]
        try:
            answer, done = call.with_call(content, metadata=metadata, timeout=max(0.001, end - time.monotonic()))
        except grpc.RpcError as error:
            return self._refused(error)
        if not self._check.method:
            status = health_pb2.HealthCheckResponse.FromString(answer).status
            if status != health_pb2.HealthCheckResponse.SERVING:
                word = health_pb2.HealthCheckResponse.ServingStatus.Name(status)
                return Attempt(BAD, f"its health service says {word}")
        said = [*(done.trailing_metadata() or ()), *(done.initial_metadata() or ())]
        headers = {key: value for key, value in said if isinstance(value, str)}
        return verified(subject, self._check.answered_by, headers)

    def _refused(self, error: Any) -> Attempt:
        code, details = error.code().name, one_line(error.details() or "")
        words = f"{code}: {details}" if details else code
        if code in _NO_VERDICT and not (self._check.method and code in {"NOT_FOUND", "CANCELLED"}):
            hint = ": the server has no grpc.health.v1; name a `method`" if code == "UNIMPLEMENTED" else ""
            return Attempt(CANNOT_TELL, f"{words}{hint}")
        return Attempt(BAD, words)
