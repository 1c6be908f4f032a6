"""What GitHub refuses, limits or breaks off: who has to act, and what is sent again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from hostile import Hostile, answer
from standin import StandIn, faults
from standin.faults import Fault
from standin_shop import BASE, HEAD, Desk

from release_tool.errors import ReleaseError, TryAgain
from release_tool.forges.base import is_unfinished
from release_tool.forges.github.address import address_of, find_for
from release_tool.forges.github.client import GitHubClient
from release_tool.forges.github.forge import GitHubForge
from release_tool.forges.token import Token
from release_tool.model.records import CommitId
from release_tool.net.secret import Secret
from release_tool.wiring import utc_now

pytestmark = pytest.mark.slow

SECRET = "ghs_neverseenanywhere0123456789"


def refusal(work: Callable[[], object]) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        work()
    return caught.value


# -- tokens
def refused(desk: Desk, work: str = "open", **token: Any) -> ReleaseError:
    """What is said to a token; nothing is sent twice."""
    desk.push()
    made = desk.standin.add_token(**token)
    forge = desk.forge_of(made)
    before = len(desk.requests())
    error = refusal(lambda: forge.open(HEAD, BASE, "T", "B") if work == "open" else forge.find_open(HEAD, BASE))
    assert len(desk.requests()) == before + 1
    assert error.exit_code == 1
    assert made.value not in f"{error}{error.cause}{error.hint}"
    return error


@pytest.mark.parametrize("kind", ["app", "actions", "fine-grained"])
def test_a_missing_permission_is_named(desk: Desk, kind: str) -> None:
    error = refused(desk, kind=kind, login="alice", permissions={"contents": "write", "pull_requests": "read"})
    assert error.what.startswith("GitHub forbids to open a pull request: Resource not accessible by ")
    assert "give the token of GITHUB_TOKEN the permission `Pull requests: write`" in error.hint
    assert "the scope `repo`" in error.hint


def test_a_classic_token_without_the_scope_is_told(desk: Desk) -> None:
    desk.shop.repository.private = True
    error = refused(desk, "find", kind="classic", login="alice", scopes=())
    assert error.what == (
        "GitHub finds nothing there to find the pull request of a branch, or the token may not see it (status 404)"
    )
    assert "the scope `repo`" in error.hint


def test_a_token_for_another_repository_sees_nothing(desk: Desk) -> None:
    desk.shop.repository.private = True
    error = refused(desk, "find", repositories=("acme/other",))
    assert "(status 404)" in error.what
    assert "not given access" in error.cause


def test_a_token_that_is_no_good_is_told_from_one_that_is_too_narrow(desk: Desk) -> None:
    error = refused(desk, revoked=True)
    assert error.what == "GitHub does not accept the token of GITHUB_TOKEN: Bad credentials (status 401)"
    assert error.cause == "it is mistyped, expired or revoked"


def test_without_a_token_what_is_public_is_read_and_the_rest_asks_for_one(desk: Desk) -> None:
    desk.push()
    forge = desk.forge_of(None)
    assert forge.find_open(HEAD, BASE) is None
    error = refusal(lambda: forge.open(HEAD, BASE, "T", "B"))
    assert error.what.startswith("GitHub forbids to open a pull request")
    assert error.hint.startswith("put a token with the permission `Pull requests: write` into GITHUB_TOKEN")


def test_settings_that_no_token_mends_are_named(desk: Desk) -> None:
    desk.shop.repository.actions_may_open_pull_requests = False
    error = refused(desk, kind="actions")
    assert error.hint.startswith("allow it in the repository's settings (Actions, General)")


def test_an_archived_repository_is_named(desk: Desk) -> None:
    number = desk.open()
    desk.shop.repository.archived = True
    error = refusal(lambda: desk.forge.update(number, "New", "Text"))
    assert "archived" in error.what
    assert error.hint == "unarchive the repository"


# -- limits of the rate
@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("kind", ["primary", "secondary"])
def test_a_limit_that_ends_soon_is_waited_for_whatever_was_sent(desk: Desk, kind: str, status: int) -> None:
    desk.push()
    fault = faults.primary_limit(20, time.time(), status) if kind == "primary" else faults.secondary_limit(20, status)
    desk.standin.fault("POST", "/pulls$", fault)
    assert desk.forge.open(HEAD, BASE, "T", "B").created
    assert len(desk.slept) == 1
    assert 15 <= desk.slept[0] <= 21


def test_a_limit_without_a_time_is_waited_for_a_minute(desk: Desk) -> None:
    desk.standin.fault("GET", "/pulls", faults.secondary_limit(None))
    assert desk.forge.find_open(HEAD, BASE) is None
    assert desk.slept == [60.0]


def test_a_limit_that_lasts_is_told_with_its_end(desk: Desk) -> None:
    desk.standin.fault("GET", "/pulls", faults.primary_limit(1800, time.time()))
    error = refusal(lambda: desk.forge.find_open(HEAD, BASE))
    assert isinstance(error, TryAgain)
    at = time.strftime("%Y-%m-%d %H:", time.gmtime(time.time() + 1800))
    assert error.what.startswith(f"GitHub limits the rate of requests until {at}")
    assert error.what.endswith(" UTC")
    assert desk.slept == []


def test_waits_end_with_the_patience_of_the_command(desk: Desk) -> None:
    forge = desk.forge_of(desk.shop.token, patience=50)
    desk.standin.fault("GET", "/pulls", faults.secondary_limit(20), times=9)
    assert isinstance(refusal(lambda: forge.find_open(HEAD, BASE)), TryAgain)
    assert desk.slept == [20.0, 20.0]


def test_the_real_limit_of_a_token_ends_the_command(desk: Desk) -> None:
    desk.shop.token.limit = 2
    desk.push()
    desk.forge.find_open(HEAD, BASE)
    desk.forge.find_open(HEAD, BASE)
    assert isinstance(refusal(lambda: desk.forge.find_open(HEAD, BASE)), TryAgain)


# -- faults at each request of a bump
REQUESTS = 10
ONCE = {
    "500": lambda: faults.status(500),
    "500 after the effect": lambda: faults.status(500, after=True),
    "502": lambda: faults.status(502),
    "502 after the effect": lambda: faults.status(502, after=True),
    "503": lambda: faults.status(503, Retry_After="1"),
    "429": lambda: faults.status(429, Retry_After="1"),
    "409": lambda: faults.status(409),
    "secondary limit": lambda: faults.secondary_limit(1),
    "reset before": faults.reset_before,
    "reset after": faults.reset_after,
    "truncated": faults.truncated_json,
    "cut off": faults.cut_off,
    "already exists": lambda: faults.already_exists("acme:release/devel"),
}


@contextmanager
def desk_on_its_own() -> Iterator[Desk]:
    """A desk with a pushed branch, on a stand-in that nobody else uses."""
    with StandIn() as standin:
        desk = Desk(standin)
        desk.push()
        yield desk
        desk.close()
        standin.verify()


def life(desk: Desk, labels: Sequence[str] = ("release",)) -> None:
    """The requests of a bump that opens a pull request, of one that updates it, and of its end."""
    forge = desk.forge
    if forge.find_open(HEAD, BASE) is None:
        forge.last_finished(HEAD, BASE)
        forge.open(HEAD, BASE, "One", "Body", labels, reviewers=["alice"])
    found = forge.find_open(HEAD, BASE)
    assert found is not None
    reviewers = ["alice"] if is_unfinished(found, labels) else []
    forge.update(found.number, "Two", "Body", labels, reviewers=reviewers)
    forge.comment(found.number, "a word")
    forge.landed_at(CommitId("1" * 40))


@pytest.mark.parametrize("name", ONCE)
def test_a_fault_at_any_request_leaves_nothing_undone_and_nothing_twice(name: str) -> None:
    for nth in range(1, REQUESTS + 1):
        with desk_on_its_own() as desk:
            order = desk.standin.fault("*", "^/repos/acme/shop/", ONCE[name](), nth=nth)
            life(desk)
            assert order.fired == 1, f"a life has fewer than {nth} requests"
            check(desk)


@pytest.mark.parametrize("labels", [["release"], []], ids=["labels", "no labels"])
@pytest.mark.parametrize("fault", [faults.status(502), faults.reset_after(), faults.cut_off()])
def test_a_fault_that_stays_is_for_later_and_the_next_call_finishes(fault: Fault, labels: list[str]) -> None:
    for nth in range(1, REQUESTS + 1):
        with desk_on_its_own() as desk:
            desk.standin.fault("*", "^/repos/acme/shop/", fault, nth=nth, times=99)
            assert isinstance(refusal(partial(life, desk, labels)), TryAgain)
            desk.standin.drop_faults()
            life(desk, labels)
            check(desk, labels)


def check(desk: Desk, labels: Sequence[str] = ("release",)) -> None:
    pulls = desk.shop.repository.pulls
    assert list(pulls) == [1]
    assert (pulls[1].title, pulls[1].body, pulls[1].labels) == ("Two", "Body", list(labels))
    assert [user.login for user in pulls[1].reviewers] == ["alice"]
    assert [comment.body for comment in desk.shop.repository.comments.values()] == ["a word"]


# -- answers of something else
def hostile_forge(server: Hostile, slept: list[float]) -> GitHubForge:
    address = address_of(f"{server.url}/acme/shop.git", "", {})
    client = GitHubClient(address, Token(Secret(SECRET), "GH_TOKEN"), patience=10, sleep=slept.append, now=utc_now)
    return GitHubForge(address, client, slept.append)


def said(server_answers: list[bytes], work: Callable[[GitHubForge], object]) -> tuple[ReleaseError, list[bytes]]:
    with Hostile() as server:
        server.answers = list(server_answers)
        forge = hostile_forge(server, [])
        error = refusal(lambda: work(forge))
        forge.close_connections()
        assert SECRET not in f"{error}{error.cause}{error.hint}{error!r}"
        return error, server.requests


JSON = "Content-Type: application/json; charset=utf-8"


@pytest.mark.parametrize(
    "body",
    [b"null", b"{}", b"3", b'[{"number": 1}]', b"[3]", b'[{"number": 1, "state": "open", "head": null}]', b'"x"'],
)
def test_an_answer_of_another_shape_is_an_error_and_no_crash(body: bytes) -> None:
    error, _ = said([answer(200, body, JSON)], lambda forge: forge.find_open(HEAD, BASE))
    assert error.exit_code == 1


@pytest.mark.parametrize("body", [b"null", b"[]", b'{"data": null}', b'{"errors": [3]}', b'{"errors": [{"type": []}]}'])
def test_an_answer_of_graphql_of_another_shape_is_an_error(body: bytes) -> None:
    error, _ = said([answer(200, body, JSON)], lambda forge: forge.merging.standing(1))
    assert error.exit_code == 1


def test_a_login_page_is_no_github() -> None:
    error, requests = said(
        [answer(200, b"<html>Sign in</html>", "Content-Type: text/html")], lambda forge: forge.find_open(HEAD, BASE)
    )
    assert error.what == "what answers there is no GitHub: it should give data and no page"
    assert len(requests) == 1


def test_a_renamed_repository_asks_for_its_new_url() -> None:
    moved = answer(301, b'{"message": "Moved Permanently"}', JSON, "Location: https://elsewhere.example/repositories/7")
    error, requests = said([moved], lambda forge: forge.find_open(HEAD, BASE))
    assert error.what == "the repository was renamed or moved (https://elsewhere.example/repositories/7)"
    assert "git remote set-url" in error.hint
    assert len(requests) == 1


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("pull_requests=write", "the permission `Pull requests: write` for"),
        (
            "contents=read,pull_requests=write; issues=write",
            "`Contents: read` and `Pull requests: write` or `Issues: write`",
        ),
        ("<script>", "the permission `Pull requests: read` for"),
    ],
)
def test_the_permissions_that_github_names_are_handed_on(header: str, words: str) -> None:
    forbidden = answer(403, b'{"message": "no"}', JSON, f"X-Accepted-GitHub-Permissions: {header}")
    error, _ = said([forbidden], lambda forge: forge.find_open(HEAD, BASE))
    assert words in error.hint


@pytest.mark.parametrize(
    ("headers", "message", "hint"),
    [
        (("X-GitHub-SSO: required; url=https://x",), "Resource protected by SAML", "single sign-on"),
        ((), "your IP address is not on the IP allow list", "an address that the organisation allows"),
    ],
)
def test_what_organisations_demand_is_said(headers: tuple[str, ...], message: str, hint: str) -> None:
    body = json.dumps({"message": f"{message} {SECRET}\n::error::x"}).encode()
    error, _ = said([answer(403, body, JSON, *headers)], lambda forge: forge.find_open(HEAD, BASE))
    assert hint in error.hint
    assert "…" in error.what
    assert "\n" not in error.what


def test_a_link_leads_to_another_page_and_never_to_another_server() -> None:
    with Hostile() as elsewhere, Hostile() as server:
        link = f'Link: <{elsewhere.url}/steal?page=2&per_page=10>; rel="next", <{elsewhere.url}/x?page=9>; rel="last"'
        server.answers = [answer(200, b"[]", JSON, link), answer(200, b"[]", JSON)]
        forge = hostile_forge(server, [])
        assert forge.find_open(HEAD, BASE) is None
        forge.close_connections()
        assert elsewhere.requests == []
        second = server.requests[1].decode().splitlines()[0]
        assert second.startswith("GET /api/v3/repos/acme/shop/pulls?")
        assert "page=2" in second
        assert "state=open" in second


def test_every_request_says_who_asks_and_for_which_version(desk: Desk) -> None:
    desk.open(labels=["release"])
    for call in desk.standin.calls("POST"):
        assert call.headers["user-agent"].startswith("release/")
        assert call.headers["x-github-api-version"] == "2022-11-28"
        assert call.headers["accept"] == "application/vnd.github+json"


@pytest.mark.parametrize(
    ("url", "override", "environ"),
    [
        ("https://evil.example/a/b.git", "", {}),
        ("https://github.com/a/b.git", "https://evil.example/x", {}),
        ("https://github.com/a/b.git", "https://api.github.com.evil.example", {}),
        ("https://evil.example/a/b.git", "", {"GITHUB_SERVER_URL": "https://github.example.com"}),
    ],
)
def test_a_server_that_only_the_repository_names_gets_no_token(
    url: str, override: str, environ: dict[str, str]
) -> None:
    address = address_of(url, override, environ)
    with pytest.raises(ReleaseError, match="the token is not sent to") as refusal:
        find_for(address, {**environ, "GH_TOKEN": "ghp_secret"})
    assert "ghp_secret" not in f"{refusal.value} {refusal.value.hint} {refusal.value.cause}"
    assert find_for(address, environ) is None, "without a token there is nothing to send"


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("https://github.com/a/b.git", {}),
        ("git@github.com:a/b.git", {}),
        ("https://acme.ghe.com/a/b.git", {}),
        ("https://github.example.com/a/b.git", {"GITHUB_SERVER_URL": "https://github.example.com"}),
    ],
)
def test_a_server_that_is_known_as_a_github_gets_the_token(url: str, environ: dict[str, str]) -> None:
    address = address_of(url, "", environ)
    found = find_for(address, {**environ, "GH_TOKEN": "ghp_secret"})
    assert found is not None
