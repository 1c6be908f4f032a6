"""What went wrong, for people, on standard error; and the exit status of it."""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING

from release_tool.cli.call import for_log, print_error, print_json, say
from release_tool.errors import EXIT_INTERRUPTED, EXIT_UNREAD, Bug, ReleaseError

if TYPE_CHECKING:
    from release_tool.actions.job import Job

_AGAIN = "run the command again: nothing is half done"
_MEMORY = f"free memory, or raise the limits of it (`ulimit -v`) and of processes (`ulimit -u`); then {_AGAIN}"
_FILES = f"raise the limit of open files (`ulimit -n 1024`), then {_AGAIN}"


def print_failure(
    error: BaseException, verbose: int, command: str, *, json: bool = False, status: int | None = None
) -> int:
    """Print what ended a command, if that is worth a word; the exit status.

    Args:
        json: whether standard output gets it too, for nothing else stands there.
        status: that of the command itself; None: it had not ended.
    """
    if isinstance(error, SystemExit):  # argparse after --help and --version, or SIGTERM
        return int(error.code or 0)
    if isinstance(error, BrokenPipeError):  # `release render | head`
        _close_stdout()
        return EXIT_UNREAD if status is None else status
    if isinstance(error, KeyboardInterrupt):  # `release_tool.__main__` has told that
        return EXIT_INTERRUPTED
    from release_tool import wiring

    job = wiring.make_job(command)
    error = _of_machine(error) or error
    if isinstance(error, ReleaseError):
        told = wiring.with_next_step(error)
        print_error(told, job)
    else:
        told = _print_bug(error, verbose, job)
    if json:
        from release_tool.report.outcome import error_data

        print_json({"error": error_data(told)}, job)
    return told.exit_code


def _of_machine(error: BaseException) -> ReleaseError | None:
    """The error where the machine has not what is needed: a full disk, no permission, no memory, no more processes."""
    if isinstance(error, MemoryError) or str(error) == "can't start new thread":
        return ReleaseError("the machine refuses: there is too little memory", hint=_MEMORY)
    if not isinstance(error, OSError):
        return None
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        hint = _FILES
    elif error.errno in {errno.ENOMEM, errno.EAGAIN}:
        hint = _MEMORY
    else:
        hint = f"free space or permissions there, then {_AGAIN}"
    return ReleaseError(f"the machine refuses: {error.strerror or error}", where=str(error.filename or ""), hint=hint)


def _print_bug(error: BaseException, verbose: int, job: Job | None) -> Bug:
    what = f"unexpected error: {type(error).__name__}: {error}"
    cause = "this is a bug in release; nothing is half done: running the command again is safe"
    hint = "run it with -v for the traceback, and report that"
    say(f"release: {what}\n  {cause}", job)
    if verbose:
        import traceback

        say("".join(traceback.format_exception(error)).rstrip("\n"), job)
    else:
        say(f"  next:  {hint}", job)
    return Bug(what, cause=cause, hint=hint)


def _close_stdout() -> None:
    """Point standard output elsewhere, so that Python's own flush at exit doesn't complain about the broken pipe."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def log(verbose: int) -> None:
    """Let `-v` say on standard error what is done, and `-vv` every git command."""
    import logging

    from release_tool import wiring

    job = wiring.make_job("")

    class Harmless(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return for_log(super().format(record), job)

    logger = logging.getLogger("release_tool")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(Harmless("release: %(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
