"""What reaches a terminal: no escape sequence of a hook, a server, a file or an error; and what `--help` shows."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import WITH_DEFAULT, World

from release_tool import cli, safe_text
from release_tool.cli import errors, parser
from release_tool.cli.call import Run, say
from release_tool.errors import BadValue, FileProblems, Problem, ReleaseError, ValuesRefused

ACTIVE = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x85\u2028\u202eevil\r"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What `-v` sets for the process is gone after a test."""
    yield
    logger = logging.getLogger("release_tool")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


def harmless(text: str) -> bool:
    return not ACTIVE.search(text)


def printed(call: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        call()
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("arguments", [(), ("--direct",), ("--output", "json"), ("--direct", "-v")])
def test_what_a_hook_says_moves_no_cursor(arguments: tuple[str, ...], tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT)
    world.hook("printf 'no: \\033[2J\\033]0;owned\\007 \\302\\233 \\342\\200\\256\\n' >&2\nexit 1\n")
    said = world.release("bump", "devel", "v1.0.5", *arguments, code=None)
    assert said.code in (1, 75)
    assert "owned" in said.err
    assert harmless(said.out + said.err)


def test_what_the_tag_file_says_moves_no_cursor(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    text = (
        "image:\n  default: v4\n  tag:\n    v3: v1.0.3\n    v4: v1.0.4  # why \u202e\n"
        '  pinned:\n    v3: {reason: "a\\e[2J\\u202e\\x9b\\nb"}\n'
    )
    world.commit({"environments/devel/image_tag.yaml": text}, "Say something")
    calls = [("status",), ("history",), ("check",), ("diff", "devel"), ("pulls", "list")]
    calls += [("bump", "devel", "v1.0.5", "--dry-run"), ("bump", "devel", "v1.0.5"), ("pulls", "show", "1")]
    for arguments in calls:
        for form in ("text", "json"):
            said = world.release(*arguments, "--output", form, code=None)
            assert harmless(said.out + said.err), arguments
    found = world.json("status")["environments"][0]["versions"]
    assert "\x1b" in found[0]["pin"]["reason"], "the JSON holds it, as an escape"


def test_manifests_are_data_for_other_programs(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    template = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: odd}\ndata: {text: "a\u202eb"}\n'
    world.commit({"charts/grpc-manifest/templates/odd.yaml": template}, "Something odd")
    assert "\u202e" in world.release("render", "devel").out
    assert harmless(world.release("render", "devel", "--output", "json").out)


ERRORS = st.one_of(
    st.builds(lambda a, b, c, d: ReleaseError(a, where=b, cause=c, hint=d), *[st.text()] * 4),
    st.builds(lambda a, b: FileProblems(a, [Problem(1, 1, b, a), Problem(2, 1, a, b, a)]), *[st.text()] * 2),
    st.builds(lambda a, b: ValuesRefused(a, [BadValue(None, b)], where=b), *[st.text()] * 2),
    st.builds(OSError, st.integers(1, 31), st.text(), st.text()),
    st.builds(RuntimeError, st.text()),
)


@given(st.text() | st.just(EVIL), ERRORS)
def test_no_printing_function_lets_a_control_character_through(text: str, error: Exception) -> None:
    def everything() -> None:
        for form in ("text", "json"):
            run = Run(argparse.Namespace(output=form, command="demo"), lambda: NOW, cli.main)
            run.show(lambda: {"said": text, text: [text]}, lambda: text)
            run.say(text)
        say(text)
        errors.print_failure(error, 0, "status")
        errors.print_failure(error, 1, "status")

    out, err = printed(everything)
    assert harmless(out)
    assert harmless(err)


@given(st.text())
def test_json_with_escapes_says_the_same(text: str) -> None:
    written = safe_text.in_json(json.dumps({text: text}, indent=2, ensure_ascii=False))
    assert harmless(written)
    assert json.loads(written) == {text: text}


@given(st.text())
def test_texts_without_control_characters_stay_as_they_are(text: str) -> None:
    assert harmless(safe_text.lines(text))
    assert len(safe_text.lines(text)) == len(text)
    assert safe_text.lines(text) == text or not harmless(text) or re.search("[\ufff9-\ufffb]", text)
    assert "\n" not in safe_text.one_line(text)
    assert safe_text.one_line("👩\u200d🚀 שלום é") == "👩\u200d🚀 שלום é"


def test_a_log_line_and_a_traceback_move_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    errors.log(2)
    logger = logging.getLogger("release_tool")
    logger.handlers[0].setStream(sys.stderr)  # type: ignore[attr-defined]
    logger.info("git says %s", EVIL)
    try:
        raise RuntimeError(EVIL)
    except RuntimeError as error:
        errors.print_failure(error, 1, "bump")
    said = capsys.readouterr().err
    assert said.count("evil") == 3
    assert harmless(said)


@pytest.mark.parametrize("command", parser.MODULES)
def test_help_shows_two_examples_that_the_command_line_takes(command: str) -> None:
    out, _ = printed(lambda: cli.main([command, "--help"]))
    examples = [line.strip() for line in out.partition("\nexamples:\n")[2].splitlines()]
    assert len(examples) == 2
    for example in examples:
        words = shlex.split(example)
        assert words[:2] == ["release", command]
        assert parser.parse(words[1:]).command == command


def test_help_groups_the_commands_in_lines_of_a_terminal() -> None:
    out, _ = printed(lambda: cli.main(["--help"]))
    places = [out.index(f"\n{title}:\n") for title in parser.GROUPS]
    assert places == sorted(places)
    assert all(re.search(rf"^  {command} +\w", out, re.MULTILINE) for command in parser.MODULES)
    assert max(map(len, out.splitlines())) <= 80


# -- options before the command, and failures as JSON
@pytest.mark.parametrize("before", [[], ["-v"], ["--output", "json"], ["--output=json", "-v"]])
def test_shared_options_stand_before_or_after_the_command(before: list[str]) -> None:
    found = [
        parser.parse([*before, "-C", "x", "--service", "a", "status", "devel"]),
        parser.parse(["status", "devel", "--service", "a", *before, "-C", "x"]),
        parser.parse(["-C", "y", "status", "-C", "x", "devel", "--service=a", *before]),
    ]
    assert found[0] == found[1] == found[2]
    assert (found[0].directory, found[0].repo, found[0].config) == ("x", None, "release.yaml")
    pulls = parser.parse(["--repo", "x", "pulls", "--service", "a", "list", "--output", "json"])
    assert (pulls.repo, pulls.service, pulls.output, pulls.verbose) == ("x", "a", "json", 0)


@pytest.mark.parametrize(("arguments", "code"), [
    (["frob", "--output", "json"], 2), (["--output=json"], 2), (["status", "--output", "json", "--nope"], 2),
    (["status", "--output", "json", "-C", "/nowhere"], 1), (["bump", "devel", "a/b", "--output", "json"], 2),
])  # fmt: skip
def test_a_failure_is_json_too_where_that_is_asked_for(arguments: list[str], code: int) -> None:
    found: list[int] = []
    out, err = printed(lambda: found.append(cli.main(arguments)))
    assert found == [code]
    error = json.loads(out)["error"]
    assert error.keys() == {"what", "where", "cause", "hint", "kind", "page"}
    assert f"release: error: {error['what']}\n" in err


def test_a_bug_is_json_too_and_a_result_that_was_printed_stays_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(run: Run) -> int:
        if run.arguments.wanted:
            run.show(list, str)
        raise RuntimeError("\n::error::x ##[y")

    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for wanted in ("", "v1"):
        given = argparse.Namespace(
            run=run, command="history", verbose=0, output="json", wanted=wanted, color="auto", no_pager=False
        )
        monkeypatch.setattr(cli, "parse", lambda _, given=given: given)
        out, err = printed(lambda: cli.main([]))
        data = json.loads(out)
        assert data == [] if wanted else data["error"]["what"] == "unexpected error: RuntimeError: \n::error::x ##[y"
        assert "##[" not in out + err
        assert "\n::" not in err


def test_a_result_that_cant_be_made_is_json_too(monkeypatch: pytest.MonkeyPatch) -> None:
    given = argparse.Namespace(
        run=lambda run: run.show(lambda: 1 // 0, str),
        command="x",
        verbose=0,
        output="json",
        color="auto",
        no_pager=False,
    )
    monkeypatch.setattr(cli, "parse", lambda _: given)
    out, _ = printed(lambda: cli.main([]))
    assert json.loads(out)["error"]["kind"] == "bug"


def test_one_environment_that_fails_stands_beside_the_others(world: World) -> None:
    world.commit({"environments/devel/history.jsonl": "{\n"}, "Break it")
    world.broken.add("devel")
    said = {one["environment"]: one for one in world.release("cleanup", "--output", "json", code=1).data}
    assert "is not JSON" in said["devel"]["error"]["what"]
    assert said["staging"]["changed"] is False


@pytest.mark.parametrize("command", [["history"], ["status"], ["history", "--output", "json"], ["status", "--output", "json"],
                                     ["render", "devel"], ["diff", "devel"], ["check", "--ref", "release/devel"]])  # fmt: skip
def test_standard_output_gives_the_runner_of_a_job_no_command(
    command: list[str], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "##[error]x ::error::y"
    notes = "a: |\n  x\n  ::set-output name=a::b\n  ##[add-mask]\n"
    template = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  " + notes.replace("\n", "\n  ")
    world.commit({"charts/grpc-manifest/templates/x.yaml": template}, evil)
    world.land("pin", "devel", "v4", "--reason", evil)
    world.release("bump", "devel", "v1.0.5", "--reason", evil)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = world.release(*command)
    assert said.out
    for line in (said.out + said.err).splitlines():
        assert "##[" not in line
        assert not line.lstrip().startswith("::") or re.match(r"::(warning|notice)( |::)", line), line


@pytest.mark.parametrize("command", ["check", "history"])
def test_a_reader_that_goes_away_makes_no_failure_a_success(command: str, world: World) -> None:
    if command == "check":
        world.broken.add("devel")
        world.commit({"environments/devel/image_tag.yaml": "image: {tag: [1.0]}\n"}, "Break it")
        world.git("pull", "-q", cwd=world.clone)
    else:
        line = '{"schema": 1, "id": "%d", "at": "2026-11-20T12:00:00Z", "operation": "cleanup", "arguments": {}, "changes": []}\n'
        world.commit({"environments/devel/history.jsonl": "".join(line % n for n in range(2000))}, "Live long")
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [sys.executable, "-m", "release_tool", command, "-C", str(world.clone)],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (ran.returncode, b"Traceback" in ran.stderr) == (141, False)


@pytest.mark.parametrize("columns", ["60", "80"])
def test_help_is_as_wide_as_the_terminal_and_begins_with_the_commands(
    columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    out, _ = printed(lambda: cli.main(["--help"]))
    assert max(map(len, out.splitlines())) <= int(columns)
    assert (
        out.index("each day") < out.index("by hand") < out.index("looking") < out.index("set-up") < out.index("--repo")
    )
    for command in parser.MODULES:
        out, _ = printed(lambda command=command: cli.main([command, "--help"]))
        told = [line for line in out.splitlines() if not line.startswith("  release ")]
        assert max(map(len, told)) <= int(columns), command


def test_the_version_names_what_the_tool_works_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    out, _ = printed(lambda: cli.main(["--version"]))
    assert re.fullmatch(r"release \d\S+ \(.*helm.*, git \d[\d.]+, Python 3\.\d+\)\n", out, re.IGNORECASE), out
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("release_tool.helm.embedded_there", lambda: False)
    assert "(no Helm engine, no git, Python 3." in printed(lambda: cli.main(["--version"]))[0]
    (tmp_path / "helm").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "helm").chmod(0o755)
    assert "(no Helm engine: " in printed(lambda: cli.main(["--version"]))[0]
