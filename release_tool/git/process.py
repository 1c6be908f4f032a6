"""Runs git: a cleaned environment, no prompts, a time limit, no child left behind, nothing secret in a log line.

What git's answer *means* is the subject of `git/errors.py`.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from release_tool.errors import ReleaseError, TryAgain
from release_tool.net.authorities import bundle
from release_tool.net.child_environment import for_helpers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Only these reach git. The others point it at another repository (GIT_DIR, GIT_INDEX_FILE, GIT_NAMESPACE, … are set
# inside every hook), change what it prints (GIT_TRACE, GIT_LITERAL_PATHSPECS) or tell secrets (GIT_CURL_VERBOSE).
_KEPT = {"GIT_ASKPASS", "GIT_ALLOW_PROTOCOL", "GIT_PROTOCOL_FROM_USER", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES"}
_KEPT |= {"GIT_SSH", "GIT_DISCOVERY_ACROSS_FILESYSTEM"}
_KEPT_GROUPS = ("GIT_SSH_", "GIT_CONFIG_", "GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_SSL_", "GIT_HTTP_", "GIT_PROXY_")
_FIXED = {
    "GIT_TERMINAL_PROMPT": "0",  # fail instead of waiting for a person
    "GIT_OPTIONAL_LOCKS": "0",  # looking at the user's checkout writes nothing there
    "LC_ALL": "C",  # messages are matched in English
    "LANGUAGE": "",  # would win over LC_ALL in gettext
}
# (what such a text holds, pattern, what is shown); compiled when a text holds it.
_SECRETS = (
    ("://", r"(https?://)[^/\s@]+@", r"\1***@"),  # a token may stand where the user does
    ("://", r"(\w+://[^/\s@:]+):[^/\s@]*@", r"\1:***@"),
    ("authorization", r"(?i)((?:proxy-)?authorization:\s*)(?:(basic|bearer|token)\s+)?\S+", r"\1***"),
    ("gh", r"\b(gh[opsur]_|github_pat_)\w+", r"\1***"),
    ("glpat-", r"\b(glpat-)[\w-]+", r"\1***"),
    ("=", r"(?i)([?&](?:private_token|access_token|token|password)=)[^&\s]+", r"\1***"),
)

_SSH_TIMEOUT = 5.0  # seconds in which ssh reads its configuration, which may run programs (`Match exec`)

_VERSION_TIMEOUT = 3.0  # seconds

Process: TypeAlias = "subprocess.Popen[bytes]"

starting = RLock()
"""Held while a program starts: `release_tool.__main__` lets a signal wait for that."""
_running: set[Process] = set()


class GitAnswer(NamedTuple):
    """What a git command left: its exit status, its output, and its redacted messages."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """The output as text; bytes that are no UTF-8 survive a way back (surrogateescape)."""
        return self.out.decode("utf-8", "surrogateescape")

    @property
    def lines(self) -> list[str]:
        # `splitlines` would also break at other letters that names may hold.
        return self.text.removesuffix("\n").split("\n") if self.out else []


class Setting(NamedTuple):
    """One value of git's configuration: its key with the section in lower case, and the file that it stands in."""

    key: str
    value: str
    origin: str

    def __repr__(self) -> str:
        return f"Setting({self.key!r})"  # a value may be a credential


class GitCredential(NamedTuple):
    """What a git command needs to use a credential: options, which hold no secret, and environment variables."""

    options: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"GitCredential({self.options!r})"  # the variables hold the credential


def redact(text: str) -> str:
    """The text without the credentials that git or a server may put into it."""
    folded = text.lower()
    for sign, pattern, shown in _SECRETS:
        if sign in folded:
            text = re.sub(pattern, shown, text)
    return text


def launch(command: Sequence[str], **options: Any) -> Process:
    """Starts a program as the first one of a group, which `end` can end as a whole, and `end_all` whatever happens."""
    with starting:
        process = subprocess.Popen(command, start_new_session=True, **options)
        _running.add(process)
    return process


def start(
    arguments: Sequence[str], cwd: str, *, stdin: bool, stderr: bool = True, extra: Mapping[str, str] | None = None
) -> Process:
    """Starts `git ARGUMENTS`; stdin, stderr: a pipe or /dev/null. ReleaseError: no git, or the directory is gone."""
    # Where logging was never imported nobody listens, and the import would cost milliseconds. Another thread may be
    # importing it just now: then nobody listens either.
    get_logger = getattr(sys.modules.get("logging"), "getLogger", None)
    if get_logger is not None:
        get_logger("release_tool").debug("git %s", redact(" ".join(arguments)))
    kept = {
        name: value
        for name, value in for_helpers(os.environ).items()
        if not name.startswith("GIT_") or name in _KEPT or name.startswith(_KEPT_GROUPS)
    }
    trusted = bundle(os.environ)
    if trusted:  # wins over http.sslCAInfo of any file
        kept["GIT_SSL_CAINFO"] = trusted
    try:
        return launch(
            ["git", *arguments],  # the user's git, found on PATH, is the one that is meant
            cwd=cwd,
            env={**kept, **_FIXED, **(extra or {})},
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if stderr else subprocess.DEVNULL,
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        if not os.path.isdir(cwd):  # noqa: PTH112  # importing nothing for an error that is nearly never met
            raise ReleaseError("not a directory", where=cwd) from error
        raise ReleaseError(
            "the program `git` can't be run", cause=str(error), hint="install git 2.38 or newer, or correct PATH"
        ) from error


def finish(process: Process, stdin: bytes | None = None, timeout: float | None = None) -> GitAnswer:
    """Waits for a git that `start` began, and TryAgain after `timeout` seconds; the caller judges the exit status."""
    try:
        out, err = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        raise TryAgain(
            f"git {_verb(process)} got no answer within {timeout:g} s",
            cause="the remote or the network in between is slow or down",
            hint="run the same command again",
        ) from None
    finally:
        end(process)
    return GitAnswer(process.returncode, out, redact(err.decode("utf-8", "replace")))


def run(arguments: Sequence[str], cwd: str) -> GitAnswer:
    """Runs a git that asks no remote, and so needs no time limit."""
    return finish(start(arguments, cwd, stdin=False))


def ssh_host_name(host: str, command: str, cwd: str) -> str:
    """The host that OpenSSH would connect to, by its own configuration (`ssh -G`); empty where that can't be told.

    `command`: git's core.sshCommand; empty: none. Programs of another name may know no `-G`.
    """
    import shlex

    try:
        words = shlex.split(os.environ.get("GIT_SSH_COMMAND") or command or os.environ.get("GIT_SSH") or "ssh")
        if host.startswith("-") or not words or os.path.basename(words[0]) != "ssh":  # noqa: PTH119
            return ""
        answer = subprocess.run(
            [*words, "-G", host], cwd=cwd, env=for_helpers(os.environ), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=_SSH_TIMEOUT, check=False,
        )  # fmt: skip
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    found = re.search(rb"(?m)^hostname (\S+)$", answer.stdout)
    return found[1].decode("ascii", "replace") if found else ""


def stream(arguments: Sequence[str], cwd: str) -> Iterator[str]:
    """The lines of a command's output as they come; a caller that stops early ends the command."""
    process = start(arguments, cwd, stdin=False)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        for line in process.stdout:
            yield line.decode("utf-8", "surrogateescape").rstrip("\n")
        complaint = process.stderr.read().decode("utf-8", "replace")
        if process.wait() != 0:
            raise ReleaseError(f"git {_verb(process)} failed", cause=redact(complaint).strip())
    finally:
        end(process)


def end(process: Process) -> None:
    """Ends a process and all that it started, whatever happened before (time is up, Ctrl-C, an early stop)."""
    for deadly in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        try:
            os.killpg(process.pid, deadly)
            process.wait(2)
        except ProcessLookupError:
            process.wait()
        except subprocess.TimeoutExpired:
            continue
    _running.discard(process)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:  # what was still to be written has no reader any more
                continue


def end_all() -> None:
    """Ends what still runs, at the end of this process: nothing starts any more, and no signal may come amid that."""
    starting.acquire(timeout=1)  # another thread may start one just now
    left = [process for process in _running if process.returncode is None]
    for deadly in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + 2
        for process in left:
            with suppress(ProcessLookupError, PermissionError):  # it has ended
                os.killpg(process.pid, deadly)
        while (left := [process for process in left if _runs(process)]) and time.monotonic() < until:
            time.sleep(0.002)


def _runs(process: Process) -> bool:
    """As `Popen.poll`, which tells nothing while it is waited for: a signal may have come amid that."""
    try:
        return os.waitpid(process.pid, os.WNOHANG)[0] == 0
    except ChildProcessError:
        return False


def version() -> str:
    """The version of the git on PATH, as `2.39.5`; empty where there is none, or where it doesn't say."""
    try:
        said = finish(start(["version"], os.path.sep, stdin=False), timeout=_VERSION_TIMEOUT).text
    except ReleaseError:
        return ""
    found = re.match(r"git version ([0-9][0-9.]*[0-9])", said)
    return "" if found is None else found[1]


def _verb(process: Process) -> str:
    """The git command among the arguments, for messages."""
    words = iter(cast("list[str]", process.args)[1:])
    for word in words:
        if word == "-c":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""
