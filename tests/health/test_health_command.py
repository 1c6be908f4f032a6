"""What a program of one's own says of a version, and that it never outlives its time."""

from __future__ import annotations

import os
import shlex
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from points import AT_ONCE, NOW, health, soon, subject

from release_tool.config.health import CommandCheck
from release_tool.health.command import CommandSource
from release_tool.model.health import Verdict
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN

ENVIRON = {"PATH": os.environ["PATH"]}


def run(*argv: str, environ: dict[str, str] | None = None, left: float = 60, **settings: Any) -> Verdict:
    source = CommandSource("own", CommandCheck(argv), health(**settings), environ or ENVIRON, AT_ONCE)
    try:
        return source.judge(subject(), NOW, soon(left))
    finally:
        source.close()


def shell(script: str, **settings: Any) -> Verdict:
    return run("sh", "-c", script, **settings)


def until(done: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + 20
    while not (found := done()):
        assert time.monotonic() < end, what
        time.sleep(0.02)
    return found


def gone(process: int) -> bool:
    """Whether it has ended; a zombie has, whoever was to wait for it."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as found:
            return found.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(
    ("script", "said", "reason"),
    [
        ("exit 0", HEALTHY, "exit status 0"),
        ("echo all 3 answer", HEALTHY, "all 3 answer"),
        ("echo first; echo second", HEALTHY, "first"),
        ("exit 1", UNHEALTHY, "2 of 2 attempts failed: exit status 1"),
        ("echo too slow >&2; exit 1", UNHEALTHY, "2 of 2 attempts failed: too slow"),
        ("exit 2", UNKNOWN, "sh ended with exit status 2"),
        ("echo no route; exit 75", UNKNOWN, "sh ended with exit status 75: no route"),
        ("kill -9 $$", UNKNOWN, "sh ended with signal 9"),
        ("printf '\\033[31mred\\377\\n'", HEALTHY, "[31mred�"),
        ("cat; exit $?", HEALTHY, "exit status 0"),  # standard input is at its end
    ],
)
def test_its_exit_status_is_the_verdict_and_its_first_line_the_reason(script: str, said: str, reason: str) -> None:
    found = shell(script, failures=2)
    assert (found.health, found.reason) == (said, reason)


def test_a_program_that_recovers_is_unsettled(tmp_path: Path) -> None:
    found = shell(f"cd {shlex.quote(str(tmp_path))}; test -e seen || {{ touch seen; echo warming up; exit 1; }}")
    assert (found.health, found.unsettled) == (UNKNOWN, True)
    assert found.reason == "unsettled: 1 of 2 attempts failed: warming up"


def test_it_is_told_which_version_and_no_shell_reads_its_arguments() -> None:
    script = "import json, os, sys; print(sys.argv[1:], *(f'{k}={v}' for k, v in sorted(os.environ.items()) if k.startswith('RELEASE_')))"
    found = run(sys.executable, "-c", script, "{version}/{tag} {namespace}", "$(id); *")
    assert found.reason == (
        "['v5/1.0.5 shop', '$(id); *'] RELEASE_ENVIRONMENT=prod RELEASE_NAME=engine RELEASE_NAMESPACE=shop "
        "RELEASE_SERVICE= RELEASE_TAG=1.0.5 RELEASE_VERSION=v5"
    )


def test_it_gets_no_secret_of_the_tool() -> None:
    secrets = {
        "GITHUB_TOKEN": "a", "GH_TOKEN": "a", "RELEASE_PROMETHEUS_TOKEN": "a", "RELEASE_WEBHOOK_URL": "a",
        "RELEASE_REGISTRY_PASSWORD": "a", "RELEASE_ARGUMENTS": "a", "DOCKER_AUTH_CONFIG": "{}", "AWS_SECRET_ACCESS_KEY": "a", "ACTIONS_RUNTIME_URL": "a",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_VALUE_0": "a", "deploy_private_key": "a", "SSH_AUTH_SOCK": "a",
    }  # fmt: skip
    found = shell("env | cut -d= -f1 | sort | tr '\\n' ' '", environ={**ENVIRON, **secrets, "HOME": "/", "KEPT": "1"})
    names = set(found.reason.split()) - {"_", "PWD", "SHLVL", "OLDPWD"}
    assert names == {
        "HOME", "KEPT", "PATH", "RELEASE_ENVIRONMENT", "RELEASE_NAME", "RELEASE_NAMESPACE", "RELEASE_SERVICE",
        "RELEASE_TAG", "RELEASE_VERSION",
    }  # fmt: skip


def test_what_can_not_be_started_can_not_tell(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\nexit 0\n")
    assert run(str(tmp_path / "none")).reason == f"{tmp_path}/none can't be started: No such file or directory"
    assert run(str(plain)).reason == f"{plain} can't be started: Permission denied"
    plain.chmod(plain.stat().st_mode | stat.S_IXUSR)
    assert run(str(plain)).health == HEALTHY


def test_it_is_ended_with_all_its_children_when_its_time_is_over(tmp_path: Path) -> None:
    child = tmp_path / "child"
    found = shell(f"trap '' TERM; sleep 300 & echo $! > {shlex.quote(str(child))}; wait", timeout=1)
    assert (found.health, found.reason) == (UNKNOWN, "sh did not end in time")
    assert until(lambda: gone(int(child.read_text())), "the child ends")


def test_what_it_leaves_behind_is_ended_too(tmp_path: Path) -> None:
    child = tmp_path / "child"
    found = shell(f"sleep 300 & echo $! > {shlex.quote(str(child))}; echo fine")
    assert (found.health, found.reason) == (HEALTHY, "fine")
    assert until(lambda: gone(int(child.read_text())), "the child ends")


def test_no_program_outlives_the_pass(tmp_path: Path) -> None:
    """The pass may be over, or broken off, while a program still has time."""
    started = tmp_path / "started"
    script = f"echo $$ > {shlex.quote(str(started))}.new; mv {shlex.quote(str(started))}.new {shlex.quote(str(started))}; sleep 300"
    source = CommandSource("own", CommandCheck(("sh", "-c", script)), health(timeout=100), ENVIRON, AT_ONCE)
    said: list[Verdict] = []
    thread = threading.Thread(target=lambda: said.append(source.judge(subject(), NOW, soon(100))), daemon=True)
    thread.start()
    until(started.exists, "it starts")
    source.close()
    thread.join(20)
    assert gone(int(started.read_text()))
    assert said[0].reason == f"sh ended with signal {signal.SIGKILL.value}"
    assert source.judge(subject(), NOW, soon()).reason == "sh can't be started: the pass is over"


def test_more_output_than_anybody_reads_does_not_stop_it() -> None:
    found = shell("echo begin; head -c 3000000 /dev/zero | tr '\\0' 'x'; exit 1", failures=1)
    assert (found.health, found.reason) == (UNHEALTHY, "1 of 1 attempts failed: begin")


def test_one_endless_line_is_cut() -> None:
    found = shell("head -c 3000000 /dev/zero | tr '\\0' 'x'")
    assert found.reason == "x" * 300 + "…"


@pytest.mark.skipif(not os.path.exists("/usr/bin/setsid"), reason="there is no setsid: apt-get install util-linux")
def test_what_has_left_its_session_does_not_hold_up_the_verdict(tmp_path: Path) -> None:
    child = tmp_path / "child"
    script = f"setsid sh -c 'echo $$ > {shlex.quote(str(child))}; exec sleep 20' & while ! test -s {shlex.quote(str(child))}; do sleep 0.05; done; echo fine"
    try:
        assert shell(script).reason == "fine"
    finally:
        os.kill(int(child.read_text()), signal.SIGKILL)
