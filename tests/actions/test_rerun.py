"""How `action.yml` runs a command: arguments, tries, versions, identity, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import World

from release_tool import __version__
from release_tool.actions import rerun
from release_tool.errors import ReleaseError, UsageError


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def tries(statuses: list[int], minutes: float = 10) -> tuple[int, Time, list[str], int]:
    said: list[str] = []
    clock = Time()
    left = iter(statuses)
    made = 0

    def run() -> int:
        nonlocal made
        made += 1
        return next(left, statuses[-1])

    status = rerun.Tries(run, minutes * 60, lambda: clock.now, clock.sleep, said.append).until_done()
    return status, clock, said, made


@pytest.mark.parametrize("status", [0, 1, 2, 3, 130])
def test_any_other_status_than_75_is_final(status: int) -> None:
    assert tries([status])[0] == status
    assert tries([status])[3] == 1


def test_a_command_that_something_outside_kept_from_its_work_runs_again_later_and_later() -> None:
    status, clock, _, made = tries([75, 75, 75, 0])
    assert (status, made) == (0, 4)
    for slept, wanted in zip(clock.slept, (5, 10, 20), strict=True):
        assert 0.75 * wanted <= slept <= 1.25 * wanted


def test_it_ends_with_75_before_the_time_is_over() -> None:
    status, clock, said, made = tries([75])
    assert status == 75
    assert clock.now < 600
    assert made > 8
    assert said[-1].startswith("::error title=release::something outside was down or busy for 10 minutes%0A")
    assert max(clock.slept) <= 75


def test_without_time_it_is_tried_once() -> None:
    assert tries([75], 0)[3] == 1


def test_arguments_come_one_a_line() -> None:
    given = {
        "RELEASE_COMMAND": " bump ",
        "RELEASE_ARGUMENTS": "\n  --reason=two words, 'quoted'\r\n\n\t--\ndevel\nv1\n",
    }
    assert rerun.arguments(given) == ["bump", "--reason=two words, 'quoted'", "--", "devel", "v1"]
    assert rerun.arguments({"RELEASE_COMMAND": "cleanup"}) == ["cleanup"]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_a_json_text_is_one_argument_whatever_is_in_it(values: list[str]) -> None:
    lines = "\n".join(json.dumps(f"--x={value}", ensure_ascii=False) for value in values)
    assert rerun.arguments({"RELEASE_COMMAND": "bump", "RELEASE_ARGUMENTS": lines})[1:] == [
        f"--x={one}" for one in values
    ]


@pytest.mark.parametrize("line", ['"open', '"a" "b"', '"a\\u0000"'])
def test_a_line_that_only_begins_as_a_json_text_is_refused(line: str) -> None:
    with pytest.raises(UsageError, match="no JSON text"):
        rerun.arguments({"RELEASE_COMMAND": "bump", "RELEASE_ARGUMENTS": line})


@pytest.mark.parametrize("command", ["", "--version", "bump devel", "bump;id", "-C"])
def test_what_is_no_command_is_refused(command: str) -> None:
    with pytest.raises(UsageError, match="`command` is no command"):
        rerun.arguments({"RELEASE_COMMAND": command})


@pytest.mark.parametrize(("given", "seconds"), [("", 600), ("0", 0), ("0.5", 30), (" 20 ", 1200)])
def test_the_timeout_is_in_minutes(given: str, seconds: float) -> None:
    assert rerun.seconds({"RELEASE_TIMEOUT": given}) == seconds


@pytest.mark.parametrize("given", ["ten", "-1", "1e3", "9999", "nan", "10m"])
def test_another_timeout_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="no number of minutes"):
        rerun.seconds({"RELEASE_TIMEOUT": given})


def test_another_version_than_the_workflow_wants_changes_nothing() -> None:
    rerun.check_version({})
    rerun.check_version({"RELEASE_VERSION": __version__})
    with pytest.raises(ReleaseError, match="the workflow wants 99"):
        rerun.check_version({"RELEASE_VERSION": "99.0.0"})


def test_a_job_commits_as_github_actions_where_nobody_else_is_named() -> None:
    found = rerun.identity({}, lambda: False)
    assert set(found.values()) == {"github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com"}
    assert rerun.identity({}, lambda: True) == {}
    assert rerun.identity({"GIT_COMMITTER_NAME": "octo"}, lambda: False) == {}


# -- for real ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def start(world: World, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts the module as the action does."""

    def start(command: str, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        for name in ("summary", "output"):
            (tmp_path / name).touch()
        job = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "output")}
        job |= {"GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(tmp_path), "RELEASE_TIMEOUT": "0"}
        asked = {"RELEASE_COMMAND": command, "RELEASE_ARGUMENTS": "\n".join(arguments)}
        module = [sys.executable, "-I", "-m", "release_tool.actions.rerun"]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(module, cwd=world.clone, env={**os.environ, **job, **asked, **environ}, **pipes)

    return start


def test_a_result_stands_between_marks_that_stop_commands(
    start: Callable[..., subprocess.Popen[str]], world: World
) -> None:
    world.commit({"environments/devel/values.yaml": 'replicaCount: 1\npodAnnotations:\n  x: "a"\n'}, "Values")
    out, _ = start("render", "devel").communicate(timeout=60)
    first, mark, *rest = out.splitlines()
    assert first == "release render devel"
    assert mark.startswith("::stop-commands::")
    assert rest[-1] == f"::{mark.removeprefix('::stop-commands::')}::"
    assert len(mark) == len("::stop-commands::") + 32


def test_summary_and_outputs_are_those_of_the_last_try_alone(
    start: Callable[..., subprocess.Popen[str]], world: World, tmp_path: Path
) -> None:
    process = start("bump", "--repo=http://127.0.0.1:9/acme/shop", "devel", "v1.0.5", RELEASE_TIMEOUT="0.15")
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 75
    assert out.count("release: error: the remote can't be reached") == 2
    assert "release: once more in" in out
    assert (tmp_path / "summary").read_text("utf-8").count("### release bump failed") == 1


def test_a_failure_before_the_command_runs_is_annotated(start: Callable[..., subprocess.Popen[str]]) -> None:
    process = start("bump", RELEASE_TIMEOUT="soon")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out.startswith("::error title=release::the input `timeout` is no number of minutes: 'soon'%0Anext: ")


def test_a_cancelled_job_ends_the_command(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    process = start("bump", "--repo=http://127.0.0.1:9/acme/shop", "devel", "v1.0.5", RELEASE_TIMEOUT="10")
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        assert process.stdout is not None
        if "once more" in process.stdout.readline():
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


def test_nothing_of_the_checkout_is_imported(start: Callable[..., subprocess.Popen[str]], world: World) -> None:
    for name in ("release_tool/__init__.py", "yaml.py", "requests.py"):
        (world.clone / name).parent.mkdir(exist_ok=True)
        (world.clone / name).write_text("raise SystemExit('imported')\n", encoding="utf-8")
    out, _ = start("status").communicate(timeout=60)
    assert "imported" not in out
    assert "v1.0.4" in out
