"""What is said of a version by a gRPC call that names it. The servers are real, or break what real ones keep."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from certificates import certificate
from grpc_health.v1 import health as health_service
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hostile import Hostile, answer
from points import AT_ONCE, NOW, health, soon, subject

from release_tool.config.health import GrpcCheck
from release_tool.health.grpc import GrpcSource
from release_tool.model.health import Verdict
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN

BY_V4, BY_V5 = (("grpcsvc", "v4"),), (("grpcsvc", "v5"),)
STATES = health_pb2.HealthCheckResponse


class Server:
    """One with grpc.health.v1 and the method `/engine.Engine/Ping`; it tells who it is as a gateway would.

    Attributes:
        says: the metadata of every answer.
        code: what calls of the method come to.
        seen: the metadata that callers sent.
    """

    def __init__(self, credentials: grpc.ServerCredentials | None = None, *, with_health: bool = True) -> None:
        self.says: tuple[tuple[str, str], ...] = BY_V5
        self.code = grpc.StatusCode.OK
        self.seen: list[dict[str, Any]] = []
        self.over = threading.Event()
        self.health = health_service.HealthServicer()
        self._pool = ThreadPoolExecutor(max_workers=8)
        self._server = grpc.server(self._pool, interceptors=[_Tells(self)], options=[("grpc.so_reuseport", 0)])
        if with_health:
            health_pb2_grpc.add_HealthServicer_to_server(self.health, self._server)
        ping = {"Ping": grpc.unary_unary_rpc_method_handler(self._ping)}
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("engine.Engine", ping)])
        serve = self._server
        place = "127.0.0.1:0"
        port = serve.add_secure_port(place, credentials) if credentials else serve.add_insecure_port(place)
        self.address = f"127.0.0.1:{port}"

    def __enter__(self) -> Server:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.stop(0).wait(10)
        self._pool.shutdown()

    def is_in(self, state: Any, service: str = "") -> None:
        self.health.set(service, state)

    def _ping(self, _: bytes, context: grpc.ServicerContext) -> bytes:
        if self.code == grpc.StatusCode.DEADLINE_EXCEEDED:
            self.over.wait(20)
        if self.code != grpc.StatusCode.OK:
            context.set_trailing_metadata(self.says)
            context.abort(self.code, "it\nis so")
        return b""


class _Tells(grpc.ServerInterceptor):
    """Adds what the server says to each good answer."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def intercept_service(self, continuation: Callable[..., Any], details: grpc.HandlerCallDetails) -> Any:
        self._server.seen.append(dict(details.invocation_metadata))
        handler = continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler

        def told(request: Any, context: grpc.ServicerContext) -> Any:
            if self._server.code == grpc.StatusCode.OK:
                context.send_initial_metadata(self._server.says)
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(told, handler.request_deserializer, handler.response_serializer)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        yield found


def plain(address: str, **more: Any) -> GrpcCheck:
    return GrpcCheck(address, tls=False, **more)


def ask(check: GrpcCheck, *, left: float = 60, **settings: Any) -> Verdict:
    source = GrpcSource("answers", check, health(**settings), AT_ONCE)
    try:
        return source.judge(subject(), NOW, soon(left))
    finally:
        source.close()


# -- the health service -----------------------------------------------------------------------------------------------
def test_a_server_that_serves_is_healthy_and_was_asked_for_the_version(server: Server) -> None:
    server.is_in(STATES.SERVING)
    found = ask(plain(server.address))
    assert found == Verdict("answers", HEALTHY, "it answers", samples=1, at=NOW)
    assert [seen["grpcsvc"] for seen in server.seen] == ["v5"]


def test_the_tag_may_name_the_version_and_who_answered(server: Server) -> None:
    server.is_in(STATES.SERVING, "engine.Engine")
    server.says = (("x-by", "1.0.5"),)
    check = plain(server.address, service="engine.Engine", header="x-to", answered_by="x-by", sends="tag")
    assert ask(check).health == HEALTHY
    assert server.seen[0]["x-to"] == "1.0.5"


@pytest.mark.parametrize(
    ("state", "says", "said", "reason"),
    [
        (STATES.NOT_SERVING, BY_V5, UNHEALTHY, "3 of 3 attempts failed: its health service says NOT_SERVING"),
        (STATES.NOT_SERVING, (), UNHEALTHY, "3 of 3 attempts failed: its health service says NOT_SERVING"),
        (STATES.SERVING, BY_V4, UNHEALTHY, "3 of 3 attempts failed: v4 answered in its place: nobody serves it"),
        (STATES.NOT_SERVING, BY_V4, UNHEALTHY, "3 of 3 attempts failed: v4 answered in its place: nobody serves it"),
        (STATES.SERVING, (), UNKNOWN, "the answer has no grpcsvc: nobody knows who gave it (`answered_by: none` asks no more)"),
    ],
)  # fmt: skip
def test_what_is_served_and_by_whom(server: Server, state: Any, says: Any, said: str, reason: str) -> None:
    server.is_in(state)
    server.says = says
    found = ask(plain(server.address))
    assert (found.health, found.reason) == (said, reason)


def test_where_nobody_says_who_answers_it_is_not_looked_at(server: Server) -> None:
    server.is_in(STATES.SERVING)
    server.says = BY_V4
    assert ask(plain(server.address, answered_by="none")).health == HEALTHY


def test_a_service_that_is_not_known_can_not_be_told(server: Server) -> None:
    found = ask(plain(server.address, service="engine.Other"))
    assert (found.health, found.samples) == (UNKNOWN, 1)
    assert found.reason.startswith("NOT_FOUND")


def test_a_server_without_a_health_service_says_what_to_do() -> None:
    with Server(with_health=False) as server:
        found = ask(plain(server.address))
        assert found.health == UNKNOWN
        assert found.reason == "UNIMPLEMENTED: Method not found!: it has no grpc.health.v1; name a `method`"
        assert ask(plain(server.address, method="/engine.Engine/Ping")).health == HEALTHY


# -- a method of one's own --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("says", [BY_V5, ()])
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("UNAVAILABLE", UNHEALTHY), ("INTERNAL", UNHEALTHY), ("UNKNOWN", UNHEALTHY), ("NOT_FOUND", UNHEALTHY),
        ("DATA_LOSS", UNHEALTHY), ("UNIMPLEMENTED", UNKNOWN), ("UNAUTHENTICATED", UNKNOWN),
        ("PERMISSION_DENIED", UNKNOWN), ("RESOURCE_EXHAUSTED", UNKNOWN), ("CANCELLED", UNKNOWN),
    ],
)  # fmt: skip
def test_an_error_is_bad_unless_a_door_before_the_service_gives_it(
    server: Server, code: str, said: str, says: Any
) -> None:
    server.code, server.says = grpc.StatusCode[code], says
    found = ask(plain(server.address, method="/engine.Engine/Ping"), failures=1)
    wanted = f"{code}: it is so"
    assert (found.health, found.reason) == (said, wanted if said == UNKNOWN else f"1 of 1 attempts failed: {wanted}")


@pytest.mark.parametrize("code", ["UNAVAILABLE", "PERMISSION_DENIED"])
def test_an_error_of_another_version_says_that_nobody_serves_this_one(server: Server, code: str) -> None:
    server.code, server.says = grpc.StatusCode[code], BY_V4
    found = ask(plain(server.address, method="/engine.Engine/Ping"), failures=1)
    reason = f"1 of 1 attempts failed: v4 answered in its place: nobody serves it ({code}: it is so)"
    assert (found.health, found.reason) == (UNHEALTHY, reason)


# -- no answer --------------------------------------------------------------------------------------------------------
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""An empty frame of settings (RFC 9113, section 6.5): with it a connection stands."""


def after_settings(then: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """Lets a connection stand, and once the client has called does what it is told."""

    def serving(connection: socket.socket) -> None:
        connection.settimeout(10)
        connection.sendall(SETTINGS)
        sent = b""
        while b"grpcsvc" not in sent:  # sent as a literal: no table of HPACK holds it
            part = connection.recv(65536)
            if not part:
                return
            sent += part
        then(connection)

    return serving


def place(server: Hostile) -> str:
    return server.url.removeprefix("http://")


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def late(found: Verdict) -> str:
    """How gRPC says that the time is over; its words are not the same in all its versions."""
    return found.reason[found.reason.index("DEADLINE_EXCEEDED: ") :]


def test_a_server_that_hangs_is_bad(server: Server) -> None:
    server.code = grpc.StatusCode.DEADLINE_EXCEEDED
    found = ask(plain(server.address, method="/engine.Engine/Ping"), timeout=0.5, failures=2)
    assert (found.health, found.reason) == (UNHEALTHY, f"2 of 2 attempts failed: {late(found)}")


def test_a_server_that_hangs_while_the_pass_runs_out_of_time_is_unknown(server: Server) -> None:
    server.code = grpc.StatusCode.DEADLINE_EXCEEDED
    found = ask(plain(server.address, method="/engine.Engine/Ping"), left=0.5, failures=1)
    assert (found.health, found.reason) == (UNKNOWN, f"the time of this pass was over: {late(found)}")


def test_a_connection_that_breaks_can_not_be_told(hostile: Hostile) -> None:
    hostile.answers = [after_settings(reset)]
    found = ask(plain(place(hostile)))
    assert (found.health, found.samples, len(hostile.requests)) == (UNKNOWN, 1, 1)
    assert found.reason.startswith("the connection broke: UNAVAILABLE: ")


def test_nobody_listens() -> None:
    with Server() as server:
        address = server.address
    found = ask(plain(address))
    assert (found.health, found.samples) == (UNKNOWN, 1)
    assert found.reason.startswith(f"{address} can't be reached: ")
    assert "Connection refused" in found.reason


def test_what_takes_connections_and_is_no_grpc_can_not_be_told(hostile: Hostile) -> None:
    hostile.answers = [hostile.hang]
    silent = ask(plain(place(hostile)), timeout=0.5)
    assert (silent.health, silent.reason) == (UNKNOWN, f"{place(hostile)} can't be reached in time")
    hostile.answers = [answer(400)]
    assert ask(plain(place(hostile)), timeout=0.5).health == UNKNOWN


def test_a_name_that_nobody_knows() -> None:
    found = ask(plain("engine.invalid:443"), timeout=2)
    assert found.health == UNKNOWN
    assert found.reason.startswith("engine.invalid:443 can't be reached")


# -- TLS, and the way there -------------------------------------------------------------------------------------------
def test_the_certificate_must_be_trusted_and_name_the_host(tmp_path: Path) -> None:
    made = certificate(tmp_path, "engine.test")
    with Server(grpc.ssl_server_credentials([(made.key.read_bytes(), made.path.read_bytes())])) as server:
        server.is_in(STATES.SERVING)
        trusted = GrpcCheck(server.address, ca=str(made.path), authority="engine.test")
        assert ask(trusted).health == HEALTHY
        for wrong, why in (
            (trusted._replace(ca=""), "certificate_verify_failed"),
            (trusted._replace(authority=""), "hostname verification|peer name"),
        ):
            found = ask(wrong)
            assert found.health == UNKNOWN
            assert found.reason.startswith(f"{server.address} can't be reached: ")
            assert re.search(why, found.reason.lower()), found.reason
        assert len(server.seen) == 1  # nothing is called before there is trust
        missing = ask(trusted._replace(ca=str(tmp_path / "none.pem")))
        assert missing.reason == f"{tmp_path}/none.pem can't be read: No such file or directory"


def test_a_server_without_tls_can_not_be_told_where_tls_is_spoken(server: Server) -> None:
    found = ask(GrpcCheck(server.address))
    assert (found.health, server.seen) == (UNKNOWN, [])


def test_no_proxy_is_asked_for_the_machine_itself(
    server: Server, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.is_in(STATES.SERVING)
    hostile.answers = [reset]
    for name in ("grpc_proxy", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, hostile.url)
    assert ask(plain(server.address)).health == HEALTHY
    assert hostile.requests == []


def test_every_attempt_lets_go_of_its_connection(hostile: Hostile) -> None:
    closed = threading.Semaphore(0)

    def until_closed(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass
        closed.release()

    hostile.answers = [after_settings(until_closed)]
    assert ask(plain(place(hostile)), timeout=0.3, failures=2).health == UNHEALTHY
    assert closed.acquire(timeout=10)
    assert closed.acquire(timeout=10)
