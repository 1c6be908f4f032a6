"""`release check`: the configuration, every file, every record and every rendering are right.

This module reads, asks the modules of `release_tool/checks/`, and renders; nothing is changed, and nothing that a
proposal names is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.checks import attributes, health
from release_tool.checks.findings import Finding, findings_of
from release_tool.commands.check_service import CheckedService, Collected, as_it_was, look
from release_tool.errors import ReleaseError
from release_tool.remote import past
from release_tool.remote.rendering import Renderings
from release_tool.remote.snapshot import AtCommit, read_config, read_leniently, take_all
from release_tool.yamledit.data import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from release_tool.commands.check_chart import TriedChart
    from release_tool.config import Config
    from release_tool.git.repository import Repository
    from release_tool.git.working_tree import WorkingTree
    from release_tool.helm import Renderer
    from release_tool.model.records import CommitId
    from release_tool.remote.snapshot import Snapshot, Source
    from release_tool.remote.tool import Tool

__all__ = ["CheckReport", "Finding", "run", "run_at", "run_in"]


class CheckReport(NamedTuple):
    """What was looked at, what is wrong with it, what there is to know beside that, and what charts can do."""

    checked: tuple[str, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...] = ()
    charts: tuple[TriedChart, ...] = ()


def run(
    source: Source,
    config_path: str,
    renderer: Callable[[Config], Renderer],
    before: Source | None = None,
    now: datetime | None = None,
) -> CheckReport:
    """Check everything that a source holds, for all services, and the step to it.

    Args:
        before: the commit whose place `source` shall take, an `AtCommit`. What is wrong with routing there already is a
            warning then, calls that work must go on working while the change is applied, and its records stand.
        now: the present time; None: nothing is asked about ends of pins.
    """
    try:
        config = read_config(source, config_path)
    except ReleaseError as error:
        return CheckReport((config_path,), tuple(findings_of(error)))
    text = source.read([config_path])[config_path].decode("utf-8-sig")
    found = Collected(
        [config_path], [*health.wrong(config, text, config_path)], [*health.doubtful(config, text, config_path)], [], []
    )
    engine = renderer(config)
    views_before = _views_before(before, config_path)
    for view in config.views():
        shall = look(Renderings(source, view, engine))
        was, old = None, views_before.get(view.service)
        if before is not None and old is not None and past.stands(old) == past.stands(view):
            was = look(Renderings(before, old, engine))
        elif before is not None:
            was = as_it_was(shall, [look(Renderings(before, one, engine)) for one in views_before.values()])
        CheckedService(shall, was, now, found).check()
        found.warnings.extend(_unpinned(shall.renderings, text, config_path))
    records = [place.history_file for view in config.views() for place in view.places()]
    found.findings.extend(attributes.union_merged(records, _attribute_files(source, records)))
    if before is not None and found.unread:
        alone = _left_alone(config, source, before)
        told = [one for one in found.unread if one.where.partition(":")[0] in alone]
        stand = set(run(before, config_path, renderer).findings).intersection(told) if told else ()
        found.findings[:] = [one for one in found.findings if one not in stand]
        found.warnings.extend(one for one in told if one in stand)
    findings, warnings = (tuple(dict.fromkeys(part)) for part in (found.findings, found.warnings))
    return CheckReport(tuple(found.checked), findings, warnings, tuple(found.charts))


def _unpinned(renderings: Renderings, text: str, path: str) -> Iterator[Finding]:
    """A chart in a registry that its version alone names."""
    if renderings.pinned:
        own, top = ("services", renderings.config.service, "chart"), ("chart",)
        line, column = place_of(text, own) or place_of(text, top) or (1, 1)
        what = "the version alone names the chart, and a version can be pushed anew with other content"
        yield Finding(f"{path}:{line}:{column}", what, f"write `chart: {renderings.pinned}`")


def with_left_over(tool: Tool, report: CheckReport) -> CheckReport:
    """The same with warnings about the release branches that the configuration of the base doesn't reach."""
    from release_tool.remote import strays

    found = strays.find(tool.repository, tool.forge, take_all(tool)[0])
    problems = [one.problem() for one in found if one.matters]
    more = [Finding(one.where, f"{one.what}: {one.cause}", one.hint) for one in problems]
    return report._replace(warnings=(*report.warnings, *more))


def _left_alone(config: Config, source: Source, before: Source) -> set[str]:
    """The files of the environments that the step to `source` leaves alone, where it touches another one.

    What is broken there and was so before stops no other environment.
    """
    alone: set[str] = set()
    touched = False
    for place in (place for view in config.views() for place in view.places()):
        archives = {*source.paths(place.archive_directory), *before.paths(place.archive_directory)}
        paths = [place.tag_file, place.history_file, *place.values_files, *sorted(archives)]
        if read_leniently(source.read, paths)[0] == read_leniently(before.read, paths)[0]:
            alone.update(paths)
        else:
            touched = True
    return alone if touched else set()


def run_at(tool: Tool, ref: str | None, base: str | None = None) -> CheckReport:
    """Check what the base branch would become with a branch of the remote merged into it.

    Args:
        ref: the branch; None: the base branch as it stands.
        base: the branch that it shall be merged into; None or empty: the base branch.
    """
    snapshot = take_all(tool)[0]
    repository = tool.repository
    onto = _tip(tool, snapshot, base) if base else snapshot.base
    commit = onto if ref is None else _tip(tool, snapshot, ref)
    fork = onto if commit == onto else repository.merge_base(onto, commit)
    if fork == commit:
        return run(AtCommit(repository, commit), tool.config_path, tool.renderer, None, tool.now())
    name = base or snapshot.config.base
    if fork == onto:  # the base has not moved since
        return run(
            AtCommit(repository, commit), tool.config_path, tool.renderer, AtCommit(repository, onto), tool.now()
        )
    merged = repository.merge(onto, commit)
    if merged.tree is None:
        before = AtCommit(repository, fork or onto)
        report = run(AtCommit(repository, commit), tool.config_path, tool.renderer, before, tool.now())
        return report._replace(findings=(_conflict(merged.conflicts, ref or "", name), *report.findings))
    message = f"Merge {ref} into {name}"
    result = repository.commit([onto, commit], merged.tree, {}, message, when=tool.now(), sign=False)
    source = _MergeResult(repository, result, f"{ref} merged into {name}")
    return run(source, tool.config_path, tool.renderer, AtCommit(repository, onto), tool.now())


def run_in(tool: Tool, tree: WorkingTree, base: str) -> CheckReport:
    """Check a working tree, and what it changes since it left the base branch.

    Args:
        base: the branch of the remote that it shall be merged into; empty: the base branch.
    """
    snapshot = take_all(tool)[0]
    onto = _tip(tool, snapshot, base) if base else snapshot.base
    fork = onto if tree.head is None else tool.repository.merge_base(onto, tree.head) or onto
    before = AtCommit(tool.repository, fork)
    return run(tree, tool.config_path, tool.renderer, before, tool.now())


class _MergeResult(AtCommit):
    """A commit that no one else has; messages name what it is made of."""

    def __init__(self, repository: Repository, commit: CommitId, title: str) -> None:
        super().__init__(repository, commit)
        self._title = title

    @property
    def title(self) -> str:
        return self._title


def _conflict(paths: Sequence[str], ref: str, base: str) -> Finding:
    what = f"{ref} conflicts with {base} in {', '.join(paths)}: it was planned on a base that has moved"
    hint = f"`release sync` makes a release branch again on the tip of {base}; merge {base} into any other branch"
    return Finding(paths[0], what, hint)


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


def _views_before(before: Source | None, config_path: str) -> dict[str, Config]:
    """Service -> its configuration at the moment before; empty where that can't be read: it is being corrected."""
    if before is None:
        return {}
    try:
        return {view.service: view for view in read_config(before, config_path).views()}
    except ReleaseError:
        return {}


def _attribute_files(source: Source, records: Iterable[str]) -> dict[str, str]:
    """The attribute files that may speak of the records. Git follows no link to one, either."""
    found: dict[str, str] = {}
    for path in dict.fromkeys(path for record_path in records for path in attributes.files_for(record_path)):
        try:
            found |= {path: data.decode("utf-8", "replace") for path, data in source.read([path]).items()}
        except ReleaseError:
            continue
    return found
