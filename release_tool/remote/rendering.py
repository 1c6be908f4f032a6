"""What would be published: the files after a plan, and the manifests that they give."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool import tagfile
from release_tool.errors import ReleaseError, ValuesRefused
from release_tool.model import history
from release_tool.remote.snapshot import decode, readable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.config import Config
    from release_tool.helm import Renderer
    from release_tool.manifests import ObjectChange
    from release_tool.remote.snapshot import Files
    from release_tool.remote.source import Source
    from release_tool.rules.plan import Plan


class Rendering(NamedTuple):
    """The manifests of one environment.

    Attributes:
        text: multi-document YAML.
        failure: why there are none; only the present state may fail, a proposal that fails is refused.
    """

    text: str
    failure: str = ""


class Judged(NamedTuple):
    """A proposal that may be published.

    Attributes:
        manifests: the difference of the manifests.
        notes: what the checks have to say beside it, in sentences.
    """

    manifests: tuple[ObjectChange, ...]
    notes: tuple[str, ...]


_TOGETHER = 50  # so many old lines are moved at once, or none, so that not every pull request shows some


def new_files(files: Files, plan: Plan, source: Source) -> dict[str, bytes]:
    """The files that a plan changes: path -> bytes.

    Args:
        files: the environment's files that the plan was made on.
        plan: the plan.
        source: where the archives of the record are read.

    Raises:
        EditRefused: the tag file can't be edited safely.
    """
    changed: dict[str, bytes] = {}
    before = files.tag_file(empty=True)
    after = tagfile.edit(before, plan.edits)
    if after.text != before.text:
        changed[files.place.tag_file] = after.text.encode("utf-8")
    if plan.lines:
        record, archives = _without_old_lines(files, plan, source)
        changed[files.place.history_file] = history.append(record, plan.lines).encode("utf-8")
        changed |= archives
    return changed


def _without_old_lines(files: Files, plan: Plan, source: Source) -> tuple[str, dict[str, bytes]]:
    """The record without the lines of versions long gone, and the archives of their years with them.

    A cleanup moves every one; other operations wait until there are some dozens.
    """
    lines = files.lines()
    least = 1 if any(line.intent.operation == "cleanup" for line in plan.lines) else _TOGETHER
    if len(lines) < least:
        return files.record, {}
    from release_tool.model import archive

    old = archive.movable(lines, plan.after, plan.lines[-1].at)
    if len(old) < least:
        return files.record, {}
    record, moved = archive.split(files.record, files.place.history_file, old)
    paths = {year: files.place.archive(year) for year in moved}
    found = source.read(paths.values())
    texts = {path: decode(found[path], path) if path in found else "" for path in paths.values()}
    return record, {path: archive.joined(texts[path], moved[year]).encode("utf-8") for year, path in paths.items()}


class Renderings:
    """Renders environments with one chart; its files are read once.

    Args:
        source: where the chart is read: at the tip of the base branch, a proposal can't bring its own.
        config: the configuration that names it.
        renderer: the Helm engine.
    """

    def __init__(self, source: Source, config: Config, renderer: Renderer) -> None:
        self._source = source
        self._config = config
        self._renderer = renderer
        self._chart: Mapping[str, bytes] | None = None

    def render(self, tags_path: str, tags: str, values_path: str, values: str | None) -> str:
        """The manifests of an environment.

        Args:
            tags_path: path of `image_tag.yaml`, for messages.
            tags: its text.
            values_path: path of the environment's `values.yaml`, for messages.
            values: its text; None where there is none.

        Returns:
            Multi-document YAML.

        Raises:
            ReleaseError: the chart is missing or fails to render.
        """
        from release_tool.helm.request import RenderRequest, ValuesFile

        files = [] if values is None else [ValuesFile(values_path, readable(values, values_path))]
        request = RenderRequest(
            chart=self._config.chart,
            files=self.chart(),
            values=(*files, ValuesFile(tags_path, readable(tags, tags_path))),
            release_name=self._config.release_name,
            namespace=self._config.namespace,
        )
        try:
            return self._renderer.render(request)
        except ValuesRefused as error:
            from release_tool.remote import refused_values

            places = [(tags_path, tags), (values_path, values or "")]
            raise refused_values.located(error, places) from None

    def chart(self) -> Mapping[str, bytes]:
        """The chart's files, by path inside the chart."""
        if self._chart is None:
            prefix = self._config.chart.rstrip("/") + "/"
            found = self._source.read(self._source.paths(self._config.chart))
            self._chart = {path.removeprefix(prefix): data for path, data in found.items()}
            if "Chart.yaml" not in self._chart:
                raise ReleaseError(
                    "there is no chart: Chart.yaml is missing",
                    where=f"{self._source.title}:{self._config.chart}",
                    cause="`chart` in release.yaml names another directory, or the chart was not pushed",
                    hint="set `chart` to the chart's directory in this repository",
                )
        return self._chart

    def of(self, files: Files) -> Rendering:
        """The manifests of an environment as it stands; a failure is told, not raised."""
        place = files.place
        try:
            return Rendering(self.render(place.tag_file, files.tags or "", place.values_file, files.values))
        except ReleaseError as error:
            return Rendering("", str(error))

    def difference(self, present: Files, files: Files, changed: Mapping[str, bytes]) -> tuple[ObjectChange, ...]:
        """The difference of the manifests from what stands there to what is proposed, both rendered at once.

        Args:
            present: the environment's files as they stand.
            files: the files that `changed` changes: the same, or those of a release branch.
            changed: path -> bytes.

        Raises:
            ReleaseError: the proposal can't be rendered; nothing may be published then.
        """
        from release_tool import manifests

        return manifests.difference(*self._both(present, files, changed))

    def judged(self, present: Files, files: Files, changed: Mapping[str, bytes]) -> Judged:
        """The same, once the checks of routing find nothing wrong with the proposal that isn't wrong already.

        Args:
            present: the environment's files as they stand.
            files: the files that `changed` changes: the same, or those of a release branch, with a person's commits.
            changed: path -> bytes.

        Raises:
            Refused: a call would fail by what is proposed.
            ReleaseError: the proposal can't be rendered; nothing may be published then.
        """
        from release_tool import manifests
        from release_tool.publishing import route_gate

        before, after = self._both(present, files, changed)
        changes = manifests.difference(before, after)
        others = None if files == present else lambda: self.of(files).text
        return Judged(changes, route_gate.notes(self._config, files.place.environment, before, after, others))

    def _both(self, present: Files, files: Files, changed: Mapping[str, bytes]) -> tuple[str, str]:
        """What stands there (empty where that can't be rendered) and what is proposed, rendered at once."""
        from threading import Thread

        self.chart()  # read by this thread: the repository serves one
        before: list[Rendering] = []
        beside = Thread(target=lambda: before.append(self.of(present)))
        beside.start()
        try:
            after = self.proposed(files, changed)
        finally:
            beside.join()
        return before[0].text, after

    def proposed(self, files: Files, changed: Mapping[str, bytes]) -> str:
        """The manifests of an environment with some files changed.

        Raises:
            ReleaseError: they can't be rendered; nothing may be published then.
        """
        place = files.place
        tags = changed[place.tag_file].decode("utf-8") if place.tag_file in changed else files.tags or ""
        return self.render(place.tag_file, tags, place.values_file, files.values)


def file_difference(files: Files, changed: Mapping[str, bytes]) -> str:
    """The unified difference of the files that a plan changes, for people."""
    from difflib import unified_diff

    before = {files.place.tag_file: files.tags or "", files.place.history_file: files.record}
    parts = []
    for path, data in changed.items():
        if path not in before:
            parts.append(f"old lines of the record move to {path}\n")
            continue
        old, new = before[path].splitlines(keepends=True), data.decode("utf-8").splitlines(keepends=True)
        lines = unified_diff(old, new, f"a/{path}", f"b/{path}", n=2)
        parts += [line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines]
    return "".join(parts)
