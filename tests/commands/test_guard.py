"""`release guard`: judges by real programs here, and moves the default back, in Git."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from world import ROOT, World

TAGS = """\
image:
  default: v4
  tag:
    v2: v1.0.2
    v3: v1.0.3  # the mobile clients
    v4: v1.0.4
"""
CONFIG = """\
version: 1
chart: charts/grpc-manifest
release_name: engine
namespace: engine
{top}
environments:
  devel:
    default: newest
    retention: {{keep: 8}}
    {environment}
    health:
      failures: 1
      grace: 5m
      checks:
        answers:
          command: {{argv: [python3, {program}, '{{version}}', '{{tag}}']}}
  staging:
    promote_from: devel
    default: promoted
  production:
    promote_from: staging
    default: promoted
"""
PROGRAM = """\
import json, os, pathlib, sys
said = json.loads((pathlib.Path(__file__).parent / "said.json").read_text())
assert sys.argv[1:] == [os.environ["RELEASE_VERSION"], os.environ["RELEASE_TAG"]]
status, words = said.get(sys.argv[1], [0, "fine"])
print(words)
sys.exit(status)
"""
BRANCH = "release/devel-downgrade"
HOUR = timedelta(hours=1)


@dataclass
class Guarded:
    """A world whose versions are what a file says."""

    world: World

    def are(self, **said: Any) -> None:
        """`are(v4=(1, "slow"))`: exit status and words of the program; all others are fine."""
        (self.world.path / "said.json").write_text(json.dumps(said))

    def guard(self, *arguments: str, code: int = 0) -> Any:
        (found,) = self.world.json("guard", "devel", *arguments, code=code)
        return found

    def configure(self, top: str = "", environment: str = "") -> None:
        self.world.commit({"release.yaml": config(self.world.path, top, environment)}, "Configure")


def config(path: Path, top: str = "", environment: str = "") -> str:
    return CONFIG.format(program=path / "probe.py", top=top, environment=environment)


def made(path: Path, top: str = "", **said: Any) -> Guarded:
    (path / "probe.py").write_text(PROGRAM)
    guarded = Guarded(World.make(path, tags=TAGS, config=config(path, top)))
    guarded.are(**said)
    guarded.world.now += HOUR
    return guarded


@pytest.fixture
def guarded(tmp_path: Path) -> Guarded:
    return made(tmp_path)


def test_nothing_happens_while_the_default_is_healthy(guarded: Guarded) -> None:
    before = guarded.world.refs()
    found = guarded.guard()
    assert (found["decision"], found["changed"], found["operations"]) == ("stay", False, [])
    assert {one["version"]: one["health"] for one in found["versions"]} == dict.fromkeys(["v2", "v3", "v4"], "healthy")
    assert guarded.world.refs() == before


def test_a_bad_default_goes_back_and_is_quarantined_with_the_evidence(guarded: Guarded) -> None:
    guarded.are(v4=(1, "error rate 0.2"))
    found = guarded.guard()
    assert (found["decision"], found["leave"], found["to"], found["changed"]) == ("downgrade", "v4", "v3", True)
    world = guarded.world
    state = world.state()
    assert (state.default, set(state.live)) == ("v3", {"v2", "v3"})  # the forge merges at once
    assert state.quarantined["v4"].reason == "answers: 1 of 1 attempts failed: error rate 0.2"
    assert "v3: v1.0.3  # the mobile clients" in world.tags()
    (line,) = world.lines()
    assert line.intent.written["evidence"] == [
        {
            "version": "v4", "check": "answers", "health": "unhealthy",
            "reason": "1 of 1 attempts failed: error rate 0.2", "samples": "1", "at": "2026-11-23T13:01:00Z",
        },
        {
            "version": "v3", "check": "answers", "health": "healthy", "reason": "fine", "samples": "1",
            "at": "2026-11-23T13:01:00Z",
        },
    ]  # fmt: skip
    message = world.git("log", "-1", "--format=%B", "main^2", cwd=world.origin)
    assert "- v4 unhealthy by answers: 1 of 1 attempts failed: error rate 0.2" in message
    (pull,) = world.pulls("all")
    assert pull["state"] == "merged"
    assert "<summary>Evidence</summary>" in world.json("pulls", "show", "1")["body"]


def test_the_next_pass_has_nothing_to_do(guarded: Guarded) -> None:
    guarded.are(v4=(1, "bad"))
    guarded.guard()
    with guarded.world.unchanged():
        guarded.world.now += HOUR
        found = guarded.guard()
    assert (found["decision"], found["default"]) == ("stay", "v3")
    assert {one["version"] for one in found["versions"]} == {"v2", "v3"}


def test_the_next_bump_is_added_and_held_until_a_person_clears(guarded: Guarded) -> None:
    guarded.are(v4=(1, "bad"))
    guarded.guard()
    world = guarded.world
    world.release("bump", "devel", "v1.0.5", "--direct")
    assert world.state().default == "v3"
    world.release("clear", "devel", "v4", "--direct")
    world.release("bump", "devel", "v1.0.6", "--direct")
    assert world.state().default == "v6"


def test_a_version_is_left_its_grace(guarded: Guarded) -> None:
    world = guarded.world
    world.release("bump", "devel", "v1.0.5", "--direct")
    guarded.are(v5=(1, "bad"))
    world.now += timedelta(minutes=2)
    found = guarded.guard()
    assert found["decision"] == "stay"
    assert "v5 (v1.0.5) is unknown: answers: judged from" in found["reason"]
    world.now += timedelta(minutes=5)
    assert guarded.guard()["decision"] == "downgrade"


def test_grace_begins_no_earlier_than_a_fast_forward_was_seen(guarded: Guarded) -> None:
    """It keeps the time of a commit that was made an hour before; the guard itself keeps when it saw that."""
    world = guarded.world
    world.release("bump", "devel", "v1.0.5")
    guarded.are(v5=(1, "warming up"))
    world.now += HOUR
    world.git("fetch", "-q", "origin", "release/devel")
    world.git("push", "-q", "origin", "FETCH_HEAD:refs/heads/main", ":refs/heads/release/devel")
    world.landed.clear()
    assert guarded.guard()["decision"] == "stay"
    assert guarded.guard()["decision"] == "stay"
    world.now += timedelta(minutes=6)
    assert guarded.guard()["decision"] == "downgrade"


def test_a_cleared_version_is_left_its_grace_again(guarded: Guarded) -> None:
    guarded.are(v4=(1, "bad"))
    guarded.guard()
    world = guarded.world
    world.release("clear", "devel", "v4", "--direct")
    world.release("default", "devel", "v4", "--direct")
    assert guarded.guard()["decision"] == "stay"


def test_without_auto_merge_it_waits_for_a_person_and_is_not_repeated(tmp_path: Path) -> None:
    guarded = made(tmp_path, "downgrade: {auto_merge: false}", v4=(1, "bad"))
    world = guarded.world
    first = guarded.guard(code=1)
    waits = "pull request #1 waits for a person who merges it (auto_merge: false)"
    assert (first["changed"], first["refused"]) == (True, waits)
    (pull,) = world.pulls()
    assert (pull["head"], pull["state"], world.state().default) == (BRANCH, "open", "v4")
    tip = world.refs()[f"refs/heads/{BRANCH}"]
    second = guarded.guard(code=1)
    assert (second["decision"], second["changed"]) == ("downgrade", False)
    assert "is left already by the downgrade" in second["operations"][0]["notes"][0]
    assert world.refs()[f"refs/heads/{BRANCH}"] == tip
    assert len(world.pulls()) == 1


@pytest.mark.slow
def test_a_closed_pull_request_is_a_no_until_something_changes(tmp_path: Path) -> None:
    guarded = made(tmp_path, "downgrade: {auto_merge: false}", v4=(1, "bad 1"))
    world = guarded.world
    guarded.guard(code=1)
    world.release("pulls", "close", "1")
    guarded.are(v4=(1, "bad 2"))
    found = guarded.guard()
    assert (found["decision"], found["changed"]) == ("downgrade", False)
    assert "was closed; nothing has changed since" in found["operations"][0]["notes"][0]
    assert world.pulls() == []
    world.release("pin", "devel", "v2", "--reason", "x", "--direct")  # the file has changed
    world.now += HOUR
    assert guarded.guard(code=1)["changed"]
    assert len(world.pulls()) == 1


def test_what_a_person_asked_for_is_never_merged_with_nobody_looking(guarded: Guarded) -> None:
    guarded.world.release("downgrade", "devel", "--to", "v2")
    guarded.are(v4=(1, "bad"))
    found = guarded.guard(code=1)
    assert found["refused"] == "pull request #1 waits for a person who merges it: it holds what a person asked for"
    assert guarded.world.state().default == "v4"


@pytest.mark.slow
def test_commits_of_a_person_are_never_merged_with_nobody_looking(tmp_path: Path) -> None:
    guarded = made(tmp_path, "downgrade: {auto_merge: false}", v4=(1, "bad"))
    guarded.guard(code=1)
    guarded.world.commit({"charts/grpc-manifest/more.txt": "mine"}, "More", branch=BRANCH)
    guarded.configure("downgrade: {auto_merge: true}")
    guarded.world.now += HOUR
    found = guarded.guard(code=1)
    assert found["refused"] == "pull request #1 waits for a person who merges it: it holds commits of a person"
    assert guarded.world.file("charts/grpc-manifest/more.txt") == ""


@pytest.mark.slow
def test_a_downgrade_whose_reason_is_gone_is_told_and_held(tmp_path: Path) -> None:
    guarded = made(tmp_path, "downgrade: {auto_merge: false}", v4=(1, "bad"))
    guarded.guard(code=1)
    guarded.are()
    found = guarded.guard(code=1)
    assert found["decision"] == "stay"
    told = "a downgrade waits in pull request #1, and its reason is gone: close it, or merge it by hand"
    assert found["refused"] == told
    guarded.are(v4=(1, "bad"), v3=(1, "bad too"))
    assert "a downgrade waits in pull request #1" in guarded.guard(code=1)["refused"]
    guarded.world.release("pulls", "close", "1")
    guarded.are()
    assert "refused" not in guarded.guard()


@pytest.mark.slow
def test_a_check_that_flaps_does_not_reopen_what_was_closed(tmp_path: Path) -> None:
    guarded = made(tmp_path, "downgrade: {auto_merge: false}")
    world = guarded.world
    text = world.file("release.yaml")
    second = f"        also: {{command: {{argv: [python3, {tmp_path / 'also.py'}]}}}}\n"
    world.commit({"release.yaml": text.replace("  staging:\n", f"{second}  staging:\n")}, "Another check")
    world.now += HOUR
    guarded.are(v4=(1, "bad"))
    also = tmp_path / "also.py"
    fails = "import os, sys; sys.exit(os.environ['RELEASE_VERSION'] == 'v4')"
    also.write_text(fails)
    assert guarded.guard(code=1)["changed"]
    world.release("pulls", "close", "1")
    for text in ("", fails, ""):
        also.write_text(text)
        assert not guarded.guard()["changed"]
    assert world.pulls() == []


@pytest.mark.slow
def test_a_no_holds_for_a_direct_push_too(tmp_path: Path) -> None:
    guarded = made(tmp_path, "downgrade: {publish: direct, auto_merge: false}")
    hook = guarded.world.hook("while read old new ref; do [ $ref = refs/heads/main ] && exit 1; done\nexit 0\n")
    guarded.are(v4=(1, "bad"))
    guarded.guard(code=1)
    guarded.world.release("pulls", "close", "1")
    hook.unlink()
    found = guarded.guard()
    assert (found["decision"], found["changed"]) == ("downgrade", False)
    assert "was closed; nothing has changed since" in found["operations"][0]["notes"][0]
    assert guarded.world.state().default == "v4"


@pytest.mark.slow
def test_checks_that_are_changed_while_they_are_asked_decide_nothing(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    from release_tool import wiring

    guarded.are(v4=(1, "bad"))
    judge = wiring.judge

    def slow(asked: Any, now: Any) -> Any:
        found = judge(asked, now)
        guarded.world.commit({"release.yaml": meanwhile.pop(0)}, "Meanwhile")
        return found

    monkeypatch.setattr(wiring, "judge", slow)
    text = guarded.world.file("release.yaml")
    meanwhile = [
        text.replace("grace: 5m", "grace: 6m"),
        "version: 1\nchart: charts/grpc-manifest\nrelease_name: e\nnamespace: e\nenvironments: {production: }\n",
    ]
    while meanwhile:
        found = guarded.guard()
        assert (found["decision"], found["changed"]) == ("stay", False)
        assert found["reason"] == "its checks were changed while they were asked"


def test_a_guard_that_sees_nothing_says_so(guarded: Guarded) -> None:
    guarded.are(**dict.fromkeys(["v2", "v3", "v4"], (9, "the token has run out")))
    result = guarded.world.release("guard")
    assert "release: warning: devel: the health of v4, the default, is unknown: answers: " in result.err
    assert "the token has run out" in result.err


def test_without_a_forge_the_branch_waits_for_a_person(tmp_path: Path, chat: Chat) -> None:
    guarded = made(tmp_path, "forge: {kind: none}", v4=(1, "bad"))
    found = guarded.guard(code=1)
    assert found["refused"] == f"the branch {BRANCH} waits for a person: the forge has no pull requests"
    assert f"refs/heads/{BRANCH}" in guarded.world.refs()
    assert "from v4 back to v3 (waits for a person)" in chat.messages[0]["text"]


def test_directly_where_that_is_configured(tmp_path: Path) -> None:
    guarded = made(tmp_path, "downgrade: {publish: direct}", v4=(1, "bad"))
    found = guarded.guard()
    assert guarded.world.state().default == "v3"
    assert found["operations"][0]["pull_request"] is None
    assert found["operations"][0]["branch"] == "main"
    message = guarded.world.git("log", "-1", "--format=%B", "main", cwd=guarded.world.origin)
    assert message.startswith("devel: downgrade v1.0.4 to v1.0.3\n")
    assert "- v4 unhealthy by answers: 1 of 1 attempts failed: bad" in message


def test_a_direct_push_that_is_refused_becomes_a_pull_request_and_is_told(tmp_path: Path) -> None:
    guarded = made(tmp_path, "downgrade: {publish: direct, auto_merge: false}")
    guarded.world.hook(
        "while read old new ref; do [ $ref = refs/heads/main ] && echo 'protected branch' && exit 1; done\nexit 0\n"
    )
    guarded.are(v4=(1, "bad"))
    result = guarded.world.release("guard", code=1)
    assert "the server takes no direct push" in result.err
    assert "waits for a person" in result.err
    (pull,) = guarded.world.pulls()
    assert pull["head"] == BRANCH


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"v4": (1, "bad"), "v3": (1, "bad")}, "v3 (v1.0.3), which it would go back to, is unhealthy"),
        ({"v4": (1, "bad"), "v3": (5, "away")}, "v3 (v1.0.3), which it would go back to, is unknown"),
        (dict.fromkeys(["v2", "v3", "v4"], (1, "bad")), "So is every other live version"),
    ],
)
def test_it_halts_and_says_so_where_going_back_would_not_help(
    guarded: Guarded, said: dict[str, Any], reason: str
) -> None:
    guarded.are(**said)
    with guarded.world.unchanged():
        result = guarded.world.release("guard", code=1)
    assert result.out.startswith("devel: halted. v4 (v1.0.4) is unhealthy: ")
    assert reason in result.out
    assert "release: devel: halted: v4 (v1.0.4) is unhealthy" in result.err


@pytest.mark.slow
def test_it_halts_after_so_many_downgrades_within_a_day(tmp_path: Path) -> None:
    guarded = made(
        tmp_path, "downgrade: {publish: direct, max_downgrades: 1}", v4=(1, "bad"), v3=(1, "bad"), v2=(0, "fine")
    )
    world = guarded.world
    world.release("default", "devel", "v3", "--direct")
    world.now += HOUR
    assert guarded.guard()["to"] == "v2"
    world.release("clear", "devel", "v3", "--direct")
    world.release("default", "devel", "v3", "--direct")
    world.now += HOUR
    assert "was moved back once within a day already" in guarded.guard(code=1)["reason"]
    world.now += timedelta(days=1)
    assert guarded.guard()["decision"] == "downgrade"


def test_unknown_moves_nothing(guarded: Guarded) -> None:
    guarded.are(v4=(2, "can't look"))
    with guarded.world.unchanged():
        found = guarded.guard()
    assert found["decision"] == "stay"
    assert "v4 (v1.0.4) is unknown: answers: python3 ended with exit status 2: can't look" in found["reason"]


def test_an_unhealthy_version_that_is_not_the_default_is_quarantined_where_that_is_wanted(tmp_path: Path) -> None:
    guarded = made(tmp_path, v2=(1, "bad"))
    assert not guarded.guard()["changed"]
    guarded.configure("downgrade: {quarantine_unhealthy: true}\npublish: {mode: direct}")
    guarded.world.now += HOUR
    assert guarded.guard()["changed"]
    assert set(guarded.world.state().quarantined) == {"v2"}
    assert guarded.world.state().default == "v4"
    (line,) = [line for line in guarded.world.lines() if line.intent.operation == "quarantine"]
    assert line.intent.written["evidence"][0]["check"] == "answers"


@pytest.mark.slow
def test_a_quarantine_that_was_closed_is_not_proposed_again(tmp_path: Path) -> None:
    guarded = made(tmp_path, "downgrade: {quarantine_unhealthy: true}", v2=(1, "bad"))
    found = guarded.guard(code=1)
    assert found["refused"] == "quarantine v1.0.2 waits in pull request #1 for a person who merges it"
    guarded.world.release("pulls", "close", "1")
    assert not guarded.guard()["changed"]
    assert guarded.world.pulls() == []


def test_a_dry_run_explains_and_writes_nothing(guarded: Guarded) -> None:
    guarded.are(v4=(1, "bad"))
    with guarded.world.unchanged():
        found = guarded.guard("--dry-run")
        assert (found["decision"], found["changed"]) == ("downgrade", True)
        result = guarded.world.release("guard", "--dry-run")
    assert "the default would go from v4 back to v3" in result.out


def test_what_has_no_checks_is_refused_by_name_and_left_out_otherwise(guarded: Guarded) -> None:
    result = guarded.world.release("guard", "staging", code=1)
    assert "staging has no health checks" in result.err
    assert [one["environment"] for one in guarded.world.json("guard")] == ["devel"]
    guarded.world.commit({"release.yaml": "version: 1\nchart: charts/grpc-manifest\nrelease_name: e\nnamespace: e\n"
                          "environments: {devel: , staging: {promote_from: devel}, production: {promote_from: staging}}\n"}, "None")  # fmt: skip
    assert "no environment has health checks" in guarded.world.release("guard", code=1).err


def test_the_table_shows_each_version_with_what_was_said(guarded: Guarded) -> None:
    guarded.are(v3=(1, "slow"), v2=(7, "away"))
    lines = guarded.world.release("guard").out.splitlines()
    assert lines[0] == "devel: v4 (v1.0.4) is healthy: answers: fine"
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "v4 * v1.0.4 healthy answers fine",
        "v3 v1.0.3 unhealthy answers 1 of 1 attempts failed: slow",
        "v2 v1.0.2 unknown answers python3 ended with exit status 7: away",
    ]


# -- what else asks for health ----------------------------------------------------------------------------------------
def test_status_shows_health_on_request(guarded: Guarded) -> None:
    guarded.are(v3=(1, "slow"))
    assert "healthy (answers: fine)" in guarded.world.release("status", "devel", "--health").out
    rows = guarded.world.json("status", "devel", "--health")["environments"][0]["versions"]
    found = {row["version"]: row["health"]["health"] for row in rows}
    assert found == {"v2": "healthy", "v3": "unhealthy", "v4": "healthy"}
    assert "health" not in guarded.world.json("status", "devel")["environments"][0]["versions"][0]


@pytest.mark.slow
def test_only_a_healthy_version_is_promoted_unless_a_person_overrules(guarded: Guarded) -> None:
    world = guarded.world
    world.release("bump", "devel", "v1.0.5", "--direct")
    world.now += HOUR
    for said, word in (((1, "slow"), "unhealthy in devel: answers"), ((2, "away"), "unknown in devel: answers")):
        guarded.are(v5=said)
        outcome = world.json("promote", "devel", "staging", code=1)
        (gate,) = [one for one in outcome["gates"] if one["gate"] == "health"]
        assert gate["verdict"] == "refused"
        assert gate["reason"].startswith(word)
    guarded.are()
    outcome = world.json("promote", "devel", "staging", "--dry-run")
    assert [one["verdict"] for one in outcome["gates"] if one["gate"] == "health"] == ["passed"]
    guarded.are(v5=(1, "slow"))
    outcome = world.json("promote", "devel", "staging", "--force", "--reason", "hotfix")
    assert [one["verdict"] for one in outcome["gates"] if one["gate"] == "health"] == ["forced"]


# -- telling people ---------------------------------------------------------------------------------------------------
@dataclass
class Chat:
    """A server that takes messages."""

    status: int = 200
    messages: list[Any] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    chat = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            chat.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(chat.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    chat.url = f"http://127.0.0.1:{server.server_port}/services/T00/B00/secret-word?key=other-secret"
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RELEASE_WEBHOOK_URL", chat.url)
    yield chat
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_people_are_told_of_a_downgrade_once(guarded: Guarded, chat: Chat) -> None:
    guarded.guard()
    assert chat.messages == []
    guarded.are(v4=(1, "bad <!channel> @all [x](http://a)"))
    guarded.guard()
    guarded.guard()
    (message,) = chat.messages
    assert "@\u200b" in message["text"]
    assert message["text"].startswith("devel: the default goes from v4 back to v3 (moved). v4 (v1.0.4) is unhealthy: ")
    assert "](" not in message["text"]
    assert "<" not in message["text"]


def test_people_are_told_of_a_halt(guarded: Guarded, chat: Chat) -> None:
    guarded.are(v4=(1, "bad"), v3=(1, "bad"))
    guarded.guard(code=1)
    (message,) = chat.messages
    assert message["text"].startswith("devel: release guard halted, a person must decide. v4 (v1.0.4) is unhealthy")
    guarded.guard("--dry-run", code=1)
    assert len(chat.messages) == 1


def test_a_webhook_that_takes_nothing_stops_nothing_and_stays_secret(guarded: Guarded, chat: Chat) -> None:
    chat.status = 410
    guarded.are(v4=(1, "bad"))
    result = guarded.world.release("guard", "-vv")
    assert "warning: RELEASE_WEBHOOK_URL: the webhook did not take the message" in result.err
    assert "secret" not in result.out + result.err
    assert guarded.world.state().default == "v3"


# -- watching ---------------------------------------------------------------------------------------------------------
def test_it_watches_until_it_is_asked_to_stop(guarded: Guarded) -> None:
    command = [sys.executable, "-m", "release_tool", "guard", "--watch", "--interval", "1", "--output", "json", "-C"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    log = guarded.world.path / "watch.log"
    guarded.configure("", "publish: {mode: direct}")
    with log.open("wb") as written:
        watch = subprocess.Popen([*command, str(guarded.world.clone)], stdout=written, stderr=written, env=environ)
        try:
            _wait_for(log, '"decision": "stay"')
            guarded.are(v4=(1, "bad"))
            _wait_for(log, '"decision": "downgrade"')
            (guarded.world.path / "origin.git").rename(guarded.world.path / "away.git")
            _wait_for(log, "release: error: ")
            (guarded.world.path / "away.git").rename(guarded.world.path / "origin.git")
            watch.send_signal(signal.SIGTERM)
            assert watch.wait(30) == 0
        finally:
            watch.kill()
            watch.wait(30)
    text = log.read_text()
    assert text.endswith("release: stopped\n")
    assert "Traceback" not in text
    assert guarded.world.state().default == "v3"


def _wait_for(log: Path, text: str) -> None:
    end = time.monotonic() + 60
    while text not in log.read_text():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)


def test_watching_and_a_dry_run_exclude_each_other(guarded: Guarded) -> None:
    said = guarded.world.release("guard", "--watch", "--dry-run", code=2).err
    assert "--watch and --dry-run exclude each other" in said
    assert guarded.world.release("guard", "--watch", "--interval", "0", code=2).err
