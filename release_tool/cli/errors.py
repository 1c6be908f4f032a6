"""What went wrong, for people, on standard error; and the exit status of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from release_tool.errors import EXIT_BUG, EXIT_INTERRUPTED, ReleaseError

if TYPE_CHECKING:
    from release_tool.actions.in_job import InJob

_MACHINE = "free space or permissions there, then run the command again: nothing is half done"


def told(error: BaseException, verbose: int, command: str) -> int:
    """Say what went wrong, for people, on standard error; the exit status of it."""
    status = 0
    if isinstance(error, SystemExit):  # argparse after --help and --version, or SIGTERM
        status = int(error.code or 0)
    elif isinstance(error, BrokenPipeError):  # `release render | head`
        _close_stdout()
    elif isinstance(error, KeyboardInterrupt):
        print("release: interrupted", file=sys.stderr)
        status = EXIT_INTERRUPTED
    elif isinstance(error, ReleaseError):
        print_error(error, job_of(command))
        status = error.exit_code
    elif isinstance(error, OSError):  # a full disk, a directory that can't be written, no more processes
        where = str(error.filename or "")
        refusal = ReleaseError(f"the machine refuses: {error.strerror or error}", where=where, hint=_MACHINE)
        print_error(refusal, job_of(command))
        status = ReleaseError.exit_code
    else:
        _print_bug(error, verbose)
        status = EXIT_BUG
    return status


def job_of(command: str) -> InJob | None:
    """The job of GitHub Actions that this runs in; None elsewhere."""
    from release_tool import wiring

    job = wiring.make_job()
    if job is None:
        return None
    from release_tool.actions.in_job import InJob

    return InJob(job, command)


def say(text: str, job: InJob | None) -> None:
    """Say something on standard error, where a job of GitHub Actions takes certain lines for commands to itself."""
    print(text if job is None else job.harmless(text), file=sys.stderr)


def print_error(error: ReleaseError, job: InJob | None, title: str = "") -> None:
    """Tell an error; `title`: what of several things it is about."""
    lines = [f"release: error: {title}: {error.what}" if title else f"release: error: {error.what}"]
    for label, text in (("where", error.where), ("cause", error.cause), ("next", error.hint)):
        if text:
            lines.append(f"  {label + ':':6} {text}")
    say("\n".join(lines), job)
    if job is not None:
        print(job.failed(error, title), file=sys.stderr)


def _print_bug(error: BaseException, verbose: int) -> None:
    print(f"release: unexpected error: {type(error).__name__}: {error}", file=sys.stderr)
    print("  this is a bug in release; nothing is half done: running the command again is safe", file=sys.stderr)
    if verbose:
        import traceback

        traceback.print_exception(error)
    else:
        print("  next:  run it with -v for the traceback, and report that", file=sys.stderr)


def _close_stdout() -> None:
    """Point standard output elsewhere, so that Python's own flush at exit doesn't complain about the broken pipe."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
