"""Verdicts about the workflows of GitHub Actions in the base branch.

A workflow is known by what it runs: a step with `release VERB`, an action or a workflow of others that is given the
command, or else by the name of its file.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.doctor import workflow_calls
from release_tool.doctor.diagnosis import Diagnosis, ok
from release_tool.yamledit.data import to_data
from release_tool.yamledit.parser import parse
from release_tool.yamledit.tree import YamlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from release_tool.doctor.diagnosis import Verdict
    from release_tool.remote.snapshot import Source

DIRECTORY = ".github/workflows"
"""Where GitHub looks for them."""

_WANTED = {
    "bump": "no image build reaches the entry: somebody has to run `release bump` by hand",
    "promote": "somebody has to run `release promote` by hand",
    "cleanup": "drained versions stay deployed, and ends of pins pass by, until the next other operation",
    "sync": "an open pull request conflicts once the base has moved, until the next operation on it",
    "guard": "a default that turns bad stays, unless a job elsewhere runs it",
    "check": "a pull request that breaks a route, or a plan that is stale, can be merged",
}
"""What is to be there, and what its absence means."""

_NO_GROUP = ("bump", "promote")

_GAP = r"(?:[ \t]|\\\n)+"
_VERB = rf"(?P<verb>{'|'.join(_WANTED)})(?![\w.:/-])"
_RUN = re.compile(rf"(?<![\w./-])release(?:{_GAP}-[\w-]+(?:[= ](?!-)\S+)??)*?{_GAP}{_VERB}")
_OURS = re.compile(r"(^\./|release)")
_FILE = re.compile(r"([\w.-]+)\.ya?ml(?:@.*)?$")
_ONE_RUN = re.compile(r"github\.run_(id|number)\b")


class Workflow(NamedTuple):
    """A workflow, as far as it matters here.

    Attributes:
        path: its file.
        verbs: the commands of `release` that it runs.
        groups: concurrency group -> the commands that it holds up.
        events: what starts it.
        calls: its jobs that call workflows of this tool.
    """

    path: str
    verbs: frozenset[str]
    groups: Mapping[str, frozenset[str]]
    events: frozenset[str] = frozenset()
    calls: tuple[workflow_calls.Call, ...] = ()


def files_of(source: Source, directory: str) -> dict[str, str]:
    """The texts of all workflows in a directory; the folders below it hold none."""
    paths = [path for path in source.paths(directory) if path.endswith((".yml", ".yaml"))]
    own = [path for path in paths if path.count("/") == directory.count("/") + 1]
    return {path: data.decode("utf-8", "replace") for path, data in source.read(own).items()}


def workflows(
    files: Mapping[str, str],
    *,
    promotes: bool,
    guarded: bool,
    directory: str = DIRECTORY,
    page: str = "docs/how-to/github-actions.md",
) -> Iterator[Diagnosis]:
    """What is missing, and what is in the way.

    Args:
        files: path -> text of the files in the directory.
        promotes: whether there is an environment that is promoted to.
        guarded: whether an environment has health checks.
        directory: where the server looks for them.
        page: of the documentation.
    """
    found: list[Workflow] = []
    for path, text in files.items():
        try:
            found.append(read(path, text))
        except YamlError as error:
            what, where = error.reason, f"{path}:{error.line}:{error.column}"
            yield Diagnosis("warning", "workflows", what, where, "nothing of it runs", "correct the file")
    needed = {"promote": promotes, "guard": guarded}
    wanted = {verb: why for verb, why in _WANTED.items() if needed.get(verb, True)}
    missing = [verb for verb in wanted if not any(verb in one.verbs for one in found)]
    for verb in missing:
        mend = f"add {directory}/{verb}.yml, see {page}"
        verdict: Verdict = "unknown" if verb == "guard" else "warning"  # a guard's home may be the cluster
        yield Diagnosis(verdict, "workflows", f"none runs `release {verb}`", directory, wanted[verb], mend)
    if not missing:
        yield ok("workflows", f"there for {', '.join(wanted)}")
    yield from _held_up(found)
    yield from workflow_calls.verdicts(call for one in found for call in one.calls)


def _held_up(found: list[Workflow]) -> Iterator[Diagnosis]:
    clean = True
    for one in found:
        for group, verbs in one.groups.items():
            held = [verb for verb in _NO_GROUP if verb in verbs]
            if held:
                clean = False
                yield Diagnosis(
                    "error",
                    "workflows",
                    f"{' and '.join(held)} waits in the concurrency group `{group}`",
                    one.path,
                    "of several waiting runs of a group GitHub keeps the newest and cancels the others: their tags "
                    "are lost",
                    "take `concurrency` out: operations that meet plan again, so none needs to wait",
                )
    if clean and any(verb in one.verbs for one in found for verb in _NO_GROUP):
        yield ok("workflows", "no concurrency group cancels a bump or a promotion")


def read(path: str, text: str) -> Workflow:
    """A workflow of its text.

    Raises:
        YamlError: it is no YAML.
    """
    data = _mapping(to_data(parse(text)))
    named = _FILE.search(path)
    by_name = {named[1]} & set(_WANTED) if named else set()
    verbs: set[str] = set()
    groups: dict[str, frozenset[str]] = {}
    for job in map(_mapping, _mapping(data.get("jobs")).values()):
        run = _verbs(job)
        verbs |= run
        if group := _group(job.get("concurrency")):
            groups[group] = groups.get(group, frozenset()) | (run or by_name)
    verbs = verbs or by_name
    if group := _group(data.get("concurrency")):
        groups[group] = groups.get(group, frozenset()) | verbs
    return Workflow(path, frozenset(verbs), groups, _events(data), tuple(workflow_calls.calls(path, data)))


def starts(verb: str, event: str, files: Mapping[str, str]) -> bool:
    """Whether a workflow that runs a command is started by an event.

    Args:
        files: path -> text of the files in `.github/workflows`.
    """
    return any(verb in one.verbs and event in one.events for one in _readable(files))


def gates(files: Mapping[str, str], promoted_to: Sequence[str]) -> tuple[str, ...]:
    """The GitHub environments that promotions are to wait for."""
    return workflow_calls.gates((call for one in _readable(files) for call in one.calls), promoted_to)


def _readable(files: Mapping[str, str]) -> Iterator[Workflow]:
    for path, text in files.items():
        with suppress(YamlError):
            yield read(path, text)


def _events(data: Mapping[Any, Any]) -> frozenset[str]:
    """What starts a workflow. Readers of YAML 1.1 take the key `on` for true."""
    said = data.get("on", data.get(True))
    if isinstance(said, str):
        return frozenset([said])
    return frozenset(one for one in said if isinstance(one, str)) if isinstance(said, dict | list) else frozenset()


def _verbs(job: Mapping[str, Any]) -> frozenset[str]:
    """The commands of `release` that a job runs, also by an action, or as a workflow of others."""
    found: set[str] = set()
    for step in [job, *map(_mapping, _list(job.get("steps")))]:
        run = step.get("run")
        if isinstance(run, str):
            found |= {match["verb"] for match in _RUN.finditer(run)}
        given = _mapping(step.get("with")).get("command")
        uses = step.get("uses")
        if isinstance(uses, str) and _OURS.search(uses):
            if isinstance(given, str) and given.split():
                found.add(given.split()[0])
            called = _FILE.search(uses)
            found |= {called[1]} if called else set()
    return frozenset(found & set(_WANTED))


def _group(value: Any) -> str:
    """The name of a concurrency group; empty: none, or one for each run alone, which holds nothing up."""
    group = value.get("group") if isinstance(value, dict) else value
    return group if isinstance(group, str) and not _ONE_RUN.search(group) else ""


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
