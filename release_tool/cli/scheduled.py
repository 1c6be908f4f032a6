"""The commands that a schedule or a push runs on many environments."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from release_tool.cli.call import asked_of, print_failures, print_refusal, show_outcomes
from release_tool.cli.parser import Command, environments_argument, force_argument, not_empty
from release_tool.cli.screen import width
from release_tool.errors import Failed, ReleaseError, UsageError
from release_tool.model.printed_command import command as printed_command

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable
    from types import FrameType

    from release_tool.cli.call import Run
    from release_tool.commands.guard import Guard, Watched


def _writing_arguments(parser: ArgumentParser) -> None:
    environments_argument(parser)
    parser.add_argument("--dry-run", action="store_true", help="explain what would be done; write nothing anywhere")
    parser.add_argument("--direct", action="store_true", help="push to the base branch, without a pull request")
    force_argument(parser)
    # Each operation gets an environment, an id and a reason of its own.
    parser.set_defaults(environment="", id="", reason="")


def _cleanup_arguments(cleanup: ArgumentParser) -> None:
    _writing_arguments(cleanup)
    cleanup.add_argument("--reason", default="", help="why, for the record")
    text = "with --dry-run: preview the retention and the versions of this release.yaml instead of the base's"
    cleanup.add_argument("--policy", type=not_empty, metavar="FILE", help=text)


def _cleanup(run: Run) -> int:
    from release_tool import wiring
    from release_tool.commands import cleanup
    from release_tool.report.outcome import cleanup_text

    given = run.arguments
    if given.policy and not given.dry_run:
        what = "--policy is for --dry-run: a cleanup that writes follows the policy of the base branch"
        raise UsageError(what, hint="add --dry-run, or let the new policy land first")
    policy = wiring.config_file(given.directory, given.policy) if given.policy else None
    here = wiring.config_of_checkout(given.directory, given.config) if given.dry_run and not given.repo else None
    preview = (
        printed_command("cleanup", *given.environments, "--dry-run", "--policy", here[1], service=given.service)
        if here
        else ""
    )
    checkout = (here[0], preview) if here and not policy else None
    command = cleanup.Cleanup(given.environments, asked_of(given), policy, checkout)
    with run.tool() as tool:
        outcomes = list(cleanup.run(tool, command, wiring.new_id, run.progress.advance))
    everything = given.dry_run or bool(given.verbose)
    return show_outcomes(run, outcomes, lambda outcome: cleanup_text(outcome, width(), everything=everything))


def _sync_arguments(sync: ArgumentParser) -> None:
    environments_argument(sync)
    sync.add_argument("--dry-run", action="store_true", help="plan and render; write nothing anywhere")


def _sync(run: Run) -> int:
    from release_tool.commands import sync
    from release_tool.report.outcome import sync_text

    given = run.arguments
    with run.tool() as tool:
        outcomes = list(sync.run(tool, given.environments, service=given.service, dry_run=given.dry_run))
    return show_outcomes(run, outcomes, lambda outcome: sync_text(outcome, width()))


def _guard_arguments(guard: ArgumentParser) -> None:
    _writing_arguments(guard)
    guard.add_argument("--watch", action="store_true", help="pass after pass, until SIGTERM or SIGINT")
    text = "seconds between two passes of --watch; 60 by default"
    guard.add_argument("--interval", type=_seconds, default=60.0, metavar="SECONDS", help=text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 86_400:
        raise ValueError  # argparse makes a usage error of it
    return seconds


def _guard(run: Run) -> int:
    from release_tool.commands.guard import Guard

    given = run.arguments
    command = Guard(given.environments, asked_of(given))
    if not given.watch:
        return _pass(run, command)
    if given.dry_run:
        raise UsageError("--watch and --dry-run exclude each other", hint="a dry run explains one pass")
    _watch(lambda: _pass_of_many(run, command), given.interval)
    run.say("stopped")
    return 0


def _watch(one_pass: Callable[[], object], interval: float) -> None:
    """Run passes, `interval` seconds between them, until SIGTERM or SIGINT; the pass under way is finished first.

    A second signal does not wait for that.
    """
    import signal
    import threading

    stop = threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise SystemExit(128 + number)
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        while not stop.is_set():
            one_pass()
            stop.wait(interval)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _pass_of_many(run: Run, command: Guard) -> None:
    """A pass that is followed by others whatever it meets: a watch that ends at the first outage is none."""
    try:
        _pass(run, command)
    except Exception as error:  # noqa: BLE001 (whatever it is)
        from release_tool.cli.errors import print_failure

        sys.stdout.flush()
        json = run.arguments.output == "json"
        print_failure(error, run.arguments.verbose, run.arguments.command, json=json)


def _pass(run: Run, command: Guard) -> int:
    from release_tool import wiring
    from release_tool.commands import guard
    from release_tool.report.guard import guard_data, guard_text

    with run.tool(renders=True) as tool:
        found = list(guard.run(tool, command, wiring.new_id))
    done = [one for one in found if not isinstance(one, Failed)]
    run.show(lambda: guard_data(done), lambda: guard_text(done, width()))
    run.tell_job(lambda job: job.guarded(done))
    for one in done:
        _send_message(run, one)
    for one in done:
        if one.blind:
            run.say(f"warning: {one.place.title}: {one.blind}")
            run.tell_job(lambda job, one=one: job.warned(one.place.title, one.blind))  # type: ignore[misc]
    stopped = [one for one in found if isinstance(one, Failed)]
    stopped += [Failed(one.place.title, error) for one in done for error in one.errors]
    status = print_failures(run, stopped)
    waiting = [one for one in done if one.waits]
    for one in waiting:
        print_refusal(run, one.place.title, one.waits)
    return status or (ReleaseError.exit_code if waiting else 0)


def _send_message(run: Run, found: Watched) -> None:
    """Send what happened to the webhook; that it takes nothing is no reason to fail: Git has it all."""
    from release_tool import wiring
    from release_tool.report.guard import message

    text = message(found)
    try:
        if text:
            wiring.tell_people(text)
    except ReleaseError as error:
        run.say(f"warning: {error}")


COMMANDS = {
    "guard": Command(
        "judge the health of live versions; move a bad default back",
        ("release guard production --dry-run", "release guard --watch --interval 60"),
        _guard_arguments,
        _guard,
    ),
    "cleanup": Command(
        "sweep (clean up by policy) everywhere; silent without work",
        ("release cleanup", "release cleanup devel --dry-run"),
        _cleanup_arguments,
        _cleanup,
    ),
    "sync": Command(
        "make open release branches again on the base; silent without work",
        ("release sync", "release sync devel --dry-run"),
        _sync_arguments,
        _sync,
    ),
}
