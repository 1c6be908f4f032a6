"""Whole commands on GitHub: how often it is asked, what faults and people do to a bump, and where no token may show."""

from __future__ import annotations

import base64
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from github_world import NAME, GitHubWorld, quick
from standin import Protection, faults
from standin.faults import Fault

from release_tool.wiring import utc_now

pytestmark = pytest.mark.slow

API = rf"^/repos/{NAME}/"
GIT = rf"^/{NAME}\.git/"

FAULTS: dict[str, Callable[[], Fault]] = {
    "500": lambda: faults.status(500),
    "502 after the effect": lambda: faults.status(502, after=True),
    "503": lambda: faults.status(503, Retry_After="1"),
    "429": lambda: faults.status(429, Retry_After="1"),
    "409": lambda: faults.status(409),
    "primary limit": lambda: faults.primary_limit(1, time.time()),
    "secondary limit": lambda: faults.secondary_limit(1),
    "reset before": faults.reset_before,
    "reset after": faults.reset_after,
    "truncated": faults.truncated_json,
    "cut off": faults.cut_off,
    "hang": lambda: faults.hang(1.5),
    "hang after the effect": lambda: faults.hang(1.5, after=True),
    "already exists": lambda: faults.already_exists("acme:release/devel"),
    "slow": lambda: faults.delay(0.3),
}
OPENING, UPDATING = 4, 3
"""Requests to the API of a bump that opens a pull request (five with reviewers), and of one that updates it."""


# -- how often GitHub is asked
def test_a_bump_opens_a_pull_request_in_four_requests(github: GitHubWorld) -> None:
    said = github.bump("v1.0.5", "--output", "json").data
    assert said["pull_request"] == {"number": 1, "url": f"{github.standin.web}/{NAME}/pull/1", "created": True}
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


@pytest.mark.nightly
@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_at_every_request_of_a_bump(
    github: GitHubWorld, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    quick(monkeypatch, timeout=1.0)
    for times in (1, math.inf):
        for nth in range(1, OPENING + 1):
            for pull in github.open:
                github.alice.merge(pull.number, "squash")
                github.alice.delete_branch("release/devel")
            opened = f"v{len(github.repository.pulls) + 2}.0.0"
            broken(github, opened, API, FAULTS[name](), nth, times)
            settled(github, [opened])
            updated = opened.replace(".0.0", ".0.1")
            broken(github, updated, API, FAULTS[name](), 1 + nth % UPDATING, times)
            settled(github, [opened, updated])


@pytest.mark.parametrize(
    "fault",
    [
        faults.reset_after(),
        pytest.param(faults.status(503), marks=pytest.mark.nightly),
        pytest.param(faults.reset_before(), marks=pytest.mark.nightly),
        pytest.param(faults.cut_off(), marks=pytest.mark.nightly),
    ],
    ids=lambda fault: fault.name,
)
def test_a_fault_in_gits_requests_is_no_other(github: GitHubWorld, fault: Fault) -> None:
    tags = []
    for nth in range(1, 7):
        tags.append(f"v1.1.{nth}")
        broken(github, tags[-1], GIT, fault, nth)
        settled(github, tags)


def test_a_limit_that_lasts_ends_the_command_and_names_its_end(github: GitHubWorld) -> None:
    github.standin.fault("POST", "/pulls$", faults.primary_limit(1800, time.time()), times=math.inf)
    done = github.bump("v1.0.5", code=75)
    assert "GitHub limits the rate of requests until " in done.err
    github.standin.drop_faults()
    github.bump("v1.0.5")
    settled(github, ["v1.0.5"])


# -- people
def test_a_persons_commit_stays_on_the_branch(github: GitHubWorld) -> None:
    github.bump("v1.0.5")
    github.alice.edit("release/devel", {"NOTES.md": "mine\n"})
    github.alice.push("main", {"README.md": "moved\n"})
    github.alice.update_branch(1)
    github.bump("v1.0.6")
    assert github.only.number == 1
    assert github.proposed() == ["v1.0.5", "v1.0.6"]
    assert github.world.file("NOTES.md", "release/devel") == "mine\n"


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
class Watch:
    """Looks at the command lines of all processes, and at all files below a directory, until it is told to stop."""

    def __init__(self, secrets: list[str], directory: Path) -> None:
        self.seen: list[str] = []
        self.looks = 0
        self._secrets = [secret.encode() for secret in secrets]
        self._directory = directory
        self._end = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.is_set():
            self._look(Path("/proc").glob("[0-9]*/cmdline"))
            self._look(path for path in self._directory.rglob("*") if path.is_file())
            self.looks += 1

    def _look(self, paths: Iterator[Path]) -> None:
        try:
            for path in paths:
                try:
                    content = path.read_bytes()
                except OSError:  # it has ended, or gone
                    continue
                self.seen += [f"{path}" for secret in self._secrets if secret in content]
        except OSError:  # a directory that went meanwhile
            return


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc: Linux")
def test_the_token_shows_in_no_command_line_no_file_and_no_word(github: GitHubWorld, tmp_path: Path) -> None:
    github.world.now = utc_now()  # that of other processes
    secret = github.token.value
    encoded = base64.b64encode(f"x-access-token:{secret}".encode()).decode()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "release_tool", "bump", "devel", "v1.0.5", "--repo", github.url, "-vv"]
    environ = {**os.environ, "TMPDIR": str(temporary), "GIT_TRACE_CURL": "1", "GIT_CURL_VERBOSE": "1", "GIT_TRACE": "1"}
    with Watch(["a-secret-to-be-seen"], temporary) as watch:  # it would see one
        subprocess.run([sys.executable, "-c", "import time; time.sleep(1)", "a-secret-to-be-seen"], check=True)
    assert watch.seen
    with Watch([secret, encoded], temporary) as watch:
        good = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
        github.standin.fault("*", "/pulls", faults.status(500, f"what is {secret}?"), times=math.inf)
        command += ["--output", "json"]
        bad = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert (good.returncode, bad.returncode) == (0, 75), good.stderr + bad.stderr
    assert "GET http" in good.stderr
    assert "git --git-dir=" in good.stderr
    assert watch.looks > 3
    assert watch.seen == []
    said = good.stdout + good.stderr + bad.stdout + bad.stderr
    assert secret not in said
    assert encoded not in said
    pull = github.repository.pulls[1]
    assert secret not in f"{pull.title}{pull.body}"
    log = github.world.git("log", "-p", "--all", cwd=github.world.origin)
    assert secret not in log


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


# -- many at once
@pytest.mark.world(publish="publish: {labels: [release], timeout: 4m}\n")
@pytest.mark.parametrize("tags", [[f"v1.1.{n}" for n in range(6)], ["v1.1.0"] * 3], ids=["different", "the same"])
def test_dispatches_at_once_make_one_pull_request(github: GitHubWorld, tags: list[str]) -> None:
    github.world.now = utc_now()  # that of other processes
    command = [sys.executable, "-m", "release_tool", "bump", "devel"]
    more = ["--repo", github.url, "--output", "json"]
    running = [
        subprocess.Popen([*command, tag, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for tag in tags
    ]
    said = [(*process.communicate(timeout=300), process.returncode) for process in running]
    for out, err, code in said:
        assert code == 0, err
        assert json.loads(out)["pull_request"]["number"] == 1
    assert len(github.repository.pulls) == 1
    assert sorted(github.repository.bare.heads()) == ["main", "release/devel"]
    assert sorted(github.proposed()) == sorted(set(tags))
    assert all(tag in (github.only.body or "") for tag in tags)
