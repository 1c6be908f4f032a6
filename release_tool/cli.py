"""The command line: parse, call, print, map errors to exit statuses. Nothing else prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from release_tool.arguments import parse
from release_tool.errors import EXIT_BUG, EXIT_INTERRUPTED, ReleaseError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from release_tool.commands.bump import Bump

# -- commands ---------------------------------------------------------------------------------------------------------


class _Run:
    """One call: its arguments, its clock, and how it prints."""

    def __init__(self, arguments: argparse.Namespace, now: Callable[[], datetime]) -> None:
        self.arguments = arguments
        self.now = now

    def tool(self, *, renders: bool = False) -> Any:
        """The tool, as a context manager that gives its private store back.

        Args:
            renders: whether it will render: the engine is loaded beside everything else then.
        """
        from contextlib import closing

        from release_tool import wiring

        arguments = self.arguments
        return closing(
            wiring.make_tool(arguments.directory, arguments.repo, arguments.config, self.now, renders=renders)
        )

    def show(self, data: Callable[[], object], text: Callable[[], str]) -> None:
        """Print a result on standard output, as it was asked for."""
        if self.arguments.output == "json":
            import json

            print(json.dumps(data(), indent=2, ensure_ascii=False))
        else:
            written = text()
            if written:
                print(written)


def _bump(run: _Run) -> int:
    given = run.arguments
    if given.local:
        return _bump_locally(run)
    from release_tool import wiring
    from release_tool.commands import bump

    asked = _asked(given)
    with run.tool(renders=True) as tool:
        outcome = bump.run(tool, asked, given.id or wiring.new_id())
    from release_tool import report

    run.show(lambda: report.outcome_data(outcome), lambda: report.outcome_text(outcome))
    return 0


def _asked(given: argparse.Namespace) -> Bump:
    from release_tool.commands import bump

    provenance = {"image": given.image, "digest": given.digest, "commit": given.commit, "build": given.build_url}
    asked = bump.Bump(
        environment=given.environment,
        tag=given.tag,
        pin=given.pin,
        force=given.force,
        reason=given.reason,
        provenance={key: value for key, value in provenance.items() if value},
        direct=True if given.direct else None,
        intent_id=given.id,
        dry_run=given.dry_run,
    )
    bump.check_usage(asked)
    return asked


def _bump_locally(run: _Run) -> int:
    from release_tool import report, wiring
    from release_tool.commands import bump, bump_locally

    given = run.arguments
    asked = _asked(given)
    tree = wiring.working_tree(given.directory)
    intent = bump.intent_of(asked, given.id or wiring.new_id(), wiring.run_by(), wiring.run_link())
    outcome = bump_locally.run(
        tree, asked, intent, config_path=given.config, renderer=wiring.make_renderer, now=run.now()
    )
    run.show(lambda: report.outcome_data(outcome), lambda: report.outcome_text(outcome))
    return 0


def _sync(run: _Run) -> int:
    from release_tool import report
    from release_tool.commands import sync

    with run.tool() as tool:
        outcomes = list(sync.run(tool, run.arguments.environments, dry_run=run.arguments.dry_run))
    done = [outcome for outcome in outcomes if outcome.commit or outcome.changed or outcome.created or outcome.dry_run]
    run.show(
        lambda: [report.outcome_data(outcome) for outcome in outcomes],
        lambda: "\n".join(report.sync_text(outcome) for outcome in done),
    )
    return 0


def _status(run: _Run) -> int:
    import shutil

    from release_tool import report
    from release_tool.commands import status

    with run.tool() as tool:
        found = status.run(tool, run.arguments.environments)
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout is not None and sys.stdout.isatty() else 10_000
    run.show(lambda: report.status_data(found), lambda: report.status_text(found, width))
    return 0


def _render(run: _Run) -> int:
    from release_tool.commands import render

    with run.tool(renders=True) as tool:
        text = render.run(tool, run.arguments.environment, run.arguments.ref)
    run.show(lambda: {"environment": run.arguments.environment, "manifests": text}, lambda: text.rstrip("\n"))
    return 0


def _diff(run: _Run) -> int:
    from release_tool import report
    from release_tool.commands import render

    with run.tool(renders=True) as tool:
        found = render.diff(tool, run.arguments.environment, run.arguments.ref)
    run.show(
        lambda: report.difference_data(run.arguments.environment, found),
        lambda: "" if found is None else report.difference_text(found),
    )
    return 0


def _check(run: _Run) -> int:
    from release_tool import report, wiring
    from release_tool.commands import check
    from release_tool.publishing.source import InTree

    given = run.arguments
    if given.ref or given.repo:
        with run.tool() as tool:
            found = check.run_at(tool, given.ref, given.base)
    elif given.base is not None:
        with run.tool() as tool:
            found = check.run_in(tool, wiring.working_tree(given.directory), given.base)
    else:
        found = check.run(InTree(wiring.working_tree(given.directory)), given.config, wiring.make_renderer)
    run.show(lambda: report.report_data(found), lambda: report.report_text(found))
    return 1 if found.findings else 0


def _pulls_command(run: _Run) -> int:
    from release_tool import report
    from release_tool.commands import pulls

    given = run.arguments
    with run.tool() as tool:
        if given.action == "list":
            found = pulls.listed(tool, "all" if given.all else "open")
            run.show(lambda: [report.pull_data(one) for one in found], lambda: report.pulls_text(found))
            return 0
        if given.action == "show":
            one = pulls.shown(tool, given.number)
            run.show(lambda: report.pull_data(one), lambda: report.pull_text(one))
            return 0
        if given.action == "merge":
            one = pulls.merged(tool, given.number, given.method)
        else:
            one = pulls.closed(tool, given.number, given.comment)
    run.show(lambda: report.pull_data(one), lambda: f"#{one.number} is {one.state}: {report.plain(one.title)}")
    return 0


def _demo(_: _Run) -> int:
    from release_tool.commands import demo

    for text in demo.run(main):
        print(text, flush=True)
    return 0


_COMMANDS: dict[str, Callable[[_Run], int]] = {
    "bump": _bump,
    "sync": _sync,
    "status": _status,
    "render": _render,
    "diff": _diff,
    "check": _check,
    "pulls": _pulls_command,
    "demo": _demo,
}


_MACHINE = "free space or permissions there, then run the command again: nothing is half done"

# -- errors -----------------------------------------------------------------------------------------------------------


def main(argv: Sequence[str], now: Callable[[], datetime] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments, without the name of the program.
        now: the clock, in UTC; None: the machine's.

    Returns:
        The exit status (see `--help`).
    """
    verbose = 0
    try:
        arguments = parse(argv)
        verbose = arguments.verbose
        if verbose:
            _log(verbose)
        status = _COMMANDS[arguments.command](_Run(arguments, now or _clock()))
        if sys.stdout is not None:
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 (the one handler at the top)
        return _told(error, verbose)
    return status


def _told(error: BaseException, verbose: int) -> int:
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
        _print_error(error)
        status = error.exit_code
    elif isinstance(error, OSError):  # a full disk, a directory that can't be written, no more processes
        where = str(error.filename or "")
        _print_error(ReleaseError(f"the machine refuses: {error.strerror or error}", where=where, hint=_MACHINE))
        status = ReleaseError.exit_code
    else:
        _print_bug(error, verbose)
        status = EXIT_BUG
    return status


def _clock() -> Callable[[], datetime]:
    from release_tool import wiring

    return wiring.utc_now


def _log(verbose: int) -> None:
    import logging

    logger = logging.getLogger("release_tool")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("release: %(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)


def _print_error(error: ReleaseError) -> None:
    lines = [f"release: error: {error.what}"]
    for label, text in (("where", error.where), ("cause", error.cause), ("next", error.hint)):
        if text:
            lines.append(f"  {label + ':':6} {text}")
    print("\n".join(lines), file=sys.stderr)


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
