"""What is said of a version by a request that names it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from certificates import certificate
from hostile import Hostile, answer
from points import AT_ONCE, NOW, health, soon, subject

from release_tool.config.health import HttpCheck
from release_tool.health.http import HttpSource
from release_tool.model.health import Verdict
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN

BY_V5, BY_V4 = "GrpcSvc: v5", "grpcsvc: v4"


def ask(url: str, check: HttpCheck | None = None, *, left: float = 60, **settings: Any) -> Verdict:
    source = HttpSource("page", check or HttpCheck(url), health(**settings), AT_ONCE)
    try:
        return source.judge(subject(), NOW, soon(left))
    finally:
        source.close()


@pytest.mark.parametrize(
    ("answered", "said", "reason"),
    [
        (answer(200, b"", BY_V5), HEALTHY, "it answers"),
        (answer(200, b"", "grpcsvc: 1.0.5"), HEALTHY, "it answers"),
        (answer(200, b"", BY_V4), UNHEALTHY, "3 of 3 attempts failed: v4 answered in its place: nobody serves it"),
        (answer(503, b"", BY_V4), UNHEALTHY, "3 of 3 attempts failed: v4 answered in its place: nobody serves it"),
        (answer(200), UNKNOWN, "the answer has no grpcsvc: nobody knows who gave it (`answered_by: none` asks no more)"),
        (answer(503, b"", BY_V5), UNHEALTHY, "3 of 3 attempts failed: it answers with status 503, not 200"),
        (answer(503), UNHEALTHY, "3 of 3 attempts failed: it answers with status 503, not 200"),
        (answer(404, b"", BY_V5), UNHEALTHY, "3 of 3 attempts failed: it answers with status 404, not 200"),
        (answer(204, b"", BY_V5), UNHEALTHY, "3 of 3 attempts failed: it answers with status 204, not 200"),
        *(
            (answer(status), UNKNOWN, f"it answers with status {status}: a door before the service")
            for status in (302, 401, 403, 407, 429)
        ),
    ],
)  # fmt: skip
def test_status_and_who_answered_make_the_verdict(hostile: Hostile, answered: bytes, said: str, reason: str) -> None:
    hostile.answers = [answered]
    found = ask(hostile.url)
    assert (found.health, found.reason) == (said, reason)
    assert len(hostile.requests) == (3 if said == UNHEALTHY else 1)


@pytest.mark.parametrize("status", [302, 401])
def test_any_status_may_be_the_wanted_one(hostile: Hostile, status: int) -> None:
    hostile.answers = [answer(status, b"", BY_V5, "Location: /login")]
    assert ask("", HttpCheck(hostile.url, status=status)).health == HEALTHY
    assert len(hostile.requests) == 1  # and nothing is followed


def test_the_version_is_named_as_configured(hostile: Hostile) -> None:
    hostile.answers = [answer(200, b"", "x-by: 1.0.5")]
    check = HttpCheck(hostile.url + "/{namespace}/{version}?tag={tag}", header="x-to", answered_by="x-by", sends="tag")
    assert ask("", check).health == HEALTHY
    head = hostile.requests[0].decode().lower()
    assert head.startswith("get /shop/v5?tag=1.0.5 http/1.1\r\n")
    assert "x-to: 1.0.5\r\n" in head
    assert "authorization" not in head


def test_without_headers_the_url_alone_names_the_version(hostile: Hostile) -> None:
    hostile.answers = [answer(200)]
    assert ask("", HttpCheck(hostile.url, header="none", answered_by="none")).health == HEALTHY
    assert b"grpcsvc" not in hostile.requests[0].lower()


def test_silence_of_an_address_that_takes_connections_is_bad(hostile: Hostile) -> None:
    hostile.answers = [hostile.hang]
    found = ask(hostile.url, timeout=0.2, failures=2)
    reason = "2 of 2 attempts failed: the service did not answer within 0.2 s"
    assert (found.health, found.reason) == (UNHEALTHY, reason)


def test_an_answer_that_never_ends_is_silence_too(hostile: Hostile) -> None:
    hostile.answers = [hostile.drip(b"HTTP/1.1 200 OK\r\ngrpcsvc: v5\r\nContent-Length: 9999\r\n\r\n")]
    assert ask(hostile.url, timeout=0.2, failures=1).health == UNHEALTHY


def test_silence_while_the_pass_runs_out_of_time_is_unknown(hostile: Hostile) -> None:
    hostile.answers = [hostile.hang]
    found = ask(hostile.url, left=0.2, failures=1)
    assert found.health == UNKNOWN
    assert found.reason.startswith("the time of this pass was over: the service did not answer within ")


def test_behind_a_proxy_silence_can_not_be_told(hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile.answers = [hostile.hang]
    monkeypatch.setenv("http_proxy", hostile.url)
    monkeypatch.setenv("no_proxy", "")
    with Hostile() as service:
        found = ask(service.url, timeout=0.2)
    assert (found.health, found.reason) == (UNKNOWN, "the service did not answer within 0.2 s")
    assert len(hostile.requests) == 1


def test_a_connection_that_is_never_taken_can_not_be_told() -> None:
    """A full backlog: the kernel answers no further handshake, as a firewall that drops packets."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
            with waiting:
                found = ask(f"http://127.0.0.1:{full.getsockname()[1]}/", timeout=0.2)
    assert (found.health, found.reason) == (UNKNOWN, "the service did not answer within 0.2 s")


def test_nobody_listens() -> None:
    with Hostile() as server:
        url = server.url
    found = ask(url)
    assert found.health == UNKNOWN
    assert found.reason == "the service can't be reached, or broke off its answer (Connection refused)"


def test_a_broken_answer_can_not_be_told(hostile: Hostile) -> None:
    hostile.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\ngrpcsvc: v5\r\n\r\nhalf"]
    found = ask(hostile.url)
    assert found.health == UNKNOWN
    assert found.reason.startswith("the service can't be reached, or broke off its answer (")


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = certificate(tmp_path, "127.0.0.1")
    with Hostile(made.context()) as server:
        server.answers = [answer(200, b"", BY_V5)]
        found = ask(server.url)
        assert found.health == UNKNOWN
        assert found.reason == "the certificate of the service can't be verified (self-signed certificate)"
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.path))
        assert ask(server.url).health == HEALTHY
