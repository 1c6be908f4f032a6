"""Decides what `release init` writes. Nothing that stands is overwritten unless that is asked for."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands import check
from release_tool.commands.init import extras, ledger, library, pipelines, texts, versions
from release_tool.commands.init.files import InitDecision, files_of, judged, made_again, own_values
from release_tool.commands.init.planned import AsPlanned, Planned, id_like, noted
from release_tool.commands.init.request import Answers, demand_sense, disagreement
from release_tool.commands.init.survey import PlainDirectory
from release_tool.config import ConfigError
from release_tool.config.reader import load
from release_tool.errors import ReleaseError, UsageError
from release_tool.forges.remote_url import host_of
from release_tool.git import process
from release_tool.model.chart_reference import elsewhere
from release_tool.tagfile.reader import read_leniently
from release_tool.yamledit.data import to_data
from release_tool.yamledit.parser import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from release_tool.commands.init.request import InitRequest
    from release_tool.commands.init.survey import Survey
    from release_tool.config import Config
    from release_tool.git.working_tree import WorkingTree
    from release_tool.helm import Renderer

SHIPPED_AT = "charts/grpc-manifest"
ENVIRONMENTS = ("devel", "staging", "production")


class _Draft(NamedTuple):
    """Makes a plan of what was decided."""

    found: Survey
    asked: InitRequest
    source: PlainDirectory | WorkingTree
    renderer: Callable[[Config], Renderer]
    now: datetime | None

    def plan(self, wanted: InitDecision) -> Planned:
        drafted = list(files_of(self.asked, self.source, wanted))
        path = ledger.path_of(self.asked.config)
        there = self.source.read([path, *(one.path for one in drafted)])
        files = [judged(one, there.get(one.path), force=self.asked.force) for one in drafted]
        old = ledger.read(there[path], path) if path in there else None
        made = [one.path for one in made_again(self.asked.config, self.source, wanted.config, wanted.answers)]
        new = ledger.after(old, wanted.answers, files, made, id_like(self.found))
        if new is not None:
            files.append(noted(new, path, there.get(path)))
        planned = Planned(self.found, wanted.config, self.asked.config, tuple(files), check.CheckReport((), ()))
        if self.found.tree is not None:
            _demand_unignored(self.found.tree, list(planned.written))
        within = f"{wanted.answers.library}/"
        if half := [one.path for one in files if one.state == "kept" and one.path.startswith(within)]:
            what = f"--chart-from library changes files of your chart: {', '.join(half)}"
            hint = "`--force --dry-run` shows the difference, and --force writes it"
            return planned._replace(report=check.CheckReport((), (check.Finding(half[0], what, hint),)))
        source = AsPlanned(self.source, planned.written)
        return planned._replace(report=check.run(source, self.asked.config, self.renderer, now=self.now))


def plan(
    found: Survey, asked: InitRequest, renderer: Callable[[Config], Renderer], now: datetime | None = None
) -> Planned:
    """Decide what is written. Nothing is changed.

    Raises:
        ReleaseError: something asked for is not there, or can't be.
        UsageError: what was asked for contradicts itself.
    """
    demand_sense(asked)
    source = found.tree or PlainDirectory(found.top)
    view = found.config.views()[0] if found.config else None
    chart, lay_in = chart_of(found, asked, view)
    begun = bool(lay_in) or (asked.library and not source.read([f"{chart}/Chart.yaml"]))
    if asked.image and not begun:
        hint = "leave --image out: the values files of a chart that stands say where its image is"
        raise UsageError("--image is for a chart that --chart-from writes", hint=hint)
    names = asked.environments or (tuple(view.environments) if view else found.layout.names) or ENVIRONMENTS
    running = _running(asked, names, source)
    draft = _Draft(found, asked, source, renderer, now)
    deliver = (asked.deliver,) if asked.deliver else ()
    tool = asked.tool if asked.workflows else ""
    answers = Answers(
        lay_in=lay_in,
        library=chart if asked.library else "",
        tool=tool,
        ci=_ci(found, asked),
        deliver=deliver,
        remote=found.remote[1] if deliver else "",
    )
    host = host_of(found.remote[1]) if found.forge in pipelines.KINDS else ""
    server = "" if found.forge == "azure" else f"https://{host or 'github.com'}"
    owners = extras.owners_files(found.forge)
    if found.config is not None and not disagreement(found.config, asked):
        return draft.plan(InitDecision(found.config, answers, running, begun, server, owners))
    name = asked.name or (view.release_name if view else suggested_name(found, asked))
    settings = texts.Settings(
        environments=names,
        chart=chart,
        name=name,
        namespace=asked.namespace or (view.namespace if view else name),
        base=asked.base or (view.base if view else found.base),
        values=asked.values or (view.values if view else _values_of(found, names)),
        path=asked.path or (view.path if view else found.layout.path or texts.PATH),
    )
    keys = [asked.versions_key] if asked.versions_key else _keys(source, chart, lay_in=lay_in)
    if asked.library and not asked.versions_key:
        keys = [library.key_in(chart, source)]
    best = None
    for key in keys:
        chosen = _with_versions(settings._replace(key=key), running, source)
        config = loaded(chosen, asked.config)
        planned = draft.plan(InitDecision(config, answers._replace(settings=chosen), running, begun, server, owners))
        rows = [row for one in planned.report.charts for row in one.abilities]
        if any(row.subject == "retire" and row.verdict != "ok" for row in rows):
            chosen = chosen._replace(gathers=True)
            planned = draft.plan(
                InitDecision(config, answers._replace(settings=chosen), running, begun, server, owners)
            )
        if rows and not any(row.subject == "versions" and row.verdict == "error" for row in rows):
            best, keys = planned, [key]
            break
        best = best or planned
    assert best is not None
    if not (running or begun or elsewhere(chart)):
        _demand_nothing_runs(best, source, keys)
    return best


def _ci(found: Survey, asked: InitRequest) -> str:
    """For which CI system workflows are; empty: none are asked for."""
    usual = found.forge if found.forge in pipelines.KINDS else "github"
    return usual if asked.workflows == "auto" else asked.workflows


def _demand_nothing_runs(planned: Planned, source: PlainDirectory | WorkingTree, keys: list[str]) -> None:
    """ReleaseError where values files name versions, and an image_tag.yaml that is new would take their place.

    `keys`: where the chart looks for them, or may: versions of a values file can keep a trial from telling which.
    """
    config = planned.config
    empty = [one.path for one in planned.files if one.state == "new"]
    places = [place for place in config.places() if place.tag_file in empty]
    for pattern in (*(config.values or [f"{config.path}/values.yaml"]), own_values(config)):
        for place, key in itertools.product(places, [f"{key}.tag" for key in keys]):
            path = pattern.replace("{environment}", place.environment)
            try:
                found = versions.of_file(source.read([path])[path], path, key).versions
            except (ReleaseError, KeyError):  # there are none
                continue
            if found:
                tags = ", ".join(tag for _, tag in found[:5])
                what = f"{key} names {tags} there, and nothing would run any more once image_tag.yaml takes its place"
                taken = f"`--from {shlex.quote(pattern)} --key {key} --force` moves there what stands here"
                raise ReleaseError(what, where=path, hint=f"{taken}, `--tag TAG` brings what else runs")


def _values_of(found: Survey, names: Sequence[str]) -> tuple[str, ...]:
    """The values files that were found, where each environment has one."""
    return (found.layout.values,) if found.layout.values and set(names) <= set(found.layout.names) else ()


def loaded(settings: texts.Settings, path: str) -> Config:
    """The configuration that would be written; its mistakes are those of flags, and no file has them yet."""
    try:
        return load(texts.configuration(settings).encode(), path)
    except ConfigError as error:
        what = "; ".join(f"{one.key}: {one.what}" for one in error.problems)
        raise UsageError(what, hint="say it by a flag: `release init --help` shows them") from error


def _with_versions(
    settings: texts.Settings, running: Mapping[str, versions.Running], source: PlainDirectory | WorkingTree
) -> texts.Settings:
    """With an order that reads the tags which run, and room for them."""
    there = source.read(
        f"{settings.path.replace('{environment}', name)}/image_tag.yaml" for name in settings.environments
    )
    states = [read_leniently(data.decode("utf-8", "replace"), settings.key) for data in there.values()]
    groups: list[list[str]] = [[*state.versions.values()] for state in states]
    groups += [[tag for _, tag in one.versions] for one in running.values()]
    order = versions.order_of(tag for group in groups for tag in group)
    return settings._replace(order=order, keep=max([4, *map(len, groups)]))


def chart_of(found: Survey, asked: InitRequest, view: Config | None) -> tuple[str, str]:
    """The chart, and where the shipped one is laid in (empty: nowhere)."""
    chart = asked.chart or (view.chart if view else "")
    if asked.shipped:
        return chart or SHIPPED_AT, chart or SHIPPED_AT
    if view is not None and chart == view.chart:
        return chart, ""
    if not chart and len(found.charts) > 1:
        what = f"there are {len(found.charts)} charts here: {', '.join(found.charts[:10])}"
        more = (
            "several services stand under `services` in release.yaml (docs/reference/configuration.md#several-services)"
        )
        raise ReleaseError(what, where=str(found.top), hint=f"name one: --chart {shlex.quote(found.charts[0])}; {more}")
    if (chart or next(iter(found.charts), "")) == ".":
        what = "the chart stands in the root of the repository, and everything there would be a part of it"
        hint = "move it into a directory, like charts/NAME; or --chart-from shipped lays the one of `release` in"
        raise ReleaseError(what, where="Chart.yaml", hint=hint)
    if asked.library and not (chart or found.charts):
        return f"charts/{asked.name or suggested_name(found, asked)}", ""
    if chart and not elsewhere(chart) and not (asked.library or (found.top / chart / "Chart.yaml").is_file()):
        there = f"there are: {', '.join(found.charts[:10])}" if found.charts else "there is no other one"
        what = "there is no chart: Chart.yaml is missing"
        raise ReleaseError(
            what, where=chart, hint=f"{there}; --chart-from shipped lays in the one that comes with `release`"
        )
    chart = chart or next(iter(found.charts), "")
    return (chart, "") if chart else (SHIPPED_AT, SHIPPED_AT)


def suggested_name(found: Survey, asked: InitRequest) -> str:
    """A name for the release: that of the chart of one's own, else that of the repository."""
    remote = found.remote[1].rstrip("/").removesuffix(".git")
    named = re.split("[/:]", remote)[-1] if remote else found.top.name
    own = "" if asked.shipped else asked.chart or (found.charts[0] if len(found.charts) == 1 else "")
    text = named if not own or elsewhere(own) else PurePosixPath(own).name
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:53].rstrip("-") or "service"


def _keys(source: PlainDirectory | WorkingTree, chart: str, *, lay_in: str) -> list[str]:
    """Where a chart may look for its versions: `image`, or `image` of a chart that it depends on."""
    if lay_in or elsewhere(chart):
        return ["image"]
    data = source.read([f"{chart}/Chart.yaml"]).get(f"{chart}/Chart.yaml", b"")
    try:
        about = to_data(parse(data.decode("utf-8")))
    except (ReleaseError, UnicodeDecodeError):  # `release check` says what is wrong
        about = None
    parts = about.get("dependencies") if isinstance(about, dict) else None
    named = [one.get("alias") or one.get("name") for one in parts or () if isinstance(one, dict)]
    return ["image", *(f"{name}.image" for name in named if isinstance(name, str) and re.fullmatch(r"[\w-]+", name))][
        :20
    ]


def _running(
    asked: InitRequest, environments: Sequence[str], source: PlainDirectory | WorkingTree
) -> dict[str, versions.Running]:
    if not asked.file:
        found = versions.of_flags(asked.tags, environments)
    else:
        places = {name: asked.file.replace("{environment}", name) for name in environments}
        there = source.read(places.values())
        missing = [path for path in places.values() if path not in there]
        if missing:
            raise ReleaseError("there is no such file in the repository", where=missing[0], hint="correct --from")
        found = {name: versions.of_file(there[path], path, asked.key) for name, path in places.items()}
    if asked.default:
        if not any(asked.default in {tag for _, tag in one.versions} for one in found.values()):
            raise UsageError(
                f"--default {asked.default}: no environment runs it", hint="name one of the tags taken over"
            )
        found = {
            name: one._replace(default=asked.default) if asked.default in {tag for _, tag in one.versions} else one
            for name, one in found.items()
        }
    return found


def _demand_unignored(tree: WorkingTree, paths: Sequence[str]) -> None:
    answer = process.run(["check-ignore", "--", *paths], str(tree.top)) if paths else None
    if answer is not None and answer.code == 0:
        what = "Git ignores files that belong into the repository"
        hint = f"take the rule out that `git check-ignore -v {answer.lines[0]}` shows"
        raise ReleaseError(what, where=", ".join(answer.lines[:5]), hint=hint)
