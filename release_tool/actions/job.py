"""What a command tells the CI job that it runs in, beside what it prints.

The variables and files are those of "Workflow commands for GitHub Actions" (docs.github.com); the runners of Gitea and
Forgejo have the same. Elsewhere `RELEASE_SUMMARY` and `RELEASE_OUTPUTS` name the files, the second one in the form of
GitLab's dotenv reports.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from release_tool.actions import ci_system, summary
from release_tool.actions.annotation import Annotation
from release_tool.actions.ci_system import GITHUB, CiSystem
from release_tool.checks.findings import findings_of
from release_tool.errors import TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from release_tool.checks.findings import Finding
    from release_tool.commands.check import CheckReport
    from release_tool.commands.guard import Watched
    from release_tool.errors import ReleaseError
    from release_tool.manifests import ObjectChange
    from release_tool.publishing.outcome import Outcome

ARTIFACTS = "RELEASE_ARTIFACTS"
"""Names the directory for files that are worth keeping with the run; `action.yml` sets it."""

FILES = ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "RELEASE_SUMMARY", "RELEASE_OUTPUTS")
"""Name the files for summary and outputs, of GitHub's runners and of the others."""

_LARGEST_SUMMARY = 1024 * 1024  # bytes of a step's summary; the runner throws a longer one away, whole
_LARGEST_OUTPUT = 256 * 1024  # bytes; GitHub takes 1 MiB for all outputs of a job together, and other steps have some


class Job(NamedTuple):
    """The job that a command runs in.

    The methods that tell it something return annotations, lines for the log, and raise OSError for what can't be
    written.
    """

    summary: Path | None = None  # the file of the step's summary; None: none is wanted
    output: Path | None = None  # the file of the step's outputs; None: nobody reads any
    artifacts: Path | None = None  # the directory for files to keep; None: nobody keeps any
    command: str = ""  # its name; empty where the arguments could not be read
    system: CiSystem = GITHUB

    @classmethod
    def of(cls, environ: Mapping[str, str], command: str) -> Job | None:
        """The job that an environment describes; None outside of the CI systems that are known."""
        system = ci_system.of(environ)
        if system is None:
            return None
        own = FILES[:2] if system is GITHUB else FILES[2:]
        written, output, artifacts = (Path(environ[name]) if environ.get(name) else None for name in (*own, ARTIFACTS))
        return cls(written, output, artifacts, command, system)

    # -- what came of the command

    def outcomes(self, outcomes: Sequence[Outcome], *, several: bool) -> str:
        """What a changing command did; `several`: whether its JSON is a list."""
        from release_tool.report.outcome import outcome_data

        each = [outcome_data(one) for one in outcomes]
        for one in each:
            self.summarise(summary.outcome(one))
        for outcome in outcomes:
            self._keep_difference(outcome.title, _difference(outcome.manifests))
        return self._put_out(each, each if several else each[0])  # (one outcome, else the command has failed)

    def checked(self, found: CheckReport) -> str:
        """What `release check` found."""
        from release_tool.report.check import report_data

        self.summarise(summary.findings(found.findings, found.warnings, len(found.checked)))
        self.keep("check.json", report_data(found))
        return self._lines(
            [
                *(_annotation("error", "release check", one) for one in found.findings),
                *(_annotation("warning", "release check", one) for one in found.warnings),
            ]
        )

    def difference(self, title: str, changes: Sequence[ObjectChange] | None) -> str:
        """What `release diff` found in an environment; None: nothing is pending."""
        text = _difference(changes)
        self.summarise(summary.text(f"{title}: manifests", text or "no object changes"))
        self._keep_difference(title, text)
        return ""

    def guarded(self, found: Sequence[Watched]) -> str:
        """What `release guard` found and did."""
        from release_tool.report.guard import guard_data

        data = guard_data(found)
        operations = [outcome for one in data for outcome in one["operations"]]
        for text in (*map(summary.guarded, data), *map(summary.outcome, operations)):
            self.summarise(text)
        return self._put_out(operations, data)

    def failed(self, error: ReleaseError, title: str = "") -> str:
        """What stopped the command, or one environment of it."""
        parts = [("what", error.what), ("where", error.where), ("cause", error.cause), ("next", error.hint)]
        self.summarise(summary.failure(f"release {self.command}".strip(), title, parts))
        # What another try may mend is no error of the run yet.
        level = "warning" if isinstance(error, TryAgain) else "error"
        return self._lines(_annotation(level, self._title(title), one) for one in findings_of(error))

    def refused(self, title: str, why: str) -> str:
        """An operation after which a person must act; the summary has it with its outcome."""
        return self.system.line(Annotation("error", self._title(title), why))

    def warned(self, title: str, what: str) -> str:
        """What somebody should know of an environment, in a sentence."""
        return self.system.line(Annotation("warning", self._title(title), what))

    def unwritable(self, error: OSError) -> str:
        """That the job takes nothing: a full disk, a file that isn't there."""
        what = f"the job takes no summary or output: {error.strerror or error}"
        return self.system.said(Annotation("warning", self._title(""), what))

    def _title(self, title: str) -> str:
        return " ".join(filter(None, ("release", self.command, title)))

    def _lines(self, annotations: Iterable[Annotation]) -> str:
        """Annotations as lines for the log; one that comes twice stands once."""
        return "\n".join(filter(None, dict.fromkeys(map(self.system.line, annotations))))

    # -- where it is written

    def summarise(self, markdown: str) -> None:
        """Add a text to the summary of the step; what no longer fits is left out with a sentence."""
        if self.summary is None or not markdown:
            return
        room = _LARGEST_SUMMARY - (self.summary.stat().st_size if self.summary.exists() else 0)
        text = f"{markdown.rstrip()}\n\n"
        if len(text.encode("utf-8")) > room:
            text = "_More did not fit into this summary; the log and the artifacts have it._\n\n"
        if len(text.encode("utf-8")) <= room:
            with self.summary.open("a", encoding="utf-8") as file:
                file.write(text)

    def put_out(self, outputs: Mapping[str, str]) -> list[str]:
        """Set outputs of the step; the names of those that are too large, and were left out."""
        if self.system is not GITHUB:
            self._put_variables(outputs)
            return []
        fitting = {key: value for key, value in outputs.items() if len(value.encode("utf-8")) <= _LARGEST_OUTPUT}
        if self.output is not None:
            with self.output.open("a", encoding="utf-8") as file:
                for name, value in fitting.items():
                    # A value ends with a line that nobody outside can foresee, so that none can go on as another.
                    end = f"end-{os.urandom(16).hex()}"
                    file.write(f"{name}<<{end}\n{value}\n{end}\n")
        return [name for name in outputs if name not in fitting]

    def _put_variables(self, outputs: Mapping[str, str]) -> None:
        """The same as variables; the JSON is no value of one (`outcome.json` among the artifacts has it)."""
        if self.output is None:
            return
        with self.output.open("a", encoding="utf-8") as file:
            for name, value in outputs.items():
                if name != "json" and re.fullmatch(r"[!-~]+", value):  # GitLab takes no blanks, and knows no quotes
                    file.write(f"RELEASE_{name.upper().replace('-', '_')}={value}\n")

    def keep(self, name: str, content: object) -> None:
        """Write a file for the artifacts of the run: a text, or JSON of anything else."""
        if self.artifacts is None:
            return
        text = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        self.artifacts.mkdir(parents=True, exist_ok=True)
        (self.artifacts / name).write_text(text, encoding="utf-8", newline="")

    def _keep_difference(self, title: str, text: str) -> None:
        if text:
            self.keep(f"difference-{title.replace('/', '-')}.diff", text)

    def _put_out(self, operations: Sequence[Mapping[str, object]], data: object) -> str:
        self.keep("outcome.json", data)
        left_out = self.put_out(summary.outputs(operations, data))
        text = "is too large for an output of the step; the artifacts have it as outcome.json"
        return self._lines(Annotation("notice", self._title(""), f"{name} {text}") for name in left_out)


def _difference(changes: Sequence[ObjectChange] | None) -> str:
    if not changes:
        return ""
    from release_tool import manifests

    return manifests.difference_text(changes)


def _annotation(level: str, title: str, finding: Finding) -> Annotation:
    made = Annotation(level, title, finding.what, finding.where)
    # What is no place in a file is said in the text.
    what = f"{finding.where}: {finding.what}" if finding.where and not made.place else finding.what
    return made._replace(text=f"{what}\nnext: {finding.hint}" if finding.hint else what)
