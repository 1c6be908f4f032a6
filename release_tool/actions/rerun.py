"""Runs one command of `release` for a CI job, and runs it again while it says that something outside is busy.

    python -I -m release_tool.actions.rerun [COMMAND ARGUMENT…]

Without a command, as in `action.yml`, arguments come by environment variables, so that no text of a workflow's event is
ever part of a script:

- `RELEASE_COMMAND`: the command; `RELEASE_ARGUMENTS`: its arguments, one a line, blank lines left out. A line that
  begins with a quotation mark is a JSON text: what comes from outside can't become two arguments.
- `RELEASE_TIMEOUT`: minutes within which a try that ended with status 75 is followed by another.
- `RELEASE_VERSION`: the version that the tool must have; empty: any.
- `RELEASE_COMMITTER`: who commits, `Name <mail>`; empty: whom git's configuration names, else whom the CI system names.
- `RELEASE_REGISTRY…` and `RELEASE_SIGNING_KEY`: see the modules beside this one.

The same operation run again is the same operation (docs/explanation/publishing.md), so a try that got half way does no
harm.
"""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from release_tool import __version__, safe_text
from release_tool.actions import ci_system, image_registry, signing
from release_tool.actions.annotation import Annotation
from release_tool.actions.ci_system import AZURE, GITHUB, CiSystem
from release_tool.actions.job import FILES
from release_tool.errors import ReleaseError, TryAgain, UsageError
from release_tool.net.child_environment import for_helpers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_FIRST_WAIT = 5.0
_LONGEST_WAIT = 60.0
_MOST_MINUTES = 360  # a job of a runner that GitHub hosts ends then

# What is handed on in another form, or to nobody.
_SECRETS = {"RELEASE_JOB_TOKEN", "RELEASE_REGISTRY_PASSWORD", "RELEASE_SIGNING_KEY"}


def _say(text: str) -> None:
    print(safe_text.lines(text), flush=True)  # noqa: T201 (the log of the job)


class Tries(NamedTuple):
    """How a command is run until it ends."""

    run: Callable[[], int]  # one try; its exit status
    seconds: float  # within which another one may begin
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    say: Callable[[str], None] = _say
    system: CiSystem = GITHUB

    def until_done(self) -> int:
        """Try until the status is another one than 75, or the time is over; the status of the last try."""
        end, wait = self.clock() + self.seconds, _FIRST_WAIT
        while True:
            status = self.run()
            # By chance, so that those who met once don't meet again; a whole build matrix may wait here.
            pause = wait * random.uniform(0.75, 1.25)  # noqa: S311 (no secret depends on it)
            if status != TryAgain.exit_code:
                return status
            if self.clock() + pause >= end:
                what = f"something outside was down or busy for {self.seconds / 60:g} minutes"
                said = f"{what}\nnext: run the job again; nothing is half done"
                self.say(self.system.said(Annotation("error", "release", said)))
                return status
            self.say(f"release: once more in {pause:.0f} s")
            self.sleep(pause)
            wait = min(wait * 2, _LONGEST_WAIT)


def arguments(environ: Mapping[str, str]) -> list[str]:
    """The command line, without the name of the program; UsageError where the variables hold none."""
    command = environ.get("RELEASE_COMMAND", "").strip()
    if not re.fullmatch(r"[a-z-]*[a-z]", command) or command.startswith("-"):
        hint = "one command of `release`, as `bump`; what follows it goes into the input `arguments`, one a line"
        raise UsageError(f"the input `command` is no command: {command!r}", hint=hint)
    # Other line ends than this one, of which Unicode has some, are part of a value.
    given = (line.strip(" \t\r") for line in environ.get("RELEASE_ARGUMENTS", "").split("\n"))
    return [command, *(_argument(line) for line in given if line)]


def _argument(line: str) -> str:
    """One argument; a line that begins with a quotation mark is a JSON text, whose value may hold line ends."""
    if not line.startswith('"'):
        return line
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, str) or "\0" in value:
        hint = "a line that begins with a quotation mark is a JSON text, as `${{ toJSON(…) }}` writes it"
        raise UsageError(f"the input `arguments` has a line that is no JSON text: {line[:80]!r}", hint=hint)
    return value


def seconds(environ: Mapping[str, str]) -> float:
    """How long to go on trying; UsageError where the timeout is no number of minutes."""
    given = environ.get("RELEASE_TIMEOUT", "").strip() or "10"
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", given) or float(given) > _MOST_MINUTES:
        hint = f"minutes from 0 (try once) to {_MOST_MINUTES}, as `10`"
        raise UsageError(f"the input `timeout` is no number of minutes: {given!r}", hint=hint)
    return float(given) * 60


def check_version(environ: Mapping[str, str]) -> None:
    """Raise ReleaseError where the workflow names another version than this one."""
    wanted = environ.get("RELEASE_VERSION", "").strip()
    if wanted not in {"", __version__}:
        hint = "name the commit of that version behind the @ of `uses:`, or leave the input `version` out"
        raise ReleaseError(f"the action has version {__version__} of the tool, the workflow wants {wanted}", hint=hint)


def identity(environ: Mapping[str, str], configured: Callable[[], bool]) -> dict[str, str]:
    """Variables that give git an author and a committer, where neither environment nor configuration names one.

    Raises:
        UsageError: the committer has another form, or is nobody whom a signature could be of.
    """
    asked = environ.get("RELEASE_COMMITTER", "").strip()
    given = re.fullmatch(r"([^<>\n]*[^<>\s]) *<([^<>\s@]+@[^<>\s@]+)>", asked)
    if asked and not given:
        hint = "as `Release <release@example.com>`"
        raise UsageError(f"the input `committer` is no name with an address: {asked!r}", hint=hint)
    if not given and (environ.get("GIT_COMMITTER_NAME") or configured()):
        return {}
    if not given and environ.get("RELEASE_SIGNING_KEY", "").strip():
        what = "a signing key is given, and nobody whose key it is"
        hint = "name the account that knows the key by the input `committer`, as `Release <release@example.com>`"
        raise UsageError(what, hint=hint)
    name, email = given.groups() if given else _system(environ).committer(environ)
    found: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        found |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email}
    return found


def _system(environ: Mapping[str, str]) -> CiSystem:
    return ci_system.of(environ) or GITHUB


class _Try:
    """One try after the other, each with a summary and outputs of its own: those of the last one count."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command = [sys.executable, "-I", "-m", "release_tool", *argv]
        self._environ = environ
        self._files = [name for name in FILES if environ.get(name)]
        self._written: dict[str, bytes] = {}
        self._running: subprocess.Popen[bytes] | None = None

    def __call__(self) -> int:
        """Run it; standard output comes into the log when it has ended; its exit status."""
        with tempfile.TemporaryDirectory(dir=self._environ.get("RUNNER_TEMP") or None) as scratch:
            out = Path(scratch, "stdout")
            own = {name: Path(scratch, name) for name in self._files}
            for path in own.values():
                path.touch()
            environ = {**self._environ, **{name: str(path) for name, path in own.items()}}
            with out.open("wb") as stream:
                self._running = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=stream, env=environ)
                status = self._running.wait()
            _show(out.read_bytes(), _system(self._environ))
            self._written = {name: path.read_bytes() for name, path in own.items()}
        return status

    def finish(self) -> None:
        """Hand summary and outputs of the last try on."""
        for name, written in self._written.items():
            Path(self._environ[name]).parent.mkdir(parents=True, exist_ok=True)
            with Path(self._environ[name]).open("ab") as stream:
                stream.write(written)
        if _system(self._environ) is AZURE:  # which takes both from the log
            for line in self._written.get("RELEASE_OUTPUTS", b"").decode().splitlines():
                _say(ci_system.azure_variable(*line.split("=", 1)))
            if self._written.get("RELEASE_SUMMARY"):
                _say(f"##vso[task.uploadsummary]{Path(self._environ['RELEASE_SUMMARY']).absolute()}")

    def stop(self, number: int, _: object) -> None:
        """Hand a signal on, so that a cancelled job ends the command as Ctrl-C would."""
        if self._running is not None and self._running.poll() is None:
            self._running.send_signal(number)
            self._running.wait()
        sys.exit(128 + number)


def _show(out: bytes, system: CiSystem) -> None:
    """Write a result to the log in which the CI system finds no command: GitHub's runner has marks for that."""
    if not out:
        return
    out = out if out.endswith(b"\n") else out + b"\n"
    if system is GITHUB:
        mark = os.urandom(16).hex()
        out = f"::stop-commands::{mark}\n".encode() + out + f"::{mark}::\n".encode()
    else:
        out = system.harmless(out.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    sys.stdout.flush()
    sys.stdout.buffer.write(out)
    sys.stdout.buffer.flush()


def _git_names_somebody() -> bool:
    command = ["git", "config", "--get", "user.email"]
    done = subprocess.run(command, env=for_helpers(os.environ), capture_output=True, check=False)
    return done.returncode == 0 and bool(done.stdout.strip())


def main() -> int:
    """Run the command that the environment describes; the exit status of its last try."""
    # Azure Pipelines leaves the name of a variable that isn't there as a template has it.
    environ = {name: value for name, value in os.environ.items() if value != f"$({name})"}
    try:
        check_version(environ)
        argv, limit = sys.argv[1:] or arguments(environ), seconds(environ)
        environ |= identity(environ, _git_names_somebody) | image_registry.variables(environ)
        with signing.agent(environ) as signed:
            left = {name: value for name, value in environ.items() if name not in _SECRETS}
            # The log shows colours, and nothing else reads what is printed; a NO_COLOR of the workflow wins.
            left = {"FORCE_COLOR": "1"} | left
            return _run(_Try(argv, left | signed), argv, limit, _system(environ))
    except ReleaseError as error:
        _say(_system(environ).said(Annotation("error", "release", f"{error.what}\nnext: {error.hint}")))
        return error.exit_code


def _run(one: _Try, argv: Sequence[str], limit: float, system: CiSystem) -> int:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, one.stop)
    _say(system.harmless(f"release {shlex.join(argv)}"))
    status = Tries(one, limit, say=_say, system=system).until_done()
    one.finish()
    return status


if __name__ == "__main__":
    sys.exit(main())
