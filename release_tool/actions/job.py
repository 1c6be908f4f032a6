"""What a job of GitHub Actions takes from a command: its summary, its step's outputs, annotations, artifacts.

The variables and files are those of "Workflow commands for GitHub Actions" (docs.github.com); the runners of Gitea and
Forgejo have the same.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

ARTIFACTS = "RELEASE_ARTIFACTS"
"""Names the directory for files that are worth keeping with the run; `action.yml` sets it."""

_LARGEST_SUMMARY = 1024 * 1024
"""Bytes of a step's summary; the runner throws a longer one away, whole."""

_LARGEST_OUTPUT = 256 * 1024
"""Bytes of one output. GitHub takes 1 MiB for all outputs of a job together, and other steps have some too."""


class Job(NamedTuple):
    """The job that this command runs in.

    Attributes:
        summary: the file of the step's summary; None: none is wanted.
        output: the file of the step's outputs; None: nobody reads any.
        artifacts: the directory for files to keep; None: nobody keeps any.
    """

    summary: Path | None
    output: Path | None
    artifacts: Path | None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Job | None:
        """The job that an environment describes; None outside of GitHub Actions."""
        if environ.get("GITHUB_ACTIONS") != "true":
            return None
        places = (environ.get(name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", ARTIFACTS))
        return cls(*(Path(place) if place else None for place in places))

    def summarise(self, markdown: str) -> None:
        """Add a text to the summary of the step; what no longer fits is left out with a sentence.

        Raises:
            OSError: the file can't be written.
        """
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
        """Set outputs of the step.

        Args:
            outputs: name -> value.

        Returns:
            The names of those that are too large, and were left out.

        Raises:
            OSError: the file can't be written.
        """
        fitting = {key: value for key, value in outputs.items() if len(value.encode("utf-8")) <= _LARGEST_OUTPUT}
        if self.output is not None:
            with self.output.open("a", encoding="utf-8") as file:
                for name, value in fitting.items():
                    # A value ends with a line that nobody outside can foresee, so that none can go on as another.
                    end = f"end-{os.urandom(16).hex()}"
                    file.write(f"{name}<<{end}\n{value}\n{end}\n")
        return [name for name in outputs if name not in fitting]

    def keep(self, name: str, text: str) -> None:
        """Write a file for the artifacts of the run.

        Args:
            name: of the file, without a directory.
            text: what it holds.

        Raises:
            OSError: it can't be written.
        """
        if self.artifacts is None:
            return
        self.artifacts.mkdir(parents=True, exist_ok=True)
        (self.artifacts / name).write_text(text, encoding="utf-8", newline="")
