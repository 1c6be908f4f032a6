"""A chart with its dependencies: archives unpacked, `file://` ones taken as `helm dependency build` takes them.

What stands in `charts/` of a chart wins, as with Argo CD and Flux, which build what is missing alone. Conditions, tags,
aliases and imported values are left to Helm.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.helm.archive import MOST, too_large, with_archives_unpacked
from release_tool.helm.ignored import IGNORE_FILE, kept
from release_tool.helm.request import RenderRequest, ValuesFile
from release_tool.remote.snapshot import read_chart
from release_tool.yamledit.parser import parse
from release_tool.yamledit.tree import YamlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.helm import Renderer
    from release_tool.remote.snapshot import Source
    from release_tool.yamledit.tree import Node

_DEEP = 20  # charts below each other
_NAMED = 1000  # dependencies whose place is known: aliases can double them at each level
_LEAST = 1024  # bytes that a file counts at least: nobody needs a hundred thousand


class DependencyError(ReleaseError):
    """A dependency of a chart is not there, or can't be used."""

    page = "reference/configuration.md#dependencies"


class _Dependency(NamedTuple):
    """One entry of `dependencies`."""

    where: str  # file, line and column
    name: str
    version: str
    repository: str
    alias: str


class ChartParts(NamedTuple):
    """A chart with what it depends on.

    Attributes:
        files: path inside the chart -> content.
        places: a dependency, as Helm's messages name it (`charts/common`) -> where it stands, if that is elsewhere.
        pinned: what `chart` in release.yaml should say, where it says less than that.
    """

    files: Mapping[str, bytes]
    places: Mapping[str, str] = {}
    pinned: str = ""


def complete(
    files: Mapping[str, bytes], directory: str, root: str, renderer: Renderer, source: Source | None
) -> ChartParts:
    """The chart as Helm gets it once its dependencies are built.

    Args:
        files: those of its directory.
        directory: its path in its repository.
        root: what stands before such a path in messages; empty for this repository.
        renderer: Helm, which knows what a range of versions is.
        source: where `file://` dependencies are read; None: nowhere, the chart is an archive.

    Raises:
        ReleaseError: a dependency that is not there, or can't be used.
    """
    return _Building(source, renderer, root).build(files, directory, ())


class _Building:
    def __init__(self, source: Source | None, renderer: Renderer, root: str) -> None:
        self._source, self._renderer, self._root = source, renderer, root
        self._built: dict[str, ChartParts] = {}

    def build(self, files: Mapping[str, bytes], directory: str, above: tuple[str, ...]) -> ChartParts:
        """A chart and all below it; `above`: the directories of the charts that led here."""
        title = f"{self._root}{directory}".rstrip("/")
        own = kept(files, title) if self._source is not None else dict(files)  # nothing is left out of an archive
        if IGNORE_FILE in own:
            own[IGNORE_FILE] = b""  # it speaks of these files, and not of those that come below
        found, origins = with_archives_unpacked(own, title)
        stand = {_about(found[f"{at}/Chart.yaml"]).name: at for at in _below(found)}
        places = {f"charts/{name}": origins.get(at, f"{title}/{at}") for name, at in stand.items()}
        for one in _declared(found, title):
            if one.name not in stand:
                part = self._other(one, directory, above)
                stand[one.name] = at = f"charts/{_free(one.name, found)}"
                found |= {f"{at}/{path}": content for path, content in part.files.items()}
                if sum(max(len(content), _LEAST) for content in found.values()) > MOST:
                    raise too_large(title)
                places[f"charts/{one.name}"] = f"{self._root}{_target(one, directory)}"
                if len(places) + len(part.places) < _NAMED:
                    places |= {f"charts/{one.name}/{below}": other for below, other in part.places.items()}
            if one.alias and len(places) < _NAMED:
                places |= _renamed(places, one)
        return ChartParts(found, places)

    def _other(self, one: _Dependency, directory: str, above: tuple[str, ...]) -> ChartParts:
        """A dependency that is not in `charts/`."""
        target = _target(one, directory)
        if not one.repository.startswith("file://") or self._source is None:
            raise self._unvendored(one, directory)
        line = (*above, directory)
        if len(line) > _DEEP:
            what = f"the charts depend on each other more than {_DEEP} deep"
            raise DependencyError(what, where=one.where, hint="take dependencies out")
        if target in line:
            around = " -> ".join(name or "the top" for name in [*line[line.index(target) :], target])
            what = f"the charts depend on each other: {around}"
            raise DependencyError(what, where=one.where, hint="take one of these dependencies out")
        if target.startswith(("/", "../")) or target == "..":
            what = f"the dependency {one.name} leads out of the repository: {one.repository}"
            hint = f"put that chart into the same repository, or {self._build(directory)}"
            raise DependencyError(what, where=one.where, hint=hint)
        if target not in self._built:
            self._built[target] = self.build(read_chart(self._source, target), target, line)
        built = self._built[target]
        if "Chart.yaml" not in built.files:
            what = f"the dependency {one.name} is not there: {target or 'the top'} holds no Chart.yaml"
            raise DependencyError(what, where=one.where, hint="correct its `repository`, or commit the chart")
        self._check(one, built.files["Chart.yaml"], target)
        return built

    def _unvendored(self, one: _Dependency, directory: str) -> ReleaseError:
        if not one.repository:
            what = f"the dependency {one.name} of the chart is not there, and it names no `repository`"
            return DependencyError(
                what,
                where=one.where,
                hint=f"commit the chart as {directory}/charts/{one.name}, or name its place: `repository: file://…`",
            )
        return DependencyError(
            f"the dependency {one.name} of the chart is not in its directory charts/",
            where=one.where,
            cause=f"it comes from {one.repository}, and dependencies are not fetched while a chart is rendered",
            hint=self._build(directory),
        )

    def _build(self, directory: str) -> str:
        """How the dependencies of a chart come to stand in its `charts/`."""
        if self._source is None:
            return "package the chart with them, `helm package --dependency-update`, and push it as a new version"
        hint = f"`helm dependency build {directory or '.'}`, then commit {directory}/charts".replace(" /", " ")
        hint += " (`git add --force`, if Git ignores it)"
        if self._root:
            hint = (
                f"in that repository {hint}, and name the new commit in `chart`; a packaged chart (oci://) holds them"
            )
        return hint

    def _check(self, one: _Dependency, about: bytes, target: str) -> None:
        """A chart of the wanted name, in a version that is wanted."""
        there = _about(about)
        if there.name != one.name:
            what = f"the dependency {one.name} is another chart: {target}/Chart.yaml names it {there.name}"
            raise DependencyError(what, where=one.where, hint="correct its `name` or its `repository`")
        fits = _satisfies(self._renderer, one.version, there.version)
        if fits is None:
            what = f"the version of the dependency {one.name} can't be compared: {one.version!r} with {there.version!r}"
            hint = f"write a version or a range like ^1.2.0 here, and a semantic version in {target}/Chart.yaml"
            raise DependencyError(what, where=one.where, hint=hint)
        if not fits:
            what = f"the dependency {one.name} is wanted in version {one.version}, and {target} is {there.version}"
            raise DependencyError(what, where=one.where, hint="correct its `version`, or the chart")


def _target(one: _Dependency, directory: str) -> str:
    """The directory that a `file://` repository names: one that begins with a slash is absolute."""
    path = one.repository.removeprefix("file://")
    found = posixpath.normpath(posixpath.join(directory, path))
    return "" if found == "." else found


def _below(files: Mapping[str, bytes]) -> list[str]:
    """The directories of the charts in `charts/` that Helm takes."""
    at = [path.removesuffix("/Chart.yaml") for path in files if path.endswith("/Chart.yaml")]
    return [one for one in at if one.startswith("charts/") and one.count("/") == 1 and one[7] not in "_."]


def _free(name: str, files: Mapping[str, bytes]) -> str:
    """A directory in `charts/` that nothing else has."""
    while any(path.startswith(f"charts/{name}/") for path in files):
        name += "-built"
    return name


def _renamed(places: Mapping[str, str], one: _Dependency) -> dict[str, str]:
    """The places of a chart under the name that it has for Helm here."""
    old, new = f"charts/{one.name}", f"charts/{one.alias}"
    return {f"{new}{key.removeprefix(old)}": at for key, at in places.items() if f"{key}/".startswith(f"{old}/")}


_QUESTION = {
    "Chart.yaml": b'{"apiVersion": "v2", "name": "x", "version": "0.0.0"}',
    "templates/x.yaml": b"""\
apiVersion: v1
kind: ConfigMap
metadata: {name: x}
data: {is: "{{ semverCompare .Values.wanted .Values.there }}"}
""",
}


def _satisfies(renderer: Renderer, wanted: str, there: str) -> bool | None:
    """Whether a version is in a range, as Helm says; None: one of the two is none."""
    import json

    values = ValuesFile("", json.dumps({"wanted": wanted, "there": there}))
    try:
        return '"true"' in renderer.render(RenderRequest("", _QUESTION, [values], "x", "x"))
    except ReleaseError as error:
        if "semverCompare" in error.what:
            return None
        raise


# -- Chart.yaml --


class _About(NamedTuple):
    name: str
    version: str


def _about(chart: bytes) -> _About:
    root = _root(chart)
    return _About(_text(root, "name"), _text(root, "version"))


def _declared(files: Mapping[str, bytes], title: str) -> Iterator[_Dependency]:
    """The dependencies that a chart names: in Chart.yaml, or in the requirements.yaml of old charts, which wins."""
    for name in ("requirements.yaml", "Chart.yaml"):
        root = _root(files.get(name, b""))
        listed = None if root is None else root.get("dependencies")
        if listed is None:
            continue
        for item in (listed.target or listed).items:
            node = item.target or item
            words = [_text(node, key) for key in ("name", "version", "repository", "alias")]
            if words[0]:
                yield _Dependency(f"{title}/{name}:{node.start.line}:{node.start.column}", *words)
        return


def _root(data: bytes) -> Node | None:
    try:
        return parse(data.decode("utf-8", "replace"))
    except YamlError:  # Helm tells it
        return None


def _text(node: Node | None, key: str) -> str:
    value = None if node is None else node.get(key)
    value = None if value is None else value.target or value
    return value.value.strip() if value is not None and value.kind == "scalar" and not value.is_nothing else ""
