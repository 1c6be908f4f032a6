"""Whole commands on GitHub: how often it is asked, what its own limits do to a bump, and whose token goes where."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from github_world import NAME, GitHubWorld, quick
from standin import Protection, faults
from standin.faults import Fault

pytestmark = pytest.mark.slow

API = rf"^/repos/{NAME}/"

FAULTS: dict[str, Callable[[], Fault]] = {
    "primary limit": lambda: faults.primary_limit(1, time.time()),
    "secondary limit": lambda: faults.secondary_limit(1),
    "already exists": lambda: faults.already_exists("acme:release/devel"),
}
"""Those that only GitHub has; all others are in the suite for every forge."""
OPENING, UPDATING = 4, 3
"""Requests to the API of a bump that opens a pull request (five with reviewers), and of one that updates it."""


# -- how often GitHub is asked
def test_a_bump_opens_a_pull_request_in_four_requests(github: GitHubWorld) -> None:
    said = github.bump("v1.0.5", "--output", "json").data
    assert said["pull_request"] == {
        "number": 1,
        "name": "#1",
        "url": f"{github.standin.web}/{NAME}/pull/1",
        "created": True,
    }
    pull = github.only
    assert (pull.head, pull.base, sorted(pull.labels)) == ("release/devel", "main", ["devel", "release"])
    assert github.proposed() == ["v1.0.5"]
    assert github.calls() == ["GET /pulls", "GET /pulls", "POST /pulls", "POST /issues/1/labels"]


def test_the_next_bump_updates_it_in_three_requests(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    before = len(github.calls())
    github.bump("v1.0.6")
    assert github.only.number == 1
    assert github.proposed() == ["v1.0.5", "v1.0.6"]
    assert "v1.0.6" in (github.only.body or "")
    assert github.calls(before) == ["GET /pulls", "GET /pulls", "PATCH /pulls/1"]
    before = len(github.calls())
    github.bump("v1.0.6")
    assert github.only.number == 1
    assert "PATCH /pulls/1" not in github.calls(before)


@pytest.mark.world(keep=1)
def test_versions_that_have_drained_cost_no_seventh_request(github: GitHubWorld) -> None:
    for tag in ("v1.0.5", "v1.0.6"):
        github.bump(tag)
        github.alice.merge(github.only.number, "squash")
        github.alice.delete_branch("release/devel")
    github.bump("v1.0.7")
    before = len(github.calls())
    github.bump("v1.0.8")
    assert len(github.calls(before)) <= 6


# -- faults
def settled(github: GitHubWorld, tags: list[str]) -> None:
    """All tags are proposed, in one pull request, and nothing else is there."""
    assert github.proposed() == tags
    assert tags[-1] in f"{github.only.title}{github.only.body}"
    assert sorted(github.repository.bare.heads()) == ["main", "release/devel"]


def broken(github: GitHubWorld, tag: str, pattern: str, fault: Fault, nth: int, times: float = 1) -> int:
    """A bump with a fault, and the same again without."""
    github.standin.fault("*", pattern, fault, nth=nth, times=times)
    done = github.bump(tag, code=None)
    assert done.code in {0, 75}, f"{fault.name} at request {nth}: {done.code}\n{done.err}"
    assert github.token.value not in done.out + done.err
    github.standin.drop_faults()
    github.bump(tag)
    return done.code


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_a_bump_leaves_one_pull_request_with_every_tag(
    github: GitHubWorld, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    quick(monkeypatch, timeout=1.0)
    shift = list(FAULTS).index(name)
    broken(github, "v1.1.0", API, FAULTS[name](), 1 + shift % OPENING)
    settled(github, ["v1.1.0"])
    broken(github, "v1.1.1", API, FAULTS[name](), 1 + shift % UPDATING)
    settled(github, ["v1.1.0", "v1.1.1"])


def test_a_limit_that_lasts_ends_the_command_and_names_its_end(github: GitHubWorld) -> None:
    github.standin.fault("POST", "/pulls$", faults.primary_limit(1800, time.time()), times=math.inf)
    done = github.bump("v1.0.5", code=75)
    assert "GitHub limits the rate of requests until " in done.err
    github.standin.drop_faults()
    github.bump("v1.0.5")
    settled(github, ["v1.0.5"])


# -- people


# -- bad input
def test_a_wrong_token_is_named_and_nothing_is_pushed(github: GitHubWorld) -> None:
    github.token.revoked = True
    done = github.bump("v1.0.5", code=1)
    assert "credentials" in done.err
    assert sorted(github.repository.bare.heads()) == ["main"]


def test_a_token_that_is_no_token_is_refused_unseen(github: GitHubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "two words")
    done = github.bump("v1.0.5", code=1)
    assert "GITHUB_TOKEN holds what can't be a token" in done.err
    assert "two words" not in done.err


def test_a_token_that_may_only_push_is_told_the_permission(
    github: GitHubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = github.standin.add_token(permissions={"contents": "write"})
    github.repository.private = True
    monkeypatch.setenv("GITHUB_TOKEN", narrow.value)
    done = github.bump("v1.0.5", code=1)
    assert "`Pull requests: read`" in done.err
    assert sorted(github.repository.bare.heads()) == ["main"]


def test_an_archived_repository_is_an_error_before_anything_changes(github: GitHubWorld) -> None:
    github.repository.archived = True
    done = github.bump("v1.0.5", code=1)
    assert "archived" in done.err
    assert sorted(github.repository.bare.heads()) == ["main"]


def test_a_protected_base_takes_no_direct_push(github: GitHubWorld) -> None:
    github.repository.protections["main"] = Protection(required_reviews=1, enforce_admins=True)
    done = github.bump("v1.0.5", "--direct", code=1)
    assert "protected" in done.err.lower()


def test_a_repository_that_is_not_there_says_so(github: GitHubWorld) -> None:
    url = github.url.replace("engine", "nothing")
    done = github.world.release("bump", "devel", "v1.0.5", "--repo", url, code=1)
    assert "there is no git repository at the remote's URL" in done.err


# -- where no token may show


def test_the_header_that_a_checkout_left_is_replaced_and_not_doubled(
    github: GitHubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = base64.b64encode(b"x-access-token:left-by-the-checkout").decode()
    clone = github.world.clone
    github.world.git("remote", "set-url", "origin", github.url)
    github.world.git("config", f"http.{github.standin.web}/.extraheader", f"AUTHORIZATION: basic {left}")
    github.world.git("config", "--add", f"http.{github.url}.extraheader", "X-Proxy: kept")
    assert github.world.release("bump", "devel", "v1.0.5", "-C", str(clone)).code == 0
    settled(github, ["v1.0.5"])
    sent = [call for call in github.standin.log if call.kind == "git"]
    assert sent
    assert {call.user for call in sent} == {github.token.user.login}
    assert {call.headers.get("x-proxy") for call in sent} == {"kept"}
    # Without a token of ours, that of the checkout is used as it is.
    monkeypatch.delenv("GITHUB_TOKEN")
    done = github.world.release("status", "-C", str(clone), code=1)
    assert "credentials" in done.err


def test_a_token_goes_to_no_other_server(github: GitHubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example.com")
    github.release("bump", "devel", "v1.0.5", code=1)
    assert {call.user for call in github.standin.log} == {""}


def test_a_token_may_come_from_a_file(github: GitHubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text(f"{github.token.value}\n")
    monkeypatch.delenv("GITHUB_TOKEN")
    monkeypatch.setenv("GITHUB_TOKEN_FILE", str(file))
    github.bump("v1.0.5")
    settled(github, ["v1.0.5"])
    monkeypatch.setenv("GITHUB_TOKEN_FILE", str(tmp_path / "nowhere"))
    done = github.bump("v1.0.6", code=1)
    assert "the file that GITHUB_TOKEN_FILE names can't be read" in done.err
