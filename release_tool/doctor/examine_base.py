"""`release doctor` on what stands in the base branch: files, workflows, charts."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from release_tool import manifests
from release_tool.checks import attributes
from release_tool.doctor import base_branch as verdicts
from release_tool.doctor.diagnosis import Diagnosis, of_error, ok
from release_tool.errors import ReleaseError
from release_tool.git.rejection import in_the_way as in_the_way_of
from release_tool.helm import described
from release_tool.model import history
from release_tool.model.versions import tag_part
from release_tool.remote import chart_trials, strays
from release_tool.remote.rendering import Renderings
from release_tool.remote.snapshot import read_files
from release_tool.rules.unread_tags import advice, unread
from release_tool.yamledit.style import nested

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from release_tool.config import Config
    from release_tool.doctor.access import Access
    from release_tool.forges.base import Forge
    from release_tool.git.repository import Repository
    from release_tool.model.records import Tag
    from release_tool.remote.snapshot import Files, Snapshot, Source

_TRIAL = "{tag: {v1: v1.0.0}}"  # below `versions.key`, for an environment that has no version yet
_CHARTS = 8  # so many services are rendered
_CLEANED_UP_WITHIN = timedelta(days=1)  # by then a clean-up has run wherever one is scheduled


def examine(
    access: Access,
    config: Config,
    views: Sequence[Config],
    source: Source,
    pipelines: Callable[[], Iterable[Diagnosis]],
) -> Iterator[Diagnosis]:
    """Everything that is read from the base branch; `pipelines`: what it has for the CI of its forge."""
    places = [place for view in views for place in view.places()]
    yield from _guarded("record", lambda: _merge_driver([place.history_file for place in places], source))
    yield from _guarded("environments", lambda: _tag_files(config, views, source))
    yield from _guarded("workflows", pipelines)
    yield from _guarded("order", lambda: _orders(views, source))
    yield from _guarded("restored", lambda: _without_route(views, source, access.now()))
    for view in views[:_CHARTS]:
        yield from _guarded(_chart_title(view), lambda view=view: _chart(access, view, source))  # type: ignore[misc]
    if len(views) > _CHARTS:
        what = f"{len(views) - _CHARTS} more services were not rendered"
        yield Diagnosis("unknown", "chart", what, "", "", "`release doctor --service NAME`, or `release check`")


def left_over(repository: Repository, forge: Callable[[Config], Forge], snapshot: Snapshot) -> Iterator[Diagnosis]:
    """The release branches that the configuration doesn't reach, as far as something waits on them."""
    yield from _guarded("release branch", lambda: _left_over(repository, forge, snapshot))


def _left_over(repository: Repository, forge: Callable[[Config], Forge], snapshot: Snapshot) -> Iterator[Diagnosis]:
    why = "what waits on it lands nowhere"
    for error in (one.problem() for one in strays.find(repository, forge, snapshot) if one.matters):
        yield Diagnosis("warning", "release branch", f"{error.what}: {error.cause}", error.where, why, error.hint)


def in_the_way(config: Config, refs: Collection[str], where: str) -> Iterator[Diagnosis]:
    """The branches beside which git can't make those that operations push."""
    names = dict.fromkeys(
        branch
        for place in (place for view in config.views() for place in view.places())
        for environment in (config.environment(place.environment),)
        for branch, mode in (
            (place.branch, environment.publish.mode),
            (place.downgrade_branch, environment.downgrade_mode),
        )
        if mode == "pull_request"
    )
    found = (in_the_way_of(f"refs/heads/{name}", refs, where) for name in names)
    errors = {error.hint: error for error in found if error is not None}  # one for each branch that is in the way
    for error in errors.values():
        yield from of_error("branches", error, "no operation can push the branch of its pull request")
    if not errors:
        yield ok("branches", "none is in the way of a branch that operations push")


def _guarded(about: str, look: Callable[[], Iterable[Diagnosis]]) -> Iterator[Diagnosis]:
    try:
        yield from look()
    except ReleaseError as error:
        yield from of_error(about, error)


def _merge_driver(records: Sequence[str], source: Source) -> Iterator[Diagnosis]:
    texts: dict[str, str] = {}
    for path in dict.fromkeys(path for record in records for path in attributes.files_for(record)):
        try:
            texts |= {path: data.decode("utf-8", "replace") for path, data in source.read([path]).items()}
        except ReleaseError:  # a link, which git doesn't follow either
            continue
    yield from verdicts.merge_driver(records, texts)


def _tag_files(config: Config, views: Sequence[Config], source: Source) -> Iterator[Diagnosis]:
    every = [files for view in views for files in read_files(source, view.places()).values()]
    broken: list[Diagnosis] = []
    for files in every:
        try:
            files.state(empty=True)
        except ReleaseError as error:
            broken += of_error("environments", error, "no operation can work on it") if files.tags is not None else ()
    missing = [files.place for files in every if files.tags is None]
    yield from broken
    if missing or not broken:
        yield verdicts.tag_files(config, missing)


def _orders(views: Sequence[Config], source: Source) -> Iterator[Diagnosis]:
    """Whether the configured order can read the tags that are live."""
    for view in views:
        tags: dict[str, Tag] = {}
        for files in read_files(source, view.places()).values():
            with suppress(ReleaseError):  # what is wrong in a file is told elsewhere
                tags |= {tag_part(tag): tag for tag in files.state(empty=True).live.values()}
        odd = unread(view.versions.ordering, tags.values())
        if odd:
            what = f"the order {view.versions.order} can't read {len(odd)} of {len(tags)} live tags ({odd[0]})"
            why = "no bump makes such a tag the default, and retention takes it for the oldest"
            yield Diagnosis("warning", "order", what, view.service, why, advice(view.versions.ordering, [*tags]))


def _without_route(views: Sequence[Config], source: Source, now: datetime) -> Iterator[Diagnosis]:
    """The versions that came back long ago, and that no clean-up has routed."""
    for view in views:
        for name, files in read_files(source, view.places()).items():
            limit = view.environment(name).retention.warm_up + _CLEANED_UP_WITHIN
            with suppress(ReleaseError):  # what is wrong in a file is told elsewhere
                lines, state = files.lines(), files.state(empty=True)
                for version in history.restoring_now(lines, state) if state.retired else ():
                    at = history.entered_at(lines, "retired", version, state.retired[version])
                    if at is not None and now - at > limit:
                        yield verdicts.without_route(files.place, version, at)


def _chart_title(view: Config) -> str:
    return f"chart {view.service}" if view.service else "chart"


def _chart(access: Access, view: Config, source: Source) -> Iterator[Diagnosis]:
    """Whether the chart renders with the engine that is there, for the entry, and what it can do with versions."""
    about, entry = _chart_title(view), view.entry.name
    found = read_files(source, view.places())
    files = found[entry]
    renderer = access.renderer(view)
    if files.tags is None:
        what = f"the engine is there ({described(renderer)}); without an image_tag.yaml nothing was rendered"
        yield Diagnosis("unknown", about, what, files.place.tag_file, "", "commit the file, then look again")
        return
    renderings = Renderings(source, view, renderer)
    trial = f"{nested(files.place.key, _TRIAL)}\n".encode()
    tried = {files.place.tag_file: trial} if files.is_empty else {}
    text = renderings.render(files, tried)
    try:
        manifests.objects(text)
    except ReleaseError as error:
        yield from of_error(about, renderings.in_repository(error), "every operation on it fails")
        return
    what = "a first version of " if tried else ""
    objects, engine = text.count("# Source: "), described(renderer)
    yield ok(about, f"{view.chart} renders for {what}{entry} ({engine}), {objects} objects")
    right: set[str] = set()  # of an example for each environment one is enough
    for whose, row in chart_trials.rows(chart_trials.tables(renderings, [files, *_others(found, entry)])):
        if row.verdict != "ok" or row.subject not in right:
            what = f"{row.what} ({whose})" if whose and row.verdict != "ok" else row.what
            yield Diagnosis(row.verdict, f"{about}: {row.subject}", what, row.where, row.cost, row.mend)
        right |= {row.subject} if row.verdict == "ok" else set()


def _others(found: Mapping[str, Files], entry: str) -> Iterator[Files]:
    """The other environments whose versions can be read, and that have some."""
    for environment, files in found.items():
        with suppress(ReleaseError):  # what is wrong in a file is told elsewhere
            if environment != entry and files.state().versions:
                yield files
