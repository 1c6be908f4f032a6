"""The command line of `release guard`: a pass, or passes until somebody stops it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from release_tool.errors import Failed, ReleaseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.commands.asked import Asked
    from release_tool.commands.guard import Guard, Watched


class Printer(Protocol):
    """How the command line says things."""

    def width(self) -> int | None:
        """Characters of a line of the terminal; None: it is none."""

    def say(self, text: str) -> None:
        """Say something on standard error."""

    def status(self, stopped: Sequence[Failed], waiting: Sequence[tuple[str, str]]) -> int:
        """Tell what failed, and where a person must act; the exit status."""

    def stopped(self, error: BaseException) -> int:
        """Tell what stopped a pass; its exit status."""


def guard(run: Any, asked: Asked, printer: Printer) -> int:
    """`release guard`; its exit status.

    Args:
        run: the call: its arguments, its tool, and how it shows results.
        asked: by whom.
        printer: says what there is to say beside the result.
    """
    from release_tool.commands.guard import Guard

    given = run.arguments
    command = Guard(given.environments, asked)
    if not given.watch:
        return _pass(run, command, printer)
    if given.dry_run:
        raise UsageError("--watch and --dry-run exclude each other", hint="a dry run explains one pass")
    from release_tool.watching import watch

    return watch(lambda: _one_of_many(run, command, printer), given.interval, lambda: printer.say("stopped"))


def _one_of_many(run: Any, command: Guard, printer: Printer) -> None:
    """What stops a pass is told, and the next one begins anew: a watch that ends at the first outage is none."""
    try:
        _pass(run, command, printer)
    except Exception as error:  # noqa: BLE001 (whatever it is)
        printer.stopped(error)


def _pass(run: Any, command: Guard, printer: Printer) -> int:
    from release_tool import report_guard, wiring
    from release_tool.commands import guard as guarding

    with run.tool(renders=True) as tool:
        found = list(guarding.run(tool, command, wiring.new_id))
    done = [one for one in found if not isinstance(one, Failed)]
    run.show(lambda: report_guard.guard_data(done), lambda: report_guard.guard_text(done, printer.width()))
    run.tell(lambda job: job.guarded(done))
    _tell_people(done, printer)
    stopped = [one for one in found if isinstance(one, Failed)]
    stopped += [Failed(one.place.title, error) for one in done for error in one.errors]
    return printer.status(stopped, [(one.place.title, one.waits) for one in done if one.waits])


def _tell_people(found: Sequence[Watched], printer: Printer) -> None:
    """Send what happened to the webhook; that it takes nothing is no reason to fail: Git has it all."""
    from release_tool import report_guard, wiring

    for one in found:
        text = report_guard.message(one)
        try:
            if text:
                wiring.tell_people(text)
        except ReleaseError as error:
            printer.say(f"warning: {error}")
