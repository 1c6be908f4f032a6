"""The scripts that complete commands, options, environments and services, in real shells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from terminal import on_terminal
from world import run

CONFIG = """\
version: 1
chart: charts/engine   # services: none here
services:
    engine: {}
    "search": {path: x}
environments:
  # devel-old: {}
  devel:
    default: newest
    retention: {keep: 4}
  staging: {promote_from: devel}
  'production':
    promote_from: staging
publish:
  mode: pull_request
"""
NEEDED = "install the package {} (apt-get install {})"


@cache
def script(shell: str) -> str:
    said = run("completion", shell)
    assert said.code == 0, said.err
    return said.out


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "team" / "app" / "charts").mkdir(parents=True)
    (tmp_path / "team" / "app" / "release.yaml").write_text(CONFIG)
    (tmp_path / ".zfunc").mkdir()
    (tmp_path / ".zfunc" / "_release").write_text(script("zsh"))
    (tmp_path / "release.bash").write_text(script("bash"))
    told = "release() { echo \"GOT:$*:\"; exit; }\nPS1='READY> '\n"
    (tmp_path / ".bashrc").write_text(f"source ~/release.bash\n{told}")
    (tmp_path / ".zshrc").write_text(f"fpath=(~/.zfunc $fpath)\nautoload -Uz compinit; compinit -u\n{told}")
    return tmp_path


LINES = [
    ("expl\t prod\t", "explain production"),
    ("promote de\t st\t --dry\t", "promote devel staging --dry-run"),
    ("status de\t st\t --heal\t", "status devel staging --health"),
    ("--output j\t hist\t --serv\tsea\t", "--output json history --service search"),
    ("pulls mer\t", "pulls merge"),
]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_tab_completes_commands_options_and_names(shell: str, home: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(NEEDED.format(shell, shell))
    environ = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    command = [shell, "-i"]
    for typed, meant in LINES:
        keys = f"release {typed}\r"
        _, shown = on_terminal(command, home / "team" / "app" / "charts", environ, keys=keys, until="READY>")
        assert re.findall(r"GOT:(.*?) *:", shown) == [meant], shown


def test_fish_completes_the_same(home: Path) -> None:
    fish = shutil.which("fish")
    if fish is None:
        pytest.skip(NEEDED.format("fish", "fish"))
    (home / "release.fish").write_text(script("fish"))
    asked = {
        "release expl": "explain",
        "release explain prod": "production",
        "release promote devel st": "staging",
        "release status --he": "--health",
        "release --output j": "json",
        "release history --service ": "engine search",
        "release status ": "devel production staging",
        "release pulls me": "merge",
    }
    for line, meant in asked.items():
        done = subprocess.run(
            [fish, "-N", "-c", f"source {home}/release.fish; complete -C '{line}'"],
            cwd=home / "team" / "app" / "charts",
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )
        found = sorted(one.partition("\t")[0] for one in done.stdout.splitlines())
        assert [one for one in found if one != "--help"] == meant.split(), line


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_tab_starts_no_python(shell: str) -> None:
    commands = re.sub(r"(?m)^\s*#.*|-d '[^']*'", "", script(shell))
    assert not re.search(r"\bpython|\$\(release ", commands)
    program = shutil.which(shell)
    if program is not None:
        subprocess.run([program, "-n"], input=script(shell), text=True, check=True)


def test_outside_of_a_repository_nothing_is_offered_and_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "release.bash").write_text(script("bash"))
    asked = 'source release.bash; COMP_WORDS=(release status ""); COMP_CWORD=2; _shtab_release; echo "${COMPREPLY[*]}"'
    done = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_another_shell_is_refused_with_those_that_are_possible() -> None:
    said = run("completion", "powershell")
    assert said.code == 2
    assert "bash" in said.err
