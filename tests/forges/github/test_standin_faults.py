"""What a test orders to go wrong goes wrong, and only that; what isn't modelled fails loudly."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest
import requests
from standin import StandIn, faults
from standin.faults import Fault
from standin_shop import Shop

BODY = {"title": "x", "head": "release/devel", "base": "main"}


@pytest.mark.parametrize(
    ("fault", "status", "headers"),
    [
        (faults.status(500), 500, {}),
        (faults.status(502), 502, {"Content-Type": "text/html"}),
        (faults.status(503), 503, {}),
        (faults.status(429, Retry_After="7"), 429, {"Retry-After": "7"}),
        (faults.secondary_limit(3), 403, {"Retry-After": "3"}),
        (faults.secondary_limit(None, 429), 429, {}),
        (faults.primary_limit(60, 1000), 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1060"}),
        (faults.already_exists(), 422, {}),
        (faults.status(409), 409, {}),
    ],
    ids=lambda value: value.name if isinstance(value, faults.Fault) else "",
)
def test_an_ordered_status_has_no_effect(shop: Shop, fault: Fault, status: int, headers: dict[str, str]) -> None:
    shop.alice.push("release/devel", {"a": "b"})
    ordered = shop.standin.fault("POST", r"/pulls$", fault)
    answer = shop.ask("POST", "/pulls", json=BODY)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in headers} == headers
    assert not shop.repository.pulls
    assert (ordered.seen, ordered.fired) == (1, 1)
    assert shop.ask("POST", "/pulls", json=BODY).status_code == 201


@pytest.mark.parametrize(
    ("fault", "effect"),
    [
        (faults.reset_before(), False),
        (faults.reset_after(), True),
        (faults.hang(0.2), False),
        (faults.hang(0.2, after=True), True),
        (faults.cut_off(), True),
        (faults.truncated_json(), True),
    ],
    ids=["reset before", "reset after", "hang", "hang after", "cut off", "truncated JSON"],
)
def test_a_lost_answer_says_nothing_about_the_effect(shop: Shop, fault: Fault, effect: bool) -> None:
    shop.alice.push("release/devel", {"a": "b"})
    shop.standin.fault("POST", r"/pulls$", fault)
    with pytest.raises(requests.RequestException):
        shop.ask("POST", "/pulls", json=BODY).json()
    assert bool(shop.repository.pulls) is effect
    assert shop.ask("POST", "/pulls", json=BODY).status_code == (422 if effect else 201)


def test_a_gateway_may_lose_an_answer_too(shop: Shop) -> None:
    shop.alice.push("release/devel", {"a": "b"})
    shop.standin.fault("POST", r"/pulls$", faults.status(502, after=True))
    assert shop.ask("POST", "/pulls", json=BODY).status_code == 502
    assert list(shop.repository.pulls) == [1]


def test_a_fault_hits_the_requests_that_it_was_ordered_for(shop: Shop) -> None:
    shop.standin.fault("GET", r"/pulls\?state=closed", faults.status(500), nth=2, times=2)
    asked = [shop.ask("GET", "/pulls", params={"state": "closed"}).status_code for _ in range(4)]
    assert asked == [200, 500, 500, 200]
    shop.standin.fault("*", "/pulls", faults.status(503), times=math.inf)
    assert {shop.ask("GET", "/pulls").status_code for _ in range(3)} == {503}
    shop.standin.drop_faults()
    assert shop.ask("GET", "/pulls").ok
    assert [one.fault for one in shop.standin.calls() if one.fault] == ["500"] * 2 + ["503"] * 3


def test_a_late_answer_is_the_right_one(shop: Shop) -> None:
    shop.standin.fault("GET", "/pulls", faults.delay(0.1))
    assert shop.json("GET", "/pulls") == []


def test_a_client_that_gives_up_meets_no_answer_and_the_end_waits_for_nobody() -> None:
    begin = time.monotonic()
    with StandIn() as standin:
        shop = Shop(standin)
        standin.fault("GET", "/pulls", faults.hang(600))
        with pytest.raises(requests.Timeout):
            requests.get(f"{standin.api}/repos/acme/shop/pulls", timeout=0.2)
    assert time.monotonic() - begin < 300  # it ended with the stand-in, not with the hang
    assert shop.standin.calls()[0].status == 0


def test_git_meets_faults_too(shop: Shop, tmp_path: Path) -> None:
    clone = shop.clone(tmp_path / "clone")
    clone.commit("a", "b")
    shop.standin.fault("POST", "git-receive-pack", faults.status(503))
    assert "503" in clone.git("push", "origin", "main", ok=False)
    assert shop.bare.tip("main") != clone.git("rev-parse", "HEAD")
    shop.standin.fault("POST", "git-receive-pack", faults.reset_after())
    clone.git("push", "origin", "main", ok=False)
    assert shop.bare.tip("main") == clone.git("rev-parse", "HEAD")


def test_what_is_not_modelled_fails_loudly() -> None:
    with StandIn() as standin:
        shop = Shop(standin)
        answer = shop.ask("GET", "/stargazers")
        assert answer.status_code == 501
        assert "GET /api/v3/repos/acme/shop/stargazers" in answer.json()["message"]
        shop.query('{ repository(owner: "acme", name: "shop") { stargazerCount } }')
        assert len(standin.unmodelled) == 2
        with pytest.raises(AssertionError, match=r"stargazers.*stargazerCount"):
            standin.verify()


def test_without_a_prefix_it_is_as_on_github_com() -> None:
    with StandIn(prefix="") as standin:
        shop = Shop(standin)
        assert standin.api == standin.web
        assert shop.json("GET", "")["full_name"] == "acme/shop"
        assert shop.query("{ viewer { login } }")["data"] == {"viewer": {"login": "shop-bot"}}
        standin.verify()
