"""Requests to servers that behave as badly as they can."""

from __future__ import annotations

import gzip
import logging
import math
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from certificates import certificate
from hostile import Hostile, answer
from hypothesis import example, given
from hypothesis import strategies as st

from release_tool.errors import ReleaseError, TryAgain
from release_tool.net.secret import Secret
from release_tool.net.transport import Answer, Transport, http_date, retry_after
from release_tool.safe_text import bare_url, phrase

TOKEN = "s3cret-t0ken"


def transport(url: str, *, timeout: float = 10, token: str = "", most: int = 1 << 20) -> Transport:
    return Transport("Weather", url, timeout=timeout, token=Secret(token), token_from="WEATHER_TOKEN", most=most)


def ask(server: Hostile, *, path: str = "/sun", repeatable: bool = True, **options: object) -> Answer:
    sender = transport(server.url, **options)  # type: ignore[arg-type]
    try:
        return sender.send("GET", path, repeatable=repeatable, explain=lambda body: body.decode(errors="replace"))
    finally:
        sender.close()


def refusal(server: Hostile, **options: object) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        ask(server, **options)  # type: ignore[arg-type]
    return caught.value


# -- answers
def test_a_good_answer_comes_whole(hostile: Hostile) -> None:
    hostile.answers = [answer(200, b"shining", "X-Sky: blue")]
    found = ask(hostile)
    assert (found.status, found.headers["x-sky"], found.body) == (200, "blue", b"shining")


def test_a_form_is_sent_as_one(hostile: Hostile) -> None:
    hostile.answers = [answer(200)]
    sender = transport(hostile.url)
    sender.send("POST", "/sun", form={"when": "a b&c"})
    sender.close()
    assert hostile.requests[0].startswith(b"POST /sun HTTP/1.1\r\n")
    assert hostile.requests[0].endswith(b"\r\n\r\nwhen=a+b%26c")


def test_cookies_are_not_kept(hostile: Hostile) -> None:
    hostile.answers = [answer(200, b"", "Set-Cookie: session=1; Path=/")]
    sender = transport(hostile.url)
    sender.send("GET", "/sun")
    sender.send("GET", "/sun")
    sender.close()
    assert b"cookie" not in hostile.requests[1].lower()


# -- what a person must fix
@pytest.mark.parametrize(
    ("status", "token", "words"),
    [
        (401, "", "Weather asks for a token, and there is none (status 401)"),
        (401, TOKEN, "Weather does not accept the token (status 401)"),
        (403, TOKEN, "Weather forbids it (status 403)"),
    ],
)
def test_a_missing_right_names_where_the_token_comes_from(
    hostile: Hostile, status: int, token: str, words: str
) -> None:
    hostile.answers = [answer(status)]
    error = refusal(hostile, token=token)
    assert (error.what, error.exit_code) == (words, 1)
    assert error.hint == "put a token that may ask into WEATHER_TOKEN"
    assert error.where == f"{hostile.url}/sun"
    assert len(hostile.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 405, 422])
def test_a_refusal_is_said_in_the_servers_words_and_not_repeated(hostile: Hostile, status: int) -> None:
    hostile.answers = [answer(status, b"no\r\nsun \x1b[2J here")]
    error = refusal(hostile)
    assert error.what.endswith(f"(status {status}): no sun [2J here")
    assert error.exit_code == 1
    assert len(hostile.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(hostile: Hostile, status: int) -> None:
    with Hostile() as elsewhere:
        elsewhere.answers = [answer(200)]
        hostile.answers = [answer(status, b"", f"Location: {elsewhere.url}/login?next=secret")]
        error = refusal(hostile, token=TOKEN)
        assert error.what == f"Weather sends on to {elsewhere.url}/login (status {status})"
        assert elsewhere.requests == []


@pytest.mark.parametrize("location", ["http://[", "//user:pass@host/x", "\xff", ""])
def test_a_redirect_to_nonsense_is_an_error_all_the_same(hostile: Hostile, location: str) -> None:
    hostile.answers = [f"HTTP/1.1 302 x\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")]
    error = refusal(hostile)
    assert error.what.startswith("Weather sends on to ")
    assert "pass" not in error.what


def test_an_answer_without_an_end_is_cut_off(hostile: Hostile) -> None:
    def flood(connection: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")  # type: ignore[attr-defined]
        while not hostile.ended.is_set():
            connection.sendall(b"x" * 65536)  # type: ignore[attr-defined]

    hostile.answers = [flood]
    assert refusal(hostile).what == "Weather answers with more than 1048576 bytes"


def test_a_small_answer_that_unpacks_to_a_huge_one_is_cut_off(hostile: Hostile) -> None:
    hostile.answers = [answer(200, gzip.compress(b"x" * (8 << 20)), "Content-Encoding: gzip")]
    assert refusal(hostile).what == "Weather answers with more than 1048576 bytes"


# -- what may go better next time
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(hostile: Hostile, status: int) -> None:
    hostile.answers = [answer(status), answer(200, b"now")]
    assert ask(hostile).body == b"now"


def test_a_server_that_stays_busy_is_asked_three_times(hostile: Hostile) -> None:
    hostile.answers = [answer(503, b"too many people")]
    error = refusal(hostile)
    assert isinstance(error, TryAgain)
    assert error.what == "Weather is busy or down (status 503): too many people"
    assert len(hostile.requests) == 3


def test_what_changes_something_is_never_sent_twice(hostile: Hostile) -> None:
    hostile.answers = [answer(503)]
    assert isinstance(refusal(hostile, repeatable=False), TryAgain)
    assert len(hostile.requests) == 1


def test_a_time_that_the_server_names_is_waited_for(hostile: Hostile) -> None:
    hostile.answers = [answer(429, b"", "Retry-After: 1"), answer(200, b"now")]
    began = time.monotonic()
    assert ask(hostile).body == b"now"
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    "after",
    ["3600", format_datetime(datetime.now(timezone.utc) + timedelta(hours=1), usegmt=True), "999999999"],
    ids=["an hour", "a date", "for ever"],  # every process of a test run must name them alike
)
def test_a_time_beyond_the_limit_is_not_waited_for(hostile: Hostile, after: str) -> None:
    hostile.answers = [answer(429, b"", f"Retry-After: {after}")]
    assert isinstance(refusal(hostile), TryAgain)
    assert len(hostile.requests) == 1


@pytest.mark.parametrize("after", ["soon", "", "-1", "1e9", "Mon, 99 Foo", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_time_that_nobody_understands_is_none(hostile: Hostile, after: str) -> None:
    hostile.answers = [answer(429, b"", f"Retry-After: {after}"), answer(200, b"now")]
    assert ask(hostile).body == b"now"


DATES = st.builds(
    "{}, {} {} {} {} {}".format,
    st.sampled_from(["Mon", "Sun", ""]),
    st.integers(-1, 32),
    st.sampled_from(["Jan", "Feb", "Foo"]),
    st.integers(-1, 10**20),
    st.sampled_from(["00:00:00", "23:59:60", "99:0:0", "-1:0", "::"]),
    st.sampled_from(["GMT", "-0000", "+2359", "-2359", "+99999999999", "EST", ""]),
)


@given(st.text() | st.integers(-9, 10**400).map(str) | DATES)
@example("Mon, 01 Jan 99999999999999999999 00:00:00 GMT")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
@example("9" * 5000)
def test_a_time_to_wait_is_a_number_or_nothing(value: str) -> None:
    found = retry_after({"Retry-After": value})
    assert found is None or 0 <= found < math.inf
    http_date(value)


def test_a_lost_connection_is_tried_again(hostile: Hostile) -> None:
    hostile.answers = [b"", answer(200, b"now")]
    assert ask(hostile).body == b"now"


@pytest.mark.parametrize("half", [
    b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", b"\x00\xff garbage\r\n\r\n",
])  # fmt: skip
def test_half_an_answer_is_none(hostile: Hostile, half: bytes) -> None:
    hostile.answers = [half]
    error = refusal(hostile)
    assert isinstance(error, TryAgain)
    assert error.what == "Weather can't be reached, or broke off its answer"


def test_a_closed_port_says_so() -> None:
    sender = transport("http://127.0.0.1:1")
    with pytest.raises(TryAgain) as caught:
        sender.send("GET", "/sun")
    assert caught.value.cause == "Connection refused"


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_byte_now_and_then_does_not_extend_the_time(hostile: Hostile, begin: bytes) -> None:
    hostile.answers = [hostile.drip(begin)]
    error = refusal(hostile, timeout=0.5)
    assert isinstance(error, TryAgain)
    assert error.what == "Weather did not answer within 0.5 s"


def test_a_silent_server_is_left_in_time(hostile: Hostile) -> None:
    hostile.answers = [hostile.hang]
    assert refusal(hostile, timeout=0.3).what == "Weather did not answer within 0.3 s"
    assert len(hostile.requests) == 1


# -- TLS
@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Hostile]:
    """A server with a certificate for 127.0.0.1 that nobody vouches for."""
    with Hostile(certificate(tmp_path, "127.0.0.1").context()) as server:
        server.answers = [answer(200, b"safe")]
        yield server


def test_a_certificate_that_nobody_vouches_for_is_refused(tls: Hostile) -> None:
    error = refusal(tls, token=TOKEN)
    assert error.what == "the certificate of Weather can't be verified"
    assert error.cause.startswith("self")
    assert "RELEASE_CA_BUNDLE" in error.hint
    assert tls.requests == []


def test_the_authorities_of_the_environment_are_believed(
    tls: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "127.0.0.1.pem"))
    assert ask(tls).body == b"safe"


def test_the_variable_of_the_tool_wins_over_that_of_the_library(
    tls: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = certificate(tmp_path, "other.example")
    monkeypatch.setenv("RELEASE_CA_BUNDLE", str(tmp_path / "127.0.0.1.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.path))
    assert ask(tls).body == b"safe"
    monkeypatch.setenv("RELEASE_CA_BUNDLE", str(other.path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "127.0.0.1.pem"))
    assert "RELEASE_CA_BUNDLE" in refusal(tls).hint


def test_authorities_that_cannot_be_read_are_named(tls: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/authorities.pem")
    error = refusal(tls)
    assert "/nowhere/authorities.pem" in error.what
    assert error.exit_code == 1


def test_a_server_that_breaks_off_a_handshake_is_asked_again() -> None:
    """As a load balancer does that restarts: the alert `internal_error`, then nothing."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            for _ in range(3):
                connection, _ = server.accept()
                with connection:
                    asked.append(connection.recv(4096))
                    connection.sendall(bytes.fromhex("15030300020250"))

        thread = threading.Thread(target=refuse)
        thread.start()
        sender = transport(f"https://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(TryAgain) as caught:
            sender.send("GET", "/sun", repeatable=True)
        sender.close()
        thread.join(10)
    assert len(asked) == 3
    assert caught.value.cause == "TLS: TLSV1_ALERT_INTERNAL_ERROR"


# -- secrets
def test_a_secret_cannot_be_printed() -> None:
    secret = Secret(f" {TOKEN}\n")
    assert secret.reveal() == TOKEN
    for shown in (str(secret), repr(secret), f"{secret}", f"{secret!r:>20}", "%s" % secret, repr([secret])):  # noqa: UP031
        assert TOKEN not in shown
    assert not Secret(" \n")


def test_no_secret_is_in_a_log_line_or_a_message(hostile: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hostile.answers = [answer(400, f"what is Bearer {TOKEN}?".encode())]
    error = refusal(hostile, token=TOKEN)
    assert error.what == "Weather refuses the request (status 400): what is Bearer …?"
    assert caplog.records
    assert f"GET {hostile.url}/sun: 400" in caplog.text
    assert TOKEN not in caplog.text + repr(error) + str(error) + repr(transport(hostile.url, token=TOKEN))
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize("token", ["two words", "line\r\nX-Evil: 1", "schlüssel", "nul\x00"])
def test_a_token_that_cannot_be_one_is_refused_unseen(hostile: Hostile, token: str) -> None:
    error = refusal(hostile, token=token)
    assert error.what.startswith("WEATHER_TOKEN holds what can't be a token")
    assert token not in str(error) + error.hint
    assert hostile.requests == []


def test_a_url_with_a_credential_is_refused_unseen() -> None:
    sender = transport("http://user:pass@127.0.0.1:1")
    with pytest.raises(ReleaseError) as caught:
        sender.send("GET", "/sun")
    assert "pass" not in f"{caught.value}{caught.value.hint}{sender!r}"


def test_no_credential_is_searched_for(hostile: Hostile, seal: Path) -> None:
    netrc = seal / ".netrc"
    netrc.write_text("machine 127.0.0.1 login user password pass\n", encoding="utf-8")
    netrc.chmod(0o600)
    hostile.answers = [answer(200)]
    ask(hostile)
    ask(hostile, token=TOKEN)
    assert b"authorization" not in hostile.requests[0].lower()
    assert f"Authorization: Bearer {TOKEN}\r\n".encode() in hostile.requests[1]


# -- words
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/a", "https://host/a"),
        ("https://user:p@ss@host:1/a@b?c#d", "https://host:1/a@b"),
        ("//user@host", "//host"),
        ("/a//b@c", "/a//b@c"),
        ("https://host?u@x", "https://host"),
    ],
)
def test_an_address_is_shown_without_user_and_query(url: str, shown: str) -> None:
    assert bare_url(url) == shown


def test_words_from_outside_are_one_short_line() -> None:
    assert phrase(" a\n\tb\x1b\u2028c ") == "a b c"
    assert len(phrase("x" * 10_000)) == 301
