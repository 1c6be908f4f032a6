"""The files that `release init` writes, each with what it is for."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, NamedTuple

from release_tool.commands.init import extras, library, pipelines, texts, versions
from release_tool.errors import ReleaseError
from release_tool.model.records import name_number
from release_tool.model.versions import tag_part
from release_tool.tagfile.reader import read as read_tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from release_tool.commands.init.request import Answers, InitRequest
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
            `changed`: another text stands there, and is overwritten; `noted`: the same, of the tool's own file. Of an
            upgrade alone: `removed`: no longer a part of what is written; `conflict`: people and the newer version
            changed the same lines; `gone`: people removed it, and it stays so.
        present: its text as it stands.
        part_of: the directory that it is shown as.
    """

    path: str
    content: bytes
    what: str
    state: Literal["new", "same", "kept", "changed", "noted", "removed", "conflict", "gone"] = "new"
    present: bytes = b""
    part_of: str = ""


class InitDecision(NamedTuple):
    """What was decided.

    Attributes:
        answers: from which files are made; without `settings`, release.yaml stands.
        running: what each environment runs that is taken over.
        begun: whether the chart is new here, and its image another one than that of the environments.
        server: where the tool's repository is, for hooks; empty: nobody can tell.
        owners: where the forge looks for CODEOWNERS, in its order.
    """

    config: Config
    answers: Answers
    running: Mapping[str, versions.Running]
    begun: bool
    server: str
    owners: tuple[str, ...]


def files_of(asked: InitRequest, source: PlainDirectory | WorkingTree, wanted: InitDecision) -> Iterator[PlannedFile]:
    config = wanted.config
    if wanted.answers.settings is None:
        data = source.read([asked.config])[asked.config]
        yield PlannedFile(asked.config, data, _configures(config))
    yield from made_again(asked.config, source, config, wanted.answers)
    if wanted.answers.library:
        version = library.version_of(SHIPPED / "charts" / library.NAME)
        for one in library.adopted(wanted.answers.library, source, config.views()[0].versions.key, version):
            yield PlannedFile(one.path, one.text.encode(), one.what)
    yield from _of_environments(asked, source, wanted)
    if asked.file:
        yield from _moved(asked, source, config)
    if asked.codeowners:
        owners = extras.checked_owners(asked.codeowners)
        there = source.read(wanted.owners)
        path = next((path for path in wanted.owners if path in there), wanted.owners[0])
        paths = [asked.config, *dict.fromkeys(extras.owned(config))]
        text = extras.code_owners(owners, paths, there.get(path, b"").decode("utf-8", "surrogateescape"))
        yield PlannedFile(path, text.encode("utf-8", "surrogateescape"), f"reviews by {owners}")
    if asked.pre_commit:
        present = source.read([extras.HOOKS]).get(extras.HOOKS, b"").decode("utf-8", "replace")
        # Azure's address of a repository doesn't follow from its name: the tool that is installed does it there.
        pinned = asked.tool if wanted.server and wanted.answers.ci != "azure" else ""
        text = extras.pre_commit(pinned and pipelines.checked_tool(pinned, wanted.answers.ci), present, wanted.server)
        yield PlannedFile(extras.HOOKS, text.encode(), "`release check` before each commit")


def made_again(
    config_path: str, source: PlainDirectory | WorkingTree, config: Config, answers: Answers
) -> Iterator[PlannedFile]:
    """The files that follow from the answers alone: another version of the tool can make them again."""
    if answers.settings is not None:
        yield PlannedFile(config_path, texts.configuration(answers.settings).encode(), _configures(config))
    if answers.lay_in:
        yield from _laid_in(SHIPPED, answers.lay_in, "the chart that comes with `release`")
    if answers.library:
        target = f"{answers.library}/charts/{library.NAME}"
        yield from _laid_in(SHIPPED / "charts" / library.NAME, target, "the library of routes")
    if answers.tool:
        system = pipelines.KINDS[answers.ci or "github"]
        for path, text in system.files(pipelines.checked_tool(answers.tool, answers.ci), config).items():
            stem = PurePosixPath(path).stem.removeprefix("release-")
            what = f"runs `release {stem}`" if "/" in path else f"the jobs of {system.title}"
            yield PlannedFile(path, text.encode(), what)
    values = {f"{view.chart}/values.yaml" for view in config.views()}
    laid = {*source.read(values), *([f"{answers.lay_in}/values.yaml"] if answers.lay_in else [])}
    for kind in answers.deliver:
        for path, text in extras.delivery(kind, config, answers.remote, laid).items():
            yield PlannedFile(path, text.encode(), extras.DELIVERIES[kind])


def _laid_in(folder: Path, target: str, what: str) -> Iterator[PlannedFile]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            path = f"{target}/{file.relative_to(folder).as_posix()}"
            yield PlannedFile(path, file.read_bytes(), what, part_of=target)


def _configures(config: Config) -> str:
    return f"the configuration: {' -> '.join(config.environments)}"


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
            running = wanted.running.get(place.environment, versions.Running())
            default = _default(live, running)
            text = texts.versions(place.title, place.key, live, default, running.notes)
            yield PlannedFile(place.tag_file, text.encode(), _told(live, default))
        if place.values_files[0] not in there and not place.demanded:
            text = texts.values(place.title, asked.image, shipped=wanted.begun)
            yield PlannedFile(place.values_files[0], text.encode(), "its other chart values")


def _moved(asked: InitRequest, source: PlainDirectory | WorkingTree, config: Config) -> Iterator[PlannedFile]:
    """The values files of the chart that the versions were taken from: they would come back in every rendering."""
    for path in dict.fromkeys(asked.file.replace("{environment}", one) for one in config.environments):
        places = [place for place in config.places() if asked.key == f"{place.key}.tag"]
        if any(path in {*place.values_files, own_values(config)} for place in places):
            text = texts.without_versions(source.read([path])[path].decode("utf-8"), path, places[0].key)
            yield PlannedFile(path, text.encode(), "other chart values: the versions move to image_tag.yaml")


def own_values(config: Config) -> str:
    """The values file of the chart itself."""
    return f"{config.views()[0].chart}/values.yaml"


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
