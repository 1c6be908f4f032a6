"""What the remote holds at one moment: the base branch with its configuration and files, and the other branches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from release_tool import tagfile
from release_tool.config.reader import load
from release_tool.errors import ReleaseError, TryAgain
from release_tool.model import history
from release_tool.model.foreign_content import demand_content, demand_plain
from release_tool.yamledit.style import nested

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from release_tool.config import Config, Place
    from release_tool.git.repository import RemoteRefs, Repository
    from release_tool.model.records import CommitId, Line, State
    from release_tool.remote.tool import Tool


_OF_CHARTS = (".yaml", ".yml", ".tpl", ".json", ".txt", ".tgz")  # what Helm reads; a picture may be a pointer
_NO_TEXT = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".ico", ".pdf", ".md")  # what no manifest is made of
_UNDECODED = re.compile("[\udc80-\udcff]")  # bytes that were not UTF-8


class Source(Protocol):
    """Files of one moment: `AtCommit`, or a `WorkingTree`. Symbolic links and submodules are refused, not followed."""

    @property
    def title(self) -> str:
        """What to call it in messages."""

    @property
    def commit(self) -> CommitId | None:
        """The commit that holds them; None for a working tree."""

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The files that exist, path -> content; a missing one is absent."""

    def paths(self, directory: str) -> list[str]:
        """All files below a directory, recursively, sorted."""

    def elsewhere(self, url: str) -> Repository:
        """Another repository, where git logs in as far as that is no other server's business."""


class AtCommit:
    """The files at a commit that was fetched."""

    def __init__(self, repository: Repository, commit: CommitId) -> None:
        self._repository = repository
        self.commit = commit

    @property
    def title(self) -> str:
        """Remote and commit."""
        return f"{self._repository.display_url} {self.commit[:12]}"

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """See `Source`."""
        return self._repository.read(self.commit, paths)

    def paths(self, directory: str) -> list[str]:
        """See `Source`."""
        return list(self._repository.files(self.commit, [directory]))

    def elsewhere(self, url: str) -> Repository:
        """See `Source`."""
        return self._repository.elsewhere(url)


class Files(NamedTuple):
    """The files of one environment as texts; the missing ones are empty.

    Who works on the environment is refused what isn't right (`tag_file`, `lines`, `readable`). Others read what can be
    read (`history.readable_lines`, `tagfile.read_leniently`): a broken file stops no other environment.
    """

    place: Place  # where they stand
    tags: str | None  # `image_tag.yaml`; None where there is no such file
    record: str  # `history.jsonl`
    values: tuple[tuple[str, str], ...]  # path and text of each other values file that is there, in Helm's order
    broken: ReleaseError | None = None  # why one of them is no file, or can't be read at all; it is empty then

    def tag_file(self, *, empty: bool = False) -> tagfile.TagFile:
        """The versions; `empty`: whether a file without a live version is right, also once there were some."""
        if self.broken is not None:
            raise self.broken
        if self.tags is None:
            raise ReleaseError(
                "the file of the environment's versions is missing",
                where=self.place.tag_file,
                cause="the environment stands in the configuration, and its versions were never written",
                hint=missing_file(self.place),
                page="reference/image-tag.md",
            )
        text = readable(self.tags, self.place.tag_file)
        empty = empty or not self._had_versions
        return tagfile.read(text, self.place.tag_file, key=self.place.key, empty=empty)

    @property
    def is_empty(self) -> bool:
        """Whether the environment has had no version yet: its file, which is right, and its record name none."""
        try:
            state = self.state(empty=True)
        except ReleaseError:
            return False
        return not (state.versions or state.retired or self._had_versions)

    @property
    def _had_versions(self) -> bool:
        return bool(history.names_of(history.readable_lines(self.record)))

    def state(self, *, empty: bool = False) -> State:
        """The versions; arguments and errors as for `tag_file`."""
        return self.tag_file(empty=empty).state

    def lines(self) -> tuple[Line, ...]:
        """The record."""
        if self.broken is not None:
            raise self.broken
        return history.parse(readable(self.record, self.place.history_file), self.place.history_file)


class Snapshot(NamedTuple):
    """The remote at one moment."""

    refs: RemoteRefs
    base: CommitId  # the tip of the base branch
    config: Config  # the configuration at that tip, as the service sees it
    source: Source
    files: Mapping[str, Files]  # environment -> the service's files at that tip
    whole: Config  # the same configuration, of all services
    config_path: str  # its path in the repository


def missing_file(place: Place) -> str:
    """What to do where an environment has no `image_tag.yaml`."""
    return f"commit it with the line `{nested(place.key, '{tag: {}}')}`; the first bump or promotion adds a version"


def take(tool: Tool, service: str = "") -> Snapshot:
    """Look at the remote; `service`: whose files are wanted; empty: of the only one."""
    refs, source, config = _look(tool)
    view = config.view(service)
    return Snapshot(refs, source.commit, view, source, read_files(source, view.places()), config, tool.config_path)


def take_all(tool: Tool, service: str = "") -> list[Snapshot]:
    """The same moment, for each service of the repository, or for one."""
    refs, source, config = _look(tool)
    return [
        Snapshot(refs, source.commit, view, source, read_files(source, view.places()), config, tool.config_path)
        for view in ([config.view(service)] if service else config.views())
    ]


def _look(tool: Tool) -> tuple[RemoteRefs, AtCommit, Config]:
    """The refs, the tip of the base branch, and the configuration there; what the release branches hold is fetched."""
    repository = tool.repository
    refs = tool.look.take()
    source = AtCommit(repository, _tip(refs, refs.head_branch, repository))
    config = read_config(source, tool.config_path)
    if config.base != refs.head_branch:
        source = AtCommit(repository, _tip(refs, config.base, repository))
        repository.fetch(source.commit)
        config = read_config(source, tool.config_path)
    places = [place for view in config.views() for place in view.places()]
    ours = {branch for place in places for branch in (place.branch, place.downgrade_branch)}
    repository.fetch(*(commit for ref, commit in refs.refs.items() if ref.removeprefix("refs/heads/") in ours))
    return refs, source, config


def _tip(refs: RemoteRefs, branch: str | None, repository: Repository) -> CommitId:
    commit = refs.branch(branch) if branch else None
    if commit is None:
        raise ReleaseError(
            f"the remote has no branch {branch!r}" if branch else "the remote has no default branch, or no commit yet",
            where=repository.display_url,
            cause="the `base` of the configuration names another branch, or the repository is empty",
            hint="set `base` in release.yaml to the branch that the environments are kept on, and push it",
        )
    return commit


def read_config(source: Source, path: str) -> Config:
    """The configuration of a source.

    Raises:
        ReleaseError: there is none, or it is wrong.
    """
    data = source.read([path]).get(path)
    if data is None:
        raise ReleaseError(
            "there is no configuration",
            where=f"{source.title}:{path}",
            cause="it was not pushed to the base branch yet, or stands elsewhere",
            hint="push it, or name its path inside the repository with --config",
            page="reference/configuration.md",
        )
    demand_plain(data.decode("utf-8", "replace"), path)
    return load(data, path)


def read_files(source: Source, places: Iterable[Place]) -> dict[str, Files]:
    """The files of some environments, by name."""
    places = list(places)
    paths = [path for place in places for path in _paths(place)]
    read, wrong = read_leniently(source.read, paths)
    # What is not UTF-8 is kept as it is, for `readable` to tell.
    texts = {path: data.decode("utf-8", "surrogateescape") for path, data in read.items()}
    values_files = {path for place in places for path in place.values_files}
    for path, text in list(texts.items()):
        try:
            (demand_content if path in values_files else demand_plain)(text, path)
        except ReleaseError as error:
            wrong[path] = error
            del texts[path]
    found: dict[str, Files] = {}
    for place in places:
        broken = next((wrong[path] for path in _paths(place) if path in wrong), None) if wrong else None
        values = tuple((path, texts[path]) for path in place.values_files if path in texts)
        if place.demanded and len(values) < len(place.values_files) and broken is None:
            broken = _missing(next(path for path in place.values_files if path not in texts))
        tags = texts.get(place.tag_file, "" if broken else None)
        found[place.environment] = Files(place, tags, texts.get(place.history_file, ""), values, broken)
    return found


def read_chart(source: Source, directory: str) -> dict[str, bytes]:
    """The files of a chart's directory as they stand there, by path inside it."""
    prefix = directory.rstrip("/") + "/"
    found = source.read(source.paths(directory))
    takes_any = any(b".Files" in data for path, data in found.items() if "/templates/" in path)
    for path, data in found.items():
        if path.endswith(_OF_CHARTS) or (takes_any and not path.endswith(_NO_TEXT)):
            demand_content(data, path)
    return {path.removeprefix(prefix): data for path, data in found.items()}


def _paths(place: Place) -> tuple[str, ...]:
    return (place.tag_file, place.history_file, *place.values_files)


def _missing(path: str) -> ReleaseError:
    what = "the values file is missing"
    return ReleaseError(what, where=path, hint="commit it, or take it out of `values` in release.yaml")


def read_leniently(
    read: Callable[[list[str]], dict[str, bytes]], paths: list[str]
) -> tuple[dict[str, bytes], dict[str, ReleaseError]]:
    """The files that can be read, and what is wrong with the others: a link or a directory in the way, too large."""
    try:
        return read(paths), {}
    except TryAgain:
        raise
    except ReleaseError:
        found: dict[str, bytes] = {}
        wrong: dict[str, ReleaseError] = {}
        for path in paths:
            try:
                found |= read([path])
            except TryAgain:
                raise
            except ReleaseError as error:
                wrong[path] = error
        return found, wrong


def readable(text: str, path: str) -> str:
    """A text of `Files`, once it is known to be UTF-8; raises as `decode` does."""
    if text.isascii() or not _UNDECODED.search(text):
        return text
    return decode(text.encode("utf-8", "surrogateescape"), path)


def decode(data: bytes, path: str) -> str:
    """A file as text; line ends and a byte order mark stay. ReleaseError: it is none, or the content isn't there."""
    demand_content(data, path)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise ReleaseError(
            f"the file is not UTF-8: byte 0x{data[error.start]:02x}",
            where=f"{path}:{line}:{column}",
            cause="it was saved in another encoding, or isn't a text",
            hint="save it as UTF-8",
        ) from None
