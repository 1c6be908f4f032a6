"""The command line of `release guard`: a pass, or passes until somebody stops it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from release_tool.cli.call import asked_of, status_of, width
from release_tool.cli.errors import say, told
from release_tool.cli.options import Command, environments_argument
from release_tool.errors import Failed, ReleaseError, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

    from release_tool.cli.call import Run
    from release_tool.commands.guard import Guard, Watched


def _guard_arguments(guard: ArgumentParser) -> None:
    environments_argument(guard)
    guard.add_argument("--dry-run", action="store_true", help="judge and explain; write nothing anywhere")
    guard.add_argument("--direct", action="store_true", help="push to the base branch, without a pull request")
    guard.add_argument("--watch", action="store_true", help="pass after pass, until SIGTERM or SIGINT")
    text = "seconds between two passes of --watch; 60 by default"
    guard.add_argument("--interval", type=_seconds, default=60.0, metavar="SECONDS", help=text)


def _seconds(text: str) -> float:
    """Seconds to wait; argparse tells a ValueError as the usage error that it is."""
    seconds = float(text)
    if not 1 <= seconds <= 86_400:
        raise ValueError
    return seconds


def _guard(run: Run) -> int:
    from release_tool.commands.guard import Guard

    given = run.arguments
    given.environment, given.id, given.reason = "", "", ""
    command = Guard(given.environments, asked_of(given))
    if not given.watch:
        return _pass(run, command)
    if given.dry_run:
        raise UsageError("--watch and --dry-run exclude each other", hint="a dry run explains one pass")
    from release_tool.cli.watch import watch

    return watch(lambda: _one_of_many(run, command), given.interval, lambda: _say(run, "stopped"))


def _one_of_many(run: Run, command: Guard) -> None:
    """What stops a pass is told, and the next one begins anew: a watch that ends at the first outage is none."""
    try:
        _pass(run, command)
    except Exception as error:  # noqa: BLE001 (whatever it is)
        sys.stdout.flush()
        told(error, run.arguments.verbose, run.arguments.command)


def _pass(run: Run, command: Guard) -> int:
    from release_tool import wiring
    from release_tool.commands import guard as guarding
    from release_tool.report import guard as report_guard

    with run.tool(renders=True) as tool:
        found = list(guarding.run(tool, command, wiring.new_id))
    done = [one for one in found if not isinstance(one, Failed)]
    run.show(lambda: report_guard.guard_data(done), lambda: report_guard.guard_text(done, width()))
    run.tell(lambda job: job.guarded(done))
    _tell_people(run, done)
    for one in done:
        if one.blind:
            _say(run, f"warning: {one.place.title}: {one.blind}")
            run.tell(lambda job, one=one: job.warned(one.place.title, one.blind))  # type: ignore[misc]
    stopped = [one for one in found if isinstance(one, Failed)]
    stopped += [Failed(one.place.title, error) for one in done for error in one.errors]
    return _status(run, stopped, [(one.place.title, one.waits) for one in done if one.waits])


def _tell_people(run: Run, found: Sequence[Watched]) -> None:
    """Send what happened to the webhook; that it takes nothing is no reason to fail: Git has it all."""
    from release_tool import wiring
    from release_tool.report import guard as report_guard

    for one in found:
        text = report_guard.message(one)
        try:
            if text:
                wiring.tell_people(text)
        except ReleaseError as error:
            _say(run, f"warning: {error}")


def _status(run: Run, stopped: Sequence[Failed], waiting: Sequence[tuple[str, str]]) -> int:
    """Tell what failed, and where a person must act: environment and why; the exit status."""
    status = status_of(stopped, run.job)
    for title, why in waiting:
        _say(run, f"{title}: {why}")
        if run.job is not None:
            print(run.job.refused(title, why), file=sys.stderr)
    return status or (ReleaseError.exit_code if waiting else 0)


def _say(run: Run, text: str) -> None:
    say(f"release: {text}", run.job)


GUARD = Command("judge the health of the versions; move the default back when it is bad", _guard_arguments, _guard)
