"""What stands in a directory before `release init`: the repository, its remote, charts, environments."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from release_tool.commands.init import texts
from release_tool.commands.init.layout import Layout, environment_branches, layout_of
from release_tool.config.reader import load
from release_tool.errors import ReleaseError
from release_tool.forges import advice, kind_of, known_url
from release_tool.forges.base import ForgeSettings
from release_tool.git import process
from release_tool.git.errors import explain
from release_tool.git.repository import Repository
from release_tool.yamledit.data import to_data
from release_tool.yamledit.parser import parse
from release_tool.yamledit.tree import YamlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from release_tool.config import Config
    from release_tool.forges.unrecognised import Advice
    from release_tool.git.working_tree import WorkingTree

_LIBRARY = re.compile(rb"(?m)^type:[ \t]*['\"]?library\b")
_KUSTOMIZATION = {"kustomization.yaml", "kustomization.yml", "Kustomization"}
_MOST = 100_000
"""Files of a directory without git that are looked at."""


class Survey(NamedTuple):
    """What was found.

    Attributes:
        top: the root of the checkout; of no repository, the directory itself.
        tree: the checkout; None where there is no git repository yet.
        remote: name of the remote and its address, without a credential; both empty where there is none.
        forge: what `forge.kind: auto` finds.
        base: the branch that the remote begins with, else the one that is checked out.
        branch: the one that is checked out; empty: none.
        layout: where environments are.
        charts: directories with a Chart.yaml that are a part of no other chart, and no library; `.` is the root.
        folders: all directories that hold something.
        config: `release.yaml`, where there is one.
        notes: what a person has to know, and nobody can set up.
    """

    top: Path
    tree: WorkingTree | None
    remote: tuple[str, str]
    forge: str
    base: str
    branch: str
    layout: Layout
    charts: tuple[str, ...]
    folders: frozenset[str] = frozenset()
    config: Config | None = None
    notes: tuple[str, ...] = ()


class PlainDirectory:
    """The files of a directory that is no git repository yet: a source of `release check`."""

    commit = None

    def __init__(self, top: Path) -> None:
        self.title = str(top)
        self._top = top

    def paths(self, directory: str) -> list[str]:
        """All files below a directory, links left out."""
        found: list[str] = []
        for folder, folders, names in os.walk(self._top / directory):
            folders[:] = [name for name in folders if name != ".git"]
            there = [Path(folder, name) for name in names]
            found += [one.relative_to(self._top).as_posix() for one in there if one.is_file() and not one.is_symlink()]
            if len(found) > _MOST:
                what = f"the directory holds more than {_MOST:,} files"
                raise ReleaseError(what, where=self.title, hint="name the directory of a GitOps repository with -C DIR")
        return sorted(found)

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The files that exist."""
        places = {path: self._top / path for path in paths}
        return {path: place.read_bytes() for path, place in places.items() if place.is_file()}

    def elsewhere(self, url: str) -> Repository:
        """Another repository."""
        return Repository.open(None, url)


def survey(directory: str | None, config_path: str, open_tree: Callable[[str], WorkingTree], path: str = "") -> Survey:
    """Look at a directory; nothing is asked of the remote.

    Args:
        open_tree: makes a `WorkingTree` of a directory.
        path: the directory of an environment, with `{environment}` in it, where somebody says it.

    Raises:
        ReleaseError: no such directory, a bare repository, or a configuration that is not ours or is wrong.
    """
    place = Path(directory or ".").absolute()
    answer = process.run(["rev-parse", "--is-inside-work-tree"], str(place))
    if answer.code != 0 and "not a git repository" not in answer.err:
        raise explain(answer, "read the repository", str(place))
    if answer.code != 0 and os.path.lexists(place / ".git"):
        what = "a `.git` stands here, and git takes it for no repository"
        raise ReleaseError(what, where=str(place), hint="move it away, or name another directory: -C DIR")
    tree: WorkingTree | None = open_tree(str(place)) if answer.code == 0 else None
    top = place if tree is None else tree.top
    source = PlainDirectory(top) if tree is None else tree
    paths = source.paths("")
    remote, forge, unknown = _remote(top) if tree else (("", ""), "none", None)
    branch = (tree.branch or "") if tree else ""
    data = source.read([config_path]).get(config_path)
    base = _base(top, remote[0]) or branch or "main"
    layout = layout_of(paths, path, texts.PATH)
    charts = tuple(_charts(paths, source))
    branches = () if layout.names else environment_branches(_branches(top, remote[0]))
    return Survey(
        top,
        tree,
        remote,
        forge,
        base,
        branch,
        layout._replace(names=layout.names or branches),
        charts,
        frozenset(str(folder) for path in paths for folder in PurePosixPath(path).parents),
        None if data is None else _ours(data, config_path),
        () if data is not None else tuple(_notes(paths, charts, branches, base, unknown)),
    )


def _notes(
    paths: Iterable[str], charts: Sequence[str], branches: Sequence[str], base: str, unknown: Advice | None
) -> Iterator[str]:
    if unknown is not None:
        yield (
            f"{unknown.what}: `release` pushes the branch and prints the text of the pull request, and you open it; "
            f"{unknown.mend} (docs/forges/index.md)"
        )
    kustomized = next((path for path in paths if PurePosixPath(path).name in _KUSTOMIZATION), None)
    if kustomized and not charts:
        yield (
            f"{kustomized}: `release` works with a Helm chart, and leaves alone what Kustomize makes. Take the "
            "Deployment and its routes out there when the chart runs"
        )
    if branches:
        yield (
            f"the branches {', '.join(branches)} look like environments: `release` keeps all of them as directories of "
            f"one branch, {base}. Let each cluster follow that branch, its own directory"
        )


def _branches(top: Path, remote: str) -> list[str]:
    """The branches of the checkout and those that it knows of the remote."""
    known = [f"refs/remotes/{remote}"] if remote else []
    command = ["for-each-ref", "--format=%(refname:strip=2)", "refs/heads", *known]
    return sorted({name.removeprefix(f"{remote}/") for name in process.run(command, str(top)).lines})


def _remote(top: Path) -> tuple[tuple[str, str], str, Advice | None]:
    """The remote, its forge, and what to do where none is known."""
    try:
        with Repository.open(top) as repository:
            url = known_url(repository, os.environ)
            plain = re.sub(r"^(https?://)[^/@]*@", r"\1", repository.display_url)
            kind = kind_of(url, os.environ)
            unknown = advice(repository, ForgeSettings(environ=os.environ)) if kind == "none" else None
            return (repository.remote_name, plain), kind, unknown
    except ReleaseError as error:
        if "no remote" in error.what:
            return ("", ""), "none", None
        raise


def _base(top: Path, remote: str) -> str:
    """The branch that the remote begins with, as the checkout knows it; empty where it knows none."""
    if not remote:
        return ""
    head = process.run(["symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD"], str(top))
    if head.code == 0:
        return head.lines[0].removeprefix(f"{remote}/")
    for name in ("main", "master"):
        if process.run(["rev-parse", "--verify", "--quiet", f"refs/remotes/{remote}/{name}"], str(top)).code == 0:
            return name
    return ""


def _charts(paths: Sequence[str], source: PlainDirectory | WorkingTree) -> list[str]:
    found = {str(PurePosixPath(path).parent): path for path in paths if PurePosixPath(path).name == "Chart.yaml"}
    parts = tuple("charts/" if chart == "." else f"{chart}/charts/" for chart in found)
    own = {chart: path for chart, path in found.items() if not chart.startswith(parts)}
    texts = source.read(own.values())
    return [chart for chart, path in own.items() if not _LIBRARY.search(texts.get(path, b""))]


def _ours(data: bytes, path: str) -> Config:
    """The configuration that stands; ReleaseError where it is a file of another program, or a wrong one of ours."""
    try:
        keys = to_data(parse(data.decode("utf-8")))
    except (YamlError, UnicodeDecodeError):
        keys = None
    if not isinstance(keys, dict) or "version" not in keys or not {"environments", "chart", "services"} & keys.keys():
        raise ReleaseError(
            f"a file `{path}` stands here, and it is not a configuration of `release`",
            where=path,
            cause="another program has a file of this name, or it was never finished",
            hint="move it, or name another file: `release init --config FILE`, with the same --config in each command",
            page="reference/commands/init.md#what-stands",
        )
    return load(data, path)
