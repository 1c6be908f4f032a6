"""`release check`: the configuration, every file and every rendering are right."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool import history, tag_file
from release_tool.config import ConfigError
from release_tool.errors import FileProblems, ReleaseError, ValuesRefused
from release_tool.publishing import judging
from release_tool.publishing.judging import Side
from release_tool.publishing.proposal import Renderings
from release_tool.publishing.snapshot import read_config, read_files, take
from release_tool.publishing.source import AtCommit, InTree
from release_tool.records import name_number
from release_tool.versions import tag_part
from release_tool.yaml_places import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from release_tool.config import Config
    from release_tool.helm import Renderer
    from release_tool.publishing.snapshot import Files, Snapshot
    from release_tool.publishing.source import Source
    from release_tool.publishing.tool import Tool
    from release_tool.records import CommitId, Name, Tag
    from release_tool.working_tree import WorkingTree


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
    """What was looked at, what is wrong with it, and what somebody should know of it beside that."""

    checked: tuple[str, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...] = ()


def run(
    source: Source, config_path: str, renderer: Callable[[Config], Renderer], before: Source | None = None
) -> Report:
    """Check everything that a source holds, and the step to it.

    Args:
        source: the files: of a working tree, or of a commit.
        config_path: path of the configuration inside the repository.
        renderer: the Helm engine of a configuration.
        before: the files that `source` shall take the place of. What is wrong with routing there already is a warning
            then, and calls that work must go on working while the change is applied.
    """
    try:
        config, _ = read_config(source, config_path)
    except ReleaseError as error:
        return Report((config_path,), tuple(_findings_of(error)))
    checked = [config_path]
    findings: list[Finding] = []
    warnings: list[Finding] = []
    side = Side(source, config, Renderings(source, config, renderer(config)))
    old = _side(before, config_path, renderer)
    known: dict[str, tuple[str, str]] = {}
    for place in config.places():
        try:
            files = read_files(source, [place])[place.environment]
        except ReleaseError as error:
            findings += _findings_of(error)
            continue
        found_files = {place.tag_file: files.tags, place.history_file: files.record, place.values_file: files.values}
        checked += [path for path, text in found_files.items() if text]
        was = _files_before(old, place.environment)
        found = [*_files(files), *_names(files, known), *_changed_names(files, was)]
        found = found or list(_high_names(files))  # the record must be readable for it
        if not found:
            found, told = _rendering(side, files, None if old is None or was is None else judging.Before(old, was))
            warnings += told
        findings += found
    return Report(tuple(checked), tuple(findings), tuple(warnings))


def run_at(tool: Tool, ref: str | None, base: str | None = None) -> Report:
    """Check a branch of the remote, and what it changes since it left the base branch.

    Args:
        tool: the outside world.
        ref: the branch; None: the base branch.
        base: the branch that it shall be merged into; None or empty: the base branch.

    Raises:
        ReleaseError: there is no such branch.
    """
    snapshot = take(tool)
    onto = _tip(tool, snapshot, base) if base else snapshot.base
    commit = onto if ref is None else _tip(tool, snapshot, ref)
    before = _before(tool, onto, commit)
    return run(AtCommit(tool.repository, commit), tool.config_path, tool.renderer, before)


def run_in(tool: Tool, tree: WorkingTree, base: str) -> Report:
    """Check a working tree, and what it changes since it left the base branch.

    Args:
        tool: the outside world.
        tree: the working tree.
        base: the branch of the remote that it shall be merged into; empty: the base branch.

    Raises:
        ReleaseError: there is no such branch.
    """
    snapshot = take(tool)
    onto = _tip(tool, snapshot, base) if base else snapshot.base
    fork = onto if tree.head is None else tool.repository.merge_base(onto, tree.head) or onto
    before = AtCommit(tool.repository, fork)
    return run(InTree(tree), tool.config_path, tool.renderer, before)


def _tip(tool: Tool, snapshot: Snapshot, branch: str) -> CommitId:
    found = snapshot.refs.branch(branch.removeprefix("refs/heads/"))
    if found is None:
        raise ReleaseError(
            f"the remote has no branch {branch!r}",
            where=tool.repository.display_url,
            hint="push it, or correct its name",
        )
    tool.repository.fetch(found)
    return found


def _before(tool: Tool, onto: CommitId, commit: CommitId) -> Source | None:
    """The files that a branch began with; None where it brings nothing."""
    fork = tool.repository.merge_base(onto, commit) or onto
    return None if fork == commit else AtCommit(tool.repository, fork)


def _side(before: Source | None, config_path: str, renderer: Callable[[Config], Renderer]) -> Side | None:
    """The moment before; None where there is none, or where its configuration can't be read: it is being corrected."""
    if before is None:
        return None
    try:
        config, _ = read_config(before, config_path)
    except ReleaseError:
        return None
    return Side(before, config, Renderings(before, config, renderer(config)))


def _files_before(old: Side | None, environment: str) -> Files | None:
    """The files of an environment in the moment before; None where they weren't there, or can't be read."""
    if old is None or environment not in old.config.environments:
        return None
    try:
        return read_files(old.source, [old.config.place(environment)])[environment]
    except ReleaseError:
        return None


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
    path = files.place.tag_file
    for name, tag in _versions(files).items():
        pairs: tuple[tuple[str, str], ...] = ((f"tag {tag_part(tag)}", name), (f"name {name}", tag_part(tag)))
        for key, value in pairs:
            other_path, other = known.setdefault(key, (path, value))
            if other != value and other_path != path:  # within one file it is told already
                what = f"the {key} is {value} here and {other} in {other_path}"
                hint = "tags and names are one to one; `release sync` renumbers what has not landed"
                yield Finding(_place(files, name), what, hint)


def _changed_names(files: Files, was: Files | None) -> Iterator[Finding]:
    """A name keeps its tag for ever: another image under the same name is not what its clients chose."""
    before = {} if was is None else _versions(was)
    for name, tag in _versions(files).items():
        if name in before and tag_part(before[name]) != tag_part(tag):
            what = f"the name {name} is {tag_part(tag)} here and was {tag_part(before[name])} before"
            hint = "a name keeps its tag for ever: add the new tag under a name of its own"
            yield Finding(_place(files, name), what, hint)


def _versions(files: Files) -> dict[Name, Tag]:
    state = tag_file.read_leniently(files.tags or "")
    return {**state.versions, **state.retired}


def _place(files: Files, name: str) -> str:
    """The line of a version in `image_tag.yaml`."""
    text = files.tags or ""
    paths = (("image", "tag", name), ("image", "retired", name), ("image", "tag", str(name_number(name) - 1)))
    found = next((place for place in (place_of(text, path) for path in paths) if place is not None), None)
    return f"{files.place.tag_file}:{found[0]}:{found[1]}" if found else files.place.tag_file


def _high_names(files: Files) -> Iterator[Finding]:
    """Names are given once and for ever, and end at v999999999: one near that, once landed, leaves none to give."""
    recorded = (name for name in history.names_of(files.lines()).values())
    for where, names in (("", _versions(files)), (files.place.history_file, recorded)):
        for name in names:
            if name_number(name) > _HIGHEST_NAME:
                what = f"the name {name} leaves hardly a name for new versions: they get 1 + the highest number known"
                hint = "give it the next free name before this lands; a revert frees no name"
                yield Finding(where or _place(files, name), what, hint)


def _rendering(side: Side, files: Files, before: judging.Before | None) -> tuple[list[Finding], list[Finding]]:
    """What is wrong with the manifests of an environment, and what there is to know of them beside that."""
    try:
        verdict = judging.verdict(side, files, before)
    except ReleaseError as error:
        return list(_findings_of(error)), []
    name = files.place.environment
    wrong, told = ([Finding(where, f"{name}: {one.what}", one.hint) for where, one in part] for part in verdict)
    return wrong, told


def _findings_of(error: ReleaseError) -> Iterator[Finding]:
    if isinstance(error, (FileProblems, ConfigError)):
        for problem in error.problems:
            what = f"{problem.key}: {problem.what}" if problem.key else problem.what
            yield Finding(f"{error.path}:{problem.line}:{problem.column}", what, problem.hint)
    elif isinstance(error, ValuesRefused):
        for value in error.values:
            yield Finding(value.where or error.where, f"the chart refuses the values: {value.what}", error.hint)
    else:
        yield Finding(error.where, error.what, error.hint or error.cause)
