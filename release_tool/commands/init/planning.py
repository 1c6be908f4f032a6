"""Decides what `release init` writes, and writes it. Nothing that stands is overwritten unless that is asked for."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from release_tool import __version__
from release_tool.commands import check
from release_tool.commands.init import extras, ledger, library, texts, versions
from release_tool.commands.init.files import InitDecision, PlannedFile, files_of, judged, made_again, own_values
from release_tool.commands.init.request import Answers, demand_sense, disagreement
from release_tool.commands.init.survey import PlainDirectory
from release_tool.config import ConfigError
from release_tool.config.reader import load
from release_tool.errors import ReleaseError, UsageError
from release_tool.git import process, temporary
from release_tool.model.chart_reference import elsewhere
from release_tool.tagfile.reader import read_leniently
from release_tool.yamledit.data import to_data
from release_tool.yamledit.parser import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from release_tool.commands.check import CheckReport
    from release_tool.commands.init.request import InitRequest
    from release_tool.commands.init.survey import Survey
    from release_tool.config import Config
    from release_tool.git.repository import Repository
    from release_tool.git.working_tree import WorkingTree
    from release_tool.helm import Renderer

SHIPPED_AT = "charts/grpc-manifest"
ENVIRONMENTS = ("devel", "staging", "production")


class Planned(NamedTuple):
    """What would be written, and what `release check` says of that."""

    survey: Survey
    config: Config
    files: tuple[PlannedFile, ...]
    report: CheckReport

    upgraded: str = ""  # the version that wrote before, where this is an upgrade
    marked: tuple[str, ...] = ()  # the files with places that people have to decide

    @property
    def written(self) -> dict[str, bytes | None]:
        """The files that change something; None: it goes."""
        return written(self.files)

    @property
    def conflicts(self) -> list[str]:
        return [one.path for one in self.files if one.state == "conflict"]


def written(files: Iterable[PlannedFile]) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {
        one.path: one.content for one in files if one.state in {"new", "changed", "noted"}
    }
    return found | {one.path: None for one in files if one.state == "removed"}


class AsPlanned:
    """The files of a directory as they will be: a source of `release check`."""

    commit = None

    def __init__(self, present: PlainDirectory | WorkingTree, files: Mapping[str, bytes | None]) -> None:
        self.title = present.title
        self._present = present
        self._files = files

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        paths = list(paths)
        found = self._present.read(path for path in paths if path not in self._files)
        return found | {path: data for path in paths if (data := self._files.get(path)) is not None}

    def paths(self, directory: str) -> list[str]:
        below = f"{directory.rstrip('/')}/" if directory else ""
        there = {*self._present.paths(directory), *(path for path in self._files if path.startswith(below))}
        return sorted(path for path in there if self._files.get(path, b"") is not None)

    def elsewhere(self, url: str) -> Repository:
        return self._present.elsewhere(url)


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
        if self.found.tree is not None:
            _demand_unignored(self.found.tree, list(written(files)))
        planned = Planned(self.found, wanted.config, tuple(files), check.CheckReport((), ()))
        within = f"{wanted.answers.library}/"
        if half := [one.path for one in files if one.state == "kept" and one.path.startswith(within)]:
            what = f"--chart-from library changes files of your chart: {', '.join(half)}"
            hint = "`--force --dry-run` shows the difference, and --force writes it"
            return planned._replace(report=check.CheckReport((), (check.Finding(half[0], what, hint),)))
        source = AsPlanned(self.source, planned.written)
        return planned._replace(report=check.run(source, self.asked.config, self.renderer, now=self.now))


def noted(new: ledger.Ledger, path: str, present: bytes | None) -> PlannedFile:
    """The tool's own file about what it wrote."""
    one = judged(PlannedFile(path, new.text().encode(), "what was written, for `--upgrade`"), present, force=True)
    return one._replace(state="noted") if one.state == "changed" else one


def id_like(found: Survey) -> str:
    """An id of Git's objects, as this repository has them."""
    answer = process.run(["rev-parse", "--show-object-format"], str(found.top)) if found.tree else None
    return "0" * (64 if answer is not None and answer.text.strip() == "sha256" else 40)


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
    answers = Answers(None, lay_in, chart if asked.library else "", tool, deliver, found.remote[1] if deliver else "")
    if found.config is not None and not disagreement(found.config, asked):
        return draft.plan(InitDecision(found.config, answers, running, begun))
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
        planned = draft.plan(InitDecision(config, answers._replace(settings=chosen), running, begun))
        rows = [row for one in planned.report.charts for row in one.abilities]
        if any(row.subject == "retire" and row.verdict != "ok" for row in rows):
            chosen = chosen._replace(gathers=True)
            planned = draft.plan(InitDecision(config, answers._replace(settings=chosen), running, begun))
        if rows and not any(row.subject == "versions" and row.verdict == "error" for row in rows):
            best = planned
            break
        best = best or planned
    assert best is not None
    if not (running or begun or elsewhere(chart)):
        _demand_nothing_runs(best, source)
    return best


def _demand_nothing_runs(planned: Planned, source: PlainDirectory | WorkingTree) -> None:
    """ReleaseError where values files name versions, and an image_tag.yaml that is new would take their place."""
    config = planned.config
    empty = [one.path for one in planned.files if one.state == "new"]
    places = [place for place in config.places() if place.tag_file in empty]
    for pattern in (*(config.values or [f"{config.path}/values.yaml"]), own_values(config)):
        for place in places:
            path, key = pattern.replace("{environment}", place.environment), f"{place.key}.tag"
            try:
                found = versions.of_file(source.read([path])[path], path, key).versions
            except (ReleaseError, KeyError):  # there are none
                continue
            if found:
                tags = ", ".join(tag for _, tag in found[:5])
                what = f"{key} names {tags} there, and nothing would run any more once image_tag.yaml takes its place"
                taken = f"`--from {shlex.quote(pattern)} --key {key}` takes over what stands there"
                raise ReleaseError(what, where=path, hint=f"{taken}, `--tag TAG` what else runs")


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
        raise ReleaseError(what, where=str(found.top), hint=f"name one: --chart {found.charts[0]}")
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


def demand_clean(planned: Planned) -> None:
    """ReleaseError where a change that no commit has would be lost."""
    paths = [one.path for one in planned.files if one.state in {"changed", "removed"}]
    tree = planned.survey.tree
    if tree is not None and paths and (dirty := tree.changed(paths)):
        what = "what is not committed would be overwritten"
        raise ReleaseError(what, where=", ".join(dirty[:10]), hint="commit it, or put it aside: `git stash -u`")


def _demand_unignored(tree: WorkingTree, paths: Sequence[str]) -> None:
    answer = process.run(["check-ignore", "--", *paths], str(tree.top)) if paths else None
    if answer is not None and answer.code == 0:
        what = "Git ignores files that belong into the repository"
        hint = f"take the rule out that `git check-ignore -v {answer.lines[0]}` shows"
        raise ReleaseError(what, where=", ".join(answer.lines[:5]), hint=hint)


def write(planned: Planned, open_tree: Callable[[str], WorkingTree]) -> None:
    """Write what was planned: all of it, or (where the machine refuses) nothing."""
    found = planned.survey
    if found.tree is not None:
        found.tree.write(planned.written)
        return
    made = found.top / ".git"  # there was none: see `survey`
    temporary.made.add(made)  # until all is written: nothing half made stays, whatever happens
    try:
        answer = process.run(["init", "--quiet", f"--initial-branch={planned.config.base}"], str(found.top))
        if answer.code != 0:
            hint = "look at the permissions and the free space there; then run the command again"
            raise ReleaseError("git can't make a repository", where=str(found.top), cause=answer.err.strip(), hint=hint)
        open_tree(str(found.top)).write(planned.written)
        temporary.made.discard(made)
    finally:
        if made in temporary.made:
            temporary.remove(made)


def no_repository(top: Path) -> ReleaseError:
    """The error where there is no git repository."""
    hint = "`release init --yes` makes one, and so does `git init --initial-branch=main`"
    return ReleaseError("this is no git repository yet", where=str(top), hint=hint)


def own_command(planned: Planned, config_path: str, *, here: bool) -> str:
    """The command that writes what was shown."""
    return shlex.join(["release", *_at(planned, config_path, here=here)[1], "init", "--upgrade", "--yes"])


def _at(planned: Planned, config_path: str, *, here: bool) -> tuple[list[str], list[str]]:
    """The words that name the directory: for git, and for `release`."""
    at = [] if here else ["-C", str(planned.survey.top)]
    return at, [*at, *(["--config", config_path] if config_path != "release.yaml" else [])]


def next_commands(planned: Planned, config_path: str, *, here: bool) -> list[str]:
    """The commands that come next, as a shell takes them; the last one is for each image, and names none.

    Args:
        here: whether the current directory is that of the repository.
    """
    found, base = planned.survey, planned.config.base
    at, own = _at(planned, config_path, here=here)
    git = shlex.join(["git", *at])
    branch = found.branch or base
    commands = []
    if planned.marked:
        commands.append(shlex.join(["release", *own, "check"]))
    if paths := _uncommitted(planned):
        message = shlex.quote(f"Take over the files of release {__version__}" if planned.upgraded else "Set release up")
        commands.append(f"{git} add {shlex.join(paths)} && {git} commit -m {message}")
    if found.remote[1]:
        commands.append(f"{git} push -u {shlex.quote(found.remote[0])} {shlex.quote(branch)}")
    else:
        bare = found.top.with_name(f"{found.top.name}.git")
        number = 1
        while bare.exists():
            number += 1
            bare = found.top.with_name(f"{found.top.name}-{number}.git")
        made = shlex.join(["git", "init", "--quiet", "--bare", f"--initial-branch={base}", str(bare)])
        serves = shlex.join(["git", "-C", str(bare), "config", "uploadpack.allowFilter", "true"])
        push = f"{git} push -u origin {shlex.quote(branch)}"
        commands.append(f"{made} && {serves} && {git} remote add origin {shlex.quote(str(bare))} && {push}")
    commands.append(shlex.join(["release", *own, "doctor" if branch == base else "check"]))
    commands.append(shlex.join(["release", *own, "bump", planned.config.entry.name, "TAG"]))
    return commands


def _uncommitted(planned: Planned) -> list[str]:
    """What no commit has yet of all that the tool reads and that was written; a directory that is new, as a whole."""
    found = planned.survey
    files = [one.path for one in planned.files if one.state != "kept"]
    owned = [path.rstrip("/") for path in extras.owned(planned.config)]
    command = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--", *files, *owned]
    changed = {entry[3:] for entry in process.run(command, str(found.top)).text.split("\0") if entry}
    above = {path: next((one for one in owned if path.startswith(f"{one}/")), path) for path in changed}
    new = {path: _topmost_new(path, found.folders) or above[path] for path in changed}
    ordered = [*(path for path in files if path in changed), *sorted(changed)]
    return list(dict.fromkeys(new[path] for path in ordered))


def _topmost_new(path: str, folders: Collection[str]) -> str:
    """The topmost directory above a file that was not there; empty where all were."""
    above = reversed(PurePosixPath(path).parents)
    return next((str(folder) for folder in above if str(folder) not in {".", *folders}), "")
