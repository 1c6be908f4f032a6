"""The token: where it must not show, and what is said of one that will not do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from threading import Event, Thread

import pytest
from faulty_proxy import FOR_EVER
from standin import faults

from conformance.workshop import Workshop
from release_tool.wiring import utc_now


class Watch:
    """Looks at the command lines of all processes, and at all files below a directory, until it is told to stop."""

    def __init__(self, secrets: Iterable[str], directory: Path) -> None:
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

    def _look(self, paths: Iterable[Path]) -> None:
        try:
            for path in paths:
                try:
                    content = path.read_bytes()
                except OSError:  # it has ended, or gone
                    continue
                self.seen += [f"{path}" for secret in self._secrets if secret in content]
        except OSError:  # a directory that went meanwhile
            return


def said_by(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=200)
    return out + err


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc: Linux")
def test_the_token_shows_in_no_command_line_no_file_and_no_word(workshop: Workshop, tmp_path: Path) -> None:
    token = workshop.bench.token
    if not token:
        return
    workshop.forge.find_open("release/devel", "main")
    workshop.world.now = utc_now()  # that of other processes
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    traces = ("GIT_TRACE_CURL", "GIT_CURL_VERBOSE", "GIT_TRACE")
    environ = {**os.environ, "TMPDIR": str(temporary), **dict.fromkeys(traces, "1")}
    with Watch(["a-secret-to-be-seen"], temporary) as watch:  # it would see one
        subprocess.run([sys.executable, "-c", "import time; time.sleep(1)", "a-secret-to-be-seen"], check=True)
    assert watch.seen
    shown = {one.login.split()[-1] for one in workshop.proxy.asked if one.login}
    assert shown, "the token is for the API and for git"
    secrets = {token, *shown}
    with Watch(secrets, temporary) as watch:
        good = workshop.start("bump", "devel", "v1.0.5", "-vv", environ=environ)
        said = said_by(good)
        assert good.returncode == 0, said
        assert "git --git-dir=" in said
        said += said_by(workshop.start("doctor", "-vv", environ=environ))
        workshop.proxy.fault(faults.status(500, f"what is {token}?"), times=FOR_EVER)
        bad = workshop.start("bump", "devel", "v1.0.6", "-vv", "--output", "json", environ=environ)
        said += said_by(bad)
        assert bad.returncode == 75, said
    assert watch.looks > 3
    assert watch.seen == []
    secrets |= {one.login.split()[-1] for one in workshop.proxy.asked if one.login}
    assert [secret for secret in secrets if secret in said] == []
    log = workshop.world.git("log", "-p", "--all", cwd=workshop.world.origin)
    assert [secret for secret in secrets if secret in log] == []


def given(workshop: Workshop, monkeypatch: pytest.MonkeyPatch, token: str) -> list[str]:
    """The environment holds another token, or (empty) none; the variables that held the first."""
    names = [name for name, value in workshop.bench.environ.items() if value == workshop.bench.token]
    assert names
    for name in names:
        monkeypatch.setenv(name, token) if token else monkeypatch.delenv(name)
    return names


@pytest.mark.parametrize(
    "kind", ["wrong", *(pytest.param(one, marks=pytest.mark.slow) for one in ("none", "no token at all", "only reads"))]
)
def test_a_token_that_will_not_do_is_named_and_nothing_is_pushed(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    token = workshop.bench.token
    if not token or (kind == "only reads" and not workshop.bench.reader):
        return
    other = {
        "wrong": f"{token[:-4]}0000",
        "none": "",
        "no token at all": "two words",
        "only reads": workshop.bench.reader,
    }
    names = given(workshop, monkeypatch, other[kind])
    before = workshop.world.refs()
    done = workshop.bump("v1.0.5", code=1)
    assert (workshop.world.refs(), workshop.pulls()) == (before, [])
    assert "next: " in done.err
    assert not other[kind] or other[kind] not in done.err
    assert any(name in done.err for name in names), done.err


def test_a_token_goes_to_no_server_that_only_the_repository_names(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no variable names the server, `release.yaml` alone doesn't make it one that gets the token."""
    token = workshop.bench.token
    if not token:
        return
    for name, value in workshop.bench.environ.items():
        if value != token:
            monkeypatch.delenv(name)
    config = workshop.world.file("release.yaml")
    workshop.bench.push("main", {"release.yaml": f"{config}forge: {{kind: {workshop.can.kind}}}\n"})
    before = len(workshop.proxy.asked)
    workshop.bump("v1.0.5", code=1)
    assert [one.login for one in workshop.proxy.asked[before:] if one.login] == []
