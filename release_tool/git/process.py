"""Runs git: a cleaned environment, no prompts, a time limit, no child left behind, nothing secret in a log line.

What git's answer *means* is the subject of `git/errors.py`.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError, TryAgain

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


class Answer(NamedTuple):
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
        """The lines of the output; `splitlines` would also break at other letters that names may hold."""
        return self.text.removesuffix("\n").split("\n") if self.out else []


def redact(text: str) -> str:
    """The text without the credentials that git or a server may put into it."""
    folded = text.lower()
    for sign, pattern, shown in _SECRETS:
        if sign in folded:
            text = re.sub(pattern, shown, text)
    return text


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every git process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _is_kept(name)}
    return {**kept, **_FIXED, **(extra or {})}


def _is_kept(name: str) -> bool:
    return name in _KEPT or name.startswith(_KEPT_GROUPS)


def start(
    arguments: Sequence[str], cwd: str, *, stdin: int, stderr: int, extra: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Starts `git ARGUMENTS`.

    Raises:
        ReleaseError: there is no git, or the directory is gone.
    """
    _log(arguments)
    try:
        return subprocess.Popen(
            ["git", *arguments],  # noqa: S607  # the user's git, found on PATH, is the one that is meant
            cwd=cwd,
            env=environment(extra),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # git, ssh and credential helpers form one group that `end` can end as a whole
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        if not os.path.isdir(cwd):  # noqa: PTH112  # importing nothing for an error that is nearly never met
            raise ReleaseError("not a directory", where=cwd) from error
        raise ReleaseError(
            "the program `git` can't be run", cause=str(error), hint="install git 2.38 or newer, or correct PATH"
        ) from error


def run(
    arguments: Sequence[str],
    cwd: str,
    *,
    stdin: bytes | None = None,
    timeout: float | None = None,
    extra: Mapping[str, str] | None = None,
) -> Answer:
    """Runs git to its end; the exit status is the caller's to judge.

    Args:
        arguments: what stands behind `git`.
        cwd: where it runs; relative URLs and paths count from there.
        stdin: its input; None: none.
        timeout: seconds; only for what talks to a remote.
        extra: variables on top of the environment.

    Raises:
        TryAgain: the time is up.
        ReleaseError: git can't be started.
    """
    source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
    process = start(arguments, cwd, stdin=source, stderr=subprocess.PIPE, extra=extra)
    try:
        out, err = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        raise TryAgain(
            f"git {_verb(arguments)} got no answer within {timeout:g} s",
            cause="the remote or the network in between is slow or down",
            hint="run the same command again",
        ) from None
    finally:
        end(process)
    return Answer(process.returncode, out, redact(err.decode("utf-8", "replace")))


def stream(arguments: Sequence[str], cwd: str) -> Iterator[str]:
    """The lines of a command's output as they come; a caller that stops early ends the command.

    Raises:
        ReleaseError: the command fails.
    """
    process = start(arguments, cwd, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        for line in process.stdout:
            yield line.decode("utf-8", "surrogateescape").rstrip("\n")
        complaint = process.stderr.read().decode("utf-8", "replace")
        if process.wait() != 0:
            raise ReleaseError(f"git {_verb(arguments)} failed", cause=redact(complaint).strip())
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it started, whatever happened before (time is up, Ctrl-C, an early stop)."""
    if process.poll() is None:
        for deadly in (signal.SIGTERM, signal.SIGKILL):
            if _signalled(process, deadly):
                break
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:  # what was still to be written has no reader any more
                continue


def _signalled(process: subprocess.Popen[bytes], deadly: signal.Signals) -> bool:
    """Whether the group ended within two seconds of a signal."""
    try:
        os.killpg(process.pid, deadly)
        process.wait(2)
    except ProcessLookupError:
        process.wait()
    except subprocess.TimeoutExpired:
        return False
    return True


def _verb(arguments: Sequence[str]) -> str:
    """The git command among its arguments, for messages."""
    words = iter(arguments)
    for word in words:
        if word == "-c":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _log(arguments: Sequence[str]) -> None:
    """A debug line, if logging was imported: else nobody listens, and the import would cost milliseconds."""
    # Another thread may be importing it just now: then nobody listens either.
    get_logger = getattr(sys.modules.get("logging"), "getLogger", None)
    if get_logger is not None:
        get_logger("release_tool").debug("git %s", redact(" ".join(arguments)))
