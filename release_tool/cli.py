"""The command line: parse, call, print, map errors to exit statuses. Nothing else prints."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from release_tool.arguments import parse
from release_tool.errors import EXIT_BUG, EXIT_INTERRUPTED, Failed, ReleaseError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from release_tool.commands.asked import Asked
    from release_tool.commands.locally import Meant
    from release_tool.in_job import InJob
    from release_tool.publishing.tool import Outcome

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

    @cached_property
    def job(self) -> InJob | None:
        """The job of GitHub Actions that this runs in; None elsewhere."""
        return _job(self.arguments.command)

    def tell(self, what: Callable[[InJob], str]) -> None:
        """Tell the job what came of the command, if there is one; its annotations go to standard error."""
        if self.job is not None:
            said = what(self.job)
            if said:
                print(said, file=sys.stderr)

    def show(self, data: Callable[[], object], text: Callable[[], str]) -> None:
        """Print a result on standard output, as it was asked for."""
        if self.arguments.output == "json":
            import json

            print(json.dumps(data(), indent=2, ensure_ascii=False))
        else:
            written = text()
            if written:
                print(written)


def _shown(run: _Run, outcome: Outcome) -> int:
    """Print what a changing command did; its exit status."""
    from release_tool import report

    run.show(lambda: report.outcome_data(outcome), lambda: report.outcome_text(outcome))
    run.tell(lambda job: job.outcomes([outcome], several=False))
    return _status_of([outcome], run.job)


def _shown_all(run: _Run, outcomes: Sequence[Outcome | Failed], text: Callable[[Outcome], str]) -> int:
    """Print what a command did to several environments, each failure on standard error; its exit status."""
    from release_tool import report

    done = [one for one in outcomes if not isinstance(one, Failed)]
    run.show(
        lambda: [report.outcome_data(outcome) for outcome in done],
        lambda: "\n".join(filter(None, map(text, done))),
    )
    run.tell(lambda job: job.outcomes(done, several=True))
    return _status_of(outcomes, run.job)


def _status_of(outcomes: Sequence[Outcome | Failed], job: InJob | None) -> int:
    status = 0
    for one in outcomes:
        if isinstance(one, Failed):
            _print_error(one.error, job, one.title)
            status = one.error.exit_code if status in {0, one.error.exit_code} else ReleaseError.exit_code
        elif one.refused:
            _say(f"release: {one.environment}: {one.refused}", job)
            if job is not None:
                print(job.refused(one.environment, one.refused), file=sys.stderr)
            status = ReleaseError.exit_code
    return status


def _bump(run: _Run) -> int:
    from release_tool import report, wiring
    from release_tool.commands import bump

    given = run.arguments
    provenance = {"image": given.image, "digest": given.digest, "commit": given.commit, "build": given.build_url}
    asked = bump.Bump(
        environment=given.environment,
        tag=given.tag,
        asked=_asked(given),
        pin=given.pin,
        force=given.force,
        provenance={key: value for key, value in provenance.items() if value},
    )
    if given.from_registry:
        from release_tool.commands import bump_from_registry

        bump_from_registry.check_usage(asked, local=given.local, given_id=given.id)
        with run.tool(renders=True) as tool:
            outcomes = list(bump_from_registry.run(tool, asked, wiring.new_id))
        return _shown_all(run, outcomes, report.outcome_text)
    bump.check_usage(asked)
    if given.local:
        return _locally(
            run,
            asked.asked,
            lambda _, config, files: bump.intent_of(asked, config, wiring.make_registry(config), files.values()),
        )
    with run.tool(renders=True) as tool:
        outcome = bump.run(tool, asked)
    return _shown(run, outcome)


def _asked(given: argparse.Namespace) -> Asked:
    """What every operation that somebody asks for has in common."""
    from release_tool import wiring
    from release_tool.commands.asked import Asked, checked_id, checked_reason

    return Asked(
        environment=given.environment,
        intent_id=checked_id(given.id) or wiring.new_id(),
        by=wiring.run_by(),
        run=wiring.run_link(),
        reason=checked_reason(given.reason),
        service=given.service,
        direct=True if given.direct else None,
        dry_run=given.dry_run,
        named=bool(given.id),
    )


def _locally(run: _Run, asked: Asked, meant: Meant) -> int:
    from release_tool import wiring
    from release_tool.commands import locally

    given = run.arguments
    tree = wiring.working_tree(given.directory)
    here = locally.Here(tree, given.config, wiring.make_renderer, run.now())
    return _shown(run, locally.run(here, asked, meant))


def _promote(run: _Run) -> int:
    from release_tool.commands import promote

    given = run.arguments
    command = promote.Promote(given.source, _asked(given), given.wanted, pin=given.pin, force=given.force)
    promote.check_usage(command)
    with run.tool(renders=True) as tool:
        outcome = promote.run(tool, command)
    return _shown(run, outcome)


def _by_hand(run: _Run) -> int:
    from functools import partial

    from release_tool.commands import by_hand

    given = run.arguments
    command = by_hand.ByHand(given.command, given.wanted, _asked(given), getattr(given, "until", ""))
    by_hand.check_usage(command)
    if given.local:
        return _locally(run, command.asked, partial(by_hand.intent_in_files, command, now=run.now()))
    with run.tool(renders=True) as tool:
        outcome = by_hand.run(tool, command)
    return _shown(run, outcome)


def _downgrade(run: _Run) -> int:
    from release_tool.commands import downgrade

    given = run.arguments
    command = downgrade.Downgrade(_asked(given), given.leave, given.to, quarantine=not given.no_quarantine)
    downgrade.check_usage(command)
    with run.tool(renders=True) as tool:
        outcome = downgrade.run(tool, command)
    return _shown(run, outcome)


def _undo(run: _Run) -> int:
    from release_tool.commands import undo

    given = run.arguments
    command = undo.Undo(_asked(given), given.operation, given.until)
    undo.check_usage(command)
    with run.tool(renders=True) as tool:
        outcome = undo.run(tool, command)
    return _shown(run, outcome)


def _guard(run: _Run) -> int:
    from release_tool import cli_guard

    given = run.arguments
    given.environment, given.id, given.reason = "", "", ""
    return cli_guard.guard(run, _asked(given), _Printer(run))


class _Printer:
    """How `release guard` says what came of a pass, and what stopped one."""

    def __init__(self, run: _Run) -> None:
        self._run = run

    def width(self) -> int | None:
        """Characters of a line of the terminal."""
        return _width()

    def say(self, text: str) -> None:
        """Say something on standard error."""
        _say(f"release: {text}", self._run.job)

    def status(self, stopped: Sequence[Failed], waiting: Sequence[tuple[str, str]]) -> int:
        """Tell what failed, and where a person must act: environment and why; the exit status."""
        status = _status_of(stopped, self._run.job)
        for title, why in waiting:
            self.say(f"{title}: {why}")
            if self._run.job is not None:
                print(self._run.job.refused(title, why), file=sys.stderr)
        return status or (ReleaseError.exit_code if waiting else 0)

    def stopped(self, error: BaseException) -> int:
        """Tell what stopped a pass; its exit status."""
        sys.stdout.flush()
        return _told(error, self._run.arguments.verbose, "guard")


def _cleanup(run: _Run) -> int:
    from release_tool import report, wiring
    from release_tool.commands import cleanup

    given = run.arguments
    given.environment, given.id = "", ""
    command = cleanup.Cleanup(given.environments, _asked(given))
    with run.tool() as tool, _progress("cleanup") as progress:
        outcomes = list(cleanup.run(tool, command, wiring.new_id, progress))
    everything = given.dry_run or bool(given.verbose)
    return _shown_all(run, outcomes, lambda outcome: report.cleanup_text(outcome, everything=everything))


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal; elsewhere nothing."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from tqdm import tqdm

    with tqdm(desc=title, unit="environment", leave=False, file=sys.stderr) as bar:

        def told(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        yield told


def _sync(run: _Run) -> int:
    from release_tool import report
    from release_tool.commands import sync

    given = run.arguments
    with run.tool() as tool:
        outcomes = list(sync.run(tool, given.environments, service=given.service, dry_run=given.dry_run))
    return _shown_all(run, outcomes, report.sync_text)


def _status(run: _Run) -> int:
    from release_tool import report_status
    from release_tool.commands import status

    given = run.arguments
    with run.tool() as tool:
        found = status.run(tool, given.environments, given.service, in_use=given.in_use, health=given.health)
    run.show(lambda: report_status.status_data(found), lambda: report_status.status_text(found, _width()))
    failures = [(one.place.title, error) for one in found.environments() for error in one.errors]
    for title, error in failures:  # all of it stands in its place on standard output
        print(f"release: {title}: {error}", file=sys.stderr)
    return ReleaseError.exit_code if failures else 0


def _history(run: _Run) -> int:
    from release_tool import report_history
    from release_tool.commands import history

    given = run.arguments
    wanted = history.Wanted(
        environments=given.environments,
        service=given.service,
        version=given.wanted,
        operations=given.operation,
        since=given.since,
        until=given.until,
        limit=given.limit,
        pending=given.pending,
    )
    history.check_usage(wanted, run.now())
    with run.tool() as tool:
        found = history.run(tool, wanted)
    if not found:
        print("release: no recorded operation is like that", file=sys.stderr)
    run.show(lambda: report_history.history_data(found), lambda: report_history.history_text(found, _width()))
    return 0


def _width() -> int | None:
    """Characters of a line of the terminal; None where standard output is none: nothing is folded there."""
    import shutil

    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size((100, 24)).columns


def _render(run: _Run) -> int:
    from release_tool.commands import render

    with run.tool(renders=True) as tool:
        text = render.run(tool, run.arguments.environment, run.arguments.ref, run.arguments.service)
    run.show(lambda: {"environment": run.arguments.environment, "manifests": text}, lambda: text.rstrip("\n"))
    return 0


def _diff(run: _Run) -> int:
    from release_tool import report
    from release_tool.commands import render

    if not run.arguments.environment:
        return _diff_everywhere(run)
    with run.tool(renders=True) as tool:
        found = render.diff(tool, run.arguments.environment, run.arguments.ref, run.arguments.service)
    run.show(
        lambda: report.difference_data(run.arguments.environment, found),
        lambda: "" if found is None else report.difference_text(found),
    )
    title = "/".join(filter(None, (run.arguments.service, run.arguments.environment)))
    run.tell(lambda job: job.difference(title, found))
    return 0


def _diff_everywhere(run: _Run) -> int:
    from release_tool import report
    from release_tool.commands import differences

    given = run.arguments
    with run.tool(renders=True) as tool:
        found = differences.run(tool, given.ref, given.service)
        if given.comment is not None:
            differences.comment(tool, given.comment, found, kept=run.job is not None)
    run.show(
        lambda: [report.difference_data(one.environment, one.changes, one.service) for one in found],
        lambda: "\n".join(report.difference_text(one.changes) for one in found if one.changes),
    )
    run.tell(lambda job: "".join(job.difference(one.title, one.changes) for one in found if one.changes))
    return _status_of([Failed(one.title, one.error) for one in found if one.error], run.job)


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
        found = check.run(
            InTree(wiring.working_tree(given.directory)), given.config, wiring.make_renderer, now=run.now()
        )
    run.show(lambda: report.report_data(found), lambda: report.report_text(found))
    run.tell(lambda job: job.checked(found))
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


def _doctor(run: _Run) -> int:
    from release_tool import wiring
    from release_tool.commands import doctor
    from release_tool.doctor.report import report_data, report_text

    given = run.arguments
    means = wiring.make_means(given.directory, given.repo, given.config, run.now, doctor.GIT_TIMEOUT)
    found = doctor.run(means, given.service)
    run.show(lambda: report_data(found), lambda: report_text(found, _width()))
    return found.exit_code


def _demo(run: _Run) -> int:
    from release_tool.commands import demo

    for text in demo.run(main, downgrade=run.arguments.downgrade):
        print(text, flush=True)
    return 0


_COMMANDS: dict[str, Callable[[_Run], int]] = {
    "bump": _bump,
    "promote": _promote,
    "default": _by_hand,
    "downgrade": _downgrade,
    "guard": _guard,
    "cleanup": _cleanup,
    "pin": _by_hand,
    "unpin": _by_hand,
    "retire": _by_hand,
    "restore": _by_hand,
    "quarantine": _by_hand,
    "clear": _by_hand,
    "undo": _undo,
    "sync": _sync,
    "status": _status,
    "history": _history,
    "render": _render,
    "diff": _diff,
    "check": _check,
    "pulls": _pulls_command,
    "doctor": _doctor,
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
    verbose, command = 0, ""
    try:
        arguments = parse(argv)
        command = arguments.command
        verbose = arguments.verbose
        if verbose:
            _log(verbose)
        status = _COMMANDS[arguments.command](_Run(arguments, now or _clock()))
        if sys.stdout is not None:
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 (the one handler at the top)
        return _told(error, verbose, command)
    return status


def _told(error: BaseException, verbose: int, command: str) -> int:
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
        _print_error(error, _job(command))
        status = error.exit_code
    elif isinstance(error, OSError):  # a full disk, a directory that can't be written, no more processes
        where = str(error.filename or "")
        refusal = ReleaseError(f"the machine refuses: {error.strerror or error}", where=where, hint=_MACHINE)
        _print_error(refusal, _job(command))
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


def _job(command: str) -> InJob | None:
    """The job of GitHub Actions that this runs in; None elsewhere."""
    from release_tool import wiring

    job = wiring.make_job()
    if job is None:
        return None
    from release_tool.in_job import InJob

    return InJob(job, command)


def _say(text: str, job: InJob | None) -> None:
    """Say something on standard error, where a job of GitHub Actions takes certain lines for commands to itself."""
    print(text if job is None else job.harmless(text), file=sys.stderr)


def _print_error(error: ReleaseError, job: InJob | None, title: str = "") -> None:
    lines = [f"release: error: {title}: {error.what}" if title else f"release: error: {error.what}"]
    for label, text in (("where", error.where), ("cause", error.cause), ("next", error.hint)):
        if text:
            lines.append(f"  {label + ':':6} {text}")
    _say("\n".join(lines), job)
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
