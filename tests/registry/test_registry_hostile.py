"""A registry that is busy, down, lying, endless or none: a clear error, in time, and no credential for strangers."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import docker_login
import pytest
from hostile_registry import JSON, PAGE, Answer, Hostile, Seen, error, reply

from release_tool.errors import ReleaseError, TryAgain
from release_tool.registry import Registry
from release_tool.registry.login import challenges

MANIFEST = json.dumps({"schemaVersion": 2, "config": {}, "layers": []}).encode()
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
OTHER = f"sha256:{'0' * 64}"
SECRET = "hunter2"


def open_registry(server: Hostile, *, timeout: float = 10, pauses: list[float] | None = None) -> Registry:
    waited: list[float] = [] if pauses is None else pauses
    return Registry(f"{server.host}/team/engine", plain_http=True, timeout=timeout, wait=waited.append)


def digest_of(answer: Answer, tag: str = "v1.0.5", **more: float) -> str | None:
    with Hostile(answer) as server:
        return open_registry(server, **more).digest(tag)


def failure(answer: Answer, kind: type[ReleaseError] = ReleaseError, **more: float) -> ReleaseError:
    """How looking up a tag fails; what the registry says is never repeated."""
    with pytest.raises(kind) as caught:
        digest_of(answer, **more)
    assert type(caught.value) is kind or kind is TryAgain
    found = caught.value
    assert SECRET not in f"{found.what} {found.where} {found.cause} {found.hint}"
    return found


def refusal(server: Hostile) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        open_registry(server).digest("v1.0.5")
    return caught.value


def test_a_registry_without_head_is_asked_for_the_manifest() -> None:
    assert digest_of(lambda seen: reply(405) if seen.method == "HEAD" else reply(200, MANIFEST)) == DIGEST
    assert digest_of(lambda _: reply(200, MANIFEST)) == DIGEST
    assert digest_of(lambda _: reply(200, MANIFEST), DIGEST) == DIGEST


def test_a_head_with_a_digest_is_enough() -> None:
    seen_methods = []

    def answer(seen: Seen) -> bytes:
        seen_methods.append(seen.method)
        assert "application/vnd.oci.image.index.v1+json" in seen.headers["accept"]
        assert "application/vnd.docker.distribution.manifest.v2+json" in seen.headers["accept"]
        return reply(200, Docker_Content_Digest=DIGEST)

    assert digest_of(answer) == DIGEST
    assert seen_methods == ["HEAD"]


@pytest.mark.parametrize("code", ["MANIFEST_UNKNOWN", "NOT_FOUND", "TAG_UNKNOWN"])
def test_a_manifest_that_is_not_there_is_none(code: str) -> None:
    assert digest_of(lambda _: error(404, code)) is None


def test_a_repository_that_is_not_there_is_an_error() -> None:
    assert "has no repository team/engine" in failure(lambda _: error(404, "NAME_UNKNOWN")).what


def test_a_page_that_is_not_there_is_no_answer_of_a_registry() -> None:
    found = failure(lambda _: reply(404, f"<html>{SECRET}</html>", PAGE))
    assert "no answer of an image registry" in found.what
    assert found.cause == "status 404, an HTML page"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (reply(200, f"<html>{SECRET}</html>", PAGE), "HTML page, perhaps of a login"),
        (reply(200, SECRET), "no JSON"),
        (reply(200, b"\xff\xfe"), "no JSON"),
        (reply(200, b"[" * 100_000), "no JSON"),
        (reply(200, [SECRET]), "no manifest"),
        (reply(200, {"schemaVersion": 1}), "no manifest"),
        (reply(200, {}, Docker_Content_Digest=SECRET), "no `sha256:`"),
        (reply(200, {}, Docker_Content_Digest="sha256:" + "A" * 64), "no `sha256:`"),
        (reply(200, {}, PAGE, Docker_Content_Digest=DIGEST), "HTML page"),
        (reply(204), "status 204"),
        (reply(400, {"errors": [{"code": "TAG_INVALID"}, 7]}), "status 400"),
        (reply(400, {"errors": [{"code": "TAG_INVALID"}, {"code": SECRET}]}), "status 400, TAG_INVALID"),
        (reply(304), "status 304"),
        (reply(200, b"a" * (4 * 1024 * 1024 + 1)), "more than 4096 KiB"),
        (f"220 {SECRET} ESMTP\r\n".encode(), "speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", "speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", "speak HTTP"),
    ],
)
def test_garbage_is_refused(answer: bytes, cause: str) -> None:
    found = failure(lambda _: answer)
    assert cause in found.cause
    assert found.where
    assert "registry.image" in found.hint


def test_a_body_without_end_is_cut_off() -> None:
    def endless(seen: Seen, status: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 " + status + b"\r\nLocation: /there\r\nTransfer-Encoding: chunked\r\n\r\n"
        while not seen.over.is_set():
            yield b"10000\r\n" + b"a" * 65536 + b"\r\n"

    for status in (b"200 OK", b"302 Found", b"404 Not Found", b"503 Busy"):
        found = failure(lambda seen: reply(405) if seen.method == "HEAD" else endless(seen, status))  # noqa: B023
        assert "more than" in found.cause


def test_a_manifest_that_is_not_what_its_digest_says_is_refused() -> None:
    def answer(seen: Seen) -> bytes:
        return reply(405) if seen.method == "HEAD" else reply(200, MANIFEST, Docker_Content_Digest=OTHER)

    assert "isn't what its digest says" in failure(answer).cause


def test_another_digest_than_was_asked_for_is_refused() -> None:
    with pytest.raises(ReleaseError) as caught:
        digest_of(lambda _: reply(200, Docker_Content_Digest=OTHER), DIGEST)
    assert "another image" in caught.value.cause


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_final(status: int) -> None:
    pauses: list[float] = []
    with Hostile(lambda _: error(status, "DENIED")) as server:
        with pytest.raises(ReleaseError, match="wants credentials, and there are none") as caught:
            open_registry(server, pauses=pauses).digest("v1.0.5")
        assert type(caught.value) is ReleaseError
        assert f"status {status}" in caught.value.what
        assert len(server.seen) == 1
        assert pauses == []


@pytest.mark.parametrize(("status", "what"), [(429, "limits the rate"), (500, "trouble"), (503, "trouble")])
def test_a_busy_registry_is_asked_once_more(status: int, what: str) -> None:
    pauses: list[float] = []
    with Hostile(lambda _: error(status, "TOOMANYREQUESTS")) as server:
        with pytest.raises(TryAgain, match=what):
            open_registry(server, pauses=pauses).digest("v1.0.5")
        assert len(server.seen) == 2
        assert pauses == [1.0]
        server.answer = lambda _: (
            reply(200, Docker_Content_Digest=DIGEST) if len(server.seen) == 4 else reply(status, Retry_After="2")
        )
        assert open_registry(server, pauses=pauses).digest("v1.0.5") == DIGEST
        assert pauses == [1.0, 2.0]


def test_a_long_pause_is_named_and_not_waited_for() -> None:
    pauses: list[float] = []
    with Hostile(lambda _: reply(429, Retry_After="3600")) as server:
        with pytest.raises(TryAgain) as caught:
            open_registry(server, pauses=pauses).digest("v1.0.5")
        assert len(server.seen) == 1
    assert caught.value.cause == "it asks to wait 3600 s"
    assert pauses == []


@pytest.mark.parametrize(
    "after", ["Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00", "soon", "-1", "9" * 50, "٣", "1e3"]
)
def test_a_strange_pause_does_no_harm(after: str) -> None:
    raw = reply(503, Retry_After="X").replace(b"X", after.encode())
    assert "trouble" in failure(lambda _: raw, TryAgain).what


def test_a_connection_that_is_cut_is_tried_once_more() -> None:
    with Hostile(lambda _: b"") as server:
        with pytest.raises(TryAgain, match="can't be reached") as caught:
            open_registry(server).digest("v1.0.5")
        assert caught.value.exit_code == 75
        assert len(server.seen) == 2


def test_a_body_that_is_cut_is_no_answer() -> None:
    cut = reply(200, MANIFEST)[:-5]
    assert "can't be reached" in failure(lambda seen: reply(405) if seen.method == "HEAD" else cut, TryAgain).what


def stall(seen: Seen) -> Iterator[bytes]:
    """Says nothing at all."""
    seen.over.wait(30)
    yield b""


def drip(seen: Seen) -> Iterator[bytes]:
    """Sends a body, a byte now and then, so that no single wait is long."""
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    while not seen.over.wait(0.05):
        yield b" "


def drip_headers(seen: Seen) -> Iterator[bytes]:
    """The same with headers."""
    yield b"HTTP/1.1 200 OK\r\n"
    while not seen.over.wait(0.05):
        yield b"A"


def drip_continue(seen: Seen) -> Iterator[bytes]:
    """Says again and again that the answer is about to come."""
    while not seen.over.wait(0.05):
        yield b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize("slow", [stall, drip, drip_headers, drip_continue])
def test_a_registry_that_never_finishes_is_left_in_time(slow: Answer) -> None:
    begun = time.monotonic()
    found = failure(lambda seen: reply(405) if seen.method == "HEAD" else slow(seen), TryAgain, timeout=0.5)
    assert "in time" in found.what
    assert "registry.timeout" in found.hint
    assert time.monotonic() - begun < 25  # no timing: it ends before the server would


def test_nobody_is_left_waiting_for_a_registry_that_drips() -> None:
    with Hostile(lambda seen: reply(405) if seen.method == "HEAD" else drip(seen)) as server:
        before = set(threading.enumerate())
        with pytest.raises(TryAgain):
            open_registry(server, timeout=0.5).digest("v1.0.5")
        for thread in set(threading.enumerate()) - before:
            if thread.daemon:  # the server's own are none
                thread.join(20)
                assert not thread.is_alive()


def test_a_name_that_does_not_exist_may_come_to_exist() -> None:
    registry = Registry("registry.invalid/team/engine", timeout=5, wait=lambda _: None)
    with pytest.raises(TryAgain):
        registry.digest("v1.0.5")


@pytest.fixture
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hostile]:
    """A server that somebody is logged in to; the test says what it answers."""
    with Hostile(lambda _: b"") as server:
        auths = {server.host: docker_login.encoded("reader", SECRET)}
        docker_login.write(tmp_path / "docker", monkeypatch, auths=auths)
        yield server


def redirecting(target: str, challenge: str = 'Basic realm="r"') -> Answer:
    """Asks for a password, then sends those who have it somewhere else."""

    def answer(seen: Seen) -> bytes:
        if "authorization" not in seen.headers:
            return reply(401, WWW_Authenticate=challenge)
        return reply(307, Location=target)

    return answer


def test_a_redirect_to_another_host_takes_no_credentials_along(logged_in: Hostile) -> None:
    with Hostile(lambda _: reply(200, Docker_Content_Digest=DIGEST)) as other:
        logged_in.answer = redirecting(f"http://{other.host}/elsewhere?signature=x")
        assert open_registry(logged_in).digest("v1.0.5") == DIGEST
        assert [(seen.path, "authorization" in seen.headers) for seen in other.seen] == [("/elsewhere", False)]


def test_another_host_can_ask_for_credentials_in_vain(logged_in: Hostile) -> None:
    with Hostile(lambda _: reply(401, WWW_Authenticate='Basic realm="r"')) as other:
        logged_in.answer = redirecting(f"http://{other.host}/elsewhere?signature={SECRET}")
        assert SECRET not in refusal(logged_in).where
        assert [seen.headers.get("authorization") for seen in other.seen] == [None]


def test_a_redirect_within_the_registry_keeps_the_credentials(logged_in: Hostile) -> None:
    def answer(seen: Seen) -> bytes:
        if seen.path == "/there" and "authorization" in seen.headers:
            return reply(200, Docker_Content_Digest=DIGEST)
        return redirecting("/there")(seen)

    logged_in.answer = answer
    assert open_registry(logged_in).digest("v1.0.5") == DIGEST


@pytest.mark.parametrize("target", [
    "", "file:///etc/passwd", "gopher://x/", "http://", "http://[", "http://u:hunter2@127.0.0.1/",
    "http://127.0.0.1:x", "http://127.0.0.1:99999/", "http://a\\@b/", "http://\u00e4.example/", "//",
])  # fmt: skip
def test_a_redirect_to_nowhere_is_refused(target: str) -> None:
    raw = reply(302, Location="TARGET").replace(b"TARGET", target.encode("latin-1"))
    assert failure(lambda _: raw).cause


def test_redirects_without_end_are_refused() -> None:
    with Hostile(lambda seen: reply(302, Location=seen.path + "x")) as server:
        assert "redirects" in refusal(server).cause
        assert len(server.seen) < 10


@pytest.mark.parametrize("realm", [
    "http://OTHER/token", "http://localhost.example/token", "ftp://OTHER/", "/token", "", "http://u@OTHER/",
    "//OTHER",
])  # fmt: skip
def test_no_credential_goes_to_a_token_server_of_others_without_tls(logged_in: Hostile, realm: str) -> None:
    with Hostile(lambda _: reply(200, {"token": "x"})) as other:
        named = realm.replace("OTHER", other.host.replace("127.0.0.1", "127.0.0.2"))
        logged_in.answer = lambda _: reply(401, WWW_Authenticate=f'Bearer realm="{named}",service="s"')
        assert type(refusal(logged_in)) is ReleaseError
        assert other.seen == []
        assert len(logged_in.seen) == 1


def give_tokens(server: Hostile, answer: bytes) -> None:
    """The token server that the registry names, itself, answers so."""
    challenge = reply(401, WWW_Authenticate=f'Bearer realm="http://{server.host}/token"')
    server.answer = lambda seen: answer if seen.path == "/token" else challenge


def test_a_redirect_of_the_token_server_is_not_followed(logged_in: Hostile) -> None:
    with Hostile(lambda _: reply(200, {"token": "x"})) as other:
        give_tokens(logged_in, reply(307, Location=f"http://{other.host}/"))
        assert "no token" in refusal(logged_in).cause
        assert other.seen == []


@pytest.mark.parametrize("body", [
    b"", "<html>hunter2</html>", [], {}, {"token": 7}, {"token": ""}, {"token": "a\r\nX: hunter2"},
    {"token": "hunter2 " * 3}, {"token": "a" * 70_000},
])  # fmt: skip
def test_a_token_that_is_none_is_refused(logged_in: Hostile, body: object) -> None:
    give_tokens(logged_in, reply(200, body))
    found = refusal(logged_in)
    assert "no token" in found.cause
    assert SECRET not in str(found) + found.cause + found.hint


def test_a_busy_token_server_is_no_refusal(logged_in: Hostile) -> None:
    give_tokens(logged_in, reply(503))
    with pytest.raises(TryAgain, match="trouble"):
        open_registry(logged_in).digest("v1.0.5")
    assert [seen.path for seen in logged_in.seen].count("/token") == 2


def test_a_password_that_is_refused_is_sent_once(logged_in: Hostile) -> None:
    logged_in.answer = lambda _: reply(401, WWW_Authenticate='Basic realm="r"')
    with pytest.raises(ReleaseError, match="refuses the credentials"):
        open_registry(logged_in).digest("v1.0.5")
    assert [("authorization" in seen.headers) for seen in logged_in.seen] == [False, True]


@pytest.mark.parametrize("challenge", ["Negotiate", 'Digest realm="r"', "NTLM"])
def test_a_way_of_login_that_no_registry_has_is_refused(logged_in: Hostile, challenge: str) -> None:
    logged_in.answer = lambda _: reply(401, WWW_Authenticate=challenge)
    assert "way of login" in refusal(logged_in).cause
    assert len(logged_in.seen) == 1


def test_challenges_are_read_as_they_are_written() -> None:
    header = 'Bearer realm="https://a.example/t?x=1,2", service = s ,scope="a:b:pull,push", Basic realm="say \\"r\\""'
    assert challenges(header) == {
        "bearer": {"realm": "https://a.example/t?x=1,2", "service": "s", "scope": "a:b:pull,push"},
        "basic": {"realm": 'say "r"'},
    }
    assert challenges("") == {}
    assert challenges('BEARER REALM="x') == {"bearer": {"realm": ""}, "x": {}}
    assert challenges("_" * 1_000_000) == {}


def listing(pages: dict[str, bytes]) -> Answer:
    """Answers each target with its page."""
    return lambda seen: pages.get(seen.target, reply(500))


def tags_failure(answer: Answer) -> ReleaseError:
    with Hostile(answer) as server, pytest.raises(ReleaseError) as caught:
        open_registry(server).tags()
    assert SECRET not in caught.value.what + caught.value.where + caught.value.cause
    return caught.value


FIRST = "/v2/team/engine/tags/list?n=1000"


def test_pages_are_followed_by_their_links() -> None:
    pages = {
        FIRST: reply(200, {"tags": ["v1", "v2"]}, Link='</v2/team/engine/tags/list?last=v2&n=2>; rel="next"'),
        "/v2/team/engine/tags/list?last=v2&n=2": reply(200, {"tags": ["v2", "v3"]}, Link="<?last=v3>; a=b; REL=next"),
        "/v2/team/engine/tags/list?last=v3": reply(200, {"tags": None}, Link='<x>; rel="prev"'),
    }
    with Hostile(listing(pages)) as server:
        assert open_registry(server).tags() == ["v1", "v2", "v3"]


@pytest.mark.parametrize("answer", [
    reply(200, SECRET), reply(200, f"<html>{SECRET}</html>", PAGE), reply(200, []), reply(200, {}),
    reply(200, {"tags": SECRET}), reply(200, {"tags": {"v1": SECRET}}), reply(200, {"tags": ["v1", 7]}),
    reply(200, {"tags": ["v1", "../../x"]}), reply(200, {"tags": ["v1", ""]}),
    reply(200, {"tags": ["v1", "a" * 129]}), reply(200, {"tags": ["v1\n"]}), reply(404, b"", JSON),
    reply(206, {"tags": ["v1"]}),
])  # fmt: skip
def test_a_list_of_tags_that_is_none_is_refused(answer: bytes) -> None:
    found = tags_failure(lambda _: answer)
    assert type(found) is ReleaseError
    assert "no answer of an image registry" in found.what


def test_a_list_of_tags_that_goes_in_circles_is_refused() -> None:
    found = tags_failure(lambda _: reply(200, {"tags": ["v1"]}, Link=f'<{FIRST}>; rel="next"'))
    assert "no end" in found.cause


def test_a_list_of_tags_without_end_is_left() -> None:
    count = iter(range(10**9))
    begun = time.monotonic()
    with (
        Hostile(lambda _: reply(200, {"tags": []}, Link=f'<?last={next(count)}>; rel="next"')) as server,
        pytest.raises(TryAgain, match="in time"),
    ):
        open_registry(server, timeout=0.1).tags()
    assert time.monotonic() - begun < 60  # no timing: without a limit it would be for ever


def test_a_list_of_tags_stays_with_its_registry(logged_in: Hostile) -> None:
    with Hostile(lambda _: reply(200, {"tags": ["evil"]})) as other:
        logged_in.answer = lambda _: reply(200, {"tags": ["v1"]}, Link=f'<http://{other.host}/>; rel="next"')
        with pytest.raises(ReleaseError) as caught:
            open_registry(logged_in).tags()
        assert "another host" in caught.value.cause
        assert other.seen == []


@pytest.mark.parametrize(
    "link", ["http://[", "https://127.0.0.1/", "file:///etc/passwd", "http://u:p@HOST/x", "//HOST:1/"]
)
def test_a_link_that_leads_away_is_refused(link: str) -> None:
    raw = reply(200, {"tags": ["v1"]}, Link=f'<{link}>; rel="next"')
    assert "another host" in tags_failure(lambda seen: raw.replace(b"HOST", seen.headers["host"].encode())).cause


def test_a_registry_can_be_used_again_after_a_failure() -> None:
    with Hostile(stall) as server:
        registry = open_registry(server, timeout=2)
        with pytest.raises(TryAgain):
            registry.digest("v1.0.5")
        server.answer = lambda _: reply(200, Docker_Content_Digest=DIGEST)
        assert registry.digest("v1.0.5") == DIGEST


# -- charts --

BLOB = f"sha256:{hashlib.sha256(b'archive').hexdigest()}"
HELM = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


@pytest.mark.parametrize(
    ("layers", "blob", "what"),
    [
        ([{"mediaType": HELM, "digest": BLOB, "size": 7}], b"another", "the archive isn't what its digest says"),
        ([{"mediaType": HELM, "digest": BLOB, "size": 1 << 40}], b"archive", "the chart has more than 64 MB"),
        ([{"mediaType": HELM, "digest": "../../x", "size": 7}], b"archive", "what stands there is no Helm chart"),
        ([{"mediaType": [], "digest": BLOB}, "x", None], b"archive", "what stands there is no Helm chart"),
        ({"a": 1}, b"archive", "what stands there is no Helm chart"),
        ([{"mediaType": HELM, "digest": BLOB, "size": "x"}], b"archive", ""),
    ],
)
@pytest.mark.parametrize("asked", ["1.2.3", OTHER])
def test_a_chart_is_what_its_digests_say(layers: object, blob: bytes, what: str, asked: str) -> None:
    manifest = json.dumps({"schemaVersion": 2, "layers": layers}).encode()

    def answer(seen: Seen) -> bytes:
        return reply(200, blob if "/blobs/" in seen.path else manifest, "application/vnd.oci.image.manifest.v1+json")

    with Hostile(answer) as server:
        if not what and asked != OTHER:
            assert open_registry(server).chart(asked) == (b"archive", f"sha256:{hashlib.sha256(manifest).hexdigest()}")
            return
        with pytest.raises(ReleaseError) as caught:
            open_registry(server).chart(asked)
    assert ("which is another chart" if asked == OTHER else what) in f"{caught.value.what} {caught.value.cause}"
