"""The files that `release init` writes, each with what it is for."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, NamedTuple

from release_tool.commands.init import extras, texts, versions
from release_tool.errors import ReleaseError
from release_tool.model.records import name_number
from release_tool.model.versions import tag_part
from release_tool.tagfile.reader import read as read_tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from release_tool.commands.init.request import InitRequest
    from release_tool.commands.init.survey import PlainDirectory
    from release_tool.config import Config, Place
    from release_tool.git.working_tree import WorkingTree
    from release_tool.model.records import Name, Tag

SHIPPED = Path(__file__).resolve().parents[2] / "chart"
"""The chart that comes with the package."""


class PlannedFile(NamedTuple):
    """One file.

    Attributes:
        path: from the root of the repository.
        what: what it is for, in a few words.
        state: `new`; `same`: it stands already, as it would be written; `kept`: another text stands there, and stays;
            `changed`: another text stands there, and is overwritten.
        present: its text as it stands.
        part_of: the directory that it is shown as.
    """

    path: str
    content: bytes
    what: str
    state: Literal["new", "same", "kept", "changed"] = "new"
    present: bytes = b""
    part_of: str = ""


class InitDecision(NamedTuple):
    """What was decided.

    Attributes:
        text: of release.yaml; None: the one that stands.
        lay_in: where the chart that comes with the tool goes; empty: nowhere.
        running: what each environment runs that is taken over.
        remote: the address of the repository.
    """

    text: str | None
    config: Config
    lay_in: str
    running: Mapping[str, versions.Running]
    remote: str


def files_of(asked: InitRequest, source: PlainDirectory | WorkingTree, wanted: InitDecision) -> Iterator[PlannedFile]:
    config = wanted.config
    data = source.read([asked.config])[asked.config] if wanted.text is None else wanted.text.encode()
    yield PlannedFile(asked.config, data, f"the configuration: {' -> '.join(config.environments)}")
    if wanted.lay_in:
        for file in sorted(SHIPPED.rglob("*")):
            if file.is_file():
                path = f"{wanted.lay_in}/{file.relative_to(SHIPPED).as_posix()}"
                yield PlannedFile(path, file.read_bytes(), "the chart that comes with `release`", part_of=wanted.lay_in)
    yield from _of_environments(asked, source, wanted)
    yield from _on_request(asked, source, wanted)


def _on_request(
    asked: InitRequest, source: PlainDirectory | WorkingTree, wanted: InitDecision
) -> Iterator[PlannedFile]:
    config = wanted.config
    tool = extras.checked_tool(asked.tool) if asked.tool else ""
    if asked.workflows:
        for path, text in extras.workflows(tool, config.base).items():
            yield PlannedFile(path, text.encode(), f"runs `release {PurePosixPath(path).stem}`")
    if asked.codeowners:
        owners = extras.checked_owners(asked.codeowners)
        there = source.read(extras.OWNERS)
        path = next((path for path in extras.OWNERS if path in there), extras.OWNERS[0])
        paths = [asked.config, *dict.fromkeys(extras.owned(config))]
        text = extras.code_owners(owners, paths, there.get(path, b"").decode("utf-8", "surrogateescape"))
        yield PlannedFile(path, text.encode("utf-8", "surrogateescape"), f"reviews by {owners}")
    if asked.pre_commit:
        present = source.read([extras.HOOKS]).get(extras.HOOKS, b"").decode("utf-8", "replace")
        yield PlannedFile(extras.HOOKS, extras.pre_commit(tool, present).encode(), "`release check` before each commit")
    if asked.deliver:
        values = {f"{view.chart}/values.yaml" for view in config.views()}
        laid = {*source.read(values), *([f"{wanted.lay_in}/values.yaml"] if wanted.lay_in else [])}
        for path, text in extras.delivery(asked.deliver, config, wanted.remote, laid).items():
            kind = "Argo CD's Application" if asked.deliver == "argocd" else "Flux' GitRepository and HelmRelease"
            yield PlannedFile(path, text.encode(), kind)


def _of_environments(
    asked: InitRequest, source: PlainDirectory | WorkingTree, wanted: InitDecision
) -> Iterator[PlannedFile]:
    """The files of the environments. A file that stands is there for somebody to edit: only its versions are ours."""
    places = {place.environment: place for place in wanted.config.places()}
    if wanted.running and len(places) != len(list(wanted.config.places())):
        raise ReleaseError("the repository has several services", hint="write their image_tag.yaml by hand")
    there = source.read(path for place in wanted.config.places() for path in (place.tag_file, *place.values_files))
    named = versions.named(wanted.running, _known(places.values(), there))
    for place in wanted.config.places():
        live = named.get(place.environment, {})
        if live or place.tag_file not in there:
            default = _default(live, wanted.running.get(place.environment))
            text = texts.versions(place.title, place.key, live, default)
            yield PlannedFile(place.tag_file, text.encode(), _told(live, default))
        if asked.file and asked.key == f"{place.key}.tag" and live:
            path = asked.file.replace("{environment}", place.environment)
            if path in place.values_files:
                text = texts.without_versions(there[path].decode("utf-8"), path, place.key)
                yield PlannedFile(path, text.encode(), "its other chart values: the versions move to image_tag.yaml")
        if place.values_files[0] not in there and not place.demanded:
            text = texts.values(place.title, asked.image, shipped=bool(wanted.lay_in))
            yield PlannedFile(place.values_files[0], text.encode(), "its other chart values")


def _known(places: Iterable[Place], there: Mapping[str, bytes]) -> dict[Name, Tag]:
    """The names that are given already: they are so for ever, also where a file is overwritten."""
    known: dict[Name, Tag] = {}
    for place in places:
        try:
            text = there.get(place.tag_file, b"").decode("utf-8")
            state = read_tags(text, place.tag_file, key=place.key, empty=True).state
            known |= {**state.versions, **state.retired}
        except (ReleaseError, UnicodeDecodeError):  # `release check` says what is wrong
            continue
    return known


def _default(live: Mapping[Name, Tag], running: versions.Running | None) -> Name | None:
    if not live or running is None:
        return None
    wanted = running.default or running.versions[-1][1]
    return next((name for name, tag in live.items() if tag_part(tag) == tag_part(wanted)), max(live, key=name_number))


def _told(live: Mapping[Name, Tag], default: Name | None) -> str:
    if not live:
        return "its versions: none yet"
    said = ", ".join(f"{name} {tag_part(tag)}{' (default)' if name == default else ''}" for name, tag in live.items())
    return f"its versions: {said}"


def judged(one: PlannedFile, present: bytes | None, *, force: bool) -> PlannedFile:
    if present is None:
        return one
    if present == one.content:
        return one._replace(state="same", present=present)
    return one._replace(state="changed" if force else "kept", present=present)
