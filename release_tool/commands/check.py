"""`release check`: the configuration, every file and every rendering are right."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool import history, tag_file
from release_tool.config import ConfigError
from release_tool.errors import FileProblems, ReleaseError
from release_tool.publishing.proposal import Renderings
from release_tool.publishing.snapshot import read_config, read_files, take
from release_tool.publishing.source import AtCommit
from release_tool.records import name_number
from release_tool.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from release_tool.config import Config
    from release_tool.helm import Renderer
    from release_tool.publishing.snapshot import Files
    from release_tool.publishing.source import Source
    from release_tool.publishing.tool import Tool


_HIGHEST_NAME = 900_000_000


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes:
        where: file, with line and column where they are known.
        what: what is wrong.
        hint: the next step.
    """

    where: str
    what: str
    hint: str = ""


class Report(NamedTuple):
    """What was looked at, and what is wrong with it."""

    checked: tuple[str, ...]
    findings: tuple[Finding, ...]


def run(source: Source, config_path: str, renderer: Callable[[Config], Renderer]) -> Report:
    """Check everything that a source holds.

    Args:
        source: the files: of a working tree, or of a commit.
        config_path: path of the configuration inside the repository.
        renderer: the Helm engine of a configuration.
    """
    try:
        config, _ = read_config(source, config_path)
    except ReleaseError as error:
        return Report((config_path,), tuple(_findings_of(error)))
    checked = [config_path]
    findings: list[Finding] = []
    renderings = Renderings(source, config, renderer(config))
    known: dict[str, tuple[str, str]] = {}
    for place in config.places():
        try:
            files = read_files(source, [place])[place.environment]
        except ReleaseError as error:
            findings += _findings_of(error)
            continue
        found_files = {place.tag_file: files.tags, place.history_file: files.record, place.values_file: files.values}
        checked += [path for path, text in found_files.items() if text]
        found = [*_files(files), *_names(files, known)]
        found = found or list(_high_names(files))  # the record must be readable for it
        findings += found or _rendering(files, renderings)
    return Report(tuple(checked), tuple(findings))


def run_at(tool: Tool, ref: str | None) -> Report:
    """Check a branch of the remote.

    Args:
        tool: the outside world.
        ref: the branch; None: the base branch.

    Raises:
        ReleaseError: there is no such branch.
    """
    snapshot = take(tool)
    commit = snapshot.base
    if ref is not None:
        found = snapshot.refs.branch(ref.removeprefix("refs/heads/"))
        if found is None:
            raise ReleaseError(
                f"the remote has no branch {ref!r}",
                where=tool.repository.display_url,
                hint="push it, or correct its name",
            )
        commit = found
        tool.repository.fetch(commit)
    return run(AtCommit(tool.repository, commit), tool.config_path, tool.renderer)


def _files(files: Files) -> Iterator[Finding]:
    for read in (files.state, files.lines):
        try:
            read()
        except ReleaseError as error:
            yield from _findings_of(error)
    if files.values is not None:
        yield from _keys_elsewhere(files.values, files.place.values_file)


def _keys_elsewhere(values: str, path: str) -> Iterator[Finding]:
    """The five keys stand in `image_tag.yaml` only: Helm merges mappings, so an entry here would always come back."""
    try:
        places = tag_file.keys_in(values)
    except ReleaseError as error:
        yield from _findings_of(error)
        return
    for key, line, column in places:
        what = f"image.{key} stands in image_tag.yaml only: Helm merges mappings, so this would always come back"
        yield Finding(f"{path}:{line}:{column}", what, "move it to image_tag.yaml")


def _names(files: Files, known: dict[str, tuple[str, str]]) -> Iterator[Finding]:
    """Tag and name are one to one over all environments."""
    state = tag_file.read_leniently(files.tags or "")
    path = files.place.tag_file
    for name, tag in {**state.versions, **state.retired}.items():
        pairs: tuple[tuple[str, str], ...] = ((f"tag {tag_part(tag)}", name), (f"name {name}", tag_part(tag)))
        for key, value in pairs:
            other_path, other = known.setdefault(key, (path, value))
            if other != value:
                what = f"the {key} is {value} here and {other} in {other_path}"
                yield Finding(path, what, "tags and names are one to one; `release sync` renumbers what has not landed")


def _high_names(files: Files) -> Iterator[Finding]:
    """Names are given once and for ever, and end at v999999999: one near that, once landed, leaves none to give."""
    state, place = tag_file.read_leniently(files.tags or ""), files.place
    for path, names in (
        (place.tag_file, [*state.versions, *state.retired]),
        (place.history_file, history.names_of(files.lines()).values()),
    ):
        for name in names:
            if name_number(name) > _HIGHEST_NAME:
                what = f"the name {name} leaves hardly a name for new versions: they get 1 + the highest number known"
                yield Finding(path, what, "give it the next free name before this lands; a revert frees no name")


def _rendering(files: Files, renderings: Renderings) -> list[Finding]:
    place = files.place
    try:
        renderings.render(place.tag_file, files.tags or "", place.values_file, files.values)
    except ReleaseError as error:
        return list(_findings_of(error))
    return []


def _findings_of(error: ReleaseError) -> Iterator[Finding]:
    if isinstance(error, (FileProblems, ConfigError)):
        for problem in error.problems:
            what = f"{problem.key}: {problem.what}" if problem.key else problem.what
            yield Finding(f"{error.path}:{problem.line}:{problem.column}", what, problem.hint)
    else:
        yield Finding(error.where, error.what, error.hint or error.cause)
