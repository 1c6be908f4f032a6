"""The CI systems that a command may run in: what each takes from the log of a job, and who commits there.

Sources: `annotation.py` for GitHub, whose runner Gitea and Forgejo follow; "Logging commands" (learn.microsoft.com) and
`Command.cs` of microsoft/azure-pipelines-agent for Azure Pipelines. GitLab takes nothing from a log: its sections begin
with control characters, which no text of ours holds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.actions import annotation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from release_tool.actions.annotation import Annotation

_OF_AZURE = re.compile(r"##(?=vso\[|\[)", re.IGNORECASE)  # anywhere in a line
_NO_WIDTH = "\u200b"


class CiSystem(NamedTuple):
    """What differs between CI systems.

    Attributes:
        line: an annotation as a line that the system takes from the log; empty: it takes none, and the text of the
            command itself has to do.
        harmless: a text for the log in which the system finds no command.
        committer: name and address of who commits where nobody has said, by the variables of the job.
    """

    line: Callable[[Annotation], str]
    harmless: Callable[[str], str]
    committer: Callable[[Mapping[str, str]], tuple[str, str]]

    def said(self, one: Annotation) -> str:
        """An annotation that the command says in no other way."""
        return self.line(one) or f"{one.title or 'release'}: {one.level}: {one.text}"


def _azure_line(one: Annotation) -> str:
    if one.level == "notice":
        return ""
    names = {"file": "sourcepath", "line": "linenumber", "col": "columnnumber"}
    properties = {"type": one.level} | {names[name]: value for name, value in one.place.items()}
    said = ";".join(f"{name}={azure_property(value)}" for name, value in properties.items())
    return f"##vso[task.logissue {said}]{_azure_data(f'{one.title}: {one.text}' if one.title else one.text)}"


def azure_variable(name: str, value: str) -> str:
    """The line that sets an output variable of a step."""
    return f"##vso[task.setvariable variable={azure_property(name)};isOutput=true]{_azure_data(value)}"


def azure_property(text: str) -> str:
    """A property of a logging command."""
    return _azure_data(text).replace("]", "%5D").replace(";", "%3B")


def _azure_data(text: str) -> str:
    return _azure_harmless(text).replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _azure_harmless(text: str) -> str:
    return _OF_AZURE.sub(lambda found: found[0] + _NO_WIDTH, text)


GITHUB = CiSystem(
    line=str,
    harmless=annotation.harmless,
    # The account of GITHUB_TOKEN, as the README of actions/checkout names it.
    committer=lambda _: ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com"),
)
GITLAB = CiSystem(
    line=lambda _: "",
    harmless=lambda text: text,
    committer=lambda environ: (
        environ.get("GITLAB_USER_NAME") or "GitLab CI",
        environ.get("GITLAB_USER_EMAIL") or f"noreply@{environ.get('CI_SERVER_HOST') or 'gitlab.com'}",
    ),
)
AZURE = CiSystem(
    line=_azure_line,
    harmless=_azure_harmless,
    # A schedule is asked for by a service that has no address.
    committer=lambda environ: (
        (environ["BUILD_REQUESTEDFOR"], environ["BUILD_REQUESTEDFOREMAIL"])
        if environ.get("BUILD_REQUESTEDFOR") and environ.get("BUILD_REQUESTEDFOREMAIL")
        else ("Azure Pipelines", "noreply@dev.azure.com")
    ),
)

SYSTEMS = {("GITHUB_ACTIONS", "true"): GITHUB, ("GITLAB_CI", "true"): GITLAB, ("TF_BUILD", "True"): AZURE}
"""The variable and its value by which each is known."""


def of(environ: Mapping[str, str]) -> CiSystem | None:
    """The system whose job an environment describes."""
    return next((system for (name, value), system in SYSTEMS.items() if environ.get(name) == value), None)
