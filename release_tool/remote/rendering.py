"""Renders environments with the chart of one moment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError, TryAgain, ValuesRefused
from release_tool.git.objects import InSubmodule
from release_tool.manifests.chance import Steady, at_another_time, may_change, steady
from release_tool.model.foreign_content import by_sops, without_sops
from release_tool.remote.snapshot import read_chart, readable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.config import Config
    from release_tool.helm import Renderer
    from release_tool.helm.request import RenderRequest
    from release_tool.remote.snapshot import Files, Source

_ELSEWHERE = ("git+", "oci:")  # how the name of a chart begins that is no directory of the repository
_TEMPLATE = re.compile(r"[^/\s]+/(?:templates|charts|crds)/\S+")
NOTHING: Mapping[str, bytes] = {}


class Renderings:
    """Renders environments with one chart; its files are read once.

    Args:
        source: where the chart is read: at the tip of the base branch, a proposal can't bring its own.
        config: the configuration that names it.
        renderer: the Helm engine.
    """

    def __init__(self, source: Source, config: Config, renderer: Renderer) -> None:
        self.source = source
        self.config = config
        self._renderer = renderer
        self._chart: Mapping[str, bytes] | None = None
        self._places: Mapping[str, str] = {}
        self.pinned = ""  # what `chart` should say, once the chart was read, where its version alone is named
        self._without_end: ReleaseError | None = None
        self.not_compared = ""  # why what stands in the base was given up; empty: it was not
        self._trial_without_end: ReleaseError | None = None
        self._changing: bool | None = None

    def render(self, files: Files, changed: Mapping[str, bytes] = NOTHING) -> str:
        """The manifests of an environment: multi-document YAML; nothing where it has had no version yet.

        `changed`: path -> bytes of the files that shall take the place of the environment's.
        """
        from release_tool.helm.limits import BeyondLimit

        if self._without_end is not None:  # nobody waits so long for each environment
            raise self._without_end
        if files.broken is not None:
            raise files.broken
        place = files.place
        if place.tag_file not in changed and files.is_empty:
            return ""
        tags = changed[place.tag_file].decode("utf-8") if place.tag_file in changed else files.tags or ""
        request = self._request(files, tags)
        try:
            return self._renderer.render(request)
        except BeyondLimit as error:
            self._without_end = error
            raise
        except ValuesRefused as error:
            from release_tool.remote.locate_refused_values import located

            refused = located(error, [(one.name, one.text) for one in reversed(request.values)], place.key)
            if any(refused.where.startswith(f"{path}:") and by_sops(text) for path, text in files.values):
                refused.cause = "sops has encrypted values of this file, and the tool has no key"
                refused.hint = "keep what the chart looks at out of what sops encrypts: `encrypted_regex` in .sops.yaml"
            raise refused from None

    def trial(self, files: Files, tags: str, *, later: bool = False) -> str:
        """The manifests of an environment with other versions, for a trial. Errors name places of the chart alone.

        Args:
            tags: the text in the place of its `image_tag.yaml`.
            later: whether the chart shall see another time.
        """
        from release_tool.helm.limits import BeyondLimit

        if self._trial_without_end is not None:
            raise self._trial_without_end
        request = self._request(files, tags)._replace(title=f"a trial set of {files.place.title}")
        if later:
            request = request._replace(files=at_another_time(request.files))
        try:
            return self._renderer.render(request)
        except BeyondLimit as error:
            self._trial_without_end = error
            raise

    def steady(self, rendering: str, files: Files, changed: Mapping[str, bytes] = NOTHING) -> Steady:
        """A rendering without what would be another text the next time, with the same chart and the same files."""
        if not rendering or not self.may_change(files):
            return Steady(rendering)
        tags = changed[files.place.tag_file].decode("utf-8") if files.place.tag_file in changed else files.tags or ""
        try:
            return steady(rendering, self.trial(files, tags, later=True))
        except ReleaseError:
            return Steady(rendering)

    def may_change(self, files: Files) -> bool:
        """Whether the same files can give another rendering the next time."""
        if self._changing is None:
            self._changing = may_change(self.chart())
        return self._changing or may_change({}, (text.encode("utf-8", "replace") for _, text in files.values))

    def in_repository(self, error: ReleaseError) -> ReleaseError:
        """An error about manifests, which names templates as a rendering does, with their paths in the repository."""
        places = error.where.split(" and ")
        if all(_TEMPLATE.fullmatch(place) for place in places):
            error.where = " and ".join(self.place(place.partition("/")[2]) for place in places)
        return error

    def _request(self, files: Files, tags: str) -> RenderRequest:
        from release_tool.helm.request import RenderRequest, ValuesFile

        place = files.place
        texts = (*files.values, (place.tag_file, tags))
        values = [ValuesFile(path, without_sops(readable(text, path))) for path, text in texts]
        return RenderRequest(
            self._title,
            self.chart(),
            values,
            self.config.release_name,
            self.config.namespace,
            place.title,
            self.config.render.kube_version,
            self.config.render.api_versions,
            self._places,
        )

    def render_if_possible(self, files: Files) -> str:
        """The manifests of an environment as it stands; empty where its files or its chart can't be rendered."""
        from release_tool.helm.limits import BeyondLimit

        try:
            return self.render(files)
        except TryAgain:  # the chart stands elsewhere, and its server doesn't answer
            raise
        except ReleaseError as error:  # the way out may be the very proposal that this is compared with
            if isinstance(error, BeyondLimit):
                self.not_compared = error.what
            return ""

    def both(self, present: Files, files: Files, changed: Mapping[str, bytes] = NOTHING) -> tuple[str, str]:
        """What stands there (empty where that can't be rendered) and what is proposed, rendered at once.

        `files` are those that `changed` (path -> bytes) changes: the present ones, or those of a release branch.
        """
        from threading import Thread

        self.chart()  # read by this thread: the repository serves one
        before: list[str | BaseException] = []

        def render_present() -> None:
            try:
                before.append(self.render_if_possible(present))
            except BaseException as error:  # noqa: BLE001 -- raised below
                before.append(error)

        beside = Thread(target=render_present, daemon=True)
        beside.start()
        try:
            after = self.render(files, changed)
        except ReleaseError:
            beside.join()
            raise  # anything else is Ctrl-C or a bug: nobody waits for a rendering then
        beside.join()
        if isinstance(before[0], BaseException):
            raise before[0]
        return before[0], after

    def chart(self) -> Mapping[str, bytes]:
        """The files of the chart and of what it depends on, by path inside the chart."""
        if self._chart is None:
            if self.config.chart.startswith(_ELSEWHERE):
                from release_tool.remote.chart_elsewhere import fetched

                self._chart, self._places, self.pinned = fetched(self.config, self.source, self._renderer)
            else:
                self._chart, self._places = self._beside()
        return self._chart

    @property
    def _title(self) -> str:
        """The chart in messages; a path inside it may follow."""
        if not self.config.chart.startswith(_ELSEWHERE):
            return self.config.chart.rstrip("/")
        from release_tool.model.chart_reference import elsewhere

        found = elsewhere(self.config.chart)
        return self.config.chart if found is None else found.title

    def _beside(self) -> tuple[Mapping[str, bytes], Mapping[str, str]]:
        """The chart of the repository itself: its files, and where its dependencies stand."""
        try:
            found = read_chart(self.source, self.config.chart)
        except InSubmodule as error:
            from release_tool.remote.chart_elsewhere import address_of_submodule

            error.hint = address_of_submodule(error, self.config.chart, self.source)
            raise
        except ReleaseError as error:
            if "a symbolic link" in error.what and "/charts/" in error.where.partition(self.config.chart)[2]:
                error.hint = "delete it, and name where it leads to in Chart.yaml: `repository: file://…`"
            raise
        if "Chart.yaml" not in found:
            raise ReleaseError(
                "there is no chart: Chart.yaml is missing",
                where=f"{self.source.title}:{self.config.chart}",
                cause="`chart` in release.yaml names another directory, or the chart was not pushed",
                hint="set `chart` to the chart's directory in this repository",
                page="reference/configuration.md#the-chart",
            )
        if _stands_alone(found):
            return found, {}
        from release_tool.remote import dependencies

        directory = self.config.chart.rstrip("/")
        parts = dependencies.complete(found, directory, "", self._renderer, self.source)
        return parts.files, parts.places

    def place(self, inside: str) -> str:
        """Where a file stands that Helm names by its path inside the chart: of a dependency, in another chart."""
        from release_tool.helm.request import placed

        return placed(self._title, self._places, inside)


def _stands_alone(files: Mapping[str, bytes]) -> bool:
    """Whether a chart is just its files, as far as a glance can tell: nothing to fetch, unpack, rename or leave out."""
    if ".helmignore" in files or any(path.endswith(".tgz") or path == "requirements.yaml" for path in files):
        return False
    _, named, below = files["Chart.yaml"].partition(b"dependencies")
    if not named:
        return True
    names = re.findall(rb"\bname:[ \t]*[\"']?([\w.-]+)", below)
    there = all(f"charts/{name.decode()}/Chart.yaml" in files for name in names)
    return bool(names) and there and b"repository" not in below and b"alias" not in below
