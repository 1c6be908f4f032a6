"""What a command tells the job of GitHub Actions that it runs in, beside what it prints. Prints nothing itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from release_tool.actions import commands, summary
from release_tool.actions.commands import Annotation
from release_tool.checks.findings import findings_of
from release_tool.config.places import title_of
from release_tool.errors import TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_tool.actions.job import Job
    from release_tool.checks.findings import Finding
    from release_tool.commands.check import Report
    from release_tool.commands.guard import Watched
    from release_tool.errors import ReleaseError
    from release_tool.manifests import ObjectChange
    from release_tool.remote.tool import Outcome


class InJob:
    """Summary, outputs, annotations and artifacts of one command.

    Each method returns lines for the log of the job; nothing that the job can't take fails the command, which has done
    its work by then.

    Args:
        job: the job.
        command: the command's name; empty where the arguments could not be read.
    """

    def __init__(self, job: Job, command: str) -> None:
        self._job = job
        self._command = command

    def outcomes(self, outcomes: Sequence[Outcome], *, several: bool) -> str:
        """What a changing command did.

        Args:
            outcomes: one for each environment.
            several: whether its JSON is a list.
        """
        return self._told(lambda: self._outcomes(outcomes, several=several))

    def checked(self, found: Report) -> str:
        """What `release check` found."""

        def tell() -> str:
            from release_tool.report.check import report_data

            self._job.summarise(summary.findings(found.findings, found.warnings, len(found.checked)))
            self._job.keep("check.json", _json(report_data(found)))
            return commands.lines(
                [
                    *(_annotation("error", "release check", one) for one in found.findings),
                    *(_annotation("warning", "release check", one) for one in found.warnings),
                ]
            )

        return self._told(tell)

    def difference(self, title: str, changes: Sequence[ObjectChange] | None) -> str:
        """What `release diff` found.

        Args:
            title: the environment, with its service where there are several.
            changes: None: nothing is pending.
        """

        def tell() -> str:
            text = _difference(changes)
            self._job.summarise(summary.text(f"{title}: manifests", text or "no object changes"))
            self._keep_difference(title, text)
            return ""

        return self._told(tell)

    def guarded(self, found: Sequence[Watched]) -> str:
        """What `release guard` found and did."""

        def tell() -> str:
            from release_tool.report.guard import guard_data

            data = guard_data(found)
            for one in data:
                self._job.summarise(summary.guarded(one))
            operations = [outcome for one in data for outcome in one["operations"]]
            for one in operations:
                self._job.summarise(summary.outcome(one))
            self._job.keep("outcome.json", _json(data))
            left_out = self._job.put_out(summary.outputs(operations, data))
            text = "is too large for an output of the step; the artifacts have it as outcome.json"
            return commands.lines(Annotation("notice", self._title(""), f"{name} {text}") for name in left_out)

        return self._told(tell)

    def failed(self, error: ReleaseError, title: str = "") -> str:
        """What stopped the command, or one environment of it.

        Args:
            error: why.
            title: the environment; empty: all of it.
        """

        def tell() -> str:
            said = [("what", error.what), ("where", error.where), ("cause", error.cause), ("next", error.hint)]
            self._job.summarise(summary.failure(f"release {self._command}".strip(), title, said))
            # What another try may mend is no error of the run yet.
            level = "warning" if isinstance(error, TryAgain) else "error"
            return commands.lines(_annotation(level, self._title(title), one) for one in findings_of(error))

        return self._told(tell)

    def refused(self, title: str, why: str) -> str:
        """An operation after which a person must act; the summary has it with its outcome.

        Args:
            title: the environment.
            why: in a sentence.
        """
        return str(Annotation("error", self._title(title), why))

    def warned(self, title: str, what: str) -> str:
        """What somebody should know of an environment, in a sentence."""
        return str(Annotation("warning", self._title(title), what))

    def harmless(self, text: str) -> str:
        """A text for the log, in which the runner finds no command."""
        return commands.harmless(text)

    def _title(self, title: str) -> str:
        return " ".join(filter(None, ("release", self._command, title)))

    def _outcomes(self, outcomes: Sequence[Outcome], *, several: bool) -> str:
        from release_tool.report.outcome import outcome_data

        each = [outcome_data(one) for one in outcomes]
        data: object = each if several else each[0]  # (one outcome, else the command has failed)
        for one in each:
            self._job.summarise(summary.outcome(one))
        for outcome in outcomes:
            title = title_of(outcome.environment, outcome.service)
            self._keep_difference(title, _difference(outcome.manifests))
        self._job.keep("outcome.json", _json(data))
        left_out = self._job.put_out(summary.outputs(each, data))
        text = "is too large for an output of the step; the artifacts have it as outcome.json"
        return commands.lines(Annotation("notice", self._title(""), f"{name} {text}") for name in left_out)

    def _keep_difference(self, title: str, text: str) -> None:
        if text:
            self._job.keep(f"difference-{title.replace('/', '-')}.diff", text)

    def _told(self, tell: Callable[[], str]) -> str:
        try:
            return tell()
        except OSError as error:  # a full disk, a file that isn't there
            what = f"the job takes no summary or output: {error.strerror or error}"
            return str(Annotation("warning", self._title(""), what))


def _difference(changes: Sequence[ObjectChange] | None) -> str:
    if not changes:
        return ""
    from release_tool import manifests

    return manifests.difference_text(changes)


def _annotation(level: str, title: str, finding: Finding) -> Annotation:
    place = Annotation(level, title, finding.what, finding.where)
    # What is no place in a file is said in the text.
    named = finding.where and not place.has_place
    what = f"{finding.where}: {finding.what}" if named else finding.what
    return place._replace(text=f"{what}\nnext: {finding.hint}" if finding.hint else what)


def _json(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
