"""One service as `release check` sees it: read at a moment, and judged with the step to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.checks import by_hand, merging, names, policy, record, values
from release_tool.checks.environment import Held, held
from release_tool.checks.findings import Finding, findings_of
from release_tool.commands import check_chart, check_routes
from release_tool.errors import ReleaseError, TryAgain
from release_tool.model.history import quarantined_now
from release_tool.remote import past
from release_tool.remote.snapshot import decode, read_files, readable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from release_tool.checks.findings import OfVersion
    from release_tool.commands.check_chart import TriedChart
    from release_tool.config import Place
    from release_tool.model.records import Name
    from release_tool.remote.rendering import Renderings
    from release_tool.remote.snapshot import Files, Source


class Collected(NamedTuple):
    """The parts of a report while it is made."""

    checked: list[str]
    findings: list[Finding]
    warnings: list[Finding]
    unread: list[Finding]  # those of the findings that say of one file why it can't be used
    charts: list[TriedChart]


class Seen(NamedTuple):
    """One environment at one moment: its files, and the same read."""

    files: Files
    held: Held


class Looked(NamedTuple):
    """One service at one moment."""

    renderings: Renderings  # its source, its configuration, and what renders it
    seen: dict[str, Seen]  # its environments, by name, as far as they can be read
    failed: tuple[Finding, ...]  # the findings about the files that can't be read

    @property
    def held(self) -> dict[str, Held]:
        """The environments as they were read."""
        return {environment: one.held for environment, one in self.seen.items()}


def look(renderings: Renderings) -> Looked:
    """A service at one moment; what can't be read hides nothing of the rest."""
    seen: dict[str, Seen] = {}
    failed: list[Finding] = []
    source = renderings.source
    for environment, files in read_files(source, renderings.config.places()).items():
        place = files.place
        try:
            if files.broken is not None:
                raise files.broken
            read = held(place, files.tags or "", files.record, _archives(source, place))
            seen[environment] = Seen(files, read)
        except ReleaseError as error:
            failed += findings_of(error)
    return Looked(renderings, seen, tuple(failed))


def as_it_was(shall: Looked, before: Sequence[Looked]) -> Looked | None:
    """A service as it was where its environments stood elsewhere, under their names of now; None: it is new."""
    olds = [(one, seen, _traits(seen)) for one in before for seen in one.seen.values()]
    present = [_traits(seen) for seen in shall.seen.values()]
    found: dict[str, dict[str, Seen]] = {}  # service of then -> environment of now -> as it was
    for new in present:
        place = past.origin(new, (traits for _, _, traits in olds), present)
        if place is not None:
            seen = next(seen for _, seen, _ in olds if seen.files.place == place)
            found.setdefault(place.service, {})[new.place.environment] = seen
    if not found:
        return None
    service = max(found, key=lambda name: len(found[name]))
    was = next(one for one, seen, _ in olds if seen.files.place.service == service)
    return was._replace(seen=found[service])


def _traits(seen: Seen) -> past.Traits:
    return past.traits_in(seen.files.place, seen.files.record, seen.files.tags or "")


def _archives(source: Source, place: Place) -> dict[str, str]:
    paths = [path for path in source.paths(place.archive_directory) if path.endswith(".jsonl")]
    return {path: decode(data, path) for path, data in source.read(paths).items()} if paths else {}


class CheckedService:
    """Checks one service, and puts what it finds into a report.

    Args:
        shall: the service as it shall be.
        was: as it was before; None where there is no step to judge.
        now: the present time; None: nothing is asked about ends of pins.
        report: where the findings go.
    """

    def __init__(self, shall: Looked, was: Looked | None, now: datetime | None, report: Collected) -> None:
        self._shall = shall
        self._was = was
        self._now = now
        self._report = report
        self._rendered: list[Files] = []  # those of the environments whose manifests could be made

    def check(self) -> None:
        """Everything about the service."""
        shall, report = self._shall, self._report
        report.findings.extend(shall.failed)
        report.unread.extend(shall.failed)
        chart = self._chart()
        report.findings.extend(chart)
        wrong = names.wrong_names(list(shall.held.values()), {} if self._was is None else self._was.held)
        for environment, seen in shall.seen.items():
            self._environment(seen, wrong[environment], renders=not chart)
        tried = check_chart.check(shall.renderings, self._rendered, self._rendered_before())
        report.charts.extend(tried.charts)
        report.findings.extend(tried.findings)
        report.warnings.extend(tried.warnings)

    def _chart(self) -> list[Finding]:
        """The five keys among the chart's own values; or why the chart can't be read."""
        renderings = self._shall.renderings
        found: list[Finding] = []
        try:
            chart = renderings.chart()
            for path, key in values.files_of_chart(chart, renderings.config.versions.key):
                where = renderings.place(path)
                found += values.keys_elsewhere(decode(chart[path], where), where, key, defaults=True)
        except TryAgain:  # it may be right
            raise
        except ReleaseError as error:
            found = list(findings_of(error))
        return found

    def _environment(self, seen: Seen, wrong: Sequence[OfVersion], *, renders: bool) -> None:
        files, here, report = seen.files, seen.held, self._report
        present = {
            files.place.tag_file: files.tags,
            files.place.history_file: files.record,
            **dict(files.values),
        }
        report.checked.extend(path for path, text in present.items() if text and path not in report.checked)
        overtaken = self._overtaken(here)
        broken = [*_broken(files, [one.name for one in overtaken]), *self._emptied(files, here)]
        of_versions = [*overtaken, *wrong, *names.high_names(here)]
        # A values file of several environments is told once.
        report.findings.extend(one for one in broken if one not in report.findings)
        report.findings.extend(one.finding for one in of_versions)
        report.unread.extend((*broken, *here.record.broken))
        told = (one for path, text in files.values for one in values.unread(text, path))
        report.warnings.extend(one for one in told if one not in report.warnings)
        self._record(here)
        if not broken and not overtaken:
            try:
                self._told(here, {one.name for one in of_versions})
            except ReleaseError as error:  # an expression of the configuration that takes without end
                report.findings.extend(findings_of(error))
        if not broken and not of_versions and renders:
            self._rendering(files)

    def _before(self, here: Held) -> Held | None:
        """The same environment at the moment before, as far as it was there."""
        return None if self._was is None else self._was.held.get(here.place.environment)

    def _emptied(self, files: Files, here: Held) -> Iterator[Finding]:
        """No version is left, and no record tells of one: only the moment before does."""
        before = self._before(here)
        if before is not None and before.versions and files.is_empty:
            what = f"no version is left, and there were: {', '.join(before.versions)}"
            hint = "keep one live; an environment that is not wanted any more is taken out of release.yaml"
            yield Finding(here.at_key("tag"), what, hint)

    def _overtaken(self, here: Held) -> list[OfVersion]:
        before = self._before(here)
        if self._was is None or before is None:
            return []
        bad: dict[str, tuple[str, str]] = {}
        ours_first = sorted(self._was.held.values(), key=lambda one: one.place != before.place)
        for one in ours_first:  # a tag that is quarantined in several environments is reported with another one
            found = quarantined_now(one.record.lines, one.state)
            bad |= {part: (one.place.environment, reason) for part, reason in found.items()}
        return list(merging.overtaken(before, here, bad))

    def _record(self, here: Held) -> None:
        """The record alone, and the step to it."""
        before = self._before(here)
        lost: list[Finding] = []
        reverted = () if before is None else record.reverted(before, here)
        if reverted:
            self._report.warnings.append(record.taken_back(reverted, here.place))
        elif self._was is not None and before is not None:
            commit = self._was.renderings.source.commit
            lost += record.landed(before.record, here.record, "" if commit is None else commit[:12])
            lost += record.moved_too_early(before.record, here.record, here.state)
        told = tuple(f"{one.where}:" for one in lost)
        broken = (one for one in here.record.broken if not f"{one.where}:".startswith(told))
        self._report.findings.extend([*broken, *record.doubled(here.record), *lost])
        new_here = () if before is None else record.new_entries(before.record, here.record)
        for entry in record.out_of_order(here.record):
            if f"{entry.where}:".startswith(told):
                continue
            # What has landed can't be mended any more, and does no harm: `at` is only ever a first guess of an age.
            to = self._report.findings if entry in new_here else self._report.warnings
            to.append(record.backwards(entry, here.place))
        if self._now is not None:
            wrong, stand = record.ahead(here.record, self._now, None if before is None else new_here)
            # What stands in the base is told as an error wherever the base itself is checked.
            for to, future in ((self._report.findings, wrong), (self._report.warnings, stand)):
                to.extend([record.from_the_future(future, self._now)] if future else [])

    def _told(self, here: Held, told: Collection[Name]) -> None:
        """What there is to know beside what is wrong."""
        if not here.record.broken:
            highest = by_hand.highest_number(list(self._shall.held.values()), here)
            self._report.warnings.extend(by_hand.by_hand(here, told, highest))
        self._report.warnings.extend(values.other_versions(here))
        self._report.warnings.extend(policy.policy(here, self._before(here), self._shall.renderings.config, self._now))

    def _rendering(self, files: Files) -> None:
        """What is wrong with the manifests of an environment, and what there is to know of them beside that."""
        was = None if self._was is None else self._was.seen.get(files.place.environment)
        before = None if self._was is None or was is None else check_routes.Before(self._was.renderings, was.files)
        try:
            checked = check_routes.check(self._shall.renderings, files, before)
        except ReleaseError as error:
            self._report.findings.extend(findings_of(self._shall.renderings.in_repository(error)))
            return
        self._rendered.append(files)
        title = files.place.title
        for part, to in ((checked.wrong, self._report.findings), (checked.told, self._report.warnings)):
            to.extend(Finding(where, f"{title}: {one.what}", one.hint) for where, one in part)

    def _rendered_before(self) -> check_chart.ChartBefore | None:
        """The same environments at the moment before."""
        if self._was is None:
            return None
        there = (self._was.seen.get(files.place.environment) for files in self._rendered)
        return check_chart.ChartBefore(self._was.renderings, [seen.files for seen in there if seen is not None])


def _broken(files: Files, told: Collection[Name]) -> Iterator[Finding]:
    """Why the files of an environment can't be used."""
    try:
        files.state()
    except ReleaseError as error:
        yield from findings_of(error, told)
    try:
        readable(files.record, files.place.history_file)  # the lines themselves are looked at one by one
        for path, text in files.values:
            yield from values.keys_elsewhere(readable(text, path), path, files.place.key)
    except ReleaseError as error:
        yield from findings_of(error)
