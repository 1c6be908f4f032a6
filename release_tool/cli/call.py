"""One call of a command, and the one place that prints: no text from outside reaches a terminal as it is."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from release_tool import safe_text
from release_tool.cli.progress import Progress
from release_tool.cli.screen import choose, fold_error, is_coloured, is_terminal, width
from release_tool.errors import Failed, ReleaseError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from release_tool.actions.job import Job
    from release_tool.publishing.outcome import Invocation, Outcome


_TELLING = frozenset({"init", "demo", "completion"})
"""The commands that ask questions, or print while they work."""


class Run:
    """One call: its arguments, its clock, and how it prints.

    Args:
        arguments: as the parser gives them.
        now: the clock; None: the machine's.
        main: the command line itself, for what runs other commands: the demo.
    """

    def __init__(
        self,
        arguments: argparse.Namespace,
        now: Callable[[], datetime] | None,
        main: Callable[[Sequence[str], Callable[[], datetime]], int],
    ) -> None:
        from release_tool import wiring

        self.arguments = arguments
        self.now = now or wiring.utc_now
        self.main = main
        self.shown = False  # whether standard output has a result
        choose(getattr(arguments, "color", "auto"))
        command = getattr(arguments, "command", "")
        telling = command in _TELLING and not getattr(arguments, "yes", False)
        telling = telling or any(getattr(arguments, key, False) for key in ("verbose", "watch"))
        self.progress = Progress(f"release {command}", quiet=telling)

    @contextmanager
    def tool(self, *, renders: bool = False, inside: bool = False) -> Iterator[Any]:
        """The tool; its private store is given back. `renders` and `inside`: see `wiring.make_tool`."""
        from release_tool import wiring

        given = self.arguments
        tool = wiring.make_tool(given.directory, given.repo, given.config, self.now, renders=renders, inside=inside)
        try:
            yield tool
        finally:
            tool.close()

    @cached_property
    def job(self) -> Job | None:
        """The CI job that this runs in; None elsewhere."""
        from release_tool import wiring

        return wiring.make_job(self.arguments.command)

    def show(
        self,
        data: Callable[[], object],
        text: Callable[[], str],
        *,
        is_data: bool = False,
        is_long: bool = False,
        difference: bool = False,
    ) -> None:
        """Print a result on standard output, in the form that was asked for.

        Args:
            data: makes the JSON.
            text: makes the text for people; none is printed where it is empty.
            is_data: whether the text is meant for other programs: these get it to the byte, a terminal doesn't.
            is_long: whether a terminal shows it in a pager where it is higher than that.
            difference: whether the text holds differences of files or manifests.
        """
        self.progress.stop()
        if self.arguments.output == "json":
            made = data()  # what fails here is told as JSON, too
            self.shown = True
            print_json(made, self.job)
        elif written := text():
            if not is_data or is_terminal(sys.stdout):  # differences keep the line ends of their files
                written = "\r\n".join(map(safe_text.lines, written.split("\r\n")))
            if self.job is not None and not _is_file(sys.stdout):
                shown, written = written, for_log(written, self.job, clean=False)
                if is_data and shown != written:
                    self.say("warning: the log of a job would take `::` or `##` for commands: write it to a file")
            paged = is_long and is_terminal(sys.stdout) and not self.arguments.no_pager
            if not is_data and is_coloured(sys.stdout):
                from release_tool.report.colour import painted

                written = painted(written, difference=difference)
            if not (paged and self._paged(written)):
                print(written)

    def _paged(self, text: str) -> bool:
        from release_tool.cli.pager import NOT_RUN, chosen, fits, show

        if fits(text) or not chosen():
            return False
        status = show(text, chosen())
        if status > 0:
            self.say(f"warning: the pager `{chosen()}` ended with status {status}; --no-pager does without one")
        return status not in NOT_RUN

    def tell_job(self, what: Callable[[Job], str]) -> None:
        """Tell the job what came of the command, if there is one; its annotations go to standard error."""
        tell_job(self.job, what)

    def say(self, text: str) -> None:
        """A note or a warning on standard error."""
        self.progress.stop()
        say(f"release: {text}", self.job)


def say(text: str, job: Job | None = None) -> None:
    """Print lines on standard error, where some CI systems take certain lines for commands to themselves."""
    text = for_log(text, job)
    if is_coloured(sys.stderr):
        from release_tool.report.colour import painted

        text = painted(text)
    print(text, file=sys.stderr)


def for_log(text: str, job: Job | None, *, clean: bool = True) -> str:
    """Lines as a terminal, and the log of a job, may see them; `clean` takes control characters out."""
    text = safe_text.lines(text) if clean else text
    return text if job is None else job.system.harmless(text)


def print_json(data: object, job: Job | None) -> None:
    """Print JSON on standard output."""
    import json

    text = safe_text.in_json(json.dumps(data, indent=2, ensure_ascii=False))
    print(text if job is None else text.replace("##", "#\\u0023"))  # with which commands of a runner begin


def _is_file(stream: Any) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError, AttributeError):  # closed, or none
        return False


def tell_job(job: Job | None, what: Callable[[Job], str]) -> None:
    """Tell a job something. What it can't take fails no command, which has done its work by then."""
    if job is None:
        return
    try:
        said = what(job)
    except OSError as error:
        said = job.unwritable(error)
    if said:
        print(safe_text.lines(said), file=sys.stderr)


def print_error(error: ReleaseError, job: Job | None, title: str = "") -> None:
    """Print an error; `title`: what of several things it is about."""
    from release_tool.cli.pages import page_address, with_addresses

    lines = [("release: error: ", f"{title}: {error.what}" if title else error.what)]
    hint, page = with_addresses(error.hint), error.page and page_address(error.page)
    for label, text in (("where", error.where), ("cause", error.cause), ("next", hint), ("more", page)):
        if text:
            lines.append((f"  {label + ':':6} ", text))
    say(fold_error(lines), job)
    tell_job(job, lambda job: job.failed(error, title))


def show_outcome(run: Run, outcome: Outcome) -> int:
    """Print what a changing command did; its exit status."""
    from release_tool.report.outcome import outcome_data, outcome_text

    dry = outcome.invocation.dry_run
    text = lambda: outcome_text(outcome, width())  # noqa: E731
    run.show(lambda: outcome_data(outcome), text, is_long=dry, difference=dry)
    if run.job is not None:
        run.tell_job(lambda job: job.outcomes([outcome], several=False))
    return print_failures(run, [outcome]) if outcome.refused else 0


def show_outcomes(run: Run, outcomes: Sequence[Outcome | Failed], text: Callable[[Outcome], str]) -> int:
    """Print what a command did to several environments, each failure on standard error; its exit status."""
    from release_tool.report.outcome import failed_data, outcome_data

    done = [one for one in outcomes if not isinstance(one, Failed)]
    data = lambda: [failed_data(one) if isinstance(one, Failed) else outcome_data(one) for one in outcomes]  # noqa: E731
    dry = any(one.invocation.dry_run for one in done)
    run.show(data, lambda: "\n".join(filter(None, map(text, done))), is_long=dry, difference=dry)
    run.tell_job(lambda job: job.outcomes(done, several=True))
    return print_failures(run, outcomes)


def print_failures(run: Run, outcomes: Sequence[Outcome | Failed]) -> int:
    """Print each failure on standard error; the exit status of all."""
    status = 0
    for one in outcomes:
        if isinstance(one, Failed):
            print_error(one.error, run.job, one.title)
            status = one.error.exit_code if status in {0, one.error.exit_code} else ReleaseError.exit_code
        elif one.refused:
            print_refusal(run, one.title, one.refused, one.hint)
            status = ReleaseError.exit_code
    return status


def print_refusal(run: Run, title: str, why: str, hint: str = "") -> None:
    """Say of an environment that a person must act."""
    run.progress.stop()
    say(fold_error([(f"release: {title}: ", why), *([("  next:  ", hint)] if hint else [])]), run.job)
    run.tell_job(lambda job: job.refused(title, why))


def asked_of(given: argparse.Namespace) -> Invocation:
    """What every operation that somebody asks for has in common."""
    from release_tool import wiring
    from release_tool.commands.arguments import checked_id, checked_reason
    from release_tool.publishing.outcome import Invocation

    return Invocation(
        environment=given.environment,
        id=checked_id(given.id) if given.id else wiring.new_id(),
        by=wiring.run_by(),
        run=wiring.run_link(),
        reason=checked_reason(given.reason),
        service=given.service,
        direct=True if given.direct else None,
        dry_run=given.dry_run,
        force=given.force,
        named=bool(given.id),
    )
