"""Verdicts about jobs that call this tool's workflows: what GitHub would refuse, or what the called job would lack.

GitHub says most of this, too, but only once something has started the workflow, and for a whole file at once.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.doctor.diagnosis import Diagnosis

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PAGE = "docs/how-to/github-company.md"
_CALLED = re.compile(r"[\w.-]+/[\w.-]*release[\w.-]*/\.github/workflows/([a-z]+)\.ya?ml@.+")
_WRITES = {"contents": "write", "pull-requests": "write", "packages": "read"}
_NEEDS = {
    **dict.fromkeys(("bump", "promote", "cleanup", "guard", "sync"), _WRITES),
    "check": {**_WRITES, "contents": "read"},
}
"""The permissions that the jobs of a called workflow ask for: all of them, or GitHub starts none."""

_LEVELS = ("none", "read", "write")
_WAITS = re.compile(r"release-(cleanup$|sync$|guard)")
_GITHUBS_OWN = re.compile(r"ghcr\.io|docker\.pkg\.github\.com|(containers|docker)\..+|.*\$\{\{.*")


class Call(NamedTuple):
    """A job that calls a workflow of this tool.

    Attributes:
        path: the file that it is in.
        verb: the command of the called workflow.
        job: all that stands in the job.
        permissions: what the whole file grants; None: it doesn't say.
        groups: the concurrency groups around the job.
    """

    path: str
    name: str
    verb: str
    job: Mapping[str, Any]
    permissions: Any
    groups: tuple[str, ...]

    @property
    def given(self) -> Mapping[str, Any]:
        """The inputs."""
        found = self.job.get("with")
        return found if isinstance(found, dict) else {}

    def hands_on(self, secret: str) -> bool:
        found = self.job.get("secrets")
        return found == "inherit" or (isinstance(found, dict) and secret in found)


def calls(path: str, data: Mapping[Any, Any]) -> Iterator[Call]:
    """The calls of a workflow."""
    jobs = data.get("jobs")
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        called = _CALLED.fullmatch(str(job.get("uses", ""))) if isinstance(job, dict) else None
        if called and called[1] in _NEEDS:
            around = (_group(data.get("concurrency")), _group(job.get("concurrency")))
            yield Call(path, str(name), called[1], job, data.get("permissions"), around)


def verdicts(found: Iterable[Call]) -> Iterator[Diagnosis]:
    """What is wrong with the calls."""
    for call in found:
        for what, why, mend in (*_refused(call), *_short_of(call), *_without(call)):
            where = f"{call.path}, job `{call.name}`"
            yield Diagnosis("error", "workflows", what, where, why, mend)


def gates(found: Iterable[Call], promoted_to: Iterable[str]) -> tuple[str, ...]:
    """The GitHub environments that promotions are to wait for."""
    names: dict[str, None] = {}
    for call in found:
        name = call.given.get("environment")
        if call.verb == "promote" and isinstance(name, str) and name:
            to = re.fullmatch(r"\$\{\{\s*inputs\.to\s*\}\}", name)
            names |= dict.fromkeys(promoted_to if to else [] if "${{" in name else [name])
    return tuple(names)


def _refused(call: Call) -> Iterator[tuple[str, str, str]]:
    for key in ("environment", "runs-on"):
        if key in call.job:
            own = "github-environment" if key == "environment" and call.verb in ("bump", "guard") else key
            why = "GitHub refuses the whole file: a job that calls a workflow can't have this key"
            yield f"`{key}` stands beside `uses:`", why, f"write it below `with:`, as `{own}: …` ({_PAGE})"
    runner = call.given.get("runs-on", "")
    if not isinstance(runner, str) or (runner.strip()[:1] in ("[", "{") and "${{" not in runner and not _json(runner)):
        why = "GitHub starts no job: the input is one label, or JSON in a text"
        yield f"the input `runs-on` is no JSON: {runner}", why, """write it as `runs-on: '["self-hosted", "linux"]'`"""
    for group in call.groups:
        if _WAITS.match(group):
            why = "the called workflow has this group itself, so the caller waits for itself, and is cancelled"
            yield f"the concurrency group `{group}` is around the call", why, "give it another name, or take it out"


def _short_of(call: Call) -> Iterator[tuple[str, str, str]]:
    granted = call.job.get("permissions", call.permissions)
    if granted is None or granted == "write-all":  # what a repository grants where nothing is said: its settings tell
        return
    needed = _NEEDS[call.verb]
    has = granted if isinstance(granted, dict) else dict.fromkeys(needed, "read" if granted == "read-all" else "none")
    lacks = [f"{key}: {level}" for key, level in needed.items() if _level(has.get(key, "none")) < _level(level)]
    if lacks:
        why = "GitHub starts no called job that asks for more than its caller grants"
        whole = ", ".join(f"{key}: {level}" for key, level in needed.items())
        yield f"the permission {', '.join(lacks)} is not granted", why, f"permissions: {{{whole}}}"


def _without(call: Call) -> Iterator[tuple[str, str, str]]:
    given = call.given
    if given.get("app-client-id") and not call.hands_on("RELEASE_APP_PRIVATE_KEY"):
        yield _handed("app-client-id", "RELEASE_APP_PRIVATE_KEY", "the job gets no token of the App, and fails")
    registry = str(given.get("registry") or "")
    if registry and not _GITHUBS_OWN.fullmatch(registry) and not call.hands_on("RELEASE_REGISTRY_PASSWORD"):
        yield _handed("registry", "RELEASE_REGISTRY_PASSWORD", "the job can't log in there, and fails")


def _handed(key: str, secret: str, why: str) -> tuple[str, str, str]:
    mend = f"below `secrets:`, write {secret}: ${{{{ secrets.{secret} }}}}"
    return f"the input `{key}` is given, and the secret {secret} is not handed on", why, mend


def _level(said: object) -> int:
    return _LEVELS.index(said) if said in _LEVELS else 0


def _json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _group(value: Any) -> str:
    group = value.get("group") if isinstance(value, dict) else value
    return group if isinstance(group, str) else ""
