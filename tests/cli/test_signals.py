"""Signals end a command with their status, without a traceback, and nothing temporary is left, whenever they come."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from world import World

# Sends a signal to itself at chosen ones of the moments that Python tells: a file is opened, made or removed, a module is
# imported, a program is started. One process for each moment, forked before anything is imported.
KILLS = """
import os, shutil, sys
number, twice, directory = int(sys.argv[1]), int(sys.argv[2]), os.environ["TMPDIR"]
sys.argv[1:] = sys.argv[3:]
EVENTS = {"os.mkdir", "os.rmdir", "os.remove", "open", "shutil.rmtree", "subprocess.Popen", "os.scandir", "import"}

def run(moments, told=None):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(os.open(directory + ".err", os.O_CREAT | os.O_WRONLY | os.O_APPEND), 2)
    from release_tool.__main__ import run
    seen = [0]
    def hook(event, _):
        if event in EVENTS:
            seen[0] += 1
            if seen[0] in moments:
                os.kill(os.getpid(), number)
    sys.addaudithook(hook)
    if told is not None:
        leave = os._exit
        os._exit = lambda status: (os.write(told, b"%d" % seen[0]), leave(status))
    run()

read, write = os.pipe()
assert run((), write) == 0
count = int(os.read(read, 9))
statuses, left = set(), set()
for moment in range(1 + twice, count - 10, count // 7):  # at the last ones the command has ended
    statuses.add(run({moment, moment + twice}))
    left |= set(os.listdir(directory))
print(count > 50, statuses, left)
"""


def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "temporary").mkdir()
    return {**os.environ, "TMPDIR": str(tmp_path / "temporary")}


@pytest.mark.parametrize(("number", "twice"), [(signal.SIGINT, 0), (signal.SIGTERM, 1)])
def test_a_signal_at_any_moment_leaves_nothing_behind(number: int, twice: int, world: World, tmp_path: Path) -> None:
    command = ("bump", "devel", "v1.0.5", "--dry-run")
    running = subprocess.run(
        [sys.executable, "-c", KILLS, str(int(number)), str(twice), *command],
        cwd=world.clone, env=environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (running.stdout, running.stderr) == (f"True {{{128 + number}}} set()\n", "")
    assert "Traceback" not in (tmp_path / "temporary.err").read_text(encoding="utf-8")


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_a_push_too(second: int, world: World, tmp_path: Path) -> None:
    began = tmp_path / "began"
    os.mkfifo(began)
    world.hook(f"echo $$ > '{began}'; sleep 20")
    before = world.refs()
    running = subprocess.Popen(
        [sys.executable, "-m", "release_tool", "bump", "devel", "v1.0.5", "--direct"],
        cwd=world.clone, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    hook = int(began.read_text(encoding="ascii"))
    running.send_signal(signal.SIGINT)
    time.sleep(0.05)
    running.send_signal(second)
    assert running.communicate() == ("", "release: interrupted\n")
    assert running.returncode == 130
    assert os.listdir(tmp_path / "temporary") == []
    for _ in range(250):  # it gets the signal when git does
        if not alive(hook):
            break
        time.sleep(0.02)
    assert not alive(hook)
    assert world.refs() == before


def alive(process: int) -> bool:
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1] not in {"", "Z"}


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [
        (resource.RLIMIT_NOFILE, 9, "raise the limit of open files (`ulimit -n 1024`)"),
        (resource.RLIMIT_NOFILE, 28, "raise the limit of open files (`ulimit -n 1024`)"),
        (resource.RLIMIT_AS, 24 << 20, "too little memory"),
        (resource.RLIMIT_AS, 500 << 20, "raise that limit: `ulimit -v unlimited`"),
    ],
)
def test_a_machine_that_refuses_is_no_bug(limit: int, value: int, said: str, world: World, tmp_path: Path) -> None:
    running = subprocess.run(
        [sys.executable, "-m", "release_tool", "bump", "devel", "v1.0.5"],
        cwd=world.clone, env=environment(tmp_path), capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(limit, (value, value)),
    )  # fmt: skip
    assert said in running.stderr
    assert running.returncode == 1
    assert "Traceback" not in running.stderr
    assert os.listdir(tmp_path / "temporary") == []
