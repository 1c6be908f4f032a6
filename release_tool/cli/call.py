"""One call of a command, and how its result is told."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from release_tool.cli.errors import job_of, print_error, say
from release_tool.errors import Failed, ReleaseError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from release_tool.actions.in_job import InJob
    from release_tool.commands.invocation import Asked
    from release_tool.remote.tool import Outcome


class Run:
    """One call: its arguments, its clock, and how it prints."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        now: Callable[[], datetime],
        main: Callable[[Sequence[str], Callable[[], datetime]], int],
    ) -> None:
        self.arguments = arguments
        self.now = now
        self.main = main
        """The command line itself, for what runs other commands: the demo."""

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
        return job_of(self.arguments.command)

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


def shown(run: Run, outcome: Outcome) -> int:
    """Print what a changing command did; its exit status."""
    from release_tool.report import outcome as report

    run.show(lambda: report.outcome_data(outcome), lambda: report.outcome_text(outcome))
    run.tell(lambda job: job.outcomes([outcome], several=False))
    return status_of([outcome], run.job)


def shown_all(run: Run, outcomes: Sequence[Outcome | Failed], text: Callable[[Outcome], str]) -> int:
    """Print what a command did to several environments, each failure on standard error; its exit status."""
    from release_tool.report import outcome as report

    done = [one for one in outcomes if not isinstance(one, Failed)]
    run.show(
        lambda: [report.outcome_data(outcome) for outcome in done],
        lambda: "\n".join(filter(None, map(text, done))),
    )
    run.tell(lambda job: job.outcomes(done, several=True))
    return status_of(outcomes, run.job)


def status_of(outcomes: Sequence[Outcome | Failed], job: InJob | None) -> int:
    """Tell each failure on standard error; the exit status of all."""
    status = 0
    for one in outcomes:
        if isinstance(one, Failed):
            print_error(one.error, job, one.title)
            status = one.error.exit_code if status in {0, one.error.exit_code} else ReleaseError.exit_code
        elif one.refused:
            say(f"release: {one.environment}: {one.refused}", job)
            if job is not None:
                print(job.refused(one.environment, one.refused), file=sys.stderr)
            status = ReleaseError.exit_code
    return status


def asked_of(given: argparse.Namespace) -> Asked:
    """What every operation that somebody asks for has in common."""
    from release_tool import wiring
    from release_tool.commands.invocation import Asked, checked_id, checked_reason

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


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
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


def width() -> int | None:
    """Characters of a line of the terminal; None where standard output is none: nothing is folded there."""
    import shutil

    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size((100, 24)).columns
