"""What `release init` asks on a terminal: what nobody said by a flag, and a newcomer has to decide."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from release_tool import safe_text
from release_tool.commands.init import extras, planning, versions
from release_tool.commands.init.pipelines import KINDS, checked_tool
from release_tool.commands.init.texts import Settings
from release_tool.errors import ReleaseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.commands.init.request import InitRequest
    from release_tool.commands.init.survey import Survey


def asked(found: Survey, request: InitRequest) -> InitRequest:
    """The request with the answers of a person. What can't be is said, and asked again."""
    print(safe_text.lines(f"{found.top}. Enter takes what stands in brackets."), file=sys.stderr)
    if found.tree is None and not yes("This is no git repository yet. Make one here?"):
        raise ReleaseError("nothing was written", hint="run `release init` in the checkout of a GitOps repository")
    if found.config is None:
        for question in (_environments, _chart, _name, _image, _tags, _workflows, _delivery):
            request = question(found, request)
    return request


def yes(question: str) -> bool:
    return _answer(f"{question} yes or no", "yes").lower() in {"y", "yes"}


def _environments(found: Survey, request: InitRequest) -> InitRequest:
    def made(answer: str) -> InitRequest:
        names = _words(answer)
        planning.loaded(Settings(names, "chart", "x", "x"), "release.yaml")
        return request._replace(environments=names)

    usual = ",".join(found.layout.names or planning.ENVIRONMENTS)
    return request if request.environments else _until("Environments, in promotion order", usual, made)


def _chart(found: Survey, request: InitRequest) -> InitRequest:
    shipped = planning.SHIPPED_AT

    def made(answer: str) -> InitRequest:
        chart = answer.rstrip("/").removeprefix("./")
        new = chart == shipped and not (found.top / chart / "Chart.yaml").exists()
        chosen = request._replace(chart=chart, shipped=new)
        planning.chart_of(found, chosen, None)
        return chosen

    if request.chart or request.shipped or request.library:
        return request
    question = f"Chart ({shipped}: the one that comes with release)"
    return _until(question, next(iter(found.charts), shipped), made)


def _name(found: Survey, request: InitRequest) -> InitRequest:
    def made(answer: str) -> InitRequest:
        planning.loaded(Settings(request.environments, "chart", answer, request.namespace or answer), "release.yaml")
        return request._replace(name=answer)

    usual = planning.suggested_name(found, request)
    return request if request.name else _until("Name of the Helm release", usual, made)


def _image(_: Survey, request: InitRequest) -> InitRequest:
    if request.image or not request.shipped:
        return request
    return request._replace(image=_answer("Image, without its tag (empty: later)", ""))


def _tags(_: Survey, request: InitRequest) -> InitRequest:
    def made(answer: str) -> InitRequest:
        versions.of_flags(_words(answer), request.environments)
        return request._replace(tags=_words(answer))

    if request.tags or request.file:
        return request
    return _until("Tags that run now, the oldest first (empty: none)", "", made)


def _workflows(found: Survey, request: InitRequest) -> InitRequest:
    def made(answer: str) -> InitRequest:
        return request._replace(workflows=found.forge, tool=checked_tool(answer, found.forge)) if answer else request

    if request.workflows or found.forge not in KINDS:
        return request
    return _until(f"What calls this tool's workflows, by {KINDS[found.forge].form} (empty: none)", "", made)


def _delivery(found: Survey, request: InitRequest) -> InitRequest:
    kinds = ", ".join(extras.DELIVERIES)

    def made(answer: str) -> InitRequest:
        if answer not in {*extras.DELIVERIES, "none"}:
            raise UsageError(f"there is no {answer!r}", hint=f"possible are {kinds} and none")
        return request._replace(deliver="" if answer == "none" else answer)

    if request.deliver or not extras.is_readable_from_a_cluster(found.remote[1]):
        return request
    return _until(f"Manifests for the cluster: {kinds}, none", "none", made)


def _until(question: str, usual: str, made: Callable[[str], InitRequest]) -> InitRequest:
    """Ask until an answer can be."""
    while True:
        answer = _answer(question, usual)
        try:
            return made(answer)
        except ReleaseError as error:
            print(safe_text.lines(f"  {error.what}"), file=sys.stderr)


def _answer(question: str, usual: str) -> str:
    shown = f"{question} [{usual}]: " if usual else f"{question}: "
    print(safe_text.one_line(shown).rstrip(), end=" ", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise UsageError("no answer came", hint="`release init --yes` asks nothing, and takes what is usual")
    return line.strip() or usual


def _words(answer: str) -> tuple[str, ...]:
    return tuple(answer.replace(",", " ").split())
